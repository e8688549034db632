"""A parent that writes one line and waits for its answer, and the bare exchange beneath."""

import os
import socket
import statistics
import subprocess
import time


def lines(command, environment, path, count):
    """The median time from a line written to its response line read, in seconds."""
    with open(path, "rb") as file:
        inputs = [next(file) for _ in range(count)]
    process = subprocess.Popen(
        list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | environment, bufsize=0
    )
    answers = process.stdout.fileno()
    times = []
    for text in inputs:
        began = time.perf_counter()
        process.stdin.write(text)
        while not os.read(answers, 65536).endswith(b"\n"):
            pass
        times.append(time.perf_counter() - began)
    process.stdin.close()
    if process.wait(30) != 0:
        raise SystemExit("smspipe did not end well in lock-step")
    return statistics.median(times[count // 10 :])


def round_trips(port, body, count):
    """The median time of a bare POST over a kept connection, in seconds."""
    part = body[: len(body) // 100]
    head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(part)}\r\n\r\n"
    request = head.encode() + part
    times = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            began = time.perf_counter()
            connection.sendall(request)
            while not connection.recv(65536).endswith(b"}"):
                pass
            times.append(time.perf_counter() - began)
    return statistics.median(times[count // 10 :])
