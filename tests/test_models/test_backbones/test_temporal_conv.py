import pytest
import torch
from torch.nn import functional as F

from signbert_mm.models import HandTransformer
from signbert_mm.models.backbones import TemporalConv


def test_one_token_at_a_time():
    torch.manual_seed(0)
    model = TemporalConv(6, kernel_size=3).double()
    tokens, valid = torch.randn(2, 5, 2, 6, dtype=torch.double), torch.rand(2, 5, 2) < 0.7
    out = model(tokens, valid)
    for clip in range(2):
        for t in range(5):
            for hand in range(2):
                mixed = torch.zeros(6, dtype=torch.double)
                for tap in range(3):
                    other = t + tap - 1
                    if 0 <= other < 5 and valid[clip, other, hand]:
                        normed = F.layer_norm(
                            tokens[clip, other, hand], (6,), model.norm.weight, model.norm.bias
                        )
                        mixed += model.mix.weight[:, 0, tap] * normed
                expected = tokens[clip, t, hand] + model.feedforward(mixed)
                torch.testing.assert_close(out[clip, t, hand], expected)


@pytest.mark.parametrize('size', [0, 4])
def test_an_even_kernel_has_no_middle(size):
    with pytest.raises(ValueError, match=f'kernel_size must be odd and at least 1, got {size}'):
        TemporalConv(6, size)


def test_the_encoder_convolves_first():
    torch.manual_seed(0)
    model = HandTransformer(12, 2, 3, 20, dropout=0.0, conv_kernel=5).eval()
    tokens, valid = torch.randn(3, 7, 2, 12), torch.rand(3, 7, 2) < 0.7
    valid[:, 0, 0] = True
    out, conv = model(tokens, valid), model.conv
    model.conv = None
    assert torch.equal(out, model(conv(tokens, valid), valid))
    assert not torch.allclose(out, model(tokens, valid), atol=1e-2)
