"""How a request travels and what its answer means: contract, section 4, the part that needs no second request.

What smspipe does about refusals, throttling and lost answers stands in test_fates.py.
"""

import socket
import threading
import time

import pytest

import gateway as gateways
from command import NUMBER, lines, message, phone
from gateway import Answer, Gateway, gateway_error, lost


def test_a_request_is_a_post_with_the_arrays_in_the_body(smspipe, gateway):
    smspipe.run(gateway, stdin=[message(1)])
    request = gateway.requests[0]
    assert request.target.startswith("/?")
    assert "TemplateCode=SMS_71175823" in request.target and "OutId=" in request.target
    assert "PhoneNumber" not in request.target and "SignName" not in request.target
    assert request.headers["host"] == f"127.0.0.1:{gateway.port}"
    assert request.body.startswith((b"PhoneNumberJson=", b"SignNameJson=", b"SmsUp", b"TemplateParamJson="))


def test_v1_keeps_the_arrays_in_the_body_too(smspipe, gateway):
    assert smspipe.run(gateway, "--signature", "v1", stdin=[message(1)]).status == 0
    assert not NUMBER.search(gateway.requests[0].target)
    assert "authorization" not in gateway.requests[0].headers


@pytest.mark.parametrize("signature", ["v3", "v1"])
def test_a_security_token_is_sent_and_signed(smspipe, gateway, signature):
    token = "CAIS+token/with=chars&and~tilde"
    env = {"ALIBABA_CLOUD_SECURITY_TOKEN": token}
    assert smspipe.run(gateway, "--signature", signature, stdin=[message(1)], env=env).status == 0
    request = gateway.requests[0]
    if signature == "v3":
        assert request.headers["x-acs-security-token"] == token
    else:
        assert request.fields["SecurityToken"] == token


def test_an_empty_security_token_is_none(smspipe, gateway):
    smspipe.run(gateway, stdin=[message(1)], env={"ALIBABA_CLOUD_SECURITY_TOKEN": ""})
    assert "x-acs-security-token" not in gateway.requests[0].headers


def test_a_refused_batch_leaves_the_others_alone(smspipe, gateway):
    gateway.script = lambda request: Answer("isv.SMS_TEMPLATE_ILLEGAL") if request.template == "SMS_2" else None
    result = smspipe.run(gateway, stdin=[message(n, f"SMS_{n % 3}") for n in range(30)])
    assert result.outcomes == ["accepted", "accepted", "rejected"] * 10
    assert len(gateway.requests) == 3
    assert result.status == 1


AMBIGUOUS = {
    "closed": lost(gateways.CLOSE),
    "reset": lost(gateways.RESET),
    "half an answer": lost(gateways.HALF),
    "no HTTP": lost(gateways.GARBAGE),
    "no JSON": Answer(body=b"<html>hello</html>"),
    "empty body": Answer(body=b""),
    "cut JSON": Answer(body=b'{"Code":"OK","BizId":"1^0"'),
    "no Code": Answer(body=b'{"Message":"OK","RequestId":"x"}'),
    "an array": Answer(body=b'["OK"]'),
    "500": gateway_error("InternalError", 500),
    "503": gateway_error("ServiceUnavailable", 503),
    "502": Answer(status=502, body=b"<html>Bad Gateway</html>"),
    "504 without body": Answer(status=504, body=b""),
    "system error": Answer("isp.SYSTEM_ERROR"),
    "gateway error": Answer("isp.GATEWAY_ERROR"),
    "unheard-of isp": Answer("isp.SOMETHING_NEW"),
    "nonce used": gateway_error("SignatureNonceUsed"),
}


@pytest.mark.parametrize("answer", [pytest.param(answer, id=name) for name, answer in AMBIGUOUS.items()])
def test_what_may_have_been_sent_is_unknown_and_not_sent_again(smspipe, gateway, answer):
    answer.taken = answer.body is None
    gateway.script = lambda request: answer if request.template == "SMS_1" else None
    contents = [message(n, f"SMS_{n % 2}") for n in range(10)]
    result = smspipe.run(gateway, "--confirm", "0", stdin=contents)
    assert result.outcomes == ["accepted", "unknown"] * 5
    for response in result.responses[1::2]:
        assert response["Code"] == "smspipe.UNCONFIRMED"
        assert response["BizId"] is None and response["BatchId"] and response["SendDate"]
    assert result.status == 3
    assert len(gateway.requests) == 2 and gateway.lookups == []
    assert gateway.duplicates() == {}


def test_no_answer_within_the_timeout_is_unknown(smspipe, gateway):
    gateway.script = lambda request: lost(gateways.NEVER)
    result = smspipe.run(gateway, "--timeout", "300ms", "--confirm", "0", stdin=[message(1), message(2)])
    assert result.outcomes == ["unknown", "unknown"]
    assert result.status == 3
    assert len(gateway.requests) == 1
    assert 0.25 <= result.seconds < 5


def test_a_slow_answer_within_the_timeout_is_waited_for(smspipe, gateway):
    gateway.script = lambda request: Answer(delay=1)
    assert smspipe.run(gateway, stdin=[message(1)]).outcomes == ["accepted"]


