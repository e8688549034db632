"""The journal: a run that ends at any moment is finished by the same command, and nobody gets a second message."""

import itertools
import json
import os
import random
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from command import line, lines, message, phone, shell_status
from gateway import CLOSE, NEVER, RESET, Answer, Gateway, gateway_error, lost

MEMBERS = re.compile(rb'"Outcome":.*')
MANUAL = Path(__file__).parents[2] / "README.md"


def records(path):
    return [json.loads(text) for text in path.read_text().splitlines()]


def records_so_far(path):
    """The records of a journal that is being written: the last one may be there by half."""
    text = path.read_text()
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def lines_of(record):
    """The numbers of an intent's lines: the first, and then how many lines further on each one stands."""
    return list(itertools.accumulate(record["Lines"]))


def open_requests(path):
    """The BatchIds of requests that may have left and have no result, by the whole lines of a journal."""
    found = {}
    for text in path.read_bytes().split(b"\n")[:-1]:
        record = json.loads(text)
        if record["Type"] == "intent":
            found[record["BatchId"]] = lines_of(record)
        else:
            found.pop(record.get("BatchId"), None)
    return found


def sealed(text):
    """A record with its checksum: CRC-32C, a bit a step."""
    value = 0xFFFFFFFF
    for byte in text.encode():
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return f'{text},"Crc":"{value ^ 0xFFFFFFFF:08x}"}}\n'


def same(first, second):
    """The response members of lines, whatever they repeat of the input."""
    return [MEMBERS.search(a)[0] for a in first] == [MEMBERS.search(b)[0] for b in second]


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "journal"


# -- replay ---------------------------------------------------------------------------------------------------------


def test_the_same_command_again_answers_the_same_and_sends_nothing(smspipe, gateway, journal):
    gateway.script = lambda r: Answer(code="isv.SMS_TEMPLATE_ILLEGAL") if r.template == "SMS_2" else None
    contents = [message(n) for n in range(250)]
    contents += [message(1), message(1), "no JSON", message(300, template="SMS_2"), message(301, OutId="own")]
    first = smspipe.run(gateway, "--journal", journal, stdin=contents)
    sent = len(gateway.sends)
    size = journal.stat().st_size
    again = smspipe.run(gateway, "--journal", journal, "--summary", stdin=contents)
    assert (first.status, again.status) == (1, 1)
    assert again.stdout == first.stdout
    assert len(gateway.sends) == sent
    assert journal.stat().st_size == size
    assert again.summary["Replayed"] == 254 and again.summary["Syncs"] == 0


def test_input_may_grow_lose_lines_and_change_its_order(smspipe, gateway, journal):
    contents = [message(n) for n in range(60)]
    first = smspipe.run(gateway, "--journal", journal, stdin=contents[:40])
    known = {json.loads(text)["PhoneNumber"]: text for text in first.lines}
    mixed = contents[5:]
    random.Random(1).shuffle(mixed)
    second = smspipe.run(gateway, "--journal", journal, stdin=mixed)
    assert second.outcomes == ["accepted"] * 55
    assert sorted(gateway.taken_phones) == sorted(phone(n) for n in range(60))
    for text in second.lines:
        number = json.loads(text)["PhoneNumber"]
        assert text == known.get(number, text)


def test_the_second_of_two_identical_lines_is_another_message(smspipe, gateway, journal):
    smspipe.run(gateway, "--journal", journal, stdin=[message(1), message(1)])
    again = smspipe.run(gateway, "--journal", journal, stdin=[message(1), message(1), message(1)])
    assert again.outcomes == ["accepted"] * 3
    assert gateway.taken_phones == [phone(1)] * 3


def test_one_id_is_one_message(smspipe, gateway, journal):
    contents = [message(1, Id="a"), message(1, Id="a"), message(2, Id="a"), message(2, Id=7), message(2, Id="7")]
    for _ in range(2):
        result = smspipe.run(gateway, "--journal", journal, stdin=contents)
        assert result.outcomes == ["accepted", "accepted", "invalid", "accepted", "accepted"]
        assert result.codes[2] == "smspipe.ID_REUSED"
        assert result.responses[0]["BizId"] == result.responses[1]["BizId"]
        assert sorted(gateway.taken_phones) == [phone(1), phone(2)]


