import logging

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger

from signbert_mm.evaluation import SignAccuracy
from signbert_mm.registry import METRICS
from signbert_mm.structures import SignDataSample

GLOSSES = ['-', 'hello', 'water', 'eat', 'drink', 'never']


def make_samples(scores, labels):
    return [
        SignDataSample(sample_idx=i, video_id=f'v{i}')
        .set_gt_label(int(label))
        .set_pred_scores(torch.as_tensor(row))
        for i, (row, label) in enumerate(zip(scores, labels))
    ]


def run(metric, samples, size=None, batch=3):
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = dict(glosses=GLOSSES)
    for start in range(0, len(samples), batch):
        evaluator.process(samples[start : start + batch])
    return evaluator.evaluate(len(samples) if size is None else size)


def reference(scores, labels, k, classes):
    """P-I and P-C by plain loops: sort by (score falling, class rising)."""
    hits = {}
    for row, label in zip(scores.tolist(), labels.tolist()):
        if label in classes:
            order = sorted(range(len(row)), key=lambda c: (-row[c], c))
            hits.setdefault(label, []).append(float(label in order[:k]))
    everything = [hit for row in hits.values() for hit in row]
    return 100 * sum(everything) / len(everything), 100 * sum(
        sum(row) / len(row) for row in hits.values()
    ) / len(hits)


@pytest.fixture
def clips():
    rng = np.random.RandomState(0)
    labels = rng.choice(5, 57, p=[0.4, 0.3, 0.1, 0.1, 0.1])  # class 5 has no clip
    scores = np.round(rng.rand(57, 6), 1).astype(np.float32)  # one decimal: many ties
    return scores, labels


def test_against_plain_loops(clips):
    scores, labels = clips
    metric = METRICS.build(
        dict(
            type='SignAccuracy',
            topk=(1, 2, 5),
            subsets=dict(confusing=['water', 'eat', 'never'], normal=[0, 1]),
            exclude=['-'],
        )
    )
    found = run(metric, make_samples(scores, labels))
    for name, classes in (
        ('', range(6)),
        ('confusing/', [2, 3, 5]),
        ('normal/', [0, 1]),
        ('without_excluded/', range(1, 6)),
    ):
        for k in (1, 2, 5):
            p_i, p_c = reference(scores, labels, k, list(classes))
            assert found[f'p_i/{name}top{k}'] == pytest.approx(p_i, abs=1e-12)
            assert found[f'p_c/{name}top{k}'] == pytest.approx(p_c, abs=1e-12)
    assert (found['clips'], found['classes/present'], found['classes/absent']) == (57, 5, 1)
    assert all(np.isfinite(value) for value in found.values())


def test_ties_go_to_the_lower_index():
    found = run(SignAccuracy(topk=(1, 2)), make_samples(np.ones((3, 6), dtype=np.float32), [0, 1, 2]))
    assert found['p_i/top1'] == pytest.approx(100 / 3) and found['p_i/top2'] == pytest.approx(200 / 3)


def test_same_result_in_half_precision_and_any_order(clips):
    scores, labels = clips
    samples = make_samples(torch.from_numpy(scores).bfloat16(), labels)
    first = run(SignAccuracy(), samples)
    assert run(SignAccuracy(), samples[::-1], batch=7) == first
    assert first['p_i/top1'] == pytest.approx(
        reference(torch.from_numpy(scores).bfloat16().double().numpy(), labels, 1, list(range(6)))[0]
    )


def test_padding_duplicates_count_once(clips):
    samples = make_samples(*clips)
    assert run(SignAccuracy(), samples + samples[:5], size=57) == run(SignAccuracy(), samples)


class Records(logging.Handler):
    def __init__(self):
        super().__init__()
        self.text = ''

    def emit(self, record):
        self.text += record.getMessage() + '\n'


@pytest.fixture
def log():
    logger, handler = MMLogger.get_current_instance(), Records()
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def test_topk_beyond_the_classes_is_said(clips, log):
    assert run(SignAccuracy(topk=6), make_samples(*clips))['p_i/top6'] == 100
    assert 'top-6 of 6 classes is 100 by definition' in log.text


def test_classes_that_are_no_candidates_are_in_no_topk(log):
    """Equal scores: of labels 0 (a candidate), 1 (none) and 4 (the second candidate), two are among the two
    best, and never the one that is none.
    """
    samples = make_samples([[0.5] * 6] * 3, [0, 1, 4])
    for sample in samples:
        sample.pred_candidates = torch.tensor([True, False, False, False, True, True])
    metrics = run(SignAccuracy(topk=(1, 2, 6)), samples)
    assert [metrics[f'p_i/top{k}'] for k in (1, 2, 6)] == pytest.approx([100 / 3, 200 / 3, 200 / 3])
    assert 'by definition' not in log.text
    del samples[1].pred_candidates
    with pytest.raises(
        ValueError,
        match=r"clip 1 \('v1'\): pred_candidates must be bool of shape \(6,\), "
        r'got nothing',
    ):
        run(SignAccuracy(), samples)
    samples[1].pred_candidates = torch.ones(5)
    with pytest.raises(ValueError, match=r'got torch.float32 of shape \(5,\)'):
        run(SignAccuracy(), samples)


