"""RFC 9497 with the suite ristretto255-SHA512 in the mode VOPRF, as SPEC.md 21.1 and 21.2 use it."""

from hashlib import sha512

import ristretto
from ed25519 import BASE, add
from ed25519 import L as ORDER

CONTEXT = b"OPRFV1-\x01-ristretto255-SHA512"
BLOCK_BYTES = 128
UNIFORM_BYTES = 64


def expand(message, label):
    """expand_message_xmd of RFC 9380 5.3.1, 64 bytes, which is one block of SHA-512."""
    suffix = label + bytes([len(label)])
    first = sha512(bytes(BLOCK_BYTES) + message + UNIFORM_BYTES.to_bytes(2, "big") + b"\0" + suffix).digest()
    return sha512(first + b"\1" + suffix).digest()


def to_scalar(message, label=b"HashToScalar-" + CONTEXT):
    return int.from_bytes(expand(message, label), "little") % ORDER


def to_group(message):
    return ristretto.from_uniform(expand(message, b"HashToGroup-" + CONTEXT))


def long(data):
    return len(data).to_bytes(2, "big") + data


def derive_key(seed, info):
    """Secret scalar and public key, of 32 bytes each."""
    for counter in range(256):
        secret = to_scalar(seed + long(info) + bytes([counter]), b"DeriveKeyPair" + CONTEXT)
        if secret != 0:
            public = ristretto.encode(ristretto.product(secret, BASE))
            return secret.to_bytes(32, "little"), public
    raise ValueError("no key comes of this seed")


def blind(data, scalar):
    return ristretto.encode(ristretto.product(scalar, to_group(data)))


def finalize(data, scalar, evaluated, blinded, public_key, proof):
    """The 64 bytes that an input comes to; None unless the proof holds for the public key."""
    elements = [ristretto.decode(part) for part in (public_key, blinded, evaluated)]
    if any(element is None or ristretto.is_identity(element) for element in elements):
        return None
    if not is_proven(*elements, proof):
        return None
    inverse = pow(scalar, -1, ORDER)
    unblinded = ristretto.encode(ristretto.product(inverse, elements[2]))
    return sha512(long(data) + long(unblinded) + b"Finalize").digest()


def is_proven(public_key, blinded, evaluated, proof):
    c, s = (int.from_bytes(half, "little") for half in (proof[:32], proof[32:]))
    if c >= ORDER or s >= ORDER:
        return False
    key, before, after = map(ristretto.encode, (public_key, blinded, evaluated))
    seed = sha512(long(key) + long(b"Seed-" + CONTEXT)).digest()
    weight = to_scalar(long(seed) + bytes(2) + long(before) + long(after) + b"Composite")
    m, z = ristretto.product(weight, blinded), ristretto.product(weight, evaluated)
    t2 = add(ristretto.product(s, BASE), ristretto.product(c, public_key))
    t3 = add(ristretto.product(s, m), ristretto.product(c, z))
    parts = b"".join(long(ristretto.encode(element)) for element in (m, z, t2, t3))
    return c == to_scalar(long(key) + parts + b"Challenge")
