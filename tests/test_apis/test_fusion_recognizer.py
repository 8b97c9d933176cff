"""FusionRecognizer and models that read frames, online against files of scores fused offline."""

import runpy
import sys

import numpy as np
import pytest
import torch
from api_toys import GLOSSES, ColourExtractor, poses
from mmengine.config import Config

from signbert_mm.apis import FusionRecognizer, SignInferencer, init_model
from signbert_mm.datasets import PoseStore
from signbert_mm.errors import ConfigError
from signbert_mm.evaluation import load_predictions
from signbert_mm.evaluation.fusion import align, clip_scores, fused
from signbert_mm.registry import MODELS

PARTS = {
    'p': """
_base_ = '{recogniser}'
_skeleton = [dict(type='SkeletonInput', layout='sign_49')]
model = dict(
    _delete_=True, type='MMActionRecognizer', layout='sign_49',
    data_preprocessor=dict(type='SignDataPreprocessor', train_pipeline=_skeleton, test_pipeline=_skeleton),
    model=dict(
        type='RecognizerGCN',
        backbone=dict(type='STGCN', base_channels=8, num_stages=2, inflate_stages=[2], down_stages=[2],
            graph_cfg=dict(mode='stgcn_spatial')),
        cls_head=dict(type='GCNHead', num_classes=4, in_channels=16),
    ),
)
test_dataloader = dict(dataset=dict(drop_empty_frames=False))
""",
    'r': """
_base_ = '{recogniser}'
_normalize = [dict(type='NormalizeImages')]
model = dict(
    _delete_=True, type='MMActionRecognizer', input_key='imgs',
    data_preprocessor=dict(type='SignDataPreprocessor', train_pipeline=_normalize, test_pipeline=_normalize),
    model=dict(
        type='Recognizer3D',
        backbone=dict(
            type='ResNet3d', depth=18, base_channels=4, conv1_stride_s=1,
            with_pool1=False, with_pool2=False, pretrained=None, norm_eval=False,
            inflate=(1, 1, 1, 1), inflate_style='3x3x3', zero_init_residual=False,
            conv_cfg=dict(type='Conv3d'),
        ),
        cls_head=dict(
            type='I3DHead', num_classes=4, in_channels=32, spatial_type='avg', average_clips='prob',
        ),
    ),
)
test_dataloader = dict(
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        _delete_=True, type='SignVideoDataset', store='{store}', videos='{videos}', split='test',
        test_mode=True,
        pipeline=[
            dict(type='PyAVInit'),
            dict(type='SampleFrames', clip_len=4, frame_interval=1, num_clips=1, test_mode=True),
            dict(type='PyAVDecode'),
            dict(type='Resize', scale=(16, 16), keep_ratio=False),
            dict(type='FormatShape', input_format='NCTHW'),
        ],
    ),
)
""",
}


@pytest.fixture(scope='module')
def parts(house, tmp_path_factory):
    """(config, checkpoint) of ``h``, ``p`` and ``r``, and ``videos``: of each clip as many frames as it has
    poses, brighter from clip to clip.
    """
    pytest.importorskip('mmaction', reason='mmaction2 is not installed')
    av = pytest.importorskip('av', reason='PyAV is not installed')
    folder = tmp_path_factory.mktemp('parts')
    videos = folder / 'videos'
    videos.mkdir()
    store = PoseStore(house['store'])
    for clip in range(9):
        with av.open(str(videos / f'v{clip}.mp4'), 'w') as container:
            stream = container.add_stream('mpeg4', rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
            for frame in range(store.length[clip]):
                image = np.zeros((48, 64, 3), np.uint8)
                image[:, : 8 + 6 * (frame % 8)] = 25 * clip + frame
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format='rgb24')))
            container.mux(stream.encode())
    made = dict(h=house['recogniser'], videos=str(videos))
    for name, text in PARTS.items():
        config = folder / f'{name}.py'
        config.write_text(text.format(recogniser=house['recogniser'][0], store=house['store'], videos=videos))
        torch.manual_seed(2)
        model = MODELS.build(Config.fromfile(config).model)
        for parameter in model.parameters():
            parameter.data += 0.2 * torch.randn_like(parameter)
        torch.save(dict(meta=dict(glosses=GLOSSES), state_dict=model.state_dict()), folder / f'{name}.pth')
        made[name] = (str(config), str(folder / f'{name}.pth'))
    return made


