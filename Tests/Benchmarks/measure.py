"""Runs commands side by side: wall time, processor time and peak memory, repeated and interleaved."""

import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass


@dataclass
class Measure:
    seconds: float
    cpu: float
    mebibytes: float
    output: bytes
    errors: bytes


def run(arguments, stdin=None, env=None, statuses=(0,), keep_output=False):
    """One run to the end. GNU time reports the peak memory: a child of its own small process has none of ours."""
    with (
        tempfile.NamedTemporaryFile() as memory,
        tempfile.TemporaryFile() as errors,
        tempfile.TemporaryFile() as output,
    ):
        source = open(stdin, "rb") if isinstance(stdin, (str, os.PathLike)) else subprocess.DEVNULL
        began = time.monotonic()
        process = subprocess.Popen(
            ["/usr/bin/time", "-q", "-f", "%M", "-o", memory.name, *map(str, arguments)],
            stdin=source,
            stdout=output if keep_output else subprocess.DEVNULL,
            stderr=errors,
            env=os.environ | {name: str(value) for name, value in (env or {}).items()},
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if source is not subprocess.DEVNULL:
            source.close()
        for file in (errors, output):
            file.seek(0)
        said = errors.read()
        if process.returncode not in statuses:
            raise SystemExit(f"{arguments[0]} ended with {process.returncode}: {said.decode(errors='replace')[-2000:]}")
        kibibytes = int(memory.read().split()[-1])
        return Measure(seconds, usage.ru_utime + usage.ru_stime, kibibytes / 1024, output.read(), said)


def interleave(contenders, repetitions):
    """Runs each of the named functions in turn, so often; the measures of each, in the order of the turns."""
    measures = {name: [] for name in contenders}
    for _ in range(repetitions):
        for name, contender in contenders.items():
            measures[name].append(contender())
    return measures


@dataclass
class Figure:
    """A number with its unit: the median of all repetitions, and the range."""

    values: list
    unit: str = ""

    def __str__(self):
        middle, low, high = statistics.median(self.values), min(self.values), max(self.values)
        if low == high:
            return f"{short(middle)}{self.unit}"
        return f"{short(middle)}{self.unit} ({short(low)}–{short(high)})"


def short(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def ratio(ours, theirs):
    """Of each repetition, since neighbours in time are comparable."""
    return Figure([a / b for a, b in zip(ours, theirs)])
