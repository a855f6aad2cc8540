"""Checks of log.json."""

import merkle
import note
import policy
import tiles
from cases import expected, outcome, unhex
from names import parse_origin


def check_origin(case):
    return outcome(lambda: {"origin": parse_origin(case["text"])}), expected(case, "origin")


def check_tile_path(case):
    return outcome(lambda: {"tile": tiles.parse_path(case["path"])}), expected(case, "tile")


def check_inclusion(case):
    leaf, path, root = unhex(case, "leafHash", "path", "root")
    found = outcome(lambda: merkle.verify_inclusion(case["index"], case["size"], leaf, path, root) or {})
    return found, expected(case)


def check_consistency(case):
    old_root, new_root, path = unhex(case, "oldRoot", "newRoot", "path")
    sizes = case["oldSize"], case["newSize"]
    return outcome(lambda: merkle.verify_consistency(*sizes, old_root, new_root, path) or {}), expected(case)


def check_bundle(case):
    bundle, tile = unhex(case, "bundle", "tile")
    found = outcome(lambda: {"entries": [entry.hex() for entry in tiles.parse_bundle(bundle, tile)]})
    return found, expected(case, "entries")


def check_verifier_key(case):
    return outcome(lambda: {"key": read_verifier_key(case["text"])}), expected(case, "key")


def read_verifier_key(text):
    key = note.parse_verifier_key(text)
    return {
        "name": key.name,
        "keyId": key.key_id.hex(),
        "algorithm": key.algorithm,
        "publicKey": key.public_key.hex(),
    }


def check_checkpoint(case):
    return outcome(lambda: {"opened": read_checkpoint(case)}), expected(case, "opened")


def read_checkpoint(case):
    data = unhex(case, "noteBytes") if "noteBytes" in case else case["note"].encode()
    checkpoint = note.open_checkpoint(data, list(map(note.parse_verifier_key, case["keys"])))
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "signers": [key.name for key in checkpoint.signers],
        "cosigners": [[key.name, time] for key, time in checkpoint.cosigners],
    }


def check_policy(case):
    return outcome(lambda: {"sets": read_policy(case)}), expected(case, "sets")


def read_policy(case):
    rules = policy.parse_policy(case["policy"])
    cosigners = [one["cosigners"] for one in case.get("sets", [])]
    return [{"cosigners": keys, "met": rules.is_met(set(map(bytes.fromhex, keys)))} for keys in cosigners]


def check_proof(case):
    rules = policy.parse_policy(case["policy"])
    entry = unhex(case, "entry")
    return outcome(lambda: {"proven": policy.verify_proof(case["proof"], entry, rules)}), expected(case, "proven")


LOG = {
    "origins": check_origin,
    "tilePaths": check_tile_path,
    "inclusion": check_inclusion,
    "consistency": check_consistency,
    "bundles": check_bundle,
    "verifierKeys": check_verifier_key,
    "checkpoints": check_checkpoint,
    "policies": check_policy,
    "proofs": check_proof,
}
