"""Checks of joining.json."""

import joining
from cases import expected, outcome, unhex


def check_said(case):
    def read():
        said = joining.open_said(case["kind"], unhex(case, "bytes"))
        return {"said": {name: value.hex() if isinstance(value, bytes) else value for name, value in said.items()}}

    found = outcome(read)
    found.pop("offset", None)
    return found, expected(case, "said")


def check_meeting(case):
    invitation, answer = unhex(case, "invitation", "answer")
    compared = joining.transcript(invitation, answer)
    nodes = {
        "joining": joining.open_said("answer", answer)["node"],
        "inviting": joining.open_said("invitation", invitation)["node"],
    }
    confirmed = [joining.confirms(side, node, compared, unhex(case, side)) for side, node in nodes.items()]
    return [compared.hex(), confirmed], [case["transcript"], case["areConfirmed"]]


JOINING = {"said": check_said, "meetings": check_meeting}
