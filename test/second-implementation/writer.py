"""Writers of a region and what their witnesses grant them, SPEC.md 14.5.5 and 19."""

import cbor
import ed25519
import names
from fault import Fault
from trust_naming import read_naming_since

WORD_BYTES_MAX = 1_024
REQUEST_BYTES_MAX = 69_632
STATEMENTS_MAX = 64
STATEMENTS_BYTES_MAX = 65_536
PERMITS_MAX = 16
KEYS_MAX = 8
ROOT_KEYS_MAX = 64
CLAIM = {"kind", "origin", "epoch", "writer", "session", "at"}
PERMIT = {"kind", "origin", "epoch", "session", "from", "size", "root"}
REQUESTS = {
    "writer": {"kind", "origin"},
    "claim": {"kind", "claim"},
    "permit": {"kind", "claim", "permit"},
    "given-up": {"kind", "origin", "statements"},
}


class Word:
    """A claim or a permit as it was read; nothing is said of its signature."""

    def __init__(self, data):
        array = cbor.decode(data, WORD_BYTES_MAX)
        sizes = ((0, WORD_BYTES_MAX), (32, 32), (64, 64))
        if not isinstance(array, list) or len(array) != 3:
            raise Fault("SCHEMA_INVALID")
        if not all(cbor.is_bytes(item, *size) for item, size in zip(array, sizes)):
            raise Fault("SCHEMA_INVALID")
        self.data = data
        self.body, self.key, self.signature = array
        self.members = cbor.decode(self.body, WORD_BYTES_MAX)
        _check_members(self.members)

    def __getattr__(self, name):
        return self.members[name]

    @property
    def reign(self):
        return self.epoch, self.session

    def counts(self, keys):
        message = b"entente/writer/v1\n" + self.body
        return self.key in keys and ed25519.verify(self.key, message, self.signature)


def _check_members(word):
    def must(holds):
        if not holds:
            raise Fault("SCHEMA_INVALID")

    must(isinstance(word, dict) and word.get("kind") in ("claim", "permit"))
    is_claim = word["kind"] == "claim"
    must(word.keys() == (CLAIM if is_claim else PERMIT))
    must(isinstance(word["origin"], str) and cbor.is_uint(word["epoch"]) and word["epoch"] > 0)
    must(cbor.is_bytes(word["session"], 16))
    if is_claim:
        must(cbor.is_bytes(word["writer"], 32) and cbor.is_uint(word["at"]))
    else:
        must(cbor.is_uint(word["from"]) and cbor.is_uint(word["size"]) and cbor.is_bytes(word["root"], 32))
        must(word["from"] < word["size"])
    kind = names.parse_origin(word["origin"])["kind"]
    must(kind == "trust" or kind == "attest" and not is_claim)


def trust_log_of(origin):
    parsed = names.parse_origin(origin)
    return f"{parsed['region']}.{parsed['network']}/trust"


class Witness:
    """What a witness keeps of one region. `state` is its trust state; None if it does not know the region.

    `words` are those that it has granted, in that order; `given_up` and `named` the keys that the root has shown it.
    """

    def __init__(self, state, words=(), given_up=(), named=()):
        self.state = state
        self.given_up, self.named = list(given_up), list(named)
        self.by_key = {}
        for word in words:
            self._keep(word)
        self.has_changed = False

    def answer(self, data):
        try:
            return cbor.encode(self._answer(data))
        except Fault:
            return cbor.encode(_refused("malformed"))

    def _answer(self, data):
        request = cbor.decode(data, REQUEST_BYTES_MAX)
        if not isinstance(request, dict) or REQUESTS.get(request.get("kind")) != request.keys():
            raise Fault("SCHEMA_INVALID")
        if request["kind"] in ("writer", "given-up"):
            if request["kind"] == "given-up":
                _check_statements(request["statements"])
            if names.parse_origin(request["origin"])["kind"] != "trust":
                raise Fault("ORIGIN_INVALID")
            if self.state is None:
                return _refused("unknown-region")
            if request["kind"] == "given-up" and not self._heed(request["origin"], request["statements"]):
                return _refused("unsigned")
            return self._record()
        claim = _read(request["claim"], "claim")
        if self.state is None:
            return _refused("unknown-region")
        words = [claim]
        if request["kind"] == "permit":
            permit = _read(request["permit"], "permit")
            if trust_log_of(permit.origin) != claim.origin or permit.reign != claim.reign:
                raise Fault("SCHEMA_INVALID")
            words.append(permit)
        if not all(word.counts(self._keys()) for word in words):
            return _refused("unsigned")
        refusal = self._refusal_of_claim(claim) or (self._refusal_of_permit(*words[1:]) if words[1:] else None)
        if refusal is not None:
            return refusal
        if any(self._adds(word) for word in words):
            self.has_changed = True
            for word in words:
                self._keep(word)
            self._forget()
        return self._record() if request["kind"] == "claim" else {"kind": "permitted"}

    def _keys(self):
        known = checkpoint_keys(self.state)
        good = {key for key, is_given_up in known.items() if not is_given_up}
        return (good | {key for key in self.named if key not in known}) - set(self.given_up)

    def _heed(self, origin, statements):
        pairs = [(one["index"], one["entry"]) for one in statements]
        state, before = read_naming_since(origin, pairs, self.state.root.said["version"])
        if not _continues_roots(state, self.state) or before is None:
            return False
        keys = _said_since(state, before)
        given_up = [key for key, version in keys.items() if version is not None]
        named = [key for key, version in keys.items() if version is None]
        for kept, said in ((self.given_up, given_up), (self.named, named)):
            more = [key for key in said if key not in kept]
            self.has_changed |= more != []
            kept[:] = (kept + more)[-ROOT_KEYS_MAX:]
        return True

    def _keep(self, word):
        """By the key that signed it, so that whoever stole one takes nothing back that another signed."""
        kept = self.by_key.pop(word.key, {})
        place = word.origin if word.kind == "permit" else None
        if place not in kept or _age(word) > _age(kept[place]):
            kept[place] = word
        permits = sorted(origin for origin in kept if origin is not None)
        for origin in permits[:-PERMITS_MAX]:
            del kept[origin]
        self.by_key[word.key] = kept

    def _forget(self):
        """Keys whose words count no more, and of more than so many those whose words changed first."""
        keys = self._keys()
        counting = {key: kept for key, kept in self.by_key.items() if key in keys}
        self.by_key = dict(list(counting.items())[-KEYS_MAX:])

    def _counting(self):
        """What it goes by: the latest claim, under None, and of each log the latest permit."""
        keys, found = self._keys(), {}
        for kept in self.by_key.values():
            for place, word in kept.items():
                if word.counts(keys) and (place not in found or _age(word) > _age(found[place])):
                    found[place] = word
        return found

    def _refusal_of_claim(self, claim):
        counting = self._counting()
        kept = counting.pop(None, None)
        if kept is not None and kept.epoch >= claim.epoch and kept.reign != claim.reign:
            return {"kind": "fenced", "claim": kept.data}
        for permit in counting.values():
            if permit.epoch > claim.epoch or permit.epoch == claim.epoch and permit.session != claim.session:
                return {"kind": "taken", "permit": permit.data}
        return None

    def _refusal_of_permit(self, permit):
        kept = self._counting().get(permit.origin)
        if kept is None or kept.epoch != permit.epoch or (kept.size, kept.root) == (permit.size, permit.root):
            return None
        return {"kind": "taken", "permit": kept.data} if kept.size > permit.members["from"] else None

    def _adds(self, word):
        """Whether what is granted is not known already."""
        kept = self._counting().get(word.origin if word.kind == "permit" else None)
        if kept is None or kept.reign != word.reign:
            return True
        return word.kind == "permit" and (kept.size, kept.root, kept.key) != (word.size, word.root, word.key)

    def _record(self):
        counting = self._counting()
        claim = counting.pop(None, None)
        said = {} if claim is None else {"claim": claim.data}
        return {"kind": "record", **said, "permits": [permit.data for permit in counting.values()]}


