"""Signals, a closed output, and ends that are not the end of the input: contract, section 6."""

import contextlib
import fcntl
import os
import random
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

import gateway as gateways
from command import line, message, phone
from gateway import Answer, lost

STATUS = {"TERM": 143, "INT": 130, "HUP": 129}
HOLD = ["--linger", "60s", "--batch-size", "2"]


@pytest.mark.parametrize("name", STATUS)
def test_a_signal_sends_what_is_batched_and_answers_it(smspipe, gateway, name):
    process = smspipe.start(gateway, *HOLD)
    process.write(message(1), message(2), message(3))
    process.read_many(2)
    process.signal(name)
    assert process.read()["Outcome"] == "accepted"
    assert process.read() is None
    assert process.wait() == STATUS[name]
    assert gateway.taken_phones == [phone(1), phone(2), phone(3)]


@pytest.mark.parametrize("name", STATUS)
def test_a_signal_waits_for_answers_in_flight(smspipe, gateway, name):
    released = threading.Event()
    gateway.script = lambda request: Answer(wait_for=released)
    process = smspipe.start(gateway, "--linger", "0")
    process.write(message(1))
    gateway.wait_for_requests(1)
    process.signal(name)
    assert process.is_silent(0.3)
    released.set()
    assert process.read()["Outcome"] == "accepted"
    assert process.wait() == STATUS[name]


def test_a_signal_ends_a_run_that_waits_for_input(smspipe, gateway):
    process = smspipe.start(gateway, "--linger", "0")
    process.write(message(1))
    process.read()
    process.signal("TERM")
    assert process.wait(5) == 143
    assert process.read() is None


def test_nothing_is_read_after_a_signal(smspipe, gateway):
    released = threading.Event()
    gateway.script = lambda request: Answer(wait_for=released)
    process = smspipe.start(gateway, "--window", "100")
    process.write_in_background([(line(message(n)) + "\n").encode() for n in range(5000)])
    gateway.wait_for_requests(1)
    process.signal("TERM")
    released.set()
    responses = process.read_all()
    assert process.wait() == 143
    assert [response["PhoneNumber"] for response in responses] == [phone(n) for n in range(len(responses))]
    assert len(responses) < 5000
    assert {response["Outcome"] for response in responses} <= {"accepted", "skipped"}
    assert {r["Code"] for r in responses if r["Outcome"] == "skipped"} <= {"smspipe.STOPPED"}


def test_the_drain_has_an_end(smspipe, gateway):
    gateway.script = lambda request: lost(gateways.NEVER)
    process = smspipe.start(gateway, "--linger", "0", "--drain", "500ms", "--timeout", "60s", "--confirm", "0")
    process.write(message(1))
    gateway.wait_for_requests(1)
    process.signal("TERM")
    response = process.read(10)
    assert (response["Outcome"], response["Code"]) == ("unknown", "smspipe.UNCONFIRMED")
    assert process.wait(10) == 143


def test_what_could_not_leave_during_the_drain_is_skipped(smspipe, gateway):
    gateway.script = lambda request: lost(gateways.NEVER)
    options = ["--concurrency", "1", "--batch-size", "1", "--drain", "500ms", "--timeout", "60s", "--confirm", "0"]
    process = smspipe.start(gateway, *options)
    process.write(message(1), message(2), message(3))
    gateway.wait_for_requests(1)
    process.signal("TERM")
    responses = process.read_all(10)
    assert [response["Outcome"] for response in responses] == ["unknown", "skipped", "skipped"]
    assert [response["Code"] for response in responses[1:]] == ["smspipe.STOPPED"] * 2
    assert process.wait(10) == 143
    assert len(gateway.requests) == 1


@pytest.mark.parametrize(("first", "second"), [("TERM", "TERM"), ("INT", "INT"), ("TERM", "INT")])
def test_a_second_signal_ends_at_once(smspipe, gateway, first, second):
    gateway.script = lambda request: lost(gateways.NEVER)
    process = smspipe.start(gateway, "--linger", "0", "--drain", "60s", "--timeout", "60s")
    process.write(message(1))
    gateway.wait_for_requests(1)
    process.signal(first)
    assert process.is_silent(0.3)
    began = time.monotonic()
    process.signal(second)
    assert process.wait(5) in (STATUS[first], STATUS[second])
    assert time.monotonic() - began < 2


def test_a_signal_with_a_stalled_reader_does_not_hang(smspipe, gateway):
    process = smspipe.start(gateway, "--drain", "1s")
    process.write_in_background([(line(message(n)) + "\n").encode() for n in range(30_000)])
    # Far more answers than a pipe holds lines; once two thousand wait, reading waits for the reader.
    gateway.wait(lambda: len(gateway.taken) >= 2000)
    process.signal("TERM")
    process.signal("TERM")
    assert process.wait(10) == 143


def test_a_parent_that_goes_away_ends_the_run(smspipe, gateway):
    process = smspipe.start(gateway, "--linger", "0")
    process.write(message(1))
    process.read()
    process.close_input()
    assert process.wait(10) == 0


