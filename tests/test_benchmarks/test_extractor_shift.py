import numpy as np
import pytest
from source_files import load_file

from signbert_mm.datasets import PoseStore, PoseStoreWriter
from signbert_mm.layouts import get_layout

benchmark = load_file('benchmarks/extractor_shift.py')
LAYOUT = get_layout('coco_wholebody_133')
ROOT = LAYOUT.parts['left_hand'][0]


def poses(frames, hand_from=0, x=50.0):
    clip = np.zeros((frames, 133, 3), np.float32)
    clip[:, 0] = x, 50, 1
    clip[hand_from:, ROOT] = x, 60, 1
    return clip


def test_pieces_show_hands_in_both_stores():
    first, second = dict(a=poses(10), b=poses(4)), dict(a=poses(10, hand_from=3), b=poses(4))
    assert benchmark.cut([first, second], 4) == [('a', 4), ('b', 0)]
    assert benchmark.cut([first, first], 4) == [('a', 0), ('a', 4), ('b', 0)]


def test_recall_and_cosines():
    examples = np.eye(3)
    found = benchmark.compare(examples, examples[[0, 2, 2]])
    assert found == dict(recall=pytest.approx(2 / 3), own=pytest.approx(2 / 3), others=pytest.approx(1 / 6))


def test_stores_of_other_videos_are_refused():
    with pytest.raises(ValueError, match='do not hold the same videos: a, c'):
        benchmark.check_same(dict(a=poses(3), b=poses(3)), dict(a=poses(4), b=poses(3), c=poses(2)))


def test_a_model_that_sees_the_place_recognises_pieces_until_the_other_extractor_moves_them(tmp_path):
    """The toy's vector is the place of the hand, which the second extractor puts elsewhere."""
    stores, clips = [], []
    for name, places in (('a', (10.0, 50.0, 90.0)), ('b', (50.0, 90.0, 10.0))):
        with PoseStoreWriter(tmp_path / name, LAYOUT, ['x']) as writer:
            for index, x in enumerate(places):
                writer.add(poses(4, x=x), 0, 'all', f'v{index}', width=100, height=100)
        store, read = benchmark.read(str(tmp_path / name))
        assert isinstance(store, PoseStore) and (read['v1'][..., 0].max() == places[1])
        stores.append(store)
        clips.append(read)

    def embedder(pieces):
        angle = np.asarray([piece.keypoints[0, ROOT, 0] for piece in pieces]) / 100
        assert all(len(piece.keypoints) == 2 for piece in pieces)
        return np.stack([np.cos(angle), np.sin(angle)], axis=-1)

    found = benchmark.shift(stores, clips, 4, embedder)
    assert found['pieces'] == 3
    recall = {name: values['recall'] for name, values in found.items() if name != 'pieces'}
    assert recall == {'train A, test A': 1, 'train A, test B': 0, 'train B, test A': 0, 'train B, test B': 1}
    with pytest.raises(ValueError, match='0 pieces of 8 frames show hands; two are needed'):
        benchmark.shift(stores, clips, 8, embedder)
