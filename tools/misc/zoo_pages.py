"""What make_zoo.py writes: the card beside a release file, and the table of docs/model_zoo.md."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional

from signbert_mm.errors import UserValueError
from signbert_mm.files.atomic import write_atomic

LICENCE = 'Apache-2.0, as the code. The training data keep their own, named above.'
VERSIONS = dict(signbert_mm='signbert_mm_version', revision='signbert_mm_git')
USE_RECOGNISER = """from signbert_mm.apis import SignInferencer, zoo_checkpoint

inferencer = SignInferencer('{name}', zoo_checkpoint('{name}'))
print(inferencer('sign.mp4')['predictions'][0]['glosses'])"""
START, END = '<!-- zoo: make_zoo.py --table -->', '<!-- end of zoo -->'


def as_list(value: Any) -> list:
    return value if isinstance(value, list) else [] if value is None else [value]


def results_lines(entry: dict) -> List[str]:
    """``Dataset: metric value, ...`` of each result of an entry."""
    results = as_list(entry.get('Results'))
    return [
        f'{one["Dataset"]}: ' + ', '.join(f'{name} {value}' for name, value in one['Metrics'].items())
        for one in results
    ]


def resources_line(used: Optional[dict]) -> str:
    """What the training took, as make_zoo.py measured it."""
    if used is None:
        return ''
    part = ' (the last part of a training that was cut off)' if used['resumed'] else ''
    return (
        f'{used["cpu"]:.0f} s of CPU, {used["wall"]:.0f} s of wall time, largest resident set '
        f'{used["memory"]:.2f} GB{part}'
    )


def card(entry: dict, path: Path, meta: dict, used: Optional[dict], tested: Dict[str, Any], log: bool) -> str:
    """The card of a release file, Markdown.

    Args:
        entry (dict): The model's entry in its metafile.
        path (Path): The release file.
        meta (dict): Of the checkpoint it was made from.
        used (dict, optional): ``wall``, ``cpu``, ``memory``, ``resumed`` of its training; None = not measured
            by make_zoo.py.
        tested (dict): ``command`` and ``metrics`` of the file, or ``why`` there are none.
        log (bool): Its log lies beside it.
    """
    metadata = entry['Metadata']
    same = Path(entry['Weights']).name == path.name
    took = (
        resources_line(used)
        or (same and f'{metadata["Training Time"]}; memory: {metadata["Training Memory (GB)"]} GB')
        or 'not measured'
    )
    versions = ', '.join(f'{key} {meta[name]}' for key, name in VERSIONS.items() if name in meta)
    rows = {
        'config': f'`{entry["Config"]}`',
        'command': f'`{entry["Training Command"]}`',
        'seed': meta.get('seed', metadata['Seed']),
        'epochs, batch': f'{meta.get("epoch", metadata["Epochs"])}, {metadata["Batch Size"]}',
        'parameters': f'{metadata["Parameters"]:,}',
        'multiply-adds': f'{metadata["FLOPs"]:,} for a clip of {metadata["Frames"]} frames',
        **({'answers': metadata['Glosses']} if 'Glosses' in metadata else {}),
        'training': took,
        'trained with': versions or 'not recorded',
        'log': f'{path.stem}.log.json' if log else 'none is there',
        'SHA-256': hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    lines = [
        f'# {path.name}',
        '',
        f'{entry["In Collection"]}, half precision (models load it as float32), '
        f'{path.stat().st_size / 1e6:.2f} MB.',
        '',
    ]
    lines += ['| | |', '|---|---|', *(f'| {key} | {value} |' for key, value in rows.items())]
    lines += ['', '## Training data', '', *(f'- {item}' for item in as_list(metadata['Training Data']))]
    lines += ['', '## Result', '']
    if 'why' in tested:
        lines.append(f'This file: not measured, {tested["why"]}.')
    else:
        lines += [
            'This file:',
            '',
            '```shell',
            tested['command'],
            '```',
            '',
            '```json',
            json.dumps(tested['metrics'], indent=1),
            '```',
        ]
    if same and entry.get('Results'):
        lines += [
            '',
            'In the metafile (single precision):',
            '',
            *(f'- {line}' for line in results_lines(entry)),
        ]
    use = f"from signbert_mm.apis import get_model\n\nmodel = get_model('{entry['Name']}', pretrained=True)"
    if 'Glosses' in metadata:
        use = USE_RECOGNISER.format(name=entry['Name'])
    if 'Limits' in metadata:
        lines += ['', '## Limits', '', *(f'- {item}' for item in as_list(metadata['Limits']))]
    lines += ['', '## Use', '', '```python', use, '```', '', '## Licence', '', LICENCE, '']
    return '\n'.join(lines)


def table(entries: Iterable[dict]) -> str:
    """All entries, Markdown: one row a model."""
    lines = [
        '| model | parameters, GFLOPs | training data | training | result | file |',
        '|---|---|---|---|---|---|',
    ]
    for entry in entries:
        metadata = entry['Metadata']
        link = f'[{entry["Name"]}](../{entry["Config"]})'
        size = f'{metadata["Parameters"]:,}, {metadata["FLOPs"] / 1e9:.4f}'
        # sources and licences are in the card and the metafile
        data = '<br>'.join(item.split(';')[0] for item in as_list(metadata['Training Data']))
        took = f'{metadata["Training Time"]}; {metadata["Training Memory (GB)"]} GB'
        weights = entry.get('Weights')
        file = f'`{Path(weights).name}`' if weights else 'none'
        lines.append(
            f'| {link} | {size} | {data} | {took} | '
            f'{"<br>".join(results_lines(entry)) or "not measured"} | {file} |'
        )
    return '\n'.join(lines)


def write_table(entries: List[dict], page: Path) -> None:
    """Puts the table between its marks in a page.

    Raises:
        ValueError: The marks are not there.
    """
    text = page.read_text(encoding='utf-8')
    if START not in text or END not in text:
        raise UserValueError(f'{page} has no lines {START} and {END}')
    new = re.sub(
        f'(?<={re.escape(START)}\n).*(?={re.escape(END)})',
        lambda _: f'\n{table(entries)}\n\n',
        text,
        flags=re.DOTALL,
    )
    write_atomic(new.encode(), page)
