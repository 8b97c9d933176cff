"""What the pre-trainers and the recognisers of all methods share."""

from typing import List, Optional, Sequence, Tuple, Union

from mmengine.model import BaseModel
from torch import Tensor, nn

from ..errors import UserTypeError, UserValueError
from ..names import as_names
from ..registry import MODELS
from ..structures import SignDataSample
from .attention_pool import mean_pool
from .unbatch import unbatch
from .widths import check_widths


class BaseSignModel(BaseModel):
    """A model of sign clips: its data preprocessor, its three modes, and its encoder's features.

    A subclass gives :meth:`losses`, :meth:`outputs` and :meth:`predictions`, one for each mode.

    Most models have an ``embedder``, ``(batch) -> tokens, valid``, and a ``backbone``,
    ``(tokens, valid) -> tokens``. Their features need no further code. A model without these defines
    :meth:`extract_features` and names its ``encoder_parts``.

    Code outside of ``models`` reads these attributes and never tests for a class.

    Attributes:
        recognises (bool): The model names signs.
        finds_signs (bool): The model finds signs in time: mode 'predict' gives ``segments``.
        encoder_parts (Sequence[str]): Submodules that make its features.
        frozen: What is not trained, as its config says; () or False = nothing.
        head_key (str): The head's key in the config.
        foreign_part (str): The submodule whose weights other libraries save without its name as a prefix.
        hand_model (Module, optional): The hand model that rebuilds hands.

    Args:
        data_preprocessor (dict, optional): A config of ``MODELS``, or what it builds.
    """

    recognises = False
    finds_signs = False
    encoder_parts: Sequence[str] = ('embedder', 'backbone')
    frozen: Union[bool, Tuple[str, ...]] = ()
    head_key = 'model.head'
    foreign_part = ''
    hand_model: Optional[nn.Module] = None
    _frozen_parts: Tuple[str, ...] = ()

    def __init__(
        self, data_preprocessor: Union[dict, nn.Module, None] = None, init_cfg: Optional[dict] = None
    ) -> None:
        # mmengine would build it from its own registry wherever no default scope is set.
        if isinstance(data_preprocessor, dict):
            data_preprocessor = MODELS.build(data_preprocessor)
        super().__init__(data_preprocessor, init_cfg)

    def forward(
        self, inputs: dict, data_samples: Optional[list] = None, mode: str = 'tensor'
    ) -> Union[Tensor, dict, List[SignDataSample]]:
        """Runs a batch in one of three modes.

        Args:
            inputs (dict): The batch from the data preprocessor.
            data_samples: mmengine passes it; nothing here reads it.
            mode (str): 'tensor': the network's output; 'loss': a dict of losses; 'predict': one
                :class:`SignDataSample` a clip.

        Raises:
            ValueError: Another mode.
        """
        if mode == 'tensor':
            return self.outputs(inputs)
        if mode == 'loss':
            return self.losses(inputs)
        if mode == 'predict':
            return self.predictions(inputs)
        raise UserValueError(
            f"{type(self).__name__}: mode must be 'tensor', 'loss' or 'predict', got {mode!r}"
        )

    def outputs(self, inputs: dict) -> Union[Tensor, dict]:
        """Mode 'tensor'."""
        raise NotImplementedError

    def losses(self, inputs: dict) -> dict:
        """Mode 'loss': scalars whose sum is minimised."""
        raise NotImplementedError

    def predictions(self, inputs: dict) -> List[SignDataSample]:
        """Mode 'predict'."""
        raise NotImplementedError

    def build_classifier(self, embedder: dict, backbone: dict, head: dict, frozen: Sequence[str]) -> None:
        """Builds an encoder and a head over it; see :class:`SignRecognizer` for the arguments.

        Raises:
            ValueError: ``frozen`` names something else, or widths differ.
        """
        frozen = as_names(frozen)
        unknown = set(frozen) - {'embedder', 'backbone'}
        if unknown:
            raise UserValueError(
                f"{type(self).__name__}: frozen may name 'embedder' and 'backbone', got {sorted(unknown)}"
            )
        self.embedder = MODELS.build(embedder)
        self.backbone = MODELS.build(backbone)
        self.head = MODELS.build(head)
        check_widths(self, 'head')
        # `LoadReportHook` reads this: frozen parts must not stay random.
        self.frozen = frozen
        self.freeze(self.frozen)

    def freeze(self, parts: Sequence[str]) -> None:
        """Excludes these submodules from training and keeps them in evaluation mode."""
        self._frozen_parts = tuple(parts)
        for name in self._frozen_parts:
            getattr(self, name).requires_grad_(False)

    def train(self, mode: bool = True) -> 'BaseSignModel':
        """Sets the mode of all but the frozen parts."""
        super().train(mode)
        # Frozen parts keep dropout off and their running statistics unchanged.
        for name in self._frozen_parts:
            getattr(self, name).eval()
        return self

    @property
    def gives_tokens(self) -> bool:
        """Whether :meth:`extract_tokens` works: it needs an embedder and a backbone."""
        return hasattr(self, 'embedder') and hasattr(self, 'backbone')

    @property
    def gives_features(self) -> bool:
        """Whether :meth:`extract_features` works."""
        own = type(self).extract_features is not BaseSignModel.extract_features
        return own or self.gives_tokens

    @property
    def max_frames(self) -> Optional[int]:
        """The longest clip that the model takes, in frames; None = any."""
        return getattr(getattr(self, 'embedder', None), 'max_frames', None)

    def extract_tokens(self, inputs: dict) -> Tuple[Tensor, Tensor]:
        """Contextualised tokens (B, T, 2, C), and which of them are valid (B, T, 2).

        Raises:
            TypeError: The model has no embedder and backbone.
        """
        if not self.gives_tokens:
            raise UserTypeError(f'{type(self).__name__} has no embedder and backbone, so it gives no tokens')
        tokens, valid = self.embedder(inputs)
        return self.backbone(tokens, valid), valid

    def extract_features(self, inputs: dict) -> Tensor:
        """The vector (B, C) that kNN compares: the mean of a clip's valid tokens."""
        return mean_pool(*self.extract_tokens(inputs))


