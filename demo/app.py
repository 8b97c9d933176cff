#!/usr/bin/env python
"""A page in the browser: a video goes in, an annotated video and the recognised sign come out.

The page also shows the best glosses, the attention over time and the hands in 3-D. Videos are dropped on it
or recorded with the camera. Its tab "Teach" learns signs from a few videos each; what a visitor teaches there
can be exported.

Without --config and --checkpoint it uses the recogniser that comes with the package. The model of
`make demo`, --config signbert_d128_finetune_synthetic, is trained first if necessary: once, about 5 minutes
on two cores. It knows no sign of any language. The page names its model. Nothing is loaded from the network.

Examples:
    python demo/app.py
    # synthetic signs, for a look at everything
    python demo/app.py --config signbert_d128_finetune_synthetic
    python demo/app.py --config signbert_d128_finetune --checkpoint work_dirs/words33/epoch_150.pth
    python demo/app.py --onnx words33.onnx
    # signs of `signbert-mm teach`; `signbert-mm page --model my_signs` is the same
    python demo/app.py --model my_signs
    python demo/app.py --config PRETRAIN_CONFIG --checkpoint CHECKPOINT --dictionary my_dictionary
"""

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

try:
    import signbert_mm  # noqa: F401
except ModuleNotFoundError:
    # A checkout that is not installed.
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
os.environ.setdefault('GRADIO_ANALYTICS_ENABLED', 'False')

import run_demo
from app_analysis import Analyser, Limits, Windows
from app_text import ModelCard
from video_demo import build, choose_model, model_arguments, model_note

from signbert_mm.apis import SignInferencer, TaughtSigns, zoo_checkpoint
from signbert_mm.apis.taught_signs import read_index
from signbert_mm.apis.zoo import zoo_file
from signbert_mm.arguments import tool_parser
from signbert_mm.datasets import PoseStore
from signbert_mm.engine.checkpoint_io import find_last_whole_checkpoint
from signbert_mm.engine.runner import run_tool
from signbert_mm.errors import ConfigError, UserValueError
from signbert_mm.files.checkpoints import load_checkpoint_file
from signbert_mm.files.shipped import list_shipped
from signbert_mm.teaching import Teacher
from signbert_mm.teaching.poses import STORE
from signbert_mm.teaching.report import sentence

DEMO_PRETRAIN, ENCODER = 'signbert_d128_pretrain_synthetic', 'zoo://signbert_d128'
TRAINING = (
    'There is no model in {where} yet: training the small one of `make demo` on synthetic signs, once, about '
    '5 minutes on two cores. '
    'Ctrl-C stops; --config and --checkpoint take a model of your own instead.'
)


def parse_args(argv: Optional[List[str]] = None) -> argparse.Namespace:
    parser = tool_parser(__doc__)
    model_arguments(parser)
    # What is left open is filled in by the model: make_windows.
    parser.set_defaults(extractor=None, stride=None, enter=None, leave=None)
    parser.add_argument(
        '--model',
        metavar='FOLDER',
        help='the signs that `signbert-mm teach` has put there, their extractor, and how windows are judged',
    )
    parser.add_argument(
        '--save',
        action='store_true',
        help='let everybody who can open the page write what is taught on it into --model (default: it can '
        'only be exported)',
    )
    parser.add_argument(
        '--window',
        type=float,
        help='seconds of a window, for videos of several signs (default: 2; with --model, as its clips)',
    )
    parser.add_argument(
        '--dictionary',
        metavar='FOLDER',
        help='answer with the nearest signs of a dictionary, see tools/build_dictionary.py',
    )
    parser.add_argument(
        '--pretrained-config',
        default=DEMO_PRETRAIN,
        help='config of the pre-training that draws the hands (default: %(default)s)',
    )
    parser.add_argument(
        '--pretrained-checkpoint',
        help="its checkpoint (default: the zoo's, that of `make demo`, or that of --dictionary or --model)",
    )
    parser.add_argument(
        '--no-train',
        action='store_true',
        help='do not train the small model where it is not there; say what to run',
    )
    parser.add_argument(
        '--max-seconds', type=float, default=20.0, help='most that is read of a video (default: %(default)s)'
    )
    parser.add_argument(
        '--fps',
        type=float,
        default=0.0,
        choices=(0.0, 25.0, 12.5, 8.0),
        help='frames a second at first; 0 = all (default: %(default)s)',
    )
    parser.add_argument(
        '--max-side',
        type=int,
        default=960,
        help='longer sides are shrunk to it, pixels (default: %(default)s)',
    )
    parser.add_argument(
        '--host', default='127.0.0.1', help='0.0.0.0 lets other machines in (default: %(default)s)'
    )
    parser.add_argument(
        '--allow-host',
        nargs='+',
        default=(),
        metavar='NAME',
        help='host names by which browsers may reach the page, as behind a proxy',
    )
    parser.add_argument(
        '--max-upload',
        type=int,
        default=500,
        metavar='MB',
        help='largest video that is accepted (default: %(default)s)',
    )
    parser.add_argument('--port', type=int, help='default: the first free one from 7860')
    parser.add_argument('--browser', action='store_true', help='open the page in the default browser')
    args = parser.parse_args(argv)
    if not 0 < args.max_seconds <= 600 or args.max_side < 64:
        parser.error('--max-seconds must be above 0 and at most 600, --max-side at least 64')
    if args.max_upload < 1:
        parser.error('--max-upload must be at least 1')
    if args.model and (args.config or args.checkpoint or args.onnx or args.dictionary):
        parser.error('--model names all there is to know; leave --config, --checkpoint and the like out')
    if args.save and not args.model:
        parser.error('--save writes into the folder of --model; name one')
    if not args.model:
        args.extractor = args.extractor or 'mediapipe'
    return args


