"""What folding a trust log leaves, its pruning and its commitment, SPEC.md 8.4."""

from dataclasses import dataclass, field, replace

import cbor
import names
import revocation_encode
from ed25519 import key_id
from merkle import leaf_hash, root_of
from statement import DAY, Entry

KEPT_AFTER_END = 31 * DAY
BLOCK = 2**16


@dataclass(frozen=True)
class Filled:
    """A statement in its slot."""

    index: int
    entry: Entry
    by_root: bool


@dataclass
class TrustState:
    slots: dict = field(default_factory=dict)
    """Slot name to Filled."""
    revoked: dict = field(default_factory=dict)
    """Log id to block number to a bitmap of the block's places, one integer."""
    hour: int = 0
    count: int = 0
    newest_at: int = 0
    """Of the statements signed by trust-log."""
    reach: int = 0
    """Index minus size, added up over the compromises that voided."""
    root: Entry | None = None
    """The root statement in force."""

    def said(self, slot):
        """The statement in a slot, or None."""
        return self.slots[slot].entry.said if slot in self.slots else None

    def of_kind(self, kind):
        return [(slot, filled) for slot, filled in self.slots.items() if filled.entry.kind == kind]

    def trust_keys(self):
        """Every key that a `keys` statement names, by key id, each with the end of its window by now."""
        return {id_: self._shortened(id_, one) for id_, one in self.announced_keys().items()}

    def announced_keys(self):
        """The same with the windows as they were announced."""
        return {key_id(one["key"]): one for _, filled in self.of_kind("keys") for one in filled.entry.said["keys"]}

    def _shortened(self, id_, key):
        said = self.said(f"retirement/{id_.hex()}")
        return key if said is None else key | {"until": said["until"]}

    def root_key_ids(self):
        """Of the roots of all versions."""
        return {key_id(key) for _, filled in self.of_kind("root") for key in filled.entry.said["keys"]}

    def recognition(self, region):
        """The recognition in force, suspended or not."""
        said = self.said(f"recognition/{region}")
        return said if said is not None and said["kind"] == "recognition" else None

    def with_revoked(self, log, runs):
        """The blocks of a log once more indexes are revoked, and how many of these are new."""
        blocks, added = dict(self.revoked.get(log, {})), 0
        for first, last in runs:
            while first <= last:
                number, place = divmod(first, BLOCK)
                size = min(last - first + 1, BLOCK - place)
                before = blocks.get(number, 0)
                blocks[number] = before | ((1 << size) - 1) << place
                added += (blocks[number] ^ before).bit_count()
                first += size
        return blocks, added

    def pruned(self, time):
        """A copy without what SPEC.md 8.4 drops at a time."""
        state = replace(self, slots=dict(self.slots))
        state.prune(time)
        return state

    def prune(self, time):
        """Drops what SPEC.md 8.4 drops at a time."""
        for slot, filled in self.of_kind("log") + self.of_kind("tally"):
            if is_log_over(filled.entry.said["log"], time):
                del self.slots[slot]
        self.revoked = {log: blocks for log, blocks in self.revoked.items() if not is_log_over(log, time)}
        for slot, filled in self.of_kind("node") + self.of_kind("foreign-revocation"):
            if filled.entry.said["until"] <= time:
                del self.slots[slot]
        for slot, filled in self.of_kind("suspension"):
            recognition = self.recognition(filled.entry.said["region"])
            if recognition is None or recognition["version"] != filled.entry.said["version"]:
                del self.slots[slot]
        self._prune_keys(time)

    def _prune_keys(self, time):
        signers = {id_ for filled in self.slots.values() for id_, _ in filled.entry.signatures}
        for slot, filled in self.of_kind("keys"):
            ids = {key_id(one["key"]) for one in filled.entry.said["keys"]}
            stolen = {
                id_
                for id_, role in ((key_id(one["key"]), one["role"]) for one in filled.entry.said["keys"])
                if role in ("checkpoint", "trust-log") and f"compromise/{id_.hex()}" in self.slots
            }
            if are_keys_over(filled.entry.said, time) and not ids & signers and not stolen:
                del self.slots[slot]
                for id_ in ids:
                    self.slots.pop(f"compromise/{id_.hex()}", None)
                    self.slots.pop(f"retirement/{id_.hex()}", None)

    def items(self):
        """The items that a `state` statement commits to, sorted."""
        items = [[0, filled.index, filled.entry.data] for filled in self.slots.values()]
        items.append([1, self.hour, self.count, self.newest_at, self.reach])
        for log, blocks in self.revoked.items():
            items += [[2, log, number, block_set(bitmap)] for number, bitmap in blocks.items() if bitmap]
        return sorted(map(cbor.encode, items))


def items_root(items):
    return root_of(leaf_hash(b"entente/state/v1\n" + item) for item in items)


def is_log_over(log, time):
    return names.month_of(log)[1] + KEPT_AFTER_END < time


def are_keys_over(said, time):
    return all(one["until"] + KEPT_AFTER_END < time for one in said["keys"])


def runs_of(bitmap):
    """The runs of 1 bits, least significant first."""
    text, runs = f"{bitmap:b}"[::-1], []
    at = text.find("1")
    while at >= 0:
        end = text.find("0", at)
        end = len(text) if end < 0 else end
        runs.append((at, end - 1))
        at = text.find("1", end)
    return runs


def block_set(bitmap):
    return revocation_encode.encode(runs_of(bitmap))
