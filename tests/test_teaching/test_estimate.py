"""Folds, intervals and thresholds of an estimate, against numbers worked out by hand."""

import numpy as np
import pytest

from signbert_mm.teaching import Estimate, wilson_interval
from signbert_mm.teaching.estimate import dictionary_estimate, make_folds


@pytest.mark.parametrize(
    'hits, asked, interval',
    # Wilson 1927; the second as in Newcombe 1998, table I, 81 of 263
    [(0, 0, (0, 1)), (81, 263, (0.2553, 0.3662)), (0, 20, (0, 0.1611)), (12, 12, (0.7575, 1))],
)
def test_wilson(hits, asked, interval):
    assert wilson_interval(hits, asked) == pytest.approx(interval, abs=5e-5)


def test_folds_of_signers():
    labels, signers = [0, 0, 1, 1, 1], ['a', 'b', 'a', 'b', 'c']
    how, folds = make_folds(labels, signers)
    assert 'signers that it was not taught' in how
    assert [(fold.train.tolist(), fold.test.tolist()) for fold in folds] == [
        ([1, 3, 4], [0, 2]),
        ([0, 2, 4], [1, 3]),
        ([0, 1, 2, 3], [4]),
    ]
    _, folds = make_folds(labels, signers, 2)
    assert [fold.test.tolist() for fold in folds] == [[0, 2, 4], [1, 3]]
    # Those without a name are one further signer.
    how, folds = make_folds(labels, ['a', 'b', 'a', 'b', ''])
    assert 'signers that it was not taught' in how
    assert sorted(fold.test.tolist() for fold in folds) == [[0, 2], [1, 3], [4]]


@pytest.mark.parametrize('signers', [['', '', '', '', ''], ['a'] * 5, ['a', 'a', '', 'a', '']])
def test_folds_of_clips(signers):
    how, folds = make_folds([0, 1, 0, 1, 1], signers)
    assert 'that it may know' in how and sorted(int(fold.test[0]) for fold in folds) == list(range(5))
    _, folds = make_folds([0, 1, 0, 1, 1], signers, 2)
    # Of each sign the clips go to the folds in turn.
    assert [fold.test.tolist() for fold in folds] == [[0, 1, 4], [2, 3]]


def test_one_clip_has_no_fold():
    assert make_folds([0], [''])[1] == []


def test_a_dictionary_by_hand():
    angles = np.deg2rad([0, 10, 90, 80, 45])
    vectors = np.stack([np.cos(angles), np.sin(angles)], 1)
    how, folds = make_folds([0, 0, 1, 1, 2], [''] * 5)
    estimate = dictionary_estimate(vectors, [0, 0, 1, 1, 2], how, folds)
    # The only clip of sign 2 cannot be asked: no other shows it.
    assert estimate.predicted.tolist() == [0, 0, 1, 1, -1]
    assert (estimate.hits, estimate.asked) == (4, 4)
    assert estimate.scores[:4] == pytest.approx(np.cos(np.deg2rad([10] * 4)))
    assert estimate.others == pytest.approx(np.cos(np.deg2rad([45, 35, 45, 35, 35])))
    assert np.cos(np.deg2rad(10)) - 3e-4 < estimate.threshold < np.cos(np.deg2rad(10))
    facts = estimate.to_dict()
    assert facts['right_kept'] == 4 and (facts['others_rejected'], facts['others_asked']) == (5, 5)
    assert estimate.confusions(3).tolist() == [[2, 0, 0], [0, 2, 0], [0, 0, 0]]


def test_the_threshold_keeps_95_percent_of_the_right_answers():
    labels = np.zeros(50, np.int64)
    predicted = np.r_[np.zeros(40, np.int64), np.ones(10, np.int64)]
    scores = np.r_[np.linspace(0.31, 0.7, 40), np.full(10, 0.2)]
    estimate = Estimate('dictionary', 'x', labels, predicted, scores)
    assert estimate.threshold == pytest.approx(0.33, abs=2e-4) and estimate.threshold < 0.33
    facts = estimate.to_dict()
    assert (facts['right_kept'], facts['wrong_rejected']) == (38, 10)


def test_nothing_right_has_no_threshold():
    estimate = Estimate('dictionary', 'x', np.zeros(2, np.int64), np.array([1, -1]), np.ones(2))
    assert estimate.threshold is None and 'right_kept' not in estimate.to_dict()
    assert (estimate.hits, estimate.asked) == (0, 1)
