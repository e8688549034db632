"""Sends the messages of one partition of a Kafka topic, and writes what became of them to another topic.

    python3 examples/kafka/send.py BROKERS sms 0 responses JOURNALS

A record is a message, its response a record of the other topic. When a process dies, Kafka gives the next one again what was not
committed, and those messages may have left. So records are sent in rounds, each with a journal in the directory JOURNALS, named
by the round's first offset and the one behind its last. A round that was broken off is read once more as it was, gets the answers
of the first attempt, and sends only what had not left; its responses may stand twice in their topic. What was skipped was not
sent, as the gateway or the account was not there for it: then this program ends, and the next one begins with that round.

A partition has one process at a time, and the next one, on whatever machine, has to find its journals.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

MOST = 10_000


def broken_off(journals, name, position):
    """The journal of a round that was not committed, and the offset behind its last record; removes those of the others."""
    for path in journals.iterdir():
        if found := re.fullmatch(re.escape(name) + r"-(\d+)-(\d+)\.journal", path.name):
            if int(found[2]) > position:
                return path, int(found[2])
            path.unlink()
    return None, None


def read(consumer, here, end):
    """The next records: those up to an end, or else what comes first. Offsets have gaps, and the last ones may be gone."""
    records, position = [], 0
    while position < end if end else not records:
        for record in consumer.consume(MOST, timeout=1.0):
            if record.error() and record.error().code() != KafkaError._PARTITION_EOF:
                raise KafkaException(record.error())
            if end and record.offset() >= end:
                # What is behind the end is of the next round.
                consumer.seek(TopicPartition(here.topic, here.partition, end))
                return records
            position = record.offset()
            if not record.error():
                records.append(record)
                position += 1
    return records


def send(records, journal):
    """The response lines; a line is a record, so line breaks in a record become blanks."""
    lines = b"".join((record.value() or b"").replace(b"\n", b" ") + b"\n" for record in records)
    command = [os.environ.get("SMSPIPE", "smspipe"), "--journal", journal]
    ended = subprocess.run(command, input=lines, stdout=subprocess.PIPE)
    responses = ended.stdout.split(b"\n")[:-1]
    skipped = sum(json.loads(response)["Outcome"] == "skipped" for response in responses)
    if ended.returncode not in (0, 1, 3) or skipped:
        sys.exit(f"smspipe has ended with {ended.returncode}, {skipped} messages were not sent")
    return responses


def main(brokers, topic, partition, target, journals):
    journals = Path(journals)
    journals.mkdir(parents=True, exist_ok=True)
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "smspipe",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
        }
    )
    producer = Producer({"bootstrap.servers": brokers, "enable.idempotence": True})
    here = TopicPartition(topic, int(partition))
    position = consumer.committed([here])[0].offset
    if position < 0:
        position = consumer.get_watermark_offsets(here)[0]
    consumer.assign([TopicPartition(topic, int(partition), position)])
    while True:
        journal, end = broken_off(journals, f"{topic}-{partition}", position)
        records = read(consumer, here, end)
        position = end or records[-1].offset() + 1
        failures = []
        if records:
            journal = journal or journals / f"{topic}-{partition}-{records[0].offset()}-{position}.journal"
            for response in send(records, journal):
                producer.produce(target, response, on_delivery=lambda error, _: error and failures.append(error))
        producer.flush()
        if failures:
            raise KafkaException(failures[0])
        consumer.commit(offsets=[TopicPartition(topic, int(partition), position)], asynchronous=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
