"""leadfit score: what it reads. CSV with all its dirt, NDJSON, JSON documents, and what cannot be read."""

import os
import pathlib
import subprocess
import threading
import time

from harness import icp, lead, ndjson

HEADER = 'id,title,company.employees\n'
ROWS = '1,Head of Operations,900\n2,Buyer,900\n3,Buyer,10\n'
SCORES = [('1', 100), ('2', 60), ('3', 0)]


def scores(done):
    return [(x.get('lead_id'), x.get('score')) for x in done.json()]


def lines(done):
    return [x['line'] for x in done.json()]


def score(case, content, *args, name='leads', **more):
    path = case.file(name, content)
    return case.run('score', '--icp', case.file('icp.json', icp()), '--format', 'ndjson', *args, path, **more)


# ---- CSV ----

def test_csv_as_the_world_writes_it(case):
    plain = HEADER + ROWS
    for what, content, args in (
            ('plain', plain, ()),
            ('no line end at the end', plain.rstrip('\n'), ()),
            ('CRLF', plain.replace('\n', '\r\n'), ()),
            ('CR alone', plain.replace('\n', '\r'), ()),
            ('a byte order mark', b'\xef\xbb\xbf' + plain.encode(), ()),
            ('semicolons', plain.replace(',', ';'), ()),
            ('tabs', plain.replace(',', '\t'), ()),
            ('sep= line', 'sep=;\n' + plain.replace(',', ';'), ()),
            ('semicolons, told', plain.replace(',', ';'), ('--separator', ';')),
            ('tabs, told', plain.replace(',', '\t'), ('--separator', 'tab')),
            ('pipes, told', plain.replace(',', '|'), ('--separator', '|')),
            ('quotes', HEADER + '"1","Head of Operations","900"\n"2","Buyer",900\n3,"Buyer","10"\n', ()),
            ('names with spaces around', ' id , title,company.employees \n' + ROWS, ()),
            ('blank lines', HEADER + '\n' + ROWS.replace('\n', '\n\n'), ())):
        done = score(case, content, *args)
        case.ends(done, 0, what)
        case.equal(scores(done), SCORES, f'{what}: scores', done)


def test_csv_lines_are_physical_ones(case):
    done = score(case, HEADER + '1,"Head\nof\nOperations",900\n\n2,"say ""operations""",1\n')
    case.ends(done, 0, 'embedded line ends')
    case.equal(lines(done), [2, 6], 'the line where a record begins; the header is line 1')
    case.equal(scores(done), [('1', 100), ('2', 40)], 'a cell keeps its line ends and quotes')


def test_csv_bad_rows_cost_only_themselves(case):
    content = HEADER + '1,Head of Operations,900\n2,short\n3,too,many,cells\n4,"quoted" text,5\n5,Buyer,900\n' \
        + '6,\xff,1\n'.encode('latin-1').decode('latin-1') + '7,Buyer,900\n'
    done = score(case, content.encode('latin-1'))
    case.ends(done, 1, 'bad rows')
    case.equal(lines(done), [2, 3, 4, 5, 6, 7, 8], 'in the order of the input')
    case.equal([x['line'] for x in done.json() if 'error' in x], [3, 4, 5, 7], 'short, long, text behind a quote, not UTF-8')
    for row in done.json():
        if 'error' in row:
            case.equal(row['error']['code'], 'invalid_csv', f'line {row["line"]}: code')
            case.equal(row['error']['status'], 400, f'line {row["line"]}: status')
            case.check(set(row) == {'line', 'error'} and {'type', 'title', 'detail', 'instance', 'errors'} <= set(row['error']),
                       'a bad row is a line and a problem', row)
    case.equal(done.err, '', 'nothing on standard error')


def test_csv_bad_rows_of_other_formats(case):
    for form in 'csv', 'table':
        done = score(case, HEADER + '1,Buyer,900\n2,short\n3,Buyer,1\n', '--format', form, name='mine.csv')
        case.ends(done, 1, form)
        case.check(done.err.startswith(case.path('mine.csv') + ':3: ') and done.err.count('\n') == 1,
                   f'{form}: FILE:LINE: what is wrong, once', done)


