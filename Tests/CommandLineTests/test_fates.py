"""What becomes of each message when a request is refused, throttled or lost: contract, sections 4 and 7."""

import threading
import time
from collections import Counter

import pytest

import gateway as gateways
from command import line, lines, message, phone, today
from gateway import SECRET, Answer, gateway_error, lost


def outcome(result):
    return Counter(result.outcomes)


# -- refused for one message: splitting -------------------------------------------------------------------------------


def refuse(culprits):
    """Refuses each request that holds a culprit, with the code of the first of them."""

    def script(request):
        for number in request.phones:
            if number in culprits:
                return Answer(culprits[number], f"about {culprits[number]}")
        return None

    return script


@pytest.mark.parametrize(("first", "second"), [(0, 1), (0, 99), (49, 50), (24, 75), (33, 66), (98, 99), (17, 18)])
def test_two_culprits_in_100_stand_alone_within_30_requests(smspipe, gateway, first, second):
    culprits = {phone(first): "isv.BUSINESS_LIMIT_CONTROL", phone(second): "isv.PARAM_LENGTH_LIMIT"}
    gateway.script = refuse(culprits)
    result = smspipe.run(gateway, stdin=[message(n) for n in range(100)])
    assert len(gateway.requests) <= 30
    assert result.column("PhoneNumber") == [phone(n) for n in range(100)]
    for response in result.responses:
        culprit = culprits.get(response["PhoneNumber"])
        assert response["Outcome"] == ("rejected" if culprit else "accepted")
        assert response["Code"] == (culprit or "OK")
        assert (response["BizId"] is None) == bool(culprit)
    assert result.status == 1
    assert len(gateway.taken) == 98 and gateway.duplicates() == {}


def test_each_part_of_a_split_has_ids_of_its_own(smspipe, gateway):
    gateway.script = refuse({phone(3): "isv.MOBILE_NUMBER_ILLEGAL"})
    result = smspipe.run(gateway, stdin=[message(n) for n in range(8)])
    sent = {taken.sms.phone: taken for taken in gateway.taken}
    for response in result.responses:
        if response["Outcome"] == "accepted":
            taken = sent[response["PhoneNumber"]]
            assert (response["BizId"], response["BatchId"]) == (taken.biz_id, taken.sms.out_id)
    ids = [request.out_id for request in gateway.requests]
    assert len(set(ids)) == len(ids)


def test_a_batch_of_culprits_only_is_rejected_one_by_one(smspipe, gateway):
    gateway.script = lambda request: Answer("isv.CUSTOMER_REFUSED")
    result = smspipe.run(gateway, stdin=[message(n) for n in range(16)])
    assert outcome(result) == {"rejected": 16}
    assert len(gateway.requests) <= 31


def test_a_refused_lone_message_is_rejected_at_once(smspipe, gateway):
    gateway.script = lambda request: Answer("isv.MOBILE_NUMBER_ILLEGAL")
    result = smspipe.run(gateway, stdin=[message(1)])
    assert (result.outcomes, result.codes, len(gateway.requests)) == (["rejected"], ["isv.MOBILE_NUMBER_ILLEGAL"], 1)


def test_no_split_rejects_all(smspipe, gateway):
    gateway.script = refuse({phone(3): "isv.MOBILE_NUMBER_ILLEGAL"})
    result = smspipe.run(gateway, "--no-split", stdin=[message(n) for n in range(8)])
    assert result.codes == ["isv.MOBILE_NUMBER_ILLEGAL"] * 8
    assert outcome(result) == {"rejected": 8}
    assert len(gateway.requests) == 1


MESSAGE_CODES = """
    isv.MOBILE_NUMBER_ILLEGAL isv.TEMPLATE_MISSING_PARAMETERS isv.TEMPLATE_PARAMS_ILLEGAL isv.PARAM_LENGTH_LIMIT
    isv.PARAM_NOT_SUPPORT_URL isv.BLACK_KEY_CONTROL_LIMIT isv.CUSTOMER_REFUSED isv.SMS_CONTENT_ILLEGAL
    isv.UNSUPPORTED_CONTENT isv.BUSINESS_LIMIT_CONTROL isv.DOMESTIC_NUMBER_NOT_SUPPORTED isv.SMS_TEST_NUMBER_LIMIT
    isv.SMS_TEST_TEMPLATE_PARAMS_ILLEGAL
""".split()


@pytest.mark.parametrize("code", MESSAGE_CODES)
def test_a_code_of_one_message_splits(smspipe, gateway, code):
    gateway.script = refuse({phone(2): code})
    result = smspipe.run(gateway, stdin=[message(n) for n in range(4)])
    assert result.codes == ["OK", "OK", code, "OK"]


