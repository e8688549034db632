"""Memory stays flat however long the input is and however slow its reader: contract, sections 1 and 3."""

import asyncio
import contextlib
import json
import subprocess
import threading

import pytest

from command import line, message

LIMIT = 64  # MiB
BLOCK = 10_000


class Sink:
    """A gateway that accepts everything unread, at the speed of one event loop."""

    BODY = (
        b'{"Code":"OK","Message":"OK","RequestId":"2184201F-BFB3-446B-B1F2-C746B7BF0657","BizId":"900619746936498^0"}'
    )
    ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)

    class Connection(asyncio.Protocol):
        def __init__(self, sink):
            self.sink, self.data, self.missing = sink, bytearray(), 0

        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, data):
            self.data += data
            while True:
                if self.missing:
                    if len(self.data) < self.missing:
                        return
                    del self.data[: self.missing]
                    self.missing = 0
                    self.sink.requests += 1
                    self.transport.write(Sink.ANSWER)
                end = self.data.find(b"\r\n\r\n")
                if end < 0:
                    return
                head = bytes(self.data[:end]).lower()
                del self.data[: end + 4]
                self.missing = int(head.split(b"content-length:")[1].split(b"\r\n")[0])

    def __init__(self):
        self.requests, self.port = 0, 0
        ready = threading.Event()

        def serve():
            self.loop = asyncio.new_event_loop()
            server = self.loop.run_until_complete(
                self.loop.create_server(lambda: self.Connection(self), "127.0.0.1", 0)
            )
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            self.loop.run_forever()

        threading.Thread(target=serve, daemon=True).start()
        assert ready.wait(10)
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)


@pytest.fixture
def sink():
    server = Sink()
    yield server
    server.stop()


def block():
    """Ten thousand messages of about 215 bytes and eight templates."""
    return "".join(
        line(
            message(
                n, f"SMS_{n % 8}", parameters={"code": f"{n:06d}", "text": "您的订单已经发出"}, order=n, pad="x" * 40
            )
        )
        + "\n"
        for n in range(BLOCK)
    ).encode()


def count(process, wanted):
    """Reads and counts response lines without keeping them; returns once there are as many as wanted."""
    seen, rejected = 0, 0
    while seen < wanted:
        text = process.process.stdout.readline()
        assert text, process.stderr
        seen += 1
        rejected += b'"Outcome":"accepted"' not in text
    return rejected


@pytest.mark.parametrize("blocks", [30, pytest.param(500, marks=pytest.mark.slow)])
def test_memory_does_not_grow_with_the_input(smspipe, sink, blocks):
    process = smspipe.start(sink)
    data = block()
    process.write_in_background(data for _ in range(blocks))
    assert count(process, blocks * BLOCK) == 0
    assert process.peak_memory() < LIMIT
    process.close_input()
    assert process.wait(60) == 0
    assert sink.requests >= blocks * BLOCK / 100


def test_a_line_beyond_the_limit_is_never_held(smspipe, sink):
    hold_back(smspipe, sink, 100)


@pytest.mark.slow
def test_a_line_of_1_gib_is_never_held(smspipe, sink):
    hold_back(smspipe, sink, 1024)


def hold_back(smspipe, sink, mebibytes):
    process = smspipe.start(sink)
    part = b'"' + b"x" * ((1 << 20) - 1)

    def parts():
        yield b'{"PhoneNumber":"13800000001","pad":'
        yield from (part for _ in range(mebibytes))
        yield b"\n" + (line(message(2)) + "\n").encode()

    process.write_in_background(parts())
    first, second = (json.loads(process.process.stdout.readline()) for _ in range(2))
    assert (first["Outcome"], first["Code"]) == ("invalid", "smspipe.LINE_TOO_LONG")
    assert second["Outcome"] == "accepted"
    assert process.peak_memory() < LIMIT
    process.close_input()
    assert process.wait() == 1


def test_a_stalled_reader_stops_the_reading_and_memory_stays_flat(smspipe, sink):
    process = smspipe.start(sink)
    data = block()
    blocks, part = 20, 1 << 16
    # In small parts: reading may stop within the first block, and what is written is counted by the part.
    parts = [data[start : start + part] for start in range(0, len(data), part)]
    written = process.write_in_background(each for _ in range(blocks) for each in parts)
    still = settle(process, lambda: written[0])
    assert still < len(data) * blocks, "everything was read although nobody takes the answers"
    assert process.peak_memory() < LIMIT
    requests = sink.requests
    assert settle(process, lambda: sink.requests) == requests
    assert count(process, blocks * BLOCK) == 0
    assert process.peak_memory() < LIMIT
    process.close_input()
    assert process.wait() == 0


def settle(process, value):
    """The value once it has not changed for a while."""
    last, same = None, 0
    while same < 5:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.process.wait(0.2)
        assert process.process.poll() is None, process.stderr
        now = value()
        same = same + 1 if now == last and now else 0
        last = now
    return last
