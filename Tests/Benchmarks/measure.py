"""Runs commands side by side: wall time, processor time and peak memory, repeated and interleaved."""

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass

from table import Figure


@dataclass
class Measure:
    seconds: float
    cpu: float
    mebibytes: float
    output: bytes
    errors: bytes


def run(arguments, stdin=None, env=None, statuses=(0,), keep_output=False, into=None):
    """One run to the end on a file, or another's output; its own is thrown away unless kept, or goes `into` another.

    GNU time reports the peak memory: a child of its own small process has none of ours.
    """
    with (
        tempfile.NamedTemporaryFile() as memory,
        tempfile.TemporaryFile() as errors,
        tempfile.TemporaryFile() as output,
    ):
        source = open(stdin, "rb") if isinstance(stdin, (str, os.PathLike)) else stdin or subprocess.DEVNULL
        began = time.monotonic()
        process = subprocess.Popen(
            ["/usr/bin/time", "-q", "-f", "%M", "-o", memory.name, *map(str, arguments)],
            stdin=source,
            stdout=into or (output if keep_output else subprocess.DEVNULL),
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


def start(arguments, env):
    """The seconds from the start of a process without input or output to its end."""
    actions = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_RDWR, 0) for descriptor in (0, 1)]
    arguments = list(map(str, arguments))
    began = time.perf_counter()
    child = os.posix_spawnp(arguments[0], arguments, os.environ | env, file_actions=actions)
    _, status = os.waitpid(child, 0)
    seconds = time.perf_counter() - began
    if status != 0:
        raise SystemExit(f"{arguments[0]} ended with {os.waitstatus_to_exitcode(status)}")
    return seconds


def interleave(contenders, repetitions):
    """Runs each of the named functions in turn, so often; the measures of each, in the order of the turns."""
    measures = {name: [] for name in contenders}
    for _ in range(repetitions):
        for name, contender in contenders.items():
            measures[name].append(contender())
    return measures


def cpu(measures):
    return [each.cpu for each in measures]


def wall(measures):
    return [each.seconds for each in measures]


def per_message(measures, count):
    return Figure([each.cpu * 1e6 / count for each in measures], " µs")


def per_second(measures, count):
    return Figure([count / each.seconds for each in measures], "/s")


def memory(measures):
    return Figure([each.mebibytes for each in measures], " MiB")
