"""Checks of trust.json."""

import statement
import trust
import trust_base
import trust_state
from cases import expected, outcome, unhex

TRUST_ORIGIN = "DE.test/trust"


def check_statement(case):
    return outcome(lambda: statement.parse_entry(unhex(case, "entry")) and {}), expected(case)


def check_trust_log(case):
    state, findings = trust.fold(TRUST_ORIGIN, unhex(case, "entries"))
    first_root = state.slots.get("root/1")
    state.prune(case["at"])
    items = state.items()
    found = {
        "findings": list(map(list, findings)),
        "fingerprint": None if first_root is None else statement.fingerprint(first_root.entry.body).hex(),
        "items": len(items),
        "root": trust_state.items_root(items).hex(),
    }
    return found, expected(case, *found)


def check_base(case):
    frontier, items, entry = unhex(case, "frontier", "items", "entry")
    found = outcome(lambda: trust_base.fold_base(TRUST_ORIGIN, case["index"], frontier, items, entry) and {})
    return found, expected(case)


TRUST = {"statements": check_statement, "logs": check_trust_log, "bases": check_base}
