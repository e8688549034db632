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
STAGE = re.compile(
    r"StageRunV\d+(split|scan|parse|identify|batch|nextRequest|write|encode|sign|answer|sync|respond)"
)
NAMES = ["split", "scan", "parse", "identify", "batch", "record", "encode", "sign", "answer", "respond"]
# Functions that share a stage with another.
STAGE_OF = {"nextRequest": "batch", "write": "record", "sync": "answer"}


def stage(text):
    """The stage whose function a line names, if it names one."""
    found = STAGE.search(text)
    return found and STAGE_OF.get(found[1], found[1])


def write(path, count):
    with path.open("wb") as file:
        file.writelines(generate.messages(count))
    return path


def instructions(binary, path, count, folder, *options):
    """Instructions per message by stage; those of the functions that a stage calls are its own."""
    profile = folder / "profile"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", binary, path, 1, 100, *options]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    command = ["callgrind_annotate", "--inclusive=yes", "--threshold=100", profile]
    text = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout
    found = dict.fromkeys(NAMES, 0)
    for line in text.splitlines():
        amount, name = re.match(r"\s*([\d,]+)", line), stage(line)
        if amount and name:
            found[name] += int(amount[1].replace(",", "")) / count
    return found


def allocations(binary, path, batch_size, folder, *options):
    """How many allocations each stage made in a run; what is outside of the stages stands under None."""
    profile = folder / "allocations"
    command = ["valgrind", "--tool=dhat", "--num-callers=30", f"--dhat-out-file={profile}", binary, path, 1, batch_size]
    command += options
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    report = json.loads(profile.read_text())
    stages = [stage(frame) for frame in report["ftbl"]]
    found = Counter()
    for point in report["pps"]:
        found[next((stages[frame] for frame in point["fs"] if stages[frame]), None)] += point["tbk"]
    return found


def count(binary, messages, folder, *options):
    """Prints the table of the stages, without a journal or with one."""
    small, large = write(folder / "small", messages), write(folder / "large", 2 * messages)
    # What the start and the growing of tables allocate is in both runs, so it is not in their difference.
    grown = {}
    for size in (100, 50):
        grown[size] = allocations(folder / "stages", large, size, folder, *options)
        grown[size].subtract(allocations(folder / "stages", small, size, folder, *options))
    counted = instructions(folder / "stages", large, 2 * messages, folder, *options)
    timed = write(folder / "timed", 10 * messages)
    command = [binary, timed, "5", "100", *options]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    heading, *lines = text.splitlines()
    print(f"{heading}  instructions/message  allocations/100 messages")
    for each, line in zip(NAMES, lines, strict=True):
        if counted[each] >= 1:
            print(f"{line}{counted[each]:22,.0f}{grown[100][each] * 100 / messages:26.1f}")
    # The scan is a part of parsing, and is run once more for its own line.
    print(f"in all{sum(counted.values()) - counted['scan']:58,.0f}{grown[100].total() * 100 / messages:26.1f}")
    # Twice as many batches of half the size tell what is allocated for a batch from what is for a message.
    per_batch = (grown[50].total() - grown[100].total()) * 100 / messages
    per_message = grown[100].total() / messages - per_batch / 100
    print(f"allocations in the steady state: {per_message:.3f} a message, {per_batch:.1f} a batch")


def main():
    binary, messages = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Valgrind does not understand the debugging information.
        subprocess.run(["strip", "--strip-debug", "-o", folder / "stages", binary], check=True)
        count(binary, messages, folder)
        print("\nwith a journal")
        count(binary, messages, folder, "journal")


if __name__ == "__main__":
    main()
