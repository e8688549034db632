"""`smspipe receipts`: what the service tells of by itself, as lines: contract, section 9."""

import base64
import contextlib
import email.utils
import fcntl
import hashlib
import hmac
import http.client
import http.server
import json
import os
import re
import select
import socket
import subprocess
import threading
import time
import uuid
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest

import signing
from command import BINARY, Command, check_discretion, lines, message, phone
from gateway import CHINA, KEY_ID, SECRET

REPORTS = "Alicom-Queue-1092397003988387-SmsReport"
REPLIES = "Alicom-Queue-1092397003988387-SmsUp"
ACKNOWLEDGED = {"code": 0, "msg": "接收成功"}
COUNTS = ["SmsReport", "SmsUp", "Other", "Repeats", "Pushes", "Deleted", "Waiting", "Unreadable", "Seconds"]


def report(number=1, **members):
    return {
        "phone_number": phone(number),
        "send_time": "2026-03-04 10:00:00",
        "report_time": "2026-03-04 10:00:09",
        "success": True,
        "err_code": "DELIVERED",
        "err_msg": "用户接收成功",
        "sms_size": "1",
        "biz_id": "900619746936498440^0",
        "out_id": f"run-{number}",
    } | members


def reply(number=1, **members):
    return {
        "phone_number": phone(number),
        "send_time": "2026-03-04 10:00:00",
        "content": "绝密 TD",
        "sign_name": "云通信",
        "dest_code": "1069",
        "sequence_id": 1234567890123456789,
    } | members


def typed(name, content):
    return {"Type": name} | content


def compact(content):
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


# -- who pushes -----------------------------------------------------------------------------------------------------------


class Client:
    """One connection to who listens."""

    def __init__(self, port, host="127.0.0.1"):
        self.connection = http.client.HTTPConnection(host, port, timeout=20)

    @property
    def socket(self):
        return self.connection.sock

    def send(self, body, method="POST", path="/receipts", **headers):
        """Sends a request whole, and does not wait for the answer."""
        if not isinstance(body, bytes | None):
            body = (body if isinstance(body, str) else compact(body)).encode()
        self.connection.request(method, path, body, {"Content-Type": "application/json", **headers})

    def answer(self):
        """The status, and the answer's JSON."""
        got = self.connection.getresponse()
        body = got.read()
        return got.status, body and json.loads(body)

    def push(self, body, **more):
        self.send(body, **more)
        return self.answer()

    @property
    def is_answered(self):
        """Whether something has come, or the connection has ended."""
        return bool(select.select([self.socket], [], [], 0)[0])

    def close(self):
        self.connection.close()


class Run:
    """A run of `smspipe receipts`."""

    def __init__(self, process, stalled=None):
        self.process, self.stalled = process, stalled
        self.clients = []
        self.port = None

    def wait_until_listening(self):
        self.wait_for_errors(lambda: "\n" in self.process.stderr)
        found = re.fullmatch(r"smspipe: listening on http://127\.0\.0\.1:(\d+)\n", self.process.stderr)
        assert found, self.process.stderr
        self.port = int(found[1])
        return self

    def client(self):
        self.clients.append(Client(self.port))
        return self.clients[-1]

    def push(self, body, **more):
        return self.client().push(body, **more)

    def line(self, timeout=20):
        """The next line, as it was written."""
        self.process.start_reading()
        text = self.process._output.get(timeout=timeout)
        assert text.endswith(b"\n"), text
        return text.decode().removesuffix("\n")

    def read(self, timeout=20):
        return json.loads(self.line(timeout))

    def rest(self):
        """All further lines."""
        return self.process.read_all()

    @property
    def errors(self):
        """Standard error, without where it listens."""
        return re.sub(r"^smspipe: listening on .*\n", "", self.process.stderr)

    @property
    def summaries(self):
        return [json.loads(text) for text in self.process.stderr.split("\n")[:-1] if text.startswith("{")]

    def wait_for_errors(self, condition, timeout=10):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, f"standard error is {self.process.stderr!r}"
            assert self.process.process.poll() is None or condition(), f"ended; {self.process.stderr!r}"
            time.sleep(0.005)

    def counts(self):
        """The summary so far: all that had come before is taken in, and what can be answered is."""
        known = len(self.summaries)
        self.process.signal("USR1")
        self.wait_for_errors(lambda: len(self.summaries) > known)
        return self.summaries[known]

    def wait_for_count(self, name, count):
        deadline = time.monotonic() + 10
        while (counts := self.counts())[name] < count:
            assert time.monotonic() < deadline, counts
        return counts

    def end(self, name="TERM"):
        """Ends it, and gives the lines that had not been read."""
        self.process.signal(name)
        rest = [] if self.stalled else self.rest()
        assert self.process.wait(20) == {"TERM": 143, "INT": 130, "HUP": 129}[name]
        return rest


class Stalled:
    """A pipe that is full, and that nobody reads for now."""

    def __init__(self):
        self.reading, self.writing = os.pipe()
        fcntl.fcntl(self.writing, 1031, 4096)  # F_SETPIPE_SZ
        os.set_blocking(self.writing, False)
        self.filled = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                self.filled += os.write(self.writing, b"\n" * 4096)
        os.set_blocking(self.writing, True)

    def started(self):
        """Leaves the process as the only writer."""
        os.close(self.writing)
        self.writing = None

    def read(self, count=1):
        """So many lines, and the pipe goes on to have room."""
        text = b""
        while (text := text.lstrip(b"\n")).count(b"\n") < count:
            assert select.select([self.reading], [], [], 20)[0], text
            block = os.read(self.reading, 65536)
            assert block, text
            text += block
        return [json.loads(line) for line in text.split(b"\n")[:-1]]

    def rest(self):
        return b"".join(iter(lambda: os.read(self.reading, 65536), b"")).lstrip(b"\n")

    def stop_reading(self):
        os.close(self.reading)
        self.reading = None

    def close(self):
        for descriptor in (self.reading, self.writing):
            if descriptor is not None:
                os.close(descriptor)


@pytest.fixture
def receipts(smspipe):
    """Starts `smspipe receipts`."""
    runs, pipes = [], []

    def start(*options, listens=True, env=None, stdout=None, stalled=False):
        pipe = None
        if stalled:
            pipe = Stalled()
            pipes.append(pipe)
            stdout = pipe.writing
        more = ["--listen", "127.0.0.1:0"] if listens else []
        process = smspipe.start(None, "receipts", *more, *options, env=env, stdout=stdout or subprocess.PIPE)
        if pipe:
            pipe.started()
        runs.append(Run(process, pipe))
        return runs[-1].wait_until_listening() if listens else runs[-1]

    yield start
    for run in runs:
        for client in run.clients:
            client.close()
        check_discretion(run.process.stderr)
    for pipe in pipes:
        pipe.close()


# -- the platform's queues ------------------------------------------------------------------------------------------------


