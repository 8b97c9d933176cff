"""The parser of ``signbert-mm``, and what each subcommand calls."""

import argparse
import sys
from typing import Callable, List, Optional, Sequence

from ..errors import UserModuleNotFoundError
from ..files.os_errors import output_file
from ..version import __version__
from .scripts import SCRIPTS, run_script

DESCRIPTION = 'Teach a computer signs from a few videos of each, and recognise them.'
EXAMPLE = """Begin with a folder for each sign, and in it videos <signer>_<take>.mp4:

  signbert-mm doctor
  signbert-mm teach my_videos/ --out my_signs
  signbert-mm recognise new.mp4 --model my_signs
  signbert-mm page --model my_signs
"""
TEACH = """Learn signs from labelled videos: poses, checks, a model, and an honest estimate of how often it is
right.

Videos lie in VIDEOS/<sign>/<signer>_<take>.mp4, or a CSV lists them (columns video, gloss and, if known,
signer). Run it again with more videos: only the new ones are read, and the model is made anew."""
RECOGNISE = """Name the sign of each video, or say that it is none of the signs that were taught.

A folder stands for all videos in it. It ends with status 1 where a video cannot be read; the answers of the
others are printed and written all the same. "None of these" is an answer."""
PAGE = """Open a page in the browser that recognises signs and learns new ones: drop a video, or record one.

Its tab "Teach" takes a few videos of each sign, tries them at once, and exports a folder that recognise and
page read. Each visitor has signs of their own. Without --model it recognises 32 ASL signs, and teaching
begins with none."""
DOCTOR = """Say what is installed, which parts work, and what to do about the rest.

It ends with status 1 where what all subcommands need is missing."""


def make_parser() -> argparse.ArgumentParser:
    """The parser of all subcommands but those that are scripts of ``tools/``, which have their own."""
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog='signbert-mm', description=DESCRIPTION, epilog=EXAMPLE, formatter_class=style
    )
    parser.add_argument('--version', action='version', version=f'signbert_mm {__version__}')
    commands = parser.add_subparsers(dest='command', metavar='COMMAND', required=True)

    def add(name: str, summary: str, description: str, example: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=summary,
            description=description,
            epilog=f'Example:\n  {example}',
            formatter_class=style,
        )

    _add_teach(add)
    _add_recognise(add)
    _add_page(add)
    add('doctor', 'say what is installed and works', DOCTOR, 'signbert-mm doctor')
    for name, script in SCRIPTS.items():
        # For the list in --help; main() runs the script itself.
        commands.add_parser(name, help=script.summary, add_help=False)
    return parser


def _add_model(parser: argparse.ArgumentParser, required: bool = True) -> None:
    parser.add_argument('--model', required=required, metavar='FOLDER', help='the taught signs')


def _add_extractor(parser: argparse.ArgumentParser, default: Optional[str], shown: str) -> None:
    parser.add_argument(
        '--extractor',
        default=default,
        help=f'what finds poses: mediapipe, rtmlib, or package.module.Class of your own (default: {shown})',
    )
    parser.add_argument('--device', help='where the model runs (default: the GPU where there is one)')


def _add_teach(add: Callable[..., argparse.ArgumentParser]) -> None:
    parser = add('teach', 'learn signs from videos', TEACH, 'signbert-mm teach my_videos/ --out my_signs')
    parser.add_argument('videos', help='folder with a folder for each sign, or a CSV')
    parser.add_argument('--out', required=True, metavar='FOLDER', help='the taught signs: new, or to update')
    parser.add_argument(
        '--method',
        choices=('auto', 'dictionary', 'finetune'),
        default='auto',
        help='dictionary: nothing is trained, the nearest example answers. finetune: the encoder is trained '
        'on. auto: the dictionary, or with five clips of each sign and two signers whichever is more often '
        'right (default: auto)',
    )
    parser.add_argument(
        '--signer',
        default='',
        metavar='REGEX',
        help='finds the signer in the path below the sign; its first group, or all of it (default: what '
        'stands before the first "_" of the name)',
    )
    parser.add_argument(
        '--encoder',
        default='zoo://signbert_d128',
        metavar='CHECKPOINT',
        help='the pre-trained encoder: a file, or one that is shipped (default: %(default)s)',
    )
    parser.add_argument('--workers', type=int, default=1, help='processes that find poses (default: 1)')
    _add_extractor(parser, 'mediapipe', 'mediapipe')


def _add_recognise(add: Callable[..., argparse.ArgumentParser]) -> None:
    parser = add(
        'recognise', 'name the signs of videos', RECOGNISE, 'signbert-mm recognise new.mp4 --model my_signs'
    )
    parser.add_argument('videos', nargs='+', metavar='VIDEO', help='videos, or folders of them')
    _add_model(parser)
    parser.add_argument('--topk', type=int, default=5, help='signs in --json (default: %(default)s)')
    parser.add_argument(
        '--long', action='store_true', help='each video shows several signs: find them in time'
    )
    parser.add_argument('--window', type=float, default=0.0, help='with --long, seconds of a sign (default: '
                        'the length of the taught videos)')  # fmt: skip
    parser.add_argument('--json', type=output_file, metavar='FILE', help='write all answers as JSON')
    parser.add_argument('--csv', type=output_file, metavar='FILE', help='write a row for each sign as CSV')
    parser.add_argument(
        '--elan', type=output_file, metavar='FILE.eaf', help='write the signs of one video as a tier for ELAN'
    )
    parser.add_argument('--overwrite', action='store_true', help='let --elan replace a file')
    parser.add_argument(
        '--image-fps', type=float, default=0.0, help='images a second of folders of images (default: unknown)'
    )
    _add_extractor(parser, None, 'that of the taught videos')


def _add_page(add: Callable[..., argparse.ArgumentParser]) -> None:
    parser = add(
        'page', 'recognise and teach signs in the browser', PAGE, 'signbert-mm page --model my_signs'
    )
    _add_model(parser, required=False)
    parser.add_argument(
        '--save',
        action='store_true',
        help='let everybody who can open the page write what is taught on it into --model (default: it can '
        'only be exported)',
    )
    parser.add_argument('--port', type=int, help='default: the first free one from 7860')
    parser.add_argument(
        '--host', default='127.0.0.1', help='0.0.0.0 lets other machines in (default: %(default)s)'
    )
    parser.add_argument('--browser', action='store_true', help='open it in the default browser')
    _add_extractor(parser, None, 'that of the taught videos')


def main(argv: Optional[Sequence[str]] = None) -> None:
    """Runs the console command."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if argv and argv[0] in SCRIPTS:
        _check_torch()
        run_script(argv[0], argv[1:])
        return
    args = make_parser().parse_args(argv)
    if args.command != 'doctor':
        _check_torch()
    if args.command == 'page':
        run_script('page', _page_options(args))
    elif args.command == 'doctor':
        from .doctor import doctor

        sys.exit(doctor())
    else:
        from . import recognise, teach
        from .quiet import run_quietly

        command = dict(teach=teach.main, recognise=recognise.main)[args.command]
        run_quietly(lambda: command(args))


def _check_torch() -> None:
    """Ends the program in one line where the package is installed for exported models alone."""
    try:
        from .. import needs_train  # noqa: F401
    except UserModuleNotFoundError as error:
        sys.exit(str(error))


def _page_options(args: argparse.Namespace) -> List[str]:
    options = ['--host', args.host]
    for name in ('model', 'port', 'extractor', 'device'):
        if getattr(args, name) is not None:
            options += [f'--{name}', str(getattr(args, name))]
    return options + ['--save'] * args.save + ['--browser'] * args.browser
