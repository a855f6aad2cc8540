"""Evidence, SPEC.md 18: words of a region that contradict each other."""

from dataclasses import dataclass

import attestation
import cbor
import ed25519
import lookup_head
import merkle
import names
import note
import statement
import trust
from fault import Fault
from note import COSIGNATURE, NOTE_BYTES_MAX, SIGNATURE
from statement import ENTRY_BYTES_MAX, HOUR

FORMAT = 1
BYTES_MAX = 262_144
GROUNDS_MAX = 2
STATEMENTS_MAX = 64
HASH_BYTES = 32


@dataclass(frozen=True)
class Ground:
    """A region, its first root as its log has it, and the keys that its roots named, by their ids."""

    region: str
    network: str
    root: bytes
    keys: dict

    def of_role(self, role, name, algorithm):
        named = [key for key in self.keys.values() if key["role"] == role]
        return [note.verifier_key(name, algorithm, key["key"]) for key in named]

    def log_keys(self, origin):
        parsed = names.parse_origin(origin)
        if (parsed["region"], parsed["network"]) != (self.region, self.network):
            raise Fault("ORIGIN_INVALID")
        return self.of_role("checkpoint", origin, SIGNATURE)

    def witness_keys(self):
        return self.of_role("witness", f"{self.region}.{self.network}/witness", COSIGNATURE)

    def is_in_force(self, id_, role, time):
        key = self.keys.get(id_)
        return key is not None and key["role"] == role and key["from"] <= time < key["until"]

    def good_attestation(self, data):
        read = attestation.parse_attestation(data)
        if read.region != self.region or not self.is_in_force(read.key_id, "attest", HOUR * read.hour):
            raise unfounded()
        if not ed25519.verify(self.keys[read.key_id]["key"], read.message(self.network), read.signature):
            raise Fault("SIGNATURE_INVALID")
        return read

    def good_head(self, data):
        head = lookup_head.open_head(data)
        is_of_region = (head.said["region"], head.said["network"]) == (self.region, self.network)
        if not is_of_region or not self.is_in_force(ed25519.key_id(head.key), "trust-log", head.said["at"]):
            raise unfounded()
        return head


def unfounded():
    return Fault("EVIDENCE_UNFOUNDED")


def malformed():
    return Fault("EVIDENCE_MALFORMED")


def parse_evidence(data):
    if len(data) > BYTES_MAX:
        raise Fault("TOO_LARGE")
    try:
        value = cbor.decode(data, BYTES_MAX)
    except Fault:
        raise malformed() from None
    if not isinstance(value, dict) or value.get("kind") not in FORMS or value.get("format") != FORMAT:
        raise malformed()
    members = FORMS[value["kind"]] | {"kind": lambda _: True, "format": cbor.is_uint, "grounds": is_grounds}
    if not statement.map_of(**members)(value):
        raise malformed()
    return value


def is_note(value):
    return cbor.is_bytes(value, 0, NOTE_BYTES_MAX)


def is_entry(value):
    return cbor.is_bytes(value, 0, ENTRY_BYTES_MAX)


def is_hash(value):
    return cbor.is_bytes(value, HASH_BYTES)


def is_path(value):
    return cbor.is_bytes(value, 0, merkle.PATH_MAX * HASH_BYTES) and len(value) % HASH_BYTES == 0


def is_grounds(value):
    statements = statement.list_of(1, STATEMENTS_MAX, is_entry)
    return statement.list_of(1, GROUNDS_MAX, statements)(value)


def pair_of(is_good):
    return statement.list_of(2, 2, is_good)


SIDE = {"note": is_note, "root": is_hash, "path": is_path}
SIDES = pair_of(statement.map_of(**SIDE))
ROOTED_SIDES = pair_of(statement.map_of(**SIDE, firstPath=is_path))
FORMS = {
    "fork": {"size": statement.positive, "sides": SIDES},
    "cosignatures": {"witness": statement.name_of(names.REGION), "size": statement.positive, "sides": ROOTED_SIDES},
    "leaf": {"attestation": is_entry, "note": is_note, "leafHash": is_hash, "path": is_path},
    "index": {"attestations": pair_of(is_entry)},
    "hours": {"note": is_note, "entries": pair_of(statement.map_of(attestation=is_entry, path=is_path))},
    "entry": {"note": is_note, "index": cbor.is_uint, "entry": is_entry, "path": is_path},
    "tables": {"heads": pair_of(lookup_head.is_head)},
}


def hashes(path):
    return [path[at : at + HASH_BYTES] for at in range(0, len(path), HASH_BYTES)]


def verify(data, pins):
    """What the evidence proves to a reader who knows these fingerprints, by region."""
    value = parse_evidence(data)
    grounds = [ground_of(statements, pins) for statements in value["grounds"]]
    if any(before.region >= after.region for before, after in zip(grounds, grounds[1:])):
        raise malformed()
    kind = value["kind"]
    if kind == "cosignatures":
        return prove_cosignatures(value, grounds)
    if len(grounds) != 1:
        raise malformed()
    return PROVERS[kind](value, grounds[0])


def ground_of(statements, pins):
    entries = list(map(statement.parse_entry, statements))
    first = entries[0].said
    if entries[0].kind != "root" or any(entry.kind not in ("root", "keys") for entry in entries):
        raise malformed()
    region, network = first["region"], first["network"]
    state, findings = trust.fold(f"{region}.{network}/trust", statements)
    if findings:
        raise Fault(findings[0][1])
    if statement.fingerprint(entries[0].body).hex() != pins.get(region):
        raise Fault("PIN_MISMATCH")
    named = [key for entry in entries if entry.kind == "keys" for key in entry.said["keys"]]
    return Ground(region, network, statements[0], {ed25519.key_id(key["key"]): key for key in named})


