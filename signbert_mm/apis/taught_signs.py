"""Signs that were taught by videos: the folder that ``signbert-mm teach`` writes."""

import json
import math
import os
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, Union

from ..datasets.store_format import META
from ..datasets.store_index import read_meta
from ..engine.registered_types import read_inference_config
from ..errors import UserValueError
from ..files.atomic import write_atomic
from ..files.json import load_json_file
from ..files.text import read_text
from .backends import Prediction
from .dictionary_backend import DictionaryBackend
from .inferencer import SignInferencer
from .long_clips import LongClips

FORMAT, FORMAT_VERSION = 'signbert_mm.TaughtSigns', 1
# Files of the folder. Their names are fixed, so that nothing in the index becomes a path.
INDEX, CONFIG, ENCODER, MODEL, DICTIONARY, STORE = (
    'model.json',
    'config.py',
    'encoder.pth',
    'model.pth',
    'dictionary',
    'poses',
)
KINDS = ('dictionary', 'finetune')

PathLike = Union[str, 'os.PathLike[str]']


class TaughtSigns:
    """Recognises the signs of a folder of ``signbert-mm teach``, or answers "none of these".

    Args:
        inferencer (SignInferencer): A recogniser, or an encoder with a dictionary.
        facts (dict): What the folder's ``model.json`` says: ``kind``, ``threshold``, ``glosses``,
            ``extractor``, ``estimate``, ``seconds``.

    Attributes:
        kind (str): 'dictionary': the nearest example answers. 'finetune': a recogniser answers.
        threshold (float, optional): The best score below which the answer is "none of these": of a cosine or
            a probability. None = every clip with a hand gets an answer.
        estimate (dict): How often it was right on clips that it had not seen.
        seconds (float): How long a taught clip is in the middle of their order.

    Example:
        >>> signs = TaughtSigns.load('my_signs')
        >>> signs('new.mp4')[0]['glosses'][:1]
        ['hello']
    """

    def __init__(self, inferencer: SignInferencer, facts: Dict[str, Any]) -> None:
        self.inferencer, self.facts = inferencer, facts
        self.kind: str = facts['kind']
        self.threshold: Optional[float] = facts['threshold']
        self.estimate: Dict[str, Any] = facts['estimate']
        self.seconds: float = facts['seconds']
        # Name and version of what found the poses of the taught videos; empty = unknown.
        self.taught_by: Tuple[str, ...] = ()

    @classmethod
    def load(cls, folder: PathLike, device: Optional[str] = None, extractor: Any = None) -> 'TaughtSigns':
        """Reads a folder. Nothing in it is executed.

        Args:
            folder (str | Path): Of ``signbert-mm teach``.
            device (str, optional): None = the GPU where there is one.
            extractor (str | dict | PoseExtractor, optional): What finds poses; None = that of the taught
                videos. One of your own is named here again, since a folder may come from elsewhere.

        Raises:
            FileNotFoundError: The folder or a file of it is missing.
            ValueError: A file is damaged or of another version.
        """
        folder = Path(folder)
        facts = read_index(folder)
        extractor = extractor_of(folder, facts) if extractor is None else extractor
        config = folder / CONFIG
        if not config.is_file():
            raise FileNotFoundError(f'{config}: absent; copy the folder again, or teach it again')
        cfg = read_inference_config(read_text(config), str(config))
        if facts['kind'] == 'dictionary':
            inferencer = SignInferencer(
                cfg, folder / ENCODER, device, extractor, dictionary=folder / DICTIONARY
            )
            inferencer.check_dictionary()
        else:
            inferencer = SignInferencer(cfg, folder / MODEL, device, extractor)
        signs = cls(inferencer, facts)
        # A copy may come without the poses.
        if (folder / STORE / META).is_file():
            meta = read_meta(str(folder / STORE))
            signs.taught_by = tuple(str(meta.get(key, '')) for key in ('extractor', 'extractor_version'))
        return signs

    def other_extractor(self) -> str:
        """Says that poses are found by another extractor, or version, than those of the taught videos were.

        '' = by the same, or it is not known. Builds the extractor.
        """
        extractor = self.inferencer.reader.extractor
        now = extractor.name, extractor.version
        if not any(self.taught_by) or now == self.taught_by:
            return ''
        return (
            f'the taught videos were read by {" ".join(self.taught_by)}, and these are by {" ".join(now)}: '
            'scores and answers differ; teach again with it, or install and name the other (--extractor)'
        )

    @property
    def glosses(self) -> List[str]:
        """The signs that it knows."""
        return list(self.facts['glosses'])

    def __call__(self, inputs: Any, topk: int = 5, **options: Any) -> List[Prediction]:
        """Recognises each clip as one sign.

        Args:
            inputs: As for :class:`SignInferencer`: a video, a folder, a camera, poses, or a list of these.
            topk (int): Signs in the answer.
            **options: As for :class:`SignInferencer`.

        Returns:
            list[Prediction]: As of :meth:`SignInferencer.search` or of calling an inferencer, judged by
            :meth:`judge`.
        """
        if self.kind == 'dictionary':
            answers = self.inferencer.search(inputs, topk=topk, **options)
        else:
            answers = self.inferencer(inputs, topk=topk, **options)['predictions']
        return [self.judge(answer) for answer in answers]

    def judge(self, prediction: Dict[str, Any]) -> Prediction:
        """Turns an answer whose best score is below the threshold into "none of these".

        Such an answer has empty ``glosses`` and ``scores``, a ``reason``, and ``nearest`` and
        ``nearest_score`` of the sign that it would have been.
        """
        prediction = Prediction(dict(prediction))
        scores = prediction.get('scores')
        if not scores or self.threshold is None or scores[0] >= self.threshold:
            return prediction
        nearest, score = prediction['glosses'][0], float(scores[0])
        empty = {key: [] for key in ('glosses', 'scores', 'labels', 'examples') if key in prediction}
        reason = (
            f'none of these {len(self.glosses)} signs: the nearest, {nearest}, has score {score:.2f}, and '
            f'{self.threshold:.2f} is needed'
        )
        return Prediction(dict(prediction, **empty, reason=reason, nearest=nearest, nearest_score=score))

    def segments(self, inputs: Any, window: float = 0.0, stride: float = 0.0, **options: Any) -> List[dict]:
        """Finds the signs of long clips by windows, see :meth:`SignInferencer.segments`.

        A sign begins where a window's score reaches the threshold.

        Args:
            inputs: As for calling.
            window (float): Seconds; 0 = the length of the taught clips.
            stride (float): Seconds between windows; 0 = a quarter of the window.
            **options: As for :meth:`SignInferencer.segments`.
        """
        settings = self.window_settings(window, stride)
        backend = self.inferencer.backend
        if self.kind == 'dictionary':
            backend = DictionaryBackend(self.inferencer.dictionary_search)
        return LongClips(backend, self.inferencer.reader).segments(inputs, **{**settings, **options})

    def window_settings(self, window: float = 0.0, stride: float = 0.0) -> Dict[str, float]:
        """``window``, ``stride``, ``enter`` and ``leave`` of :meth:`segments`, whose arguments these are."""
        window = window or self.seconds
        enter = 0.6 if self.threshold is None else min(1.0, max(0.01, self.threshold))
        if self.kind == 'dictionary':
            # Cosines of all signs are near 1, so a sign ends soon below the threshold. Not tuned.
            leave = max(0.5 * enter, enter - 0.25 * (1 - enter))
        else:
            leave = 0.5 * enter
        return dict(window=window, stride=stride or window / 4, enter=enter, leave=leave)


