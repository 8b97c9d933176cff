"""Masked batch norm against torch's, on the rows that are there, in float64."""

import threading

import pytest
import torch
from torch import nn

from signbert_mm.models import token_batch_norm
from signbert_mm.models.token_batch_norm import TokenBatchNorm


def pair(channels=3, **options):
    """The module and torch's, with the same weights away from 1 and 0."""
    torch.manual_seed(0)
    mine, other = (
        TokenBatchNorm(channels, **options).double().train(),
        nn.BatchNorm1d(channels).double().train(),
    )
    for own, theirs in zip(mine.parameters(), other.parameters()):
        nn.init.normal_(own, mean=0.5)
        theirs.data.copy_(own.data)
    return mine, other


def rows(*shape, seed=1):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 2 + 1


def test_without_a_mask_it_is_batch_norm():
    mine, other = pair()
    for step in range(3):
        x = rows(4, 5, 3, seed=step)
        torch.testing.assert_close(mine(x), other(x.flatten(0, 1)).view_as(x))
    for name in ('running_mean', 'running_var'):
        torch.testing.assert_close(getattr(mine, name), getattr(other, name))
    torch.testing.assert_close(mine.eval()(x), other.eval()(x.flatten(0, 1)).view_as(x))


def test_with_a_mask_the_others_are_not_there():
    mine, other = pair()
    x = rows(2, 7, 3).requires_grad_()
    y = x.detach().clone().requires_grad_()
    valid = torch.rand(2, 7, generator=torch.Generator().manual_seed(2)) < 0.6
    out, expected = mine(x, valid), other(y[valid])
    torch.testing.assert_close(out[valid], expected)
    assert not out[~valid].any()
    weights = rows(2, 7, 3, seed=5)
    (out * weights).sum().backward()
    (expected * weights[valid]).sum().backward()
    torch.testing.assert_close(x.grad, y.grad)
    for own, theirs in zip(mine.parameters(), other.parameters()):
        torch.testing.assert_close(own.grad, theirs.grad)
    torch.testing.assert_close(mine.running_mean, other.running_mean)
    torch.testing.assert_close(mine.running_var, other.running_var)
    out = mine.eval()(x, valid)
    torch.testing.assert_close(out[valid], other.eval()(y[valid]))
    assert not out[~valid].any()


def test_a_mask_broadcasts_over_nodes():
    mine, _ = pair()
    x, valid = rows(4, 6, 3), torch.tensor([True, False, True, True, False, True])
    torch.testing.assert_close(mine(x, valid), mine(x, valid.expand(4, 6)))


def test_gradients_numerically():
    mine, _ = pair(2)
    valid = torch.tensor([True, True, False, True])
    assert torch.autograd.gradcheck(
        lambda x, w, b: _call(mine, x, w, b, valid), (rows(4, 2).requires_grad_(), *mine.parameters())
    )


def _call(module, x, weight, bias, valid):
    return token_batch_norm._Normalize.apply(x, valid.double(), weight, bias, module.eps, False)[0]


def test_one_token_and_none():
    mine, _ = pair()
    x = rows(1, 3).requires_grad_()
    torch.testing.assert_close(mine(x), mine.bias.detach()[None])
    before = mine.running_mean.clone(), mine.running_var.clone()
    out = mine(x, torch.tensor([False]))
    out.sum().backward()
    assert not out.any() and not x.grad.any()
    assert torch.equal(before[0], mine.running_mean) and torch.equal(before[1], mine.running_var)


def test_low_precision_stays_in_its_type_and_close():
    mine, _ = pair()
    mine.float()
    x = rows(64, 3).float()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        out = mine(x.bfloat16(), torch.ones(64, dtype=torch.bool))
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), mine(x), rtol=0.05, atol=0.05)


def test_ranks_share_statistics(monkeypatch):
    """Two threads stand for two ranks of unequal size; a sum over both stands for the reduction."""
    whole, _ = pair()
    x = rows(9, 3)
    valid = torch.tensor([1, 1, 0, 1, 1, 0, 0, 1, 1], dtype=torch.bool)
    weights = rows(9, 3, seed=7)
    joined = x.clone().requires_grad_()
    expected = whole(joined, valid)
    (expected * weights).sum().backward()

    barrier, shelf = threading.Barrier(2), {}

    def reduce(values, sync):
        assert sync
        rank = int(threading.current_thread().name)
        shelf[rank] = values.clone()
        barrier.wait(30)
        total = shelf[0] + shelf[1]
        barrier.wait(30)
        return values.copy_(total)

    monkeypatch.setattr(token_batch_norm, '_sum_over_ranks', reduce)
    ranks = [pair(sync=True)[0] for _ in range(2)]
    results = {}

    def run(rank, part):
        mine = x[part].clone().requires_grad_()
        out = ranks[rank](mine, valid[part])
        (out * weights[part]).sum().backward()
        results[rank] = out.detach(), mine.grad

    parts = slice(0, 5), slice(5, 9)
    threads = [threading.Thread(target=run, args=(rank, parts[rank]), name=str(rank)) for rank in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    torch.testing.assert_close(torch.cat([results[0][0], results[1][0]]), expected.detach())
    torch.testing.assert_close(torch.cat([results[0][1], results[1][1]]), joined.grad)
    for module in ranks:
        torch.testing.assert_close(module.running_var, whole.running_var)
    torch.testing.assert_close(ranks[0].weight.grad + ranks[1].weight.grad, whole.weight.grad)


def test_sync_bn_of_a_config_leaves_it():
    module = nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(TokenBatchNorm(3), nn.BatchNorm1d(3)))
    assert isinstance(module[0], TokenBatchNorm) and isinstance(module[1], nn.SyncBatchNorm)


@pytest.mark.parametrize('sync', [False, True])
def test_without_processes_sync_is_nothing(sync):
    mine, other = pair(sync=sync)
    torch.testing.assert_close(mine(rows(5, 3)), other(rows(5, 3)))
