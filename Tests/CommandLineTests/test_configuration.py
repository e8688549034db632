"""Options, their environment variables, credentials, endpoints, proxies, and how a run that cannot begin ends:
contract, sections 7 and 8."""

import contextlib
import os
import re
import socket
import subprocess
import threading

import pytest

from command import BINARY, CREDENTIALS, line, lines, message, phone
from gateway import Answer, Gateway

NO_CREDENTIALS = dict.fromkeys(CREDENTIALS)


def one_sentence(result, *words):
    """Standard error is one line that has these words in it, and nothing was printed for it."""
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    for word in words:
        assert word.lower() in result.stderr.lower(), result.stderr


# -- options ----------------------------------------------------------------------------------------------------------

WRONG = [
    ["--no-such-option"],
    ["--batch-size", "0"],
    ["--batch-size", "101"],
    ["--batch-size", "many"],
    ["--batch-size"],
    ["--linger", "soon"],
    ["--linger", "-1s"],
    ["--order", "sideways"],
    ["--signature", "v2"],
    ["--fail-on", "sometimes"],
    ["--max-line", "big"],
    ["--max-line", "257MiB"],
    ["--sign-name", "n" * 1025],
    ["--template-code", "n" * 1025],
    ["--window", "0"],
    ["--window", "4000001"],
    ["--concurrency", "0"],
    ["--rate", "fast"],
    ["--rate", "0/s"],
    ["--rate", "0.0000003/h"],
    ["--rate", "59/h"],
    ["--rate", "1/s", "--linger", "0", "--deadline", "1s"],
    ["--timeout", "10"],
    ["--access-key-secret", "x"],
]


@pytest.mark.parametrize("options", WRONG, ids=" ".join)
def test_wrong_usage_ends_with_64(smspipe, gateway, options):
    result = smspipe.run(gateway, *options, stdin=[message(1)])
    assert (result.status, result.stdout, gateway.requests) == (64, b"", [])
    assert result.stderr.strip()


OPTIONS = """
    --endpoint --ca-file --allow-http --signature --sign-name --template-code --batch-size --linger --window --urgent
    --concurrency --timeout --confirm --deadline --max-line --order --no-echo --dry-run --summary --simulate
""".split()


def test_help_shows_each_option_and_the_defaults(smspipe):
    result = smspipe.run(None, "--help")
    assert (result.status, result.stderr) == (0, "")
    text = result.stdout.decode()
    assert [option for option in OPTIONS if option not in text] == []
    for default in ("100ms", "20000", "64", "10s", "120s", "1MiB", "https://dysmsapi.aliyuncs.com"):
        assert default in text
    for word in ("SMSPIPE_", "PhoneNumber", "TemplateCode"):
        assert word in text


def test_version_is_shown(smspipe):
    result = smspipe.run(None, "--version")
    assert result.status == 0 and re.search(r"\d+\.\d+", result.stdout.decode())


@pytest.mark.parametrize("options", WRONG + [["--help"], ["--no-echo", "--help"], ["--linger"]], ids=" ".join)
def test_the_filter_tells_the_same_with_and_without_its_name(smspipe, options):
    unnamed, named = (smspipe.run(None, *name, *options) for name in ([], ["send"]))
    assert (unnamed.status, unnamed.stdout, unnamed.stderr) == (named.status, named.stdout, named.stderr)
    assert re.search(r"smspipe \[?send", unnamed.stdout.decode() + unnamed.stderr)


def test_an_option_goes_before_files_not_before_another_command(smspipe, gateway):
    result = smspipe.run(gateway, "--no-echo", "explain", "OK")
    assert result.status == 66 and "explain" in result.stderr


def test_each_option_can_be_an_environment_variable(smspipe, gateway, tmp_path):
    bare = {"PhoneNumber": phone(1)}

    def run(*contents, options=(), **env):
        gateway.requests.clear()
        return smspipe.run(gateway, *options, stdin=list(contents), env=env)

    many = [message(n) for n in range(10)]
    run(*many, SMSPIPE_BATCH_SIZE="4")
    assert sorted(len(request.messages) for request in gateway.requests) == [2, 4, 4]
    run(*many, options=["--batch-size", "5"], SMSPIPE_BATCH_SIZE="4")
    assert [len(request.messages) for request in gateway.requests] == [5, 5], "the option wins"
    assert run(bare, SMSPIPE_SIGN_NAME="云通信", SMSPIPE_TEMPLATE_CODE="SMS_9").outcomes == ["accepted"]
    assert gateway.requests[0].template == "SMS_9"
    run(message(1), SMSPIPE_SIGNATURE="v1")
    assert "Signature" in gateway.requests[0].fields
    run(message(1, "SMS_5"), SMSPIPE_URGENT="SMS_5")
    assert gateway.requests[0].action == "SendSms"
    assert run(message(1), SMSPIPE_NO_ECHO="true").column("Line") == [1]
    assert run(message(1), SMSPIPE_DRY_RUN="1").outcomes == ["planned"]
    assert run(message(1), SMSPIPE_SUMMARY="1").summary
    assert run("x" * 2000, SMSPIPE_MAX_LINE="1KiB").codes == ["smspipe.LINE_TOO_LONG"]


