"""Who may say what in a trust log, SPEC.md 8.3, rule 2."""

import ed25519
import names
from ed25519 import key_id
from fault import Fault

ROOT_ONLY = ("root", "keys", "limits", "recognition", "withdrawal", "compromise", "retirement", "adapter")
TRUST_LOG_ONLY = ("state", "tally")


def is_by_root(origin, state, index, entry, voided):
    """True if root signed the entry, False if trust-log did; in all other cases it is STATEMENT_UNAUTHORISED.

    `voided` says whether a compromise undoes what the first signer said at this index.
    """
    ids = [id_ for id_, _ in entry.signatures]
    if entry.kind == "root":
        keys = _root_signers(origin, state, index, entry, set(ids))
    elif state.root is None:
        raise unauthorised()
    elif entry.kind not in TRUST_LOG_ONLY and set(ids) <= by_id(state.root.said["keys"]).keys():
        keys = by_id(state.root.said["keys"])
        if len(ids) < state.root.said["threshold"]:
            raise unauthorised()
    elif entry.kind not in ROOT_ONLY and len(ids) == 1 and not voided:
        _check_signatures(origin, entry, {ids[0]: _trust_log_key(state, ids[0], entry.said["at"])})
        return False
    else:
        raise unauthorised()
    _check_signatures(origin, entry, keys)
    return True


def by_id(keys):
    return {key_id(key): key for key in keys}


def unauthorised():
    return Fault("STATEMENT_UNAUTHORISED")


def _root_signers(origin, state, index, entry, ids):
    """The keys that may sign a root: its own and, if there is one before it, that one's."""
    said, before = entry.said, state.root
    place = names.parse_origin(origin)
    if (said["region"], said["network"]) != (place["region"], place["network"]):
        raise unauthorised()
    if (index == 0) != (before is None) or said["version"] != (1 if before is None else before.said["version"] + 1):
        raise unauthorised()
    signers = {}
    for root in [said] if before is None else [said, before.said]:
        keys = by_id(root["keys"])
        if len(ids & keys.keys()) < root["threshold"]:
            raise unauthorised()
        signers |= keys
    if not ids <= signers.keys():
        raise unauthorised()
    return signers


def _trust_log_key(state, id_, at):
    key = state.trust_keys().get(id_)
    if key is None or key["role"] != "trust-log" or not key["from"] <= at < key["until"]:
        raise unauthorised()
    if f"compromise/{id_.hex()}" in state.slots:
        raise unauthorised()
    return key["key"]


def _check_signatures(origin, entry, keys):
    message = entry.message(origin)
    if not all(ed25519.verify(keys[id_], message, signature) for id_, signature in entry.signatures):
        raise unauthorised()
