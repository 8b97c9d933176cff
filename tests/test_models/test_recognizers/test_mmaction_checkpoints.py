"""Checkpoints of P and R: the guards of label maps and class counts see mmaction2's head, and mmaction2's own
checkpoints load.
"""

import copy

import numpy as np
import pytest
import torch
from mmengine.runner import Runner

from signbert_mm.apis import init_model
from signbert_mm.datasets import PoseStoreWriter
from signbert_mm.engine import CheckpointError
from signbert_mm.engine.hooks import LoadReportHook
from signbert_mm.engine.runner import load_config
from signbert_mm.errors import ConfigError
from signbert_mm.files.checkpoints import load_checkpoint_file
from signbert_mm.registry import MODELS

pytest.importorskip('mmaction', reason='mmaction2 is not installed')

GLOSSES = ['a', 'b', 'c']
NEW_HEAD = {'default_hooks.load_report.new_head': True}


def write_store(folder, glosses):
    """Two clips a gloss to train on, one to test on."""
    rng = np.random.RandomState(0)
    with PoseStoreWriter(str(folder), 'sign_49', glosses) as writer:
        for label, gloss in enumerate(glosses):
            for clip, split in enumerate(('train', 'train', 'test')):
                points = rng.uniform(10, 400, (6, 49, 3)).astype(np.float32)
                points[..., 2] = 1
                writer.add(points, label, split, f'{gloss}{clip}', width=640, height=480)


@pytest.fixture
def runner(tmp_path, root):
    """``runner(glosses, classes, **options)``: a runner of a narrow ST-GCN on a store of these glosses."""

    def make(glosses, classes=None, **options):
        store = tmp_path / '_'.join(glosses)
        if not store.is_dir():
            write_store(store, glosses)
        cfg = load_config(str(root / 'configs' / 'words33' / 'stgcn_c16_bone.py'), options)
        cfg.model.model.backbone.update(base_channels=4, num_stages=1, inflate_stages=[], down_stages=[])
        cfg.model.model.cls_head.update(in_channels=4, num_classes=classes or len(glosses))
        for part in ('train', 'test'):
            loader = cfg[f'{part}_dataloader']
            loader.batch_size, loader.num_workers, loader.persistent_workers = 3, 0, False
            loader.dataset.update(store=str(store), split=part)
            loader.dataset.pop('few_shot', None)
        cfg.test_evaluator = dict(type='SignAccuracy')
        cfg.train_cfg.max_epochs, cfg.work_dir, cfg.experiment_name = (
            1,
            str(tmp_path / f'w{len(made)}'),
            f'p{len(made)}',
        )
        made.append(cfg)
        return Runner.from_cfg(cfg)

    made = []
    return make


@pytest.fixture
def trained(runner, tmp_path):
    runner(GLOSSES).train()
    return str(tmp_path / 'w0' / 'epoch_1.pth')


def test_testing_on_other_labels_is_refused(runner, trained):
    assert runner(GLOSSES, load_from=trained).test()['p_i/top1'] >= 0
    with pytest.raises(
        CheckpointError,
        match="other labels than the data: .*another order: label 0 is 'a' there and 'c' here",
    ):
        runner(GLOSSES[::-1], load_from=trained).test()
    with pytest.raises(
        ConfigError,
        match=r'model\.model\.cls_head\.num_classes is 3, but the data of test_dataloader has '
        r'4.*cls_head\.num_classes=4',
    ):
        runner([*GLOSSES, 'd'], classes=3).test()
    with pytest.raises(
        ConfigError,
        match=r'model\.model\.cls_head\.num_classes is 3, but the data of '
        r'train_dataloader has 4',
    ):
        runner([*GLOSSES, 'd'], classes=3).train()
    text = (
        r'has 3 classes and the model has 4 \(model\.cls_head.*set '
        r'model\.model\.cls_head\.num_classes=3.*model\.model\.cls_head\.num_classes=4'
    )
    with pytest.raises(CheckpointError, match=text):
        runner([*GLOSSES, 'd'], load_from=trained).test()


def loaded(run):
    assert run.train_loop  # built: then the hook knows that it is to be trained
    run.load_or_resume()
    return run.model.state_dict()


def test_fine_tuning_on_other_labels_takes_a_new_head(runner, trained):
    saved = load_checkpoint_file(trained)['state_dict']
    for glosses, message in (
        (GLOSSES[::-1], 'other labels than the data'),
        ([*GLOSSES, 'd'], 'has 3 classes and the model has 4'),
    ):
        with pytest.raises(CheckpointError, match=f'{message}.*new_head=True'):
            runner(glosses, load_from=trained).train()
        run = runner(glosses, load_from=trained, **NEW_HEAD)
        before = copy.deepcopy(run.model.model.cls_head.state_dict())
        found = loaded(run)
        assert torch.equal(found['model.backbone.data_bn.weight'], saved['model.backbone.data_bn.weight'])
        assert torch.equal(found['model.cls_head.fc.weight'], before['fc.weight'])
        run.train()


