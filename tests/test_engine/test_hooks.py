import logging
import multiprocessing
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from same_training import assert_same_training
from torch.utils.data import ConcatDataset, Subset

from signbert_mm.engine import CheckpointError
from signbert_mm.engine.hooks.epoch_seed_hook import seed_generators
from signbert_mm.engine.hooks.safe_checkpoint_hook import DivergedError
from signbert_mm.engine.randomness import pass_on, seed_from
from signbert_mm.engine.runner.signals import TrainingStopped
from signbert_mm.errors import ConfigError, UserRuntimeError
from signbert_mm.files import FolderInUse
from signbert_mm.files.checkpoints import load_checkpoint_file
from signbert_mm.version import __version__

SHORT = dict(train_cfg__max_epochs=1)


class TestSafeCheckpointHook:
    def test_a_checkpoint_says_where_it_comes_from(self, toy_runner, tmp_path):
        toy_runner(work_dir=str(tmp_path), train_dataloader__dataset__numpy_meta=True, **SHORT).train()
        content = torch.load(tmp_path / 'epoch_1.pth', weights_only=True)  # torch's own
        meta = content['meta']
        assert (
            meta['glosses'] == ['gloss0', 'gloss1', 'gloss2', 'gloss3']
            and meta['layout'] == 'sign_49'
            and meta['seed'] == 3
        )
        assert (
            meta['signbert_mm_version'] == __version__
            and 'signbert_mm_git' in meta
            and "type='ToyRecognizer'" in meta['cfg']
        )
        assert meta['progress'] == dict(batches_done=0, batches_per_epoch=6, batch_size=4, world_size=1)
        assert (tmp_path / 'last_checkpoint').read_text() == str(tmp_path / 'epoch_1.pth')

    def test_old_checkpoints_go_after_the_new_one_is_there(self, toy_runner, tmp_path, monkeypatch):
        """The disk fills at the third checkpoint: the second is still there, and resuming goes on from it."""
        from signbert_mm.engine import checkpoint_io

        changes = dict(work_dir=str(tmp_path), default_hooks__checkpoint__max_keep_ckpts=1)
        real = os.fsync

        def full(handle):
            if runner.epoch == 2:
                raise OSError(28, 'No space left on device')
            real(handle)

        monkeypatch.setattr(checkpoint_io.os, 'fsync', full)
        runner = toy_runner(**changes)
        with pytest.raises(OSError, match='No space'):
            runner.train()
        assert [name for name in sorted(os.listdir(tmp_path)) if '.pth' in name] == ['epoch_2.pth']
        monkeypatch.undo()
        runner = toy_runner(resume=True, **changes)
        runner.train()
        assert [name for name in sorted(os.listdir(tmp_path)) if '.pth' in name] == ['epoch_4.pth']

    def test_a_kill_between_save_and_removal_leaves_nothing_behind_for_good(
        self, toy_runner, tmp_path, monkeypatch
    ):
        from signbert_mm.engine.checkpoint_io import AtomicLocalBackend

        changes = dict(work_dir=str(tmp_path), default_hooks__checkpoint__max_keep_ckpts=1)
        with monkeypatch.context() as patch:
            patch.setattr(
                AtomicLocalBackend, 'remove', lambda self, path: (_ for _ in ()).throw(KeyboardInterrupt())
            )
            with pytest.raises(KeyboardInterrupt):
                toy_runner(**changes).train()
        assert [name for name in sorted(os.listdir(tmp_path)) if '.pth' in name] == [
            'epoch_1.pth',
            'epoch_2.pth',
        ]
        toy_runner(resume=True, **changes).train()
        assert [name for name in sorted(os.listdir(tmp_path)) if '.pth' in name] == ['epoch_4.pth']

    def test_best(self, toy_runner, tmp_path):
        toy_runner(work_dir=str(tmp_path), default_hooks__checkpoint__save_best='acc').train()
        best = [name for name in os.listdir(tmp_path) if name.startswith('best')]
        assert len(best) == 1
        load_checkpoint_file(tmp_path / best[0])

    def test_best_by_a_figure_that_is_not_there(self, toy_runner, tmp_path):
        runner = toy_runner(work_dir=str(tmp_path), default_hooks__checkpoint__save_best='acc/top1', **SHORT)
        with pytest.raises(ConfigError, match=r"save_best='acc/top1': the validation gives no .* Known: acc"):
            runner.train()
        assert (tmp_path / 'epoch_1.pth').is_file()

    @pytest.mark.parametrize('save_best', ['acc', ['acc', 'loss_like'], 'auto', None])
    def test_validation_alone_keeps_no_best(self, toy_runner, tmp_path, save_best):
        rule = dict(default_hooks__checkpoint__rule='greater') if isinstance(save_best, list) else {}
        metrics = toy_runner(
            work_dir=str(tmp_path), default_hooks__checkpoint__save_best=save_best, **rule
        ).val()
        assert 'acc' in metrics and not [
            name for _, _, names in os.walk(tmp_path) for name in names if name.endswith('.pth')
        ]

    def test_resume_passes_over_a_torn_checkpoint(self, toy_runner, tmp_path):
        toy_runner(work_dir=str(tmp_path)).train()
        whole = load_checkpoint_file(tmp_path / 'epoch_4.pth')['state_dict']
        with open(tmp_path / 'epoch_4.pth', 'r+b') as file:
            file.truncate(5000)
        runner = toy_runner(work_dir=str(tmp_path), resume=True)
        runner.train()
        again = load_checkpoint_file(tmp_path / 'epoch_4.pth')['state_dict']
        assert runner._load_from.endswith('epoch_3.pth') and all(
            torch.equal(whole[key], again[key]) for key in whole
        )

    def test_nothing_to_resume_starts_from_the_beginning(self, toy_runner, tmp_path):
        runner = toy_runner(work_dir=str(tmp_path), resume=True, **SHORT)
        runner.train()
        assert runner.epoch == 1

    def test_resume_auto_starts_from_load_from_and_goes_on_from_its_own(self, toy_runner, tmp_path):
        toy_runner(work_dir=str(tmp_path / 'pretrained'), **SHORT).train()
        start = str(tmp_path / 'pretrained' / 'epoch_1.pth')
        changes = dict(work_dir=str(tmp_path / 'w'), resume='auto', load_from=start)
        runner = toy_runner(**changes, **SHORT)
        runner.train()
        assert runner._load_from == start and runner._resume is False and runner.epoch == 1
        runner = toy_runner(**changes, train_cfg__max_epochs=2)
        runner.train()
        assert (
            runner._load_from == str(tmp_path / 'w' / 'epoch_1.pth')
            and runner._resume is True
            and runner.epoch == 2
        )

    def test_out_dir(self, toy_runner, tmp_path):
        changes = dict(
            work_dir=str(tmp_path / 'work'), default_hooks__checkpoint__out_dir=str(tmp_path / 'out')
        )
        toy_runner(**changes, **SHORT).train()
        assert (tmp_path / 'out' / 'work' / 'epoch_1.pth').is_file()
        runner = toy_runner(resume=True, **changes, train_cfg__max_epochs=2)
        runner.train()
        assert runner._load_from == str(tmp_path / 'out' / 'work' / 'epoch_1.pth')

    @pytest.mark.parametrize('by_epoch', [True, False])
    def test_a_loss_that_is_not_finite_ends_training_before_a_checkpoint_goes(
        self, toy_runner, tmp_path, by_epoch
    ):
        changes = dict(
            work_dir=str(tmp_path),
            default_hooks__checkpoint__max_keep_ckpts=1,
            default_hooks__checkpoint__by_epoch=by_epoch,
        )
        if not by_epoch:
            changes.update(default_hooks__checkpoint__interval=3)
        runner = toy_runner(**changes)
        runner.register_hook(Spoil(14))
        with pytest.raises(
            DivergedError,
            match=r'the loss is not finite at iteration 15: loss nan\. Training stops.*The '
            r'last checkpoint is .*_\d+\.pth',
        ):
            runner.train()
        assert [name for name in sorted(os.listdir(tmp_path)) if '.pth' in name] == [
            'epoch_2.pth' if by_epoch else 'iter_12.pth'
        ]

    def test_weights_that_a_step_spoiled_are_not_saved(self, toy_runner, tmp_path):
        """The loss of the last batch is finite, its gradients are not."""
        runner = toy_runner(work_dir=str(tmp_path), default_hooks__checkpoint__max_keep_ckpts=1, **NO_VAL)
        runner.register_hook(Spoil(17, weight=True))
        with pytest.raises(
            DivergedError,
            match=r'the model: .*not finite.*No checkpoint is written; those '
            r'before are kept',
        ):
            runner.train()
        assert [name for name in sorted(os.listdir(tmp_path)) if '.pth' in name] == ['epoch_2.pth']

    @pytest.mark.parametrize('epoch, steps', [(6, 6), (24, 10)])
    def test_losses_that_are_all_zero_from_the_start(self, toy_runner, tmp_path, monkeypatch, epoch, steps):
        from toy_parts import ToyPretrainer

        changes = dict(
            work_dir=str(tmp_path),
            model__type='ToyPretrainer',
            model__num_classes=None,
            train_dataloader__batch_size=24 // epoch,
            default_hooks__checkpoint__by_epoch=False,
            default_hooks__checkpoint__interval=3,
            **SHORT,
            **NO_VAL,
        )
        forward = ToyPretrainer.forward
        zeros = steps

        def spoilt(self, *args, **kwargs):
            nonlocal zeros
            zeros -= 1
            return {key: value * (zeros < 0) for key, value in forward(self, *args, **kwargs).items()}

        monkeypatch.setattr(ToyPretrainer, 'forward', spoilt)
        with pytest.raises(UserRuntimeError, match=rf'every loss was exactly 0 in the first {steps} steps'):
            toy_runner(**changes).train()
        # One step fewer is chance.
        zeros = steps - 1
        toy_runner(**changes).train()

    def test_a_metric_that_is_no_number_is_no_reason_to_stop(self, toy_runner, tmp_path):
        runner = toy_runner(work_dir=str(tmp_path), **SHORT)
        runner.register_hook(Spoil(0, name='accuracy'))
        runner.train()
        assert (tmp_path / 'epoch_1.pth').is_file()

    @pytest.mark.parametrize(
        'at, by_epoch, accumulate',
        [(9, True, 1), (9, False, 1), (12, True, 1), (12, False, 1), (9, True, 2), (3, False, 2)],
    )
    def test_sigterm_saves_and_a_resumed_run_equals_the_whole_one(
        self, toy_runner, tmp_path, at, by_epoch, accumulate
    ):
        changes = dict(
            default_hooks__checkpoint__by_epoch=by_epoch,
            default_hooks__checkpoint__interval=4,
            default_hooks__checkpoint__max_keep_ckpts=2,
        )
        changes.update(optim_wrapper__accumulative_counts=accumulate)
        toy_runner(work_dir=str(tmp_path / 'whole'), **changes).train()
        folder = tmp_path / 'stopped'
        runner = toy_runner(work_dir=str(folder), resume=True, **changes)
        runner.register_hook(Terminate(at))
        before = signal.getsignal(signal.SIGTERM)
        with pytest.raises(
            TrainingStopped,
            match=r'^SIGTERM: stopped after batch \d of 6 of epoch \d; the state is in '
            r'.*\.pth\. To go on, .*--resume',
        ):
            runner.train()
        assert signal.getsignal(signal.SIGTERM) is before
        done = at if at % accumulate == 0 else at + 1  # a whole step of the optimizer
        name = 'interrupted.pth' if by_epoch else f'iter_{done}.pth'
        assert (folder / 'last_checkpoint').read_text() == str(folder / name)
        assert load_checkpoint_file(folder / name)['meta']['iter'] == done
        toy_runner(work_dir=str(folder), resume=True, **changes).train()
        last = 'epoch_4.pth' if by_epoch else 'iter_24.pth'
        assert_same_training(tmp_path / 'whole' / last, folder / last)
        assert sorted(os.listdir(folder)).count('interrupted.pth') == 0

    def test_sigterm_in_validation(self, toy_runner, tmp_path):
        runner = toy_runner(work_dir=str(tmp_path))
        runner.register_hook(Terminate(2, validation=True))
        with pytest.raises(
            TrainingStopped,
            match=r'stopped in the validation of epoch 1; the state is in '
            r'.*epoch_1\.pth',
        ):
            runner.train()
        runner = toy_runner(work_dir=str(tmp_path), default_hooks__checkpoint__interval=5, resume=True)
        runner.register_hook(Terminate(2, validation=True))
        with pytest.raises(
            TrainingStopped,
            match=r'stopped in the validation of epoch 2; the state is in '
            r'.*interrupted\.pth',
        ):
            runner.train()
        runner = toy_runner(work_dir=str(tmp_path), resume=True)
        runner.train()
        assert runner.iter == 24

    def test_sigterm_in_the_last_epoch_lets_the_loaders_workers_live(self, toy_runner, tmp_path):
        """A scheduler signals every process of a job."""
        runner = toy_runner(
            work_dir=str(tmp_path), train_dataloader__num_workers=1, train_cfg__max_epochs=1, **NO_VAL
        )
        runner.register_hook(Terminate(2, workers=True))
        with pytest.raises(TrainingStopped, match='after batch 2 of 6 of epoch 1'):
            runner.train()

    def test_another_training_in_the_same_folder(self, toy_runner, tmp_path):
        code = 'import sys, time\nfrom signbert_mm.files import folder_lock\n'
        code += (
            'with folder_lock(sys.argv[1], ".training.lock", "training"):\n    print(1, flush=True); '
            'time.sleep(60)'
        )
        other = subprocess.Popen(
            [sys.executable, '-c', code, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        try:
            assert other.stdout.readline()
            with pytest.raises(
                FolderInUse,
                match=r'another training is at work in this folder \(process '
                rf'{other.pid} on .*\); choose another one',
            ):
                toy_runner(work_dir=str(tmp_path), **SHORT).train()
        finally:
            other.kill()
            other.wait()
        toy_runner(work_dir=str(tmp_path), **SHORT).train()


class Spoil(Hook):
    """Puts NaN into what a step gave: a loss, another value, or a weight."""

    priority = 'VERY_HIGH'

    def __init__(self, at, name='loss', weight=False):
        self.at, self.name, self.weight = at, name, weight

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == self.at and self.weight:
            next(runner.model.parameters()).data[0] = float('nan')
        elif runner.iter == self.at:
            outputs[self.name] = torch.tensor(float('nan'))


class Terminate(Hook):
    """SIGTERM to this process, during batch ``at`` counted from 1."""

    priority = 'VERY_HIGH'

    def __init__(self, at, validation=False, workers=False):
        self.at, self.validation, self.workers = at, validation, workers

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if not self.validation and runner.iter + 1 == self.at:
            for worker in multiprocessing.active_children() if self.workers else ():
                # from another process than their parent
                subprocess.run(['kill', str(worker.pid)], check=True)
            os.kill(os.getpid(), signal.SIGTERM)

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        if self.validation and batch_idx + 1 == self.at:
            os.kill(os.getpid(), signal.SIGTERM)


class TestEpochSeedHook:
    def test_seeds_differ_by_every_part_of_the_place(self):
        places = [
            (s, n, e, i, r)
            for s in (0, 1)
            for n in ('epoch', 'iteration')
            for e in (0, 1)
            for i in (0, 1)
            for r in (0, 1)
        ]
        assert len({seed_from(s, n, e, i, r) for s, n, e, i, r in places}) == len(places)
        assert seed_from(0, 'a', 11, 1) != seed_from(0, 'a', 1, 11) and 0 <= seed_from(5, 'a') < 2**63

    def test_all_generators(self):
        def draw():
            seed_generators(2**62 + 5)
            return random.random(), np.random.rand(), float(torch.rand(()))

        assert draw() == draw()

    def test_epoch_reaches_wrapped_data(self):
        from toy_parts import ToyDataset

        sets = [ToyDataset(4), ToyDataset(4)]
        pass_on(Subset(ConcatDataset(sets), [0, 5]), 'set_epoch', 5)
        assert [int(dataset.epoch) for dataset in sets] == [5, 5]

    @pytest.mark.parametrize(
        'hook, loop',
        [
            ('EpochSeedHook', 'ResumableTrainLoop'),
            ('EpochSeedHook', 'EpochBasedTrainLoop'),
            ('DistSamplerSeedHook', 'ResumableTrainLoop'),
            (None, 'ResumableTrainLoop'),
        ],
    )
    def test_data_and_sampler_know_the_epoch(self, toy_runner, tmp_path, hook, loop):
        runner = toy_runner(
            work_dir=str(tmp_path),
            train_cfg=dict(type=loop, max_epochs=3),
            default_hooks__sampler_seed=hook and dict(type=hook),
        )
        runner.train()
        assert int(runner.train_dataloader.dataset.epoch) == 2 and runner.train_dataloader.sampler.epoch == 2


class TestLoadReportHook:
    @pytest.fixture
    def pretrained(self, toy_runner, tmp_path):
        toy_runner(
            work_dir=str(tmp_path / 'pre'),
            model__type='ToyPretrainer',
            model__num_classes=None,
            **NO_VAL,
            **SHORT,
        ).train()
        return tmp_path / 'pre' / 'epoch_1.pth'

    @pytest.fixture
    def recognizer(self, toy_runner, tmp_path):
        toy_runner(work_dir=str(tmp_path / 'rec'), **SHORT).train()
        return tmp_path / 'rec' / 'epoch_1.pth'

    def test_pretraining_to_recogniser(self, toy_runner, tmp_path, pretrained):
        runner = toy_runner(work_dir=str(tmp_path / 'w'), load_from=str(pretrained), **SHORT)
        lines = []
        runner.logger.info = lines.append
        runner.logger.setLevel('INFO')
        runner.train()
        report = next(line for line in lines if line.startswith('From checkpoint'))
        assert 'loaded: embedder (2 of 2 tensors), backbone (4 of 4 tensors)' in report
        assert 'newly initialised: head (2)' in report and 'left out of the checkpoint: decoder (2)' in report

    def test_mmengine_lists_the_same_tensors_no_more(self, toy_runner, tmp_path, pretrained, capsys):
        runner = toy_runner(work_dir=str(tmp_path / 'w'), load_from=str(pretrained), **SHORT)
        messages = []
        handler = logging.Handler()
        handler.emit = lambda record: messages.append(record.getMessage())
        runner.logger.addHandler(handler)
        runner.train()
        assert messages and not any('do not match exactly' in message for message in messages)
        # Nor past the logger.
        printed = capsys.readouterr()
        assert 'do not match exactly' not in printed.out + printed.err

    def test_nothing_in_common(self, toy_runner, tmp_path):
        torch.save(dict(state_dict={'conv1.weight': torch.ones(3)}), tmp_path / 'other.pth')
        with pytest.raises(
            CheckpointError,
            match=r'other\.pth has nothing in common with the model '
            r'ToyRecognizer: it holds conv1\.weight',
        ):
            toy_runner(work_dir=str(tmp_path / 'w'), load_from=str(tmp_path / 'other.pth')).train()

    def test_another_width(self, toy_runner, tmp_path, pretrained):
        content = load_checkpoint_file(pretrained)
        content['state_dict']['embedder.weight'] = torch.ones(32, 8)
        torch.save(content, pretrained)
        with pytest.raises(
            CheckpointError,
            match=r'embedder\.weight is \(32, 8\) there and \(16, 8\) '
            r'here.*Use the widths',
        ):
            toy_runner(work_dir=str(tmp_path / 'w'), load_from=str(pretrained)).train()

    def test_another_class_count(self, toy_runner, tmp_path, recognizer):
        seven = dict(work_dir=str(tmp_path / 'w'), model__num_classes=7)
        data = dict(train_dataloader__dataset__num_classes=7, test_dataloader__dataset__num_classes=7)
        with pytest.raises(CheckpointError, match=r'4 classes and the model has 7 \(head.*new_head=True'):
            toy_runner(load_from=str(recognizer), **seven).train()
        with pytest.raises(CheckpointError, match='4 classes and the model has 7.*num_classes=4'):
            toy_runner(load_from=str(recognizer), **seven, **data).test()
        with pytest.raises(CheckpointError, match='4 classes and the model has 7'):
            toy_runner(load_from=str(recognizer), resume=True, **seven).train()
        toy_runner(
            load_from=str(recognizer), default_hooks__load_report__new_head=True, **seven, **data, **SHORT
        ).train()

    def test_testing_needs_every_weight(self, toy_runner, tmp_path, pretrained):
        with pytest.raises(
            CheckpointError,
            match=r'cannot be used to test: it lacks head\.fc\.weight, '
            r'head\.fc\.bias.*fine-tuned first',
        ):
            toy_runner(work_dir=str(tmp_path / 'w'), load_from=str(pretrained)).test()
        with pytest.raises(CheckpointError, match='cannot be used to resume'):
            toy_runner(work_dir=str(tmp_path / 'w'), load_from=str(pretrained), resume=True).train()

    def test_testing_leaves_out_no_layer(self, toy_runner, tmp_path, recognizer):
        """A checkpoint of a model with one more layer recognises otherwise without it."""
        content = load_checkpoint_file(recognizer)
        weights = content['state_dict']
        # What no recogniser needs: another part, and counters.
        weights['decoder.weight'] = torch.ones(3)
        weights['backbone.norm.num_batches_tracked'] = torch.tensor(1)
        torch.save(content, recognizer)
        toy_runner(work_dir=str(tmp_path / 'w'), load_from=str(recognizer)).test()
        weights['backbone.layers.3.weight'] = torch.ones(3)
        torch.save(content, recognizer)
        message = r'which has no backbone\.layers\.3\.weight: without them it would answer otherwise'
        with pytest.raises(CheckpointError, match=message):
            toy_runner(work_dir=str(tmp_path / 'w'), load_from=str(recognizer)).test()
        # Fine-tuning may leave it out, and says so.
        runner = toy_runner(work_dir=str(tmp_path / 'w'), load_from=str(recognizer), **SHORT)
        lines = []
        runner.logger.info = lines.append
        runner.logger.setLevel('INFO')
        runner.train()
        report = next(line for line in lines if line.startswith('From checkpoint'))
        assert 'the model has the part, but not backbone.layers.3.weight' in report

    def test_testing_on_other_glosses(self, toy_runner, tmp_path, recognizer):
        glosses = ['gloss0', 'house', 'gloss2', 'gloss3']
        with pytest.raises(CheckpointError, match="label 1 is 'gloss1' there and 'house' here"):
            toy_runner(
                work_dir=str(tmp_path / 'w'),
                load_from=str(recognizer),
                test_dataloader__dataset__glosses=glosses,
            ).test()
        assert toy_runner(work_dir=str(tmp_path / 'w'), load_from=str(recognizer)).test()['acc'] >= 0

    @pytest.mark.parametrize(
        'glosses, message',
        [
            (
                ['gloss1', 'gloss0', 'gloss2', 'gloss3'],
                "the data's 4 glosses in another order: label 0 is 'gloss0' there",
            ),
            (
                ['gloss0', 'gloss2'],
                r'4 glosses and the data has 2, all of them among the '
                r'4.*test_dataloader\.dataset\.classes=',
            ),
        ],
    )
    def test_testing_on_glosses_in_another_order_and_on_fewer(
        self, toy_runner, tmp_path, recognizer, glosses, message
    ):
        with pytest.raises(CheckpointError, match=message):
            toy_runner(
                work_dir=str(tmp_path / 'w'),
                load_from=str(recognizer),
                test_dataloader__dataset__glosses=glosses,
            ).test()
        with pytest.raises(
            CheckpointError,
            match=f'4 classes and the model has {len(glosses)}.*{message}' if len(glosses) == 2 else message,
        ):
            changes = dict(model__num_classes=len(glosses), test_dataloader__dataset__glosses=glosses)
            toy_runner(work_dir=str(tmp_path / 'w'), load_from=str(recognizer), **changes).test()

    def test_other_glosses_in_training(self, toy_runner, tmp_path, recognizer):
        """As many classes, other glosses: not resumed, and fine-tuned only with a new head, which does not
        come from the checkpoint.
        """
        other = dict(
            train_dataloader__dataset__glosses=['a', 'b', 'c', 'd'],
            val_dataloader__dataset__glosses=['a', 'b', 'c', 'd'],
        )
        changes = dict(work_dir=str(tmp_path / 'w'), load_from=str(recognizer), **other)
        with pytest.raises(
            CheckpointError,
            match="other labels than the data: .*label 0 is 'gloss0' there and 'a' here.*new_head=True",
        ):
            toy_runner(**changes, **SHORT).train()
        with pytest.raises(CheckpointError, match='resumed on the data it was started with'):
            toy_runner(resume=True, **changes).train()
        saved = load_checkpoint_file(recognizer)['state_dict']
        for given, loaded in ((other, False), ({}, True)):
            runner = toy_runner(
                work_dir=str(tmp_path / 'v'),
                load_from=str(recognizer),
                default_hooks__load_report__new_head=True,
                **given,
                **SHORT,
            )
            lines, heads = [], []
            runner.logger.info = lines.append
            load = runner.load_or_resume
            runner.load_or_resume = lambda load=load, runner=runner, heads=heads: (
                load(),
                heads.append(runner.model.head.fc.weight.clone()),
            )
            runner.train()
            assert torch.equal(heads[0], saved['head.fc.weight']) == loaded
            assert (
                any('newly initialised: head (2)' in line for line in lines if isinstance(line, str))
                != loaded
            )
            assert (
                any('Its head is left out (new_head=True)' in line for line in lines if isinstance(line, str))
                != loaded
            )

    def test_frozen_encoders_need_weights(self, toy_runner, tmp_path, pretrained):
        frozen = dict(work_dir=str(tmp_path / 'w'), model__frozen=['embedder', 'backbone'])
        random = dict(default_hooks__load_report__random_frozen=True)
        for resume in (False, True, 'auto'):
            with pytest.raises(
                ConfigError,
                match='model.frozen=.*would stay random.*load_from=PRETRAINED.pth.*random_frozen=True',
            ):
                toy_runner(resume=resume, **frozen, **SHORT).train()
        runner = toy_runner(load_from=str(pretrained), **frozen, **SHORT)
        runner.train()
        saved, found = load_checkpoint_file(pretrained)['state_dict'], runner.model.state_dict()
        assert all(
            torch.equal(found[key], value) for key, value in saved.items() if not key.startswith('decoder')
        )
        toy_runner(resume=True, **frozen, train_cfg__max_epochs=2).train()
        toy_runner(**frozen, **SHORT).test()  # only training learns upon them
        frozen['work_dir'] = str(tmp_path / 'v')
        toy_runner(**frozen, **random, **SHORT).train()

        content = load_checkpoint_file(pretrained)
        content['state_dict'] = {
            key: value for key, value in content['state_dict'].items() if key.startswith('embedder')
        }
        torch.save(content, tmp_path / 'part.pth')
        part = dict(load_from=str(tmp_path / 'part.pth'), work_dir=str(tmp_path / 'u'))
        with pytest.raises(
            CheckpointError,
            match=r'lacks backbone\.0\.weight.*which model\.frozen=.* would '
            r'keep random.*random_frozen=True',
        ):
            toy_runner(**{**frozen, **part}, **SHORT).train()
        toy_runner(**{**frozen, **part}, **random, **SHORT).train()
        toy_runner(**{**frozen, **part, 'model__frozen': ['embedder']}, **SHORT).train()

    def test_frozen_encoders_that_name_their_weights(self, toy_runner, tmp_path, pretrained):
        runner = toy_runner(work_dir=str(tmp_path / 'w'), model__frozen=['backbone'], **SHORT)
        runner.model.init_cfg = dict(type='Pretrained', checkpoint=str(pretrained))
        runner.train()

    def test_poses_of_another_extractor(self, toy_runner, tmp_path, pretrained):
        content = load_checkpoint_file(pretrained)
        content['meta']['extractor'] = ['mediapipe 0.10.14']
        torch.save(content, pretrained)
        for here, said in ((['rtmlib 0.0.13'], True), (['mediapipe 0.10.14'], False), ([], False)):
            runner = toy_runner(work_dir=str(tmp_path / 'w'), load_from=str(pretrained), **SHORT)
            lines = []
            runner.logger.warning = lines.append
            build = runner.build_train_loop

            def with_extractor(loop, build=build, here=here):
                loop = build(loop)
                loop.dataloader.dataset.metainfo['extractor'] = here
                return loop

            runner.build_train_loop = with_extractor
            runner.train()
            text = 'was trained on poses by mediapipe 0.10.14; the poses here are by rtmlib 0.0.13'
            assert any(text in line for line in lines) == said
            assert load_checkpoint_file(tmp_path / 'w' / 'epoch_1.pth')['meta'].get('extractor', []) == here


NO_VAL = dict(val_cfg=None, val_dataloader=None, val_evaluator=None)
