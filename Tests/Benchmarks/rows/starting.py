"""The start, and what is started."""

import shutil
import statistics
import subprocess

from bench import KEYS, row
from measure import interleave, start
from table import Figure, ratio


@row
def start_up(bench):
    """Starts without input, forty of each in turn, for each repetition."""
    theirs, ours = [], []
    for _ in range(bench.repetitions):
        starts = interleave(
            {
                "jq": lambda: start(["jq", "-n", "1"], {}),
                "smspipe": lambda: start([bench.binary, "--endpoint", bench.sink.http], KEYS),
            },
            40,
        )
        theirs.append(statistics.median(starts["jq"]))
        ours.append(statistics.median(starts["smspipe"]))
    compared = ratio(ours, theirs)
    bench.table.add(
        "start-up without input against `jq -n 1`",
        Figure([each * 1000 for each in theirs], " ms"),
        Figure([each * 1000 for each in ours], " ms"),
        compared,
        "at most 0.4",
        compared.median <= 0.4,
    )


@row
def size(bench):
    """The binary without symbols, Swift's runtime inside."""
    copy = bench.folder / "stripped"
    shutil.copy(bench.binary, copy)
    subprocess.run(["strip", copy], check=True)
    mebibytes = copy.stat().st_size / 2**20
    bench.table.add("binary, stripped", "", f"{mebibytes:.1f} MiB", "", "under 25 MiB", mebibytes < 25)
