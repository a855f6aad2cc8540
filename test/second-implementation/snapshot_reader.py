"""What a reader of snapshots takes, SPEC.md 10."""

from dataclasses import dataclass, replace

import quorum
from fault import Fault
from quorum import CLOCK_AHEAD
from snapshot import parse_snapshot
from snapshot_held import keys_of, opened, recognitions_of, region_of, revoked_by, trust_of
from snapshot_log import log_of
from trust_state import KEPT_AFTER_END


@dataclass(frozen=True)
class Outcome:
    effect: str
    fault: Fault | None = None


class Reader:
    def __init__(self, home, network, pin):
        self.home = home
        self.network = network
        self.pin = pin
        self.held = {}
        """By region."""
        self.unheld = {}
        """By region of which nothing is held and its fingerprint, the log that was left out, with what is revoked beside."""

    def read(self, data, now):
        """Takes a snapshot and says what became of each part. What it refuses as a whole changes nothing."""
        snapshot = parse_snapshot(data)
        if snapshot.network != self.network:
            raise Fault("PIN_MISMATCH")
        reading = _Reading(self, snapshot.parts, now)
        reading.run()
        self.held = reading.held
        self.unheld = reading.unheld
        return [(part.region, reading.outcomes[part.region]) for part in snapshot.parts]

    def trust(self):
        return trust_of(self.home, self.network, self.held)


class _Reading:
    """One snapshot on its way into a reader."""

    def __init__(self, reader, parts, now):
        self.home = reader.home
        self.network = reader.network
        self.pin = reader.pin
        self.parts = {part.region: part for part in parts}
        self.now = now
        self.before = reader.held
        self.held = dict(reader.held)
        self.unheld = {}
        self.unheld_before = reader.unheld
        self.logs = {}
        self.offered = {}
        """What the parts bring that is not held, by region."""
        self.outcomes = {}

    def run(self):
        if self.home in self.parts:
            self._fold(self.home, self.pin)
        elif self.home not in self.held:
            raise Fault("SNAPSHOT_INCOMPLETE")
        pins = self._pins()
        self.held = {region: one for region, one in self.before.items() if one.log.fingerprint == pins.get(region)}
        self.unheld = {place: one for place, one in self.unheld_before.items() if pins.get(place[0]) == place[1]}
        for region in self.parts.keys() - {self.home}:
            if region in pins:
                self._of(region, self._fold, pins[region])
            else:
                self.outcomes[region] = Outcome("left-out")
        witness_logs = [*self.logs.values(), *(one.log for one in self.held.values())]
        for region in list(self.logs):
            self._of(region, self._open, witness_logs)
        self._count()

    def _pins(self):
        """The fingerprints under which regions count, by the home's state."""
        home = self.logs[self.home] if self.home in self.logs else self.before[self.home].log
        recognised = {region: one.fingerprint for region, one in recognitions_of(home.state).items()}
        return {region: pin for region, pin in recognised.items() if pin is not None} | {self.home: self.pin}

    def _of(self, region, rule, *arguments):
        """A fault of the home's part refuses the whole, one of another region's that part."""
        try:
            rule(region, *arguments)
        except Fault as fault:
            if region == self.home:
                raise
            self.outcomes[region] = Outcome("faulty", fault)
            self.logs.pop(region, None)

    def _fold(self, region, fingerprint):
        """1 to 3."""
        held = self.before.get(region)
        if held is not None and held.log.fingerprint != fingerprint:
            held = None
        log = log_of(self.parts[region], self.network, None if held is None else held.log)
        if log.fingerprint != fingerprint:
            raise Fault("PIN_MISMATCH")
        if log.state.newest_at > self.now + CLOCK_AHEAD:
            raise Fault("STATE_AHEAD")
        self.logs[region] = log

    def _open(self, region, witness_logs):
        """4 and 5."""
        offered = opened(self.logs[region], self.parts[region].checkpoint, self.network, witness_logs)
        held = self.held.get(region)
        if held is None:
            self.offered[region] = offered
            return
        log = offered.log
        is_other = held.log.size >= log.begin and log.roots[held.log.size - log.begin] != held.log.root
        if is_other or _loses(held.log, log):
            if region == self.home or _is_disowned(offered, held) or _is_disowned(held, offered):
                raise Fault("FORK")
            self.outcomes[region] = Outcome("forked", Fault("FORK"))
            self.offered[region] = offered
        elif (log.size, log.root) == (held.log.size, held.log.root):
            self.outcomes[region] = Outcome("confirmed")
            cosignatures = _newest(held.cosignatures | offered.cosignatures, self.now)
            self.held[region] = replace(held, signers=held.signers | offered.signers, cosignatures=cosignatures)
        else:
            self.offered[region] = offered

    def _count(self):
        """6."""
        forks = {region for region in self.offered if region in self.outcomes}
        taken = self.offered.keys() - forks
        while True:
            trust = self._trust_with(taken)
            dropped = {region for region in taken if not self._is_vouched_for(region, trust)}
            if not dropped - {self.home}:
                break
            taken -= dropped - {self.home}
        if self.home in dropped:
            raise Fault("SNAPSHOT_INCOMPLETE")
        for region in forks:
            self._mark(region, trust)
        for region in self.offered.keys() - forks - taken:
            self._set_beside(region)
        for region in taken:
            taken = self.offered[region]
            before = self.unheld.pop((region, taken.log.fingerprint), None)
            if before is not None:
                taken = _with_longer(taken, before)
            self.held[region] = _going_on(self.held.get(region), taken, self.now)
            self.outcomes[region] = Outcome("taken")

    def _trust_with(self, taken):
        return trust_of(self.home, self.network, self.held | {region: self.offered[region] for region in taken})

    def _is_vouched_for(self, region, trust):
        found = trust.assess(region, self.now, region_of(self.offered[region]))
        needed = found.needed
        held = self.held.get(region)
        if held is not None and held.log.size < self.offered[region].log.begin:
            if needed == 0:
                return False
            before = trust_of(self.home, self.network, self.before)
            needed = max(needed, quorum.needed(len(before.witnesses_of(region, self.now))))
        return found.counted >= needed

    def _mark(self, region, trust):
        held = self.held[region]
        is_vouched_for = self._is_vouched_for(region, trust)
        standing = "quarantined" if is_vouched_for or held.standing == "quarantined" else "forked"
        self.held[region] = replace(_with_beside(held, self.offered[region].log), standing=standing)

    def _set_beside(self, region):
        """A part for which too few vouch: what it revokes counts beside what is held."""
        held = self.held.get(region)
        if held is None:
            offered = self.offered[region]
            place = region, offered.log.fingerprint
            self.unheld[place] = _with_beside(self.unheld.get(place, offered), offered.log)
            self.outcomes[region] = Outcome("left-out")
            return
        self.held[region] = _with_beside(held, self.offered[region].log)
        self.outcomes[region] = Outcome("beside")


