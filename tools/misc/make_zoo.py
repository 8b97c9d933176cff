#!/usr/bin/env python
"""Build the zoo: a release file for each model whose metafile entry has `Weights`.

A release file is in half precision and under 10 MB, and has a card and a log beside it.

A model that is not trained yet is trained by its entry's `Training Command`, which takes long, after the
encoder that it starts from. An interrupted training is resumed by the same command. Existing runs in
work_dirs/ are used where their config is the present one. Files are named by their SHA-256, and
`get_model(NAME, pretrained=True)` finds them in the same folder.

Example:
    python tools/misc/make_zoo.py --list
    python tools/misc/make_zoo.py signbert_d128_pretrain_synthetic signbert_d128_finetune_synthetic
    python tools/misc/make_zoo.py --ship       # also renews the files in signbert_mm/weights
    python tools/misc/make_zoo.py --table docs/model_zoo.md
"""

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from mmengine.config import Config
from publish_model import publish
from zoo_pages import card, write_table

from signbert_mm.apis.zoo import zoo_file, zoo_folder, zoo_models
from signbert_mm.arguments import tool_parser
from signbert_mm.engine.checkpoint_io import find_last_whole_checkpoint
from signbert_mm.engine.runner import OptionsAction, load_config, run_tool
from signbert_mm.errors import ConfigError, UserRuntimeError
from signbert_mm.files.atomic import write_atomic
from signbert_mm.files.checkpoints import CheckpointError, check_whole, load_checkpoint_file
from signbert_mm.files.plain_config import read_plain_config
from signbert_mm.files.shipped import SHIPPED, WEIGHTS

ROOT = Path(__file__).resolve().parents[2]
# Most bytes of a release file.
MAX_BYTES = 10_000_000
# Parts of a config that the weights depend on, and keys in them that change no weight.
WEIGHT_KEYS = ('model', 'train_dataloader', 'optim_wrapper', 'param_scheduler', 'train_cfg', 'randomness')
IGNORED_KEYS = ('prepare', 'mixed_extractors', 'num_workers', 'persistent_workers', 'pin_memory')
RESOURCES = 'resources.json'


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument(
        'models', nargs='*', metavar='NAME', help='these only (default: all whose entry has Weights)'
    )
    parser.add_argument('--no-train', action='store_true', help='only what is trained already')
    parser.add_argument(
        '--no-test', action='store_true', help='do not test the release files; their cards say so'
    )
    parser.add_argument(
        '--ship',
        action='store_true',
        help='also copy the files and cards of entries with `Shipped` to signbert_mm/weights',
    )
    parser.add_argument('--list', action='store_true', help='print what exists and what would be trained')
    parser.add_argument(
        '--table',
        metavar='PAGE.md',
        help='write the table of all metafiles into this page, and build nothing',
    )
    return parser.parse_args()


class Recipe:
    """How a model is trained, from its entry in the metafile.

    Args:
        entry (dict): Its ``Training Command`` must call ``tools/train.py`` with ``--work-dir``.

    Raises:
        ConfigError: The command is another.
    """

    def __init__(self, entry: dict) -> None:
        self.name, self.entry = entry['Name'], entry
        self.command = shlex.split(entry.get('Training Command') or '')
        parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
        parser.add_argument('config')
        parser.add_argument('--work-dir', required=True)
        parser.add_argument('--cfg-options', nargs='+', action=OptionsAction)
        try:
            if self.command[:2] != ['python', 'tools/train.py']:
                raise ValueError
            args = parser.parse_args(self.command[2:])
        except (ValueError, argparse.ArgumentError, SystemExit) as error:
            raise ConfigError(
                f'metafile, {self.name}: Training Command must be `python tools/train.py '
                'CONFIG --work-dir DIR [...]`'
            ) from error
        self.cfg, self.work_dir = load_config(args.config, args.cfg_options), Path(args.work_dir)
        self.checkpoint = self.work_dir / f'epoch_{self.cfg.train_cfg.max_epochs}.pth'


