"""``signbert-mm doctor``."""

import importlib
import os
import platform
import sys
import tempfile
from typing import Callable, Iterator, List, NamedTuple, Sequence, Tuple

from .progress import ProgressBar

CHECKOUT = 'in a checkout'
# Import name of each package, and how an extra is installed.
CORE = ('torch', 'mmengine', 'numpy', 'cv2', 'yaml', 'matplotlib')
EXTRAS = (
    (
        'extract',
        'poses from videos',
        ('av', 'mediapipe'),
        "pip install 'signbert_mm[extract]' && pip install --no-deps mediapipe==0.10.21",
        'make install-extract',
    ),
    (
        'app',
        'the page in the browser',
        ('av', 'gradio'),
        "pip install 'signbert_mm[app]'",
        'make install-app',
    ),
    (
        'deploy',
        'export to ONNX',
        ('onnx', 'onnxruntime', 'onnxscript'),
        "pip install 'signbert_mm[deploy]'",
        'make install-deploy',
    ),
    (
        'full',
        'mmpose and mmaction2',
        ('mmcv', 'mmdet', 'mmpose', 'mmaction'),
        "pip install 'signbert_mm[full]' && pip install --no-deps mmdet==3.3.0 mmpose==1.3.2 mmaction2==1.2.0",
        'make install',
    ),
)
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
    """Prints what works; 1 where what everything needs is broken, else 0."""
    bar = ProgressBar()
    core = list(check_core(bar))
    _print(core)
    broken = not all(finding.good for finding in core)
    rest: List[Finding] = []
    if not broken:
        rest = [check_extra(*extra, bar) for extra in EXTRAS]
        rest += [check_weights(name) for name in WEIGHTS]
        rest += [check_device(), check_writing(os.getcwd()), check_writing(tempfile.gettempdir())]
    bar.close()
    _print(rest)
    if broken:
        print('Next: install what is missing above; nothing works without it.')
        return 1
    if not rest[0].good:
        print(f'Next: {rest[0].remedy}; then: signbert-mm teach my_videos/ --out my_signs')
    else:
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
            'not installed' if absent else f'{type(error).__name__}: {" ".join(str(error).split())[:150]}',
        )
    return str(getattr(module, '__version__', '')), ''


def check_core(progress: Callable[[str, int, int], None]) -> Iterator[Finding]:
    """Python, the packages that everything needs, and this package's own parts."""
    good = sys.version_info >= (3, 9)
    yield Finding('python', good, platform.python_version(), '' if good else 'install Python 3.9 to 3.12')
    for place, name in enumerate(CORE):
        progress('looking at packages', place, len(CORE))
        version, problem = try_import(name)
        yield Finding(name, not problem, problem or version, 'pip install signbert_mm' if problem else '')
    version, problem = try_import('signbert_mm.apis')
    remedy = 'SIGNBERT_MM_TRACEBACK=1 python -c "import signbert_mm.apis" shows where' if problem else ''
    from ..version import __version__

    yield Finding('signbert_mm', not problem, problem or __version__, remedy)


def check_extra(
    extra: str,
    what: str,
    packages: Sequence[str],
    pip: str,
    make: str,
    progress: Callable[[str, int, int], None],
) -> Finding:
    """Whether the packages of an extra can be imported."""
    shown, problems = [], []
    for place, name in enumerate(packages):
        progress(f'looking at {extra}', place, len(packages))
        version, problem = _import_extra(name)
        shown.append(f'{name} {version}'.strip())
        problems += [f'{name}: {problem}'] if problem else []
    remedy = f'{pip}   ({make} {CHECKOUT})' if problems else ''
    return Finding(f'{extra} ({what})', not problems, '; '.join(problems) or ', '.join(shown), remedy)


def _import_extra(name: str) -> Tuple[str, str]:
    if name not in ('mmpose', 'mmaction'):
        return try_import(name)
    # These need the workarounds of compat.
    from .. import compat

    try:
        module = getattr(compat, f'import_{name}')()
    except Exception as error:
        return '', f'{type(error).__name__}: {" ".join(str(error).split())[:150]}'
    return str(getattr(module, '__version__', '')), ''


def check_weights(name: str) -> Finding:
    """Whether shipped weights are there and whole."""
    from ..apis import zoo_checkpoint

    try:
        path = zoo_checkpoint(name)
    except (OSError, ValueError, RuntimeError) as error:
        return Finding(name, False, str(error), 'pip install --force-reinstall --no-deps signbert_mm')
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
