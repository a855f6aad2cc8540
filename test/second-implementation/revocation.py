"""Reading coded sets of indexes, SPEC.md 7. A set is a list of runs (first, last), ascending and apart."""

from fault import Fault
from golomb import Bits, Golomb, malformed
from revocation_encode import GAPS, RUNS, THREES, best_mode

MEMBERS_MAX = 2**20
INDEX_BOUND = 2**40
BYTES_MAX = 65_535
VARINT_BYTES_MAX = 6


def decode(data, bound=INDEX_BOUND, bytes_max=BYTES_MAX):
    if len(data) > bytes_max:
        raise Fault("TOO_LARGE")
    head, at = _varint(data, 0)
    count, mode = head >> 2, head & 3
    first = holes = 0
    if count > 0:
        first, at = _varint(data, at)
    if count > 1:
        holes, at = _varint(data, at)
    last = first + count - 1 + holes
    if mode > RUNS or count > MEMBERS_MAX or (count > 0 and last >= bound):
        raise malformed()
    if holes == 0:
        if mode != 0 or at != len(data):
            raise malformed()
        return [(first, last)] if count > 0 else []
    bits = Bits(data[at:])
    read = {GAPS: _gaps, THREES: _threes, RUNS: _runs}[mode]
    runs = read(bits, count, first, holes)
    bits.finish()
    if mode != best_mode(runs, count, holes):
        raise malformed()
    return runs


def _varint(data, at):
    value = 0
    for place in range(VARINT_BYTES_MAX):
        if at + place >= len(data):
            raise malformed()
        byte = data[at + place]
        value |= (byte & 127) << (7 * place)
        if byte < 128:
            if byte == 0 and place > 0:
                raise malformed()
            return value, at + place + 1
    raise malformed()


def _gaps(bits, count, first, holes):
    code = Golomb(count - 1, holes)
    bits.need((count - 2) * (1 + code.width))
    runs, start, member = [], first, first
    left = holes
    for place in range(1, count):
        gap = code.read(bits) if place < count - 1 else left
        left -= gap
        if left < 0:
            raise malformed()
        if gap > 0:
            runs.append((start, member))
            start = member + gap + 1
        member += gap + 1
    return [*runs, (start, member)]


def _threes(bits, count, first, holes):
    between = count - 2 + holes
    bits.need(2 * -(-between // 3))
    text = "".join(f"{bits.three():03b}" for _ in range(-(-between // 3)))
    if text.count("1") != count - 2 or "1" in text[between:]:
        raise malformed()
    members = "1" + text[:between] + "1"
    runs, at = [], 0
    while at >= 0:
        end = members.find("0", at)
        end = len(members) if end < 0 else end
        runs.append((first + at, first + end - 1))
        at = members.find("1", end)
    return runs


def _runs(bits, count, first, holes):
    number = bits.take((count - 2).bit_length()) + 2
    if number > count or number > holes + 1:
        raise malformed()
    bits.need(2 * number - 3)
    lengths, gaps = Golomb(number, count - number), Golomb(number - 1, holes - (number - 1))
    lengths_left, gaps_left = count - number, holes - (number - 1)
    runs, at = [], first
    for place in range(number):
        length = lengths.read(bits) if place < number - 1 else lengths_left
        lengths_left -= length
        runs.append((at, at + length))
        at += length + 1
        if place < number - 1:
            gap = gaps.read(bits) if place < number - 2 else gaps_left
            gaps_left -= gap
            at += gap + 1
        if lengths_left < 0 or gaps_left < 0:
            raise malformed()
    return runs
