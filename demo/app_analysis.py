"""The results that the page of app.py shows of a video: poses, answer, annotated video, 3-D hands.

Needs no browser and no Gradio.
"""

import shutil
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np
from video_demo import answer, frames_with, no_answer_note

from signbert_mm.apis import PoseClip, SignInferencer
from signbert_mm.apis.backends import to_json
from signbert_mm.apis.input import InputReader
from signbert_mm.datasets import PoseStore
from signbert_mm.errors import UserValueError
from signbert_mm.extraction import Frame, VideoError, open_video
from signbert_mm.visualization.glb import write_glb
from signbert_mm.visualization.sign_overlay import SignOverlay, Span
from signbert_mm.visualization.video_writer import VideoWriter

# Longer clips are thinned out, since a frame costs the browser 10 kB.
MESH_FRAMES = 120

Progress = Callable[[float, str], None]


class Refusal(UserValueError):
    """A video that cannot be answered, with a message for the user of the page."""


class Limits(NamedTuple):
    """How much of a video is read.

    That is ``seconds`` from its start, at most ``fps`` frames a second (0 = all), with no side longer than
    ``side`` pixels.
    """

    seconds: float = 20.0
    fps: float = 0.0
    side: int = 960


class Windows(NamedTuple):
    """How several signs are searched in one video, see :meth:`SignInferencer.segments`."""

    window: float = 2.0
    stride: float = 0.5
    enter: float = 0.6
    leave: float = 0.3
    ignore: Sequence[str] = ()


class Result(NamedTuple):
    """The result of one video.

    Attributes:
        prediction (dict): The prediction of :func:`video_demo.answer`; {} where there is no answer, see
            :attr:`PoseClip.no_answer`.
        clip (PoseClip): The poses.
        attention (ndarray, optional): Shape (T, 2), see :func:`attention_over_time`; None where the answer
            has none.
        segments (list): Signs in time: start and end in frames, and text.
        mesh (dict, optional): ``vertices``, ``valid`` and ``faces`` of every ``step``-th frame.
        video, json, glb (Path): Files; ``glb`` is None without a mesh.
        notes (list[str]): Remarks for the user.
        truth (str): The true gloss; '' = unknown.
    """

    prediction: Dict[str, Any]
    clip: PoseClip
    attention: Optional[np.ndarray]
    segments: List[Span]
    mesh: Optional[Dict[str, Any]]
    video: Path
    json: Path
    glb: Optional[Path]
    notes: List[str]
    truth: str = ''


class ShortVideo:
    """The beginning of a video, thinned and shrunk. Each iteration gives the same :class:`Frame` objects.

    Args:
        path (Path): Any video that FFmpeg reads.
        limits (Limits): How much.
        fps (float, optional): The rate that the model needs, see :class:`InputReader`; None = that of the
            video.

    Raises:
        VideoError: As :func:`signbert_mm.extraction.open_video`; while iterating, at the end of a truncated
            file.
    """

    def __init__(self, path: Path, limits: Limits, fps: Optional[float] = None) -> None:
        self._reader, self._limits, self.cut = open_video(path, fps), limits, False
        if limits.fps and not 0 < self._reader.fps <= limits.fps:
            self._reader.close()
            self._reader = open_video(path, limits.fps)
        # Never enlarge.
        scale = min(1.0, limits.side / max(self._reader.width, self._reader.height))
        self.width, self.height = (
            max(2, round(size * scale)) for size in (self._reader.width, self._reader.height)
        )

    @property
    def fps(self) -> float:
        """Frames a second, exact after an iteration."""
        return self._reader.fps

    @property
    def expected(self) -> int:
        """Number of frames to come, for a progress bar; 0 = unknown."""
        most = round(self._limits.seconds * self.fps)
        known = self._reader.frames if not self._limits.fps or self.fps < self._limits.fps else 0
        return min(known, most) if known and most else known or most

    def __iter__(self) -> Iterator[Frame]:
        start, size = None, (self.width, self.height)
        for image, time in self._reader:
            start = time if start is None else start
            if time - start >= self._limits.seconds - 1e-6:
                self.cut = True
                return
            if image.shape[1::-1] != size:
                image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            yield Frame(image, time)

    def close(self) -> None:
        """Closes the file."""
        self._reader.close()


