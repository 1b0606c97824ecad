#!/usr/bin/env python3
"""The house rules that a machine can check: layers, rooms of third-party headers, file lengths, the tree.

usage: test_house.py [FOLDER of the project]

lib/README.md says them in words; what is asked here is that the sources follow. Closing line: N passed, N failed.
"""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()

# cmd -> api -> app -> store -> core -> base, and api -> http -> base: what each folder may include.
LAYERS = {
    "lib/base": {"base"},
    "lib/core": {"core", "base"},
    "lib/store": {"store", "core", "base", "schema"},
    "lib/app": {"app", "store", "core", "base"},
    "lib/http": {"http", "base"},
    "lib/api": {"api", "app", "store", "core", "http", "base", "schema"},
    "cmd": {"cmd", "api", "app", "store", "core", "http", "base"},
}

# Third-party headers and the one room where each may be used.
ROOMS = {
    "microhttpd.h": "lib/http",
    "sqlite3.h": "lib/store",
    "cjson/cJSON.h": "lib/base",
    "cJSON.h": "lib/base",
    "utf8proc.h": "lib/base",
    "ini.h": "lib/base",
    "curl/curl.h": "lib/app",
}
ROOM_PREFIXES = {"openssl/": "lib/base"}

TOP = {"cmd", "lib", "schema", "config", "tests", "docker", "meson.build", "README.md", "LICENSE"}
CORE_FORBIDDEN = re.compile(r"#\s*include\s*<(stdio_ext|time|pthread|unistd|fcntl|sys/[a-z]+|threads|signal)\.h>")
CORE_CALLS = re.compile(r"\b(lf_time_now_ms|lf_time_monotonic_ns|lf_random_bytes|lf_log|printf|fopen|malloc|calloc|realloc)\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
LONGEST = 800

failures, passed = [], 0


def expect(fine, words):
    global passed
    if fine:
        passed += 1
    else:
        failures.append(words)
        print("FAIL", words)


def without_comments(text):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    return re.sub(r'"(\\.|[^"\\\n])*"', '""', text)


def sources(folder):
    return sorted(path for path in (ROOT / folder).rglob("*") if path.suffix in (".c", ".h"))


def check_includes(folder, allowed):
    for path in sources(folder):
        name = path.relative_to(ROOT).as_posix()
        for kind, target in INCLUDE.findall(path.read_text()):
            if kind == '"':
                layer = target.split("/")[0] if "/" in target else ("cmd" if folder == "cmd" else "?")
                expect(layer in allowed, f"{name} includes \"{target}\": {folder} may use {', '.join(sorted(allowed))}")
                continue
            room = ROOMS.get(target) or next((r for p, r in ROOM_PREFIXES.items() if target.startswith(p)), None)
            if room is not None:
                expect(name.startswith(room + "/"), f"{name} includes <{target}>, whose room is {room}")


def check_files():
    for folder in LAYERS:
        for path in sources(folder):
            name, text = path.relative_to(ROOT).as_posix(), path.read_text()
            expect(text.startswith("/*"), f"{name} does not open with its purpose")
            expect(text.count("\n") <= LONGEST, f"{name} has more than {LONGEST} lines")
            if path.suffix == ".c":
                expect(not re.search(r"^extern\b(?!.*environ)", text, re.M), f"{name} declares something extern")
            else:
                guard = re.search(r"#ifndef (LF_\w+_H)\n#define \1\n", text)
                expect(guard or folder == "cmd", f"{name} has no include guard of the form LF_…_H")


def check_core_is_pure():
    for path in sources("lib/core"):
        name, text = path.relative_to(ROOT).as_posix(), without_comments(path.read_text())
        expect(not CORE_FORBIDDEN.search(text), f"{name} includes a header of I/O, clock or threads")
        call = CORE_CALLS.search(text)
        expect(call is None, f"{name} calls {call and call.group(1)}: lib/core has no I/O, clock, threads or heap")


def check_headers_stand_alone():
    """A header compiles by its own includes."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    expect(compiler is not None, "there is no C compiler to try headers with")
    for folder in LAYERS:
        for path in sources(folder):
            if path.suffix != ".h" or compiler is None:
                continue
            run = subprocess.run([compiler, "-std=c11", "-D_GNU_SOURCE", "-fsyntax-only", "-x", "c", "-I", ROOT / "lib", path],
                                 capture_output=True, text=True)
            expect(run.returncode == 0, f"{path.relative_to(ROOT)} does not compile alone: {run.stderr.strip()[:300]}")


def check_tree():
    for path in ROOT.iterdir():
        if path.name.startswith((".", "build", "leadfit.")):  # what builds and a running server leave behind
            continue
        expect(path.name in TOP, f"{path.name} does not belong at the top")
    for folder in ("lib/base", "lib/core", "lib/store", "lib/app", "lib/http", "lib/api"):
        build = (ROOT / folder / "meson.build").read_text()
        expect(build.count("static_library(") == 1, f"{folder}/meson.build has not exactly one target")
        for path in (ROOT / folder).rglob("*.c"):
            expect(f"'{path.relative_to(ROOT / folder).as_posix()}'" in build, f"{path.name} is not built in {folder}")


def check_every_test_is_run():
    """A test that no meson.build names would never fail."""
    for folder, pattern, prefix in (("unit", "test_*.c", "test_"), ("http", "test_api_*.py", "test_api_"),
                                    ("http", "test_*.py", "test_")):
        build = (ROOT / "tests" / folder / "meson.build").read_text()
        for path in (ROOT / "tests" / folder).glob(pattern):
            name = path.stem.removeprefix(prefix)
            if pattern == "test_*.py" and (name == "api" or name.startswith("api_")):
                continue
            expect(f"'{name}'" in build, f"tests/{folder}/{path.name} is run by no suite")


THREADS = re.compile(r"\bpthread_create\(|\blf_(?:recorder|service|keeper|courier)_start\(")


def check_tests_with_threads():
    """ThreadSanitizer's build runs those alone: none may be forgotten."""
    folder = ROOT / "tests" / "unit"
    build = (folder / "meson.build").read_text()
    told = set(re.findall(r"'(\w+)'", re.search(r"^threaded = \[(.*?)\]", build, re.M | re.S).group(1)))
    for path in folder.glob("test_*.c"):
        files = [path]  # and its fixtures
        for one in files:
            files += [folder / name for kind, name in INCLUDE.findall(one.read_text())
                      if kind == '"' and (folder / name).exists() and folder / name not in files]
        name = path.stem.removeprefix("test_")
        if name == "allocation":  # minutes, for the threads that test_service has as well
            continue
        expect((name in told) == any(THREADS.search(without_comments(one.read_text())) for one in files),
               f"tests/unit/{path.name}: threaded in tests/unit/meson.build says {name in told}")


for each, may in LAYERS.items():
    check_includes(each, may)
check_files()
check_core_is_pure()
check_headers_stand_alone()
check_tree()
check_every_test_is_run()
check_tests_with_threads()
print(f"{passed} passed, {len(failures)} failed")
sys.exit(1 if failures else 0)
