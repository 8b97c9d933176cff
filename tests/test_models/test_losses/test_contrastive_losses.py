"""InfoNCE, consistency and transfer against plain float64 loops over clips, anchors and features."""

import math

import pytest
import torch
import torch.nn.functional as F

from signbert_mm.models import ConsistencyLoss, InfoNCELoss, KnowledgeTransferLoss


def vectors(count, seed, channels=6):
    values = torch.randn(count, channels, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return F.normalize(values, dim=-1)


def dot(a, b):
    return sum(x * y for x, y in zip(a.tolist(), b.tolist()))


def softmax(logits):
    peak = max(logits)
    parts = [math.exp(value - peak) for value in logits]
    return [part / sum(parts) for part in parts]


def kl(p, q):
    return sum(a * (math.log(a) - math.log(b)) for a, b in zip(p, q) if a > 0)


def nearest(vector, anchors, count):
    """Slots, nearest first; of equally near ones the lower; empty ones never."""
    there = [slot for slot in range(len(anchors)) if anchors[slot].any()]
    return sorted(there, key=lambda slot: (-dot(vector, anchors[slot]), slot))[:count]


def with_gaps(bank, *slots):
    bank = bank.clone()
    bank[list(slots)] = 0
    return bank


class TestInfoNCE:
    @pytest.mark.parametrize('gaps', [(), (1, 4), tuple(range(9))])
    def test_equation_2(self, gaps):
        query, key, bank = vectors(4, 0), vectors(4, 1), with_gaps(vectors(9, 2), *gaps)
        expected = []
        for z, k in zip(query, key):
            positive = math.exp(dot(z, k) / 0.07)
            negatives = [math.exp(dot(z, m) / 0.07) for m in bank if m.any()]
            expected.append(-math.log(positive / (positive + sum(negatives))))
        assert float(InfoNCELoss()(query, key, bank)) == pytest.approx(
            sum(expected) / 4, rel=1e-12, abs=1e-12
        )
        counts = torch.tensor([True, False, True, True])
        assert float(InfoNCELoss(loss_weight=2.0)(query, key, bank, counts)) == pytest.approx(
            (sum(expected) - expected[1]) / 2, rel=1e-12, abs=1e-12
        )

    def test_gradient_goes_to_the_query_alone(self):
        query, key, bank = (vectors(count, seed).requires_grad_() for count, seed in ((4, 0), (4, 1), (9, 2)))
        InfoNCELoss()(query, key, bank.detach()).backward()
        assert query.grad.any() and key.grad is None

    def test_an_empty_bank_gives_0(self):
        query = vectors(4, 0).requires_grad_()
        loss = InfoNCELoss()(query, vectors(4, 1), torch.zeros(5, 6, dtype=torch.float64))
        loss.backward()
        assert loss == 0 and not query.grad.any()


class TestConsistency:
    def test_equation_3(self):
        hand, trunk, key_hand, key_trunk = (vectors(5, seed) for seed in range(4))
        expected = [
            kl(softmax([x / 0.1 for x in kh.tolist()]), softmax([x / 0.1 for x in t.tolist()]))
            + kl(softmax([x / 0.1 for x in kt.tolist()]), softmax([x / 0.1 for x in h.tolist()]))
            for h, t, kh, kt in zip(hand, trunk, key_hand, key_trunk)
        ]
        assert float(ConsistencyLoss()((hand, trunk), (key_hand, key_trunk))) == pytest.approx(
            sum(expected) / 5, rel=1e-12
        )
        counts = torch.tensor([True, True, False, True, False])
        assert float(ConsistencyLoss()((hand, trunk), (key_hand, key_trunk), counts=counts)) == pytest.approx(
            (sum(expected) - expected[2] - expected[4]) / 5, rel=1e-12
        )

    @pytest.mark.parametrize(
        'count, gaps', [(4, ()), (4, (0, 3)), (10, (2,)), (10, ()), (6, (0, 1, 2, 3, 4, 5, 6))]
    )
    def test_the_variant_over_anchors(self, count, gaps):
        query, key = (vectors(3, 0), vectors(3, 1)), (vectors(3, 2), vectors(3, 3))
        banks = tuple(with_gaps(vectors(10, seed), *gaps) for seed in (4, 5))
        expected = 0
        for clip in range(3):
            for teacher, student in ((0, 1), (1, 0)):
                slots = nearest(key[teacher][clip], banks[teacher], count)
                p = softmax([dot(key[teacher][clip], banks[teacher][slot]) / 0.1 for slot in slots])
                q = softmax([dot(query[student][clip], banks[student][slot]) / 0.1 for slot in slots])
                expected += kl(p, q) / 3
        assert float(ConsistencyLoss(num_anchors=count)(query, key, banks)) == pytest.approx(
            expected, rel=1e-10
        )

    @pytest.mark.parametrize('count', [None, 4])
    def test_the_key_is_the_teacher(self, count):
        query, key = ([vectors(3, seed).requires_grad_() for seed in seeds] for seeds in ((0, 1), (2, 3)))
        ConsistencyLoss(num_anchors=count)(
            tuple(query), tuple(key), (vectors(9, 4), vectors(9, 5))
        ).backward()
        assert all(vector.grad.any() for vector in query) and all(vector.grad is None for vector in key)


class TestTransfer:
    @pytest.mark.parametrize(
        'count, gaps', [(4, ()), (4, (1, 7)), (10, ()), (10, (0, 9)), (5, (0, 1, 2, 3, 4, 5, 6))]
    )
    def test_equations_5_to_7(self, count, gaps):
        query, key = (vectors(3, 0), vectors(3, 1)), (vectors(3, 2), vectors(3, 3))
        anchors = tuple(with_gaps(vectors(10, seed) + vectors(10, seed + 10), *gaps) for seed in (4, 5))
        expected = [0.0] * 3
        for clip in range(3):
            for a, b in ((0, 1), (1, 0)):
                slots = nearest(key[a][clip], anchors[a], count)
                p = softmax([dot(key[a][clip], anchors[a][slot]) / 0.05 for slot in slots])
                q = softmax([dot(query[b][clip], anchors[b][slot]) / 0.1 for slot in slots])
                expected[clip] += kl(p, q)
        loss = KnowledgeTransferLoss(num_anchors=count)
        assert float(loss(query, key, anchors)) == pytest.approx(sum(expected) / 3, rel=1e-10)
        assert float(loss(query, key, anchors, torch.tensor([False, True, False]))) == pytest.approx(
            expected[1] / 3, rel=1e-10
        )

    def test_of_equally_near_anchors_the_lower_slots_are_taken(self):
        """The student's anchors differ, so that the choice shows."""
        key, same = vectors(1, 0), vectors(1, 0).expand(8, -1).clone()
        other = vectors(8, 1)
        loss = KnowledgeTransferLoss(num_anchors=3)
        low = loss((key, key), (key, key), (same, other))
        q = softmax([dot(key[0], other[slot]) / 0.1 for slot in (0, 1, 2)])
        slots = nearest(key[0], other, 3)
        back = kl(softmax([dot(key[0], other[slot]) / 0.05 for slot in slots]), [1 / 3] * 3)
        assert float(low) == pytest.approx(kl([1 / 3] * 3, q) + back, rel=1e-10)

    def test_the_key_is_the_teacher(self):
        query, key = ([vectors(3, seed).requires_grad_() for seed in seeds] for seeds in ((0, 1), (2, 3)))
        KnowledgeTransferLoss(num_anchors=4)(
            tuple(query), tuple(key), (vectors(9, 4), vectors(9, 5))
        ).backward()
        assert all(vector.grad.any() for vector in query) and all(vector.grad is None for vector in key)

    def test_an_empty_bank_gives_0(self):
        query = tuple(vectors(3, seed).requires_grad_() for seed in (0, 1))
        empty = torch.zeros(9, 6, dtype=torch.float64)
        loss = KnowledgeTransferLoss(num_anchors=4)(query, query, (empty, empty))
        loss.backward()
        assert loss == 0 and not query[0].grad.any()


@pytest.mark.parametrize(
    'build, message',
    [
        (lambda: InfoNCELoss(temperature=0), 'InfoNCELoss: temperature must be positive'),
        (lambda: ConsistencyLoss(num_anchors=0), 'ConsistencyLoss: .* must be positive'),
        (lambda: KnowledgeTransferLoss(student_temperature=0), 'KnowledgeTransferLoss: .* must be positive'),
    ],
)
def test_bad_options(build, message):
    with pytest.raises(ValueError, match=message):
        build()
