"""Makes the synthetic stores of a setting."""

import json
import time
from pathlib import Path
from typing import Callable

from ..datasets.store_format import META
from ..datasets.synthetic import write_synthetic_store
from ..engine.runner.config import ConfigError
from .definition import Setting
from .execute import hold


def prepare_stores(setting: Setting, report: Callable[[str], None] = print) -> None:
    """Makes the missing stores of ``setting.make``. Several processes make each store once.

    Raises:
        ConfigError: A store exists that was made with other arguments.
    """
    for folder, arguments in setting.make.items():
        meta = Path(folder) / META
        while not meta.is_file():
            with hold(Path(f'{folder}.lock')) as locked:
                if locked and not meta.is_file():
                    report(f'Making {folder}: synthetic signs, {arguments}')
                    write_synthetic_store(folder, progress=True, **arguments)
            if not locked:
                time.sleep(1)
        notes = json.loads(meta.read_text(encoding='utf-8')).get('notes') or {}
        made = dict(notes.get('arguments') or {}, clips_per_gloss=notes.get('clips_per_gloss'))
        differ = {
            key: (value, made[key]) for key, value in arguments.items() if key in made and made[key] != value
        }
        if differ:
            what = ', '.join(
                f'{key} {actual} there, {asked} asked for' for key, (asked, actual) in differ.items()
            )
            raise ConfigError(
                f'{folder} is not the store that setting {setting.name!r} asks for ({what}). '
                'Move it away; it is then made anew'
            )
