"""Recognises signs in videos, cameras and poses."""

import functools
import logging
import os
import re
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np

from ..errors import UserValueError
from ..files.atomic import write_atomic
from ..logs import print_log
from .backends import NOT_IN_FILES, Backend, Prediction, in_torch, to_json, unknown_of
from .clips import PoseClip
from .dictionary import SignDictionary
from .dictionary_search import DictionarySearch
from .input import Failure, InputReader
from .long_clips import LongClips
from .onnx_backend import OnnxBackend

# An exported model runs without torch and OpenCV: what needs them is imported where it is used.
if TYPE_CHECKING:
    from mmengine.config import Config
    from torch import nn

    from ..structures import SignDataSample
    from .embedder import ClipEmbedder
    from .reconstruct import Reconstructor

ModelLike = Union[
    str, 'os.PathLike[str]', 'Config', 'nn.Module', Sequence[Union[str, 'os.PathLike[str]', 'Config']]
]
# The recogniser that comes with the package.
RECOGNISER = 'zoo://signbert_d128_asl33'
BACKENDS = ('torch', 'onnx')


def _of(part: str, method: Callable) -> Callable:
    """Makes a method of one part a method of the inferencer, with its docstring."""

    @functools.wraps(method)
    def call(self: 'SignInferencer', *args: Any, **options: Any) -> Any:
        return getattr(getattr(self, part), method.__name__)(*args, **options)

    return call


