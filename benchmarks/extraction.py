"""Frames a second of reading a video and of each extractor on one core, and peak memory on a long video.

The long video is the given one, its packets repeated. Weights of MMPose are random: they don't change the
speed.

Example:
    python benchmarks/extraction.py sign.mp4 \
        --extractors mediapipe rtmpose-m_8xb64-270e_coco-wholebody-256x192 --minutes 1 30
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Dict, List

import numpy as np
import torch

from signbert_mm.extraction import PoseExtractor, build_extractor, extract_folder, extract_stream, open_video
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file
from signbert_mm.visualization.video_writer import VideoWriter


class NoExtractor(PoseExtractor):
    """Finds nobody: what is left is reading the video and keeping poses."""

    name, version = 'none', '1'

    def predict(self, items: List[np.ndarray]) -> np.ndarray:
        return np.zeros((len(items), 133, 3), dtype=np.float32)


def build(name: str) -> PoseExtractor:
    """'none', 'mediapipe', or a config of MMPose."""
    if name == 'none':
        return NoExtractor()
    return build_extractor(
        name
        if name == 'mediapipe'
        else dict(type='mmpose', config=name, checkpoint='random', flip_test=False)
    )


def loop_video(path: str, out: str, minutes: float) -> int:
    """Repeats the packets of ``path``'s video until ``minutes`` are full; gives the number of packets."""
    import av

    with av.open(path) as source:
        stream = source.streams.video[0]
        packets = [packet for packet in source.demux(stream) if packet.size]
        span = max(packet.pts + (packet.duration or 0) for packet in packets) - min(
            packet.pts for packet in packets
        )
        with av.open(out, 'w') as target:
            copy = target.add_stream_from_template(stream)
            shift, count, kept = 0, 0, [(packet.pts, packet.dts) for packet in packets]
            while shift * stream.time_base < minutes * 60:
                for packet, (pts, dts) in zip(packets, kept):
                    packet.pts, packet.dts, packet.time_base, packet.stream = (
                        pts + shift,
                        dts + shift,
                        stream.time_base,
                        copy,
                    )
                    target.mux(packet)
                shift, count = shift + span, count + len(packets)
    return count


def thin_video(path: str, out: str, fps: float) -> int:
    """The video at another rate, written anew; gives the number of frames."""
    with VideoWriter(out, fps) as writer:
        count = 0
        for frame in open_video(path, fps):
            writer.write(frame.image)
            count += 1
    return count


def speed(video: str, names: List[str], frames: int, repeats: int) -> Dict[str, float]:
    """Frames a second: the best of ``repeats`` passes, after one to warm up; the extractors' without
    reading.
    """
    figures = {}
    images = [frame.image for frame, _ in zip(open_video(video), range(frames))]

    def best(run) -> float:
        run()
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            count = run()
            times.append((time.perf_counter() - start) / count)
        return 1 / min(times)

    figures['frames_per_s_reading'] = best(lambda: sum(1 for _ in open_video(video)))
    for name in names:
        extractor = build(name)
        figures[f'frames_per_s_{name}'] = best(
            lambda extractor=extractor: sum(1 for _ in extract_stream(images, extractor))
        )
        extractor.close()
    return figures


def peak(video: str, extractor: str, folder: str) -> None:
    """Extracts in this fresh process; prints frames, seconds, and the peak of resident memory in MB while
    reading and with the store's writing.
    """
    built, seen = build(extractor), []
    close = built.close
    built.close = lambda: seen.append(peak_mb()) or close()
    poses = built.stream
    built.stream = lambda images: _watched(poses(images), seen)
    start = time.perf_counter()
    store = extract_folder([('long', video)], os.path.join(folder, 'store'), built, progress=False)
    print(json.dumps([int(store.length[0]), time.perf_counter() - start, seen[0], seen[-1]]))


def peak_mb() -> float:
    """The peak of this process's resident memory; ``ru_maxrss`` would count the parent's, from before the
    exec.
    """
    with open('/proc/self/status') as file:
        return int(next(line for line in file if line.startswith('VmHWM')).split()[1]) / 1024


def _watched(poses, seen):
    yield from poses
    seen.append(peak_mb())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('video', help='with a person in it')
    parser.add_argument(
        '--extractors',
        nargs='*',
        default=['mediapipe'],
        help="'mediapipe', or configs of MMPose (default: mediapipe)",
    )
    parser.add_argument(
        '--frames', type=int, default=48, help='of the video, for the extractors (default: 48)'
    )
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument(
        '--minutes',
        type=float,
        nargs='*',
        default=[],
        help='lengths of the long video, for the peak of memory',
    )
    parser.add_argument(
        '--memory-extractor', default='none', help="'none' (default), 'mediapipe', or a config of MMPose"
    )
    parser.add_argument(
        '--cores', type=int, default=1, help='cores that this process may use (default: 1; 0 = all)'
    )
    parser.add_argument('--out', type=output_file, help='also write the figures to this JSON file')
    parser.add_argument(
        '--peak', metavar='FOLDER', help='only extract VIDEO into FOLDER and print frames, seconds and MB'
    )
    args = parser.parse_args()
    torch.set_num_threads(args.cores or torch.get_num_threads())
    if args.cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    if args.peak:
        peak(args.video, args.memory_extractor, args.peak)
        return
    figures = speed(args.video, args.extractors, args.frames, args.repeats)
    for minutes in args.minutes:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'long.mp4')
            loop_video(args.video, path, minutes)
            command = [
                sys.executable,
                __file__,
                path,
                '--peak',
                folder,
                '--memory-extractor',
                args.memory_extractor,
                '--cores',
                str(args.cores),
            ]
            frames, seconds, reading, merging = json.loads(subprocess.check_output(command).splitlines()[-1])
        name = f'{minutes:g}_min_{args.memory_extractor}'
        figures.update(
            {
                f'frames_{name}': frames,
                f'seconds_{name}': seconds,
                f'peak_mb_{name}': reading,
                f'peak_mb_with_store_{name}': merging,
            }
        )
    for name, figure in figures.items():
        print(f'{name:70s} {figure:12.1f}')
    if args.out:
        about = dict(video=os.path.basename(args.video), cores=args.cores, torch=torch.__version__)
        write_json(dict(**figures, about=about), args.out, indent=1)


if __name__ == '__main__':
    main()
