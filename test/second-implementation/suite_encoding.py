"""Checks of ed25519.json and encoding.json."""

import base45
import cbor
import ed25519
import revocation
import revocation_encode
from cases import expected, outcome, unhex


def from_json(value):
    """A CBOR value from the form it has in encoding.json."""
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if isinstance(value, dict):
        if "bytes" in value:
            return bytes.fromhex(value["bytes"])
        return {key: from_json(item) for key, item in value.get("fields", value.get("entries"))}
    return value


def check_ed25519(case):
    key, message, signature = unhex(case, "publicKey", "message", "signature")
    found = {"good": ed25519.verify(key, message, signature), "admissible": ed25519.is_admissible(key)}
    return found, expected(case, "good", "admissible")


def check_cbor(case):
    data = unhex(case, "bytes")
    found = outcome(lambda: {"value": cbor.decode(data)})
    if "fault" in case:
        return found, expected(case)
    value = from_json(case["value"])
    # repr tells True from 1, which == does not.
    return (repr(found), cbor.encode(value)), (repr({"value": value}), data)


def check_base45(case):
    found = outcome(lambda: {"bytes": base45.decode(case["text"], 65_535).hex()})
    if "fault" not in case and base45.encode(unhex(case, "bytes")) != case["text"]:
        return "another text", case["text"]
    return found, expected(case, "bytes")


def check_index_set(case):
    data = unhex(case, "bytes")
    bound = case.get("bound", revocation.INDEX_BOUND)
    found = outcome(lambda: {"runs": [list(run) for run in revocation.decode(data, bound)]})
    if "fault" not in case and revocation_encode.encode(case["runs"]) != data:
        return "other bytes", case["bytes"]
    return found, expected(case, "runs")


ED25519 = {"cases": check_ed25519}
ENCODING = {"cbor": check_cbor, "base45": check_base45, "indexSets": check_index_set}
