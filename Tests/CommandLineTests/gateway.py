"""A gateway to test against: takes requests over loopback, checks them, answers as it is told, and remembers.

It shares no code and no data with smspipe. Everything a request must be is checked here, for every request of every
test; what is wrong is written to `complaints`, which the fixture expects to be empty at the end.
"""

import contextlib
import email.utils
import json
import re
import select
import socket
import ssl
import struct
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

import signing

KEY_ID = "testid"
SECRET = "testsecret-not-to-be-shown"
CHINA = timezone(timedelta(hours=8))
MAXIMUM_WAIT = 60


@dataclass
class Sms:
    """One message as the service would take it."""

    phone: str
    sign_name: str
    template: str
    parameters: dict | None
    extend_code: str | None
    out_id: str | None


@dataclass
class Request:
    number: int
    connection: int
    method: str
    target: str
    headers: dict
    body: bytes
    arrived: float
    fields: dict = field(default_factory=dict)
    messages: list = field(default_factory=list)

    @property
    def action(self):
        return self.headers.get("x-acs-action") or self.fields.get("Action")

    @property
    def phones(self):
        return [sms.phone for sms in self.messages]

    @property
    def template(self):
        return self.fields.get("TemplateCode")

    @property
    def out_id(self):
        return self.fields.get("OutId")


@dataclass
class Answer:
    """What a request gets. `taken` says whether its messages go out, whatever the caller gets to hear."""

    code: str = "OK"
    message: str | None = None
    status: int = 200
    headers: dict = field(default_factory=dict)
    body: bytes | None = None
    details: dict | None = None
    biz_id: str | None = None
    taken: bool | None = None
    fault: str | None = None
    wait_for: threading.Event | None = None
    delay: float = 0

    def __post_init__(self):
        if self.taken is None:
            self.taken = self.code == "OK"


# Faults, all after the request was read whole; with taken=True the messages went out nevertheless.
CLOSE = "close"  # no answer, the connection ends
RESET = "reset"  # no answer, the connection is reset
HALF = "half"  # half of an answer, then the connection ends
GARBAGE = "garbage"  # bytes that are no HTTP
NEVER = "never"  # no answer, ever; the connection stays open


def lost(fault, taken=True):
    return Answer(fault=fault, taken=taken)


def gateway_error(code, status=400, message="Refused by the gateway.", headers=None):
    return Answer(code=code, status=status, message=message, headers=headers or {})


@dataclass
class Taken:
    sms: Sms
    biz_id: str
    at: float
    request: int


