"""Posts to targets that fail in every way (lib/app/post.c), by post_driver.c.

What is counted is how each post ended and what the targets saw; no time is measured.
"""

import os
import subprocess
import time

from harness import Place, equal, run
from targets import (BEHAVIOURS, Certificates, Request, Target, answer, hang, has_openssl, header, raw,
                     signature_faults)

BODY = '{"type":"score.recorded"}'


class Post:
    def __init__(self, line):
        number, status, retry, *error = line.split(" ", 3)
        self.number, self.status, self.retry_ms = int(number), int(status), int(retry)
        self.error = error[0] if error else ""

    def __repr__(self):
        return "%d %d %s" % (self.status, self.retry_ms, self.error)


def post(program, urls, *options, body=BODY, env=None, code=0):
    """Posts all at once, and gives how each ended, in the order of urls; `order` on
    the function has the numbers in the order in which they ended."""
    done = subprocess.run([program, *options], input="".join("%s %s\n" % (url, body) for url in urls),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300, check=False,
                          env={**os.environ, **(env or {})})
    if done.returncode != code:
        raise AssertionError("exit code %d: %s%s" % (done.returncode, done.stdout, done.stderr))
    ended = [Post(line) for line in done.stdout.splitlines()]
    post.order = [one.number for one in ended]
    post.stderr = done.stderr
    return sorted(ended, key=lambda one: one.number)


PRIVATE = "allow_private=1"
SHORT = "timeout_ms=1500"


def test_what_is_sent(program):
    with Target() as target:
        ended = post(program, [target.url("/ok?token=a%20b")], PRIVATE)[0]
        equal((ended.status, ended.retry_ms, ended.error), (200, -1, ""), "a plain post")
        equal(len(target.seen()), 1, "requests")
        request = target.seen()[0]
        equal((request.method, request.path, request.body.decode()), ("POST", "/ok?token=a%20b", BODY), "request")
        equal(dict((name.lower(), value) for name, value in request.headers), {
            "host": "127.0.0.1:%d" % target.port, "accept": "*/*", "content-type": "application/json",
            "user-agent": "leadfit/test", "webhook-id": "msg_1", "content-length": str(len(BODY))}, "headers")


def test_a_long_body_waits_for_no_permission(program):
    body = '"' + "x" * 7000 + '"'
    with Target() as target:
        ended = post(program, [target.url("/ok")] * 3, PRIVATE, body=body)
        equal([one.status for one in ended], [200] * 3, "statuses")
        for request in target.seen():
            equal((header(request, "Expect"), request.body.decode()), (None, body), "request")


# Path, status, a piece of the error.
ENDS = [
    ("ok", 200, ""), ("created", 201, ""), ("nothing", 204, ""), ("error", 500, ""), ("gone", 410, ""),
    ("bad", 400, ""), ("old", 200, ""), ("chunks", 200, ""), ("continue", 503, ""), ("slow", 200, ""),
    ("trailers", 200, ""), ("000", 0, "does not speak HTTP"), ("600", 0, "does not speak HTTP"),
    ("999", 0, "does not speak HTTP"), ("cookie", 200, ""), ("who", 401, ""), ("encoded", 200, ""),
    ("large", 200, ""), ("larger", 200, ""), ("huge", 202, ""), ("endless", 200, ""), ("endless-error", 500, ""),
    ("close", 0, "without an answer"), ("reset", 0, "broke off"),
    ("cut-in-head", 0, ""),  # in words that depend on libcurl's version
    ("cut", 0, "broke off"), ("cut-chunk", 0, "broke off"),
    ("cut-chunks", 0, "broke off"), ("reset-in-body", 0, "broke off"),
    ("endless-head", 0, "no end"), ("endless-continue", 0, "no end"),
    ("hang", 0, "no whole answer came in time"), ("hang-in-head", 0, "no whole answer came in time"),
    ("hang-in-body", 0, "no whole answer came in time"), ("slower", 0, "no whole answer came in time"),
    ("other", 0, "does not speak HTTP"), ("text", 0, "does not speak HTTP"), ("no-status", 0, "does not speak HTTP"),
]


