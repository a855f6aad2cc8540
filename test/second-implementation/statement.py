"""Statements of the trust log and their form, SPEC.md 8.1 and 8.2."""

from dataclasses import dataclass
from hashlib import sha256

import cbor
import names
from fault import Fault, recoded

HOUR, DAY = 3600, 86_400
SIGNATURES_MAX = 32
ENTRY_BYTES_MAX = 65_535
WINDOW_MAX = 31 * DAY
AHEAD_MAX = 100 * DAY
TRUST = "trust"
FORMAT = 1


@dataclass(frozen=True)
class Entry:
    data: bytes
    body: bytes
    signatures: tuple
    """Pairs (key id, signature)."""
    said: dict
    """The statement."""

    @property
    def kind(self):
        return self.said["kind"]

    def message(self, origin):
        return b"entente/statement/v1\n" + origin.encode() + b"\n" + self.body


def fingerprint(root_body):
    """What peers pin: of the body of the root statement of version 1."""
    return sha256(b"entente/root/v1\n" + root_body).digest()


def uint(value):
    return cbor.is_uint(value)


def positive(value):
    return cbor.is_uint(value) and value > 0


def index(value):
    return cbor.is_uint(value, 2**40 - 1)


def key(value):
    return cbor.is_bytes(value, 32)


def COLOUR(value):
    return cbor.is_uint(value, 2)


def REASON(value):
    return cbor.is_uint(value, 15)


def TALLIED(value):
    return cbor.is_uint(value) and value >= 10


def name_of(pattern):
    return lambda value: names.is_a(pattern, value)


def text(most):
    return lambda value: isinstance(value, str) and 1 <= len(value.encode()) <= most


def one_of(*words):
    return lambda value: isinstance(value, str) and value in words


def list_of(least, most, is_good):
    return lambda value: isinstance(value, list) and least <= len(value) <= most and all(map(is_good, value))


def map_of(**members):
    return lambda value: (
        isinstance(value, dict)
        and value.keys() == members.keys()
        and all(is_good(value[name]) for name, is_good in members.items())
    )


REGION, LOG = name_of(names.REGION), name_of(names.LOG_ID)
RULE = name_of(names.RULE_ID)
ROLE = one_of("attest", "checkpoint", "trust-log", "witness")
TRUST_KEY = map_of(key=key, role=ROLE, **{"from": uint}, until=uint)
CUTOFF = map_of(log=lambda value: value == TRUST or LOG(value), size=uint, root=key)
RECOGNITION = {
    "region": REGION,
    "version": uint,
    "fingerprint": key,
    "way": one_of("direct", "adapter", "bridge", "hosted"),
    "rules": lambda value: value is None or RULE(value),
    "from": uint,
    "until": uint,
}
MEMBERS = {
    "root": {
        "region": REGION,
        "network": name_of(names.NETWORK),
        "name": text(64),
        "version": positive,
        "threshold": positive,
        "keys": list_of(1, 16, key),
    },
    "keys": {"keys": list_of(1, 400, TRUST_KEY)},
    "limits": {"version": uint, "revocationsPerHour": uint},
    "recognition": RECOGNITION,
    "withdrawal": {"region": REGION, "version": uint},
    "suspension": {"region": REGION, "version": uint},
    "compromise": {"key": lambda value: cbor.is_bytes(value, 8), "version": uint, "cutoffs": list_of(0, 64, CUTOFF)},
    "retirement": {"key": lambda value: cbor.is_bytes(value, 8), "version": uint, "until": uint},
    "rules": {"id": RULE, "version": uint, "from": uint, "data": lambda value: is_text_map(value)},
    "adapter": {
        "id": RULE,
        "version": uint,
        "from": uint,
        "until": uint,
        "data": lambda value: is_text_map(value),
    },
    "log": {"log": LOG, "minimum": index},
    "node": {"key": key, "addresses": list_of(0, 8, text(256)), "from": uint, "until": uint},
    "revocation": {"log": LOG, "effective": uint, "set": lambda value: isinstance(value, bytes)},
    "foreign-revocation": {"until": uint, "hashes": list_of(1, 2_000, lambda value: cbor.is_bytes(value, 16))},
    "tally": {
        "log": LOG,
        "from": uint,
        "until": uint,
        "cells": list_of(0, 96, lambda value: map_of(rule=RULE, colour=COLOUR, count=TALLIED)(value)),
        "merged": uint,
        "overrides": list_of(0, 96, lambda value: map_of(reason=REASON, colour=COLOUR, count=positive)(value)),
    },
    "state": {"format": lambda value: uint(value) and value == FORMAT, "items": uint, "root": key},
}


