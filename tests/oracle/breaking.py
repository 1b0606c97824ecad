"""Random definitions that must be refused: a valid one with one or two slips.

Each breaker takes a Maker and a definition, spoils one place and names the
member of the document that it touched. Only slips with one plain reading are
made: where a validator may fairly say one thing or the other, there is nothing
to compare.
"""

import copy

from generate import TEXT_OPERATORS

WRONG_TYPES = [None, True, 7, 7.5, "text", [], {}]


def other_type(maker, value):
    """A value of another JSON type; numbers are all of one."""
    def kind(one):
        return float if isinstance(one, int) and not isinstance(one, bool) else type(one)
    return maker.pick([one for one in WRONG_TYPES if kind(one) is not kind(value)])


def an_attribute(maker, definition):
    at = maker.random.randrange(len(definition["attributes"]))
    return definition["attributes"][at], "attribute %d" % at


def break_required(maker, definition):
    holder, part = an_attribute(maker, definition)
    if maker.chance(0.5):
        holder, part = definition, "top"
    del holder[maker.pick([name for name in holder if name in (
        "key", "name", "framework", "label", "category", "weight", "rules")])]
    return part


def break_unknown(maker, definition):
    holder, part = an_attribute(maker, definition)
    holder = maker.pick([holder, holder["rules"][0]])
    if maker.chance(0.3):
        holder, part = definition, "top"
    holder[maker.pick(["wieght", "", "a/b~c", "Key", "größe", "fits"])] = maker.scalar()
    return part


def break_type(maker, definition):
    holder, part = an_attribute(maker, definition)
    if maker.chance(0.3):
        holder, part = definition, "top"
    # `missing` takes texts and numbers, so a wrong kind of it may be a wrong word instead.
    name = maker.pick([n for n in holder if n not in ("attributes", "missing")])
    holder[name] = other_type(maker, holder[name])
    return name if holder is definition else part


def break_value(maker, definition):
    attribute, part = an_attribute(maker, definition)
    holder, name, value = maker.pick([
        (definition, "framework", "vibes"), (definition, "purpose", "Core"),
        (definition, "key", maker.pick(["", "Big", "-a", "a_b", "x" * 65, "ä", "a\n"])),
        (definition, "name", maker.pick(["", "n" * 201, "ü" * 200, "🏭" * 201])),
        (definition, "review_by", maker.pick(["2027-02-29", "soon", "2027-3-1", "20270301",
                                              "2027-03-01T00:00:00Z"])),
        (definition, "profile", {maker.pick(["pains", "goals", "buyer"]): 7}),
        (definition, "summary", "s" * 4001),
        (attribute, "category", "demografic"), (attribute, "axis", "both"),
        (attribute, "key", maker.pick(["", "Big", "x" * 65])),
        (attribute, "weight", maker.pick([0, 1001, 2.5, -1, 1e300])),
        (attribute, "otherwise", maker.pick([1.000001, -1.5, 0.1234567, 1e-7, 2])),
        (attribute, "missing", maker.pick(["Skip", "", 1.5, 0.1234567, None, [0]])),
        (attribute, "rules", maker.pick([[], {}, "none", [None], [attribute["rules"][0]] * 51])),
        (attribute, "label", maker.pick(["", "l" * 201])),
        (attribute["rules"][0], "fit", maker.pick([1.1, -1.000001, 0.0000001, "1", True])),
        (attribute["rules"][0], "label", maker.pick(["", 5, "l" * 201])),
        (attribute["rules"][0], "fade", maker.pick([
            {}, {"field": "a"}, {"days": 5}, {"field": "a", "days": 0},
            {"field": "a..b", "days": 1},
            {"field": "a", "days": 36501}, {"field": "a", "days": 1.5}, [],
            {"field": "a", "days": 5, "shape": "line"}]))])
    if maker.chance(0.01):
        # One more than there may be.
        holder, name = definition, "attributes"
        value = [dict(copy.deepcopy(attribute), key="a%d" % at) for at in range(201)]
    holder[name] = value
    return part if holder is not definition else name