def test_skipped_messages_are_sent_by_the_next_run(smspipe, gateway, journal):
    gateway.script = lambda r: Answer(code="isv.AMOUNT_NOT_ENOUGH") if len(gateway.requests) > 1 else None
    contents = [message(n) for n in range(40)]
    options = ["--journal", journal, "--batch-size", "10", "--concurrency", "1"]
    first = smspipe.run(gateway, *options, stdin=contents)
    assert first.status == 69 and Counter(first.outcomes) == {"accepted": 10, "skipped": 30}
    gateway.script = lambda r: None
    second = smspipe.run(gateway, *options, stdin=contents)
    assert second.outcomes == ["accepted"] * 40
    assert second.lines[:10] == first.lines[:10]
    assert gateway.duplicates() == {}


def test_a_split_batch_and_a_throttled_one_are_recorded_rightly(smspipe, gateway, journal):
    refused = {phone(3), phone(17)}

    def script(request):
        if request.number in (0, 3):
            return gateway_error("Throttling.User", 429, headers={"x-acs-retry-after": "30"})
        return Answer(code="isv.BUSINESS_LIMIT_CONTROL") if refused & set(request.phones) else None

    gateway.script = script
    contents = [message(n) for n in range(40)]
    first = smspipe.run(gateway, "--journal", journal, "--batch-size", "20", stdin=contents)
    assert Counter(first.outcomes) == {"accepted": 38, "rejected": 2}
    gateway.script = lambda r: None
    sent = len(gateway.sends)
    assert smspipe.run(gateway, "--journal", journal, stdin=contents).stdout == first.stdout
    assert len(gateway.sends) == sent


def test_the_journal_is_json_lines_without_numbers_parameters_and_ids(smspipe, gateway, journal):
    contents = [message(n, parameters={"code": "绝密"}, Id=f"order-{n}") for n in range(30)]
    smspipe.run(gateway, "--journal", journal, stdin=contents)
    text = journal.read_text()
    assert "13800000" not in text
    assert "绝密" not in text and "order-" not in text and "云通信" not in text and "testid" not in text
    assert [record["Type"] for record in records(journal)] == ["head", "intent", "result"]
    assert lines_of(records(journal)[1]) == list(range(1, 31))
    assert oct(journal.stat().st_mode & 0o777) == "0o600"


def test_intents_are_recorded_before_requests_leave_and_results_before_lines(smspipe, gateway, journal):
    seen = []

    def script(request):
        known = {record["BatchId"] for record in records_so_far(journal) if record["Type"] == "intent"}
        seen.append(request.out_id in known)

    gateway.script = script
    process = smspipe.start(gateway, "--journal", journal, "--batch-size", "5")
    process.write(*[message(n) for n in range(100)])
    process.close_input()
    while response := process.read():
        results = {record["BatchId"] for record in records_so_far(journal) if record["Type"] == "result"}
        assert response["BatchId"] in results
    assert process.wait() == 0 and seen == [True] * 20


def test_what_left_without_a_result_is_looked_up(smspipe, gateway, journal):
    gateway.script = lambda r: lost(CLOSE, taken=r.template == "SMS_1")
    contents = [message(1, template="SMS_1"), message(2, template="SMS_2")]
    process = smspipe.start(gateway, "--journal", journal)
    process.write(*contents)
    gateway.wait_for_requests(2)
    process.process.kill()
    process.wait()
    time.sleep(2)
    gateway.script = lambda r: None
    result = smspipe.run(gateway, "--journal", journal, "--confirm", "4s", stdin=contents)
    assert result.outcomes == ["accepted", "unknown"] and result.codes == ["OK", "smspipe.UNCONFIRMED"]
    assert len(gateway.sends) == 2 and result.status == 3
    intents = {record["BatchId"] for record in records(journal) if record["Type"] == "intent"}
    assert set(result.column("BatchId")) == intents
    again = smspipe.run(gateway, "--journal", journal, stdin=contents)
    assert again.stdout == result.stdout


