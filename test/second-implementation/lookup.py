"""Numbers that are looked up, SPEC.md 21.1 to 21.4: keys of days, what an answer comes to, and the buckets of a table."""

from hashlib import sha256

import attestation
import chacha
import oblivious
from fault import Fault

NUMBER_BYTES_MAX = 512
ELEMENT_BYTES, PROOF_BYTES = 32, 64
ENTRY_BYTES, LOCATOR_BYTES, NONCE_BYTES, PLAIN_BYTES = 140, 16, 12, 96
STATUS = 0
"""The number of the field, SPEC.md 5.2."""


def place(region, network, day):
    return f"{region}.{network}\n".encode() + day.to_bytes(8, "big")


def key_pair(seed, region, network, day):
    return oblivious.derive_key(seed, b"entente/lookup-key/v1\n" + place(region, network, day))


def input_of(region, network, number):
    data = number.encode()
    if not 1 <= len(data) <= NUMBER_BYTES_MAX:
        raise malformed()
    return b"entente/lookup-input/v1\n" + f"{region}.{network}\n".encode() + data


def blinded(data, scalar):
    return oblivious.blind(data, int.from_bytes(scalar, "little"))


def finish(data, scalar, asked, evaluated, proof, public_key):
    """The number secret, once the answer is proven to be by the announced key."""
    if len(evaluated) != ELEMENT_BYTES or len(proof) != PROOF_BYTES:
        raise malformed()
    output = oblivious.finalize(data, int.from_bytes(scalar, "little"), evaluated, asked, public_key, proof)
    if output is None:
        raise Fault("LOOKUP_UNPROVEN")
    return sha256(b"entente/lookup-number/v1\n" + output).digest()


def in_table(secret, salt):
    """Locator and seal key."""
    locator = sha256(b"entente/lookup-locator/v1\n" + salt + secret).digest()[:LOCATOR_BYTES]
    return locator, sha256(b"entente/lookup-seal/v1\n" + salt + secret).digest()


def status_in(bucket, capacity, locator, key, at):
    """The encoded status of a number, or None where the bucket does not have it. `at`: the place of its day."""
    if len(bucket) != capacity * ENTRY_BYTES:
        raise malformed()
    for start in range(0, len(bucket), ENTRY_BYTES):
        entry = bucket[start : start + ENTRY_BYTES]
        if entry[:LOCATOR_BYTES] == locator:
            return opened(entry, key, b"entente/lookup-entry/v1\n" + at + locator)
    return None


def opened(entry, key, extra):
    nonce = entry[LOCATOR_BYTES : LOCATOR_BYTES + NONCE_BYTES]
    plain = chacha.open_sealed(key, nonce, entry[LOCATOR_BYTES + NONCE_BYTES :], extra)
    if plain is None or plain[0] >= PLAIN_BYTES or any(plain[1 + plain[0] :]):
        raise malformed()
    status = plain[1 : 1 + plain[0]]
    attestation.parse_field(STATUS, status)
    return status


def malformed():
    return Fault("LOOKUP_MALFORMED")
