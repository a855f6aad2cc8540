"""The verdict on a code, SPEC.md 11, with acceptance by colour."""

from dataclasses import dataclass, field

import code_text
import merkle
from fault import Fault
from quorum import CLOCK_AHEAD

HOUR = 3_600
LIFE_MAX = 30 * 86_400
AGE_MAX = {"online": 600, "offline": 86_400}
SILENCE_SHOWN = 600
SILENCE_MAX = 86_400
GRADES = ("static", "live", "challenged")
WAYS = ("direct", "hosted")
DOCUMENT = 2
OUTCOMES = {
    "stop": "MALFORMED COMMITMENT_MISMATCH NOT_RECOGNISED RECOGNITION_WITHDRAWN RECOGNITION_SUSPENDED "
    "RECOGNITION_NOT_IN_FORCE KEY_UNKNOWN KEY_NOT_FOR_THIS SIGNATURE_INVALID LOG_UNKNOWN BEYOND_CUT_OFF LEAF_MISMATCH "
    "REVOKED NOT_YET_ISSUED EXPIRED LIFE_TOO_LONG PRESENTATION_INVALID DOCUMENT_MISMATCH STATUS_RED",
    "undetermined": "VERSION_UNKNOWN WAY_UNSUPPORTED RULES_NOT_EVALUATED TRUST_MISSING KNOWLEDGE_STALE UNWITNESSED "
    "CHECKPOINT_KEY_UNFIT ISSUER_SILENT_TOO_LONG FORKED QUARANTINED KEY_NOT_YET_KNOWN PROOF_NEEDED",
    "act": "STATUS_YELLOW GRADE_TOO_LOW",
}
UNSOUND = {"FORKED", "QUARANTINED", "UNWITNESSED", "CHECKPOINT_KEY_UNFIT", "KNOWLEDGE_STALE"}
FAULTS_WITH_A_REASON = {"CODE_VERSION_UNKNOWN": "VERSION_UNKNOWN", "COMMITMENT_MISMATCH": "COMMITMENT_MISMATCH"}


@dataclass(frozen=True)
class Context:
    mode: str
    grade: str
    age_max: int | None
    silence_max: int | None
    challenge: bytes | None
    document_hash: bytes | None
    proofs: list
    """(log, index, size, leaf hash, path)"""


@dataclass
class Verdict:
    reasons: set = field(default_factory=set)
    fault: str | None = None
    status: dict | None = None
    grade: str | None = None
    knowledge: list = field(default_factory=list)
    """(region, assessment)"""

    @property
    def outcome(self):
        for outcome, reasons in OUTCOMES.items():
            if self.reasons & set(reasons.split()):
                return outcome
        return "pass"


def verify(text, trust, context, now):
    try:
        code = code_text.parse_code(text)
    except Fault as fault:
        reason = FAULTS_WITH_A_REASON.get(fault.code, "MALFORMED")
        return Verdict({reason}, fault.code if reason == "MALFORMED" else None)
    judged = _Judge(code, trust, context, now)
    judged.run()
    return judged.verdict


