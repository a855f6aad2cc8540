"""Checks of lookup.json."""

import lookup
import lookup_head
from cases import outcome, unhex

REGION, NETWORK = "DE", "demo"


def check_key(case):
    secret, public = lookup.key_pair(unhex(case, "seed"), case["region"], case["network"], case["day"])
    return [secret.hex(), public.hex()], [case["secretKey"], case["publicKey"]]


def check_evaluation(case):
    scalar, asked, *answer, salt = unhex(case, "blind", "blinded", "evaluated", "proof", "publicKey", "salt")
    data = lookup.input_of(REGION, NETWORK, case["number"])

    def finished():
        locator, key = lookup.in_table(lookup.finish(data, scalar, asked, *answer), salt)
        return {"locator": locator.hex(), "key": key.hex()}

    found = [lookup.blinded(data, scalar).hex(), outcome(finished)]
    return found, [case["blinded"], case["expect"]]


def check_bucket(case):
    locator, key, bucket = unhex(case, "locator", "key", "bucket")
    at = lookup.place(REGION, NETWORK, case["day"])

    def looked_up():
        status = lookup.status_in(bucket, case["capacity"], locator, key, at)
        return {"status": None if status is None else status.hex()}

    return outcome(looked_up), case["expect"]


def check_head(case):
    def read():
        head = lookup_head.open_head(unhex(case, "bytes"))
        texts = {name: value.hex() for name, value in head.said.items() if isinstance(value, bytes)}
        return head.said | texts | {"key": head.key.hex()}

    found = outcome(read)
    found.pop("offset", None)
    return found, case["expect"]


LOOKUP = {"keys": check_key, "evaluations": check_evaluation, "buckets": check_bucket, "heads": check_head}
