"""Holds answers of the service against schema/openapi.json.

Only what that document uses of JSON Schema is known here, and it is read more
strictly than the standard asks: a member that is not named in `properties` is
a fault unless `additionalProperties` is true, and so is a null anywhere that
has a type. A word of JSON Schema that is not known here is an error, lest
it be passed over in silence.
"""

import json
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ANNOTATIONS = {"description", "example", "default", "format"}
KNOWN = ANNOTATIONS | {"type", "enum", "minLength", "maxLength", "pattern", "minimum", "maximum",
                       "minItems", "maxItems", "uniqueItems", "items", "required", "properties",
                       "additionalProperties", "$ref"}
KINDS = {"object": dict, "array": list, "string": str, "boolean": bool}


def load():
    with open(os.path.join(ROOT, "schema", "openapi.json"), encoding="utf-8") as file:
        return json.load(file)


class Contract:
    def __init__(self, document=None):
        self.document = document or load()

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.document
            for name in node["$ref"][2:].split("/"):
                target = target[name]
            node = target
        return node

    # ------------------------------------------------------------ values

    def faults(self, schema, value, place=""):
        """What is wrong with a value, one line each."""
        schema = self.resolve(schema)
        unknown = set(schema) - KNOWN
        if unknown:
            raise ValueError("words that contract.py does not know: %s" % sorted(unknown))
        kind = schema.get("type")
        if kind is None:
            return []
        if not is_of(kind, value):
            return ["%s: expected %s, is %r" % (place or "/", kind, value)]
        found = []
        if "enum" in schema and value not in schema["enum"]:
            found.append("%s: %r is none of %s" % (place, value, schema["enum"]))
        if kind in ("number", "integer"):
            if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
                found.append("%s: %r is out of bounds" % (place, value))
        elif kind == "string":
            if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
                found.append("%s: a text of %d characters" % (place, len(value)))
            if "pattern" in schema and not re.search(schema["pattern"], value):
                found.append("%s: %r does not match %s" % (place, value, schema["pattern"]))
        elif kind == "array":
            if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
                found.append("%s: %d elements" % (place, len(value)))
            for at, one in enumerate(value):
                found += self.faults(schema["items"], one, "%s/%d" % (place, at))
        elif kind == "object":
            found += self.object_faults(schema, value, place)
        return found

    def object_faults(self, schema, value, place):
        members = schema.get("properties", {})
        found = ["%s/%s: is missing" % (place, name) for name in schema.get("required", [])
                 if name not in value]
        for name, one in value.items():
            if name in members:
                found += self.faults(members[name], one, "%s/%s" % (place, name))
            elif schema.get("additionalProperties") is not True:
                found.append("%s/%s: is not in the document" % (place, name))
        return found

    # ----------------------------------------------------------- answers

    def operation(self, method, path):
        """(path template, operation) for a request; (template, None) where the
        path is known and the method is not; (None, None) where it is not."""
        path = path.split("?")[0]
        for template, item in self.document["paths"].items():
            pattern = "/".join("[^/]+" if part.startswith("{") else re.escape(part)
                               for part in template.split("/"))
            if re.fullmatch(pattern, path):
                return template, item.get("get" if method == "HEAD" else method.lower())
        return None, None

    def answer_faults(self, method, path, status, headers, body):
        """What of an answer is not as the document says. body: bytes, b"" for HEAD."""
        _, operation = self.operation(method, path)
        if operation is None:                # no such operation: any problem will do
            return [] if status >= 400 else ["%d for an operation that there is not" % status]
        if str(status) not in operation["responses"]:
            return ["%s %s answered %d, which is not in the document" % (method, path, status)]
        said = self.resolve(operation["responses"][str(status)])
        found = []
        for name, header in said.get("headers", {}).items():
            header = self.resolve(header)
            value = headers.get(name)
            if value is None:
                found += ["no header %s" % name] if header["required"] else []
            elif header["schema"]["type"] == "string":
                found += self.faults(header["schema"], value, name)
            elif not value.isdigit():
                found.append("%s: %r is no number" % (name, value))
        content = said.get("content")
        if content is None:
            return found + (["a body where there should be none"] if body else [])
        given = headers.get("Content-Type")
        media = next((one for one in content if given == as_sent(one)), None)
        if media is None:
            return found + ["Content-Type is %s, not %s" % (given, " or ".join(content))]
        if method != "HEAD":
            value = body.decode("utf-8") if media.startswith("text/") else json.loads(body)
            found += self.faults(content[media]["schema"], value)
        return found


def as_sent(media):
    """A media type of the document as answers have it: a text tells its encoding."""
    return media + "; charset=utf-8" if media.startswith("text/") else media


def is_of(kind, value):
    if kind in ("number", "integer"):
        whole = isinstance(value, int) or (isinstance(value, float) and value == int(value))
        return isinstance(value, (int, float)) and not isinstance(value, bool) and (
            kind == "number" or whole)
    return isinstance(value, KINDS[kind])
