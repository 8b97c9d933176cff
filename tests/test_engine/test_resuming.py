"""Settings of optimizer and schedules that a resumed run has other than its checkpoint."""

import pytest
import torch
from mmengine.config import Config

from signbert_mm.engine import CheckpointError
from signbert_mm.files.checkpoints import load_checkpoint_file

SHORT = dict(val_cfg=None, val_dataloader=None, val_evaluator=None)
STEPS = dict(type='MultiStepLR', milestones=[1, 3], by_epoch=True)


@pytest.fixture
def trained(toy_runner, tmp_path):
    """``trained(**changes)`` trains an epoch; it returns the arguments of a run that goes on from it."""

    def train(**changes):
        changes = dict(SHORT, work_dir=str(tmp_path), param_scheduler=[STEPS], **changes)
        toy_runner(train_cfg__max_epochs=1, **changes).train()
        return dict(changes, resume=True, train_cfg__max_epochs=2)

    return train


def warnings_of(runner, monkeypatch):
    said = []
    monkeypatch.setattr(runner.logger, 'warning', said.append)
    runner.train()
    return [line for line in said if 'other settings' in line]


def test_values_that_the_state_overrides_are_named_and_kept(trained, toy_runner, tmp_path, monkeypatch):
    again = dict(
        trained(),
        optim_wrapper__optimizer__lr=0.5,
        optim_wrapper__optimizer__weight_decay=0.1,
        param_scheduler=[dict(STEPS, milestones=[2, 7])],
        # These take effect.
        optim_wrapper__clip_grad=dict(max_norm=1),
        optim_wrapper__accumulative_counts=2,
    )
    (line,) = warnings_of(toy_runner(**again), monkeypatch)
    for text in (
        'optim_wrapper.optimizer.lr is 0.01 there and 0.5 here',
        'optim_wrapper.optimizer.weight_decay is 0 there and 0.1 here',
        'param_scheduler.0.milestones.0 is 1 there and 2 here',
        'param_scheduler.0.milestones.1 is 3 there and 7 here',
        'Those there hold',
    ):
        assert text in line
    assert 'clip_grad' not in line and 'accumulative' not in line
    content = load_checkpoint_file(tmp_path / 'epoch_2.pth')
    group, cfg = content['optimizer']['param_groups'][0], Config.fromstring(content['meta']['cfg'], '.py')
    assert (group['initial_lr'], group['weight_decay']) == (0.01, 0)
    assert cfg.optim_wrapper.optimizer == dict(type='Adam', lr=0.01)
    assert cfg.param_scheduler == [STEPS] and cfg.optim_wrapper.accumulative_counts == 2


@pytest.mark.parametrize(
    'change',
    [
        dict(train_cfg__max_epochs=3),
        # A default, written out.
        dict(optim_wrapper__optimizer__betas=(0.9, 0.999)),
    ],
)
def test_the_same_settings_and_a_longer_training(trained, toy_runner, monkeypatch, change):
    assert not warnings_of(toy_runner(**dict(trained(), **change)), monkeypatch)


@pytest.mark.parametrize(
    'change, text',
    [
        (
            dict(optim_wrapper__optimizer=dict(type='SGD', lr=0.01, _delete_=True)),
            'its optimizer is Adam, and that of this run is SGD',
        ),
        (
            dict(param_scheduler=[dict(type='LinearLR', start_factor=0.3), STEPS]),
            'its param_scheduler is MultiStepLR, and that of this run is LinearLR, MultiStepLR',
        ),
        (dict(param_scheduler=None), 'and that of this run is absent'),
        (dict(param_scheduler=[dict(type='ExponentialLR', gamma=0.5)]), 'of this run is ExponentialLR'),
        (
            dict(optim_wrapper__paramwise_cfg=dict(bias_lr_mult=2)),
            'its optim_wrapper.paramwise_cfg is absent, and that of this run is given',
        ),
    ],
)
def test_other_optimizers_and_schedules_are_refused(trained, toy_runner, change, text):
    with pytest.raises(CheckpointError, match=f'{text}.*Resume with the same.*load_from=.*without --resume'):
        toy_runner(**dict(trained(), **change)).train()


def test_a_schedule_that_the_checkpoint_never_had(trained, toy_runner, tmp_path):
    again = trained()
    path = tmp_path / 'epoch_1.pth'
    content = torch.load(path, weights_only=True)
    del content['param_schedulers']
    torch.save(content, path)
    # Left out by the hook: what the warning on partial state is for.
    toy_runner(**again).train()
    cfg = Config.fromstring(content['meta']['cfg'], '.py')
    cfg.param_scheduler = None
    content['meta']['cfg'] = cfg.pretty_text
    torch.save(content, tmp_path / 'none.pth')
    with pytest.raises(CheckpointError, match='its param_scheduler is absent'):
        toy_runner(**dict(again, load_from=str(tmp_path / 'none.pth'))).train()


def test_averaged_weights_need_their_hook(trained, toy_runner):
    average = dict(custom_hooks=[dict(type='EMAHook')])
    again = trained(**average)
    with pytest.raises(CheckpointError, match='its weights are the average of an EMAHook'):
        toy_runner(**dict(again, custom_hooks=[])).train()
    toy_runner(**again).train()
