"""What the page of demo/app.py lets in and what it keeps, without Gradio."""

import asyncio
import importlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.fixture(scope='module')
def server(root):
    sys.path.insert(0, str(root / 'demo'))
    yield importlib.import_module('app_server')
    sys.path.remove(str(root / 'demo'))


@pytest.fixture
def folder(server, tmp_path):
    made = server.UploadFolder(str(tmp_path))
    yield made
    made.close()


def call(app, headers, body=(), kind='http', path='/gradio_api/upload', method='POST'):
    """What an ASGI application sends for one request."""
    sent, parts = (
        [],
        [dict(type='http.request', body=part, more_body=True) for part in body]
        + [dict(type='http.disconnect')],
    )

    async def receive():
        return parts.pop(0)

    async def send(message):
        sent.append(message)

    scope = dict(
        type=kind,
        method=method,
        path=path,
        headers=[(key.encode(), value.encode('latin1')) for key, value in headers],
    )
    asyncio.run(app(scope, receive, send))
    return sent


async def answering(scope, receive, send):
    await send(dict(type='http.response.start', status=200, headers=[]))


async def reading(scope, receive, send):
    while (await receive())['type'] == 'http.request':
        pass
    await answering(scope, receive, send)


@pytest.mark.parametrize(
    'host',
    [
        '127.0.0.1:7860',
        'localhost',
        'LOCALHOST:1',
        'localhost.',
        '[::1]:7860',
        '192.168.0.5:80',
        'mine.example:7860',
    ],
)
def test_the_page_s_own_names(server, host):
    assert call(server.HostCheck(answering, ['mine.example']), [('host', host)])[0]['status'] == 200


@pytest.mark.parametrize(
    'headers',
    [
        [('host', 'evil.example')],
        [('host', 'evil.example:7860')],
        [('host', 'localhost.evil.example')],
        [('host', '127.0.0.1.evil.example')],
        [('host', '')],
        [('host', 'localhost@evil.example')],
        [('host', 'localhost, evil.example')],
        [('host', '[::1].evil.example')],
        [],
        [('host', 'localhost'), ('host', 'evil.example')],
    ],
)
def test_other_names_are_refused(server, headers):
    """A name that somebody points at this machine (DNS rebinding) must not reach the page."""
    start, body = call(server.HostCheck(answering), headers)
    assert start['status'] == 421
    assert b'--allow-host NAME' in body['body']
    assert call(server.HostCheck(answering), headers, kind='websocket') == [
        dict(type='websocket.close', code=1008)
    ]


def test_names_of_a_page_that_others_may_ask(server, monkeypatch):
    monkeypatch.setattr('socket.gethostname', lambda: 'desk.lab.example')
    assert set(server.own_names('127.0.0.1')) == set()
    assert set(server.own_names('0.0.0.0')) == {'0.0.0.0', 'desk.lab.example', 'desk.local'}


def test_uploads_have_a_limit(server, folder):
    app = server.UploadLimit(reading, folder, 1 << 20)
    assert call(app, [('content-length', str(1 << 20))], [b'x' * 1000])[0]['status'] == 200
    start, body = call(app, [('content-length', str(3 << 20))])
    assert (start['status'], body['body']) == (413, b'The file is too large: at most 1 MB are taken.')
    # a length that is not true, or none
    for headers in ([('content-length', '5')], [('content-length', 'x')], []):
        assert call(app, headers, [b'x' * (1 << 20)] * 3)[0]['status'] == 413
    assert call(app, [('content-length', str(3 << 20))], path='/gradio_api/queue/join')[0]['status'] == 200


def test_uploads_are_not_gathered_without_end(server, folder):
    app = server.UploadLimit(reading, folder, 1 << 20)
    (folder.uploads / 'a').mkdir()
    with open(folder.uploads / 'a' / 'big.mp4', 'wb') as file:
        file.truncate(8 << 20)
    start, body = call(app, [('content-length', '100')])
    assert start['status'] == 507
    assert b'too many videos' in body['body']


def age(path, seconds):
    os.utime(path, (time.time() - seconds,) * 2)


def test_what_broke_off_and_what_is_old_is_removed(server, folder, monkeypatch):
    whole, broken, coming = folder.uploads / 'sha' / 'v.mp4', folder.uploads / 'tmp1', folder.uploads / 'tmp2'
    whole.parent.mkdir()
    for path in (whole, broken, coming):
        path.write_bytes(b'x')
    with open(coming, 'ab'):
        folder.sweep(idle=0)
        assert whole.exists()
        assert coming.exists()
        assert not broken.exists()
    folder.sweep(idle=0)
    assert not coming.exists()
    now = time.time()
    monkeypatch.setattr('time.time', lambda: now + 3700)
    folder.sweep()
    assert list(folder.uploads.iterdir()) == []


def test_the_clean_up_goes_on_after_things_that_are_no_files(server, folder):
    (folder.uploads / 'dir' / 'deeper').mkdir(parents=True)
    (folder.uploads / 'link').symlink_to(folder.path.parent)
    (folder.uploads / 'tmp1').write_bytes(b'x')
    folder.sweep(idle=0)
    assert folder.path.parent.exists()
    assert not (folder.uploads / 'tmp1').exists()


def test_the_folder_goes_with_the_page(server, tmp_path):
    made = server.UploadFolder(str(tmp_path))
    (made.uploads / 'tmp1').write_bytes(b'x')
    (made.answers / 'a.json').write_bytes(b'x')
    made.close()
    made.close()
    assert list(tmp_path.iterdir()) == []


def test_folders_of_killed_runs_are_removed(server, tmp_path):
    ended = subprocess.Popen(['true'])
    ended.wait()
    for name in (
        f'{server.PREFIX}{ended.pid}_abc',
        f'{server.PREFIX}{os.getpid()}_abc',
        f'{server.PREFIX}x_abc',
        'other',
    ):
        Path(tmp_path, name).mkdir()
        Path(tmp_path, name, 'file').write_bytes(b'x')
    server.remove_stale(str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [f'{server.PREFIX}{os.getpid()}_abc', f'{server.PREFIX}x_abc', 'other']
    )
