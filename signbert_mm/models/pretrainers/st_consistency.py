"""Pre-training by spatial-temporal consistency (ST-Consistency, Zhao et al., TIP 2024)."""

import copy
from typing import Dict, Mapping, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from mmengine.model import ModuleDict
from torch import Tensor, nn

from ...errors import UserValueError
from ...names import as_names
from ...registry import MODELS
from ..banks import MemoryBank
from ..base import BasePretrainer
from ..momentum import momentum_update
from .st_consistency_checks import PARTS, check_anchors, check_encoder_widths, check_objectives

OVERALL = 'overall'
Vectors = Dict[str, Tensor]


@MODELS.register_module()
class STConsistency(BasePretrainer):
    """Contrastive pre-training on two views of a clip, each as joints and as motion.

    L = sum over modalities of w (L_CL + L_con) + L_KT (eq. 8). Query encoders read the first view. Key
    encoders, their moving average, read the second. Gradient goes through the queries alone. z are the
    projected vectors of hand and trunk. The overall vector of eqs. 4 to 7 is their sum, as the anchors are
    (S = M_h + M_tr, eq. 4). With ``overall_bank`` it is the projection of the pooled f_h + f_tr.

    A clip without any hand, or without any trunk joint, has a vector of zeros for that part. It adds nothing
    to a sum, is no negative, and does not count in that part's losses. Unwritten slots of a bank are no keys
    either, so the first losses are over a short bank.

    Normalisation in the key encoders is not given in the paper:

    - ``key_mode='train'``: by the statistics of the key batch, with dropout, as in the query encoders. Keys
      and queries of one batch are of the same clips; MoCo's shuffling is not built.
    - 'eval': by the moving average of the query encoders' statistics, without dropout. A key then depends on
      its clip alone. The average begins at mean 0 and variance 1 and needs some 1 / (1 - m) steps. Until then
      the keys of a part with little variance (the trunk's) are nearly alike (in our runs still after 120).

    Each process has its own statistics, unless the norms share them (:class:`TokenBatchNorm`, ``sync``).

    Batches whose gradients are accumulated (``accumulative_counts``) are one step. The key encoders move
    once, before its first batch. All its batches are compared with the banks as they were before it. This
    equals the step of one large batch, except for the statistics of batch norm. The train loop marks where a
    step begins (:meth:`enter_batch`), as :class:`ResumableTrainLoop` does. Under another loop every batch
    counts as a step.

    Args:
        encoder (dict): ``(hands, trunk, hand_valid, frame_valid, trunk_valid)`` -> dict of ``hand`` and
            ``trunk`` (B, C), built for each modality; a config of ``MODELS`` like all that follow.
        projector (dict): C -> D, of length 1; built for each modality and part.
        modalities (Sequence[str]): One or both of 'joint' and 'motion'.
        parts (Sequence[str]): One or both of 'hand' and 'trunk': what the encoder gives and the losses use.
        bank (dict): :class:`MemoryBank` for the parts; its ``channels`` and ``groups`` are set here.
        overall_bank (dict, optional): The variant of the authors' code. The overall vector has a projector, a
            bank and an InfoNCE of its own, and this bank holds the anchors of the transfer.
        momentum (float): m of the key encoders; 0.99 in the paper, 0.999 in the authors' code.
        key_mode (str): 'train' or 'eval', see above.
        weights (Mapping[str, float], optional): w for each modality. None = equal with sum 1, so 0.5 and 0.5
            in the paper.
        loss_contrast (dict, optional): L_CL (eq. 2); None = off, like the next two.
        loss_consistency (dict, optional): L_con (eq. 3).
        loss_transfer (dict, optional): L_KT (eqs. 5 to 7).
        data_preprocessor (dict): Gives ``views``, two in training. Each has ``joint`` and ``motion`` =
            dict(hands (B, T, 2, 21, 2), trunk (B, T, 7, 2)), ``hand_valid`` (B, T, 2), ``frame_valid`` and
            ``trunk_valid`` (B, T) bool; see :class:`MakeViews`.

    Modes: 'tensor' gives :meth:`extract_features`, 'loss' a dict of losses that sum to L, 'predict' one
    :class:`SignDataSample` a clip with ``features``.

    Raises:
        ValueError: All objectives are off, one lacks what it compares, a bank is smaller than the number of
            anchors, or widths differ.
    """

    encoder_parts = ('encoders',)

    def __init__(
        self,
        encoder: dict,
        projector: dict,
        modalities: Sequence[str] = ('joint', 'motion'),
        parts: Sequence[str] = PARTS,
        bank: Optional[dict] = None,
        overall_bank: Optional[dict] = None,
        momentum: float = 0.99,
        key_mode: str = 'train',
        weights: Optional[Mapping[str, float]] = None,
        loss_contrast: Optional[dict] = None,
        loss_consistency: Optional[dict] = None,
        loss_transfer: Optional[dict] = None,
        data_preprocessor: Optional[dict] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        if key_mode not in ('eval', 'train') or not 0 <= momentum < 1:
            raise UserValueError(
                "STConsistency: key_mode is 'eval' or 'train' and momentum is from 0 up to, not including, "
                f'1; got {key_mode!r} and {momentum}'
            )
        self.modalities, self.parts = as_names(modalities), as_names(parts)
        self.momentum, self.key_mode = momentum, key_mode
        # Stays True under a loop that does not call `enter_batch`: every batch is a step then.
        self.begins_step = True
        self.weights = (
            dict(weights)
            if weights is not None
            else dict.fromkeys(self.modalities, 1 / max(len(self.modalities), 1))
        )
        self.loss_contrast, self.loss_consistency, self.loss_transfer = (
            MODELS.build(loss) if loss else None for loss in (loss_contrast, loss_consistency, loss_transfer)
        )
        check_objectives(self, overall_bank is not None)
        self.encoders = ModuleDict({modality: MODELS.build(encoder) for modality in self.modalities})
        names = self.parts + ((OVERALL,) if overall_bank is not None else ())
        self.projectors = ModuleDict(
            {
                modality: ModuleDict({name: MODELS.build(projector) for name in names})
                for modality in self.modalities
            }
        )
        check_encoder_widths(self)
        # Checkpoints hold the key encoders too, so a resumed run continues with them.
        self.key_encoders = _frozen_copy(self.encoders)
        self.key_projectors = _frozen_copy(self.projectors)
        self.bank = self._build_bank(bank, self.parts)
        self.overall_bank = self._build_bank(overall_bank, (OVERALL,)) if overall_bank is not None else None
        check_anchors(self)

    def _build_bank(self, config: Optional[dict], names: Sequence[str]) -> MemoryBank:
        # All projectors are of one config, so any of them gives the length of a key.
        projector = next(iter(next(iter(self.projectors.values())).values()))
        groups = [f'{modality}_{name}' for modality in self.modalities for name in names]
        return MODELS.build(
            dict(dict(type='MemoryBank'), **(config or {}), channels=projector.out_channels, groups=groups)
        )

    def init_weights(self) -> None:
        """Initialises as mmengine does; the key encoders begin as copies of the query encoders."""
        super().init_weights()
        self.update_keys(momentum=0.0)

    def add_keys(self, weights: dict, prefix: str = '') -> None:
        """Adds the key encoders' weights to a checkpoint that has the query encoders' alone, as their copies.

        A recogniser's checkpoint is one. Otherwise its encoders would meet random keys.

        Args:
            weights (dict): Tensors by name, which is changed in place.
            prefix (str): Before the names.
        """
        for name, value in list(weights.items()):
            part = name[len(prefix) :]
            if name.startswith(prefix) and part.startswith(('encoders.', 'projectors.')):
                weights.setdefault(f'{prefix}key_{part}', copy.deepcopy(value))

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args) -> None:
        # Before the parts read their weights; mmengine's loader calls this one too.
        self.add_keys(state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *args)

    def train(self, mode: bool = True) -> 'STConsistency':
        """Sets the mode; key encoders stay in evaluation mode unless ``key_mode='train'``."""
        super().train(mode)
        if self.key_mode == 'eval':
            self.key_encoders.eval()
            self.key_projectors.eval()
        return self

    def enter_batch(self, begins: bool, ends: bool) -> None:
        """Tells the place of the next training batch in a step of the optimizer.

        Args:
            begins (bool): It is the first batch of the step.
            ends (bool): It is the last.
        """
        self.begins_step = begins
        # A step of several batches is compared with the keys from before it. A step of one needs no copy.
        if begins and not ends:
            for bank in (self.bank, self.overall_bank):
                if bank is not None:
                    bank.hold()

    def update_keys(self, momentum: Optional[float] = None) -> None:
        """One step of the key encoders towards the query encoders: key = m key + (1 - m) query."""
        momentum = self.momentum if momentum is None else momentum
        for key, query in ((self.key_encoders, self.encoders), (self.key_projectors, self.projectors)):
            # With key_mode='train' the key encoders gather their own statistics, after the first copy.
            momentum_update(key, query, momentum, buffers=self.key_mode == 'eval' or momentum == 0.0)

    def extract_features(self, inputs: dict) -> Tensor:
        """The vector (B, M C) that kNN compares, from the first view.

        The pooled f_h + f_tr of each of M modalities, scaled to length 1, side by side.
        """
        view = _views(inputs, 1)[0]
        present = self._present(view)
        pooled = [
            self._sum(self._pool(self.encoders[modality], view, modality), present)
            for modality in self.modalities
        ]
        return torch.cat([F.normalize(vectors.float(), dim=-1) for vectors in pooled], dim=-1)

    def _sum(self, pooled: Vectors, present: Vectors) -> Tensor:
        """f_h + f_tr (B, C) over the parts that a clip shows."""
        return sum(pooled[part] * present[part][:, None] for part in self.parts)

    @staticmethod
    def _pool(encoder: nn.Module, view: dict, modality: str) -> Vectors:
        return encoder(
            view[modality]['hands'],
            view[modality]['trunk'],
            view['hand_valid'],
            view['frame_valid'],
            view['trunk_valid'],
        )

    def _present(self, view: dict) -> Vectors:
        """Which clips show each part in any frame, shape (B,) bool each."""
        shown = dict(hand=view['hand_valid'].flatten(1).any(1), trunk=view['trunk_valid'].any(1))
        present = {part: shown[part] for part in self.parts}
        if self.overall_bank is not None:
            present[OVERALL] = torch.stack(list(present.values())).any(0)
        return present

    def embed(self, view: dict, modality: str, present: Vectors, key: bool = False) -> Vectors:
        """z (B, D) of each part (and overall) in one modality; zeros where a clip does not show the part.

        Args:
            view (dict): See the class.
            modality (str): 'joint' or 'motion'.
            present (dict[str, Tensor]): Shape (B,) bool each.
            key (bool): Use the key encoders.
        """
        encoders, projectors = (
            (self.key_encoders, self.key_projectors) if key else (self.encoders, self.projectors)
        )
        pooled = dict(self._pool(encoders[modality], view, modality))
        if self.overall_bank is not None:
            pooled[OVERALL] = self._sum(pooled, present)
        return {
            name: projector(pooled[name]) * present[name][:, None]
            for name, projector in projectors[modality].items()
        }

    def losses(self, inputs: dict) -> dict:
        """Mode 'loss': scalars whose sum is eq. 8; in training the keys then go into the banks.

        Returns:
            dict: ``loss_contrast_<modality>``, ``loss_consistency_<modality>`` and ``loss_transfer``, those
            that are in use.
        """
        query_view, key_view = _views(inputs, 2)
        present = dict(query=self._present(query_view), key=self._present(key_view))
        queries = {
            modality: self.embed(query_view, modality, present['query']) for modality in self.modalities
        }
        with torch.no_grad():
            # The key encoders move before they read the batch, as in MoCo.
            if self.training and self.begins_step:
                self.update_keys()
            keys = {
                modality: self.embed(key_view, modality, present['key'], key=True)
                for modality in self.modalities
            }
        # Later batches of a step are compared with the banks as they were at its first batch.
        continues_step = self.training and not self.begins_step
        banks = {
            **self.bank.snapshot(continues_step),
            **(self.overall_bank.snapshot(continues_step) if self.overall_bank is not None else {}),
        }
        # A clip counts in a part's losses only where both of its views show that part.
        counts = {name: present['query'][name] & present['key'][name] for name in present['query']}
        # In half precision the temperatures of the softmaxes would cost digits.
        with torch.autocast(next(iter(counts.values())).device.type, enabled=False):
            losses = self._objectives(queries, keys, banks, counts)
        # After the losses: a clip's key must not be among its own negatives.
        if self.training:
            self.bank.push(
                {
                    f'{modality}_{part}': keys[modality][part]
                    for modality in self.modalities
                    for part in self.parts
                }
            )
            if self.overall_bank is not None:
                self.overall_bank.push(
                    {f'{modality}_{OVERALL}': keys[modality][OVERALL] for modality in self.modalities}
                )
        return losses

    def _objectives(
        self, queries: Dict[str, Vectors], keys: Dict[str, Vectors], banks: Vectors, counts: Vectors
    ) -> dict:
        losses = {}
        for modality in self.modalities:
            query, key, weight = queries[modality], keys[modality], self.weights[modality]
            if self.loss_contrast is not None:
                terms = [
                    self.loss_contrast(query[name], key[name], banks[f'{modality}_{name}'], counts[name])
                    for name in query
                ]
                losses[f'loss_contrast_{modality}'] = weight * sum(terms)
            if self.loss_consistency is not None:
                # The loss takes (hand, trunk) of the queries, of the keys and of the banks.
                pairs = [tuple(vectors[part] for part in PARTS) for vectors in (query, key)]
                both = counts['hand'] & counts['trunk']
                part_banks = tuple(banks[f'{modality}_{part}'] for part in PARTS)
                losses[f'loss_consistency_{modality}'] = weight * self.loss_consistency(
                    *pairs, part_banks, both
                )
        if self.loss_transfer is not None:
            query, key = (
                tuple(self._overall(side[modality]) for modality in self.modalities)
                for side in (queries, keys)
            )
            # The anchors S (eq. 4). A slot holds the same clip in every ring, so rings can be added.
            anchors = tuple(
                self._overall({name: banks[f'{modality}_{name}'] for name in counts})
                for modality in self.modalities
            )
            shows_any = torch.stack(list(counts.values())).any(0)
            losses['loss_transfer'] = self.loss_transfer(query, key, anchors, shows_any)
        return losses

    def _overall(self, vectors: Vectors) -> Tensor:
        """The overall vector of eqs. 4 to 7."""
        return (
            vectors[OVERALL] if self.overall_bank is not None else sum(vectors[part] for part in self.parts)
        )


def _frozen_copy(modules: nn.Module) -> nn.Module:
    return copy.deepcopy(modules).requires_grad_(False)


def _views(inputs: dict, count: int) -> Tuple[dict, ...]:
    """The first ``count`` views of a batch.

    Raises:
        ValueError: There are fewer.
    """
    views = inputs.get('views', ())
    if len(views) < count:
        raise UserValueError(
            f'STConsistency: {count} view{"s" * (count > 1)} of each clip needed, and the batch has '
            f'{len(views)}. The pipelines of '
            'model.data_preprocessor must make `views`; see configs/_base_/models/st_consistency_pretrain.py'
        )
    return tuple(views[:count])
