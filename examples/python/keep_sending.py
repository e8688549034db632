"""A program that keeps one smspipe running and sends through it whenever it has something to send, from any thread.

    smspipe simulate -- python3 examples/python/keep_sending.py

smspipe writes one line for each that it reads, in the same order: so the oldest message that has no answer gets the next one.
"""

import json
import os
import subprocess
import threading
from collections import deque
from concurrent.futures import Future


class Smspipe:
    """`--linger 0` sends what is there as soon as no more is ready to be read: alone, or with what came meanwhile."""

    def __init__(self, *options):
        command = [os.environ.get("SMSPIPE", "smspipe"), "--linger", "0", *options]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._waiting = deque()
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def send(self, message):
        """Sends a message, and returns the future of its response: a dict with Outcome, Code, BizId, …"""
        future = Future()
        # What is written cannot be called back: whoever stops waiting must not hold up the others.
        future.set_running_or_notify_cancel()
        with self._lock:
            # What is written must be in the order of what waits.
            self._waiting.append(future)
            self._process.stdin.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
            self._process.stdin.flush()
        return future

    def close(self):
        """Sends what is left, awaits the answers and returns smspipe's exit status."""
        self._process.stdin.close()
        self._reader.join()
        return self._process.wait()

    def _read(self):
        for line in self._process.stdout:
            self._waiting.popleft().set_result(json.loads(line))
        # Only a killed smspipe leaves lines without an answer. They may have been sent: `--journal` tells the next run.
        while self._waiting:
            self._waiting.popleft().set_exception(EOFError("smspipe has ended without an answer"))


def main():
    smspipe = Smspipe()
    numbers = ["13800000001", "not a number", "13800000003"]
    responses = [
        smspipe.send(
            {
                "PhoneNumber": number,
                "SignName": "云通信",
                "TemplateCode": "SMS_71175823",
                "TemplateParam": {"code": f"{1000 + place}"},
            }
        )
        for place, number in enumerate(numbers)
    ]
    for response in responses:
        result = response.result()
        print(result["PhoneNumber"], result["Outcome"], result["Code"])
    print("status", smspipe.close())


if __name__ == "__main__":
    main()
