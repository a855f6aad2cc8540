"""Who vouches for a region's log and how old that is, SPEC.md 9."""

import re
from dataclasses import dataclass
from hashlib import sha256
from math import inf

import ed25519

CLOCK_AHEAD = 120
WITNESSES_ALL_MAX = 64
WITNESSES_CHOSEN = 16


def needed(w):
    return (0, 1, 1, 2)[w] if w < 4 else 2 * w // 3 + 1


@dataclass(frozen=True)
class Key:
    public_key: bytes
    role: str
    begin: int
    end: int
    cutoffs: dict | None
    """Of its compromise: log -> (size, root). None for a key that is not compromised."""

    def is_fit(self, role, time):
        return self.role == role and self.cutoffs is None and self.begin <= time < self.end


@dataclass(frozen=True)
class Recognition:
    standing: str
    fingerprint: bytes | None
    way: str | None
    rules: str | None
    begin: int
    end: int
    via: str | None = None

    def holds(self, now):
        return self.begin <= now < self.end


@dataclass(frozen=True)
class Region:
    """The trust state of a region and what is known of the checkpoint that it was folded to."""

    name: str
    fingerprint: bytes
    keys: dict
    recognitions: dict
    logs: list
    revoked: list
    """(log, indexes), those held beside the state included."""
    signed_by: list
    cosignatures: list
    standing: str
    own_before: list = ()
    """(region, key id, timestamp) of its own cosignatures on earlier checkpoints."""
    foreign_revoked: frozenset = frozenset()
    """Hashes of codes of others, in hexadecimal."""
    adapters: tuple = ()
    """(from, until, data) of what it announces of codes of others."""


@dataclass(frozen=True)
class Assessment:
    counted: int
    needed: int
    witnesses: int
    time: int | None
    """The knowledge time."""
    own_time: int | None
    """When the region was last heard of."""
    is_key_fit: bool
    now: int

    @property
    def age(self):
        return None if self.time is None else max(0, self.now - self.time)

    @property
    def silence(self):
        return None if self.own_time is None else max(0, self.now - self.own_time)


class Trust:
    """What a verifier of `home` may use of the regions that it is handed, SPEC.md 11."""

    def __init__(self, home, network, regions, policy=None):
        self.home = home
        self.network = network
        self.policy = policy
        given = {region.name: region for region in regions}
        self.regions = {}
        if home in given:
            self.regions = {name: one for name, one in given.items() if _is_pinned(given[home], one)}

    def recognitions(self):
        home = self.regions.get(self.home)
        return {} if home is None else home.recognitions

    def witnesses_of(self, issuer, now):
        names = {self.home}
        for name, one in self.recognitions().items():
            if one.standing != "withdrawn" and one.way == "direct" and one.holds(now):
                names.add(name)
        names.discard(issuer)
        if len(names) <= WITNESSES_ALL_MAX:
            return names
        origin = f"{issuer}.{self.network}/trust"
        return sorted(names, key=lambda name: sha256(f"{origin}\n{name}".encode()).digest())[:WITNESSES_CHOSEN]

    def assess(self, issuer, now, region=None):
        """What is known of the issuer; of another checkpoint of it, if one is given."""
        region = region or self.regions[issuer]
        newest = self._newest_by_region(region, region.cosignatures, now)
        before = self._newest_by_region(region, region.own_before, now)
        own_times = [found[issuer][0] for found in (newest, before) if issuer in found]
        own_here = newest[issuer][0] if issuer in newest else None
        if self.policy is None:
            counted, q, w, time = self._by_table(issuer, newest, now)
        else:
            counted, q, w, time = self._by_policy(issuer, self._counting(region, region.cosignatures, now))
        time = own_here if q == 0 else time
        signers = [region.keys[key_id] for key_id in region.signed_by if key_id in region.keys]
        is_key_fit = time is not None and any(key.is_fit("checkpoint", time) for key in signers)
        return Assessment(counted, q, w, time, max(own_times, default=None), is_key_fit, now)

    def _by_table(self, issuer, newest, now):
        witnesses = self.witnesses_of(issuer, now)
        by_key = {}
        for name in witnesses:
            if name in newest:
                time, public_key = newest[name]
                by_key[public_key] = max(time, by_key.get(public_key, time))
        times = sorted(by_key.values(), reverse=True)
        q = needed(len(witnesses))
        return len(times), q, len(witnesses), times[q - 1] if 0 < q <= len(times) else None

    def _by_policy(self, issuer, cosignatures):
        """SPEC.md 9.1."""
        policy = self.policy
        able = {}
        for name in policy.asked():
            key = policy.witnesses[name]
            region = self._region_of(key.name)
            if region is None or self._may_vouch(region, issuer):
                able[name] = key, region
        owners = {ed25519.key_id(key.public_key).hex(): key.name for key in policy.witnesses.values()}
        votes = {}
        claimed = {}
        for name, (key, region) in able.items():
            own_id = ed25519.key_id(key.public_key).hex()
            its = [
                (-time, key_id)
                for by, key_id, time in cosignatures
                if by == region
                and (region is not None or key_id == own_id)
                and owners.get(key_id, key.name) == key.name
            ]
            if its:
                time, key_id = min(its)
                if claimed.setdefault(key_id, key.name) == key.name:
                    votes[name] = -time

        def lack(since):
            costs = {name: 1 if name in able else inf for name in policy.witnesses}
            return policy.lack({**costs, **{name: 0 for name, time in votes.items() if time >= since}})

        of = len({key.name for key, _ in able.values()})
        counted = len({able[name][0].name for name in votes})
        missing = lack(0)
        if missing > 0:
            return counted, of + 1 if missing == inf else counted + missing, of, None
        met = [time for time in votes.values() if lack(time) == 0]
        return counted, lack(inf), of, max(met, default=None)

    def _region_of(self, name):
        """The region of this network whose witness has the name."""
        found = re.fullmatch(r"([A-Z]{2}(?:-[A-Z0-9]{1,3})?)\.(.+)/witness", name)
        return found[1] if found and found[2] == self.network else None

    def _may_vouch(self, region, issuer):
        if region in (issuer, self.home):
            return region != issuer
        one = self.recognitions().get(region)
        return one is not None and one.standing != "withdrawn" and one.way == "direct"

    def _counting(self, region, cosignatures, now):
        """(region, key id, timestamp) of the cosignatures that count, None for the region of a witness outside."""
        found = []
        for name, key_id, time in cosignatures:
            if name is not None:
                signer = region if name == region.name else self.regions.get(name)
                key = None if signer is None else signer.keys.get(key_id)
                if key is None or not key.is_fit("witness", time):
                    continue
            if time <= now + CLOCK_AHEAD:
                found.append((name, key_id, time))
        return found

    def _newest_by_region(self, region, cosignatures, now):
        """(timestamp, public key) of the newest cosignature that counts, by region."""
        newest = {}
        for name, key_id, time in self._counting(region, cosignatures, now):
            if name is not None and (name not in newest or time > newest[name][0]):
                signer = region if name == region.name else self.regions[name]
                newest[name] = time, signer.keys[key_id].public_key
        return newest


def _is_pinned(home, region):
    if region is home:
        return True
    recognition = home.recognitions.get(region.name)
    if recognition is None or recognition.standing == "withdrawn":
        return False
    return region.fingerprint == recognition.fingerprint
