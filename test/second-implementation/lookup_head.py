"""Signed heads of tables of numbers, SPEC.md 21.5."""

from dataclasses import dataclass

import cbor
import ed25519
import names
import statement
from fault import Fault

LABEL = b"entente/lookup-head/v1\n"
BYTES_MAX = 1_024
BITS_MAX = 20
CAPACITY_MAX = 448
SALT_BYTES = 16
MINUTE = 60

is_body = statement.map_of(
    kind=lambda value: value == "lookup",
    region=statement.name_of(names.REGION),
    network=statement.name_of(names.NETWORK),
    day=cbor.is_uint,
    at=cbor.is_uint,
    bits=lambda value: cbor.is_uint(value) and value <= BITS_MAX,
    capacity=lambda value: cbor.is_uint(value) and 1 <= value <= CAPACITY_MAX,
    salt=lambda value: cbor.is_bytes(value, SALT_BYTES),
    root=lambda value: cbor.is_bytes(value, 32),
)


@dataclass(frozen=True)
class Head:
    said: dict
    key: bytes

    @property
    def minute(self):
        return self.said["at"] // MINUTE

    @property
    def table(self):
        return tuple(self.said[member] for member in ("bits", "capacity", "salt", "root"))


def is_head(value):
    return cbor.is_bytes(value, 0, BYTES_MAX)


def open_head(data):
    """The head and the key that signed it; whose key that is, a trust state says."""
    if len(data) > BYTES_MAX:
        raise Fault("TOO_LARGE")
    parts = cbor.decode(data, BYTES_MAX)
    if not isinstance(parts, list) or len(parts) != 3 or not all(isinstance(part, bytes) for part in parts):
        raise malformed()
    body, key, signature = parts
    if len(key) != 32 or len(signature) != 64:
        raise malformed()
    said = cbor.decode(body, BYTES_MAX)
    if not is_body(said):
        raise malformed()
    if not ed25519.verify(key, LABEL + body, signature):
        raise Fault("SIGNATURE_INVALID")
    return Head(said, key)


def malformed():
    return Fault("LOOKUP_MALFORMED")
