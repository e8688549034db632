"""`smspipe explain`: what each code means and what to do about it."""

import json

import pytest

CODES = """
    OK isp.RAM_PERMISSION_DENY isp.SYSTEM_ERROR isp.GATEWAY_ERROR isv.OUT_OF_SERVICE isv.AMOUNT_NOT_ENOUGH
    isv.PRODUCT_UN_SUBSCRIPT isv.PRODUCT_UNSUBSCRIBE isv.ACCOUNT_NOT_EXISTS isv.ACCOUNT_ABNORMAL
    isv.SECURITY_FROZEN_ACCOUNT isv.DENY_IP_RANGE isv.DAY_LIMIT_CONTROL isv.MONTH_LIMIT_CONTROL isv.SMS_TEMPLATE_ILLEGAL
    isv.SMS_SIGNATURE_ILLEGAL isv.SMS_SIGN_ILLEGAL isv.SIGN_STATE_ILLEGAL isv.MOBILE_NUMBER_ILLEGAL
    isv.MOBILE_COUNT_OVER_LIMIT isv.TEMPLATE_MISSING_PARAMETERS isv.TEMPLATE_PARAMS_ILLEGAL isv.INVALID_JSON_PARAM
    isv.INVALID_PARAMETERS isv.PARAM_LENGTH_LIMIT isv.PARAM_NOT_SUPPORT_URL isv.BLACK_KEY_CONTROL_LIMIT
    isv.CUSTOMER_REFUSED isv.SMS_CONTENT_ILLEGAL isv.UNSUPPORTED_CONTENT isv.BUSINESS_LIMIT_CONTROL isv.EXTEND_CODE_ERROR
    IS_CLOSE SignatureDoesNotMatch InvalidAccessKeyId.NotFound InvalidTimeStamp.Expired SignatureNonceUsed Throttling.User
    ServiceUnavailable InternalError
    smspipe.INVALID_JSON smspipe.LINE_TOO_LONG smspipe.DUPLICATE_MEMBER smspipe.UNCONFIRMED smspipe.UNREACHABLE
    smspipe.EXPIRED smspipe.STOPPED smspipe.PLANNED
""".split()


def test_the_table_is_printed_as_json_lines(smspipe):
    result = smspipe.run(None, "explain", "--json")
    assert (result.status, result.stderr) == (0, "")
    table = {entry["Code"]: entry for entry in map(json.loads, result.lines)}
    assert [code for code in CODES if code not in table] == []
    assert all(entry["Meaning"] and entry["Remedy"] for entry in table.values())


@pytest.mark.parametrize("code", ["isv.BUSINESS_LIMIT_CONTROL", "SignatureDoesNotMatch", "smspipe.UNCONFIRMED"])
def test_a_code_is_explained(smspipe, code):
    result = smspipe.run(None, "explain", code)
    text = result.stdout.decode()
    assert result.status == 0 and code in text and len(text) > 100


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("BUSINESS_LIMIT_CONTROL", "isv.BUSINESS_LIMIT_CONTROL"),
        ("isv.business_limit_control", "isv.BUSINESS_LIMIT_CONTROL"),
        ("SystemError", None),
        ("SYSTEM_ERROR", "isp.SYSTEM_ERROR"),
        ("unconfirmed", "smspipe.UNCONFIRMED"),
        ("MOBILE_NOT_ON_SERVICE", None),
    ],
)
def test_a_code_that_is_nearly_one_is_told(smspipe, code, meant):
    result = smspipe.run(None, "explain", code)
    assert result.status == 0
    if meant:
        assert result.stderr == f"smspipe: did you mean {meant}?\n"
    else:
        assert "ErrCode" in result.stdout.decode()


def test_an_empty_code_is_none(smspipe):
    assert smspipe.run(None, "explain", "").status == 64


def test_explaining_needs_no_credentials(smspipe):
    env = {"ALIBABA_CLOUD_ACCESS_KEY_ID": None, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": None}
    assert smspipe.run(None, "explain", "OK", env=env).status == 0
