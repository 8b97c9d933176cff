"""demo/app.py without a browser: what it says of videos, of models, and of itself."""

import base64
import importlib
import json
import os
import re
import socket
import sys
import threading
import time
import wave
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from api_toys import GLOSSES, ColourExtractor, frames_of, up_to_rounding
from mmengine.config import Config

from signbert_mm.apis import SignDictionary, SignInferencer
from signbert_mm.datasets import PoseStore, PoseStoreWriter
from signbert_mm.errors import ConfigError
from signbert_mm.files import shipped
from signbert_mm.files.checkpoints import load_checkpoint_file
from signbert_mm.registry import EXTRACTORS

pytest.importorskip('av', reason='PyAV is not installed')


class NoHands(ColourExtractor):
    """A body alone."""

    name = 'bodies'

    def predict(self, items):
        poses = super().predict(items)
        poses[:, 17:] = 0
        return poses


@pytest.fixture(scope='module')
def demo(root):
    """``demo(name)``: a module of demo/."""
    sys.path.insert(0, str(root / 'demo'))
    yield importlib.import_module
    sys.path.remove(str(root / 'demo'))


@pytest.fixture(scope='module')
def analysis(demo):
    return demo('app_analysis')


@pytest.fixture(scope='module')
def analyser(analysis, inferencer):
    made = analysis.Analyser(inferencer, 3, analysis.Windows(0.6, 0.2, 0.2, 0.1))
    yield made
    made.close()


@pytest.fixture(scope='module')
def page_module(demo):
    pytest.importorskip('gradio', reason='Gradio is not installed (make install-app)')
    return demo('app_page')


@pytest.fixture(scope='module')
def text_module(demo):
    return demo('app_text')


@pytest.fixture
def card(text_module):
    return text_module.ModelCard('toy', 'toy.pth', 'signs <1>', GLOSSES, 'toy_pretrain', 'colour')


def test_a_video(analysis, analyser, make_video, tmp_path):
    path, told = tmp_path / 'sign.mp4', []
    make_video(path, [40] * 12 + [0] * 4)
    result = analyser.video(path, analysis.Limits(), progress=lambda share, what: told.append((share, what)))
    assert (
        len(result.clip) == 16
        and result.prediction['hand_frames'] == 12
        and not result.notes
        and result.clip.fps == 10
    )
    assert (
        set(result.prediction['glosses']) < set(GLOSSES)
        and len(result.prediction['glosses']) == 3
        and result.attention.shape == (16, 2)
    )
    assert (
        result.mesh['vertices'].shape == (16, 2, 778, 3)
        and result.mesh['valid'][:, 0].tolist() == [True] * 12 + [False] * 4
    )
    shares = [share for share, _ in told]
    assert (
        shares == sorted(shares) and shares[0] > 0 and shares[-1] < 1 and len({what for _, what in told}) > 10
    )
    assert len(frames_of(result.video)) == 16 and result.glb.read_bytes()[:4] == b'glTF'
    assert json.loads(result.json.read_text())['glosses'] == result.prediction['glosses']
    analyser.video(path, analysis.Limits(1.0))
    assert not result.video.parent.exists()  # the page has its own copy


def test_limits(analysis, analyser, make_video, tmp_path):
    path = tmp_path / 'long.mp4'
    make_video(path, [40] * 20)
    result = analyser.video(path, analysis.Limits(1.0, 0.0, 960))
    assert len(result.clip) == 10 and 'first 1 s' in result.notes[0] and result.clip.image_size == (64, 48)
    result = analyser.video(path, analysis.Limits(20.0, 5.0, 32))
    assert (
        len(result.clip) == 10
        and result.clip.fps == 5
        and result.clip.image_size == (32, 24)
        and not result.notes
    )
    assert len(frames_of(result.video)) == 10
    result = analyser.video(path, analysis.Limits(20.0, 25.0))  # frames are never repeated
    assert len(result.clip) == 20 and result.clip.fps == 10


