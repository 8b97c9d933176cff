#!/usr/bin/env python
"""Recognise a video, and write an annotated copy and a JSON.

The copy shows the skeleton, the confidence of the hands, the best glosses and the attention over time.

Without --config and --checkpoint it uses the recogniser that comes with the package. The model in use is
printed.

Examples:
    # 32 ASL letters and words
    python demo/video_demo.py sign.mp4
    python demo/video_demo.py sign.mp4 --config signbert_d128_finetune \
        --checkpoint work_dirs/words33/epoch_150.pth
    # a video of many signs: windows, merged into segments
    python demo/video_demo.py long.mp4 --window 2 --stride 0.5
    # the same for ELAN, and as subtitles
    python demo/video_demo.py long.mp4 --window 2 --elan long.eaf --vtt long.vtt
    python demo/video_demo.py sign.mp4 --onnx words33.onnx
    python demo/video_demo.py sign.mp4 --config PRETRAIN_CONFIG --checkpoint CHECKPOINT --dictionary my_signs
"""

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[1]))

import numpy as np

from signbert_mm.apis import PoseClip, SignInferencer, zoo
from signbert_mm.apis.backends import to_json
from signbert_mm.apis.stream import steps_of
from signbert_mm.apis.subtitles import sign_segments, write_eaf, write_vtt
from signbert_mm.arguments import tool_parser
from signbert_mm.engine.checkpoint_io import find_last_whole_checkpoint
from signbert_mm.engine.runner import run_tool
from signbert_mm.files.atomic import write_atomic
from signbert_mm.files.os_errors import check_outputs, check_writable, output_file
from signbert_mm.files.shipped import SHIPPED
from signbert_mm.visualization.sign_overlay import Bars, SignOverlay, Span, attention_over_time, bars_of
from signbert_mm.visualization.video_writer import VideoWriter

DEMO_CONFIG, DEMO_RUN = 'signbert_d128_finetune_synthetic', 'work_dirs/demo/pretrained'
SYNTHETIC = 'synthetic glosses: no sign language'
# A gloss of words33: hands at rest, or none in view.
REST, REST_NOTE = '-', '"-" is rest: none of its signs'