EITHER_CODES = """
    isv.SMS_SIGNATURE_ILLEGAL isv.SMS_SIGN_ILLEGAL isv.SIGN_STATE_ILLEGAL isv.SIGNATURE_BLACKLIST SIGNATURE_BLACKLIST
    isv.SMS_SIGNATURE_SCENE_ILLEGAL isv.EXTEND_CODE_ERROR isv.ONE_CODE_MULTIPLE_SIGN
""".split()


@pytest.mark.parametrize("code", EITHER_CODES)
def test_a_code_of_batch_or_message_splits_where_sign_names_are_mixed(smspipe, gateway, code):
    gateway.script = refuse({phone(2): code})
    contents = [message(n, sign_name="坏签名" if n == 2 else "云通信") for n in range(4)]
    result = smspipe.run(gateway, stdin=contents)
    assert result.codes == ["OK", "OK", code, "OK"]


def test_a_code_of_batch_or_message_splits_where_extension_codes_are_mixed(smspipe, gateway):
    gateway.script = refuse({phone(2): "isv.EXTEND_CODE_ERROR"})
    result = smspipe.run(gateway, stdin=[message(n, SmsUpExtendCode=str(n % 2)) for n in range(4)])
    assert result.codes == ["OK", "OK", "isv.EXTEND_CODE_ERROR", "OK"]


@pytest.mark.parametrize("code", ["isv.SMS_SIGNATURE_ILLEGAL", "isv.SIGN_STATE_ILLEGAL"])
def test_a_code_of_batch_or_message_rejects_all_of_one_sign_name(smspipe, gateway, code):
    gateway.script = lambda request: Answer(code)
    result = smspipe.run(gateway, stdin=[message(n) for n in range(8)])
    assert result.codes == [code] * 8 and len(gateway.requests) == 1


BATCH_CODES = ["isv.SMS_TEST_SIGN_TEMPLATE_LIMIT", "isv.MOBILE_COUNT_OVER_LIMIT", "isv.SOMETHING_NEW"]


@pytest.mark.parametrize("code", BATCH_CODES)
def test_a_code_of_the_batch_rejects_all_of_it(smspipe, gateway, code):
    gateway.script = lambda request: Answer(code) if request.template == "SMS_1" else None
    result = smspipe.run(gateway, stdin=[message(n, f"SMS_{n % 2}") for n in range(8)])
    assert result.codes == ["OK", code] * 4
    assert result.outcomes == ["accepted", "rejected"] * 4
    assert len(gateway.requests) == 2


@pytest.mark.parametrize("code", ["MissingSignName", "InvalidParameter", "InvalidVersion"])
def test_a_gateway_refusal_of_the_request_rejects_all_of_it(smspipe, gateway, code):
    gateway.script = lambda request: gateway_error(code) if request.template == "SMS_1" else None
    result = smspipe.run(gateway, stdin=[message(n, f"SMS_{n % 2}") for n in range(8)])
    assert result.codes == ["OK", code] * 4


def test_a_refusal_that_names_a_biz_id_is_never_sent_again(smspipe, gateway):
    gateway.script = lambda request: Answer("isv.BUSINESS_LIMIT_CONTROL", biz_id="900000000000000001^0", taken=True)
    result = smspipe.run(gateway, "--confirm", "0", stdin=[message(n) for n in range(8)])
    assert len(gateway.requests) == 1
    assert set(result.outcomes) <= {"accepted", "unknown"}
    assert gateway.duplicates() == {}


def test_a_part_that_is_lost_is_not_sent_again(smspipe, gateway):
    def script(request):
        if phone(90) in request.phones:
            return Answer("isv.MOBILE_NUMBER_ILLEGAL")
        return lost(gateways.CLOSE) if phone(0) in request.phones else None

    gateway.script = script
    result = smspipe.run(gateway, "--confirm", "0", stdin=[message(n) for n in range(100)])
    assert gateway.duplicates() == {}
    assert result.outcomes[:50] == ["unknown"] * 50
    assert result.outcomes[90] == "rejected"
    assert outcome(result) == {"unknown": 50, "accepted": 49, "rejected": 1}
    assert result.status == 3


def test_urgent_messages_are_refused_alone(smspipe, gateway):
    gateway.script = refuse({phone(2): "isv.BUSINESS_LIMIT_CONTROL"})
    result = smspipe.run(gateway, "--urgent", "SMS_71175823", stdin=[message(n) for n in range(4)])
    assert result.outcomes == ["accepted", "accepted", "rejected", "accepted"]
    assert len(gateway.requests) == 4


# -- refused for the account ------------------------------------------------------------------------------------------

