"""The models of ``model-index.yml``, and their published files in the zoo folder."""

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
from ..registry import MODELS

ZOO_ENV = 'SIGNBERT_MM_ZOO'
HASH_DIGITS = 8


def zoo_folder() -> Path:
    """Where published files lie: the folder that the environment variable SIGNBERT_MM_ZOO names, else ``zoo``
    below the current one.
    """
    return Path(os.environ.get(ZOO_ENV) or 'zoo').expanduser()


def _read_yaml(path: Path) -> dict:
    # mmengine.load would build any Python object that a file names
    return yaml.safe_load(path.read_text(encoding='utf-8'))


def zoo_models() -> Dict[str, dict]:
    """Entries of the metafiles that ``model-index.yml`` names, by the model's name, which is its config's.

    Each has its collection's ``Metadata`` where it has none of its own under that key.

    Raises:
        ConfigError: Two entries have one name.
    """
    found: Dict[str, dict] = {}
    root = Path(config_roots()[0])
    for file in _read_yaml(root / 'model-index.yml')['Import']:
        content = _read_yaml(root / file)
        shared = {item['Name']: item.get('Metadata') or {} for item in content.get('Collections') or ()}
        for entry in content.get('Models') or ():
            if entry['Name'] in found:
                raise ConfigError(f'{root / file}: there is a model {entry["Name"]} already')
            metadata = {**shared.get(entry.get('In Collection'), {}), **(entry.get('Metadata') or {})}
            found[entry['Name']] = dict(entry, Metadata=metadata)
    return found


def zoo_file(name: str) -> Optional[Path]:
    """The published file of a model in the zoo folder; None where there is none.

    It is the one that its metafile names, else the only one of this model, which was built on this machine
    (said in the log).

    Args:
        name (str): The model's name.

    Raises:
        ConfigError: Several files of the model are there, and none is the metafile's.
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
    """The path of a model's published checkpoint, which is what ``get_model(name, pretrained=True)`` loads;
    nothing is fetched from a network.

    Args:
        name (str): The model's name.

    Raises:
        ConfigError: No weights of this model are published, or several files are there.
        FileNotFoundError: They are, and are not in the zoo folder.
        CheckpointError: The file is not the one that its name's hash says.
    """
    published = {key for key, entry in zoo_models().items() if entry.get('Weights')}
    if name not in published:
        raise ConfigError(
            f'no weights of {name!r} are published: give the path of a checkpoint. '
            f'{did_you_mean(name, published)}'
        )
    path = zoo_file(name)
    if path is None:
        wanted = Path(zoo_models()[name]['Weights']).name
        raise FileNotFoundError(
            f'{zoo_folder() / wanted} is not there: `make zoo` builds it (`python tools/misc/make_zoo.py '
            f'{name}` this one alone), or put the release '
            f'file there; {ZOO_ENV} names another folder'
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:HASH_DIGITS]
    if digest != path.stem[-HASH_DIGITS:]:
        raise CheckpointError(
            f'{path}: its SHA-256 begins with {digest}, not as its name says. Take it anew, or `make zoo`'
        )
    return str(path)


class ReleasedRecogniser(NamedTuple):
    """A recogniser whose release file is there.

    Attributes:
        name (str): Of its config.
        path (str): The release file.
        glosses (list[str]): What it can answer.
    """

    name: str
    path: str
    glosses: List[str]


def are_synthetic(glosses: Sequence[str]) -> bool:
    """Whether these are the glosses of synthetic signs, ``gloss_000`` and so on, which no sign language
    has.
    """
    return bool(glosses) and all(re.fullmatch(r'gloss_\d+', gloss) for gloss in glosses)


def released_recognisers() -> List[ReleasedRecogniser]:
    """The recognisers whose release files are in the zoo folder: those of real signs before those of
    synthetic ones, small files first.

    Raises:
        ConfigError, CheckpointError: As :func:`zoo_checkpoint`.
    """
    root, found = config_roots()[0], []
    for name, entry in zoo_models().items():
        if zoo_file(name) is None:
            continue
        kind = load_config(os.path.join(root, entry['Config'])).model.type
        if not getattr(MODELS.get(kind), 'recognises', False):
            continue
        path = zoo_checkpoint(name)
        glosses = list((load_checkpoint_file(path).get('meta') or {}).get('glosses') or ())
        found.append(ReleasedRecogniser(name, path, glosses))
    return sorted(found, key=lambda one: (are_synthetic(one.glosses), os.path.getsize(one.path)))