class BasePretrainer(BaseSignModel):
    """A model that learns without labels; a subclass gives :meth:`losses`.

    Modes: 'tensor' gives :meth:`extract_features`, 'loss' a dict of losses, 'predict' one
    :class:`SignDataSample` a clip with ``features``. A subclass may give more.
    """

    def extract_tokens(self, inputs: dict) -> Tuple[Tensor, Tensor]:
        """As :meth:`BaseSignModel.extract_tokens`; of a masked batch it reads the unmasked pose."""
        if 'target' in inputs:
            inputs = dict(inputs, hands=inputs['target'])
        return super().extract_tokens(inputs)

    def outputs(self, inputs: dict) -> Union[Tensor, dict]:
        """See :meth:`extract_features`."""
        return self.extract_features(inputs)

    def predictions(self, inputs: dict) -> List[SignDataSample]:
        """One sample a clip with ``features``."""
        return unbatch(dict(features=self.extract_features(inputs)), inputs, per_clip=('features',))


class BaseRecognizer(BaseSignModel):
    """A model that names the sign of a clip; a subclass gives :meth:`classify` and :meth:`losses`.

    Modes: 'tensor' gives logits (B, num_classes), 'loss' a dict of losses, 'predict' one
    :class:`SignDataSample` a clip with ``pred_scores`` (num_classes,) that sum to 1, ``pred_label`` and,
    where the model has it, ``attention`` (T, 2) and ``known_odds``, see :meth:`split_unknown`.

    Attributes:
        exportable (bool): :meth:`classify` and the test pipeline can become one ONNX graph.
        one_length (bool): The graph takes clips of one length only. The test pipeline resamples them to it.
        attends (bool): :meth:`classify` gives attention.
    """

    recognises = True
    exportable = True
    one_length = False
    attends = True

    @property
    def num_unknown(self) -> int:
        """Outputs of the head behind those of the glosses, for what is outside of the vocabulary."""
        return getattr(getattr(self, 'head', None), 'num_unknown', 0)

    @property
    def trained_unknown(self) -> int:
        """How many of these the training data have labels for."""
        return getattr(getattr(self, 'head', None), 'trained_unknown', self.num_unknown)

    def classify(self, inputs: dict, attention: bool = True) -> Tuple[Tensor, Optional[Tensor]]:
        """Logits (B, num_classes + num_unknown), and the attention (B, T, 2) that pools the hands, if any.

        Args:
            inputs (dict): A batch.
            attention (bool): Return the attention. With False a model may return None for it.
        """
        raise NotImplementedError

    def split_unknown(self, logits: Tensor) -> Tuple[Tensor, Optional[Tensor]]:
        """Logits of the glosses, and how much speaks for a sign of the vocabulary.

        Args:
            logits (Tensor): Shape (B, num_classes + num_unknown).

        Returns:
            tuple[Tensor, Tensor | None]: Logits (B, num_classes), and the log odds (B,) that the clip shows
            one of the glosses; None if the head has no further outputs. (Not in the papers.)
        """
        if not self.num_unknown:
            return logits, None
        known, unknown = logits[:, : -self.num_unknown], logits[:, -self.num_unknown :]
        return known, known.logsumexp(-1) - unknown.logsumexp(-1)

    def outputs(self, inputs: dict) -> Tensor:
        """Logits (B, num_classes)."""
        return self.split_unknown(self.classify(inputs, attention=False)[0])[0]

    def predictions(self, inputs: dict) -> List[SignDataSample]:
        """Mode 'predict'; see the class."""
        logits, attention = self.classify(inputs)
        # The softmax runs in float32, also under autocast.
        logits, known = self.split_unknown(logits.float())
        return self.samples(logits.softmax(-1), inputs, attention, known)

    @staticmethod
    def samples(
        scores: Tensor, inputs: dict, attention: Optional[Tensor] = None, known: Optional[Tensor] = None
    ) -> List[SignDataSample]:
        """One sample a clip from scores (B, num_classes) that sum to 1.

        ``known`` (B,) are the log odds of :meth:`split_unknown`.
        """
        fields = dict(pred_scores=scores, pred_label=scores.argmax(-1), attention=attention, known_odds=known)
        fields = {name: value for name, value in fields.items() if value is not None}
        return unbatch(fields, inputs, per_clip=('pred_scores', 'pred_label', 'known_odds'))
