"""Profiles of local codes, SPEC.md 17.11."""

import re

ALGORITHMS = ("ES256", "ES384", "PS256", "EdDSA")
PREFIX = re.compile(r"[!-~]{0,64}")
OTHERS = re.compile(r"ENT[0-9]:|HC[0-9]:|shc:/|eyJ|\{")
FIELD = re.compile(r"[a-z][a-zA-Z0-9]{0,31}")
TEXTS = {"json": ("plain", "base45", "base64url"), "cose": ("base45", "base64url")}
MEMBERS = {"payload", "form", "signature"}
OFFSET_MAX = 840
LIFE_MAX = 315_359_999


def utf16(text):
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def is_profile(value):
    if not isinstance(value, dict) or value.get("container") not in ("json", "jws", "cose"):
        return False
    container = value["container"]
    needed = {"container", "prefix", "algorithms", "map"}
    needed |= {"json": {"text", "members"}, "jws": {"keyId"}, "cose": {"text", "keyId"}}[container]
    allowed = needed | (set() if container == "jws" else {"deflate"})
    if not _has(value, needed, allowed):
        return False
    prefix, algorithms = value["prefix"], value["algorithms"]
    if not isinstance(prefix, str) or not PREFIX.fullmatch(prefix) or OTHERS.match(prefix):
        return False
    if not _is_choice(algorithms) or not _is_map(value["map"]):
        return False
    if container != "json" and type(value["keyId"]) is not bool:
        return False
    if container != "jws" and (value["text"] not in TEXTS[container] or not _fits(value)):
        return False
    if prefix == "" and not (container == "jws" or value.get("text") == "plain"):
        return False
    return container != "json" or _are_members(value["members"], algorithms)


def _has(value, needed, allowed):
    return isinstance(value, dict) and needed <= set(value) <= allowed


def _is_choice(algorithms):
    if not isinstance(algorithms, list) or not algorithms or not all(isinstance(one, str) for one in algorithms):
        return False
    return set(algorithms) <= set(ALGORITHMS) and len(set(algorithms)) == len(algorithms)


def _fits(value):
    if "deflate" not in value:
        return True
    return value["deflate"] in ("zlib", "raw") and value["text"] != "plain"


def _are_members(members, algorithms):
    if not _has(members, MEMBERS, MEMBERS | {"algorithm", "keyId"}):
        return False
    names = [name for role, name in members.items() if role != "form"]
    if members["form"] not in ("text", "base64url", "object") or not all(map(_is_name, names)):
        return False
    return len(set(names)) == len(names) and ("algorithm" in members or len(algorithms) == 1)


def _is_map(value):
    optional = {"expiresAt", "life", "status", "id", "subject", "issuer", "fields"}
    if not _has(value, {"issuedAt"}, {"issuedAt"} | optional) or ("expiresAt" in value) == ("life" in value):
        return False
    good = [_is_time(value[name]) for name in ("issuedAt", "expiresAt") if name in value]
    good += [_is_path(value[name]) for name in ("id", "subject") if name in value]
    if "life" in value:
        good.append(_is_int(value["life"], 60, LIFE_MAX))
    if "status" in value:
        good.append(_is_status(value["status"]))
    if "issuer" in value:
        good.append(_is_issuer(value["issuer"]))
    if "fields" in value:
        good.append(_are_fields(value["fields"]))
    return all(good)


def _is_status(value):
    if not _has(value, {"at", "colours"}, {"at", "colours"}) or not isinstance(value["colours"], dict):
        return False
    colours = value["colours"]
    are_colours = all(_is_name(name) and one in ("green", "yellow", "red") for name, one in colours.items())
    return _is_path(value["at"]) and are_colours and len(colours) <= 32


def _is_issuer(value):
    if not _has(value, {"at", "is"}, {"at", "is"}) or not isinstance(value["is"], str):
        return False
    return _is_path(value["at"]) and 1 <= utf16(value["is"]) <= 256


def _are_fields(value):
    if not isinstance(value, dict) or len(value) > 32:
        return False
    return all(FIELD.fullmatch(name) and _is_path(path) for name, path in value.items())


def _is_time(value):
    if not isinstance(value, dict) or value.get("unit") not in ("s", "ms", "rfc3339", "day"):
        return False
    names = {"at", "unit"} | ({"offset"} if value["unit"] == "day" else set())
    if not _has(value, names, names) or not _is_path(value["at"]):
        return False
    return "offset" not in value or _is_int(value["offset"], -OFFSET_MAX, OFFSET_MAX)


def _is_path(value):
    if not isinstance(value, list) or not 1 <= len(value) <= 8:
        return False
    return all(_is_name(step) or _is_int(step, 1 - 2**53, 2**53 - 1) for step in value)


def _is_name(value):
    return isinstance(value, str) and 1 <= utf16(value) <= 64


def _is_int(value, least, most):
    return type(value) is int and least <= value <= most