def test_csv_faults_of_the_whole(case):
    for what, content, told in (
            ('doubled name', 'id,title,id\n1,2,3\n', ':1: '),
            ('value and object', 'company,company.name\n1,2\n', ':1: '),
            ('empty name', 'id,,title\n1,2,3\n', ':1: '),
            ('xlsx', b'PK\x03\x04' + bytes(200), 'xlsx'),
            ('old xls', b'\xd0\xcf\x11\xe0' + bytes(200), 'xls'),
            ('UTF-16', 'id,title\n'.encode('utf-16'), 'UTF-16'),
            ('gzip', b'\x1f\x8b\x08' + bytes(100), 'gzip'),
            ('pdf', b'%PDF-1.7\n' + bytes(100), 'PDF')):
        done = score(case, content)
        case.ends(done, 1, what, err=[told, case.path('leads')])
        case.equal(done.out, '', f'{what}: nothing scored')


def test_csv_header_in_brackets_is_csv(case):
    done = score(case, '[id],[title]\n1,Buyer\n')
    case.ends(done, 0, 'a header as Access writes it')
    case.equal(len(done.lines()), 1, 'one lead')


def test_csv_of_the_project(case):
    from harness import ROOT
    leads = ROOT / 'config' / 'leads.csv'
    for definition in sorted((ROOT / 'config' / 'icps').glob('*.json')):
        done = case.run('score', '--icp', definition, '--as-of', '2026-11-22', leads)
        case.ends(done, 0, f'config/leads.csv under {definition.name}')
        case.check(len(done.lines()) > 100, 'all leads', done)


# ---- NDJSON ----

def test_ndjson_with_bad_lines(case):
    content = (ndjson(lead('1')) + '{"id": "2",}\n' + '\n  \n' + '[1, 2]\n' + '"text"\n' + '{"id": true}\n'
               + ndjson(lead('7')).rstrip('\n') + '\r\n' + '{"id": "x", "id": "y"}\n')
    done = score(case, content)
    case.ends(done, 1, 'bad lines')
    case.equal(lines(done), [1, 2, 5, 6, 7, 8, 9], 'each line answered, blank ones passed over')
    got = {x['line']: x.get('error', {}).get('code') for x in done.json()}
    case.equal(got, {1: None, 2: 'invalid_json', 5: 'invalid_request', 6: 'invalid_request', 7: 'invalid_request', 8: None,
                     9: 'invalid_json'}, 'codes')
    wrong = [x for x in done.json() if x['line'] == 7][0]['error']
    case.equal([e['pointer'] for e in wrong['errors']], ['/id'], 'a finding points to its place')
    done = score(case, content, '--format', 'csv')
    case.ends(done, 1, 'bad lines beside CSV', err=':2: ')
    case.equal(len(done.lines()), 3, 'header and good ones')
    case.equal(len(done.err.splitlines()), 5, 'a line of standard error for each bad one', done)


def test_ndjson_invalid_utf8(case):
    done = score(case, ndjson(lead('1')).encode() + b'{"id": "\xff"}\n' + ndjson(lead('3')).encode())
    case.ends(done, 1, 'invalid UTF-8')
    case.equal([('error' in x) for x in done.json()], [False, True, False], 'costs its line')


def test_ndjson_long_lines(case):
    def long(size):  # a line of just that many bytes
        head = '{"id":"2","title":"'
        return head + 'x' * (size - len(head) - 2) + '"}'
    for size, fine in ((65536, True), (65537, False), (200000, False), (3 << 20, False)):
        for end in ('\n', '\r\n'):
            done = score(case, ndjson(lead('1')) + long(size) + end + ndjson(lead('3')))
            case.ends(done, 0 if fine else 1, f'a line of {size} bytes')
            case.equal([(x['line'], 'error' in x) for x in done.json()], [(1, False), (2, not fine), (3, False)],
                       f'a line of {size} bytes costs itself at most')
            if not fine:
                case.equal(done.json()[1]['error']['code'], 'body_too_large', f'a line of {size} bytes: code')
    done = score(case, ndjson(lead('1')) + long(100000))
    case.equal([(x['line'], 'error' in x) for x in done.json()], [(1, False), (2, True)], 'also as the last, without an end')


def test_ndjson_byte_order_mark_and_no_end(case):
    done = score(case, b'\xef\xbb\xbf' + ndjson(lead('1'), lead('2')).encode().rstrip())
    case.ends(done, 0, 'a byte order mark, no end')
    case.equal(lines(done), [1, 2], 'both lines')