def test_several_signs(analysis, analyser, text_module, card, make_video, tmp_path):
    path = tmp_path / 'signs.mp4'
    make_video(path, [40] * 16)
    result = analyser.video(path, analysis.Limits(), several=True)
    assert (
        result.prediction['segments'] and result.segments and result.prediction['windows'][-1]['end'] == 1.6
    )
    text = text_module.answer_html(result, card)
    assert 'Signs in time' in text and result.prediction['segments'][0]['gloss'] in text
    result.prediction['segments'].clear()
    assert 'No window reached the threshold' in text_module.answer_html(result, card)


def test_several_signs_about_a_pause_of_the_camera(analysis, analyser, make_video, tmp_path):
    places = [*range(12), *range(60, 72)]
    path = make_video(tmp_path / 'pause.mp4', [40] * 24, places=places)
    result = analyser.video(Path(path), analysis.Limits(), several=True)
    settings = dict(zip(('window', 'stride', 'enter', 'leave'), analyser.windows))
    clip = analyser.inferencer.reader.extract(path)
    assert np.allclose(result.clip.times, np.array(places) / 10) and np.allclose(
        clip.times, result.clip.times
    )
    (expected,) = analyser.inferencer.segments([clip], **settings, topk=3)
    signs = result.prediction['segments']
    assert signs == up_to_rounding(expected['segments']) and len(signs) == 2
    assert signs[0]['end'] < 2 and signs[1]['start'] > 5
    assert result.prediction['windows'][-1]['end'] == pytest.approx(7.2, abs=0.3)
    # Frames, for drawing.
    assert [span[:2] for span in result.segments] == [(0, 12), (12, 24)]
    assert len(frames_of(result.video)) == 24


def test_refused_videos(analysis, analyser, make_video, tmp_path):
    limits = analysis.Limits()
    (tmp_path / 'text.mp4').write_text('no video at all, but text\n' * 20)
    (tmp_path / 'empty.mp4').write_text('')
    make_video(tmp_path / 'black.mp4', [0] * 5)
    with wave.open(str(tmp_path / 'sound.mp4'), 'wb') as sound:
        sound.setparams((1, 2, 8000, 0, 'NONE', 'not compressed'))
        sound.writeframes(bytes(16000))
    for name, says in (
        ('text.mp4', 'not a video'),
        ('empty.mp4', 'empty'),
        ('sound.mp4', 'no video in it, only audio'),
        ('black.mp4', 'no person was found in any of the 5 frames'),
    ):
        with pytest.raises(analysis.Refusal, match=f'^{name}: {says}'):  # and not where it lies
            analyser.video(tmp_path / name, limits)
    assert analyser.video(_cut(make_video, tmp_path), limits).notes[0].startswith('cut.mkv: truncated')


