"""The report of a teaching: how often the signs are right, which are confused, what is wrong with videos."""

import html
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from ..files.atomic import write_atomic
from ..visualization import plot_confusion
from .estimate import Estimate
from .videos import Problem

REPORT, PICTURE = 'report.html', 'confusions.png'
NAMES = dict(dictionary='dictionary (the nearest example)', finetune='fine-tuned encoder')
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; } td, th { text-align: left; padding: 2px 14px 2px 0; }
img { max-width: 100%; } code { background: #f0f0f0; padding: 1px 4px; } .big { font-size: 1.3em; }
"""


def sentence(facts: Dict[str, Any]) -> str:
    """The estimate in words, of :meth:`Estimate.to_dict`."""
    if not facts['asked']:
        return 'How often it is right is not known: a sign needs two clips, or two signers, to be tested.'
    low, high = facts['interval']
    share = facts['hits'] / facts['asked']
    return (
        f'Right on {facts["hits"]} of {facts["asked"]} clips ({share:.0%}; 95 % interval {low:.0%} to '
        f'{high:.0%}), of {facts["how"]}.'
    )


def rejection(facts: Dict[str, Any], threshold: Any) -> str:
    """What the threshold does, in words."""
    if threshold is None:
        return 'There is no threshold: every clip that shows a hand gets an answer.'
    wrong = facts['asked'] - facts['hits']
    text = f'Below a score of {threshold:.2f} the answer is "none of these": of the same clips it keeps '
    text += f'{facts["right_kept"]} of {facts["hits"]} right answers and drops {facts["wrong_rejected"]} of '
    text += f'{wrong} wrong ones.'
    if facts.get('others_asked'):
        text += (
            f' Of signs that it was not taught (each sign in turn) it rejects {facts["others_rejected"]} of '
            f'{facts["others_asked"]} clips.'
        )
    return text


def confused_pairs(counts: np.ndarray, glosses: Sequence[str]) -> List[Tuple[str, str, int]]:
    """(truth, answer, clips) of wrong answers, the most frequent first."""
    pairs = [
        (glosses[row], glosses[column], int(counts[row, column]))
        for row, column in zip(*np.nonzero(counts))
        if row != column
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], pair[:2]))


def write_report(
    folder: str,
    glosses: Sequence[str],
    counts: Dict[str, int],
    estimates: Sequence[Estimate],
    problems: Sequence[Problem],
    threshold: Any,
) -> None:
    """Writes ``report.html`` and ``confusions.png``.

    Args:
        folder (str): Of the taught signs.
        glosses (Sequence[str]): The signs.
        counts (dict[str, int]): Clips of each.
        estimates (Sequence[Estimate]): Of the method that is used, then of others.
        problems (Sequence[Problem]): Of the videos.
        threshold (float, optional): Of the answer "none of these".
    """
    chosen = estimates[0]
    facts = chosen.to_dict()
    confusions = chosen.confusions(len(glosses))
    plot_confusion(Path(folder) / PICTURE, confusions, glosses, sentence(facts).split(' (')[0])
    pairs = confused_pairs(confusions, glosses)
    rows = ''.join(f'<tr><td>{html.escape(gloss)}</td><td>{counts[gloss]}</td></tr>' for gloss in glosses)
    wrong = ''.join(
        f'<tr><td>{html.escape(truth)}</td><td>{html.escape(answer)}</td><td>{number}</td></tr>'
        for truth, answer, number in pairs[:20]
    )
    parts = [
        f'<h1>{len(glosses)} signs</h1>',
        f'<p class="big">{html.escape(sentence(facts))}</p>',
        f'<p>Method: {NAMES[chosen.method]}. {html.escape(rejection(facts, threshold))}</p>',
    ]
    for other in estimates[1:]:
        parts.append(
            f'<p>The other method, {NAMES[other.method]}: {html.escape(sentence(other.to_dict()))}</p>'
        )
    if estimates[1:]:
        parts.append('<p>The better of the two was chosen on these clips, which flatters it a little.</p>')
    if facts['asked']:
        parts.append(f'<h2>Confusions</h2><p><img src="{PICTURE}" alt="which sign is taken for which"></p>')
    if wrong:
        parts.append(f'<table><tr><th>shown</th><th>answered</th><th>clips</th></tr>{wrong}</table>')
    if problems:
        items = ''.join(f'<li>{html.escape(str(problem))}</li>' for problem in problems)
        parts.append(f'<h2>Videos to look at</h2><ul>{items}</ul>')
    parts.append(f'<h2>Clips</h2><table><tr><th>sign</th><th>clips</th></tr>{rows}</table>')
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{len(glosses)} signs</title>'
        f'<style>{_STYLE}</style>{"".join(parts)}</html>'
    )
    write_atomic(text.encode(), Path(folder) / REPORT)
