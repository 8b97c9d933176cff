"""One inferencer, many threads: no extractor serves two streams at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from api_toys import ColourExtractor

from signbert_mm.apis import SignInferencer
from signbert_mm.apis import extractor_pool as pool_module
from signbert_mm.apis.extractor_pool import ExtractorPool
from signbert_mm.apis.input import InputReader
from signbert_mm.registry import EXTRACTORS

LEVELS = (40, 90, 140, 190, 240)


class Remembers(ColourExtractor):
    """Each pose depends on all frames since the reset; it notices when two streams are mixed."""

    name = 'remembers'
    made = []

    def __init__(self):
        self.made.append(self)
        self.reset()

    def reset(self):
        self.level = None

    def predict(self, items):
        level = int(round(float(items[0].mean()), -1))
        assert self.level in (None, level), 'two streams are mixed'
        self.level = level
        return super().predict(items)


@pytest.fixture
def remembers(monkeypatch):
    EXTRACTORS.import_from_location()
    monkeypatch.setitem(EXTRACTORS.module_dict, 'remembers', Remembers)
    monkeypatch.setattr(Remembers, 'made', [])
    return Remembers


@pytest.fixture
def videos(make_video, tmp_path):
    return [make_video(tmp_path / f'{level}.mp4', [level] * 12) for level in LEVELS]


@pytest.mark.parametrize('as_object', [False, True])
def test_threads_get_what_one_gets(house, remembers, videos, as_object):
    inferencer = SignInferencer(
        *house['recogniser'], device='cpu', extractor=remembers() if as_object else 'remembers'
    )
    alone = [inferencer(video)['predictions'][0] for video in videos]
    assert len(remembers.made) == 1
    with ThreadPoolExecutor(5) as threads:
        found = list(threads.map(lambda video: inferencer(video)['predictions'][0], videos * 4))
    for here, expected in zip(found, alone * 4):
        assert here['name'] == expected['name'] and np.array_equal(here['all_scores'], expected['all_scores'])
    assert len(remembers.made) == 1 if as_object else 1 <= len(remembers.made) <= 5


def test_streams_of_one_thread_do_not_mix(house, remembers, videos):
    inferencer = SignInferencer(*house['recogniser'], device='cpu', extractor='remembers')
    first, second = (inferencer.stream(video, window=0.3, stride=0.1) for video in videos[:2])
    pairs = list(zip(first, second))
    assert len(pairs) > 5 and len(remembers.made) == 2
    inferencer(videos[2])
    assert len(remembers.made) == 2  # one of them was free again


def test_an_object_serves_one_stream_at_a_time(remembers, videos, monkeypatch):
    reader = InputReader(remembers())
    poses = reader.poses(reader.open(videos[0]))
    next(poses)
    with pytest.raises(RuntimeError, match='at work on another stream of this thread'):
        reader.extract(videos[1])
    said = []
    monkeypatch.setattr(pool_module, 'PATIENCE', 0.05)
    waiting = threading.Event()
    monkeypatch.setattr(pool_module, 'print_log', lambda text, *_: (said.append(text), waiting.set()))
    with ThreadPoolExecutor(1) as threads:
        clip = threads.submit(reader.extract, videos[1])
        assert waiting.wait(10) and not clip.done()
        poses.close()
        assert len(clip.result(timeout=30)) == 12
    assert 'waiting for the extractor' in said[0]
    assert len(reader.extract(videos[0])) == 12


def test_an_error_gives_the_extractor_back(remembers):
    for source in (remembers(), 'remembers'):
        pool = ExtractorPool(source)
        for _ in range(2):
            with pytest.raises(ZeroDivisionError), pool.lend() as extractor:
                assert extractor is pool.first
                1 / 0  # noqa: B018


def test_mediapipe_in_threads(house, make_video, tmp_path, capfd):
    pytest.importorskip(
        'mediapipe.python.solutions', reason='MediaPipe is not installed (make install-extract)'
    )
    inferencer = SignInferencer(
        *house['recogniser'], device='cpu', extractor=dict(type='mediapipe', face=False)
    )
    video = make_video(tmp_path / 'grey.mp4', [90] * 4)
    with ThreadPoolExecutor(2) as threads:
        for (found,) in threads.map(lambda _: inferencer(video)['predictions'], range(4)):
            assert found['num_frames'] == 4 and 'no person was found' in found['reason']
    import sys

    print('still here', file=sys.stderr)
    # stderr, which MediaPipe's start holds back, was given back
    assert 'still here' in capfd.readouterr().err