class SignInferencer:
    """Recognises signs in videos, cameras and poses.

    With a pre-trained model it also reconstructs 3-D hands and searches a dictionary.

    Clips go through the config's test pipeline, so predictions are those of ``tools/test.py``. If all
    training clips had one frame rate, videos and cameras are read at that rate (``inferencer.reader.fps``;
    None = as they are). A clip that shows nobody, or no hand, gets a reason and no answer. Several threads
    may share one inferencer.

    Args:
        model (str | Path | Config | Module): A recogniser or a pre-trainer: a config, its path, or a name of
            :func:`list_models`; ``zoo://NAME``, which has weights; a model of :func:`init_model`; or an
            exported file. For a list of these, or a config of :class:`FusionRecognizer`, probabilities are
            summed. The default knows 32 letters and words of ASL.
        weights (str | Path, optional): The checkpoint; for a fusion a list of them. None only with a
            model that has them, or a fusion whose config names its checkpoints.
        device (str, optional): None = 'cuda' where there is one, else 'cpu'.
        extractor (str | dict | PoseExtractor): The pose extractor for videos, see
            :func:`signbert_mm.extraction.build_extractor`; built on first use.
        backend (str, optional): 'torch' or 'onnx', which runs without torch; None = 'onnx' where ``model`` is
            a path that ends in .onnx, else 'torch'.
        pretrained (str | Path | Config | Module, optional): A pre-trained model beside the recogniser; it
            reconstructs hands and embeds clips.
        pretrained_weights (str | Path, optional): Its checkpoint.
        dictionary (str | Path | SignDictionary, optional): For :meth:`search`; also an attribute.
        segmenter (str | Path | Config | Module, optional): A model that finds signs in time
            (configs/segmentation/); :meth:`segments` then cuts by it and not by windows.
        segmenter_weights (str | Path, optional): Its checkpoint.
        threads (int): CPU threads; 0 = the default of torch (``OMP_NUM_THREADS``, else the cores) or
            onnxruntime (the cores). With torch another number applies to the whole process, as after
            ``torch.set_num_threads``. 1 suits narrow models and busy machines.

    Raises:
        ValueError, ConfigError, FileNotFoundError, CheckpointError: The message says what to do.

    Example:
        >>> SignInferencer()('sign.mp4')['predictions'][0]['glosses']
        ['hello', 'thank-you', 'please', 'b', 'water']
        >>> inferencer = SignInferencer('signbert_d128_finetune', 'work_dirs/words33/epoch_150.pth')
    """

    def __init__(
        self,
        model: ModelLike = RECOGNISER,
        weights: Optional[Union[str, 'os.PathLike[str]', Sequence[Union[str, 'os.PathLike[str]']]]] = None,
        device: Optional[str] = None,
        extractor: Any = 'mediapipe',
        backend: Optional[str] = None,
        pretrained: Optional[ModelLike] = None,
        pretrained_weights: Optional[Union[str, 'os.PathLike[str]']] = None,
        dictionary: Optional[Union[str, 'os.PathLike[str]', SignDictionary]] = None,
        threads: int = 0,
        segmenter: Optional[ModelLike] = None,
        segmenter_weights: Optional[Union[str, 'os.PathLike[str]']] = None,
    ) -> None:
        if backend is None:
            is_path = isinstance(model, (str, os.PathLike))
            backend = 'onnx' if is_path and os.fspath(model).lower().endswith('.onnx') else 'torch'
        if backend not in BACKENDS:
            raise UserValueError(f'backend is {backend!r}; choose one of {", ".join(BACKENDS)}')
        if threads < 0:
            raise UserValueError(
                f'threads is {threads}; give the number of them, or 0 to leave it to torch or onnxruntime'
            )
        if backend == 'onnx':
            if weights is not None:
                raise UserValueError(
                    "backend='onnx' has its weights in the exported file; leave `weights` out"
                )
            self.backend: Backend = OnnxBackend(model, device, threads)
        else:
            self.backend = _torch_backend(model, weights, device, 'weights', threads)
        self.reader = InputReader(extractor, _frame_rate(self.backend))
        encoder = self.backend
        if pretrained is not None:
            encoder = _torch_backend(pretrained, pretrained_weights, device, 'pretrained_weights')
        if dictionary is not None and not isinstance(dictionary, SignDictionary):
            dictionary = SignDictionary.load(dictionary)
        finder = None
        if segmenter is not None:
            from .segmenter import Segmenter

            finder = Segmenter(_torch_backend(segmenter, segmenter_weights, device, 'segmenter_weights'))
        elif segmenter_weights is not None:
            raise UserValueError('segmenter_weights are given without `segmenter`, the config of the model')
        self.long_clips = LongClips(self.backend, self.reader, finder)
        self.dictionary_search = DictionarySearch(encoder, self.reader, dictionary)

    segments = _of('long_clips', LongClips.segments)
    stream = _of('long_clips', LongClips.stream)
    stream_recognizer = _of('long_clips', LongClips.stream_recognizer)
    event_prediction = _of('long_clips', LongClips.event_prediction)
    best = _of('backend', Backend.best)
    gloss = _of('backend', Backend.gloss)
    embed = _of('dictionary_search', DictionarySearch.embed)
    search = _of('dictionary_search', DictionarySearch.search)
    check_dictionary = _of('dictionary_search', DictionarySearch.check_dictionary)

    @property
    def glosses(self) -> List[str]:
        """The glosses of the model's classes; [] where its checkpoint has no names."""
        return self.backend.glosses

    @property
    def dictionary(self) -> Optional[SignDictionary]:
        """The dictionary of :meth:`search`."""
        return self.dictionary_search.dictionary

    @dictionary.setter
    def dictionary(self, signs: Optional[SignDictionary]) -> None:
        self.dictionary_search.dictionary = signs

    @property
    def embedder(self) -> 'ClipEmbedder':
        """Embeds clips, with the pre-trained model if one was given."""
        return self.dictionary_search.embedder

    @embedder.setter
    def embedder(self, embedder: 'ClipEmbedder') -> None:
        self.dictionary_search.embedder = embedder

    @functools.cached_property
    def reconstructor(self) -> 'Reconstructor':
        """Reconstructs hands; needs a pre-trained model with a hand model."""
        backend = in_torch(self.dictionary_search.backend, 'reconstruction')
        from .reconstruct import Reconstructor

        return Reconstructor(backend)

    def __call__(
        self,
        inputs: Any,
        batch_size: int = 16,
        topk: int = 5,
        return_datasamples: bool = False,
        return_joints3d: bool = False,
        return_mesh: bool = False,
        vis_out_dir: str = '',
        pred_out_dir: str = '',
        **options: Any,
    ) -> Dict[str, list]:
        """Recognises each clip as one sign.

        Args:
            inputs: See :meth:`InputReader.clips`: a video, camera number, pose array, PoseStore, folder, or a
                list of these.
            batch_size (int): Clips at once.
            topk (int): Glosses in the answer.
            return_datasamples (bool): Give :class:`SignDataSample` objects instead of dicts.
            return_joints3d (bool): Add ``joints3d`` and more, see :class:`Reconstructor`; needs a pre-trained
                model.
            return_mesh (bool): Also add ``vertices`` and ``faces``.
            vis_out_dir (str): Folder for a picture of each clip.
            pred_out_dir (str): Folder for a JSON file of each clip.
            **options: ``layout``, ``image_size``, ``fps`` of arrays, ``split`` and ``videos`` of stores,
                ``seconds`` of cameras.

        Returns:
            dict: ``predictions``, one a clip: a :class:`Prediction`, a dict with ``name``, ``glosses`` and
                ``scores`` (of the softmax, best first), ``labels``, ``reason`` ('', or why there is no
                answer; then these three are empty), ``all_scores``, ``attention`` (L, 2) of the left and
                right hand at ``frames`` (L,), ``num_frames``, ``fps``, and ``hand_frames``, the number of
                frames in which a hand was detected. A calibrated model also gives ``unknown``, see
                :class:`Rejection`, and ``guesses``, the best glosses of a clip that shows none of the signs.
                A file of a folder that could not be read has only ``name`` and ``error``. ``json.dumps``
                takes all of it; docs/inference.md has the schema.
                ``visualization``: the pictures' paths.
        """
        predictions, pictures = [], []
        for number, (clip, prediction) in enumerate(self.iterate(inputs, batch_size, topk, **options)):
            if isinstance(clip, Failure):
                print_log(f'{clip.name}: left out: {clip.error}', logger='current', level=logging.WARNING)
                predictions.append(prediction)
                continue
            if return_joints3d or return_mesh:
                prediction.update(self.reconstruct_clip(clip, return_mesh))
            # The number keeps clips of one name apart.
            stem = f'{number:06d}_{_file_name(clip.name)}'
            if vis_out_dir:
                from ..visualization import save_image

                path = os.path.join(vis_out_dir, f'{stem}.png')
                pictures.append(str(save_image(path, self.picture(clip, prediction))))
            if pred_out_dir:
                kept = {key: prediction[key] for key in prediction if key not in NOT_IN_FILES}
                write_atomic(to_json(kept).encode(), os.path.join(pred_out_dir, f'{stem}.json'))
            predictions.append(_sample(clip, prediction, number) if return_datasamples else prediction)
        return dict(predictions=predictions, visualization=pictures)

    def iterate(
        self, inputs: Any, batch_size: int = 16, topk: int = 5, **options: Any
    ) -> Iterator[Tuple[Union[PoseClip, Failure], dict]]:
        """Yields each clip with its prediction; at most ``batch_size`` clips are in memory.

        Arguments as for calling.
        """
        if batch_size < 1 or topk < 1:
            raise UserValueError(f'batch_size and topk must be at least 1, got {batch_size} and {topk}')
        self.backend.check_recognises()
        waiting: List[Union[PoseClip, Failure]] = []
        done = 0
        for clip in self.reader.clips(inputs, **options):
            waiting.append(clip)
            if len(waiting) == batch_size:
                yield from self._answers(waiting, topk, done)
                waiting, done = [], done + batch_size
        yield from self._answers(waiting, topk, done)

    def _answers(
        self, items: Sequence[Union[PoseClip, Failure]], topk: int, first: int
    ) -> Iterator[Tuple[Union[PoseClip, Failure], Prediction]]:
        clips = [item for item in items if isinstance(item, PoseClip)]
        rows = iter(self.backend.predict(clips, first) if clips else ())
        # Failures keep their place among the answers.
        for item in items:
            if isinstance(item, Failure):
                yield item, Prediction(item._asdict())
                continue
            row = next(rows)
            yield (
                item,
                Prediction(
                    name=item.name,
                    **self.best(row['scores'], topk),
                    reason=row['reason'],
                    attention=row['attention'],
                    frames=row['frames'],
                    num_frames=len(item),
                    hand_frames=item.hand_frames,
                    fps=item.fps,
                    all_scores=row.get('guesses', row['scores']),
                    **unknown_of(row),
                    **self._guesses(row, topk),
                ),
            )

    def _guesses(self, row: Dict[str, Any], topk: int) -> Dict[str, List[str]]:
        """The best glosses of an answer that was withheld, where the model is calibrated."""
        if 'guesses' not in row:
            return {}
        return dict(guesses=self.best(row['guesses'], topk)['glosses'] if row['reason'] else [])

    def reconstruct_clip(self, clip: PoseClip, mesh: bool = False) -> Dict[str, np.ndarray]:
        """Both hands of every frame, see :class:`Reconstructor`; with ``mesh`` also ``faces``."""
        hands = self.reconstructor(clip, mesh)
        return dict(hands, faces=self.reconstructor.faces) if mesh else hands

    def reconstruct(self, inputs: Any, mesh: bool = False, **options: Any) -> Iterator[dict]:
        """Yields the 3-D joints of each clip, with ``mesh`` also the surfaces; arguments as for calling.

        Files of a folder that cannot be read are left out.
        """
        for clip in self.reader.readable(inputs, **options):
            yield Prediction(name=clip.name, fps=clip.fps, **self.reconstruct_clip(clip, mesh))

    def picture(self, clip: PoseClip, prediction: dict) -> np.ndarray:
        """Draws a prediction: poses, attention, best glosses; shape (H, W, 3) uint8 RGB."""
        from ..visualization import prediction_figure

        names = [self.gloss(label) for label in range(len(prediction['all_scores']))]
        frames = prediction['frames']
        # Only the frames that the model read.
        read = clip.pick(frames)
        sample, topk = _sample(clip, prediction, 0), len(prediction['glosses'])
        return prediction_figure(sample, read.keypoints, read.scores, clip.layout, names, topk, places=frames)