def test_a_flag_can_be_switched_off_in_the_environment(smspipe, gateway):
    for value in ("0", "false", ""):
        assert smspipe.run(gateway, stdin=[message(1)], env={"SMSPIPE_DRY_RUN": value}).outcomes == ["accepted"]


def test_a_flag_in_the_environment_that_is_neither_on_nor_off_is_refused(smspipe, gateway):
    result = smspipe.run(gateway, stdin=[message(1)], env={"SMSPIPE_DRY_RUN": "nope"})
    assert result.status == 64
    one_sentence(result, "SMSPIPE_DRY_RUN", "neither on nor off")
    assert not gateway.requests


def test_help_is_given_whatever_the_environment_says(smspipe):
    for option in ("--help", "--version"):
        result = smspipe.run(None, option, env={"SMSPIPE_BATCH_SIZE": "many"})
        assert result.status == 0 and result.stdout


def test_urgent_templates_may_have_blanks_between_them(smspipe, gateway):
    smspipe.run(gateway, "--urgent", "SMS_4, SMS_5", stdin=[message(1, "SMS_5")])
    assert gateway.requests[0].action == "SendSms"


@pytest.mark.parametrize(
    "options", [["--help"], ["--version"], ["explain", "OK"], ["explain", "--json"], ["simulate", "--account-schema"]], ids=" ".join
)
def test_what_cannot_be_printed_is_told(options):
    with open("/dev/full", "wb") as full:
        result = subprocess.run([BINARY, *options], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30)
    assert result.returncode == 74 and "No space left" in result.stderr
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        assert subprocess.run([BINARY, *options], stdout=closed, timeout=30).returncode == 141


def test_the_endpoint_can_come_from_the_environment(smspipe, gateway):
    result = smspipe.run(None, stdin=[message(1)], env={"SMSPIPE_ENDPOINT": gateway.endpoint})
    assert result.outcomes == ["accepted"]


def test_a_wrong_value_in_the_environment_is_told_like_a_wrong_option(smspipe, gateway):
    for name, value in [("BATCH_SIZE", "many"), ("LINGER", "100"), ("RATE", "10"), ("MAX_LINE", "1MB")]:
        result = smspipe.run(gateway, stdin=[message(1)], env={f"SMSPIPE_{name}": value})
        assert result.status == 64 and gateway.requests == []
        assert f"--{name.lower().replace('_', '-')}" in result.stderr and f"It comes from SMSPIPE_{name}" in result.stderr
        assert ("such" in result.stderr or " is a number " in result.stderr) or name == "BATCH_SIZE"
        # The option is what counts then, and what is told.
        result = smspipe.run(gateway, f"--{name.lower().replace('_', '-')}", "x", stdin="", env={f"SMSPIPE_{name}": value})
        assert result.status == 64 and "It comes from" not in result.stderr


@pytest.mark.parametrize(
    ("name", "meant"), [("DRYRUN", "DRY_RUN"), ("DRY_RUNN", "DRY_RUN"), ("BACH_SIZE", "BATCH_SIZE"), ("JOURNAl", "JOURNAL")]
)
def test_a_variable_that_is_nearly_an_option_is_refused(smspipe, gateway, name, meant):
    result = smspipe.run(gateway, stdin=[message(1)], env={f"SMSPIPE_{name}": "1"})
    assert result.status == 64 and gateway.requests == []
    one_sentence(result, f"did you mean SMSPIPE_{meant}?")


