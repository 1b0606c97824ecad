"""A second implementation of mappings: how the payload of a CRM becomes a lead.

Written from lib/core/mapping.h and tests/payloads/README.md, not from the C
code, and without regard to speed. read() gives a Mapping or findings, and
Mapping.apply() what becomes of a payload.
"""

import copy

from values import is_number, number_text

FIELDS_MAX, POINTERS_MAX, LABELS_MAX, LEADS_MAX = 200, 8, 20_000, 200
STEPS_MAX, POINTER_CHARS_MAX, PATH_BYTES_MAX = 32, 300, 200
MEMBERS_MAX, ELEMENTS_MAX, DEPTH_MAX, UNUSED_MAX = 500, 10_000, 64, 500
# Unicode's property White_Space.
SPACES = "".join(map(chr, [*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028,
                           0x2029, 0x202F, 0x205F, 0x3000]))


def hubspot(name, company=None):
    before = ["/associated-company/properties/" + (company or name)]
    return before + ["/properties/" + name, "/" + name, "/object/properties/" + name]


def mautic(alias):
    return ["/fields/%s/%s" % (group, alias) for group in ("core", "professional", "personal", "all")]


DEFAULTS = {
    "hubspot": {
        "id": ["/object/objectId", "/vid", "/companyId", "/dealId", "/id", "/objectId",
               "/properties/hs_object_id", "/hs_object_id"],
        "title": hubspot("jobtitle")[1:],
        "email": hubspot("email")[1:],
        "company.name": hubspot("company", "name") + ["/properties/name"],
        "company.domain": hubspot("domain"),
        "company.industry": hubspot("industry"),
        "company.employees": hubspot("numberofemployees") + hubspot("numemployees")[1:],
        "company.annual_revenue": hubspot("annualrevenue"),
        "company.country": hubspot("country"),
        "company.website": hubspot("website"),
        "company.type": hubspot("type")[:2],
        "company.technologies": hubspot("web_technologies"),
    },
    "salesforce": {
        "id": ["/Id"],
        "title": ["/Title"],
        "email": ["/Email"],
        "company.name": ["/Company", "/Account/Name"],
        "company.industry": ["/Account/Industry", "/Industry"],
        "company.employees": ["/Account/NumberOfEmployees", "/NumberOfEmployees"],
        "company.annual_revenue": ["/Account/AnnualRevenue", "/AnnualRevenue"],
        "company.country": ["/Account/BillingCountry", "/Country", "/BillingCountry", "/MailingCountry",
                            "/CountryCode"],
        "company.website": ["/Account/Website", "/Website"],
        "company.type": ["/Account/Type"],
    },
    "pipedrive": {
        "id": ["/id"],
        "title": ["/job_title"],
        "email": ["/emails", "/email"],
        "company.name": ["/org_name"],
        "company.industry": ["/industry"],
        "company.employees": ["/employee_count"],
        "company.annual_revenue": ["/annual_revenue"],
        "company.country": ["/address/country", "/address_country", "/postal_address/country",
                            "/postal_address_country"],
        "company.website": ["/website"],
    },
    "mautic": {
        "id": ["/id"],
        "title": mautic("position"),
        "email": mautic("email"),
        "company.name": mautic("company"),
        "company.country": mautic("country"),
        "company.website": mautic("website"),
    },
    "standard": {"id": ["/id"]},
    "generic": {"id": ["/id"]},
}
SPLIT = {"hubspot": {"company.technologies": ";"}}
ENVELOPES = {
    "hubspot": ["inputFields", "object", "origin", "context", "callbackId"],
    "salesforce": ["lead"],
    "pipedrive": ["data", "current", "previous", "meta"],
    "mautic": ["lead", "contact", "submission", "hit", "stat"],
    "standard": ["data"],
    "generic": ["lead"],
}


class Refused(Exception):
    def __init__(self, code, pointer=""):
        super().__init__(code)
        self.code, self.pointer = code, pointer


