"""Starts simulators for the tests; the binary is SMSPIPE_BIN or the release build."""

import json
import os
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest

# Under nohup the commands would inherit that HUP is ignored, and ignore it.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("SMSPIPE_BIN", str(ROOT / ".build/release/smspipe"))


class Simulator:
    def __init__(self, *options):
        self.process = subprocess.Popen(
            [BINARY, "simulate", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        ready = self.process.stdout.readline()
        assert ready, self.process.stderr.read()
        ready = json.loads(ready)
        self.endpoint, self.inbox = ready["endpoint"], ready["inbox"]
        self.key_id, self.secret = ready["accessKeyId"], ready["accessKeySecret"]
        self.host = self.endpoint.removeprefix("http://")
        self.port = int(self.host.rsplit(":", 1)[1])

    def lines(self, path, method="GET", body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/_sim/{path}", method=method, data=data)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return [json.loads(line) for line in answer.read().decode().splitlines()]

    def stop(self):
        self.process.stdin.close()
        return self.process.wait(timeout=20)


@pytest.fixture
def simulator():
    running = Simulator("--report-delay", "0")
    yield running
    running.stop()


@pytest.fixture
def start():
    running = []

    def begin(*options):
        running.append(Simulator(*options))
        return running[-1]

    yield begin
    for one in running:
        one.stop()
