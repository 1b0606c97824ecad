"""What the command line's tests share: running the program, on a pipe or on a pseudo-terminal, and counting.

A test is a function whose name begins with test_; it gets a Case, which has a directory of its own. It checks with
case.check(...), which goes on after a failure, so that one run tells everything.
"""

import errno
import fcntl
import json
import os
import pathlib
import pty
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT_S = 120


class Done:
    """How a run ended: code, out and err as text."""

    def __init__(self, code, out, err):
        self.code, self.raw, self.out, self.err = code, out, out.decode(errors='replace'), err.decode(errors='replace')

    def lines(self):
        return self.out.splitlines()

    def json(self):
        """Each line of standard output as JSON."""
        return [json.loads(line) for line in self.out.splitlines()]

    def __str__(self):
        return f'exit {self.code}\n  out: {self.out[:600]!r}\n  err: {self.err[:600]!r}'


class Case:
    passed = failed = 0

    def __init__(self, program, name):
        self.program, self.name = program, name
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='leadfit-cli-'))
        self.servers = []

    # ---- files ----

    def file(self, name, content):
        """Writes a file (text, bytes, or what becomes JSON) and returns its path."""
        path = self.dir / name
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return str(path)

    def path(self, name):
        return str(self.dir / name)

    # ---- running ----

    def environment(self, more=None):
        env = {k: v for k, v in os.environ.items() if not k.startswith('LEADFIT_')}
        env.update({'TERM': 'xterm', 'TZ': 'UTC'}, **(more or {}))
        return env

    def run(self, *args, stdin=b'', env=None, timeout=TIMEOUT_S, **more):
        """Runs to the end. A run that does not end in time has the exit code None."""
        if isinstance(stdin, str):
            stdin = stdin.encode()
        try:
            done = subprocess.run([self.program, *map(str, args)], input=stdin, capture_output=True, cwd=self.dir,
                                  env=self.environment(env), timeout=timeout, check=False, **more)
        except subprocess.TimeoutExpired as late:
            return Done(None, late.stdout or b'', (late.stderr or b'') + b' (did not end)')
        return Done(done.returncode, done.stdout, done.stderr)

    def run_on_terminal(self, *args, columns=100, output=True, feed=None, env=None):
        """Runs with standard error, and with output also standard output, on a pseudo-terminal. feed() yields pieces of
        standard input, each with the seconds to pause behind it. What the terminal showed is in Done.out, and in
        Done.err where standard output was elsewhere."""
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack('HHHH', 40, columns, 0, 0))
        settings = termios.tcgetattr(follower)
        settings[1] &= ~termios.OPOST
        termios.tcsetattr(follower, termios.TCSANOW, settings)
        with tempfile.TemporaryFile() as plain:
            process = subprocess.Popen([self.program, *map(str, args)], cwd=self.dir, env=self.environment(env),
                                       stdin=subprocess.PIPE, stdout=follower if output else plain, stderr=follower)
            os.close(follower)
            shown, end = b'', time.monotonic() + TIMEOUT_S
            steps = iter(feed() if feed else ())
            wait = 0
            while time.monotonic() < end:
                if process.stdin and time.monotonic() >= wait:
                    try:
                        data, pause = next(steps)
                        process.stdin.write(data)
                        process.stdin.flush()
                        wait = time.monotonic() + pause
                    except StopIteration:
                        process.stdin.close()
                        process.stdin = None
                ready, _, _ = select.select([leader], [], [], 0.05)
                if not ready:
                    continue
                try:
                    piece = os.read(leader, 65536)
                except OSError as error:
                    if error.errno == errno.EIO:
                        break
                    raise
                if not piece:
                    break
                shown += piece
            os.close(leader)
            if process.stdin:
                process.stdin.close()
            code = process.wait(TIMEOUT_S)
            plain.seek(0)
            return Done(code, shown, b'') if output else Done(code, plain.read(), shown)

    def serve(self, db, *args):
        """Starts a server on a free port; it is stopped when the test ends. Returns process and URL."""
        process = subprocess.Popen([self.program, 'serve', '--db', db, '--listen', '127.0.0.1:0', *args], cwd=self.dir,
                                   env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.servers.append(process)
        line = process.stdout.readline().decode()
        return process, line.strip().rsplit(' ', 1)[-1]

    # ---- checking ----

    def check(self, fine, what, *seen):
        if fine:
            Case.passed += 1
            return True
        Case.failed += 1
        print(f'FAILED {self.name}: {what}')
        for thing in seen:
            print('  ' + str(thing)[:1500])
        return False

    def equal(self, seen, wanted, what, *more):
        return self.check(seen == wanted, what, f'wanted {wanted!r}', f'seen   {seen!r}', *more)

    def ends(self, done, code, what, out=None, err=None):
        """Checks the exit code and that texts stand in standard output or error."""
        fine = self.check(done.code == code, f'{what}: exit {code}', done)
        for name, wanted in (('out', out), ('err', err)):
            for text in [wanted] if isinstance(wanted, str) else wanted or []:
                fine &= self.check(text in getattr(done, name), f'{what}: standard {name} holds {text!r}', done)
        return fine

    def finish(self):
        for process in self.servers:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(30)
            process.stdout.close()
        shutil.rmtree(self.dir, ignore_errors=True)


def run_tests(program, modules, wanted):
    """Runs each test of the modules whose name holds `wanted`. Returns whether all passed."""
    for module in modules:
        for name, test in sorted(vars(module).items()):
            if not name.startswith('test_') or wanted not in name:
                continue
            case = Case(program, name)
            try:
                test(case)
            except Exception:  # a test that breaks is a failure like any other
                Case.failed += 1
                print(f'FAILED {name}')
                traceback.print_exc()
            finally:
                case.finish()
    print(f'{Case.passed} passed, {Case.failed} failed')
    return Case.failed == 0


# ---- definitions and leads ----

def icp(key='plants', **more):
    """A small definition: 60 for 500 or more people, 40 for a title with `operations`; consumers are out."""
    return {'key': key, 'name': key.title(), 'framework': 'pain_points', 'purpose': 'core', 'summary': 'A test.',
            'disqualifiers': [{'key': 'consumer', 'reason': 'A consumer address', 'when': {'field': 'email', 'ends_with': '@mail.example'}}],
            'attributes': [
                {'key': 'size', 'label': 'Company size', 'category': 'firmographic', 'weight': 60,
                 'rules': [{'when': {'field': 'company.employees', 'gte': 500}, 'fit': 1, 'label': '500 and more'}]},
                {'key': 'title', 'label': 'Job title', 'category': 'decision_maker', 'weight': 40,
                 'rules': [{'when': {'field': 'title', 'contains': 'operations'}, 'fit': 1, 'label': 'runs operations'}]}],
            'grades': [{'grade': 'A', 'min': 80}, {'grade': 'B', 'min': 50}, {'grade': 'C', 'min': 0}], **more}


def lead(id='1', employees=900, title='Head of Operations', **more):
    return {'id': id, 'title': title, 'company': {'employees': employees}, **more}


def ndjson(*leads):
    return ''.join(json.dumps(x, ensure_ascii=False) + '\n' for x in leads)