def last_checkpoint(name: str) -> Optional[str]:
    """The last checkpoint of a run of `make demo`, or None."""
    folder = run_demo.WORK / name
    return find_last_whole_checkpoint(folder) if folder.is_dir() else None


def demo_checkpoint(train: bool) -> str:
    """The recogniser of `make demo`, which is trained now if it is missing.

    Raises:
        FileNotFoundError: It is missing and must not be trained.
    """
    checkpoint = last_checkpoint('pretrained')
    if checkpoint is not None:
        return checkpoint
    if not train:
        raise FileNotFoundError(
            f'there is no checkpoint in {run_demo.WORK / "pretrained"}: run `make demo`, start without '
            '--no-train, or give --config and --checkpoint'
        )
    print(TRAINING.format(where=run_demo.WORK), flush=True)
    run_demo.step_data()
    run_demo.step_pretrain()
    options = [
        '--work-dir',
        'work_dirs/demo/pretrained',
        '--cfg-options',
        f'load_from={run_demo.checkpoint("pretrain")}',
    ]
    run_demo.run(['python', 'tools/train.py', run_demo.FINETUNE, *options], run_demo.WORK / 'pretrained.log')
    return last_checkpoint('pretrained')


def make_inferencer(args: argparse.Namespace) -> SignInferencer:
    """Builds the inferencer of the options, and checks its extractor and dictionary.

    Options that were left open are filled in.

    Raises:
        ConfigError: The model answers nothing.
        ValueError: The dictionary was made by another model.
    """
    unnamed = choose_model(args, lambda: demo_checkpoint(not args.no_train))
    if args.pretrained_checkpoint is None and args.pretrained_config == DEMO_PRETRAIN and not args.dictionary:
        # The 3-D hands need a pre-trainer: the zoo's, else that of `make demo`, else that of the package.
        args.pretrained_checkpoint = (
            zoo_checkpoint(DEMO_PRETRAIN) if zoo_file(DEMO_PRETRAIN) else last_checkpoint('pretrain')
        )
        if args.pretrained_checkpoint is None and list_shipped():
            args.pretrained_config, args.pretrained_checkpoint = ENCODER, zoo_checkpoint(ENCODER)
    options: Dict[str, Any] = dict(dictionary=args.dictionary)
    if args.pretrained_checkpoint is not None:
        options.update(pretrained=args.pretrained_config, pretrained_weights=args.pretrained_checkpoint)
    inferencer = build(args, **options)
    args.note = model_note(args, inferencer) if unnamed else ''
    if inferencer.dictionary is None and not inferencer.backend.recognises:
        raise ConfigError(
            'this model is a pre-trainer, which knows no glosses; give config and checkpoint '
            'of a recogniser, or a --dictionary'
        )
    if inferencer.dictionary is not None:
        inferencer.check_dictionary()
    # Builds the extractor now, so that a missing package shows before the page opens.
    _ = inferencer.reader.extractor
    return inferencer


def load_taught(args: argparse.Namespace) -> TaughtSigns:
    """The signs of ``--model``; fills in what the page says of its model."""
    signs = TaughtSigns.load(args.model, args.device, args.extractor)
    args.config = args.checkpoint = args.model
    changed = signs.other_extractor()
    args.ignore, args.note = [], sentence(signs.estimate) + f' Note: {changed}.' * bool(changed)
    args.extractor = args.extractor or signs.facts['extractor']['type']
    args.dictionary = args.model if signs.kind == 'dictionary' else None
    return signs


def make_windows(args: argparse.Namespace, signs: Optional[TaughtSigns]) -> Windows:
    """How several signs are searched: by the options, else as the taught signs do it, else by default."""
    taught = signs.window_settings(args.window or 0.0, args.stride or 0.0) if signs else {}
    given = {name: getattr(args, name) for name in Windows._fields}
    return Windows(**{**taught, **{name: value for name, value in given.items() if value is not None}})