def test_a_closed_output_stops_sending(smspipe, gateway):
    """Like `smspipe … | head -1`: what is in flight ends, nothing more is sent."""
    process = smspipe.start(gateway, "--concurrency", "1", "--window", "300")
    process.write_in_background([(line(message(n)) + "\n").encode() for n in range(20_000)])
    os.read(process.process.stdout.fileno(), 1)
    process.close_output()
    seen = len(gateway.requests)
    assert process.wait(15) == 141
    assert len(gateway.requests) <= seen + 4
    assert process.stderr == ""


def test_nothing_is_sent_for_an_output_that_was_never_there(smspipe, gateway):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as unread, open("/dev/null", "rb") as unwritable:
        for output, status in [(unread, 141), (unwritable, 74)]:
            process = smspipe.start(gateway, "--linger", "0", stdout=output)
            process.write_in_background([(line(message(n)) + "\n").encode() for n in range(2000)])
            assert process.wait(15) == status
            assert ("Bad file descriptor; nothing was sent" in process.stderr) == (status == 74)
            assert "journal" not in process.stderr
    assert gateway.requests == []


def test_a_closed_output_waits_for_what_is_in_flight(smspipe, gateway):
    released = threading.Event()
    # The later answers take their time: the writer, which finds the output closed, may have to wait for a processor.
    gateway.script = lambda request: Answer(wait_for=released) if request.number == 1 else Answer(delay=0.1)
    process = smspipe.start(gateway, "--concurrency", "1", "--batch-size", "1", "--linger", "0")
    process.write(*[message(n) for n in range(50)])
    gateway.wait_for_requests(2)
    process.close_output()
    released.set()
    assert process.wait(15) == 141
    assert len(gateway.requests) <= 4 and gateway.duplicates() == {}


RUNS = [pytest.param(seed, marks=[pytest.mark.slow] if seed >= 15 else []) for seed in range(200)]


@pytest.mark.parametrize("seed", RUNS)
def test_term_at_any_moment_leaves_no_message_without_its_fate(smspipe, gateway, seed):
    """What the gateway took is what is reported accepted or unknown, line for line."""
    after = random.Random(seed).randrange(20_000)
    if seed % 3 == 2:
        gateway.script = lambda request: lost(gateways.CLOSE) if request.number % 5 == 4 else None
    process = smspipe.start(gateway, "--confirm", "0")
    process.write_in_background([b"".join((line(message(n)) + "\n").encode() for n in range(20_000))])
    process.start_reading()
    gateway.wait(lambda: len(gateway.taken) >= min(after, 19_000))
    process.signal("TERM")
    responses = process.read_all()
    assert process.wait() == 143
    assert [response["PhoneNumber"] for response in responses] == [phone(n) for n in range(len(responses))]
    taken = gateway.taken_phones
    assert len(set(taken)) == len(taken)
    told = {r["PhoneNumber"]: r["Outcome"] for r in responses}
    assert set(told.values()) <= {"accepted", "unknown", "skipped"}
    assert all(told.get(number) in ("accepted", "unknown") for number in taken)
    assert {number for number, outcome in told.items() if outcome == "accepted"} <= set(taken)


def test_answers_that_came_while_the_process_was_stopped_count(smspipe, gateway):
    """The event loop sees more sockets and time-outs at once than it takes in one turn."""
    released = threading.Event()
    gateway.script = lambda request: Answer(wait_for=released)
    process = smspipe.start(
        gateway, "--batch-size", "1", "--concurrency", "200", "--timeout", "2s", "--confirm", "0", "--linger", "0"
    )
    process.write(*(message(n) for n in range(200)))
    gateway.wait_for_requests(200)
    process.signal("STOP")
    released.set()
    assert process.is_silent(2.5)
    process.signal("CONT")
    process.close_input()
    assert {process.read()["Outcome"] for _ in range(200)} == {"accepted"}
    assert process.wait() == 0


def test_a_signal_ends_the_wait_for_a_pipe_that_nobody_writes_to(smspipe, gateway, tmp_path):
    os.mkfifo(tmp_path / "input")
    process = smspipe.start(gateway, tmp_path / "input")
    opening = f"{os.uname().machine == 'x86_64' and 257 or 56} "
    while not Path(f"/proc/{process.pid}/syscall").read_text().startswith(opening):
        assert process.process.poll() is None
    process.signal("TERM")
    assert process.wait() == 143


def test_a_summary_that_nobody_reads_holds_up_nothing(smspipe, gateway):
    reading, writing = os.pipe()
    fcntl.fcntl(writing, 1031, 4096)  # F_SETPIPE_SZ
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x")
    os.set_blocking(writing, True)
    released = threading.Event()
    gateway.script = lambda request: Answer(wait_for=released)
    process = subprocess.Popen(
        smspipe.arguments(gateway, ["--linger", "0"]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=writing,
        env=smspipe.environ(None),
    )
    process.stdin.write((line(message(1)) + "\n").encode())
    process.stdin.flush()
    gateway.wait_for_requests(1)
    for _ in range(3):
        process.send_signal(signal.SIGUSR1)
    released.set()
    output, _ = process.communicate(timeout=20)
    assert b'"accepted"' in output and process.returncode == 0
    os.close(reading)
    os.close(writing)
