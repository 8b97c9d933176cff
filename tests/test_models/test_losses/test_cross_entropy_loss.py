"""torch's loss, with weights from a config."""

import pytest
import torch
import torch.nn.functional as F

from signbert_mm.registry import MODELS

SCORES = torch.tensor([[2.0, 0.5, -1.0], [0.0, 1.0, 3.0], [1.0, 1.0, 0.0], [0.2, 0.1, 0.4]])
LABEL = torch.tensor([0, 2, 1, 0])


def build(**options):
    return MODELS.build(dict(type='CrossEntropyLoss', **options))


def test_weights_of_a_config():
    weight = [1.0, 2.0, 5]
    per_clip = F.cross_entropy(SCORES, LABEL, reduction='none')
    factor = torch.tensor(weight)[LABEL]
    loss = build(weight=weight)
    torch.testing.assert_close(loss(SCORES, LABEL), (factor * per_clip).sum() / factor.sum())
    # Checkpoints with and without weights load alike, and the weights go to the device with the model.
    assert not loss.state_dict() and [name for name, _ in loss.named_buffers()] == ['weight']


@pytest.mark.parametrize(
    'options', [{}, dict(label_smoothing=0.1), dict(ignore_index=1), dict(reduction='sum')]
)
def test_other_options_are_torchs(options):
    assert torch.equal(build(**options)(SCORES, LABEL), F.cross_entropy(SCORES, LABEL, **options))


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(weight=[1.0, -2.0]), 'none of them negative'),
        (dict(weight=[0.0, 0.0]), 'not all 0'),
        (dict(weight=[1.0, float('nan')]), 'weight'),
        (dict(weight=2.0), 'one factor for each class'),
        (dict(label_smoothing=1.5), r'label_smoothing must lie in \[0, 1\), got 1.5'),
        (dict(label_smoothing=1.0), 'label_smoothing'),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=f'CrossEntropyLoss: .*{message}'):
        build(**options)


def test_weights_of_another_number_of_classes():
    with pytest.raises(ValueError, match='weight has 2 factors and the scores have 3 classes'):
        build(weight=[1.0, 2.0])(SCORES, LABEL)
