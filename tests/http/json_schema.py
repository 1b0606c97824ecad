"""As much of JSON Schema 2020-12 as schema/icp.schema.json uses. A word that is
not known here is an error."""

import re

from contract import is_of

ANNOTATIONS = {"$schema", "$id", "$defs", "title", "description", "default", "examples", "format"}


def valid(schema, value, root):
    for word, operand in schema.items():
        if word not in ANNOTATIONS and not CHECKS[word](operand, value, schema, root):
            return False
    return True


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def resolve(reference, root):
    for name in reference[2:].split("/"):
        root = root[name]
    return root


def same(one, other):
    return one == other and isinstance(one, bool) == isinstance(other, bool)


CHECKS = {
    "$ref": lambda o, v, s, root: valid(resolve(o, root), v, root),
    "type": lambda o, v, s, root: is_of(o, v),
    "const": lambda o, v, s, root: same(o, v),
    "enum": lambda o, v, s, root: any(same(one, v) for one in o),
    "not": lambda o, v, s, root: not valid(o, v, root),
    "oneOf": lambda o, v, s, root: sum(valid(one, v, root) for one in o) == 1,
    "minimum": lambda o, v, s, root: not is_number(v) or v >= o,
    "maximum": lambda o, v, s, root: not is_number(v) or v <= o,
    "minLength": lambda o, v, s, root: not isinstance(v, str) or len(v) >= o,
    "maxLength": lambda o, v, s, root: not isinstance(v, str) or len(v) <= o,
    # ECMA-262's $ is the very end
    "pattern": lambda o, v, s, root: not isinstance(v, str) or bool(
        re.search(re.sub(r"\$$", r"\\Z", o), v)),
    "minItems": lambda o, v, s, root: not isinstance(v, list) or len(v) >= o,
    "maxItems": lambda o, v, s, root: not isinstance(v, list) or len(v) <= o,
    "items": lambda o, v, s, root: not isinstance(v, list) or all(valid(o, e, root) for e in v),
    "required": lambda o, v, s, root: not isinstance(v, dict) or set(o) <= set(v),
    "maxProperties": lambda o, v, s, root: not isinstance(v, dict) or len(v) <= o,
    "properties": lambda o, v, s, root: not isinstance(v, dict) or all(
        valid(o[name], v[name], root) for name in v if name in o),
    "additionalProperties": lambda o, v, s, root: o or not isinstance(v, dict) or (
        set(v) <= set(s["properties"])),
}
