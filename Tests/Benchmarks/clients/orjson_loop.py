"""Parses and prints each line, and does nothing else."""

import sys

import orjson

write = sys.stdout.buffer.write
for text in sys.stdin.buffer:
    write(orjson.dumps(orjson.loads(text)) + b"\n")
