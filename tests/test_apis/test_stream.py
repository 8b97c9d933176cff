"""Streams give what whole clips give, and remember no more than a window."""

import gc
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from signbert_mm.apis import HysteresisMerger, PoseClip, StreamRecognizer, sliding_windows
from signbert_mm.apis.stream import merge_windows, steps_of


def predict(clips):
    """Scores from the clip's first and last frame, so that each window is told apart."""
    rows = []
    for clip in clips:
        level = clip.keypoints[:, 0, 0]
        first = 0.5 + 0.45 * np.sin(level[0] / 7) * np.cos(level[-1] / 11)
        rows.append(dict(scores=np.array([first, 1 - first]), attention=None, frames=np.arange(len(clip))))
    return rows


def pose(frame):
    values = np.ones((42, 3), dtype=np.float32)
    values[:, 0] = frame
    return values


@pytest.mark.parametrize('frames', [1, 3, 7, 8, 9, 10, 50, 51, 53])
def test_stream_is_the_batch(frames):
    stream = StreamRecognizer(predict, 'hands_42', (640, 480), 8, 3, HysteresisMerger())
    events = [event for event in map(stream.push, map(pose, range(frames))) if event]
    events += [event for event in [stream.finish()] if event]
    windows = sliding_windows(frames, 8, 3)
    assert [(event.start, event.end) for event in events if event.end > event.start] == windows
    scores = np.stack([predict([_clip(start, end)])[0]['scores'] for start, end in windows])
    assert np.allclose([event.scores for event in events if event.end > event.start], scores)
    assert sum((event.segments for event in events), []) == merge_windows(
        windows, scores, 8, 3, HysteresisMerger()
    )
    ends = [segment.end for event in events for segment in event.segments]
    assert ends == sorted(ends) and all(end <= frames for end in ends)


def _clip(start, end):
    return PoseClip.make(np.stack([pose(frame) for frame in range(start, end)]), 'hands_42', (640, 480))


def test_times_of_frames():
    """60 steps of 1/10 s: frames 1/10 s apart for two seconds, 3/10 s for two more, a pause, and 1/20 s at
    last.
    """
    times = np.concatenate([np.arange(20) / 10, 2 + np.arange(7) * 0.3, [5.0, 5.05, 5.1]]) + 3
    seen = []

    def spy(clips):
        seen.append(clips[0].keypoints[:, 0, 0].astype(int).tolist())
        return predict(clips)

    stream = StreamRecognizer(spy, 'hands_42', (640, 480), 10, 5, HysteresisMerger(), fps=10)
    events = [event for frame, time in enumerate(times) for event in stream.push_at(pose(frame), time)]
    events.append(stream.finish())
    windows = [(event.start, event.end) for event in events]
    assert windows == sliding_windows(52, 10, 5) and stream.count == 30
    steps = np.rint((times - 3) * 10)
    expected = [np.flatnonzero((steps >= start) & (steps < end)).tolist() for start, end in windows]
    assert (
        seen == [frames for frames in expected if frames]
        and [event.frames.tolist() for event in events] == expected
    )
    pause = events[windows.index((40, 50))]
    assert len(pause.frames) == 0 and pause.scores.tolist() == [0, 0]
    assert stream.frame_rate == pytest.approx(29 / 5.1, rel=0.01)
    clip = PoseClip.make(np.stack([pose(frame) for frame in range(30)]), 'hands_42', (640, 480), fps=10)
    assert np.array_equal(steps_of(replace(clip, times=times)), steps)


def test_times_of_even_frames_change_nothing():
    counted, timed = (
        StreamRecognizer(predict, 'hands_42', (640, 480), 8, 3, HysteresisMerger(), fps=30000 / 1001)
        for _ in range(2)
    )
    for frame in range(50):
        event = counted.push(pose(frame))
        again = timed.push_at(pose(frame), round(1 + frame * 1001 / 30000, 3))
        there = [] if event is None else [(event.start, event.end, event.scores.tolist())]
        assert there == [(e.start, e.end, e.scores.tolist()) for e in again]
    assert counted.finish().end == timed.finish().end == 50 and timed.frame_rate == timed.fps


def test_memory_does_not_grow():
    stream = StreamRecognizer(predict, 'hands_42', (640, 480), 8, 4, HysteresisMerger())
    one, sizes = pose(3), []
    tracemalloc.start()
    for frame in range(1200):
        stream.push(one + frame)
        if frame % 400 == 399:
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert len(stream._poses) == 8 and sizes[2] - sizes[1] < 2000, sizes  # a frame has 1,008 bytes


def test_no_hands_are_no_sign():
    stream = StreamRecognizer(
        lambda clips: [dict(scores=np.array([0.9, 0.1]), attention=None, frames=np.arange(4))],
        'sign_49',
        (64, 64),
        4,
        4,
        HysteresisMerger(),
    )
    values = np.ones((49, 3))
    values[:42] = 0
    events = [stream.push(values) for _ in range(4)]
    assert events[:3] == [None] * 3 and (events[3].scores == 0).all() and events[3].current is None
    assert stream.finish() is None


@pytest.mark.parametrize('wrong', [np.ones((48, 3)), np.ones(3), np.ones((1, 49, 3)), [[1, 2, 3], [1, 2]]])
def test_a_pose_of_another_shape(wrong):
    stream = StreamRecognizer(predict, 'sign_49', (64, 64), 4, 4, HysteresisMerger(), name='camera 0')
    with pytest.raises(
        ValueError,
        match=r'camera 0: frame 0: (a pose of shape .* found; give \(49, '
        r'3\)|lists of unequal lengths)',
    ):
        stream.push(wrong)
