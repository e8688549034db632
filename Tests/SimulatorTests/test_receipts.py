"""Receipts: pushed as the service pushes them, and taken from the queue with the official SDK's own client."""

import http.server
import json
import threading
import time

import pytest

pytest.importorskip("aliyunsdkdybaseapi")

from aliyunsdkcore.client import AcsClient  # noqa: E402
from aliyunsdkcore.request import CommonRequest  # noqa: E402
from aliyunsdkdybaseapi.mns.account import Account  # noqa: E402
from aliyunsdkdybaseapi.mns.mns_exception import MNSExceptionBase  # noqa: E402
from test_sdks import batch, new_client  # noqa: E402


class Consumer:
    """A web server that gets pushes and answers as it is told; the last answer goes on for ever."""

    def __init__(self, *answers):
        self.bodies, self.answers = [], list(answers)
        consumer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                consumer.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                status, body = consumer.answers[0] if len(consumer.answers) == 1 else consumer.answers.pop(0)
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/receipts"

    def wait(self, count, seconds=10):
        end = time.time() + seconds
        while len(self.bodies) < count and time.time() < end:
            time.sleep(0.02)
        return self.bodies


GOOD = (200, '{"code":0,"msg":"接收成功"}'.encode())


def test_pushes_a_report_of_each_message(start):
    consumer = Consumer(GOOD)
    simulator = start("--report-delay", "50ms", "--receipts-to", consumer.url)
    sent = new_client(simulator, None).send_batch_sms(batch())
    reports = consumer.wait(1)[0]
    assert [report["phone_number"] for report in reports] == ["13800000001", "13800000002"]
    assert {report["biz_id"] for report in reports} == {sent.body.biz_id}
    report = reports[0]
    assert (report["success"], report["err_code"], report["sms_size"], report["out_id"]) == (True, "DELIVERED", "1", "工单 1")
    time.sleep(0.3)
    assert len(consumer.bodies) == 1


@pytest.mark.parametrize("bad", [(500, b"{}"), (200, b'{"code":"0"}'), (200, b"ok")], ids=["500", "text code", "no JSON"])
def test_pushes_again_until_acknowledged(start, bad):
    consumer = Consumer(bad, bad, GOOD)
    simulator = start("--report-delay", "0", "--receipts-to", consumer.url, "--time-scale", "0.001")
    new_client(simulator, None).send_batch_sms(batch())
    bodies = consumer.wait(3)
    assert len(bodies) == 3 and bodies[0] == bodies[1] == bodies[2]


def test_gives_up_after_the_third_repeat(start):
    consumer = Consumer((503, b""))
    simulator = start("--report-delay", "0", "--receipts-to", consumer.url, "--time-scale", "0.0005")
    new_client(simulator, None).send_batch_sms(batch())
    consumer.wait(4)
    time.sleep(0.5)
    assert len(consumer.bodies) == 4


def test_pushes_twice_when_asked_to(start):
    consumer = Consumer(GOOD)
    simulator = start("--report-delay", "0", "--receipts-to", consumer.url, "--duplicate-receipts", "1")
    new_client(simulator, None).send_batch_sms(batch())
    bodies = consumer.wait(2)
    assert bodies[0] == bodies[1]


def queue(simulator, kind):
    request = CommonRequest(domain=simulator.host, version="2017-05-25", action_name="QueryTokenForMnsQueue")
    request.set_method("POST")
    request.set_protocol_type("http")
    request.add_query_param("MessageType", kind)
    client = AcsClient(simulator.key_id, simulator.secret, "cn-hangzhou")
    token = json.loads(client.do_action_with_exception(request))["MessageTokenDTO"]
    account = Account(simulator.endpoint, token["AccessKeyId"], token["AccessKeySecret"], token["SecurityToken"])
    return account.get_queue(f"Alicom-Queue-1092397003988387-{kind}")


def test_serves_the_queue_of_reports(start):
    simulator = start("--report-delay", "0", "--time-scale", "0.02")
    reports = queue(simulator, "SmsReport")
    with pytest.raises(MNSExceptionBase) as empty:
        reports.batch_receive_message(16, 0)
    assert empty.value.type == "MessageNotExist"
    new_client(simulator, None).send_batch_sms(batch())
    received = reports.batch_receive_message(16, 1)
    bodies = [json.loads(message.message_body) for message in received]
    assert [body["phone_number"] for body in bodies] == ["13800000001", "13800000002"]
    # What is not deleted comes back after the visibility time.
    reports.batch_delete_message([received[0].receipt_handle])
    time.sleep(0.8)
    again = reports.batch_receive_message(16, 1)
    assert [json.loads(message.message_body)["phone_number"] for message in again] == ["13800000002"]
    assert again[0].dequeue_count == 2


def test_serves_the_queue_of_replies(start):
    simulator = start()
    replies = queue(simulator, "SmsUp")
    simulator.lines("replies", "POST", {"PhoneNumber": "13800000001", "Content": "退订", "SignName": "阿里云"})
    message = replies.batch_receive_message(1, 1)[0]
    reply = json.loads(message.message_body)
    assert (reply["phone_number"], reply["content"], reply["sign_name"]) == ("13800000001", "退订", "阿里云")


def test_refuses_a_wrong_queue_signature(start):
    simulator = start()
    reports = queue(simulator, "SmsReport")
    reports.mns_client.access_key = "wrong"
    with pytest.raises(MNSExceptionBase) as refused:
        reports.batch_receive_message(1, 0)
    assert refused.value.type == "SignatureDoesNotMatch"
