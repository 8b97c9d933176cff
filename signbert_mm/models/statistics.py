"""Running statistics of norms, which each process gathers for itself."""

import torch
from mmengine.dist import broadcast, get_world_size
from torch import nn

_NAMES = ('running_mean', 'running_var', 'num_batches_tracked')


@torch.no_grad()
def share_statistics(model: nn.Module) -> None:
    """Gives all processes the first one's running statistics; every process has to call it.

    A norm that is not synchronised has those of its own process's clips. Without this each process would
    evaluate another model, and none but the first the one that is saved.

    Args:
        model (Module): Its buffers of batch norms are written, also those of wrapped parts.
    """
    if get_world_size() == 1:
        return
    buffers = [value for name, value in model.named_buffers() if name.rpartition('.')[2] in _NAMES]
    if not buffers:
        return
    # One message; float64 holds float32 and the counts exactly.
    flat = torch.cat([value.reshape(-1).double() for value in buffers])
    broadcast(flat)
    for value, new in zip(buffers, flat.split([value.numel() for value in buffers])):
        value.copy_(new.reshape(value.shape))
