"""Checks of quorum.json and verdict.json."""

import cbor
import quorum
import verdict
from cases import expected, unhex
from policy import parse_policy

NETWORK = "demo"


def check_needed(case):
    return quorum.needed(case["w"]), case["needed"]


def check_assessment(case):
    found = trust_of(case).assess(case["issuer"], case["now"])
    said = {"witnesses": counts(found), "age": found.age, "silence": found.silence}
    if found.age is not None:
        said["keyFit"] = found.is_key_fit
    # A case without an age must not say whether a key was fit.
    return said, {key: case[key] for key in ("witnesses", "age", "silence", "keyFit") if key in case}


def check_verdict(case):
    found = verdict.verify(case["text"], trust_of(case), context_of(case["context"]), case["now"])
    said = {"outcome": found.outcome, "reasons": sorted(found.reasons)}
    if found.fault is not None:
        said["fault"] = found.fault
    if found.status is not None:
        said["colour"] = found.status["colour"]
        if "until" in found.status:
            said["measure"] = [found.status["measure"], found.status["until"]]
        if found.grade is not None:
            said["grade"] = found.grade
    said["knowledge"] = [[name, one.age, one.silence, counts(one)] for name, one in found.knowledge]
    return said, expected(case, "expect")["expect"]


def counts(assessment):
    return [assessment.counted, assessment.needed, assessment.witnesses]


def trust_of(case):
    policy = parse_policy(case["policy"]) if "policy" in case else None
    return quorum.Trust(case["home"], NETWORK, map(region_of, case["regions"]), policy)


def region_of(case):
    return quorum.Region(
        case["region"],
        unhex(case, "fingerprint"),
        {key_id: key_of(key) for key_id, key in case["keys"].items()},
        {name: recognition_of(one) for name, one in case["recognitions"].items()},
        case["logs"],
        [*case["revoked"].items(), *case["revokedBeside"].items()],
        case["signedBy"],
        case["cosignatures"],
        case["standing"],
        [(case["region"], key_id, time) for key_id, time in case.get("ownBefore", [])],
        frozenset(case.get("foreignRevoked", [])),
        tuple((one["from"], one["until"], cbor.decode(unhex(one, "data"))) for one in case.get("adapters", [])),
    )


def key_of(case):
    cutoffs = None
    if "cutoffs" in case:
        cutoffs = {log: (one["size"], unhex(one, "root")) for log, one in case["cutoffs"].items()}
    return quorum.Key(unhex(case, "publicKey"), case["role"], case["from"], case["until"], cutoffs)


def recognition_of(case):
    if case["standing"] == "withdrawn":
        return quorum.Recognition("withdrawn", None, None, None, 0, 0)
    fingerprint = unhex(case, "fingerprint")
    window = (case["from"], case["until"])
    return quorum.Recognition(case["standing"], fingerprint, case["way"], case["rules"], *window, case.get("via"))


def context_of(case):
    return verdict.Context(
        case["mode"],
        case["grade"],
        case.get("knowledgeAge"),
        case.get("silence"),
        unhex(case, "challenge") if "challenge" in case else None,
        unhex(case, "documentHash") if "documentHash" in case else None,
        [(one["log"], one["index"], one["size"], *unhex(one, "leafHash", "path")) for one in case.get("proofs", [])],
    )


QUORUM = {"needed": check_needed, "assessments": check_assessment}
VERDICT = {"verdicts": check_verdict}
