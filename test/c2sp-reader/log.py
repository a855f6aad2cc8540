"""A whole log by C2SP tlog-tiles, and its tree by the definitions of RFC 6962 2.1."""

import urllib.error
import urllib.request
from hashlib import sha256

from notes import Refused, open_checkpoint

WIDTH, HASH = 256, 32
TIMEOUT_S = 20


def get(url):
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
        return answer.read()


def number_path(number):
    """Groups of three digits, all but the last with an x in front."""
    groups = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03}")
    return "/".join(groups)


class Tree:
    """The tree over leaf hashes."""

    def __init__(self, leaves):
        self.leaves = leaves
        self.known = {}

    def hash(self, start, end):
        """MTH(D[start:end])."""
        if (start, end) not in self.known:
            self.known[start, end] = self.compute(start, end)
        return self.known[start, end]

    def compute(self, start, end):
        if end == start:
            return sha256(b"").digest()
        if end == start + 1:
            return self.leaves[start]
        middle = start + split(end - start)
        return sha256(b"\x01" + self.hash(start, middle) + self.hash(middle, end)).digest()

    def consistency(self, old):
        """PROOF(old, D)."""
        return self.subproof(old, 0, len(self.leaves), True)

    def subproof(self, m, start, end, is_whole):
        n = end - start
        if m == n:
            return [] if is_whole else [self.hash(start, end)]
        k = split(n)
        if m <= k:
            return self.subproof(m, start, start + k, is_whole) + [self.hash(start + k, end)]
        return self.subproof(m - k, start + k, end, False) + [self.hash(start, start + k)]


def split(n):
    """The largest power of two below n."""
    return 1 << (n - 1).bit_length() - 1


def root_of_path(index, size, leaf, path):
    """The root to which PATH(index, D) of a tree of `size` leads (RFC 9162 2.1.3.2)."""
    if index >= size:
        raise Refused("there is no such place in the tree")
    place, last, root = index, size - 1, leaf
    for one in path:
        if last == 0:
            raise Refused("the path is too long")
        if place % 2 == 1 or place == last:
            root = sha256(b"\x01" + one + root).digest()
            while place % 2 == 0 and place > 0:
                place, last = place >> 1, last >> 1
        else:
            root = sha256(b"\x01" + root + one).digest()
        place, last = place >> 1, last >> 1
    if last != 0:
        raise Refused("the path is too short")
    return root


class Log:
    """A log below a prefix: every entry and every tile of it read and held against the signed root."""

    def __init__(self, prefix, keys):
        self.prefix = prefix
        self.checkpoint = open_checkpoint(get(f"{prefix}/checkpoint"), keys)
        self.entries = self.read_entries()
        self.tree = Tree([sha256(b"\x00" + entry).digest() for entry in self.entries])
        self.tiles = self.check_tiles()
        if self.tree.hash(0, self.checkpoint.size) != self.checkpoint.root:
            raise Refused("the entries lead to another root")

    def resource(self, level, number, count):
        """A tile or bundle of the level's `count` hashes: full, or as wide as the tree is there."""
        width = min(WIDTH, count - number * WIDTH)
        partial = "" if width == WIDTH else f".p/{width}"
        return get(f"{self.prefix}/tile/{level}/{number_path(number)}{partial}"), width

    def read_entries(self):
        entries, size = [], self.checkpoint.size
        for number in range(-(-size // WIDTH)):
            bundle, width = self.resource("entries", number, size)
            for _ in range(width):
                end = 2 + int.from_bytes(bundle[:2], "big")
                if len(bundle) < end:
                    raise Refused(f"bundle {number} ends within an entry")
                entries.append(bundle[2:end])
                bundle = bundle[end:]
            if bundle:
                raise Refused(f"bundle {number} goes on behind its entries")
        return entries

    def check_tiles(self):
        """Hash i of tile N at level L is that of the leaves from (256 N + i) 256^L on. Counts the tiles."""
        tiles, level, count = 0, 0, self.checkpoint.size
        while count > 0:
            for number in range(-(-count // WIDTH)):
                tile, width = self.resource(level, number, count)
                span = WIDTH**level
                wanted = b"".join(self.tree.hash(i * span, (i + 1) * span) for i in range(number * WIDTH, number * WIDTH + width))
                if tile != wanted:
                    raise Refused(f"tile {number} of level {level} is not that of the entries")
                tiles += 1
            level, count = level + 1, count // WIDTH
        return tiles
