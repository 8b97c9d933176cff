"""Fine-tuning of the encoder on the taught clips."""

import copy
import itertools
import tempfile
from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np
from mmengine.config import Config
from mmengine.hooks import Hook
from torch import nn

from ..apis.backends import TorchBackend, spec_of_config
from ..apis.input import InputReader
from ..datasets import PoseStore
from ..datasets.store_format import common_rate
from ..engine.runner import build_runner, prepare_launch
from ..errors import ConfigError
from .estimate import Estimate, Fold

# A batch of about so many clips, and so many updates: the recipe of words33 with a few clips a sign.
BATCH, UPDATES = 24, 500
# Fewest and most epochs.
EPOCHS = (15, 150)
_runs = itertools.count()

Progress = Callable[[str, int, int], None]


def recognizer_config(encoder: Config, store: PoseStore, load_from: str) -> Config:
    """The config of a recogniser on the encoder of a pre-training.

    Args:
        encoder (Config): Of the pre-training: its embedder, backbone, crop and number of frames are taken.
        store (PoseStore): The labelled clips.
        load_from (str): The encoder's checkpoint.

    Raises:
        ConfigError: The encoder is of another kind.
    """
    model = encoder.model
    if not all(isinstance(model.get(part), dict) for part in ('embedder', 'backbone')):
        raise ConfigError(
            f'the encoder is a {model.get("type")}, which is not fine-tuned here; take --method dictionary'
        )
    spec, _ = spec_of_config(encoder)
    crop = [
        copy.deepcopy(step)
        for step in model.data_preprocessor.test_pipeline
        if step['type'] not in ('MaskHandTokens', 'ZeroMissing')
    ]
    augment = [
        dict(type='RandomAffine', rotation=15.0, scale=(0.9, 1.1), stretch=0.15, shear=0.15, shift=0.08)
    ]
    detector = [dict(type='RandomJointJitter', sigma=0.02), dict(type='RandomHandDrop', prob=0.1)]
    zero = [dict(type='ZeroMissing')]
    # Batches of one size: a small last one would disturb the batch norm.
    batches = max(1, round(len(store) / BATCH))
    epochs = int(np.clip(-(-UPDATES // batches), *EPOCHS))
    clip_len = spec.clip_len or 16
    clips = dict(type='PoseDataset', store=store.folder, split='train', layout=spec.layout)
    loader = dict(batch_size=-(-len(store) // batches), num_workers=0, collate_fn=dict(type='collate_poses'))

    def data(shuffle: bool, **options: Any) -> Dict[str, Any]:
        frames = dict(type='UniformTemporalSample', clip_len=clip_len, **options)
        return dict(
            loader,
            sampler=dict(type='DefaultSampler', shuffle=shuffle),
            dataset=dict(clips, pipeline=[frames], **options),
        )

    hooks = dict(
        timer='IterTimerHook',
        logger='LoggerHook',
        param_scheduler='ParamSchedulerHook',
        checkpoint='SafeCheckpointHook',
        sampler_seed='EpochSeedHook',
        class_count='ClassCountHook',
        load_report='LoadReportHook',
    )
    return Config(
        dict(
            default_scope='signbert_mm',
            model=dict(
                type='SignRecognizer',
                data_preprocessor=dict(
                    type='SignDataPreprocessor',
                    train_pipeline=augment + crop + detector + zero,
                    test_pipeline=crop + zero,
                ),
                embedder=model.embedder,
                backbone=model.backbone,
                head=dict(
                    type='SignHead',
                    in_channels=model.backbone.get('embed_dims', 512),
                    num_classes=len(store.glosses),
                    dropout=0.2,
                    loss=dict(type='CrossEntropyLoss', label_smoothing=0.1),
                ),
            ),
            train_dataloader=data(True),
            test_dataloader=data(False, test_mode=True),
            val_cfg=None,
            test_cfg=dict(type='TestLoop'),
            test_evaluator=dict(type='SignAccuracy', topk=(1, 5)),
            optim_wrapper=dict(
                type='OptimWrapper',
                optimizer=dict(type='AdamW', lr=1e-3, weight_decay=1e-4),
                clip_grad=dict(max_norm=5.0),
            ),
            train_cfg=dict(type='ResumableTrainLoop', max_epochs=epochs),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=20),
                dict(type='CosineAnnealingLR', T_max=epochs, by_epoch=True, convert_to_iter_based=True),
            ],
            default_hooks={key: dict(type=name) for key, name in hooks.items()},
            env_cfg=dict(cudnn_benchmark=False, mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0)),
            randomness=dict(seed=0),
            log_level='INFO',
            load_from=load_from,
        )
    )


class _ProgressHook(Hook):
    """Tells how many updates are done."""

    def __init__(self, what: str, progress: Progress) -> None:
        self.what, self.progress = what, progress

    def after_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
        self.progress(self.what, runner.iter + 1, runner.max_iters)


def train_recognizer(
    cfg: Config, what: str, progress: Progress, indices: Optional[Sequence[int]] = None
) -> nn.Module:
    """Trains on the store of a config, or on some of its clips, and writes nothing.

    Returns:
        nn.Module: The model, with ``cfg`` and ``dataset_meta``, in evaluation mode.
    """
    cfg = copy.deepcopy(cfg)
    if indices is not None:
        cfg.train_dataloader.dataset.indices = [int(index) for index in indices]
        # Of the clips that are left, so that batches stay of one size.
        batches = max(1, round(len(indices) / cfg.train_dataloader.batch_size))
        cfg.train_dataloader.batch_size = -(-len(indices) // batches)
    cfg.default_hooks.checkpoint = None
    cfg.test_cfg = cfg.test_dataloader = cfg.test_evaluator = None
    # The console shows progress instead. mmengine's hubs are global, hence a name for each run.
    cfg.log_level, cfg.experiment_name = 'ERROR', f'teach_{next(_runs)}'
    with tempfile.TemporaryDirectory(prefix='signbert_mm_teach_') as folder:
        cfg.work_dir = folder
        prepare_launch(cfg, 'none')
        runner = build_runner(cfg)
        runner.register_hook(_ProgressHook(what, progress))
        model = runner.train()
        dataset = runner.train_dataloader.dataset
        fps = common_rate(dataset.store.fps[dataset.clips])
        model.dataset_meta = dict(glosses=list(dataset.glosses), layout=dataset.layout.name, fps=fps)
        # The log file lies in the folder, which Windows and network file systems would keep.
        for handler in list(runner.logger.handlers):
            handler.close()
    return model.eval()


def finetune_estimate(
    cfg: Config, store: PoseStore, how: str, folds: Sequence[Fold], progress: Progress
) -> Estimate:
    """Trains once a fold, and asks the clips that it left out."""
    labels = store.label.astype(np.int64)
    predicted, scores = np.full(len(labels), -1), np.zeros(len(labels))
    for number, fold in enumerate(folds, 1):
        model = train_recognizer(cfg, f'fine-tuning {number} of {len(folds)}', progress, fold.train)
        rows = predict(model, cfg, store, fold.test)
        known = np.isin(labels[fold.test], labels[fold.train])
        predicted[fold.test] = np.where(known, [row.argmax() for row in rows], -1)
        scores[fold.test] = [row.max() for row in rows]
    return Estimate('finetune', how, labels, predicted, scores)


def predict(model: nn.Module, cfg: Config, store: PoseStore, indices: np.ndarray) -> List[np.ndarray]:
    """Probabilities (glosses,) of each of these clips."""
    model.cfg = cfg
    backend = TorchBackend(model, next(model.parameters()).device)
    clips = list(InputReader.store_clips(store, indices))
    batches = [clips[first : first + 32] for first in range(0, len(clips), 32)]
    return [row['scores'] for batch in batches for row in backend.predict(batch)]
