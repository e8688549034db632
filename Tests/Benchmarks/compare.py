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
from measure import Figure, interleave, ratio, run, short
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

    def report(self, what, peer, ours, compared):
        """One line of the table, printed at once."""
        print(f"| {what} | {peer} | {ours} | {compared} |", flush=True)


def per_message(measures, count):
    return Figure([m.cpu * 1e6 / count for m in measures], " µs")


def per_second(measures, count):
    return Figure([count / m.seconds for m in measures], "/s")


def part(theirs, ours):
    """How small a part ours is of theirs."""
    return f"1/{ratio(theirs, ours)}"


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
    for scheme in ("http", "https"):
        ours = measures[f"smspipe, {scheme}"]
        bench.report(
            f"CPU per message, {scheme}, against `jq -c .`",
            per_message(jq, count),
            per_message(ours, count),
            part(cpu(jq), cpu(ours)),
        )
        bench.report(
            f"messages per second, {scheme}, against `jq -c .`",
            per_second(jq, count),
            per_second(ours, count),
            ratio(wall(jq), wall(ours)),
        )
        bench.report(f"peak memory, {scheme}", memory(jq), memory(ours), "")


@row
def signatures(bench):
    path, count = bench.input(), bench.count
    measures = interleave(
        {v: lambda v=v: bench.smspipe("--signature", v, stdin=path, expect=count) for v in ("v3", "v1")},
        bench.repetitions,
    )
    v1, v3 = measures["v1"], measures["v3"]
    bench.report(
        "CPU per message, signature V1 against V3",
        per_message(v3, count),
        per_message(v1, count),
        ratio(cpu(v1), cpu(v3)),
    )


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
            f"CPU per message, {count:,} messages, against the official Python SDK (async)",
            per_message(sdk, count),
            per_message(ours, count),
            part(cpu(sdk), cpu(ours)),
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
        "CPU per message against a Python loop of orjson that sends nothing",
        per_message(theirs, count),
        per_message(ours, count),
        part(cpu(theirs), cpu(ours)),
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
            f"requests per second, {scheme}, against `wrk -t1 -c8` with one prebuilt body",
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
        "wall time against `curl --parallel` with prebuilt, unsigned bodies",
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
        bench.report(f"peak memory, {count:,} messages, 8 connections", "", memory(found), "")
    small, large = measures[100_000], measures[10_000_000]
    grown = Figure([a.mebibytes / b.mebibytes for a, b in zip(large, small)])
    bench.report("peak memory, 10,000,000 messages against 100,000", memory(small), memory(large), grown)
    cost = Figure([a.cpu / b.cpu / 100 for a, b in zip(large, small)])
    figures = per_message(small, 100_000), per_message(large, 10_000_000)
    bench.report("CPU per message, 10,000,000 messages against 100,000", *figures, cost)


@row
def templates(bench):
    """A window that holds a full batch of each."""
    few, many, count = bench.input(), bench.input(templates=1000), bench.count
    measures = interleave(
        {
            "8": lambda: bench.smspipe("--window", 200_000, stdin=few, expect=count),
            "1000": lambda: bench.smspipe("--window", 200_000, stdin=many, expect=count),
        },
        bench.repetitions,
    )
    few, many = measures["8"], measures["1000"]
    bench.report(
        "CPU per message, 1,000 templates at random against 8",
        per_message(few, count),
        per_message(many, count),
        ratio(cpu(many), cpu(few)),
    )
    bench.report("peak memory, 1,000 templates against 8", memory(few), memory(many), "")


