"""Signs in long clips and streams."""

import logging
import os
import time
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple, Union

import numpy as np
from mmengine.logging import print_log

from ..errors import UserValueError
from .backends import Backend, Prediction
from .clips import why_no_answer
from .input import Failure, InputReader
from .stream import (
    HysteresisMerger,
    StreamEvent,
    StreamRecognizer,
    merge_windows,
    sliding_windows,
    steps_of,
)


class LongClips:
    """Finds signs in time, in clips of many signs and in streams.

    Args:
        backend (Backend): A recogniser.
        reader (InputReader): What opens videos and cameras and extracts poses.
    """

    def __init__(self, backend: Backend, reader: InputReader) -> None:
        self.backend, self.reader = backend, reader

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
        """Signs in long clips: windows that overlap, and their scores merged with two thresholds, see
        :class:`HysteresisMerger`.

        A video is streamed, in constant memory but for what is told of each window; poses are taken
        ``batch_size`` windows at a time. For a model that reads frames the poses of the whole video are taken
        first. Seconds are those of the frames' time stamps, also where they come unevenly or the header's
        rate is wrong.

        Args:
            inputs: As for calling.
            window, stride (float): Seconds; the model was trained on clips of one sign, so the window should
                be about as long as one.
            enter, leave (float): Thresholds.
            ignore (Sequence[str]): Glosses that are no signs, such as rest.
            batch_size (int): Windows at once.
            topk (int): Glosses of each window.
            **options: As for calling; arrays need ``fps``.

        Returns:
            list[dict]: One a clip: ``name``, ``fps``, ``num_frames``, ``segments``: list of dict(start, end
            in seconds, gloss, score), and ``windows``: list of dict(start, end, glosses, scores, reason).
            ``reason`` is '' or says why there is no answer: no hand was found, in a window or in the whole
            clip. ``json.dumps`` takes all of it.
        """
        self.backend.check_recognises()
        settings = dict(window=window, stride=stride, enter=enter, leave=leave, ignore=ignore)
        if (
            isinstance(inputs, (str, os.PathLike))
            and os.path.isfile(inputs)
            and not self.backend.reads_videos
        ):
            return [self._video_segments(inputs, topk, settings)]
        found = []
        for clip in self.reader.clips(inputs, **options):
            if isinstance(clip, Failure):
                print_log(f'{clip.name}: left out: {clip.error}', logger='current', level=logging.WARNING)
                found.append(Prediction(clip._asdict()))
                continue
            size, step, merger = self._window(clip.fps, clip.name, **settings)
            steps = steps_of(clip)
            spans = sliding_windows(int(steps[-1]) + 1, size, step)
            # none of the frames where there was a pause
            pieces = [clip.cut(*span) for span in np.searchsorted(steps, spans).tolist()]
            shown = [place for place, piece in enumerate(pieces) if len(piece)]
            rows: Dict[int, Dict[str, Any]] = {}
            for first in range(0, len(shown), batch_size):
                places = shown[first : first + batch_size]
                for place, row in zip(places, self.backend.predict([pieces[place] for place in places])):
                    rows[place] = row
            # a pause
            nothing = dict(scores=np.zeros_like(rows[0]['scores']), reason=why_no_answer(0, False, False))
            answers = [rows.get(place, nothing) for place in range(len(spans))]
            segments = merge_windows(spans, np.stack([row['scores'] for row in answers]), size, step, merger)
            windows = [
                self._told_window(
                    *span, clip.fps, dict(self.backend.best(row['scores'], topk), reason=row['reason'])
                )
                for span, row in zip(spans, answers)
            ]
            found.append(
                self._timeline(clip.name, clip.fps, clip.fps, len(clip), windows, segments, clip.no_answer)
            )
        return found

    def _video_segments(self, path: Union[str, 'os.PathLike[str]'], topk: int, settings: dict) -> dict:
        windows, segments, clock, rate, total, reason = [], [], 0.0, 0.0, 0, ''
        for event in self.stream(path, topk=topk, **settings):
            clock, rate, total, reason = (
                event['fps'],
                event['frame_rate'],
                event['num_frames'],
                event['reason_so_far'],
            )
            if event['end'] > event['start']:
                windows.append(self._told_window(event['start'], event['end'], clock, event))
            segments += event['raw_segments']
        return self._timeline(
            os.path.basename(os.fspath(path)), clock, rate, total, windows, segments, reason
        )

    def _timeline(
        self,
        name: str,
        clock: float,
        fps: float,
        total: int,
        windows: Sequence[dict],
        segments: Sequence[Any],
        reason: str,
    ) -> Prediction:
        signs = [self._told(segment, clock) for segment in segments]
        return Prediction(
            name=name, fps=fps, num_frames=total, reason=reason, segments=signs, windows=windows
        )

    @staticmethod
    def _told_window(start: int, end: int, fps: float, best: Mapping[str, Any]) -> dict:
        return dict(
            start=start / fps, end=end / fps, **{key: best[key] for key in ('glosses', 'scores', 'reason')}
        )

    def _told(self, segment: Any, fps: float) -> dict:
        return dict(
            start=segment.start / fps,
            end=segment.end / fps,
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
        """What takes poses one by one; the extractor's layout by default. ``fps``: steps a second.

        Other arguments as for :meth:`segments`.
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
        """Recognises as the frames come, by their time stamps or, of a camera, by when they came; memory does
        not grow with the stream.

        Args:
            source (str | Path | int): A video or a camera.
            topk (int): Glosses of each window.
            fps (float): Of a folder of images, and steps a second where the source does not tell.
            **settings: ``window``, ``stride``, ``enter``, ``leave``, ``ignore`` as for :meth:`segments`.

        Yields:
            Prediction: One a window: ``start``, ``end`` in steps of 1 / ``fps`` (the frames, where they come
                evenly at that rate), ``glosses``, ``scores``, ``segments`` that it has ended, ``current``
                (the open one or None), ``num_frames`` so far, ``frame_rate`` at which they came, and
                ``latency``, seconds from the arrival of the last one. ``reason`` is '' or says why the window
                has no answer; ``glosses`` and ``scores`` are then []. ``reason_so_far`` says it of the stream
                up to here.
        """
        reader = self.reader.open(source, fps=fps)
        try:
            clock = self.reader.clock(reader, fps)
            recognizer = self.stream_recognizer(
                (reader.width, reader.height), clock, name=str(source), **settings
            )
            for event, came in self._events(recognizer, reader):
                told = self.told(event, clock, topk, time.perf_counter() - came)
                told.update(
                    num_frames=recognizer.count,
                    frame_rate=recognizer.frame_rate,
                    reason_so_far=recognizer.reason,
                )
                yield told
        finally:
            reader.close()

    def _events(self, recognizer: StreamRecognizer, reader: Any) -> Iterator[Tuple[StreamEvent, float]]:
        """Windows of a source, each with when its last image came."""
        came = 0.0
        for frame, pose, came in self.reader.timed_poses(reader):
            yield from ((event, came) for event in recognizer.push_at(pose, frame.time))
        last = recognizer.finish() if recognizer.count else None
        if last is not None:
            yield last, came

    def told(self, event: StreamEvent, fps: float, topk: int = 5, latency: float = 0.0) -> Prediction:
        """A window's event with names and seconds, as :meth:`stream` gives it."""
        return Prediction(
            start=event.start,
            end=event.end,
            fps=fps,
            **self.backend.best(event.scores, topk),
            reason=event.reason,
            segments=[self._told(segment, fps) for segment in event.segments],
            current=None if event.current is None else self._told(event.current, fps),
            latency=latency,
            attention=event.attention,
            frames=event.frames,
            all_scores=event.scores,
            raw_segments=event.segments,
        )