@pytest.mark.parametrize("broken", ["reset-at-body", "garbage-at-body"])
def test_a_request_that_broke_before_it_was_whole_is_sent_again(smspipe, broken):
    """Ten megabytes do not fit into the buffers of a connection whose other end does not read."""
    server = Gateway()
    server.receive_buffer = 4096
    server.on_connection = lambda number: broken if number <= 2 else None
    server.start()
    contents = [message(n, parameters={"text": f"{n}" + "x" * 100_000}) for n in range(100)]
    result = smspipe.run(server, stdin=contents)
    server.stop()
    assert result.outcomes == ["accepted"] * 100
    assert len(server.taken) == 100 and server.connections >= 3 and server.complaints == []


def test_ok_to_a_part_of_a_request_is_not_accepted(smspipe):
    """Nobody can have taken the messages: most of them are still here."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    body = b'{"Code":"OK","Message":"OK","BizId":"1^0","RequestId":"R"}'
    connections = []

    def serve():
        connections.append(listener.accept()[0])
        connections[0].recv(100)
        connections[0].sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    threading.Thread(target=serve, daemon=True).start()
    endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
    contents = [message(n, parameters={"text": f"{n}" + "x" * 100_000}) for n in range(100)]
    result = smspipe.run(None, "--endpoint", endpoint, "--confirm", "0", stdin=contents)
    listener.close()
    assert len(connections) == 1
    assert result.outcomes == ["unknown"] * 100
    assert result.column("BizId") == [None] * 100


def test_a_connection_closed_while_idle_costs_nothing(smspipe, gateway):
    gateway.idle_close = True
    process = smspipe.start(gateway, "--linger", "0", "--confirm", "0")
    for n in range(10):
        process.write(message(n))
        assert process.read()["Outcome"] == "accepted"
        gateway.wait(lambda: not gateway._open, what="the idle connection to be closed on both ends")
    process.close_input()
    assert process.wait() == 0
    assert gateway.connections == 10


def test_connection_close_in_an_answer_is_obeyed(smspipe, gateway):
    gateway.script = lambda request: Answer(headers={"Connection": "close"})
    result = smspipe.run(gateway, "--batch-size", "1", stdin=[message(n) for n in range(20)])
    assert result.status == 0
    assert gateway.connections == 20


def test_a_chunked_answer_is_read(smspipe):
    """A server that does not tell the length of its answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    parts = [b'{"Code":"OK","Mess', b'age":"OK","BizId":"1^0","RequestId":"R"}']

    def serve():
        connection, _ = listener.accept()
        data = b""
        while b"PhoneNumberJson" not in data:
            data += connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in parts:
            connection.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        connection.sendall(b"0\r\n\r\n")
        connection.recv(1)

    threading.Thread(target=serve, daemon=True).start()
    endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
    result = smspipe.run(None, "--endpoint", endpoint, stdin=[message(1)])
    listener.close()
    assert (result.outcomes, result.column("BizId")) == (["accepted"], ["1^0"])


def test_a_gateway_that_is_not_up_yet_is_waited_for(smspipe):
    server = Gateway().start()
    server.stop_listening()
    process = smspipe.start(server)
    process.write(message(1))
    process.close_input()
    assert process.is_silent(1)
    server.start()
    assert process.read()["Outcome"] == "accepted"
    assert process.wait() == 0
    server.stop()


def test_an_unreachable_gateway_ends_the_run_with_69(smspipe):
    server = Gateway().start()
    server.stop_listening()
    result = smspipe.run(server, stdin=[message(1), "nonsense", message(2)])
    assert result.status == 69
    assert result.outcomes == ["skipped", "invalid", "skipped"]
    assert result.codes[::2] == ["smspipe.UNREACHABLE"] * 2
    assert result.column("SendDate") == [None] * 3
    assert 8 <= result.seconds <= 16
    assert len(result.stderr.splitlines()) == 1


def test_a_gateway_that_goes_away_for_a_moment_is_waited_for(smspipe, gateway):
    gateway.script = lambda request: Answer(headers={"Connection": "close"})
    process = smspipe.start(gateway, "--linger", "0")
    process.write(message(1))
    assert process.read()["Outcome"] == "accepted"
    gateway.stop_listening()
    process.write(message(2))
    assert process.is_silent(0.7)
    gateway.start()
    assert process.read()["Outcome"] == "accepted"
    process.close_input()
    assert process.wait() == 0
    assert gateway.taken_phones == [phone(1), phone(2)]


def test_what_cannot_leave_within_the_deadline_is_skipped(smspipe, gateway):
    gateway.script = lambda request: Answer(headers={"Connection": "close"})
    process = smspipe.start(gateway, "--linger", "0", "--deadline", "1s")
    process.write(message(1))
    assert process.read()["Outcome"] == "accepted"
    gateway.stop_listening()
    process.write(message(2))
    process.close_input()
    response = process.read()
    assert (response["Outcome"], response["Code"]) == ("skipped", "smspipe.EXPIRED")
    assert process.wait() == 1


def test_a_silent_input_holds_up_nothing(smspipe, gateway):
    began = time.monotonic()
    process = smspipe.start(gateway)
    process.process.stdin.write(lines([message(1)]).encode() + b'{"PhoneNumber":"138')
    process.process.stdin.flush()
    assert process.read()["PhoneNumber"] == phone(1)
    assert time.monotonic() - began < 10
