"""Checks of writer.json."""

import writer
from cases import expected, outcome, unhex


def keys_of(case):
    return [bytes.fromhex(key) for key in case["shared"]["keys"][:2]]


def check_word(case):
    found = outcome(lambda: {"counts": writer.Word(unhex(case, "word")).counts(keys_of(case))})
    found.pop("offset", None)  # Of a word within a word it would say nothing.
    return found, expected(case, "counts")


def check_answer(case):
    claim = writer.Word(unhex(case, "claim")) if "claim" in case else None
    permits = [writer.Word(permit) for permit in unhex(case, "permits")]
    witness = writer.Witness(claim, permits, keys_of(case) if case["isKnown"] else None)
    found = {"answer": witness.answer(unhex(case, "request")).hex(), "changes": witness.has_changed}
    return found, expected(case, *found)


def check_quorum(case):
    return list(writer.quorum(case["w"])), [case["n"], case["f"]]


def check_pledges(case):
    reports = [[writer.Word(bytes.fromhex(permit)) for permit in report] for report in case["reports"]]
    found = writer.pledges(reports, case["w"]).values()
    said = sorted([permit.origin, permit.epoch, permit.size, permit.root.hex()] for permit in found)
    return said, sorted(case["pledges"])


WRITER = {"words": check_word, "answers": check_answer, "quorums": check_quorum, "pledges": check_pledges}
