#!/usr/bin/env python3
"""The whole program against its peers on the same input and the same sink, in one run on one machine.

Without options: messages per second and processor time over http and https, beside `jq -c .`. `--all` adds every other
row, `--rows NAME,NAME` chooses. Each figure is the median of the repetitions with its range; ratios are taken within a
repetition.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
from pathlib import Path

import generate
import lockstep
from measure import Figure, interleave, ratio, run
from sink import DELAY, Sink

KEYS = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "testid", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "testsecret"}
HERE = Path(__file__).resolve().parent
ROWS = {}


def row(function):
    """Makes a function a row of the table; its name, with dashes, chooses it."""
    ROWS[function.__name__.replace("_", "-")] = function
    return function


class Bench:
    def __init__(self, options, folder, sink):
        self.binary, self.count, self.repetitions = options.binary.resolve(), options.messages, options.repeat
        self.seed, self.folder, self.sink = options.seed, folder, sink
        self.lines = []

    def input(self, count=None, templates=8):
        count = count or self.count
        path = self.folder / f"{count}-{templates}.jsonl"
        if not path.exists():
            with path.open("wb") as file:
                file.writelines(generate.messages(count, templates, self.seed))
        return path

    def smspipe(self, *options, endpoint=None, stdin=None, expect=None, **environment):
        """One run; with `expect`, the summary must count so many accepted messages."""
        endpoint = endpoint or self.sink.http
        options = ["--endpoint", endpoint, "--summary", *options]
        if endpoint.startswith("https"):
            options += ["--ca-file", self.sink.authority]
        measure = run([self.binary, *options], stdin=stdin, env=KEYS | environment)
        if expect is not None:
            summary = {name.lower(): value for name, value in json.loads(measure.errors).items()}
            if summary["accepted"] != expect:
                raise SystemExit(f"not all were accepted: {summary}")
        return measure

    def report(self, what, *columns):
        """One line of the table, printed at once."""
        print(f"| {what} | " + " | ".join(map(str, columns)) + " |", flush=True)


def per_message(measures, count):
    return Figure([m.cpu * 1e6 / count for m in measures], " µs")


def per_second(measures, count):
    return Figure([count / m.seconds for m in measures], "/s")


def memory(measures):
    return Figure([m.mebibytes for m in measures], " MiB")


def cpu(measures):
    return [m.cpu for m in measures]


def wall(measures):
    return [m.seconds for m in measures]


@row
def throughput(bench):
    """Over http and https, beside jq on the same input."""
    path, count = bench.input(), bench.count
    measures = interleave(
        {
            "jq -c .": lambda: run(["jq", "-c", "."], stdin=path),
            "smspipe, http": lambda: bench.smspipe(stdin=path, expect=count),
            "smspipe, https": lambda: bench.smspipe(endpoint=bench.sink.https, stdin=path, expect=count),
        },
        bench.repetitions,
    )
    jq = measures["jq -c ."]
    for name, found in measures.items():
        parts = [per_second(found, count), per_message(found, count), memory(found)]
        if found is not jq:
            parts.append(f"1/{ratio(cpu(jq), cpu(found))} of jq's CPU, {ratio(wall(jq), wall(found))} times as fast")
        bench.report(f"{name}, {count:,} messages", *parts)


@row
def signatures(bench):
    path, count = bench.input(), bench.count
    measures = interleave(
        {v: lambda v=v: bench.smspipe("--signature", v, stdin=path, expect=count) for v in ("v3", "v1")},
        bench.repetitions,
    )
    bench.report("signature V1 against V3, CPU", ratio(cpu(measures["v1"]), cpu(measures["v3"])))


@row
def python_sdk(bench):
    """The official SDK in its best mode (async), start-up included."""
    python = environment(bench, "alibabacloud-dysmsapi20170525", "orjson")
    for count in (1_000, 100_000):
        path = bench.input(count)
        peer = [python, HERE / "peers" / "sdk.py", bench.sink.http.removeprefix("http://")]
        measures = interleave(
            {
                "SDK": lambda: run(peer, stdin=path, env=KEYS),
                "smspipe": lambda: bench.smspipe(stdin=path, expect=count),
            },
            bench.repetitions,
        )
        sdk, ours = measures["SDK"], measures["smspipe"]
        bench.report(
            f"official Python SDK, async, {count:,} messages",
            per_message(sdk, count),
            per_message(ours, count),
            f"CPU 1/{ratio(cpu(sdk), cpu(ours))}, wall 1/{ratio(wall(sdk), wall(ours))}",
        )


@row
def orjson(bench):
    """A Python loop that parses and prints each line, and sends nothing."""
    python = environment(bench, "alibabacloud-dysmsapi20170525", "orjson")
    path, count = bench.input(), bench.count
    measures = interleave(
        {
            "orjson": lambda: run([python, HERE / "peers" / "orjson_loop.py"], stdin=path),
            "smspipe": lambda: bench.smspipe(stdin=path, expect=count),
        },
        bench.repetitions,
    )
    theirs, ours = measures["orjson"], measures["smspipe"]
    bench.report(
        "Python loop of orjson, no sending", per_message(theirs, count), f"CPU 1/{ratio(cpu(theirs), cpu(ours))}"
    )


@row
def wrk(bench):
    """A load generator that posts one prebuilt body of the same size again and again."""
    path, count = bench.input(), bench.count
    script = bench.folder / "post.lua"
    script.write_text(
        'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/x-www-form-urlencoded"\n'
        f"wrk.body = {json.dumps(body(path).decode())}\n"
    )

    def load(endpoint):
        text = run(["wrk", "-t1", "-c8", "-d5s", "-s", script, endpoint], keep_output=True).output.decode()
        return float(text.split("Requests/sec:")[1].split()[0])

    for scheme in ("http", "https"):
        endpoint = getattr(bench.sink, scheme)
        theirs, ours = [], []
        for _ in range(bench.repetitions):
            theirs.append(load(endpoint))
            ours.append(count / 100 / bench.smspipe(endpoint=endpoint, stdin=path, expect=count).seconds)
        bench.report(
            f"requests, {scheme}, against wrk -t1 -c8 with one prebuilt body",
            Figure(theirs, "/s"),
            Figure(ours, "/s"),
            Figure([100 * a / b for a, b in zip(ours, theirs)], "%"),
        )


@row
def curl(bench):
    """curl --parallel with prebuilt, unsigned bodies."""
    path, count = bench.input(), bench.count
    data = bench.folder / "body"
    data.write_bytes(body(path))
    peer = ["curl", "-sZ", "--parallel-max", "8", "-o", "/dev/null", "--data-binary", f"@{data}"]
    peer.append(f"{bench.sink.http}/?[1-{count // 100}]")
    measures = interleave(
        {"curl": lambda: run(peer), "smspipe": lambda: bench.smspipe(stdin=path, expect=count)}, bench.repetitions
    )
    bench.report(
        "wall time against curl --parallel with prebuilt, unsigned bodies",
        Figure(wall(measures["curl"]), " s"),
        Figure(wall(measures["smspipe"]), " s"),
        ratio(wall(measures["smspipe"]), wall(measures["curl"])),
    )


@row
def scale(bench):
    """Memory and cost per message from a thousand to ten million messages, eight connections."""
    million = bench.input(1_000_000)
    sizes = {
        1_000: [bench.input(1_000)],
        100_000: [bench.input(100_000)],
        1_000_000: [million],
        10_000_000: [million] * 10,
    }
    measures = interleave(
        {
            count: lambda files=files, count=count: bench.smspipe("--concurrency", "8", *files, expect=count)
            for count, files in sizes.items()
        },
        bench.repetitions,
    )
    for count, found in measures.items():
        bench.report(f"{count:,} messages, 8 connections", memory(found), per_message(found, count))
    small, large = measures[100_000], measures[10_000_000]
    grown = [a.mebibytes / b.mebibytes for a, b in zip(large, small)]
    cost = [a.cpu / b.cpu / 100 for a, b in zip(large, small)]
    bench.report("10,000,000 against 100,000 messages", f"memory {Figure(grown)}", f"CPU per message {Figure(cost)}")


@row
def templates(bench):
    few, many, count = bench.input(), bench.input(templates=1000), bench.count
    measures = interleave(
        {
            "8": lambda: bench.smspipe(stdin=few, expect=count),
            "1000": lambda: bench.smspipe(stdin=many, expect=count),
        },
        bench.repetitions,
    )
    bench.report(
        "1,000 templates at random against 8, CPU",
        ratio(cpu(measures["1000"]), cpu(measures["8"])),
        memory(measures["1000"]),
    )


@row
def latency(bench):
    """A gateway that takes 50 ms for each answer."""
    if not bench.sink.slow:
        return bench.report("latency", "needs the echo module of nginx (libnginx-mod-http-echo)")
    for connections, count in ((32, 200_000), (512, 1_000_000)):
        path, ideal = bench.input(count), count / 100 / connections * DELAY
        options = ["--concurrency", connections, "--window", 400 * connections]
        measures = interleave(
            {"smspipe": lambda: bench.smspipe(*options, endpoint=bench.sink.slow, stdin=path, expect=count)},
            bench.repetitions,
        )
        seconds = wall(measures["smspipe"])
        bench.report(
            f"50 ms latency, {connections} connections, {count:,} messages",
            Figure(seconds, " s"),
            f"{Figure([each / ideal for each in seconds])} of requests / connections × 50 ms",
        )


@row
def lock_step(bench):
    """One line, one answer, two thousand times: what smspipe adds to the bare round trip."""
    bare, ours = [], []
    for _ in range(bench.repetitions):
        bare.append(lockstep.round_trips(bench.sink.port, body(bench.input(1_000)), 2000))
        command = [bench.binary, "--linger", "0", "--endpoint", bench.sink.http]
        ours.append(lockstep.lines(command, KEYS, bench.input(10_000), 2000))
    bench.report(
        "a lone line in lock-step, --linger 0, median",
        Figure([each * 1e6 for each in ours], " µs"),
        f"bare round trip {Figure([each * 1e6 for each in bare], ' µs')}",
        f"{Figure([(a - b) * 1e3 for a, b in zip(ours, bare)], ' ms')} above it",
    )


@row
def start_up(bench):
    """Fifty starts in a row, without input."""
    loop = 'for _ in $(seq 50); do "$@" > /dev/null < /dev/null; done'
    measures = interleave(
        {
            "jq": lambda: run(["sh", "-c", loop, "sh", "jq", "-n", "1"]),
            "smspipe": lambda: run(["sh", "-c", loop, "sh", bench.binary, "--endpoint", bench.sink.http], env=KEYS),
        },
        bench.repetitions,
    )
    bench.report(
        "start-up against jq -n 1",
        Figure([each * 20 for each in wall(measures["jq"])], " ms"),
        Figure([each * 20 for each in wall(measures["smspipe"])], " ms"),
        ratio(wall(measures["smspipe"]), wall(measures["jq"])),
    )


@row
def size(bench):
    copy = bench.folder / "stripped"
    shutil.copy(bench.binary, copy)
    subprocess.run(["strip", copy], check=True)
    bench.report("binary, stripped", f"{copy.stat().st_size / 2**20:.1f} MiB")


def body(path):
    """What one hundred messages look like on the wire."""
    with path.open("rb") as file:
        contents = [json.loads(next(file)) for _ in range(100)]
    arrays = {
        "PhoneNumberJson": [c["PhoneNumber"] for c in contents],
        "SignNameJson": [c["SignName"] for c in contents],
        "TemplateParamJson": [c["TemplateParam"] for c in contents],
    }
    texts = {name: json.dumps(a, ensure_ascii=False, separators=(",", ":")) for name, a in arrays.items()}
    return urllib.parse.urlencode(texts, quote_via=urllib.parse.quote).encode()


def environment(bench, *packages):
    """The Python of a virtual environment with these packages from PyPI."""
    folder = bench.folder / "venv"
    if not folder.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin/pip", "install", "-q", *packages], check=True, stdout=sys.stderr)
    return folder / "bin/python"


def machine():
    model = next((t.split(": ")[1] for t in open("/proc/cpuinfo") if t.startswith("model name")), platform.machine())
    total = int(open("/proc/meminfo").readline().split()[1]) / 2**20
    versions = [
        subprocess.run(command, capture_output=True, text=True, shell=True).stdout.strip()
        for command in ("jq --version", "/usr/sbin/nginx -v 2>&1", ". /etc/os-release; echo $PRETTY_NAME")
    ]
    processors = len(os.sched_getaffinity(0))
    return f"{processors} × {model.strip()}, {total:.0f} GiB, Linux {platform.release()}; " + ", ".join(versions)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--all", action="store_true", help="every row")
    parser.add_argument("--rows", default="throughput", help=", ".join(ROWS))
    options = parser.parse_args()
    names = list(ROWS) if options.all else options.rows.split(",")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sink = Sink(folder)
        try:
            bench = Bench(options, folder, sink)
            print(f"{machine()}\nseed {options.seed}, {options.repeat} repetitions, median (range)\n", flush=True)
            for each in names:
                ROWS[each](bench)
        finally:
            sink.stop()


if __name__ == "__main__":
    main()
