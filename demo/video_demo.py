#!/usr/bin/env python
"""Recognise a video, and write it again with what was found: skeleton, confidence of the hands, best glosses, attention over time; and a JSON.

Without --config and --checkpoint it takes the model that `make demo` has trained on synthetic signs: it shows how things look, and knows no sign.

Examples:
    python demo/video_demo.py sign.mp4 --config signbert_d128_finetune --checkpoint work_dirs/words33/epoch_150.pth
    python demo/video_demo.py long.mp4 --window 2 --stride 0.5             # a video of many signs: windows, merged into segments
    python demo/video_demo.py sign.mp4 --onnx words33.onnx
    python demo/video_demo.py sign.mp4 --config PRETRAIN_CONFIG --checkpoint CHECKPOINT --dictionary my_signs
"""

import argparse
import re
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

try:
    import signbert_mm  # noqa: F401
except ModuleNotFoundError:  # a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from signbert_mm.apis import PoseClip, SignInferencer
from signbert_mm.apis.inferencer import to_json
from signbert_mm.engine.checkpoint_io import find_last_whole_checkpoint, write_atomic
from signbert_mm.engine.runner import run_tool
from signbert_mm.visualization.sign_overlay import Bars, SignOverlay, Span, attention_over_time, bars_of
from signbert_mm.visualization.video_writer import VideoWriter

DEMO_CONFIG, DEMO_RUN = 'signbert_d128_finetune_synthetic', 'work_dirs/demo/pretrained'
SYNTHETIC = 'synthetic glosses: no sign language'


def model_arguments(parser: argparse.ArgumentParser) -> None:
    """The options by which both demos choose a model."""
    parser.add_argument('--config', default=DEMO_CONFIG, help='config of the model, or its name (default: %(default)s)')
    parser.add_argument('--checkpoint', help=f'its checkpoint (default: the last one in {DEMO_RUN}, which `make demo` makes)')
    parser.add_argument('--onnx', metavar='FILE', help='an exported model instead, see tools/deployment/export_onnx.py')
    parser.add_argument('--extractor', default='mediapipe', help='what finds poses (default: %(default)s)')
    parser.add_argument('--device', help='where the model runs (default: the GPU where there is one)')
    parser.add_argument('--topk', type=int, default=5, help='glosses in the answer (default: %(default)s)')
    parser.add_argument('--stride', type=float, default=0.5, help='seconds between windows (default: %(default)s)')
    parser.add_argument('--enter', type=float, default=0.6, help='score at which a sign begins (default: %(default)s)')
    parser.add_argument('--leave', type=float, default=0.3, help='score below which it ends (default: %(default)s)')
    parser.add_argument('--ignore', nargs='+', default=[], metavar='GLOSS', help='glosses that are no signs, such as rest')


def build(args: argparse.Namespace, **options: Any) -> SignInferencer:
    """The inferencer that the options ask for."""
    if args.onnx:
        return SignInferencer(args.onnx, backend='onnx', extractor=args.extractor, device=args.device, **options)
    checkpoint = args.checkpoint
    if checkpoint is None and args.config == DEMO_CONFIG:
        checkpoint = find_last_whole_checkpoint(DEMO_RUN) if Path(DEMO_RUN).is_dir() else None
        if checkpoint is None:
            raise FileNotFoundError(f'there is no checkpoint in {DEMO_RUN}: run `make demo`, or give --config and --checkpoint (or --onnx)')
    return SignInferencer(args.config, checkpoint, args.device, args.extractor, **options)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('video', help='any video that FFmpeg reads')
    parser.add_argument('--out', metavar='FILE.mp4', help='the annotated video (default: work_dirs/video_demo/<name>.mp4); the JSON lies beside it')
    parser.add_argument('--window', type=float, help='seconds: find the signs of a long video by windows (default: the whole video is one sign)')
    parser.add_argument('--dictionary', metavar='FOLDER', help='answer with the nearest signs of a dictionary, see tools/build_dictionary.py')
    model_arguments(parser)
    return parser.parse_args()


