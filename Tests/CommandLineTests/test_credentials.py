"""Where credentials come from when they are not in the environment: contract, section 8."""

import http.server
import json
import subprocess
import threading
import time
import urllib.parse
from datetime import datetime, timedelta, timezone

import pytest

import signing
from command import CREDENTIALS, line, lines, message
from gateway import CLOSE, KEY_ID, SECRET, Answer, gateway_error, lost
from test_configuration import Proxy

NONE = dict.fromkeys(CREDENTIALS)


def configure(home, current, **profiles):
    (home / ".aliyun").mkdir()
    content = {"current": current, "profiles": [{"name": name, **values} for name, values in profiles.items()]}
    (home / ".aliyun" / "config.json").write_text(json.dumps(content))


GOOD = {"mode": "AK", "access_key_id": KEY_ID, "access_key_secret": SECRET}
BAD = {"mode": "AK", "access_key_id": "nobody", "access_key_secret": "nothing"}


def test_the_current_profile_of_the_command_line_tool(smspipe, gateway, tmp_path):
    configure(tmp_path, "good", bad=BAD, good=GOOD)
    assert smspipe.run(gateway, stdin=[message(1)], env=NONE).outcomes == ["accepted"]


def test_a_profile_named_in_the_environment(smspipe, gateway, tmp_path):
    configure(tmp_path, "bad", bad=BAD, good=GOOD)
    env = NONE | {"ALIBABA_CLOUD_PROFILE": "good"}
    assert smspipe.run(gateway, stdin=[message(1)], env=env).outcomes == ["accepted"]


def test_a_profile_named_by_option(smspipe, gateway, tmp_path):
    configure(tmp_path, "bad", bad=BAD, good=GOOD)
    env = NONE | {"ALIBABA_CLOUD_PROFILE": "bad"}
    assert smspipe.run(gateway, "--profile", "good", stdin=[message(1)], env=env).outcomes == ["accepted"]


def test_the_environment_comes_before_the_profile(smspipe, gateway, tmp_path):
    configure(tmp_path, "bad", bad=BAD)
    assert smspipe.run(gateway, stdin=[message(1)]).outcomes == ["accepted"]


def test_a_profile_with_a_token(smspipe, gateway, tmp_path):
    configure(tmp_path, "sts", sts=GOOD | {"mode": "StsToken", "sts_token": "token-1"})
    assert smspipe.run(gateway, stdin=[message(1)], env=NONE).outcomes == ["accepted"]
    assert gateway.requests[0].headers["x-acs-security-token"] == "token-1"


@pytest.mark.parametrize("name", ["credentials", "credentials.ini"])
def test_the_credentials_file(smspipe, gateway, tmp_path, name):
    (tmp_path / ".alibabacloud").mkdir()
    text = f"[default]\ntype = access_key\naccess_key_id = {KEY_ID}\naccess_key_secret = {SECRET} # mine\n"
    (tmp_path / ".alibabacloud" / name).write_text(text)
    assert smspipe.run(gateway, stdin=[message(1)], env=NONE).outcomes == ["accepted"]


def test_what_was_tried_is_told_without_what_was_found(smspipe, gateway, tmp_path):
    configure(tmp_path, "half", half={"mode": "AK", "access_key_id": "", "access_key_secret": SECRET})
    result = smspipe.run(gateway, stdin=[message(1)], env=NONE)
    assert result.status == 77
    for word in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "config.json", ".alibabacloud", "--simulate"):
        assert word in result.stderr


def test_a_file_that_is_there_and_cannot_be_read_is_told(smspipe, gateway, tmp_path):
    (tmp_path / ".aliyun" / "config.json").mkdir(parents=True)
    result = smspipe.run(gateway, stdin=[message(1)], env=NONE)
    assert result.status == 77
    assert f"{tmp_path}/.aliyun/config.json cannot be read: Is a directory" in result.stderr
    assert f"no file {tmp_path}/.alibabacloud/credentials.ini" in result.stderr