def test_a_kill_leaves_nobody_in_doubt_but_who_had_left(smspipe, gateway, journal):
    gateway.script = lambda r: lost(NEVER, taken=True)
    contents = [message(n) for n in range(40)]
    options = ["--journal", journal, "--batch-size", "4", "--concurrency", "3"]
    process = smspipe.start(gateway, *options)
    process.write(*contents)
    gateway.wait_for_requests(3)
    process.process.kill()
    process.wait()
    # Nothing is recorded before it may leave.
    left = open_requests(journal)
    assert set(left) == {request.out_id for request in gateway.sends} and len(left) == 3
    gateway.script = lambda r: None
    result = smspipe.run(gateway, *options, "--confirm", "0", stdin=contents)
    in_doubt = [number for number, outcome in enumerate(result.outcomes, 1) if outcome == "unknown"]
    assert in_doubt == sorted(sum(left.values(), []))
    assert Counter(result.outcomes) == {"accepted": 28, "unknown": 12}
    assert gateway.duplicates() == {}


def test_a_closed_output_leaves_a_journal_that_the_next_run_goes_on_with(smspipe, gateway, journal):
    path = journal.parent / "input"
    path.write_text(lines(message(n) for n in range(3000)))
    read, write = os.pipe()
    arguments = smspipe.arguments(gateway, ["--journal", journal, "--batch-size", "10", str(path)])
    process = subprocess.Popen(arguments, stdout=write, stderr=subprocess.PIPE, env=smspipe.environ({}))
    os.close(write)
    os.read(read, 10)
    os.close(read)
    assert process.wait(30) == 141 or shell_status(process.returncode) == 141
    process.stderr.close()
    result = smspipe.run(gateway, "--journal", journal, str(path))
    assert result.outcomes == ["accepted"] * 3000
    assert gateway.duplicates() == {}


# -- refusals -------------------------------------------------------------------------------------------------------


def test_one_run_at_a_time_and_a_dead_one_does_not_count(smspipe, gateway, journal):
    process = smspipe.start(gateway, "--journal", journal, "--linger", "0")
    process.write(message(1))
    assert process.read()["Outcome"] == "accepted"
    second = smspipe.run(gateway, "--journal", journal, stdin=[message(2)])
    assert second.status == 73 and second.stdout == b"" and f"process {process.pid}" in second.stderr
    assert smspipe.run(None, "journal", journal, "--json").summary_of_stdout["Accepted"] == 1
    assert smspipe.run(None, "journal", journal, "--compact").status == 73
    process.process.kill()
    process.wait()
    third = smspipe.run(gateway, "--journal", journal, stdin=[message(1), message(2)])
    assert third.status == 0 and gateway.taken_phones == [phone(1), phone(2)]


def test_a_journal_of_another_key_or_endpoint_is_refused(smspipe, gateway, journal):
    smspipe.run(gateway, "--journal", journal, stdin=[message(1)])
    other = Gateway().start()
    runs = [
        (smspipe.run(gateway, "--journal", journal, stdin="", env={"ALIBABA_CLOUD_ACCESS_KEY_ID": "x"}), "access key"),
        (smspipe.run(other, "--journal", journal, stdin=""), "endpoint"),
    ]
    other.stop()
    for result, what in runs:
        assert result.status == 73 and result.stdout == b"" and len(result.stderr.splitlines()) == 1
    assert "another access key" in runs[0][0].stderr and gateway.endpoint in runs[1][0].stderr


def test_a_journal_of_another_version_is_refused(smspipe, gateway, journal):
    head = '{"Type":"head","Time":1763952600.009,"Synced":0,"Version":1,"Whatever":[]'
    text = sealed(head) + sealed('{"Type":"novelty","Time":1763952600.009,"Synced":99')
    journal.write_text(text)
    for arguments in (["--journal", journal], ["journal", journal], ["journal", journal, "--compact"]):
        result = smspipe.run(gateway if arguments[0] != "journal" else None, *arguments, stdin=[message(1)])
        assert result.status == (66 if arguments[0] == "journal" else 73), arguments
        assert result.stdout == b"" and len(result.stderr.splitlines()) == 1, arguments
        assert "has version 1 of the format, and this smspipe knows version 2" in result.stderr, arguments
    assert journal.read_text() == text and gateway.sends == []