ACCOUNT = [
    (Answer("isp.RAM_PERMISSION_DENY"), {77}),
    (gateway_error("InvalidAccessKeyId.NotFound", 404), {77}),
    (gateway_error("InvalidAccessKeyId.Inactive"), {77}),
    (gateway_error("IncompleteSignature"), {77}),
    (gateway_error("MissingSecurityToken"), {77}),
    (gateway_error("InvalidSecurityToken.Malformed"), {77}),
    (gateway_error("InvalidSecurityToken.MismatchWithAccessKey"), {77}),
    (gateway_error("Forbidden.RAM", 403), {77}),
    (gateway_error("NoPermission", 403), {77}),
    (gateway_error("Forbidden.AccessKeyDisabled", 403), {77}),
    (Answer("isv.ACCOUNT_NOT_EXISTS"), {69, 77}),
    (Answer("isv.ACCOUNT_ABNORMAL"), {69, 77}),
    (Answer("isv.SECURITY_FROZEN_ACCOUNT"), {69, 77}),
    (Answer("isv.DENY_IP_RANGE"), {69, 77}),
    (Answer("isv.DAY_LIMIT_CONTROL"), {69, 77}),
    (Answer("isv.MONTH_LIMIT_CONTROL"), {69, 77}),
    (Answer("isv.OUT_OF_SERVICE"), {69}),
    (Answer("isv.AMOUNT_NOT_ENOUGH"), {69}),
    (Answer("isv.PRODUCT_UN_SUBSCRIPT"), {69}),
    (Answer("isv.PRODUCT_UNSUBSCRIBE"), {69}),
]


@pytest.mark.parametrize(("answer", "statuses"), [pytest.param(a, s, id=a.code) for a, s in ACCOUNT])
def test_a_refusal_of_the_account_stops_sending(smspipe, gateway, answer, statuses):
    gateway.script = lambda request: answer
    result = smspipe.run(gateway, "--concurrency", "1", stdin=[message(n) for n in range(1000)])
    assert result.status in statuses
    assert len(gateway.requests) == 1 and gateway.taken == []
    assert result.codes == [answer.code] * 1000
    assert set(result.outcomes[:100]) <= {"skipped", "rejected"}
    assert result.outcomes[100:] == ["skipped"] * 900
    assert set(result.column("RequestId")[100:]) == {None}
    assert len(result.stderr.splitlines()) == 1


def test_what_was_accepted_before_the_account_stopped_stays_accepted(smspipe, gateway):
    gateway.script = lambda request: Answer("isv.AMOUNT_NOT_ENOUGH") if request.number >= 2 else None
    result = smspipe.run(gateway, "--concurrency", "1", stdin=[message(n) for n in range(1000)])
    assert result.outcomes[:200] == ["accepted"] * 200
    assert result.outcomes[300:] == ["skipped"] * 700
    assert len(gateway.taken) == 200 and len(gateway.requests) == 3
    assert result.status == 69


def test_invalid_lines_are_told_so_after_the_account_stopped(smspipe, gateway):
    gateway.script = lambda request: Answer("isv.OUT_OF_SERVICE")
    result = smspipe.run(gateway, "--concurrency", "1", stdin=[message(n) for n in range(200)] + ["nonsense"])
    assert result.outcomes[200] == "invalid" and result.status == 69


def test_requests_in_flight_finish_when_the_account_stops(smspipe, gateway):
    both = threading.Event()

    def script(request):
        if request.number == 1:
            both.set()
            return Answer(delay=0.5)
        return Answer("isv.OUT_OF_SERVICE", wait_for=both)

    gateway.script = script
    result = smspipe.run(gateway, "--concurrency", "2", stdin=[message(n) for n in range(1000)])
    assert outcome(result)["accepted"] == 100
    assert len(gateway.requests) == 2 and result.status == 69


def test_a_stopped_account_answers_a_hundred_thousand_lines_quickly(smspipe, gateway):
    gateway.script = lambda request: Answer("isv.OUT_OF_SERVICE")
    result = smspipe.run(gateway, stdin=[message(n) for n in range(100_000)])
    assert len(result.lines) == 100_000
    assert len(gateway.requests) <= 64
    assert result.seconds < 10