def read_clip(
    reader: InputReader, path: Path, limits: Limits, progress: Progress = lambda *_: None
) -> Tuple[PoseClip, ShortVideo, List[str]]:
    """Finds the poses of a video.

    Returns:
        tuple: The clip, the video, which the caller closes, and remarks for the user.

    Raises:
        Refusal: It cannot be read.
    """
    frames, notes, poses, times = None, [], [], []
    try:
        frames = ShortVideo(path, limits, reader.fps)
        expected = frames.expected
        try:
            for frame, pose, _ in reader.timed_poses(frames):
                poses.append(pose)
                times.append(frame.time)
                progress(
                    0.75 * min(1.0, len(poses) / (expected or len(poses) + 50)),
                    f'finding the person, frame {len(poses)}',
                )
        except VideoError as error:
            if not poses:
                raise
            notes.append(f'{str(error).replace(str(path), path.name).split(";")[0]}. What is there was read.')
        if not poses:
            raise Refusal(f'{path.name}: no frame could be read')
        size = frames.width, frames.height
        layout, fps = reader.extractor.layout, frames.fps or 25.0
        clip = PoseClip.make(np.stack(poses), layout, size, fps=fps, name=path.name)
        times = np.asarray(times)
        return replace(clip, times=times if frames.fps else None, start=float(times[0])), frames, notes
    except BaseException as error:
        if frames is not None:
            frames.close()
        if isinstance(error, VideoError):
            raise Refusal(str(error).replace(str(path), path.name)) from error
        raise


