"""What models say of themselves through their base class."""

import pytest
import torch

from signbert_mm.errors import UserTypeError
from signbert_mm.models.base import BasePretrainer


class WithoutParts(BasePretrainer):
    """Has neither an embedder nor a backbone."""


class WithFeatures(BasePretrainer):
    """An encoder of another form."""

    encoder_parts = ()

    def extract_features(self, inputs):
        return inputs['hands'].flatten(1)


def test_features_are_given_by_parts_or_by_the_method(pretrainer):
    assert pretrainer().gives_tokens and pretrainer().gives_features
    assert WithFeatures().gives_features and not WithFeatures().gives_tokens
    assert not WithoutParts().gives_features
    with pytest.raises(UserTypeError, match='WithoutParts has no embedder and backbone'):
        WithoutParts().extract_features({})


def test_mode_tensor_of_a_pretrainer_is_its_features():
    hands = torch.arange(8.0).view(2, 2, 2)
    assert torch.equal(WithFeatures()(dict(hands=hands), mode='tensor'), hands.flatten(1))
