import pytest
import torch

from signbert_mm.models import FCDecoder


@pytest.mark.parametrize('layers', [1, 2])
def test_values(layers):
    torch.manual_seed(0)
    decoder = FCDecoder(in_channels=6, num_layers=layers)
    tokens = torch.randn(2, 3, 2, 6)
    out = decoder(tokens)
    assert set(out) == {'joints2d'} and out['joints2d'].shape == (2, 3, 2, 21, 2)
    linears = [layer for layer in decoder.layers if isinstance(layer, torch.nn.Linear)]
    assert len(linears) == layers
    for place in ((0, 0, 0), (1, 2, 1)):
        x = tokens[place].double()
        if layers == 2:
            x = (linears[0].weight.double() @ x + linears[0].bias.double()).clamp(min=0)
        x = linears[-1].weight.double() @ x + linears[-1].bias.double()
        for joint in range(21):
            torch.testing.assert_close(
                out['joints2d'][place][joint].double(), x[2 * joint : 2 * joint + 2], rtol=1e-5, atol=1e-6
            )


def test_begins_in_the_middle_of_the_crop():
    decoder = FCDecoder(in_channels=512)
    torch.testing.assert_close(decoder(torch.zeros(1, 512))['joints2d'], torch.full((1, 21, 2), 0.5))
    assert (decoder(torch.randn(64, 512))['joints2d'] - 0.5).abs().mean() < 0.3


def test_float32_under_autocast():
    decoder = FCDecoder(in_channels=6, num_layers=2)
    tokens = torch.randn(4, 6).bfloat16()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        joints = decoder(tokens)['joints2d']
    assert joints.dtype == torch.float32 and torch.equal(joints, decoder(tokens.float())['joints2d'])


@pytest.mark.parametrize('layers', [0, 3])
def test_another_number_of_layers(layers):
    with pytest.raises(ValueError, match=f'num_layers must be 1 or 2, got {layers}'):
        FCDecoder(num_layers=layers)
