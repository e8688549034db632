"""The Kafka example, with the brokers that librdkafka plays for tests."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from conftest import BINARY, ROOT


class Kafka:
    def __init__(self):
        self.producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
        brokers = self.producer.list_topics(timeout=10).brokers.values()
        self.address = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)

    def write(self, values):
        for value in values:
            self.producer.produce("sms", value, partition=0)
        assert self.producer.flush(10) == 0

    def responses(self, count):
        """All responses, once there are so many, which may be written only now."""
        for _ in range(30):
            consumer = Consumer({"bootstrap.servers": self.address, "group.id": "test", "log_level": 0})
            # The topic is there, with some partitions, from the first record on.
            parts = consumer.list_topics(timeout=10).topics.get("responses")
            consumer.assign([TopicPartition("responses", part, 0) for part in parts.partitions] if parts else [])
            records = [record for record in consumer.consume(2 * count, timeout=1) if not record.error()]
            consumer.close()
            if len(records) >= count:
                return [json.loads(record.value()) for record in records]
        return []


@pytest.fixture
def kafka():
    return Kafka()


def begin(kafka, simulator, tmp_path, smspipe=BINARY):
    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": simulator.key_id, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": simulator.secret}
    return subprocess.Popen(
        [sys.executable, ROOT / "examples/kafka/send.py", kafka.address, "sms", "0", "responses", tmp_path / "journals"],
        env=os.environ | keys | {"SMSPIPE": str(smspipe), "SMSPIPE_ENDPOINT": simulator.endpoint},
        start_new_session=True,
    )


def message(n):
    return json.dumps({"PhoneNumber": str(13800000000 + n), "SignName": "Acme", "TemplateCode": "SMS_1"})


def test_a_round_that_was_broken_off_is_finished_and_nothing_is_sent_twice(kafka, simulator, tmp_path):
    # Dies once its messages are sent, before it has told anyone.
    dying = tmp_path / "dying"
    dying.write_text(f'#!/bin/sh\n"{BINARY}" "$@" > /dev/null\nkill -9 $PPID\n')
    dying.chmod(0o755)
    kafka.write([message(n) for n in range(300)] + ["no message", None, "{\r\n}"])
    other = tmp_path / "journals" / "sms-0-1-0-100.journal"
    other.parent.mkdir()
    other.touch()
    first = begin(kafka, simulator, tmp_path, dying)
    assert first.wait(60) == -signal.SIGKILL
    assert [line["Messages"] for line in simulator.lines("counts")] == [300]
    assert len(list((tmp_path / "journals").iterdir())) == 2
    kafka.write([message(n) for n in range(200, 500)])  # the first hundred are messages of their own, alike as they are
    second = begin(kafka, simulator, tmp_path)
    responses = kafka.responses(602)
    os.killpg(second.pid, signal.SIGKILL)
    second.wait()
    outcomes = [response["Outcome"] for response in responses]
    assert len(outcomes) == 602 and outcomes.count("accepted") == 600 and outcomes.count("invalid") == 2
    assert other.exists()
    assert [line["Messages"] for line in simulator.lines("counts")] == [600]


def test_what_was_skipped_is_not_committed(kafka, simulator, tmp_path):
    kafka.write([message(1)])
    simulator.lines("faults", "PUT", {"Faults": ["error:isv.AMOUNT_NOT_ENOUGH=1"]})
    broke = begin(kafka, simulator, tmp_path)
    assert broke.wait(60) == 1
    simulator.lines("faults", "DELETE")
    rich = begin(kafka, simulator, tmp_path)
    assert [response["Outcome"] for response in kafka.responses(1)] == ["accepted"]
    os.killpg(rich.pid, signal.SIGKILL)
    rich.wait()
