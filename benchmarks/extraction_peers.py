"""CPU time of extraction beside pose-format's video_to_pose, and how near the fast extractor's hands are.

- ``stream``: reading a video and finding poses, ms of CPU a frame on one core. All take turns. A figure is
  the sum over pieces of 8 frames of the least time that a piece took in any round, since other work on the
  machine makes times longer and never shorter.
- ``command``: CPU seconds of the whole command, and of the command on a video of one frame, which is its
  start; the least of the rounds.
- ``hands``: frames in which each hand was detected, and the mean distance of its joints from those of
  ``mediapipe`` in shares of the hand's size, where both detect it. A hand's size is the longer side of the
  box about its joints.

pose-format (``pip install pose-format``) is left out where it is not installed, and the output says so.

Example:
    python benchmarks/extraction_peers.py sign.mp4 --rounds 5 --out work_dirs/extraction_peers.json
"""

import argparse
import importlib.util
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence

import numpy as np

from signbert_mm.errors import UserRuntimeError
from signbert_mm.extraction import build_extractor, extract_stream, open_video
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file
from signbert_mm.layouts import get_layout
from signbert_mm.visualization.video_writer import VideoWriter

ROOT = Path(__file__).resolve().parents[1]
PIECE = 8
EXTRACTORS = {
    'mediapipe': dict(type='mediapipe'),
    'mediapipe face=False': dict(type='mediapipe', face=False),
    'mediapipe_fast body_every=1': dict(type='mediapipe_fast', body_every=1),
    'mediapipe_fast': dict(type='mediapipe_fast'),
    'mediapipe_fast body_every=4': dict(type='mediapipe_fast', body_every=4),
    'mediapipe_tasks': dict(type='mediapipe_tasks'),
}
PEER = 'pose-format'


def has_peer() -> bool:
    return importlib.util.find_spec('pose_format') is not None


def timed(frames: Iterable[Any], times: List[float]) -> Iterator[Any]:
    """Passes frames on, and notes the CPU time at which every :data:`PIECE`-th one is asked for."""
    for index, frame in enumerate(frames):
        if index % PIECE == 0:
            times.append(time.process_time())
        yield frame
    times.append(time.process_time())


def pieces(run: Callable[[List[float]], None]) -> np.ndarray:
    """CPU time of each piece of one run; the last one ends with the run."""
    times: List[float] = []
    run(times)
    times[-1] = time.process_time()
    return np.diff(times)


def read_alone(video: str, times: List[float]) -> None:
    for _ in timed(open_video(video), times):
        pass


def run_extractor(video: str, extractor: Any, times: List[float]) -> None:
    for _ in extract_stream(timed(open_video(video), times), extractor):
        pass


def run_peer(video: str, times: List[float]) -> None:
    """What video_to_pose does between its start and the writing of its file."""
    from pose_format.utils.holistic import load_holistic
    from simple_video_utils.frames import read_frames_exact
    from simple_video_utils.metadata import video_metadata

    about = video_metadata(video)
    load_holistic(
        timed(read_frames_exact(video), times),
        fps=about.fps,
        width=about.width,
        height=about.height,
        additional_holistic_config=dict(model_complexity=1),
    )


def stream_times(video: str, names: Sequence[str], rounds: int) -> Dict[str, float]:
    """Seconds of CPU a frame."""
    runs: Dict[str, Callable[[List[float]], None]] = {'reading': lambda times: read_alone(video, times)}
    extractors = {name: build_extractor(EXTRACTORS[name]) for name in names}
    for name, extractor in extractors.items():
        runs[name] = lambda times, extractor=extractor: run_extractor(video, extractor, times)
    if has_peer():
        runs[PEER] = lambda times: run_peer(video, times)
    frames = sum(1 for _ in open_video(video))
    least: Dict[str, np.ndarray] = {}
    # The first round loads the models.
    for number in range(rounds + 1):
        for name, run in runs.items():
            spent = pieces(run)
            if number:
                least[name] = np.minimum(least.get(name, np.inf), spent)
    for extractor in extractors.values():
        extractor.close()
    return {name: float(spent.sum()) / frames for name, spent in least.items()}


def command_time(command: Sequence[str]) -> float:
    """CPU seconds of a command and its children.

    Raises:
        RuntimeError: It failed.
    """
    child = os.posix_spawn(
        command[0],
        list(command),
        dict(os.environ, PYTHONPATH=os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])),
        file_actions=[(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)],
    )
    _, status, used = os.wait4(child, 0)
    if status:
        raise UserRuntimeError(f'{" ".join(command)} ended with status {status}')
    return used.ru_utime + used.ru_stime


