#!/usr/bin/env python
"""Confusion matrix of predictions of tools/test.py --dump: a picture, a csv and the most confused pairs."""

import argparse
import csv
import sys
from pathlib import Path
from typing import List, Optional, Tuple

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

import numpy as np
from mmengine.registry import init_default_scope

from signbert_mm.arguments import whole
from signbert_mm.engine.runner import load_config, run_tool
from signbert_mm.evaluation.predictions import Answers, glosses_of, read_labels
from signbert_mm.files.os_errors import output_path
from signbert_mm.registry import DATASETS
from signbert_mm.visualization import plot_confusion


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('predictions', help='file that tools/test.py --dump wrote')
    parser.add_argument(
        '--config', help='config whose test data names the glosses; without it classes are numbers'
    )
    parser.add_argument(
        '--out',
        type=output_path,
        default='confusion',
        metavar='FOLDER',
        help='where confusion.png, confusion.csv and pairs.csv go (default: %(default)s)',
    )
    parser.add_argument(
        '--top', type=whole(0), default=20, help='how many confused pairs to print (default: %(default)s)'
    )
    parser.add_argument('--title', default='', help='above the picture')
    return parser.parse_args()


def confusion_counts(labels: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Shape (classes, classes) int64: row = truth, column = prediction."""
    # Each (label, prediction) pair has a number of its own, which bincount counts.
    counts = np.bincount(labels * num_classes + predicted, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def confused_pairs(counts: np.ndarray) -> List[Tuple[int, int, int]]:
    """(truth, prediction, clips) off the diagonal, most frequent first, then by class."""
    wrong = counts * (1 - np.eye(len(counts), dtype=counts.dtype))
    rows, columns = np.nonzero(wrong)
    # lexsort sorts by its last key first.
    order = np.lexsort((columns, rows, -wrong[rows, columns]))
    return [(int(rows[i]), int(columns[i]), int(wrong[rows[i], columns[i]])) for i in order]


def read_glosses(config: Optional[str], answers: Answers) -> List[str]:
    """The glosses of a config's test data, or the class numbers."""
    if config is None:
        return [str(index) for index in range(answers.num_classes)]
    cfg = load_config(config)
    init_default_scope(cfg.default_scope)
    return glosses_of(answers, DATASETS.build(cfg.test_dataloader.dataset), config)


def main() -> None:
    args = parse_args()
    answers = read_labels(args.predictions)
    labels, predicted, num_classes = answers.labels, answers.predicted, answers.num_classes
    glosses = read_glosses(args.config, answers)
    counts = confusion_counts(labels, predicted, num_classes)
    pairs = confused_pairs(counts)
    per_class = counts.sum(1)

    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    with open(out / 'confusion.csv', 'w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(['truth \\ predicted', *glosses])
        writer.writerows([gloss, *row] for gloss, row in zip(glosses, counts.tolist()))
    with open(out / 'pairs.csv', 'w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(['truth', 'predicted', 'clips', 'of'])
        writer.writerows(
            [glosses[truth], glosses[other], number, int(per_class[truth])] for truth, other, number in pairs
        )
    plot_confusion(out / 'confusion.png', counts, glosses, args.title or Path(args.predictions).stem)

    # A class without clips has no recall.
    present = per_class > 0
    recall = counts.diagonal()[present] / per_class[present]
    print(f'{len(labels)} clips, {present.sum()} of {num_classes} classes')
    print(f'P-I {100 * (labels == predicted).mean():.2f} %, P-C {100 * recall.mean():.2f} %')
    if pairs[: args.top]:
        width = max(len(glosses[index]) for pair in pairs[: args.top] for index in pair[:2])
        print(f'{"truth":{width}}  {"predicted":{width}}  clips')
        for truth, other, number in pairs[: args.top]:
            print(f'{glosses[truth]:{width}}  {glosses[other]:{width}}  {number} of {per_class[truth]}')
    print(f'written: {out}/confusion.png, confusion.csv, pairs.csv')


if __name__ == '__main__':
    run_tool(main)