def test_a_journal_on_a_read_only_disk_is_refused(smspipe, gateway, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"mount is not permitted: {mounted.stderr.decode().strip()}")
    try:
        smspipe.run(gateway, "--journal", disk / "old", stdin=[message(1)])
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        for name in ("old", "new"):
            result = smspipe.run(gateway, "--journal", disk / name, stdin=[message(2)])
            assert result.status == 73 and "Read-only file system" in result.stderr
        assert gateway.taken_phones == [phone(1)]
        assert smspipe.run(None, "journal", disk / "old", "--json").summary_of_stdout["Accepted"] == 1
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("text", ['{"PhoneNumber":"13800000001"}\n', "name;number\n"])
def test_another_file_is_not_touched(smspipe, gateway, journal, text):
    journal.write_text(text)
    result = smspipe.run(gateway, "--journal", journal, stdin=[message(1)])
    assert result.status == 73 and "not a journal" in result.stderr
    for arguments in ([], ["--compact"]):
        result = smspipe.run(None, "journal", journal, *arguments)
        assert result.status == 66 and "not a journal" in result.stderr
    assert journal.read_text() == text and gateway.sends == []


def test_a_dry_run_says_what_a_run_would_send(smspipe, gateway, journal):
    assert smspipe.run(gateway, "-n", "--journal", journal, stdin=[message(1)]).outcomes == ["planned"]
    assert not journal.exists()
    ids = [message(n) | {"Id": "a"} for n in (1, 2, 1)]
    planned = smspipe.run(gateway, "-n", "--batch-size", "1", "--journal", journal, "--summary", stdin=ids)
    assert planned.codes == ["smspipe.PLANNED", "smspipe.ID_REUSED", "smspipe.PLANNED"]
    assert planned.column("BatchId")[0] == planned.column("BatchId")[2] and planned.summary["Requests"] == 1
    assert smspipe.run(gateway, "-n", "--journal", journal.parent / "no" / "journal", stdin=ids).status == 73
    smspipe.run(gateway, "--journal", journal, stdin=[message(1), message(2)])
    gateway.script = lambda request: lost(NEVER)
    process = smspipe.start(gateway, "--linger", "0", "--journal", journal)
    process.write(message(3))
    gateway.wait_for_requests(2)
    before = journal.read_bytes()
    planned = smspipe.run(gateway, "-n", "--journal", journal, "--summary", stdin=[message(n) for n in (2, 3, 4)])
    assert planned.outcomes == ["accepted", "unknown", "planned"] and planned.status == 3
    assert planned.summary["Replayed"] == 1 and planned.summary["Requests"] == 1
    assert journal.read_bytes() == before and len(gateway.sends) == 2 and not gateway.lookups


def test_a_device_is_no_journal(smspipe, gateway):
    for path in ("/dev/full", "/dev/zero"):
        result = smspipe.run(gateway, "--journal", path, stdin=[message(1)])
        assert result.status == 73 and path in result.stderr and not gateway.requests
        assert smspipe.run(None, "journal", path).status == 66


def test_a_journal_that_cannot_be_created_is_73(smspipe, gateway, tmp_path):
    result = smspipe.run(gateway, "--journal", tmp_path / "no" / "journal", stdin=[message(1)])
    assert result.status == 73 and "No such file" in result.stderr and gateway.sends == []
    for arguments in ([], ["--compact"]):
        result = smspipe.run(None, "journal", tmp_path / "none", *arguments)
        assert result.status == 66 and "No such file" in result.stderr and not (tmp_path / "none").exists()


