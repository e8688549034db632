"""What it costs to be safe against a crash."""

import json

from bench import row
from measure import interleave, memory, per_second, wall
from table import Figure, ratio


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
        compared = ratio(wall(measures["without"]), wall(measures["with"]))
        bench.table.add(
            f"messages per second with `--journal` against without, {name}; {syncs} syncs per 1,000 requests, "
            f"{file.stat().st_size / count:.0f} bytes a message",
            per_second(measures["without"], count),
            per_second(measures["with"], count),
            compared,
            "at least 0.9",
            compared.median >= 0.9,
        )
    again = [
        bench.smspipe("--journal", file, endpoint=endpoint, stdin=path, expect=count) for _ in range(bench.repetitions)
    ]
    bench.table.add(f"{count:,} messages answered again from the journal", "", Figure(wall(again), " s"), memory(again))