def _is_disowned(side, other):
    """Whether only keys signed a side of a fork that the state of the other side names as compromised."""
    keys = keys_of(other.log.state)
    return all(id_ in keys and keys[id_].cutoffs is not None for id_ in side.signers)


def _loses(held, log):
    """Whether a log that begins behind a gap lacks a revocation that is held, though no trust-log key was given up."""
    if held.size >= log.begin:
        return False
    known, named = ({id_: key for id_, key in keys_of(one.state).items() if key.role == "trust-log"} for one in (held, log))
    if any(key.cutoffs is not None and (id_ not in known or known[id_].cutoffs is None) for id_, key in named.items()):
        return False
    announced = held.state.announced_keys().values()
    ends = [one["until"] for one in announced if one["role"] == "trust-log"]
    if any(end + KEPT_AFTER_END < log.state.newest_at for end in ends):
        return False
    lost = revoked_by(held) - revoked_by(log)
    return any(log.state.said(f"log/{name}") is not None for name, _ in lost)


def _with_beside(held, log):
    """What a log revokes that is not taken counts beside the one that is held."""
    return replace(held, beside=held.beside | revoked_by(log), beside_size=max(held.beside_size, log.size))


def _going_on(before, taken, now):
    """What outlives the log that was held: when the region was heard of, a mark, and what is revoked beside by a longer log or with a mark."""
    if before is None:
        return taken
    own = {one for one in before.cosignatures | before.own_before if one[0] == taken.log.region}
    taken = replace(taken, own_before=_newest(own, now))
    if before.standing == "good":
        return _with_longer(taken, before)
    return replace(taken, standing=before.standing, beside=before.beside, beside_size=before.beside_size)


def _with_longer(taken, before):
    """What is revoked beside by a log that is longer than the one that is taken."""
    if taken.log.size >= before.beside_size:
        return taken
    return replace(taken, beside=before.beside, beside_size=before.beside_size)


def _newest(cosignatures, now):
    """Of each key the newest that is not ahead."""
    newest = {}
    for region, id_, time in cosignatures:
        if time <= now + CLOCK_AHEAD:
            newest[region, id_] = max(time, newest.get((region, id_), time))
    return frozenset((region, id_, time) for (region, id_), time in newest.items())
