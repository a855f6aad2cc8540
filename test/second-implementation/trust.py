"""Folding a trust log into a trust state, SPEC.md 8.3."""

from copy import copy

import ed25519
import merkle
import names
import revocation
import statement
from ed25519 import key_id
from fault import Fault, recoded
from statement import HOUR, TRUST
from trust_authority import by_id, is_by_root
from trust_state import Filled, TrustState, are_keys_over, is_log_over, items_root

NO_SLOT = ("revocation", "state")
REVOCATIONS_PER_HOUR = 50_000
REACH_MAX = 16
"""How many times the log may be folded again, as entries that voiding reaches back for each entry of the log."""
BLOCKS_MAX = {True: 32_768, False: 16_384}
SLOT_BYTES_MAX = {True: 4 * 2**20, False: 2 * 2**20}
"""Of the entries that root signed, and of those that trust-log signed."""


def fold(origin, entries):
    """The state that the entries lead to, and the findings: pairs (index, fault code)."""
    voidings = set()
    while True:
        folding = Folding(origin, voidings)
        try:
            for entry in entries:
                folding.append(entry)
            return folding.state, folding.findings
        except Voided as voided:
            voidings.add(voided.voiding)


class Voided(Exception):
    """A compromise passed that voids entries: the log is to be folded again."""

    def __init__(self, voiding):
        super().__init__("voided")
        self.voiding = voiding


class Folding:
    def __init__(self, origin, voidings):
        self.origin = origin
        self.region = names.parse_origin(origin)["region"]
        self.voidings = voidings
        self.state = TrustState()
        self.findings = []
        self.frontier = merkle.Frontier()
        self.roots = [merkle.EMPTY_ROOT]
        """The root of the log at each size up to here."""

    def append(self, data):
        index = self.frontier.size
        try:
            self.apply(index, statement.parse_entry(data))
        except Fault as fault:
            self.findings.append((index, fault.code))
        self.frontier.append(merkle.leaf_hash(data))
        self.roots.append(self.frontier.root())

    def apply(self, index, entry):
        """Applies one entry, or breaks off with the first rule it breaks and without effect."""
        voided = any(begin <= index < end and id_ == entry.signatures[0][0] for id_, begin, end in self.voidings)
        by_root = is_by_root(self.origin, self.state, index, entry, voided)
        state = copy(self.state)
        state.slots = dict(state.slots)
        revoked = self._order(index, entry, by_root)
        for key in _keys_named(entry.said):
            if not ed25519.is_admissible(key):
                raise Fault("KEY_INVALID")
        if entry.kind == "state":
            _check_state(state, entry.said)
        if entry.kind not in NO_SLOT:
            state.slots[slot_of(index, entry.said)] = Filled(index, entry, by_root)
        if entry.kind in ("root", "keys"):
            for key in _keys_named(entry.said):
                state.slots.pop(f"node/{key.hex()}", None)
        if entry.kind == "root":
            state.root = entry
        if revoked is not None:
            blocks, hour, count = revoked
            state.revoked = state.revoked | {entry.said["log"]: blocks}
            state.hour, state.count = hour, count
        if not by_root:
            state.newest_at = entry.said["at"]
        if self._voids(entry.said):
            begin = trust_cutoff(entry.said)["size"]
            self._void(entry.said["key"], begin, index)
            state.reach += index - begin
        self.state = state

    def _order(self, index, entry, by_root):
        """Rule 3. For a revocation, what it makes of the set of its log and of the count of the hour."""
        said, state = entry.said, self.state
        newest_at = state.newest_at if by_root else said["at"]
        slot = slot_of(index, said)
        before = state.said(slot)
        if "version" in said:
            if (before is not None and said["version"] <= before["version"]) or said["version"] > index + 1:
                raise conflict()
        if newest_at < state.newest_at or _is_dropped(said, newest_at):
            raise conflict()
        getattr(self, f"_order_of_{entry.kind}", lambda *_: None)(index, said, before)
        revoked = self._revoked(said, by_root) if entry.kind == "revocation" else None
        if entry.kind not in NO_SLOT:
            self._check_room(slot, entry, by_root)
        return revoked

    def _order_of_suspension(self, _index, said, _before):
        recognition = self.state.recognition(said["region"])
        if recognition is None or recognition["version"] != said["version"]:
            raise conflict()

    def _order_of_keys(self, _index, said, _before):
        ids = [key_id(one["key"]) for one in said["keys"]]
        if len(set(ids)) < len(ids) or set(ids) & (self.state.trust_keys().keys() | self.state.root_key_ids()):
            raise conflict()

    def _order_of_root(self, _index, said, _before):
        ids = by_id(said["keys"]).keys()
        if len(ids) < len(said["keys"]) or ids & self.state.trust_keys().keys():
            raise conflict()

    def _order_of_node(self, _index, said, before):
        if key_id(said["key"]) in self.state.trust_keys().keys() | self.state.root_key_ids():
            raise conflict()
        if before is not None and said["at"] <= before["at"]:
            raise conflict()

    def _order_of_recognition(self, _index, said, _before):
        if said["region"] == self.region:
            raise conflict()

    def _order_of_compromise(self, index, said, _before):
        if said["key"] not in self.state.trust_keys():
            raise conflict()
        cutoff = trust_cutoff(said)
        if cutoff is None:
            return
        if cutoff["size"] > index or not self._had_root(cutoff["size"], cutoff["root"]):
            raise conflict()
        if self._voids(said) and self.state.reach + index - cutoff["size"] > REACH_MAX * index:
            raise conflict()

    def _had_root(self, size, root):
        return self.roots[size] == root

    def _order_of_retirement(self, _index, said, _before):
        key = self.state.trust_keys().get(said["key"])
        if key is None or not self.state.newest_at < said["until"] < key["until"]:
            raise conflict()

    def _order_of_log(self, _index, said, before):
        if before is not None and said["minimum"] < before["minimum"]:
            raise conflict()

    def _order_of_tally(self, _index, said, before):
        if said["from"] != (0 if before is None else before["until"]):
            raise conflict()

    def _revoked(self, said, by_root):
        runs = recoded("STATEMENT_MALFORMED", revocation.decode, said["set"])
        blocks, added = self.state.with_revoked(said["log"], runs)
        more = len(blocks) - len(self.state.revoked.get(said["log"], {}))
        if more > 0 and more + sum(map(len, self.state.revoked.values())) > BLOCKS_MAX[by_root]:
            raise conflict()
        if by_root:
            return blocks, self.state.hour, self.state.count
        hour = said["at"] // HOUR
        count = added + (self.state.count if hour == self.state.hour else 0)
        limits = self.state.said("limits")
        if count > (REVOCATIONS_PER_HOUR if limits is None else limits["revocationsPerHour"]):
            raise conflict()
        return blocks, hour, count

    def _check_room(self, slot, entry, by_root):
        others = (filled for name, filled in self.state.slots.items() if name != slot and filled.by_root == by_root)
        if sum(len(filled.entry.data) for filled in others) + len(entry.data) > SLOT_BYTES_MAX[by_root]:
            raise conflict()

    def _voids(self, said):
        """Whether a statement undoes what a key said in this log."""
        return trust_cutoff(said) is not None and self.state.trust_keys()[said["key"]]["role"] == "trust-log"

    def _void(self, id_, begin, end):
        """The key signed at the indexes from `begin` to `end` - 1 what never counted."""
        if (id_, begin, end) not in self.voidings:
            raise Voided((id_, begin, end))


