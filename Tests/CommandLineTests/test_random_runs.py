"""Whole runs of random shape against the embedded simulator, whose ledger judges them.

`--runs N` says how many, `--seed S` where they begin; each seed is one run, whatever the others are. What a test of one
thing does not meet, such as a window that is full in the moment in which lines come out, these do.
"""

import json
import random
import signal
import subprocess
import threading
import time
import urllib.request
from collections import Counter

from command import BINARY, check_discretion, line, message

SHORT = 2_000
LONG = 60_000


def pytest_generate_tests(metafunc):
    first, count = metafunc.config.getoption("--seed"), metafunc.config.getoption("--runs")
    metafunc.parametrize("seed", range(first, first + count))


class Simulator:
    """The embedded simulator with a gateway's moods of its own."""

    def __init__(self, choose, smspipe):
        options = ["--seed", str(choose.getrandbits(32)), "--keep", "1"]
        options += choose.choice([[], [], ["--latency", "1ms"], ["--latency", "20ms±15ms"]])
        options += choose.choice([[], [], [], ["--qps", "200"]])
        faults = ["drop-before=2%", "drop-after=2%", "503=3%", "truncate=1%", "garbage=1%", "stall=0.5%"]
        faults += ["error:isv.BUSINESS_LIMIT_CONTROL=2%", "error:Throttling.User=1%"]
        self.faults = choose.sample(faults, choose.choice([0, 0, 0, 1, 3]))
        for fault in self.faults:
            options += ["--fault", fault]
        self.process = subprocess.Popen(
            [BINARY, "simulate", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=smspipe.environ({}),
        )
        ready = json.loads(self.process.stdout.readline())
        self.endpoint, self.options = ready["endpoint"], options
        self.credentials = {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": ready["accessKeyId"],
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ready["accessKeySecret"],
        }

    def counts(self):
        with urllib.request.urlopen(f"{self.endpoint}/_sim/counts") as answer:
            return json.load(answer)

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=20) == 0


