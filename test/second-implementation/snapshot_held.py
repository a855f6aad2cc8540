"""What a reader of snapshots holds of a region, SPEC.md 10, and what quorum and verdict (9, 11) see of it."""

from dataclasses import dataclass

import names
import note
import quorum
from ed25519 import key_id
from snapshot_log import Log
from trust_state import BLOCK, runs_of


@dataclass(frozen=True)
class Held:
    """A log under a checkpoint, with whoever vouched for that."""

    log: Log
    signers: frozenset
    """Ids of the checkpoint keys whose signature is good."""
    cosignatures: frozenset
    """(region, key id, timestamp)"""
    standing: str = "good"
    beside: frozenset = frozenset()
    """(log, index) of what is revoked beside the state."""
    beside_size: int = 0
    """Of the longest log that was set beside."""
    own_before: frozenset = frozenset()
    """(region, key id, timestamp) of the region's own cosignatures on earlier checkpoints that were held."""


def opened(log, checkpoint, network, witness_logs):
    """The log under its checkpoint, opened with its own keys and the witness keys of all."""
    keys = _verifier_keys(log, "checkpoint", f"{log.region}.{network}/trust", note.SIGNATURE)
    for other in witness_logs:
        keys += _verifier_keys(other, "witness", f"{other.region}.{network}/witness", note.COSIGNATURE)
    found = note.open_checkpoint(checkpoint, keys)
    cosignatures = {(_region_of(key), _id_of(key), time) for key, time in found.cosigners}
    return Held(log, frozenset(map(_id_of, found.signers)), frozenset(cosignatures))


def _verifier_keys(log, role, name, algorithm):
    keys = [key for key in keys_of(log.state).values() if key.role == role and key.cutoffs is None]
    return [note.verifier_key(name, algorithm, key.public_key) for key in keys]


def _region_of(key):
    return names.parse_origin(key.name)["region"]


def _id_of(key):
    return key_id(key.public_key).hex()


def trust_of(home, network, held):
    return quorum.Trust(home, network, map(region_of, held.values()))


def region_of(held):
    log = held.log
    beside = {}
    for name, index in held.beside:
        beside.setdefault(name, set()).add(index)
    return quorum.Region(
        log.region,
        log.fingerprint,
        keys_of(log.state),
        recognitions_of(log.state),
        [filled.entry.said["log"] for _, filled in log.state.of_kind("log")],
        [*((name, Blocks(blocks)) for name, blocks in log.state.revoked.items()), *beside.items()],
        held.signers,
        held.cosignatures,
        held.standing,
        held.own_before,
    )


class Blocks:
    """The revoked indexes of a log."""

    def __init__(self, blocks):
        self.blocks = blocks

    def __contains__(self, index):
        number, place = divmod(index, BLOCK)
        return self.blocks.get(number, 0) >> place & 1 == 1

    def __iter__(self):
        for number, bitmap in self.blocks.items():
            for first, last in runs_of(bitmap):
                yield from range(BLOCK * number + first, BLOCK * number + last + 1)


def revoked_by(log):
    """(log, index) of all that a state revokes."""
    return frozenset((name, index) for name, blocks in log.state.revoked.items() for index in Blocks(blocks))


def keys_of(state):
    """The keys that `keys` statements name, by key id."""
    return {id_.hex(): _key(state, id_, said) for id_, said in state.trust_keys().items()}


def _key(state, id_, said):
    compromise = state.said(f"compromise/{id_.hex()}")
    cutoffs = None
    if compromise is not None:
        cutoffs = {one["log"]: (one["size"], one["root"]) for one in compromise["cutoffs"]}
    return quorum.Key(said["key"], said["role"], said["from"], said["until"], cutoffs)


def recognitions_of(state):
    """What a state says of other regions, by region."""
    found = {}
    for kind in ("recognition", "withdrawal"):
        for _, filled in state.of_kind(kind):
            found[filled.entry.said["region"]] = _recognition(state, filled.entry.said)
    return found


def _recognition(state, said):
    if said["kind"] == "withdrawal":
        return quorum.Recognition("withdrawn", None, None, None, 0, 0)
    suspension = state.said(f"suspension/{said['region']}")
    is_suspended = suspension is not None and suspension["version"] == said["version"]
    standing = "suspended" if is_suspended else "recognised"
    return quorum.Recognition(standing, said["fingerprint"], said["way"], said["rules"], said["from"], said["until"])