def differences(old: Any, new: Any, place: str) -> Iterator[str]:
    """Places in which two configs differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new} - {*IGNORED_KEYS}):
            yield from differences(old.get(key), new.get(key), f'{place}.{key}')
    elif isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)) and len(old) == len(new):
        for index, (first, second) in enumerate(zip(old, new)):
            yield from differences(first, second, f'{place}.{index}')
    elif old != new:
        yield place


def check_config(checkpoint: Path, cfg: Config) -> dict:
    """The ``meta`` of a checkpoint that was trained by this config.

    Raises:
        CheckpointError: It was trained by another.
    """
    meta = load_checkpoint_file(checkpoint).get('meta') or {}
    name = f'checkpoint {checkpoint}'
    old = read_plain_config(str(meta.get('cfg') or ''), name)
    new = read_plain_config(cfg.pretty_text)
    places = [place for key in WEIGHT_KEYS for place in differences(old.get(key), new.get(key), key)]
    if places:
        more = f' and {len(places) - 4} more' if len(places) > 4 else ''
        raise CheckpointError(
            f'{checkpoint} was trained by another config, which differs in {", ".join(places[:4])}{more}: '
            f'move {checkpoint.parent} away to train anew'
        )
    return meta


def stores(node: Any) -> Iterator[dict]:
    """The parts of a config that name a PoseStore."""
    if isinstance(node, dict):
        if isinstance(node.get('store'), str):
            yield node
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for item in node:
            yield from stores(item)


def missing_stores(node: Any) -> List[dict]:
    return [item for item in stores(node) if not (Path(item['store']) / 'meta.json').is_file()]


# A small process in between measures the command. The system counts the memory of a process's parent at its
# start towards its peak.
_WATCH = """import json, resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=2)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, used.ru_utime + used.ru_stime, used.ru_maxrss]))"""


def run(command: List[str]) -> Dict[str, float]:
    """Runs a command line that begins with ``python SCRIPT`` of this repository.

    Returns:
        dict: ``wall`` and ``cpu`` in seconds, ``memory`` = largest resident set in GB.

    Raises:
        RuntimeError: It failed.
    """
    print('  $ ' + shlex.join(command), flush=True)
    start = time.time()
    watched = [sys.executable, '-c', _WATCH, sys.executable, str(ROOT / command[1]), *command[2:]]
    code, cpu, peak = json.loads(subprocess.run(watched, stdout=subprocess.PIPE, check=True).stdout)
    if code:
        raise UserRuntimeError(f'{shlex.join(command)} failed (exit status {code}); what it said is above')
    # macOS counts bytes, Linux KiB.
    unit = 1e9 if sys.platform == 'darwin' else 1e6 / 1.024
    return dict(wall=time.time() - start, cpu=cpu, memory=peak / unit)


def start_recipe(recipe: Recipe) -> Optional[Recipe]:
    """The recipe of the model whose checkpoint is this one's ``load_from``.

    None where it starts from no checkpoint, or from a file that no entry makes.
    """
    start = recipe.cfg.get('load_from')
    if not start:
        return None
    recipes = (Recipe(entry) for entry in zoo_models().values() if entry.get('Weights'))
    return next((other for other in recipes if other.checkpoint == Path(start)), None)


def trained(recipe: Recipe, train_missing: bool) -> dict:
    """The ``meta`` of a model's last checkpoint, which is trained if it is missing.

    The model that it starts from is trained before it.

    Raises:
        FileNotFoundError, CheckpointError, RuntimeError: As :func:`train` and :func:`check_config`.
    """
    if not recipe.checkpoint.is_file():
        if not train_missing:
            raise FileNotFoundError(f'{recipe.checkpoint} is not there, and --no-train was given')
        start, path = start_recipe(recipe), recipe.cfg.get('load_from')
        if start is not None:
            if not start.checkpoint.is_file():
                print(f'  {recipe.name} starts from {start.name}, which is trained first', flush=True)
            trained(start, train_missing)
        elif path and not Path(path).is_file():
            raise FileNotFoundError(
                f'{path}, from which {recipe.name} starts, is not there, and no entry of '
                'the metafiles makes it'
            )
        train(recipe)
    check_whole(recipe.checkpoint)
    return check_config(recipe.checkpoint, recipe.cfg)


def train(recipe: Recipe) -> None:
    """Trains a model, or continues an interrupted training.

    Raises:
        FileNotFoundError: Data are missing and cannot be generated.
        CheckpointError, RuntimeError: As :func:`check_config` and :func:`run`.
    """
    for part in missing_stores(recipe.cfg.train_dataloader):
        if 'prepare' not in part:
            raise FileNotFoundError(
                f'{part["store"]} is not there; docs/results.md has the command that makes it'
            )
        if missing_stores(part):
            run(shlex.split(part['prepare']))
    last = find_last_whole_checkpoint(recipe.work_dir) if recipe.work_dir.is_dir() else None
    # Resuming a run of another config would mix two trainings.
    if last is not None:
        check_config(Path(last), recipe.cfg)
    used = run([*recipe.command, *(['--resume'] if last else [])])
    write_atomic(json.dumps(dict(used, resumed=last is not None)).encode(), recipe.work_dir / RESOURCES)


def test(recipe: Recipe, path: Path) -> Dict[str, Any]:
    """``command`` and ``metrics`` of a release file, or ``why`` it cannot be tested."""
    command = recipe.entry.get('Test Command')
    if command is None:
        return dict(why='its entry in the metafile has no Test Command')
    missing = missing_stores([recipe.cfg.train_dataloader, recipe.cfg.get('test_dataloader')])
    if missing:
        return dict(why=f'{missing[0]["store"]} is not there')
    words = [str(path) if word == '{weights}' else word for word in shlex.split(command)]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / 'metrics.json'
        run([*words, '--out', str(out)])
        return dict(command=shlex.join(words), metrics=json.loads(out.read_text()))


def calibrated(recipe: Recipe) -> Path:
    """The checkpoint that is released: that of the training, after the entry's `Calibration Command`."""
    command = recipe.entry.get('Calibration Command')
    if command is None:
        return recipe.checkpoint
    out = recipe.checkpoint.with_name('calibrated.pth')
    places = {'{checkpoint}': str(recipe.checkpoint), '{calibrated}': str(out)}
    run([places.get(word, word) for word in shlex.split(command)])
    return out


