"""Codes and presentations, SPEC.md 5.3, 5.5 and 6."""

import re
from dataclasses import dataclass
from hashlib import sha256

import attestation as attestations
import base45
import cbor
import ed25519
from attestation import FIELDS, SALT_BYTES, VALUE_BYTES_MAX, Attestation
from fault import Fault, recoded

PREFIX = "ENT1:"
CHARACTERS_MAX = 4_296
STEP_SECONDS = 30
AHEAD_SECONDS = 5
PRESENTATION_HEAD = b"\x84"
STATUS, HOLDER = 0, 1


@dataclass(frozen=True)
class Presentation:
    step: int
    challenge: bytes
    signature: bytes

    def message(self, attestation):
        head = b"entente/presentation/v1\n" + sha256(attestation).digest() + self.step.to_bytes(8, "big")
        return head + bytes([len(self.challenge)]) + self.challenge


@dataclass(frozen=True)
class Code:
    attestation: Attestation
    fields: dict
    """The values that are opened, by field number."""
    salts: dict
    presentation: Presentation | None

    def is_signed_by(self, public_key, network):
        return ed25519.verify(public_key, self.attestation.message(network), self.attestation.signature)

    def is_presented_by_holder(self):
        message = self.presentation.message(self.attestation.data)
        return ed25519.verify(self.fields[HOLDER], message, self.presentation.signature)


def parse_code(text):
    """Reads a code text and reports the first fault in the order of SPEC.md 5.5. Checks no signature."""
    data = recoded("BASE45_MALFORMED", base45.decode, _without_prefix(text), CHARACTERS_MAX)
    presentation = None
    if data.startswith(PRESENTATION_HEAD):
        data, presentation = _presentation(data)
    attestation_data, openings, path = _parts(data)
    attestation = attestations.parse_attestation(attestation_data)
    fields = {number: attestations.parse_field(number, openings[number][SALT_BYTES:]) for number in sorted(openings)}
    if _commitment(openings, path) != attestation.commitment:
        raise Fault("COMMITMENT_MISMATCH")
    if presentation is not None and HOLDER not in fields:
        raise Fault("PRESENTATION_MALFORMED")
    salts = {number: opening[:SALT_BYTES] for number, opening in openings.items()}
    return Code(attestation, fields, salts, presentation)


def _without_prefix(text):
    if len(text.encode("utf-16-le", "surrogatepass")) > 2 * CHARACTERS_MAX:
        raise Fault("TOO_LARGE")
    if text in ("", PREFIX):
        raise Fault("CODE_EMPTY")
    if not text.startswith(PREFIX):
        raise Fault("CODE_VERSION_UNKNOWN" if re.match("ENT[0-9]:", text) else "CODE_UNKNOWN")
    return text[len(PREFIX) :]


def _presentation(data):
    parts = recoded("PRESENTATION_MALFORMED", cbor.decode, data)
    code, step, challenge, signature = parts
    if not isinstance(code, bytes) or not cbor.is_uint(step) or not cbor.is_bytes(signature, 64):
        raise Fault("PRESENTATION_MALFORMED")
    if challenge != b"" and not cbor.is_bytes(challenge, 8, 32):
        raise Fault("PRESENTATION_MALFORMED")
    return code, Presentation(step, challenge, signature)


def _parts(data):
    parts = recoded("CODE_MALFORMED", cbor.decode, data)
    if not isinstance(parts, list) or len(parts) != 3:
        raise Fault("CODE_MALFORMED")
    attestation, openings, path = parts
    if not isinstance(attestation, bytes) or not isinstance(openings, dict) or STATUS not in openings:
        raise Fault("CODE_MALFORMED")
    for number, opening in openings.items():
        if number not in range(len(FIELDS)) or not cbor.is_bytes(opening, SALT_BYTES + 1, SALT_BYTES + VALUE_BYTES_MAX):
            raise Fault("CODE_MALFORMED")
    if not cbor.is_bytes(path, 32 * _path_size(openings)):
        raise Fault("CODE_MALFORMED")
    return attestation, openings, path


def _path_size(openings):
    """A pair with one opened field needs the other's leaf, a pair with none its own hash."""
    return sum(0 if left in openings and right in openings else 1 for left, right in ((0, 1), (2, 3)))


def _commitment(openings, path):
    hashes = [path[at : at + 32] for at in range(0, len(path), 32)]
    pairs = []
    for numbers in ((0, 1), (2, 3)):
        if not any(number in openings for number in numbers):
            pairs.append(hashes.pop(0))
            continue
        leaves = [
            attestations.field_leaf(number, openings[number]) if number in openings else hashes.pop(0)
            for number in numbers
        ]
        pairs.append(attestations.pair(*leaves))
    return attestations.pair(*pairs)


def grade_of(presentation, challenge_given, now):
    """The grade of a presentation whose signature is good, SPEC.md 6; None stands for a plain code."""
    if presentation is None or not is_current(presentation.step, now):
        return "static"
    if challenge_given is not None and presentation.challenge == challenge_given:
        return "challenged"
    return "live" if presentation.challenge == b"" else "static"


def is_current(step, now):
    current = now // STEP_SECONDS
    return step in (current, current - 1) or (step == current + 1 and STEP_SECONDS * step <= now + AHEAD_SECONDS)