class Ignored(Exception):
    pass


def something(value):
    return not (value is None or value == "" or value == []) or value is False


# ---------------------------------------------------------------- pointers


def steps_of(pointer):
    """Its steps, or None where it is no pointer."""
    if pointer == "":
        return []
    if not pointer.startswith("/") or len(pointer) > POINTER_CHARS_MAX or "\0" in pointer:
        return None
    steps = pointer.split("/")[1:]
    for step in steps:
        if step.replace("~0", "").replace("~1", "").count("~"):
            return None
    return None if len(steps) > STEPS_MAX else [step.replace("~1", "/").replace("~0", "~")
                                                for step in steps]


ABSENT = object()


def resolve(steps, node):
    for step in steps:
        if isinstance(node, dict) and step in node:
            node = node[step]
        elif (isinstance(node, list) and step.isascii() and step.isdigit()
              and str(int(step)) == step and int(step) < len(node)):
            node = node[int(step)]
        else:
            return ABSENT
    return node


def place_of(steps):
    return "".join(map(escaped, steps))


def items(node):
    if isinstance(node, dict):
        return node.items()
    return enumerate(node) if isinstance(node, list) else ()


def holds(node):
    """Whether there is a value in it; of {"value": …} that one counts."""
    if isinstance(node, dict) and "value" in node:
        return holds(node["value"])
    if isinstance(node, (dict, list)):
        return any(holds(inner) for _, inner in items(node))
    return something(node)


def place_in(wrapper, value):
    """Where an object stands that was unwrapped; a wrapper has no other one alike that could be meant."""
    if isinstance(wrapper, list):
        return next("/%d/value" % i for i, one in enumerate(wrapper) if one["value"] is value)
    return next(escaped(name) for name in ("value", "normalizedValue", "id") if wrapper.get(name) is value)


def escaped(name):
    return "/" + str(name).replace("~", "~0").replace("/", "~1")


# ---------------------------------------------------------------- reading


def paths_clash(one, other):
    return one == other or one.startswith(other + ".") or other.startswith(one + ".")


def is_path(path):
    pieces = path.split(".")
    return all(pieces) and len(path.encode()) <= PATH_BYTES_MAX and len(pieces) <= DEPTH_MAX


def read_pointers(node, place, findings):
    if isinstance(node, list) and len(node) > POINTERS_MAX:
        findings.append((place, "too_many"))
    alternatives = [(node, place)]
    if isinstance(node, list):
        alternatives = [(one, "%s/%d" % (place, i)) for i, one in enumerate(node[:POINTERS_MAX])]
    for one, where in alternatives:
        if not isinstance(one, str):
            findings.append((where, "wrong_type"))
        elif steps_of(one) is None:
            findings.append((where, "invalid_path"))
    return [one for one, _ in alternatives]


def read(kind, source):
    """(mapping, findings): one of them is empty."""
    findings, named, whole = [], {}, [""]
    defaults = dict(DEFAULTS[kind])
    identity = defaults.pop("id")
    if "id" in source:
        identity = read_pointers(source["id"], "/id", findings)
    fields = source.get("fields", {})
    if not isinstance(fields, dict):
        findings.append(("/fields", "wrong_type"))
    elif len(fields) > FIELDS_MAX:
        findings.append(("/fields", "too_many"))
    else:
        for path, node in fields.items():
            place = "/fields" + escaped(path)
            if path == "*":
                whole = read_pointers(node, place, findings)
            elif not is_path(path):
                findings.append((place, "invalid_path"))
            elif path == "id" or path.startswith("id."):
                findings.append((place, "conflict"))
            else:
                named[path] = read_pointers(node, place, findings)
    kept = {path: pointers for path, pointers in defaults.items()
            if not any(paths_clash(path, other) for other in named)}
    every = {**named, **kept}
    effective = {path: pointers for path, pointers in every.items() if pointers}
    for path in effective:
        above = [other for other in effective if path.startswith(other + ".")]
        if above:
            findings.append(("/fields" + escaped(path), "conflict"))
    split = {path: separator for path, separator in SPLIT.get(kind, {}).items() if path in kept}
    read_split(source, effective, split, findings)
    labels = read_labels(source, effective, findings)
    return Mapping(kind, identity, every, whole, split, labels), findings


