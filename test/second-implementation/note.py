"""Signed notes and checkpoints, SPEC.md 4.3 (C2SP signed-note, tlog-checkpoint, tlog-cosignature)."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from hashlib import sha256

import ed25519
from fault import Fault
from merkle import SIZE_MAX

NOTE_BYTES_MAX = 65_536
LINES_MAX = 128
SIGNATURE, COSIGNATURE = 0x01, 0x04


@dataclass(frozen=True)
class VerifierKey:
    name: str
    key_id: bytes
    algorithm: int
    public_key: bytes


@dataclass
class Checkpoint:
    origin: str
    size: int
    root: bytes
    signers: list = field(default_factory=list)
    """Log keys, one for each good signature, in the order of the lines."""
    cosigners: list = field(default_factory=list)
    """(key, timestamp) for each good cosignature, in the order of the lines."""


def decode_base64(text, fault):
    """Standard base64 of which there is one form only."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Fault(fault) from None
    if base64.b64encode(data).decode() != text:
        raise Fault(fault)
    return data


def is_name(text):
    return text != "" and "+" not in text and not any(character.isspace() for character in text)


def verifier_key(name, algorithm, public_key):
    return VerifierKey(name, _key_id(name, bytes([algorithm]) + public_key), algorithm, public_key)


def _key_id(name, data):
    return sha256(name.encode() + b"\n" + data).digest()[:4]


def parse_verifier_key(text):
    name, _, rest = text.partition("+")
    hexadecimal, _, encoded = rest.partition("+")
    data = decode_base64(encoded, "KEY_INVALID")
    key_id = _key_id(name, data)
    if not is_name(name) or len(data) != 33 or data[0] not in (SIGNATURE, COSIGNATURE) or hexadecimal != key_id.hex():
        raise Fault("KEY_INVALID")
    return VerifierKey(name, key_id, data[0], data[1:])


def parse_note(data):
    """The text (with its last newline) and the lines (name, key id, signature) of a note."""
    if len(data) > NOTE_BYTES_MAX:
        raise Fault("TOO_LARGE")
    try:
        note = data.decode()
    except UnicodeDecodeError:
        raise Fault("NOTE_MALFORMED") from None
    cut = note.rfind("\n\n")
    if cut < 0 or not note.endswith("\n") or re.search(r"[\x00-\x09\x0b-\x1f]", note):
        raise Fault("NOTE_MALFORMED")
    text, lines = note[: cut + 1], note[cut + 2 :].split("\n")[:-1]
    if not lines:
        raise Fault("NOTE_MALFORMED")
    if len(lines) > LINES_MAX:
        raise Fault("TOO_LARGE")
    return text, [_parse_line(line) for line in lines]


def _parse_line(line):
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014" or not is_name(parts[1]):
        raise Fault("NOTE_MALFORMED")
    data = decode_base64(parts[2], "NOTE_MALFORMED")
    if len(data) < 5:
        raise Fault("NOTE_MALFORMED")
    return parts[1], data[:4], data[4:]


def parse_checkpoint_text(text):
    lines = text.split("\n")
    if len(lines) != 4 or not is_name(lines[0]) or not re.fullmatch(r"0|[1-9][0-9]{0,15}", lines[1]):
        raise Fault("CHECKPOINT_MALFORMED")
    root = decode_base64(lines[2], "CHECKPOINT_MALFORMED")
    if int(lines[1]) > SIZE_MAX or len(root) != 32:
        raise Fault("CHECKPOINT_MALFORMED")
    return Checkpoint(lines[0], int(lines[1]), root)


def open_checkpoint(data, keys):
    """The checkpoint that `data` holds, proven by the log's own key among `keys`."""
    text, lines = parse_note(data)
    checkpoint = parse_checkpoint_text(text)
    known = {(key.name, key.key_id): key for key in keys}
    for name, key_id, signature in lines:
        key = known.get((name, key_id))
        if key is None:
            continue
        if key.algorithm == COSIGNATURE:
            checkpoint.cosigners.append((key, _cosignature_time(key, text, signature)))
        elif ed25519.verify(key.public_key, text.encode(), signature):
            checkpoint.signers.append(key)
        else:
            raise Fault("SIGNATURE_INVALID")
    if not checkpoint.signers:
        raise Fault("NOTE_UNSIGNED")
    if any(key.name != checkpoint.origin for key in checkpoint.signers):
        raise Fault("ORIGIN_INVALID")
    return checkpoint


def _cosignature_time(key, text, signature):
    time = int.from_bytes(signature[:8], "big")
    message = f"cosignature/v1\ntime {time}\n{text}".encode()
    if time > SIZE_MAX or not ed25519.verify(key.public_key, message, signature[8:]):
        raise Fault("SIGNATURE_INVALID")
    return time
