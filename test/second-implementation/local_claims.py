"""What the payload of a local code says by the paths of its profile, SPEC.md 17.11."""

import math
import re
import unicodedata
from datetime import date, timedelta

from fault import Fault
from local_profile import utf16

VALUES_MAX = 512
TIME_MAX = 253_402_300_799
LIFE_MAX = 3_650 * 86_400
DAY = 86_400
INTEGER_MAX = 2**53 - 1
DAY_TEXT = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII)
UNSHOWABLE = re.compile("[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def claims_of(said, payload):
    _require_few(payload)
    issued = _time(said["issuedAt"], payload, 0)
    if "life" in said:
        expires = None if issued is None else issued + said["life"]
    else:
        expires = _time(said["expiresAt"], payload, DAY)
    identifier = _identifier(_at(payload, said.get("id")))
    issuer = _at(payload, said["issuer"]["at"]) if "issuer" in said else None
    content = {"fields": {}}
    colour = _colour(said.get("status"), payload)
    subject = _at(payload, said.get("subject"))
    content |= {"colour": colour} if colour is not None else {}
    content |= {"id": identifier} if identifier is not None else {}
    content |= {"subject": subject} if _is_showable(subject) else {}
    for name, path in said.get("fields", {}).items():
        value = _at(payload, path)
        if _is_field(value):
            content["fields"][name] = value
    return {
        "issuer": issuer if isinstance(issuer, str) and utf16(issuer) <= 256 else None,
        "issuedAtS": issued,
        "expiresAtS": expires,
        "content": content,
        "isFlawed": issued is None
        or expires is None
        or not 0 < expires - issued < LIFE_MAX
        or ("id" in said and identifier is None)
        or ("issuer" in said and issuer != said["issuer"]["is"]),
    }


def _at(payload, path):
    """None where there is no value, and for null, which nothing takes either."""
    value = payload if path is not None else None
    for step in path or ():
        if isinstance(value, list):
            value = value[step] if isinstance(step, int) and 0 <= step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _require_few(payload):
    left, waiting = VALUES_MAX, [payload]
    while waiting:
        value = waiting.pop()
        children = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        left -= len(children)
        waiting += children
    if left < 0:
        raise Fault("TOO_LARGE")


def _time(said, payload, later):
    value = _at(payload, said["at"])
    seconds = None
    if said["unit"] in ("s", "ms"):
        if _is_number(value):
            seconds = value / 1_000 if said["unit"] == "ms" else value
    elif isinstance(value, str):
        if said["unit"] == "rfc3339":
            seconds = _moment(value)
        else:
            day = _day(value)
            seconds = None if day is None else day - 60 * said["offset"] + later
    return math.floor(seconds) if seconds is not None and 0 <= seconds <= TIME_MAX else None


def _day(text):
    """Seconds from 1970 to the begin of a day, UTC."""
    found = DAY_TEXT.fullmatch(text)
    try:
        return None if found is None else (date(*map(int, found.groups())) - date(1970, 1, 1)) // timedelta(1) * DAY
    except ValueError:
        return None


def _moment(text):
    found = MOMENT.fullmatch(text)
    if found is None:
        return None
    day, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    begin = _day(day)
    if begin is None or int(hour) > 23 or max(int(minute), int(second)) > 59:
        return None
    offset = 3_600 * int(hours or 0) + 60 * int(minutes or 0)
    seconds = begin + 3_600 * int(hour) + 60 * int(minute) + int(second) + float(f"0.{fraction or 0}")
    return seconds + offset if sign == "-" else seconds - offset


def _is_number(value):
    return type(value) in (int, float) and math.isfinite(value)


def _word(value):
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    is_whole = _is_number(value) and value == int(value) and abs(value) <= INTEGER_MAX
    return str(int(value)) if is_whole else None


def _colour(status, payload):
    return None if status is None else status["colours"].get(_word(_at(payload, status["at"])))


def _identifier(value):
    word = value.hex() if isinstance(value, bytes) else None if isinstance(value, bool) else _word(value)
    return word if word and utf16(word) <= 128 else None


def _is_showable(value):
    if not isinstance(value, str) or not 1 <= utf16(value) <= 128:
        return False
    return not UNSHOWABLE.search(value) and not any(unicodedata.category(one) in ("Cc", "Cs") for one in value)


def _is_field(value):
    return utf16(value) <= 256 if isinstance(value, str) else isinstance(value, bool) or _is_number(value)
