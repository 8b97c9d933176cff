"""What runs leave beside their checkpoints."""

import json
from pathlib import Path
from typing import Dict, Iterable

from ...datasets.store_format import META


def dump_record(record: dict) -> bytes:
    return (json.dumps(record, indent=1) + '\n').encode()


def store_coverage(stores: Iterable[str]) -> Dict[str, dict]:
    """Store -> split -> what of the published clips is there, of stores that know it."""
    found = {}
    for store in stores:
        coverage = json.loads((Path(store) / META).read_text(encoding='utf-8')).get('coverage')
        if coverage:
            found[store] = {split: {key: row[key] for key in ('present', 'expected') if key in row} for split, row in coverage.items()}
    return found
