"""Finds signs in long clips and streams."""

import logging
import os
import time
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from ..errors import UserValueError
from ..logs import print_log
from .backends import Backend, Prediction, unknown_of
from .clips import PoseClip, why_no_answer
from .input import Failure, InputReader
from .stream import (
    HysteresisMerger,
    Segment,
    StreamEvent,
    StreamRecognizer,
    merge_windows,
    sliding_windows,
    steps_of,
)

if TYPE_CHECKING:
    from .segmenter import Segmenter


class LongClips:
    """Finds signs in time, in clips of many signs and in streams.

    Args:
        backend (Backend): A recogniser.
        reader (InputReader): Opens videos and cameras and extracts poses.
        segmenter (Segmenter, optional): Finds where signs begin and end, for :meth:`segments`.
    """

    def __init__(
        self, backend: Backend, reader: InputReader, segmenter: Optional['Segmenter'] = None
    ) -> None:
        self.backend, self.reader, self.segmenter = backend, reader, segmenter

    def segments(
        self,
        inputs: Any,
        window: float = 2.0,
        stride: float = 0.5,
        enter: float = 0.6,
        leave: float = 0.3,
        ignore: Sequence[str] = (),
        batch_size: int = 16,
        topk: int = 5,
        **options: Any,
    ) -> List[dict]:
        """Finds signs by merging the scores of overlapping windows, see :class:`HysteresisMerger`.

        A video is streamed: memory does not grow with its length but for the windows' results. Other inputs
        are recognised ``batch_size`` windows at a time, and for a model that reads frames the poses of the
        whole video are extracted first. Seconds are those of the frames' time stamps, also where these are
        uneven or the header's rate is wrong. They count from the video's time 0, as in players and ELAN, also
        where its first frame comes later; see ``PoseClip.start``.

        With a segmenter each sign that it finds is recognised as one clip. Then the poses of a whole video
        are in memory, and ``window``, ``stride``, ``enter`` and ``leave`` are not used.

        Args:
            inputs: As for calling.
            window, stride (float): Seconds. The window should be about as long as one sign, since the model
                was trained on clips of one.
            enter, leave (float): Thresholds of the merger.
            ignore (Sequence[str]): Glosses that are no signs, such as rest.
            batch_size (int): Windows at once.
            topk (int): Glosses of each window.
            **options: As for calling; arrays need ``fps``.

        Returns:
            list[dict]: One a clip: ``name``, ``fps``, ``num_frames``, ``segments``: list of dict(start, end
            in seconds, gloss, score), and ``windows``: list of dict(start, end, glosses, scores, reason).
            With a segmenter ``windows`` are the signs that it found; those without an answer, and those in
            ``ignore``, are no segments.
            ``reason`` is '' or says why there is no answer: no hand was detected in the window or clip.
            ``json.dumps`` takes all of it.
        """
        self.backend.check_recognises()
        settings = dict(window=window, stride=stride, enter=enter, leave=leave, ignore=ignore)
        is_file = isinstance(inputs, (str, os.PathLike)) and os.path.isfile(inputs)
        if is_file and not self.backend.reads_videos and self.segmenter is None:
            return [self._video_segments(inputs, topk, settings)]
        results = []
        for clip in self.reader.clips(inputs, **options):
            if isinstance(clip, Failure):
                print_log(f'{clip.name}: left out: {clip.error}', logger='current', level=logging.WARNING)
                results.append(Prediction(clip._asdict()))
                continue
            size, step, merger = self._window(clip.fps, clip.name, **settings)
            if self.segmenter is not None:
                results.append(self._found_signs(clip, ignore, batch_size, topk))
                continue
            steps = steps_of(clip)
            spans = sliding_windows(int(steps[-1]) + 1, size, step)
            # Spans are in steps of time; frames may come unevenly. A window in a pause has no frames.
            pieces = [clip.cut(*span) for span in np.searchsorted(steps, spans).tolist()]
            nonempty = [index for index, piece in enumerate(pieces) if len(piece)]
            rows: Dict[int, Dict[str, Any]] = {}
            for first in range(0, len(nonempty), batch_size):
                indices = nonempty[first : first + batch_size]
                rows.update(zip(indices, self.backend.predict([pieces[index] for index in indices])))
            # The first window always has frames, since steps count from the first frame.
            pause = dict(scores=np.zeros_like(rows[0]['scores']), reason=why_no_answer(0, False, False))
            pause.update(dict.fromkeys(unknown_of(rows[0])))
            answers = [rows.get(index, pause) for index in range(len(spans))]
            segments = merge_windows(spans, np.stack([row['scores'] for row in answers]), size, step, merger)
            windows = [
                _window_seconds(
                    *span,
                    clip.fps,
                    clip.start,
                    dict(self.backend.best(row['scores'], topk), reason=row['reason'], **unknown_of(row)),
                )
                for span, row in zip(spans, answers)
            ]
            facts = clip.name, clip.fps, clip.start, clip.fps, len(clip)
            results.append(self._timeline(*facts, windows, segments, clip.no_answer))
        return results

    def _found_signs(self, clip: PoseClip, ignore: Sequence[str], batch_size: int, topk: int) -> Prediction:
        """The signs that the segmenter finds in a clip, each recognised as one clip."""
        spans = self.segmenter.find(clip)
        # A frame at the very start of a sign is in it, in spite of rounding.
        edges = np.asarray([(span.start, span.end) for span in spans]).reshape(-1, 2) - 1e-6
        # A sign in a pause of the camera is the frame after the pause.
        firsts, ends = np.searchsorted(clip.seconds, edges).clip(0, [len(clip) - 1, len(clip)]).T.tolist()
        pieces = [clip.cut(first, max(end, first + 1)) for first, end in zip(firsts, ends)]
        windows, segments = [], []
        for first in range(0, len(pieces), batch_size):
            rows = self.backend.predict(pieces[first : first + batch_size])
            for span, row in zip(spans[first:], rows):
                answer = dict(self.backend.best(row['scores'], topk), reason=row['reason'], **unknown_of(row))
                windows.append(_window_seconds(span.start, span.end, 1.0, clip.start, answer))
                if answer['glosses'] and answer['glosses'][0] not in ignore:
                    segments.append(Segment(span.start, span.end, answer['labels'][0], answer['scores'][0]))
        # Spans are in seconds already.
        facts = clip.name, 1.0, clip.start, clip.fps, len(clip)
        return self._timeline(*facts, windows, segments, clip.no_answer)

    def _video_segments(self, path: Union[str, 'os.PathLike[str]'], topk: int, settings: dict) -> dict:
        windows, segments, clock, begin, rate, total, reason = [], [], 0.0, 0.0, 0.0, 0, ''
        for event in self.stream(path, topk=topk, **settings):
            clock, begin, rate = event['fps'], event['begin'], event['frame_rate']
            total, reason = event['num_frames'], event['reason_so_far']
            # An empty window only closes the last segment.
            if event['end'] > event['start']:
                windows.append(_window_seconds(event['start'], event['end'], clock, begin, event))
            segments += event['raw_segments']
        facts = os.path.basename(os.fspath(path)), clock, begin, rate, total
        return self._timeline(*facts, windows, segments, reason)

    def _timeline(
        self,
        name: str,
        clock: float,
        begin: float,
        fps: float,
        total: int,
        windows: Sequence[dict],
        segments: Sequence[Any],
        reason: str,
    ) -> Prediction:
        signs = [self._segment_seconds(segment, clock, begin) for segment in segments]
        return Prediction(
            name=name, fps=fps, num_frames=total, reason=reason, segments=signs, windows=windows
        )

    def _segment_seconds(self, segment: Any, fps: float, begin: float) -> dict:
        return dict(
            start=begin + segment.start / fps,
            end=begin + segment.end / fps,
            gloss=self.backend.gloss(segment.label),
            score=segment.score,
        )

    def _window(
        self,
        fps: float,
        name: str,
        window: float,
        stride: float,
        enter: float,
        leave: float,
        ignore: Sequence[str],
    ) -> Tuple[int, int, HysteresisMerger]:
        """Steps of 1 / ``fps`` in a window and between windows, and a merger."""
        if not (0 < window < float('inf') and 0 < stride < float('inf')):
            raise UserValueError(f'window is {window}, stride is {stride}; give seconds above 0')
        if not fps:
            raise UserValueError(
                f'{name or "poses"}: the frame rate is unknown, and windows are in seconds; give fps='
            )
        unknown = sorted(set(ignore) - set(self.backend.glosses))
        if unknown or isinstance(ignore, str):
            raise UserValueError(
                f'ignore: {unknown or ignore!r} is no list of glosses of the model; it has '
                f'{", ".join(self.backend.glosses[:20])}'
            )
        labels = [self.backend.glosses.index(gloss) for gloss in ignore]
        return (
            max(1, round(window * fps)),
            max(1, round(stride * fps)),
            HysteresisMerger(enter, leave, labels),
        )

    def stream_recognizer(
        self,
        image_size: Sequence[int],
        fps: float,
        layout: Any = None,
        window: float = 2.0,
        stride: float = 0.5,
        enter: float = 0.6,
        leave: float = 0.3,
        ignore: Sequence[str] = (),
        name: str = '',
    ) -> StreamRecognizer:
        """Builds a recogniser that takes poses one by one.

        Args:
            image_size (Sequence[int]): Width and height in pixels.
            fps (float): Steps a second.
            layout (str | Layout, optional): Of the poses; None = the extractor's.
            window, stride, enter, leave, ignore: As for :meth:`segments`.
            name (str): For messages.

        Raises:
            ConfigError: The model is a pre-trainer.
            ValueError: The model reads frames, ``fps`` is 0, or a setting is wrong.
        """
        self.backend.check_recognises()
        if self.backend.reads_videos:
            raise UserValueError(
                f'{name or "stream"}: the model, or a part of it, reads frames of files, and a stream has '
                'poses alone; use segments() of a file'
            )
        size, step, merger = self._window(fps, name, window, stride, enter, leave, ignore)
        layout = self.reader.extractor.layout if layout is None else layout
        return StreamRecognizer(self.backend.predict, layout, image_size, size, step, merger, fps, name)

    def stream(
        self, source: Union[str, 'os.PathLike[str]', int], topk: int = 5, fps: float = 0.0, **settings: Any
    ) -> Iterator[dict]:
        """Recognises windows while the frames arrive; memory does not grow with the stream.

        Time is that of the frames' time stamps; for a camera, of their arrival.

        Args:
            source (str | Path | int): A video or a camera.
            topk (int): Glosses of each window.
            fps (float): Rate of a folder of images, or steps a second where the source has no rate.
            **settings: ``window``, ``stride``, ``enter``, ``leave``, ``ignore`` as for :meth:`segments`.

        Yields:
            Prediction: One a window: ``start``, ``end`` in steps of 1 / ``fps`` from the first frame (frames,
                if these come evenly at that rate), ``begin``, the first frame's time in seconds, ``glosses``,
                ``scores``, ``segments`` that it ended, in seconds as of :meth:`segments`, ``current`` (the
                open one or None), ``num_frames`` so far, their ``frame_rate``, and ``latency`` in seconds
                since the last frame arrived. ``reason`` is '' or says why the window has no answer;
                ``glosses`` and ``scores`` are then []. ``reason_so_far`` is the same for the stream up to
                here.
        """
        reader = self.reader.open(source, fps=fps)
        try:
            clock = self.reader.clock(reader, fps)
            recognizer = self.stream_recognizer(
                (reader.width, reader.height), clock, name=str(source), **settings
            )
            for event, arrival in self._events(recognizer, reader):
                latency = time.perf_counter() - arrival
                prediction = self.event_prediction(event, clock, topk, latency, recognizer.begin)
                prediction.update(
                    num_frames=recognizer.count,
                    frame_rate=recognizer.frame_rate,
                    reason_so_far=recognizer.reason,
                )
                yield prediction
        finally:
            reader.close()

    def _events(self, recognizer: StreamRecognizer, reader: Any) -> Iterator[Tuple[StreamEvent, float]]:
        """Windows of a source, each with the arrival of its last image."""
        arrival = 0.0
        for frame, pose, arrival in self.reader.timed_poses(reader):
            yield from ((event, arrival) for event in recognizer.push_at(pose, frame.time))
        last = recognizer.finish() if recognizer.count else None
        if last is not None:
            yield last, arrival

    def event_prediction(
        self, event: StreamEvent, fps: float, topk: int = 5, latency: float = 0.0, begin: float = 0.0
    ) -> Prediction:
        """Converts a window's event to glosses and seconds, as :meth:`stream` gives it.

        ``begin`` is the first frame's time.
        """
        return Prediction(
            start=event.start,
            end=event.end,
            begin=begin,
            fps=fps,
            **self.backend.best(event.scores, topk),
            reason=event.reason,
            **({'unknown': event.unknown} if self.backend.rejection else {}),
            segments=[self._segment_seconds(segment, fps, begin) for segment in event.segments],
            current=None if event.current is None else self._segment_seconds(event.current, fps, begin),
            latency=latency,
            attention=event.attention,
            frames=event.frames,
            all_scores=event.scores,
            raw_segments=event.segments,
        )


def _window_seconds(start: float, end: float, fps: float, begin: float, answer: Mapping[str, Any]) -> dict:
    kept = {key: answer[key] for key in ('glosses', 'scores', 'reason', 'unknown') if key in answer}
    return dict(start=begin + start / fps, end=begin + end / fps, **kept)
