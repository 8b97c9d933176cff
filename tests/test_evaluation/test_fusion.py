import numpy as np
import pytest
import torch

from signbert_mm.evaluation import fusion


def rows(order=(0, 1, 2, 3), scale=1.0, classes=3, labels=(0, 1, 2, 0), seed=0):
    logits = np.random.RandomState(seed).randn(4, classes) * scale
    scores = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return [
        dict(
            video_id=f'v{i}',
            pred_scores=torch.from_numpy(scores[i]),
            gt_label=torch.tensor([labels[i]]),
            sample_idx=i,
        )
        for i in order
    ]


def test_alignment_is_by_video_id_not_by_position():
    first, second = fusion.clip_scores('h', rows()), fusion.clip_scores('p', rows(order=(3, 1, 0, 2), seed=1))
    (a, b), missing = fusion.align([first, second])
    assert a.video_ids == b.video_ids == ['v0', 'v1', 'v2', 'v3'] and missing == {'h': [], 'p': []}
    truth = np.stack([row['pred_scores'].numpy() for row in rows(seed=1)])
    np.testing.assert_allclose(b.scores, truth)
    np.testing.assert_allclose(fusion.fused([a, b]), (a.scores + truth) / 2)
    np.testing.assert_allclose(fusion.fused([a, b], [3, 1]), (3 * a.scores + truth) / 4)


def test_missing_clips_are_named_and_left_out():
    (a, b), missing = fusion.align(
        [fusion.clip_scores('h', rows(order=(2, 0, 3))), fusion.clip_scores('p', rows(order=(0, 1, 2)))]
    )
    assert a.video_ids == b.video_ids == ['v2', 'v0']
    assert missing == {'h': ['v1'], 'p': ['v3']}


def test_logits_become_probabilities():
    logits = [dict(row, pred_scores=row['pred_scores'].log() + 700) for row in rows()]
    # float32
    np.testing.assert_allclose(
        fusion.clip_scores('h', logits, 'logit').scores, fusion.clip_scores('h', rows()).scores, rtol=1e-4
    )
    with pytest.raises(ValueError, match="h: scores of 'v0' sum to .* no probabilities"):
        fusion.clip_scores('h', logits)


def test_other_label_maps():
    with pytest.raises(ValueError, match="other label maps: {'h': 3, 'p': 4} classes"):
        fusion.align([fusion.clip_scores('h', rows()), fusion.clip_scores('p', rows(classes=4))])
    with pytest.raises(
        ValueError,
        match=r"2 of 4 clips have other labels in p than in h, the first is 'v0' "
        r'\(1 and 0\)',
    ):
        fusion.align([fusion.clip_scores('h', rows()), fusion.clip_scores('p', rows(labels=(1, 0, 2, 0)))])


def test_bad_input():
    broken = rows()
    broken[2]['pred_scores'] = torch.tensor([0.5, float('nan'), 0.5])
    with pytest.raises(ValueError, match="1 clips have scores that are not finite, the first is 'v2'"):
        fusion.clip_scores('h', broken)
    with pytest.raises(ValueError, match="'v0' comes twice"):
        fusion.clip_scores('h', rows() + rows()[:1])
    with pytest.raises(ValueError, match=r"clip 0 has no \['pred_scores'\]"):
        fusion.clip_scores('h', [dict(video_id='a', gt_label=0)])
    with pytest.raises(ValueError, match='clips are aligned by video_id'):
        fusion.clip_scores('h', [dict(video_id='', gt_label=0, pred_scores=torch.ones(1))])
    with pytest.raises(ValueError, match='scores of .* classes in one file'):
        fusion.clip_scores('h', rows() + [dict(video_id='x', gt_label=0, pred_scores=torch.ones(1))])
    with pytest.raises(ValueError, match='no clip is in all parts'):
        fusion.align(
            [fusion.clip_scores('h', rows(order=(0, 1))), fusion.clip_scores('p', rows(order=(2, 3)))]
        )
    parts = [fusion.clip_scores('h', rows())] * 2
    for weights in ([1], [0, 0], [-1, 2], [float('nan'), 1]):
        with pytest.raises(ValueError, match='2 parts need as many weights'):
            fusion.fused(parts, weights)
    with pytest.raises(ValueError, match='say one of'):
        fusion.clip_scores('h', rows(), 'score')


def test_accuracy_by_hand():
    scores = np.array([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.4, 0.4, 0.2], [0.1, 0.2, 0.7]])
    got = fusion.top_k_accuracy(scores, np.array([0, 1, 1, 2]), (1, 2))
    # right: first and last; the tie of the third goes to class 0; per class 1/1, 0/2, 1/1
    assert got == pytest.approx({'p_i/top1': 50, 'p_c/top1': 200 / 3, 'p_i/top2': 100, 'p_c/top2': 100})
    with pytest.raises(ValueError, match=r'accuracy: 1 of 4 clips have no label'):
        fusion.top_k_accuracy(scores, np.array([0, 1, -1, 2]))
    with pytest.raises(ValueError, match=r'topk must be positive integers, got \[0, 5\]'):
        fusion.top_k_accuracy(scores, np.array([0, 1, 1, 2]), (0, 5))


def test_weight_search_finds_the_better_part_and_prefers_even_weights():
    labels = np.array([0, 1, 2, 0])
    good = fusion.ClipScores('good', list('abcd'), np.eye(3)[labels] * 0.4 + 0.2, labels)
    bad = fusion.ClipScores('bad', list('abcd'), np.eye(3)[(labels + 1) % 3] * 0.7 + 0.1, labels)
    weights, top1 = fusion.search_weights([good, bad])
    assert top1 == 100 and weights == (0.7, 0.3)  # 0.4 w > 0.7 (1 - w) needs w > 7 / 11
    assert fusion.search_weights([good, good]) == ((0.5, 0.5), 100)
