"""Whether a checkpoint's labels are those of the data, and what to do if they are not."""

from typing import Sequence

FINE_TUNE = '--cfg-options load_from={checkpoint} default_hooks.load_report.new_head=True'


def label_map_difference(saved: Sequence[str], data: Sequence[str]) -> str:
    """How the glosses of a checkpoint and of data differ; label i is the i-th gloss.

    Args:
        saved (Sequence[str]): The checkpoint's.
        data (Sequence[str]): The data's.

    Returns:
        str: Empty if they are the same list.

    Example:
        >>> label_map_difference(['book', 'drink'], ['drink', 'book'])
        "it was trained on the data's 2 glosses in another order: label 0 is 'book' there and 'drink' here"
    """
    saved, data = list(saved), list(data)
    if saved == data:
        return ''
    common = len(set(saved) & set(data))
    if len(saved) == len(data):
        label = next(label for label, pair in enumerate(zip(saved, data)) if pair[0] != pair[1])
        example = f'label {label} is {saved[label]!r} there and {data[label]!r} here'
        if common == len(data):
            return f"it was trained on the data's {len(data)} glosses in another order: {example}"
        return f'it was trained on other glosses than the data has: {example}'
    text = f'it was trained on {len(saved)} glosses and the data has {len(data)}'
    if common == len(data):
        return f'{text}, all of them among the {len(saved)}'
    if common == len(saved):
        return f'{text}, the {len(saved)} among them'
    return f'{text}, {common} in common'


def label_map_remedy(
    saved: Sequence[str], data: Sequence[str], stage: str, checkpoint: str, head: str = 'model.head'
) -> str:
    """What to do about :func:`label_map_difference`.

    Args:
        saved, data (Sequence[str]): As of that function.
        stage (str): 'train' (fine-tuning), 'resume' or 'test'.
        checkpoint (str): Its path.
        head (str): The head's key in the config.

    Returns:
        str: One or more sentences.
    """
    options = FINE_TUNE.format(checkpoint=checkpoint) + (
        f' {head}.num_classes={len(data)}' if len(data) != len(saved) else ''
    )
    new_head = f'To fine-tune from it on this data, with a new head: tools/train.py CONFIG {options}'
    if stage == 'train':
        return f'Its head is for those labels. {new_head}.'
    same = 'Use the data with the label map of the checkpoint (its meta["glosses"], in that order)'
    if stage == 'resume':
        return f'A run is resumed on the data it was started with. {same}. {new_head}.'
    if set(data) < set(saved):
        return (
            f'To test it on these {len(data)} glosses alone, take the config and the store with its '
            f'{len(saved)} glosses and test_dataloader.dataset.classes=STORE_OR_FILE_WITH_THE_{len(data)}: '
            f'labels keep their places. {new_head}.'
        )
    return f'{same}, or prepare the data again with it. {new_head}.'