def test_absent_classes_empty_subsets_and_coverage_are_said(clips, log):
    metric = SignAccuracy(subsets=dict(nothing=['never']))
    metric.dataset_meta = dict(glosses=GLOSSES, coverage='57 of 60 clips')
    metric.process(None, [sample.to_dict() for sample in make_samples(*clips)])
    assert not any('nothing' in key for key in metric.evaluate(57))
    assert "1 of 6 classes have no test clip and are left out of P-C: 'never'" in log.text
    assert (
        "subset 'nothing' has no test clip" in log.text
        and 'SignAccuracy: accuracy on 57 of 60 clips' in log.text
    )


def test_coverage_of_the_store_is_said_beside_the_accuracy(clips, log):
    metric = SignAccuracy()
    row = dict(name='wlasl2000', folder='d', split='test', clips=57, glosses=5, expected=60, present=57)
    for expected, said in ((60, True), (57, False)):
        metric.dataset_meta = dict(glosses=GLOSSES, coverage=[dict(row, expected=expected)])
        metric.process(None, [sample.to_dict() for sample in make_samples(*clips)])
        assert metric.evaluate(57)['clips'] == 57
        assert ('accuracy on 57 of 60 test clips (95.0 %) of wlasl2000' in log.text) == said
        log.text = ''


def test_single_clip():
    assert run(SignAccuracy(topk=1), make_samples([[0.0, 1, 0, 0, 0, 0]], [1]))['p_c/top1'] == 100


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_scores_not_finite(clips, value):
    scores, labels = clips
    scores[4, 2] = value
    with pytest.raises(ValueError, match=r"clip 4 \('v4'\): scores not finite"):
        run(SignAccuracy(), make_samples(scores, labels))


@pytest.mark.parametrize(
    'label, message', [(-1, r"clip 0 \('v0'\) has no label"), (6, 'label 6 is outside the 6 classes')]
)
def test_bad_labels(label, message):
    with pytest.raises(ValueError, match=message):
        run(SignAccuracy(), make_samples(np.zeros((1, 6), dtype=np.float32), [label]))


def test_class_counts_that_disagree(clips):
    scores, labels = clips
    with pytest.raises(ValueError, match='scores of 5 classes, but the data set has 6 glosses'):
        run(SignAccuracy(), make_samples(scores[:, :5], labels))
    with pytest.raises(ValueError, match=r'scores of \[5, 6\] classes'):
        run(SignAccuracy(), make_samples([scores[0], scores[1, :5]], [0, 0]))
    with pytest.raises(ValueError, match=r'scores of \[5, 6\] classes'):
        run(SignAccuracy(), make_samples([scores[0], scores[1, :5]], [0, 0]), batch=1)


def test_missing_fields_clips_and_predictions(clips):
    samples = make_samples(*clips)
    with pytest.raises(ValueError, match='57 different clips were predicted, but the data set has 58'):
        run(SignAccuracy(), samples, size=58)
    with pytest.raises(ValueError, match='no predictions'):
        run(SignAccuracy(), [], size=0)
    with pytest.raises(ValueError, match="sample_idx 0 is both 'v0' and 'other'"):
        run(
            SignAccuracy(),
            [
                samples[0],
                samples[0].new(sample_idx=0, video_id='other', gt_label=0, pred_scores=torch.zeros(6)),
            ],
            size=1,
        )
    with pytest.raises(KeyError, match='no sample_idx'):
        run(SignAccuracy(), [SignDataSample(gt_label=0, pred_scores=torch.zeros(6))])
    with pytest.raises(KeyError, match='no pred_scores'):
        run(SignAccuracy(), [SignDataSample(gt_label=0, sample_idx=0)])


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(topk=0), 'topk must be positive'),
        (dict(topk=()), 'topk must be positive'),
        (dict(subsets={'a/b': [0]}), 'cannot be named'),
        (dict(exclude='-'), 'take lists'),
        (dict(subsets=dict(confusing='hello')), 'take lists'),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        SignAccuracy(**options)


def test_subset_of_unknown_class(clips):
    with pytest.raises(ValueError, match="subset 'a': no gloss 'helo'; glosses begin"):
        run(SignAccuracy(subsets=dict(a=['helo'])), make_samples(*clips))
    with pytest.raises(ValueError, match='class 6 is outside'):
        run(SignAccuracy(subsets=dict(a=[6])), make_samples(*clips))
