"""leadfit score: what it answers, in each format, on a terminal and off it, and what it is asked for."""

import csv
import io
import os
import re
import subprocess
import time
import unicodedata

from harness import ROOT, icp, lead, ndjson

COLUMNS = 'line,id,icp,version,score,grade,label,qualified,coverage,engagement,engagement_level,reason_1,reason_2,reason_3'
LEADS = [lead('b', 900, 'Buyer'), lead('a', 900), lead('c', 1, 'Buyer'), lead('d', 900, email='x@mail.example')]


def rows(done):
    return list(csv.DictReader(io.StringIO(done.out)))


def score(case, *args, leads=None, definition=None, **more):
    return case.run('score', '--icp', case.file('icp.json', definition or icp()), *args,
                    case.file('leads.ndjson', ndjson(*(leads or LEADS))), **more)


# ---- NDJSON ----

def test_ndjson_members(case):
    done = score(case)
    case.ends(done, 0, 'NDJSON for NDJSON')
    first = done.json()[0]
    case.equal(list(first)[:3], ['line', 'id', 'lead_id'], 'line first')
    case.check({'line': 1, 'id': '', 'lead_id': 'b', 'recorded': False, 'icp': 'plants', 'version': 0, 'score': 60, 'grade': 'B',
                'qualified': True, 'coverage': 100}.items() <= first.items(), 'flat members', first)
    case.check(re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z', first['as_of']), 'as_of is a time', first)
    case.equal({x['as_of'] for x in done.json()}, {first['scored_at']}, 'one moment for the whole run')
    case.equal([x['grade'] for x in done.json()], ['B', 'A', 'C', 'DQ'], 'grades')
    case.equal(done.json()[3]['reason_1'], 'A consumer address', "a disqualifier's reason comes first")


def test_ndjson_explain(case):
    for word, attributes, results in (('full', True, True), ('summary', False, True), ('none', False, False)):
        first = score(case, '--explain', word).json()[0]
        case.equal((len(first['results']) == 1, results and 'attributes' in first['results'][0]), (results, attributes), word)
        case.equal(first['reason_1'], 'Company size 900: 500 and more (+60 of 60)', f'{word}: reasons')


def test_as_of(case):
    definition = icp()
    definition['attributes'][0]['rules'] = [{'when': {'field': 'visited', 'within_days': 30}, 'fit': 1, 'label': 'lately'}]
    for as_of, wanted in (('2026-01-10', 60), ('2026-01-31T00:00:00Z', 60), ('2026-03-01', 0), ('2025-12-31', 0)):
        done = score(case, '--as-of', as_of, leads=[{'id': '1', 'visited': '2026-01-01'}], definition=definition)
        case.equal(done.json()[0]['score'], wanted, f'as of {as_of}', done)
    case.equal(score(case, '--as-of', '2026-01-10T12:00:00+02:00').json()[0]['as_of'], '2026-01-10T10:00:00.000Z', 'as_of in UTC')


# ---- CSV ----

def test_csv_columns(case):
    done = score(case, '--format', 'csv')
    case.ends(done, 0, 'CSV')
    case.equal(done.lines()[0], COLUMNS, 'columns')
    case.equal([(x['line'], x['id'], x['icp'], x['version'], x['score'], x['grade'], x['qualified']) for x in rows(done)],
               [('1', 'b', 'plants', '0', '60', 'B', 'true'), ('2', 'a', 'plants', '0', '100', 'A', 'true'),
                ('3', 'c', 'plants', '0', '0', 'C', 'true'), ('4', 'd', 'plants', '0', '100', 'DQ', 'false')], 'rows')
    case.equal(rows(done)[1]['reason_1'], 'Company size 900: 500 and more (+60 of 60)', 'reason')
    case.equal(rows(done)[1]['reason_3'], '', 'no third reason')


def test_csv_for_csv(case):
    path = case.file('leads.csv', 'id,title\n1,Buyer\n')
    done = case.run('score', '--icp', case.file('icp.json', icp()), path)
    case.equal(done.lines()[0], COLUMNS, 'CSV is answered with CSV')


def test_csv_is_safe_in_a_spreadsheet(case):
    ids = {'=1+2': "'=1+2", '@SUM(A1)': "'@SUM(A1)", '+cmd|x': "'+cmd|x", '-2+3': "'-2+3", '\tx': "'\tx", '-5': '-5', '+49.5': '+49.5',
           '-': "'-", '+49 30 1': "'+49 30 1", 'a=b': 'a=b', 'say "hi"': 'say "hi"', 'a,b': 'a,b', 'a\nb': 'a\nb', ' x ': ' x ', 'ünï': 'ünï'}
    done = score(case, '--format', 'csv', leads=[lead(x) for x in ids])
    case.equal([x['id'] for x in rows(done)], list(ids.values()), 'formulas get an apostrophe, nothing else changes')


# ---- several ICPs, lists ----

def test_several_icps(case):
    other = icp('offices', name='Offices')
    other['attributes'][0]['rules'][0]['when'] = {'field': 'company.employees', 'lt': 100}
    paths = case.file('one.json', icp()), case.file('two.json', other)
    leads = case.file('leads.ndjson', ndjson(*LEADS))
    done = case.run('score', '--icp', paths[0], '--icp', paths[1], leads)
    case.ends(done, 0, 'two ICPs')
    case.equal([(x['icp'], x['score']) for x in done.json()], [('plants', 60), ('plants', 100), ('offices', 60), ('plants', 100)], 'best first')
    case.equal([len(x['results']) for x in done.json()], [2, 2, 2, 2], 'all results')
    done = case.run('score', '--icp', paths[0], '--icp', paths[1], '--format', 'csv', leads)
    case.equal([(x['icp'], x['score']) for x in rows(done)], [('plants', '60'), ('plants', '100'), ('offices', '60'), ('plants', '100')],
               'the best one in CSV')
    done = case.run('score', '--icp', paths[0], '--icp', paths[1], '--format', 'table', leads)
    case.check('ICP' in done.lines()[0] and 'offices' in done.out, 'the table names the ICP', done)
    done = case.run('score', '--icp', paths[0], '--icp', paths[0], leads)
    case.ends(done, 2, 'the same ICP twice', err='plants')


def test_experimental_icp_answers(case):
    done = score(case, definition=icp(purpose='experimental'))
    case.ends(done, 0, 'experimental')
    case.equal(done.json()[1]['score'], 100, 'named, so it answers')


def test_lists(case):
    definition = icp()
    definition['attributes'][1]['rules'][0]['when'] = {'field': 'title', 'in_list': 'titles'}
    done = score(case, definition=definition)
    case.ends(done, 2, 'a list that is not given', err=['"titles"', '--list titles=FILE'])
    case.equal(done.out, '', 'nothing scored')
    twice = icp()
    for attribute, field in zip(twice['attributes'], ('title', 'role')):
        attribute['rules'][0]['when'] = {'field': field, 'in_list': 'titles'}
    case.equal(score(case, definition=twice).err.count('"titles"'), 1, 'told once, however many rules ask for it')
    for what, content in (('lines', 'COO\nhead of  OPERATIONS\n'), ('CRLF and blank lines', '\r\nCOO\r\n\r\nHead of Operations\r\n'),
                          ('no end', 'Head of Operations'), ('a byte order mark', '\ufeffHead of Operations\n')):
        done = score(case, '--list', 'titles=' + case.file('titles.txt', content), definition=definition)
        case.ends(done, 0, what)
        case.equal([x['score'] for x in done.json()], [60, 100, 0, 100], f'{what}: scores')
    titles = case.file('titles.txt', 'COO\n')
    for args, told in ((('--list', 'titles'), 'KEY=FILE'), (('--list', '=x'), 'KEY=FILE'), (('--list', 'Bad Key=x'), 'KEY=FILE'),
                       (('--list', f'titles={titles}', '--list', f'titles={titles}'), 'twice')):
        case.ends(score(case, *args, definition=definition), 2, ' '.join(args), err=told)
    case.ends(score(case, '--list', 'titles=nowhere', definition=definition), 1, 'a missing list', err='nowhere')
    case.ends(score(case, '--list', 'titles=' + case.file('bad.txt', b'\xff\n'), definition=definition), 1, 'no UTF-8', err='UTF-8')
    done = score(case, '--list', 'titles=' + titles, '--list', 'others=' + titles, definition=definition)
    case.ends(done, 0, 'a list nobody asks for', err='others')


def test_bad_definitions(case):
    leads = case.file('leads.ndjson', ndjson(*LEADS))
    broken = icp()
    broken['attributes'][0]['weight'] = 0
    del broken['name']
    done = case.run('score', '--icp', case.file('bad.json', broken), leads)
    case.ends(done, 1, 'a definition with faults', err=['bad.json', '/attributes/0/weight', '/name'])
    case.ends(case.run('score', '--icp', case.file('bad.json', '{"key": \n}'), leads), 1, 'no JSON', err='bad.json')
    case.ends(case.run('score', '--icp', 'nowhere.json', leads), 1, 'no file', err='nowhere.json')


def test_usage(case):
    definition, leads = case.file('icp.json', icp()), case.file('leads.ndjson', ndjson(*LEADS))
    for args, told in (
            ((), '--icp'), ((leads,), '--icp'), (('--icp', definition), 'standard input'), (('--icp', definition, leads, leads), 'one file'),
            (('--icp',), '--icp'), (('--icp', definition, '--format', 'xml', leads), 'ndjson'),
            (('--icp', definition, '--explain', 'much', leads), 'summary'), (('--icp', definition, '--as-of', 'yesterday', leads), '2026-01-31'),
            (('--icp', definition, '--separator', 'xx', leads), 'tab'), (('--icp', definition, '--top', '0', leads), '--top'),
            (('--icp', definition, '--top', '5x', leads), '--top'), (('--icp', definition, '--colour', leads), '--colour')):
        done = case.run('score', *args)
        case.ends(done, 2, f'score {" ".join(args[-3:])}', err=[told, '--help'])
        case.equal(done.out, '', 'nothing on standard output')


# ---- the table ----

def width(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in text)


def test_table(case):
    done = score(case, '--format', 'table')
    case.ends(done, 0, 'a table', out=['Lead', 'Score', '4 leads scored'])
    order = [line.split()[0] for line in done.lines()[1:5]]
    case.equal(order, ['a', 'b', 'c', 'd'], 'best first, the disqualified last', done)
    spread = dict(line.split()[:2] for line in done.lines()[done.lines().index('') + 2:])
    case.equal(spread, {'A': '1', 'B': '1', 'C': '1', 'DQ': '1'}, 'leads by grade', done)
    case.check('25.0 %' in done.out, 'with their share', done)
    done = score(case, '--format', 'table', '--top', '2')
    case.equal([line.split()[0] for line in done.lines()[1:3]], ['a', 'b'], 'the best two', done)
    case.check(done.lines()[3] == '' and 'the best 2' in done.out and '4 leads' in done.out, 'and all counted', done)


def test_table_of_many(case):
    leads = [lead(str(i), employees=i % 1000) for i in range(2000)]
    done = score(case, '--format', 'table', '--top', '500', leads=leads)
    ids = [line.split()[0] for line in done.lines()[1:501]]
    case.equal(ids, [x['id'] for x in leads if x['company']['employees'] >= 500][:500], 'the best ones, in the order of the input')


def test_table_on_a_terminal(case):
    leads = case.file('leads.ndjson', ndjson(lead('平成工業株式会社' * 6), lead('x' * 90), lead('évé\u0301', title='Operations 部長 ' * 9), *LEADS))
    definition = case.file('icp.json', icp())
    for columns in 40, 80, 100, 200:
        done = case.run_on_terminal('score', '--icp', definition, leads, columns=columns)
        case.ends(done, 0, f'{columns} columns', out='Label')
        rows = done.lines()[:8]
        case.check(all(width(row) <= columns for row in rows if columns >= 60), f'{columns} columns: nothing is wider', done)
        starts = {len(row[:i]) and width(row[:i]) for row in rows for i in [row.rfind(' %')] if i > 0}
        case.check(len(starts) <= 1, f'{columns} columns: columns stand below each other', starts, done)
        case.check('\x1b' not in done.out, 'no colours', done)
    case.check('\x1b' not in case.run_on_terminal('score', '--icp', definition, leads, env={'NO_COLOR': '1'}).out, 'NO_COLOR')


def test_table_shows_no_control_characters(case):
    done = score(case, '--format', 'table', leads=[lead('\x1b[31mred\x07'), lead('a\nb\tc'), lead('\u202eabc')])
    case.ends(done, 0, 'strangers')
    case.check(not re.search('[\x00-\x09\x0b-\x1f\x7f\x9b\u202e]', done.out), 'nothing commands the terminal', done)
    case.check('a b c' in done.out, 'a line end is a space', done)


def test_format_on_a_terminal(case):
    leads, definition = case.file('leads.ndjson', ndjson(*LEADS)), case.file('icp.json', icp())
    done = case.run_on_terminal('score', '--icp', definition, '--format', 'ndjson', leads)
    case.check(done.out.startswith('{"line":1'), 'NDJSON where it is asked for', done)
    done = case.run_on_terminal('score', '--icp', definition, leads, output=False)
    case.check(done.out.startswith('{"line":1') and done.err == '', 'NDJSON in a pipe, no bar for a moment', done)


# ---- progress ----

def slowly():
    """Input of some two seconds."""
    for i in range(22):
        yield ndjson(*(lead(f'{i}-{j}') for j in range(100))).encode(), 0.1


def test_progress_bar(case):
    definition = case.file('icp.json', icp())
    done = case.run_on_terminal('score', '--icp', definition, '-', output=False, feed=slowly)
    case.equal((done.code, len(done.lines())), (0, 2200), 'all are scored')
    draws = done.err.split('\r\x1b[K')
    case.check(any(re.fullmatch(r'\d+ leads, \d+ a second', draw) for draw in draws), 'count and rate', repr(done.err))
    case.check(1 <= len(draws) - 2 <= 20, 'at most ten times a second, not within the first', len(draws))
    case.check(done.err.endswith('\r\x1b[K'), 'cleared at the end', repr(done.err[-80:]))
    done = case.run_on_terminal('score', '--icp', definition, '-', feed=slowly)
    case.check('a second' in done.out and done.out.index('a second') < done.out.index('Lead '), 'beside a table too', done)
    done = case.run_on_terminal('score', '--icp', definition, '--format', 'ndjson', '-', feed=slowly)
    case.check('a second' not in done.out, 'not among results on the same terminal')
    done = case.run_on_terminal('score', '--icp', definition, '-', output=False, feed=slowly, env={'TERM': 'dumb'})
    case.check(done.err == '', 'not on a dumb terminal', done)


def test_progress_bar_of_a_file(case):
    """A file that takes a while, under several definitions: four times as long a file until it takes two seconds."""
    icps = [x for path in sorted((ROOT / 'config' / 'icps').glob('*.json')) for x in ('--icp', path)]
    thousand = ndjson(*(lead(str(i)) for i in range(1000)))
    for count in 100, 400, 1600:
        path = case.file('leads.ndjson', thousand * count)
        begun = time.monotonic()
        done = case.run_on_terminal('score', *icps, '--format', 'csv', path, output=False)
        if time.monotonic() > begun + 2:
            break
    case.equal((done.code, len(done.lines())), (0, count * 1000 + 1), 'all are scored')
    draws = [x for x in done.err.split('\r\x1b[K') if x]
    case.check(draws and all(re.fullmatch(r'\[#*-*\] +\d+ %  \d+ leads, \d+ a second', x) for x in draws), 'a bar with percent',
               repr(done.err[:300]))
    percents = [int(x.split('%')[0].split()[-1]) for x in draws]
    case.check(percents == sorted(percents) and percents[-1] > 60, 'which grows', percents)


# ---- where results go ----

def test_reader_goes_away(case):
    path = case.file('leads.ndjson', ndjson(*(lead(str(i)) for i in range(20000))))
    with subprocess.Popen([case.program, 'score', '--icp', case.file('icp.json', icp()), path], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=case.environment()) as process:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read().decode()
        case.equal((process.wait(60), err), (1, ''), 'ends without a word')


def test_output_that_is_full(case):
    if os.path.exists('/dev/full'):
        with open('/dev/full', 'wb') as full:
            for form in 'ndjson', 'csv', 'table':
                done = subprocess.run([case.program, 'score', '--icp', case.file('icp.json', icp()), '--format', form,
                                       case.file('leads.ndjson', ndjson(*LEADS))], stdout=full, stderr=subprocess.PIPE,
                                      env=case.environment(), check=False)
                case.equal(done.returncode, 1, f'{form}: exit')
                case.check(b'No space left' in done.stderr, f'{form}: says why', done.stderr)


def test_memory_stays_constant(case):
    """A hundred times the leads take no more memory."""
    definition, thousand = case.file('icp.json', icp()), ndjson(*(lead(str(i)) for i in range(1000))).encode()
    for form in 'ndjson', 'csv':
        peaks = []
        with open(os.devnull, 'wb') as null:
            process = subprocess.Popen([case.program, 'score', '--icp', definition, '--format', form, '-'], stdin=subprocess.PIPE, stdout=null,
                                       env=case.environment())
            for count in 20, 180:
                for _ in range(count):
                    process.stdin.write(thousand)
                process.stdin.flush()
                with open(f'/proc/{process.pid}/status', encoding='ascii') as status:
                    peaks += [int(line.split()[1]) for line in status if line.startswith('VmHWM')]
            process.stdin.close()
            case.equal(process.wait(60), 0, f'{form}: 200 thousand leads')
        case.check(peaks[1] < peaks[0] + 2048, f'{form}: kilobytes at the peak', peaks)