@row
def latency(bench):
    """A gateway that takes 50 ms for each answer."""
    if not bench.sink.slow:
        return bench.report("latency", "needs nginx with its echo module", "", "")
    for connections, count in ((32, 200_000), (512, 1_000_000)):
        path, ideal = bench.input(count), count / 100 / connections * DELAY
        options = ["--concurrency", connections, "--window", 400 * connections]
        measures = interleave(
            {"smspipe": lambda: bench.smspipe(*options, endpoint=bench.sink.slow, stdin=path, expect=count)},
            bench.repetitions,
        )
        seconds = wall(measures["smspipe"])
        bench.report(
            f"wall time, 50 ms latency, {connections} connections, against requests / connections × 50 ms",
            f"{short(ideal)} s",
            Figure(seconds, " s"),
            Figure([each / ideal for each in seconds]),
        )


@row
def journal(bench):
    """With a journal on this machine's disk against without, 64 requests at once."""
    path, count = bench.input(), bench.count
    file = bench.folder / "journal"
    summaries = []

    def with_journal(endpoint):
        file.unlink(missing_ok=True)
        options = ["--journal", file, "--concurrency", "64"]
        measure = bench.smspipe(*options, endpoint=endpoint, stdin=path, expect=count)
        summaries.append(json.loads(measure.errors))
        return measure

    gateways = [("50 ms latency", bench.sink.slow)] if bench.sink.slow else []
    for name, endpoint in [*gateways, ("no latency", bench.sink.http)]:
        summaries.clear()
        measures = interleave(
            {
                "without": lambda: bench.smspipe("--concurrency", "64", endpoint=endpoint, stdin=path, expect=count),
                "with": lambda: with_journal(endpoint),
            },
            bench.repetitions,
        )
        syncs = Figure([1000 * each["Syncs"] / each["Requests"] for each in summaries])
        bench.report(
            f"--journal, {count:,} messages, {name}",
            per_second(measures["without"], count),
            per_second(measures["with"], count),
            f"{ratio(wall(measures['without']), wall(measures['with']))} of the throughput, "
            f"{syncs} syncs per 1,000 requests, {file.stat().st_size / count:.0f} bytes a message",
        )
    again = [
        bench.smspipe("--journal", file, endpoint=endpoint, stdin=path, expect=count) for _ in range(bench.repetitions)
    ]
    bench.report(f"{count:,} replayed messages", "", Figure(wall(again), " s"), memory(again))


@row
def lock_step(bench):
    """One line, one answer, two thousand times: what smspipe adds to the bare round trip."""
    bare, ours = [], []
    for _ in range(bench.repetitions):
        bare.append(lockstep.round_trips(bench.sink.port, body(bench.input(1_000)), 2000))
        command = [bench.binary, "--linger", "0", "--endpoint", bench.sink.http]
        ours.append(lockstep.lines(command, KEYS, bench.input(10_000), 2000))
    bench.report(
        "a lone line in lock-step, `--linger 0`, median, against the bare round trip",
        Figure([each * 1e6 for each in bare], " µs"),
        Figure([each * 1e6 for each in ours], " µs"),
        Figure([(a - b) * 1e6 for a, b in zip(ours, bare)], " µs more"),
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
        "start-up against `jq -n 1`",
        Figure([each * 20 for each in wall(measures["jq"])], " ms"),
        Figure([each * 20 for each in wall(measures["smspipe"])], " ms"),
        ratio(wall(measures["smspipe"]), wall(measures["jq"])),
    )


@row
def size(bench):
    copy = bench.folder / "stripped"
    shutil.copy(bench.binary, copy)
    subprocess.run(["strip", copy], check=True)
    bench.report("binary, stripped, Swift runtime inside", "", f"{copy.stat().st_size / 2**20:.1f} MiB", "")


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
        (folder / "sink").mkdir()
        sink = Sink(folder / "sink")
        try:
            bench = Bench(options, folder, sink)
            print(f"{machine()}\nseed {options.seed}, {options.repeat} repetitions, median (range)\n")
            print("| | peer | smspipe | ratio |\n| --- | --- | --- | --- |", flush=True)
            for each in names:
                ROWS[each](bench)
        finally:
            sink.stop()


if __name__ == "__main__":
    main()
