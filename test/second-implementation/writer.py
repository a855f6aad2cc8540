"""Writers of a region and what their witnesses grant them, SPEC.md 14.5.5 and 19."""

import cbor
import ed25519
import names
from fault import Fault

WORD_BYTES_MAX = 1_024
REQUEST_BYTES_MAX = 2_112
PERMITS_MAX = 16
CLAIM = {"kind", "origin", "epoch", "writer", "session", "at"}
PERMIT = {"kind", "origin", "epoch", "session", "from", "size", "root"}
REQUESTS = {"writer": {"kind", "origin"}, "claim": {"kind", "claim"}, "permit": {"kind", "claim", "permit"}}


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
    """What a witness keeps of one region. `keys` are those not compromised; None if it does not know the region."""

    def __init__(self, claim, permits, keys):
        self.keys = keys
        self.claim = claim if claim is not None and claim.counts(keys or ()) else None
        self.permits = {permit.origin: permit for permit in permits if permit.counts(keys or ())}
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
        if request["kind"] == "writer":
            if names.parse_origin(request["origin"])["kind"] != "trust":
                raise Fault("ORIGIN_INVALID")
            return self._record() if self.keys is not None else _refused("unknown-region")
        claim = _read(request["claim"], "claim")
        if self.keys is None:
            return _refused("unknown-region")
        if not claim.counts(self.keys):
            return _refused("unsigned")
        if request["kind"] == "claim":
            return self._take(claim) or self._record()
        permit = _read(request["permit"], "permit")
        if trust_log_of(permit.origin) != claim.origin or permit.reign != claim.reign:
            raise Fault("SCHEMA_INVALID")
        if not permit.counts(self.keys):
            return _refused("unsigned")
        return self._take(claim) or self._permit(permit)

    def _take(self, claim):
        """The refusal of a claim; None if it is granted."""
        if self.claim is not None and self.claim.epoch >= claim.epoch:
            return None if self.claim.reign == claim.reign else {"kind": "fenced", "claim": self.claim.data}
        for permit in self.permits.values():
            if permit.epoch > claim.epoch or permit.epoch == claim.epoch and permit.session != claim.session:
                return {"kind": "taken", "permit": permit.data}
        self.claim, self.has_changed = claim, True
        return None

    def _permit(self, permit):
        kept = self.permits.get(permit.origin)
        if kept is not None and kept.epoch == permit.epoch:
            if (kept.size, kept.root) == (permit.size, permit.root):
                return {"kind": "permitted"}
            if kept.size > permit.members["from"]:
                return {"kind": "taken", "permit": kept.data}
        self.permits[permit.origin], self.has_changed = permit, True
        return {"kind": "permitted"}

    def _record(self):
        claim = {} if self.claim is None else {"claim": self.claim.data}
        return {"kind": "record", **claim, "permits": [permit.data for permit in self.permits.values()]}


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
