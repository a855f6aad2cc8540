"""Checks of snapshot.json."""

import cbor
import snapshot
import verdict
from cases import expected, outcome, unhex
from fault import Fault
from snapshot_reader import Reader
from suite_verdict import counts
from trust_state import items_root

GATE = verdict.Context("offline", "static", None, None, None, None, [])


def check_container(case):
    return outcome(lambda: snapshot.parse_snapshot(unhex(case, "bytes")) and {}), expected(case)


def check_reading(case):
    reader = Reader(case["home"], case["network"], unhex(case, "pin"))
    steps = [step | found_by(reader, step, case["shared"]) for step in case["steps"]]
    return steps, case["steps"]


def found_by(reader, step, shared):
    try:
        outcomes = reader.read(snapshot_of(step, shared), step["now"])
        found = {"outcomes": [{"region": name, "effect": one.effect} | fault_of(one.fault) for name, one in outcomes]}
    except Fault as fault:
        found = fault_of(fault)
    trust = reader.trust()
    return found | {
        "holds": [held_of(reader, trust, name, step["now"]) for name in sorted(reader.held)],
        "codes": [code_of(code["text"], trust, step["now"]) for code in step["codes"]],
    }


def fault_of(fault):
    if fault is None:
        return {}
    found = {"fault": fault.code}
    return found | {"held": fault.held, "offered": fault.offered} if fault.code == "ROLLBACK" else found


def snapshot_of(step, shared):
    parts = [part_of(shared["parts"][name], shared["byteStrings"]) for name in step["parts"]]
    return cbor.encode({"format": 1, "network": step["network"], "parts": parts})


def part_of(part, byte_strings):
    def bytes_of(value):
        return list(map(bytes_of, value)) if isinstance(value, list) else bytes.fromhex(byte_strings[value])

    found = part | {name: bytes_of(part[name]) for name in ("checkpoint", "entries")}
    if "base" in part:
        found["base"] = {name: bytes_of(value) for name, value in part["base"].items()}
    return found


def held_of(reader, trust, name, now):
    held = reader.held[name]
    state = held.log.state.pruned(now)
    items = state.items()
    found = trust.assess(name, now)
    beside = {}
    for log, index in sorted(held.beside):
        beside.setdefault(log, []).append(index)
    said = {
        "region": name,
        "size": held.log.size,
        "root": held.log.root.hex(),
        "items": len(items),
        "state": items_root(items).hex(),
        "standing": held.standing,
        "witnesses": counts(found),
        "age": found.age,
        "silence": found.silence,
        "beside": beside,
    }
    return said if found.age is None else said | {"keyFit": found.is_key_fit}


def code_of(text, trust, now):
    found = verdict.verify(text, trust, GATE, now)
    return {"text": text, "outcome": found.outcome, "reasons": sorted(found.reasons)}


SNAPSHOT = {"containers": check_container, "readings": check_reading}
