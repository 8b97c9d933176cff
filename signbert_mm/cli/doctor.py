"""``signbert-mm doctor``."""

import importlib
import importlib.util
import os
import platform
import shlex
import sys
import tempfile
import warnings
from importlib import metadata
from pathlib import Path
from typing import Callable, Iterator, NamedTuple, Sequence, Tuple

from ..compat import NO_DEPS_OPENMMLAB as NO_DEPS
from .progress import ProgressBar

CORE = ('torch', 'mmengine', 'numpy', 'cv2', 'yaml', 'matplotlib')
PACKAGE = 'signbert_mm'
ABSENT = 'not installed'
AGAIN = 'install signbert_mm again (in a checkout: make install-core)'
# Extra, what it is for, its packages by import name, what pip takes without dependencies, make target.
EXTRAS = (
    (
        'extract',
        'poses from videos',
        ('av', 'mediapipe'),
        'pip install --no-deps mediapipe==0.10.21',
        'install-extract',
    ),
    ('app', 'the page in the browser', ('av', 'gradio'), '', 'install-app'),
    ('deploy', 'export to ONNX', ('onnx', 'onnxruntime', 'onnxscript'), '', 'install-deploy'),
    ('full', 'mmpose and mmaction2', ('mmcv', 'mmdet', 'mmpose', 'mmaction'), NO_DEPS, 'install'),
)
# Needs nothing of CORE but numpy.
EXPORTED = ('onnx', 'exported models', ('numpy', 'onnxruntime'), '', 'install-deploy')
WEIGHTS = ('zoo://signbert_d128', 'zoo://signbert_d128_asl33')


class Finding(NamedTuple):
    """One line of the doctor.

    Attributes:
        name (str): What was looked at.
        good (bool): Whether it works.
        detail (str): Version, or what is wrong.
        remedy (str): What to do; '' where nothing is.
    """

    name: str
    good: bool
    detail: str
    remedy: str = ''


def doctor() -> int:
    """Prints what works; 1 where what training and every model in torch need is broken, else 0."""
    warnings.simplefilter('ignore')
    bar = ProgressBar()
    core = list(check_core(bar))
    _print(core)
    broken = not all(finding.good for finding in core)
    if broken:
        rest = [check_extra(*EXPORTED, bar)]
    else:
        rest = [check_extra(*extra, bar) for extra in EXTRAS]
        rest += [check_weights(name) for name in WEIGHTS]
        rest += [check_device(), check_writing(os.getcwd()), check_writing(tempfile.gettempdir())]
    bar.close()
    _print(rest)
    if broken:
        if any(finding.detail == ABSENT for finding in core):
            print(f'Next: {pip_line("train")}   (in a checkout: make install-core)')
        also = 'only exported models run' if rest[0].good else 'no model runs'
        print(f'Until the above works {also}, see docs/inference.md.')
        return 1
    if not rest[0].good:
        print(f'Next: {rest[0].remedy}; then: signbert-mm teach my_videos/ --out my_signs')
    else:
        if not all(finding.good for finding in rest[1 : len(EXTRAS)]):
            print('To teach and recognise all is there; what is MISSING is for what its brackets say.')
        print('Next: signbert-mm teach my_videos/ --out my_signs')
    return 0


def _print(findings: Sequence[Finding]) -> None:
    for finding in findings:
        print(f'{"OK     " if finding.good else "MISSING"}  {finding.name}: {finding.detail}')
        if finding.remedy:
            print(f'         {finding.remedy}')


def try_import(name: str) -> Tuple[str, str]:
    """The version of a package, and why it does not work; '' = it does."""
    try:
        module = importlib.import_module(name)
    # A package whose native parts do not fit raises anything.
    except Exception as error:
        absent = isinstance(error, ModuleNotFoundError) and error.name == name
        return (
            '',
            ABSENT if absent else f'{type(error).__name__}: {" ".join(str(error).split())[:150]}',
        )
    return str(getattr(module, '__version__', '')), ''