class Analyser:
    """Answers one video after the other, and keeps the files of the last one.

    Args:
        inferencer (SignInferencer): A recogniser, or with a dictionary.
        topk (int): Glosses in the answer.
        windows (Windows): For videos of several signs.
        judge (Callable, optional): Turns a prediction that is not sure enough into one without an answer, as
            :meth:`TaughtSigns.judge`.
        hands (SignInferencer, optional): Of the pre-trained model that draws the 3-D hands; None = that of
            ``inferencer``.

    Attributes:
        faces (ndarray, optional): Shape (F, 3), triangles of the 3-D hands; None without 3-D hands.
        no_mesh (str): Why there are no 3-D hands.
        parent (Path, optional): Where its files go; None = the folder for temporary files.
    """

    def __init__(
        self,
        inferencer: SignInferencer,
        topk: int = 5,
        windows: Windows = Windows(),  # noqa: B008 - immutable
        judge: Optional[Callable[[Dict[str, Any]], Dict[str, Any]]] = None,
        hands: Optional[SignInferencer] = None,
    ) -> None:
        self.inferencer, self.topk, self.windows, self.judge = inferencer, topk, windows, judge
        self.hands = hands or inferencer
        self._lock, self._folder = threading.Lock(), None
        self.parent: Optional[Path] = None
        self.faces, self.no_mesh = None, ''
        try:
            self.faces = self.hands.reconstructor.faces
        except ValueError as error:
            self.no_mesh = (
                f'No 3-D hands: {error}; --pretrained-config and --pretrained-checkpoint name such a model.'
            )

    def close(self) -> None:
        """Removes the files."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def video(
        self,
        path: Path,
        limits: Limits,
        several: bool = False,
        window: float = 0.0,
        progress: Progress = lambda *_: None,
    ) -> Result:
        """Answers a video file.

        Args:
            path (Path): The file.
            limits (Limits): How much of it.
            several (bool): Search several signs by windows.
            window (float): Seconds of a window; 0 = that of ``windows``.
            progress (Callable): Called with the share that is done, and what is being done.

        Raises:
            Refusal: The video cannot be read, or shows nobody.
        """
        # One video at a time: the extractor keeps state, and the files of the last answer are replaced.
        with self._lock:
            return self._video(path, limits, several, window, progress)

    def _video(self, path: Path, limits: Limits, several: bool, window: float, progress: Progress) -> Result:
        clip, frames, notes = read_clip(self.inferencer.reader, path, limits, progress)
        try:
            if frames.cut:
                notes.append(
                    f'Only the first {limits.seconds:g} s were read; "How much of the video" changes '
                    'that, up to --max-seconds.'
                )
            if not clip.scores.any():
                raise Refusal(f'{path.name}: {clip.no_answer}.')
            images = (frame.image for frame in frames)
            return self._result(clip, images, several, window, notes, progress)
        finally:
            frames.close()

    def store_clip(self, store: PoseStore, place: int, progress: Progress = lambda *_: None) -> Result:
        """Answers a clip of a store, which is drawn on an empty background."""
        with self._lock:
            (clip,) = self.inferencer.reader.store_clips(store, [place])
            width, height = clip.image_size
            blank = np.full((height, width, 3), 250, np.uint8)
            truth = store.glosses[clip.label] if clip.label >= 0 else ''
            return self._result(clip, (blank for _ in range(len(clip))), False, 0.0, [], progress)._replace(
                truth=truth
            )

    def _result(
        self,
        clip: PoseClip,
        frames: Iterable[np.ndarray],
        several: bool,
        window: float,
        notes: List[str],
        progress: Progress,
    ) -> Result:
        progress(0.78, 'recognising')
        hand_frames = clip.hand_frames
        prediction, bars, attention, segments = {}, [], np.zeros((len(clip), 2)), []
        if not clip.no_answer:
            several = several and not self.inferencer.dictionary
            options = SimpleNamespace(
                **self.windows._asdict(), topk=self.topk, dictionary=self.inferencer.dictionary is not None
            )
            options.window = (window or options.window) if several else None
            options.stride = min(options.stride, options.window or options.stride)
            prediction, bars, attention, segments = answer(self.inferencer, clip, options)
            if self.judge is not None and not several:
                prediction = self.judge(prediction)
                # The video shows no gloss that the answer does not give.
                bars = [] if prediction['reason'] else bars
            prediction.update(hand_frames=hand_frames, num_frames=len(clip), fps=clip.fps)
            if hand_frames < 0.2 * len(clip):
                notes.append(
                    f'A hand was found in only {hand_frames} of {len(clip)} frames: the answer '
                    'rests on little.'
                )
        mesh = self._mesh(clip, progress) if hand_frames and not self.no_mesh else None
        folder = self._fresh_folder()
        # File names have a largest length, and an uploaded name may be anything.
        stem = Path(clip.name).stem[:60] or 'clip'
        video = self._draw(
            folder / f'{stem}_annotated.mp4',
            clip,
            frames,
            bars,
            attention,
            segments,
            no_answer_note(prediction.get('reason') or clip.no_answer),
            progress,
        )
        table, glb = folder / f'{stem}.json', None
        empty = dict(
            name=clip.name, glosses=[], scores=[], reason=clip.no_answer, num_frames=len(clip), hand_frames=0
        )
        table.write_text(to_json(prediction or empty), encoding='utf-8')
        if mesh is not None and mesh['valid'].any():
            times = np.arange(len(mesh['vertices'])) * mesh['step'] / clip.fps
            glb = write_glb(
                folder / f'{stem}_hands.glb', mesh['vertices'], mesh['faces'], times, mesh['valid']
            )
        else:
            mesh = None
        return Result(
            prediction, clip, attention if attention.any() else None, segments, mesh, video, table, glb, notes
        )

    def _mesh(self, clip: PoseClip, progress: Progress) -> Dict[str, Any]:
        """Surfaces of the hands in every n-th frame."""
        progress(0.82, 'rebuilding the hands')
        hands = self.hands.reconstruct_clip(clip, mesh=True)
        # Division that rounds up, so that at most MESH_FRAMES remain.
        step = -(-len(clip) // MESH_FRAMES)
        return dict(
            vertices=hands['vertices'][::step], valid=hands['valid'][::step], faces=self.faces, step=step
        )

    def _draw(
        self,
        path: Path,
        clip: PoseClip,
        frames: Iterable[np.ndarray],
        bars: List[Tuple[int, int, Any]],
        attention: np.ndarray,
        segments: List[Span],
        note: str,
        progress: Progress,
    ) -> Path:
        overlay = SignOverlay(
            *clip.image_size, clip.layout, len(clip), attention, segments, clip.name, clip.fps
        )
        poses = np.concatenate([clip.keypoints, clip.scores[..., None]], -1)
        with VideoWriter(path, clip.fps) as writer:
            images = iter(frames)
            for place, shown in enumerate(frames_with(bars, len(clip))):
                image = next(images, None)
                if image is None:
                    break
                now = next((text for start, end, text in segments if start <= place < end), '')
                writer.write(overlay.draw(image, poses[place], shown, place, f'now: {now}' if now else note))
                progress(0.85 + 0.15 * place / len(clip), 'drawing the video')
        return path

    def _fresh_folder(self) -> Path:
        """A new empty folder. That of the previous video is removed; the page has its own copy by now."""
        self.close()
        self._folder = Path(tempfile.mkdtemp(prefix='signbert_mm_app_', dir=self.parent))
        return self._folder
