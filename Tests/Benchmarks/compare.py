#!/usr/bin/env python3
"""The whole program against its peers on the same input and the same sink, in one run on one machine.

Without options: messages per second and processor time over http and https, beside `jq -c .`. `--all` adds every other
row, `--rows NAME,NAME` chooses. Each figure is the median of the repetitions with its range; ratios are taken within a
repetition. All output is thrown away, that of the peers too; the sink reads every byte it is sent.
"""

import argparse
import os
import platform
import subprocess
import tempfile
from pathlib import Path

import rows  # noqa: F401: makes the rows
from bench import ROWS, Bench
from sink import Sink
from table import Table


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
    if unknown := [name for name in names if name not in ROWS]:
        parser.error(f"there is no row {unknown[0]}; there are {', '.join(ROWS)}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sink").mkdir()
        sink = Sink(folder / "sink")
        try:
            print(f"{machine()}\nseed {options.seed}, {options.repeat} repetitions, median (range)\n")
            bench = Bench(options, folder, sink, Table())
            for each in names:
                ROWS[each](bench)
        finally:
            sink.stop()


if __name__ == "__main__":
    main()
