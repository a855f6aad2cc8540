"""Reads a log, or has it witnessed, over HTTP, by the documents of C2SP alone: nothing here comes from the code under test.

Usage: python3 reader.py log <prefix of the log> <verifier key>...
       python3 reader.py witness <prefix of the log> <prefix of the witness> <verifier key>...
       python3 reader.py proof <file of a C2SP tlog-proof> <prefix of the log> <verifier key>...

Prints one JSON document. Ends with 1 and a word on stderr if something is not as the documents have it.
"""

import base64
import json
import re
import sys
import urllib.error
import urllib.request
from hashlib import sha256

sys.dont_write_bytecode = True  # The sources lie in a tree that is checked for leftovers.

from log import HASH, TIMEOUT_S, Log, root_of_path
from notes import COSIGNATURE, Refused, cosignature_time, open_checkpoint, parse_key, parse_lines


def read_log(prefix, keys):
    log = Log(prefix, keys)
    at = log.checkpoint
    return {
        "origin": at.origin,
        "size": at.size,
        "root": at.root.hex(),
        "tiles": log.tiles,
        "entries": sha256(b"".join(sha256(entry).digest() for entry in log.entries)).hexdigest(),
        "cosigned": [list(pair) for pair in at.cosigned],
    }


class Witness:
    """C2SP tlog-witness, as its client."""

    def __init__(self, prefix, keys):
        self.url = f"{prefix}/add-checkpoint"
        self.keys = [key for key in keys if key.algorithm == COSIGNATURE]

    def post(self, body):
        """Status, media type and body."""
        request = urllib.request.Request(self.url, data=body, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                return answer.status, answer.headers["content-type"], answer.read()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.headers["content-type"], refusal.read()

    def add(self, old, proof, note):
        lines = "".join(f"{base64.b64encode(hash_).decode()}\n" for hash_ in proof)
        return self.post(f"old {old}\n{lines}\n".encode() + note)

    def times(self, body, text):
        """When each of the known keys that answered vouches for the checkpoint."""
        known = {(key.name, key.id): key for key in self.keys}
        lines = [(known.get((name, key_id)), signature) for name, key_id, signature in parse_lines(body.decode())]
        return [cosignature_time(key, text, signature) for key, signature in lines if key is not None]


def witness_log(prefix, witness_prefix, keys):
    log, witness = Log(prefix, keys), Witness(witness_prefix, keys)
    size, note, text = log.checkpoint.size, log.checkpoint.note, log.checkpoint.text
    status, media_type, body = witness.add(0, [], note)
    known = 0
    if status == 409:
        if media_type != "text/x.tlog.size" or not re.fullmatch(rb"(0|[1-9][0-9]*)\n", body):
            raise Refused("409 has a size in a media type of its own")
        known = int(body)
        proof = log.tree.consistency(known) if 0 < known < size else []
        status, _, body = witness.add(known, proof, note)
    if status != 200:
        raise Refused(f"the witness answers {status}")
    times = witness.times(body, text)
    if not times:
        raise Refused("no line is by a known key of the witness")
    again = witness.add(size, [], note)
    other = log.tree.hash(0, size - 1)
    tampered = note.replace(base64.b64encode(log.checkpoint.root), base64.b64encode(other))
    elsewhere = note.replace(text.split("\n")[0].encode(), b"example.org/log")
    return {
        "from": known,
        "size": size,
        "times": times,
        "again": again[0] if not again[2] or witness.times(again[2], text) else "bad line",
        "late": witness.add(size - 1, log.tree.consistency(size - 1), note)[0],
        "lateSize": witness.add(size - 1, [], note)[2].decode(),
        "tooOld": witness.add(size + 1, [], note)[0],
        "proofOfNothing": witness.add(size, [other], note)[0],
        "tampered": witness.add(size, [], tampered)[0],
        "elsewhere": witness.add(0, [], elsewhere)[0],
        "malformed": witness.post(b"old 01\n\n" + note)[0],
    }


def check_proof(path, prefix, keys):
    """C2SP tlog-proof, of an entry that is read from the log: whoever has it needs no log."""
    with open(path, "rb") as file:
        head, _, note = file.read().partition(b"\n\n")
    header, *lines = head.decode("ascii").split("\n")
    place = re.fullmatch("index (0|[1-9][0-9]*)", lines[0] if lines else "")
    hashes = [base64.b64decode(line, validate=True) for line in lines[1:]]
    if header != "c2sp.org/tlog-proof@v1" or place is None or any(len(one) != HASH for one in hashes):
        raise Refused("not a proof of version 1")
    at, index = open_checkpoint(note, keys), int(place[1])
    entry = Log(prefix, keys).entries[index]
    if root_of_path(index, at.size, sha256(b"\x00" + entry).digest(), hashes) != at.root:
        raise Refused("the path leads to another root")
    return {"origin": at.origin, "index": index, "cosigned": [list(pair) for pair in at.cosigned]}


def main(command, *arguments):
    prefixes = 1 if command == "log" else 2
    keys = [parse_key(vkey) for vkey in arguments[prefixes:]]
    read = {"log": read_log, "witness": witness_log, "proof": check_proof}[command]
    try:
        print(json.dumps(read(*arguments[:prefixes], keys)))
    except (Refused, ValueError, UnicodeDecodeError, urllib.error.HTTPError) as refusal:
        print(f"refused: {refusal}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
