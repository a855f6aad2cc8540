"""The verdict on a code, SPEC.md 11, with acceptance by colour."""

import hashlib
from dataclasses import dataclass, field

import cbor
import code_text
import merkle
from fault import Fault
from quorum import CLOCK_AHEAD

HOUR = 3_600
LIFE_MAX = 30 * 86_400
BRIDGED_LIFE_MAX = 86_400
AGE_MAX = {"online": 600, "offline": 86_400}
SILENCE_SHOWN = 600
SILENCE_MAX = 86_400
GRADES = ("static", "live", "challenged")
WAYS = ("direct", "hosted")
PLATFORM_WAYS = ("direct", "hosted", "bridge")
DOCUMENT = 2
OUTCOMES = {
    "stop": "MALFORMED COMMITMENT_MISMATCH NOT_RECOGNISED RECOGNITION_WITHDRAWN RECOGNITION_SUSPENDED "
    "RECOGNITION_NOT_IN_FORCE KEY_UNKNOWN KEY_NOT_FOR_THIS SIGNATURE_INVALID LOG_UNKNOWN BEYOND_CUT_OFF LEAF_MISMATCH "
    "REVOKED NOT_YET_ISSUED EXPIRED LIFE_TOO_LONG BRIDGE_NOT_ALLOWED BRIDGE_UNFOUNDED "
    "ORIGINAL_REVOKED PRESENTATION_INVALID DOCUMENT_MISMATCH STATUS_RED",
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


def _announces(region, original, now):
    """Whether a region announces the key that signed a code of others, SPEC.md 5.6 and 11.1."""
    at = original.get("issued", now)
    for start, end, data in region.adapters:
        if not start <= at < end or not isinstance(data.get("keys"), list):
            continue
        label = f"entente/foreign-key/v1\n{data['format']}\n".encode()
        for one in data["keys"]:
            name = hashlib.sha256(label + cbor.encode(one["key"])).digest()[:8].hex()
            if name == original["signer"] and one.get("from", 0) <= at <= one.get("until", at):
                return True
    return False


class _Judge:
    def __init__(self, code, trust, context, now):
        self.code = code
        self.claims = code.attestation
        self.trust = trust
        self.context = context
        self.now = now
        self.issued = HOUR * self.claims.hour
        self.original = code.fields[code_text.STATUS].get("original")
        self.verdict = Verdict()
        self.add = self.verdict.reasons.add

    def run(self):
        home_is_sound = self._lean_on(self.trust.home)
        own = self.claims.region == self.trust.home
        ways = WAYS if self.original is None else PLATFORM_WAYS
        if own or self._recognised(self.claims.region, ways, home_is_sound):
            region = self.trust.regions.get(self.claims.region)
            is_sound = home_is_sound if own else self._lean_on(self.claims.region)
            if region is not None:
                self._silence()
                self._key_and_log(region, is_sound)
            if self.original is not None and self.trust.home in self.trust.regions:
                self._bridged(region, is_sound, home_is_sound)
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

    def _bridged(self, platform, platform_is_sound, home_is_sound):
        """The rules of SPEC.md 11.1 about the original."""
        self.add("BRIDGED")
        name = self.original["region"]
        checked = ("adapter",) if "hashes" in self.original else WAYS
        at_home = self.claims.region == self.trust.home
        is_led = self._recognised(name, checked if at_home else ("bridge",), home_is_sound)
        if is_led:
            region = self.trust.regions.get(name)
            is_sound = self._lean_on(name)
            if region is not None:
                self._silence()
                self._original(region, is_sound)
        if not at_home and platform is not None:
            pinned = self.trust.recognitions().get(name)
            own = platform.recognitions.get(name)
            founded = own is not None and own.standing == "recognised" and own.holds(self.now) and own.way in checked
            founded = founded and pinned is not None and own.fingerprint == pinned.fingerprint
            if not founded:
                self._unfounded(self.claims.region, platform_is_sound)

    def _original(self, region, is_sound):
        if "hashes" in self.original:
            if "signer" in self.original and not _announces(region, self.original, self.now):
                self._unfounded(region.name, is_sound)
            if region.foreign_revoked & set(self.original["hashes"]):
                self.add("ORIGINAL_REVOKED")
            return
        log, index = self.original["log"], self.original["index"]
        key = region.keys.get(self.original["keyId"])
        if log not in region.logs or key is None or key.role != "attest":
            self._unfounded(region.name, is_sound)
        if any(log == one and index in indexes for one, indexes in region.revoked):
            self.add("ORIGINAL_REVOKED")
        if key is not None and key.cutoffs is not None:
            self._cut_off(key.cutoffs, log, index, bytes.fromhex(self.original["leafHash"]))

    def _unfounded(self, name, is_sound):
        """Certain only if what is known of the region is newer than the code."""
        time = self.trust.assess(name, self.now).time
        is_certain = is_sound and time is not None and time >= self.issued + HOUR
        self.add("BRIDGE_UNFOUNDED" if is_certain else "KEY_NOT_YET_KNOWN")

    def _recognised(self, name, ways, home_is_sound):
        """Whether the home's word leads to a region, so that the rules about it apply."""
        if self.trust.home not in self.trust.regions:
            return False
        recognition = self.trust.recognitions().get(name)
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
        if recognition.way not in ways:
            self.add("WAY_UNSUPPORTED")
        elif recognition.way == "bridge" and recognition.via != self.claims.region:
            self.add("BRIDGE_NOT_ALLOWED")
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
            self._cut_off(key.cutoffs, self.claims.log, self.claims.index, merkle.leaf_hash(self.claims.data))

    def _cut_off(self, cutoffs, log, index, leaf):
        size, root = cutoffs.get(log, (0, b""))
        if index >= size:
            self.add("BEYOND_CUT_OFF")
            return
        proven = {proof[3] for proof in self.context.proofs if is_good(proof, log, index, size, root)}
        if proven - {leaf}:
            self.add("LEAF_MISMATCH")
        elif leaf in proven:
            self.add("PROVEN_IN_LOG")
        else:
            self.add("PROOF_NEEDED")

    def _times(self):
        expires = self.code.fields[code_text.STATUS]["expires"]
        if self.issued > self.now + CLOCK_AHEAD:
            self.add("NOT_YET_ISSUED")
        if self.now >= expires:
            self.add("EXPIRED")
        if expires > self.issued + HOUR + (LIFE_MAX if self.original is None else BRIDGED_LIFE_MAX):
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


def is_good(proof, log, index, size, root):
    """Whether a proof at hand is of this leaf and leads to the root."""
    proven_log, proven_index, proven_size, leaf, path = proof
    if (proven_log, proven_index, proven_size) != (log, index, size):
        return False
    try:
        merkle.verify_inclusion(index, size, leaf, path, root)
    except Fault:
        return False
    return True
