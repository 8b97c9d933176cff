import importlib.util

import numpy as np
import pytest
import torch
from fake_extractors import FakeDetector
from mmengine.config import Config
from mmengine.registry import DefaultScope

from signbert_mm import compat
from signbert_mm.extraction import MMPoseExtractor, build_detector, extract_stream
from signbert_mm.extraction.wheel_configs import find_config
from signbert_mm.files.checkpoints import CheckpointError

pytest.importorskip('mmpose', reason='mmpose is not installed: make install')
RTMPOSE = 'rtmpose-t_8xb64-270e_coco-ubody-wholebody-256x192'
RNG = np.random.RandomState(0)
IMAGES = [RNG.randint(0, 256, (120, 160, 3), dtype=np.uint8) for _ in range(5)]


@pytest.fixture(scope='module')
def extractor():
    return MMPoseExtractor(RTMPOSE, 'random', device='cpu', batch_size=2, flip_test=False)


def test_poses_of_whole_frames_in_batches(extractor):
    poses = np.stack(list(extract_stream(IMAGES, extractor)))
    assert poses.shape == (5, 133, 3) and (poses[..., 2] > 0).any() and poses[..., 2].max() <= 1
    # the padded box
    assert np.ptp(poses[0, :, 0]) > 0 and (np.abs(poses[..., :2] - (80, 60)) <= (160, 160)).all()
    alone = list(extract_stream(IMAGES[4:], extractor))
    np.testing.assert_allclose(alone[0], poses[4], atol=1e-2)


def test_the_frame_is_read_as_rgb_and_found_again_in_pixels(extractor):
    """Against MMPose's own call, which takes BGR."""
    from mmpose.apis import inference_topdown, init_model

    cfg = compat.patch_rtmpose_config(Config.fromfile(find_config(RTMPOSE, 'mmpose')))
    cfg.model.test_cfg.flip_test = False
    model = init_model(cfg, None, 'cpu')
    model.load_state_dict(extractor._model.state_dict())
    with DefaultScope.overwrite_default_scope('mmpose'):
        result = inference_topdown(model, IMAGES[0][:, :, ::-1].copy())[0].pred_instances
    (pose,) = extract_stream(IMAGES[:1], extractor)
    np.testing.assert_allclose(pose[:, :2], result.keypoints[0], atol=1e-3)


def test_one_of_two_people_is_followed(extractor):
    tracked = MMPoseExtractor(RTMPOSE, 'random', device='cpu', flip_test=False, detector=FakeDetector())
    boxes = []
    tracked._pipeline = lambda data, pipeline=tracked._pipeline: (
        boxes.append(data['bbox'][0].tolist()) or pipeline(data)
    )
    poses = list(extract_stream(IMAGES, tracked))
    assert len(poses) == 5 and len({box[0] for box in boxes}) == 1  # never the other one
    assert tracked.describe()['boxes'] == 'detector' and tracked.fingerprint != extractor.fingerprint
    nobody = MMPoseExtractor(
        RTMPOSE, 'random', device='cpu', flip_test=False, detector=lambda image: np.zeros((0, 5))
    )
    assert (np.stack(list(extract_stream(IMAGES[:2], nobody))) == 0).all()


def test_the_box_of_the_frame_before(extractor):
    following = MMPoseExtractor(RTMPOSE, 'random', device='cpu', flip_test=False, boxes='previous')
    assert following.batch_size == 1
    first, second = extract_stream(IMAGES[:2], following)
    # begins with the whole frame
    np.testing.assert_allclose(first, next(extract_stream(IMAGES[:1], extractor)), atol=1e-2)
    sure = first[first[:, 2] > 0.3, :2]
    assert len(sure) < 5 or following._last is not None
    np.testing.assert_array_equal(next(extract_stream(IMAGES[:1], following)), first)  # and begins anew


def test_a_checkpoint_is_read_and_belongs_to_the_fingerprint(extractor, tmp_path):
    weights = {
        key: value + 0.01 if value.is_floating_point() else value
        for key, value in extractor._model.state_dict().items()
    }
    torch.save(
        dict(state_dict={f'module.{key}': value for key, value in weights.items()}, meta={}),
        tmp_path / 'a.pth',
    )
    loaded = MMPoseExtractor(RTMPOSE, str(tmp_path / 'a.pth'), device='cpu', flip_test=False, batch_size=2)
    assert all((loaded._model.state_dict()[key] == value).all() for key, value in weights.items())
    assert loaded.fingerprint != extractor.fingerprint
    weights.pop('head.mlp.1.weight')
    torch.save(dict(state_dict=weights), tmp_path / 'b.pth')
    with pytest.raises(CheckpointError, match=r'b.pth: has no head.mlp.1.weight \(1 weights missing\)'):
        MMPoseExtractor(RTMPOSE, str(tmp_path / 'b.pth'), device='cpu')
    with pytest.raises(FileNotFoundError, match='absent.pth does not exist'):
        MMPoseExtractor(RTMPOSE, str(tmp_path / 'absent.pth'), device='cpu')


def test_configs_by_name():
    with pytest.raises(
        FileNotFoundError,
        match="several configs of mmpose have 'rtmpose-m'.*rtmpose-m_8xb64-270e_coco-wholebody-256x192",
    ):
        MMPoseExtractor('rtmpose-m', 'random')
    with pytest.raises(FileNotFoundError, match="is called 'rtmpose-9'; choose one of: .*rtmpose-"):
        MMPoseExtractor('rtmpose-9', 'random')
    with pytest.raises(ValueError, match='a DWPoseDistiller of None joints'):
        MMPoseExtractor('dwpose_l-ll_coco-384x288', 'random')
    with pytest.raises(ValueError, match="boxes is 'best'"):
        MMPoseExtractor(RTMPOSE, 'random', boxes='best')


def test_detectors(tmp_path):
    assert (
        build_detector(dict(type='fake_extractors.FakeDetector', gap=3)).gap == 3
        and build_detector(None) is None
    )
    with pytest.raises(TypeError, match='give dict'):
        build_detector('rtmdet')
    (tmp_path / 'a.pth').touch()
    if importlib.util.find_spec('mmcv._ext') is None or compat.mmcv_ops_are_stubs():
        with pytest.raises(ModuleNotFoundError, match='mmcv here is mmcv-lite: .*full mmcv'):
            build_detector(dict(config='rtmdet_m_8xb32-300e_coco', checkpoint=str(tmp_path / 'a.pth')))
