"""The commands around definitions and databases: icp lint, import, list, export; keys; check and backup; and what they say
while a server has the database open."""

import contextlib
import json
import os
import re
import signal
import sqlite3
import stat
import urllib.request

from harness import ROOT, icp, lead

ICPS = sorted((ROOT / 'config' / 'icps').glob('*.json'))


def imported(case, *definitions):
    """A database with these definitions (or two of the project's)."""
    files = [case.file(f'{d["key"]}.json', d) for d in definitions] or ICPS[:2]
    case.ends(case.run('icp', 'import', '--db', 'lf.db', *files), 0, 'import')
    return 'lf.db'


# ---- lint ----

def test_lint(case):
    done = case.run('icp', 'lint', *ICPS)
    case.ends(done, 0, "the project's own definitions")
    case.ends(case.run('icp', 'lint', '--strict', *ICPS), 0, 'with --strict as well')
    weak = icp()
    del weak['disqualifiers']
    path = case.file('weak.json', weak)
    done = case.run('icp', 'lint', path)
    case.ends(done, 0, 'warnings alone', out='no_disqualifier')
    case.check(path in done.out, 'names the file', done)
    case.ends(case.run('icp', 'lint', '--strict', path), 1, 'warnings with --strict', out='no_disqualifier')
    impossible = icp()
    impossible['attributes'][0]['rules'][0]['when'] = {'field': 'company.employees', 'between': [10, 5]}
    case.ends(case.run('icp', 'lint', case.file('impossible.json', impossible)), 1, 'an error of lint', out='impossible_condition')


def test_lint_tells_every_fault(case):
    broken = icp()
    broken['attributes'][0]['weight'] = 0
    broken['attributes'][1]['rules'][0]['when'] = {'field': 'title', 'containz': 'x'}
    del broken['name']
    done = case.run('icp', 'lint', case.file('broken.json', broken), case.file('good.json', icp()))
    case.ends(done, 1, 'faults')
    for pointer in '/attributes/0/weight', '/attributes/1/rules/0/when', '/name':
        case.check(pointer in done.out + done.err, f'names {pointer}', done)
    case.ends(case.run('icp', 'lint', case.file('bad.json', '{\n"key": "x",\n}\n')), 1, 'no JSON', err=':3: ')
    case.ends(case.run('icp', 'lint', 'nowhere.json'), 1, 'no file', err='nowhere.json')


# ---- import, list, export ----

def test_import_list_export(case):
    case.ends(case.run('icp', 'list', '--db', imported(case, icp(), icp('offices', purpose='experimental'))), 0, 'list',
              out=['plants', 'offices', 'experimental', 'active'])
    done = case.run('icp', 'export', '--db', 'lf.db', 'plants')
    case.ends(done, 0, 'export')
    case.equal(json.loads(done.out), icp(), 'what was imported comes out')
    done = case.run('icp', 'import', '--db', 'lf.db', case.path('plants.json'))
    case.ends(done, 0, 'the same again', out='unchanged')
    changed = icp()
    changed['attributes'][0]['weight'] = 30
    done = case.run('icp', 'import', '--db', 'lf.db', '--note', 'lighter', case.file('plants.json', changed))
    case.ends(done, 0, 'a change', out='version 2')
    case.equal(json.loads(case.run('icp', 'export', '--db', 'lf.db', 'plants').out), changed, 'the active version')
    case.equal(json.loads(case.run('icp', 'export', '--db', 'lf.db', '--version', '1', 'plants').out), icp(), 'an old version')
    case.ends(case.run('icp', 'export', '--db', 'lf.db', 'nobody'), 1, 'an unknown ICP', err='nobody')
    case.ends(case.run('icp', 'export', '--db', 'lf.db', '--version', '9', 'plants'), 1, 'an unknown version', err='9')
    case.ends(case.run('icp', 'export', '--db', 'lf.db'), 2, 'no key')
    path = case.file('exported.json', case.run('icp', 'export', '--db', 'lf.db', 'plants').out)
    case.ends(case.run('icp', 'import', '--db', 'other.db', path), 0, 'what was exported can be imported')


def test_import_refuses_what_is_wrong(case):
    broken = icp('broken')
    broken['attributes'][0]['weight'] = 0
    done = case.run('icp', 'import', '--db', 'lf.db', case.file('good.json', icp()), case.file('broken.json', broken))
    case.ends(done, 1, 'one of two is broken', err=['/attributes/0/weight', 'broken.json'])
    done = case.run('icp', 'list', '--db', 'lf.db')
    case.check('broken' not in done.out, 'the broken one is not there', done)
    asks = icp('asks')
    asks['attributes'][1]['rules'][0]['when'] = {'field': 'title', 'in_list': 'titles'}
    case.ends(case.run('icp', 'import', '--db', 'lf.db', case.file('asks.json', asks)), 1, 'an unknown list', err='unknown_list')


