"""A small web service that sends verification codes: POST /codes with a phone number as its body.

It sends with the official SDK (pip install alibabacloud-dysmsapi20170525) to wherever SMSPIPE_ENDPOINT points, or to Alibaba Cloud.
"""

import json
import os
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_dysmsapi20170525.models import SendSmsRequest
from alibabacloud_tea_openapi.models import Config


def make_client():
    endpoint = urlsplit(os.environ.get("SMSPIPE_ENDPOINT", "https://dysmsapi.aliyuncs.com"))
    return Client(
        Config(
            access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
            access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
            endpoint=endpoint.netloc,
            protocol=endpoint.scheme.upper(),
        )
    )


class CodeService(BaseHTTPRequestHandler):
    def do_POST(self):
        number = self.rfile.read(int(self.headers["content-length"])).decode()
        code = f"{secrets.randbelow(1_000_000):06d}"
        try:
            answer = make_client().send_sms(
                SendSmsRequest(
                    phone_numbers=number,
                    sign_name="云通信",
                    template_code="SMS_71175823",
                    template_param=json.dumps({"code": code}),
                )
            )
            status = {"OK": 202, "isv.BUSINESS_LIMIT_CONTROL": 429, "isv.MOBILE_NUMBER_ILLEGAL": 400}.get(answer.body.code, 502)
        except Exception:
            # Without an answer the message may have been sent: the user is asked to wait, not to try again at once.
            status = 504
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", 8080), CodeService).serve_forever()