def read_index(folder: PathLike) -> Dict[str, Any]:
    """The checked content of a folder's ``model.json``.

    Raises:
        FileNotFoundError: There is none.
        ValueError: It is damaged or of another version.
    """
    path = Path(folder) / INDEX
    if not path.is_file():
        raise FileNotFoundError(
            f'{path}: absent, so there are no taught signs there; make them with: '
            f'signbert-mm teach VIDEOS --out {os.fspath(folder)}'
        )
    try:
        facts = load_json_file(path)
        if facts['format'] != FORMAT or facts['format_version'] != FORMAT_VERSION:
            raise UserValueError(f'format {facts["format"]!r}, version {facts["format_version"]!r}')
        if facts['kind'] not in KINDS:
            raise UserValueError(f'kind {facts["kind"]!r}')
        threshold, seconds = facts['threshold'], facts['seconds']
        glosses, estimate = facts['glosses'], facts['estimate']
        texts = [facts['extractor']['type'], estimate['how'], *glosses]
        numbers = [seconds, estimate['hits'], estimate['asked'], *estimate['interval']]
        numbers += [] if threshold is None else [threshold]
        right = all(isinstance(text, str) for text in texts) and all(map(_finite, numbers))
        if not right or not isinstance(glosses, list) or seconds <= 0 or len(estimate['interval']) != 2:
            raise UserValueError('a field of another type')
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserValueError(
            f'{path}: no index of version {FORMAT_VERSION} ({error}); copy the folder again, or teach it '
            'again with this version of signbert_mm'
        ) from error
    return facts


def extractor_of(folder: PathLike, facts: Dict[str, Any]) -> Dict[str, Any]:
    """The extractor that a folder's index names.

    Raises:
        ValueError: It is none of this package; a folder may come from elsewhere, and importing would run it.
    """
    extractor = facts['extractor']
    if '.' in extractor['type']:
        raise UserValueError(
            f'{os.fspath(folder)}: its videos were read by {extractor["type"]}, which is no extractor of '
            f'this package; if you trust it, name it: --extractor {extractor["type"]}'
        )
    return extractor


def write_index(folder: PathLike, **facts: Any) -> None:
    """Writes ``model.json``, last of all files: without it the folder is no model."""
    index = dict(format=FORMAT, format_version=FORMAT_VERSION, **facts)
    text = json.dumps(index, ensure_ascii=False, allow_nan=False, indent=1)
    write_atomic(text.encode(), Path(folder) / INDEX)


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
