"""Which messages share a request, and when a request leaves: contract, section 3."""

import threading
import time

import pytest

from command import line, message, phone
from gateway import Answer


def sizes(gateway):
    return sorted(len(request.messages) for request in gateway.sends)


def groups(gateway):
    return sorted(sorted(request.phones) for request in gateway.sends)


# -- what shares a request --------------------------------------------------------------------------------------------


def test_a_request_holds_up_to_100_messages(smspipe, gateway):
    result = smspipe.run(gateway, stdin=[message(n) for n in range(1050)])
    assert result.status == 0
    assert sizes(gateway) == [50] + [100] * 10


def test_batch_size_makes_requests_smaller(smspipe, gateway):
    smspipe.run(gateway, "--batch-size", "7", stdin=[message(n) for n in range(20)])
    assert sizes(gateway) == [6, 7, 7]


def test_templates_do_not_share_a_request(smspipe, gateway):
    smspipe.run(gateway, stdin=[message(n, f"SMS_{n % 3}") for n in range(30)])
    assert sizes(gateway) == [10, 10, 10]
    assert sorted(request.template for request in gateway.requests) == ["SMS_0", "SMS_1", "SMS_2"]


def test_sign_names_share_a_request_and_stay_with_their_numbers(smspipe, gateway):
    smspipe.run(gateway, stdin=[message(n, sign_name=f"签名{n % 3}") for n in range(30)])
    assert sizes(gateway) == [30]
    assert all(t.sms.sign_name == f"签名{int(t.sms.phone[3:]) % 3}" for t in gateway.taken)


def test_parameters_stay_with_their_numbers(smspipe, gateway):
    smspipe.run(gateway, stdin=[message(n) for n in range(300)])
    assert all(t.sms.parameters == {"code": f"{int(t.sms.phone[3:]):06d}"} for t in gateway.taken)


def test_a_template_code_is_the_same_however_it_is_spelt(smspipe, gateway):
    texts = [line(message(1, "SMS_1")), line(message(2, "SMS_1")).replace('"SMS_1"', r'"\u0053MS_1"')]
    smspipe.run(gateway, stdin=texts)
    assert groups(gateway) == [[phone(1), phone(2)]]


def test_out_ids_do_not_share_a_request(smspipe, gateway):
    contents = [message(1, OutId="a"), message(2, OutId="b"), message(3, OutId="a"), message(4)]
    smspipe.run(gateway, stdin=contents)
    assert groups(gateway) == [[phone(1), phone(3)], [phone(2)], [phone(4)]]
    sent = {request.phones[0]: request.out_id for request in gateway.requests}
    assert (sent[phone(1)], sent[phone(2)]) == ("a", "b")
    assert sent[phone(4)] not in ("a", "b", None)


def test_messages_with_and_without_parameters_do_not_share_a_request(smspipe, gateway):
    smspipe.run(gateway, stdin=[message(n, parameters=[None, {}, {"code": "1"}][n % 3]) for n in range(6)])
    assert groups(gateway) == [[phone(0), phone(3)], [phone(1), phone(2), phone(4), phone(5)]]


def test_messages_with_and_without_extension_code_do_not_share_a_request(smspipe, gateway):
    contents = [message(1, SmsUpExtendCode="1"), message(2), message(3, SmsUpExtendCode="2")]
    smspipe.run(gateway, stdin=contents)
    assert groups(gateway) == [[phone(1), phone(3)], [phone(2)]]
    assert {t.sms.phone: t.sms.extend_code for t in gateway.taken} == {phone(1): "1", phone(2): None, phone(3): "2"}


def test_mainland_and_international_numbers_do_not_share_a_request(smspipe, gateway):
    abroad = ["+447700900123", "85255500123", "+61491570156"]
    home = [phone(1), "+86" + phone(2), "0086" + phone(3), "86" + phone(4), "+" + phone(5)]
    contents = [message(1, PhoneNumber=number) for pair in zip(home, abroad) for number in pair]
    contents += [message(1, PhoneNumber=number) for number in home[3:]]
    smspipe.run(gateway, stdin=contents)
    ours = sorted(sorted(p.lstrip("+") for p in request.phones) for request in gateway.requests)
    assert len(ours) == 2
    assert sorted(n.lstrip("+") for n in abroad) in ours


def test_a_number_stands_at_most_once_in_a_request(smspipe, gateway):
    contents = [message(n % 5, order=n, parameters={"code": str(n)}) for n in range(20)]
    result = smspipe.run(gateway, stdin=contents)
    assert result.outcomes == ["accepted"] * 20
    assert len(gateway.taken) == 20
    assert all(len(set(request.phones)) == len(request.phones) for request in gateway.requests)
    assert len({(response["BizId"], response["PhoneNumber"]) for response in result.responses}) == 20


