"""How much of the published test set a figure stands on."""

import math
from typing import Any, Dict, List, Mapping, Optional


def _percent(part: int, whole: int) -> float:
    """In steps of 0.1 and rounded down, so that 100 means all."""
    return math.floor(1000 * part / whole) / 10 if whole else 100.0


def coverage_facts(meta: Optional[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    """The coverage of a data set, as ``tools/test.py --out`` writes it.

    Args:
        meta (Mapping, optional): A data set's ``metainfo``, whose ``coverage`` is a list of
            :meth:`PoseDataset.coverage_row`.

    Returns:
        list[dict]: For each store that tells it: ``dataset``, ``split``, ``clips`` (that are evaluated),
            ``expected`` (that the annotations list), ``present`` (that the store holds), ``percent`` (clips
            of expected). Where a subset of the classes is evaluated and the store tells its coverage only of
            whole splits: ``split_expected``, ``split_present`` and ``split_percent`` instead. A store that is
            absent has ``clips`` 0 and no more.
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
    """What belongs behind "accuracy on": '4,321 of 5,000 test clips (86.4 %) of wlasl2000'.

    Args:
        meta (Mapping, optional): As :func:`coverage_facts`; its ``coverage`` may also be a text, which is
            taken as it is.

    Returns:
        str: Empty where all is there, or where nothing is known.
    """
    rows = (meta or {}).get('coverage')
    if isinstance(rows, str):
        return rows
    texts = []
    for fact in coverage_facts(meta):
        clips, where = f'{fact["clips"]:,}', f' of {fact["dataset"]}' if fact['dataset'] else ''
        split = '' if fact['split'] in ('', 'all') else f'{fact["split"]} '
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
