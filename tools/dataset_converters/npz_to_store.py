"""An npz file of hands (and pose) in fractions of the image -> a PoseStore.

Example:
    python tools/dataset_converters/npz_to_store.py asl_words33.npz data/words33 --protocol words33 --source traduttore-model --licence MIT
"""

import argparse

from signbert_mm.datasets import PoseStoreWriter
from signbert_mm.datasets.importers import NpzClips, write_clips
from signbert_mm.datasets.importers.npz import PROTOCOLS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('npz', help='fields hands, length, label, classes, seq_id and perhaps pose')
    parser.add_argument('out', help='the new store, for instance data/words33')
    parser.add_argument('--protocol', choices=PROTOCOLS, help='how to split; without it all clips are "train"')
    parser.add_argument('--width', type=int, default=640, help='image width in pixels, which the file does not tell (default: 640)')
    parser.add_argument('--height', type=int, default=480, help='image height in pixels (default: 480)')
    parser.add_argument('--dtype', choices=('float32', 'int16'), default='float32')
    parser.add_argument('--source', default='', help='where the clips come from')
    parser.add_argument('--licence', default='')
    parser.add_argument('--overwrite', action='store_true', help='replace a store that is already there')
    args = parser.parse_args()

    clips = NpzClips(args.npz, args.width, args.height, args.protocol)
    writer = PoseStoreWriter(
        args.out, clips.layout, clips.glosses, args.dtype, args.source, args.licence, extractor='mediapipe holistic', overwrite=args.overwrite,
        notes=dict(protocol=args.protocol or '', image_size='given by the user, not recorded with the clips'),
    )  # fmt: skip
    print(write_clips(writer, clips))


if __name__ == '__main__':
    main()