def test_a_number_written_in_two_ways_is_one_number(smspipe, gateway):
    ways = [phone(1), "+86" + phone(1), "0086" + phone(1), "86" + phone(1), "+" + phone(1)]
    result = smspipe.run(gateway, stdin=[message(1, PhoneNumber=number) for number in ways])
    assert result.outcomes == ["accepted"] * 5
    assert sizes(gateway) == [1] * 5


def test_a_number_twice_in_an_international_batch_too(smspipe, gateway):
    smspipe.run(gateway, stdin=[message(1, PhoneNumber=number) for number in ("+447700900123", "447700900123")])
    assert sizes(gateway) == [1, 1]


# -- when a request leaves --------------------------------------------------------------------------------------------


def test_a_lone_line_leaves_after_the_default_linger(smspipe, gateway):
    process = smspipe.start(gateway)
    process.write(message(1))
    assert process.read(timeout=10)["Outcome"] == "accepted"


def test_a_line_lingers_for_company(smspipe, gateway):
    process = smspipe.start(gateway, "--linger", "60s")
    process.write(message(1))
    assert process.is_silent(0.5)
    process.write(message(2))
    process.close_input()
    assert len(process.read_all()) == 2
    assert sizes(gateway) == [2]


def test_a_full_batch_does_not_linger(smspipe, gateway):
    process = smspipe.start(gateway, "--linger", "60s")
    process.write(*[message(n) for n in range(110)])
    assert len(process.read_many(100)) == 100
    assert process.is_silent(0.3)
    assert sizes(gateway) == [100]


def test_the_linger_is_about_as_long_as_it_says(smspipe, gateway):
    process = smspipe.start(gateway, "--linger", "0")
    process.write(message(0))
    process.read()
    process.close_input()
    assert process.wait() == 0
    process = smspipe.start(gateway, "--linger", "700ms", "--batch-size", "2")
    process.write(message(1), message(2))
    process.read_many(2)
    began = time.monotonic()
    process.write(message(3))
    process.read()
    assert 0.6 <= time.monotonic() - began <= 3


def test_linger_0_sends_at_once(smspipe, gateway):
    process = smspipe.start(gateway, "--linger", "0")
    process.write(message(0))
    process.read()
    times = []
    for n in range(1, 21):
        began = time.monotonic()
        process.write(message(n))
        process.read()
        times.append(time.monotonic() - began)
    assert sorted(times)[10] < 0.05


def test_linger_0_batches_what_is_ready(smspipe, gateway):
    process = smspipe.start(gateway, "--linger", "0")
    process.write(*[message(n) for n in range(25)])
    assert len(process.read_many(25)) == 25
    assert sizes(gateway) == [25]


def test_linger_0_fills_batches_from_a_file(smspipe, gateway, tmp_path):
    (tmp_path / "a.jsonl").write_text("".join(line(message(n)) + "\n" for n in range(1050)))
    smspipe.run(gateway, "--linger", "0", "a.jsonl")
    assert sizes(gateway) == [50] + [100] * 10


def test_a_full_window_sends_what_waits(smspipe, gateway):
    process = smspipe.start(gateway, "--window", "50", "--linger", "60s")
    process.write(*[message(n) for n in range(120)])
    assert len(process.read_many(100)) == 100
    assert process.is_silent(0.3)
    process.close_input()
    assert len(process.read_all()) == 20


def test_the_window_bounds_what_is_read(smspipe, gateway):
    released = threading.Event()
    gateway.script = lambda request: Answer(wait_for=released)
    process = smspipe.start(gateway, "--window", "500")
    process.write_in_background([(line(message(n)) + "\n").encode() for n in range(3000)])
    gateway.wait(lambda: sum(len(request.messages) for request in gateway.requests) >= 500)
    assert process.is_silent(0.5)
    assert sum(len(request.messages) for request in gateway.requests) == 500
    released.set()
    assert len(process.read_many(3000)) == 3000


def test_batches_of_many_templates_fill_unless_the_window_is_told(smspipe):
    contents = [message(n, f"SMS_{n % 400}") for n in range(60_000)]
    requests = {}
    for window in [(), ("--window", "20000")]:
        result = smspipe.run(None, "--simulate", "--linger", "60s", "--summary", *window, stdin=contents)
        assert result.status == 0
        assert result.column("PhoneNumber") == [content["PhoneNumber"] for content in contents]
        requests[window] = result.summary["Requests"]
    # Each template has a hundred and fifty.
    assert 800 <= requests[()] < 950
    assert requests["--window", "20000"] > 1200


def test_usr1_sends_what_is_batched_and_prints_a_summary(smspipe, gateway):
    process = smspipe.start(gateway, "--linger", "60s", "--batch-size", "2")
    process.write(message(1), message(2), message(3))
    process.read_many(2)
    process.signal("USR1")
    assert process.read()["PhoneNumber"] == phone(3)
    process.wait_for_stderr()
    process.write(message(4))
    process.close_input()
    assert len(process.read_all()) == 1
    assert process.wait() == 0


