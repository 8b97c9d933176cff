"""A tiny model, data set and metric, so that the engine is tested without the real ones; configs import it
with ``custom_imports``.
"""

import os
import signal

import numpy as np
import torch
from mmengine.dist import all_reduce
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from torch import nn
from torch.utils.data import Dataset

from signbert_mm.registry import DATASETS, HOOKS, METRICS, MODELS


@DATASETS.register_module()
class ToyDataset(Dataset):
    """``size`` points of 8 numbers; the points move with the epoch, as an augmentation would."""

    def __init__(self, size: int = 24, num_classes: int = 4, glosses=None, numpy_meta: bool = False) -> None:
        self.points = torch.randn(size, 8, generator=torch.Generator().manual_seed(0))
        self.labels = torch.arange(size) % num_classes
        self.epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        glosses = glosses or [f'gloss{i}' for i in range(num_classes)]
        self.metainfo = dict(glosses=np.array(glosses) if numpy_meta else glosses, layout='sign_49')

    def set_epoch(self, epoch: int) -> None:
        self.epoch.fill_(epoch)

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: int) -> dict:
        return dict(
            inputs=self.points[index] + 0.1 * float(self.epoch) * (index % 3),
            label=self.labels[index],
            index=index,
        )


class _Toy(BaseModel):
    def __init__(self, width: int = 16, dropout: float = 0.1) -> None:
        super().__init__()
        self.embedder = nn.Linear(8, width)
        self.backbone = nn.Sequential(nn.Linear(width, width), nn.LayerNorm(width), nn.Dropout(dropout))

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.backbone(torch.relu(self.embedder(inputs)))


@MODELS.register_module()
class ToyPretrainer(_Toy):
    def __init__(self, width: int = 16, dropout: float = 0.1, num_classes: None = None) -> None:
        super().__init__(width, dropout)
        self.decoder = nn.Linear(width, 8)

    def forward(self, inputs, label=None, index=None, mode='tensor'):
        return dict(loss=(self.decoder(self.features(inputs)) - inputs).square().mean())


@MODELS.register_module()
class ToyRecognizer(_Toy):
    def __init__(self, num_classes: int = 4, width: int = 16, dropout: float = 0.1, frozen=()) -> None:
        super().__init__(width, dropout)
        self.frozen = tuple(frozen)
        for name in self.frozen:
            getattr(self, name).requires_grad_(False)
        self.head = nn.Module()
        self.head.fc = nn.Linear(width, num_classes)

    def init_weights(self) -> None:
        generator = torch.Generator().manual_seed(7)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.1, generator=generator)

    def forward(self, inputs, label=None, index=None, mode='tensor'):
        scores = self.head.fc(self.features(inputs))
        if mode == 'loss':
            return dict(loss=nn.functional.cross_entropy(scores, label))
        rows = zip(scores, scores.softmax(-1), label, index.tolist())
        return [
            dict(
                pred=pred,
                gt=gt,
                index=place,
                pred_scores=probabilities,
                gt_label=gt,
                sample_idx=place,
                video_id=f'clip{place}',
            )
            for pred, probabilities, gt, place in rows
        ]


@METRICS.register_module()
class ToyAccuracy(BaseMetric):
    def process(self, data_batch, data_samples) -> None:
        self.results += [float(sample['pred'].argmax() == sample['gt']) for sample in data_samples]

    def compute_metrics(self, results) -> dict:
        return dict(acc=sum(results) / len(results))


@HOOKS.register_module()
class KillHook(Hook):
    """SIGKILL to this process after iteration ``at`` (counted from 1) or, with ``stage='save'``, in the
    middle of writing the checkpoint there.
    """

    priority = 'LOWEST'

    def __init__(self, at: int = 0, stage: str = 'iter') -> None:
        self.at, self.stage = int(os.environ.get('TOY_KILL_AT', at)), os.environ.get('TOY_KILL_STAGE', stage)

    def before_run(self, runner) -> None:
        if self.stage == 'save' and self.at:
            from signbert_mm.engine import checkpoint_io

            fsync = os.fsync

            def die_in_fsync(handle):
                if runner.iter + 1 >= self.at:
                    os.ftruncate(handle, 100)
                    os.kill(os.getpid(), signal.SIGKILL)
                fsync(handle)

            checkpoint_io.os.fsync = die_in_fsync

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        if self.stage == 'iter' and runner.iter + 1 == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


@HOOKS.register_module()
class LossLogHook(Hook):
    """Appends every loss, the mean over the processes, to ``losses.txt`` in the work dir."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        loss = outputs['loss'].detach().clone()
        all_reduce(loss, 'mean')
        if runner.rank == 0:
            with open(os.path.join(runner.work_dir, 'losses.txt'), 'a') as file:
                file.write(f'{runner.iter} {float(loss)!r}\n')