def slot_of(index, said):
    """The name of the slot that a statement fills."""
    match said["kind"]:
        case "root":
            return f"root/{said['version']}"
        case "keys":
            return f"keys/{index}"
        case "recognition" | "withdrawal":
            return f"recognition/{said['region']}"
        case "suspension":
            return f"suspension/{said['region']}"
        case "compromise":
            return f"compromise/{said['key'].hex()}"
        case "retirement":
            return f"retirement/{said['key'].hex()}"
        case "rules":
            return f"rules/{said['id']}"
        case "adapter":
            return f"adapter/{said['id']}"
        case "foreign-revocation":
            return f"foreign-revocation/{index}"
        case "log":
            return f"log/{said['log']}"
        case "tally":
            return f"tally/{said['log']}"
        case "node":
            return f"node/{said['key'].hex()}"
        case kind:
            return kind


def conflict():
    return Fault("STATEMENT_CONFLICT")


def _keys_named(said):
    match said["kind"]:
        case "root":
            return said["keys"]
        case "keys":
            return [one["key"] for one in said["keys"]]
        case "node":
            return [said["key"]]
    return []


def _is_dropped(said, newest_at):
    """Whether pruning would drop the statement at once."""
    match said["kind"]:
        case "keys":
            return are_keys_over(said, newest_at)
        case "node" | "foreign-revocation":
            return said["until"] <= newest_at
        case "log" | "revocation" | "tally":
            return is_log_over(said["log"], newest_at)
    return False


def trust_cutoff(said):
    return next((cutoff for cutoff in said.get("cutoffs", []) if cutoff["log"] == TRUST), None)


def _check_state(state, said):
    """Rule 5: prunes the state and holds it against what the statement says of it."""
    state.prune(said["at"])
    items = state.items()
    if said["items"] != len(items) or said["root"] != items_root(items):
        raise Fault("STATE_MISMATCH")
