"""Response lines, their order, and what else is printed: contract, section 2."""

import json
import re
import threading

import pytest

from command import RESPONSE_MEMBERS, line, message, phone, today
from gateway import Answer


def test_a_response_has_the_members_of_the_contract(smspipe, gateway):
    response = smspipe.run(gateway, stdin=[message(1, order=7)]).responses[0]
    assert list(response) == [*message(1), "order", *RESPONSE_MEMBERS]
    request = gateway.requests[0]
    assert response["Outcome"] == "accepted"
    assert response["Code"] == "OK"
    assert response["Message"] == "OK"
    assert response["BizId"] == gateway.taken[0].biz_id
    assert re.fullmatch(r"[0-9A-F-]{36}", response["RequestId"])
    assert response["BatchId"] and response["BatchId"] == request.out_id
    assert response["SendDate"] in today()


def test_messages_of_a_request_share_its_ids_and_requests_do_not(smspipe, gateway):
    contents = [message(n, "SMS_1") for n in range(3)] + [message(n, "SMS_2") for n in range(3, 6)]
    result = smspipe.run(gateway, stdin=contents)
    for name in ("BizId", "RequestId", "BatchId"):
        column = result.column(name)
        assert column[:3] == [column[0]] * 3 and column[3:] == [column[3]] * 3 and column[0] != column[3]


def test_batch_ids_are_new_in_each_run(smspipe, gateway):
    ids = [smspipe.run(gateway, stdin=[message(1)]).column("BatchId")[0] for _ in range(2)]
    assert ids[0] != ids[1]


def test_a_refusal_carries_the_answer_of_the_service(smspipe, gateway):
    text = '模版缺少变量: "code"\n\\ 😀'
    gateway.script = lambda request: Answer("isv.SMS_TEMPLATE_ILLEGAL", text)
    result = smspipe.run(gateway, stdin=[message(1), message(2)])
    for response in result.responses:
        assert (response["Outcome"], response["Code"]) == ("rejected", "isv.SMS_TEMPLATE_ILLEGAL")
        assert response["Message"] == text
        assert response["BizId"] is None
        assert re.fullmatch(r"[0-9A-F-]{36}", response["RequestId"])
    assert result.status == 1
    assert len(gateway.requests) == 1


def test_the_input_is_untouched_to_the_byte(smspipe, gateway):
    inputs = [
        '{ "order" : 1.50 , "PhoneNumber":"13800000001",\t"TemplateCode":"SMS_1","SignName":"云通信" }',
        r'{"SignName":"\u4e91\u901a\u4fe1","x":"\/\u0041\ud83d\ude00","PhoneNumber":"13800000002","TemplateCode":"SMS_1"}',
        '{"PhoneNumber":13800000003,"a":[1e2,-0,{"b":1.0E+3}],"TemplateCode":"SMS_1","SignName":"云通信","":null}',
        '{"TemplateParam":{ "code" : 0.10 },"PhoneNumber":"+8613800000004","TemplateCode":"SMS_1","SignName":"云通信"}',
        '{"TemplateParam":"{\\"code\\":1}","PhoneNumber":"13800000005","TemplateCode":"SMS_1","SignName":"云通信"}',
    ]
    result = smspipe.run(gateway, stdin=inputs)
    assert result.outcomes == ["accepted"] * 5
    for given, answered in zip(inputs, result.lines):
        assert answered.startswith(given[:-1].rstrip())
        rest = answered[len(given[:-1].rstrip()) :].lstrip()
        assert rest.startswith(',"Outcome":"accepted"') or rest.startswith(', "Outcome"')


def test_an_invalid_object_is_echoed_too(smspipe, gateway):
    given = '{ "PhoneNumber":"x", "order" : 1.0 }'
    result = smspipe.run(gateway, stdin=given + "\n")
    assert result.lines[0].startswith('{ "PhoneNumber":"x", "order" : 1.0')
    assert list(result.responses[0]) == ["PhoneNumber", "order", *RESPONSE_MEMBERS]


