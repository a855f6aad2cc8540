"""The group ristretto255 (RFC 9496) in plain integers, over the curve of ed25519.py: not fast, and not for secrets."""

from ed25519 import D, NEUTRAL, P, SQRT_MINUS_1, add, double

ONE_MINUS_D_SQUARED = (1 - D * D) % P
D_MINUS_ONE_SQUARED = (D - 1) ** 2 % P
SQRT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235
INVSQRT_A_MINUS_D = 54469307008909316920995813868745141605393597292927456921205312896311721017578


def _is_negative(value):
    return value % P & 1 == 1


def _absolute(value):
    return -value % P if _is_negative(value) else value % P


def _square_root_of_ratio(u, v):
    """Whether u/v is a square, and the root of it or of u/v times the root of -1."""
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    is_square, is_flipped = check == u % P, check == -u % P
    if is_flipped or check == -u * SQRT_MINUS_1 % P:
        r = r * SQRT_MINUS_1 % P
    return is_square or is_flipped, _absolute(r)


def decode(data):
    """The element that these 32 bytes encode, or None."""
    s = int.from_bytes(data, "little")
    if len(data) != 32 or s >= P or _is_negative(s):
        return None
    u1, u2 = (1 - s * s) % P, (1 + s * s) % P
    v = (-D * u1 * u1 - u2 * u2) % P
    is_square, root = _square_root_of_ratio(1, v * u2 * u2 % P)
    x = _absolute(2 * s * root * u2)
    y = u1 * root * root * u2 * v % P
    t = x * y % P
    if not is_square or _is_negative(t) or y == 0:
        return None
    return (x, y, 1, t)


def encode(element):
    x0, y0, z0, t0 = element
    u1, u2 = (z0 + y0) * (z0 - y0) % P, x0 * y0 % P
    _, root = _square_root_of_ratio(1, u1 * u2 * u2 % P)
    den1, den2 = root * u1 % P, root * u2 % P
    z_inverse = den1 * den2 * t0 % P
    x, y, den = x0, y0, den2
    if _is_negative(t0 * z_inverse):
        x, y, den = y0 * SQRT_MINUS_1 % P, x0 * SQRT_MINUS_1 % P, den1 * INVSQRT_A_MINUS_D % P
    if _is_negative(x * z_inverse):
        y = -y
    return _absolute(den * (z0 - y)).to_bytes(32, "little")


def is_identity(element):
    return encode(element) == bytes(32)


def from_uniform(data):
    """The element that 64 uniform bytes are mapped to."""
    return add(*(_mapped(int.from_bytes(half, "little") % 2**255 % P) for half in (data[:32], data[32:])))


def _mapped(t):
    r = SQRT_MINUS_1 * t * t % P
    u, v = (r + 1) * ONE_MINUS_D_SQUARED % P, (-1 - r * D) * (r + D) % P
    is_square, s = _square_root_of_ratio(u, v)
    if not is_square:
        s = -_absolute(s * t) % P
    c = -1 if is_square else r
    n = (c * (r - 1) * D_MINUS_ONE_SQUARED - v) % P
    w0, w1, w2, w3 = 2 * s * v % P, n * SQRT_AD_MINUS_ONE % P, (1 - s * s) % P, (1 + s * s) % P
    return (w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P)


def product(scalar, element):
    total = NEUTRAL
    for bit in reversed(range(scalar.bit_length())):
        total = double(total)
        if scalar >> bit & 1:
            total = add(total, element)
    return total
