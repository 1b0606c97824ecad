"""Values as the scoring language sees them: numbers, texts, dates, and the kinds
that one may be taken for another. Written from the description of the
language, not from the C code; see oracle.py.

A float appears only as what a JSON number is (an IEEE double), never in a sum.
"""

import functools
import hashlib
import re
import unicodedata
from decimal import Decimal
from fractions import Fraction

MICRO = 1_000_000            # fits and points are counted in millionths
DAY = 86_400 * MICRO         # dates are counted in microseconds

# ---------------------------------------------------------------- numbers


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def number_text(value):
    """ECMAScript's Number::toString, which RFC 8785 prescribes."""
    value = float(value)
    if value == 0:
        return "0"
    # repr() gives the shortest digits that read back as the same double, and
    # so does ECMAScript; only the layout differs.
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    digits = "".join(map(str, digits))
    exponent += len(digits)              # now: where the point stands in digits
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= exponent <= 21:
        text = digits + "0" * (exponent - count)
    elif 0 < exponent <= 21:
        text = digits[:exponent] + "." + digits[exponent:]
    elif -6 < exponent <= 0:
        text = "0." + "0" * -exponent + digits
    else:
        text = digits[0] + ("." + digits[1:] if count > 1 else "") + "e%+d" % (exponent - 1)
    return "-" + text if sign else text


def decimal_of(value):
    """The decimal that a person meant: 0.1 and not the double next to it."""
    return Fraction(Decimal(number_text(value)))


def half_up(fraction, places):
    scaled = fraction * 10 ** places
    return Fraction((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator),
                    10 ** places)


def half_away(fraction):
    """The nearest whole number; a half goes away from zero."""
    whole = int(half_up(abs(fraction), 0))
    return -whole if fraction < 0 else whole


# ------------------------------------------------------- canonical JSON


def canonical(value):
    """The value as RFC 8785 writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value):
        return number_text(value)
    if isinstance(value, str):
        return '"' + "".join(map(escaped, value)) + '"'
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    # Names are sorted by their UTF-16 code units, not by code points.
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join(canonical(name) + ":" + canonical(value[name]) for name in names) + "}"


def escaped(character):
    short = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r",
             '"': '\\"', "\\": "\\\\"}
    if character in short:
        return short[character]
    return "\\u%04x" % ord(character) if character < " " else character


def definition_hash(definition):
    return "sha256:" + hashlib.sha256(canonical(definition).encode("utf-8")).hexdigest()


# ------------------------------------------------------------------- text

# Unicode's White_Space. str.isspace() would add U+001C to U+001F.
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B)))

# Unicode's Default_Ignorable_Code_Point, unassigned ones included.
IGNORABLE = [(0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5),
             (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F),
             (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0),
             (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)]


def drop_ignorable(text):
    return "".join(c for c in text if not any(low <= ord(c) <= high for low, high in IGNORABLE))


@functools.lru_cache(maxsize=None)
def folded_character(character):
    """NFKC_Casefold of one character: fold and normalise until nothing changes."""
    before, after = None, character
    while after != before:
        before = after
        after = unicodedata.normalize("NFKC", drop_ignorable(before).casefold())
    return after


def fold(text):
    """The form in which two texts are compared. Unicode defines NFKC_Casefold
    of a string character by character, with one NFC over the whole."""
    text = unicodedata.normalize("NFC", "".join(map(folded_character, text)))
    return re.sub("[%s]+" % WHITE_SPACE, " ", text.strip(WHITE_SPACE))


def is_word_character(character):
    return character == "_" or unicodedata.category(character)[0] in "LMN"


def has_word(text, phrase):
    start = text.find(phrase)
    while start >= 0:
        end = start + len(phrase)
        torn_left = (start > 0 and is_word_character(phrase[0])
                     and is_word_character(text[start - 1]))
        torn_right = (end < len(text) and is_word_character(phrase[-1])
                      and is_word_character(text[end]))
        if not torn_left and not torn_right:
            return True
        start = text.find(phrase, start + 1)
    return False


def like(text, pattern):
    """* is any run, ? one character; the pattern takes in the whole text."""
    possible = {0}                     # how much of the text the pattern so far can cover
    for sign in pattern:
        if sign == "*":
            possible = set(range(min(possible), len(text) + 1)) if possible else set()
        else:
            possible = {at + 1 for at in possible
                        if at < len(text) and sign in ("?", text[at])}
    return len(text) in possible


# ------------------------------------------------------------------ dates


def days_from_civil(year, month, day):
    """Days since 1970-01-01 in the proleptic Gregorian calendar, or None for a
    day that does not exist. datetime knows no year 0."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    if not 1 <= month <= 12 or not 1 <= day <= lengths[month - 1]:
        return None
    before = year - 1
    days = 365 * year + before // 4 - before // 100 + before // 400
    return days + sum(lengths[:month - 1]) + day - 719_528


FIRST, LAST = days_from_civil(0, 1, 1) * DAY, (days_from_civil(9999, 12, 31) + 1) * DAY - 1
DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
                  r"(?:[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
                  r"([Zz]|[+-][0-9]{2}:[0-9]{2})?)?")
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def date_of_text(text):
    """Microseconds since 1970, or None."""
    match = DATE.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    days = days_from_civil(int(year), int(month), int(day))
    if days is None:
        return None
    instant = days * DAY
    if hour is not None:
        if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
            return None
        instant += (int(hour) * 3600 + int(minute) * 60 + int(second)) * MICRO
        instant += int((fraction or "0")[:6].ljust(6, "0"))
        if offset and offset not in "Zz":
            hours, minutes = int(offset[1:3]), int(offset[4:6])
            if hours > 23 or minutes > 59:
                return None
            shift = (hours * 3600 + minutes * 60) * MICRO
            instant += -shift if offset[0] == "+" else shift
    return instant if FIRST <= instant <= LAST else None


# -------------------------------------------------------------- coercion
# Each gives None where the value (never null, "", an array or an object)
# cannot be taken as that kind.


def to_number(value):
    """The exact value of the double."""
    if isinstance(value, str):
        value = value.strip(WHITE_SPACE)
        if not NUMBER.fullmatch(value):
            return None
    elif not is_number(value):
        return None
    double = float(value)
    return Fraction(double) if abs(double) != float("inf") else None


def to_boolean(value):
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "yes": True, "1": True,
                "false": False, "no": False, "0": False}.get(fold(value))
    return {0: False, 1: True}.get(value)


def to_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return fold(value if isinstance(value, str) else number_text(value))


def to_date(value):
    if isinstance(value, str):
        instant = date_of_text(value.strip(WHITE_SPACE))
        if instant is not None:
            return instant
    number = to_number(value)
    if number is None:
        return None
    instant = half_away(number * (1000 if abs(number) >= 10 ** 11 else MICRO))
    return instant if FIRST <= instant <= LAST else None


def same(value, operand):
    """Equality in the operand's kind; None where the value cannot take it."""
    if isinstance(operand, bool):
        return None if to_boolean(value) is None else to_boolean(value) == operand
    if is_number(operand):
        return None if to_number(value) is None else to_number(value) == to_number(operand)
    return to_text(value) == fold(operand)
