"""Request signatures, computed from the bytes of a request as a server sees them.

Written from the documentation of the two schemes, not from smspipe's code, and checked against published examples and
the official SDKs' results in test_signing.py.
"""

import base64
import hashlib
import hmac
from urllib.parse import parse_qsl, quote

FORM = "application/x-www-form-urlencoded"


def encode(text):
    return quote(text, safe="-_.~")


def canonical(parameters):
    return "&".join(f"{encode(key)}={encode(value)}" for key, value in sorted(parameters))


def parameters(text):
    return parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict")


def v1_string_to_sign(method, signed):
    return f"{method}&%2F&{encode(canonical(signed))}"


def v1_signature(method, signed, secret):
    key = (secret + "&").encode()
    return base64.b64encode(hmac.new(key, v1_string_to_sign(method, signed).encode(), hashlib.sha1).digest()).decode()


def v3_canonical_request(method, path, query, headers, signed_headers, body):
    """`headers` maps lower-case names to values, `query` is the raw query string."""
    lines = "".join(f"{name}:{headers.get(name, '').strip()}\n" for name in signed_headers)
    digest = hashlib.sha256(body).hexdigest()
    return "\n".join([method, path, canonical(parameters(query)), lines, ";".join(signed_headers), digest])


def v3_string_to_sign(canonical_request):
    return "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical_request.encode()).hexdigest()


def v3_signature(canonical_request, secret):
    return hmac.new(secret.encode(), v3_string_to_sign(canonical_request).encode(), hashlib.sha256).hexdigest()
