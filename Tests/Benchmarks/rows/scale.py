"""What grows with the input, and what must not."""

import subprocess
import sys

from bench import row
from measure import cpu, interleave, memory, per_message
from table import Figure, ratio

# Reads some 13 MB a second.
SLOW_READER = "import os, time\nwhile os.read(0, 65536): time.sleep(0.005)"


@row
def scale(bench):
    """Memory and cost per message from a thousand to ten million messages, eight connections."""
    million = bench.input(1_000_000)
    sizes = {1_000: [bench.input(1_000)], 100_000: [bench.input(100_000)], 1_000_000: [million]}
    sizes[10_000_000] = [million] * 10
    measures = interleave(
        {
            count: lambda files=files, count=count: bench.smspipe("--concurrency", "8", *files, expect=count)
            for count, files in sizes.items()
        },
        bench.repetitions,
    )
    for count, found in measures.items():
        add_memory(bench, f"{count:,} messages", found)
    small, large = measures[100_000], measures[10_000_000]
    grown = Figure([a.mebibytes / b.mebibytes for a, b in zip(large, small)])
    bench.table.add(
        "peak memory, 10,000,000 messages against 100,000",
        memory(small),
        memory(large),
        grown,
        "at most 1.02",
        grown.median <= 1.02,
    )
    cost = Figure([a.cpu / b.cpu / 100 for a, b in zip(large, small)])
    bench.table.add(
        "CPU per message, 10,000,000 messages against 100,000",
        per_message(small, 100_000),
        per_message(large, 10_000_000),
        cost,
        "at most 1",
        cost.median <= 1,
    )


@row
def patience(bench):
    """Memory where the gateway or the reader of the output is slow, and where the input comes in small pieces."""
    count = 100_000
    path = bench.input(count)

    def slow_reader():
        with subprocess.Popen([sys.executable, "-c", SLOW_READER], stdin=subprocess.PIPE) as reader:
            return bench.smspipe("--concurrency", "8", stdin=path, expect=count, into=reader.stdin)

    def through_pipe():
        with subprocess.Popen(["cat", bench.input()], stdout=subprocess.PIPE) as source:
            return bench.smspipe("--concurrency", "8", stdin=source.stdout, expect=bench.count)

    contenders = {f"{count:,} messages, a slow reader of the output": slow_reader}
    contenders[f"{bench.count:,} messages, through a pipe"] = through_pipe
    if bench.sink.slow:
        contenders[f"{count:,} messages, a gateway that takes 50 ms"] = lambda: bench.smspipe(
            "--concurrency", "8", endpoint=bench.sink.slow, stdin=path, expect=count
        )
    for what, found in interleave(contenders, bench.repetitions).items():
        add_memory(bench, what, found)


def add_memory(bench, what, found):
    figure = memory(found)
    bench.table.add(f"peak memory, 8 connections, {what}", "", figure, "", "at most 32 MiB", figure.median <= 32)


@row
def templates(bench):
    """With the usual window, which widens until batches fill, and for comparison with one that is told and stays narrow."""
    few, many, count = bench.input(), bench.input(templates=1000), bench.count
    for options in ([], ["--window", "20000"]):
        measures = interleave(
            {
                "8": lambda: bench.smspipe(*options, stdin=few, expect=count),
                "1000": lambda: bench.smspipe(*options, stdin=many, expect=count),
            },
            bench.repetitions,
        )
        theirs, ours = measures["8"], measures["1000"]
        compared = ratio(cpu(ours), cpu(theirs))
        how = f"`{' '.join(options)}`" if options else "default options"
        what = f"1,000 templates at random against 8, {how}"
        figures = per_message(theirs, count), per_message(ours, count)
        goal = () if options else ("at most 1.2", compared.median <= 1.2)
        bench.table.add(f"CPU per message, {what}", *figures, compared, *goal)
        bench.table.add(f"peak memory, {what}", memory(theirs), memory(ours))