class Gateway:
    """`script` maps a Request that sends messages to an Answer; None stands for OK."""

    def __init__(self, script=None, tls=None, secret=SECRET, host="127.0.0.1"):
        self.script = script or (lambda request: None)
        self.lookup_script = lambda request: None
        self.on_connection = lambda number: None  # "close": at once; once the head is read: "reset-at-body", "garbage-at-body"
        self.requests, self.lookups, self.connections = [], [], 0
        self.taken, self.complaints = [], []
        self.records_visible = True
        self.clock_offset = 0
        self.in_flight = self.most_in_flight = 0
        self.idle_close = False
        self.receive_buffer = None
        self._secret, self._tls, self._host = secret, tls, host
        self._nonces, self._open = set(), set()
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._listener = None
        self.port = 0

    # -- life ---------------------------------------------------------------------------------------------------------

    def start(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.receive_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        listener.bind((self._host, self.port))
        listener.listen(1024)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return self

    def stop_listening(self):
        listener, self._listener = self._listener, None
        if listener:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def stop(self):
        self._stopped.set()
        self.stop_listening()
        with self._changed:
            open_now = list(self._open)
            self._changed.notify_all()
        for connection in open_now:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def scheme(self):
        return "https" if self._tls else "http"

    @property
    def endpoint(self):
        return f"{self.scheme}://{self._host}:{self.port}"

    # -- what tests ask -----------------------------------------------------------------------------------------------

    @property
    def sends(self):
        """The requests that send messages, in the order in which they were read."""
        with self._changed:
            return list(self.requests)

    def wait(self, condition, timeout=20, what="the gateway to see it"):
        """Waits until `condition()` is true; checks it whenever something has happened here."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not condition():
                remaining = deadline - time.monotonic()
                assert remaining > 0, f"waited {timeout}s for {what}"
                self._changed.wait(min(remaining, 0.2))

    def wait_for_requests(self, count, timeout=20):
        self.wait(lambda: len(self.requests) >= count, timeout, f"{count} requests, got {len(self.requests)}")

    @property
    def taken_phones(self):
        with self._changed:
            return [taken.sms.phone for taken in self.taken]

    def duplicates(self):
        """Messages that went out more than once, by their phone number, template and parameters."""
        keys = Counter((t.sms.phone, t.sms.template, json.dumps(t.sms.parameters, sort_keys=True)) for t in self.taken)
        return {key: count for key, count in keys.items() if count > 1}

    # -- connections --------------------------------------------------------------------------------------------------

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._changed:
                self.connections += 1
                number = self.connections
                self._changed.notify_all()
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection, number):
        plan = self.on_connection(number)
        reader = None
        try:
            if plan == "close":
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with self._changed:
                self._open.add(connection)
            reader = connection.makefile("rb", buffering=65536)
            while not self._stopped.is_set():
                request = self._read(reader, number, plan, connection)
                if request is None or not self._answer(request, connection):
                    return
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            with self._changed:
                self._open.discard(connection)
            with contextlib.suppress(OSError):
                if reader:
                    reader.close()
                connection.close()

    def _read(self, reader, number, plan, connection):
        line = reader.readline(65536)
        if not line:
            return None
        method, target, version = line.decode("ascii").split()
        headers = {}
        while (line := reader.readline(65536)) not in (b"\r\n", b""):
            name, _, value = line.decode("utf-8").partition(":")
            if name.lower() in headers:
                self.complain(f"header {name} stands twice")
            headers[name.lower()] = value.strip()
        if plan == "reset-at-body":
            reset(connection)
            return None
        if plan == "garbage-at-body":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n???")
            closing = select.poll()
            closing.register(connection, select.POLLRDHUP)
            closing.poll(10_000)
            return None
        if version != "HTTP/1.1":
            self.complain(f"{version} instead of HTTP/1.1")
        body = reader.read(int(headers.get("content-length", 0)))
        if len(body) < int(headers.get("content-length", 0)):
            return None
        return Request(0, number, method, target, headers, body, time.monotonic())

    def _answer(self, request, connection):
        refusal = self._check(request)
        if request.action == "QuerySendDetails":
            with self._changed:
                self.lookups.append(request)
                self._changed.notify_all()
            answer = refusal or self.lookup_script(request) or self._send_details(request)
            return self._write(request, answer, connection)
        with self._changed:
            request.number = len(self.requests)
            self.requests.append(request)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            self._changed.notify_all()
        try:
            answer = refusal or self.script(request) or Answer()
            if answer.wait_for:
                answer.wait_for.wait(MAXIMUM_WAIT)
            if answer.delay:
                self._stopped.wait(answer.delay)
            return self._write(request, answer, connection)
        finally:
            with self._changed:
                self.in_flight -= 1
                self._changed.notify_all()

    def _write(self, request, answer, connection):
        biz_id = answer.biz_id
        if answer.taken and answer.body is None and request.action != "QuerySendDetails":
            with self._changed:
                biz_id = biz_id or f"{900619746936498440 + len(self.taken)}^0"
                now = time.time() + self.clock_offset
                self.taken += [Taken(sms, biz_id, now, request.number) for sms in request.messages]
                self._changed.notify_all()
        if answer.fault == CLOSE:
            return False
        if answer.fault == RESET:
            reset(connection)
            return False
        if answer.fault == NEVER:
            self._stopped.wait(MAXIMUM_WAIT * 10)
            return False
        if answer.fault == GARBAGE:
            connection.sendall(b"\x00\x16\xffnot HTTP at all\r\n\r\n{}")
            return False
        body = answer.body if answer.body is not None else self._body(request, answer, biz_id)
        headers = {
            "Date": email.utils.formatdate(time.time() + self.clock_offset, usegmt=True),
            "Content-Type": "application/json;charset=utf-8",
            "Content-Length": str(len(body)),
            "Connection": "keep-alive",
            **answer.headers,
        }
        head = f"HTTP/1.1 {answer.status} {'OK' if answer.status == 200 else 'Refused'}\r\n"
        data = (head + "".join(f"{n}: {v}\r\n" for n, v in headers.items()) + "\r\n").encode() + body
        if answer.fault == HALF:
            connection.sendall(data[: len(data) - len(body) // 2 - 1])
            return False
        connection.sendall(data)
        if self.idle_close and request.action != "QuerySendDetails":
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(2)
            with contextlib.suppress(OSError):
                connection.recv(1)  # until the peer has noticed and closed, too
            return False
        return headers["Connection"] != "close"

    def _body(self, request, answer, biz_id):
        content = {
            "RequestId": str(uuid.uuid4()).upper(),
            "Code": answer.code,
            "Message": answer.message or answer.code,
        }
        if answer.status != 200:
            content |= {"HostId": "dysmsapi.aliyuncs.com", "Recommend": "https://api.aliyun.com/troubleshoot"}
        elif biz_id and (answer.code == "OK" or answer.biz_id):
            content["BizId"] = biz_id
        content |= answer.details or {}
        return json.dumps(content, ensure_ascii=False).encode()

    # -- checks -------------------------------------------------------------------------------------------------------

    def complain(self, text):
        with self._changed:
            self.complaints.append(text)

    def _check(self, request):
        """Complains about what no request may be; returns the refusal of a request that is not signed rightly."""
        target = urlsplit(request.target)
        content_type = request.headers.get("content-type", "")
        if request.method != "POST":
            self.complain(f"{request.method} instead of POST")
        if target.path != "/":
            self.complain(f"path {target.path}")
        if request.body and content_type.split(";")[0] != signing.FORM:
            self.complain(f"content-type {content_type!r}")
        if "transfer-encoding" in request.headers:
            self.complain("a body of unknown length")
        form = signing.parameters(request.body.decode("utf-8"))
        both = signing.parameters(target.query) + form
        for name, count in Counter(name for name, _ in both).items():
            if count > 1:
                self.complain(f"parameter {name} stands {count} times")
        request.fields = dict(both)
        v3 = request.headers.get("authorization", "").startswith("ACS3-HMAC-SHA256 ")
        refusal = self._check_v3(request, target) if v3 else self._check_v1(request, both)
        if refusal is None:
            self._check_messages(request, dict(form))
        return refusal

    def _check_v3(self, request, target):
        headers = request.headers
        match = re.fullmatch(
            r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})",
            headers["authorization"],
        )
        if not match:
            self.complain("Authorization is malformed")
            return gateway_error("IncompleteSignature")
        key_id, names, signature = match[1], match[2].split(";"), match[3]
        must = {"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"}
        must |= {name for name in headers if name.startswith("x-acs-")} | ({"content-type"} & headers.keys())
        if names != sorted(names) or not must <= set(names):
            self.complain(f"SignedHeaders {names}, needed {sorted(must)}")
        if headers.get("x-acs-content-sha256") != signing.hashlib.sha256(request.body).hexdigest():
            self.complain("x-acs-content-sha256 is not the body's")
        if headers.get("x-acs-version") != "2017-05-25":
            self.complain("x-acs-version")
        canonical = signing.v3_canonical_request("POST", "/", target.query, headers, names, request.body)
        if key_id != KEY_ID:
            return gateway_error("InvalidAccessKeyId.NotFound", 404, "Specified access key is not found.")
        if refusal := self._check_time(headers.get("x-acs-date", ""), headers.get("x-acs-signature-nonce")):
            return refusal
        if signature != signing.v3_signature(canonical, self._secret):
            to_sign = signing.v3_string_to_sign(canonical)
            return gateway_error(
                "SignatureDoesNotMatch",
                message="Specified signature does not match our calculation. "
                f"server StringToSign is [{to_sign}] server CanonicalRequest is [{canonical}]",
            )
        return None

    def _check_v1(self, request, both):
        fields = request.fields
        signed = [(name, value) for name, value in both if name != "Signature"]
        fixed = {"Version": "2017-05-25", "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0"}
        for name, value in fixed.items():
            if fields.get(name) != value:
                self.complain(f"{name} is {fields.get(name)!r}")
        if fields.get("Format", "").upper() != "JSON":
            self.complain("Format is not JSON")
        if fields.get("AccessKeyId") != KEY_ID:
            return gateway_error("InvalidAccessKeyId.NotFound", 404, "Specified access key is not found.")
        if refusal := self._check_time(fields.get("Timestamp", ""), fields.get("SignatureNonce")):
            return refusal
        if fields.get("Signature") != signing.v1_signature("POST", signed, self._secret):
            return gateway_error(
                "SignatureDoesNotMatch",
                message="Specified signature is not matched with our calculation. "
                f"server string to sign is:{signing.v1_string_to_sign('POST', signed)}",
            )
        return None

    def _check_time(self, stamp, nonce):
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp):
            self.complain(f"time {stamp!r}")
            return gateway_error("InvalidTimeStamp.Format")
        sent = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
        if abs(sent - time.time() - self.clock_offset) > 900:
            return gateway_error("InvalidTimeStamp.Expired", message="Specified time stamp or date value is expired.")
        with self._changed:
            known, _ = nonce in self._nonces, self._nonces.add(nonce)
        if not nonce or known:
            self.complain(f"nonce {nonce!r} is missing or was used before")
            return gateway_error("SignatureNonceUsed")
        return None

    def _check_messages(self, request, form):
        fields = request.fields
        common = fields.get("TemplateCode"), fields.get("OutId")
        if request.action == "SendBatchSms":
            arrays = {
                "PhoneNumberJson": str,
                "SignNameJson": str,
                "TemplateParamJson": dict,
                "SmsUpExtendCodeJson": str,
            }
            rows = {}
            for name, kind in arrays.items():
                if name not in fields:
                    continue
                if name not in form:
                    self.complain(f"{name} is not in the form body")
                rows[name] = json.loads(fields[name])
                if not isinstance(rows[name], list) or not all(isinstance(item, kind) for item in rows[name]):
                    self.complain(f"{name} is not an array of {kind.__name__}")
            phones = rows["PhoneNumberJson"]
            if not 1 <= len(phones) <= 100 or any(len(row) != len(phones) for row in rows.values()):
                self.complain(f"arrays of {[len(row) for row in rows.values()]}")
            plain = [re.sub(r"^(\+86|0086|86|\+)(?=1\d{10}$)", "", phone) for phone in phones]
            if len(set(plain)) != len(plain):
                self.complain("a number stands twice in a request")
            nothing = [None] * len(phones)
            request.messages = [
                Sms(phone, sign, common[0], parameters, code, common[1])
                for phone, sign, parameters, code in zip(
                    phones,
                    rows["SignNameJson"],
                    rows.get("TemplateParamJson", nothing),
                    rows.get("SmsUpExtendCodeJson", nothing),
                )
            ]
        elif request.action == "SendSms":
            parameters = json.loads(fields["TemplateParam"]) if "TemplateParam" in fields else None
            request.messages = [
                Sms(phone, fields["SignName"], common[0], parameters, fields.get("SmsUpExtendCode"), common[1])
                for phone in fields["PhoneNumbers"].split(",")
            ]
        elif request.action != "QuerySendDetails":
            self.complain(f"action {request.action}")
        for sms in request.messages:
            for value in (sms.parameters or {}).values():
                if not isinstance(value, str):
                    self.complain(f"a template value is {type(value).__name__}")
        if request.messages and not (common[0] or "").startswith("SMS_"):
            self.complain(f"TemplateCode {common[0]!r}")

    def _send_details(self, request):
        fields = request.fields
        if not re.fullmatch(r"\d{8}", fields.get("SendDate", "")) or not fields.get("PhoneNumber", "").isdigit():
            self.complain(f"QuerySendDetails with {fields}")
            return Answer(code="isv.INVALID_PARAMETERS")
        size, page = int(fields["PageSize"]), int(fields["CurrentPage"])
        if not 1 <= size <= 50 or page < 1:
            self.complain(f"PageSize {size}, CurrentPage {page}")
        found = []
        with self._changed:
            for taken in self.taken if self.records_visible else []:
                at = datetime.fromtimestamp(taken.at, CHINA)
                same = (
                    bare(taken.sms.phone) == bare(fields["PhoneNumber"]) and at.strftime("%Y%m%d") == fields["SendDate"]
                )
                if same and fields.get("BizId") in (None, taken.biz_id):
                    found.append(
                        {
                            "PhoneNum": bare(taken.sms.phone),
                            "SendStatus": 1,
                            "ErrCode": "",
                            "OutId": taken.sms.out_id or "",
                            "SendDate": at.strftime("%Y-%m-%d %H:%M:%S"),
                            "TemplateCode": taken.sms.template,
                            "Content": f"【{taken.sms.sign_name}】",
                        }
                    )
        part = found[(page - 1) * size : page * size]
        details = {"TotalCount": str(len(found)), "SmsSendDetailDTOs": {"SmsSendDetailDTO": part}}
        return Answer(details=details)


def bare(phone):
    return re.sub(r"^(\+86|0086|86)(?=1\d{10}$)", "", phone).lstrip("+")


def reset(connection):
    """Makes the close that follows a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