def test_variables_of_others_do_not_matter(smspipe, gateway):
    """Kubernetes makes these for a service that is called smspipe."""
    names = ["SERVICE_HOST", "SERVICE_PORT", "PORT_80_TCP", "PORT_80_TCP_ADDR", "PORT_80_TCP_PROTO", "BIN", "HOME", "ACCOUNT_ID"]
    env = {f"SMSPIPE_{name}": "tcp://10.0.0.1:80" for name in names}
    assert smspipe.run(gateway, stdin=[message(1)], env=env).outcomes == ["accepted"]


@pytest.mark.parametrize("linger", ["5ms", "1s", "1m", "0"])
def test_durations_have_units(smspipe, gateway, linger):
    assert smspipe.run(gateway, "--linger", linger, stdin=[message(1)]).outcomes == ["accepted"]


@pytest.mark.parametrize("option", ["--timeout", "--deadline", "--confirm", "--drain"])
def test_a_time_without_end_is_one(smspipe, gateway, option):
    """The answer is lost, and the look-up that finds the message is awaited after a signal."""
    gateway.script = lambda request: Answer(fault="close", taken=True)
    process = smspipe.start(gateway, option, "99999999999999999999s")
    process.write(message(1))
    gateway.wait_for_requests(1)
    process.signal("TERM")
    assert [response["Outcome"] for response in process.read_many(1)] == ["accepted"]
    assert process.wait() == 143


# -- credentials ------------------------------------------------------------------------------------------------------


def test_missing_credentials_end_with_77_and_show_the_way(smspipe, gateway):
    result = smspipe.run(gateway, stdin=[message(1)], env=NO_CREDENTIALS)
    assert (result.status, result.stdout, gateway.connections) == (77, b"", 0)
    for word in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "--simulate"):
        assert word in result.stderr