def answer(inferencer: SignInferencer, clip: PoseClip, args: argparse.Namespace) -> Tuple[dict, List[Tuple[int, int, Bars]], np.ndarray, List[Span]]:
    """The prediction for the JSON; which bars stand from frame to frame; attention (T, 2); segments in frames."""
    if args.dictionary:
        (found,) = inferencer.search([clip], topk=args.topk)
        attention = np.zeros((len(clip), 2))
        return found, [(0, len(clip), bars_of(found['glosses'], found['scores']))], attention, []
    if args.window is None:
        (found,) = inferencer([clip], topk=args.topk)['predictions']
        pieces = [] if found['attention'] is None else [(found['frames'], found['attention'])]
        told = {key: value for key, value in found.items() if key != 'all_scores'}
        return told, [(0, len(clip), bars_of(found['glosses'], found['scores']))], attention_over_time(len(clip), pieces), []
    stream = inferencer.stream_recognizer(
        clip.image_size, clip.fps, clip.layout, args.window, args.stride, args.enter, args.leave, args.ignore, clip.name
    )
    events = [event for event in map(stream.push, np.concatenate([clip.keypoints, clip.scores[..., None]], -1)) if event is not None]
    events += [event for event in [stream.finish()] if event is not None]
    bars, pieces, until = [], [], 0
    windows: List[Dict[str, Any]] = []
    segments = [segment for event in events for segment in event.segments]
    for event in events:
        if event.end > event.start:
            best = inferencer.best(event.scores, args.topk)
            windows.append(dict(start=event.start / clip.fps, end=event.end / clip.fps, glosses=best['glosses'], scores=best['scores']))
            # a window's answer stands at its middle
            end = len(clip) if event is events[-1] else int(event.end - stream.window / 2 + stream.stride / 2)
            bars.append((until, end, bars_of(best['glosses'], best['scores'])))
            until = end
            if event.attention is not None and event.scores.any():
                pieces.append((event.frames, event.attention))
    bars[-1] = (bars[-1][0], len(clip), bars[-1][2])
    spans = [(segment.start, segment.end, inferencer.gloss(segment.label)) for segment in segments]
    told = [
        dict(start=s.start / clip.fps, end=s.end / clip.fps, gloss=inferencer.gloss(s.label), score=s.score) for s in segments
    ]  # fmt: skip
    found = dict(name=clip.name, fps=clip.fps, num_frames=len(clip), segments=told, windows=windows)
    return found, bars, attention_over_time(len(clip), pieces), spans


def frames_with(bars: List[Tuple[int, int, Bars]], count: int) -> Iterator[Bars]:
    """The bars of each frame."""
    for frame in range(count):
        yield next((item for start, end, item in bars if start <= frame < end), [])


def main() -> None:
    args = parse_args()
    inferencer = build(args, dictionary=args.dictionary)
    clip = inferencer.reader.extract(args.video)
    found, bars, attention, segments = answer(inferencer, clip, args)
    out = Path(args.out or Path('work_dirs') / 'video_demo' / f'{Path(args.video).stem}.mp4')
    overlay = SignOverlay(*clip.image_size, clip.layout, len(clip), attention, segments, Path(args.video).name, clip.fps)
    note = SYNTHETIC if inferencer.glosses and all(re.fullmatch(r'gloss_\d+', gloss) for gloss in inferencer.glosses) and not args.dictionary else ''
    hands = clip.hands_found().any(-1)
    reader = inferencer.reader.open(args.video)
    with VideoWriter(out, clip.fps or 25) as writer:
        for frame, (item, shown) in enumerate(zip(reader, frames_with(bars, len(clip)))):
            pose = np.concatenate([clip.keypoints[frame], clip.scores[frame][:, None]], -1)
            now = next((text for start, end, text in segments if start <= frame < end), '')
            writer.write(overlay.draw(item[0], pose, shown, frame, f'now: {now}' if now else note, quiet=not hands.any()))
    reader.close()
    write_atomic(to_json(found).encode(), out.with_suffix('.json'))
    print(to_json({key: found[key] for key in ('glosses', 'scores', 'segments', 'hand_frames') if key in found}))
    if note:
        print('This model was trained on synthetic signs and knows no sign language: its answer means nothing as a sign.')
    print(f'{out} and {out.with_suffix(".json")}')


if __name__ == '__main__':
    run_tool(main)