def test_import_of_all(case):
    done = case.run('icp', 'import', '--db', 'lf.db', *ICPS)
    case.ends(done, 0, "the project's own definitions")
    case.equal(len(done.lines()), len(ICPS), 'says of each what it did', done)
    case.equal(len(case.run('icp', 'list', '--db', 'lf.db').lines()), len(ICPS) + 1, 'all are listed')


def test_import_tells_subscriptions(case):
    """Each version that comes of it goes into the outbox of those who want to know, in its commit; nothing else does."""
    db = case.path(imported(case, icp('before')))
    with contextlib.closing(sqlite3.connect(db)) as base, base:
        for key, events, of, state in ('a-all', 15, '', 0), ('b-plants', 4, 'plants', 1), ('c-scores', 3, '', 0), ('d-disabled', 4, '', 2):
            base.execute('INSERT INTO subscription (key, url, secret, events, icp, grades, state, reason, failing_since_ms, delivered_at_ms,'
                         " created_at_ms, updated_at_ms) VALUES (?, 'https://crm.example/x', x'00', ?, ?, '[\"A\"]', ?, '', 0, 0, 1, 1)",
                         (key, events, of, state))
    changed = icp()
    changed['attributes'][0]['weight'] = 30
    broken = icp('broken')
    broken['attributes'][0]['weight'] = 0
    case.ends(case.run('icp', 'import', '--db', 'lf.db', case.file('broken.json', broken)), 1, 'one that is broken')
    for definitions in (icp(), icp('offices')), (icp(), icp('offices')), (icp(), changed):
        files = [case.file(f'{i}.json', definition) for i, definition in enumerate(definitions)]
        case.ends(case.run('icp', 'import', '--db', 'lf.db', *files), 0, 'import')
    with contextlib.closing(sqlite3.connect(db)) as base:
        rows = base.execute('SELECT s.key, d.type, d.state, d.lane, d.score_id, d.attempts, d.data, d.at_ms FROM delivery d'
                            ' JOIN subscription s ON s.id = d.subscription_id ORDER BY d.id').fetchall()
        published = base.execute('SELECT i.key, v.version, v.published_at_ms FROM icp_version v JOIN icp i ON i.id = v.icp_id'
                                 " WHERE i.key <> 'before' ORDER BY v.id").fetchall()
    case.equal([(key, version) for key, version, _ in published], [('plants', 1), ('offices', 1), ('plants', 2)], 'three versions')
    wanted = []
    for key, version, at_ms in published:
        data = {'lead_id': '', 'icp': key, 'version': version, 'score_id': '', 'score': 0, 'from': '', 'to': '', 'psi': 0}
        for who in ('a-all', 'b-plants') if key == 'plants' else ('a-all',):
            wanted.append((who, 2, 0, 0, None, '[]', json.dumps(data, separators=(',', ':')), at_ms))
    case.equal(rows, wanted, 'what is told, and to whom')


def test_database_not_there(case):
    for args in (('icp', 'list'), ('icp', 'export', 'x'), ('keys', 'list'), ('check',), ('backup', 'copy.db')):
        done = case.run(*args, '--db', 'nowhere.db')
        case.ends(done, 1, f'{" ".join(args)} without a database', err='nowhere.db')
        case.check(not os.path.exists(case.path('nowhere.db')), f'{" ".join(args)} makes none')
    case.file('text.db', 'this is no database, but a text that is long enough to be looked at\n' * 100)
    for args in (('icp', 'list'), ('keys', 'list'), ('check',), ('keys', 'create', '--name', 'x', '--scopes', 'score')):
        case.ends(case.run(*args, '--db', 'text.db'), 1, f'{" ".join(args)} on something else', err='text.db')
    case.check(case.path('text.db') and open(case.path('text.db'), 'rb').read(4) == b'this', 'it is left alone')


# ---- keys ----

