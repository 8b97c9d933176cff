import pytest
import torch

from signbert_mm.evaluation.metrics import SegmentF1
from signbert_mm.evaluation.segments import f1_score, interval_iou, match_segments, segment_figures
from signbert_mm.structures import SignDataSample


def test_iou():
    assert interval_iou((0, 4), (2, 6)) == pytest.approx(2 / 6)
    assert interval_iou((0, 4), (0, 4)) == 1 and interval_iou((0, 1), (1, 2)) == 0
    assert interval_iou((3, 3), (3, 3)) == 0


def test_each_segment_is_in_one_pair():
    true = [(0, 10, 'a'), (20, 30, 'b')]
    found = [(0, 6, 'a'), (1, 10, 'b'), (21, 30, 'a')]
    assert sorted(match_segments(found, true)) == [(1, 0), (2, 1)]
    assert match_segments(found, true, same_label=True) == [(0, 0)]
    assert match_segments(found, true, iou=0.95) == []
    assert match_segments([], true) == [] and match_segments(found, []) == []


def test_figures():
    true = [[(0, 10, 'a'), (20, 30, 'b')], [(0, 10, 'a')]]
    found = [[(0, 9, 'b'), (20, 30, 'b'), (40, 50, 'a')], []]
    figures = segment_figures(found, true, seconds=120)
    # two of three found, two of three true
    assert figures['f1'] == pytest.approx(2 / 3) and figures['false_per_minute'] == pytest.approx(0.5)
    assert figures['gloss_precision'] == pytest.approx(1 / 3) == figures['gloss_recall']
    assert figures['gloss_false_per_minute'] == pytest.approx(1.0)
    assert f1_score(0, 0, 0) == 0


def sample(index, segments, spans, frames):
    made = SignDataSample(metainfo=dict(num_frames=frames))
    made.sample_idx = index
    made.segments = torch.tensor(segments, dtype=torch.float64).reshape(-1, 3)
    made.gt_segments = torch.tensor(spans).reshape(-1, 3)
    return made.to_dict()


def test_metric():
    metric = SegmentF1()
    metric.dataset_meta = dict(fps=10.0)
    rows = [
        sample(0, [[0, 9, 0.9], [20, 30, 0.8], [40, 50, 0.7]], [[0, 10, 1], [20, 30, 2]], 300),
        sample(1, [], [[0, 10, 1]], 300),
    ]
    metric.process(None, rows)
    figures = metric.evaluate(2)
    assert figures['f1@0.5'] == pytest.approx(200 / 3) and figures['recall'] == pytest.approx(200 / 3)
    # one in 60 seconds
    assert figures['false_per_minute'] == pytest.approx(1.0)


def test_what_it_refuses():
    with pytest.raises(ValueError, match=r'iou must lie in \(0, 1\], got 0'):
        SegmentF1(iou=0)
    metric = SegmentF1()
    with pytest.raises(KeyError, match='lacks segments; is this a segmenter'):
        metric.process(None, [dict(sample_idx=3, num_frames=4)])
    metric.process(None, [sample(0, [], [[0, 10, 1]], 300)])
    metric.dataset_meta = dict(fps=None)
    with pytest.raises(ValueError, match='does not tell the frame rate'):
        metric.evaluate(1)
