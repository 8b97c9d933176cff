"""Two gloo ranks give the figures of one process, whatever the sampler's order and padding."""

import os

import torch
import torch.distributed
import torch.multiprocessing as mp

from signbert_mm.evaluation import SignAccuracy
from signbert_mm.structures import SignDataSample

CLASSES, CLIPS = 4, 7


def samples():
    scores = torch.rand(CLIPS, CLASSES, generator=torch.Generator().manual_seed(0))
    return [
        SignDataSample(sample_idx=i, video_id=f'v{i}')
        .set_gt_label(i % (CLASSES - 1))
        .set_pred_scores(scores[i])
        .to_dict()
        for i in range(CLIPS)
    ]


def evaluate(indices):
    metric = SignAccuracy(topk=(1, 2))
    for index in indices:
        metric.process(None, [samples()[index]])
    return metric.evaluate(CLIPS)


def worker(rank, folder):
    torch.set_num_threads(1)
    os.chdir(folder)
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{folder}/rendezvous', rank=rank, world_size=2
    )
    shares = dict(
        interleaved=([0, 2, 4, 6], [1, 3, 5, 0]),  # mmengine's DefaultSampler with round_up
        contiguous=([0, 1, 2, 3], [3, 4, 5, 6]),
        unequal=([0, 1, 2, 3, 4, 5], [6]),
        one_rank_empty=(list(range(CLIPS)), []),
    )
    torch.save({name: evaluate(share[rank]) for name, share in shares.items()}, f'{folder}/{rank}.pth')
    torch.distributed.destroy_process_group()


def test_two_ranks_equal_one_process(tmp_path):
    mp.spawn(worker, (str(tmp_path),), nprocs=2)
    expected = evaluate(range(CLIPS))
    for rank in range(2):
        found = torch.load(tmp_path / f'{rank}.pth', weights_only=True)
        assert all(metrics == expected for metrics in found.values()) and len(found) == 4
