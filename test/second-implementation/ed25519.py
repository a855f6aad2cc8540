"""Strict cofactorless Ed25519, SPEC.md 3, in plain integers: not fast, and not for secrets."""

from functools import lru_cache
from hashlib import sha256, sha512

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_1 = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)
REMEMBERED = 4_096
"""Answers: the logs of the vectors have many entries in common."""


def key_id(public_key):
    return sha256(b"entente/key/v1\n" + public_key).digest()[:8]


@lru_cache(REMEMBERED)
def verify(public_key, message, signature):
    """True if and only if the five conditions of SPEC.md 3 hold."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    r_bytes, s = signature[:32], int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    a, r = decode_point(public_key), decode_point(r_bytes)
    if a is None or r is None or has_small_order(a) or has_small_order(r):
        return False
    k = int.from_bytes(sha512(r_bytes + public_key + message).digest(), "little") % L
    return encode_point(_two_products(s, BASE_TABLE, k, _table(negate(a)))) == r_bytes


@lru_cache(REMEMBERED)
def is_admissible(public_key):
    """Canonical, not of small order and torsion-free: what a statement may name (SPEC.md 8.3, rule 4)."""
    point = decode_point(public_key) if len(public_key) == 32 else None
    if point is None or has_small_order(point):
        return False
    return is_neutral(_two_products(L, _table(point), 0, BASE_TABLE))


def decode_point(data):
    """The point in extended coordinates (X, Y, Z, T), or None if the encoding is not canonical."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    numerator, denominator = (y * y - 1) % P, (D * y * y + 1) % P
    x = numerator * pow(denominator, 3, P) * pow(numerator * pow(denominator, 7, P), (P - 5) // 8, P) % P
    if denominator * x * x % P == (-numerator) % P:
        x = x * SQRT_MINUS_1 % P
    if denominator * x * x % P != numerator:
        return None
    if x == 0 and sign == 1:
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def encode_point(point):
    x, y, z, _ = point
    inverse = pow(z, -1, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def is_neutral(point):
    x, y, z, _ = point
    return x % P == 0 and (y - z) % P == 0


def has_small_order(point):
    return is_neutral(double(double(double(point))))


def negate(point):
    x, y, z, t = point
    return (-x % P, y, z, -t % P)


def add(left, right):
    x1, y1, z1, t1 = left
    x2, y2, z2, t2 = right
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * D * t1 * t2 % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def double(point):
    x, y, z, _ = point
    a, b, c = x * x % P, y * y % P, 2 * z * z % P
    h = a + b
    e, g = h - (x + y) * (x + y), a - b
    f = c + g
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _table(point):
    """The multiples of a point from 0 to 15."""
    multiples = [NEUTRAL]
    for _ in range(15):
        multiples.append(add(multiples[-1], point))
    return multiples


def _two_products(m, m_table, n, n_table):
    """[m]M + [n]N, four bits of both numbers at a time. Numbers are below 2^256."""
    total = NEUTRAL
    for shift in range(252, -1, -4):
        for _ in range(4):
            total = double(total)
        for number, table in ((m, m_table), (n, n_table)):
            digit = number >> shift & 15
            if digit:
                total = add(total, table[digit])
    return total


BASE = decode_point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
BASE_TABLE = _table(BASE)
