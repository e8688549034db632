"""What a line may be, what makes it invalid, and what goes out for it: contract, section 1."""

import json
import os
import random
import re
import subprocess
from pathlib import Path

import pytest

from command import RESPONSE_MEMBERS, line, message, phone


def one(smspipe, gateway, text, *options):
    """The response to one line, and the message that went out for it, if any."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    result = smspipe.run(gateway, *options, stdin=data + b"\n")
    assert len(result.lines) == 1, result
    response = result.responses[0]
    assert result.status == (0 if response["Outcome"] == "accepted" else 1)
    assert result.stderr == ""
    return response, (gateway.taken[0].sms if gateway.taken else None)


def invalid(smspipe, gateway, text, *codes):
    response, sent = one(smspipe, gateway, text)
    assert (response["Outcome"], sent, gateway.requests) == ("invalid", None, [])
    assert response["Code"] in codes, response
    assert response["Message"]
    assert [response[name] for name in ("BizId", "RequestId", "BatchId", "SendDate")] == [None] * 4
    return response


# -- lines ------------------------------------------------------------------------------------------------------------


def test_blank_lines_get_no_response(smspipe, gateway):
    result = smspipe.run(gateway, stdin="\n" + line(message(1)) + "\n\n\r\n" + line(message(2)) + "\n\n")
    assert result.column("PhoneNumber") == [phone(1), phone(2)]
    assert result.status == 0


def test_blank_lines_count_for_line_numbers(smspipe, gateway):
    result = smspipe.run(gateway, stdin="\n\nnonsense\n")
    assert result.column("Line") == [3]


def test_crlf_ends_a_line_and_is_not_part_of_it(smspipe, gateway):
    result = smspipe.run(gateway, stdin=f"{line(message(1))}\r\n{line(message(2))}\r\n")
    assert result.outcomes == ["accepted", "accepted"]
    assert b"\r" not in result.stdout


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r"])
def test_the_last_line_needs_no_newline(smspipe, gateway, end):
    result = smspipe.run(gateway, stdin=line(message(1)) + "\n" + line(message(2)) + end)
    assert result.outcomes == ["accepted", "accepted"]


def test_a_byte_order_mark_at_the_very_start_is_ignored(smspipe, gateway):
    result = smspipe.run(gateway, stdin="\ufeff" + line(message(1)) + "\n")
    assert result.outcomes == ["accepted"]
    assert result.stdout.startswith(b'{"PhoneNumber"')


def test_a_byte_order_mark_elsewhere_is_an_error(smspipe, gateway):
    result = smspipe.run(gateway, stdin=line(message(1)) + "\n\ufeff" + line(message(2)) + "\n")
    assert result.codes == ["OK", "smspipe.INVALID_JSON"]


def test_blanks_around_the_object_are_allowed(smspipe, gateway):
    response, sent = one(smspipe, gateway, " \t" + line(message(1)) + " \t ")
    assert response["Outcome"] == "accepted" and sent.phone == phone(1)


def test_a_bad_line_does_not_end_the_run(smspipe, gateway):
    contents = [message(1), "nonsense", message(2), "{}", message(3)]
    result = smspipe.run(gateway, stdin=contents)
    assert result.outcomes == ["accepted", "invalid", "accepted", "invalid", "accepted"]
    assert result.status == 1
    assert gateway.taken_phones == [phone(1), phone(2), phone(3)]


def test_an_empty_object_is_answered_by_valid_json(smspipe, gateway):
    response = invalid(smspipe, gateway, "{}", "isv.MOBILE_NUMBER_ILLEGAL")
    assert list(response) == RESPONSE_MEMBERS


# -- JSON -------------------------------------------------------------------------------------------------------------

OBJECT = line(message(1))[:-1]
NOT_JSON = {
    "truncated": OBJECT,
    "truncated string": '{"PhoneNumber":"138',
    "no object": '"text"',
    "an array": "[" + OBJECT + "}]",
    "a number": "17",
    "null": "null",
    "single quotes": "{'PhoneNumber':'13800000001'}",
    "bare key": "{PhoneNumber:1}",
    "trailing comma": OBJECT + ",}",
    "missing comma": '{"a":1 "b":2}',
    "missing colon": '{"a" 1}',
    "missing value": '{"a":}',
    "two objects": OBJECT + "}{}",
    "a comment": OBJECT + "}//",
    "leading zero": '{"a":01}',
    "leading plus": '{"a":+1}',
    "no fraction": '{"a":1.}',
    "no integer": '{"a":.5}',
    "no exponent": '{"a":1e}',
    "lone minus": '{"a":-}',
    "hexadecimal": '{"a":0x1}',
    "NaN": '{"a":NaN}',
    "Infinity": '{"a":-Infinity}',
    "capital literal": '{"a":True}',
    "cut literal": '{"a":tru}',
    "unknown escape": r'{"a":"\x41"}',
    "short escape": r'{"a":"\u12"}',
    "bad hex": r'{"a":"\u12g4"}',
    "raw tab in a string": '{"a":"\t"}',
    "raw NUL": '{"a":"\x00"}',
    "lone high surrogate": r'{"a":"\ud83d"}',
    "lone low surrogate": r'{"a":"\ude00"}',
    "two high surrogates": r'{"a":"\ud83d\ud83d"}',
    "lone surrogate in a key": r'{"\ud83d":1}',
    "form feed between": '{"a":\f1}',
    "no-break space between": '{"a":\u00a01}',
    "continuation alone": b'{"a":"\x80"}',
    "overlong": b'{"a":"\xc0\xaf"}',
    "cut sequence": b'{"a":"\xe4\xba"}',
    "encoded surrogate": b'{"a":"\xed\xa0\x80"}',
    "beyond Unicode": b'{"a":"\xf4\x90\x80\x80"}',
    "Latin-1": '{"a":"é"}'.encode("latin-1"),
    "too deep": '{"a":' * 140 + "1" + "}" * 140,
    "too deep, arrays": '{"a":' + "[" * 140 + "]" * 140 + "}",
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NOT_JSON.items()])
def test_what_is_no_json_object_is_told_so(smspipe, gateway, text):
    response = invalid(smspipe, gateway, text, "smspipe.INVALID_JSON")
    assert list(response) == ["Line", "Input", *RESPONSE_MEMBERS]
    assert response["Line"] == 1
    if isinstance(text, str):
        assert response["Input"] == text
    assert re.search(r"\d", response["Message"]), "no byte offset"


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ('{"a":1} x', 8),
        ('{"a":"b\tc"}', 7),
        ('{"短信":"好"} x', len('{"短信":"好"} '.encode())),
        ('{"a":1,"b":?}', 11),
    ],
)
def test_the_message_names_the_byte_offset(smspipe, gateway, text, offset):
    response = invalid(smspipe, gateway, text, "smspipe.INVALID_JSON")
    assert str(offset) in re.findall(r"\d+", response["Message"]), response["Message"]


JSON_VALUES = [
    "0",
    "-0",
    "-0.0",
    "1E400",
    "1e-5",
    "123456789012345678901234567890",
    "0.1000",
    "true",
    "false",
    "null",
    '""',
    r'"\u0000\ud83d\ude00\/\b\f\n\r\t\"\\"',
    '"\x7f€😀"',
    "[ ]",
    "{ }",
    '[1 ,[ 2,{ "x" : [ ] } ] , "y"]',
    "[" * 100 + "]" * 100,
    '{"":{"":0}}',
]


@pytest.mark.parametrize("value", JSON_VALUES)
def test_any_json_value_passes_through_as_it_stands(smspipe, gateway, value):
    text = line(message(1))[:-1] + f',"mine":{value}}}'
    result = smspipe.run(gateway, stdin=text + "\n")
    assert result.lines[0].startswith(text[:-1] + ',"Outcome":"accepted"')


def test_the_depth_limit_is_128(smspipe, gateway):
    response, _ = one(smspipe, gateway, line(message(1))[:-1] + ',"deep":' + "[" * 127 + "]" * 127 + "}")
    assert response["Outcome"] == "accepted"


def test_input_is_cut_at_1_kib_and_stays_utf8(smspipe, gateway):
    text = '{"a":"' + "短" * 5000
    response = invalid(smspipe, gateway, text, "smspipe.INVALID_JSON")
    assert len(response["Input"].encode()) <= 1024
    assert len(response["Input"]) >= 300
    assert text.startswith(response["Input"].rstrip("…\ufffd"))


# -- long lines -------------------------------------------------------------------------------------------------------


def padded(number, length):
    text = line(message(number))[:-1] + ',"pad":""}'
    return text[:-2] + "x" * (length - len(text.encode())) + '"}'


def test_a_line_may_be_as_long_as_max_line(smspipe, gateway):
    contents = [padded(1, 1024), padded(2, 1025), padded(3, 1024)]
    result = smspipe.run(gateway, "--max-line", "1KiB", stdin=contents)
    assert result.outcomes == ["accepted", "invalid", "accepted"]
    assert result.codes[1] == "smspipe.LINE_TOO_LONG"
    assert result.responses[1]["Line"] == 2
    assert list(result.responses[1])[-7:] == RESPONSE_MEMBERS
    assert padded(2, 1025).startswith(result.responses[1].get("Input", "").rstrip("…"))


def test_the_default_limit_is_1_mib(smspipe, gateway):
    result = smspipe.run(gateway, stdin=[padded(1, 1 << 20), padded(2, (1 << 20) + 1), message(3)])
    assert result.codes == ["OK", "smspipe.LINE_TOO_LONG", "OK"]


def test_the_last_line_may_be_too_long_without_an_end(smspipe, gateway):
    result = smspipe.run(gateway, "--max-line", "1KiB", stdin=line(message(1)) + "\n" + "y" * 3000)
    assert result.codes == ["OK", "smspipe.LINE_TOO_LONG"]


# -- members ----------------------------------------------------------------------------------------------------------

GOOD_NUMBERS = ["13800000001", "+8613800000001", "008613800000001", "8613800000001", "+447700900123", "85255500123"]


@pytest.mark.parametrize("number", GOOD_NUMBERS)
def test_a_phone_number_is_digits_with_an_optional_plus(smspipe, gateway, number):
    response, sent = one(smspipe, gateway, line(message(1, PhoneNumber=number)))
    assert response["Outcome"] == "accepted"
    assert sent.phone.lstrip("+").endswith(number.lstrip("+")[-10:])


def test_a_phone_number_may_be_a_number_of_digits(smspipe, gateway):
    response, sent = one(smspipe, gateway, line(message(1, PhoneNumber=13800000001)))
    assert sent.phone == "13800000001"
    assert response["PhoneNumber"] == 13800000001


def test_a_phone_number_may_be_written_with_escapes(smspipe, gateway):
    _, sent = one(smspipe, gateway, line(message(1)).replace('"13800000001"', r'"\u0031380000000\u0031"'))
    assert sent.phone == "13800000001"


BAD_NUMBERS = [
    '""',
    '"+"',
    '"1380000abcd"',
    '"138 0000 0001"',
    '"138-0000-0001"',
    '"１３８００００００００１"',
    '"++8613800000001"',
]
BAD_NUMBERS += ['"13800000001\\n"', '" 13800000001"', '"13800000001,13800000002"']


@pytest.mark.parametrize("value", BAD_NUMBERS)
def test_a_malformed_phone_number_is_invalid(smspipe, gateway, value):
    invalid(smspipe, gateway, line(message(1)).replace('"13800000001"', value), "isv.MOBILE_NUMBER_ILLEGAL")


@pytest.mark.parametrize("value", ["-13800000001", "1.38e10", "13800000001.0", "true", "null", "{}", '["13800000001"]'])
def test_a_phone_number_of_another_type_is_invalid(smspipe, gateway, value):
    text = line(message(1)).replace('"13800000001"', value)
    invalid(smspipe, gateway, text, "isv.MOBILE_NUMBER_ILLEGAL", "isv.INVALID_PARAMETERS")


@pytest.mark.parametrize(
    ("member", "code"),
    [
        ("PhoneNumber", "isv.MOBILE_NUMBER_ILLEGAL"),
        ("SignName", "isv.SMS_SIGNATURE_ILLEGAL"),
        ("TemplateCode", "isv.SMS_TEMPLATE_ILLEGAL"),
    ],
)
def test_a_missing_member_is_invalid(smspipe, gateway, member, code):
    content = message(1)
    del content[member]
    invalid(smspipe, gateway, line(content), code)


def test_member_names_are_exact(smspipe, gateway):
    text = line(message(1)).replace("PhoneNumber", "phoneNumber")
    invalid(smspipe, gateway, text, "isv.MOBILE_NUMBER_ILLEGAL")


def test_member_names_may_be_written_with_escapes(smspipe, gateway):
    _, sent = one(smspipe, gateway, line(message(1)).replace("PhoneNumber", r"Ph\u006FneNumber"))
    assert sent.phone == phone(1)


@pytest.mark.parametrize("member", ["SignName", "TemplateCode", "SmsUpExtendCode", "OutId"])
@pytest.mark.parametrize("value", [1, True, ["x"], {"x": "y"}])
def test_a_member_of_a_wrong_type_is_invalid(smspipe, gateway, member, value):
    invalid(smspipe, gateway, line(message(1, **{member: value})), "isv.INVALID_PARAMETERS")


@pytest.mark.parametrize("value", [True, [], {}])
def test_an_id_is_a_string_or_a_number(smspipe, gateway, value):
    invalid(smspipe, gateway, line(message(1, Id=value)), "isv.INVALID_PARAMETERS")


@pytest.mark.parametrize("value", ["order-1", 17])
def test_an_id_passes_through(smspipe, gateway, value):
    response, _ = one(smspipe, gateway, line(message(1, Id=value)))
    assert response["Id"] == value


def test_options_give_sign_name_and_template(smspipe, gateway):
    own = message(2, "SMS_2", "青禾超市")
    bare = {"PhoneNumber": phone(1)}
    result = smspipe.run(gateway, "--sign-name", "云通信", "--template-code", "SMS_1", stdin=[bare, own])
    sent = {taken.sms.phone: taken.sms for taken in gateway.taken}
    assert (sent[phone(1)].sign_name, sent[phone(1)].template) == ("云通信", "SMS_1")
    assert (sent[phone(2)].sign_name, sent[phone(2)].template) == ("青禾超市", "SMS_2")
    assert "SignName" not in result.responses[0]


def test_texts_arrive_as_they_were_meant(smspipe, gateway):
    sign_name = 'A&B=C+D ~*%/?#"\\ 云通信'
    parameters = {"name": '欧阳\n"娜娜" \\ / + & = % ~ * \' 😀\u2028\x7f\t', "空 键+": "", "e": "é"}
    _, sent = one(smspipe, gateway, json.dumps(message(1, sign_name=sign_name, parameters=parameters)))
    assert (sent.sign_name, sent.parameters) == (sign_name, parameters)


def test_out_id_arrives_as_it_was_meant(smspipe, gateway):
    _, sent = one(smspipe, gateway, line(message(1, OutId='活动 &=+~*%/"\n')))
    assert sent.out_id == '活动 &=+~*%/"\n'


def test_out_id_is_under_256_characters(smspipe, gateway):
    response, sent = one(smspipe, gateway, line(message(1, OutId="短" * 255)))
    assert response["Outcome"] == "accepted" and sent.out_id == "短" * 255


def test_an_out_id_of_256_characters_is_invalid(smspipe, gateway):
    invalid(smspipe, gateway, line(message(1, OutId="x" * 256)), "isv.PARAM_LENGTH_LIMIT")


def test_extension_code_arrives(smspipe, gateway):
    _, sent = one(smspipe, gateway, line(message(1, SmsUpExtendCode="1007")))
    assert sent.extend_code == "1007"


# -- TemplateParam ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["0", "-0", "1.50", "1e2", "1.0E+3", "12345678901234567890", "0.10", "-7"])
@pytest.mark.parametrize("as_text", [False, True])
def test_a_number_is_taken_by_its_exact_text(smspipe, gateway, number, as_text):
    inner = f'{{"amount": {number}, "code":"x"}}'
    text = line(message(1, parameters=None))[:-1] + f',"TemplateParam":{json.dumps(inner) if as_text else inner}}}'
    _, sent = one(smspipe, gateway, text)
    assert sent.parameters == {"amount": number, "code": "x"}


def test_template_param_may_be_a_string_that_holds_an_object(smspipe, gateway):
    parameters = {"name": '欧阳 "娜娜"\n\\', "code": "001234"}
    _, sent = one(smspipe, gateway, line(message(1, parameters=json.dumps(parameters))))
    assert sent.parameters == parameters


@pytest.mark.parametrize("text", [" {}", "{}\n", '\t{"code":"1"}', '{"code":"1"} ', '\r\n { "code" : "1" } ', ' {"code":1} '])
def test_blanks_around_an_object_in_a_string_are_left_out(smspipe, gateway, text):
    response, sent = one(smspipe, gateway, line(message(1, parameters=text)))
    assert response["TemplateParam"] == text
    assert sent.parameters == {name: str(value) for name, value in json.loads(text).items()}


def test_template_param_may_be_an_empty_object(smspipe, gateway):
    _, sent = one(smspipe, gateway, line(message(1, parameters={})))
    assert sent.parameters == {}


def test_no_template_param_is_sent_where_there_is_none(smspipe, gateway):
    _, sent = one(smspipe, gateway, line(message(1, parameters=None)))
    assert sent.parameters is None
    assert "TemplateParamJson" not in gateway.requests[0].fields


BAD_PARAMETERS = ['{"a":{"b":"c"}}', '{"a":["b"]}', '{"a":true}', '{"a":null}', "[]", "17", "true"]
BAD_PARAMETERS += [
    json.dumps(text) for text in ["", "x", "[]", '{"a":{}}', '{"a":1', '{"a":true}', "{} {}", '{"a":01}']
]


@pytest.mark.parametrize("value", BAD_PARAMETERS)
def test_template_param_of_another_shape_is_invalid(smspipe, gateway, value):
    text = line(message(1, parameters=None))[:-1] + f',"TemplateParam":{value}}}'
    invalid(smspipe, gateway, text, "isv.INVALID_JSON_PARAM")


# -- members that stand twice, members of an earlier run --------------------------------------------------------------


@pytest.mark.parametrize(
    "member",
    [
        '"PhoneNumber":"13900000009"',
        r'"Phone\u004eumber":"13900000009"',
        '"SignName":"云通信"',
        '"TemplateCode":"SMS_2"',
    ]
    + ['"TemplateParam":{"code":"1"}', '"PhoneNumber":"13800000001"'],
)
def test_a_member_of_ours_that_stands_twice_is_invalid(smspipe, gateway, member):
    invalid(smspipe, gateway, line(message(1))[:-1] + f",{member}}}", "smspipe.DUPLICATE_MEMBER")


@pytest.mark.parametrize(
    "members", ['"OutId":"a","OutId":"a"', '"SmsUpExtendCode":"1","SmsUpExtendCode":"2"', '"Id":1,"Id":1']
)
def test_an_optional_member_that_stands_twice_is_invalid(smspipe, gateway, members):
    invalid(smspipe, gateway, line(message(1))[:-1] + f",{members}}}", "smspipe.DUPLICATE_MEMBER")


def test_a_member_of_the_user_may_stand_twice(smspipe, gateway):
    text = line(message(1))[:-1] + ',"x":1,"x":2}'
    result = smspipe.run(gateway, stdin=text + "\n")
    assert result.lines[0].startswith(text[:-1] + ',"Outcome":"accepted"')


OLD = '"Outcome":"rejected","Code":"isv.X","Message":"旧","BizId":null,"RequestId":"OLD-1"'
OLD += ',"BatchId":"OLD-2","SendDate":"20200101"'


@pytest.mark.parametrize(
    "text",
    [
        line(message(1, order=7))[:-1] + "," + OLD + "}",
        "{" + OLD + "," + line(message(1, order=7))[1:],
        line(message(1))[:-1] + "," + OLD + ',"order":7}',
        line(message(1))[:-1] + " , " + OLD.replace(",", " , ") + ' , "order":7 }',
        line(message(1))[:-1] + "," + OLD.replace("Outcome", r"\u004futcome") + ',"order":7}',
    ],
)
def test_members_of_an_earlier_response_are_replaced(smspipe, gateway, text):
    result = smspipe.run(gateway, stdin=text + "\n")
    response = result.responses[0]
    assert list(response) == [*message(1), "order", *RESPONSE_MEMBERS]
    assert response["Outcome"] == "accepted"
    assert "OLD" not in result.lines[0] and "旧" not in result.lines[0]
    assert '"order":' in result.lines[0].replace(" ", "")


def test_a_response_line_is_a_valid_input_line(smspipe, gateway):
    inputs = [line(message(n, order={"n": n, "items": [1, 2.50]})) for n in range(1, 4)]
    inputs.append('{ "PhoneNumber":"13800000009" ,"SignName" : "云通信","TemplateCode":"SMS_1" , "x": 1.0E2 }')
    first = smspipe.run(gateway, stdin=inputs)
    second = smspipe.run(gateway, stdin=first.stdout)
    assert second.outcomes == ["accepted"] * 4
    own = [text.split(',"Outcome":')[0].rstrip() for text in second.lines]
    assert own == [text[:-1].rstrip() for text in inputs]


def test_a_rejected_line_can_be_sent_again(smspipe, gateway):
    from gateway import Answer

    gateway.script = lambda request: Answer("isv.SMS_TEMPLATE_ILLEGAL") if request.number == 0 else None
    first = smspipe.run(gateway, stdin=[message(1), message(2)])
    assert first.outcomes == ["rejected", "rejected"]
    second = smspipe.run(gateway, stdin=first.stdout)
    assert second.outcomes == ["accepted", "accepted"]


# -- where lines come from --------------------------------------------------------------------------------------------


def test_files_are_read_in_the_order_named(smspipe, gateway, tmp_path):
    for name, numbers in {"a.jsonl": (1, 2), "b.jsonl": (4,)}.items():
        (tmp_path / name).write_text("".join(line(message(n)) + "\n" for n in numbers))
    result = smspipe.run(gateway, "a.jsonl", "-", "b.jsonl", stdin=[message(3)])
    assert result.column("PhoneNumber") == [phone(n) for n in (1, 2, 3, 4)]
    assert result.status == 0


def test_a_file_without_a_last_newline_does_not_run_into_the_next(smspipe, gateway, tmp_path):
    (tmp_path / "a.jsonl").write_text(line(message(1)))
    (tmp_path / "b.jsonl").write_text(line(message(2)))
    result = smspipe.run(gateway, "a.jsonl", "b.jsonl")
    assert result.outcomes == ["accepted", "accepted"]


def test_more_files_than_can_be_open_are_told_before_anything_is_sent(smspipe, gateway, tmp_path):
    paths = [tmp_path / f"{n}.jsonl" for n in range(60)]
    for n, path in enumerate(paths):
        path.write_text(line(message(n)) + "\n")

    def run(limit):
        return subprocess.run(
            ["bash", "-c", f'ulimit {limit}; exec "$@"', "-", *smspipe.arguments(gateway, paths)],
            capture_output=True,
            env=smspipe.environ(None),
            timeout=60,
        )

    refused = run("-n 64")
    assert refused.returncode == 66 and not refused.stdout and not gateway.requests
    assert b"60 files" in refused.stderr and b"join them" in refused.stderr
    # The limit that may be raised is.
    allowed = run("-Sn 64")
    assert allowed.returncode == 0 and len(allowed.stdout.splitlines()) == 60


def test_fewer_open_files_than_a_run_needs_are_told(smspipe, gateway):
    """Down to those that a process has from the start, whatever the run opens first."""
    for limit in range(6, 24):
        result = subprocess.run(
            ["bash", "-c", f'ulimit -n {limit}; exec "$@"', "-", *smspipe.arguments(gateway, ["--simulate"])],
            input=line(message(1)).encode(),
            capture_output=True,
            env=smspipe.environ(None),
            timeout=60,
        )
        assert result.returncode == 66 and b"ulimit -n" in result.stderr, (limit, result)


def test_sizes_beyond_all_numbers_are_no_matter(smspipe):
    """Files without contents whose sizes together are more than an integer holds."""
    huge = Path("/dev/shm") / f"smspipe-{os.getpid()}"
    try:
        with huge.open("wb") as file:
            file.truncate(2**63 - 1)
    except OSError as error:
        pytest.skip(f"no such file can be made: {error}")
    try:
        process = smspipe.start(None, "-n", "--progress", "always", huge, huge)
        process.wait_for_stderr()
        process.signal("TERM")
        assert process.wait() == 143
    finally:
        huge.unlink()


def test_named_files_are_read_instead_of_standard_input(smspipe, gateway, tmp_path):
    (tmp_path / "a.jsonl").write_text(line(message(1)) + "\n")
    result = smspipe.run(gateway, "a.jsonl", stdin=[message(2)])
    assert result.column("PhoneNumber") == [phone(1)]


@pytest.mark.parametrize("seed", range(6))
def test_it_does_not_matter_where_the_input_is_cut(smspipe, gateway, seed):
    """Lines come in pieces of a few bytes, cut inside of numbers, escapes, line ends and characters."""
    choose = random.Random(seed)
    texts = [line(message(n, note="短信\n\u2028", order=n / 4)) for n in range(30)] + ["nonsense 短信", "", "{}"]
    choose.shuffle(texts)
    data = "\ufeff".encode() + b"".join(text.encode() + choose.choice([b"\n", b"\r\n"]) for text in texts)
    whole = smspipe.run(gateway, "--dry-run", stdin=data)
    process = smspipe.start(gateway, "--dry-run")
    while data:
        size = choose.choice([1, 2, 3, 7, 50, 400])
        part, data = data[:size], data[size:]
        os.write(process.process.stdin.fileno(), part)
    process.close_input()
    got = [{name: value for name, value in r.items() if name != "BatchId"} for r in process.read_all()]
    assert got == [{name: value for name, value in r.items() if name != "BatchId"} for r in whole.responses]


def test_standard_input_may_be_a_regular_file(smspipe, gateway, tmp_path):
    (tmp_path / "a.jsonl").write_text("".join(line(message(n)) + "\n" for n in range(500)))
    with open(tmp_path / "a.jsonl", "rb") as file:
        assert smspipe.run(gateway, stdin=file).outcomes == ["accepted"] * 500


def test_an_empty_input_gives_an_empty_output(smspipe, gateway):
    with open("/dev/null", "rb") as nothing:
        result = smspipe.run(gateway, stdin=nothing)
    assert (result.status, result.stdout, result.stderr, gateway.connections) == (0, b"", "", 0)


def test_the_subcommand_send_is_the_same(smspipe, gateway):
    result = smspipe.run(None, "send", "--endpoint", gateway.endpoint, stdin=[message(1)])
    assert (result.status, result.outcomes) == (0, ["accepted"])
