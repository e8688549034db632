"""Messages through the whole program as fast as they go."""

from bench import row
from measure import cpu, interleave, memory, per_message, per_second, run, wall
from table import part, ratio

# The goals are a million messages a second, and 800,000 over https, where jq does 150,000 lines a second.
GOALS = {"http": (9, 1_000_000 / 150_000), "https": (7, 800_000 / 150_000)}


@row
def throughput(bench):
    """Over http and https, beside jq on the same input."""
    path, count = bench.input(), bench.count
    measures = interleave(
        {
            "jq": lambda: run(["jq", "-c", "."], stdin=path),
            "http": lambda: bench.smspipe(stdin=path, expect=count),
            "https": lambda: bench.smspipe(endpoint=bench.sink.https, stdin=path, expect=count),
        },
        bench.repetitions,
    )
    jq = measures["jq"]
    for scheme, (times_cheaper, times_faster) in GOALS.items():
        ours = measures[scheme]
        compared = part(cpu(jq), cpu(ours))
        bench.table.add(
            f"CPU per message, {scheme}, against `jq -c .`",
            per_message(jq, count),
            per_message(ours, count),
            compared,
            f"at most 1/{times_cheaper}",
            compared.median >= times_cheaper,
        )
        compared = ratio(wall(jq), wall(ours))
        bench.table.add(
            f"messages per second, {scheme}, against `jq -c .`",
            per_second(jq, count),
            per_second(ours, count),
            compared,
            f"at least {times_faster:.3g}",
            compared.median >= times_faster,
        )
        bench.table.add(f"peak memory, {scheme}, 64 connections", memory(jq), memory(ours))


@row
def signatures(bench):
    """The old signature, which covers every parameter once more."""
    path, count = bench.input(), bench.count
    measures = interleave(
        {v: lambda v=v: bench.smspipe("--signature", v, stdin=path, expect=count) for v in ("v3", "v1")},
        bench.repetitions,
    )
    v1, v3 = measures["v1"], measures["v3"]
    compared = ratio(cpu(v1), cpu(v3))
    bench.table.add(
        "CPU per message, signature V1 against V3",
        per_message(v3, count),
        per_message(v1, count),
        compared,
        "at most 1.5",
        compared.median <= 1.5,
    )
