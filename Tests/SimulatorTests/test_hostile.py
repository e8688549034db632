"""Hostile input: refused clearly, with bounded memory, while others go on being served."""

import contextlib
import re
import socket
import time
import urllib.request

import pytest
from test_sdks import batch, new_client


def exchange(simulator, *parts, pause=0, seconds=10):
    """What comes back until the other side closes."""
    received = b""
    with socket.create_connection(("127.0.0.1", simulator.port), timeout=seconds) as client:
        try:
            for part in parts:
                client.sendall(part)
                time.sleep(pause)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            while chunk := client.recv(65536):
                received += chunk
        except (TimeoutError, ConnectionResetError):
            pass
    return received


def status(answer):
    match = re.match(rb"HTTP/1\.1 (\d+)", answer)
    return int(match[1]) if match else None


def memory(simulator):
    with open(f"/proc/{simulator.process.pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) // 1024


def request(body=b"", query="", headers=()):
    lines = [f"POST /?{query} HTTP/1.1", "host: 127.0.0.1", "connection: close", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


COMMON = (
    "Action=SendSms&Version=2017-05-25&AccessKeyId=x&Signature=x&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0"
    "&SignatureNonce=x&Timestamp={}-01-01T00:00:00Z"
)
FORM = "content-type: application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "data, expected",
    [
        (b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" + b"10000\r\n" + b"x" * 65536 + b"\r\n", None),
        (b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 300_000 + b"\r\n\r\n", 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/1.1\r\nbad header\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (request(b"%zz=1", headers=[FORM]), 400),
        (request(b"a=%E4%BD", headers=[FORM]), 400),
        (request(b"a=\xff\xfe", headers=[FORM]), 400),
        (request(b"a=%", headers=[FORM]), 400),
        (request(b"&".join(b"p%d=1" % i for i in range(2000)), headers=[FORM]), 400),
        (request(query="Action=SendSms&Version=" + "9" * 5000), 400),
        (request(headers=["authorization: ACS3-HMAC-SHA256 Credential"]), 400),
        (request(headers=["authorization: ACS3-HMAC-SHA256 " + "," * 5000]), 400),
        *((request(query=COMMON.format(year)), 404) for year in ("0000", "1600", "2300", "9999")),
        (b"GET /_sim/messages?after=18446744073709551615 HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n", 200),
        (b"PUT / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 400),
        (b"GET /_sim/nothing HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n", 404),
        (b"DELETE /_sim/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n", 405),
        (b"GET /queues/x/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n", 400),
    ],
)
def test_refuses_clearly_and_goes_on(simulator, data, expected):
    answer = exchange(simulator, data, seconds=2)
    assert status(answer) == expected, answer[:300]
    assert new_client(simulator, None).send_batch_sms(batch()).body.code == "OK"


@pytest.mark.parametrize("change", [{"QPS": "1e-300"}, {"ReportDelay": "999999999h"}])
def test_goes_on_whatever_it_is_set_to(simulator, change):
    simulator.lines("faults", "PUT", change)
    for _ in range(2):
        with contextlib.suppress(Exception):
            new_client(simulator, None).send_batch_sms(batch())
    simulator.lines("faults", "PUT", {"QPS": "none"})
    assert new_client(simulator, None).send_batch_sms(batch()).body.code == "OK"
    assert simulator.lines("messages")[0]["PhoneNumber"] == "13800000001"


def test_refuses_a_body_without_an_end(simulator):
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    answer = exchange(simulator, b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n", *[chunk] * 40, seconds=3)
    assert status(answer) in (413, None)
    assert memory(simulator) < 150


def test_serves_others_while_a_thousand_connections_idle_or_dawdle(simulator):
    clients = []
    try:
        for index in range(1000):
            client = socket.create_connection(("127.0.0.1", simulator.port), timeout=5)
            if index % 2:
                client.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nslow")
            clients.append(client)
        assert new_client(simulator, None).send_batch_sms(batch()).body.code == "OK"
        assert memory(simulator) < 150
    finally:
        for client in clients:
            client.close()


def test_answers_pipelined_requests_in_order(simulator):
    one = b"GET /_sim/counts HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
    last = b"GET /_sim/none HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
    answer = exchange(simulator, one * 20 + last)
    assert [int(code) for code in re.findall(rb"HTTP/1\.1 (\d+)", answer)] == [200] * 20 + [404]


def test_stays_small_when_a_client_does_not_read(simulator):
    with socket.create_connection(("127.0.0.1", simulator.port), timeout=2) as client:
        client.settimeout(0.5)
        one = b"GET /_sim/inbox.js HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
        try:
            for _ in range(200):
                client.sendall(one * 1000)
        except TimeoutError:
            pass
        assert memory(simulator) < 150
    with urllib.request.urlopen(f"{simulator.endpoint}/_sim/counts", timeout=5) as answer:
        assert answer.status == 200


def test_continues_when_the_client_waits_for_it(simulator):
    head = b"POST /_sim/replies HTTP/1.1\r\nhost: 127.0.0.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\nconnection: close\r\n\r\n"
    answer = exchange(simulator, head, b"{}", pause=0.2)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400")