def test_a_wrong_secret_is_called_a_wrong_secret(smspipe, gateway):
    env = {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "another-secret"}
    for signature in ("v3", "v1"):
        result = smspipe.run(gateway, "--signature", signature, stdin=[message(n) for n in range(3)], env=env)
        assert result.status == 77
        assert set(result.codes) == {"SignatureDoesNotMatch"}
        assert "secret" in result.stderr.lower()
        assert "another-secret" not in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_a_wrong_canonical_form_is_told_from_a_wrong_secret(smspipe, gateway):
    theirs = "does not match our calculation. server StringToSign is [ACS3-HMAC-SHA256\n" + "0" * 64 + "]"
    gateway.script = lambda request: gateway_error("SignatureDoesNotMatch", message=f"Specified signature {theirs}")
    result = smspipe.run(gateway, stdin=[message(1)])
    env = {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "another-secret"}
    gateway.script = lambda request: None
    wrong_secret = smspipe.run(gateway, stdin=[message(1)], env=env)
    assert result.status == wrong_secret.status == 77
    assert result.stderr and result.stderr != wrong_secret.stderr


def test_a_wrong_key_id_is_said_without_the_key(smspipe, gateway):
    result = smspipe.run(gateway, stdin=[message(1)], env={"ALIBABA_CLOUD_ACCESS_KEY_ID": "nobody"})
    assert result.status == 77 and result.codes == ["InvalidAccessKeyId.NotFound"]
    assert SECRET not in result.stderr


def test_an_unheard_of_refusal_of_two_batches_in_a_row_stops(smspipe, gateway):
    gateway.script = lambda request: gateway_error("Weird.Refusal", 403)
    result = smspipe.run(gateway, "--concurrency", "1", stdin=[message(n) for n in range(500)])
    assert len(gateway.requests) == 2
    assert result.outcomes[200:] == ["skipped"] * 300
    assert result.status in (69, 77)
    assert "two requests in a row" in result.stderr and "nothing of them was sent" in result.stderr


@pytest.mark.parametrize("code", ["evil.13800001234\n\x1b[31mred", "evil 1", "手机"])
def test_what_cannot_be_a_code_is_repeated_nowhere(smspipe, gateway, code):
    gateway.script = lambda request: gateway_error(code, 403)
    result = smspipe.run(gateway, "--confirm", "0", "--summary", stdin=[message(1)])
    assert result.outcomes == ["unknown"]
    assert code.split()[0] not in result.stderr and code not in result.stdout.decode()
    assert "\x1b" not in result.stderr


def test_an_unheard_of_refusal_of_one_batch_does_not_stop(smspipe, gateway):
    gateway.script = lambda request: gateway_error("Weird.Refusal", 403) if request.number == 1 else None
    result = smspipe.run(gateway, "--concurrency", "1", stdin=[message(n) for n in range(500)])
    assert outcome(result) == {"accepted": 400, "rejected": 100}
    assert result.status == 1


# -- throttling -------------------------------------------------------------------------------------------------------

THROTTLED = [("Throttling.User", 429), ("Throttling", 400), ("Throttling.Api", 429), ("Throttling.Something", 400)]


@pytest.mark.parametrize(("code", "status"), THROTTLED)
def test_a_throttled_request_is_sent_again(smspipe, gateway, code, status):
    gateway.script = lambda request: gateway_error(code, status) if request.number < 2 else None
    result = smspipe.run(gateway, stdin=[message(1), message(2)])
    assert result.outcomes == ["accepted", "accepted"]
    assert result.status == 0 and result.stderr == ""
    assert len(gateway.requests) == 3


def test_the_wait_that_the_gateway_asks_for_is_kept(smspipe, gateway):
    refusal = gateway_error("Throttling.User", 429, headers={"x-acs-retry-after": "900"})
    gateway.script = lambda request: refusal if request.number == 0 else None
    assert smspipe.run(gateway, stdin=[message(1)]).outcomes == ["accepted"]
    first, second = gateway.requests
    assert 0.85 <= second.arrived - first.arrived <= 5


def test_each_attempt_is_signed_anew(smspipe, gateway):
    gateway.script = lambda request: gateway_error("Throttling", 429) if request.number == 0 else None
    smspipe.run(gateway, stdin=[message(1)])
    nonces = {request.headers["x-acs-signature-nonce"] for request in gateway.requests}
    assert len(nonces) == 2


def test_a_message_throttled_until_its_deadline_expires(smspipe, gateway):
    gateway.script = lambda request: gateway_error("Throttling", 429)
    result = smspipe.run(gateway, "--deadline", "1s", stdin=[message(1), message(2)])
    assert result.outcomes == ["skipped", "skipped"]
    assert result.codes == ["smspipe.EXPIRED"] * 2
    assert result.status == 1
    assert 0.9 <= result.seconds < 10


