"""Merkle trees and their proofs, SPEC.md 4.2: RFC 6962 with the verification of RFC 9162."""

from hashlib import sha256

from fault import Fault

SIZE_MAX = 2**53 - 1
PATH_MAX = 54
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry):
    return sha256(b"\x00" + entry).digest()


def node_hash(left, right):
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the perfect subtrees of a growing tree, largest first."""

    def __init__(self):
        self.size = 0
        self.hashes = []

    def append(self, leaf):
        level = self.size
        while level & 1:
            leaf = node_hash(self.hashes.pop(), leaf)
            level >>= 1
        self.hashes.append(leaf)
        self.size += 1

    def root(self):
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root


def root_of(leaves):
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def verify_inclusion(index, size, leaf, path, root):
    """RFC 9162 2.1.3.2."""
    if not 0 <= index < size <= SIZE_MAX:
        raise Fault("SIZE_INVALID")
    _check_hashes(path, leaf, root)
    node, last, computed = index, size - 1, leaf
    for hash_ in path:
        if last == 0:
            raise Fault("PROOF_INVALID")
        if node & 1 or node == last:
            computed = node_hash(hash_, computed)
            while node & 1 == 0 and node != 0:
                node, last = node >> 1, last >> 1
        else:
            computed = node_hash(computed, hash_)
        node, last = node >> 1, last >> 1
    if last != 0 or computed != root:
        raise Fault("PROOF_INVALID")


def verify_consistency(old_size, new_size, old_root, new_root, path):
    """RFC 9162 2.1.4.2."""
    if not 0 < old_size <= new_size <= SIZE_MAX:
        raise Fault("SIZE_INVALID")
    _check_hashes(path, old_root, new_root)
    if old_size == new_size:
        if path or old_root != new_root:
            raise Fault("PROOF_INVALID")
        return
    hashes = [old_root] + path if old_size & (old_size - 1) == 0 else path
    if not path:
        raise Fault("PROOF_INVALID")
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = hashes[0]
    for hash_ in hashes[1:]:
        if last == 0:
            raise Fault("PROOF_INVALID")
        if node & 1 or node == last:
            old, new = node_hash(hash_, old), node_hash(hash_, new)
            while node & 1 == 0 and node != 0:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, hash_)
        node, last = node >> 1, last >> 1
    if last != 0 or old != old_root or new != new_root:
        raise Fault("PROOF_INVALID")


def _check_hashes(path, *others):
    if len(path) > PATH_MAX or any(len(hash_) != 32 for hash_ in [*path, *others]):
        raise Fault("PROOF_INVALID")
