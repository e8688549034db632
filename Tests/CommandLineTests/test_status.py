"""`smspipe status`: what became of the messages of response lines: contract, section 9."""

import json
import subprocess
import time
from datetime import datetime, timedelta

import pytest

from command import BINARY, RESPONSE_MEMBERS, lines, message, phone
from gateway import CHINA, NEVER, Answer, gateway_error, lost

ADDED = ["SendStatus", "ErrCode", "ReceiveDate"]
NOTHING = {name: None for name in ADDED}


def day(offset=0):
    return (datetime.now(CHINA) + timedelta(days=offset)).strftime("%Y%m%d")


def response(number=1, outcome="accepted", biz_id="1^0", batch_id="run-1", send_date=None, **members):
    """A response line as the filter writes it."""
    sent = outcome in ("accepted", "unknown")
    return message(number) | members | {
        "Outcome": outcome,
        "Code": "OK" if outcome == "accepted" else "smspipe.UNCONFIRMED",
        "Message": "text",
        "BizId": biz_id if outcome == "accepted" else None,
        "RequestId": None,
        "BatchId": batch_id,
        "SendDate": (send_date or day()) if sent else None,
    }


def record(status=3, out_id="run-1", template="SMS_71175823", **members):
    received = {} if status == 1 else {"ErrCode": "DELIVERED", "ReceiveDate": "2026-03-04 10:00:09"}
    if status == 2:
        received["ErrCode"] = "DB:0141"
    return {
        "PhoneNum": "x", "SendStatus": status, "OutId": out_id, "TemplateCode": template, "SendDate": "", "Content": "",
        **received, **members,
    }  # fmt: skip


def details(*records, total=None):
    return Answer(
        details={
            "TotalCount": str(len(records) if total is None else total),
            "SmsSendDetailDTOs": {"SmsSendDetailDTO": list(records)},
        }
    )


def statuses(result):
    return [tuple(line[name] for name in ADDED) for line in result.responses]


@pytest.fixture
def status(smspipe, gateway):
    """Runs `smspipe status` against the gateway."""

    def run(*options, stdin, **more):
        return smspipe.run(None, "status", "--endpoint", gateway.endpoint, *options, stdin=stdin, **more)

    return run


# -- against the simulator ------------------------------------------------------------------------------------------------