@pytest.mark.parametrize("missing", list(CREDENTIALS))
@pytest.mark.parametrize("value", ["", None])
def test_half_a_key_is_none(smspipe, gateway, missing, value):
    result = smspipe.run(gateway, stdin=[message(1)], env={missing: value})
    assert result.status == 77 and gateway.connections == 0
    assert CREDENTIALS["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] not in result.stderr


def test_missing_credentials_are_told_before_any_input_comes(smspipe, gateway):
    process = smspipe.start(gateway, env=NO_CREDENTIALS)
    assert process.wait(10) == 77


def test_simulate_needs_no_account_and_says_what_it_is(smspipe):
    result = smspipe.run(None, "--simulate", stdin=[message(n) for n in range(250)], env=NO_CREDENTIALS)
    assert result.status == 0 and result.outcomes == ["accepted"] * 250
    assert "simulat" in result.stderr.lower()


def test_simulate_sends_to_nobody_else(smspipe, gateway):
    env = {"HTTPS_PROXY": gateway.endpoint, "HTTP_PROXY": gateway.endpoint, "http_proxy": gateway.endpoint}
    result = smspipe.run(None, "--simulate", stdin=[message(1)], env=env)
    assert result.outcomes == ["accepted"] and gateway.connections == 0


@pytest.mark.parametrize("signature", ["v1", "v3"])
def test_the_simulator_takes_both_signatures(smspipe, signature):
    result = smspipe.run(None, "--simulate", "--signature", signature, stdin=[message(n) for n in range(5)])
    assert result.outcomes == ["accepted"] * 5


# -- endpoint ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", ["http://192.0.2.1", "http://sms.example:8080", "http://127.0.0.1.example"])
def test_plain_http_leaves_this_machine_only_when_told(smspipe, endpoint):
    result = smspipe.run(None, "--endpoint", endpoint, stdin=[message(1)])
    assert (result.status, result.stdout) == (78, b"")
    one_sentence(result, "--allow-http")


def test_allow_http_allows_it(smspipe):
    options = ["--endpoint", "http://sms.example:8080", "--allow-http", "--dry-run"]
    assert smspipe.run(None, *options, stdin=[message(1)]).outcomes == ["planned"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_plain_http_to_this_machine_is_fine(smspipe, host):
    server = Gateway(host=host).start()
    assert smspipe.run(server, stdin=[message(1)]).outcomes == ["accepted"]
    assert server.requests[0].headers["host"] == f"{host}:{server.port}"
    server.stop()


@pytest.mark.parametrize("endpoint", ["ftp://sms.example", "https://", "http://127.0.0.1:notaport", "a b"])
def test_an_endpoint_that_is_none_is_bad_configuration(smspipe, endpoint):
    result = smspipe.run(None, "--endpoint", endpoint, stdin=[message(1)])
    assert (result.status, result.stdout) == (78, b"")
    assert result.stderr.strip()


@pytest.mark.parametrize("endpoint", ["dysmsapi.ap-southeast-1.aliyuncs.com", "https://dysmsapi.aliyuncs.com/"])
def test_an_endpoint_may_be_a_host_name_alone_or_end_in_a_slash(smspipe, endpoint):
    options = ["--endpoint", endpoint, "--dry-run"]
    assert smspipe.run(None, *options, stdin=[message(1)]).status == 0


# -- TLS --------------------------------------------------------------------------------------------------------------


def test_a_ca_file_adds_an_authority(smspipe, secure_gateway, authority):
    result = smspipe.run(secure_gateway, "--ca-file", authority.file, stdin=[message(n) for n in range(250)])
    assert (result.status, result.outcomes, result.stderr) == (0, ["accepted"] * 250, "")


def test_an_address_is_checked_like_a_name(smspipe, authority):
    server = Gateway(tls=authority.server("127.0.0.1")).start()
    assert smspipe.run(server, "--ca-file", authority.file, stdin=[message(1)]).outcomes == ["accepted"]
    server.stop()


def refused_certificate(result):
    assert result.status == 69
    assert result.outcomes == ["skipped"] and result.codes == ["smspipe.UNREACHABLE"]
    assert result.seconds < 5, "tried again"
    one_sentence(result, "certificate")


def test_an_unknown_authority_is_refused_at_once(smspipe, secure_gateway):
    refused_certificate(smspipe.run(secure_gateway, stdin=[message(1)]))
    assert secure_gateway.requests == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_for_another_name_is_refused_at_once(smspipe, authority, host):
    server = Gateway(tls=authority.server("sms.example"), host=host).start()
    refused_certificate(smspipe.run(server, "--ca-file", authority.file, stdin=[message(1)]))
    assert server.requests == []
    server.stop()


@pytest.mark.parametrize("content", [None, "", "not a certificate\n"])
def test_a_ca_file_that_is_none_is_bad_configuration(smspipe, gateway, tmp_path, content):
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    result = smspipe.run(gateway, "--ca-file", "ca.pem", stdin=[message(1)])
    assert (result.status, result.stdout) == (78, b"")
    one_sentence(result, "ca.pem")


def test_a_plain_server_behind_https_is_unreachable(smspipe, gateway, authority):
    options = ["--endpoint", gateway.endpoint.replace("http", "https"), "--ca-file", authority.file]
    result = smspipe.run(None, *options, stdin=[message(1)])
    assert result.status == 69 and result.codes == ["smspipe.UNREACHABLE"]
    gateway.complaints.clear()


# -- proxies ----------------------------------------------------------------------------------------------------------


class Proxy:
    """A CONNECT proxy that leads every name to one gateway."""

    def __init__(self, port, refuse=None):
        self.port, self.refuse, self.asked, self.headers = port, refuse, [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=self.listener.accept()[:1], daemon=True).start()

    def _serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        method, target, _ = head.split(b"\r\n")[0].decode().split()
        self.asked.append((method, target))
        self.headers.append(head.decode())
        if self.refuse:
            client.sendall(f"HTTP/1.1 {self.refuse}\r\nContent-Length: 0\r\n\r\n".encode())
            client.close()
            return
        server = socket.create_connection(("127.0.0.1", self.port))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=pump, args=(server, client), daemon=True).start()
        pump(client, server)


def pump(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_https_goes_through_the_proxy(smspipe, secure_gateway, authority, variable):
    proxy = Proxy(secure_gateway.port)
    options = ["--endpoint", "https://sms.example", "--ca-file", authority.file]
    result = smspipe.run(None, *options, stdin=[message(n) for n in range(150)], env={variable: proxy.url})
    assert result.outcomes == ["accepted"] * 150
    assert set(proxy.asked) == {("CONNECT", "sms.example:443")}
    assert secure_gateway.requests[0].headers["host"] == "sms.example"


def test_a_proxy_that_is_not_there_is_told_as_the_proxy(smspipe):
    result = smspipe.run(
        None,
        "--endpoint",
        "https://sms.example",
        "--deadline",
        "1s",
        stdin=[message(1)],
        env={"HTTPS_PROXY": "http://127.0.0.1:1"},
    )
    assert result.status == 69 and "the proxy cannot be reached: Connection refused" in result.stderr


def test_a_proxy_gets_its_credentials_and_never_ours(smspipe, secure_gateway, authority):
    proxy = Proxy(secure_gateway.port)
    options = ["--endpoint", "https://sms.example", "--ca-file", authority.file]
    url = proxy.url.replace("//", "//user:pass@")
    assert smspipe.run(None, *options, stdin=[message(1)], env={"HTTPS_PROXY": url}).outcomes == ["accepted"]
    assert "proxy-authorization: basic dxnlcjpwyxnz" in proxy.headers[0].lower()
    assert "testid" not in proxy.headers[0]


@pytest.mark.parametrize("value", ["localhost", "example.com,localhost", ".example.com, localhost", "*", "LOCALHOST"])
def test_no_proxy_names_hosts_that_need_none(smspipe, secure_gateway, authority, value):
    proxy = Proxy(secure_gateway.port)
    env = {"HTTPS_PROXY": proxy.url, "NO_PROXY": value}
    result = smspipe.run(secure_gateway, "--ca-file", authority.file, stdin=[message(1)], env=env)
    assert result.outcomes == ["accepted"] and proxy.asked == []


def test_no_proxy_of_another_host_does_not_matter(smspipe, secure_gateway, authority):
    proxy = Proxy(secure_gateway.port)
    env = {"HTTPS_PROXY": proxy.url, "NO_PROXY": "example.com,ms.example"}
    options = ["--endpoint", "https://sms.example", "--ca-file", authority.file]
    assert smspipe.run(None, *options, stdin=[message(1)], env=env).outcomes == ["accepted"]
    assert proxy.asked


def test_a_proxy_that_refuses_makes_the_gateway_unreachable(smspipe, secure_gateway, authority):
    proxy = Proxy(secure_gateway.port, refuse="407 Proxy Authentication Required")
    options = ["--endpoint", "https://sms.example", "--ca-file", authority.file]
    result = smspipe.run(None, *options, stdin=[message(1)], env={"HTTPS_PROXY": proxy.url})
    assert result.status == 69 and result.codes == ["smspipe.UNREACHABLE"]
    one_sentence(result, "proxy")


@pytest.mark.parametrize(("host", "status"), [("192.0.2.7", 0), ("192.0.2.8", 69), ("2001:db8::7", 0)])
def test_an_address_behind_a_proxy_is_looked_for_in_the_certificate(smspipe, authority, host, status):
    """It is not the proxy that the certificate has to be for."""
    server = Gateway(tls=authority.server("127.0.0.1" if status else host)).start()
    proxy = Proxy(server.port)
    options = ["--endpoint", f"https://[{host}]" if ":" in host else f"https://{host}", "--ca-file", authority.file]
    result = smspipe.run(None, *options, stdin=[message(1)], env={"HTTPS_PROXY": proxy.url})
    server.stop()
    assert result.status == status and proxy.asked and len(server.requests) == (0 if status else 1)
    assert ("certificate" in result.stderr) == (status != 0)


# -- rights -----------------------------------------------------------------------------------------------------------


def test_a_run_needs_no_rights_that_users_do_not_have(smspipe, gateway, secure_gateway, authority):
    within = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    for server, options in [(gateway, []), (secure_gateway, ["--ca-file", authority.file]), (None, ["--simulate"])]:
        result = smspipe.run(server, *options, stdin=[message(1)], within=within)
        assert result.outcomes == ["accepted"], result.stderr
    result = smspipe.run(None, "status", "--endpoint", gateway.endpoint, stdin=result.stdout, within=within)
    assert result.status == 3 and result.stderr == ""


# -- files ------------------------------------------------------------------------------------------------------------


def test_a_file_that_is_not_there_ends_with_66(smspipe, gateway):
    result = smspipe.run(gateway, "missing.jsonl", stdin=[message(1)])
    assert (result.status, result.stdout) == (66, b"")
    one_sentence(result, "missing.jsonl")


def test_messages_in_the_place_of_files_are_not_repeated(smspipe, gateway):
    for command in ([], ["status"]):
        result = smspipe.run(None, *command, line(message(1)), stdin="")
        assert result.status == 66
        one_sentence(result, "give messages on standard input")


@pytest.mark.parametrize(("name", "command"), [("simulat", "simulate"), ("jounal", "journal"), ("recepits", "receipts")])
def test_a_mistyped_command_is_told_as_one(smspipe, gateway, name, command):
    result = smspipe.run(gateway, name, stdin="")
    assert result.status == 66
    one_sentence(result, f"did you mean smspipe {command}?")


def test_an_output_that_is_an_input_too_is_refused_before_anything_is_sent(smspipe, gateway, tmp_path):
    """Response lines are messages: the run would have no end."""
    path = tmp_path / "messages.jsonl"
    content = lines([message(n) for n in range(3)])
    for command in ([], ["status"]):
        for given, stdin in [([path], "/dev/null"), ([], path), (["-", path], "/dev/null")]:
            path.write_text(content)
            with open(stdin, "rb") as input, open(path, "ab") as output:
                done = subprocess.run(
                    smspipe.arguments(None, [*command, "--endpoint", gateway.endpoint, *given]),
                    stdin=input,
                    stdout=output,
                    stderr=subprocess.PIPE,
                    env=smspipe.environ(None),
                    timeout=30,
                )
            assert done.returncode == 64 and b"is the output, too" in done.stderr
            assert path.read_text() == content and gateway.requests == [] and gateway.lookups == []
    # Whoever reads it is another.
    path.write_text(content)
    with open(path, "rb") as input, open(tmp_path / "responses.jsonl", "ab") as output:
        process = subprocess.run(smspipe.arguments(gateway, []), stdin=input, stdout=output, env=smspipe.environ(None))
    assert process.returncode == 0


def test_a_directory_is_no_file(smspipe, gateway, tmp_path):
    (tmp_path / "folder").mkdir()
    result = smspipe.run(gateway, "folder")
    assert result.status == 66
    one_sentence(result, "folder")


def test_an_unreachable_name_is_said_without_the_message(smspipe):
    options = ["--endpoint", "https://does-not-exist.invalid"]
    result = smspipe.run(None, *options, stdin=[message(1, parameters={"code": "绝密"})], timeout=40)
    assert result.status == 69 and result.codes == ["smspipe.UNREACHABLE"]
    one_sentence(result, "--endpoint")


# -- statuses ---------------------------------------------------------------------------------------------------------


def test_the_status_tells_what_happened(smspipe, gateway):
    assert smspipe.run(gateway, stdin=[message(1)]).status == 0
    assert smspipe.run(gateway, stdin=[message(1), "nonsense"]).status == 1
    gateway.script = lambda request: Answer("isv.SMS_TEMPLATE_ILLEGAL")
    assert smspipe.run(gateway, stdin=[message(1)]).status == 1
    gateway.script = lambda request: Answer("isp.SYSTEM_ERROR")
    assert smspipe.run(gateway, "--confirm", "0", stdin=[message(1), "nonsense"]).status == 3


@pytest.mark.parametrize(
    ("code", "options", "is_full", "status"),
    [
        ("isv.AMOUNT_NOT_ENOUGH", [], True, 74),
        ("isp.RAM_PERMISSION_DENY", [], True, 77),
        # The lines are not there, whoever is to blame.
        ("isv.AMOUNT_NOT_ENOUGH", ["--fail-on", "never"], True, 74),
        ("isp.RAM_PERMISSION_DENY", ["--fail-on", "never"], False, 0),
    ],
)
def test_the_highest_status_wins(smspipe, gateway, code, options, is_full, status):
    gateway.script = lambda request: Answer(code)
    with open("/dev/full" if is_full else "/dev/null", "wb") as output:
        process = smspipe.start(gateway, *options, stdout=output)
        process.write(message(1))
        process.close_input()
        assert process.wait() == status
    assert len(process.stderr.splitlines()) == (2 if is_full else 1)


def test_an_input_that_fails_is_not_all_that_is_told(smspipe, gateway):
    gateway.script = lambda request: Answer("isp.RAM_PERMISSION_DENY")
    result = smspipe.run(gateway, "/proc/self/mem", "-", stdin=[message(1)])
    assert result.status == 74 and len(result.responses) == 0
    result = smspipe.run(gateway, "-", "/proc/self/mem", "--batch-size", "1", stdin=[message(1)])
    assert result.status == 77 and len(result.responses) == 1


def test_nothing_secret_is_printed_when_everything_goes_wrong(smspipe, gateway):
    """The fixture's check of standard error does the work; here is something for it to find."""
    contents = [message(n, parameters={"code": "绝密"}) for n in range(300)] + ['{"PhoneNumber":"13800000001" 绝密']
    gateway.script = lambda request: Answer("isp.RAM_PERMISSION_DENY", f"denied for {request.phones[0]} 绝密")
    result = smspipe.run(gateway, "--summary", "--concurrency", "1", stdin=contents)
    assert result.status == 77
    result = smspipe.run(gateway, "--batch-size", "many", stdin=contents)
    assert result.status == 64
