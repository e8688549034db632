"""Runs the built binary and talks to it."""

import contextlib
import json
import os
import queue
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from gateway import CHINA, KEY_ID, SECRET

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = Path(os.environ.get("SMSPIPE_BIN", ROOT / ".build/release/smspipe")).resolve()

RESPONSE_MEMBERS = ["Outcome", "Code", "Message", "BizId", "RequestId", "BatchId", "SendDate"]
CREDENTIALS = {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
NUMBER = re.compile(r"1[3-9]\d{9}")
REQUEST_ID = re.compile(r"\(RequestId [0-9A-F-]{36}\)")


def today():
    """The days in China that a run that ends now may have written."""
    now = datetime.now(CHINA)
    return {(now - timedelta(minutes=minutes)).strftime("%Y%m%d") for minutes in (0, 10)}


def phone(number):
    return f"138{number:08d}"


def message(number, template="SMS_71175823", sign_name="云通信", parameters=True, **members):
    """A message of its own number; `parameters` may be True for a made-up object, None for none."""
    content = {"PhoneNumber": phone(number), "SignName": sign_name, "TemplateCode": template}
    if parameters is True:
        parameters = {"code": f"{number % 1000000:06d}"}
    if parameters is not None:
        content["TemplateParam"] = parameters
    return content | members


def line(content):
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def lines(contents):
    return "".join(line(content) + "\n" for content in contents)


@dataclass
class Result:
    status: int
    stdout: bytes
    stderr: str
    seconds: float

    @property
    def lines(self):
        text = self.stdout.decode("utf-8")
        assert not text or text.endswith("\n"), "the last response line has no end"
        return text.split("\n")[:-1]

    @property
    def responses(self):
        return [json.loads(text) for text in self.lines]

    def column(self, name):
        return [response.get(name) for response in self.responses]

    @property
    def outcomes(self):
        return self.column("Outcome")

    @property
    def codes(self):
        return self.column("Code")

    @property
    def summary_of_stdout(self):
        """The one JSON line on standard output of `smspipe journal --json`."""
        assert len(self.lines) == 1, self.stdout
        return self.responses[0]

    @property
    def summary(self):
        """The one JSON line on standard error."""
        found = [json.loads(text) for text in self.stderr.splitlines() if text.startswith("{")]
        assert len(found) == 1, self.stderr
        return found[0]


def shell_status(returned):
    """The status as a shell shows it: 128+n for a process ended by signal n."""
    return 128 - returned if returned < 0 else returned


class Command:
    """The binary with the environment of one test."""

    def __init__(self, home):
        self.home = home
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **CREDENTIALS}
        self.running = []

    def arguments(self, gateway, options):
        endpoint = ["--endpoint", gateway.endpoint] if gateway else []
        return [str(BINARY), *endpoint, *map(str, options)]

    def environ(self, changes):
        merged = self.environment | {name: str(value) for name, value in (changes or {}).items() if value is not None}
        return {name: value for name, value in merged.items() if (changes or {}).get(name, "") is not None}

    def run(self, gateway, *options, stdin="", env=None, timeout=60, check_secrets=True, within=()):
        """Runs to the end. `stdin` is text, bytes, a list of messages, or an open file; `within` a command to run it by."""
        if isinstance(stdin, list):
            stdin = lines(stdin)
        if isinstance(stdin, str):
            stdin = stdin.encode()
        given = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
        began = time.monotonic()
        done = subprocess.run(
            [*within, *self.arguments(gateway, options)],
            capture_output=True,
            env=self.environ(env),
            cwd=self.home,
            timeout=timeout,
            **given,
        )
        seconds = time.monotonic() - began
        result = Result(shell_status(done.returncode), done.stdout, done.stderr.decode("utf-8"), seconds)
        if check_secrets:
            check_discretion(result.stderr)
        return result

    def start(self, gateway, *options, env=None, stdout=subprocess.PIPE):
        process = Pipe(self.arguments(gateway, options), self.environ(env), self.home, stdout)
        self.running.append(process)
        return process

    def end(self):
        for process in self.running:
            process.kill()


