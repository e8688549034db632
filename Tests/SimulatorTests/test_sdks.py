"""Unchanged official SDKs from PyPI against the simulator: they send, are refused, and query."""

import datetime
import json

import pytest

pytest.importorskip("alibabacloud_dysmsapi20170525")
pytest.importorskip("aliyunsdkcore")

from alibabacloud_dysmsapi20170525 import models  # noqa: E402
from alibabacloud_dysmsapi20170525.client import Client  # noqa: E402
from alibabacloud_tea_openapi.models import Config  # noqa: E402
from aliyunsdkcore.acs_exception.exceptions import ServerException  # noqa: E402
from aliyunsdkcore.client import AcsClient  # noqa: E402
from aliyunsdkcore.request import CommonRequest  # noqa: E402
from aliyunsdkdysmsapi.request.v20170525.SendBatchSmsRequest import SendBatchSmsRequest  # noqa: E402
from aliyunsdkdysmsapi.request.v20170525.SendSmsRequest import SendSmsRequest  # noqa: E402

NUMBERS = ["13800000001", "13800000002"]
SIGN_NAMES = ["阿里云", "Acme ~*+/:%&=".replace(" ", "")]
VALUES = [{"code": "1234"}, {"code": "a*b~c+d"}]


def today():
    return datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).strftime("%Y%m%d")


def new_client(simulator, algorithm, secret=None, key_id=None):
    config = Config(
        access_key_id=key_id or simulator.key_id,
        access_key_secret=secret or simulator.secret,
        endpoint=simulator.host,
        protocol="HTTP",
        signature_algorithm=algorithm,
    )
    return Client(config)


def batch():
    return models.SendBatchSmsRequest(
        phone_number_json=json.dumps(NUMBERS),
        sign_name_json=json.dumps(SIGN_NAMES, ensure_ascii=False),
        template_code="SMS_71175823",
        template_param_json=json.dumps(VALUES),
        out_id="工单 1",
    )


@pytest.mark.parametrize("algorithm", [None, "v2"], ids=["V3", "V1"])
class TestNewSDK:
    def test_sends_and_queries(self, simulator, algorithm):
        client = new_client(simulator, algorithm)
        sent = client.send_batch_sms(batch())
        assert sent.status_code == 200 and sent.body.code == "OK", sent.body
        single = client.send_sms(
            models.SendSmsRequest(
                phone_numbers="13800000003", sign_name="阿里云", template_code="SMS_1", template_param='{"code":"1234"}'
            )
        )
        assert single.body.code == "OK"
        details = client.query_send_details(
            models.QuerySendDetailsRequest(
                phone_number=NUMBERS[0], send_date=today(), page_size=10, current_page=1, biz_id=sent.body.biz_id
            )
        )
        detail = details.body.sms_send_detail_dtos.sms_send_detail_dto[0]
        assert (detail.send_status, detail.err_code, detail.out_id) == (3, "DELIVERED", "工单 1")
        assert "阿里云" in detail.content
        assert [line["PhoneNumber"] for line in simulator.lines("messages")] == NUMBERS + ["13800000003"]

    def test_shows_templates_sign_names_and_statistics(self, start, algorithm, tmp_path):
        account = {
            "accessKeys": [{"id": "id", "secret": "secret"}],
            "signNames": [{"name": "阿里云"}],
            "templates": [
                {"code": "SMS_1", "name": "码", "content": "码${code}", "kind": "code", "variables": {"code": "numberCaptcha"}}
            ],
        }
        (tmp_path / "account.json").write_text(json.dumps(account))
        client = new_client(start("--account", str(tmp_path / "account.json")), algorithm)
        template = client.get_sms_template(models.GetSmsTemplateRequest(template_code="SMS_1")).body
        assert (template.template_status, template.template_content) == ("1", "码${code}")
        assert json.loads(template.variable_attribute) == {"code": "numberCaptcha"}
        assert client.query_sms_template(models.QuerySmsTemplateRequest(template_code="SMS_1")).body.template_status == 1
        listed = client.query_sms_template_list(models.QuerySmsTemplateListRequest(page_index=1, page_size=10)).body
        assert [item.template_code for item in listed.sms_template_list] == ["SMS_1"]
        assert client.get_sms_sign(models.GetSmsSignRequest(sign_name="阿里云")).body.sign_status == 1
        signs = client.query_sms_sign_list(models.QuerySmsSignListRequest(page_index=1, page_size=10)).body
        assert [item.sign_name for item in signs.sms_sign_list] == ["阿里云"]
        statistics = client.query_send_statistics(
            models.QuerySendStatisticsRequest(
                is_globe=1, start_date=today(), end_date=today(), page_index=1, page_size=10
            )
        ).body
        assert statistics.data.total_size == 0

    def test_is_refused(self, simulator, algorithm):
        with pytest.raises(Exception) as wrong_secret:
            new_client(simulator, algorithm, secret="wrong").send_batch_sms(batch())
        assert "SignatureDoesNotMatch" in str(wrong_secret.value)
        with pytest.raises(Exception) as wrong_key:
            new_client(simulator, algorithm, key_id="nobody").send_batch_sms(batch())
        assert "InvalidAccessKeyId.NotFound" in str(wrong_key.value)
        bad = batch()
        bad.phone_number_json = json.dumps(["13800000001", "12"])
        answer = new_client(simulator, algorithm).send_batch_sms(bad)
        assert answer.body.code == "isv.MOBILE_NUMBER_ILLEGAL"

    def test_is_throttled(self, start, algorithm):
        client = new_client(start("--qps", "1"), algorithm)
        client.send_batch_sms(batch())
        with pytest.raises(Exception) as throttled:
            for _ in range(5):
                client.send_batch_sms(batch())
        assert "Throttling.User" in str(throttled.value)