def break_bands(maker, definition):
    name = maker.pick(["grades", "levels"])
    one = name[:-1]
    names = ["A", "B", "C", "D"] if name == "grades" else [1, 2, 3, 4]
    bands = [{one: value, "min": least} for value, least in zip(names, [80, 60, 40, 0])]
    at = maker.pick([1, 2])
    how = maker.pick(["name", "rising", "repeated", "end", "places", "range", "extra", "empty",
                      "many", "type", "gone"])
    if how == "name":
        bands[at][one] = "DQ" if name == "grades" else maker.pick([0, 9, 1.5, 21, -1])
    elif how == "rising":
        bands[at]["min"] = 90
    elif how == "repeated":
        bands[at]["min"] = bands[at - 1]["min"]
    elif how == "end":
        bands[-1]["min"] = 0.5
    elif how == "places":
        bands[at - 1]["min"] += 0.001 * maker.pick([-1, 1])
    elif how == "range":
        end = maker.pick([0, -1])
        bands[end]["min"] = -1 if end else 100.01
    elif how == "extra":
        bands[at]["colour"] = "green"
    elif how == "empty":
        bands = []
    elif how == "many":
        bands = [{one: at + 1 if name == "levels" else "g%d" % at, "min": 20 - at}
                 for at in range(21)]
    elif how == "type":
        bands[at] = maker.pick([None, "A", 7, []])
    else:
        del bands[at][maker.pick(list(bands[at]))]
    definition[name] = bands
    return name


def break_repeated(maker, definition):
    name = maker.pick(["attributes", "disqualifiers", "caps", "grades"])
    if name == "grades":
        definition[name] = [{"grade": "A", "min": 50}, {"grade": "A", "min": 0}]
    elif name == "caps":
        definition[name] = [{"category": "need", "max": 5},
                            {"category": "need", "max": 6, "axis": "fit"}]
    else:
        definition.setdefault(name, [{"key": "stop", "reason": "Competitor",
                                      "when": maker.leaf()}])
        del definition[name][199:]       # one too many would be another slip
        definition[name].append(copy.deepcopy(definition[name][0]))
    return name


def break_condition(maker, definition):
    attribute, part = an_attribute(maker, definition)
    rule = maker.pick(attribute["rules"])
    if maker.chance(0.5):
        whole = leaf = maker.leaf()
        if maker.chance(0.5):
            whole = {maker.pick(["all", "any"]): [maker.leaf(), whole]}
        (operator,) = set(leaf) - {"field"}
        name = maker.pick(["field", operator])
        value = {
            "field": ["", ".", "a..b", ".a", "a.", "f" * 201, "ü" * 101, None, 3],
            "is": [None, [], {}, "", " ", "\u00ad\u3000"], "in": [[], "x", ["x", None], [""], [[]]],
            "between": [[1], [1, 2, 3], [], 5, ["1", 2], [1, None]],
            "has_all": [[], "x", [1], [" "], {}], "in_list": ["", "No", 5, ["x"], "a_b"],
            "exists": [1, "true", None], "before": ["soon", 17, "2025-02-30", "1700000000"],
            "after": ["2025-06-30T25:00:00Z", "2025-06-30T12:00Z", None, "2025-06-30T00:00:60Z"],
        }.get(name)
        if value is None:
            value = (["", "\u200b", [], ["a", ""], ["a", 1], 5, None, {}]
                     if name in TEXT_OPERATORS else [-1, 36501, 1.5, "7", None, [7]]
                     if name.endswith("_days") else ["5", None, True, [1]])
        leaf[name] = maker.pick(value)
        if maker.chance(0.01):
            leaf.clear()
            leaf.update({"field": "a", "in": list(range(maker.pick([10000, 10001])))})
    else:
        whole = maker.pick([
            {}, {"field": "a"}, {"is": 1}, {"field": "a", "is": 1, "gt": 0}, [], None, "a",
            {"field": "a", "equals": 1}, {"all": [maker.leaf()], "any": [maker.leaf()]},
            {"all": []}, {"any": {}}, {"not": []}, {"not": None}, {"all": [None]},
            {"all": [{"field": "a", "exists": True}], "field": "a"}])
        if maker.chance(0.2):
            whole = maker.leaf()
            for _ in range(16 + maker.random.randint(0, 3)):
                whole = {"not": whole} if maker.chance(0.5) else {"all": [maker.leaf(), whole]}
    rule["when"] = whole
    return part


BREAKERS = [break_required, break_unknown, break_type, break_value, break_value, break_bands,
            break_repeated, break_condition, break_condition]


def broken(maker):
    """A request whose definition is spoilt in one or two places, far apart."""
    request = maker.request()
    request["lead"] = {}
    part = maker.pick(BREAKERS)(maker, request["definition"])
    if part not in ("grades", "levels") and maker.chance(0.3):
        break_bands(maker, request["definition"])
    return request
