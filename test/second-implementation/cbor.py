"""Deterministic CBOR, SPEC.md 2.1. Maps are dicts, byte strings bytes, text str, arrays lists."""

from fault import Fault

INTEGER_MAX = 2**53 - 1
DEPTH_MAX = 16
BYTES_MAX = 65_535

UINT, NEGATIVE, BYTES, TEXT, ARRAY, MAP, _TAG, SIMPLE = range(8)
SIMPLE_VALUES = {0xF4: False, 0xF5: True, 0xF6: None}


def is_uint(value, maximum=INTEGER_MAX):
    """`True` is an integer for Python, but not for CBOR."""
    return type(value) is int and 0 <= value <= maximum


def is_bytes(value, least, most=None):
    return isinstance(value, bytes) and least <= len(value) <= (least if most is None else most)


def encode(value):
    if value is None or isinstance(value, bool):
        return bytes([0xF6 if value is None else 0xF5 if value else 0xF4])
    if isinstance(value, int):
        return _head(UINT, value) if value >= 0 else _head(NEGATIVE, -1 - value)
    if isinstance(value, bytes):
        return _head(BYTES, len(value)) + value
    if isinstance(value, str):
        data = value.encode()
        return _head(TEXT, len(data)) + data
    if isinstance(value, list):
        return _head(ARRAY, len(value)) + b"".join(map(encode, value))
    pairs = sorted((encode(key), encode(item)) for key, item in value.items())
    return _head(MAP, len(pairs)) + b"".join(key + item for key, item in pairs)


def _head(major, argument):
    if argument < 24:
        return bytes([major << 5 | argument])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 256**size:
            return bytes([major << 5 | info]) + argument.to_bytes(size, "big")
    raise ValueError("beyond 64 bits")


def decode(data, bytes_max=BYTES_MAX):
    if len(data) > bytes_max:
        raise Fault("TOO_LARGE")
    decoder = _Decoder(data)
    value = decoder.item(0)
    if decoder.at != len(data):
        raise Fault("CBOR_MALFORMED", decoder.at)
    return value


class _Decoder:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def item(self, depth):
        """The item that starts here; `depth` containers are around it."""
        start = self.at
        if start >= len(self.data):
            raise Fault("CBOR_MALFORMED", start)
        major, info = self.data[start] >> 5, self.data[start] & 31
        if major == SIMPLE:
            if self.data[start] not in SIMPLE_VALUES:
                raise Fault("CBOR_MALFORMED", start)
            self.at += 1
            return SIMPLE_VALUES[self.data[start]]
        if info == 31 and BYTES <= major <= MAP:
            raise Fault("CBOR_NOT_CANONICAL", start)
        if major > MAP or info > 27:
            raise Fault("CBOR_MALFORMED", start)
        argument = self._argument(info)
        if major == UINT:
            return self._integer(argument, start)
        if major == NEGATIVE:
            return self._integer(-1 - argument, start)
        if major in (ARRAY, MAP) and depth == DEPTH_MAX:
            raise Fault("CBOR_MALFORMED", start)
        if argument * (2 if major == MAP else 1) > len(self.data) - self.at:
            raise Fault("CBOR_MALFORMED", start)
        if major == ARRAY:
            return [self.item(depth + 1) for _ in range(argument)]
        if major == MAP:
            return self._map(argument, depth + 1)
        content = self.data[self.at : self.at + argument]
        self.at += argument
        return content if major == BYTES else self._text(content, start)

    def _argument(self, info):
        start = self.at
        self.at += 1
        if info < 24:
            return info
        size = 1 << (info - 24)
        content = self.data[self.at : self.at + size]
        if len(content) < size:
            raise Fault("CBOR_MALFORMED", start)
        self.at += size
        argument = int.from_bytes(content, "big")
        if argument < (24 if size == 1 else 256 ** (size // 2)):
            raise Fault("CBOR_NOT_CANONICAL", start)
        return argument

    def _integer(self, value, start):
        if abs(value) > INTEGER_MAX:
            raise Fault("CBOR_MALFORMED", start)
        return value

    def _text(self, content, start):
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise Fault("CBOR_MALFORMED", start) from None

    def _map(self, size, depth):
        entries = {}
        kind, before = None, b""
        for _ in range(size):
            start = self.at
            key = self.item(depth)
            if not (isinstance(key, str) or is_uint(key)) or key == "__proto__" or kind not in (None, type(key)):
                raise Fault("CBOR_MALFORMED", start)
            encoded = self.data[start : self.at]
            if kind is not None and encoded <= before:
                raise Fault("CBOR_NOT_CANONICAL", start)
            kind, before = type(key), encoded
            entries[key] = self.item(depth)
        return entries
