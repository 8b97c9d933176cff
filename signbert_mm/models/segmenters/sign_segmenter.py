"""Finds where signs begin and end in long videos."""

from typing import Dict, List, Optional, Sequence

import torch
from torch import Tensor

from ...errors import UserValueError
from ...registry import MODELS
from ...structures import SignDataSample
from ..base import BaseSignModel
from ..unbatch import unbatch
from .decoding import decode_segments

# Windows that the encoder reads at once in evaluation.
_CHUNK = 32


@MODELS.register_module()
class SignSegmenter(BaseSignModel):
    """The pre-trained embedder and Transformer with a head that labels frames. (Not in the papers.)

    The encoder reads every frame, also those without a hand. A video that is longer than ``window`` is read
    in windows that overlap by half. In the overlap their probabilities are averaged, with less weight
    towards the ends of a window, where the encoder sees one side only.

    Args:
        embedder (dict): As in :class:`SignBERT`; a config of ``MODELS`` like all that follow.
        backbone (dict): As in :class:`SignBERT`.
        head (dict): ``(tokens, valid, real) -> logits`` (B, T, 3), with ``loss``, see :class:`SegmentHead`.
        window (int): Frames that the encoder sees at once; those of training.
        threshold, begin, min_frames: See :func:`decode_segments`.
        frozen (Sequence[str]): Those of 'embedder' and 'backbone' that are not trained.
        data_preprocessor (dict): Crop, mirror, augment, zero missing.

    Modes: 'tensor' gives probabilities (B, T, 3) of outside, begin and inside; 'loss' a dict of losses, of
    batches with ``frame_label`` (:class:`SplicedSigns`); 'predict' one :class:`SignDataSample` a video with
    ``frame_scores`` (T, 3), ``segments`` (N, 3): start, end (exclusive) in frames, and score; and, where the
    batch has ``spans``, these as ``gt_segments`` (S, 3): start, end, gloss.

    Raises:
        ValueError: An option is out of range, or widths differ.
    """

    finds_signs = True

    def __init__(
        self,
        embedder: dict,
        backbone: dict,
        head: dict,
        window: int = 96,
        threshold: float = 0.5,
        begin: float = 0.5,
        min_frames: int = 3,
        frozen: Sequence[str] = (),
        data_preprocessor: Optional[dict] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        if window < 2 or min_frames < 1 or not (0 < threshold <= 1 and 0 < begin <= 1):
            raise UserValueError(
                'SignSegmenter: window is at least 2, min_frames at least 1, threshold and begin in (0, 1]; '
                f'got {window}, {min_frames}, {threshold} and {begin}'
            )
        self.build_classifier(embedder, backbone, head, frozen)
        self.window, self.threshold, self.begin, self.min_frames = window, threshold, begin, min_frames

    def losses(self, inputs: dict) -> Dict[str, Tensor]:
        """Mode 'loss': the head's losses.

        Raises:
            ValueError: The batch has no labels of frames.
        """
        if 'frame_label' not in inputs:
            raise UserValueError(
                'SignSegmenter: the batch has no `frame_label`; train on a data set that labels frames, such '
                'as SplicedSigns'
            )
        return self.head.loss(*self.extract_tokens(inputs), _real(inputs), inputs['frame_label'])

    def outputs(self, inputs: dict) -> Tensor:
        """Mode 'tensor': probabilities (B, T, 3) in float32."""
        frames, step = inputs['hands'].shape[1], self.window // 2
        if frames <= self.window:
            return self._probabilities(inputs)
        starts = range(0, frames - self.window + step, step)
        total = starts[-1] + self.window
        timed = {
            key: _padded(value, total)
            for key, value in inputs.items()
            if isinstance(value, Tensor) and value.ndim > 1 and value.shape[1] == frames
        }
        length = inputs['length']
        place = torch.arange(self.window, device=length.device)
        ramp = 1.0 + torch.minimum(place, place.flip(0))[:, None]
        probabilities = inputs['hands'].new_zeros(len(length), total, 3, dtype=torch.float32)
        weights = probabilities.new_zeros(len(length), total, 1)
        # Windows of all videos of the batch are rows of one batch, some at a time.
        for some in (starts[first : first + _CHUNK] for first in range(0, len(starts), _CHUNK)):
            rows = {
                key: torch.cat([value[:, start : start + self.window] for start in some])
                for key, value in timed.items()
            }
            rows['length'] = torch.cat([(length - start).clamp(0, self.window) for start in some])
            pieces = self._probabilities(rows).chunk(len(some))
            for start, piece in zip(some, pieces):
                # Whether a video needs this window does not depend on the others of the batch.
                needed = (start == 0) | (start - step + self.window < length)
                weight = ramp * needed[:, None, None]
                probabilities[:, start : start + self.window] += piece * weight
                weights[:, start : start + self.window] += weight
        return (probabilities / weights.clamp(min=1.0))[:, :frames]

    def _probabilities(self, inputs: dict) -> Tensor:
        logits = self.head(*self.extract_tokens(inputs), _real(inputs))
        return logits.float().softmax(-1)

    def predictions(self, inputs: dict) -> List[SignDataSample]:
        """Mode 'predict'; see the class."""
        samples = unbatch(dict(frame_scores=self.outputs(inputs)), inputs)
        for row, sample in enumerate(samples):
            found = decode_segments(sample.frame_scores.numpy(), self.threshold, self.begin, self.min_frames)
            sample.segments = torch.tensor(found, dtype=torch.float64).reshape(-1, 3)
            if 'spans' in inputs:
                spans = inputs['spans'][row].cpu()
                sample.gt_segments = spans[spans[:, 1] > 0]
        return samples


def _padded(value: Tensor, frames: int) -> Tensor:
    """Adds zeros at the end of axis 1."""
    missing = value.new_zeros(len(value), frames - value.shape[1], *value.shape[2:])
    return torch.cat([value, missing], dim=1)


def _real(inputs: dict) -> Tensor:
    """Shape (B, T) bool: not padding."""
    place = torch.arange(inputs['hands'].shape[1], device=inputs['hands'].device)
    return place < inputs['length'][:, None]
