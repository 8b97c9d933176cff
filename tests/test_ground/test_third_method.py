"""A third method is one pre-trainer, its loss and its config: nothing else of the package knows of it."""

import json

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from signbert_mm.apis import SignDictionary, SignInferencer
from signbert_mm.engine.checkpoint_io import load_checkpoint_file
from signbert_mm.models import BasePretrainer
from signbert_mm.models.losses import mean_over_chosen
from signbert_mm.registry import MODELS


@MODELS.register_module()
class NextFrame(BasePretrainer):
    """Sees every second frame of a clip, and tells the hands of the frame after each.

    Args:
        embedder (dict): As in SignBERT; a config of ``MODELS``, as what follows.
        backbone (dict): Likewise.
    """

    def __init__(
        self, embedder: dict, backbone: dict, data_preprocessor: dict = None, init_cfg: dict = None
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.embedder = MODELS.build(embedder)
        self.backbone = MODELS.build(backbone)
        self.step = nn.Linear(self.backbone.embed_dims, 42)

    def losses(self, inputs: dict) -> dict:
        """``loss_next``: the distance of a joint, summed over the joints that are there."""
        hands, valid, scores = inputs['hands'], inputs['hand_valid'], inputs['hand_scores']
        even = torch.arange(hands.shape[1], device=hands.device) % 2 == 0
        seen = valid & even[:, None]  # (B, T, 2)
        tokens = self.backbone(*self.embedder(dict(inputs, hand_valid=seen)))
        told = self.step(tokens[:, :-1]).unflatten(-1, (21, 2))  # (B, T - 1, 2, 21, 2)
        return dict(loss_next=self.distance(told, hands[:, 1:], scores[:, 1:], seen[:, :-1] & valid[:, 1:]))

    @staticmethod
    def distance(told: Tensor, hands: Tensor, scores: Tensor, counts: Tensor) -> Tensor:
        """A scalar; ``counts`` (B, T - 1, 2) are the tokens that tell a hand that is there."""
        return mean_over_chosen(((told - hands).abs().sum(-1) * (scores > 0)).sum(-1), counts)


BOTH = """
_base_ = ['{configs}/schedules/signbert_60e.py', '{configs}/default_runtime.py']
_pipeline = [dict(type='HandCrop', layout='sign_49'), dict(type='MirrorLeftHand'), dict(type='ZeroMissing')]
model = dict(
    type='{model}',
    data_preprocessor=dict(type='SignDataPreprocessor', train_pipeline=_pipeline, test_pipeline=_pipeline),
    embedder=dict(type='HandTokenEmbedder', max_frames=40,
        gesture=dict(type='GestureGCN', joint_channels=(4, 8), part_channels=(8, 16))),
    backbone=dict(type='HandTransformer', embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=24),
    {head}
)
_clips = dict(type='PoseDataset', store='{store}')
_loader = dict(batch_size=4, num_workers=0, collate_fn=dict(type='collate_poses'))
train_dataloader = dict(
    _loader,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(_clips, split='train', pipeline=[dict(type='UniformTemporalSample', clip_len=6)]),
)
test_dataloader = dict(
    _loader,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(_clips, split='test', test_mode=True,
        pipeline=[dict(type='UniformTemporalSample', clip_len=6, test_mode=True)]),
)
test_evaluator = dict(type='SignAccuracy')
val_cfg = None
train_cfg = dict(max_epochs=2)
log_level = 'WARNING'
"""
KINDS = dict(
    pretrain=('NextFrame', ''),
    finetune=('SignRecognizer', "head=dict(type='SignHead', in_channels=16, num_classes=4),"),
)


@pytest.fixture
def made(root, tmp_path, make_store, run_tool):
    """Store, configs and checkpoints: pre-trained and fine-tuned by tools/train.py."""
    store = make_store(train=24, test=8, no_hand=(3,))
    files = dict(store=store)
    for kind, (model, head) in KINDS.items():
        config = tmp_path / f'{kind}.py'
        config.write_text(
            BOTH.format(configs=root / 'configs' / '_base_', store=store, model=model, head=head)
        )
        options = [] if kind == 'pretrain' else ['load_from=pretrain/epoch_2.pth']
        run_tool('train.py', config, '--work-dir', kind, '--cfg-options', 'train_cfg.max_epochs=2', *options)
        files[kind] = (str(config), str(tmp_path / kind / 'epoch_2.pth'))
    return files


def test_a_method_that_the_package_does_not_know(made, run_tool, tmp_path):
    pretrained, finetuned = (load_checkpoint_file(made[kind][1])['state_dict'] for kind in KINDS)
    encoder = {name for name in pretrained if name.startswith(('embedder.', 'backbone.'))}
    assert encoder == {name for name in finetuned if not name.startswith('head.')}
    assert all(value.isfinite().all() for value in pretrained.values())

    run_tool('analysis_tools/knn.py', *made['pretrain'], '--k', 3, '--out', 'knn.json')
    assert 0 <= json.loads((tmp_path / 'knn.json').read_text())['top1'] <= 100
    run_tool('visualization/tsne.py', *made['pretrain'], '--perplexity', 2, '--out', 'tsne.png')
    assert (tmp_path / 'tsne.png').stat().st_size > 1000
    run_tool('test.py', *made['finetune'], '--work-dir', 't', '--out', 'm.json')
    assert np.isfinite(list(json.loads((tmp_path / 'm.json').read_text()).values())).all()

    recogniser = SignInferencer(*made['finetune'], device='cpu')
    expected = recogniser(str(made['store']), split='test')['predictions']
    assert all(len(found['glosses']) == 4 and not found['reason'] for found in expected)
    own = SignInferencer(*made['pretrain'], device='cpu')
    with pytest.raises(ValueError, match='this model is a pre-trainer, which knows no glosses'):
        own(str(made['store']))
    with pytest.raises(ValueError, match='NextFrame has no hand model'):
        list(own.reconstruct(str(made['store'])))
    vectors, names = own.embed(str(made['store']), split='train', need_hands=True)
    signs = SignDictionary(own.embedder.fingerprint, vectors.shape[1])
    for vector, name in zip(vectors, names):
        signs.add(f'like {name}', vector[None], [name])
    own.dictionary = signs
    nearest = own.search(str(made['store']), split='train')
    assert [found['examples'][0] for found in nearest if not found['reason']] == names


def test_its_recogniser_is_exported(made, run_tool, tmp_path):
    for name in ('onnx', 'onnxruntime', 'onnxscript'):
        pytest.importorskip(name, reason=f'{name} is not installed: pip install -r requirements/deploy.txt')
    run_tool('deployment/export_onnx.py', *made['finetune'], 'third.onnx')
    expected = SignInferencer(*made['finetune'], device='cpu')(str(made['store']))['predictions']
    deployed = SignInferencer(tmp_path / 'third.onnx', backend='onnx', threads=1)
    assert deployed.backend.max_frames == 40
    for a, b in zip(deployed(str(made['store']))['predictions'], expected):
        assert a['glosses'] == b['glosses']
        assert np.allclose(a['all_scores'], b['all_scores'], rtol=0, atol=1e-5)
        assert np.allclose(a['attention'], b['attention'], rtol=0, atol=1e-5)