class Queues:
    """Hands out tokens and serves queues as the platform does, over loopback; checks every request.

    `on_token`, `on_receive` and `on_delete` may give another answer to a request: a status and a body. What was wrong with
    requests stands in `complaints`.
    """

    def __init__(self):
        self.tokens, self.token_calls, self.receives, self.deletes = [], [], [], []
        self.deleted, self.complaints = [], []
        self._given = set()
        self.on_token = self.on_receive = self.on_delete = lambda request: None
        self.lifetime = 600
        self.waits = True
        self.clock_offset = 0
        self._visible, self._out, self._nonces = [], {}, set()
        self._changed = threading.Condition()
        self._is_stopped = False
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                answer = service._answer(self, body)
                if answer is None:
                    self.close_connection = True
                    return
                status, content, *more = answer
                content = content.encode() if isinstance(content, str) else content
                self.send_response(status)
                for name, value in more:
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = handle_any

            def handle(self):
                with contextlib.suppress(ConnectionError):
                    super().handle()

            def date_time_string(self, timestamp=None):
                return email.utils.formatdate(time.time() + service.clock_offset, usegmt=True)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.endpoint = f"http://{self.host}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self):
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        self.server.shutdown()
        self.server.server_close()

    # What tests ask

    def put(self, *bodies, queue=REPORTS):
        """Puts messages into a queue; what is no bytes is put as the platform does."""
        with self._changed:
            for body in bodies:
                if not isinstance(body, bytes):
                    body = base64.b64encode((body if isinstance(body, str) else compact(body)).encode())
                self._visible.append((queue, body))
            self._changed.notify_all()

    def bring_back(self):
        """What was received and not deleted comes back, as after its visibility time."""
        with self._changed:
            self._visible += self._out.values()
            self._out.clear()
            self._changed.notify_all()

    @property
    def held(self):
        """The handles of what was received and not deleted."""
        with self._changed:
            return list(self._out)

    def wait(self, condition, timeout=20):
        deadline = time.monotonic() + timeout
        with self._changed:
            while not condition():
                remaining = deadline - time.monotonic()
                assert remaining > 0, "waited for the queues to see it"
                self._changed.wait(min(remaining, 0.2))

    def wait_until_empty(self):
        self.wait(lambda: not self._visible and not self._out)

    # Answers

    def _answer(self, handler, body):
        url = urlsplit(handler.path)
        if handler.headers.get_all("host") != [self.host]:
            self._complain(f"host {handler.headers.get_all('host')}")
        if url.path == "/":
            return self._token(handler, url, body)
        found = re.fullmatch(r"/queues/([\w-]+)/messages", url.path)
        if not found or handler.command not in ("GET", "DELETE"):
            self._complain(f"{handler.command} {handler.path}")
            return error(404, "InvalidQueryString")
        return self._check(handler, body) or self._queue(found[1], handler, url, body)

    def _token(self, handler, url, body):
        pairs = parse_qsl(url.query, keep_blank_values=True, strict_parsing=True)
        if body:
            pairs += parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
        fields = dict(pairs)
        with self._changed:
            self.token_calls.append(fields)
            self._changed.notify_all()
            is_known = fields.get("SignatureNonce") in self._nonces
            self._nonces.add(fields.get("SignatureNonce"))
        signed = [pair for pair in pairs if pair[0] != "Signature"]
        if len(fields) != len(pairs) or is_known or not fields.get("SignatureNonce"):
            self._complain(f"parameters {sorted(pairs)}")
        if (fields.get("Action"), fields.get("Version")) != ("QueryTokenForMnsQueue", "2017-05-25"):
            self._complain(f"action {fields.get('Action')} {fields.get('Version')}")
        if not fields.get("QueueName", "").endswith("-" + fields.get("MessageType", "")):
            self._complain(f"queue {fields.get('QueueName')} of {fields.get('MessageType')}")
        answer = self.on_token(fields)
        if answer:
            return answer
        if fields.get("AccessKeyId") != KEY_ID:
            return refusal(404, "InvalidAccessKeyId.NotFound")
        sent = datetime.strptime(fields["Timestamp"] + "+0000", "%Y-%m-%dT%H:%M:%SZ%z").timestamp()
        if abs(sent - time.time() - self.clock_offset) > 900:
            return refusal(400, "InvalidTimeStamp.Expired")
        if signing.v1_signature(handler.command, signed, SECRET) != fields.get("Signature"):
            return refusal(400, "SignatureDoesNotMatch")
        return 200, json.dumps(
            {"Code": "OK", "Message": "OK", "RequestId": request_id(), "MessageTokenDTO": self._new_token()}
        )

    def _new_token(self):
        created = datetime.now(CHINA) + timedelta(seconds=self.clock_offset)
        with self._changed:
            number = len(self.tokens) + 1
            token = {
                "AccessKeyId": f"STS.key{number}",
                "AccessKeySecret": f"{SECRET}-{number}",
                "SecurityToken": f"CAIS+/{number}==",
                "CreateTime": created.strftime("%Y-%m-%d %H:%M:%S"),
                "ExpireTime": (created + timedelta(seconds=self.lifetime)).strftime("%Y-%m-%d %H:%M:%S"),
            }
            self.tokens.append(token | {"EndsAt": time.monotonic() + self.lifetime})
            self._changed.notify_all()
            return token

    def _check(self, handler, body):
        headers = handler.headers
        for name in ("authorization", "date", "x-mns-version", "security-token"):
            if len(headers.get_all(name, [])) != 1:
                self._complain(f"{name}: {headers.get_all(name)}")
        if headers.get("x-mns-version") != "2015-06-06":
            self._complain(f"version {headers.get('x-mns-version')}")
        if body:
            if headers.get("content-md5") != base64.b64encode(hashlib.md5(body).hexdigest().encode()).decode():
                self._complain("content-md5 is wrong")
            if headers.get("content-type") != "text/xml;charset=UTF-8":
                self._complain(f"content-type {headers.get('content-type')}")
        name, _, signature = headers.get("authorization", "").removeprefix("MNS ").rpartition(":")
        token = next((token for token in self.tokens if token["AccessKeyId"] == name), None)
        if not token:
            self._complain(f"key {name!r}")
            return error(403, "AccessIDAuthError")
        own = sorted((key.lower(), value) for key, value in headers.items() if key.lower().startswith("x-mns-"))
        text = f"{handler.command}\n{headers.get('content-md5', '')}\n{headers.get('content-type', '')}\n{headers['date']}\n"
        text += "".join(f"{key}:{value}\n" for key, value in own) + handler.path
        digest = hmac.new(token["AccessKeySecret"].encode(), text.encode(), hashlib.sha1).digest()
        if signature != base64.b64encode(digest).decode():
            self._complain(f"the signature is not that of {text!r}")
            return error(403, "SignatureDoesNotMatch")
        if headers.get("security-token") != token["SecurityToken"]:
            self._complain(f"security-token {headers.get('security-token')}")
        if token["EndsAt"] < time.monotonic():
            self._complain("a token is used that has ended")
            return error(403, "InvalidSecurityToken")
        sent = email.utils.parsedate_to_datetime(headers["date"]).timestamp()
        if abs(sent - time.time() - self.clock_offset) > 900:
            return error(403, "TimeExpired")
        return None

    def _queue(self, queue, handler, url, body):
        request = {"queue": queue, "token": handler.headers["security-token"]}
        if handler.command == "GET":
            return self._receive(queue, request, dict(parse_qsl(url.query, strict_parsing=True)))
        root = ElementTree.fromstring(body)
        space = "{http://mns.aliyuncs.com/doc/v1/}"
        request["handles"] = [element.text for element in root]
        if root.tag != space + "ReceiptHandles" or {element.tag for element in root} != {space + "ReceiptHandle"}:
            self._complain(f"deletes with {body!r}")
        if not 1 <= len(request["handles"]) <= 16:
            self._complain(f"deletes {len(request['handles'])} messages at once")
        with self._changed:
            self.deletes.append(request)
            self._changed.notify_all()
        answer = self.on_delete(request)
        if answer:
            return answer
        with self._changed:
            # A deletion that failed may be tried again when its message has come back, with another handle.
            unknown = [handle for handle in request["handles"] if not self._out.pop(handle, None)]
            never_given = [handle for handle in unknown if handle not in self._given]
            self.deleted += [handle for handle in request["handles"] if handle not in unknown]
            self._changed.notify_all()
        if never_given:
            self._complain(f"deletes what was not received: {never_given}")
        if unknown:
            return 404, b"<Errors><Error><ErrorCode>ReceiptHandleError</ErrorCode></Error></Errors>"
        return 204, b""

    def _receive(self, queue, request, fields):
        count, seconds = int(fields["numOfMessages"]), int(fields["waitseconds"])
        if not (1 <= count <= 16 and 0 <= seconds <= 30):
            self._complain(f"asks for {count} messages, waits for {seconds} seconds")
        with self._changed:
            self.receives.append(request)
            self._changed.notify_all()
        answer = self.on_receive(request)
        if answer:
            return answer if answer != "close" else None
        deadline = time.monotonic() + seconds
        with self._changed:
            while not (found := [entry for entry in self._visible if entry[0] == queue][:count]):
                remaining = deadline - time.monotonic()
                if remaining <= 0 or self._is_stopped or not self.waits:
                    return error(404, "MessageNotExist")
                self._changed.wait(remaining)
            texts = []
            for entry in found:
                self._visible.remove(entry)
                handle = f"8-0Mk+{uuid.uuid4().hex}/&<>\"'1-16-3=="
                self._out[handle] = entry
                self._given.add(handle)
                texts.append(
                    f"<Message><MessageId>{uuid.uuid4().hex}</MessageId><ReceiptHandle>{escape(handle)}</ReceiptHandle>"
                    f"<MessageBody>{escape(entry[1].decode())}</MessageBody>"
                    f"<MessageBodyMD5>{hashlib.md5(entry[1]).hexdigest().upper()}</MessageBodyMD5>"
                    "<EnqueueTime>1772589600000</EnqueueTime><NextVisibleTime>1772589630000</NextVisibleTime>"
                    "<FirstDequeueTime>1772589600000</FirstDequeueTime><DequeueCount>1</DequeueCount>"
                    "<Priority>8</Priority></Message>"
                )
            self._changed.notify_all()
        head = '<?xml version="1.0" ?>\n<Messages xmlns="http://mns.aliyuncs.com/doc/v1/">'
        return 200, head + "\n".join(texts) + "</Messages>"

    def _complain(self, what):
        with self._changed:
            self.complaints.append(what)


