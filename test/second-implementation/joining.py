"""Invitations, answers and confirmations, SPEC.md 20."""

from hashlib import sha256

import cbor
import ed25519
import names
import statement
from fault import Fault

BYTES_MAX = 4_096
NAME_BYTES_MAX, ADDRESS_BYTES_MAX, ADDRESSES_MAX = 64, 256, 8
LIFE_MAX = 30 * 86_400


def bytes_of(length):
    return lambda value: cbor.is_bytes(value, length)


SELF = {
    "region": statement.name_of(names.REGION),
    "network": statement.name_of(names.NETWORK),
    "name": statement.text(NAME_BYTES_MAX),
    "fingerprint": bytes_of(32),
    "node": bytes_of(32),
    "addresses": statement.list_of(0, ADDRESSES_MAX, statement.text(ADDRESS_BYTES_MAX)),
}
FORMS = {
    "invitation": statement.map_of(
        kind=statement.one_of("invitation"),
        **SELF,
        http=statement.text(ADDRESS_BYTES_MAX),
        **{"from": cbor.is_uint},
        until=cbor.is_uint,
        id=bytes_of(16),
    ),
    "answer": statement.map_of(
        kind=statement.one_of("answer"), **SELF, invitation=bytes_of(32), at=cbor.is_uint, nonce=bytes_of(16)
    ),
}


def open_said(kind, data):
    """What an invitation or an answer says, once the node that it names is found to have signed it."""
    if len(data) > BYTES_MAX:
        raise Fault("TOO_LARGE")
    parts = cbor.decode(data, BYTES_MAX)
    if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(part, bytes) for part in parts):
        raise malformed()
    body, signature = parts
    said = cbor.decode(body, BYTES_MAX) if len(signature) == 64 else None
    if not FORMS[kind](said) or (kind == "invitation" and not 0 < said["until"] - said["from"] <= LIFE_MAX):
        raise malformed()
    if not ed25519.verify(said["node"], f"entente/joining-{kind}/v1\n".encode() + body, signature):
        raise Fault("SIGNATURE_INVALID")
    return said


def transcript(invitation, answer):
    return sha256(b"entente/joining-transcript/v1\n" + sha256(invitation).digest() + sha256(answer).digest()).digest()


def confirms(side, node, compared, signature):
    return ed25519.verify(node, f"entente/joining-confirmed/v1\n{side}\n".encode() + compared, signature)


def malformed():
    return Fault("JOINING_MALFORMED")