def test_every_end(program):
    equal(sorted(path for path, _, _ in ENDS), sorted(BEHAVIOURS), "what is tried")
    with Target() as target:
        for at_once in ("1", "100"):
            ended = post(program, [target.url("/" + path) for path, _, _ in ENDS], PRIVATE, "timeout_ms=4000",
                         "at_once=" + at_once)
            for one, (path, status, error) in zip(ended, ENDS):
                equal((one.status, error in one.error, bool(one.error), one.retry_ms),
                      (status, True, status == 0, -1), "%s: %r" % (path, one))


def test_all_ends_at_once_under_wakes(program):
    with Target() as target:
        urls = [target.url("/" + path) for path, _, _ in ENDS] * 8
        ended = post(program, urls, PRIVATE, "timeout_ms=8000", "wakes=1")
        for one, (path, status, _) in zip(ended, ENDS * 8):
            equal(one.status, status, path)


def test_who_hangs_holds_up_nobody(program):
    with Target() as target:
        urls = [target.url("/hang")] * 50 + [target.url("/ok")] * 200
        ended = post(program, urls, PRIVATE, "timeout_ms=6000")
        equal([one.status for one in ended], [0] * 50 + [200] * 200, "statuses")
        equal(all(number > 50 for number in post.order[:200]), True, "that those who answer end first")


def test_redirects_are_not_followed(program):
    with Target() as elsewhere:
        def redirect(connection, request):
            status = request.path.strip("/")
            return answer(connection, status + " Elsewhere", headers=[("Location", elsewhere.url("/ok")),
                                                                       ("Refresh", "0; url=" + elsewhere.url("/ok"))])

        with Target(redirect) as target:
            codes = ["300", "301", "302", "303", "307", "308"]
            ended = post(program, [target.url("/" + code) for code in codes], PRIVATE)
            equal([str(one.status) for one in ended], codes, "statuses")
            equal(len(target.seen()), len(codes), "requests")
        equal(elsewhere.connections, 0, "connections elsewhere")


def test_nothing_comes_from_the_environment(program):
    with Place(program) as place, Target() as elsewhere, Target() as target:
        place.path(".netrc", "machine 127.0.0.1 login somebody password something\n")
        place.path(".curlrc", "proxy = %s\n" % elsewhere.url(""))
        proxy = elsewhere.url("")
        env = {"HOME": place.folder, "CURL_HOME": place.folder, "NETRC": place.folder + "/.netrc"}
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            env[name] = proxy
        ended = post(program, [target.url("/cookie"), target.url("/who"), target.url("/cookie")], PRIVATE, "at_once=1",
                     env=env)
        equal([one.status for one in ended], [200, 401, 200], "statuses")
        equal(elsewhere.connections, 0, "connections to the proxy")
        for request in target.seen():
            equal((header(request, "Authorization"), header(request, "Cookie")), (None, None), "what was sent along")


def test_retry_after(program):
    asked = [("7", 7000), ("0", 0), ("  120 ", 120000), ("2147483647", 2147483647000), ("99999999999999999999", 2147483647000),
             ("-5", -1), ("1.5", -1), ("soon", -1), ("", -1), ("5 minutes", -1), ("20261122", 20261122000),
             ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("x" * 100, -1)]
    wanted = [("", "")]

    def later(connection, request):
        index = int(request.path.strip("/"))
        value = asked[index][0] if index < len(asked) else wanted[0]
        return answer(connection, "429 Slowly", headers=[("rEtry-After", value)])

    with Target(later) as target:
        ended = post(program, [target.url("/%d" % i) for i in range(len(asked))], PRIVATE)
        for one, (value, expected) in zip(ended, asked):
            equal((one.status, one.retry_ms), (429, expected), "Retry-After: %s" % value)
        for form in ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"):
            wanted[0] = time.strftime(form, time.gmtime(time.time() + 1000))
            one = post(program, [target.url("/%d" % len(asked))], PRIVATE)[0]
            equal(0 < one.retry_ms <= 1000000, True, "%s: %r" % (wanted[0], one))
            wanted[0] = time.strftime(form, time.gmtime(time.time() - 1000))
            equal(post(program, [target.url("/%d" % len(asked))], PRIVATE)[0].retry_ms, 0, wanted[0])


