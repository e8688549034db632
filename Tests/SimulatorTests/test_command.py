"""The command: ready line, its end, its command, and what it says when something is wrong."""

import json
import os
import re
import signal
import socket
import subprocess

import pytest
from conftest import BINARY, ROOT, Simulator


def run(*arguments, **options):
    return subprocess.run([BINARY, "simulate", *arguments], capture_output=True, text=True, timeout=30, **options)


def test_ends_with_its_standard_input():
    assert Simulator().stop() == 0


def test_says_that_nobody_can_read_its_ready_line():
    with open("/dev/full", "w") as full:
        result = subprocess.run([BINARY, "simulate"], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 74 and "No space left on device" in result.stderr


def test_ends_with_TERM():
    simulator = Simulator()
    simulator.process.send_signal(signal.SIGTERM)
    assert simulator.process.wait(timeout=10) == 0


def test_gives_equal_keys_for_equal_seeds():
    first, second, other = Simulator("--seed", "7"), Simulator("--seed", "7"), Simulator("--seed", "8")
    assert (first.key_id, first.secret) == (second.key_id, second.secret) != (other.key_id, other.secret)
    for simulator in (first, second, other):
        simulator.stop()


@pytest.mark.parametrize("script, status", [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)])
def test_ends_with_the_status_of_its_command(script, status):
    assert run("--", "sh", "-c", script).returncode == status


def test_runs_a_command_that_sends():
    message = '{"PhoneNumber":"13800000001","SignName":"阿里云","TemplateCode":"SMS_1","TemplateParam":{"code":"1234"}}'
    script = f'echo \'{message}\' | "{BINARY}" && curl -s "$SMSPIPE_ENDPOINT/_sim/messages"'
    result = run("--", "sh", "-c", script)
    assert result.returncode == 0, result.stderr
    response, captured = map(json.loads, result.stdout.splitlines())
    assert response["Outcome"] == "accepted" and response["BizId"] == captured["BizId"]


def test_passes_TERM_on_to_its_command():
    process = subprocess.Popen(
        [BINARY, "simulate", "--", "sh", "-c", "trap 'exit 9' TERM; echo up; while :; do sleep 0.1; done"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 9


def test_stays_under_nohup_when_the_terminal_is_closed():
    script = "echo up; read line; kill -HUP $$; echo $line"
    process = subprocess.Popen(
        ["nohup", BINARY, "simulate", "--", "sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGHUP)
    assert process.communicate("still here\n", timeout=10)[0] == "still here\n"
    assert process.returncode == 0


def test_says_that_a_command_is_not_there():
    result = run("--", "no-such-command")
    assert result.returncode == 127 and "no-such-command" in result.stderr


def test_says_that_a_port_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("--port", str(taken.getsockname()[1]), stdin=subprocess.DEVNULL)
    assert result.returncode == 69
    assert "Address already in use" in result.stderr and "--port" in result.stderr


@pytest.mark.parametrize(
    "content, words",
    [
        ("{", "the file is no JSON"),
        ('{"accessKeys":[]}', "accessKeys: must hold at least one"),
        ('{"accessKeys":[{"id":"a","secret":"b"}],"standing":"poor"}', "standing: “poor” is none of active"),
    ],
)
def test_says_where_an_account_file_is_wrong(tmp_path, content, words):
    (tmp_path / "account.json").write_text(content)
    result = run("--account", str(tmp_path / "account.json"), stdin=subprocess.DEVNULL)
    assert result.returncode == 78
    assert words in result.stderr and len(result.stderr.splitlines()) == 1


def test_says_that_a_file_cannot_be_read():
    result = run("--account", "/no/such/file", stdin=subprocess.DEVNULL)
    assert result.returncode == 66 and "/no/such/file" in result.stderr


def test_reads_faults_from_a_file(tmp_path, start):
    (tmp_path / "faults").write_text("# two of them\ndrop-after = 10%\n\nstall=1,nth=3  # once\n")
    faults = start("--faults-file", str(tmp_path / "faults")).lines("faults")[0]["Faults"]
    assert [fault["Fault"] for fault in faults] == ["drop-after=0.1", "stall=1.0,nth=3"]
    (tmp_path / "faults").write_text("503=1\nflood=1\n")
    result = run("--faults-file", str(tmp_path / "faults"), stdin=subprocess.DEVNULL)
    assert result.returncode == 78 and "line 2" in result.stderr


@pytest.mark.parametrize(
    "option",
    ["--fault=x", "--latency=fast", "--qps=0", "--keep=0", "--port=70000", "--receipts-to=ftp://x", "--time-scale=1e300"],
)
def test_refuses_a_wrong_option(option):
    result = run(option, stdin=subprocess.DEVNULL)
    assert result.returncode == 64, result.stderr


@pytest.mark.parametrize("option", ["--keep", "--compare", "--seed"])
def test_takes_the_largest_number(option):
    assert run(f"{option}={2**63 - 1}", stdin=subprocess.DEVNULL).returncode == 0


def test_takes_options_from_the_environment():
    environment = {**os.environ, "SMSPIPE_KEEP": "0"}
    assert run(stdin=subprocess.DEVNULL, env=environment).returncode == 64
    assert run("--keep", "1", stdin=subprocess.DEVNULL, env=environment).returncode == 0


def test_gives_the_token_of_a_temporary_key_and_no_other(tmp_path):
    temporary = {"id": "STS.a", "secret": "b", "securityToken": "token"}
    environment = {**os.environ, "ALIBABA_CLOUD_SECURITY_TOKEN": "of someone's real account"}
    shown = ["--", "sh", "-c", 'echo "$ALIBABA_CLOUD_ACCESS_KEY_ID ${ALIBABA_CLOUD_SECURITY_TOKEN-none}"']
    account = tmp_path / "account.json"
    account.write_text(json.dumps({"accessKeys": [temporary]}))
    assert run("--account", str(account), *shown, env=environment).stdout == "STS.a token\n"
    assert json.loads(run("--account", str(account), stdin=subprocess.DEVNULL).stdout)["securityToken"] == "token"
    account.write_text(json.dumps({"accessKeys": [temporary, {"id": "z", "secret": "b"}]}))
    assert run("--account", str(account), *shown, env=environment).stdout == "z none\n"


@pytest.mark.parametrize("path", ["faults", "messages", "requests", "duplicates", "wait", "replies", "reset"])
def test_names_every_page_in_the_help(path):
    assert f"/_sim/{path}" in run("--help").stdout


def test_does_what_the_commands_of_the_help_say():
    text = run("--help").stdout
    commands = re.findall(r"^  (curl (?:.*\\\n)?.*)$", text, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        result = run("--fault", "503=1", "--", "sh", "-c", command.replace("count=100&timeout=5s", "count=0"))
        assert result.returncode == 0 and "rror" not in result.stdout + result.stderr, command
        if "faults" in command:
            assert json.loads(result.stdout)["QPS"] == "5000"


def test_says_what_listening_to_others_means():
    result = run("--bind", "0.0.0.0", "--", "true")
    assert result.returncode == 0 and "other machines" in result.stderr
    assert run("--", "true").stderr == ""


def test_ships_an_account_that_fits_its_schema():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(run("--account-schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads((ROOT / "examples/account.json").read_text()), schema)
    assert run("--account", str(ROOT / "examples/account.json"), stdin=subprocess.DEVNULL).returncode == 0


def test_names_every_magic_number_in_the_help():
    assert "19999000001  refused with isv.BUSINESS_LIMIT_CONTROL" in run("--help").stdout
