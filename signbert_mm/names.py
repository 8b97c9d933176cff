"""Names in arguments."""

from typing import Sequence, Tuple, Union


def as_names(names: Union[str, Sequence[str]]) -> Tuple[str, ...]:
    """Several names, or one as a text, as a tuple.

    Example:
        >>> as_names('backbone'), as_names(['joint', 'motion'])
        (('backbone',), ('joint', 'motion'))
    """
    return (names,) if isinstance(names, str) else tuple(names)
