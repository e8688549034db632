"""Tests of the web service against the simulator: no account, no cost, no phone.

    smspipe simulate -- python3 -m pytest examples/python/test_web_service.py
"""

import json
import os
import threading
import urllib.error
import urllib.request
from http.server import ThreadingHTTPServer

import pytest

pytest.importorskip("alibabacloud_dysmsapi20170525")
if "SMSPIPE_SIMULATOR_INBOX" not in os.environ:
    pytest.skip("run by: smspipe simulate -- python3 -m pytest …", allow_module_level=True)

from web_service import CodeService  # noqa: E402

SIMULATOR = os.environ["SMSPIPE_SIMULATOR_INBOX"]


def simulator(path, method="GET", body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(SIMULATOR + path, data, method=method)) as answer:
        return [json.loads(line) for line in answer.read().splitlines()]


@pytest.fixture(autouse=True)
def clean():
    simulator("faults", "DELETE")
    simulator("reset", "POST")


@pytest.fixture(scope="module")
def service():
    server = ThreadingHTTPServer(("127.0.0.1", 0), CodeService)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/codes"
    server.shutdown()


def ask_for_code(service, number):
    try:
        return urllib.request.urlopen(urllib.request.Request(service, number.encode(), method="POST")).status
    except urllib.error.HTTPError as error:
        return error.code


def test_sends_a_code_of_six_digits(service):
    assert ask_for_code(service, "13800000001") == 202
    message = simulator("wait?count=1&timeout=5s") and simulator("messages")[0]
    assert message["PhoneNumber"] == "13800000001"
    assert len(message["TemplateParam"]["code"]) == 6


@pytest.mark.parametrize("number, status", [("19999000001", 429), ("19999000002", 400), ("19999000009", 502)])
def test_says_why_no_code_was_sent(service, number, status):
    assert ask_for_code(service, number) == status
    assert simulator("messages") == []


def test_does_not_send_twice_when_the_answer_is_lost(service):
    simulator("faults", "PUT", {"Faults": ["drop-after=1"]})
    assert ask_for_code(service, "13800000001") == 504
    assert len(simulator("messages")) == 1
    assert simulator("duplicates") == []
