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

    def run(endpoint, *options):
        options = ["--concurrency", "64", *options]
        return bench.smspipe(*options, endpoint=endpoint, stdin=path, expect=count)

    def run_with_journal(endpoint, *options):
        file.unlink(missing_ok=True)
        measure = run(endpoint, "--journal", file, *options)
        summaries.append(json.loads(measure.errors))
        return measure

    gateways = [("50 ms latency", bench.sink.slow, []), ("5 ms latency", bench.sink.near, [])]
    gateways = [gateway for gateway in gateways if gateway[1]]
    # 5,000 requests a second are all that the service takes from an account.
    gateways.append(("the service's quota (`--rate 500000/s`)", bench.sink.http, ["--rate", "500000/s"]))
    gateways.append(("no latency and no quota", bench.sink.http, []))
    for name, endpoint, options in gateways:
        summaries.clear()
        measures = interleave(
            {"without": lambda: run(endpoint, *options), "with": lambda: run_with_journal(endpoint, *options)},
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
    again = [run(bench.sink.http, "--journal", file) for _ in range(bench.repetitions)]
    bench.table.add(f"{count:,} messages answered again from the journal", "", Figure(wall(again), " s"), memory(again))