def test_ndjson_by_content_not_name(case):
    for name in 'leads.csv', 'leads.txt', 'leads.xlsx':
        done = score(case, ndjson(lead('1')), name=name)
        case.ends(done, 0, f'NDJSON in {name}')
    done = score(case, HEADER + ROWS, name='leads.ndjson')
    case.ends(done, 0, 'CSV in leads.ndjson')
    case.equal(scores(done), SCORES, 'CSV in leads.ndjson')


def test_ndjson_broken_first_line(case):
    done = score(case, '{"id": "1"\n' + ndjson(lead('2'), lead('3')))
    case.ends(done, 1, 'a first line that does not end')
    case.equal([(x['line'], 'error' in x) for x in done.json()], [(1, True), (2, False), (3, False)], 'costs itself')


def test_ndjson_pieces_as_they_arrive(case):
    """A result goes out when its line has come in, not at the end of the input."""
    process = subprocess.Popen([case.program, 'score', '--icp', case.file('icp.json', icp()), '-'], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, env=case.environment())
    killer = threading.Timer(30, process.kill)
    killer.start()
    process.stdin.write(ndjson(lead('1')).encode())
    process.stdin.flush()
    case.check(b'"lead_id":"1"' in process.stdout.readline(), 'the first answer comes before the input ends')
    text = ndjson(lead('2')).encode()
    for at in range(len(text)):
        process.stdin.write(text[at:at + 1])
        process.stdin.flush()
        time.sleep(0.001)
    case.check(b'"lead_id":"2"' in process.stdout.readline(), 'a line in single bytes')
    process.stdin.close()
    case.equal(process.wait(30), 0, 'exit')
    killer.cancel()
    process.stdout.close()


# ---- JSON documents ----

def test_document_shapes(case):
    import json
    one, two, three = lead('1'), lead('2', title='Buyer'), lead('3', employees=1, title='Buyer')
    records = {'totalSize': 3, 'done': True, 'records': [one, two, three], 'next': {'records': []}}
    for what, content in (
            ('an array', json.dumps([one, two, three])),
            ('an array over lines', json.dumps([one, two, three], indent=2)),
            ('an array, a lead a line', '[\n' + ',\n'.join(map(json.dumps, (one, two, three))) + '\n]\n'),
            ('records', json.dumps(records)),
            ('records over lines', json.dumps(records, indent=4)),
            ('records, a lead a line', '{"records": [\n' + ',\n'.join(map(json.dumps, (one, two, three))) + '\n]}'),
            ('objects over lines', '\n'.join(json.dumps(x, indent=2) for x in (one, two, three))),
            ('with a byte order mark', '\ufeff' + json.dumps([one, two, three], indent=2)),
            ('CRLF', json.dumps([one, two, three], indent=2).replace('\n', '\r\n'))):
        done = score(case, content)
        case.ends(done, 0, what)
        case.equal(scores(done), SCORES, f'{what}: scores', done)
    done = score(case, json.dumps([one, two], indent=2))
    case.equal(lines(done), [2, 9], 'the line on which a lead begins')
    done = score(case, json.dumps(one, indent=2))
    case.equal(scores(done), [('1', 100)], 'one object over many lines')
    for what, content in (('[]', '[]'), ('no records', '{"records": []}')):
        done = score(case, content)
        case.ends(done, 0, what)
        case.equal(done.out, '', f'{what}: nothing')


def test_document_faults(case):
    for what, content, wanted in (
            ('a bad lead', '[{"id": "1"},\n{"id": tru},\n{"id": "3"}]', [(1, False), (2, True), (3, False)]),
            ('no lead', '[{"id": "1"},\n17,\n{"id": "3"}]', [(1, False), (2, True), (3, False)]),
            ('no end', '[{"id": "1"},\n{"id": "2"}\n', [(1, False), (2, False), (3, True)]),
            ('no end of a lead', '[{"id": "1"},\n{"id": "2"\n', [(1, False), (2, True)]),
            ('no comma', '[{"id": "1"}\n{"id": "2"}]', [(1, False), (2, True)]),
            ('text behind', '[{"id": "1"}]\nmore', [(1, False), (2, True)]),
            ('a quote that stays open', '[{"id": "1},\n{"id": "2"}]', [(1, True)])):
        done = score(case, content)
        case.ends(done, 1, what)
        case.equal([(x['line'], 'error' in x) for x in done.json()], wanted, f'{what}: lines', done)


