"""What a root says of the keys of its region, apart from the log, SPEC.md 14.5.1 and 14.5.5."""

import statement
from fault import Fault
from trust import Folding

KINDS = ("root", "keys", "compromise")


def read_naming(origin, statements):
    """The state that such statements lead to, pairs (index, entry); what has no effect is passed over."""
    return read_naming_since(origin, statements, 1)[0]


def read_naming_since(origin, statements, version):
    """The same, and the state when the root of this version came into force, None if it did not."""
    folding = _NamingFolding(origin, set())
    before = None
    for index, data in statements:
        try:
            entry = statement.parse_entry(data)
            if entry.kind in KINDS:
                folding.apply(index, entry)
                root = folding.state.root
                if before is None and root is not None and root.said["version"] == version:
                    before = folding.state
        except Fault:
            pass
    return folding.state, before


class _NamingFolding(Folding):
    """Folds statements whose log is not at hand."""

    def _had_root(self, size, root):
        return True

    def _void(self, id_, begin, end):
        pass