class Simulated:
    """Commands with one simulator."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [BINARY, "simulate", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        ready = json.loads(self.process.stdout.readline())
        self.environment = {
            "SMSPIPE_ENDPOINT": ready["endpoint"],
            "ALIBABA_CLOUD_ACCESS_KEY_ID": ready["accessKeyId"],
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ready["accessKeySecret"],
        }

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)


@pytest.fixture
def simulated():
    started = []

    def start(*options):
        started.append(Simulated(*options))
        return started[-1].environment

    yield start
    for simulator in started:
        simulator.end()


def numbered(number):
    return message(1) | {"PhoneNumber": number}


def test_the_filters_output_gets_its_statuses(smspipe, simulated):
    env = simulated("--report-delay", "0ms")
    numbers = [phone(1), "19999001001", "19999001002", "19999001004", "19999000001", "x"]
    sent = smspipe.run(None, stdin=[numbered(number) for number in numbers], env=env)
    assert sent.outcomes == ["accepted"] * 4 + ["rejected", "invalid"]
    result = smspipe.run(None, "status", stdin=sent.stdout, env=env)
    assert result.column("SendStatus") == ["delivered", "failed", "failed", "waiting", None, None]
    assert result.column("ErrCode") == ["DELIVERED", "MOBILE_NOT_ON_SERVICE", "MOBILE_IN_BLACK", None, None, None]
    assert [bool(date) for date in result.column("ReceiveDate")] == [True, True, True, False, False, False]
    for before, after in zip(sent.lines, result.lines, strict=True):
        assert after.startswith(before[:-1] + ',"SendStatus":')
    assert list(result.responses[0]) == [*message(1), *RESPONSE_MEMBERS, *ADDED]
    assert (result.status, result.stderr) == (3, "")


def test_waits_for_receipts(smspipe, simulated):
    env = simulated("--report-delay", "1500ms")
    sent = smspipe.run(None, stdin=[message(n) for n in range(250)], env=env)
    at_once = smspipe.run(None, "status", stdin=sent.stdout, env=env)
    assert at_once.column("SendStatus") == ["waiting"] * 250
    assert at_once.status == 3
    waited = smspipe.run(None, "status", "--wait", "1m", "--summary", stdin=sent.stdout, env=env)
    assert waited.column("SendStatus") == ["delivered"] * 250
    assert waited.column("PhoneNumber") == sent.column("PhoneNumber")
    assert waited.status == 0
    assert waited.seconds < 10
    assert waited.summary["Lines"] == waited.summary["Delivered"] == 250


def test_the_time_to_wait_ends(smspipe, simulated):
    env = simulated()
    sent = smspipe.run(None, stdin=[numbered("19999001004")], env=env)
    result = smspipe.run(None, "status", stdin=sent.stdout, env=env | {"SMSPIPE_WAIT": "2s"})
    assert result.column("SendStatus") == ["waiting"]
    assert 2 <= result.seconds < 4
    assert result.status == 3


def test_a_message_whose_answer_was_lost_is_found(smspipe, simulated):
    env = simulated("--report-delay", "0ms", "--fault", "drop-after=1,nth=1", "--fault", "drop-before=1,nth=2")
    sent = smspipe.run(None, "--confirm", "0", stdin=[message(1), message(2)], env=env)
    assert sent.outcomes == ["unknown"] * 2
    found = smspipe.run(None, "status", "--summary", stdin=sent.stdout, env=env)
    assert found.outcomes == ["accepted"] * 2
    assert found.codes == ["OK"] * 2
    assert found.column("Message") == ["Found by look-up."] * 2
    assert found.column("SendStatus") == ["delivered"] * 2
    assert found.column("BatchId") == sent.column("BatchId")
    assert found.summary["Found"] == 2
    assert found.status == 0
    again = smspipe.run(None, "status", stdin=found.stdout, env=env)
    assert again.stdout == found.stdout


@pytest.mark.parametrize("signature", ["v3", "v1"])
def test_both_signatures(smspipe, simulated, signature):
    env = simulated("--report-delay", "0ms")
    sent = smspipe.run(None, stdin=[message(1)], env=env)
    assert smspipe.run(None, "status", "--signature", signature, stdin=sent.stdout, env=env).status == 0


# -- what is asked --------------------------------------------------------------------------------------------------------


def test_the_question(status, gateway):
    gateway.lookup_script = lambda request: details(record())
    result = status(stdin=[response(PhoneNumber="+86 1"), response(PhoneNumber=8613800000001)])
    assert [request.fields.get("PhoneNumber") for request in gateway.lookups] == ["13800000001"]
    fields = gateway.lookups[0].fields
    assert (fields["BizId"], fields["SendDate"], fields["PageSize"], fields["CurrentPage"]) == ("1^0", day(), "50", "1")
    assert statuses(result) == [(None,) * 3, ("delivered", "DELIVERED", "2026-03-04 10:00:09")]


def test_an_unknown_line_is_looked_for_on_all_pages(status, gateway):
    def page(request):
        number = int(request.fields["CurrentPage"])
        records = [record(out_id="other")] * 50 if number < 3 else [record(2)]
        return details(*records, total=101)

    gateway.lookup_script = page
    result = status(stdin=[response(outcome="unknown")])
    assert [request.fields["CurrentPage"] for request in gateway.lookups] == ["1", "2", "3"]
    assert all("BizId" not in request.fields for request in gateway.lookups)
    assert (result.outcomes, statuses(result)) == (["accepted"], [("failed", "DB:0141", "2026-03-04 10:00:09")])
    assert result.status == 1


@pytest.mark.parametrize("offset", [1, -1])
def test_the_days_beside_are_asked_for(status, gateway, offset):
    sent, filed = day(-3), day(-3 + offset)
    gateway.lookup_script = lambda request: details(*[record()] * (request.fields["SendDate"] == filed))
    result = status(stdin=[response(send_date=sent)])
    asked = [request.fields["SendDate"] for request in gateway.lookups]
    assert asked == [sent, day(-2), day(-4)][: 2 if offset == 1 else 3]
    assert result.column("SendStatus") == ["delivered"]
    assert result.column("SendDate") == [sent]


def test_not_found_is_not_not_sent(status, gateway):
    gateway.lookup_script = lambda request: details()
    result = status(stdin=[response(), response(outcome="unknown")])
    assert result.outcomes == ["accepted", "unknown"]
    assert statuses(result) == [(None,) * 3] * 2
    assert result.status == 3


def test_an_own_out_id_leaves_an_unknown_line_unknown(status, gateway):
    gateway.lookup_script = lambda request: details(record(out_id="order"), record())
    result = status(stdin=[response(outcome="unknown", OutId="order")])
    assert (result.outcomes, result.column("SendStatus")) == (["unknown"], ["delivered"])
    assert result.status == 3


# -- lines that cannot be asked about -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "expected"), [("rejected", 1), ("invalid", 1), ("skipped", 1), ("planned", 0)]
)  # fmt: skip
def test_what_was_never_sent_is_passed_on(status, gateway, outcome, expected):
    given = response(outcome=outcome)
    result = status(stdin=[given])
    assert result.responses == [given | NOTHING]
    assert gateway.lookups == []
    assert (result.status, result.stderr) == (expected, "")


def test_lines_without_a_number_are_told(smspipe, status, gateway):
    sent = smspipe.run(gateway, "--no-echo", stdin=[message(1), message(2)])
    result = status(stdin=sent.stdout)
    assert result.responses == [line | NOTHING for line in sent.responses]
    assert gateway.lookups == []
    assert "line 1 is the first of 2 lines" in result.stderr and "--no-echo" in result.stderr
    assert result.status == 1


def test_lines_that_are_no_response_lines_are_kept_and_told(status, gateway):
    gateway.lookup_script = lambda request: details(record())
    result = status(stdin='{"PhoneNumber":"13800000001"}\n\nnonsense\n' + lines([response()]))
    assert result.responses[0] == {"PhoneNumber": "13800000001"} | NOTHING
    bad = result.responses[1]
    assert (bad["Line"], bad["Input"], bad["Code"]) == (3, "nonsense", "smspipe.INVALID_JSON")
    assert bad["Message"] == "The line is not a JSON object: at byte 0: expected '{'."
    assert "Outcome" not in bad
    assert result.column("SendStatus") == [None, None, "delivered"]
    assert result.stderr.count("\n") == 1 and "line 1 is the first of 2 lines" in result.stderr
    assert result.status == 1


def test_all_else_is_untouched_to_the_byte(status, gateway):
    gateway.lookup_script = lambda request: details(record(1))
    given = (
        '{ "x" : 1.50 ,"PhoneNumber":13800000001,"\\u004futcome" : "accepted", "SendStatus":"waiting","BizId":"1^0",'
        f'"ReceiveDate":null,"SendDate":"{day()}","y":{{"SendStatus":[1e2]}} }}'
    )
    result = status(stdin=given + "\r\n")
    assert result.lines == [
        '{ "x" : 1.50 ,"PhoneNumber":13800000001,"\\u004futcome" : "accepted","BizId":"1^0",'
        f'"SendDate":"{day()}","y":{{"SendStatus":[1e2]}},"SendStatus":"waiting","ErrCode":null,"ReceiveDate":null}}'
    ]


@pytest.mark.parametrize("given", ["", "\n\n"])
def test_an_empty_input(status, gateway, given):
    result = status(stdin=given)
    assert (result.status, result.stdout, result.stderr) == (0, b"", "")
    assert gateway.connections == 0


def test_files(smspipe, status, gateway):
    gateway.lookup_script = lambda request: details(record())
    (smspipe.home / "a").write_text(lines([response(1)]))
    (smspipe.home / "b").write_text(lines([response(2)]).rstrip())
    result = status("a", "-", "b", stdin=[response(3)])
    assert result.column("PhoneNumber") == [phone(1), phone(3), phone(2)]
    missing = status("c", stdin="")
    assert missing.status == 66 and "cannot read c" in missing.stderr


# -- failures -------------------------------------------------------------------------------------------------------------


def once(answer, then):
    """Gives an answer to the first question, and another to the others."""
    given = []

    def script(request):
        given.append(request)
        return answer if len(given) == 1 else then

    return script


@pytest.mark.parametrize(
    "answer",
    [
        gateway_error("Throttling.User", headers={"x-acs-retry-after": "100"}),
        gateway_error("ServiceUnavailable", 503),
        Answer(code="isp.SYSTEM_ERROR"),
        Answer(body=b"<html>"),
        lost("close"),
        lost("reset"),
        lost("garbage"),
    ],
    ids=lambda answer: answer.fault or answer.code + str(answer.status),
)
def test_what_fails_is_tried_again(status, gateway, answer):
    gateway.lookup_script = once(answer, details(record()))
    result = status(stdin=[response()])
    assert result.column("SendStatus") == ["delivered"]
    assert (result.status, result.stderr) == (0, "")
    assert len(gateway.lookups) == 2


def test_an_answer_that_does_not_come_is_not_awaited_for_ever(status, gateway):
    gateway.lookup_script = once(lost(NEVER), details(record()))
    result = status("--timeout", "500ms", stdin=[response()])
    assert (result.status, result.column("SendStatus")) == (0, ["delivered"])


def test_a_clock_that_is_wrong(smspipe, status, gateway):
    gateway.clock_offset = 3600
    gateway.lookup_script = lambda request: details(record())
    assert status(stdin=[response(n) for n in range(3)]).status == 0


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (gateway_error("Forbidden.RAM", 403), 77),
        (Answer(code="isp.RAM_PERMISSION_DENY"), 77),
        (Answer(code="isv.OUT_OF_SERVICE"), 69),
    ],
)
def test_a_closed_account_ends_the_asking(status, gateway, answer, expected):
    gateway.lookup_script = lambda request: answer
    given = [response(n) for n in range(100)] + [response(outcome="rejected")]
    result = status("--concurrency", "2", stdin=given)
    assert result.responses == [line | NOTHING for line in given]
    assert result.status == expected
    assert len(gateway.lookups) <= 4
    assert result.stderr.count("stopped asking: " + answer.code) == 1


def test_a_wrong_key(status, gateway):
    given = [response(n) for n in range(3)]
    result = status(stdin=given, env={"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "wrong"})
    assert result.responses == [line | NOTHING for line in given]
    assert result.status == 77 and "SignatureDoesNotMatch" in result.stderr


def test_no_key(status):
    env = {"ALIBABA_CLOUD_ACCESS_KEY_ID": None, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": None}
    result = status(stdin=[response()], env=env)
    assert (result.status, result.stdout) == (77, b"")
    assert "smspipe simulate" in result.stderr


def test_a_day_that_the_service_refuses(status, gateway):
    gateway.lookup_script = lambda request: Answer(code="isv.INVALID_PARAMETERS")
    result = status(stdin=[response(send_date="20200101")])
    assert statuses(result) == [(None,) * 3]
    assert result.status == 1 and "30 days" in result.stderr
    assert "1 of the messages could not be looked up: isv.INVALID_PARAMETERS" in result.stderr


def test_a_gateway_that_is_not_there(smspipe, gateway):
    gateway.stop_listening()
    result = smspipe.run(None, "status", "--endpoint", gateway.endpoint, stdin=[response()])
    assert (result.status, statuses(result)) == (69, [(None,) * 3])
    assert "stopped asking" in result.stderr
    assert 9 < result.seconds < 15


def test_a_certificate_that_does_not_verify(smspipe, secure_gateway, authority):
    secure_gateway.lookup_script = lambda request: details(record())
    options = "status", "--endpoint", secure_gateway.endpoint
    result = smspipe.run(None, *options, stdin=[response()])
    assert result.status == 69 and "--ca-file" in result.stderr
    assert smspipe.run(None, *options, "--ca-file", authority.file, stdin=[response()]).status == 0


# -- how it runs ----------------------------------------------------------------------------------------------------------


def test_no_more_look_ups_at_once_than_allowed(status, gateway):
    gateway.lookup_script = lambda request: details(record())
    result = status("--concurrency", "3", stdin=[response(n) for n in range(300)])
    assert result.status == 0
    assert gateway.connections <= 3
    assert result.column("PhoneNumber") == [phone(n) for n in range(300)]


def test_a_rate(status, gateway):
    gateway.lookup_script = lambda request: details(record())
    result = status("--rate", "20/s", stdin=[response(n) for n in range(31)])
    assert 1.3 < result.seconds < 4


def test_a_line_is_answered_while_the_input_goes_on(smspipe, gateway):
    gateway.lookup_script = lambda request: details(record())
    process = smspipe.start(None, "status", "--endpoint", gateway.endpoint)
    for number in range(3):
        process.write(response(number))
        assert process.read()["PhoneNumber"] == phone(number)
    process.close_input()
    assert process.wait() == 0


def test_a_small_window_reads_no_further(smspipe, gateway):
    gateway.lookup_script = lambda request: details(record(1 if request.fields["PhoneNumber"] == phone(0) else 3))
    process = smspipe.start(None, "status", "--endpoint", gateway.endpoint, "--window", "2", "--wait", "3s")
    process.write(*[response(n) for n in range(5)])
    process.close_input()
    asked = lambda: {request.fields["PhoneNumber"] for request in gateway.lookups}  # noqa: E731
    gateway.wait(lambda: len(asked()) == 2)
    time.sleep(0.5)
    assert asked() == {phone(0), phone(1)}
    assert [line["SendStatus"] for line in process.read_all()] == ["waiting"] + ["delivered"] * 4
    assert process.wait() == 3


@pytest.mark.parametrize(("name", "expected"), [("TERM", 143), ("INT", 130), ("HUP", 129)])
def test_a_signal_ends_the_waiting(smspipe, gateway, name, expected):
    gateway.lookup_script = lambda request: details(record(1 if request.fields["PhoneNumber"] == phone(0) else 3))
    process = smspipe.start(None, "status", "--endpoint", gateway.endpoint, "--wait", "10m")
    process.write(response(0), response(1))
    gateway.wait(lambda: len(gateway.lookups) >= 2)
    assert process.is_silent(0.3)
    process.signal(name)
    assert [line["SendStatus"] for line in process.read_many(2)] == ["waiting", "delivered"]
    assert process.read() is None
    assert process.wait(5) == expected


def test_a_signal_waits_for_answers_and_a_second_one_does_not(smspipe, gateway):
    gateway.lookup_script = lambda request: lost(NEVER)
    process = smspipe.start(None, "status", "--endpoint", gateway.endpoint)
    process.write(response())
    gateway.wait(lambda: gateway.lookups)
    process.signal("TERM")
    assert process.is_silent(0.5)
    process.signal("TERM")
    assert process.wait(5) == 143


def test_usr1_prints_the_summary_so_far(smspipe, gateway):
    gateway.lookup_script = lambda request: details(record(1))
    process = smspipe.start(None, "status", "--endpoint", gateway.endpoint, "--wait", "10m")
    process.write(response())
    gateway.wait(lambda: gateway.lookups)
    process.signal("USR1")
    process.wait_for_stderr()
    summary = json.loads(process.stderr.splitlines()[0])
    assert (summary["Lines"], summary["Waiting"]) == (1, 0)
    process.signal("TERM")
    assert process.wait(5) == 143


def test_a_closed_output_ends_the_run(smspipe, gateway):
    gateway.lookup_script = lambda request: details(record(1))
    process = smspipe.start(None, "status", "--endpoint", gateway.endpoint, "--wait", "10m")
    process.write(response())
    gateway.wait(lambda: gateway.lookups)
    process.close_output()
    assert process.wait(5) == 141
    assert process.stderr == ""


def test_a_full_disk(smspipe, gateway):
    gateway.lookup_script = lambda request: details(record())
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            smspipe.arguments(None, ["status", "--endpoint", gateway.endpoint]),
            input=lines([response()]).encode(), stdout=full, stderr=subprocess.PIPE, env=smspipe.environ({}), timeout=30,
        )  # fmt: skip
    assert done.returncode == 74
    assert b"No space left" in done.stderr


@pytest.mark.parametrize(
    ("fail_on", "record_status", "expected"),
    [("any", 2, 1), ("any", 1, 3), ("unknown", 2, 0), ("unknown", 1, 3), ("never", 1, 0), ("never", 2, 0)],
)
def test_fail_on(status, gateway, fail_on, record_status, expected):
    gateway.lookup_script = lambda request: details(record(record_status))
    assert status("--fail-on", fail_on, stdin=[response()]).status == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--window", "0"], 64),
        (["--concurrency", "0"], 64),
        (["--timeout", "0"], 64),
        (["--max-line", "0"], 64),
        (["--wait", "x"], 64),
        (["--simulate"], 64),
        (["--endpoint", "ftp://sms.example/x"], 78),
        (["--ca-file", "/nonexistent"], 78),
    ],
)
def test_wrong_usage(smspipe, options, expected):
    result = smspipe.run(None, "status", *options, stdin="")
    assert (result.status, result.stdout) == (expected, b"")
    assert options[0] in result.stderr


def test_help(smspipe):
    result = smspipe.run(None, "status", "--help")
    text = result.stdout.decode()
    for word in [*ADDED, "--wait", "--no-echo", "Exit status", "waiting", "not found", "--rate"]:
        assert word in text
    assert result.status == 0


def test_a_long_input_takes_no_more_memory(smspipe, gateway):
    gateway.lookup_script = lambda request: details(record())
    block = lines([response(n, outcome="rejected") for n in range(10_000)]).encode()
    process = smspipe.start(None, "status", "--endpoint", gateway.endpoint, stdout=subprocess.DEVNULL)
    written = process.write_in_background([block] * 60)
    deadline = time.monotonic() + 30
    while written[0] < 60 * len(block):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert process.peak_memory() < 64
    process.close_input()
    assert process.wait() == 1


def test_why_nothing_more_is_asked_is_told_at_once(smspipe, gateway):
    """A line says nothing of it, and the input may go on for days."""
    gateway.lookup_script = lambda request: Answer(code="Forbidden.RAM", status=403)
    process = smspipe.start(None, "status", "--endpoint", gateway.endpoint)
    process.write(response())
    process.wait_for_stderr()
    assert "stopped asking: Forbidden.RAM" in process.stderr and "dysms:QuerySendDetails" in process.stderr
    process.close_input()
    assert process.wait() == 77 and process.stderr.count("stopped asking") == 1
