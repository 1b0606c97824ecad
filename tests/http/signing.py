"""How CRMs prove who they are, written from their documents and with nothing of ours: for the
tests of webhooks."""

import base64
import hashlib
import hmac
import re
import time

DECODED = "%3A %2F %3F %40 %21 %24 %27 %28 %29 %2A %2C %3B".split()


def now_ms():
    return time.time_ns() // 1_000_000


def mac(secret, message):
    return base64.b64encode(hmac.new(secret, message, hashlib.sha256).digest()).decode()


def hubspot_v3(secret, url, body, at_ms=None):
    at = str(now_ms() if at_ms is None else at_ms)
    uri = re.sub("|".join(DECODED), lambda found: bytes.fromhex(found.group()[1:]).decode(), url,
                 flags=re.IGNORECASE)
    return {"X-HubSpot-Request-Timestamp": at, "X-HubSpot-Signature-v3":
            mac(secret.encode(), b"POST" + uri.encode() + body + at.encode())}


def hubspot_v2(secret, url, body):
    digest = hashlib.sha256(secret.encode() + b"POST" + url.encode() + body).hexdigest()
    return {"X-HubSpot-Signature": digest, "X-HubSpot-Signature-Version": "v2"}


def hubspot_v1(secret, body):
    digest = hashlib.sha256(secret.encode() + body).hexdigest()
    return {"X-HubSpot-Signature": digest, "X-HubSpot-Signature-Version": "v1"}


def mautic(secret, body):
    return {"Webhook-Signature": mac(secret.encode(), body)}


def standard(secret, body, name, at_s=None):
    """secret: whsec_ and base 64."""
    at = str(int(time.time()) if at_s is None else at_s)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return {"webhook-id": name, "webhook-timestamp": at,
            "webhook-signature": "v1," + mac(key, ("%s.%s." % (name, at)).encode() + body)}


def basic(secret):
    return {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
