"""A small store, a narrow recogniser and a narrow pre-trainer over it, and an extractor that needs no
package.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from signbert_mm.apis import SignInferencer, zoo
from signbert_mm.apis import model as models
from signbert_mm.datasets import PoseStore, PoseStoreWriter
from signbert_mm.files.checkpoints import load_checkpoint_file
from signbert_mm.registry import MODELS

sys.path.insert(0, str(Path(__file__).resolve().parent))
from api_toys import GLOSSES, ColourExtractor, poses
from source_files import load_file

CONFIG = """
_base_ = ['{configs}/models/signbert_{kind}.py', '{configs}/schedules/signbert_60e.py',
    '{configs}/default_runtime.py']
_crop = [dict(type='HandCrop', layout='sign_49', location='shoulders'), dict(type='MirrorLeftHand')]
model = dict(
    embedder=dict(
        gesture=dict(joint_channels=(4, 8), part_channels=(8, 16)), location=True, motion=True, max_frames=40
    ),
    backbone=dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=24, conv_kernel=3),
    data_preprocessor=dict(train_pipeline=_crop + {last}, test_pipeline=_crop + {last}),
    {head},
)
_data = dict(
    batch_size=4, num_workers=0, collate_fn=dict(type='collate_poses'), sampler=dict(type='DefaultSampler',
        shuffle=False),
    dataset=dict(type='PoseDataset', store='{store}', split='{split}',
        pipeline=[dict(type='UniformTemporalSample', clip_len=6{mode})], {test}),
)
{loader}_dataloader = _data
"""
TESTED = """
test_evaluator = dict(type='SignAccuracy')
test_cfg = dict(type='TestLoop')
val_cfg = None
train_cfg = None
optim_wrapper = None
param_scheduler = None
log_level = 'WARNING'
"""


@pytest.fixture(scope='session')
def house(tmp_path_factory, root):
    """``store``, ``recogniser`` and ``pretrainer``: (config path, checkpoint path)."""
    folder = tmp_path_factory.mktemp('house')
    with PoseStoreWriter(folder / 'store', 'sign_49', GLOSSES) as writer:
        for index in range(12):
            data = poses(4 + 3 * index, index, hands=index not in (3, 8))
            writer.add(
                data, index % 4, 'test' if index < 9 else 'train', f'v{index}', width=640, height=480, fps=25
            )
        writer.close()
    kinds = dict(
        recogniser=dict(
            kind='recognizer',
            last="[dict(type='ZeroMissing')]",
            head='head=dict(in_channels=16, num_classes=4)',
            split='test',
            mode=', test_mode=True',
            test='test_mode=True',
            loader='test',
        ),
        pretrainer=dict(
            kind='pretrain',
            last="[dict(type='MaskHandTokens'), dict(type='ZeroMissing')]",
            head='decoder=dict(in_channels=16, init_std=0.05)',
            split='train',
            mode='',
            test='',
            loader='train',
        ),
    )
    made = dict(store=str(folder / 'store'), folder=folder)
    for name, facts in kinds.items():
        config = folder / f'{name}.py'
        config.write_text(
            CONFIG.format(configs=root / 'configs' / '_base_', store=made['store'], **facts)
            + TESTED * (name == 'recogniser')
        )
        torch.manual_seed(1)
        model = MODELS.build(Config.fromfile(config).model)
        # far from the small first weights, so that scores differ between clips
        for parameter in model.parameters():
            parameter.data += 0.3 * torch.randn_like(parameter)
        checkpoint = folder / f'{name}.pth'
        meta = dict(
            glosses=GLOSSES, layout='sign_49', cfg='x = 1', epoch=3, time='now', progress=dict(batches_done=0)
        )
        torch.save(
            dict(
                meta=meta,
                state_dict=model.state_dict(),
                optimizer=dict(state={}),
                message_hub=dict(log_scalars={}),
            ),
            checkpoint,
        )
        made[name] = (str(config), str(checkpoint))
    return made


@pytest.fixture(scope='session')
def store(house):
    """The store."""
    return PoseStore(house['store'])


@pytest.fixture(scope='session')
def inferencer(house):
    """The recogniser, with the pre-trainer beside it."""
    config, checkpoint = house['pretrainer']
    return SignInferencer(
        *house['recogniser'],
        device='cpu',
        extractor=ColourExtractor(),
        pretrained=config,
        pretrained_weights=checkpoint,
    )


@pytest.fixture
def make_video():
    """``make_video(path, levels, fps=10)``: a video of even grey frames.

    ``places`` are their times, in frames; None = one after the other.
    """
    av = pytest.importorskip('av', reason='PyAV is not installed')

    def make(path, levels, fps=10, places=None):
        with av.open(str(path), 'w') as container:
            stream = container.add_stream('mpeg4', rate=fps)
            stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
            for place, level in enumerate(levels):
                frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), format='rgb24')
                frame.pts = place if places is None else places[place]
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return str(path)

    return make


@pytest.fixture(scope='module')
def browser():
    """Debian's Chromium without a window, driven by Playwright, with a made camera.

    Playwright's event loop ends with the module, so that other modules can run their own.
    """
    for package in ('av', 'gradio', 'playwright'):
        pytest.importorskip(
            package, reason=f'{package} is not installed (make install-app; pip install playwright)'
        )
    names = ('chromium', 'chromium-browser', 'google-chrome')
    chromium = next(filter(None, map(shutil.which, names)), None)
    if chromium is None:
        pytest.skip('no Chromium (apt-get install chromium)')
    from playwright.sync_api import sync_playwright

    options = ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=chromium, args=options)
        yield made
        made.close()


@pytest.fixture
def toy_zoo(house, monkeypatch, tmp_path):
    """``toy_zoo(name, glosses)`` publishes the recogniser under a name and with glosses, into a zoo that has
    no other model; gives the file.
    """
    config, checkpoint = house['recogniser']
    entries, shipped = {}, models._shipped()
    publish = load_file('tools/misc/publish_model.py').publish
    monkeypatch.setattr(zoo, 'zoo_models', lambda: entries)
    monkeypatch.setattr(models, '_shipped', lambda: {**shipped, **dict.fromkeys(entries, config)})
    monkeypatch.setenv(zoo.ZOO_ENV, str(tmp_path / 'zoo'))

    def add(name, glosses):
        content = load_checkpoint_file(checkpoint)
        content['meta']['glosses'] = glosses
        torch.save(content, tmp_path / 'zoo_checkpoint.pth')
        path = publish(tmp_path / 'zoo_checkpoint.pth', tmp_path / 'zoo' / f'{name}.pth', half=True)
        entries[name] = dict(
            Name=name,
            Config=config,
            Weights=f'zoo/{path.name}',
            Metadata=dict(Glosses=f'the glosses of {name}'),
        )
        return str(path)

    return add