def test_damage_stops_the_run_before_anything_is_sent(smspipe, gateway, journal):
    for first in (0, 20, 40):
        smspipe.run(gateway, "--journal", journal, stdin=[message(n) for n in range(first + 20)])
    content = bytearray(journal.read_bytes())
    place = content.index(b'"intent"', content.index(b'"intent"') + 1)
    content[place + 20] ^= 1
    journal.write_bytes(content)
    sent = len(gateway.sends)
    result = smspipe.run(gateway, "--journal", journal, stdin=[message(n) for n in range(99)])
    assert result.status == 74 and result.stdout == b"" and "record 4" in result.stderr
    assert len(gateway.sends) == sent and journal.read_bytes() == bytes(content)


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_record_that_was_taken_out_stops_the_run(smspipe, gateway, journal, place):
    for first in (0, 20):
        smspipe.run(gateway, "--journal", journal, stdin=[message(n) for n in range(first + 20)])
    texts = journal.read_text().splitlines(keepends=True)
    assert len(texts) == 5
    gone = len(texts.pop(place))
    journal.write_text("".join(texts))
    result = smspipe.run(gateway, "--journal", journal, stdin=[message(n) for n in range(99)])
    assert result.status == 74 and result.stdout == b"" and f"{gone} bytes before it are gone" in result.stderr
    assert len(gateway.sends) == 2


def test_records_that_became_zeros_are_no_torn_end(smspipe, gateway, journal):
    """What follows them says that they were on stable storage, wherever it stands now."""
    options = ["--journal", journal, "--batch-size", "3", "--concurrency", "1"]
    smspipe.run(gateway, *options, stdin=[message(n) for n in range(30)])
    texts = journal.read_bytes().split(b"\n")
    texts[3:6] = [b"\0" * 8]
    journal.write_bytes(b"\n".join(texts))
    sent = len(gateway.sends)
    result = smspipe.run(gateway, *options, stdin=[message(n) for n in range(30)])
    assert result.status == 74 and "record 4" in result.stderr and len(gateway.sends) == sent


def test_a_torn_end_is_cut_and_told(smspipe, gateway, journal):
    contents = [message(n) for n in range(10)]
    first = smspipe.run(gateway, "--journal", journal, stdin=contents)
    with journal.open("ab") as file:
        file.write(b'{"Type":"intent","Time":17639')
    result = smspipe.run(gateway, "--journal", journal, stdin=contents)
    assert result.stdout == first.stdout and "last 29 bytes were torn" in result.stderr
    assert smspipe.run(gateway, "--journal", journal, stdin=contents).stderr == ""


# -- a small disk ---------------------------------------------------------------------------------------------------