@pytest.fixture(scope='module')
def dumps(parts, tmp_path_factory, root):
    """What tools/test.py says of each part, by name."""
    folder = tmp_path_factory.mktemp('dumps')
    for name in 'hpr':
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            out = ['--dump', f'{name}.pkl', '--cfg-options', f'experiment_name=fusion_{name}']
            patch.setattr(sys, 'argv', ['test.py', *parts[name], *out])
            runpy.run_path(str(root / 'tools' / 'test.py'), run_name='__main__')
    return {name: clip_scores(name, load_predictions(folder / f'{name}.pkl')) for name in 'hpr'}


def config_of(parts, names, weights=None):
    rows = [dict(name=name, config=parts[name][0], checkpoint=parts[name][1]) for name in names]
    return Config(
        dict(
            model=dict(
                type='FusionRecognizer',
                parts=[dict(row, weight=w) for row, w in zip(rows, weights or [1] * len(rows))],
            )
        )
    )


def scores_of(inferencer, *inputs, **options):
    found = inferencer(*inputs, **options)['predictions']
    return [item['name'] for item in found], np.stack([item['all_scores'] for item in found])


@pytest.mark.parametrize('names, weights', [('hp', None), ('hr', (3, 1)), ('hpr', None)])
def test_online_is_what_fuse_scores_gives_offline(parts, dumps, house, names, weights):
    aligned, missing = align([dumps[name] for name in names])
    assert not any(missing.values())
    expected = fused(aligned, weights)
    assert np.ptp(expected, axis=0).max() > 0.02  # the clips differ
    inferencer = SignInferencer(config_of(parts, names, weights), device='cpu')
    clips, scores = scores_of(inferencer, house['store'], split='test', batch_size=4, videos=parts['videos'])
    assert clips == aligned[0].video_ids
    hands = np.array([name not in ('v3', 'v8') for name in clips])  # without a hand there is no answer
    np.testing.assert_allclose(scores, expected * hands[:, None], atol=1e-6)
    assert inferencer.glosses == GLOSSES


def test_a_list_of_configs_is_a_fusion_and_arrays_do_without_videos(parts, dumps, house):
    configs, checkpoints = zip(parts['h'], parts['p'])
    inferencer = SignInferencer(list(configs), list(checkpoints), device='cpu')
    keypoints, found = PoseStore(house['store']).clip(5)
    (answer,) = inferencer(
        np.concatenate([keypoints, found[..., None]], -1), layout='sign_49', image_size=(640, 480)
    )['predictions']
    expected = (dumps['h'].scores[5] + dumps['p'].scores[5]) / 2
    np.testing.assert_allclose(answer['all_scores'], expected, atol=1e-6)
    assert answer['attention'].shape == (6, 2) and len(answer['frames']) == 6  # those of H
    assert (
        inferencer.picture(list(inferencer.reader.clips(PoseStore(house['store'])))[5], answer).shape[-1] == 3
    )


def test_rgb_alone_reads_the_video_that_was_given(parts, dumps):
    inferencer = SignInferencer(*parts['r'], device='cpu', extractor=ColourExtractor())
    (answer,) = inferencer(f'{parts["videos"]}/v7.mp4')['predictions']
    np.testing.assert_allclose(
        answer['all_scores'], dumps['r'].scores[dumps['r'].video_ids.index('v7')], atol=1e-6
    )
    assert answer['attention'] is None


