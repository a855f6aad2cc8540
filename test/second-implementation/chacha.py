"""ChaCha20-Poly1305, RFC 8439, to open what is sealed."""

from hmac import compare_digest
from struct import pack, unpack

WORD = 2**32 - 1
TAG_BYTES = 16
POLY_PRIME = 2**130 - 5


def open_sealed(key, nonce, sealed, extra):
    """What was sealed, or None where it is not of this key, nonce and extra data."""
    data, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
    said = padded(extra) + padded(data) + pack("<QQ", len(extra), len(data))
    if not compare_digest(tag, poly1305(block(key, 0, nonce)[:32], said)):
        return None
    stream = b"".join(block(key, 1 + at, nonce) for at in range(-(-len(data) // 64)))
    return bytes(byte ^ mask for byte, mask in zip(data, stream))


def padded(data):
    return data + bytes(-len(data) % 16)


def block(key, counter, nonce):
    start = [*unpack("<4I", b"expand 32-byte k"), *unpack("<8I", key), counter, *unpack("<3I", nonce)]
    state = list(start)
    for _ in range(10):
        for at in range(4):
            quarter(state, at, at + 4, at + 8, at + 12)
        for at in range(4):
            quarter(state, at, (at + 1) % 4 + 4, (at + 2) % 4 + 8, (at + 3) % 4 + 12)
    return pack("<16I", *((word + first) & WORD for word, first in zip(state, start)))


def quarter(state, a, b, c, d):
    for left, right, other, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        state[left] = (state[left] + state[right]) & WORD
        mixed = state[other] ^ state[left]
        state[other] = (mixed << bits | mixed >> (32 - bits)) & WORD


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(data), 16):
        total = (total + int.from_bytes(data[at : at + 16] + b"\1", "little")) * r % POLY_PRIME
    return ((total + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")
