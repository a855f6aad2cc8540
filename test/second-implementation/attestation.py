"""Attestations and their commitments, SPEC.md 5.1, 5.2, 5.4 and 5.8."""

import re
from dataclasses import dataclass
from hashlib import scrypt, sha256

import cbor
import names
from fault import Fault, recoded

FIELDS = ("status", "holder", "document", "evidence")
SALT_BYTES = 16
VALUE_BYTES_MAX = 256
HASH_BYTES = 32
TAG = b"\xd2"
PROTECTED_HEAD = bytes.fromhex("a2012704" "48")
COLOURS = ("green", "yellow", "red")
MEASURES = ("none", "home", "isolate")
NUMBER_CHARACTERS_MAX = 256


@dataclass(frozen=True)
class Attestation:
    data: bytes
    protected: bytes
    payload: bytes
    signature: bytes
    region: str
    log: str
    index: int
    hour: int
    commitment: bytes

    @property
    def key_id(self):
        return self.protected[len(PROTECTED_HEAD) :]

    def message(self, network):
        """The bytes that the issuer signs; the network stands nowhere else."""
        aad = f"entente/attestation/v1\n{self.region}.{network}/attest/{self.log}".encode()
        return cbor.encode(["Signature1", self.protected, aad, self.payload])


def parse_attestation(data):
    """Reads an attestation. All its faults are ATTESTATION_MALFORMED."""
    if not data.startswith(TAG):
        raise malformed()
    parts = recoded("ATTESTATION_MALFORMED", cbor.decode, data[1:])
    if not isinstance(parts, list) or len(parts) != 4:
        raise malformed()
    protected, unprotected, payload, signature = parts
    if not cbor.is_bytes(protected, len(PROTECTED_HEAD) + 8) or not protected.startswith(PROTECTED_HEAD):
        raise malformed()
    if unprotected != {} or not isinstance(payload, bytes) or not cbor.is_bytes(signature, 64):
        raise malformed()
    claims = recoded("ATTESTATION_MALFORMED", cbor.decode, payload)
    if not isinstance(claims, list) or len(claims) != 5:
        raise malformed()
    region, log, index, hour, commitment = claims
    if not names.is_a(names.REGION, region) or not names.is_a(names.LOG_ID, log):
        raise malformed()
    if not cbor.is_bytes(index, 5) or not cbor.is_uint(hour) or not cbor.is_bytes(commitment, HASH_BYTES):
        raise malformed()
    begin, end = names.month_of(log)
    if not begin <= 3600 * hour < end:
        raise malformed()
    return Attestation(
        data, protected, payload, signature, region, log, int.from_bytes(index, "big"), hour, commitment
    )


def malformed():
    return Fault("ATTESTATION_MALFORMED")


def field_leaf(number, opening):
    """The leaf of a field from salt || value."""
    label = f"entente/field/{FIELDS[number]}/v1\n".encode()
    return sha256(b"\x00" + label + opening).digest()


def pair(left, right):
    return sha256(b"\x01" + b"entente/commitment/v1\n" + left + right).digest()


def commitment_of(leaves):
    status, holder, document, evidence = leaves
    return pair(pair(status, holder), pair(document, evidence))


def padding_commitment(secret):
    """What a leaf of nobody commits to, SPEC.md 5.8; None for what is no secret."""
    if len(secret) != HASH_BYTES:
        return None
    return sha256(b"\x00" + b"entente/padding/v1\n" + secret).digest()


def parse_field(number, value):
    """The value of an opened field: a dict for the status, 32 bytes for the others."""
    decoded = recoded("FIELD_MALFORMED", cbor.decode, value)
    if number == 0:
        return _status(decoded)
    if not cbor.is_bytes(decoded, HASH_BYTES):
        raise Fault("FIELD_MALFORMED")
    return decoded


def _status(value):
    if not isinstance(value, dict) or set(value) - {3, 7} != {1, 2, 4, 5, 6}:
        raise Fault("FIELD_MALFORMED")
    numbers = all(cbor.is_uint(item) for key, item in value.items() if key not in (5, 7))
    if not numbers or value[1] >= len(COLOURS) or value[2] >= len(MEASURES) or (value[2] == 0) == (3 in value):
        raise Fault("FIELD_MALFORMED")
    if COLOURS[value[1]] == "green" and value[2] != 0:
        raise Fault("FIELD_MALFORMED")
    if not names.is_a(names.RULE_ID, value[5]):
        raise Fault("FIELD_MALFORMED")
    status = {"colour": COLOURS[value[1]], "measure": MEASURES[value[2]]}
    if 3 in value:
        status["until"] = value[3]
    status |= {"expires": value[4], "ruleId": value[5], "ruleVersion": value[6]}
    if 7 in value:
        status["original"] = _original(value[7])
    return status


def _original(value):
    """What a bridged attestation stands for, SPEC.md 5.6."""
    if not isinstance(value, list) or not 2 <= len(value) <= 5 or not names.is_a(names.REGION, value[0]):
        raise Fault("FIELD_MALFORMED")
    if len(value) < 5:
        region, hashes, *signed = value
        if not isinstance(hashes, list) or not 1 <= len(hashes) <= 3:
            raise Fault("FIELD_MALFORMED")
        if not all(cbor.is_bytes(one, 16) for one in hashes) or sorted(set(hashes)) != hashes:
            raise Fault("FIELD_MALFORMED")
        original = {"region": region, "hashes": [one.hex() for one in hashes]}
        if signed:
            if not cbor.is_bytes(signed[0], 8):
                raise Fault("FIELD_MALFORMED")
            original["signer"] = signed[0].hex()
        if len(signed) == 2:
            if not cbor.is_uint(signed[1]):
                raise Fault("FIELD_MALFORMED")
            original["issued"] = signed[1]
        return original
    region, log, index, key_id, leaf = value
    if not names.is_a(names.LOG_ID, log):
        raise Fault("FIELD_MALFORMED")
    if not cbor.is_bytes(index, 5) or not cbor.is_bytes(key_id, 8) or not cbor.is_bytes(leaf, HASH_BYTES):
        raise Fault("FIELD_MALFORMED")
    number = int.from_bytes(index, "big")
    return {"region": region, "log": log, "index": number, "keyId": key_id.hex(), "leafHash": leaf.hex()}


def document_hash(country, number, salt):
    """The hash that binds a code to a document, or None if the number is not one that has a hash."""
    if len(number) > NUMBER_CHARACTERS_MAX:
        return None
    upper = re.sub("[a-z]", lambda letter: letter[0].upper(), number)
    digits = re.sub("[^A-Z0-9]", "", upper)
    if not 4 <= len(digits) <= 32:
        return None
    password = f"entente/document/v1\n{country}\n{digits}".encode()
    return scrypt(password, salt=salt, n=32768, r=8, p=1, maxmem=2**26, dklen=HASH_BYTES)
