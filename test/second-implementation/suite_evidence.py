"""Checks of evidence.json."""

import evidence
from cases import expected, outcome, unhex


def check_evidence(case):
    data, pins = unhex(case, "evidence"), case["shared"]["pins"]
    found = outcome(lambda: {"proven": evidence.verify(data, pins)})
    return found, expected(case, "proven")


EVIDENCE = {"evidence": check_evidence}
