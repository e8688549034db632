"""Where time is spent waiting."""

import lockstep
from bench import KEYS, row
from measure import interleave, wall
from sink import DELAY
from table import Figure, short


@row
def latency(bench):
    """A gateway that takes 50 ms for each answer, against the time that the answers alone must take.

    Where the same run takes longer than that without any latency, the processor is the limit.
    """
    if not bench.sink.slow:
        return bench.table.add("latency: needs nginx with its echo module")
    for connections, count, goal in ((32, 200_000, 1.08), (512, 1_000_000, 1.15)):
        path, ideal = bench.input(count), count / 100 / connections * DELAY
        options = ["--concurrency", connections, "--window", 400 * connections]
        measures = interleave(
            {
                "at once": lambda: bench.smspipe(*options, stdin=path, expect=count),
                "late": lambda: bench.smspipe(*options, endpoint=bench.sink.slow, stdin=path, expect=count),
            },
            bench.repetitions,
        )
        at_once, late = wall(measures["at once"]), wall(measures["late"])
        what = f"wall time, 50 ms latency, {connections} connections, against requests / connections × 50 ms"
        compared = Figure([each / ideal for each in late])
        bench.table.add(
            what, f"{short(ideal)} s", Figure(late, " s"), compared, f"at most {goal}", compared.median <= goal
        )
        if min(at_once) > ideal:
            compared = Figure([a / b for a, b in zip(late, at_once)])
            bench.table.add(
                "the same against the time without latency, the processor's limit",
                Figure(at_once, " s"),
                Figure(late, " s"),
                compared,
                f"at most {goal}",
                compared.median <= goal,
            )


@row
def lock_step(bench):
    """One line, one answer, two thousand times: what smspipe adds to the bare round trip."""
    command = [bench.binary, "--linger", "0", "--endpoint", bench.sink.http]
    measures = interleave(
        {
            "bare": lambda: lockstep.round_trips(bench.sink.port, next(bench.bodies()), 2000),
            "smspipe": lambda: lockstep.lines(command, KEYS, bench.input(10_000), 2000),
        },
        bench.repetitions,
    )
    bare, ours = measures["bare"], measures["smspipe"]
    compared = Figure([(a - b) * 1000 for a, b in zip(ours, bare)], " ms more")
    bench.table.add(
        "a lone line in lock-step, `--linger 0`, median, against the bare round trip",
        Figure([each * 1000 for each in bare], " ms"),
        Figure([each * 1000 for each in ours], " ms"),
        compared,
        "at most 1 ms more",
        compared.median <= 1,
    )