# -- temporary credentials ------------------------------------------------------------------------------------------


class Keys:
    """Serves temporary credentials, a new token each time, and remembers what it was asked."""

    def __init__(self, lifetime=3600, inside=None, tls=None):
        self.lifetime, self.inside, self.asked, self.given, self.delay = lifetime, inside, [], 0, 0
        self.status, self.statuses = 200, []
        keys = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                form = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                keys.asked.append((self.command, self.path, dict(urllib.parse.parse_qsl(form))))
                time.sleep(keys.delay)
                status = keys.statuses.pop(0) if keys.statuses else keys.status
                body = json.dumps(keys.content() if status == 200 else {"Code": "Internal"}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.uri = f"http://127.0.0.1:{self.port}/keys?who=me"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def content(self):
        self.given += 1
        ends = datetime.now(timezone.utc) + timedelta(seconds=self.lifetime)
        members = {
            "AccessKeyId": KEY_ID,
            "AccessKeySecret": SECRET,
            "SecurityToken": f"token-{self.given}",
            "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return {self.inside: members} if self.inside else {"Code": "Success"} | members


def tokens(gateway):
    return [request.headers["x-acs-security-token"] for request in gateway.requests]


def test_the_credentials_uri(smspipe, gateway):
    keys = Keys()
    env = NONE | {"ALIBABA_CLOUD_CREDENTIALS_URI": keys.uri}
    assert smspipe.run(gateway, stdin=[message(1)], env=env).outcomes == ["accepted"]
    assert keys.asked == [("GET", "/keys?who=me", {})] and tokens(gateway) == ["token-1"]
    # Nobody is asked for what is there, nor for what is not needed.
    assert smspipe.run(gateway, stdin=[message(2)], env={"ALIBABA_CLOUD_CREDENTIALS_URI": keys.uri}).status == 0
    assert smspipe.run(gateway, "-n", stdin=[message(3)], env=env).status == 0
    assert len(keys.asked) == 1


def test_temporary_credentials_are_renewed_before_they_end(smspipe, gateway):
    keys = Keys(lifetime=6)
    process = smspipe.start(gateway, "--linger", "0", env=NONE | {"ALIBABA_CLOUD_CREDENTIALS_URI": keys.uri})
    for number in range(100):
        process.write(message(number))
        assert process.read()["Outcome"] == "accepted"
        if "token-3" in tokens(gateway):
            break
        time.sleep(0.2)
    process.close_input()
    assert process.wait() == 0
    assert list(dict.fromkeys(tokens(gateway))) == ["token-1", "token-2", "token-3"]


def test_what_comes_after_the_end_of_credentials_waits_for_new_ones(smspipe, gateway):
    keys = Keys(lifetime=2)
    process = smspipe.start(gateway, "--linger", "0", env=NONE | {"ALIBABA_CLOUD_CREDENTIALS_URI": keys.uri})
    process.write(message(1))
    assert process.read()["Outcome"] == "accepted"
    keys.lifetime, keys.delay = 3600, 4
    deadline = time.monotonic() + 10
    while len(keys.asked) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    # The old ones end within a second; the new ones come in four.
    time.sleep(2)
    process.write(message(2))
    assert process.read()["Outcome"] == "accepted"
    process.close_input()
    assert process.wait() == 0
    assert tokens(gateway) == ["token-1", "token-2"]


def test_a_token_that_the_gateway_finds_expired_is_renewed_once(smspipe, gateway):
    """All that was signed with it goes again with the new one."""
    keys = Keys()
    expired = gateway_error("InvalidSecurityToken.Expired")
    gateway.script = lambda request: (
        expired if request.headers["x-acs-security-token"] == "token-1" and request.number else None
    )
    process = smspipe.start(gateway, "--linger", "0", env=NONE | {"ALIBABA_CLOUD_CREDENTIALS_URI": keys.uri})
    process.write(message(1))
    assert process.read()["Outcome"] == "accepted"
    keys.delay = 0.5
    process.write(*[message(n, f"SMS_{n}") for n in range(2, 30)])
    process.close_input()
    assert {response["Outcome"] for response in process.read_all()} == {"accepted"}
    assert process.wait() == 0 and len(keys.asked) == 2
    # A new one that is expired, too, is the account's matter.
    gateway.script = lambda request: expired
    result = smspipe.run(gateway, stdin=[message(n) for n in range(3)], env=NONE | {"ALIBABA_CLOUD_CREDENTIALS_URI": keys.uri})
    assert result.status == 77 and len(keys.asked) == 4


def test_a_token_that_has_ended_before_a_look_up_is_renewed(smspipe, gateway):
    keys = Keys()
    expired = gateway_error("InvalidSecurityToken.Expired")
    gateway.script = lambda request: lost(CLOSE)
    gateway.lookup_script = lambda request: expired if request.headers["x-acs-security-token"] == "token-1" else None
    options = ["--confirm", "2s"]
    result = smspipe.run(gateway, *options, stdin=[message(1)], env=NONE | {"ALIBABA_CLOUD_CREDENTIALS_URI": keys.uri})
    assert result.outcomes == ["accepted"] and len(keys.asked) == 2 and len(gateway.requests) == 1


def test_what_is_wrong_here_is_told_before_anybody_is_asked(smspipe, gateway, tmp_path):
    keys = Keys()
    env = NONE | {"ALIBABA_CLOUD_CREDENTIALS_URI": keys.uri}
    (tmp_path / "messages").write_text(line(message(1)) + "\n")
    for status, options in [
        (78, ["--endpoint", "nope nope"]),
        (78, ["--endpoint", "http://sms.example"]),
        (78, ["--ca-file", tmp_path / "none.pem"]),
        (66, [tmp_path / "none.jsonl"]),
        (64, ["--journal", tmp_path / "messages", tmp_path / "messages"]),
    ]:
        for command in ([], ["status"]):
            if command and "--journal" in options:
                continue
            assert smspipe.run(None, *command, *options, stdin=[message(1)], env=env).status == status, options
    assert keys.asked == []


def test_a_renewal_needs_no_descriptors_that_are_gone(smspipe, gateway):
    """While every file that may be open is, a renewal fails or waits, and nothing is lost."""
    keys = Keys(lifetime=4)
    gateway.script = lambda request: Answer(delay=3)
    process = subprocess.run(
        ["bash", "-c", 'ulimit -n 40; exec "$@"', "-", *smspipe.arguments(gateway, ["--linger", "0"])],
        input=lines([message(n, f"SMS_{n}") for n in range(60)]).encode(),
        capture_output=True,
        env=smspipe.environ(NONE | {"ALIBABA_CLOUD_CREDENTIALS_URI": keys.uri}),
        timeout=60,
    )
    outcomes = [json.loads(text)["Outcome"] for text in process.stdout.splitlines()]
    assert process.returncode == 0 and outcomes == ["accepted"] * 60 and gateway.duplicates() == {}


def test_a_renewal_that_fails_is_told_and_tried_again(smspipe, gateway):
    keys = Keys(lifetime=3)
    keys.statuses = [200, 503]
    process = smspipe.start(gateway, "--linger", "0", env=NONE | {"ALIBABA_CLOUD_CREDENTIALS_URI": keys.uri})
    for number in range(100):
        process.write(message(number))
        assert process.read()["Outcome"] == "accepted"
        if "token-2" in tokens(gateway):
            break
        time.sleep(0.1)
    process.close_input()
    assert process.wait() == 0 and "token-2" in tokens(gateway)
    assert "cannot be renewed yet: credentials URI: it answers 503 Internal" in process.stderr
    assert "token-" not in process.stderr


def test_a_credentials_uri_that_does_not_answer_is_told(smspipe, gateway):
    keys = Keys()
    keys.status = 500
    result = smspipe.run(gateway, stdin=[message(1)], env=NONE | {"ALIBABA_CLOUD_CREDENTIALS_URI": keys.uri})
    assert result.status == 77 and "credentials URI: it answers 500 Internal" in result.stderr
    keys.server.server_close()
    keys.server.shutdown()
    result = smspipe.run(gateway, stdin=[message(1)], env=NONE | {"ALIBABA_CLOUD_CREDENTIALS_URI": keys.uri})
    assert result.status == 77 and "credentials URI: 127.0.0.1: no connection" in result.stderr
    assert gateway.requests == []


def test_the_role_of_an_oidc_token(smspipe, gateway, authority, tmp_path):
    """The security token service is reached through a proxy, and its certificate checked."""
    keys = Keys(inside="Credentials", tls=authority.server("sts.cn-hangzhou.aliyuncs.com"))
    proxy = Proxy(keys.port)
    (tmp_path / "token").write_text("my.oidc.token")
    env = NONE | {
        "ALIBABA_CLOUD_ROLE_ARN": "acs:ram::1:role/sms",
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "acs:ram::1:oidc-provider/k8s",
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE": tmp_path / "token",
        "ALIBABA_CLOUD_STS_REGION": "cn-hangzhou",
        "HTTPS_PROXY": proxy.url,
    }
    result = smspipe.run(gateway, "--ca-file", authority.file, stdin=[message(1)], env=env)
    assert result.outcomes == ["accepted"] and tokens(gateway) == ["token-1"]
    assert proxy.asked == [("CONNECT", "sts.cn-hangzhou.aliyuncs.com:443")]
    method, path, form = keys.asked[0]
    assert method == "POST" and "Action=AssumeRoleWithOIDC" in path and form["OIDCToken"] == "my.oidc.token"
    assert smspipe.run(gateway, stdin=[message(1)], env=env).status == 77
    (tmp_path / "token").unlink()
    result = smspipe.run(gateway, "--ca-file", authority.file, stdin=[message(1)], env=env)
    assert result.status == 77 and f"OIDC role: no file {tmp_path}/token" in result.stderr


def test_a_profile_that_takes_on_a_role(smspipe, gateway, authority, tmp_path):
    keys = Keys(inside="Credentials", tls=authority.server("sts.aliyuncs.com"))
    role = {"mode": "RamRoleArn", "access_key_id": "my-id", "access_key_secret": "my-secret"}
    configure(tmp_path, "role", role=role | {"ram_role_arn": "acs:ram::1:role/sms"})
    env = NONE | {"HTTPS_PROXY": Proxy(keys.port).url}
    result = smspipe.run(gateway, "--ca-file", authority.file, stdin=[message(1)], env=env)
    assert result.outcomes == ["accepted"] and tokens(gateway) == ["token-1"]
    _, path, form = keys.asked[0]
    query = dict(signing.parameters(path.split("?", 1)[1]))
    signature = query.pop("Signature")
    assert query["Action"] == "AssumeRole" and query["AccessKeyId"] == "my-id"
    assert form["RoleArn"] == "acs:ram::1:role/sms" and form["RoleSessionName"].startswith("smspipe-")
    assert signature == signing.v1_signature("POST", list((query | form).items()), "my-secret")


def test_status_renews_its_credentials_too(smspipe, gateway):
    keys = Keys(lifetime=3)
    env = NONE | {"ALIBABA_CLOUD_CREDENTIALS_URI": keys.uri}
    sent = smspipe.run(gateway, stdin=[message(1)], env=env).lines[0]
    process = smspipe.start(None, "status", "--endpoint", gateway.endpoint, env=env)
    for _ in range(100):
        process.write(sent)
        assert process.read()["Outcome"] == "accepted"
        if any(request.headers["x-acs-security-token"] == "token-3" for request in gateway.lookups):
            break
        time.sleep(0.1)
    process.close_input()
    process.wait()
    asked = dict.fromkeys(request.headers["x-acs-security-token"] for request in gateway.lookups)
    # The first token was that of the run that sent.
    assert list(asked) == ["token-2", "token-3"]
    assert process.stderr == ""