def test_windows_of_a_file_read_their_own_frames(parts, monkeypatch):
    from signbert_mm.apis import torch_backends as backends

    seen = []
    read = backends.read_video

    def spy(path, steps, number, label, span):
        imgs = read(path, steps, number, label, span)
        seen.append((span, float(imgs[0, :, :, :, :2].float().mean())))  # the part that is always bright
        return imgs

    monkeypatch.setattr(backends, 'read_video', spy)
    inferencer = SignInferencer(*parts['r'], device='cpu', extractor=ColourExtractor())
    found = inferencer.segments(f'{parts["videos"]}/v7.mp4', window=0.4, stride=0.4)[0]
    spans, levels = zip(*seen)
    # 25 frames; the last window ends with them
    assert spans == ((0, 10, 25), (10, 10, 25), (15, 10, 25)) and len(found['windows']) == 3
    # frames become brighter by 1; four of ten about the middle are read
    for (start, length, _), level in zip(spans, levels):
        assert abs(level - (175 + start + length / 2)) < 3
    with pytest.raises(ValueError, match=r'a stream has poses alone; use segments\(\)'):
        next(inferencer.stream(f'{parts["videos"]}/v7.mp4'))


def test_poses_without_frames_for_a_part_that_needs_them(parts, house):
    inferencer = SignInferencer(config_of(parts, 'hr'), device='cpu')
    with pytest.raises(
        ValueError, match="r: clip 'one': this model reads frames, and there are poses alone. Give the video"
    ):
        inferencer(poses(5, 0), layout='sign_49', image_size=(640, 480), name='one')
    with pytest.raises(FileNotFoundError, match="no video of clip 'v0', looked for as <video_id>"):
        inferencer(house['store'], videos=house['store'])


def test_label_maps_must_be_equal(parts, tmp_path):
    content = torch.load(parts['p'][1], weights_only=True)

    def with_glosses(glosses):
        torch.save(dict(content, meta=dict(glosses=glosses)), tmp_path / 'other.pth')
        return SignInferencer(
            [parts['h'][0], parts['p'][0]], [parts['h'][1], tmp_path / 'other.pth'], device='cpu'
        )

    with pytest.raises(
        ValueError,
        match=r"class 0 is 'water' in p and 'hello' in recogniser \(2 of 4 "
        r'differ\): the label maps differ',
    ):
        with_glosses(['water', 'hello', 'tea', 'no'])
    with pytest.raises(ValueError, match='p knows 3 glosses and recogniser 4: the label maps differ'):
        with_glosses(GLOSSES[:3])
    assert with_glosses([]).glosses == GLOSSES  # a checkpoint without names: class counts alone are compared
    cfg = Config.fromfile(parts['p'][0])
    cfg.model.model.cls_head.num_classes = 5
    state = dict(content['state_dict'])
    state.update({key: torch.cat([value, value[:1]]) for key, value in state.items() if 'cls_head' in key})
    torch.save(dict(state_dict=state, meta={}), tmp_path / 'five.pth')
    odd = SignInferencer([parts['h'][0], cfg], [parts['h'][1], tmp_path / 'five.pth'], device='cpu')
    with pytest.raises(ValueError, match="other label maps: {'recogniser': 4, 'p': 5} classes"):
        odd(poses(5, 0), layout='sign_49', image_size=(640, 480))


def test_bad_fusions(parts, house):
    one, two = parts['h'][0], parts['p'][0]
    checkpoint = parts['h'][1]
    for arguments, message in (
        (([one], [checkpoint]), '1 parts given; two or more'),
        (([one, two], checkpoint), 'a fusion of 2 parts takes a list of 2 checkpoints'),
        (([one, two], [checkpoint]), 'takes a list of 2 checkpoints, in the order of the parts; got 1'),
        (([one, two], None), r'part 0 \(recogniser\) has no checkpoint'),
        (
            ([one, house['pretrainer'][0]], [checkpoint, house['pretrainer'][1]]),
            'pretrainer: a pre-trainer, which knows no glosses',
        ),
    ):
        with pytest.raises(ConfigError, match=message):
            SignInferencer(*arguments, device='cpu')
    with pytest.raises(ConfigError, match='part 0 must have `config` and may have'):
        FusionRecognizer([dict(checkpoint='x', wieght=2), dict(config=two)])
    with pytest.raises(ValueError, match='2 parts need as many weights, none below 0'):
        SignInferencer(config_of(parts, 'hp', (1, -1)), device='cpu')
    with pytest.raises(ConfigError, match='several models, each with'):
        init_model(config_of(parts, 'hp'))
    fusion = MODELS.build(config_of(parts, 'hp').model)
    assert SignInferencer(fusion).backend is fusion