def test_a_full_disk_stops_sending_and_loses_nothing(smspipe, gateway, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        print(f"no tmpfs of 1 MiB: {mounted.stderr.decode().strip()}")
        pytest.skip(f"mount is not permitted: {mounted.stderr.decode().strip()}")
    try:
        filler = disk / "filler"
        filler.write_bytes(b"x" * (900 << 10))
        journal = disk / "journal"
        contents = [message(n) for n in range(2000)]
        options = ["--journal", journal, "--batch-size", "5", "--confirm", "3s"]
        first = smspipe.run(gateway, *options, stdin=contents)
        assert first.status == 74 and "No space left on device" in first.stderr
        counts = Counter(first.outcomes)
        assert sum(counts.values()) == 2000 and counts["accepted"] and counts["skipped"]
        filler.unlink()
        second = smspipe.run(gateway, *options, stdin=contents)
        assert gateway.duplicates() == {} and set(second.outcomes) <= {"accepted", "unknown"}
        for before, after, outcome, later in zip(first.lines, second.lines, first.outcomes, second.outcomes):
            if outcome == "accepted":
                assert before == after
            elif outcome == "skipped":
                assert later == "accepted"
        # Recorded, and the disk was full before they could leave: nobody knows, and nobody got them.
        assert len(gateway.taken) == second.outcomes.count("accepted")
        assert smspipe.run(gateway, *options, stdin=contents).stdout == second.stdout
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_journal_that_fails_is_no_failure_where_never_asked_for(smspipe, gateway, journal):
    """Every line is answered, which is all that `--fail-on never` asks for."""
    options = ["--fail-on", "never", "--batch-size", "1", "--concurrency", "2", "--journal", journal]
    result = subprocess.run(
        ["bash", "-c", 'ulimit -f 8; exec "$@"', "-", *smspipe.arguments(gateway, options)],
        input=lines([message(n) for n in range(300)]).encode(),
        capture_output=True,
        env=smspipe.environ({}),
        timeout=60,
    )
    outcomes = Counter(json.loads(text)["Outcome"] for text in result.stdout.splitlines())
    assert sum(outcomes.values()) == 300 and outcomes["accepted"] and outcomes["skipped"]
    assert result.returncode == 0 and b"File too large" in result.stderr
    assert len(gateway.taken) >= outcomes["accepted"] and gateway.duplicates() == {}


# -- kill -9 --------------------------------------------------------------------------------------------------------


class Kills:
    """One input, a moody gateway, and runs that are killed at random moments until one comes to its end."""

    def __init__(self, smspipe, tmp_path, seed, kills):
        self.smspipe, self.kills = smspipe, kills
        self.random = random.Random(seed)
        self.folder = tmp_path / f"seed-{seed}"
        self.folder.mkdir()
        self.journal = self.folder / "journal"
        self.input = self.folder / "input"
        self.contents = self._contents(120)
        self.input.write_text(lines(self.contents))
        self.lost = set()
        self.gateway = Gateway(self._script).start()
        self.options = ["--journal", self.journal, "--batch-size", "6", "--concurrency", "6", "--confirm", "3s"]
        self.options += ["--window", self.random.choice([20, 60, 20000]), self.input]
        self.seen = []
        self.left_open = set()

    def _contents(self, count):
        contents = [message(n, template=f"SMS_{n % 3}") for n in range(count)]
        contents += [message(n, template="SMS_1") for n in (1, 4, 7, 7)]  # identical lines are messages of their own
        contents += [message(1000 + n, Id=f"id{n}") for n in range(20)] + [message(1003, Id="id3")]
        self.random.shuffle(contents)
        return contents

    def _script(self, request):
        draw = self.random.random()
        if draw < 0.05:
            return gateway_error("Throttling.User", 429, headers={"x-acs-retry-after": "20"})
        if draw < 0.08:
            self.lost.add(request.out_id)
            return lost(self.random.choice([CLOSE, RESET]), taken=self.random.random() < 0.5)
        if draw < 0.10:
            return Answer(code="isv.BUSINESS_LIMIT_CONTROL")
        return Answer(delay=self.random.choice([0, 0.002, 0.02, 0.05]))

    def run(self, kill_after=None):
        output = self.folder / f"output-{len(self.seen)}"
        with output.open("wb") as file:
            process = subprocess.Popen(
                self.smspipe.arguments(self.gateway, self.options),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.PIPE,
                env=self.smspipe.environ({}),
            )
            if kill_after is not None:
                timer = threading.Timer(kill_after, lambda: process.send_signal(signal.SIGKILL))
                timer.start()
            errors = process.communicate(timeout=60)[1].decode()
            if kill_after is not None:
                timer.cancel()
        self.seen.append(output.read_bytes().split(b"\n")[:-1])
        if process.returncode == -signal.SIGKILL and self.journal.exists():
            self.left_open |= set(open_requests(self.journal))
        return process.returncode, errors

    def finish(self):
        """Kills, then runs to the end; gives how many runs were killed."""
        killed = 0
        while killed < self.kills:
            status, errors = self.run(self.random.uniform(0.01, 0.22))
            if status != -signal.SIGKILL:
                assert status in (0, 1, 3), errors
                break
            killed += 1
            # Most runs are killed while the last one's doubts are still to be looked up, some long after.
            if self.random.random() < 0.1:
                time.sleep(2)
        status, errors = self.run()
        assert status in (0, 1, 3), errors
        self.check()
        return killed

    def check(self):
        final = self.seen[-1]
        responses = [json.loads(text) for text in final]
        assert len(responses) == len(self.contents)
        for earlier in self.seen[:-1]:
            assert same(earlier, final[: len(earlier)]), "a line was answered otherwise before"
        allowed = Counter(line(content) if "Id" not in content else content["Id"] for content in self.contents)
        ids = {content["PhoneNumber"]: content["Id"] for content in self.contents if "Id" in content}
        texts = {(c["PhoneNumber"], c["TemplateCode"]): line(c) for c in self.contents}
        taken = Counter(
            ids.get(t.sms.phone) or texts[t.sms.phone, t.sms.template] for t in self.gateway.taken
        )
        for name, count in taken.items():
            assert count <= (1 if name in ids.values() else allowed[name]), f"{name} was taken {count} times"
        outcomes = Counter()
        for response in responses:
            outcomes[response["Outcome"]] += 1
            if response["Outcome"] == "unknown":
                # Its answer was lost, or a kill fell between its intent's record and its result's.
                assert response["BatchId"] in self.lost | self.left_open, "unknown without a reason"
        assert set(outcomes) <= {"accepted", "rejected", "unknown"}
        # Who is neither taken nor rejected is known to be in doubt: nobody is lost, and nobody is in doubt for nothing.
        in_doubt = {r["BatchId"] for r in responses if r["Outcome"] == "unknown"}
        assert not in_doubt & {t.sms.out_id for t in self.gateway.taken}, "taken, found by nobody"
        assert outcomes["accepted"] >= sum(taken.values())
        sent = len(self.gateway.sends)
        self.run()
        assert self.seen[-1] == final and len(self.gateway.sends) == sent
        assert self.gateway.complaints == []
        self.outcomes = outcomes


def test_killed_at_random_moments(smspipe, tmp_path, request):
    """`--kills 500` for the long form; each seed is an input of its own."""
    wanted = request.config.getoption("--kills")
    kills, seed, outcomes = 0, request.config.getoption("--seed"), Counter()
    while kills < wanted:
        world = Kills(smspipe, tmp_path, seed, kills=min(8, wanted - kills))
        try:
            kills += world.finish()
        except AssertionError as error:
            raise AssertionError(f"--seed {seed}: {error}") from error
        finally:
            world.gateway.stop()
        outcomes += world.outcomes
        seed += 1
    print(f"{kills} kills, {seed - request.config.getoption('--seed')} seeds, {dict(outcomes)}")


# -- the command ----------------------------------------------------------------------------------------------------


def test_the_summary_counts_messages_and_names_the_unknown(smspipe, gateway, journal):
    def script(request):
        if request.template == "SMS_2":
            return Answer(code="isv.SMS_TEMPLATE_ILLEGAL")
        return lost(CLOSE, taken=False) if request.template == "SMS_3" else None

    gateway.script = script
    contents = [message(1), message(2, template="SMS_2"), message(3, template="SMS_3"), message(4), "no JSON"]
    result = smspipe.run(gateway, "--journal", journal, "--confirm", "0", stdin=contents)
    summary = smspipe.run(None, "journal", journal, "--json").summary_of_stdout
    expected = {"Messages": 4, "Requests": 3, "Accepted": 2, "Rejected": 1, "Unknown": 1, "Open": 0, "NotSent": 0}
    assert {name: summary[name] for name in expected} == expected
    batch = result.responses[2]["BatchId"]
    assert summary["Uncertain"] == [{"Line": 3, "BatchId": batch, "Outcome": "unknown"}]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", summary["FirstTime"])
    text = smspipe.run(None, "journal", journal).stdout.decode()
    assert "accepted  2" in text and f"unknown:  line 3 in {batch}" in text


def test_the_manuals_recipes_work(smspipe, gateway, journal):
    gateway.script = lambda r: lost(CLOSE, taken=False) if r.template == "SMS_2" else None
    contents = [message(1), message(2, template="SMS_2"), message(3), message(4, template="SMS_2")]
    result = smspipe.run(gateway, "--journal", journal.parent / "run.journal", "--confirm", "0", stdin=contents)
    manual = MANUAL.read_text()
    block = manual[manual.index("# Who is unknown?") :]
    who, minutes = block[: block.index("```")].split("# How many a minute?")

    def run(recipe):
        return subprocess.run(["sh", "-ec", recipe], cwd=journal.parent, capture_output=True, check=True).stdout.decode()

    unknown = [json.loads(text) for text in run(who).splitlines()]
    assert unknown == [{"BatchId": result.responses[1]["BatchId"], "Lines": [2, 4]}]
    counts = [text.split(" ") for text in run(minutes).splitlines()]
    assert sum(int(count) for _, count in counts) == 2
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00Z", minute) for minute, _ in counts)


def test_compact_keeps_what_the_journal_says(smspipe, gateway, journal):
    def script(request):
        if request.number < 3:
            return gateway_error("Throttling.User", 429, headers={"x-acs-retry-after": "20"})
        return Answer(code="isv.BUSINESS_LIMIT_CONTROL") if phone(3) in request.phones else None

    gateway.script = script
    contents = [message(n) for n in range(64)]
    first = smspipe.run(gateway, "--journal", journal, stdin=contents)
    size = journal.stat().st_size
    before = smspipe.run(None, "journal", journal, "--json").stdout
    compacted = smspipe.run(None, "journal", journal, "--compact", "--json")
    assert compacted.status == 0 and compacted.stdout == before
    assert journal.stat().st_size < size and not list(journal.parent.glob(f"{journal.name}.*"))
    sent = len(gateway.sends)
    again = smspipe.run(gateway, "--journal", journal, stdin=contents + [message(99)])
    assert again.lines[:64] == first.lines and len(gateway.sends) == sent + 1


def test_compact_keeps_links_and_leaves_other_files_alone(smspipe, gateway, journal):
    gateway.script = lambda request: gateway_error("Throttling.User", 429) if request.number < 2 else None
    other = journal.with_name(journal.name + ".new")
    other.write_bytes(b"mine")
    link = journal.with_name("link")
    link.symlink_to(journal)
    assert smspipe.run(gateway, "--journal", link, stdin=[message(1)]).status == 0
    assert journal.stat().st_mode & 0o777 == 0o600
    journal.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(journal, 65534, 65533)
    before = journal.stat()
    assert smspipe.run(None, "journal", link, "--compact").status == 0
    assert link.is_symlink() and other.read_bytes() == b"mine" and b"withdrawal" not in journal.read_bytes()
    after = journal.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino
    assert smspipe.run(gateway, "--journal", journal, stdin=[message(1)]).status == 0
    assert len(gateway.taken) == 1


def test_compact_tells_that_it_cuts_a_torn_end(smspipe, gateway, journal):
    assert smspipe.run(gateway, "--journal", journal, stdin=[message(1)]).status == 0
    with open(journal, "ab") as file:
        file.write(b'{"Type":"inte')
    result = smspipe.run(None, "journal", journal, "--compact")
    assert result.status == 0 and "last 13 bytes were torn" in result.stderr


def test_the_journal_cannot_be_an_input_or_the_output(smspipe, gateway, journal):
    """Closing it as either would end the lock, and a second run would send everything once more."""
    assert smspipe.run(gateway, "--journal", journal, stdin=[message(1)]).status == 0
    content = journal.read_bytes()
    result = smspipe.run(gateway, "--journal", journal, journal, "-", stdin=[message(2)])
    assert result.status == 64 and "is the journal itself" in result.stderr
    with open(journal, "ab") as output:
        process = smspipe.start(gateway, "--journal", journal, stdout=output)
        process.close_input()
        assert process.wait() == 64
    assert journal.read_bytes() == content and len(gateway.taken) == 1


@pytest.mark.slow
def test_a_million_replayed_lines_take_seconds_and_bounded_memory(smspipe, gateway, journal, tmp_path):
    count = 1_000_000
    path = tmp_path / "input"
    with path.open("w") as file:
        file.writelines(f'{{"PhoneNumber":"139{n:08d}","TemplateCode":"SMS_1","SignName":"s"}}\n' for n in range(count))
    options = ["--journal", journal, "--no-echo", "--order", "input", str(path)]
    first = smspipe.run(gateway, *options, timeout=900)
    assert first.status == 0
    arguments = ["/usr/bin/time", "-f", "%M %e", *smspipe.arguments(gateway, options)]
    done = subprocess.run(arguments, capture_output=True, env=smspipe.environ({}), timeout=300)
    kibibytes, seconds = done.stderr.split()[-2:]
    print(f"{count} replayed lines: {float(seconds):.1f} s, {int(kibibytes) / 1024:.0f} MiB")
    assert done.stdout == first.stdout
    assert int(kibibytes) < 160 << 10 and float(seconds) < 30
