"""Local codes, SPEC.md 17.11: what a text says by a profile, without checking its signature."""

import base64
import re
import zlib

import base45
import foreign_cbor
import foreign_json
from fault import Fault
from local_claims import claims_of
from local_profile import utf16

CHARACTERS_MAX = 4_296
BYTES_MAX = 16_384
INFLATION_MAX = 16
NAME_MAX = 256
UNNAMED = "-"
COSE_ALGORITHMS = {"ES256": -7, "ES384": -35, "PS256": -37, "EdDSA": -8}
REFUSED_FIRST = ("crit", "jwk", "jku", "x5u")
REFUSED = ("b64", "zip", "x5c")
COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
URL_SAFE = re.compile(r"[A-Za-z0-9_-]*")


def read(profile, text):
    if utf16(text) > CHARACTERS_MAX:
        raise Fault("TOO_LARGE")
    body = text[len(profile["prefix"]) :]
    container = {"json": _json, "jws": _jws, "cose": _cose}[profile["container"]]
    code, payload = container(profile, body)
    return code | claims_of(profile["map"], payload)


def _json(profile, body):
    text = body
    if profile["text"] != "plain":
        try:
            text = _bytes(profile, body).decode()
        except UnicodeDecodeError as error:
            raise Fault("JSON_MALFORMED") from error
    members, outer = profile["members"], foreign_json.parse(text)
    if not isinstance(outer, dict) or not isinstance(outer.get(members["signature"]), str):
        raise Fault("CODE_MALFORMED")
    if "algorithm" in members:
        algorithm = outer.get(members["algorithm"])
        if algorithm not in profile["algorithms"]:
            raise Fault("ALGORITHM_UNKNOWN")
    else:
        algorithm = profile["algorithms"][0]
    key_id = _key_name(outer.get(members["keyId"])) if "keyId" in members else UNNAMED
    payload, message = _signed_part(members, outer, text)
    signature = base64url(outer[members["signature"]], "CODE_MALFORMED")
    return _code(key_id, algorithm, message, signature), payload


def _signed_part(members, outer, text):
    value = outer.get(members["payload"])
    if members["form"] == "object":
        if not isinstance(value, dict):
            raise Fault("CODE_MALFORMED")
        return value, foreign_json.member_as_it_stands(text, members["payload"]).encode()
    if not isinstance(value, str):
        raise Fault("CODE_MALFORMED")
    message = value.encode() if members["form"] == "text" else base64url(value, "CODE_MALFORMED")
    return foreign_json.parse_object(message), message


def _jws(profile, body):
    parts = COMPACT.fullmatch(body)
    if parts is None:
        raise Fault("JWS_MALFORMED")
    head, claims, signature = parts.groups()
    header = foreign_json.parse_object(base64url(head, "JWS_MALFORMED"))
    if any(name in header for name in REFUSED_FIRST):
        raise Fault("JWS_MALFORMED")
    if header.get("alg") not in profile["algorithms"]:
        raise Fault("ALGORITHM_UNKNOWN")
    if any(name in header for name in REFUSED):
        raise Fault("JWS_MALFORMED")
    key_id = _key_name(header.get("kid")) if profile["keyId"] else UNNAMED
    payload = foreign_json.parse_object(base64url(claims, "JWS_MALFORMED"))
    message = f"{head}.{claims}".encode()
    return _code(key_id, header["alg"], message, base64url(signature, "JWS_MALFORMED")), payload


def _cose(profile, body):
    header, other, payload, message, signature = foreign_cbor.sign1(_bytes(profile, body), BYTES_MAX)
    if any(label in other for label in (foreign_cbor.ALGORITHM, foreign_cbor.CRITICAL, *header)):
        raise Fault("COSE_MALFORMED")
    numbers = {COSE_ALGORITHMS[name]: name for name in profile["algorithms"]}
    number = header.get(foreign_cbor.ALGORITHM)
    if not isinstance(number, int) or number not in numbers:
        raise Fault("ALGORITHM_UNKNOWN")
    key_id = UNNAMED
    if profile["keyId"]:
        named = header.get(foreign_cbor.KEY_ID, other.get(foreign_cbor.KEY_ID))
        if not isinstance(named, bytes) or not 1 <= len(named) <= 32:
            raise Fault("KEY_ID_MISSING")
        key_id = base64.b64encode(named).decode()
    claims = foreign_cbor.decode(payload, BYTES_MAX)
    if not isinstance(claims, dict):
        raise Fault("CLAIMS_MALFORMED")
    return _code(key_id, numbers[number], message, signature), claims


def _code(key_id, algorithm, message, signature):
    return {"keyId": key_id, "algorithm": algorithm, "message": message.hex(), "signature": signature.hex()}


def _key_name(value):
    if not isinstance(value, str) or not 1 <= utf16(value) <= NAME_MAX:
        raise Fault("KEY_ID_MISSING")
    return value


def _bytes(profile, body):
    data = base45.decode(body, CHARACTERS_MAX) if profile["text"] == "base45" else base64url(body, "CODE_MALFORMED")
    return _inflated(data, profile["deflate"]) if "deflate" in profile else data


def _inflated(data, form):
    most = min(BYTES_MAX, INFLATION_MAX * len(data))
    stream = zlib.decompressobj(wbits=15 if form == "zlib" else -15)
    try:
        inflated = stream.decompress(data, most + 1)
    except zlib.error as error:
        raise Fault("COMPRESSION_INVALID") from error
    if len(inflated) > most:
        raise Fault("TOO_LARGE")
    if not stream.eof or stream.unused_data:
        raise Fault("COMPRESSION_INVALID")
    return inflated


def base64url(text, code):
    """Without padding, in its one form."""
    if not URL_SAFE.fullmatch(text) or len(text) % 4 == 1:
        raise Fault(code)
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(data).decode().rstrip("=") != text:
        raise Fault(code)
    return data