def is_unread(source):
    """Whether the fields are at fault as a whole, so that nothing is known of each."""
    fields = source.get("fields", {})
    return not isinstance(fields, dict) or len(fields) > FIELDS_MAX


def read_split(source, effective, split, findings):
    given = source.get("split", {})
    if not isinstance(given, dict):
        findings.append(("/split", "wrong_type"))
        return
    for path, separator in given.items():
        place = "/split" + escaped(path)
        if path not in effective and not is_unread(source):
            findings.append((place, "invalid_value"))
        if not isinstance(separator, str):
            findings.append((place, "wrong_type"))
        elif separator == "":
            findings.append((place, "too_few"))
        elif len(separator) > 10:
            findings.append((place, "too_many"))
        elif "\0" in separator:
            findings.append((place, "invalid_value"))
        else:
            split[path] = separator


def read_labels(source, effective, findings):
    given, labels, count = source.get("values", {}), {}, 0
    if not isinstance(given, dict):
        findings.append(("/values", "wrong_type"))
        return labels
    for path, words in given.items():
        place = "/values" + escaped(path)
        if path not in effective and not is_unread(source):
            findings.append((place, "invalid_value"))
        if not isinstance(words, dict):
            findings.append((place, "wrong_type"))
            continue
        if count + len(words) > LABELS_MAX:
            findings.append((place, "too_many"))
            continue
        count += len(words)
        for raw, label in words.items() if path in effective else ():
            if not isinstance(label, str):
                findings.append((place + escaped(raw), "wrong_type"))
            elif len(label) > 1000:
                findings.append((place + escaped(raw), "too_many"))
            elif "\0" in label:
                findings.append((place + escaped(raw), "invalid_value"))
        labels[path] = words
    return labels


# ---------------------------------------------------------------- values


def pieces(text, separator):
    return [piece for piece in (one.strip(SPACES) for one in text.split(separator)) if piece]


def unwrap(node):
    """(value, whether it was in something)."""
    if isinstance(node, list) and node and all(isinstance(one, dict) and "value" in one for one in node):
        if any("primary" in one for one in node):
            ranked = [one for one in node if one.get("primary") is True] or node
            return ranked[0]["value"], True
        return [one["value"] for one in node], True
    if not isinstance(node, dict):
        return node, False
    if "value" in node:
        value = node["value"]
        if not something(value) and "normalizedValue" in node:
            value = node["normalizedValue"]
        if node.get("type") == "multiselect" and isinstance(value, str):
            value = pieces(value, "|")
        return value, True
    if set(node) == {"type", "id"} and isinstance(node["type"], str):
        return node["id"], True
    if (set(node) == {"type", "values"} and isinstance(node["type"], str)
            and isinstance(node["values"], list)):
        return [one["id"] if isinstance(one, dict) and "id" in one else one
                for one in node["values"]], True
    return node, False


def raw_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if is_number(value):
        if isinstance(value, int) and len(str(abs(value))) > 15:
            return str(value)
        return number_text(value)
    return None