def test_a_batch_that_waits_for_its_turn_goes_on_filling(smspipe, gateway):
    """While all requests are in flight, a batch whose linger is over has nothing to gain from being closed."""
    released = threading.Event()
    gateway.script = lambda request: Answer(wait_for=released) if request.number == 0 else None
    process = smspipe.start(gateway, "--concurrency", "1", "--linger", "50ms")
    process.write(message(0))
    gateway.wait_for_requests(1)
    for first in (1, 31, 61):
        process.write(*[message(n) for n in range(first, first + 30)])
        assert process.is_silent(0.2)
    released.set()
    process.close_input()
    assert len(process.read_all()) == 91
    assert sizes(gateway) == [1, 90]


def test_a_slow_gateway_does_not_make_batches_small(smspipe, gateway):
    gateway.script = lambda request: Answer(delay=0.15)
    contents = [message(n, f"SMS_{n % 8}") for n in range(8000)]
    result = smspipe.run(gateway, "--concurrency", "8", "--window", "2000", stdin=contents)
    assert result.status == 0
    assert len(gateway.requests) <= 100


# -- urgent templates -------------------------------------------------------------------------------------------------


def test_urgent_templates_leave_at_once_and_alone_by_send_sms(smspipe, gateway):
    process = smspipe.start(gateway, "--urgent", "SMS_0001,SMS_0002", "--linger", "60s", "--order", "completion")
    urgent = [message(n, f"SMS_000{n % 2 + 1}", SmsUpExtendCode="7") for n in range(10, 14)]
    process.write(message(1), message(2), *urgent)
    assert {response["PhoneNumber"] for response in process.read_many(4)} == {phone(n) for n in range(10, 14)}
    assert [request.action for request in gateway.requests] == ["SendSms"] * 4
    assert sizes(gateway) == [1] * 4
    for taken in gateway.taken:
        number = int(taken.sms.phone[3:])
        assert taken.sms.parameters == {"code": f"{number:06d}"}
        assert (taken.sms.sign_name, taken.sms.extend_code) == ("云通信", "7")
    process.close_input()
    assert {response["PhoneNumber"] for response in process.read_all()} == {phone(1), phone(2)}
    assert gateway.requests[-1].action == "SendBatchSms"


@pytest.mark.parametrize("signature", ["v3", "v1"])
def test_an_urgent_message_is_answered_like_any_other(smspipe, gateway, signature):
    contents = [message(1, "SMS_0001", OutId="mine"), message(2, "SMS_0001", parameters=None), message(3, "SMS_0001")]
    result = smspipe.run(gateway, "--urgent", "SMS_0001", "--signature", signature, stdin=contents)
    assert result.status == 0
    sent = {taken.sms.phone: taken for taken in gateway.taken}
    assert sent[phone(1)].sms.out_id == "mine"
    assert sent[phone(2)].sms.parameters is None
    for response in result.responses:
        assert response["BizId"] == sent[response["PhoneNumber"]].biz_id
    assert result.responses[2]["BatchId"] == sent[phone(3)].sms.out_id


# -- how many at once -------------------------------------------------------------------------------------------------


def test_concurrency_bounds_the_requests_in_flight(smspipe, gateway):
    released = threading.Event()
    gateway.script = lambda request: Answer(wait_for=released)
    process = smspipe.start(gateway, "--concurrency", "4", "--batch-size", "1")
    process.write(*[message(n) for n in range(30)])
    process.close_input()
    gateway.wait_for_requests(4)
    assert process.is_silent(0.3)
    released.set()
    assert len(process.read_all()) == 30
    assert gateway.most_in_flight == 4


def test_connections_are_kept_and_used_again(smspipe, gateway):
    result = smspipe.run(gateway, "--concurrency", "3", "--batch-size", "1", stdin=[message(n) for n in range(60)])
    assert result.status == 0
    assert gateway.connections <= 3


def test_no_message_expires_because_of_the_rate(smspipe, gateway):
    """No more is read than can leave before its deadline."""
    options = ["--rate", "200/s", "--deadline", "1s", "--batch-size", "10"]
    result = smspipe.run(gateway, *options, stdin=[message(n) for n in range(500)])
    assert set(result.outcomes) == {"accepted"} and len(result.outcomes) == 500


def test_a_rate_does_not_widen_the_window(smspipe, gateway):
    smspipe.run(gateway, "--rate", "500/s", "--window", "5", "--linger", "0", stdin=[message(n) for n in range(20)])
    assert max(len(request.messages) for request in gateway.requests) <= 5


def test_rate_caps_messages_per_second(smspipe, gateway):
    result = smspipe.run(gateway, "--rate", "50/s", "--batch-size", "5", stdin=[message(n) for n in range(100)])
    assert result.status == 0
    times = [request.arrived for request in gateway.requests]
    assert times[-1] - times[0] >= 0.9