def test_document_as_people_have_them(case):
    data = pathlib.Path(__file__).resolve().parents[3] / 'shared/data'  # beside the project, where it is present
    for name, count in (('salesforce/Lead.json', 20), ('salesforce/Account.json', 10), ('clearbit/person.json', 1),
                        ('clearbit/company.json', 1)):
        if (data / name).exists():
            done = case.run('score', '--icp', case.file('icp.json', icp()), '--format', 'ndjson', data / name)
            case.ends(done, 0, name)
            case.check(len(done.lines()) >= count, f'{name}: at least {count} leads', done)


# ---- in whatever pieces it comes ----

def test_pieces_do_not_matter(case):
    """The same bytes give the same answers, however a pipe cuts them."""
    import json
    definition = case.file('icp.json', icp())
    many = [lead(str(i), employees=i, title='Ünï ' * (i % 9)) for i in range(40)]
    texts = {
        'NDJSON': ndjson(*many[:20]) + '{"id": tru}\r\n\n' + '{"id":"' + 'x' * 70000 + '"}\n' + ndjson(*many[20:]).replace('\n', '\r\n') + '{"id": "end"}',
        'CSV': HEADER + ''.join(f'{i},"a ""b""\nc ü {i}",{i}\n' for i in range(200)) + 'short\n' + '9,"' + 'y' * 70000 + '",1\n10,Buyer,"5"',
        'a document': json.dumps(many, indent=1, ensure_ascii=False),
    }
    for what, text in texts.items():
        data = text.encode()
        whole = case.run('score', '--icp', definition, '--as-of', '2026-01-01', '--format', 'csv', case.file('leads', data))
        case.check(len(whole.lines()) > 40, f'{what}: from a file', whole)
        for size in 1, 7, 4093, 65537:
            process = subprocess.Popen([case.program, 'score', '--icp', definition, '--as-of', '2026-01-01', '--format', 'csv', '-'],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=case.environment(), bufsize=0)
            begin = 0 if size > 1 else max(0, len(data) - 3000)
            feeder = threading.Thread(target=lambda p=process, s=size, b=begin: (
                p.stdin.write(data[:b]), [p.stdin.write(data[i:i + s]) for i in range(b, len(data), s)], p.stdin.close()))
            feeder.start()
            out, err = process.stdout.read(), process.stderr.read()
            feeder.join()
            process.stdout.close()
            process.stderr.close()
            case.equal((process.wait(30), out), (whole.code, whole.raw), f'{what} in pieces of {size} bytes')
            case.equal(err.decode().replace('standard input', case.path('leads')), whole.err, f'{what} in pieces of {size} bytes: bad rows')


# ---- what cannot be read ----

def test_input_empty(case):
    definition = case.file('icp.json', icp())
    for what, content in (('empty', ''), ('blank', '\n \n'), ('a header alone', HEADER)):
        path = case.file('leads', content)
        done = case.run('score', '--icp', definition, path)
        case.ends(done, 0, what)
        case.equal(len(done.lines()), 1, f'{what}: the header of CSV', done)
        case.ends(case.run('score', '--icp', definition, '--format', 'table', path), 0, f'{what}, table', out='0 leads')
        done = case.run('score', '--icp', definition, '--format', 'ndjson', path)
        case.equal((done.code, done.out), (0, ''), f'{what}: nothing in NDJSON')


def test_input_not_there(case):
    definition = case.file('icp.json', icp())
    case.ends(case.run('score', '--icp', definition, 'nowhere.csv'), 1, 'a missing file', err=['nowhere.csv', 'No such file'])
    case.ends(case.run('score', '--icp', definition, str(case.dir)), 1, 'a directory', err='directory')
    closed = case.file('closed.csv', HEADER)
    os.chmod(closed, 0)
    if os.geteuid() != 0:  # root reads everything
        case.ends(case.run('score', '--icp', definition, closed), 1, 'an unreadable file', err=['closed.csv', 'Permission denied'])


def test_input_from_standard_input(case):
    definition = case.file('icp.json', icp())
    for form, content in (('csv', HEADER + ROWS), ('ndjson', ndjson(lead('1')))):
        done = case.run('score', '--icp', definition, '-', stdin=content)
        case.ends(done, 0, form, out='"lead_id":"1"' if form == 'ndjson' else 'line,id,icp')
    done = case.run('score', '--icp', definition, '--format', 'csv', '-', stdin=HEADER + '1,short\n')
    case.ends(done, 1, 'a bad row', err='standard input:2: ')
