"""The subcommands that are scripts of ``tools/`` and ``demo/``."""

import importlib.util
import sys
from pathlib import Path
from typing import NamedTuple, Sequence


class Script(NamedTuple):
    """A script of the repository.

    Attributes:
        path (str): Below the repository, or below the installed package's ``.mim``.
        summary (str): For ``signbert-mm --help``.
        example (str): Of its use.
        after (str): What to do next, printed when it has succeeded.
    """

    path: str
    summary: str
    example: str
    after: str


SCRIPTS = dict(
    extract=Script(
        'tools/extract_poses.py',
        'videos to a store of poses',
        'signbert-mm extract videos/ data/mine',
        'a config that names this store, and: signbert-mm train CONFIG',
    ),
    train=Script(
        'tools/train.py',
        'train a model from a config',
        'signbert-mm train CONFIG --work-dir work_dirs/mine',
        'signbert-mm test CONFIG CHECKPOINT, with the last checkpoint of the work dir',
    ),
    test=Script(
        'tools/test.py',
        'test a checkpoint',
        'signbert-mm test CONFIG CHECKPOINT',
        'signbert-mm export CONFIG CHECKPOINT OUT.onnx',
    ),
    export=Script(
        'tools/deployment/export_onnx.py',
        'a recogniser to ONNX',
        'signbert-mm export CONFIG CHECKPOINT OUT.onnx',
        "SignInferencer('OUT.onnx', backend='onnx') in Python",
    ),
)
PAGE = 'demo/app.py'


def script_path(path: str) -> Path:
    """A script in the checkout of this package, or in the installed package.

    Raises:
        FileNotFoundError: It is in neither.
    """
    package = Path(__file__).resolve().parents[1]
    # The folder around an installed package is site-packages, which may have other `tools`.
    roots = [root for root in (package.parent, package / '.mim') if (root / 'configs' / '_base_').is_dir()]
    for root in roots:
        if (root / path).is_file():
            return root / path
    raise FileNotFoundError(
        f'{path} is not in this installation of signbert_mm ({package}); install it again, or use a checkout'
    )


def run_script(name: str, arguments: Sequence[str]) -> None:
    """Runs a script as this process's program. It prints its own errors and ends the process with them."""
    script = SCRIPTS.get(name)
    try:
        path = script_path(script.path if script else PAGE)
    except FileNotFoundError as error:
        sys.exit(str(error))
    if script and {'-h', '--help'} & set(arguments):
        print(f'Example: {script.example}\n')
    sys.argv = [f'signbert-mm {name}', *arguments]
    # runpy would set argv[0] to the file's name, by which the script's own help would call itself.
    spec = importlib.util.spec_from_file_location('__main__', path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    if script:
        print(f'Next: {script.after}')
