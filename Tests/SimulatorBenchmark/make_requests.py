#!/usr/bin/env python3
"""Writes signed SendBatchSms requests for wrk: each a number of bytes in ten digits, then the bytes.

    make_requests.py COUNT FILE HOST ACCESS_KEY_ID ACCESS_KEY_SECRET

Every request has 100 messages of its own and a nonce of its own, so that none is a replay or a duplicate.
"""

import hashlib
import hmac
import sys
import time
from urllib.parse import quote

COUNT, FILE, HOST, KEY_ID, SECRET = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5].encode()
TARGET = "/?OutId=benchmark&TemplateCode=SMS_71175823"
SIGNED = "content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
SIGN_NAMES = quote("[" + ",".join(['"云通信"'] * 100) + "]", safe="~")


def body(index):
    start = 13_000_000_000 + index * 100
    numbers = quote("[" + ",".join(f'"{start + i}"' for i in range(100)) + "]", safe="~")
    values = quote("[" + ",".join(f'{{"code":"{(start + i) % 1000000:06d}","name":"张先生"}}' for i in range(100)) + "]", safe="~")
    return f"PhoneNumberJson={numbers}&SignNameJson={SIGN_NAMES}&TemplateParamJson={values}".encode()


def request(index):
    content = body(index)
    digest = hashlib.sha256(content).hexdigest()
    date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    headers = [
        ("content-type", "application/x-www-form-urlencoded"), ("host", HOST), ("x-acs-action", "SendBatchSms"),
        ("x-acs-content-sha256", digest), ("x-acs-date", date), ("x-acs-signature-nonce", f"{time.time_ns():x}{index:x}"),
        ("x-acs-version", "2017-05-25"),
    ]
    lines = "".join(f"{name}:{value}\n" for name, value in headers)
    canonical = f"POST\n/\n{TARGET[2:]}\n{lines}\n{SIGNED}\n{digest}"
    to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    signature = hmac.new(SECRET, to_sign.encode(), hashlib.sha256).hexdigest()
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    head += f"Authorization: ACS3-HMAC-SHA256 Credential={KEY_ID},SignedHeaders={SIGNED},Signature={signature}\r\n"
    return f"POST {TARGET} HTTP/1.1\r\n{head}content-length: {len(content)}\r\n\r\n".encode() + content


with open(FILE, "wb") as file:
    for index in range(COUNT):
        content = request(index)
        file.write(b"%010d" % len(content) + content)
