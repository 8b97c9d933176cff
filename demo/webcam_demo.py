#!/usr/bin/env python
"""Recognise signs in front of a camera, live.

The window shows the best glosses of the last seconds, the recognised signs, and the latency.

Press q in the window to end it. --no-window prints instead, for machines without a display. --out records
what is shown. A video's path in place of the camera's number is played like a camera.

Example:
    python demo/webcam_demo.py --camera 0 --config signbert_d128_finetune \
        --checkpoint work_dirs/words33/epoch_150.pth --ignore -
"""

import argparse
import sys
import time
from collections import deque
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import cv2
import numpy as np
from video_demo import build, model_arguments

from signbert_mm.apis.stream import StreamEvent
from signbert_mm.arguments import tool_parser
from signbert_mm.engine.runner import run_tool
from signbert_mm.files.os_errors import output_file
from signbert_mm.visualization.sign_overlay import Bars, SignOverlay, bars_of
from signbert_mm.visualization.video_writer import VideoWriter


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument(
        '--camera', default='0', help="the camera's number, or a video's path (default: %(default)s)"
    )
    parser.add_argument(
        '--window', type=float, default=2.0, help='seconds that are recognised at once (default: %(default)s)'
    )
    parser.add_argument(
        '--fps',
        type=float,
        default=0.0,
        help='frames a second of --out, where the camera does not report its rate',
    )
    parser.add_argument(
        '--seconds', type=float, help='end after this time (default: when q is pressed or the video ends)'
    )
    parser.add_argument('--no-window', action='store_true', help='print the answers; needs no display')
    parser.add_argument('--out', type=output_file, metavar='FILE.mp4', help='record what is shown')
    model_arguments(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    inferencer = build(args)
    reader = inferencer.reader.open(args.camera, args.seconds)
    # The rate of times and of the recording. Frames count when they arrive.
    fps = inferencer.reader.clock(reader, args.fps)
    stream = inferencer.stream_recognizer(
        (reader.width, reader.height),
        fps,
        None,
        args.window,
        args.stride,
        args.enter,
        args.leave,
        args.ignore,
        f'camera {args.camera}',
    )
    overlay = SignOverlay(
        reader.width,
        reader.height,
        stream.layout,
        title=f'camera {args.camera}' if args.camera.isdigit() else Path(args.camera).name,
    )
    writer, written = VideoWriter(args.out, fps) if args.out else None, 0
    shown, signs, latency = [], deque(maxlen=5), deque(maxlen=50)
    start, begin = time.perf_counter(), None

    def tell(event: StreamEvent, arrival: float) -> Bars:
        """Prints a window's answer; gives its bars."""
        prediction = inferencer.event_prediction(event, fps, args.topk)
        signs.extend(segment['gloss'] for segment in prediction['segments'])
        bars = bars_of(prediction['glosses'], prediction['scores'])
        # An empty window only closes the last segment.
        if event.end > event.start:
            latency.append(time.perf_counter() - arrival)
            best = f'{bars[0][0]} {100 * bars[0][1]:.0f} %' if bars else f'no answer: {event.reason}'
            print(f'{event.end / fps:8.2f} s  {best}  latency {1000 * latency[-1]:.0f} ms', flush=True)
        return bars

    try:
        for frame, pose, arrival in inferencer.reader.timed_poses(reader):
            begin = frame.time if begin is None else begin
            if args.seconds is not None and frame.time - begin > args.seconds - 1e-6:
                break
            for event in stream.push_at(pose, frame.time):
                shown = tell(event, arrival)
            if args.no_window and writer is None:
                continue
            now = f'signs: {", ".join(signs)}' if signs else 'signs: none yet'
            picture = overlay.draw(frame.image, pose, shown, 0, now)
            # A slow frame is written several times, so that the recording plays at the camera's speed.
            while writer is not None and written < stream.length:
                writer.write(picture)
                written += 1
            if not args.no_window:
                cv2.imshow('signbert_mm', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
                if cv2.waitKey(1) & 0xFF == ord('q'):
                    break
        last = stream.finish() if stream.count else None
        if last is not None:
            tell(last, arrival)
    finally:
        reader.close()
        if writer is not None:
            writer.close()
    seconds = time.perf_counter() - start
    if latency:
        print(
            f'{stream.count} frames in {seconds:.1f} s ({stream.count / seconds:.1f} frames/s); latency of a '
            'window, from its last frame: '
            f'median {1000 * np.median(latency):.0f} ms, largest {1000 * max(latency):.0f} ms; signs: '
            f'{", ".join(signs) or "none"}'
        )


if __name__ == '__main__':
    run_tool(main)
