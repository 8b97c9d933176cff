"""One inferencer of an exported model, asked by several threads at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from api_toys import SCORES, poses
from toy_graph import write_toy

from signbert_mm.apis import SignInferencer

pytest.importorskip(
    'onnxruntime', reason='onnxruntime is not installed: pip install -r requirements/deploy.txt'
)

THREADS = 4


def test_threads_get_their_own_clips_answers(tmp_path):
    inferencer = SignInferencer(write_toy(tmp_path / 'toy.onnx'), threads=1)
    clips = [poses(5 + seed, seed, joints=42) for seed in range(40)]
    start = Barrier(THREADS)

    def answer(data):
        return inferencer(data, layout='hands_42', image_size=(640, 480))['predictions'][0]

    def share(thread):
        start.wait(timeout=60)
        return [(place, answer(clips[place])) for place in range(thread, len(clips), THREADS)]

    expected = [answer(data) for data in clips]
    with ThreadPoolExecutor(THREADS) as pool:
        answers = [row for rows in pool.map(share, range(THREADS)) for row in rows]
    assert len(answers) == len(clips)
    # Clips differ, so an answer of another thread would show.
    assert len({tuple(row['all_scores']) for row in expected}) > THREADS
    for place, found in answers:
        assert found['glosses'] == expected[place]['glosses'], place
        assert np.allclose(found['all_scores'], expected[place]['all_scores'], rtol=0, atol=SCORES)
        assert np.array_equal(found['frames'], expected[place]['frames'])