def command_times(video: str, names: Sequence[str], rounds: int) -> Dict[str, float]:
    """CPU seconds of each whole command, in turns."""

    def command(name: str, source: str, folder: str) -> List[str]:
        if name == PEER:
            code = 'from pose_format.bin.pose_estimation import main; main()'
            return [sys.executable, '-c', code, '-i', source, '-o', os.path.join(folder, 'out.pose')]
        options = {**EXTRACTORS[name]}
        tool = [sys.executable, str(ROOT / 'tools' / 'extract_poses.py'), source, os.path.join(folder, 'out')]
        tool += ['--extractor', options.pop('type')]
        values = [f'{key}={value}' for key, value in options.items()]
        return [*tool, '--extractor-options', *values] if values else tool

    least: Dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        short = os.path.join(folder, 'one_frame.mp4')
        with VideoWriter(short, 25) as writer:
            writer.write(next(iter(open_video(video))).image)
        for _ in range(rounds):
            for name in [*names, *([PEER] if has_peer() else [])]:
                for kind, source in (('start', short), ('whole', video)):
                    with tempfile.TemporaryDirectory() as out:
                        spent = command_time(command(name, source, out))
                    key = f'{kind} {name}'
                    least[key] = min(least.get(key, np.inf), spent)
    return least


def hand_differences(poses: np.ndarray, expected: np.ndarray) -> Dict[str, Any]:
    """How far hands are from those expected.

    Args:
        poses, expected (ndarray): Shape (T, 133, 3), pixels and scores.

    Returns:
        dict: For each side the frames in which it was detected here, there and in both, and the mean distance
        in shares of the hand's size (None where no frame has both).
    """
    result = {}
    for side in ('left_hand', 'right_hand'):
        joints = list(get_layout('coco_wholebody_133').parts[side])
        here, there = (clip[:, joints[0], 2] > 0 for clip in (poses, expected))
        both = here & there
        found, other = poses[both][:, joints, :2], expected[both][:, joints, :2]
        size = (other.max(1) - other.min(1)).max(1)
        apart = np.linalg.norm(found - other, axis=-1).mean(1) / np.maximum(size, 1e-6)
        result[side] = dict(
            here=int(here.sum()),
            there=int(there.sum()),
            both=int(both.sum()),
            apart=float(apart.mean()) if both.any() else None,
        )
    return result


def hands(video: str, names: Sequence[str]) -> Dict[str, Any]:
    """:func:`hand_differences` of each extractor from ``mediapipe``, and of ``mediapipe`` from itself.

    The last one begins one frame later: a filter with another past, which is the scale of such differences.
    """

    def poses(name: str, first: int = 0) -> np.ndarray:
        extractor = build_extractor(EXTRACTORS[name])
        frames = (frame for index, frame in enumerate(open_video(video)) if index >= first)
        clip = np.stack(list(extract_stream(frames, extractor)))
        extractor.close()
        return clip

    expected = poses('mediapipe')
    result = {name: hand_differences(poses(name), expected) for name in names if name != 'mediapipe'}
    later = np.concatenate([expected[:1], poses('mediapipe', 1)])
    return {**result, 'mediapipe, begun one frame later': hand_differences(later, expected)}


def main(arguments: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('video', help='a signer')
    parser.add_argument(
        '--extractors',
        nargs='+',
        choices=EXTRACTORS,
        default=list(EXTRACTORS)[:-1],
        help='default: all but mediapipe_tasks, which needs model files',
    )
    parser.add_argument(
        '--parts',
        nargs='+',
        choices=('stream', 'command', 'hands'),
        default=('stream', 'command', 'hands'),
        help='default: all',
    )
    parser.add_argument('--rounds', type=int, default=3, help='default: 3')
    parser.add_argument('--out', type=output_file, help='also write the figures to this JSON file')
    args = parser.parse_args(arguments)
    # Children inherit it.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    if not has_peer():
        print('pose-format is not installed and left out')
    figures: Dict[str, Any] = {}
    if 'stream' in args.parts:
        figures['stream'] = stream_times(args.video, args.extractors, args.rounds)
        for name, spent in figures['stream'].items():
            print(f'{name:34s} {1000 * spent:7.1f} ms of CPU a frame, {1 / spent:6.1f} frames/s', flush=True)
    if 'command' in args.parts:
        figures['command'] = command_times(args.video, args.extractors, args.rounds)
        for name, spent in figures['command'].items():
            print(f'{name:34s} {spent:7.2f} s of CPU', flush=True)
    if 'hands' in args.parts:
        figures['hands'] = hands(args.video, args.extractors)
        for name, sides in figures['hands'].items():
            for side, values in sides.items():
                apart = values['apart']
                shown = 'no frame in common' if apart is None else f'{100 * apart:.3f} % of the size apart'
                print(f'{name:34s} {side:10s} {values["here"]} frames, mediapipe {values["there"]}, {shown}')
    if args.out:
        write_json(figures, args.out, indent=1)


if __name__ == '__main__':
    main()
