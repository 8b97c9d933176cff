"""The share of a published test set that a result covers."""

import math
from typing import Any, Dict, List, Mapping, Optional


def _percent(part: int, total: int) -> float:
    """Percent in steps of 0.1, rounded down."""
    # Rounded down, 100 means all clips. Without an expected clip none is missing.
    return math.floor(1000 * part / total) / 10 if total else 100.0


def coverage_facts(meta: Optional[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    """The coverage of a data set, as ``tools/test.py --out`` writes it.

    Args:
        meta (Mapping, optional): A data set's ``metainfo``, whose ``coverage`` is a list of
            :meth:`PoseDataset.coverage_row`.

    Returns:
        list[dict]: One for each store that records its coverage, with ``dataset``, ``split``, ``clips`` (the
            number of evaluated clips), ``expected`` (of clips in the annotations), ``present`` (of clips in
            the store) and ``percent`` (clips of expected). If a subset of the classes is evaluated and the
            store records complete splits alone, it has ``split_expected``, ``split_present`` and
            ``split_percent`` instead. An absent store has ``clips`` 0 and none of these.
    """
    rows = (meta or {}).get('coverage')
    facts = []
    for row in rows if isinstance(rows, (list, tuple)) else []:
        fact = dict(dataset=row.get('name', ''), split=row.get('split', ''), clips=row.get('clips', 0))
        if 'expected' in row:
            facts.append(
                dict(
                    fact,
                    expected=row['expected'],
                    present=row['present'],
                    percent=_percent(row['clips'], row['expected']),
                )
            )
        elif 'split_expected' in row:
            share = _percent(row['split_present'], row['split_expected'])
            facts.append(
                dict(
                    fact,
                    split_expected=row['split_expected'],
                    split_present=row['split_present'],
                    split_percent=share,
                )
            )
        elif not fact['clips']:
            facts.append(fact)
    return facts


def coverage_text(meta: Optional[Mapping[str, Any]]) -> str:
    """Describes the coverage in words, as in '4,321 of 5,000 test clips (86.4 %) of wlasl2000'.

    Args:
        meta (Mapping, optional): As :func:`coverage_facts`. Its ``coverage`` may also be a text, which is
            returned as it is.

    Returns:
        str: The text, to follow "accuracy on"; empty if all clips are present or nothing is known.
    """
    rows = (meta or {}).get('coverage')
    if isinstance(rows, str):
        return rows
    texts = []
    for fact in coverage_facts(meta):
        clips, where = f'{fact["clips"]:,}', f' of {fact["dataset"]}' if fact['dataset'] else ''
        split = '' if fact['split'] in ('', 'all') else f'{fact["split"]} '
        # Four cases: no store; clips missing; a subset of an incomplete split; complete or unknown, which
        # needs no text.
        if not fact['clips']:
            texts.append(f'no clips{where}, which is not there')
        elif 'expected' in fact and fact['clips'] != fact['expected']:
            text = f'{clips} of {fact["expected"]:,} {split}clips ({fact["percent"]} %){where}'
            texts.append(
                text
                + (
                    f'; {fact["present"]:,} of them are in the store'
                    if fact['present'] != fact['clips']
                    else ''
                )
            )
        elif 'split_expected' in fact and fact['split_present'] != fact['split_expected']:
            counts = (
                f'{fact["split_present"]:,} of {fact["split_expected"]:,} {split}clips '
                f'({fact["split_percent"]} %)'
            )
            texts.append(f'{clips} {split}clips of some glosses{where}; of all glosses {counts} are there')
    return '; '.join(texts)
