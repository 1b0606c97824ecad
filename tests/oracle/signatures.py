"""signatures.py DRIVER [--count N] [--seed N]

Holds the checking of signatures against a second one, written from the vendors' documentation
(HubSpot v3, v2, v1; Standard Webhooks; Mautic; HTTP Basic; a shared secret) with Python's hmac
and hashlib: deliveries that are signed well, and near misses of every kind.
"""

import argparse
import base64
import binascii
import hashlib
import hmac
import json
import random
import re
import subprocess
import sys

SHOWN = 20
NOW_MS = 1_780_000_000_000
WINDOW_MS = 300_000
V1, V2, V3 = 1, 2, 4
KINDS = ["hubspot", "salesforce", "pipedrive", "mautic", "standard", "generic"]
DECODED = "%3A %2F %3F %40 %21 %24 %27 %28 %29 %2A %2C %3B".split()


# ------------------------------------------------------- the second checking


def unbase64(text):
    """The bytes; None where the text is not just what they are written as."""
    try:
        found = base64.b64decode(text.encode("latin-1"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if base64.b64encode(found).decode() == text else None


def sha256_hmac(secret, message):
    return hmac.new(secret, message, hashlib.sha256).digest()


def decode_uri(uri):
    def one(match):
        return chr(int(match[0][1:], 16)) if match[0].upper() in DECODED else match[0]
    return re.sub("%[0-9A-Fa-f]{2}", one, uri)


def near(at_ms, now_ms):
    return abs(now_ms - at_ms) <= WINDOW_MS


def check_hubspot(ask, headers):
    takes = ask["signatures"]
    uri = ask["base_url"] + ask["target"]
    v3 = headers.get("x-hubspot-signature-v3")
    if takes & V3 and v3:
        time = headers.get("x-hubspot-request-timestamp") or ""
        if not re.fullmatch("[0-9]{13}", time) or not near(int(time), ask["now_ms"]):
            return None
        message = (ask["method"] + decode_uri(uri)).encode() + ask["body"] + time.encode()
        given = unbase64(v3)
        if given and any(given == sha256_hmac(one, message) for one in ask["secrets"]):
            return given
        return None
    version = {"v1": V1, "v2": V2}.get(headers.get("x-hubspot-signature-version"))
    if not version or not version & takes:
        return None
    given = headers.get("x-hubspot-signature") or ""
    head = (ask["method"] + uri).encode() if version == V2 else b""
    for secret in ask["secrets"]:
        if given.lower() == hashlib.sha256(secret + head + ask["body"]).hexdigest():
            return b""
    return None


def check_standard(ask, headers):
    name, time = headers.get("webhook-id") or "", headers.get("webhook-timestamp") or ""
    if not re.fullmatch("[!-~]{1,255}", name) or not re.fullmatch("[0-9]{1,12}", time):
        return None
    if not near(int(time) * 1000, ask["now_ms"]):
        return None
    message = name.encode() + b"." + time.encode() + b"." + ask["body"]
    for one in (headers.get("webhook-signature") or "").split(" "):
        if one.startswith("v1,") and unbase64(one[3:]) in [
                sha256_hmac(secret, message) for secret in ask["secrets"]]:
            return name.encode()
    return None


def check_mautic(ask, headers):
    given = unbase64(headers.get("webhook-signature") or "")
    fits = given in [sha256_hmac(secret, ask["body"]) for secret in ask["secrets"]]
    return b"" if fits else None


def check_basic(ask, headers):
    found = re.fullmatch("(?i:basic) +(.*)", headers.get("authorization") or "", re.DOTALL)
    pair = unbase64(found[1]) if found else None
    fits = pair is not None and hashlib.sha256(pair).digest() in ask["secrets"]
    return b"" if fits else None


def expected(ask):
    """(word, proof): what is to be said of a delivery."""
    headers = {name.lower(): value for name, value in ask["headers"].items()}
    if ask["kind"] in ("salesforce", "generic"):
        secret = headers.get("x-leadfit-secret")
        if not secret or not ask["secrets"]:
            return "unauthorized", b""
        fits = hashlib.sha256(secret.encode()).digest() in ask["secrets"]
        return ("ok", b"") if fits else ("bad_signature", b"")
    check = {"hubspot": check_hubspot, "standard": check_standard, "mautic": check_mautic,
             "pipedrive": check_basic}[ask["kind"]]
    proof = check(ask, headers)
    return ("bad_signature", b"") if proof is None else ("ok", proof)


# ---------------------------------------------------------------- deliveries


def some_text(chance, low, high, letters="abcXYZ019-_.~:;,!?* "):
    return "".join(chance.choice(letters) for _ in range(chance.randint(low, high)))


def some_secret(chance, kind):
    if kind == "standard":
        return chance.randbytes(chance.randint(24, 64))
    if kind == "pipedrive":
        return ("%s:%s" % (some_text(chance, 1, 20, "abcXYZ0é"),
                           some_text(chance, 3, 99))).encode()
    return some_text(chance, 8, chance.choice([20, 63, 64, 65, 200])).strip().encode() or b"x"


def some_target(chance):
    return "/" + "".join(chance.choice(DECODED + [one.lower() for one in DECODED] + [
        "%20", "%25", "%253A", "%5B", "%C3%A9", "a", "b", "/", "?", "&x=1", ":", "%", "%3"])
        for _ in range(chance.randint(0, 12)))


def sign(chance, ask, secret):
    """The headers that the vendor would send."""
    kind, body = ask["kind"], ask["body"]
    off_ms = chance.choice([0, 0, 1, -1, 299_000, 300_000, 300_001, 301_000, -299_000, -300_000,
                            -300_001, -301_000, chance.randint(-400_000, 400_000)])
    at_ms = ask["now_ms"] - off_ms
    if kind == "hubspot":
        uri, headers = ask["base_url"] + ask["target"], {}
        if chance.random() < 0.6:
            message = (ask["method"] + decode_uri(uri)).encode() + body + str(at_ms).encode()
            headers["X-HubSpot-Signature-v3"] = b64(sha256_hmac(secret, message))
            headers["X-HubSpot-Request-Timestamp"] = str(at_ms)
        if not headers or chance.random() < 0.5:
            version = chance.choice(["v1", "v2"])
            head = (ask["method"] + uri).encode() if version == "v2" else b""
            headers["X-HubSpot-Signature"] = hashlib.sha256(secret + head + body).hexdigest()
            headers["X-HubSpot-Signature-Version"] = version
        return headers
    if kind == "standard":
        name = some_text(chance, 1, chance.choice([8, 40, 255]), "abcXYZ019-_.")
        time = str((at_ms + chance.choice([0, 999])) // 1000)
        good = "v1," + b64(sha256_hmac(secret, ("%s.%s." % (name, time)).encode() + body))
        others = ["v1a," + b64(chance.randbytes(64)), "v1," + b64(chance.randbytes(32)), "v2,x",
                  "v1,", "v1,??"]
        all_of_them = [chance.choice(others) for _ in range(chance.choice([0, 0, 1, 3]))]
        all_of_them.insert(chance.randint(0, len(all_of_them)), good)
        return {"webhook-id": name, "webhook-timestamp": time,
                "webhook-signature": " ".join(all_of_them)}
    if kind == "mautic":
        return {"Webhook-Signature": b64(sha256_hmac(secret, body))}
    if kind == "pipedrive":
        return {"Authorization": chance.choice(["Basic ", "basic ", "BASIC  "]) + b64(secret)}
    return {"X-Leadfit-Secret": secret.decode()}


def b64(data):
    return base64.b64encode(data).decode()


def flip(chance, data):
    at = chance.randrange(len(data) * 8)
    return bytes(byte ^ (1 << at % 8 if at // 8 == i else 0) for i, byte in enumerate(data))


def spoil_header(chance, headers):
    """One header changed a little, by a hand that knows how signatures are written."""
    name = chance.choice(sorted(headers))
    text = headers[name]
    at = chance.randrange(len(text)) if text else 0
    headers[name] = chance.choice([
        lambda: text[:at] + chance.choice("aA0+/=-_ .%\té") + text[at + 1:],
        lambda: text[:at] + text[at + 1:],
        lambda: text[:at] + chance.choice("aA0=, ") + text[at:],
        lambda: text[:-1],
        lambda: text + "=",
        lambda: text.rstrip("="),
        lambda: text.replace("+", "-").replace("/", "_"),
        lambda: " " + text,
        lambda: text + " ",
        lambda: text.upper(),
        lambda: text.lower(),
        lambda: text.swapcase(),
        lambda: text + " " + text,
        lambda: text + "," + text,
        lambda: "",
        lambda: last_bits(chance, text),
        lambda: text.replace("v1", chance.choice(["v2", "v3", "V1"])),
    ])()


def last_bits(chance, text):
    """Another last character before the padding: the bits that stand for nothing."""
    bare = text.rstrip("=")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    if not bare or bare[-1] not in letters:
        return text
    return bare[:-1] + letters[letters.index(bare[-1]) ^ chance.choice([1, 2, 3])] + text[len(bare):]


def spoil(chance, ask):
    headers = ask["headers"]
    what = chance.randrange(12) if headers else 0
    if what == 0:
        ask["body"] = flip(chance, ask["body"]) if ask["body"] else b"x"
    elif what == 1:
        ask["body"] = chance.choice([ask["body"][:-1], ask["body"][1:], ask["body"] + b" ",
                                     b" " + ask["body"], ask["body"] + b"\x00"])
    elif what == 2:
        ask["method"] = chance.choice(["PUT", "post", "GET", ""])
    elif what == 3:
        ask["target"] = chance.choice([ask["target"] + "/", ask["target"] + "?", ask["target"][:-1],
                                       decode_uri(ask["target"]), some_target(chance)])
    elif what == 4:
        ask["base_url"] = chance.choice(["http://crm.example", "https://crm.example:443", "",
                                         "https://crm.exampl"])
    elif what == 5:
        ask["secrets"] = [flip(chance, one) for one in ask["secrets"]]
    elif what == 6:
        ask["secrets"] = ask["secrets"][1:] + ask["secrets"][:1]    # the other way round: still good
    elif what == 7:
        ask["now_ms"] += chance.choice([-301_000, -1, 1, 300_000, 301_000])
    elif what == 8:
        headers.pop(chance.choice(sorted(headers)))
    elif what == 9:
        ask["signatures"] = chance.randint(1, 7)
    elif what == 10:
        ask["kind"] = chance.choice(KINDS)
    else:
        spoil_header(chance, headers)


def some_delivery(chance):
    kind = chance.choice(KINDS + ["hubspot", "hubspot", "standard"])
    secrets = [some_secret(chance, kind) for _ in range(chance.choice([1, 1, 2]))]
    ask = {"kind": kind, "signatures": chance.choice([V3, V3, V2, V1, V1 | V2, V1 | V3, V2 | V3, 7]),
           "method": "POST", "base_url": "https://crm.example", "target": some_target(chance),
           "body": chance.choice([b"", b"{}", chance.randbytes(chance.randint(1, 300)),
                                  b'{"properties":{"title":"VP"}}']),
           "now_ms": NOW_MS + chance.randint(0, 10 ** 9)}
    ask["headers"] = sign(chance, ask, chance.choice(secrets))
    digests = kind in ("salesforce", "generic", "pipedrive")
    ask["secrets"] = [hashlib.sha256(one).digest() for one in secrets] if digests else secrets
    for _ in range(chance.choice([0, 0, 1, 1, 1, 2])):
        spoil(chance, ask)
    return ask


# ------------------------------------------------------------------- holding


def line_of(ask):
    return json.dumps(dict(ask, body=ask["body"].hex(),
                           secrets=[one.hex() for one in ask["secrets"]]), ensure_ascii=False)


def faults(ask, said):
    word, proof, detail = (said.split(" ", 2) + ["", ""])[:3]
    wanted, wanted_proof = expected(ask)
    found = []
    if word != wanted:
        found.append("is %s (%s), expected %s" % (word, detail, wanted))
    elif bytes.fromhex(proof.replace("-", "")) != wanted_proof:
        found.append("has the proof %s, expected %s" % (proof, wanted_proof.hex()))
    # What is said of a refusal holds nothing of what was sent, nor of a secret.
    for value in list(ask["headers"].values()) + [
            one.decode("latin-1") for one in ask["secrets"] + [ask["body"]]]:
        if len(value.strip()) > 4 and value.strip() in detail:
            found.append("tells of %r: %s" % (value, detail))
    return found


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("driver")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    asked = [some_delivery(chance) for _ in range(options.count)]
    told = subprocess.run([options.driver], input="\n".join(map(line_of, asked)) + "\n", text=True,
                          encoding="utf-8", stdout=subprocess.PIPE, check=True).stdout.split("\n")[:-1]
    good = failed = 0
    for ask, said in zip(asked, told):
        good += said.startswith("ok ")
        found = faults(ask, said)
        failed += bool(found)
        if found and failed <= SHOWN:
            print("%s\n  %s" % (line_of(ask), "\n  ".join(found)))
    failed += abs(len(asked) - len(told))
    if not options.count / 5 < good < options.count * 4 / 5:     # else it would prove little
        print("%d of %d deliveries are good" % (good, options.count))
        failed += 1
    print("%d passed, %d failed (%d of them let in)" % (len(asked) - failed, failed, good))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
