"""The encoder against a post-norm Transformer written out in float64."""

import math

import pytest
import torch
from torch.nn import functional as F

from signbert_mm.errors import UserValueError
from signbert_mm.models import HandTransformer
from signbert_mm.models.backbones.hand_transformer import EncoderLayer


def encoder(**changes):
    torch.manual_seed(0)
    model = HandTransformer(
        **{**dict(embed_dims=12, num_layers=2, num_heads=3, feedforward_channels=20, dropout=0.0), **changes}
    )
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1:  # biases and norms away from 0 and 1
            torch.nn.init.normal_(
                parameter, mean=1.0 if 'norm' in name and 'weight' in name else 0.0, std=0.2
            )
    return model


def reference(model, tokens, valid):
    """One clip: (N, C) and (N,).

    y = LN(x + attention(x)); z = LN(y + ffn(y)), one token and one head at a time.
    """
    x = tokens
    width = x.shape[1]
    for layer in model.encoder.layers:
        attention = layer.self_attn
        heads, size = attention.num_heads, width // attention.num_heads
        q, k, v = (x @ attention.in_proj_weight.T + attention.in_proj_bias).split(width, dim=1)
        rows = []
        for i in range(len(x)):
            pieces = []
            for head in range(heads):
                part = slice(head * size, (head + 1) * size)
                score = [
                    q[i, part] @ k[j, part] / math.sqrt(size)
                    if valid[j]
                    else torch.tensor(-math.inf, dtype=x.dtype)
                    for j in range(len(x))
                ]
                weight = torch.stack(score).softmax(0)
                pieces.append(sum(weight[j] * v[j, part] for j in range(len(x)) if valid[j]))
            rows.append(torch.cat(pieces))
        mixed = torch.stack(rows) @ attention.out_proj.weight.T + attention.out_proj.bias
        x = F.layer_norm(x + mixed, (width,), layer.norm1.weight, layer.norm1.bias, layer.norm1.eps)
        hidden = x @ layer.linear1.weight.T + layer.linear1.bias
        hidden = 0.5 * hidden * (1 + torch.erf(hidden / math.sqrt(2)))  # GELU
        x = F.layer_norm(
            x + hidden @ layer.linear2.weight.T + layer.linear2.bias,
            (width,),
            layer.norm2.weight,
            layer.norm2.bias,
            layer.norm2.eps,
        )
    return x