def request_id():
    return str(uuid.uuid4()).upper()


def error(status, code):
    """A queue's error."""
    return status, (
        '<?xml version="1.0" ?>\n<Error xmlns="http://mns.aliyuncs.com/doc/v1/">'
        f"<Code>{code}</Code><Message>The text with {phone(9)}.</Message><RequestId>{uuid.uuid4().hex.upper()}</RequestId>"
        "<HostId>http://1943695596114318.mns.cn-hangzhou.aliyuncs.com</HostId></Error>"
    )


def refusal(status, code):
    """An error of the call for tokens."""
    return status, json.dumps({"Code": code, "Message": "Refused.", "RequestId": request_id(), "HostId": "x"})


@pytest.fixture
def queues():
    service = Queues()
    yield service
    service.stop()
    assert service.complaints == []


@pytest.fixture
def consume(receipts, queues):
    """Starts `smspipe receipts` with queues."""

    def start(*options, names=(REPORTS,), listens=False, **more):
        named = [part for name in names for part in ("--queue", name)]
        run = receipts(*named, "--endpoint", queues.endpoint, *options, listens=listens, **more)
        # From now on a signal finds it ready.
        queues.wait(lambda: queues.token_calls)
        return run

    return start


def first(count, answer):
    """Gives an answer to the first so many requests, and leaves the others alone."""
    given = []

    def script(request):
        given.append(request)
        return answer if len(given) <= count else None

    return script


# -- pushes: lines --------------------------------------------------------------------------------------------------------


def test_a_push_becomes_lines(receipts):
    run = receipts()
    assert run.push([report(1), reply(2), report(3, success=False)]) == (200, ACKNOWLEDGED)
    assert [run.line() for _ in range(3)] == [
        compact(typed("SmsReport", report(1))),
        compact(typed("SmsUp", reply(2))),
        compact(typed("SmsReport", report(3, success=False))),
    ]
    assert run.end() == [] and run.errors == ""


def test_a_pretty_printed_push_becomes_single_lines(receipts):
    run = receipts()
    pushed = [report(1, extra={"a": [1, {"b": None}], "c": "d"}), reply(2)]
    for text in (json.dumps(pushed, indent=2), json.dumps(pushed, indent="\t").replace("\n", "\r\n")):
        assert run.push(text)[0] == 200
    assert run.end() == [typed("SmsReport", pushed[0]), typed("SmsUp", pushed[1])]


def test_values_are_kept_to_the_byte(receipts):
    run = receipts()
    body = (
        r'[{ "phone_number" : "\u0031", "err_code":"\"\\\/\b\n\r\t\ud83d\ude00", "success":false,'
        ' "n":1.50e+2,"big":12345678901234567890123, "\\u4e91":"云😀\u2028", "o": {"Type":"x", "k":[1 ,2]}, "":null}]'
    )
    assert run.push(body)[0] == 200
    assert run.line() == (
        r'{"Type":"SmsReport","phone_number":"\u0031","err_code":"\"\\\/\b\n\r\t\ud83d\ude00","success":false,'
        '"n":1.50e+2,"big":12345678901234567890123,"\\u4e91":"云😀\u2028","o":{"Type":"x", "k":[1 ,2]},"":null}'
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"phone_number": "1", "success": True}, "SmsReport"),
        ({"phone_number": "1", "err_code": "DELIVERED"}, "SmsReport"),
        ({"phone_number": "1", "content": "TD"}, "SmsUp"),
        ({"phone_number": "1", "dest_code": "1069"}, "SmsUp"),
        (reply(send_time="20260304100000"), "SmsUp"),
        ({"phone_number": "1", "message_id": "2"}, None),
        ({}, None),
    ],
)
def test_the_type_is_told_by_the_fields(receipts, content, expected):
    run = receipts()
    assert run.push([content]) == (200, ACKNOWLEDGED)
    assert run.line() == compact(typed(expected, content))


@pytest.mark.parametrize("name", ["Type", "\\u0054ype"])
def test_an_own_type_is_not_doubled(receipts, name):
    run = receipts()
    assert run.push(f'[{{"a":1,"{name}":"x","success":true,"type":2}}]')[0] == 200
    assert run.line() == '{"Type":"SmsReport","a":1,"success":true,"type":2}'


def test_a_single_object_is_taken(receipts):
    run = receipts()
    assert run.push(report()) == (200, ACKNOWLEDGED)
    assert run.read() == typed("SmsReport", report())


def test_an_empty_push_is_taken(receipts):
    run = receipts()
    assert run.push(" [ ] ") == (200, ACKNOWLEDGED)
    counts = run.counts()
    assert run.end() == []
    assert (counts["Pushes"], counts["SmsReport"]) == (1, 0)


def test_the_path_and_the_content_type_do_not_matter(receipts):
    run = receipts()
    for number, (path, kind) in enumerate([("/", "text/plain"), ("/a/b?c=d", "application/x-www-form-urlencoded")]):
        assert run.push([report(number)], path=path, **{"Content-Type": kind})[0] == 200
        assert run.read()["out_id"] == f"run-{number}"


# -- pushes: what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense 13800000001",
        compact([report()])[:-1].encode(),
        compact([report()]).encode() + b"]",
        compact([report(), 1]).encode(),
        compact([report(), [report(2)]]).encode(),
        b'"text"',
        b"null",
        b'[{"phone_number":"\xff"}]',
        b'[{"phone_number":"a\nb"}]',
        b'[{"phone_number":"\\ud800"}]',
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_json_of_objects_is_refused(receipts, body):
    run = receipts()
    client = run.client()
    for _ in range(2):
        status, answer = client.push(body)
        assert (status, answer["code"]) == (400, 400)
    # The connection goes on, and a receipt that stood in it is new.
    assert client.push([report()])[0] == 200
    assert run.end() == [typed("SmsReport", report())]
    assert run.errors.count("\n") == 1 and "push" in run.errors


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(receipts, method):
    run = receipts()
    client = run.client()
    client.send([report()], method=method)
    answer = client.connection.getresponse()
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    answer.read()
    assert client.push([report(2)])[0] == 200
    assert run.end() == [typed("SmsReport", report(2))]


