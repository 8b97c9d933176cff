"""Whether a checkpoint's labels are those of the data, and what to do where they are not."""

from typing import Sequence

FINE_TUNE = '--cfg-options load_from={checkpoint} default_hooks.load_report.new_head=True'


def label_map_difference(there: Sequence[str], here: Sequence[str]) -> str:
    """How the glosses of a checkpoint and of data differ; label i is the i-th gloss.

    Args:
        there (Sequence[str]): The checkpoint's.
        here (Sequence[str]): The data's.

    Returns:
        str: Empty where they are the same list.

    Example:
        >>> label_map_difference(['book', 'drink'], ['drink', 'book'])
        "it was trained on the data's 2 glosses in another order: label 0 is 'book' there and 'drink' here"
    """
    there, here = list(there), list(here)
    if there == here:
        return ''
    common = len(set(there) & set(here))
    if len(there) == len(here):
        place = next(label for label, pair in enumerate(zip(there, here)) if pair[0] != pair[1])
        example = f'label {place} is {there[place]!r} there and {here[place]!r} here'
        if common == len(here):
            return f"it was trained on the data's {len(here)} glosses in another order: {example}"
        return f'it was trained on other glosses than the data has: {example}'
    text = f'it was trained on {len(there)} glosses and the data has {len(here)}'
    if common == len(here):
        return f'{text}, all of them among the {len(there)}'
    if common == len(there):
        return f'{text}, the {len(there)} among them'
    return f'{text}, {common} in common'


def label_map_remedy(
    there: Sequence[str], here: Sequence[str], stage: str, checkpoint: str, head: str = 'model.head'
) -> str:
    """What to do about :func:`label_map_difference`.

    Args:
        there, here (Sequence[str]): As there.
        stage (str): 'train' (fine-tuning), 'resume' or 'test'.
        checkpoint (str): Its path.
        head (str): The head's key in the config.

    Returns:
        str: One or more sentences.
    """
    options = FINE_TUNE.format(checkpoint=checkpoint) + (
        f' {head}.num_classes={len(here)}' if len(here) != len(there) else ''
    )
    new_head = f'To fine-tune from it on this data, with a new head: tools/train.py CONFIG {options}'
    if stage == 'train':
        return f'Its head is for those labels. {new_head}.'
    same = 'Use the data with the label map of the checkpoint (its meta["glosses"], in that order)'
    if stage == 'resume':
        return f'A run is resumed on the data it was started with. {same}. {new_head}.'
    if set(here) < set(there):
        return (
            f'To test it on these {len(here)} glosses alone, take the config and the store with its '
            f'{len(there)} glosses and test_dataloader.dataset.classes=STORE_OR_FILE_WITH_THE_{len(here)}: '
            f'labels keep their places. {new_head}.'
        )
    return f'{same}, or prepare the data again with it. {new_head}.'
