import math

import numpy as np
import pytest

from signbert_mm.evaluation import rejection as r

LOGITS = np.log([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]])


def test_scores_by_hand():
    assert r.max_probability(LOGITS) == pytest.approx([0.5, 0.8])
    # at temperature 1/2 the probabilities are squared: 1/4, 1/16, 1/16
    assert r.max_probability(LOGITS, 0.5)[0] == pytest.approx(4 / 6)
    assert r.energy(LOGITS + 3) == pytest.approx([3, 3])
    assert r.energy(np.zeros((1, 4)), 2.0) == pytest.approx([2 * math.log(4)])
    assert r.max_logit(LOGITS) == pytest.approx(np.log([0.5, 0.8]))
    assert r.known_odds(LOGITS, 2) == pytest.approx(np.log([0.75 / 0.25, 0.9 / 0.1]))
    assert r.max_probability(np.array([[1e4, 0.0]])) == pytest.approx([1])


def test_distances_by_hand():
    gallery, labels = np.array([[0.0, 1], [0, 3], [4, 0], [6, 0]]), np.array([0, 0, 1, 1])
    assert r.class_means(gallery, labels, 2).tolist() == [[0, 2], [5, 0]]
    # within the classes both variances are 1/2, so with all shrinkage or none the distance doubles
    query = np.array([[0.0, 4], [5, 1]])
    for shrinkage in (0.0, 0.4, 1.0):
        assert r.mahalanobis(query, gallery, labels, 2, shrinkage) == pytest.approx([-8, -2])
    assert r.mean_cosine(np.array([[3.0, 4]]), gallery, labels, 2) == pytest.approx([0.8])
    assert r.neighbour_cosine(np.array([[3.0, 4]]), gallery, 3) == pytest.approx([0.6])
    assert r.neighbour_cosine(np.array([[3.0, 4]]), gallery, 1) == pytest.approx([0.8])
    with pytest.raises(ValueError, match='k must be from 1 to 4, got 5'):
        r.neighbour_cosine(query, gallery, 5)
    with pytest.raises(ValueError, match='class 1 has no clip'):
        r.class_means(gallery, labels * 2, 3)


def test_mahalanobis_against_the_formula():
    random = np.random.RandomState(0)
    gallery, labels = random.normal(size=(40, 5)), np.arange(40) % 4
    query, means = random.normal(size=(7, 5)), r.class_means(gallery, labels, 4)
    spread = gallery - means[labels]
    covariance = spread.T @ spread / 40
    covariance = 0.9 * covariance + 0.1 * np.trace(covariance) / 5 * np.eye(5)
    inverse = np.linalg.inv(covariance)
    expected = [-min((q - mean) @ inverse @ (q - mean) for mean in means) for q in query]
    assert r.mahalanobis(query, gallery, labels, 4) == pytest.approx(expected)


def test_auroc_and_kept_by_hand():
    known, unknown = np.array([0.9, 0.8, 0.3, 0.5]), np.array([0.1, 0.5, 0.2, 0.4, 0.3])
    # pairs won: 5 + 5 + 2.5 + 4.5 of 20
    assert r.auroc(known, unknown) == pytest.approx(17 / 20)
    assert r.threshold_at(unknown, 0.0) == 0.5 and r.threshold_at(unknown, 0.2) == 0.4
    assert r.known_kept(known, unknown, 0.0) == 0.5 and r.known_kept(known, unknown, 0.2) == 0.75
    # equal scores: none of them may pass together
    assert r.threshold_at(np.array([1.0, 1, 1, 0]), 0.5) == 1
    assert r.threshold_at(np.arange(20.0), 0.05) == 18
    report = r.rejection_report(known, dict(rest=unknown))
    assert report == dict(rest=dict(auroc=pytest.approx(0.85), kept=0.5, clips=5))


def test_auroc_against_sklearn():
    metrics = pytest.importorskip('sklearn.metrics', reason='scikit-learn is not installed')
    random = np.random.RandomState(1)
    known, unknown = random.normal(1, 1, 60).round(1), random.normal(0, 1, 90).round(1)
    labels, scores = np.repeat([1, 0], [60, 90]), np.concatenate([known, unknown])
    assert r.auroc(known, unknown) == pytest.approx(metrics.roc_auc_score(labels, scores))
    false, true, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    assert r.known_kept(known, unknown) == pytest.approx(true[false <= 0.05].max())


def test_temperature_and_calibration():
    # 3 of 4 clips are of the class with odds e^4: the likelihood is largest where the odds are 3
    logits, labels = np.tile([4.0, 0.0], (4, 1)), np.array([0, 0, 0, 1])
    temperature = r.fit_temperature(logits, labels)
    assert temperature == pytest.approx(4 / math.log(3), rel=1e-6)
    assert r.negative_log_likelihood(logits, labels, temperature) == pytest.approx(
        -(3 * math.log(0.75) + math.log(0.25)) / 4
    )
    # all right: the colder the better, down to the bound
    assert r.fit_temperature(logits, np.zeros(4, int)) == pytest.approx(0.05, rel=1e-3)
    # two bins: (0, 0.5] says 0.4 and is right in half, (0.5, 1] says 0.9 and is always right
    error = r.calibration_error(np.array([0.4, 0.4, 0.9, 0.9]), np.array([True, False, True, True]), 2)
    assert error == pytest.approx((2 * 0.1 + 2 * 0.1) / 4)
    assert r.calibration_error(np.array([0.0, 1.0]), np.array([False, True])) == 0


def test_leave_one_out_by_hand():
    vectors, labels = np.array([[1.0, 0], [0.8, -0.6], [0, 1]]), np.array([0, 0, 1])
    known, unknown = r.leave_one_out(vectors, labels)
    assert known == pytest.approx([0.8, 0.8]) and unknown == pytest.approx([0, -0.6, 0])


def test_refusals():
    with pytest.raises(ValueError, match=r'scores of known and of unknown clips are needed, got shapes'):
        r.auroc(np.zeros(3), np.zeros(0))
    with pytest.raises(ValueError, match='not finite'):
        r.auroc(np.zeros(3), np.array([np.nan]))
    with pytest.raises(ValueError, match=r'false_answers must lie in \[0, 1\), got 1'):
        r.threshold_at(np.zeros(3), 1)
    with pytest.raises(ValueError, match='labels of the vocabulary'):
        r.fit_temperature(LOGITS, np.array([0, 3]))