def is_constant(text):
    return "_" in text and all(c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_" for c in text)


def case_safe(identity):
    """Each five characters of 15 get one more, which says where the capitals are."""
    if not (isinstance(identity, str) and len(identity) == 15 and identity.isascii() and identity.isalnum()):
        return identity
    for at in (0, 5, 10):
        bits = "".join("1" if c.isupper() else "0" for c in reversed(identity[at:at + 5]))
        identity += "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[int(bits, 2)]
    return identity


# ---------------------------------------------------------------- records


class Record:
    """within: the steps from its envelope to it."""

    def __init__(self, node, envelope, pointer, within=()):
        self.node, self.envelope, self.pointer, self.within = node, envelope, pointer, list(within)


def one_record(kind, node, pointer):
    if not isinstance(node, dict):
        raise Refused("unmapped", pointer)
    if kind == "hubspot" and ("subscriptionType" in node or "eventId" in node) \
            and not isinstance(node.get("properties"), dict):
        raise Refused("unmapped", pointer)
    inner = {"hubspot": "inputFields", "generic": "lead", "salesforce": "lead"}.get(kind)
    if inner and isinstance(node.get(inner), dict):
        return Record(node[inner], node, pointer + "/" + inner, [inner])
    return Record(node, node, pointer)


def list_of_records(kind, nodes, pointer):
    if not nodes:
        raise Refused("unmapped", pointer)
    records = []
    for i, node in enumerate(nodes):
        record = one_record(kind, node, "%s/%d" % (pointer, i))
        if len(records) == LEADS_MAX:
            raise Refused("too_many_members", record.pointer)
        records.append(record)
    return records, True


def pipedrive_records(payload):
    meta = payload.get("meta") if isinstance(payload, dict) else None
    for name in ("data", "current"):
        if not isinstance(meta, dict) or name not in payload:
            continue
        data = payload[name]
        if data is not None and not isinstance(data, dict):
            continue
        entity = meta["entity"] if "entity" in meta else meta.get("object", ABSENT)
        if entity is not ABSENT and entity not in ("person", "lead", "deal", "organization"):
            raise Refused("unmapped", "/meta")
        if data is None:
            raise Ignored()
        return [Record(data, payload, "/" + name, [name])], False
    raise Refused("unmapped")


MAUTIC_EVENTS = ["lead_post_save_new", "lead_post_save_update", "lead_points_change",
                 "lead_channel_subscription_changed", "lead_company_change", "form_on_submit",
                 "email_on_send", "email_on_open", "page_on_hit", "sms_on_send"]


def contact_of(event):
    for outer in (None, "submission", "hit", "stat"):
        around = event if outer is None else event.get(outer)
        for name in ("contact", "lead") if outer is None else ("lead", "contact"):
            if isinstance(around, dict) and isinstance(around.get(name), dict):
                return around[name], ("/" + outer if outer else "") + "/" + name
    return None, ""


def mautic_records(payload):
    records, deleted = [], False
    for name, events in payload.items() if isinstance(payload, dict) else ():
        if not name.startswith("mautic."):
            continue
        if name == "mautic.lead_post_delete":
            deleted = True
            continue
        for i, event in enumerate(events if isinstance(events, list) else ()):
            contact, within = contact_of(event) if isinstance(event, dict) else (None, "")
            if contact is None:
                continue
            known = name[len("mautic."):] in MAUTIC_EVENTS
            pointer = "/%s/%d%s" % (name, i, within) if known else ""
            if len(records) == LEADS_MAX:
                raise Refused("too_many_members", pointer)
            records.append(Record(contact, event, pointer, within.split("/")[1:]))
    if not records and deleted:
        raise Ignored()
    if not records:
        raise Refused("unmapped")
    return records, True


def records_of(kind, payload):
    if kind == "pipedrive":
        return pipedrive_records(payload)
    if kind == "mautic":
        return mautic_records(payload)
    if kind == "standard":
        data = payload.get("data") if isinstance(payload, dict) else None
        if isinstance(data, list):
            return list_of_records(kind, data, "/data")
        if isinstance(data, dict):
            return [Record(data, payload, "/data", ["data"])], False
        raise Refused("unmapped")
    if isinstance(payload, list):
        return list_of_records(kind, payload, "")
    for name in {"salesforce": ("records", "leads"), "generic": ("leads",)}.get(kind, ()):
        inner = payload.get(name) if isinstance(payload, dict) else None
        if isinstance(inner, list) and (not inner or isinstance(inner[0], dict)):
            return list_of_records(kind, inner, "/" + name)
    return [one_record(kind, payload, "")], False


# ---------------------------------------------------------------- leads


class Mapping:
    def __init__(self, kind, identity, fields, whole, split, labels):
        self.kind, self.identity, self.fields, self.whole = kind, identity, fields, whole
        self.split, self.labels = split, labels

    def told(self):
        return {"id": self.identity, "fields": {**self.fields, "*": self.whole}, "split": self.split}

    def find(self, pointer, record):
        """(what stands there, its place in the record or None where that is outside)"""
        steps = steps_of(pointer)
        if not steps or steps[0] not in ENVELOPES[self.kind]:
            return resolve(steps, record.node), place_of(steps)
        inner = len(record.within)
        place = place_of(steps[inner:]) if steps[:inner] == record.within else None
        return resolve(steps, record.envelope), place

    def value(self, path, pointers, raw):
        """What a pointer found, on its way into the lead."""
        told = {"field": path, "unwrapped": False, "split": False, "labelled": False,
                "unlabelled": False, "raw": raw}
        value, told["unwrapped"] = unwrap(raw)
        if path in self.split and isinstance(value, str) and value:
            value, told["split"] = pieces(value, self.split[path]), True
        labels = self.labels.get(path, {})
        constants = (self.kind == "hubspot" and path != "id"
                     and any(steps_of(one)[-1:] == ["industry"] for one in pointers))

        def label(one):
            text = raw_text(one) if something(one) else None
            if text is not None and text in labels:
                told["labelled"] = True
                return labels[text]
            if constants and isinstance(one, str) and text and is_constant(one):
                told["labelled"] = True
                told["unlabelled"] = told["unlabelled"] or bool(labels)
                return one.replace("_", " ")
            told["unlabelled"] = told["unlabelled"] or (bool(labels) and text is not None)
            return one

        if labels or constants:
            if isinstance(value, list):
                replaced = []
                for one in value:
                    after = label(one)
                    if something(after) or not something(one):
                        replaced.append(after)
                value = replaced
            else:
                value = label(value)
        told["value"] = value if something(value) else None
        return told

    def field(self, path, pointers, record):
        best = None
        for pointer in pointers:
            raw, place = self.find(pointer, record)
            if raw is ABSENT or not something(raw):
                continue
            told = dict(self.value(path, pointers, raw), pointer=pointer, place=place)
            if told["value"] is not None:
                return told
            best = best or told
        return best or {"field": path, "pointer": "", "raw": None, "value": None, "unwrapped": False,
                        "split": False, "labelled": False, "unlabelled": False, "place": None}

    def own_parts(self, record):
        """Objects whose members "*" takes, each with its place, whether members are unwrapped, and two names:
        of a member that is left out, and of one whose own members are unwrapped."""
        found = [self.find(pointer, record) for pointer in self.whole]
        found = [(node, place) for node, place in found if isinstance(node, dict)]
        if not found:
            return
        node, place = found[0]
        if node is not record.node or self.kind in ("standard", "generic"):
            yield node, place, self.kind == "hubspot", None, None
        elif self.kind == "salesforce":
            yield node, "", False, "attributes", None
        elif self.kind == "pipedrive":
            yield node, "", False, None, "custom_fields"
        elif self.kind == "hubspot" and record.envelope is node:
            inner = isinstance(node.get("properties"), dict)
            yield (node["properties"], "/properties", True, None, None) if inner else (node, "", True, None, None)
        elif self.kind == "hubspot":
            yield node, "", True, None, None
            about = record.envelope.get("object")
            if isinstance(about, dict) and isinstance(about.get("properties"), dict):
                yield about["properties"], None, True, None, None
        elif self.kind == "mautic":
            yield node, "", False, "fields", None
            groups = node.get("fields")
            groups = groups.items() if isinstance(groups, dict) else enumerate(groups) \
                if isinstance(groups, list) else ()
            for name, group in [one for one in groups if isinstance(one[1], dict)][:7]:
                yield group, "/fields" + escaped(name), True, None, None

    def join(self, lead, names, part, effective, taken, identity):
        """Puts the members of a part into an object of the lead, past the names that fields have; says how many,
        the one that is the id aside."""
        node, place, unwrapped, but, within = part
        count = 0
        for name, member in node.items():
            here = names + (name,)
            where = None if place is None else place + escaped(name)
            value = unwrap(member)[0] if unwrapped else member
            if name == but or name in lead or here in effective:
                continue
            if any(path[:len(here)] == here for path in effective):
                inner = {}
                if isinstance(value, dict):
                    # in a wrapper it stands one step further down
                    deeper = where if value is member else None if where is None else where + place_in(member, value)
                    count += self.join(inner, here, (value, deeper, name == within, None, None), effective, taken,
                                       identity)
                if inner:
                    lead[name] = inner
                continue
            if name == within and isinstance(value, dict):
                value = {n: unwrap(v)[0] for n, v in value.items() if something(unwrap(v)[0])} or None
            if something(value):
                lead[name] = value
                taken.add(where)
                count += where is None or where != identity
        return count

    def lead(self, record):
        pairs = [("id", self.identity)] + [one for one in self.fields.items() if one[1]]
        told = [self.field(path, pointers, record) for path, pointers in pairs]
        if self.kind == "salesforce" and any(steps_of(one)[-1:] == ["Id"] for one in self.identity):
            told[0]["value"] = case_safe(told[0]["value"])
        effective = {tuple(path.split(".")) for path, pointers in pairs if pointers}
        identity, lead = told[0]["place"], {}
        taken = {one.pop("place") for one in told}
        count = sum([self.join(lead, (), part, effective, taken, identity) for part in self.own_parts(record)])
        lead = copy.deepcopy(lead)
        for (path, _), one in zip(pairs, told):
            if one["value"] is None:
                continue
            at = lead
            for name in path.split(".")[:-1]:
                at = at.setdefault(name, {})
            at[path.split(".")[-1]] = copy.deepcopy(one["value"])
        if not count and all(one["value"] is None for one in told[1:]):
            raise Refused("unmapped", record.pointer)
        check_size(lead, record.pointer)
        return {"pointer": record.pointer, "lead": lead, "fields": told,
                "unused": self.unused(record.node, "", taken)}

    def unused(self, node, place, taken):
        told = []
        for name, inner in items(node) if place not in taken else ():
            where = place + escaped(name)
            if where in taken or (not place and self.kind == "salesforce" and name == "attributes"):
                continue
            if any(other is not None and other.startswith(where + "/") for other in taken):
                told += self.unused(inner, where, taken)
            elif holds(inner):
                told.append(where)
        return told[:UNUSED_MAX]

    def apply(self, payload):
        try:
            records, many = records_of(self.kind, payload)
            return {"many": many, "leads": [self.lead(record) for record in records]}
        except Refused as refused:
            return {"refused": {"code": refused.code, "pointer": refused.pointer}}
        except Ignored:
            return {"ignored": True}


def check_size(lead, pointer):
    members, elements, depth = 0, 0, 0
    level = [lead]
    while level:
        depth += 1
        inner = []
        for node in level:
            members += len(node) if isinstance(node, dict) else 0
            elements += len(node) if isinstance(node, list) else 0
            inner += node.values() if isinstance(node, dict) else node
        level = [node for node in inner if isinstance(node, (dict, list))]
    if members > MEMBERS_MAX or elements > ELEMENTS_MAX:
        raise Refused("too_many_members", pointer)
    if depth > DEPTH_MAX:
        raise Refused("too_deep", pointer)