def build(recipe: Recipe, train_missing: bool, test_files: bool) -> Path:
    """Makes the release file with its card and log.

    Raises:
        FileNotFoundError, CheckpointError, RuntimeError: It cannot be made. The message says what to do.
    """
    meta = trained(recipe, train_missing)
    folder = zoo_folder()
    path = publish(calibrated(recipe), folder / f'{recipe.name}.pth', half=True)
    size = path.stat().st_size
    if size >= MAX_BYTES:
        path.unlink()
        raise CheckpointError(
            f'{recipe.name}: {size / 1e6:.1f} MB in half precision; release files are '
            f'under {MAX_BYTES / 1e6:.0f} MB'
        )
    # Files are named by their digest, so an older build has another name.
    for old in folder.glob(f'{recipe.name}-????????.*'):
        if not old.name.startswith(path.stem):
            print(f'  {old} is an older one: removed')
            old.unlink()
    logs = sorted(recipe.work_dir.glob('*/vis_data/scalars.json'))
    if logs:
        write_atomic(b''.join(log.read_bytes() for log in logs), path.with_suffix('.log.json'))
    tested = test(recipe, path) if test_files else dict(why='it was built with --no-test')
    resources = recipe.work_dir / RESOURCES
    used = json.loads(resources.read_text()) if resources.is_file() else None
    text = card(recipe.entry, path, meta, used, tested, bool(logs))
    write_atomic(text.encode(), path.with_suffix('.md'))
    named = Path(recipe.entry['Weights']).name
    note = '' if named == path.name else f'; the figures of the metafile are of {named}'
    print(f'  {path}: {size / 1e6:.2f} MB{note}', flush=True)
    return path


def ship(recipe: Recipe, path: Path) -> None:
    """Copies a release file and its card into the package, under the name in the entry's ``Shipped``."""
    name = recipe.entry.get('Shipped')
    if name:
        for suffix in ('.pth', '.md'):
            write_atomic(path.with_suffix(suffix).read_bytes(), WEIGHTS / f'{name}{suffix}')
        print(f'  {SHIPPED}{name} is this file')


def main() -> None:
    args = parse_args()
    entries = zoo_models()
    if args.table:
        write_table(list(entries.values()), Path(args.table))
        return
    published = {name: entry for name, entry in entries.items() if entry.get('Weights')}
    wrong = [name for name in args.models if name not in published]
    if wrong:
        raise ConfigError(f'there is no {wrong[0]!r} in the zoo; there are {", ".join(published)}')
    failed = {}
    for name in args.models or published:
        recipe = Recipe(published[name])
        if args.list:
            state = zoo_file(name) or (
                'trained'
                if recipe.checkpoint.is_file()
                else 'to be trained: ' + recipe.entry['Training Command']
            )
            print(f'{name}: {state}')
            continue
        print(name, flush=True)
        try:
            path = build(recipe, not args.no_train, not args.no_test)
            if args.ship:
                ship(recipe, path)
        except (FileNotFoundError, CheckpointError, RuntimeError) as error:
            failed[name] = str(error)
            print(f'  not built: {error}', flush=True)
    if failed:
        raise SystemExit(
            f'{len(failed)} of {len(args.models or published)} models were not built: ' + '; '.join(failed)
        )


if __name__ == '__main__':
    run_tool(main)
