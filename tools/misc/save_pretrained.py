#!/usr/bin/env python
"""A checkpoint -> a folder for the Hugging Face Hub: model.safetensors, config.json and a card, README.md.

`make install-formats` brings what it needs, or: pip install safetensors. Nothing is uploaded; that does
`huggingface-cli upload USER/NAME FOLDER`, after you have read the card.

Example:
    python tools/misc/save_pretrained.py work_dirs/words33/epoch_150.pth my_model --licence apache-2.0
"""

import argparse
import sys
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from signbert_mm.apis import save_pretrained
from signbert_mm.engine.runner import load_config, run_tool
from signbert_mm.files.os_errors import output_path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('folder', type=output_path, help='the folder; its three files are replaced')
    parser.add_argument('--config', help='config of a checkpoint that keeps none of its own')
    parser.add_argument('--name', default='', help="the model's name on the card (default: the folder's)")
    parser.add_argument('--licence', default='', help="of the weights, as the Hub calls it: 'apache-2.0'")
    args = parser.parse_args()
    config = load_config(args.config) if args.config else None
    folder = save_pretrained(args.folder, args.checkpoint, config, args.name, args.licence)
    for path in sorted(folder.iterdir()):
        print(f'{path}: {path.stat().st_size:,} bytes')


if __name__ == '__main__':
    run_tool(main)
