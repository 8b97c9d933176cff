"""Momentum update of key encoders."""

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


@torch.no_grad()
def momentum_update(key: nn.Module, query: nn.Module, momentum: float, buffers: bool = True) -> None:
    """key = m key + (1 - m) query, with m as in MoCo.

    ``mmengine.model.ExponentialMovingAverage`` calls 1 - m the momentum, and reads a counter back from the
    device at every update.

    Args:
        key (Module): The encoder that is changed in place.
        query (Module): An encoder of the same structure.
        momentum (float): m; 0 copies, 1 leaves the key's parameters alone.
        buffers (bool): Also update the buffers. False where the key encoder gathers its own statistics.
    """
    average = get_ema_multi_avg_fn(momentum)
    average(list(key.parameters()), list(query.parameters()), None)
    # Running statistics belong to the averaged weights, so they are averaged too. mmengine copies them.
    if buffers:
        pairs = list(zip(key.buffers(), query.buffers()))
        averaged = [pair for pair in pairs if pair[0].is_floating_point()]
        if averaged:
            average(*map(list, zip(*averaged)), None)
        for mine, other in pairs:
            # Counters are copied.
            if not mine.is_floating_point():
                mine.copy_(other)
