#!/usr/bin/env python
"""Make a checkpoint small enough to publish: weights and what is needed to use them.

Optimizer, schedules, logs and folders of this machine are left out. The file is named by the first 8 digits
of its SHA-256, as OpenMMLab does: OUT.pth becomes OUT-1a2b3c4d.pth. init_model and tools/test.py load it.

Example:
    python tools/misc/publish_model.py work_dirs/words33/epoch_150.pth signbert_d128_words33.pth
    python tools/misc/publish_model.py work_dirs/words33/epoch_150.pth signbert_d128_words33.pth --half
"""

import argparse
import hashlib
import io
import os
import sys
from pathlib import Path
from typing import Union

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

import torch

from signbert_mm.arguments import tool_parser
from signbert_mm.engine.published_meta import published_meta
from signbert_mm.engine.runner import run_tool
from signbert_mm.files.atomic import write_atomic
from signbert_mm.files.checkpoints import CheckpointError, load_checkpoint_file
from signbert_mm.files.os_errors import output_file


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        'out', type=output_file, metavar='OUT.pth', help='the name to which the hash is added'
    )
    parser.add_argument(
        '--half',
        '--fp16',
        action='store_true',
        help='store the weights in half precision; models load them as float32 again',
    )
    args = parser.parse_args()
    if not args.out.endswith('.pth'):
        parser.error(f'{args.out}: the name must end in .pth')
    return args


def published(content: dict, half: bool) -> dict:
    """The published part of a checkpoint.

    Args:
        content (dict): The checkpoint.
        half (bool): Weights in half precision.

    Raises:
        CheckpointError: A weight is not finite, or becomes so in half precision.
    """
    weights = {}
    for name, value in content['state_dict'].items():
        if isinstance(value, torch.Tensor):
            # A view would save the storage of the whole tensor that it belongs to.
            value = value.detach().cpu().clone(memory_format=torch.contiguous_format)
            if value.is_floating_point():
                value = value.half() if half else value
                if not torch.isfinite(value).all():
                    advice = (
                        ' in half precision; publish without --half'
                        if half
                        else '; this training has diverged'
                    )
                    raise CheckpointError(f'weight {name} is not finite{advice}')
        weights[name] = value
    return dict(meta=published_meta(content.get('meta') or {}), state_dict=weights)


def publish(checkpoint: Union[str, Path], out: Union[str, Path], half: bool) -> Path:
    """Writes the file to publish.

    Args:
        checkpoint (str | Path): A checkpoint of training.
        out (str | Path): ``NAME.pth``; the hash is added.
        half (bool): Weights in half precision.

    Returns:
        Path: ``NAME-1a2b3c4d.pth``.

    Raises:
        FileNotFoundError, CheckpointError: As :func:`load_checkpoint_file` and :func:`published`.
    """
    content = load_checkpoint_file(checkpoint)
    if not isinstance(content.get('state_dict'), dict):
        raise CheckpointError(
            f'checkpoint {checkpoint} has no state_dict, only '
            f'{sorted(map(str, content))[:8]}; give one of tools/train.py'
        )
    buffer = io.BytesIO()
    torch.save(published(content, half), buffer)
    data = buffer.getvalue()
    path = Path(f'{os.fspath(out)[: -len(".pth")]}-{hashlib.sha256(data).hexdigest()[:8]}.pth')
    write_atomic(data, path)
    return path


def main() -> None:
    args = parse_args()
    path = publish(args.checkpoint, args.out, args.half)
    print(
        f'{path}: {path.stat().st_size / 1e6:.2f} MB; the checkpoint has '
        f'{os.path.getsize(args.checkpoint) / 1e6:.2f} MB'
    )


if __name__ == '__main__':
    run_tool(main)