def check_core(progress: Callable[[str, int, int], None]) -> Iterator[Finding]:
    """Python, the packages that all but exported models need, and this package's own parts."""
    good = sys.version_info >= (3, 9)
    yield Finding('python', good, platform.python_version(), '' if good else 'install Python 3.9 to 3.13')
    for place, name in enumerate(CORE):
        progress('looking at packages', place, len(CORE))
        version, problem = try_import(name)
        # What is not installed at all is in the last line, once for all packages.
        broken = problem and problem != ABSENT
        yield Finding(name, not problem, problem or version, AGAIN if broken else '')
    version, problem = try_import('signbert_mm.apis')
    remedy = 'SIGNBERT_MM_TRACEBACK=1 python -c "import signbert_mm.apis" shows where' if problem else ''
    from ..version import __version__

    yield Finding('signbert_mm', not problem, problem or __version__, remedy)


def check_extra(
    extra: str,
    what: str,
    packages: Sequence[str],
    no_deps: str,
    target: str,
    progress: Callable[[str, int, int], None],
) -> Finding:
    """Whether the packages of an extra can be imported."""
    shown, problems = [], []
    for place, name in enumerate(packages):
        progress(f'looking at {extra}', place, len(packages))
        version, problem = _import_extra(name)
        shown.append(f'{name} {version}'.strip())
        problems += [f'{name}: {problem}'] if problem else []
    by_pip = f'{pip_line(extra, no_deps)}   (in a checkout: make {target})'
    remedy = (f'make {target}' if made_by_make() else by_pip) if problems else ''
    return Finding(f'{extra} ({what})', not problems, '; '.join(problems) or ', '.join(shown), remedy)


def made_by_make() -> bool:
    """Whether Python is that of a checkout's ``.venv``, where ``make`` installs."""
    checkout = Path(__file__).resolve().parents[2]
    return Path(sys.prefix).resolve() == checkout / '.venv' and (checkout / 'Makefile').is_file()


def pip_line(extra: str, no_deps: str = '') -> str:
    """The command that installs an extra's packages, by the installed package's own list."""
    try:
        listed = metadata.requires(PACKAGE) or []
    except metadata.PackageNotFoundError:
        listed = []
    wanted = [line.partition(';')[0].strip() for line in listed if f'extra == "{extra}"' in line]
    lines = [f'pip install {shlex.join(wanted)}'] if wanted else []
    return ' && '.join([*lines, no_deps] if no_deps else lines) or f"pip install '{PACKAGE}[{extra}]'"


def _import_extra(name: str) -> Tuple[str, str]:
    # These need workarounds, or one of some versions.
    if name in ('mmpose', 'mmaction'):
        from .. import compat as place
    elif name == 'mediapipe':
        from ..extraction import mediapipe_graphs as place
    else:
        return try_import(name)
    try:
        module = getattr(place, f'import_{name}')()
    except Exception as error:
        # The remedy tells how to install it.
        if not importlib.util.find_spec(name):
            return '', ABSENT
        return '', f'{type(error).__name__}: {" ".join(str(error).split())[:150]}'
    return str(getattr(module, '__version__', '')), ''


def check_weights(name: str) -> Finding:
    """Whether shipped weights are there and whole."""
    from ..apis import zoo_checkpoint

    try:
        path = zoo_checkpoint(name)
    except (OSError, ValueError, RuntimeError) as error:
        return Finding(name, False, str(error), AGAIN)
    return Finding(name, True, f'{os.path.getsize(path) / 1e6:.1f} MB')


def check_device() -> Finding:
    """The GPU, or the cores."""
    import torch

    if torch.cuda.is_available():
        return Finding('device', True, torch.cuda.get_device_name())
    return Finding('device', True, f'no GPU; {os.cpu_count()} cores, which is enough to teach and recognise')


def check_writing(folder: str) -> Finding:
    """Whether files can be written into a folder."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding(f'writing in {folder}', False, error.strerror or str(error), 'work in another folder')
    return Finding(f'writing in {folder}', True, 'allowed')