def model_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options with which the demos choose a model."""
    parser.add_argument(
        '--config',
        help='config of the model, or its name (default: the recogniser that comes with the package)',
    )
    parser.add_argument(
        '--checkpoint',
        help=f'its checkpoint (default: its release file in the zoo, or the last one in {DEMO_RUN})',
    )
    parser.add_argument(
        '--onnx', metavar='FILE', help='an exported model instead, see tools/deployment/export_onnx.py'
    )
    parser.add_argument('--extractor', default='mediapipe', help='what finds poses (default: %(default)s)')
    parser.add_argument('--device', help='where the model runs (default: the GPU where there is one)')
    parser.add_argument('--topk', type=int, default=5, help='glosses in the answer (default: %(default)s)')
    parser.add_argument('--stride', type=float, default=0.5, help='seconds between windows (default: 0.5)')
    parser.add_argument(
        '--enter', type=float, default=0.6, help='score at which a sign begins (default: 0.6)'
    )
    parser.add_argument('--leave', type=float, default=0.3, help='score below which it ends (default: 0.3)')
    parser.add_argument(
        '--ignore',
        nargs='*',
        metavar='GLOSS',
        help='glosses that are no signs (default: "-", which is rest; none: --ignore)',
    )


def demo_checkpoint() -> str:
    """The last checkpoint of `make demo`.

    Raises:
        FileNotFoundError: There is none.
    """
    checkpoint = find_last_whole_checkpoint(DEMO_RUN) if Path(DEMO_RUN).is_dir() else None
    if checkpoint is None:
        raise FileNotFoundError(
            f'there is no recogniser in the zoo folder (`make zoo`) and no checkpoint in {DEMO_RUN}: run '
            '`make demo`, or give --config and '
            '--checkpoint (or --onnx)'
        )
    return checkpoint


def choose_model(args: argparse.Namespace, demo: Callable[[], str] = demo_checkpoint) -> bool:
    """Fills in ``config`` and ``checkpoint`` where the options leave them open.

    The default is the recogniser that comes with the package; where there is none, that of the zoo folder,
    else that of ``demo``. The name of a published model alone stands for its release file.

    Returns:
        bool: True where the options name no model.

    Raises:
        FileNotFoundError: The model does not exist. The message says how to make it.
    """
    if args.onnx or (args.config and args.checkpoint):
        return False
    if not args.config and not args.checkpoint:
        released = zoo.released_recognisers()
        args.config, args.checkpoint = released[0][:2] if released else (DEMO_CONFIG, demo())
        return True
    args.config = args.config or DEMO_CONFIG
    if not args.checkpoint and (zoo.zoo_models().get(args.config) or {}).get('Weights'):
        in_zoo = args.config != DEMO_CONFIG or zoo.zoo_file(args.config)
        args.checkpoint = zoo.zoo_checkpoint(args.config) if in_zoo else demo()
    return False


def model_note(args: argparse.Namespace, inferencer: SignInferencer) -> str:
    """For a model that the options do not name: what it knows, and how to choose another."""
    models = zoo.zoo_models()
    models.update({SHIPPED + entry['Shipped']: entry for entry in models.values() if entry.get('Shipped')})
    knows = (models.get(args.config) or {}).get('Metadata', {}).get('Glosses')
    knows = knows or f'{len(inferencer.glosses)} glosses'
    if inferencer.dictionary is not None:
        knows = f'the {len(inferencer.dictionary.glosses)} signs of the dictionary'
    real = 'For real signs run make zoo; ' if zoo.are_synthetic(inferencer.glosses) else ''
    return f'It knows {knows}. {real}--config and --checkpoint (or --onnx) name another.'


def build(args: argparse.Namespace, **options: Any) -> SignInferencer:
    """Builds the inferencer of the options, and prints which model it is if they name none.

    Fills in ``config``, ``checkpoint`` and ``ignore``.
    """
    unnamed = choose_model(args)
    if args.onnx:
        inferencer = SignInferencer(
            args.onnx, backend='onnx', extractor=args.extractor, device=args.device, **options
        )
    else:
        inferencer = SignInferencer(args.config, args.checkpoint, args.device, args.extractor, **options)
    if args.ignore is None:
        args.ignore = [REST] if REST in inferencer.glosses else []
    if unnamed:
        print(f'Model: {args.config}, {args.checkpoint}. {model_note(args, inferencer)}', flush=True)
    return inferencer


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('video', help='any video that FFmpeg reads')
    parser.add_argument(
        '--out',
        type=output_file,
        metavar='FILE.mp4',
        help='the annotated video (default: work_dirs/video_demo/<name>.mp4); the JSON lies beside it',
    )
    parser.add_argument(
        '--elan', type=output_file, metavar='FILE.eaf', help='also write the signs in time, for ELAN'
    )
    parser.add_argument('--vtt', type=output_file, metavar='FILE.vtt', help='also write them as subtitles')
    parser.add_argument(
        '--window',
        type=float,
        help='seconds: find the signs of a long video by windows (default: the whole video is one sign)',
    )
    parser.add_argument(
        '--dictionary',
        metavar='FOLDER',
        help='answer with the nearest signs of a dictionary, see tools/build_dictionary.py',
    )
    model_arguments(parser)
    return parser.parse_args()


def answer(
    inferencer: SignInferencer, clip: PoseClip, args: argparse.Namespace
) -> Tuple[dict, List[Tuple[int, int, Bars]], np.ndarray, List[Span]]:
    """Recognises a clip.

    Returns:
        tuple: The prediction for the JSON, the bars with the range of their frames, the attention (T, 2), and
        the segments in frames.
    """
    if args.dictionary:
        (result,) = inferencer.search([clip], topk=args.topk)
        attention = np.zeros((len(clip), 2))
        return result, [(0, len(clip), bars_of(result['glosses'], result['scores']))], attention, []
    if args.window is None:
        (result,) = inferencer([clip], topk=args.topk)['predictions']
        pieces = [] if result['attention'] is None else [(result['frames'], result['attention'])]
        prediction = {key: result[key] for key in result if key != 'all_scores'}
        bars = [(0, len(clip), bars_of(result['glosses'], result['scores']))]
        return prediction, bars, attention_over_time(len(clip), pieces), []
    stream = inferencer.stream_recognizer(
        clip.image_size,
        clip.fps,
        clip.layout,
        args.window,
        args.stride,
        args.enter,
        args.leave,
        args.ignore,
        clip.name,
    )
    poses = np.concatenate([clip.keypoints, clip.scores[..., None]], -1)
    events = [event for pose, time in zip(poses, clip.seconds) for event in stream.push_at(pose, time)]
    events += [event for event in [stream.finish()] if event is not None]
    steps = steps_of(clip)

    def seconds(step: float) -> float:
        return clip.start + step / clip.fps

    bars, pieces, until = [], [], 0
    windows: List[Dict[str, Any]] = []
    segments = [segment for event in events for segment in event.segments]
    for event in events:
        if event.end > event.start:
            best = inferencer.best(event.scores, args.topk)
            answered = dict(glosses=best['glosses'], scores=best['scores'], reason=event.reason)
            if inferencer.backend.rejection:
                answered['unknown'] = event.unknown
            windows.append(dict(start=seconds(event.start), end=seconds(event.end), **answered))
            # A window's answer is shown round its middle, until halfway to the next one's.
            end = int(np.searchsorted(steps, event.end - stream.window / 2 + stream.stride / 2))
            bars.append((until, end, bars_of(best['glosses'], best['scores'])))
            until = end
            if event.attention is not None and event.scores.any():
                pieces.append((event.frames, event.attention))
    # The last answer stays until the end.
    bars[-1] = (bars[-1][0], len(clip), bars[-1][2])
    spans = [
        (*np.searchsorted(steps, (segment.start, segment.end)).tolist(), inferencer.gloss(segment.label))
        for segment in segments
    ]
    signs = [
        dict(start=seconds(s.start), end=seconds(s.end), gloss=inferencer.gloss(s.label), score=s.score)
        for s in segments
    ]
    result = dict(
        name=clip.name,
        fps=clip.fps,
        num_frames=len(clip),
        reason=clip.no_answer,
        segments=signs,
        windows=windows,
    )
    return result, bars, attention_over_time(len(clip), pieces), spans


def frames_with(bars: List[Tuple[int, int, Bars]], count: int) -> Iterator[Bars]:
    """The bars of each frame."""
    for frame in range(count):
        yield next((item for start, end, item in bars if start <= frame < end), [])


def no_answer_note(reason: str) -> str:
    """What the video says of a clip without an answer; '' with one."""
    # Up to the colon: the picture is narrow.
    return f'no answer: {reason.split(":")[0]}' if reason else ''


def nothing_found(result: Dict[str, Any], enter: float) -> str:
    """Why a long video has no segments: the reason of most windows, else that no score was high enough."""
    reasons = Counter(window['reason'] for window in result['windows'] if window['reason'])
    if not reasons:
        return f'no sign reached the score of --enter, {enter:g}, in any of {len(result["windows"])} windows'
    reason, count = reasons.most_common(1)[0]
    return f'{reason} ({count} of {len(result["windows"])} windows)'


def main() -> None:
    args = parse_args()
    out = Path(args.out or Path('work_dirs') / 'video_demo' / f'{Path(args.video).stem}.mp4')
    check_writable(out)
    check_outputs([out, out.with_suffix('.json')], [args.video], over_videos=True)
    check_outputs(filter(None, (args.elan, args.vtt, out.with_suffix('.json'))), [args.video])
    inferencer = build(args, dictionary=args.dictionary)
    if args.dictionary:
        inferencer.check_dictionary()
    clip = inferencer.reader.extract(args.video)
    result, bars, attention, segments = answer(inferencer, clip, args)
    overlay = SignOverlay(
        *clip.image_size, clip.layout, len(clip), attention, segments, Path(args.video).name, clip.fps
    )
    synthetic = zoo.are_synthetic(inferencer.glosses) and not args.dictionary
    note = SYNTHETIC if synthetic else REST_NOTE if result.get('glosses', [''])[:1] == [REST] else ''
    note = no_answer_note(result['reason']) or note
    # The video is read a second time for drawing, so that only poses are kept in memory.
    reader = inferencer.reader.open(args.video)
    with VideoWriter(out, clip.fps or 25) as writer:
        for frame, (item, shown) in enumerate(zip(reader, frames_with(bars, len(clip)))):
            pose = np.concatenate([clip.keypoints[frame], clip.scores[frame][:, None]], -1)
            now = next((text for start, end, text in segments if start <= frame < end), '')
            writer.write(overlay.draw(item[0], pose, shown, frame, f'now: {now}' if now else note))
    reader.close()
    write_atomic(to_json(result).encode(), out.with_suffix('.json'))
    signs = sign_segments(result, len(clip) / (clip.fps or 25), clip.start)
    if args.elan:
        write_eaf(args.elan, args.video, {'signer': signs})
    if args.vtt:
        write_vtt(args.vtt, signs)
    print(
        to_json(
            {
                key: result[key]
                for key in ('glosses', 'scores', 'segments', 'hand_frames', 'reason', 'unknown', 'guesses')
                if key in result
            }
        )
    )
    if result['reason']:
        print(f'No answer: {result["reason"]}.')
    elif not result.get('segments', True):
        print(f'No sign was found: {nothing_found(result, args.enter)}.')
    elif synthetic:
        print(
            'This model was trained on synthetic signs and knows no sign language: its answer means '
            'nothing as a sign.'
        )
    elif note:
        print(f'{note}.')
    written = [out, out.with_suffix('.json'), *filter(None, (args.elan, args.vtt))]
    print(f'Written: {", ".join(map(str, written))}')


if __name__ == '__main__':
    run_tool(main)
