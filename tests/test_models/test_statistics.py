"""Running statistics of norms over two gloo processes."""

import torch
import torch.multiprocessing as mp
from torch import nn

from signbert_mm.models.statistics import share_statistics
from signbert_mm.models.token_batch_norm import TokenBatchNorm


def make(rank):
    torch.manual_seed(rank)
    model = nn.Sequential(nn.BatchNorm1d(3), nn.ModuleDict(dict(part=TokenBatchNorm(2))), nn.Linear(2, 2))
    model.register_buffer('running_count', torch.tensor(rank))
    for buffer in model.buffers():
        buffer.copy_(torch.rand(buffer.shape) * 1e9 if buffer.is_floating_point() else 2**40 + rank)
    return model


def worker(rank, folder):
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{folder}/rendezvous', rank=rank, world_size=2
    )
    model = make(rank)
    share_statistics(model)
    torch.save(model.state_dict(), f'{folder}/{rank}.pth')
    torch.distributed.destroy_process_group()


def test_all_processes_get_those_of_the_first_and_keep_the_rest(tmp_path):
    mp.spawn(worker, (str(tmp_path),), nprocs=2)
    shared = ('running_mean', 'running_var', 'num_batches_tracked')
    for rank in range(2):
        found = torch.load(tmp_path / f'{rank}.pth', weights_only=True)
        for name, value in found.items():
            source = 0 if name.rpartition('.')[2] in shared else rank
            assert torch.equal(value, make(source).state_dict()[name]), (rank, name)


def test_one_process_changes_nothing():
    model = make(0)
    share_statistics(model)
    assert all(torch.equal(value, make(0).state_dict()[name]) for name, value in model.state_dict().items())
