"""What the whole program allocates once it runs evenly."""

import json
import subprocess

from bench import KEYS, row
from measure import run

MESSAGES = (40_000, 160_000)


@row
def allocations(bench):
    """Counted by valgrind, which does not understand the debugging information."""
    binary = bench.folder / "undebugged"
    subprocess.run(["strip", "--strip-debug", "-o", binary, bench.binary], check=True)
    for scheme in ("http", "https"):
        # What the start and the growing of tables allocate is in both runs, so it is not in their difference.
        grown = {}
        for size in (100, 50):
            small, large = (count(bench, binary, scheme, size, messages) for messages in MESSAGES)
            grown[size] = [large[each] - small[each] for each in (0, 1)]
        # Batches of half the size tell what is allocated for a request from what is for a message.
        per_request = (grown[50][0] - grown[100][0]) / (grown[50][1] - grown[100][1])
        per_message = (grown[100][0] - per_request * grown[100][1]) / (MESSAGES[1] - MESSAGES[0])
        ours = f"{abs(per_message):.2f} a message, {per_request:.1f} a request"
        bench.table.add(f"allocations in the steady state, {scheme}, 100 messages a request", "", ours)


def count(bench, binary, scheme, batch_size, messages):
    """How many allocations a run makes, and how many requests."""
    profile = bench.folder / "allocations"
    tool = ["valgrind", "--tool=dhat", f"--dhat-out-file={profile}", "--log-file=/dev/null"]
    options = ["--endpoint", getattr(bench.sink, scheme), "--summary", "--batch-size", batch_size]
    # Everything is slow under valgrind: batches are to fill nevertheless.
    options += ["--linger", "30s", "--timeout", "60s", "--concurrency", 8]
    if scheme == "https":
        options += ["--ca-file", bench.sink.authority]
    measure = run([*tool, binary, *options], stdin=bench.input(messages), env=KEYS)
    points = json.loads(profile.read_text())["pps"]
    return sum(point["tbk"] for point in points), json.loads(measure.errors)["Requests"]