def origin_of(data):
    return note.parse_checkpoint_text(note.parse_note(data)[0]).origin


def ids(keys):
    return [ed25519.key_id(key.public_key).hex() for key in keys]


def proven(kind, ground, origin, at, words, *checkpoints):
    trees = [[checkpoint.size, checkpoint.root.hex()] for checkpoint in checkpoints]
    found = {"kind": kind, "region": ground.region, "origin": origin, "at": at, "words": words}
    return found | {"checkpoints": trees}


def two_trees(value, keys):
    """The checkpoints of both sides, whose trees differ."""
    opened = []
    for side in value["sides"]:
        checkpoint = note.open_checkpoint(side["note"], keys)
        merkle.verify_consistency(
            value["size"], checkpoint.size, side["root"], checkpoint.root, hashes(side["path"])
        )
        opened.append(checkpoint)
    if opened[0].origin != opened[1].origin:
        raise Fault("ORIGIN_INVALID")
    if value["sides"][0]["root"] == value["sides"][1]["root"]:
        raise unfounded()
    return opened


def prove_fork(value, ground):
    origin = origin_of(value["sides"][0]["note"])
    opened = two_trees(value, ground.log_keys(origin))
    words = [ids(checkpoint.signers) for checkpoint in opened]
    return proven("fork", ground, origin, value["size"], words, *opened)


def prove_cosignatures(value, grounds):
    origin = origin_of(value["sides"][0]["note"])
    by_region = {ground.region: ground for ground in grounds}
    parsed = names.parse_origin(origin)
    regions = {parsed["region"], value["witness"]}
    if by_region.keys() != regions or len({ground.network for ground in grounds}) != 1:
        raise malformed()
    if parsed["kind"] != "trust":
        raise unfounded()
    log, witness = by_region[parsed["region"]], by_region[value["witness"]]
    opened = two_trees(value, log.log_keys(origin) + witness.witness_keys())
    for checkpoint, side in zip(opened, value["sides"]):
        leaf_under(checkpoint, 0, merkle.leaf_hash(log.root), side["firstPath"])
    words = []
    for checkpoint in opened:
        good = [
            key
            for key, time in checkpoint.cosigners
            if witness.is_in_force(ed25519.key_id(key.public_key), "witness", time)
        ]
        words.append(ids(good))
    if not all(words):
        raise unfounded()
    return proven("cosignatures", witness, origin, value["size"], words, *opened)


def leaf_under(checkpoint, index, leaf, path):
    merkle.verify_inclusion(index, checkpoint.size, leaf, hashes(path), checkpoint.root)


def prove_leaf(value, ground):
    read = ground.good_attestation(value["attestation"])
    origin = f"{ground.region}.{ground.network}/attest/{read.log}"
    checkpoint = note.open_checkpoint(value["note"], ground.log_keys(origin))
    leaf_under(checkpoint, read.index, value["leafHash"], value["path"])
    if value["leafHash"] == merkle.leaf_hash(read.data):
        raise unfounded()
    return proven("leaf", ground, origin, read.index, [[read.key_id.hex()], ids(checkpoint.signers)], checkpoint)


def prove_index(value, ground):
    first, second = map(ground.good_attestation, value["attestations"])
    differs = (first.hour, first.commitment) != (second.hour, second.commitment)
    if (first.log, first.index) != (second.log, second.index) or not differs:
        raise unfounded()
    origin = f"{ground.region}.{ground.network}/attest/{first.log}"
    return proven("index", ground, origin, first.index, [[first.key_id.hex()], [second.key_id.hex()]])


def is_of(read, origin):
    parsed = names.parse_origin(origin)
    return parsed["kind"] == "attest" and (read.region, read.log) == (parsed["region"], parsed["log"])


def prove_hours(value, ground):
    origin = origin_of(value["note"])
    checkpoint = note.open_checkpoint(value["note"], ground.log_keys(origin))
    both = []
    for placed in value["entries"]:
        read = attestation.parse_attestation(placed["attestation"])
        if not is_of(read, origin):
            raise unfounded()
        leaf_under(checkpoint, read.index, merkle.leaf_hash(read.data), placed["path"])
        both.append(read)
    first, second = both
    if first.index >= second.index or first.hour <= second.hour:
        raise unfounded()
    return proven("hours", ground, origin, second.index, [ids(checkpoint.signers)], checkpoint)


def prove_entry(value, ground):
    origin = origin_of(value["note"])
    checkpoint = note.open_checkpoint(value["note"], ground.log_keys(origin))
    leaf_under(checkpoint, value["index"], merkle.leaf_hash(value["entry"]), value["path"])
    if names.parse_origin(origin)["kind"] != "attest" or is_for_place(value, origin):
        raise unfounded()
    return proven("entry", ground, origin, value["index"], [ids(checkpoint.signers)], checkpoint)


def is_for_place(value, origin):
    try:
        read = attestation.parse_attestation(value["entry"])
    except Fault:
        return False
    return is_of(read, origin) and read.index == value["index"]


def prove_tables(value, ground):
    first, second = map(ground.good_head, value["heads"])
    is_of_one = (first.said["day"], first.minute) == (second.said["day"], second.minute)
    if not is_of_one or first.table == second.table:
        raise unfounded()
    words = [[ed25519.key_id(head.key).hex()] for head in (first, second)]
    return proven("tables", ground, f"{ground.region}.{ground.network}/trust", first.minute, words)


PROVERS = {
    "fork": prove_fork,
    "leaf": prove_leaf,
    "index": prove_index,
    "hours": prove_hours,
    "entry": prove_entry,
    "tables": prove_tables,
}
