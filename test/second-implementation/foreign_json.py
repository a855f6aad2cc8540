"""JSON of others: each name once, at most 16 levels, nothing that has no UTF-8 (SPEC.md 17.4 and 17.11)."""

import json
import math
import re

from fault import Fault

DEPTH_MAX = 16
SPACES = re.compile(r"[ \t\n\r]*")


def parse(text):
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_number(int), parse_float=_number(float)
        )
    except (ValueError, RecursionError) as error:
        raise Fault("JSON_MALFORMED") from error
    _require_plain(text)
    _require_well_formed(value, DEPTH_MAX)
    return value


def parse_object(data):
    """The object that UTF-8 bytes hold."""
    try:
        value = parse(data.decode())
    except UnicodeDecodeError as error:
        raise Fault("JSON_MALFORMED") from error
    if not isinstance(value, dict):
        raise Fault("JSON_MALFORMED")
    return value


def member_as_it_stands(text, name):
    """The characters of a member of the outer object, in a text that `parse` has read."""
    decoder = json.JSONDecoder()
    at = _behind_spaces(text, _behind_spaces(text, 0) + 1)
    while True:
        found, at = decoder.raw_decode(text, at)
        at = _behind_spaces(text, _behind_spaces(text, at) + 1)
        start = at
        _, at = decoder.raw_decode(text, at)
        if found == name:
            return text[start:at]
        at = _behind_spaces(text, _behind_spaces(text, at) + 1)


def _behind_spaces(text, at):
    return SPACES.match(text, at).end()


def _object(pairs):
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name twice")
    return value


def _constant(name):
    raise ValueError(name)


def _number(read):
    """Reads no number that is beyond what a double holds."""

    def number(text):
        if math.isinf(float(text)):
            raise ValueError(text)
        return read(text)

    return number


def _require_plain(text):
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Fault("JSON_MALFORMED")


def _require_well_formed(value, depth):
    if isinstance(value, str):
        _require_plain(value)
    elif isinstance(value, (list, dict)):
        if depth == 0:
            raise Fault("JSON_MALFORMED")
        for one in value:
            _require_well_formed(one, depth - 1)
        for one in value.values() if isinstance(value, dict) else ():
            _require_well_formed(one, depth - 1)
