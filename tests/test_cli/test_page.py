"""``signbert-mm page``: the options, the taught signs behind the page, and its scripts in the package."""

import importlib
import json
import re
import shutil
import sys

import pytest
from grey_extractor import SIGNS
from grey_videos import EXTRACTOR, make_video

from signbert_mm.cli import main as console
from signbert_mm.cli.scripts import PAGE, SCRIPTS, script_path
from signbert_mm.teaching import finetune
from signbert_mm.teaching.folder import encoder_config
from signbert_mm.visualization.sign_overlay import SignOverlay


@pytest.fixture
def app(root, monkeypatch):
    """demo/app.py, which needs no Gradio before its page is built."""
    monkeypatch.syspath_prepend(str(root / 'demo'))
    return importlib.import_module('app')


def test_options(monkeypatch):
    calls = []
    monkeypatch.setattr(console, 'run_script', lambda *arguments: calls.append(arguments))
    console.main(['page', '--model', 'my_signs', '--port', '80', '--save', '--browser'])
    console.main(['page'])
    host = ['--host', '127.0.0.1']
    options = [*host, '--model', 'my_signs', '--port', '80', '--save', '--browser']
    assert calls == [('page', options), ('page', host)]


def test_the_page_answers_with_taught_signs(app, taught, tmp_path, monkeypatch):
    from app_analysis import Analyser, Limits, Windows

    args = app.parse_args(['--model', str(taught), '--extractor', EXTRACTOR, '--device', 'cpu'])
    signs = app.load_taught(args)
    assert args.dictionary and 'Right on 12 of 12 clips' in args.note
    analyser = Analyser(signs.inferencer, 3, Windows(), signs.judge)
    path = make_video(tmp_path / 'new.mp4', SIGNS['tea'] + 3)
    answer = analyser.video(path, Limits()).prediction
    assert answer['glosses'][0] == 'tea' and not answer['reason']
    signs.threshold, drawn = 1.5, []
    draw = SignOverlay.draw
    monkeypatch.setattr(SignOverlay, 'draw', lambda *given: drawn.append(given[-1]) or draw(*given))
    result = analyser.video(path, Limits())
    assert set(drawn) == {'no answer: none of these 4 signs'}
    assert result.prediction['glosses'] == [] and result.prediction['nearest'] == 'tea'
    assert json.loads(result.json.read_text())['reason'].startswith('none of these 4 signs')
    analyser.close()


def test_the_encoder_draws_the_hands_of_fine_tuned_signs(run, app, my_videos, encoder, tmp_path, monkeypatch):
    from app_analysis import Analyser, Limits
    from app_text import card_html

    monkeypatch.setattr(finetune, 'EPOCHS', (1, 1))
    taught = ('--encoder', encoder, '--extractor', EXTRACTOR, '--method', 'finetune')
    run('teach', my_videos, '--out', 'my_signs', *taught)
    args = app.parse_args(['--model', 'my_signs', '--extractor', EXTRACTOR, '--device', 'cpu'])
    signs, (teacher, _) = app.load_taught(args), app.make_teacher(args)
    assert 'has no hand model' in Analyser(signs.inferencer).no_mesh

    analyser = Analyser(signs.inferencer, 3, judge=signs.judge, hands=app.hands_of(args, signs, teacher))
    result = analyser.video(make_video(tmp_path / 'new.mp4', SIGNS['tea'] + 3), Limits())
    assert result.mesh['vertices'].shape[1:] == (2, 778, 3) and result.glb.is_file()
    card = app.make_card(args, analyser)
    assert card.hands == 'by the encoder of its folder'
    assert '<p>Model: <b>my_signs</b>; it was taught by videos.</p>' in card_html(card)
    analyser.close()

    # Without the poses of its signs there is no encoder; a model may still be named.
    assert app.hands_of(args, signs, None) is None and app.hands_of(args, None, None) is None
    args.pretrained_config, args.pretrained_checkpoint = encoder_config(str(encoder), 'data'), str(encoder)
    assert app.hands_of(args, signs, None).reconstructor.faces.shape == (1538, 3)


def test_windows_of_taught_signs_are_those_of_the_command_line(app, taught):
    from app_analysis import Windows

    options = ['--model', str(taught), '--extractor', EXTRACTOR, '--device', 'cpu']
    args = app.parse_args(options)
    signs = app.load_taught(args)
    signs.kind, signs.threshold = 'finetune', 0.9
    assert signs.window_settings() == pytest.approx(dict(window=0.7, stride=0.175, enter=0.9, leave=0.45))
    assert app.make_windows(args, signs) == Windows(**signs.window_settings(), ignore=[])
    args = app.parse_args([*options, '--window', '2', '--leave', '0.2', '--ignore', 'tea'])
    assert app.make_windows(args, signs) == Windows(2.0, 0.5, 0.9, 0.2, ['tea'])
    assert app.make_windows(app.parse_args(['--enter', '0.7']), None) == Windows(enter=0.7)


def test_a_model_stands_alone(app, capsys):
    with pytest.raises(SystemExit):
        app.parse_args(['--model', 'my_signs', '--config', 'x.py'])
    assert 'leave --config' in capsys.readouterr().err
    assert app.parse_args([]).extractor == 'mediapipe'


def test_scripts_are_there_and_in_the_wheel(root):
    text = (root / 'setup.py').read_text(encoding='utf-8')
    copied = re.search(r'^MIM = \((.*)\)', text, re.MULTILINE)[1]
    for path in [PAGE, *(script.path for script in SCRIPTS.values())]:
        assert script_path(path).is_file()
        assert f"'{path.split('/')[0]}'" in copied
    assert "console_scripts=['signbert-mm = signbert_mm.cli.main:main']" in text
    with pytest.raises(FileNotFoundError, match='is not in this installation'):
        script_path('tools/absent.py')


def test_a_script_runs_as_the_program(run, monkeypatch, capsys):
    with pytest.raises(SystemExit) as end:
        run('train', 'absent_config.py')
    assert 'absent_config.py does not exist' in str(end.value.code)
    assert sys.argv[0] == 'signbert-mm train'


def test_what_the_page_teaches_with(app, taught, tmp_path, monkeypatch, capsys):
    options = ['--extractor', EXTRACTOR, '--device', 'cpu']
    teacher, why_not = app.make_teacher(app.parse_args(['--model', str(taught), *options]))
    assert {gloss: len(examples) for gloss, examples in teacher.start.items()} == dict.fromkeys(SIGNS, 3)
    assert teacher.folder == taught and not why_not
    shutil.rmtree(taught / 'poses')
    teacher, why_not = app.make_teacher(app.parse_args(['--model', str(taught), *options]))
    assert teacher is None and why_not.endswith('the poses of its signs, is not there')

    # Fine-tuned signs would become a dictionary.
    facts = json.loads((taught / 'model.json').read_text())
    (taught / 'model.json').write_text(json.dumps(dict(facts, kind='finetune')))
    with pytest.raises(ValueError, match='fine-tuned signs, which --save would replace'):
        app.make_teacher(app.parse_args(['--model', str(taught), '--save', *options]))

    teacher, _ = app.make_teacher(app.parse_args(options))
    assert teacher.start == {} and teacher.folder is None
    assert app.make_teacher(app.parse_args(['--onnx', 'a.onnx', *options]))[0] is None
    monkeypatch.setattr(app, 'list_shipped', lambda: [])
    assert 'weights of zoo://signbert_d128' in app.make_teacher(app.parse_args(options))[1]
    with pytest.raises(SystemExit):
        app.parse_args(['--save'])
    assert 'name one' in capsys.readouterr().err
