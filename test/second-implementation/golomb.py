"""Bits and Golomb codes, SPEC.md 7.2 and 7.3, and the codes of threes, 7.4.2."""

from fault import Fault

THREE_CODES = ("00", "010", "011", "100", "101", "110", "1110", "1111")
THREE_VALUES = {code: value for value, code in enumerate(THREE_CODES)}


def malformed():
    return Fault("REVOCATION_MALFORMED")


class Bits:
    """A string of bits that is read from the left."""

    def __init__(self, data):
        self.text = "".join(f"{byte:08b}" for byte in data)
        self.at = 0

    def need(self, size):
        if size > len(self.text) - self.at:
            raise malformed()

    def take(self, size):
        self.need(size)
        self.at += size
        return int(self.text[self.at - size : self.at] or "0", 2)

    def unary(self):
        zero = self.text.find("0", self.at)
        if zero < 0:
            raise malformed()
        value, self.at = zero - self.at, zero + 1
        return value

    def three(self):
        for size in (2, 3, 4):
            code = self.text[self.at : self.at + size]
            if code in THREE_VALUES:
                self.at += size
                return THREE_VALUES[code]
        raise malformed()

    def finish(self):
        """Only zeros may follow, and less than a byte of them."""
        rest = self.text[self.at :]
        if len(rest) >= 8 or "1" in rest:
            raise malformed()


class Golomb:
    """code(n, s) of SPEC.md 7.3."""

    def __init__(self, n, s):
        self.divisor = next(m for m in _divisors() if 3 * s + n <= 5 * n * m)
        self.width = self.divisor.bit_length() - 1
        self.short = 2 ** (self.width + 1) - self.divisor

    def read(self, bits):
        quotient = bits.unary()
        rest = bits.take(self.width)
        if rest >= self.short:
            rest = 2 * rest + bits.take(1) - self.short
        return quotient * self.divisor + rest

    def write(self, value):
        quotient, rest = divmod(value, self.divisor)
        width = self.width
        if rest >= self.short:
            rest, width = rest + self.short, width + 1
        return "1" * quotient + "0" + (f"{rest:0{width}b}" if width else "")

    def size(self, value):
        """How many bits the code of a value has."""
        quotient, rest = divmod(value, self.divisor)
        return quotient + 1 + self.width + (1 if rest >= self.short else 0)


def _divisors():
    """1, 2, 3, 4, 6, 8, 12, 16, ..."""
    yield 1
    power = 2
    while True:
        yield power
        yield power // 2 * 3
        power *= 2
