"""What the checks of all suites share."""

from fault import Fault


def outcome(read):
    """What `read` finds, or its fault, in the words of the vectors."""
    try:
        return read()
    except Fault as fault:
        found = {"fault": fault.code}
        return found if fault.offset is None else found | {"offset": fault.offset}


def expected(case, *keys):
    """The part of a case that says what is to be found."""
    if "fault" in case:
        return {key: case[key] for key in ("fault", "offset") if key in case}
    return {key: case[key] for key in keys}


def unhex(case, *keys):
    """The bytes under each key of a case; a list of them where the case has a list."""
    found = [
        list(map(bytes.fromhex, case[key])) if isinstance(case[key], list) else bytes.fromhex(case[key]) for key in keys
    ]
    return found if len(found) > 1 else found[0]
