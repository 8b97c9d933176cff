"""demo/browser: its choice of frames and joints in Node, and the page in Chromium, against Python.

In Chromium it needs Playwright (``pip install playwright``; it downloads no browser), and the folder ``dist``
of onnxruntime-web (``npm pack onnxruntime-web``) in the environment variable SIGNBERT_MM_ORT_WEB.
"""

import functools
import http.server
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from api_toys import GLOSSES, poses
from toy_graph import INPUT, write_toy

from signbert_mm.apis import PoseClip, SignInferencer
from signbert_mm.apis.backends import Backend, withhold
from signbert_mm.apis.clips import InputSpec, make_batch
from signbert_mm.apis.poses_json import poses_to_json
from signbert_mm.apis.rejection import Rejection
from signbert_mm.layouts import get_layout

CLIPS = [
    PoseClip.make(
        poses(frames, frames, joints=42, hands=hands), 'hands_42', (640, 480), name=f'clip {frames}'
    )
    for frames, hands in ((1, True), (4, True), (9, True), (23, True), (7, False))
]
CHROMIUM = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
FILES = ('ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm')
# ms; machines may be busy.
WAIT = 240_000
# Sums of two builds of onnxruntime, and the softmax in 64 bits. In int8 a last bit can move a number by a
# whole step of the 8 bits.
CLOSE = dict(fp32=1e-4, fp16=1e-4, int8=2e-2)


