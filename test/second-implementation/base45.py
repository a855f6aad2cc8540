"""Base45, SPEC.md 2.2."""

from fault import Fault

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
DIGITS = {character: digit for digit, character in enumerate(ALPHABET)}


def encode(data):
    text = []
    for start in range(0, len(data), 2):
        pair = data[start : start + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            number, digit = divmod(number, 45)
            text.append(ALPHABET[digit])
    return "".join(text)


def decode(text, characters_max):
    if len(text) > characters_max:
        raise Fault("TOO_LARGE")
    data = bytearray()
    for start in range(0, len(text), 3):
        group = text[start : start + 3]
        number = 0
        for place, character in enumerate(group):
            if character not in DIGITS:
                raise Fault("BASE45_MALFORMED", start + place)
            number += DIGITS[character] * 45**place
        size = len(group) - 1
        if size == 0 or number >= 256**size:
            raise Fault("BASE45_MALFORMED", start)
        data += number.to_bytes(size, "big")
    return bytes(data)