@pytest.mark.parametrize('prefix', ['', 'module.'])
@pytest.mark.parametrize('bare', [False, True])
def test_checkpoints_of_mmaction2(runner, trained, tmp_path, prefix, bare):
    """What mmaction2's own training of the same recogniser saves: no 'model.' before the names."""
    saved = load_checkpoint_file(trained)['state_dict']
    theirs = {
        prefix + key[len('model.') :]: value + 1 if value.is_floating_point() else value
        for key, value in saved.items()
    }
    other_head = {
        key: torch.ones((400, *value.shape[1:])) if 'cls_head' in key else value
        for key, value in theirs.items()
    }
    for name, weights in (('same', theirs), ('kinetics', other_head)):
        torch.save(
            weights if bare else dict(state_dict=weights, meta=dict(epoch=3)), tmp_path / f'{name}.pth'
        )

    kinetics = str(tmp_path / 'kinetics.pth')
    with pytest.raises(CheckpointError, match='has 400 classes and the model has 3.*new_head=True'):
        loaded(runner(GLOSSES, load_from=kinetics))
    run = runner(GLOSSES, load_from=kinetics, **NEW_HEAD)
    lines = []
    run.logger.info = lines.append
    found = loaded(run)
    backbone = [key for key in saved if 'backbone' in key and saved[key].is_floating_point()]
    assert len(backbone) > 10 and all(torch.equal(found[key], saved[key] + 1) for key in backbone)
    report = next(line for line in lines if str(line).startswith('From checkpoint'))
    assert (
        f'loaded: model.backbone ({len(saved) - 2} of {len(saved) - 2} tensors)' in report
        and 'newly initialised: model.cls_head (2)' in report
    )
    assert 'left out' not in report

    same = str(tmp_path / 'same.pth')
    run = runner(GLOSSES, load_from=same)
    assert run.test()['p_i/top1'] >= 0
    assert torch.equal(
        run.model.state_dict()['model.cls_head.fc.weight'], saved['model.cls_head.fc.weight'] + 1
    )
    model = init_model(run.cfg, same)
    assert torch.equal(model.model.cls_head.fc.weight, saved['model.cls_head.fc.weight'] + 1)


@pytest.mark.parametrize(
    'theirs, ours',
    [
        ('i3d/i3d_imagenet-pretrained-r50_8xb8-32x2x1-100e_kinetics400-rgb', 'i3d-r50_32x2-b8-50e_wlasl2000'),
        ('tsm/tsm_imagenet-pretrained-r50_8xb16-1x1x8-50e_kinetics400-rgb', 'tsm-r50_8seg-b8-50e_wlasl2000'),
        ('slowfast/slowfast_r50_8xb8-4x16x1-256e_kinetics400-rgb', 'slowfast-r50_32x2-b8-50e_slr500'),
    ],
)
def test_kinetics_weights_of_mmaction2_fit(root, theirs, ours):
    """mmaction2's recognisers of Kinetics-400, built from its own configs, and R: all of the backbone is the
    same.
    """
    from pathlib import Path

    import mmaction
    from mmaction.registry import MODELS as MMACTION
    from mmengine.config import Config

    configs = Path(mmaction.__file__).parent / '.mim' / 'configs'
    if not configs.is_dir():
        pytest.skip('this mmaction2 comes without its configs')
    cfg = Config.fromfile(configs / 'recognition' / f'{theirs}.py').model
    cfg.pop('data_preprocessor')
    for part in (cfg.backbone, cfg.backbone.get('slow_pathway', {}), cfg.backbone.get('fast_pathway', {})):
        part.pop('pretrained', None)
    source = MMACTION.build(dict(cfg, _scope_='mmaction')).state_dict()
    model = MODELS.build(load_config(str(root / 'configs' / 'fusion' / f'{ours}.py')).model)
    given, report = LoadReportHook(new_head=True).compare(
        model, dict(state_dict=source), 'kinetics.pth', 'train'
    )
    total = sum('backbone' in key for key in model.state_dict())
    assert (
        f'loaded: model.backbone ({total} of {total} tensors)' in report
        and 'newly initialised: model.cls_head (2)' in report
    )
    assert set(given) == {key for key in model.state_dict() if 'cls_head' not in key}