@pytest.fixture
def node(root, tmp_path):
    """``node(code, *arguments)``: the JSON that code prints, which has the page's module as ``signs``."""
    program = shutil.which('node')
    if program is None:
        pytest.skip('no Node.js (apt-get install nodejs)')

    def run(code, *arguments):
        script = tmp_path / 'run.mjs'
        # Node takes a file for a module by its suffix.
        shutil.copy(root / 'demo' / 'browser' / 'signs.js', tmp_path / 'signs.mjs')
        script.write_text(
            "import * as signs from './signs.mjs';\nimport { readFileSync } from 'node:fs';\n"
            f'const given = process.argv.slice(2);\n{code}'
        )
        done = subprocess.run(
            [program, str(script), *map(str, arguments)], capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_the_metadata_of_a_file(node, tmp_path):
    code = 'console.log(JSON.stringify(signs.readMetadata(readFileSync(given[0]))));'
    meta = node(code, write_toy(tmp_path / 'toy.onnx', glosses=['sí', '手話']))
    assert meta['glosses'] == ['sí', '手話'] and meta['input'] == INPUT


@pytest.mark.parametrize(
    'temporal',
    [
        None,
        dict(type='CenterTemporalSample', clip_len=6),
        dict(type='UniformTemporalSample', clip_len=6, test_mode=True),
        dict(type='UniformTemporalSample', clip_len=6, test_mode=True, repeat=False),
    ],
)
@pytest.mark.parametrize('layout, drop', [('hands_42', True), ('sign_49', False)])
def test_inputs_are_those_of_python(node, tmp_path, temporal, layout, drop):
    (tmp_path / 'poses.json').write_text(json.dumps(poses_to_json(CLIPS)))
    meta = dict(
        input=dict(INPUT, temporal=temporal, layout=layout, drop_empty_frames=drop),
        joints=list(get_layout(layout).joints),
        max_frames=None,
    )
    (tmp_path / 'meta.json').write_text(json.dumps(meta))
    code = """
const [meta, text] = [JSON.parse(readFileSync(given[1])), readFileSync(given[0], 'utf8')];
const rows = signs.readPoses(text).map((clip) => signs.prepare(clip, meta));
console.log(JSON.stringify(rows, (_, value) => {
  if (typeof value === 'bigint') return Number(value);
  return ArrayBuffer.isView(value) ? Array.from(value) : value;
}));
"""
    rows = node(code, tmp_path / 'poses.json', tmp_path / 'meta.json')
    for clip, row in zip(CLIPS, rows):
        expected = make_batch([clip], InputSpec(layout, drop, temporal=temporal))
        for name in ('keypoints', 'scores', 'length', 'image_size'):
            found = np.array(row[name]['data']).reshape(row[name]['dims'])
            assert found.shape == expected[name].shape
            assert np.allclose(found, expected[name], rtol=0, atol=1e-4), name
        assert row['frames'] == expected['frames'][0, : expected['length'][0]].tolist()
        assert bool(row['reason']) == bool(clip.no_answer)


def test_hands_are_found_as_in_python(node, tmp_path):
    clips = [
        PoseClip.make(poses(12, seed, joints=133), 'coco_wholebody_133', (640, 480)) for seed in range(3)
    ]
    random = np.random.RandomState(0)
    # About the thresholds of both rules: 10 joints above 0.1, or an arm above 0.8 and one joint.
    clips = [
        PoseClip.make(clip.keypoints, clip.layout, (640, 480), random.uniform(0, high, clip.scores.shape))
        for clip, high in zip(clips, (0.2, 0.15, 1))
    ]
    for clip in clips[1:]:
        clip.scores[::2, 5:11] = 0.9
    content = poses_to_json(clips)
    for row in content['clips']:
        del row['hands']
    (tmp_path / 'poses.json').write_text(json.dumps(content))
    code = (
        "console.log(JSON.stringify(signs.readPoses(readFileSync(given[0], 'utf8')).map(signs.handsFound)));"
    )
    found = node(code, tmp_path / 'poses.json')
    expected = [clip.hands_found().tolist() for clip in clips]
    assert found == expected and 0 < np.mean([np.mean(rows) for rows in expected]) < 1


def test_what_cannot_be_read_is_named(node, tmp_path):
    (tmp_path / 'text.onnx').write_text('no model')
    whole = Path(write_toy(tmp_path / 'toy.onnx')).read_bytes()
    (tmp_path / 'cut.onnx').write_bytes(whole[: len(whole) // 2])
    one_hand = write_toy(tmp_path / 'one.onnx', input=dict(INPUT, side='left'))
    newer = write_toy(tmp_path / 'newer.onnx', rejection=dict(method='magic'))
    old = write_toy(tmp_path / 'old.onnx', version=99)
    code = """
const messages = given.map((path) => {
  try { return signs.readMetadata(readFileSync(path)); } catch (error) { return error.message; }
});
const clip = { name: 'x', joints: ['a'], keypoints: [[[1, 2]]], image_size: [9, 9] };
for (const text of ['{}', JSON.stringify({ format: 'signbert_mm.poses', clips: [clip] })]) {
  try {
    signs.readPoses(text).map((clip) => signs.prepare(clip, { input: {}, joints: ['a'], max_frames: null }));
  } catch (error) { messages.push(error.message); }
}
console.log(JSON.stringify(messages));
"""
    text, cut, one, version, magic, no_poses, bad_frame = node(
        code, tmp_path / 'text.onnx', tmp_path / 'cut.onnx', one_hand, old, newer
    )
    assert magic.startswith('rejection by magic is unknown here')
    assert 'no ONNX file' in text or 'ends too early' in text
    assert 'ends too early' in cut and 'one hand run in Python' in one and 'version 99' in version
    assert 'poses_to_json.py' in no_poses
    assert bad_frame == 'clip "x": frame 0 is not 1 joints of x, y and score'


def test_an_error_stays_when_the_other_file_is_read(node, tmp_path):
    (tmp_path / 'poses.json').write_text(json.dumps(poses_to_json(CLIPS)))
    code = """
    const elements = {};
    const part = (name) => elements[name] ??= { dataset: {}, addEventListener() {} };
    globalThis.window = {};
    globalThis.fetch = async (name) => name.endsWith('.onnx')
      ? { ok: true, arrayBuffer: async () => new ArrayBuffer(4) }
      : { ok: true, text: async () => readFileSync(given[0], 'utf8') };
    signs.start({ querySelector: part });
    while (!window.signs.clips) await new Promise((go) => setTimeout(go, 20));
    await new Promise((go) => setTimeout(go, 100));
    const { textContent, dataset } = elements['#status'];
    console.log(JSON.stringify([textContent, dataset.state, window.signs.clips.length]));
    """
    # There is no onnxruntime-web beside the page, and Node imports nothing from the web.
    text, state, count = node(code, tmp_path / 'poses.json')
    assert text.startswith('./model.onnx: onnxruntime-web is neither in ./ort nor at') and state == 'error'
    assert count == len(CLIPS)


@pytest.mark.parametrize('method', ['max_probability', 'known_odds'])
def test_a_calibrated_model_answers_as_in_python(node, tmp_path, method):
    rejection = Rejection(method, 2.0, 0.4, 0.05)
    random = np.random.RandomState(0)
    logits = random.normal(0, 4, (len(CLIPS), len(GLOSSES))).astype(np.float32)
    # Both sides of the threshold; the last clip shows no hand.
    odds = [3.0, -3.0, 0.5, 0.3, 800.0]
    meta = dict(
        input=INPUT,
        joints=list(get_layout('hands_42').joints),
        max_frames=None,
        glosses=GLOSSES,
        rejection=rejection._asdict(),
    )
    (tmp_path / 'given.json').write_text(
        json.dumps(dict(meta=meta, logits=logits.tolist(), odds=odds, poses=json.dumps(poses_to_json(CLIPS))))
    )
    code = """
const { meta, logits, odds, poses } = JSON.parse(readFileSync(given[0], 'utf8'));
const answers = [];
for (const [place, clip] of signs.readPoses(poses).entries()) {
  const run = async () => ({ logits: { data: logits[place] }, known_odds: { data: [odds[place]] } });
  answers.push(await new signs.Recogniser({ Tensor: class {} }, { run }, meta).predict(clip));
}
console.log(JSON.stringify(answers));
"""
    answers, backend = node(code, tmp_path / 'given.json'), Backend()
    backend.glosses = GLOSSES
    for place, (clip, found) in enumerate(zip(CLIPS, answers)):
        scores = np.exp(logits[place] - logits[place].max())
        row = dict(scores=scores / scores.sum(), known_odds=odds[place])
        row = withhold(clip, rejection.apply(row))
        best = backend.best(row['scores'])
        assert found['glosses'] == best['glosses']
        assert np.allclose(found['best'], best['scores'], rtol=0, atol=1e-6)
        assert np.allclose(found['scores'], row['guesses'], rtol=0, atol=1e-6)
        assert found['guesses'] == (backend.best(row['guesses'])['glosses'] if row['reason'] else [])
        # The page words a clip without a hand in its own way.
        assert found['reason'] == row['reason'] or clip.no_answer
        assert found['unknown'] == pytest.approx(row['unknown'], abs=1e-6)
    assert {bool(answer['glosses']) for answer in answers[:4]} == {True, False}


class _Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, '.mjs': 'text/javascript'}

    def log_message(self, *words):
        pass


@pytest.fixture
def page(root, tmp_path):
    """``page(model, clips)``: what the page answers, and the browser's tab."""
    sync = pytest.importorskip('playwright.sync_api', reason='pip install playwright')
    runtime = Path(os.environ.get('SIGNBERT_MM_ORT_WEB', ''))
    if CHROMIUM is None:
        pytest.skip('no Chromium (apt-get install chromium)')
    if not os.environ.get('SIGNBERT_MM_ORT_WEB'):
        pytest.skip('no onnxruntime-web: SIGNBERT_MM_ORT_WEB is not set')
    folder = tmp_path / 'page'
    shutil.copytree(root / 'demo' / 'browser', folder)
    (folder / 'ort').mkdir()
    for name in FILES:
        os.symlink(runtime.resolve() / name, folder / 'ort' / name)
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f'http://127.0.0.1:{server.server_address[1]}/'
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=['--no-sandbox'])
        tab = browser.new_page()
        tab.set_default_timeout(WAIT)
        tab.asked, tab.failed = [], []
        tab.on('request', lambda request: tab.asked.append(request.url))
        tab.on('pageerror', lambda error: tab.failed.append(str(error)))
        tab.goto(address)

        def show(model, content):
            path = tmp_path / 'poses.json'
            path.write_text(json.dumps(content))
            tab.set_input_files('#model', str(model))
            tab.wait_for_selector(
                '#status[data-state=ready], #status[data-state=done], #status[data-state=error]'
            )
            tab.set_input_files('#poses', str(path))
            tab.wait_for_selector('#status[data-state=done], #status[data-state=error]')
            return tab.evaluate('window.signs.answers'), tab

        yield show, address
        browser.close()
    server.shutdown()


def check(answers, inferencer, clips):
    close = CLOSE[inferencer.backend.precision]
    # One at a time, as the page does: in int8 the steps follow from the whole batch.
    expected = inferencer(clips, batch_size=1)['predictions']
    assert len(answers) == len(expected) > 0
    for found, right in zip(answers, expected):
        assert found['name'] == right['name'] and bool(found['reason']) == bool(right['reason'])
        assert np.allclose(found['scores'], right['all_scores'], rtol=0, atol=close)
        assert found['frames'] == right['frames'].tolist()
        assert found['glosses'] == right['glosses'] or close > 1e-4


@pytest.mark.parametrize('rejection', [None, Rejection('max_probability', 2.0, 0.6, 0.05)._asdict()])
def test_the_page_answers_as_python_does(page, tmp_path, rejection):
    pytest.importorskip('onnxruntime', reason='onnxruntime is not installed')
    show, address = page
    model = write_toy(tmp_path / 'toy.onnx', rejection=rejection)
    answers, tab = show(model, poses_to_json(CLIPS))
    check(answers, SignInferencer(model), CLIPS)
    assert tab.locator('#answers tr').count() == len(CLIPS)
    assert 'no hand was found' in tab.inner_text('#answers tr:nth-of-type(5)')
    assert tab.inner_text('#model-facts').startswith('4 signs, fp32')
    assert not tab.failed and not [
        url for url in tab.asked if not url.startswith((address, 'blob:', 'data:'))
    ]
    (tmp_path / 'bad.onnx').write_text('no model at all')
    tab.set_input_files('#model', str(tmp_path / 'bad.onnx'))
    tab.wait_for_selector('#status[data-state=error]')
    assert tab.inner_text('#status').startswith('bad.onnx: ')


@pytest.fixture(scope='module')
def graph(house, tmp_path_factory):
    """The narrow recogniser, exported."""
    for name in ('onnx', 'onnxruntime', 'onnxscript'):
        pytest.importorskip(name, reason=f'{name} is not installed')
    from signbert_mm.apis import init_model
    from signbert_mm.apis.export import export_onnx

    return export_onnx(init_model(*house['recogniser']), tmp_path_factory.mktemp('graph') / 'narrow.onnx')


@pytest.mark.parametrize('precision', ['fp32', 'int8', 'fp16'])
def test_an_exported_recogniser(page, graph, store, tmp_path, precision):
    from signbert_mm.apis.input import InputReader
    from signbert_mm.apis.precision import convert

    path = tmp_path / 'narrow.onnx'
    (graph if precision == 'fp32' else convert(graph, precision)).save(path)
    clips = list(InputReader().clips(store))
    answers, tab = page[0](path, poses_to_json(clips))
    assert not tab.failed
    check(answers, SignInferencer(path), clips)
