"""Signed notes, checkpoints and cosignatures as C2SP signed-note, tlog-checkpoint and tlog-cosignature have them."""

import base64
import re
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

# The arithmetic of the curve alone comes from elsewhere: no document of C2SP says how Ed25519 is computed.
sys.path.append(str(Path(__file__).parent.parent / "second-implementation"))
import ed25519  # noqa: E402

ED25519, COSIGNATURE = 0x01, 0x04
EM_DASH = "\u2014"


class Refused(Exception):
    """What was read is not what the documents ask for."""


@dataclass(frozen=True)
class Key:
    name: str
    id: bytes
    algorithm: int
    public: bytes


@dataclass(frozen=True)
class Checkpoint:
    note: bytes
    text: str
    origin: str
    size: int
    root: bytes
    cosigned: tuple
    """Pairs (name of the witness, time in seconds)."""


def parse_key(vkey):
    """A verifier key: <name>+<hex of the key id>+<base64 of algorithm and key>."""
    name, digits, encoded = vkey.split("+", 2)
    typed = base64.b64decode(encoded, validate=True)
    key_id = sha256(name.encode() + b"\n" + typed).digest()[:4]
    if digits != key_id.hex():
        raise Refused(f"the key id of {name} is not that of its key")
    return Key(name, key_id, typed[0], typed[1:])


def parse_note(data):
    """Text and signature lines, which part at the last empty line."""
    note = data.decode("utf-8", errors="strict")
    if re.search("[\x00-\x09\x0b-\x1f]", note) or not note.endswith("\n"):
        raise Refused("a note has no control characters and ends in a newline")
    text, separator, block = note.rpartition("\n\n")
    if not separator:
        raise Refused("a note has an empty line before its signatures")
    return text + "\n", parse_lines(block)


def parse_lines(block):
    """Triples (name, key id, signature)."""
    if not block.endswith("\n"):
        raise Refused("a signature line ends in a newline")
    lines = []
    for line in block[:-1].split("\n"):
        dash, name, encoded = line.split(" ")
        data = base64.b64decode(encoded, validate=True)
        if dash != EM_DASH or len(data) < 5 or base64.b64encode(data).decode() != encoded:
            raise Refused("not a signature line")
        lines.append((name, data[:4], data[4:]))
    return lines


def open_checkpoint(data, keys):
    """The checkpoint, once a known log key has signed it and no line of a known key is bad."""
    text, lines = parse_note(data)
    match = re.fullmatch("([^\n]+)\n(0|[1-9][0-9]*)\n([^\n]+)\n((?:[^\n]+\n)*)", text)
    if match is None:
        raise Refused("a checkpoint has origin, size and root")
    origin, size, root = match[1], int(match[2]), base64.b64decode(match[3], validate=True)
    is_signed, cosigned = False, []
    for name, key_id, signature in lines:
        key = next((one for one in keys if (one.name, one.id) == (name, key_id)), None)
        if key is None:
            continue
        if key.algorithm == COSIGNATURE:
            cosigned.append((name, cosignature_time(key, text, signature)))
        elif ed25519.verify(key.public, text.encode(), signature):
            is_signed = is_signed or name == origin
        else:
            raise Refused(f"the signature of {name} is not good")
    if not is_signed:
        raise Refused(f"{origin} has not signed this")
    return Checkpoint(data, text, origin, size, root, tuple(cosigned))


def cosignature_time(key, text, signature):
    """cosignature/v1: eight bytes of time, and a signature over that and the whole text."""
    time = int.from_bytes(signature[:8], "big")
    message = f"cosignature/v1\ntime {time}\n{text}".encode()
    if len(signature) != 72 or not ed25519.verify(key.public, message, signature[8:]):
        raise Refused(f"the cosignature of {key.name} is not good")
    return time
