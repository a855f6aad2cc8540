"""Checks of writer.json."""

import trust
import writer
from cases import expected, outcome, unhex


def state_of(case):
    state, findings = trust.fold("CN-33.test/trust", unhex(case["shared"], "entries"))
    assert findings == []
    return state


def check_word(case):
    keys = [key for key, is_given_up in writer.checkpoint_keys(state_of(case)).items() if not is_given_up]
    found = outcome(lambda: {"counts": writer.Word(unhex(case, "word")).counts(keys)})
    found.pop("offset", None)  # Of a word within a word it would say nothing.
    return found, expected(case, "counts")


def check_answer(case):
    words = [writer.Word(word) for word in unhex(case, "words")]
    state = state_of(case) if case["isKnown"] else None
    witness = writer.Witness(state, words, unhex(case, "givenUp"), unhex(case, "named"))
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
