"""Where credentials come from when they are not in the environment: contract, section 8."""

import json

import pytest

from command import CREDENTIALS, message
from gateway import KEY_ID, SECRET

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