def is_text_map(value):
    return isinstance(value, dict) and all(isinstance(name, str) for name in value)


def parse_entry(data):
    """Reads an entry. All its faults are STATEMENT_MALFORMED."""
    parts = recoded("STATEMENT_MALFORMED", cbor.decode, data, ENTRY_BYTES_MAX)
    if not isinstance(parts, list) or len(parts) != 2 or not isinstance(parts[0], bytes):
        raise malformed()
    body, signatures = parts
    if not list_of(1, SIGNATURES_MAX, _is_signature)(signatures) or not _ascends([id_ for id_, _ in signatures]):
        raise malformed()
    said = recoded("STATEMENT_MALFORMED", cbor.decode, body, ENTRY_BYTES_MAX)
    if not is_text_map(said) or not one_of(*MEMBERS)(said.get("kind")):
        raise malformed()
    if not map_of(**_members(said))(said) or not _holds_together(said):
        raise malformed()
    return Entry(data, body, tuple(map(tuple, signatures)), said)


def malformed():
    return Fault("STATEMENT_MALFORMED")


def _is_signature(value):
    return isinstance(value, list) and len(value) == 2 and cbor.is_bytes(value[0], 8) and cbor.is_bytes(value[1], 64)


def _ascends(values):
    return all(before < after for before, after in zip(values, values[1:]))


def _members(said):
    members = {"kind": one_of(said["kind"]), "at": uint} | MEMBERS[said["kind"]]
    if said["kind"] == "recognition" and said.get("way") == "bridge":
        members["via"] = REGION
    return members


def _holds_together(said):
    """What 8.2 says of several members at once."""
    if said["kind"] == "root":
        return _ascends(said["keys"]) and said["threshold"] <= len(said["keys"])
    if said["kind"] == "keys":
        return all(_is_window(one, said["at"]) for one in said["keys"])
    if said["kind"] == "compromise":
        return _ascends([cutoff["log"] for cutoff in said["cutoffs"]])
    if said["kind"] == "retirement":
        return said["at"] < said["until"] and said["until"] % HOUR == 0
    if said["kind"] in ("recognition", "node", "adapter"):
        return said["from"] < said["until"]
    if said["kind"] == "foreign-revocation":
        return _ascends(said["hashes"]) and said["at"] < said["until"] <= said["at"] + 3_660 * DAY
    if said["kind"] == "tally":
        told = sum(cell["count"] for cell in said["cells"] + said["overrides"]) + said["merged"]
        return (
            said["from"] < said["until"]
            and told <= said["until"] - said["from"]
            and _ascends([(cell["rule"], cell["colour"]) for cell in said["cells"]])
            and _ascends([(cell["reason"], cell["colour"]) for cell in said["overrides"]])
            and names.month_of(said["log"])[0] <= said["at"] + AHEAD_MAX
        )
    if said["kind"] in ("log", "revocation"):
        return names.month_of(said["log"])[0] <= said["at"] + AHEAD_MAX and said.get("effective", 0) <= said["at"]
    return True


def _is_window(one, at):
    begin, end = one["from"], one["until"]
    whole = begin % HOUR == 0 and end % HOUR == 0
    return whole and begin < end <= begin + WINDOW_MAX and end <= at + AHEAD_MAX
