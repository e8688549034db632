"""A Spark job that sends a message for each row and keeps what became of it: one smspipe for each partition.

    smspipe simulate -- python3 examples/spark/send.py JOURNALS < messages.jsonl > responses.jsonl

Spark runs a partition again when its task or its machine has failed, and when its rows are wanted a second time. So each has a
journal in the directory JOURNALS, which all machines have to see: the second attempt gets the answers of the first, and sends only
what had not left. An attempt that starts while another still runs (speculation) finds the journal in use and fails: it is switched
off. `--fail-on never` keeps rejected messages from failing the task; they are rows like the others. What was skipped was not sent,
as the gateway or the account was not there for it: then the task fails, and the next attempt sends it.
"""

import json
import os
import subprocess
import sys
import threading

from pyspark.sql import SparkSession


def sender(journals):
    def send(partition, lines):
        journal = os.path.join(journals, f"part-{partition:05}.journal")
        command = [os.environ.get("SMSPIPE", "smspipe"), "--fail-on", "never", "--journal", journal]
        smspipe = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        failures = []

        def feed():
            try:
                with smspipe.stdin:
                    for line in lines:
                        smspipe.stdin.write(line.encode() + b"\n")
            except Exception as failure:
                failures.append(failure)

        feeder = threading.Thread(target=feed)
        feeder.start()
        skipped = 0
        for line in smspipe.stdout:
            response = line.decode().removesuffix("\n")
            if json.loads(response)["Outcome"] == "skipped":
                skipped += 1
            else:
                yield response
        feeder.join()
        if smspipe.wait() != 0 or failures or skipped:
            raise RuntimeError(
                f"partition {partition}: smspipe has ended with {smspipe.returncode}, {skipped} messages were not sent; "
                "see the executor's log"
            )

    return send


def main():
    journals = os.path.abspath(sys.argv[1])
    os.makedirs(journals, exist_ok=True)
    spark = SparkSession.builder.appName("smspipe").config("spark.speculation", "false").getOrCreate()
    # The same rows have to come into the same partitions in every attempt, as what is read from files does.
    lines = spark.sparkContext.parallelize(sys.stdin.buffer.read().decode().split("\n"), numSlices=4)
    responses = lines.mapPartitionsWithIndex(sender(journals))
    for response in responses.toLocalIterator():
        print(response)
    spark.stop()


if __name__ == "__main__":
    main()
