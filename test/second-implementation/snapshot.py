"""The form of snapshots, SPEC.md 10: nothing of it is proven here."""

from dataclasses import dataclass

import cbor
import names
from fault import Fault, recoded
from note import NOTE_BYTES_MAX
from statement import ENTRY_BYTES_MAX, list_of
from trust_base import ITEM_BYTES_MAX

FORMAT = 1
BYTES_MAX = 64 * 2**20
PARTS_MAX = 256
ENTRIES_MAX = ITEMS_MAX = 262_144
"""Of all parts together."""
HASH_BYTES = 32


@dataclass(frozen=True)
class Base:
    frontier: list
    items: list


@dataclass(frozen=True)
class Part:
    region: str
    checkpoint: bytes
    begin: int
    entries: list
    base: Base | None
    """None for a delta."""


@dataclass(frozen=True)
class Snapshot:
    network: str
    parts: list


def parse_snapshot(data):
    if len(data) > BYTES_MAX:
        raise Fault("TOO_LARGE")
    value = recoded("SNAPSHOT_MALFORMED", cbor.decode, data, BYTES_MAX)
    _check(_has_members(value, "format", "network", "parts"))
    _check(cbor.is_uint(value["format"]) and value["format"] == FORMAT)
    _check(names.is_a(names.NETWORK, value["network"]))
    _check(isinstance(value["parts"], list) and len(value["parts"]) <= PARTS_MAX)
    parts = list(map(_part, value["parts"]))
    _check(all(before.region < after.region for before, after in zip(parts, parts[1:])))
    _check(sum(len(part.entries) for part in parts) <= ENTRIES_MAX)
    _check(sum(len(part.base.items) for part in parts if part.base is not None) <= ITEMS_MAX)
    return Snapshot(value["network"], parts)


def _part(value):
    members = ("region", "checkpoint", "from", "entries")
    _check(_has_members(value, *members) or _has_members(value, *members, "base"))
    _check(names.is_a(names.REGION, value["region"]))
    _check(cbor.is_bytes(value["checkpoint"], 0, NOTE_BYTES_MAX) and cbor.is_uint(value["from"]))
    _check(_are_byte_strings(value["entries"], ENTRY_BYTES_MAX))
    base = _base(value["base"], value["from"]) if "base" in value else None
    return Part(value["region"], value["checkpoint"], value["from"], value["entries"], base)


def _base(value, begin):
    _check(_has_members(value, "frontier", "items"))
    _check(list_of(0, 53, lambda hash_: cbor.is_bytes(hash_, HASH_BYTES))(value["frontier"]))
    _check(len(value["frontier"]) == begin.bit_count())
    _check(_are_byte_strings(value["items"], ITEM_BYTES_MAX))
    _check(begin > 0 or value["items"] == [])
    return Base(value["frontier"], value["items"])


def _are_byte_strings(value, bytes_max):
    return list_of(0, ENTRIES_MAX, lambda one: cbor.is_bytes(one, 0, bytes_max))(value)


def _has_members(value, *members):
    return isinstance(value, dict) and value.keys() == set(members)


def _check(holds):
    if not holds:
        raise Fault("SNAPSHOT_MALFORMED")