def _torch_backend(*arguments: Any) -> Backend:
    from .. import needs_train  # noqa: F401
    from .fusion import build_backend

    return build_backend(*arguments)


def _sample(clip: PoseClip, prediction: dict, number: int) -> 'SignDataSample':
    from .. import needs_train  # noqa: F401
    from .samples import to_sample

    return to_sample(clip, prediction, number)


def _frame_rate(backend: Backend) -> Optional[float]:
    """The frame rate at which to read videos; None = their own."""
    known = list(dict.fromkeys(rate for rate in backend.frame_rates if rate))
    if len(known) > 1:
        print_log(
            f'the parts were trained on clips of {" and ".join(f"{rate:g}" for rate in known)} frames a '
            'second: videos are read as they are (inferencer.reader.fps = .. sets a rate)',
            'current',
            logging.WARNING,
        )
        return None
    if known:
        print_log(
            f'videos and cameras are read at {known[0]:g} frames a second, the rate of the clips that '
            'the model was trained on',
            'current',
        )
    return known[0] if known else None


def _file_name(name: str) -> str:
    # Names come from data: no folders, and at most 200 bytes.
    plain = re.sub(r'[^\w.-]+', '_', os.path.basename(name)).strip('._')[:80]
    return plain.encode()[:200].decode(errors='ignore') or 'clip'
