"""The bank's order, wrap-around, lockstep and what it keeps."""

import pytest
import torch

from signbert_mm.models import MemoryBank
from signbert_mm.models.banks import memory_bank


def keys_of(numbers, channels=2):
    """Keys that name their clip: the number in 'hand', minus it in 'trunk'."""
    values = torch.tensor(numbers, dtype=torch.float32)[:, None].expand(-1, channels)
    return dict(hand=values, trunk=-values)


@pytest.mark.parametrize('size, batch', [(7, 3), (6, 3), (5, 5), (4, 9), (1, 2), (16, 3)])
def test_it_holds_the_last_clips_in_their_order(size, batch):
    """Against a list that is written slot by slot; sizes that the batch divides or not, and batches larger
    than the bank.
    """
    bank, slots, place = MemoryBank(size, 2), [0.0] * size, 0
    for step in range(6):
        numbers = list(range(1 + step * batch, 1 + (step + 1) * batch))
        bank.push(keys_of(numbers))
        for number in numbers:
            slots[place % size], place = float(number), place + 1
        held = bank.snapshot()
        assert held['hand'][:, 0].tolist() == slots and held['trunk'][:, 1].tolist() == [
            -value for value in slots
        ]
        assert int(bank.pointer) == place % size


def test_a_short_batch_moves_the_pointer_by_its_own_length():
    bank = MemoryBank(5, 2)
    for numbers in ([1, 2, 3], [4], [5, 6, 7]):
        bank.push(keys_of(numbers))
    assert bank.snapshot()['hand'][:, 0].tolist() == [6, 7, 3, 4, 5]


def test_a_snapshot_is_not_written_to():
    bank = MemoryBank(2, 2)
    before = bank.snapshot()['hand']
    bank.push(keys_of([1, 2]))
    assert not before.any()


def test_the_state_goes_on(tmp_path):
    bank = MemoryBank(5, 2)
    bank.push(keys_of([1, 2, 3]))
    torch.save(bank.state_dict(), tmp_path / 'bank.pth')
    other = MemoryBank(5, 2)
    other.load_state_dict(torch.load(tmp_path / 'bank.pth', weights_only=True))
    for one in (bank, other):
        one.push(keys_of([4, 5, 6]))
    assert (
        torch.equal(bank.keys, other.keys)
        and torch.equal(bank.pointer, other.pointer)
        and other.snapshot()['hand'][:, 0].tolist() == [6, 2, 3, 4, 5]
    )


def test_ranks_are_interleaved_as_the_sampler_deals(monkeypatch):
    """Clips 0 .. 5 on three processes: 0 and 3, 1 and 4, 2 and 5."""
    shares = [torch.tensor([[0.0], [3.0]]), torch.tensor([[1.0], [4.0]]), torch.tensor([[2.0], [5.0]])]
    monkeypatch.setattr(memory_bank, 'all_gather', lambda values: shares)
    assert memory_bank.gather_in_sampler_order(shares[1]).flatten().tolist() == [0, 1, 2, 3, 4, 5]


def test_how_it_begins():
    assert not MemoryBank(4, 8).keys.any()
    random = MemoryBank(4, 8, init='random').keys
    torch.testing.assert_close(random.norm(dim=-1), torch.ones(2, 4))
    assert MemoryBank(3, 5, groups=['a']).snapshot()['a'].shape == (3, 5)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(size=0), 'at least 1'),
        (dict(channels=0), 'at least 1'),
        (dict(groups=()), 'distinct names'),
        (dict(groups=('a', 'a')), 'distinct names'),
        (dict(init='zeros'), "one of .*'empty'"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        MemoryBank(**options)


def test_bad_keys():
    bank = MemoryBank(4, 2)
    with pytest.raises(KeyError, match="keys of \\['hand'\\], but the groups are \\['hand', 'trunk'\\]"):
        bank.push(dict(hand=torch.zeros(1, 2)))
    with pytest.raises(ValueError, match='keys of length 3, but the bank holds keys of length 2'):
        bank.push(keys_of([1], channels=3))