def test_throttling_lowers_the_number_in_flight(smspipe, gateway):
    gateway.script = lambda request: gateway_error("Throttling", 429) if request.number < 8 else Answer(delay=0.02)
    seen = []
    inner = gateway.script

    def script(request):
        if request.number >= 8:
            seen.append(gateway.in_flight)
        return inner(request)

    gateway.script = script
    contents = [message(n) for n in range(60)]
    result = smspipe.run(gateway, "--concurrency", "8", "--batch-size", "1", stdin=contents)
    assert outcome(result) == {"accepted": 60}
    assert seen[0] < 8 and gateway.duplicates() == {}


def test_messages_that_wait_too_long_behind_others_expire(smspipe, gateway):
    gateway.script = lambda request: Answer(delay=2)
    result = smspipe.run(gateway, "--deadline", "1s", "--concurrency", "1", stdin=[message(n) for n in range(300)])
    assert outcome(result) == {"accepted": 100, "skipped": 200}
    assert set(result.codes[100:]) == {"smspipe.EXPIRED"}
    assert len(gateway.requests) == 1


@pytest.mark.slow
@pytest.mark.parametrize("latency", [0.05, 0.005])
def test_processes_share_one_quota_fairly(smspipe, gateway, latency):
    """Four processes that know nothing of each other, at a gateway that lets 200 requests a second through."""
    quota, capacity, processes = 200, 40, 4
    lock, tokens, at = threading.Lock(), [capacity], [time.monotonic()]

    def script(request):
        with lock:
            now = time.monotonic()
            tokens[0], at[0] = min(capacity, tokens[0] + quota * (now - at[0])), now
            if tokens[0] < 1:
                return Answer("Throttling.User", "Request was denied due to user flow control.", 429, delay=latency)
            tokens[0] -= 1
        return Answer(delay=latency)

    gateway.script = script
    for n in range(processes):
        process = smspipe.start(gateway, "--batch-size", "1", "--deadline", "1h")
        block = lines([message(k, f"SMS_{n}") for k in range(1000)]).encode()
        process.write_in_background([block] * 20)
        process.start_reading()
    gateway.wait_for_requests(1)
    began = time.monotonic()
    gateway.wait(lambda: time.monotonic() >= began + 14)
    first, last = began + 4, began + 14
    requests = [request for request in gateway.sends if first <= request.arrived < last]
    numbers = {request.number for request in requests}
    taken = Counter(t.sms.template for t in list(gateway.taken) if t.request in numbers)
    refused = len(requests) - sum(taken.values())
    assert sum(taken.values()) >= 0.9 * quota * (last - first)
    assert refused < 0.1 * len(requests), f"{refused} of {len(requests)} refused"
    assert len(taken) == processes
    assert min(taken.values()) >= 0.5 * sum(taken.values()) / processes


# -- clock and token --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [-7200, 7200])
@pytest.mark.parametrize("signature", ["v3", "v1"])
def test_a_wrong_clock_is_corrected_by_the_date_of_the_answer(smspipe, gateway, offset, signature):
    gateway.clock_offset = offset
    contents = [message(n, f"SMS_{n}") for n in range(3)]
    result = smspipe.run(gateway, "--signature", signature, "--concurrency", "1", stdin=contents)
    assert result.outcomes == ["accepted"] * 3
    assert len(gateway.requests) == 4, "the corrected time is kept"


