"""What the registries find by name. They import this module on the first look-up."""

from . import (
    collate,
    concat,
    no_sign,
    open_set,
    pose_dataset,
    samplers,
    spliced_signs,
    synthetic,
    transforms,
    video_dataset,
    wrappers,
)

__all__ = [
    'collate',
    'concat',
    'no_sign',
    'open_set',
    'pose_dataset',
    'samplers',
    'spliced_signs',
    'synthetic',
    'transforms',
    'video_dataset',
    'wrappers',
]
