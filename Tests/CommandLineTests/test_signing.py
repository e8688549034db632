"""The gateway of these tests checks signatures rightly: it agrees with the official SDKs and the published examples."""

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import signing

VECTORS = json.loads((Path(__file__).parent.parent / "Conformance" / "signing.json").read_text())


def named(entries):
    return [pytest.param(entry, id=entry["id"]) for entry in entries]


@pytest.mark.parametrize("vector", named(VECTORS["v1"] + [e for e in VECTORS["published"] if e["scheme"] == "V1"]))
def test_v1_signature_agrees(vector):
    signed = list(vector["signed_params"].items())
    assert signing.canonical(signed) == vector["canonicalized_query"]
    assert signing.v1_string_to_sign(vector["method"], signed) == vector["string_to_sign"]
    assert signing.v1_signature(vector["method"], signed, vector["access_key_secret"]) == vector["signature"]


@pytest.mark.parametrize("vector", named(VECTORS["v1"]))
def test_v1_signature_is_found_in_the_request_itself(vector):
    received = signing.parameters(urlsplit(vector["request_target"]).query) + signing.parameters(vector["body"])
    signed = [(key, value) for key, value in received if key != "Signature"]
    assert dict(received)["Signature"] == vector["signature"] == unquote(vector["signature_percent_encoded"])
    assert signing.v1_signature(vector["method"], signed, vector["access_key_secret"]) == vector["signature"]


@pytest.mark.parametrize("vector", named(VECTORS["v3"] + [e for e in VECTORS["published"] if e["scheme"] == "V3"]))
def test_v3_signature_agrees(vector):
    query = urlsplit(vector.get("request_target", "")).query or signing.canonical(vector["query_params"].items())
    headers = {name.lower(): value for name, value in vector["headers_signed"].items()}
    names = vector["signed_headers"].split(";")
    request = signing.v3_canonical_request(
        vector["method"], vector.get("path", "/"), query, headers, names, vector.get("body", "").encode()
    )
    assert request == vector["canonical_request"]
    assert signing.v3_string_to_sign(request) == vector["string_to_sign"]
    assert signing.v3_signature(request, vector["access_key_secret"]) == vector["signature"]
