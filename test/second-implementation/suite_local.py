"""Checks of local.json."""

import hashlib

import ed25519
import local_code
import local_profile
from cases import outcome


def check_profile(case):
    return local_profile.is_profile(case["profile"]), case["isProfile"]


def check_code(case):
    found = outcome(lambda: local_code.read(case["profile"], case["text"]))
    wanted = dict(case["expect"])
    if "fault" in found or "fault" in wanted:
        return found.get("fault"), wanted.get("fault")
    # In whatever words it is said.
    wanted["isFlawed"] = wanted.pop("flaw") is not None
    message, signature = bytes.fromhex(found["message"]), bytes.fromhex(found["signature"])
    named = signature if found["algorithm"] in ("EdDSA", "PS256") else signature[: len(signature) // 2]
    names = [named]
    if "id" in found["content"]:
        names.append(found["content"]["id"].encode())
    found["hashes"] = sorted(hashlib.sha256(one).digest()[:16].hex() for one in names)
    is_ed25519 = found["algorithm"] == "EdDSA"
    found["isGood"] = is_ed25519 and ed25519.verify(bytes.fromhex(case["publicKey"]), message, signature)
    return found, wanted


LOCAL = {"profiles": check_profile, "codes": check_code}