class _Judge:
    def __init__(self, code, trust, context, now):
        self.code = code
        self.claims = code.attestation
        self.trust = trust
        self.context = context
        self.now = now
        self.issued = HOUR * self.claims.hour
        self.verdict = Verdict()
        self.add = self.verdict.reasons.add

    def run(self):
        home_is_sound = self._lean_on(self.trust.home)
        if self._recognised(home_is_sound):
            region = self.trust.regions.get(self.claims.region)
            own = self.claims.region == self.trust.home
            is_sound = home_is_sound if own else self._lean_on(self.claims.region)
            if region is not None:
                self._silence()
                self._key_and_log(region, is_sound)
        self._times()
        self._holder()

    def _lean_on(self, name):
        """Adds what is wrong with the knowledge of a region; whether it is sound."""
        region = self.trust.regions.get(name)
        if region is None:
            self.add("TRUST_MISSING")
            return False
        found = self.trust.assess(name, self.now)
        self.verdict.knowledge.append((name, found))
        age_max = AGE_MAX[self.context.mode] if self.context.age_max is None else self.context.age_max
        reasons = set()
        if region.standing != "good":
            reasons.add(region.standing.upper())
        if found.time is None:
            reasons.add("UNWITNESSED")
        else:
            if not found.is_key_fit:
                reasons.add("CHECKPOINT_KEY_UNFIT")
            if found.age > age_max:
                reasons.add("KNOWLEDGE_STALE")
        self.verdict.reasons |= reasons
        if found.needed == 0:
            self.add("NO_WITNESSES")
        return not reasons & UNSOUND

    def _recognised(self, home_is_sound):
        """Whether the rules about region, key and log apply."""
        if self.claims.region == self.trust.home or self.trust.home not in self.trust.regions:
            return True
        recognition = self.trust.recognitions().get(self.claims.region)
        if recognition is None:
            if home_is_sound:
                self.add("NOT_RECOGNISED")
            return False
        if recognition.standing == "withdrawn":
            self.add("RECOGNITION_WITHDRAWN")
            return False
        if recognition.standing == "suspended":
            self.add("RECOGNITION_SUSPENDED")
        if not recognition.holds(self.now) and home_is_sound:
            self.add("RECOGNITION_NOT_IN_FORCE")
        if recognition.way not in WAYS:
            self.add("WAY_UNSUPPORTED")
        if recognition.rules is not None:
            self.add("RULES_NOT_EVALUATED")
        return True

    def _silence(self):
        silence = self.verdict.knowledge[-1][1].silence
        silence_max = SILENCE_MAX if self.context.silence_max is None else self.context.silence_max
        if silence is None or silence > silence_max:
            self.add("ISSUER_SILENT_TOO_LONG")
        if silence is None or silence > SILENCE_SHOWN:
            self.add("ISSUER_SILENT")

    def _key_and_log(self, region, is_sound):
        time = self.verdict.knowledge[-1][1].time
        reaches = is_sound and time >= self.issued + HOUR
        if self.claims.log not in region.logs:
            self.add("LOG_UNKNOWN" if reaches else "KEY_NOT_YET_KNOWN")
        if any(log == self.claims.log and self.claims.index in indexes for log, indexes in region.revoked):
            self.add("REVOKED")
        key = region.keys.get(self.claims.key_id.hex())
        if key is None:
            self.add("KEY_UNKNOWN" if reaches else "KEY_NOT_YET_KNOWN")
            return
        if key.role != "attest" or not key.begin <= self.issued < key.end:
            self.add("KEY_NOT_FOR_THIS")
        if not self.code.is_signed_by(key.public_key, self.trust.network):
            self.add("SIGNATURE_INVALID")
            return
        self.verdict.status = self.code.fields[code_text.STATUS]
        if key.cutoffs is not None:
            self._cut_off(key.cutoffs)

    def _cut_off(self, cutoffs):
        size, root = cutoffs.get(self.claims.log, (0, b""))
        if self.claims.index >= size:
            self.add("BEYOND_CUT_OFF")
            return
        leaf = merkle.leaf_hash(self.claims.data)
        proven = {proof[3] for proof in self.context.proofs if self._is_good(proof, size, root)}
        if proven - {leaf}:
            self.add("LEAF_MISMATCH")
        elif leaf in proven:
            self.add("PROVEN_IN_LOG")
        else:
            self.add("PROOF_NEEDED")

    def _is_good(self, proof, size, root):
        log, index, proof_size, leaf, path = proof
        if (log, index, proof_size) != (self.claims.log, self.claims.index, size):
            return False
        try:
            merkle.verify_inclusion(index, size, leaf, path, root)
        except Fault:
            return False
        return True

    def _times(self):
        expires = self.code.fields[code_text.STATUS]["expires"]
        if self.issued > self.now + CLOCK_AHEAD:
            self.add("NOT_YET_ISSUED")
        if self.now >= expires:
            self.add("EXPIRED")
        if expires > self.issued + HOUR + LIFE_MAX:
            self.add("LIFE_TOO_LONG")

    def _holder(self):
        is_matched = False
        if DOCUMENT in self.code.fields and self.context.document_hash is not None:
            is_matched = self.context.document_hash == self.code.fields[DOCUMENT]
            self.add("DOCUMENT_MATCHED" if is_matched else "DOCUMENT_MISMATCH")
        grade = self._grade()
        status = self.verdict.status
        if status is None:
            return
        self.verdict.grade = grade
        if grade is not None:
            if GRADES.index(grade) < GRADES.index(self.context.grade):
                self.add("GRADE_TOO_LOW")
            if grade == "static" and not is_matched:
                self.add("IDENTITY_CHECK")
        if status["colour"] != "green":
            self.add(f"STATUS_{status['colour'].upper()}")

    def _grade(self):
        """None for a presentation whose signature fails."""
        shown = self.code.presentation
        if shown is None:
            return "static"
        if not self.code.is_presented_by_holder():
            self.add("PRESENTATION_INVALID")
            return None
        grade = code_text.grade_of(shown, self.context.challenge, self.now)
        if not code_text.is_current(shown.step, self.now):
            self.add("PRESENTATION_NOT_CURRENT")
        if shown.challenge != b"" and shown.challenge != self.context.challenge:
            self.add("CHALLENGE_MISMATCH")
        return grade