def test_keys(case):
    done = case.run('keys', 'create', '--db', 'lf.db', '--name', 'crm of ours', '--scopes', 'score,stats:read')
    case.ends(done, 0, 'create')
    case.check(re.fullmatch(r'lf_[A-Za-z0-9_-]{20,}\n', done.out), 'the key alone on standard output', done)
    secret = done.out.strip()
    case.check(secret not in done.err, 'and nowhere else', done)
    again = case.run('keys', 'create', '--db', 'lf.db', '--name', 'other', '--scopes', 'admin').out.strip()
    case.check(again != secret, 'no two are the same')
    done = case.run('keys', 'list', '--db', 'lf.db')
    case.ends(done, 0, 'list', out=['crm of ours', 'score,stats:read', 'other', 'admin'])
    for key in secret, again:
        case.check(key not in done.out and key.split('_')[-1] not in done.out, 'list shows no secret', done)
    case.run('keys', 'create', '--db', 'lf.db', '--name', 'third', '--scopes', 'score', '--expires', '2101-02-03T04:05:06Z')
    case.check([line for line in case.run('keys', 'list', '--db', 'lf.db').lines()
                if 'third' in line and '2101-02-03T04:05:06.000Z' in line and 'never' in line], 'when it ends, and that it was not used yet')
    case.run('keys', 'create', '--db', 'lf.db', '--name', 'a\x1b[2J\nb\x7f\u009bc\u00e9', '--scopes', 'score')
    case.check([line for line in case.run('keys', 'list', '--db', 'lf.db').lines() if line.endswith('  a?[2J?b??c\u00e9')],
               'a name neither breaks its line nor steers the terminal')
    files = [name for name in os.listdir(case.dir) if name.startswith('lf.db')]
    for name in files:
        content = (case.dir / name).read_bytes()
        case.check(secret.encode() not in content and secret.split('_')[-1].encode() not in content, f'{name} holds no secret')
    if 'lf.db' in files:
        case.equal(stat.S_IMODE(os.stat(case.path('lf.db')).st_mode) & 0o077, 0, 'the database is for its owner alone')
    identifier = [line for line in done.lines() if 'crm of ours' in line][0].split()[0]
    case.ends(case.run('keys', 'revoke', '--db', 'lf.db', identifier), 0, 'revoke', out=identifier)
    case.check([line for line in case.run('keys', 'list', '--db', 'lf.db').lines() if 'crm of ours' in line and 'revoked' in line],
               'is shown as revoked')
    case.ends(case.run('keys', 'revoke', '--db', 'lf.db', 'nobody'), 1, 'an unknown key', err='nobody')


def test_keys_wrong_usage(case):
    for args, told in ((('--scopes', 'score'), '--name'), (('--name', 'x'), '--scopes'), (('--name', '', '--scopes', 'score'), '--name'),
                       (('--name', 'x', '--scopes', ''), 'scope'), (('--name', 'x', '--scopes', 'score,everything'), 'everything'),
                       (('--name', 'x' * 500, '--scopes', 'score'), '--name'), (('--name', 'x', '--scopes', 'score', '--days', '0'), '--days'),
                       (('--name', 'x', '--scopes', 'score', '--expires', 'soon'), '--expires'),
                       (('--name', 'x', '--scopes', 'score', '--expires', '2001-02-03T04:05:06Z'), 'still to come'),
                       (('--name', 'x', '--scopes', 'score', '--days', '1', '--expires', '2101-02-03T04:05:06Z'), 'one of them')):
        done = case.run('keys', 'create', '--db', 'lf.db', *args)
        case.ends(done, 2, f'keys create {" ".join(args)[:60]}', err=told)
        case.equal(done.out, '', 'no key')
    case.check(not os.path.exists(case.path('lf.db')), 'no database is made for wrong usage')


def test_keys_open_the_door(case):
    """What the key is for: a score over HTTP."""
    db = imported(case, icp())
    key = case.run('keys', 'create', '--db', db, '--name', 'x', '--scopes', 'score').out.strip()
    _, url = case.serve(db)
    request = urllib.request.Request(url + '/v1/score', json.dumps({'lead': lead()}).encode(),
                                     {'Authorization': f'Bearer {key}', 'Content-Type': 'application/json'})
    with urllib.request.urlopen(request, timeout=30) as answer:
        case.equal(json.load(answer)['score'], 100, 'scores')


# ---- check, backup ----

def served(case, count=50):
    """A database with recorded scores."""
    db = imported(case, icp())
    key = case.run('keys', 'create', '--db', db, '--name', 'x', '--scopes', 'score').out.strip()
    process, url = case.serve(db)
    for i in range(count):
        request = urllib.request.Request(url + '/v1/score', json.dumps({'lead': lead(str(i), employees=i * 20)}).encode(),
                                         {'Authorization': f'Bearer {key}', 'Content-Type': 'application/json'})
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
    process.send_signal(signal.SIGTERM)
    case.equal(process.wait(30), 0, 'the server ends with 0')
    return db


