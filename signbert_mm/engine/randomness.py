"""Seeds derived from the place in the run, and the way of seed and epoch to what draws."""

import hashlib
from typing import Any


def seed_from(seed: int, name: str, *place: int) -> int:
    """A 63-bit seed that depends on every argument.

    Example:
        >>> seed_from(0, 'iteration', 3, 17, 0) == seed_from(0, 'iteration', 3, 17, 0)
        True
    """
    text = '/'.join([str(seed), name, *(str(number) for number in place)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), 'little') >> 1


def pass_on(dataset: Any, method: str, value: int) -> None:
    """Calls ``set_epoch`` or ``set_seed`` of a data set, or of those it wraps (``dataset``, ``datasets``)."""
    if hasattr(dataset, method):
        getattr(dataset, method)(value)
        return
    for inner in [getattr(dataset, 'dataset', None), *(getattr(dataset, 'datasets', None) or ())]:
        if inner is not None:
            pass_on(inner, method, value)
