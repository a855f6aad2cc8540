"""Checks of code.json."""

import attestation
import code_text
import merkle
from cases import expected, outcome, unhex


def check_code(case):
    return outcome(lambda: read_code(case)), case["expect"]


def read_code(case):
    code = code_text.parse_code(case["text"])
    claims = code.attestation
    found = {
        "region": claims.region,
        "log": claims.log,
        "index": claims.index,
        "hour": claims.hour,
        "commitment": claims.commitment.hex(),
        "keyId": claims.key_id.hex(),
        "attestation": claims.data.hex(),
        "leaf": merkle.leaf_hash(claims.data).hex(),
        "message": claims.message(case["network"]).hex(),
        "signature": claims.signature.hex(),
        "signatureGood": code.is_signed_by(unhex(case, "publicKey"), case["network"]),
        "status": code.fields[0],
    }
    if 1 in code.fields:
        found["holderKey"] = code.fields[1].hex()
    if 2 in code.fields:
        found["document"] = {"salt": code.salts[2].hex(), "hash": code.fields[2].hex()}
    if 3 in code.fields:
        found["evidence"] = code.fields[3].hex()
    if code.presentation is not None:
        found["presentation"] = {
            "step": code.presentation.step,
            "challenge": code.presentation.challenge.hex(),
            "message": code.presentation.message(claims.data).hex(),
            "signature": code.presentation.signature.hex(),
            "signatureGood": code.is_presented_by_holder(),
        }
    return found


def check_commitment(case):
    leaves = []
    for number, part in enumerate(case["fields"]):
        if "leaf" in part:
            leaves.append(unhex(part, "leaf"))
        else:
            leaves.append(attestation.field_leaf(number, b"".join(unhex(part, "salt", "value"))))
    return {"commitment": attestation.commitment_of(leaves).hex()}, expected(case, "commitment")


def check_padding(case):
    secret = unhex(case, "secret")
    commitment = attestation.padding_commitment(secret)
    return {"commitment": None if commitment is None else commitment.hex()}, expected(case, "commitment")


def check_document(case):
    hash_ = attestation.document_hash(case["country"], case["number"], unhex(case, "salt"))
    return {"hash": None if hash_ is None else hash_.hex()}, expected(case, "hash")


def check_grade(case):
    presentation = code_text.Presentation(case["step"], unhex(case, "challenge"), b"")
    given = None if case["given"] is None else unhex(case, "given")
    return {"grade": code_text.grade_of(presentation, given, case["now"])}, expected(case, "grade")


CODE = {
    "codes": check_code,
    "commitments": check_commitment,
    "padding": check_padding,
    "documents": check_document,
    "grades": check_grade,
}
