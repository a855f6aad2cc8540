"""Faults: what a reader reports of bytes that break SPEC.md."""


class Fault(Exception):
    """Foreign bytes broke a rule. `code` is one of SPEC.md 12; `offset` is where, if the rule names a place."""

    def __init__(self, code, offset=None):
        super().__init__(code if offset is None else f"{code} at {offset}")
        self.code = code
        self.offset = offset


def recoded(code, function, *arguments):
    """Calls `function` and gives every fault of it the code of the layer that called it."""
    try:
        return function(*arguments)
    except Fault as fault:
        raise Fault(code) from fault
