"""Policies and proofs of one entry (C2SP tlog-policy and tlog-proof)."""

import re

import note
from fault import Fault, recoded
from merkle import SIZE_MAX, leaf_hash, verify_inclusion

POLICY_BYTES_MAX = 131_072
PROOF_BYTES_MAX, EXTRA_BYTES_MAX = 75_000, 4_096
PROOF_HEADER = "c2sp.org/tlog-proof@v1"


class Policy:
    """Which logs are known, which witnesses, and whose cosignatures are enough."""

    def __init__(self):
        self.logs = []
        self.witnesses = {}
        self.groups = {}
        self.members = set()
        self.operators = {}
        """The group that has the witness of an operator as a member, by the name of its keys."""
        self.quorum = None

    def keys(self):
        return [*self.logs, *self.witnesses.values()]

    def is_met(self, public_keys):
        return self.lack({name: key.public_key not in public_keys for name, key in self.witnesses.items()}) == 0

    def lack(self, costs):
        """What it costs at least to meet the quorum, by what the vote of each witness costs."""
        return 0 if self.quorum == "none" else self._lack(self.quorum, costs)

    def _lack(self, name, costs):
        if name in self.witnesses:
            return costs[name]
        needed, members = self.groups[name]
        return sum(sorted(self._lack(member, costs) for member in members)[:needed])

    def asked(self):
        """The witnesses that the quorum asks for, in the order of their lines."""
        found, names = set(), [self.quorum]
        while names:
            name = names.pop()
            found.add(name)
            names += self.groups[name][1] if name in self.groups else ()
        return [name for name in self.witnesses if name in found]


def parse_policy(text):
    if len(text.encode()) > POLICY_BYTES_MAX:
        raise Fault("TOO_LARGE")
    policy = Policy()
    for line in text.split("\n"):
        words = line.replace("\t", " ").split(" ")
        words = [word for word in words if word]
        if not words or words[0].startswith("#"):
            continue
        if not re.fullmatch(r"[\x21-\x7e]+", "".join(words)):
            raise _malformed()
        _line(policy, words[0], words[1:])
    if policy.quorum is None:
        raise _malformed()
    return policy


def _line(policy, kind, words):
    if kind == "log" and 1 <= len(words) <= 2:
        key = _key(words[0], note.SIGNATURE)
        if key in policy.logs:
            raise _malformed()
        policy.logs.append(key)
    elif kind == "witness" and 2 <= len(words) <= 3:
        key = _key(words[1], note.COSIGNATURE)
        if any(key.public_key == other.public_key for other in policy.witnesses.values()):
            raise _malformed()
        policy.witnesses[_new_name(policy, words[0])] = key
    elif kind == "group" and len(words) >= 3:
        _group(policy, *words)
    elif kind == "quorum" and len(words) == 1:
        if policy.quorum is not None or not (words[0] == "none" or _is_defined(policy, words[0])):
            raise _malformed()
        policy.quorum = words[0]
    else:
        raise _malformed()


def _group(policy, name, threshold, *members):
    for member in members:
        if not _is_defined(policy, member) or member in policy.members:
            raise _malformed()
        policy.members.add(member)
    if threshold in ("any", "all"):
        needed = 1 if threshold == "any" else len(members)
    elif re.fullmatch(r"[1-9][0-9]{0,8}", threshold) and int(threshold) <= len(members):
        needed = int(threshold)
    else:
        raise _malformed()
    for member in members:
        if member in policy.witnesses:
            before = policy.operators.setdefault(policy.witnesses[member].name, (name, member))
            if before != (name, member) and (before[0] != name or needed > 1):
                raise _malformed()
    policy.groups[_new_name(policy, name)] = (needed, members)


def _key(text, algorithm):
    key = recoded("POLICY_MALFORMED", note.parse_verifier_key, text)
    if key.algorithm != algorithm:
        raise _malformed()
    return key


def _is_defined(policy, name):
    return name in policy.witnesses or name in policy.groups


def _new_name(policy, name):
    if name == "none" or _is_defined(policy, name):
        raise _malformed()
    return name


def _malformed():
    return Fault("POLICY_MALFORMED")


def _parse_proof(proof):
    if len(proof.encode()) > PROOF_BYTES_MAX:
        raise Fault("TOO_LARGE")
    head, separator, checkpoint_text = proof.partition("\n\n")
    lines = head.split("\n")
    if not separator or lines.pop(0) != PROOF_HEADER:
        raise Fault("PROOF_INVALID")
    if lines and lines[0].startswith("extra "):
        extra = note.decode_base64(lines.pop(0).removeprefix("extra "), "PROOF_INVALID")
        if not 1 <= len(extra) <= EXTRA_BYTES_MAX:
            raise Fault("PROOF_INVALID")
    index = re.fullmatch(r"index (0|[1-9][0-9]{0,19})", lines.pop(0) if lines else "")
    if index is None:
        raise Fault("PROOF_INVALID")
    if int(index[1]) > SIZE_MAX:
        raise Fault("SIZE_INVALID")
    return int(index[1]), [note.decode_base64(line, "PROOF_INVALID") for line in lines], checkpoint_text


def verify_proof(proof, entry, policy):
    """What a tlog-proof file proves of an entry: origin, index and size of the log that holds it."""
    index, path, checkpoint_text = _parse_proof(proof)
    checkpoint = note.open_checkpoint(checkpoint_text.encode(), policy.keys())
    if not policy.is_met({key.public_key for key, _ in checkpoint.cosigners}):
        raise Fault("NOTE_UNSIGNED")
    verify_inclusion(index, checkpoint.size, leaf_hash(entry), path, checkpoint.root)
    return {"origin": checkpoint.origin, "index": index, "size": checkpoint.size}
