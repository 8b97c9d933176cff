"""Draws against splitmix64 written with Python's own integers."""

import hashlib
import math
import shutil

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from signbert_mm import compat
from signbert_mm.draws import DrawPlan, Draws

WORD = 1 << 64
GAMMA = 0x9E3779B97F4A7C15


def splitmix(z: int) -> int:
    z %= WORD
    z = (z ^ (z // 2**30)) * 0xBF58476D1CE4E5B9 % WORD
    z = (z ^ (z // 2**27)) * 0x94D049BB133111EB % WORD
    return z ^ (z // 2**31)


def reference_bits(seed: int, epoch: int, index: int, name: str, position: int) -> int:
    """One draw, as an unsigned integer."""
    key = splitmix(
        splitmix(seed + GAMMA)
        ^ int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), 'little')
    )
    clip = splitmix(splitmix(epoch * GAMMA + key) + (index + 1) * GAMMA)
    return splitmix(clip + (position + 1) * GAMMA)


def draws(seed=0, epoch=0, index=(0,), prefix=''):
    return Draws(seed, epoch, torch.tensor(index, dtype=torch.int64), prefix)


def test_splitmix_of_its_author():
    # the first outputs of splitmix64.c (Vigna) from state 1234567
    assert [splitmix(1234567 + (i + 1) * GAMMA) for i in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


@pytest.mark.parametrize('seed, epoch', [(0, 0), (1, 7), (2**31 - 1, 59), (2**63 + 5, 10**6)])
def test_bits_equal_big_integers(seed, epoch):
    index = [0, 1, 145_999, 2**40 + 3]
    bits = draws(seed, epoch, index).bits('mask/token', 3, 2)
    assert bits.dtype == torch.int64 and bits.shape == (4, 3, 2)
    for row, clip in enumerate(index):
        expected = [reference_bits(seed, epoch, clip, 'mask/token', position) for position in range(6)]
        assert [value % WORD for value in bits[row].flatten().tolist()] == expected


def test_kinds_are_taken_from_the_bits():
    source = draws(5, 2, [9, 4])
    bits = [[value % WORD for value in row] for row in source.bits('name', 50).tolist()]
    assert source.uniform('name', 50).tolist() == [[(value >> 40) / 2**24 for value in row] for row in bits]
    expected = [[math.floor((value >> 24) / 2**40 * 7) for value in row] for row in bits]
    assert source.integers('name', 7, 50).tolist() == expected
    assert source.bernoulli('name', 0.3, 50).tolist() == [
        [(value >> 40) / 2**24 < 0.3 for value in row] for row in bits
    ]


def test_no_shape_gives_one_number_a_clip():
    source = draws(index=[3, 4])
    assert source.uniform('x').shape == (2,)
    assert torch.equal(source.uniform('x'), source.uniform('x', 1)[:, 0])


def test_a_clip_draws_the_same_in_any_batch():
    alone = draws(1, 4, [8]).uniform('x', 5, 2)
    together = draws(1, 4, [3, 8, 2]).uniform('x', 5, 2)
    assert torch.equal(alone[0], together[1])
    backwards = draws(1, 4, [2, 8, 3]).uniform('x', 5, 2)
    assert torch.equal(together.flip(0), backwards)


def test_order_of_calls_does_not_matter():
    source = draws(1, 1, [1])
    first = source.uniform('a', 3)
    source.uniform('b', 100)
    assert torch.equal(source.uniform('a', 3), first)


def test_more_positions_keep_the_first():
    source = draws(1, 1, [1, 2])
    assert torch.equal(source.uniform('a', 20, 2)[:, :7], source.uniform('a', 7, 2))


def test_epoch_a_clip_or_one_for_all():
    index = torch.tensor([4, 4, 6])
    each = Draws(3, torch.tensor([0, 5, 5]), index).uniform('x', 4)
    assert torch.equal(each[0], draws(3, 0, [4]).uniform('x', 4)[0])
    assert torch.equal(each[1:], draws(3, 5, [4, 6]).uniform('x', 4))


@pytest.mark.parametrize('device', ['cpu', 'cuda'])
def test_every_device_draws_the_same(device):
    if device == 'cuda' and not torch.cuda.is_available():
        pytest.skip('no GPU')
    index = torch.tensor([0, 5, 9])
    here, there = Draws(1, index, index), Draws(1, index.to(device), index.to(device))
    assert torch.equal(there.bits('x', 100).cpu(), here.bits('x', 100))
    assert torch.equal(there.uniform('x', 100, low=-1).cpu(), here.uniform('x', 100, low=-1))
    assert torch.equal(there.integers('x', 9, 100).cpu(), here.integers('x', 9, 100))


def test_no_two_of_many_coincide():
    """Seeds, epochs, clips, names and positions, with small values that a sum instead of a chain would mix
    up.
    """
    seen = set()
    total = 0
    for seed in range(3):
        for epoch in range(5):
            for name in ('a', 'b', 'a/b', ''):
                values = draws(seed, epoch, list(range(40))).bits(name, 10).flatten().tolist()
                seen.update(values)
                total += len(values)
    assert len(seen) == total


def test_neighbouring_clips_and_epochs_are_independent():
    index = list(range(2000))
    columns = torch.stack(
        [
            draws(0, 0, index).uniform('x'),
            draws(0, 1, index).uniform('x'),
            draws(1, 0, index).uniform('x'),
            draws(0, 0, index).uniform('y'),
            draws(0, 0, index).uniform('x', 2)[:, 1],
            draws(0, 0, [i + 1 for i in index]).uniform('x'),
        ]
    ).double()
    correlation = torch.corrcoef(columns) - torch.eye(len(columns))
    assert correlation.abs().max() < 4.5 / 2000**0.5


def test_uniform_is_uniform():
    values = draws(0, 0, list(range(1000))).uniform('x', 100).double().flatten()
    assert values.min() >= 0 and values.max() < 1
    counts = torch.histc(values, 20, 0, 1)
    chi2 = ((counts - 5000) ** 2 / 5000).sum()  # 19 degrees of freedom
    assert 4 < chi2 < 50
    moved = draws(0, 0, [0]).uniform('x', 10_000, low=-3, high=-1)
    assert moved.dtype == torch.float32 and moved.min() >= -3 and moved.max() < -1
    assert abs(float(moved.mean()) + 2) < 0.03


def test_integers_are_uniform_up_to_a_bound_a_clip():
    source = draws(0, 0, [0, 1, 2])
    bound = torch.tensor([1, 5, 1000])
    values = source.integers('x', bound[:, None], 20_000)
    assert (values >= 0).all() and (values.amax(1) == bound - 1).all()
    counts = torch.bincount(values[1], minlength=5)
    assert ((counts - 4000).abs() < 5 * (4000 * 0.8) ** 0.5).all()
    assert torch.equal(
        source.integers('x', bound), (source.integers('x', 2**40).double() / 2**40 * bound).long()
    )


@pytest.mark.parametrize('p', [0.0, 0.25, 1.0])
def test_bernoulli_odds(p):
    values = draws(0, 0, list(range(100))).bernoulli('x', p, 400)
    assert values.dtype == torch.bool
    assert abs(float(values.double().mean()) - p) <= 5 * (p * (1 - p) / 40_000) ** 0.5


def test_child_is_a_name_space():
    source = draws(2, 3, [7])
    child = source.child('view1')
    assert not torch.equal(child.uniform('x', 4), source.uniform('x', 4))
    assert torch.equal(child.uniform('x', 4), source.uniform('view1/x', 4))
    assert torch.equal(child.child('inner').uniform('x', 4), source.uniform('view1/inner/x', 4))
    assert torch.equal(source.uniform('x', 4), draws(2, 3, [7]).uniform('x', 4))


def pipeline(source, frames=6):
    """What a pipeline might draw."""
    view = source.child('view0')
    return [
        source.bernoulli('flip', 0.5),
        source.uniform('shift', 2, low=-1.0, high=3.0),
        view.uniform('jitter', frames, 2),
        view.integers('start', torch.arange(1, len(source.index) + 1)),
        view.bits('order', frames),
        source.upper_bits('mask', frames, 3),
    ]


def same(found, expected):
    assert len(found) == len(expected)
    return all(a.dtype == b.dtype and torch.equal(a, b) for a, b in zip(found, expected))


class Operators(TorchDispatchMode):
    """Counts operators but views."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += not any(
            item.alias_info is not None and not item.alias_info.is_write for item in func._schema.returns
        )
        return func(*args, **(kwargs or {}))


def test_a_plan_changes_no_number():
    plan, index = DrawPlan(), torch.tensor([3, 9, 2**40])
    for seed, epoch, frames in [
        (0, 0, 6),
        (0, 1, 6),
        (0, torch.tensor([5, 1, 5]), 4),
        (7, 2, 6),
        (0, 3, 8),
        (0, 4, 8),
        (0, 5, 6),
    ]:
        assert same(
            pipeline(Draws(seed, epoch, index, plan=plan), frames),
            pipeline(Draws(seed, epoch, index), frames),
        ), (seed, epoch, frames)
    planned, plain = Draws(0, 1, index, plan=plan), Draws(0, 1, index)
    assert torch.equal(planned.uniform('new', 3), plain.uniform('new', 3))  # after the others were made
    assert torch.equal(planned.uniform('new', 3), plain.uniform('new', 3))
    assert torch.equal(planned.uniform('jitter', 3), plain.uniform('jitter', 3))


def test_with_a_plan_all_are_made_together():
    plan, index = DrawPlan(), torch.arange(4)
    counts = []
    for epoch in range(3):
        with Operators() as operators:
            pipeline(Draws(0, epoch, index, plan=plan))
        counts.append(operators.count)
        plan.prepare(0, index.device)
    assert counts[1] == counts[2] < counts[0] / 2
    with Operators() as operators:
        Draws(0, 3, index, plan=plan).uniform('flip')
        asked = operators.count
        Draws(0, 3, index, plan=plan)
    assert operators.count == asked  # nothing is made before it is asked for


def test_a_batch_of_no_clip():
    plan, nobody = DrawPlan(), torch.zeros(0, dtype=torch.int64)
    for _ in range(2):
        assert [len(value) for value in pipeline(Draws(0, 0, torch.arange(2), plan=plan))] == [2] * 6
        assert [len(value) for value in pipeline(Draws(0, 0, nobody, plan=plan))] == [0] * 6


@pytest.mark.skipif(shutil.which('g++') is None, reason='torch.compile needs a C++ compiler on the CPU')
def test_compiled_draws_are_the_same():
    """C++ takes a product of a place and a constant not to overflow: positions must be no such product."""
    compat.patch_inductor_cache()
    plan, index, epoch = DrawPlan(), torch.arange(8), torch.zeros(8, dtype=torch.int64)

    def alone():
        return Draws(3, epoch, index).upper_bits('x', 64)

    def planned():
        return Draws(3, epoch, index, plan=plan).upper_bits('x', 64)

    expected = alone()
    assert torch.equal(planned(), expected)
    plan.prepare(3, index.device)
    for run in (alone, planned):
        assert torch.equal(torch.compile(run, fullgraph=True, dynamic=False)(), expected)


@pytest.mark.parametrize(
    'index',
    [
        torch.zeros(3),
        torch.zeros(3, dtype=torch.int32),
        torch.zeros(3, 1, dtype=torch.int64),
        torch.tensor(1),
    ],
)
def test_index_of_another_kind(index):
    with pytest.raises(TypeError, match='index must be a 1-D int64 tensor, got torch'):
        Draws(0, 0, index)