def test_connections_are_kept(program):
    with Target() as target:
        ended = post(program, [target.url("/ok")] * 100, PRIVATE, "at_once=1")
        equal([one.status for one in ended], [200] * 100, "statuses")
        equal((len(target.seen()), target.connections), (100, 1), "requests and connections")
        ended = post(program, [target.url("/ok"), target.url("/close")] * 20, PRIVATE, "at_once=1")
        equal([one.status for one in ended], [200, 0] * 20, "statuses")


def test_nobody_there(program):
    with Target() as target:
        url = target.url("/ok")
    ended = post(program, [url, "http://nobody.invalid/", "http://127.0.0.1:1/"], PRIVATE, "name=nobody.invalid=")
    equal([one.status for one in ended], [0] * 3, "statuses")
    equal([one.error for one in ended], ["the target refused the connection", "the target's name cannot be resolved",
                                         "the target refused the connection"], "errors")


def test_private_addresses(program):
    """Each by a URL that passed in, as one that was put while private targets were allowed."""
    with Target() as target:
        port = target.port
        hosts = ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "localhost",
                 "0.0.0.0", "hook.test", "mixed.test", "x.localhost", "10.0.0.1", "169.254.169.254",
                 "[fe80::1]", "[fc00::1]"]
        ended = post(program, ["https://%s:%d/ok" % (host, port) for host in hosts], "name=hook.test=127.0.0.1",
                     "name=mixed.test=10.0.0.1,127.0.0.1,::1", "timeout_ms=5000")
        for one, host in zip(ended, hosts):
            equal((one.status, "not public (allow" in one.error.replace("; the setting ", " (")), (0, True),
                  "%s: %r" % (host, one))
        ended = post(program, [target.url("/ok"), "http://8.8.8.8:%d/" % port])
        equal([(one.status, "https alone" in one.error) for one in ended], [(0, True)] * 2, "plain http: %r" % ended)
        ended = post(program, ["ftp://127.0.0.1:%d/" % port, "file:///etc/passwd", "gopher://127.0.0.1:%d/" % port],
                     PRIVATE)
        equal([(one.status, bool(one.error)) for one in ended], [(0, True)] * 3, "other schemes")
        equal(target.connections, 0, "connections")


class Mail(Target):
    """Speaks first, and another language."""

    def serve(self, plain):
        raw(plain, b"220 mail.example ESMTP\r\n")
        hang(plain)


def test_certificates(program):
    if not has_openssl():
        print("skipped: without the openssl tool there are no certificates to try")
        return
    with Certificates() as made:
        ca = "ca_file=" + made.ca
        with Target(certificate=made.good) as good, Target(certificate=made.other) as other, \
                Target(certificate=made.expired) as expired, Target(certificate=made.unknown) as unknown, \
                Mail() as plain:
            def https(target, host="127.0.0.1"):
                return target.url("/ok", "https", host)

            urls = [https(good), https(good, "localhost"), https(other), https(expired), https(unknown), https(plain)]
            ended = post(program, urls, PRIVATE, ca)
            equal([one.status for one in ended], [200, 200, 0, 0, 0, 0], "statuses: %r" % ended)
            for one, words in zip(ended[2:], ("another name", "expired", "nobody who is trusted", "(TLS)")):
                equal(words in one.error, True, "%s: %r" % (words, one))
            one = post(program, [https(good)], PRIVATE)[0]
            equal((one.status, "ca_file" in one.error), (0, True), "the system's certificates: %r" % one)
            equal([len(target.seen()) for target in (good, other, expired, unknown, plain)], [2, 0, 0, 0, 0],
                  "requests")
            post(program, [https(good)], "ca_file=/nowhere/ca.pem", code=3)
            equal("ca_file: /nowhere/ca.pem cannot be read" in post.stderr, True, post.stderr)
            one = post(program, [https(good)], PRIVATE, "ca_file=" + made.path("good.ext"))[0]
            equal((one.status, "ca_file" in one.error), (0, True), "a ca_file that is none: %r" % one)


