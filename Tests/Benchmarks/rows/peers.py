"""Programs that do the same, or a part of it."""

import json
from pathlib import Path

from bench import KEYS, row
from measure import cpu, interleave, per_message, run, wall
from table import Figure, part, ratio

CLIENTS = Path(__file__).resolve().parent.parent / "clients"


@row
def python_sdk(bench):
    """The official SDK in its best mode (async), start-up included."""
    for count, goal, what in ((100_000, 22, "100,000 messages"), (1_000, 25, "1,000 messages, the whole process")):
        path = bench.input(count)
        client = [bench.python(), CLIENTS / "sdk.py", bench.sink.http.removeprefix("http://")]
        measures = interleave(
            {
                "SDK": lambda: run(client, stdin=path, env=KEYS),
                "smspipe": lambda: bench.smspipe(stdin=path, expect=count),
            },
            bench.repetitions,
        )
        sdk, ours = measures["SDK"], measures["smspipe"]
        compared = part(cpu(sdk), cpu(ours))
        bench.table.add(
            f"CPU per message, {what}, against the official Python SDK (async)",
            per_message(sdk, count),
            per_message(ours, count),
            compared,
            f"at most 1/{goal}",
            compared.median >= goal,
        )


@row
def orjson(bench):
    """A Python loop that parses and prints each line, and sends nothing."""
    python, path, count = bench.python(), bench.input(), bench.count
    measures = interleave(
        {
            "orjson": lambda: run([python, CLIENTS / "orjson_loop.py"], stdin=path),
            "smspipe": lambda: bench.smspipe(stdin=path, expect=count),
        },
        bench.repetitions,
    )
    theirs, ours = measures["orjson"], measures["smspipe"]
    compared = part(cpu(theirs), cpu(ours))
    bench.table.add(
        "CPU per message against a Python loop of orjson that sends nothing",
        per_message(theirs, count),
        per_message(ours, count),
        compared,
        "at most 1/2",
        compared.median >= 2,
    )


@row
def wrk(bench):
    """A load generator that posts one prebuilt body of the same size again and again."""
    path, count = bench.input(), bench.count
    script = bench.folder / "post.lua"
    script.write_text(
        'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/x-www-form-urlencoded"\n'
        f"wrk.body = {json.dumps(next(bench.bodies()).decode())}\n"
    )

    def load(endpoint):
        text = run(["wrk", "-t1", "-c8", "-d5s", "-s", script, endpoint], keep_output=True).output.decode()
        if "Non-2xx" in text or "Socket errors" in text:
            raise SystemExit(f"wrk did not get its answers: {text}")
        return float(text.split("Requests/sec:")[1].split()[0])

    for scheme, goal in (("http", 15), ("https", 28)):
        endpoint = getattr(bench.sink, scheme)
        measures = interleave(
            {
                "wrk": lambda: load(endpoint),
                "smspipe": lambda: bench.smspipe(endpoint=endpoint, stdin=path, expect=count),
            },
            bench.repetitions,
        )
        theirs, ours = measures["wrk"], [count / 100 / each for each in wall(measures["smspipe"])]
        compared = Figure([100 * a / b for a, b in zip(ours, theirs)], "%")
        bench.table.add(
            f"requests per second, {scheme}, against `wrk -t1 -c8` with one prebuilt body",
            Figure(theirs, "/s"),
            Figure(ours, "/s"),
            compared,
            f"at least {goal}%",
            compared.median >= goal,
        )


@row
def curl(bench):
    """curl --parallel with every hundred messages in a body of their own, prebuilt and unsigned."""
    path, count = bench.input(), bench.count
    folder = bench.folder / "bodies"
    folder.mkdir()
    requests = []
    for number, body in enumerate(bench.bodies()):
        (folder / str(number)).write_bytes(body)
        requests.append(f"url={bench.sink.http}\ndata-binary=@{folder / str(number)}\noutput=/dev/null\n")
    configuration = bench.folder / "curl"
    configuration.write_text("next\n".join(requests))
    measures = interleave(
        {
            "curl": lambda: run(["curl", "-sfZ", "-K", configuration]),
            "smspipe": lambda: bench.smspipe(stdin=path, expect=count),
        },
        bench.repetitions,
    )
    theirs, ours = wall(measures["curl"]), wall(measures["smspipe"])
    compared = ratio(ours, theirs)
    bench.table.add(
        "wall time against `curl --parallel` with prebuilt, unsigned bodies",
        Figure(theirs, " s"),
        Figure(ours, " s"),
        compared,
        "at most 1.1",
        compared.median <= 1.1,
    )