def check_discretion(stderr):
    """Nothing on standard error names a secret, a phone number or a template value."""
    assert SECRET not in stderr
    # The digits of a RequestId may look like a number by chance.
    assert not NUMBER.search(REQUEST_ID.sub("", stderr)), stderr
    assert "绝密" not in stderr


class Pipe:
    """A running process with a parent that writes and reads line by line."""

    def __init__(self, arguments, environment, directory, stdout):
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.PIPE, env=environment, cwd=directory
        )
        self._errors = []
        self._output = queue.Queue()
        self._error_reader = threading.Thread(target=self._read_errors, daemon=True)
        self._error_reader.start()
        self._reader = None

    @property
    def pid(self):
        return self.process.pid

    def write(self, *contents):
        self.process.stdin.write(lines(contents).encode())
        self.process.stdin.flush()

    def write_in_background(self, blocks):
        """Writes blocks of bytes on a thread; gives the counter of bytes written so far."""
        written = [0]

        def feed():
            with contextlib.suppress(BrokenPipeError):
                for block in blocks:
                    self.process.stdin.write(block)
                    self.process.stdin.flush()
                    written[0] += len(block)

        threading.Thread(target=feed, daemon=True).start()
        return written

    def close_input(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()

    def close_output(self):
        """Goes away as a reader; there must not be a thread that reads."""
        assert not self._reader
        self.process.stdout.close()

    def start_reading(self):
        if not self._reader:
            self._reader = threading.Thread(target=self._read_lines, daemon=True)
            self._reader.start()

    def read(self, timeout=20):
        """The next response line, or None at the end of the output."""
        self.start_reading()
        try:
            text = self._output.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"no response line within {timeout}s; standard error: {self.stderr!r}") from None
        return text and json.loads(text)

    def read_many(self, count, timeout=20):
        return [self.read(timeout) for _ in range(count)]

    def read_all(self, timeout=60):
        found = []
        while (response := self.read(timeout)) is not None:
            found.append(response)
        return found

    def is_silent(self, seconds):
        """True if nothing is read for so long."""
        self.start_reading()
        try:
            self._output.get(timeout=seconds)
        except queue.Empty:
            return True
        return False

    def signal(self, name):
        """Sends a signal and waits until it has arrived, so that a second one is not merged with it."""
        self.process.send_signal(getattr(signal, f"SIG{name}"))
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                status = Path(f"/proc/{self.pid}/status").read_text()
            except OSError:
                return
            pending = re.findall(r"^(?:SigPnd|ShdPnd):\s*(\w+)", status, re.MULTILINE)
            if not any(int(mask, 16) for mask in pending) or "\nState:\tZ" in status:
                return
            time.sleep(0.005)
        raise AssertionError(f"SIG{name} is not taken by the process")

    def wait(self, timeout=30):
        status = shell_status(self.process.wait(timeout))
        self._error_reader.join(timeout)
        check_discretion(self.stderr)
        return status

    @property
    def stderr(self):
        return b"".join(self._errors).decode("utf-8", "replace")

    def wait_for_stderr(self, timeout=10):
        """Waits until something was printed on standard error."""
        deadline = time.monotonic() + timeout
        while not self.stderr.strip():
            assert time.monotonic() < deadline, "nothing on standard error"
            time.sleep(0.01)

    def peak_memory(self):
        """The most memory that the process ever had resident, in MiB; it must be alive."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.close()
        self.process.wait(10)

    def _read_errors(self):
        with contextlib.suppress(ValueError, OSError):
            for block in iter(lambda: os.read(self.process.stderr.fileno(), 65536), b""):
                self._errors.append(block)

    def _read_lines(self):
        with contextlib.suppress(ValueError, OSError):
            for text in self.process.stdout:
                self._output.put(text)
        self._output.put(None)