def test_check_a_sound_database(case):
    db = served(case)
    done = case.run('check', '--db', db)
    case.ends(done, 0, 'check', out=['sound', '50'])
    done = case.run('check', '--db', db, '--sample', '5')
    case.ends(done, 0, 'check of a sample', out='5 of 50')


def test_check_an_altered_audit(case):
    db = served(case, 1)
    case.ends(case.run('check', '--db', db), 0, 'an import and a key', out='2 audit entries chained')
    with sqlite3.connect(case.path(db)) as connection:
        connection.execute("UPDATE audit SET by = 'nobody' WHERE id = 1")
    connection.close()
    case.ends(case.run('check', '--db', db), 1, 'somebody else imported it', out=['altered_audit_entry', 'audit entry 1 '])


def test_check_flipped_bytes(case):
    """Whatever byte of a used page is flipped, check says so or the database still tells the truth."""
    db = case.path(served(case))
    content = open(db, 'rb').read()
    told = 0
    places = range(40, len(content), max(1, len(content) // 150))
    for at in places:
        with open(db, 'r+b') as file:
            file.seek(at)
            file.write(bytes([content[at] ^ 0xFF]))
        done = case.run('check', '--db', db, timeout=10)
        case.check(done.code in (0, 1), f'byte {at}: ends in order', done)
        case.check(done.code == 0 or done.out + done.err, f'byte {at}: says what is wrong', done)
        told += done.code == 1
        with open(db, 'wb') as file:
            file.write(content)
    case.check(told >= 5, f'of {len(places)} flipped bytes, many in free space, some are found', told)
    case.ends(case.run('check', '--db', db), 0, 'as it was')


def test_check_an_altered_definition(case):
    db = case.path(served(case))
    with sqlite3.connect(db) as connection:
        columns = [(table, column[1]) for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
                   for column in connection.execute(f'PRAGMA table_info({table})')]
        for table, column in columns:
            for kind in ('TEXT', 'BLOB'):
                try:
                    connection.execute(f"UPDATE {table} SET {column} = CAST(replace(CAST({column} AS TEXT), '\"weight\": 60', '\"weight\": 61') "
                                       f"AS {kind}) WHERE CAST({column} AS TEXT) LIKE '%\"weight\": 60%' AND typeof({column}) = '{kind.lower()}'")
                except sqlite3.Error:
                    pass  # a table or column that cannot be written so
        changed = connection.total_changes
    connection.close()
    if case.check(changed > 0, 'the definition stands in the database as it was written'):
        done = case.run('check', '--db', db)
        case.ends(done, 1, 'an altered definition', out='altered')


def test_check_a_cut_database(case):
    db = case.path(served(case))
    content = open(db, 'rb').read()
    with open(db, 'wb') as file:
        file.write(content[:len(content) // 2])
    case.check(case.run('check', '--db', db).code == 1, 'half a database')


def test_backup(case):
    db = served(case)
    case.ends(case.run('backup', '--db', db, 'copy.db'), 0, 'backup', out='copy.db')
    case.ends(case.run('check', '--db', 'copy.db'), 0, 'the copy is sound', out='50')
    case.ends(case.run('backup', '--db', db, 'nowhere/copy.db'), 1, 'no such folder', err='nowhere')


# ---- beside a server ----

def test_database_that_a_server_has_open(case):
    db = imported(case, icp())
    case.run('keys', 'create', '--db', db, '--name', 'x', '--scopes', 'score')
    process, _ = case.serve(db)
    for args, instead in ((('icp', 'import', case.path('plants.json')), ['PUT /v1/icps/{key}/draft', 'POST /v1/icps/{key}/publish']),
                          (('keys', 'create', '--name', 'y', '--scopes', 'score'), ['POST /v1/keys']),
                          (('keys', 'revoke', 'x'), ['DELETE /v1/keys/{id}'])):
        done = case.run(*args, '--db', db)
        case.ends(done, 1, f'{args[0]} {args[1]} beside a server', err=['a server has lf.db open', 'stop it first', *instead])
        case.equal(done.out, '', f'{args[0]} {args[1]}: nothing on standard output')
    for args, told in ((('icp', 'list'), 'plants'), (('icp', 'export', 'plants'), '"plants"'), (('keys', 'list'), 'score'), (('check',), 'sound'),
                       (('backup', 'copy.db'), 'copy.db')):
        case.ends(case.run(*args, '--db', db), 0, f'{" ".join(args)} beside a server', out=told)
    case.ends(case.run('serve', '--db', db, '--listen', '127.0.0.1:0'), 1, 'a second server', err='lf.db')
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    case.ends(case.run('keys', 'create', '--db', db, '--name', 'y', '--scopes', 'score'), 0, 'afterwards')
