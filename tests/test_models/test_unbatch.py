import torch

from signbert_mm.models.unbatch import unbatch
from signbert_mm.structures import SignDataSample


def inputs(**changes):
    return {
        **dict(index=torch.tensor([7, 3]), length=torch.tensor([4, 2]), label=torch.tensor([1, -1])),
        **changes,
    }


def test_padding_is_cut_off_and_the_rest_kept():
    values, scores = torch.rand(2, 4, 2, 3), torch.rand(2, 5)
    first, second = unbatch(dict(x=values, pred_scores=scores), inputs(), per_clip=('pred_scores',))
    assert isinstance(first, SignDataSample)
    assert torch.equal(first.x, values[0]) and torch.equal(second.x, values[1, :2])
    assert torch.equal(second.pred_scores, scores[1])
    assert (first.sample_idx, second.sample_idx) == (7, 3) and (
        int(first.gt_label),
        int(second.gt_label),
    ) == (1, -1)
    assert (first.num_frames, second.num_frames) == (4, 2)


def test_video_ids():
    assert [sample.video_id for sample in unbatch({}, inputs(video_id=['x', 'y']))] == ['x', 'y']
    assert [sample.video_id for sample in unbatch({}, inputs())] == ['', '']


def test_floats_become_float32_without_a_graph_and_integers_stay():
    weight = torch.ones(2, 4, requires_grad=True)
    (sample, _) = unbatch(
        dict(
            half=(weight * 2).bfloat16(),
            code=torch.ones(2, 4, dtype=torch.int64),
            flag=torch.ones(2, 4, dtype=torch.bool),
        ),
        inputs(),
    )
    assert sample.half.dtype == torch.float32 and not sample.half.requires_grad
    assert sample.code.dtype == torch.int64 and sample.flag.dtype == torch.bool


def test_a_batch_of_one():
    (sample,) = unbatch(
        dict(x=torch.rand(1, 1, 2)),
        dict(index=torch.tensor([0]), length=torch.tensor([1]), label=torch.tensor([2])),
    )
    assert sample.x.shape == (1, 2)
