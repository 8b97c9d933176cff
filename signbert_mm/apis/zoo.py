"""Models of ``model-index.yml`` and their release files in the zoo folder."""

import hashlib
import os
import re
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence

import yaml
from mmengine.logging import print_log

from ..engine.checkpoint_io import CheckpointError, load_checkpoint_file
from ..engine.runner import ConfigError, load_config
from ..engine.runner.config import config_roots, did_you_mean
from ..files.shipped import SHIPPED, list_shipped, resolve_shipped
from ..registry import MODELS

ZOO_ENV = 'SIGNBERT_MM_ZOO'
HASH_DIGITS = 8


def zoo_folder() -> Path:
    """The folder of release files: that of the environment variable SIGNBERT_MM_ZOO, else ``./zoo``."""
    return Path(os.environ.get(ZOO_ENV) or 'zoo').expanduser()


def _read_yaml(path: Path) -> dict:
    # mmengine.load would build any Python object that the file names.
    return yaml.safe_load(path.read_text(encoding='utf-8'))


def zoo_models() -> Dict[str, dict]:
    """Entries of the metafiles that ``model-index.yml`` names, by model name.

    A model has its config's name. Its ``Metadata`` is completed with its collection's.

    Raises:
        ConfigError: Two entries have one name.
    """
    models: Dict[str, dict] = {}
    root = Path(config_roots()[0])
    for file in _read_yaml(root / 'model-index.yml')['Import']:
        content = _read_yaml(root / file)
        shared = {item['Name']: item.get('Metadata') or {} for item in content.get('Collections') or ()}
        for entry in content.get('Models') or ():
            if entry['Name'] in models:
                raise ConfigError(f'{root / file}: there is a model {entry["Name"]} already')
            metadata = {**shared.get(entry.get('In Collection'), {}), **(entry.get('Metadata') or {})}
            models[entry['Name']] = dict(entry, Metadata=metadata)
    return models


def zoo_file(name: str) -> Optional[Path]:
    """The release file of a model in the zoo folder; None where there is none.

    It is the file that the metafile names, else the only file of this model. The latter was built on this
    machine, and the log says so.

    Args:
        name (str): The model's name.

    Raises:
        ConfigError: The folder has several files of the model, and none is the metafile's.
    """
    weights = (zoo_models().get(name) or {}).get('Weights')
    if not weights:
        return None
    folder = zoo_folder()
    published = folder / Path(weights).name
    if published.is_file():
        return published
    pattern = re.compile(rf'{re.escape(name)}-[0-9a-f]{{{HASH_DIGITS}}}\.pth')
    built = sorted(path for path in folder.glob('*.pth') if pattern.fullmatch(path.name))
    if len(built) > 1:
        raise ConfigError(
            f'{folder} has several files of {name}: {", ".join(path.name for path in built)}; '
            'give the path of one'
        )
    if built:
        print_log(
            f'{built[0]} is not the file whose figures the metafile gives ({published.name}): it was '
            'built here',
            logger='current',
        )
    return built[0] if built else None


def zoo_checkpoint(name: str) -> str:
    """The path of a model's published checkpoint, as ``get_model(name, pretrained=True)`` loads it.

    Nothing is downloaded.

    Args:
        name (str): The model's name, or ``zoo://NAME`` for weights that come with the package.

    Raises:
        ConfigError: No weights of this model are published or come with the package, or the folder has
            several files of it.
        FileNotFoundError: The file is not in the zoo folder.
        CheckpointError: The file's hash is not the one in its name.
    """
    if name.startswith(SHIPPED):
        return resolve_shipped(name)
    published = {key for key, entry in zoo_models().items() if entry.get('Weights')}
    if name not in published:
        raise ConfigError(
            f'no weights of {name!r} are published: give the path of a checkpoint. '
            f'{did_you_mean(name, published)}'
        )
    path = zoo_file(name)
    if path is None:
        path = zoo_folder() / Path(zoo_models()[name]['Weights']).name
        raise FileNotFoundError(
            f'{path} is not there: `make zoo` builds it (`python tools/misc/make_zoo.py {name}` this one '
            f'alone), or put the release file there; {ZOO_ENV} names another folder'
            + (f'. {SHIPPED}{name} comes with the package' if name in list_shipped() else '')
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:HASH_DIGITS]
    if digest != path.stem[-HASH_DIGITS:]:
        raise CheckpointError(
            f'{path}: its SHA-256 begins with {digest}, not as its name says. Take it anew, or `make zoo`'
        )
    return str(path)


class ReleasedRecogniser(NamedTuple):
    """A recogniser whose release file exists.

    Attributes:
        name (str): Name of its config, or ``zoo://NAME``, which has its own.
        path (str): Its checkpoint.
        glosses (list[str]): Of its classes.
    """

    name: str
    path: str
    glosses: List[str]


def are_synthetic(glosses: Sequence[str]) -> bool:
    """Whether the glosses are those of synthetic signs: ``gloss_000`` and so on."""
    return bool(glosses) and all(re.fullmatch(r'gloss_\d+', gloss) for gloss in glosses)


def released_recognisers() -> List[ReleasedRecogniser]:
    """The recognisers that come with the package, and those whose release files are in the zoo folder.

    In the folder those of real signs come before those of synthetic ones, and small files before large ones.

    Raises:
        ConfigError, CheckpointError: As :func:`zoo_checkpoint`.
    """
    root, recognisers = config_roots()[0], []
    for name, entry in zoo_models().items():
        if zoo_file(name) is None:
            continue
        # The class says whether it recognises; building the model would cost far more.
        kind = load_config(os.path.join(root, entry['Config'])).model.type
        if not getattr(MODELS.get(kind), 'recognises', False):
            continue
        path = zoo_checkpoint(name)
        recognisers.append(ReleasedRecogniser(name, path, _glosses_of(path)))
    recognisers.sort(key=lambda one: (are_synthetic(one.glosses), os.path.getsize(one.path)))
    shipped = [(name, resolve_shipped(name)) for name in map(SHIPPED.__add__, list_shipped())]
    # Pre-trainers keep no glosses.
    return [
        ReleasedRecogniser(name, path, glosses) for name, path in shipped if (glosses := _glosses_of(path))
    ] + recognisers


def _glosses_of(path: str) -> List[str]:
    return list((load_checkpoint_file(path).get('meta') or {}).get('glosses') or ())
