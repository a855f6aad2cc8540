"""Names of regions, networks and logs, SPEC.md 4.1."""

import re
from calendar import timegm

from fault import Fault

REGION = r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?"
NETWORK = r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?"
LOG_ID = r"2[0-9]{3}-(?:0[1-9]|1[0-2])(?:\.[1-9])?"
RULE_ID = r"[a-z0-9][a-z0-9-]{0,31}"
ORIGIN = re.compile(rf"({REGION})\.({NETWORK})/(trust|witness|attest/({LOG_ID}))")


def is_a(pattern, value):
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def parse_origin(text):
    """What an origin names: kind, region, network and, for an attestation log, log."""
    match = ORIGIN.fullmatch(text)
    if match is None:
        raise Fault("ORIGIN_INVALID")
    region, network, path, log = match.groups()
    if log is None:
        return {"kind": path, "region": region, "network": network}
    return {"kind": "attest", "region": region, "network": network, "log": log}


def month_of(log_id):
    """The first second of the log's month and the first after it."""
    year, month = int(log_id[:4]), int(log_id[5:7])
    after = (year + 1, 1) if month == 12 else (year, month + 1)
    return timegm((year, month, 1, 0, 0, 0)), timegm((*after, 1, 0, 0, 0))
