"""The tab that teaches, without a browser: what its handlers show, and what they refuse."""

import importlib
import sys
import zipfile
from pathlib import Path

import pytest
from grey_encoder import save_encoder
from grey_extractor import SIGNS
from grey_videos import EXTRACTOR, make_video

from signbert_mm.apis import TaughtSigns
from signbert_mm.teaching import Teacher, TeachingSession

pytest.importorskip('gradio', reason='Gradio is not installed (make install-app)')


@pytest.fixture(scope='module')
def module(root):
    sys.path.insert(0, str(root / 'demo'))
    yield importlib.import_module('app_teach')
    sys.path.remove(str(root / 'demo'))


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    return Teacher(save_encoder(tmp_path_factory.mktemp('encoder')), EXTRACTOR, 'cpu')


@pytest.fixture
def tab(module, teacher, tmp_path):
    made = module.TeachTab(teacher, module.Limits(1.0))
    made.uploads = tmp_path
    return made


@pytest.fixture
def video(tmp_path):
    """``video(name, grey, frames)``: the path of a made video."""
    return lambda name, grey, frames=6: str(make_video(tmp_path / name, grey, frames))


def last(steps):
    *busy, end = steps
    assert all('data-state="busy"' in str(item) for item in busy)
    return end


def test_add_and_try(tab, video, tmp_path):
    session, status, known, sign, example = tab.begin()
    assert 'data-state="ready"' in status and 'No signs yet' in known and sign['choices'] == []
    shown = last(tab.add(session, '<tea>', [video('a.mp4', 161)], video('b.mp4', 163, 14)))
    assert 'Added 2 examples to the new sign &lt;tea&gt;, which has 2 now.' in shown[1]
    assert 'b.mp4: only the first 1 s were read' in shown[1]
    assert '1 sign, 2 examples' in shown[2] and '0.6 s, a hand in 6 of 6 frames' in shown[2]
    assert (shown[3]['value'], shown[4]['choices'], shown[4]['value']) == ('<tea>', ['a', 'b'], 'b')
    assert shown[5:] == (None, None)
    (tmp_path / 'text.mp4').write_text('no video at all, but text\n' * 20)
    new, text = video('new.mp4', 162), str(tmp_path / 'text.mp4')
    status, answer = last(tab.try_it(session, [new, text], None))
    assert 'Tried 1 video' in status and 'text.mp4: not a video' in status and str(tmp_path) not in status
    assert 'new.mp4: &lt;tea&gt;' in answer and 'Below' in answer
    shown = last(tab.add(session, 'no', [video('no.mp4', 111)], None))
    session.remove('<tea>', 'b')
    _, answer = last(tab.try_it(session, [new], None))
    assert 'Give each sign two examples' in answer


def test_many_examples_are_folded(module, tab):
    row = importlib.import_module('signbert_mm.teaching.session').Row
    text = module.known_html({'tea': [row(f'a{number}', 1.0, 25, 20) for number in range(6)]})
    assert '<summary>2 more</summary>a4' in text and '6 examples' in text


def test_what_is_refused(tab, video):
    session = tab.begin()[0]
    a = video('a.mp4', 161)
    for name, files, says in (
        ('', [a], 'type the name of the sign first'),
        ('tea', None, 'there is no video yet'),
        ('tea', [video('dark.mp4', 0)], 'dark.mp4: no person was found'),
        ('tea', [video('body.mp4', 25)], 'body.mp4: a person was found, but no hand'),
    ):
        shown = last(tab.add(session, name, files, None))
        # Inputs stay, so that they can be put right.
        assert says in shown[1] and 'data-state="error"' in shown[1] and shown[5] is not None
    assert session.signs == {}
    assert 'nothing is taught yet' in last(tab.try_it(session, [a], None))[0]
    for change in (TeachingSession.undo, TeachingSession.redo, lambda signs: signs.remove('')):
        assert 'data-state="error"' in tab.edit(session, change)[1]
    status, file = tab.export(session)
    assert 'nothing is taught yet' in status and not file['visible']
    assert 'not started with --save' in tab.save(session)[1]


def test_a_page_that_was_away(tab, video):
    """Gradio has dropped its session: one line says so, and it begins again."""
    shown = tab.edit(None, TeachingSession.undo)
    assert 'was away for too long' in shown[1] and shown[0].signs == {}
    assert 'was away' in last(tab.add(None, 'tea', [video('a.mp4', 161)], None))[1]
    assert 'was away' in last(tab.try_it(None, [video('a.mp4', 161)], None))[0]
    assert 'was away' in tab.export(None)[0] and tab.examples_of(None, 'tea')['choices'] == []


def test_export_and_save(module, tab, video, tmp_path):
    session = tab.begin()[0]
    for sign in ('tea', 'no'):
        last(tab.add(session, sign, [video(f'{sign}.mp4', SIGNS[sign] + 1)], None))
    shown = tab.edit(session, lambda signs: signs.rename('tea', 'chai'))
    assert 'Renamed tea to chai.' in shown[1] and tab.examples_of(session, 'chai')['choices'] == ['tea']
    status, file = tab.export(session)
    assert 'Ready below: my_signs.zip' in status
    with zipfile.ZipFile(file['value']) as packed:
        packed.extractall(tmp_path / 'unpacked')
    folder = tmp_path / 'unpacked' / 'my_signs'
    assert TaughtSigns.load(folder, 'cpu', EXTRACTOR).glosses == ['chai', 'no']

    saving = module.TeachTab(Teacher.load(folder, 'cpu', EXTRACTOR), module.Limits(), saves=True)
    saving.uploads = tmp_path
    session = saving.begin()[0]
    saving.edit(session, lambda signs: signs.remove('no'))
    assert 'Saved; the tab' in saving.save(session)[1]
    assert TaughtSigns.load(folder, 'cpu', EXTRACTOR).glosses == ['chai'] == list(saving.begin()[0].signs)
    assert Path(saving.export(session)[1]['value']).name == 'my_signs.zip'