def test_thousands_of_messages_of_three_templates(smspipe, gateway):
    """What the filter is for, at once: batches, order, bytes, silence, exit status; in both signatures."""
    spaced = '{{ "n":{n},"PhoneNumber" : "{p}", "TemplateCode":"{t}","SignName":"云通信" ,"TemplateParam":{{"code":{n}.50}}}}'
    tight = (
        '{{"TemplateParam":{{"code":"{n}"}},"SignName":"\\u4e91通信","TemplateCode":"{t}","PhoneNumber":{p},"x":1E{n}}}'
    )
    templates = ["SMS_71175823", "SMS_154950909", "SMS_205119274"]
    inputs = [(spaced if n % 2 else tight).format(n=n, p=phone(n % 1000), t=templates[n % 7 % 3]) for n in range(1050)]
    for signature in ("v3", "v1"):
        gateway.requests.clear()
        gateway.taken.clear()
        result = smspipe.run(gateway, "--signature", signature, stdin=inputs)
        assert (result.status, result.stderr) == (0, "")
        assert [text.split(',"Outcome":')[0].rstrip() for text in result.lines] == [t[:-1].rstrip() for t in inputs]
        assert result.outcomes == ["accepted"] * 1050
        assert all(("authorization" in request.headers) == (signature == "v3") for request in gateway.requests)
        assert all(len(request.messages) <= 100 for request in gateway.requests)
        assert len(gateway.taken) == 1050
        sent = {(t.sms.phone, t.sms.template, t.sms.parameters["code"]): t.biz_id for t in gateway.taken}
        for n, response in enumerate(result.responses):
            code = f"{n}.50" if n % 2 else str(n)
            assert sent[(phone(n % 1000), response["TemplateCode"], code)] == response["BizId"]
        assert len(gateway.requests) <= 20


def test_responses_come_in_input_order(smspipe, gateway):
    second_answered = threading.Event()

    def script(request):
        if request.template == "SMS_1":
            return Answer(wait_for=second_answered)

    gateway.script = script
    process = smspipe.start(gateway)
    process.write(*[message(n, f"SMS_{n % 2 + 1}") for n in range(20)])
    process.close_input()
    gateway.wait_for_requests(2)
    assert process.is_silent(0.3)
    second_answered.set()
    assert [response["PhoneNumber"] for response in process.read_all()] == [phone(n) for n in range(20)]


def test_responses_may_come_in_order_of_completion(smspipe, gateway):
    released = threading.Event()
    gateway.script = lambda request: Answer(wait_for=released) if request.template == "SMS_1" else None
    process = smspipe.start(gateway, "--order", "completion")
    process.write(message(1, "SMS_1"), message(2, "SMS_2"), "nonsense")
    process.close_input()
    first = process.read_many(2)
    assert {response.get("PhoneNumber") for response in first} == {None, phone(2)}
    released.set()
    assert process.read()["PhoneNumber"] == phone(1)
    assert process.read() is None


def test_an_invalid_line_waits_for_its_turn(smspipe, gateway):
    released = threading.Event()
    gateway.script = lambda request: Answer(wait_for=released)
    process = smspipe.start(gateway)
    process.write(message(1), "nonsense", message(2))
    process.close_input()
    gateway.wait_for_requests(1)
    assert process.is_silent(0.3)
    released.set()
    assert [response["Outcome"] for response in process.read_all()] == ["accepted", "invalid", "accepted"]


def test_an_invalid_first_line_is_answered_at_once(smspipe, gateway):
    process = smspipe.start(gateway, "--linger", "60s")
    process.write("nonsense")
    assert process.read()["Outcome"] == "invalid"


def test_no_echo_keeps_personal_data_out(smspipe, gateway):
    contents = [
        message(1, parameters={"code": "绝密1"}, order="绝密2"),
        line(message(2, parameters={"code": "绝密1"}))[:-1] + ',"Id":1.0e1}',
        message(3, Id="evt-3", parameters={"code": ["绝密1"]}),
        '{"PhoneNumber":"13800000004" 绝密',
        '{"PhoneNumber":"1380000000x","SignName":"绝密","TemplateCode":"SMS_1"}',
    ]
    result = smspipe.run(gateway, "--no-echo", stdin=contents)
    text = result.stdout.decode()
    assert "绝密" not in text and "1380000" not in text
    assert result.column("Line") == [1, 2, 3, 4, 5]
    assert result.outcomes == ["accepted", "accepted", "invalid", "invalid", "invalid"]
    assert [set(response) - {"Id"} for response in result.responses] == [{"Line", *RESPONSE_MEMBERS}] * 5
    assert ["Id" in response for response in result.responses] == [False, True, True, False, False]
    assert '"Id":1.0e1' in result.lines[1] and result.responses[2]["Id"] == "evt-3"


def test_nothing_but_responses_on_standard_output_and_nothing_on_standard_error(smspipe, gateway):
    result = smspipe.run(gateway, stdin=[message(n) for n in range(250)])
    assert len(result.responses) == 250 and result.stderr == ""


