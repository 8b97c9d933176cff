"""Recognisers of mmaction2 in this house: P (full keypoints) and R (RGB) of the papers' tables."""

import copy
from typing import List, Optional, Union

from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ...errors import UserKeyError, UserValueError
from ...layouts import get_layout, inward_edges
from ...registry import MODELS
from ...structures import SignDataSample
from ..unbatch import unbatch


@MODELS.register_module()
class MMActionRecognizer(BaseModel):
    """A recogniser of mmaction2, built by mmaction2, that reads this house's batches and gives its
    predictions.

    Args:
        model (dict): Config of a recogniser as in mmaction2, without ``data_preprocessor``: ``RecognizerGCN``
            over ``STGCN``, ``Recognizer3D`` over ``ResNet3d``; parts are named as there, without a scope.
        input_key (str): What it reads from the batch: 'skeleton' (B, M, T, V, C) of :class:`SkeletonInput`,
            which gets an axis of one clip, or 'imgs' (B, clips, C, T, H, W).
        layout (str, optional): Joints of the skeleton; sets ``model.backbone.graph_cfg.layout`` to the
            layout's tree, so that the two cannot differ.
        centre (str): Root of that tree.
        data_preprocessor (dict): What makes ``input_key``.

    A checkpoint of mmaction2's own fits through ``load_from``: its ``backbone.*`` and ``cls_head.*`` are read
    as those of ``model``.

    Modes: 'tensor' gives logits (B, num_classes), several clips of one sample averaged as the head's
    ``average_clips`` says for scores; 'loss' the head's loss, with its ``label_smooth_eps``; 'predict' one
    :class:`SignDataSample` a clip with ``pred_scores`` (num_classes,) that sum to 1 and ``pred_label``.

    Raises:
        ModuleNotFoundError: mmaction2 is not installed; says how to install it.
    """

    head_key = 'model.model.cls_head'
    """Of :attr:`head` in the config."""
    foreign_part = 'model'
    """The part whose weights other tools save without this name before theirs."""

    def __init__(
        self,
        model: dict,
        input_key: str = 'skeleton',
        layout: Optional[str] = None,
        centre: str = 'nose',
        data_preprocessor: Optional[dict] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(
            MODELS.build(data_preprocessor) if isinstance(data_preprocessor, dict) else data_preprocessor,
            init_cfg,
        )
        from ...compat import import_mmaction

        import_mmaction()
        from mmaction.registry import MODELS as MMACTION

        config = copy.deepcopy(dict(model))
        if layout is not None:
            joints = get_layout(layout)
            (root,) = joints.indices([centre])
            config['backbone']['graph_cfg'] = dict(
                config['backbone'].get('graph_cfg', {}),
                layout=dict(
                    num_node=joints.num_joints, inward=list(inward_edges(joints, centre)), center=root
                ),
            )
        self.model = MMACTION.build({**config, '_scope_': 'mmaction'})
        self.input_key = input_key

    def init_weights(self) -> None:
        """Random weights as mmaction2 sets them."""
        self.model.init_weights()

    @property
    def head(self) -> nn.Module:
        """mmaction2's head; ``num_classes`` is its number of classes."""
        return self.model.cls_head

    def logits(self, inputs: dict) -> Tensor:
        """Shape (B, clips, num_classes)."""
        if self.input_key not in inputs:
            raise UserKeyError(
                f'MMActionRecognizer: the batch has no {self.input_key!r}; it has {sorted(inputs)}. Add the '
                'transform that makes it to '
                'data_preprocessor (SkeletonInput makes skeleton)'
            )
        data = inputs[self.input_key]
        if self.input_key == 'skeleton':
            data = data[:, None]  # one clip
        scores, _ = self.model.extract_feat(data, stage='head')
        return scores.view(len(data), -1, scores.shape[-1])

    def forward(
        self, inputs: dict, data_samples: Optional[list] = None, mode: str = 'tensor'
    ) -> Union[Tensor, dict, List[SignDataSample]]:
        """See the class."""
        logits = self.logits(inputs)
        if mode == 'loss':
            head, label = self.model.cls_head, inputs['label'].repeat_interleave(logits.shape[1])
            if head.label_smooth_eps:
                label = (
                    one_hot(label, logits.shape[-1]) * (1 - head.label_smooth_eps)
                    + head.label_smooth_eps / logits.shape[-1]
                )
            return dict(loss_cls=head.loss_cls(logits.flatten(0, 1), label))
        if mode == 'tensor':
            return logits.mean(1)
        if mode == 'predict':
            by_score = getattr(self.model.cls_head, 'average_clips', 'prob') != 'score'
            scores = logits.float().softmax(-1).mean(1) if by_score else logits.float().mean(1).softmax(-1)
            return unbatch(
                dict(pred_scores=scores, pred_label=scores.argmax(-1)),
                inputs,
                per_clip=('pred_scores', 'pred_label'),
            )
        raise UserValueError(f"MMActionRecognizer: mode must be 'tensor', 'loss' or 'predict', got {mode!r}")
