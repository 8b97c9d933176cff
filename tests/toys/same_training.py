"""Whether two checkpoints hold the same training."""

import torch

from signbert_mm.files.checkpoints import load_checkpoint_file


def equal(one, other):
    """Bit for bit, also inside containers."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(equal, one, other))
    return one == other


def assert_same_training(one, other):
    """Weights, optimizer, schedules and every logged loss of two checkpoint files are equal bit for bit."""
    one, other = load_checkpoint_file(one), load_checkpoint_file(other)
    for key in ('state_dict', 'optimizer', 'param_schedulers'):
        assert equal(one[key], other[key]), key
    loss = [content['message_hub']['log_scalars']['train/loss']['log'] for content in (one, other)]
    assert torch.equal(*loss)