def _cut(make_video, tmp_path):
    """A file that ends too early."""
    path = tmp_path / 'cut.mkv'
    make_video(path, list(range(20, 220, 2)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def test_a_person_without_hands(analysis, text_module, card, house, make_video, tmp_path):
    analyser = analysis.Analyser(SignInferencer(*house['recogniser'], device='cpu', extractor=NoHands()))
    assert 'No 3-D hands' in analyser.no_mesh and '--pretrained-config' in analyser.no_mesh
    make_video(tmp_path / 'body.mp4', [40] * 4)
    result = analyser.video(tmp_path / 'body.mp4', analysis.Limits())
    assert (
        result.prediction == {}
        and result.mesh is None
        and result.glb is None
        and result.attention is None
        and len(frames_of(result.video)) == 4
    )
    assert 'No answer' in text_module.answer_html(result, card)
    assert 'data-state="no-hands"' in text_module.status_html(result, 1.0)
    analyser.close()
    assert not result.video.exists()


def test_clips_of_a_store(analyser, text_module, card, store):
    result = analyser.store_clip(store, 5)
    assert result.truth == GLOSSES[1] and len(result.clip) == len(frames_of(result.video)) == 19
    answer = text_module.answer_html(result, card)
    assert (
        f'The clip shows <b>{GLOSSES[1]}</b>: the model is '
        f'{"right" if result.prediction["glosses"][0] == GLOSSES[1] else "wrong"}'
    ) in answer


def test_the_viewer_gets_all_it_draws(demo, analyser, store):
    viewer = demo('app_viewer')
    result = analyser.store_clip(store, 6)
    result = result._replace(segments=[(0, 4.5, '</script><b>tea')])
    document = viewer.viewer_document(result)
    data = json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', document, re.S)[1]
    )
    assert (
        data['segments'] == [[0, 4.5, '</script><b>tea']]
        and data['frames'] == len(result.clip)
        and data['fps'] == 25
    )
    assert (
        np.allclose(data['attention'], result.attention, atol=1e-6)
        and data['found'] == result.clip.hands_found().astype(int).tolist()
    )
    mesh = data['mesh']
    vertices = (
        np.frombuffer(base64.b64decode(mesh['vertices']), '<i2').reshape(result.mesh['vertices'].shape)
        * mesh['unit']
    )
    assert np.abs(vertices - result.mesh['vertices']).max() <= 0.51 * mesh['unit'] < 1e-5
    assert np.array_equal(
        np.frombuffer(base64.b64decode(mesh['faces']), '<u2').reshape(-1, 3), result.mesh['faces']
    )
    assert mesh['valid'] == result.mesh['valid'].ravel().tolist() and 0.03 < mesh['radius'] < 0.3
    frame = viewer.viewer_frame(result._replace(mesh=None), 'No 3-D hands: <why>.')
    assert frame.count('<') == 2 and 'No 3-D hands' in frame  # all of the document is quoted
    assert not re.search(r'(src|href)=|https?://(?!www\.w3\.org/2000/svg)|@import|fetch\(', document)


def test_long_clips_have_fewer_meshes(analysis, analyser, monkeypatch, store):
    monkeypatch.setattr(analysis, 'MESH_FRAMES', 5)
    result = analyser.store_clip(store, 6)  # 22 frames
    assert result.mesh['step'] == 5 and len(result.mesh['vertices']) == 5


def test_the_page_names_its_model(text_module, card):
    text = text_module.card_html(card)
    assert (
        'toy.pth' in text
        and 'signs &lt;1&gt;' in text
        and 'hello, water, tea, no' in text
        and 'caution' not in text
    )
    assert (
        text_module.answer_html(
            SimpleNamespace(prediction=dict(glosses=['-', 'tea'], scores=[0.9, 0.1]), truth=''), card
        ).count('is rest: none')
        == 1
    )
    synthetic = card._replace(glosses=['gloss_000', 'gloss_001'], data='')
    assert 'knows no sign language' in text_module.card_html(synthetic) and (
        'does not say on what it was trained'
    ) in text_module.card_html(synthetic)


def test_what_the_page_shows(analysis, analyser, page_module, card, make_video, tmp_path, monkeypatch, store):
    page = page_module.Page(analyser, card, analysis.Limits(3.0), store)
    settings = (3.0, 'every frame', 960, False, 2.0)
    make_video(tmp_path / 'a&b.mp4', [40] * 6)
    *busy, (status, video, answer, viewer, files) = page.recognise(str(tmp_path / 'a&b.mp4'), *settings)
    assert busy and all('data-state="busy"' in item[0] for item in busy)
    assert (
        'data-state="done"' in status
        and ('a&amp;b.mp4: 6 frames (0.6 s at 10 a second, 64 × 48), a hand in 6 of them') in status
    )
    assert (
        video.endswith('.mp4')
        and 'Top 3' in answer
        and viewer.startswith('<iframe')
        and len(files['value']) == 3
    )
    for path, says in ((None, 'There is no video yet'), (tmp_path / 'none.mp4', 'none.mp4: no such file')):
        *_, (status, video, answer, viewer, files) = page.recognise(path and str(path), *settings)
        assert (
            'data-state="error"' in status
            and says in status
            and (video, answer, viewer) == (None, '', '')
            and not files['visible']
        )
    *_, last = page.example()
    assert 'The clip shows' in last[2]
    monkeypatch.setattr(analyser, 'video', lambda *_: 1 / 0)
    *_, last = page.recognise('sign.mp4', *settings)
    assert 'should not happen, ZeroDivisionError' in last[0]
    assert page.blocks() is not None


def test_a_client_that_leaves_does_not_hold_up_the_server(analysis, analyser, page_module, card):
    """The generator is closed where all requests are served: it returns at once, and the work ends at its
    next step.
    """
    page, closed, ended = (
        page_module.Page(analyser, card, analysis.Limits()),
        threading.Event(),
        threading.Event(),
    )
    seen = []

    def work(progress):
        try:
            progress(0.1, 'first')
            seen.append(closed.wait(60))  # would be waited for
            progress(0.2, 'second')
            seen.append('went on')
        finally:
            ended.set()

    shown = page._stream(work)
    assert 'data-state="busy"' in next(shown)[0]
    shown.close()
    closed.set()
    assert ended.wait(60)
    assert seen == [True]


def test_what_a_request_says_of_the_settings_is_bounded(
    analysis, analyser, page_module, card, make_video, tmp_path, monkeypatch
):
    page, asked = page_module.Page(analyser, card, analysis.Limits(3.0)), []
    make_video(tmp_path / 'a.mp4', [40] * 6)

    def video(path, limits, several, window, progress):
        asked.append((limits, window))
        raise analysis.Refusal('enough')

    monkeypatch.setattr(analyser, 'video', video)
    for seconds, side, window in ((float('nan'), float('nan'), float('nan')), (1e9, 1e9, 1e9), (-5, -5, -5)):
        list(page.recognise(str(tmp_path / 'a.mp4'), seconds, 'every frame', side, False, window))
    assert [(limits.seconds, limits.side, window) for limits, window in asked] == [
        (3.0, 4096, 60.0),
        (3.0, 4096, 60.0),
        (0.1, 64, 0.1),
    ]
    *_, last = page.recognise(str(tmp_path), 3.0, 'every frame', 960, False, 2.0)
    assert 'this is no file' in last[0]
    assert len(asked) == 3


def test_the_page_as_it_is_served(analysis, analyser, page_module, card, make_video, tmp_path, monkeypatch):
    """Host, size and clean-up, with Gradio's own routes."""
    import httpx

    monkeypatch.setenv('GRADIO_TEMP_DIR', '')
    monkeypatch.setattr(analyser, 'parent', None)
    blocks, address = page_module.launch(
        page_module.Page(analyser, card, analysis.Limits()), '127.0.0.1', None, block=False, max_upload=1
    )
    folder = Path(os.environ['GRADIO_TEMP_DIR'])
    try:
        with httpx.Client(base_url=address, timeout=120) as client:
            assert client.get('/').status_code == 200
            assert client.get('/', headers=dict(host='evil.example')).status_code == 421
            assert (
                client.post('/gradio_api/upload', files=dict(files=('a.mp4', b'x' * (3 << 20)))).status_code
                == 413
            )
            kept = client.post('/gradio_api/upload', files=dict(files=('a.mp4', b'x' * 1000)))
            assert kept.status_code == 200
            assert Path(kept.json()[0]).is_file()
            assert folder in Path(kept.json()[0]).parents

        # a client that breaks off
        host, port = address.rstrip('/').rpartition('//')[2].split(':')
        with socket.create_connection((host, int(port))) as client:
            head = (
                'POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; '
                'boundary=b\r\nContent-Length: 9999\r\n\r\n'
            )
            part = (
                '--b\r\nContent-Disposition: form-data; name="files"; filename="b.mp4"\r\n\r\n' + 'y' * 5000
            )
            client.sendall((head + part).encode())
            deadline = time.monotonic() + 60
            while not [path for path in folder.iterdir() if path.is_file()] and time.monotonic() < deadline:
                time.sleep(0.05)
            assert [path for path in folder.iterdir() if path.is_file()]
        while [path for path in folder.iterdir() if path.is_file()] and time.monotonic() < deadline:
            time.sleep(0.05)
        assert [path for path in folder.iterdir() if path.is_file()] == []
        assert Path(kept.json()[0]).is_file()
    finally:
        blocks.close()
        blocks.uploads.close()
    assert not folder.exists()


def test_dictionary_answers(analysis, text_module, card, house, store):
    config, checkpoint = house['pretrainer']
    inferencer = SignInferencer(config, checkpoint, device='cpu', extractor=ColourExtractor())
    vectors, names = inferencer.embed(store)
    inferencer.dictionary = SignDictionary(inferencer.embedder.fingerprint, vectors.shape[1])
    inferencer.dictionary.add('<tea>', vectors[5:6], names[5:6])
    inferencer.dictionary.add('no', vectors[:1], names[:1])
    analyser = analysis.Analyser(inferencer)
    result = analyser.store_clip(store, 5)
    text = text_module.answer_html(result._replace(truth=''), card._replace(dictionary='my_signs'))
    assert (
        result.prediction['glosses'] == ['<tea>', 'no']
        and result.attention is None
        and result.mesh is not None
    )
    assert 'Nearest 2' in text and '&lt;tea&gt;' in text and '1.00' in text and '<tea>' not in text
    analyser.close()


@pytest.fixture
def app(demo, monkeypatch, tmp_path):
    """demo/app.py in an empty folder, where `make demo` has not been run."""
    module = demo('app')
    monkeypatch.setattr(module.run_demo, 'WORK', tmp_path / 'demo')
    monkeypatch.setattr(module.run_demo, 'STORE', tmp_path / 'store')
    monkeypatch.setenv('SIGNBERT_MM_ZOO', str(tmp_path / 'zoo'))
    monkeypatch.setattr(shipped, 'WEIGHTS', tmp_path / 'weights')
    EXTRACTORS.import_from_location()
    EXTRACTORS.register_module(name='colour', module=ColourExtractor, force=True)
    yield module
    EXTRACTORS.module_dict.pop('colour')


def test_without_a_model_it_trains_one_or_says_how(app, monkeypatch, capsys):
    with pytest.raises(
        FileNotFoundError, match='run `make demo`, start without --no-train, or give --config'
    ):
        app.demo_checkpoint(train=False)
    steps = []
    monkeypatch.setattr(app.run_demo, 'step_data', lambda: steps.append('data'))
    monkeypatch.setattr(app.run_demo, 'step_pretrain', lambda: steps.append('pretrain'))
    monkeypatch.setattr(app.run_demo, 'checkpoint', lambda name: f'{name}.pth')
    monkeypatch.setattr(app.run_demo, 'run', lambda command, log: steps.append(' '.join(command)))
    found = iter([None, 'last.pth'])
    monkeypatch.setattr(app, 'last_checkpoint', lambda name: next(found))
    assert app.demo_checkpoint(train=True) == 'last.pth'
    assert steps[:2] == ['data', 'pretrain'] and steps[2].endswith(
        '--work-dir work_dirs/demo/pretrained --cfg-options load_from=pretrain.pth'
    )
    assert 'about 5 minutes' in capsys.readouterr().out


def test_without_a_model_the_zoo_answers(app, page_module, text_module, toy_zoo, house, monkeypatch):
    options = ['--extractor', 'colour', '--device', 'cpu']
    toy_zoo('signbert_d128_finetune_synthetic', [f'gloss_{number:03d}' for number in range(4)])
    card = app.make_page(app.parse_args(options)).card
    assert (
        card.synthetic
        and 'For real signs run make zoo' in card.note
        and 'no sign language' in text_module.card_html(card)
    )
    path = toy_zoo('toy_of_real_signs', GLOSSES)
    card = app.make_page(app.parse_args(options)).card
    assert (card.name, card.weights, card.glosses, card.hands) == (
        'toy_of_real_signs',
        app.shown_path(path),
        GLOSSES,
        '',
    )
    assert card.note == (
        'It knows the glosses of toy_of_real_signs. --config and --checkpoint (or --onnx) name another.'
    )
    text = text_module.card_html(card)
    assert text_module.html.escape(card.note) in text and 'caution' not in text
    named = app.make_page(app.parse_args([*options, '--config', 'signbert_d128_finetune_synthetic'])).card
    assert named.synthetic and named.note == '' and '<p></p>' not in text_module.card_html(named)


def test_the_hands_of_the_encoder_of_the_package_where_there_is_no_other(app, monkeypatch, house, tmp_path):
    (tmp_path / 'weights').mkdir()
    content = load_checkpoint_file(house['pretrainer'][1])
    meta = dict(content['meta'], cfg=Config.fromfile(house['pretrainer'][0]).pretty_text)
    torch.save(dict(content, meta=meta), tmp_path / 'weights' / 'signbert_d128.pth')
    args = app.parse_args(
        [
            '--config',
            house['recogniser'][0],
            '--checkpoint',
            house['recogniser'][1],
            '--extractor',
            'colour',
            '--device',
            'cpu',
        ]
    )
    assert app.make_inferencer(args).reconstructor
    assert args.pretrained_config == 'zoo://signbert_d128'


def test_options_choose_the_model(app, page_module, house, tmp_path):
    (config, checkpoint), (pre_config, pre_checkpoint) = house['recogniser'], house['pretrainer']
    own = ['--config', config, '--checkpoint', checkpoint, '--extractor', 'colour', '--device', 'cpu']
    page = app.make_page(
        app.parse_args([*own, '--pretrained-config', pre_config, '--pretrained-checkpoint', pre_checkpoint])
    )
    assert (
        page.card.name == 'recogniser'
        and page.card.glosses == GLOSSES
        and page.card.hands.startswith('pretrainer, ')
    )
    assert (
        page.card.data == ''
        and not page.card.synthetic
        and page.analyser.no_mesh == ''
        and page.examples is None
    )
    assert 'No 3-D hands' in app.make_page(app.parse_args(own)).analyser.no_mesh
    pretrainer = [
        '--config',
        pre_config,
        '--checkpoint',
        pre_checkpoint,
        '--extractor',
        'colour',
        '--device',
        'cpu',
    ]
    with pytest.raises(ConfigError, match='knows no glosses'):
        app.make_page(app.parse_args(pretrainer))
    signs = SignDictionary('another', 4, 'made elsewhere')
    signs.add('tea', np.ones((1, 4)))
    signs.save(tmp_path / 'signs')
    with pytest.raises(ValueError, match=r'another encoder \(made elsewhere\)'):
        app.make_page(app.parse_args([*pretrainer, '--dictionary', str(tmp_path / 'signs')]))
    inferencer = SignInferencer(pre_config, pre_checkpoint, device='cpu', extractor='colour')
    signs = SignDictionary(inferencer.embedder.fingerprint, 32)
    signs.add('tea', np.ones((1, 32)))
    signs.save(tmp_path / 'signs')
    page = app.make_page(app.parse_args([*pretrainer, '--dictionary', str(tmp_path / 'signs')]))
    assert (
        page.card.glosses == ['tea']
        and page.card.hands == 'by the same model'
        and page.analyser.no_mesh == ''
    )
    with pytest.raises(FileNotFoundError, match='no such file; export one'):
        app.make_page(app.parse_args(['--onnx', str(tmp_path / 'none.onnx'), '--extractor', 'colour']))
    for wrong in (['--max-seconds', '0'], ['--fps', '7'], ['--max-side', '8']):
        with pytest.raises(SystemExit):
            app.parse_args(wrong)


def test_synthetic_signs_are_offered_where_they_fit(app):
    assert app.synthetic_examples(['gloss_000']) is None
    with PoseStoreWriter(app.run_demo.STORE, 'sign_49', ['gloss_000']) as writer:
        writer.add(np.ones((3, 49, 3), np.float32), 0, 'test', 'v', width=64, height=64, fps=25)
        writer.close()
    assert (
        isinstance(app.synthetic_examples(['gloss_000']), PoseStore)
        and app.synthetic_examples(['tea']) is None
    )
