"""What every row needs: the input, the sink, the runs, and the table."""

import itertools
import json
import subprocess
import sys
import urllib.parse

import generate
from measure import run

KEYS = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "testid", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "testsecret"}
ROWS = {}


def row(function):
    """Makes a function one or more rows of the table; its name, with dashes, chooses it."""
    ROWS[function.__name__.replace("_", "-")] = function
    return function


class Bench:
    def __init__(self, options, folder, sink, table):
        self.binary, self.count, self.repetitions = options.binary.resolve(), options.messages, options.repeat
        self.seed, self.folder, self.sink, self.table = options.seed, folder, sink, table

    def input(self, count=None, templates=8):
        """The file with so many messages; made once."""
        count = count or self.count
        path = self.folder / f"{count}-{templates}.jsonl"
        if not path.exists():
            with path.open("wb") as file:
                file.writelines(generate.messages(count, templates, self.seed))
        return path

    def bodies(self):
        """What the messages look like on the wire, a hundred a request."""
        with self.input().open("rb") as file:
            while contents := [json.loads(line) for line in itertools.islice(file, 100)]:
                arrays = {
                    "PhoneNumberJson": [each["PhoneNumber"] for each in contents],
                    "SignNameJson": [each["SignName"] for each in contents],
                    "TemplateParamJson": [each["TemplateParam"] for each in contents],
                }
                texts = {n: json.dumps(a, ensure_ascii=False, separators=(",", ":")) for n, a in arrays.items()}
                yield urllib.parse.urlencode(texts, quote_via=urllib.parse.quote).encode()

    def smspipe(self, *options, endpoint=None, stdin=None, expect=None, into=None):
        """One run; with `expect`, the summary must count so many accepted messages."""
        endpoint = endpoint or self.sink.http
        options = ["--endpoint", endpoint, "--summary", *options]
        if endpoint.startswith("https"):
            options += ["--ca-file", self.sink.authority]
        measure = run([self.binary, *options], stdin=stdin, env=KEYS, into=into)
        if expect is not None:
            summary = {name.lower(): value for name, value in json.loads(measure.errors).items()}
            if summary["accepted"] != expect:
                raise SystemExit(f"not all were accepted: {summary}")
        return measure

    def python(self):
        """The Python of a virtual environment with the official SDK and orjson from PyPI."""
        folder = self.folder / "venv"
        if not folder.exists():
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            command = [folder / "bin/pip", "install", "-q", "alibabacloud-dysmsapi20170525", "orjson"]
            subprocess.run(command, check=True, stdout=sys.stderr)
        return folder / "bin/python"