def test_who_asks_whether_somebody_is_there_is_told_so(receipts):
    run = receipts()
    client = run.client()
    assert client.push(None, method="GET", path="/healthz")[0] == 200
    assert client.push(None, method="HEAD") == (200, b"")
    assert client.push([report()]) == (200, ACKNOWLEDGED)
    assert run.counts()["Pushes"] == 1
    assert run.end() == [typed("SmsReport", report())] and run.errors.count("\n") == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_too_large_a_push_is_refused(receipts, chunked):
    run = receipts()
    client = run.client()
    body = b"[" + b" " * (9 << 20) + b"]"
    if chunked:
        client.connection.request("POST", "/", iter([body[:1000], body[1000:]]), encode_chunked=True,
                                  headers={"Transfer-Encoding": "chunked"})  # fmt: skip
    else:
        client.send(body)
    assert client.answer()[0] == 413
    assert run.push([report()])[0] == 200
    assert run.end() == [typed("SmsReport", report())]


def test_what_is_no_http_is_let_go(receipts):
    run = receipts()
    with socket.create_connection(("127.0.0.1", run.port), 20) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00" + phone(1).encode() + b"\r\n\r\n")
        while connection.recv(65536):
            pass
    assert run.push([report()])[0] == 200
    assert run.end() == [typed("SmsReport", report())] and run.errors == ""


def test_half_a_push_is_none(receipts):
    run = receipts()
    with socket.create_connection(("127.0.0.1", run.port), 20) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + compact([report()]).encode())
    assert run.push([report()])[0] == 200
    assert run.end() == [typed("SmsReport", report())] and run.errors == ""


# -- pushes: HTTP ---------------------------------------------------------------------------------------------------------


def test_pushes_share_a_connection(receipts):
    run = receipts()
    client = run.client()
    client.connection.connect()
    connection = client.socket
    for number in range(20):
        assert client.push([report(number), report(number + 100)]) == (200, ACKNOWLEDGED)
    assert client.socket is connection
    assert [line["out_id"] for line in run.end()] == [f"run-{n + m}" for n in range(20) for m in (0, 100)]


def test_pushes_that_come_before_the_answer_are_answered_in_turn(receipts):
    run = receipts()
    bodies = [compact([report(1)]), "x", compact([report(2)])]
    heads = [f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}" for body in bodies]
    with socket.create_connection(("127.0.0.1", run.port), 20) as connection:
        connection.sendall("".join(heads).encode())
        text = b""
        while text.count(b"HTTP/1.1 ") < 3 or not text.endswith(b"}"):
            block = connection.recv(65536)
            assert block
            text += block
    assert re.findall(rb"HTTP/1.1 (\d+)", text) == [b"200", b"400", b"200"]
    assert [line["out_id"] for line in run.end()] == ["run-1", "run-2"]


def test_many_requests_at_once_are_answered_one_after_the_other(receipts):
    """Each answer lets the next request in; inside one another they would overflow the stack."""
    run = receipts()
    big = (" " * (3 << 20) + compact([report(1)])).encode()
    small = compact([report(2)]).encode()
    head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", run.port), 20) as connection:
        reader = connection.makefile("rb")

        def answer():
            status = reader.readline()
            while reader.readline() != b"\r\n":
                pass
            reader.read(len('{"code":0,"msg":"接收成功"}'.encode()))
            return status

        # So that much is read at once.
        for _ in range(3):
            connection.sendall(head.format(len(big)).encode() + big)
            assert answer() == b"HTTP/1.1 200 OK\r\n"
        connection.sendall(head.format(len(small)).encode() + small + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20_000)
        assert {answer() for _ in range(20_001)} == {b"HTTP/1.1 200 OK\r\n"}
    assert [line["out_id"] for line in run.end()] == ["run-1", "run-2"]


def test_a_client_that_wants_to_be_told_to_go_on(receipts):
    run = receipts()
    body = compact([report()]).encode()
    with socket.create_connection(("127.0.0.1", run.port), 20) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        reader = connection.makefile("rb")
        assert reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        while reader.readline() != b"\r\n":
            pass
        connection.sendall(body)
        assert reader.readline() == b"HTTP/1.1 200 OK\r\n"
    assert run.end() == [typed("SmsReport", report())]