def test_summary_is_one_json_line_on_standard_error(smspipe, gateway):
    gateway.script = lambda request: Answer("isv.SMS_TEMPLATE_ILLEGAL") if request.template == "SMS_2" else None
    contents = [message(1), message(2), message(3), message(4, "SMS_2"), message(5, "SMS_2"), "nonsense"]
    result = smspipe.run(gateway, "--summary", stdin=contents)
    assert len(result.stderr.splitlines()) == 1
    summary = {name.lower(): value for name, value in result.summary.items()}
    assert [summary[name] for name in ("messages", "accepted", "rejected", "invalid")] == [6, 3, 2, 1]
    assert summary.get("unknown", 0) == 0 and summary.get("skipped", 0) == 0
    assert summary["requests"] == 2
    assert summary["codes"] == {"OK": 3, "isv.SMS_TEMPLATE_ILLEGAL": 2, "smspipe.INVALID_JSON": 1}


def test_a_dry_run_sends_nothing_and_groups(smspipe, gateway):
    contents = [message(n, f"SMS_{n % 2 + 1}") for n in range(220)] + ["nonsense"]
    result = smspipe.run(gateway, "--dry-run", "--summary", stdin=contents)
    assert gateway.connections == 0
    assert result.outcomes == ["planned"] * 220 + ["invalid"]
    assert result.status == 1
    assert set(result.codes[:220]) == {"smspipe.PLANNED"}
    assert set(result.column("BizId")) == set(result.column("RequestId")) == set(result.column("SendDate")) == {None}
    groups = {}
    for response in result.responses[:220]:
        groups.setdefault(response["BatchId"], []).append(response["TemplateCode"])
    assert sorted(len(group) for group in groups.values()) == [10, 10, 100, 100]
    assert all(len(set(group)) == 1 for group in groups.values())
    summary = {name.lower(): value for name, value in result.summary.items()}
    assert (summary["messages"], summary["planned"], summary["requests"]) == (221, 220, 4)


@pytest.mark.parametrize("linger", ["0", "1ms", "20ms"])
def test_a_dry_run_sends_nothing_though_batches_become_due_while_it_reads(smspipe, gateway, linger):
    contents = [message(n, f"SMS_{n % 3000}") for n in range(60_000)]
    result = smspipe.run(gateway, "--dry-run", "--linger", linger, stdin=contents)
    assert gateway.connections == 0
    assert (result.status, result.outcomes) == (0, ["planned"] * 60_000)


def test_a_dry_run_of_good_lines_ends_with_0(smspipe, gateway):
    assert smspipe.run(gateway, "-n", stdin=[message(1)]).status == 0


def test_an_answer_is_printed_while_the_input_is_still_open(smspipe, gateway):
    process = smspipe.start(gateway)
    for n in range(5):
        process.write(message(n))
        assert process.read()["PhoneNumber"] == phone(n)
    process.close_input()
    assert process.wait() == 0


def test_a_closed_output_ends_quietly_with_141(smspipe, gateway):
    process = smspipe.start(gateway, "--batch-size", "1", "--concurrency", "1")
    process.write_in_background([(line(message(n)) + "\n").encode() for n in range(5000)])
    gateway.wait_for_requests(1)
    process.close_output()
    assert process.wait() == 141
    assert process.stderr == ""
    assert len(gateway.requests) < 5000


def test_a_full_disk_under_the_output_is_said(smspipe, gateway, tmp_path):
    """Without a journal nobody is told to send again what has no line: it was sent."""
    for options, advice in [([], "of 1 accepted and 0 unknown"), (["--journal", tmp_path / "j"], "with the same journal")]:
        with open("/dev/full", "wb") as full:
            process = smspipe.start(gateway, *options, stdout=full)
            process.write(message(1))
            process.close_input()
            assert process.wait() == 74
        assert len(process.stderr.splitlines()) == 1 and advice in process.stderr
        assert ("run again" in process.stderr) == bool(options)


def test_simulate_answers_the_examples(smspipe):
    from command import ROOT

    with open(ROOT / "examples/messages.jsonl", "rb") as examples:
        inputs = [text for text in examples.read().splitlines() if text.strip()]
        examples.seek(0)
        result = smspipe.run(
            None,
            "--simulate",
            stdin=examples,
            env={"ALIBABA_CLOUD_ACCESS_KEY_ID": None, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": None},
        )
    assert result.status == 1
    assert len(result.lines) == len(inputs)
    assert sorted(set(result.outcomes)) == ["accepted", "invalid"]
    assert result.outcomes.count("invalid") == 5
    assert "simulat" in result.stderr.lower()
    for given, response in zip(inputs, result.responses):
        if response["Outcome"] == "accepted":
            assert json.loads(given)["PhoneNumber"] == response["PhoneNumber"]
            assert re.fullmatch(r"\d+\^\d+", response["BizId"])
