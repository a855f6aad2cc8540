"""Starting from a `state` statement in place of index 0, SPEC.md 8.4."""

import cbor
import names
import revocation
import statement
from fault import Fault, recoded
from statement import ENTRY_BYTES_MAX
from trust import Folding
from trust_state import BLOCK

ITEM_BYTES_MAX = ENTRY_BYTES_MAX + 16
STATEMENT, COUNTERS, REVOKED = range(3)


def fold_base(origin, index, frontier, items, entry):
    """The state after the `state` statement at `index`, proven by that statement itself."""
    if len(frontier) != index.bit_count() or any(len(hash_) != 32 for hash_ in frontier):
        raise Fault("PROOF_INVALID")
    return recoded("STATE_MISMATCH", _fold_base, origin, index, items, entry)


def _fold_base(origin, index, items, entry):
    folding = _BaseFolding(origin)
    decoded = [cbor.decode(item, ITEM_BYTES_MAX) for item in items]
    if any(before >= after for before, after in zip(items, items[1:])) or not all(map(_is_item, decoded)):
        raise mismatch()
    statements = sorted(item[1:] for item in decoded if item[0] == STATEMENT)
    for (at, data), (after, _) in zip(statements, [*statements[1:], (index, None)]):
        if at >= after:
            raise mismatch()
        folding.apply_item(at, statement.parse_entry(data))
    counters = [item[1:] for item in decoded if item[0] == COUNTERS]
    if len(counters) != 1:
        raise mismatch()
    state = folding.state
    state.hour, state.count, state.newest_at, state.reach = counters[0]
    state.revoked = _blocks(decoded)
    last = statement.parse_entry(entry)
    if last.kind != "state":
        raise mismatch()
    folding.apply(index, last)
    return folding.state


class _BaseFolding(Folding):
    """Folds the statements of a base, whose log is not at hand."""

    def __init__(self, origin):
        super().__init__(origin, set())
        self.signed = []
        """Pairs (key id, index) of what trust-log signed."""

    def apply_item(self, index, entry):
        self.apply(index, entry)
        if self.state.root is None or entry.kind in ("revocation", "state"):
            raise mismatch()
        self.signed += [(id_, index) for id_, _ in entry.signatures]

    def _had_root(self, size, root):
        return True

    def _void(self, id_, begin, end):
        if any(signer == id_ and begin <= index < end for signer, index in self.signed):
            raise mismatch()


def mismatch():
    return Fault("STATE_MISMATCH")


def _is_item(item):
    if not isinstance(item, list) or item == [] or not cbor.is_uint(item[0]):
        return False
    match item:
        case [0, index, entry]:
            return cbor.is_uint(index) and isinstance(entry, bytes)
        case [1, *numbers]:
            return len(numbers) == 4 and all(map(cbor.is_uint, numbers))
        case [2, log, number, coded]:
            return names.is_a(names.LOG_ID, log) and cbor.is_uint(number, 2**24 - 1) and isinstance(coded, bytes)
    return False


def _blocks(decoded):
    revoked = {}
    for log, number, coded in (item[1:] for item in decoded if item[0] == REVOKED):
        bitmap = 0
        for first, last in revocation.decode(coded, BLOCK):
            bitmap |= ((1 << (last - first + 1)) - 1) << first
        if bitmap == 0 or number in revoked.setdefault(log, {}):
            raise mismatch()
        revoked[log][number] = bitmap
    return revoked