def test_what_is_looked_up_is_what_is_connected_to(program):
    """127.0.0.2 counts as public here. A name that leads elsewhere the second time leads nowhere."""
    if not has_openssl():
        print("skipped: without the openssl tool there is no certificate for https")
        return
    with Certificates() as made, Target(address="0.0.0.0", certificate=made.good) as target:
        options = ["ca_file=" + made.ca, "public=127.0.0.2", "timeout_ms=5000"]
        url = target.url("/ok", "https", "hook.test")
        one = post(program, [target.url("/ok", "https", "127.0.0.2")], *options)[0]
        equal((one.status, one.error), (200, ""), "the public address")
        one = post(program, [target.url("/ok", "https")], *options)[0]
        equal((one.status, "not public" in one.error), (0, True), "the other: %r" % one)
        seen = target.connections
        one = post(program, [url], *options, "name=hook.test=127.0.0.1")[0]
        equal((one.status, "not public" in one.error, target.connections), (0, True, seen), "a name: %r" % one)
        one = post(program, [url], *options, "name=hook.test=127.0.0.1,10.0.0.1,127.0.0.2")[0]
        equal((one.status, target.connections), (200, seen + 1), "a name with one public address: %r" % one)
        ended = post(program, [url] * 2, *options, "at_once=1", "name=hook.test=127.0.0.2/127.0.0.1")
        equal([one.status for one in ended], [200, 200], "kept: %r" % ended)
        equal({header(one, "Host") for one in target.seen()},
              {"hook.test:%d" % target.port, "127.0.0.2:%d" % target.port}, "Host")


def test_a_name_server_that_does_not_answer(program):
    """Gives up in time, and holds up nobody; the driver's lookup takes longer than the post."""
    with Target() as target:
        urls = ["http://slow.test:%d/" % target.port] * 3 + [target.url("/ok")] * 50
        ended = post(program, urls, PRIVATE, SHORT, "name=slow.test=slow")
        equal([one.status for one in ended], [0] * 3 + [200] * 50, "statuses")
        equal([one.error for one in ended[:3]], ["no connection came about in time"] * 3, "errors")
        equal(set(post.order[-3:]), {1, 2, 3}, "those that end last")


def test_cut(program):
    """What is under way when the poster goes is cut, wherever it is."""
    with Target() as target:
        urls = ["http://slow.test:%d/" % target.port] * 3 + [target.url("/" + path) for path, _, _ in ENDS] * 4
        for after in (1, 5, 30, 60):
            ended = post(program, urls + [target.url("/hang")], PRIVATE, "name=slow.test=slow", "cut_after=%d" % after)
            equal(after <= len(ended) < len(urls), True, "%d of %d ended" % (len(ended), len(urls)))


def test_errors_tell_no_urls(program):
    with Target() as target:
        urls = [target.url("/" + path + "?token=s3cret") for path, _, _ in ENDS]
        urls += ["http://s3cret.test:%d/" % target.port, "https://127.0.0.1:%d/?token=s3cret" % target.port,
                 "http://127.0.0.1:1/s3cret"]
        for one in post(program, urls, PRIVATE, SHORT, "name=s3cret.test="):
            equal(("s3cret" in one.error, "127.0.0.1" in one.error), (False, False), "error %r" % one)


def test_the_check_of_signatures(program):
    """The oracle of other tests is held against the vector of the specification."""
    request = Request("POST", "/", [("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"), ("webhook-timestamp", "1614265330"),
                                    ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")],
                      b'{"test": 2432232314}')
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    equal(signature_faults(request, secret, 1614265330), [], "the vector")
    equal(len(signature_faults(request, secret)), 1, "an old timestamp")
    request.body += b" "
    equal(len(signature_faults(request, secret, 1614265330)), 1, "another body")


run(globals())