def make_teacher(args: argparse.Namespace) -> Tuple[Optional[Teacher], str]:
    """What the tab "Teach" begins with: the signs of ``--model``, else none with the encoder of the package.

    Returns:
        tuple: None where nothing can be taught; and the reason, '' = there is none.

    Raises:
        ValueError: ``--save`` would replace a fine-tuned model by a dictionary.
    """
    if args.onnx:
        return None, 'an exported model has no encoder for it'
    if not args.model:
        if not list_shipped():
            return None, f'the weights of {ENCODER} are not in this installation'
        return Teacher(ENCODER, args.extractor, args.device), ''
    kind = read_index(args.model)['kind']
    if args.save and kind != 'dictionary':
        raise UserValueError(
            f'{args.model}: fine-tuned signs, which --save would replace by a dictionary; leave --save out '
            'and export, or teach again with --method dictionary'
        )
    if not Path(args.model, STORE).is_dir():
        return None, f'{Path(args.model, STORE)}, the poses of its signs, is not there'
    return Teacher.load(args.model, args.device, args.extractor), ''


def data_of(checkpoint: Optional[str]) -> str:
    """Name of the data set that a checkpoint was trained on; '' = unknown."""
    known = checkpoint and not os.path.isdir(checkpoint)
    meta = load_checkpoint_file(checkpoint).get('meta') or {} if known else {}
    return str((meta.get('dataset_meta') or {}).get('dataset') or '')


def shown_path(path: str) -> str:
    """A path for the page: relative to the repository where it lies in it."""
    absolute = Path(path).resolve()
    return str(absolute.relative_to(run_demo.ROOT)) if run_demo.ROOT in absolute.parents else str(path)


def hands_of(
    args: argparse.Namespace, signs: Optional[TaughtSigns], teacher: Optional[Teacher]
) -> Optional[SignInferencer]:
    """What draws the 3-D hands beside taught signs; None = what answers.

    A fine-tuned recogniser has no hand model: the encoder that it was made from draws the hands.
    """
    if signs is None:
        return None
    if args.pretrained_checkpoint:
        extractor = signs.inferencer.reader.extractor
        return SignInferencer(args.pretrained_config, args.pretrained_checkpoint, args.device, extractor)
    return teacher.inferencer if teacher and signs.kind == 'finetune' else None


def make_card(args: argparse.Namespace, analyser: Analyser) -> ModelCard:
    """The page's description of its models."""
    inferencer = analyser.inferencer
    if args.pretrained_checkpoint:
        trained = data_of(args.pretrained_checkpoint)
        hands = f'{Path(args.pretrained_config).stem}, {shown_path(args.pretrained_checkpoint)}' + (
            f', trained on {trained}' if trained else ''
        )
    else:
        hands = 'by the same model' if analyser.hands is inferencer else 'by the encoder of its folder'
    return ModelCard(
        name=Path(args.onnx).name if args.onnx else Path(args.config).stem,
        weights=shown_path(args.onnx or args.checkpoint),
        data=data_of(None if args.onnx else args.checkpoint),
        glosses=list(inferencer.dictionary.glosses if inferencer.dictionary else inferencer.glosses),
        hands='' if analyser.no_mesh else hands,
        extractor=str(args.extractor),
        dictionary=shown_path(args.dictionary) if args.dictionary else '',
        note=args.note,
        taught=bool(args.model),
    )


def synthetic_examples(glosses: List[str]) -> Optional[PoseStore]:
    """The signs of `make demo`, if they exist and the model answers with their glosses."""
    if not (run_demo.STORE / 'meta.json').is_file():
        return None
    store = PoseStore(run_demo.STORE)
    return store if list(store.glosses) == list(glosses) and (store.split == 'test').any() else None


def make_page(args: argparse.Namespace) -> Any:
    """Loads the models and makes the page."""
    try:
        from app_page import Page
        from app_teach import TeachTab
    except ModuleNotFoundError as error:
        if error.name not in ('gradio', 'starlette'):
            raise
        raise FileNotFoundError(
            "the page needs Gradio: run `make install-app`, or: pip install 'signbert_mm[app]'"
        ) from error
    signs = load_taught(args) if args.model else None
    inferencer = signs.inferencer if signs else make_inferencer(args)
    limits = Limits(args.max_seconds, args.fps, args.max_side)
    teacher, why_not = make_teacher(args)
    if teacher is None:
        print(f'Nothing can be taught on this page: {why_not}.', flush=True)
    analyser = Analyser(
        inferencer,
        args.topk,
        make_windows(args, signs),
        signs.judge if signs else None,
        hands_of(args, signs, teacher),
    )
    card = make_card(args, analyser)
    return Page(
        analyser,
        card,
        limits,
        None if args.dictionary else synthetic_examples(card.glosses),
        teacher and TeachTab(teacher, limits, args.save),
    )


def main() -> None:
    args = parse_args()
    page = make_page(args)
    model = ', '.join(dict.fromkeys([page.card.name, page.card.weights]))
    print(f'Model: {model}. {page.card.note}'.rstrip(), flush=True)
    from app_page import launch

    # Ends as Ctrl-C does, so that uploaded videos are removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        launch(
            page,
            args.host,
            args.port,
            browser=args.browser,
            names=args.allow_host,
            max_upload=args.max_upload,
        )
    finally:
        page.analyser.close()


if __name__ == '__main__':
    run_tool(main)
