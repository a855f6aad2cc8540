"""The log that a part of a snapshot makes: its tree and the fold of it, SPEC.md 10, 1 and 2."""

from dataclasses import dataclass

import merkle
import note
import statement
import trust_base
from fault import Fault
from snapshot import Base
from trust import Folding, Voided
from trust_state import TrustState


class Rollback(Fault):
    """An older log than the one that is held, with both sizes."""

    def __init__(self, held, offered):
        super().__init__("ROLLBACK")
        self.held = held
        self.offered = offered


@dataclass(frozen=True)
class Log:
    """A trust log from a base on, folded."""

    region: str
    begin: int
    base: Base
    entries: list
    roots: list
    """The root at each size from `begin` on."""
    state: TrustState

    @property
    def size(self):
        return self.begin + len(self.entries)

    @property
    def root(self):
        return self.roots[-1]

    @property
    def fingerprint(self):
        first = self.state.slots.get("root/1")
        return None if first is None else statement.fingerprint(first.entry.body)


def log_of(part, network, held):
    """The log up to the end of a part, which is that of its checkpoint; whether that is signed is not looked at."""
    text, _ = note.parse_note(part.checkpoint)
    checkpoint = note.parse_checkpoint_text(text)
    begin, base, entries = part.begin, part.base, part.entries
    if base is None:
        if held is None or not held.begin <= part.begin <= held.size:
            raise Fault("SNAPSHOT_INCOMPLETE")
        begin, base = held.begin, held.base
        entries = held.entries[: part.begin - held.begin] + part.entries
    if checkpoint.size != begin + len(entries):
        raise Fault("SNAPSHOT_INCOMPLETE")
    if held is not None and checkpoint.size < held.size:
        raise Rollback(held.size, checkpoint.size)
    roots = _roots(begin, base.frontier, entries)
    if checkpoint.root != roots[-1]:
        raise Fault("PROOF_INVALID")
    origin = f"{part.region}.{network}/trust"
    if held is not None and part.base is not None and 0 < begin <= held.size and roots[held.size - begin] == held.root:
        _require_same_state(origin, held, begin, base, entries)
    return Log(part.region, begin, base, entries, roots, _fold(origin, begin, base, entries))


def _require_same_state(origin, held, begin, base, entries):
    """A base may keep silent about what is held."""
    if entries == []:
        raise Fault("SNAPSHOT_INCOMPLETE")
    size = max(held.size, begin + 1)
    offered = _fold(origin, begin, base, entries[: size - begin])
    known = held.state
    if held.size < size:
        known = _fold(origin, held.begin, held.base, held.entries + entries[:1])
    if offered.pruned(known.newest_at).items() != known.pruned(known.newest_at).items():
        raise Fault("STATE_MISMATCH")


def _roots(size, hashes, entries):
    frontier = merkle.Frontier()
    frontier.size, frontier.hashes = size, list(hashes)
    roots = [frontier.root()]
    for entry in entries:
        frontier.append(merkle.leaf_hash(entry))
        roots.append(frontier.root())
    return roots


def _fold(origin, begin, base, entries):
    if begin > 0 and entries == []:
        raise Fault("SNAPSHOT_INCOMPLETE")
    voidings = set()
    while True:
        try:
            return _fold_once(origin, begin, base, entries, voidings)
        except Voided as voided:
            voidings.add(voided.voiding)
        except HistoryNeeded:
            raise Fault("HISTORY_NEEDED") from None


def _fold_once(origin, begin, base, entries, voidings):
    folding = _PartFolding(origin, voidings)
    if begin > 0:
        folding.state = trust_base.fold_base(origin, begin, base.frontier, base.items, entries[0])
        folding.begin_at(begin, base.frontier)
        folding.pass_over(entries[0])
        entries = entries[1:]
    for entry in entries:
        folding.append(entry)
    return folding.state


class HistoryNeeded(Exception):
    """A compromise reaches back behind the base (8.4)."""


class _PartFolding(Folding):
    begin = 0

    def begin_at(self, size, hashes):
        self.begin = size
        self.frontier.size, self.frontier.hashes = size, list(hashes)
        self.roots = [self.frontier.root()]

    def pass_over(self, data):
        """Counts an entry that is folded already."""
        self.frontier.append(merkle.leaf_hash(data))
        self.roots.append(self.frontier.root())

    def _had_root(self, size, root):
        if size < self.begin:
            raise HistoryNeeded
        return self.roots[size - self.begin] == root

    def _void(self, id_, begin, end):
        if begin <= self.begin and self.begin > 0:
            raise HistoryNeeded
        super()._void(id_, begin, end)