def checkpoint_keys(state):
    """The checkpoint keys that a trust state names, and whether each is given up."""
    return {
        one["key"]: f"compromise/{id_.hex()}" in state.slots
        for id_, one in state.trust_keys().items()
        if one["role"] == "checkpoint"
    }


def _said_since(state, before):
    """Of the checkpoint keys of a state what another does not say: the version of their compromise, None without one."""
    now, then = _compromises(state), _compromises(before)
    return {key: version for key, version in now.items() if key not in then or then[key] != version}


def _compromises(state):
    return {
        one["key"]: (state.said(f"compromise/{id_.hex()}") or {"version": None})["version"]
        for id_, one in state.trust_keys().items()
        if one["role"] == "checkpoint"
    }


def _continues_roots(state, held):
    """Whether one has all roots of the other, under one fingerprint."""
    if state.root is None or held.root is None:
        return False
    if state.slots["root/1"].entry.body != held.slots["root/1"].entry.body:
        return False
    for version in range(1, held.root.said["version"] + 1):
        before, after = held.said(f"root/{version}"), state.said(f"root/{version}")
        if after is None or (before["threshold"], before["keys"]) != (after["threshold"], after["keys"]):
            return False
    return True


def _check_statements(statements):
    if not isinstance(statements, list) or len(statements) > STATEMENTS_MAX:
        raise Fault("SCHEMA_INVALID")
    for one in statements:
        if not isinstance(one, dict) or one.keys() != {"index", "entry"}:
            raise Fault("SCHEMA_INVALID")
        if not cbor.is_uint(one["index"]) or not isinstance(one["entry"], bytes):
            raise Fault("SCHEMA_INVALID")
    if sum(len(one["entry"]) for one in statements) > STATEMENTS_BYTES_MAX:
        raise Fault("SCHEMA_INVALID")


def _age(word):
    return word.epoch, word.members.get("size", 0)


def _read(data, kind):
    if not cbor.is_bytes(data, 0, WORD_BYTES_MAX):
        raise Fault("SCHEMA_INVALID")
    word = Word(data)
    if word.kind != kind:
        raise Fault("SCHEMA_INVALID")
    return word


def _refused(reason):
    return {"kind": "refused", "reason": reason}


def quorum(w):
    """n and f for w witnesses."""
    n = w // 2 + 1 if w < 4 else 2 * w // 3 + 1
    return n, 2 * n - w - 1


def pledges(reports, w):
    """By log, the latest permit that may have been granted by a quorum."""
    n, f = quorum(w)
    found = {}
    for origin in {permit.origin for report in reports for permit in report}:
        kept = [permit for report in reports for permit in report if permit.origin == origin]
        ages = [(permit.epoch, permit.size) for permit in kept]
        for permit in sorted(kept, key=lambda one: (one.epoch, one.size), reverse=True):
            holders = sum(age >= (permit.epoch, permit.size) for age in ages)
            if holders + f + w - len(reports) >= n:
                found[origin] = permit
                break
    return found