class Shape:
    """What a run is like: its input, its options, its reader and its end."""

    def __init__(self, choose, folder):
        self.choose, self.folder = choose, folder
        self.count = choose.choice([0, 1, 99, SHORT, SHORT, LONG])
        templates = choose.choice([1, 8, 300, 1000])
        size, window = choose.choice([100, 100, 100, 7, 1]), choose.choice([None, None, 1, 50, 8192, 8200, 200_000])
        if size < 100 or window and window < 100:
            self.count = min(self.count, 300 if size > 1 and window != 1 else 30)
        self.contents = [message(n, f"SMS_{choose.randrange(templates)}") for n in range(self.count)]
        self.invalid = set(choose.sample(range(self.count), self.count // 50)) if choose.random() < 0.3 else set()
        for n in self.invalid:
            self.contents[n]["PhoneNumber"] = "no number"
        self.has_journal = choose.random() < 0.4
        self.order = choose.choice(["input", "input", "completion"])
        self.options = ["--batch-size", size, "--order", self.order, "--timeout", "1s", "--confirm", "2s", "--summary"]
        for name, values in {
            "--window": [window],
            "--concurrency": [None, None, 1, 3, 500],
            "--linger": [None, "0", "1ms", "10s"],
            "--rate": [None, None, None, "20000/s"],
            "--signature": [None, "v1"],
        }.items():
            value = choose.choice(values)
            if value is not None:
                self.options += [name, value]
        if choose.random() < 0.3:
            self.options.append("--no-echo")
        if self.has_journal:
            self.options += ["--journal", folder / "journal"]
        self.feeds_slowly = choose.random() < 0.3
        self.reads_slowly = choose.random() < 0.3
        self.end = choose.choice([None, None, None, "TERM", "head"])

    def __str__(self):
        flags = " ".join(map(str, self.options))
        return f"{self.count} messages, end {self.end}, slow input {self.feeds_slowly}, output {self.reads_slowly}: {flags}"


class Run:
    """One run of the program, fed and read as its shape says."""

    def __init__(self, smspipe, simulator, shape, choose, end):
        self.shape, self.choose, self.lines = shape, choose, []
        self.is_cut = end == "head"
        self.process = subprocess.Popen(
            [str(part) for part in (BINARY, "--endpoint", simulator.endpoint, *shape.options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=smspipe.environ(simulator.credentials),
        )
        errors = []
        helpers = [threading.Thread(target=self.feed), threading.Thread(target=self.read)]
        helpers.append(threading.Thread(target=lambda: errors.append(self.process.stderr.read())))
        if end == "TERM":
            wait = choose.uniform(0.02, 0.5)
            helpers.append(threading.Timer(wait, lambda: self.process.send_signal(signal.SIGTERM)))
        for helper in helpers:
            helper.start()
        try:
            self.status = self.process.wait(timeout=120)
        finally:
            self.process.kill()
            for helper in helpers:
                helper.join()
        self.errors = errors[0].decode()
        check_discretion(self.errors)

    def feed(self):
        contents = self.shape.contents
        try:
            for first in range(0, len(contents), 997):
                text = "".join(line(content) + "\n" for content in contents[first : first + 997])
                self.process.stdin.write(text.encode())
                if self.shape.feeds_slowly and first % 5 == 0:
                    self.process.stdin.flush()
                    time.sleep(0.003)
            self.process.stdin.close()
        except OSError:
            pass

    def read(self):
        for number, text in enumerate(self.process.stdout):
            self.lines.append(text)
            if self.shape.reads_slowly and number % 500 == 0:
                time.sleep(0.002)
            if self.is_cut and number >= self.shape.count // 3:
                break
        self.process.stdout.close()

    @property
    def responses(self):
        return [json.loads(text) for text in self.lines]


def check(run, shape, counts, taken_before, is_ended_early):
    """One true answer for each line that was read, and no message twice."""
    assert counts["Repeats"] == 0, "a message was taken twice"
    assert run.status >= 0, f"ended by signal {-run.status}"
    responses = run.responses
    outcomes = Counter(response["Outcome"] for response in responses)
    if run.is_cut:
        assert run.status in (0, 1, 3, 141), run.status
        return
    summary = json.loads(run.errors.splitlines()[-1])
    assert summary["Messages"] == len(responses)
    told = {name: summary[name.capitalize()] for name in outcomes}
    assert told == dict(outcomes)
    if is_ended_early:
        assert run.status in (0, 1, 3, 143), run.status
    else:
        assert run.status in (0, 1, 3), run.status
        assert len(responses) == shape.count
    if "--no-echo" not in shape.options:
        numbers = [response["PhoneNumber"] for response in responses]
        given = [content["PhoneNumber"] for content in shape.contents[: len(responses)]]
        assert numbers == given if shape.order == "input" else Counter(numbers) == Counter(given)
        for response in responses:
            assert (response["Outcome"] == "invalid") == (response["PhoneNumber"] == "no number")
    replayed = summary["Replayed"]
    taken = counts["Messages"] - taken_before
    assert outcomes["accepted"] - replayed <= taken <= outcomes["accepted"] + outcomes["unknown"]


def test_a_run_answers_every_line_truly(smspipe, tmp_path, seed):
    choose = random.Random(seed)
    simulator = Simulator(choose, smspipe)
    shape = Shape(choose, tmp_path)
    print(f"seed {seed}: {shape}; simulator {' '.join(simulator.options)}")
    first = Run(smspipe, simulator, shape, choose, shape.end)
    counts = simulator.counts()
    check(first, shape, counts, 0, shape.end == "TERM")
    if shape.has_journal:
        # The same command again sends what has not left, and says the same of all else.
        again = Run(smspipe, simulator, shape, choose, None)
        check(again, shape, simulator.counts(), counts["Messages"], False)
        if shape.order == "input":
            settled = {"accepted", "rejected", "unknown"}
            for before, after in zip(first.lines, again.lines):
                response = json.loads(before)
                if response["Outcome"] == "accepted":
                    assert before == after
                elif response["Outcome"] == "unknown":
                    assert json.loads(after)["Outcome"] in settled
    simulator.end()
