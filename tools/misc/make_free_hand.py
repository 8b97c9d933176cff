#!/usr/bin/env python
"""Generate the free hand's file again.

It is signbert_mm/hand_models/data/free_hand.npz, which load_hand_asset('free') reads. This is needed only
when the hand itself changes. Checkpoints hold the hash of their hand: set FREE_HASH in
signbert_mm/hand_models/asset.py to the new one, and models of the old hand no longer load.
"""

import argparse
import sys
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from signbert_mm.hand_models.asset import FREE_HAND_FILE, FREE_HASH, write_free_hand
from signbert_mm.hand_models.free_hand import generate_free_hand


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument(
        'out', nargs='?', metavar='OUT.npz', help=f'where to write it; default {FREE_HAND_FILE}'
    )
    return parser.parse_args()


def main() -> int:
    out = Path(parse_args().out or FREE_HAND_FILE)
    asset = generate_free_hand()
    out.parent.mkdir(parents=True, exist_ok=True)
    write_free_hand(asset, out)
    same = (
        'the hash of this version'
        if asset.hash == FREE_HASH
        else (f'this version has {FREE_HASH}: change FREE_HASH to read it')
    )
    print(f'{out}: {out.stat().st_size:,} bytes, hash {asset.hash} ({same})')
    return 0


if __name__ == '__main__':
    sys.exit(main())
