"""The adapter, on a module that stands for rtmlib."""

import sys
import types

import numpy as np
import pytest
from fake_extractors import FakeDetector

from signbert_mm.extraction import build_extractor, extract_stream

IMAGES = [np.full((50, 100, 3), (10, 20, 30), dtype=np.uint8)] * 4


@pytest.fixture
def rtmlib(monkeypatch):
    """Gives joints at the corner of each box it is asked about, in the image's first channel as score *
    100.
    """
    module = types.ModuleType('rtmlib')
    module.__version__ = '0.0.test'
    module.calls = []

    class Wholebody:
        def __init__(self, **arguments):
            module.arguments = arguments
            detector = FakeDetector()
            self.det_model = lambda image: detector(image)[:, :4]

        def pose_model(self, image, bboxes):
            module.calls.append(bboxes)
            corner = np.asarray(bboxes, dtype=float)[:, None, :2]
            return np.repeat(corner, 133, axis=1), np.full((len(bboxes), 133), image[0, 0, 0] / 100)

    module.Wholebody = Wholebody
    monkeypatch.setitem(sys.modules, 'rtmlib', module)
    return module


def test_the_largest_person_is_followed_and_only_that_one_is_sought(rtmlib):
    extractor = build_extractor(dict(type='rtmlib', mode='lightweight', models=dict(det='det.onnx')))
    poses = np.stack(list(extract_stream(IMAGES, extractor)))
    assert poses.shape == (4, 133, 3) and all(len(boxes) == 1 for boxes in rtmlib.calls)
    # the boxes' sizes change places from frame to frame
    assert len({tuple(pose[0, :2]) for pose in poses}) == 1
    np.testing.assert_allclose(poses[..., 2], 0.3)  # BGR: the red of the frame came last
    assert rtmlib.arguments == dict(
        mode='lightweight', backend='onnxruntime', device='cpu', to_openpose=False, det='det.onnx'
    )
    assert extractor.version == '0.0.test' and extractor.describe()['models'] == dict(det='det.onnx')


def test_nobody_is_all_missing(rtmlib):
    extractor = build_extractor('rtmlib')
    extractor._wholebody.det_model = lambda image: np.zeros((0, 4))
    assert (np.stack(list(extract_stream(IMAGES, extractor))) == 0).all() and not rtmlib.calls


def test_without_rtmlib_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'rtmlib', None)
    with pytest.raises(ModuleNotFoundError, match='no package rtmlib: pip install rtmlib onnxruntime'):
        build_extractor('rtmlib')
