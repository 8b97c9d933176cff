import math

import pytest
import torch

from signbert_mm.models import LinearFusionHead, SignHead


def head(**changes):
    torch.manual_seed(0)
    return SignHead(**{**dict(num_classes=4, in_channels=6, dropout=0.0), **changes})


def tokens_and_valid(count=3, frames=5):
    generator = torch.Generator().manual_seed(1)
    valid = torch.rand(count, frames, 2, generator=generator) < 0.6
    valid[:, 1, 1] = True
    return torch.randn(count, frames, 2, 6, generator=generator), valid


def test_against_plain_loops():
    model = head()
    tokens, valid = tokens_and_valid()
    logits, attention = model(tokens, valid)
    weight, scorer = model.classifier.weight.detach().double(), model.scorer.weight.detach().double()[0]
    for clip in range(3):
        places = [tuple(place) for place in valid[clip].nonzero().tolist()]
        exponents = {place: math.exp(float(scorer @ tokens[(clip, *place)].double())) for place in places}
        total = sum(exponents.values())
        pooled = sum(exponents[place] / total * tokens[(clip, *place)].double() for place in places)
        torch.testing.assert_close(
            logits[clip].double(), weight @ pooled + model.classifier.bias.double(), rtol=1e-5, atol=1e-5
        )
        for t in range(5):
            for h in range(2):
                assert float(attention[clip, t, h].detach()) == pytest.approx(
                    exponents.get((t, h), 0.0) / total, abs=1e-6
                )


def test_attention_sums_to_one_over_the_valid_tokens_of_both_hands():
    tokens, valid = tokens_and_valid()
    _, attention = head()(tokens, valid)
    torch.testing.assert_close(attention.sum((1, 2)), torch.ones(3))
    assert not attention[~valid].any() and (attention[valid] > 0).all()


def test_invalid_tokens_do_not_count():
    model = head()
    tokens, valid = tokens_and_valid()
    other = torch.where(valid[..., None], tokens, 1000 * torch.randn_like(tokens))
    torch.testing.assert_close(model(other, valid)[0], model(tokens, valid)[0])


def test_one_token_gets_all_attention():
    model = head()
    tokens, valid = torch.randn(1, 1, 2, 6), torch.tensor([[[False, True]]])
    pooled, attention = model.pool(tokens, valid)
    assert attention.tolist() == [[[0.0, 1.0]]]
    torch.testing.assert_close(pooled, tokens[:, 0, 1])


def test_loss_is_cross_entropy():
    model = head()
    tokens, valid = tokens_and_valid()
    label = torch.tensor([0, 3, 1])
    losses = model.loss(tokens, valid, label)
    logits = model(tokens, valid)[0].double()
    expected = (
        sum(
            math.log(sum(math.exp(x) for x in row.tolist())) - float(row[k])
            for row, k in zip(logits.detach(), label)
        )
        / 3
    )
    assert set(losses) == {'loss_cls'} and float(losses['loss_cls'].detach()) == pytest.approx(
        expected, rel=1e-5
    )


def test_another_loss_by_config():
    model = head(loss=dict(type='CrossEntropyLoss', label_smoothing=0.1))
    tokens, valid = tokens_and_valid()
    expected = torch.nn.functional.cross_entropy(
        model(tokens, valid)[0], torch.tensor([0, 3, 1]), label_smoothing=0.1
    )
    torch.testing.assert_close(model.loss(tokens, valid, torch.tensor([0, 3, 1]))['loss_cls'], expected)


def test_default_dropout_is_for_training():
    model = SignHead(num_classes=4, in_channels=6)
    assert model.dropout.p == 0.5
    tokens, valid = tokens_and_valid()
    assert torch.equal(model.eval()(tokens, valid)[0], model(tokens, valid)[0])


def test_under_autocast():
    model = head()
    tokens, valid = tokens_and_valid()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        logits, attention = model(tokens, valid)
        loss = model.loss(tokens, valid, torch.tensor([0, 3, 1]))['loss_cls']
    assert attention.dtype == torch.float32 and loss.dtype == torch.float32
    torch.testing.assert_close(attention.sum((1, 2)), torch.ones(3))
    torch.testing.assert_close(logits.float(), model(tokens, valid)[0], rtol=0.1, atol=0.1)


def test_outputs_for_unknown_signs():
    model, (tokens, valid) = head(num_unknown=3), tokens_and_valid()
    logits, _ = model(tokens, valid)
    assert logits.shape == (3, 7) and model.num_classes == 4
    # a label behind the glosses is one of these
    expected = -logits.log_softmax(-1)[[0, 1, 2], [0, 6, 4]].mean()
    loss = model.loss(tokens, valid, torch.tensor([0, 6, 4]))['loss_cls']
    torch.testing.assert_close(loss, expected)
    fusion = LinearFusionHead(num_classes=4, in_channels=6, num_unknown=2)
    assert fusion(dict(joint=torch.zeros(3, 6), motion=torch.zeros(3, 6))).shape == (3, 6)
