"""CBOR and COSE_Sign1 as others write them, SPEC.md 17.2. Maps are dicts."""

import math
import struct

import cbor
from fault import Fault

DEPTH_MAX = 16
INTEGER_MAX = 2**53 - 1
BREAK = 0xFF
FLOATS = {25: ">e", 26: ">f", 27: ">d"}
SIMPLE_VALUES = {20: False, 21: True, 22: None}
ALGORITHM, CRITICAL, KEY_ID = 1, 2, 4


def decode(data, bytes_max):
    if len(data) > bytes_max:
        raise Fault("TOO_LARGE")
    reader = _Reader(data)
    value = reader.item(DEPTH_MAX)
    if reader.at != len(data):
        raise Fault("CBOR_MALFORMED")
    return value


def sign1(data, bytes_max):
    """(protected header, other header, payload, message, signature) of a COSE_Sign1."""
    start = 2 if data[:2] == b"\xd8\x3d" else 0
    if data[start : start + 1] != b"\xd2":
        raise Fault("COSE_MALFORMED")
    parts = decode(data[start + 1 :], bytes_max)
    if not isinstance(parts, list) or len(parts) != 4:
        raise Fault("COSE_MALFORMED")
    protected, other, payload, signature = parts
    if not all(isinstance(one, bytes) for one in (protected, payload, signature)) or not isinstance(other, dict):
        raise Fault("COSE_MALFORMED")
    header = decode(protected, bytes_max) if protected else {}
    if not isinstance(header, dict) or CRITICAL in header:
        raise Fault("COSE_MALFORMED")
    message = cbor.encode(["Signature1", protected, b"", payload])
    return header, other, payload, message, signature


class _Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        if count > len(self.data) - self.at:
            raise Fault("CBOR_MALFORMED")
        self.at += count
        return self.data[self.at - count : self.at]

    def item(self, depth):
        first = self.take(1)[0]
        major, low = first >> 5, first & 0x1F
        if major == 7:
            return self.simple(low)
        argument = self.argument(major, low)
        if major == 0:
            return argument
        if major == 1:
            return -1 - argument
        if major == 2:
            return self.take(argument)
        if major == 3:
            try:
                return self.take(argument).decode()
            except UnicodeDecodeError as error:
                raise Fault("CBOR_MALFORMED") from error
        if depth == 0 or (major == 6 and argument > 1):
            raise Fault("CBOR_MALFORMED")
        if major == 6:
            return self.item(depth - 1)
        return self.list(argument, depth - 1) if major == 4 else self.map(argument, depth - 1)

    def simple(self, low):
        if low in SIMPLE_VALUES:
            return SIMPLE_VALUES[low]
        if low not in FLOATS:
            raise Fault("CBOR_MALFORMED")
        (value,) = struct.unpack(FLOATS[low], self.take(struct.calcsize(FLOATS[low])))
        if not math.isfinite(value):
            raise Fault("CBOR_MALFORMED")
        return value

    def argument(self, major, low):
        """None where the length of a list or map is left open."""
        if low < 24:
            return low
        if low == 31 and major in (4, 5):
            return None
        if low > 27:
            raise Fault("CBOR_MALFORMED")
        value = int.from_bytes(self.take(1 << low - 24), "big")
        if value > INTEGER_MAX - (major == 1):
            raise Fault("CBOR_MALFORMED")
        return value

    def goes_on(self, length, count):
        if length is not None:
            return count < length
        if self.data[self.at : self.at + 1] != bytes([BREAK]):
            return True
        self.at += 1
        return False

    def list(self, length, depth):
        items = []
        while self.goes_on(length, len(items)):
            items.append(self.item(depth))
        return items

    def map(self, length, depth):
        entries = {}
        while self.goes_on(length, len(entries)):
            name = self.item(0)
            is_name = isinstance(name, str) or (type(name) in (int, float) and name == int(name))
            if not is_name or name in entries:
                raise Fault("CBOR_MALFORMED")
            entries[name] = self.item(depth)
        return entries
