"""Key encoders that follow the query encoders."""

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


@torch.no_grad()
def momentum_update(key: nn.Module, query: nn.Module, momentum: float, buffers: bool = True) -> None:
    """key = m key + (1 - m) query, m as in MoCo (``mmengine.model.ExponentialMovingAverage`` calls 1 - m the
    momentum, and reads a counter back from
    the device at every update).

    Buffers, which are running statistics of normalisation, move by the same m: they belong to the averaged
    weights. (mmengine's are copied.)

    Args:
        key (Module): Changed in place.
        query (Module): Of the same structure.
        momentum (float): m; 0 copies, 1 leaves the key's parameters alone.
        buffers (bool): Also the buffers; False where the key gathers its own.
    """
    average = get_ema_multi_avg_fn(momentum)
    average(list(key.parameters()), list(query.parameters()), None)
    if buffers:
        pairs = list(zip(key.buffers(), query.buffers()))
        averaged = [pair for pair in pairs if pair[0].is_floating_point()]
        if averaged:
            average(*map(list, zip(*averaged)), None)
        for mine, other in pairs:
            if not mine.is_floating_point():  # counters
                mine.copy_(other)
