#!/usr/bin/env python3
"""The command line, driven as people and scripts drive it: the real program, pipes, files and pseudo-terminals.

usage: test_cli.py PATH/TO/leadfit [PART of a test's name]

Here: the program as a whole. score_input.py and score_output.py hold `leadfit score`, stores.py the commands that have
a database. Closing line: N passed, N failed.
"""

import os
import sys

import score_input
import score_output
import stores
from harness import ROOT, run_tests

COMMANDS = ['serve', 'score', 'icp lint', 'icp import', 'icp list', 'icp export', 'keys create', 'keys list', 'keys revoke', 'backup',
            'check']


def test_version(case):
    done = case.run('--version')
    case.ends(done, 0, '--version', out='leadfit ')
    case.check(len(done.lines()) == 1 and done.out.split()[1].count('.') == 2, 'one line with the version', done)


def test_help(case):
    for word in '--help', '-h', 'help':
        done = case.run(word)
        case.ends(done, 0, word, out=COMMANDS)
        case.equal(done.err, '', f'{word}: nothing on standard error')
    for command in COMMANDS:
        for word in '--help', '-h':
            done = case.run(*command.split(), word)
            case.ends(done, 0, f'{command} {word}', out=f'usage: leadfit {command}')
            case.equal(done.err, '', f'{command} {word}: nothing on standard error')
            case.check(max(map(len, done.lines())) <= 160, f'{command} {word}: lines that can be read', done)
    for group in 'icp', 'keys':
        done = case.run(group, '--help')
        case.ends(done, 0, f'{group} --help')
        case.check(f'{group} list' in done.out + done.err, f'{group} --help lists its commands', done)


def test_help_names_each_setting(case):
    done = case.run('serve', '--help')
    manual = (ROOT / 'config' / 'leadfit.ini').read_text()
    for option in '--config', '--db', '--listen', '--threads', '--max-body':
        case.check(option in done.out, f'serve --help names {option}', done)
    case.check('max_body' in manual, 'as the manual does')


def test_wrong_usage(case):
    for args, told in (((), 'usage'), (('frobnicate',), 'frobnicate'), (('--frobnicate',), '--frobnicate'), (('icp',), 'icp lint'),
                       (('icp', 'frobnicate'), 'icp list'), (('keys',), 'keys create'), (('serve', '--frobnicate'), '--frobnicate'),
                       (('serve', '--listen', 'nowhere'), 'listen'), (('serve', 'extra'), 'extra'), (('check', '--frobnicate'), '--frobnicate'),
                       (('icp', 'lint'), 'file'), (('icp', 'import'), 'file'), (('keys', 'revoke'), 'ID'), (('backup',), 'TARGET'),
                       (('keys', 'create', '--name', 'x'), '--scopes'), (('keys', 'create', '--name', 'x', '--scopes', 'everything'), 'scope'),
                       (('serve', '--db'), '--db')):
        done = case.run(*args)
        case.ends(done, 2, 'leadfit ' + ' '.join(args), err=told)
        case.equal(done.out, '', f'leadfit {" ".join(args)}: nothing on standard output')


if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(0 if run_tests(os.path.abspath(sys.argv[1]), [sys.modules['__main__'], score_input, score_output, stores],
                            sys.argv[2] if len(sys.argv) > 2 else '') else 1)
