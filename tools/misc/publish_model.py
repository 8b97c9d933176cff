#!/usr/bin/env python
"""Make a checkpoint small enough to publish: weights, and what says how to use them; no optimizer, schedule or log.

The file is named by the first 8 digits of its SHA-256, as OpenMMLab does: OUT.pth becomes OUT-1a2b3c4d.pth. init_model and tools/test.py load it.

Example:
    python tools/misc/publish_model.py work_dirs/words33/epoch_150.pth signbert_d128_words33.pth
    python tools/misc/publish_model.py work_dirs/words33/epoch_150.pth signbert_d128_words33.pth --fp16
"""

import argparse
import hashlib
import io
import os
import sys
from pathlib import Path

try:
    import signbert_mm  # noqa: F401
except ModuleNotFoundError:  # a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch

from signbert_mm.engine.checkpoint_io import CheckpointError, load_checkpoint_file, write_atomic
from signbert_mm.engine.runner import run_tool

META = ('glosses', 'layout', 'dataset_meta', 'cfg', 'epoch', 'iter', 'seed', 'mmengine_version', 'signbert_mm_version', 'signbert_mm_git')
"""Entries of ``meta`` that stay."""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('out', metavar='OUT.pth', help='the name to which the hash is added')
    parser.add_argument('--fp16', action='store_true', help='store the weights in half precision; models load them as float32 again')
    args = parser.parse_args()
    if not args.out.endswith('.pth'):
        parser.error(f'{args.out}: the name must end in .pth')
    return args


def published(content: dict, fp16: bool) -> dict:
    """What of a checkpoint is published.

    Args:
        content (dict): The checkpoint.
        fp16 (bool): Weights in half precision.

    Raises:
        CheckpointError: A weight is not finite, or becomes so in half precision.
    """
    weights = {}
    for name, value in content['state_dict'].items():
        if isinstance(value, torch.Tensor):
            value = value.detach().cpu().clone(memory_format=torch.contiguous_format)
            if value.is_floating_point():
                value = value.half() if fp16 else value
                if not torch.isfinite(value).all():
                    raise CheckpointError(
                        f'weight {name} is not finite{" in half precision; publish without --fp16" if fp16 else "; this training has diverged"}'
                    )
        weights[name] = value
    meta = content.get('meta') or {}
    return dict(meta={name: meta[name] for name in META if name in meta}, state_dict=weights)


def main() -> None:
    args = parse_args()
    content = load_checkpoint_file(args.checkpoint)
    if not isinstance(content.get('state_dict'), dict):
        raise CheckpointError(f'checkpoint {args.checkpoint} has no state_dict, only {sorted(map(str, content))[:8]}; give one of tools/train.py')
    buffer = io.BytesIO()
    torch.save(published(content, args.fp16), buffer)
    data = buffer.getvalue()
    out = f'{args.out[: -len(".pth")]}-{hashlib.sha256(data).hexdigest()[:8]}.pth'
    write_atomic(data, out)
    print(f'{out}: {len(data) / 1e6:.2f} MB; the checkpoint has {os.path.getsize(args.checkpoint) / 1e6:.2f} MB')


if __name__ == '__main__':
    run_tool(main)