@pytest.mark.parametrize("date", ["Sat, 01 Jan 0000 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_date_that_no_clock_has_is_not_believed(smspipe, gateway, tmp_path, date):
    refusal = gateway_error("InvalidTimeStamp.Expired", headers={"Date": date})
    gateway.script = lambda request: refusal if request.number == 0 else None
    options = ["--journal", tmp_path / "journal"]
    first = smspipe.run(gateway, *options, stdin=[message(1)])
    assert first.outcomes == ["accepted"] and first.column("SendDate")[0] in today()
    again = smspipe.run(gateway, *options, stdin=[message(1)])
    assert again.stdout == first.stdout and again.stderr == ""


def test_an_expired_time_is_tried_again_only_once(smspipe, gateway):
    gateway.script = lambda request: gateway_error("InvalidTimeStamp.Expired")
    result = smspipe.run(gateway, stdin=[message(1)])
    assert len(gateway.requests) == 2
    assert result.codes == ["InvalidTimeStamp.Expired"] and result.status == 77


# -- lost answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [gateways.CLOSE, gateways.RESET, gateways.HALF, gateways.GARBAGE, gateways.NEVER])
def test_a_lost_answer_is_looked_up(smspipe, gateway, fault):
    gateway.script = lambda request: lost(fault)
    result = smspipe.run(gateway, "--timeout", "500ms", stdin=[message(n) for n in range(50)])
    assert outcome(result) == {"accepted": 50}
    assert result.status == 0
    assert len(gateway.requests) == 1 and gateway.duplicates() == {}
    assert 1 <= len(gateway.lookups) <= 3
    assert all("look" in text.lower() for text in result.column("Message"))
    assert set(result.column("BatchId")) == {gateway.requests[0].out_id}


def test_a_lost_batch_that_did_not_go_out_is_unknown(smspipe, gateway):
    gateway.script = lambda request: lost(gateways.CLOSE, taken=False)
    result = smspipe.run(gateway, "--confirm", "6s", stdin=[message(n) for n in range(3)])
    assert result.outcomes == ["unknown"] * 3
    assert set(result.codes) == {"smspipe.UNCONFIRMED"}
    assert result.status == 3
    assert len(gateway.requests) == 1
    times = [request.arrived - gateway.requests[0].arrived for request in gateway.lookups]
    assert 1.8 <= times[0] <= 3.5 and any(4.5 <= at <= 6.5 for at in times)


def test_confirm_0_does_not_look_up(smspipe, gateway):
    gateway.script = lambda request: lost(gateways.CLOSE)
    result = smspipe.run(gateway, "--confirm", "0", stdin=[message(1)])
    assert (result.outcomes, gateway.lookups, result.status) == (["unknown"], [], 3)
    assert result.seconds < 2


def test_a_look_up_asks_for_the_number_as_the_service_wants_it(smspipe, gateway):
    gateway.script = lambda request: lost(gateways.CLOSE)
    result = smspipe.run(gateway, stdin=[message(1, PhoneNumber="+86" + phone(1))])
    assert result.outcomes == ["accepted"]
    assert gateway.lookups[0].fields["PhoneNumber"] == phone(1)
    assert "BizId" not in gateway.lookups[0].fields


def test_a_look_up_without_answer_is_not_the_end(smspipe, gateway):
    gateway.script = lambda request: lost(gateways.CLOSE)
    gateway.lookup_script = lambda request: Answer(fault=gateways.CLOSE) if len(gateway.lookups) == 1 else None
    result = smspipe.run(gateway, stdin=[message(1)])
    assert result.outcomes == ["accepted"]
    assert len(gateway.requests) == 1


# A signature is accepted as long as the clocks differ by less than fifteen minutes.
@pytest.mark.parametrize("offset", [0, -300, 300])
def test_a_message_with_an_out_id_of_its_own_is_found_by_number_template_and_time(smspipe, gateway, offset):
    gateway.clock_offset = offset
    gateway.script = lambda request: lost(gateways.CLOSE)
    result = smspipe.run(gateway, stdin=[message(n, OutId="mine") for n in range(3)])
    assert result.outcomes == ["accepted"] * 3
    assert len(gateway.requests) == 1


def test_the_same_out_id_of_another_template_is_not_taken_for_it(smspipe, gateway):
    gateway.script = lambda request: lost(gateways.CLOSE, taken=False) if request.template == "SMS_2" else None
    first = smspipe.run(gateway, stdin=[message(1, "SMS_1", OutId="mine")])
    assert first.outcomes == ["accepted"]
    result = smspipe.run(gateway, "--confirm", "3s", stdin=[message(1, "SMS_2", OutId="mine")])
    assert result.outcomes == ["unknown"]


@pytest.mark.parametrize("offset", [0, -300, 300])
def test_an_earlier_message_with_the_same_out_id_is_not_taken_for_it(smspipe, gateway, offset):
    gateway.clock_offset = offset
    first = smspipe.run(gateway, stdin=[message(1, OutId="mine")])
    assert first.outcomes == ["accepted"]
    gateway.taken[0].at -= 10
    gateway.script = lambda request: lost(gateways.CLOSE, taken=False)
    result = smspipe.run(gateway, "--confirm", "3s", stdin=[message(1, OutId="mine")])
    assert result.outcomes == ["unknown"]


@pytest.mark.parametrize("signature", ["v3", "v1"])
def test_a_look_up_with_a_wrong_clock_is_signed_anew(smspipe, gateway, tmp_path, signature):
    """Only look-ups are left to be made, so no answer to a send has corrected the clock before."""
    gateway.script = lambda request: lost(gateways.NEVER)
    options = ["--signature", signature, "--journal", tmp_path / "journal", "--confirm", "2s"]
    process = smspipe.start(gateway, "--linger", "0", *options)
    process.write(message(1))
    gateway.wait_for_requests(1)
    process.process.kill()
    process.wait()
    gateway.clock_offset = 7200
    result = smspipe.run(gateway, *options, stdin=[message(1)])
    assert result.outcomes == ["accepted"] and len(gateway.lookups) == 2 and gateway.duplicates() == {}


def test_an_own_out_id_is_not_found_in_a_later_message_of_another_process(smspipe, gateway):
    gateway.script = lambda request: lost(gateways.CLOSE, taken=False) if request.number == 0 else None
    process = smspipe.start(gateway, "--linger", "0", "--timeout", "100ms", "--confirm", "10s")
    process.write(message(1, OutId="campaign"))
    gateway.wait_for_requests(1)
    # The first look-ups come at 2 and 5 seconds: the other message is too late to be the lost one, and there for the third.
    while len(gateway.lookups) < 2:
        time.sleep(0.05)
    time.sleep(2.5)
    assert smspipe.run(gateway, stdin=[message(1, OutId="campaign")]).outcomes == ["accepted"]
    process.close_input()
    assert process.read()["Outcome"] == "unknown"
    assert process.wait() == 3 and len(gateway.taken) == 1


def test_other_batches_go_on_while_one_is_looked_up(smspipe, gateway):
    gateway.script = lambda request: lost(gateways.CLOSE) if request.template == "SMS_1" else None
    process = smspipe.start(gateway, "--order", "completion", "--concurrency", "1")
    began = time.monotonic()
    process.write(message(1, "SMS_1"))
    gateway.wait_for_requests(1)
    process.write(*[message(n, "SMS_2") for n in range(10, 20)])
    assert {response["TemplateCode"] for response in process.read_many(10)} == {"SMS_2"}
    assert time.monotonic() - began < 1.9
    process.close_input()
    assert process.read()["Outcome"] == "accepted"


def test_an_urgent_message_is_looked_up_too(smspipe, gateway):
    gateway.script = lambda request: lost(gateways.CLOSE)
    result = smspipe.run(gateway, "--urgent", "SMS_71175823", stdin=[message(1)])
    assert result.outcomes == ["accepted"] and len(gateway.requests) == 1


def test_a_gateway_that_never_answers_does_not_hold_the_run(smspipe, gateway):
    gateway.script = lambda request: lost(gateways.NEVER)
    gateway.lookup_script = lambda request: lost(gateways.NEVER, taken=False)
    contents = [message(n) for n in range(300)]
    result = smspipe.run(gateway, "--timeout", "500ms", "--confirm", "3s", stdin=contents, timeout=30)
    assert outcome(result) == {"unknown": 300} and result.status == 3


# -- --fail-on --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "rejected", "unknown"), [("any", 1, 3), ("unknown", 0, 3), ("never", 0, 0), (None, 1, 3)]
)
def test_fail_on_says_which_outcomes_count(smspipe, gateway, choice, rejected, unknown):
    options = ["--confirm", "0"] + (["--fail-on", choice] if choice else [])
    gateway.script = lambda request: Answer("isv.SMS_TEMPLATE_ILLEGAL")
    assert smspipe.run(gateway, *options, stdin=[message(1)]).status == rejected
    assert smspipe.run(gateway, *options, stdin=["nonsense"]).status == rejected
    gateway.script = lambda request: lost(gateways.CLOSE)
    assert smspipe.run(gateway, *options, stdin=[message(1), "nonsense"]).status == unknown
    gateway.script = lambda request: None
    assert smspipe.run(gateway, *options, stdin=[message(1)]).status == 0


def test_fail_on_never_is_0_when_the_account_stopped_and_every_line_was_answered(smspipe, gateway):
    gateway.script = lambda request: Answer("isv.OUT_OF_SERVICE")
    result = smspipe.run(gateway, "--fail-on", "never", stdin=[message(1), message(2)])
    assert len(result.lines) == 2
    assert result.status == 0


def test_unknown_wins_over_rejected(smspipe, gateway):
    answers = {"SMS_1": lost(gateways.CLOSE), "SMS_2": Answer("isv.SMS_TEMPLATE_ILLEGAL")}
    gateway.script = lambda request: answers.get(request.template)
    result = smspipe.run(gateway, "--confirm", "0", stdin=[message(n, f"SMS_{n}") for n in range(3)] + ["nonsense"])
    assert result.outcomes == ["accepted", "unknown", "rejected", "invalid"]
    assert result.status == 3


def test_the_account_wins_over_unknown(smspipe, gateway):
    gateway.script = lambda request: Answer("isv.OUT_OF_SERVICE") if request.number else lost(gateways.CLOSE)
    options = ["--confirm", "0", "--concurrency", "1", "--batch-size", "1"]
    result = smspipe.run(gateway, *options, stdin=[message(1), message(2)])
    assert result.outcomes[0] == "unknown" and result.status == 69


CLASSES = {
    "message": (Answer("isv.PARAM_LENGTH_LIMIT"), {"rejected"}),
    "batch": (Answer("isv.SMS_TEST_SIGN_TEMPLATE_LIMIT"), {"rejected"}),
    "account": (Answer("isp.RAM_PERMISSION_DENY"), {"skipped", "rejected"}),
    "throttle": (gateway_error("Throttling.User", 429, headers={"x-acs-retry-after": "50"}), {"accepted"}),
    "ambiguous": (lost(gateways.RESET), {"unknown"}),
    "ambiguous, not taken": (gateway_error("ServiceUnavailable", 503), {"unknown"}),
}


@pytest.mark.parametrize("order", ["input", "completion"])
@pytest.mark.parametrize("situation", ["first request", "after a split", "during drain"])
@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_of_answer_in_every_situation(smspipe, gateway, kind, situation, order):
    """Requests with the number 2 get the answer of the class; after a split means that 7 had to be found first."""
    answer, expected = CLASSES[kind]
    answered = []

    def script(request):
        if situation == "after a split" and phone(7) in request.phones:
            return Answer("isv.MOBILE_NUMBER_ILLEGAL")
        if phone(2) in request.phones and not (kind == "throttle" and answered):
            answered.append(request)
            return answer
        return None

    gateway.script = script
    contents = [message(n) for n in range(8)]
    options = ["--confirm", "0", "--order", order, "--linger", "60s"]
    if situation == "during drain":
        contents = contents[3:7] + contents[:3]
        options += ["--batch-size", "4"]
    process = smspipe.start(gateway, *options)
    process.write(*contents)
    if situation == "during drain":
        responses = process.read_many(4)
        process.signal("TERM")
        responses += process.read_all()
        assert process.wait() in ({77, 143} if kind == "account" else {143})
    else:
        process.close_input()
        responses = process.read_all()
    told = {response["PhoneNumber"]: response for response in responses}
    assert len(responses) == len(told) == len(contents)
    if order == "input":
        assert list(told) == [content["PhoneNumber"] for content in contents]
    assert told[phone(2)]["Outcome"] in expected
    if kind in ("message", "batch", "account"):
        assert told[phone(2)]["Code"] == answer.code
    if kind == "message":
        others = {number: r["Outcome"] for number, r in told.items() if number not in (phone(2), phone(7))}
        assert set(others.values()) == {"accepted"}
    if situation == "after a split":
        assert told[phone(7)]["Outcome"] in ({"rejected", "skipped"} if kind == "account" else {"rejected"})
    taken = set(gateway.taken_phones)
    assert gateway.duplicates() == {}
    assert {number for number, r in told.items() if r["Outcome"] == "accepted"} <= taken
    assert all(told[number]["Outcome"] in ("accepted", "unknown") for number in taken)


def test_the_ledger_and_the_output_agree_under_mixed_faults(smspipe, gateway):
    """A long run with every kind of answer: nothing goes out twice, nothing accepted did not go out."""
    plan = [None, lost(gateways.CLOSE), gateway_error("Throttling", 429), None, Answer("isv.SMS_TEMPLATE_ILLEGAL")]
    plan += [lost(gateways.CLOSE, taken=False), None, gateway_error("ServiceUnavailable", 503), lost(gateways.HALF)]
    culprits = refuse({phone(n): "isv.BUSINESS_LIMIT_CONTROL" for n in range(0, 3000, 137)})
    gateway.script = lambda request: culprits(request) or plan[request.number % len(plan)]
    contents = [message(n, f"SMS_{n % 7}") for n in range(3000)]
    result = smspipe.run(gateway, "--confirm", "0", stdin=contents)
    assert len(result.lines) == 3000
    assert [text.split(',"Outcome"')[0] for text in result.lines] == [line(c)[:-1] for c in contents]
    assert gateway.duplicates() == {}
    taken = set(gateway.taken_phones)
    for response in result.responses:
        if response["PhoneNumber"] in taken:
            assert response["Outcome"] in ("accepted", "unknown")
        else:
            assert response["Outcome"] in ("rejected", "unknown")


def test_an_answer_that_leaves_doubt_or_refuses_the_account_is_named(smspipe, gateway):
    gateway.script = lambda request: Answer("isp.SYSTEM_ERROR")
    response = smspipe.run(gateway, "--confirm", "0", stdin=[message(1)]).responses[0]
    assert response["Outcome"] == "unknown" and response["RequestId"]
    gateway.script = lambda request: Answer("isv.AMOUNT_NOT_ENOUGH")
    result = smspipe.run(gateway, "--batch-size", "1", "--concurrency", "1", stdin=[message(1), message(2)])
    assert result.outcomes == ["skipped", "skipped"]
    assert result.column("RequestId")[0] and result.column("RequestId")[1] is None
