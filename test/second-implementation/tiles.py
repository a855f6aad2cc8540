"""Paths and bytes of tiles, SPEC.md 4.3 (C2SP tlog-tiles)."""

import re

from fault import Fault
from merkle import SIZE_MAX, leaf_hash

WIDTH = 256
HASH_BYTES = 32
PATH = re.compile(r"tile/([0-9]|[1-5][0-9]|6[0-3]|entries)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


def parse_path(text):
    match = PATH.fullmatch(text)
    if match is None:
        raise Fault("TILE_INVALID")
    level, place, width = match.groups()
    index = int(re.sub("[x/]", "", place))
    width = WIDTH if width is None else int(width)
    tile = {"level": level if level == "entries" else int(level), "index": index, "width": width}
    if index > SIZE_MAX or encode_path(tile) != text:
        raise Fault("TILE_INVALID")
    return tile


def encode_path(tile):
    """The one path of a tile; a full tile has no width in its path."""
    index, place = divmod(tile["index"], 1000)
    groups = [f"{place:03}"]
    while index:
        index, place = divmod(index, 1000)
        groups.insert(0, f"x{place:03}")
    part = "" if tile["width"] == WIDTH else f".p/{tile['width']}"
    if not 1 <= tile["width"] <= WIDTH:
        raise Fault("TILE_INVALID")
    return f"tile/{tile['level']}/{'/'.join(groups)}{part}"


def parse_bundle(bundle, tile):
    """The entries of a bundle, each held against its hash in the tile of level 0."""
    hashes = [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]
    if len(tile) % HASH_BYTES or not 1 <= len(hashes) <= WIDTH:
        raise Fault("TILE_INVALID")
    entries, at = [], 0
    for hash_ in hashes:
        size = int.from_bytes(bundle[at : at + 2], "big")
        entry = bundle[at + 2 : at + 2 + size]
        at += 2 + size
        if at > len(bundle) or leaf_hash(entry) != hash_:
            raise Fault("TILE_INVALID")
        entries.append(entry)
    if at != len(bundle):
        raise Fault("TILE_INVALID")
    return entries
