"""Writing coded sets of indexes, SPEC.md 7, and finding their mode. A set is a list of runs (first, last)."""

from golomb import THREE_CODES, Golomb

GAPS, THREES, RUNS = range(3)


def encode(runs):
    """The one coded form of a set."""
    count = sum(last - first + 1 for first, last in runs)
    if count == 0:
        return _varint(0)
    first, last = runs[0][0], runs[-1][1]
    holes = last - first - (count - 1)
    mode = best_mode(runs, count, holes) if holes > 0 else GAPS
    data = _varint(4 * count + mode) + _varint(first)
    if count > 1:
        data += _varint(holes)
    if holes > 0:
        write = {GAPS: _write_gaps, THREES: _write_threes, RUNS: _write_runs}[mode]
        bits = write(runs, count, holes)
        bits += "0" * (-len(bits) % 8)
        data += bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    return data


def best_mode(runs, count, holes):
    """The mode with the fewest bytes, the lowest of those that tie."""
    sizes = [_gaps_size(runs, count, holes), _threes_size(runs), _runs_size(runs, count, holes)]
    return min((GAPS, THREES, RUNS), key=lambda mode: -(-sizes[mode] // 8))


def _varint(value):
    data = bytearray()
    while value > 127:
        data.append(value & 127 | 128)
        value >>= 7
    return bytes([*data, value])


def _gaps_between(runs):
    return [after[0] - before[1] - 1 for before, after in zip(runs, runs[1:])]


def _write_gaps(runs, count, holes):
    code = Golomb(count - 1, holes)
    gaps = []
    for (first, last), gap in zip(runs, [*_gaps_between(runs), None]):
        gaps += [0] * (last - first) + [gap]
    return "".join(map(code.write, gaps[:-2]))


def _gaps_size(runs, count, holes):
    code = Golomb(count - 1, holes)
    between = _gaps_between(runs)
    zeros = count - 1 - len(between)
    not_written = between[-1] if runs[-1][0] == runs[-1][1] else 0
    return sum(map(code.size, between)) + zeros * code.size(0) - code.size(not_written)


def _threes(runs):
    """How many threes there are, and the value of each that is not 000."""
    start, last = runs[0][0] + 1, runs[-1][1]
    values = {}
    for run_first, run_last in runs:
        for member in range(max(run_first, start), min(run_last, last - 1) + 1):
            place, bit = divmod(member - start, 3)
            values[place] = values.get(place, 0) | 4 >> bit
    return -(-(last - start) // 3), values


def _write_threes(runs, _count, _holes):
    number, values = _threes(runs)
    return "".join(THREE_CODES[values.get(place, 0)] for place in range(number))


def _threes_size(runs):
    number, values = _threes(runs)
    return 2 * number + sum(len(THREE_CODES[value]) - 2 for value in values.values())


def _run_codes(runs, count, holes):
    number = len(runs)
    return Golomb(number, count - number), Golomb(number - 1, holes - (number - 1))


def _write_runs(runs, count, holes):
    lengths, gaps = _run_codes(runs, count, holes)
    width = (count - 2).bit_length()
    bits = [f"{len(runs) - 2:0{width}b}" if width else ""]
    between = _gaps_between(runs)
    for place, (first, last) in enumerate(runs[:-1]):
        bits.append(lengths.write(last - first))
        if place < len(between) - 1:
            bits.append(gaps.write(between[place] - 1))
    return "".join(bits)


def _runs_size(runs, count, holes):
    lengths, gaps = _run_codes(runs, count, holes)
    written = sum(lengths.size(last - first) for first, last in runs[:-1])
    return (count - 2).bit_length() + written + sum(gaps.size(gap - 1) for gap in _gaps_between(runs)[:-1])
