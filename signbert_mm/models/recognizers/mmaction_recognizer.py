"""Recognisers of mmaction2 on our batches: P (full keypoints) and R (RGB) of the papers' tables."""

import copy
from typing import Dict, List, Optional

from torch import Tensor, nn
from torch.nn.functional import one_hot

from ...errors import UserKeyError
from ...layouts import get_layout, inward_edges
from ...registry import MODELS
from ...structures import SignDataSample
from ..base import BaseRecognizer


@MODELS.register_module()
class MMActionRecognizer(BaseRecognizer):
    """A recogniser that mmaction2 builds, on the batches of this project.

    Args:
        model (dict): Config of a recogniser as in mmaction2, without ``data_preprocessor``, for instance
            ``RecognizerGCN`` over ``STGCN`` or ``Recognizer3D`` over ``ResNet3d``. Types have no scope.
        input_key (str): The batch entry to read: 'skeleton' (B, M, T, V, C) of :class:`SkeletonInput`, or
            'imgs' (B, clips, C, T, H, W).
        layout (str, optional): Joints of the skeleton. Sets ``model.backbone.graph_cfg.layout`` to the
            layout's tree, so that the two cannot differ.
        centre (str): Root of that tree.
        data_preprocessor (dict): Makes ``input_key``.

    A checkpoint of mmaction2 itself loads through ``load_from``: its ``backbone.*`` and ``cls_head.*`` are
    read as those of ``model``.

    Modes: 'tensor' gives logits (B, num_classes), 'loss' the head's loss with its ``label_smooth_eps``,
    'predict' one :class:`SignDataSample` a clip with ``pred_scores`` (num_classes,) that sum to 1 and
    ``pred_label``. Several clips of one sample are averaged. For 'predict' the head's ``average_clips`` says
    whether before or after the softmax.

    Raises:
        ModuleNotFoundError: mmaction2 is not installed; says how to install it.
    """

    encoder_parts = ()
    head_key = 'model.model.cls_head'
    foreign_part = 'model'
    exportable = False
    attends = False

    def __init__(
        self,
        model: dict,
        input_key: str = 'skeleton',
        layout: Optional[str] = None,
        centre: str = 'nose',
        data_preprocessor: Optional[dict] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        # mmaction2 is optional, so it is imported only where a model needs it.
        from ...compat import import_mmaction

        import_mmaction()
        from mmaction.registry import MODELS as MMACTION

        # The caller's config must not change.
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
        """Sets random weights as mmaction2 does."""
        self.model.init_weights()

    @property
    def head(self) -> nn.Module:
        """mmaction2's head; ``num_classes`` is its number of classes."""
        return self.model.cls_head

    def logits(self, inputs: dict) -> Tensor:
        """Logits (B, clips, num_classes)."""
        if self.input_key not in inputs:
            raise UserKeyError(
                f'MMActionRecognizer: the batch has no {self.input_key!r}; it has {sorted(inputs)}. Add the '
                'transform that makes it to '
                'data_preprocessor (SkeletonInput makes skeleton)'
            )
        data = inputs[self.input_key]
        if self.input_key == 'skeleton':
            # (B, 1, M, T, V, C): one clip a sample
            data = data[:, None]
        scores, _ = self.model.extract_feat(data, stage='head')
        return scores.view(len(data), -1, scores.shape[-1])

    def outputs(self, inputs: dict) -> Tensor:
        """Logits (B, num_classes), the mean of a sample's clips."""
        return self.logits(inputs).mean(1)

    def losses(self, inputs: dict) -> Dict[str, Tensor]:
        """Mode 'loss': ``loss_cls`` of the head."""
        logits = self.logits(inputs)
        head, label = self.head, inputs['label'].repeat_interleave(logits.shape[1])
        # mmaction2's head does this inside its own `loss`, which takes its own data samples.
        if head.label_smooth_eps:
            label = (
                one_hot(label, logits.shape[-1]) * (1 - head.label_smooth_eps)
                + head.label_smooth_eps / logits.shape[-1]
            )
        return dict(loss_cls=head.loss_cls(logits.flatten(0, 1), label))

    def predictions(self, inputs: dict) -> List[SignDataSample]:
        """Mode 'predict'; see the class."""
        logits = self.logits(inputs).float()
        # 'score' averages logits, 'prob' averages probabilities.
        if getattr(self.head, 'average_clips', 'prob') == 'score':
            return self.samples(logits.mean(1).softmax(-1), inputs)
        return self.samples(logits.softmax(-1).mean(1), inputs)