class TestOldSDK:
    def client(self, simulator, secret=None):
        return AcsClient(simulator.key_id, secret or simulator.secret, "cn-hangzhou")

    def request(self, simulator):
        request = SendBatchSmsRequest()
        request.set_endpoint(simulator.host)
        request.set_PhoneNumberJson(json.dumps(NUMBERS))
        request.set_SignNameJson(json.dumps(SIGN_NAMES))
        request.set_TemplateCode("SMS_71175823")
        request.set_TemplateParamJson(json.dumps(VALUES))
        return request

    def test_sends(self, simulator):
        client = self.client(simulator)
        assert json.loads(client.do_action_with_exception(self.request(simulator)))["Code"] == "OK"
        single = SendSmsRequest()
        single.set_endpoint(simulator.host)
        single.set_PhoneNumbers("13800000001,13800000002")
        single.set_SignName("阿里云")
        single.set_TemplateCode("SMS_1")
        single.set_TemplateParam('{"code":"1234"}')
        assert json.loads(client.do_action_with_exception(single))["Code"] == "OK"

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_queries_by_common_request(self, simulator, method):
        client = self.client(simulator)
        client.do_action_with_exception(self.request(simulator))
        query = CommonRequest(domain=simulator.host, version="2017-05-25", action_name="QuerySendDetails")
        query.set_method(method)
        query.set_protocol_type("http")
        for name, value in [("PhoneNumber", NUMBERS[1]), ("SendDate", today()), ("PageSize", 10), ("CurrentPage", 1)]:
            query.add_query_param(name, value)
        details = json.loads(client.do_action_with_exception(query))
        assert details["SmsSendDetailDTOs"]["SmsSendDetailDTO"][0]["PhoneNum"] == NUMBERS[1]

    def test_is_refused(self, simulator):
        with pytest.raises(ServerException) as refused:
            self.client(simulator, secret="wrong").do_action_with_exception(self.request(simulator))
        # The SDK compares the server's string to sign with its own and finds that only the secret can be wrong.
        assert refused.value.get_error_code() in ("SignatureDoesNotMatch", "InvalidAccessKeySecret")
        assert refused.value.get_http_status() == 400