def test_http_1_0_and_close(receipts):
    run = receipts()
    for number, head in enumerate(["HTTP/1.0\r\n", "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"]):
        body = compact([report(number)]).encode()
        with socket.create_connection(("127.0.0.1", run.port), 20) as connection:
            connection.sendall(f"POST / {head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            text = b"".join(iter(lambda: connection.recv(65536), b""))
        assert text.split()[1] == b"200" and json.loads(text.partition(b"\r\n\r\n")[2]) == ACKNOWLEDGED
        assert run.read()["out_id"] == f"run-{number}"


def test_a_body_in_pieces(receipts):
    run = receipts()
    body = compact([report()]).encode()
    client = run.client()
    client.connection.request("POST", "/", iter(body[at : at + 7] for at in range(0, len(body), 7)),
                              encode_chunked=True, headers={"Transfer-Encoding": "chunked"})  # fmt: skip
    assert client.answer() == (200, ACKNOWLEDGED)
    assert run.end() == [typed("SmsReport", report())]


def test_many_connections_at_once(receipts):
    run = receipts()
    clients = [run.client() for _ in range(100)]
    for number, client in enumerate(clients):
        client.send([report(number)])
    assert [client.answer()[0] for client in clients] == [200] * 100
    assert sorted(line["phone_number"] for line in run.end()) == [phone(n) for n in range(100)]


# -- pushes: answered when written ----------------------------------------------------------------------------------------


def test_a_push_is_answered_when_its_line_is_written(receipts):
    run = receipts(stalled=True)
    client = run.client()
    client.send([report()])
    run.wait_for_count("Waiting", 1)
    run.counts()
    assert not client.is_answered
    assert run.stalled.read() == [typed("SmsReport", report())]
    assert client.answer() == (200, ACKNOWLEDGED)
    run.end()


def test_a_repeat_is_answered_when_the_line_of_the_first_is_written(receipts):
    run = receipts(stalled=True)
    clients = [run.client() for _ in range(3)]
    for number, client in enumerate(clients):
        client.send([report()])
        run.wait_for_count("Waiting", number + 1)
    assert run.counts()["Repeats"] == 2
    assert not any(client.is_answered for client in clients)
    assert run.stalled.read() == [typed("SmsReport", report())]
    assert [client.answer()[0] for client in clients] == [200] * 3
    run.end()
    assert run.stalled.rest() == b""


def test_whoever_has_said_all_is_answered_still(receipts):
    run = receipts(stalled=True)
    client = run.client()
    client.send([report()])
    run.wait_for_count("Waiting", 1)
    client.connection.sock.shutdown(socket.SHUT_WR)
    run.counts()
    assert run.stalled.read() == [typed("SmsReport", report())]
    assert client.answer() == (200, ACKNOWLEDGED)
    run.end()


def test_more_than_one_write_waits_in_order(receipts):
    run = receipts(stalled=True)
    clients = []
    for number in range(8):
        clients.append(run.client())
        clients[-1].send([report(10 * number + n) for n in range(10)])
        run.wait_for_count("Waiting", number + 1)
    assert not any(client.is_answered for client in clients)
    assert [line["phone_number"] for line in run.stalled.read(80)] == [phone(n) for n in range(80)]
    assert [client.answer()[0] for client in clients] == [200] * 8
    run.end()


def test_an_answered_push_is_in_the_output_after_a_kill(receipts, tmp_path):
    with open(tmp_path / "lines", "wb") as output:
        run = receipts(stdout=output)
    assert run.push([report(n) for n in range(1000)])[0] == 200
    run.process.process.kill()
    assert run.process.wait() == 137
    assert (tmp_path / "lines").read_text().count("\n") == 1000


# -- repeats --------------------------------------------------------------------------------------------------------------


def test_what_comes_again_gets_no_second_line(receipts):
    run = receipts()
    given = report()
    other_way = dict(reversed(given.items()))
    escaped = "".join(f"\\u{ord(c):04x}" for c in given["err_msg"])
    spelt = compact(given).replace(given["err_msg"], escaped).replace("biz_id", "biz\\u005fid")
    assert run.push([given, given])[0] == 200
    for body in ([given], given, [other_way], json.dumps([given], indent=3), spelt):
        assert run.push(body) == (200, ACKNOWLEDGED)
    counts = run.counts()
    assert run.end() == [typed("SmsReport", given)]
    assert (counts["SmsReport"], counts["Repeats"], counts["Pushes"]) == (1, 6, 6)


@pytest.mark.parametrize(
    "changes",
    [
        {"phone_number": phone(2)},
        {"success": False},
        {"success": "true"},
        {"err_code": "DELIVERED "},
        {"sms_size": 1},
        {"extra": None},
        {"biz_id": "900619746936498440^1"},
    ],
    ids=str,
)
def test_what_differs_is_no_repeat(receipts, changes):
    run = receipts()
    given = [report(), report(**changes)]
    for content in given:
        assert run.push([content])[0] == 200
    assert run.end() == [typed("SmsReport", content) for content in given]


@pytest.mark.parametrize(
    ("one", "other"), [('{"a":"b c"}', '{"a":"bc"}'), ("[1,2]", "[12]"), ('["a\\tb"]', '["ab"]')]
)
def test_what_differs_inside_a_value_is_no_repeat(receipts, one, other):
    run = receipts()
    for value in (one, other):
        assert run.push(f'[{{"success":true,"x":{value}}}]')[0] == 200
    assert [line["x"] for line in run.end()] == [json.loads(one), json.loads(other)]


def test_a_report_that_is_pushed_and_queued_is_one(consume, queues):
    run = consume(listens=True)
    assert run.push([report(1), report(2)])[0] == 200
    queues.put(dict(reversed(report(1).items())), json.dumps(report(3), indent=1))
    queues.wait(lambda: len(queues.deleted) == 2)
    assert run.push([report(3)])[0] == 200
    assert run.end() == [typed("SmsReport", report(n)) for n in (1, 2, 3)]
    assert run.errors == ""


# -- the output ends ------------------------------------------------------------------------------------------------------


def test_a_reader_that_goes_away_while_a_push_waits(receipts):
    run = receipts(stalled=True)
    waiting, idle = run.client(), run.client()
    assert idle.push(None, method="GET")[0] == 200
    waiting.send([report()])
    run.wait_for_count("Waiting", 1)
    run.stalled.stop_reading()
    status, answer = waiting.answer()
    assert (status, answer["code"]) == (503, 503)
    assert run.process.wait(5) == 141
    assert [line for line in run.errors.splitlines() if not line.startswith("{")] == []


def test_a_reader_that_goes_away_while_nothing_comes(receipts):
    run = receipts()
    assert run.push([report()])[0] == 200
    os.read(run.process.process.stdout.fileno(), 65536)
    run.process.close_output()
    assert run.process.wait(5) == 141
    assert run.errors == ""


def test_a_full_disk(receipts):
    with open("/dev/full", "wb") as full:
        run = receipts("--summary", stdout=full)
    status, answer = run.push([report()])
    assert (status, answer["code"]) == (503, 503)
    assert run.process.wait(5) == 74
    assert run.summaries[0]["Pushes"] in (0, 1)
    assert run.errors.count("No space left") == 1 and run.errors.count("\n") == 2


def test_a_closed_output_leaves_the_queue_alone(consume, queues):
    run = consume(stalled=True)
    queues.put(report())
    run.wait_for_count("Waiting", 1)
    run.stalled.stop_reading()
    assert run.process.wait(5) == 141
    assert queues.deletes == [] and len(queues.held) == 1


# -- signals --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "expected"), [("TERM", 143), ("INT", 130), ("HUP", 129)])
def test_a_signal_ends_the_run(receipts, name, expected):
    run = receipts()
    client = run.client()
    assert client.push([report()])[0] == 200
    run.process.signal(name)
    assert run.process.wait(5) == expected
    assert run.rest() == [typed("SmsReport", report())]
    assert run.errors == ""


def test_a_signal_waits_for_the_output(receipts):
    run = receipts(stalled=True)
    waiting, kept = run.client(), run.client()
    assert kept.push(None, method="GET")[0] == 200
    waiting.send([report()])
    run.wait_for_count("Waiting", 1)
    run.process.signal("TERM")
    # The counts come when the signal before has been acted on.
    run.counts()
    # One that comes now is to come again, to another run.
    assert kept.push([report(2)])[0] == 503
    assert not waiting.is_answered
    assert run.stalled.read() == [typed("SmsReport", report())]
    assert waiting.answer() == (200, ACKNOWLEDGED)
    assert run.process.wait(5) == 143
    assert run.stalled.rest() == b""


def test_nobody_is_listened_to_after_a_signal(receipts):
    run = receipts(stalled=True)
    waiting = run.client()
    waiting.send([report()])
    run.wait_for_count("Waiting", 1)
    run.process.signal("TERM")
    run.counts()
    with pytest.raises(ConnectionError):
        run.push([report(2)])
    assert len(run.stalled.read()) == 1
    assert run.process.wait(5) == 143


def test_a_second_signal_does_not_wait_for_the_output(receipts):
    run = receipts(stalled=True)
    client = run.client()
    client.send([report()])
    run.wait_for_count("Waiting", 1)
    run.process.signal("TERM")
    assert not client.is_answered
    run.process.signal("TERM")
    assert run.process.wait(5) == 143
    # Reset, closed, or told to come again: all is right but an acknowledgement.
    with contextlib.suppress(ConnectionError):
        assert client.answer()[0] == 503


def test_a_signal_while_a_queue_is_waited_for(consume, queues):
    run = consume()
    queues.wait(lambda: queues.receives)
    run.process.signal("TERM")
    assert run.process.wait(5) == 143
    assert run.errors == ""


def test_a_signal_lets_go_of_what_is_written(consume, queues):
    released = threading.Event()
    queues.on_delete = lambda request: released.wait(20) and None
    run = consume()
    queues.put(*[report(n) for n in range(40)])
    assert {run.read()["phone_number"] for _ in range(40)} == {phone(n) for n in range(40)}
    queues.wait(lambda: queues.deletes)
    run.process.signal("TERM")
    released.set()
    assert run.process.wait(5) == 143
    assert len(queues.deleted) == 40 and queues.held == []


def test_a_signal_with_a_stalled_output_deletes_what_is_written_then(consume, queues):
    run = consume(stalled=True)
    queues.put(report())
    run.wait_for_count("Waiting", 1)
    run.process.signal("TERM")
    run.counts()
    assert queues.deletes == []
    assert run.stalled.read() == [typed("SmsReport", report())]
    assert run.process.wait(5) == 143
    assert queues.held == []


# -- what is told ---------------------------------------------------------------------------------------------------------


def test_the_counts(receipts):
    run = receipts("--summary")
    assert run.push([report(1), report(2), reply(3), {"x": 1}, report(1)])[0] == 200
    assert run.push([report(2)])[0] == 200
    assert run.push("nonsense")[0] == 400
    so_far = run.counts()
    run.end()
    final = run.summaries[-1]
    assert list(so_far) == list(final) == COUNTS
    for counts in (so_far, final):
        seconds = counts.pop("Seconds")
        assert counts == dict(zip(COUNTS, [2, 1, 1, 2, 2, 0, 0, 1])) and seconds >= 0
    assert len(run.summaries) == 2


def test_nothing_is_told_when_all_goes_well(smspipe):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = smspipe.start(None, "receipts", env={"SMSPIPE_LISTEN": f"127.0.0.1:{port}"})
    deadline = time.monotonic() + 10
    while True:
        with contextlib.suppress(ConnectionRefusedError):
            assert Client(port).push([report()])[0] == 200
            break
        assert time.monotonic() < deadline and process.process.poll() is None, process.stderr
        time.sleep(0.01)
    process.signal("TERM")
    assert process.read_all() == [typed("SmsReport", report())]
    assert process.wait() == 143 and process.stderr == ""


def test_the_option_wins_over_the_environment(smspipe):
    process = smspipe.start(None, "receipts", "--listen", "127.0.0.1:0", env={"SMSPIPE_LISTEN": "nonsense:1:2"})
    run = Run(process).wait_until_listening()
    run.end()


def test_a_name_and_ipv6(smspipe):
    for host in ("localhost", "[::1]"):
        process = smspipe.start(None, "receipts", "--listen", f"{host}:0")
        run = Run(process)
        run.wait_for_errors(lambda: "\n" in process.stderr)
        found = re.fullmatch(rf"smspipe: listening on http://{re.escape(host)}:(\d+)\n", process.stderr)
        if host == "[::1]" and "cannot listen" in process.stderr:
            pytest.skip("no IPv6 here")
        assert Client(int(found[1]), host.strip("[]")).push([report()])[0] == 200
        run.end()


def test_an_address_that_is_in_use(smspipe):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        result = smspipe.run(None, "receipts", "--listen", address)
    assert (result.status, result.stdout) == (78, b"")
    assert address in result.stderr and "in use" in result.stderr and result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "expected", "word"),
    [
        ([], 64, "--listen"),
        (["--listen", "8080"], 64, "--listen"),
        (["--listen", "127.0.0.1"], 64, "--listen"),
        (["--listen", "127.0.0.1:99999"], 64, "--listen"),
        (["--listen", "127.0.0.1:-1"], 64, "--listen"),
        (["--listen", ""], 64, "--listen"),
        (["--listen", "192.0.2.1:80"], 78, "--listen"),
        (["--queue", ""], 64, "--queue"),
        (["--queue", "Alicom-Queue-1"], 64, "--queue"),
        (["--queue", "Alicom-Queue-1-smsreport"], 64, "--queue"),
        (["--queue", "Alicom-Queue-1-SmsReport/x"], 64, "--queue"),
        (["--queue", "../x-SmsReport"], 64, "--queue"),
        (["--queue", REPORTS, "--queue", REPORTS], 64, "--queue"),
        (["--queue", REPORTS, "--timeout", "0"], 64, "--timeout"),
        (["--queue", REPORTS, "--endpoint", "ftp://x"], 78, "--endpoint"),
        (["--queue", REPORTS, "--endpoint", "https://dysmsapi.aliyuncs.com"], 78, "--endpoint"),
        (["--queue", REPORTS, "--endpoint", "http://sms.example"], 78, "--allow-http"),
        (["--queue", REPORTS, "--queue-endpoint", "http://sms.example"], 78, "--allow-http"),
        (["--queue", REPORTS, "--ca-file", "/nonexistent"], 78, "--ca-file"),
        (["--listen", "127.0.0.1:0", "file"], 64, "file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_usage(smspipe, options, expected, word):
    result = smspipe.run(None, "receipts", *options)
    assert (result.status, result.stdout) == (expected, b"")
    assert word in result.stderr


def test_wrong_usage_in_the_environment(smspipe):
    result = smspipe.run(None, "receipts", env={"SMSPIPE_QUEUE": "x"})
    assert (result.status, result.stdout) == (64, b"")


def test_help(smspipe):
    result = smspipe.run(None, "receipts", "--help")
    text = result.stdout.decode()
    for word in ["--listen", "--queue", "SmsReport", "SmsUp", "Exit status", "Type", "--summary"]:
        assert word in text
    assert result.status == 0


# -- queues ---------------------------------------------------------------------------------------------------------------


def test_a_message_of_a_queue_becomes_a_line_and_is_deleted(consume, queues):
    run = consume()
    queues.put(json.dumps(report(1, extra=[1, {"a": "b"}]), indent=2))
    assert run.read() == typed("SmsReport", report(1, extra=[1, {"a": "b"}]))
    queues.wait_until_empty()
    assert len(queues.deleted) == 1
    assert run.end() == [] and run.errors == ""
    call = queues.token_calls[0]
    assert (len(queues.token_calls), call["MessageType"], call["QueueName"]) == (1, "SmsReport", REPORTS)
    assert {request["token"] for request in queues.receives + queues.deletes} == {"CAIS+/1=="}


def test_a_reply_of_a_queue_is_one_by_the_queues_name(consume, queues):
    run = consume(names=[REPLIES])
    given = [reply(1, send_time="20260304100000"), {"phone_number": phone(2)}]
    for content in given:
        queues.put(content, queue=REPLIES)
        assert run.line() == compact(typed("SmsUp", content))
    queues.wait_until_empty()
    assert queues.token_calls[0]["MessageType"] == "SmsUp"
    assert run.end() == [] and run.errors == ""


def test_two_queues(consume, queues):
    run = consume(names=[REPORTS, REPLIES])
    queues.put(*[report(n) for n in range(5)])
    queues.put(*[reply(n) for n in range(5)], queue=REPLIES)
    queues.wait_until_empty()
    found = run.end()
    assert [line for line in found if line["Type"] == "SmsReport"] == [typed("SmsReport", report(n)) for n in range(5)]
    assert [line for line in found if line["Type"] == "SmsUp"] == [typed("SmsUp", reply(n)) for n in range(5)]
    assert len(found) == 10 and run.errors == ""


def test_many_messages(consume, queues):
    queues.put(*[report(n) for n in range(1000)])
    run = consume("--summary")
    found = [run.read() for _ in range(1000)]
    assert sorted(line["phone_number"] for line in found) == [phone(n) for n in range(1000)]
    queues.wait_until_empty()
    assert len(set(queues.deleted)) == len(queues.deleted) == 1000
    assert run.end() == []
    assert (run.summaries[-1]["SmsReport"], run.summaries[-1]["Deleted"]) == (1000, 1000)


def test_a_message_is_deleted_when_its_line_is_written(consume, queues):
    run = consume(stalled=True)
    queues.put(report(1), report(2))
    queues.wait(lambda: len(queues.held) == 2)
    assert run.wait_for_count("Waiting", 1)["Deleted"] == 0
    handles = queues.held
    assert queues.deletes == [] and len(handles) == 2
    assert run.stalled.read(2) == [typed("SmsReport", report(n)) for n in (1, 2)]
    queues.wait_until_empty()
    assert sorted(queues.deleted) == sorted(handles)
    run.end()


def test_a_reader_that_goes_away_leaves_no_written_message_in_the_queue(consume, queues):
    run = consume(stalled=True)
    queues.put(report())
    assert run.stalled.read() == [typed("SmsReport", report())]
    run.stalled.stop_reading()
    assert run.process.wait(5) == 141
    assert len(queues.deleted) == 1
    assert run.errors == ""


def test_a_message_that_comes_again_before_its_line_is_written(consume, queues):
    run = consume(stalled=True)
    queues.put(report())
    run.wait_for_count("Waiting", 1)
    queues.bring_back()
    run.wait_for_count("Repeats", 1)
    assert queues.deletes == []
    handle = queues.held[0]
    # The handle of the first time is no longer good, which is no fault.
    queues.on_delete = lambda request: None if request["handles"] == [handle] else errors(request["handles"])
    assert run.stalled.read() == [typed("SmsReport", report())]
    queues.wait(lambda: {h for request in queues.deletes for h in request["handles"]} >= {handle})
    run.end()
    assert run.stalled.rest() == b""


def errors(handles):
    """What a queue answers when it could not delete messages."""
    one = "<Error><ErrorCode>ReceiptHandleError</ErrorCode><ErrorMessage>It has expired.</ErrorMessage>"
    return 404, (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Errors xmlns="http://mns.aliyuncs.com/doc/v1/">'
        + "".join(f"{one}<ReceiptHandle>{escape(handle)}</ReceiptHandle></Error>" for handle in handles)
        + "</Errors>"
    )


@pytest.mark.parametrize(
    "answer", [(500, b"<html>"), error(500, "InternalError"), error(403, "InvalidSecurityToken")],
    ids=["500", "InternalError", "InvalidSecurityToken"],
)
def test_a_message_that_comes_again_is_deleted_without_a_line(consume, queues, answer):
    """Whatever becomes of its first deletion."""
    queues.on_delete = first(1, answer)
    run = consume()
    queues.put(report())
    assert run.read() == typed("SmsReport", report())
    queues.wait(lambda: queues.deletes)
    queues.bring_back()
    queues.wait_until_empty()
    assert run.end() == []


def test_deletions_that_never_succeed_are_told(consume, queues):
    """Else each run writes what stands in the queue, and none ever empties it."""
    queues.on_delete = lambda request: error(403, "AccessDenied")
    run = consume()
    queues.put(report())
    assert run.read() == typed("SmsReport", report())
    for count in range(1, 4):
        queues.wait(lambda: len(queues.deletes) >= count)
        queues.bring_back()
    run.wait_for_errors(lambda: run.errors, timeout=3)
    queues.on_delete = lambda request: None
    assert run.end() == []
    assert run.errors.count("\n") == 1 and "AccessDenied" in run.errors


BAD_MESSAGES = {
    "no base64": b"!!!" + phone(1).encode(),
    "raw JSON": compact(report()).encode(),
    "no JSON": base64.b64encode(b"nonsense"),
    "array": base64.b64encode(compact([report()]).encode()),
    "no UTF-8": base64.b64encode(b'{"a":"\xff"}'),
    "empty": b"",
}


@pytest.mark.parametrize("body", BAD_MESSAGES.values(), ids=BAD_MESSAGES)
def test_a_message_that_cannot_be_read_is_left_and_told_once(consume, queues, body):
    queues.put(report(1), body, report(2))
    run = consume("--summary")
    assert [run.read()["phone_number"] for _ in range(2)] == [phone(1), phone(2)]
    queues.wait(lambda: len(queues.deleted) == 2)
    assert len(queues.held) == 1
    queues.bring_back()
    run.wait_for_count("Unreadable", 2)
    queues.put(report(3))
    assert run.read()["phone_number"] == phone(3)
    queues.wait(lambda: len(queues.deleted) == 3)
    assert run.end() == [] and len(queues.held) == 1
    told = [line for line in run.errors.splitlines() if not line.startswith("{")]
    assert len(told) == 1 and REPORTS in told[0]


# -- queues: tokens -------------------------------------------------------------------------------------------------------


def test_a_token_is_renewed_before_it_ends(consume, queues):
    queues.lifetime = 3
    run = consume()
    queues.wait(lambda: len(queues.tokens) == 2)
    queues.lifetime = 600
    queues.wait(lambda: len(queues.tokens) == 3)
    queues.put(report())
    assert run.read() == typed("SmsReport", report())
    queues.wait_until_empty()
    # The newest may have been on its way.
    assert queues.deletes[-1]["token"] in [token["SecurityToken"] for token in queues.tokens[1:]]
    assert run.end() == [] and run.errors == ""


def test_a_refused_token_is_renewed(consume, queues):
    queues.on_receive = lambda request: error(403, "InvalidSecurityToken") if request["token"] == "CAIS+/1==" else None
    run = consume()
    queues.put(report())
    assert run.read() == typed("SmsReport", report())
    queues.wait_until_empty()
    assert len(queues.tokens) == 2 and queues.deletes[-1]["token"] == "CAIS+/2=="
    assert run.end() == []
    assert run.errors.count("\n") <= 1


def test_a_token_without_times(consume, queues):
    queues.on_token = lambda request: (
        200,
        json.dumps(
            {"Code": "OK", "Message": "OK", "RequestId": request_id(), "MessageTokenDTO": {
                name: value for name, value in queues._new_token().items() if not name.endswith("Time")
            }}
        ),
    )  # fmt: skip
    run = consume()
    queues.put(report())
    assert run.read() == typed("SmsReport", report())
    queues.wait_until_empty()
    assert len(queues.token_calls) == 1
    assert run.end() == [] and run.errors == ""


def test_a_security_token_goes_along(consume, queues):
    run = consume(env={"ALIBABA_CLOUD_SECURITY_TOKEN": "CAISown+/="})
    queues.put(report())
    run.read()
    assert queues.token_calls[0]["SecurityToken"] == "CAISown+/="
    run.end()


@pytest.mark.parametrize("offset", [-7200, 7200])
def test_a_clock_that_is_wrong(consume, queues, offset):
    queues.clock_offset = offset
    run = consume()
    queues.put(report())
    assert run.read() == typed("SmsReport", report())
    queues.wait_until_empty()
    assert run.end() == []


@pytest.mark.parametrize(
    ("answer", "expected", "word"),
    [
        (refusal(403, "Forbidden.RAM"), 77, "Forbidden.RAM"),
        (refusal(200, "isp.RAM_PERMISSION_DENY"), 77, "isp.RAM_PERMISSION_DENY"),
        (refusal(404, "InvalidAccessKeyId.NotFound"), 77, "InvalidAccessKeyId.NotFound"),
        (refusal(400, "InvalidAccessKeyId.Inactive"), 77, "InvalidAccessKeyId.Inactive"),
        (refusal(200, "isv.OUT_OF_SERVICE"), 69, "isv.OUT_OF_SERVICE"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_an_account_that_gets_no_token(consume, queues, answer, expected, word):
    queues.on_token = lambda request: answer
    run = consume()
    assert run.process.wait(5) == expected
    assert run.rest() == [] and len(queues.token_calls) == 1
    assert run.errors.count("\n") == 1 and run.errors.count(word) >= 1


def test_what_the_account_must_be_permitted_is_told(consume, queues):
    queues.on_token = lambda request: refusal(403, "Forbidden.RAM")
    run = consume()
    assert run.process.wait(5) == 77
    assert "dybaseapi:QueryTokenForMnsQueue" in run.errors


def test_a_wrong_key(consume, queues):
    run = consume(env={"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "wrong"})
    assert run.process.wait(5) == 77
    assert "SignatureDoesNotMatch" in run.errors and run.errors.count("\n") == 1


def test_no_key(smspipe, queues):
    env = {"ALIBABA_CLOUD_ACCESS_KEY_ID": None, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": None}
    result = smspipe.run(None, "receipts", "--queue", REPORTS, "--endpoint", queues.endpoint, env=env)
    assert (result.status, result.stdout) == (77, b"")
    assert "simulate" in result.stderr and queues.token_calls == []


def test_pushes_need_no_key(receipts):
    run = receipts(env={"ALIBABA_CLOUD_ACCESS_KEY_ID": None, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": None})
    assert run.push([report()])[0] == 200
    run.end()


@pytest.fixture(scope="module", autouse=True)
def never_reached(tmp_path_factory):
    """A run, and its endpoint, where nobody is: it takes some seconds, and other tests do not wait for it."""
    command = Command(tmp_path_factory.mktemp("unreachable"))
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        yield command.start(None, "receipts", "--queue", REPORTS, "--endpoint", endpoint), endpoint
    command.end()


# -- queues: failures -----------------------------------------------------------------------------------------------------


def test_a_queue_that_does_not_exist(consume, queues):
    queues.on_receive = lambda request: error(404, "QueueNotExist")
    run = consume()
    assert run.process.wait(5) == 69
    assert run.rest() == []
    assert run.errors.count("\n") == 1 and REPORTS in run.errors


def test_only_the_queue_that_does_not_exist_is_named(consume, queues):
    queues.on_receive = lambda request: error(404, "QueueNotExist") if request["queue"] == REPLIES else None
    run = consume(names=[REPORTS, REPLIES])
    assert run.process.wait(5) == 69
    assert REPLIES in run.errors and REPORTS not in run.errors


def test_pushes_that_wait_are_answered_when_a_queue_ends_the_run(consume, queues):
    released = threading.Event()
    queues.on_receive = lambda request: released.wait(20) and error(404, "QueueNotExist")
    run = consume(listens=True, stalled=True)
    client = run.client()
    client.send([report()])
    run.wait_for_count("Waiting", 1)
    queues.wait(lambda: queues.receives)
    released.set()
    assert run.stalled.read() == [typed("SmsReport", report())]
    assert client.answer() == (200, ACKNOWLEDGED)
    assert run.process.wait(5) == 69


FAILURES = {
    "500": error(500, "InternalServerError"),
    "garbage": (200, b"\x00\xffgarbage"),
    "truncated": (200, b"<Messages><Message><ReceiptHandle>x</Rec"),
    "closed": "close",
}


@pytest.mark.parametrize("answer", FAILURES.values(), ids=FAILURES)
def test_a_queue_that_fails_is_told_once_and_asked_again(consume, queues, answer):
    queues.on_receive = first(1, answer)
    queues.put(report())
    run = consume()
    assert run.read() == typed("SmsReport", report())
    queues.wait_until_empty()
    assert run.end() == []
    assert run.errors.count("\n") == 1 and f"{REPORTS}: " in run.errors and "again" in run.errors


def test_a_queue_that_goes_on_failing_is_told_once(consume, queues):
    queues.on_receive = first(2, (500, b"<html>"))
    run = consume()
    queues.put(report())
    assert run.read(30) == typed("SmsReport", report())
    queues.wait_until_empty()
    assert run.end() == []
    assert run.errors.count("\n") == 1


@pytest.mark.parametrize(
    "answer", [refusal(503, "ServiceUnavailable"), refusal(400, "Throttling.User"), (200, b"{}")],
    ids=["503", "throttled", "no token"],
)
def test_a_token_call_that_fails_is_told_once_and_made_again(consume, queues, answer):
    queues.on_token = first(1, answer)
    run = consume()
    queues.put(report())
    assert run.read() == typed("SmsReport", report())
    queues.wait_until_empty()
    assert run.end() == []
    assert run.errors.count("\n") == 1 and f"{REPORTS}: " in run.errors


def test_a_queue_that_does_not_wait_is_asked_again_after_a_pause(consume, queues):
    queues.waits = False
    run = consume()
    queues.wait(lambda: len(queues.receives) == 2)
    queues.put(report())
    assert run.read() == typed("SmsReport", report())
    queues.wait_until_empty()
    assert len(queues.receives) <= 5
    assert run.end() == [] and run.errors == ""


def test_an_answer_that_does_not_come_is_not_awaited_for_ever(consume, queues):
    released = threading.Event()
    queues.on_delete = lambda request: None if len(queues.deletes) > 1 else released.wait(20) and (500, b"")
    run = consume("--timeout", "300ms")
    queues.put(report())
    run.read()
    queues.wait(lambda: queues.deletes)
    queues.bring_back()
    queues.wait_until_empty()
    released.set()
    assert run.end() == []


def test_a_queue_endpoint_of_its_own(consume, queues):
    other = Queues()
    other.tokens = queues.tokens
    run = consume("--queue-endpoint", other.endpoint)
    other.put(report())
    assert run.read() == typed("SmsReport", report())
    other.wait_until_empty()
    assert run.end() == [] and queues.receives == [] and other.token_calls == []
    other.stop()
    assert other.complaints == []


def test_the_certificate_is_checked(smspipe, secure_gateway):
    result = smspipe.run(None, "receipts", "--queue", REPORTS, "--endpoint", secure_gateway.endpoint)
    assert result.status == 69 and "--ca-file" in result.stderr


# -- with the simulator ---------------------------------------------------------------------------------------------------


def told_of(responses):
    """What reports must say about response lines."""
    return sorted((line["PhoneNumber"], line["BizId"], line["BatchId"]) for line in responses)


def told(found):
    return sorted((line["phone_number"], line["biz_id"], line["out_id"]) for line in found)


def test_round_trip_by_the_queue(smspipe):
    """As a shell does it: messages, and what became of them."""
    script = f"""
        "$0" > responses.jsonl || exit
        "$0" receipts --queue {REPORTS} | head -n 3 > receipts.jsonl
    """
    stdin = [message(1), message(2), message(1) | {"PhoneNumber": "19999001001"}]
    options = ["simulate", "--report-delay", "0ms", "--", "sh", "-c", script, BINARY]
    result = smspipe.run(None, *options, stdin=stdin)
    assert (result.status, result.stderr) == (0, "")
    responses, found = (
        [json.loads(line) for line in (smspipe.home / name).read_text().splitlines()]
        for name in ("responses.jsonl", "receipts.jsonl")
    )
    assert {line["Outcome"] for line in responses} == {"accepted"}
    assert told(found) == told_of(responses) and {line["Type"] for line in found} == {"SmsReport"}
    assert {line["phone_number"]: line["success"] for line in found} == {
        phone(1): True, phone(2): True, "19999001001": False,
    }  # fmt: skip


def test_round_trip_by_pushes_and_the_queue(smspipe, receipts):
    """All of it at once, and much of it twice: a line for each message, and the queue is empty at the end."""
    run = receipts("--summary")
    # Ends when its input ends, whatever becomes of this test.
    script = f"""
        echo "$SMSPIPE_ENDPOINT"
        "$0" messages.jsonl > responses.jsonl || exit
        "$0" receipts --queue {REPORTS} --summary &
        read -r end
        kill $!
        wait $!
    """
    (smspipe.home / "messages.jsonl").write_text(lines([message(n) for n in range(300)]))
    url = f"http://127.0.0.1:{run.port}/receipts"
    process = smspipe.start(
        None, "simulate", "--report-delay", "0ms", "--receipts-to", url, "--duplicate-receipts", "1",
        "--", "sh", "-c", script, BINARY,
    )  # fmt: skip
    endpoint = process.process.stdout.readline().decode().strip()
    queued = process.read_many(300)
    pushed = [run.read() for _ in range(300)]
    responses = [json.loads(line) for line in (smspipe.home / "responses.jsonl").read_text().splitlines()]
    assert told(pushed) == told(queued) == told_of(responses)
    reply_to = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=20)
    reply_to.request("POST", "/_sim/replies", compact({"PhoneNumber": phone(1), "Content": "绝密\n退订"}).encode())
    assert reply_to.getresponse().status < 300
    reply_to.close()
    answered = run.read()
    assert (answered["Type"], answered["content"]) == ("SmsUp", "绝密\n退订")
    run.wait_for_count("Repeats", 300)
    assert run.end() == []
    process.close_input()
    assert process.read_all() == []
    assert process.wait() == 143
    counts = json.loads(process.stderr)
    assert (counts["SmsReport"], counts["Repeats"], counts["Deleted"]) == (300, 0, 300)


# -- at the end, as it takes ten seconds ----------------------------------------------------------------------------------


def test_a_queue_that_is_never_reached(never_reached):
    process, endpoint = never_reached
    assert process.read_all() == []
    assert process.wait() == 69
    assert process.stderr.count("\n") == 1 and endpoint in process.stderr
