"""``signbert-mm recognise``."""

import argparse
import csv
import io
import os
import shlex
import sys
from typing import Any, Dict, Iterator, List

from ..errors import UserError, UserValueError
from ..files.atomic import write_atomic
from ..files.os_errors import check_outputs, describe_os_error
from .progress import ProgressBar

COLUMNS = ('video', 'start', 'end', 'gloss', 'score', 'reason')
TIER = 'signbert-mm'


def main(args: argparse.Namespace) -> None:
    from ..apis import TaughtSigns, write_eaf
    from ..apis.backends import to_json
    from ..extraction import find_videos

    outputs = [path for path in (args.json, args.csv, args.elan) if path]
    # Not a number is in no range.
    if args.topk < 1 or not all(0 <= number < float('inf') for number in (args.window, args.image_fps)):
        raise UserValueError('--topk must be at least 1, --window and --image-fps above 0')
    if args.window and not args.long:
        raise UserValueError('--window goes with --long')
    # It may hold annotations by hand: such files have the name of their video too.
    if args.elan and os.path.lexists(args.elan) and not args.overwrite:
        raise UserValueError(f'{args.elan} exists; name another file, or --overwrite')
    videos = find_videos(args.videos, unclear=True)
    check_outputs(outputs, [path for _, path in videos])
    if args.elan and len(videos) > 1:
        raise UserValueError(f'--elan writes the file of one video, and {len(videos)} are given')
    signs = TaughtSigns.load(args.model, args.device, args.extractor)
    # An extractor that is not there is no fault of a video.
    changed = signs.other_extractor()
    if changed:
        print(f'Note: {changed}')
    answers: List[Dict[str, Any]] = []
    for video_id, path in videos:
        answers.append(_answer(signs, path, args))
        print(f'{video_id}: {_in_words(answers[-1])}', flush=True)
    rows = [row for (video_id, _), answer in zip(videos, answers) for row in _rows(video_id, answer)]
    if args.json:
        kept = [
            dict(video=video_id, **{key: answer[key] for key in answer if key != 'all_scores'})
            for (video_id, _), answer in zip(videos, answers)
        ]
        write_atomic(to_json(kept).encode(), args.json)
    if args.csv:
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
        write_atomic(buffer.getvalue().encode(), args.csv)
    # Without an answer there is nothing to write.
    if args.elan and 'error' in answers[0]:
        args.elan = None
    if args.elan:
        spans = [(row['start'], row['end'], row['gloss'], row['score']) for row in rows if row['gloss']]
        write_eaf(args.elan, videos[0][1], {TIER: spans})
    _print_end(args, answers)


def _answer(signs: Any, path: str, args: argparse.Namespace) -> Dict[str, Any]:
    """The answer for one video; with ``error`` where it cannot be read."""
    bar, name = ProgressBar(), os.path.basename(path)
    try:
        try:
            clip = signs.inferencer.reader.extract(
                path,
                fps=args.image_fps,
                progress=lambda done, total: bar(f'{name}: finding poses', done, total),
            )
        except (UserError, OSError):
            raise
        # A backend may raise anything on an odd file, which is no reason to lose the other answers.
        except Exception as error:
            raise UserValueError(f'{type(error).__name__}: {error}') from error
        bar.close()
        if (args.long or args.elan) and not clip.fps:
            raise UserValueError('its rate is unknown; give images a second (--image-fps)')
        if args.long:
            return signs.segments([clip], window=args.window)[0]
        answer = signs([clip], topk=args.topk)[0]
        return dict(answer, seconds=len(clip) / clip.fps if clip.fps else 0.0, start=clip.start)
    except (UserError, OSError) as error:
        bar.close()
        text = describe_os_error(error) if isinstance(error, OSError) else str(error)
        return dict(name=name, error=text, reason=text)


def _in_words(answer: Dict[str, Any]) -> str:
    if answer.get('error'):
        return f'cannot be read: {answer["error"]}'
    if 'segments' in answer:
        spans = [
            f'{sign["start"]:.1f} to {sign["end"]:.1f} s {sign["gloss"]} ({sign["score"]:.2f})'
            for sign in answer['segments']
        ]
        return '; '.join(spans) or answer['reason'] or 'none of these signs in any window'
    if answer['glosses']:
        return f'{answer["glosses"][0]} ({answer["scores"][0]:.2f})'
    reason = answer['reason']
    return reason if 'nearest' in answer else f'no answer: {reason}'


def _rows(video: str, answer: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
    """The rows of the CSV: one a sign, or one without a gloss that says why."""
    start = answer.get('start', 0.0)
    end = round(start + answer['seconds'], 4) if 'seconds' in answer else ''
    row = dict(video=video, start=round(start, 4), end=end, gloss='', score='')
    if 'segments' in answer and answer['segments']:
        for sign in answer['segments']:
            found = {key: round(sign[key], 4) for key in ('start', 'end', 'score')}
            yield dict(row, **found, gloss=sign['gloss'], reason='')
    elif answer.get('glosses'):
        yield dict(row, gloss=answer['glosses'][0], score=round(answer['scores'][0], 4), reason='')
    else:
        yield dict(row, reason=answer['reason'] or 'none of these signs in any window')


def _print_end(args: argparse.Namespace, answers: List[Dict[str, Any]]) -> None:
    written = [path for path in (args.json, args.csv, args.elan) if path]
    if written:
        print(f'Written: {", ".join(written)}')
    failed = sum('error' in answer for answer in answers)
    if failed:
        print(f'{failed} of {len(answers)} videos cannot be read; the lines above say why.')
    model = shlex.quote(args.model)
    keep = '' if written else ', or --csv FILE to keep the answers'
    print(f'Next: signbert-mm page --model {model}{keep}')
    # As of `cp` or `cat`: what can be done is done, and the status tells of the rest.
    if failed:
        sys.exit(1)