@pytest.mark.parametrize('training', [True, False])
def test_values_against_a_transformer_written_out(training):
    model = encoder().double().train(training)
    tokens = torch.rand(3, 4, 2, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    valid = torch.rand(3, 4, 2, generator=torch.Generator().manual_seed(2)) < 0.6
    valid[0], valid[1] = True, False
    valid[1, 2, 1] = True
    out = model(tokens, valid)
    assert out.shape == tokens.shape
    for clip in range(3):
        expected = reference(model, tokens[clip].flatten(0, 1), valid[clip].flatten()).view(4, 2, 12)
        torch.testing.assert_close(out[clip][valid[clip]], expected[valid[clip]], rtol=1e-9, atol=1e-10)


def test_torchs_fast_path_gives_the_same():
    model = encoder().eval()
    tokens, valid = torch.rand(3, 4, 2, 12), torch.rand(3, 4, 2) < 0.7
    valid[:, 0] = True
    slow = model(tokens, valid)
    with torch.no_grad():
        fast = model(tokens, valid)
    torch.testing.assert_close(fast[valid], slow[valid], rtol=1e-5, atol=1e-5)
    assert fast.shape == slow.shape


def test_invalid_tokens_are_never_seen():
    model = encoder()
    tokens, valid = torch.rand(2, 5, 2, 12), torch.rand(2, 5, 2) < 0.6
    valid[:, 0] = True
    other = torch.where(valid[..., None], tokens, 100 * torch.rand_like(tokens))
    torch.testing.assert_close(model(other, valid)[valid], model(tokens, valid)[valid], rtol=1e-5, atol=1e-5)


def test_both_hands_are_one_sequence():
    model = encoder(num_layers=1)
    tokens, valid = torch.rand(1, 3, 2, 12), torch.ones(1, 3, 2, dtype=torch.bool)
    other = tokens.clone()
    other[0, 2, 1] += 1
    change = (model(other, valid) - model(tokens, valid)).abs().amax(-1)
    assert (change > 1e-5).all()


@pytest.mark.parametrize('layers', [1, 2, 3, 5])
def test_number_of_layers(layers):
    assert len(encoder(num_layers=layers).encoder.layers) == layers


def test_defaults_are_the_reference_ones():
    model = HandTransformer()
    layer = model.encoder.layers[0]
    assert model.embed_dims == 512 and len(model.encoder.layers) == 3
    assert (
        layer.self_attn.num_heads == 8
        and layer.linear1.out_features == 2048
        and layer.dropout.p == 0.1
        and not layer.norm_first
    )


def test_layers_begin_apart():
    torch.manual_seed(0)
    model = HandTransformer(12, 3, 3, 20)
    for name, first in model.encoder.layers[0].named_parameters():
        if first.ndim > 1:
            assert not torch.equal(first, dict(model.encoder.layers[1].named_parameters())[name])
            assert 0.5 < float(first.detach().std()) / math.sqrt(2 / sum(first.shape)) < 1.5  # Xavier


def test_dropout_is_for_training():
    tokens, valid = torch.rand(2, 4, 2, 12), torch.ones(2, 4, 2, dtype=torch.bool)
    model = encoder(dropout=0.5)
    assert not torch.equal(model(tokens, valid), model(tokens, valid))
    model.eval()
    assert torch.equal(model(tokens, valid), model(tokens, valid))


def test_one_token_alone():
    model = encoder()
    out = model(torch.rand(1, 1, 2, 12), torch.tensor([[[True, False]]]))
    assert out.shape == (1, 1, 2, 12) and out.isfinite().all()


def test_the_input_norm_comes_first():
    torch.manual_seed(0)
    model = HandTransformer(8, 1, 2, 12, dropout=0.0, input_norm=True).eval()
    tokens, valid = torch.randn(2, 3, 1, 8), torch.ones(2, 3, 1, dtype=torch.bool)
    normed = (tokens - tokens.mean(-1, keepdim=True)) / (
        tokens.var(-1, unbiased=False, keepdim=True) + 1e-5
    ).sqrt()
    expected = model.encoder(normed.flatten(1, 2)).reshape(tokens.shape)
    torch.testing.assert_close(model(tokens, valid), expected, rtol=1e-4, atol=1e-5)
    assert not any(name.startswith('input') for name in HandTransformer(8, 1, 2, 12).state_dict())


@pytest.mark.parametrize('dropout', [0.0, 0.3])
@pytest.mark.parametrize('frozen', [False, True])
def test_batch_first_attention_is_torchs(monkeypatch, dropout, frozen):
    """In training: values, gradients, and the draws of dropout."""
    model = encoder(dropout=dropout, input_norm=True).requires_grad_(not frozen)
    tokens, valid = (
        torch.rand(3, 4, 2, 12, requires_grad=True),
        torch.rand(3, 4, 2, generator=torch.Generator().manual_seed(3)) < 0.6,
    )
    valid[:, 0] = True

    def run():
        torch.manual_seed(1)
        out = model(tokens, valid)
        wanted = (tokens, *(parameter for parameter in model.parameters() if parameter.requires_grad))
        return (out, *torch.autograd.grad(out[valid].square().sum(), wanted))

    ours = run()
    monkeypatch.delattr(EncoderLayer, '_sa_block')
    for one, other in zip(ours, run()):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_attention_masks_that_hand_transformers_do_not_use():
    layer = EncoderLayer(8, 2, 12, 0.0, batch_first=True)
    x, mask = torch.rand(2, 4, 8), torch.zeros(4, 4).masked_fill(torch.ones(4, 4).triu(1) > 0, -math.inf)
    plain = torch.nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True)
    plain.load_state_dict(layer.state_dict())
    torch.testing.assert_close(layer(x, src_mask=mask), plain(x, src_mask=mask))
    torch.testing.assert_close(layer(x), plain(x))


@pytest.mark.parametrize('wrong', [dict(num_heads=5), dict(num_heads=0), dict(num_layers=0)])
def test_heads_and_layers_that_cannot_be(wrong):
    key, value = next(iter(wrong.items()))
    with pytest.raises(UserValueError, match=rf'embed_dims a multiple of num_heads; got .*{key}={value}'):
        encoder(**wrong)
