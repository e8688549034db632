"""Time, bytes, instructions and allocations of each stage: count.py BINARY [MESSAGES]"""

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import generate  # noqa: E402

# What the functions of the stages are called in the binary.
STAGE = re.compile(r"StageRunV\d+(split|scan|parse|batch|nextRequest|encode|sign|answer|respond)")
NAMES = ["split", "scan", "parse", "batch", "encode", "sign", "answer", "respond"]


def stage(text):
    """The stage whose function a line names, if it names one."""
    found = STAGE.search(text)
    return found and ("batch" if found[1] == "nextRequest" else found[1])


def write(path, count):
    with path.open("wb") as file:
        file.writelines(generate.messages(count))
    return path


def instructions(binary, path, count, folder):
    """Instructions per message by stage; those of the functions that a stage calls are its own."""
    profile = folder / "profile"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", binary, path, "1"]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    command = ["callgrind_annotate", "--inclusive=yes", "--threshold=100", profile]
    text = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout
    found = dict.fromkeys(NAMES, 0)
    for line in text.splitlines():
        amount, name = re.match(r"\s*([\d,]+)", line), stage(line)
        if amount and name:
            found[name] += int(amount[1].replace(",", "")) / count
    return found


def allocations(binary, path, batch_size, folder):
    """How many allocations each stage made in a run; what is outside of the stages stands under None."""
    profile = folder / "allocations"
    options = ["--tool=dhat", "--num-callers=30", f"--dhat-out-file={profile}"]
    command = ["valgrind", *options, binary, path, "1", batch_size]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    report = json.loads(profile.read_text())
    stages = [stage(frame) for frame in report["ftbl"]]
    found = Counter()
    for point in report["pps"]:
        found[next((stages[frame] for frame in point["fs"] if stages[frame]), None)] += point["tbk"]
    return found


def main():
    binary, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Valgrind does not understand the debugging information.
        stripped = folder / "stages"
        subprocess.run(["strip", "--strip-debug", "-o", stripped, binary], check=True)
        small, large = write(folder / "small", count), write(folder / "large", 2 * count)
        # What the start and the growing of tables allocate is in both runs, so it is not in their difference.
        grown = {}
        for size in (100, 50):
            grown[size] = allocations(stripped, large, size, folder)
            grown[size].subtract(allocations(stripped, small, size, folder))
        counted = instructions(stripped, large, 2 * count, folder)
        timed = write(folder / "timed", 10 * count)
        text = subprocess.run([binary, timed, "5"], check=True, capture_output=True, text=True).stdout
        heading, *lines = text.splitlines()
        print(f"{heading}  instructions/message  allocations/100 messages")
        for each, line in zip(NAMES, lines, strict=True):
            print(f"{line}{counted[each]:22,.0f}{grown[100][each] * 100 / count:26.1f}")
        # The scan is a part of parsing, and is run once more for its own line.
        print(f"in all{sum(counted.values()) - counted['scan']:58,.0f}{grown[100].total() * 100 / count:26.1f}")
        # Twice as many batches of half the size tell what is allocated for a batch from what is for a message.
        per_batch = (grown[50].total() - grown[100].total()) * 100 / count
        per_message = grown[100].total() / count - per_batch / 100
        print(f"allocations in the steady state: {per_message:.3f} a message, {per_batch:.1f} a batch")


if __name__ == "__main__":
    main()
