"""Reads the vectors with a reader written from SPEC.md alone and prints one JSON line for each suite.

Usage: python3 run.py [directory of the vectors]
Ends with 1 if a case fails, if a suite has no case, or if a file has a part that no suite reads.
"""

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # The sources lie in a tree that is checked for leftovers.

from suite_code import CODE
from suite_encoding import ED25519, ENCODING
from suite_evidence import EVIDENCE
from suite_joining import JOINING
from suite_local import LOCAL
from suite_log import LOG
from suite_lookup import LOOKUP
from suite_snapshot import SNAPSHOT
from suite_trust import TRUST
from suite_verdict import QUORUM, VERDICT
from suite_writer import WRITER

VECTORS = Path(__file__).parent.parent / "vectors"
FILES = {
    "ed25519": ED25519,
    "encoding": ENCODING,
    "code": CODE,
    "log": LOG,
    "trust": TRUST,
    "quorum": QUORUM,
    "verdict": VERDICT,
    "snapshot": SNAPSHOT,
    "evidence": EVIDENCE,
    "writer": WRITER,
    "lookup": LOOKUP,
    "joining": JOINING,
    "local": LOCAL,
}
NO_CASES = ("about", "shared")
"""Parts of a file: what it says to people, and what each of its cases is given besides."""


def run(suite, check, cases):
    failures = []
    for place, case in enumerate(cases):
        try:
            found, wanted = check(case)
            agrees = found == wanted
        except Exception as error:  # A reader that breaks off has not read the case.
            agrees = False
            print(f"{suite} {place}: {error!r}", file=sys.stderr)
        if not agrees:
            failures.append(case.get("name", str(place)))
    passed = len(cases) - len(failures)
    print(json.dumps({"suite": suite, "passed": passed, "failed": len(failures), "failures": failures}), flush=True)
    return passed > 0 and not failures


def main(directory):
    good = True
    for file, checks in FILES.items():
        vectors = json.loads((directory / f"{file}.json").read_text(encoding="utf-8"))
        shared = {"shared": vectors["shared"]} if "shared" in vectors else {}
        for part in sorted(vectors.keys() - checks.keys() - set(NO_CASES)):
            print(f"{file}: nothing reads {part}", file=sys.stderr)
            good = False
        for part, check in checks.items():
            cases = [case | shared for case in vectors.get(part, [])]
            good &= run(f"{file}/{part}", check, cases)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else VECTORS))
