"""Synthetic signs -> a PoseStore with splits train, val and test of different signers.

The defaults give the default benchmark: 100 glosses, 20 signers (14 train, 2 val, 4 test), 4,000 clips.

Example:
    python tools/dataset_converters/make_synthetic.py data/synthetic
    python tools/dataset_converters/make_synthetic.py data/demo --glosses 30 --signers 10 \
        --clips-per-gloss 20 --layout sign_49
"""

from signbert_mm.arguments import tool_parser
from signbert_mm.datasets.synthetic import SYNTHETIC_NOTE, write_synthetic_store
from signbert_mm.engine.runner import run_tool
from signbert_mm.prepare.cli import add_store


def main() -> None:
    parser = tool_parser(__doc__)
    parser.add_argument('out', help="the store's folder")
    parser.add_argument('--glosses', type=int, default=100)
    parser.add_argument('--signers', type=int, default=20)
    parser.add_argument('--clips-per-gloss', type=int, default=40, help='at least as many as signers')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--layout',
        default='coco_wholebody_133',
        help='joints of the store; face and feet are missing (default: %(default)s)',
    )
    parser.add_argument('--variety', type=float, default=1.0, help='how far signers and clips differ, 0 .. 3')
    parser.add_argument(
        '--detector', type=float, default=1.0, help="strength of the detector's faults, 0 .. 5"
    )
    parser.add_argument('--no-truth', action='store_true', help='leave out the true 2-D and 3-D joints')
    add_store(parser)
    args = parser.parse_args()
    try:
        store = write_synthetic_store(
            args.out,
            args.glosses,
            args.signers,
            args.clips_per_gloss,
            args.seed,
            args.layout,
            args.dtype,
            not args.no_truth,
            args.overwrite,
            progress=True,
            variety=args.variety,
            detector=args.detector,
        )
    except (ValueError, KeyError, FileExistsError) as error:
        raise SystemExit(f'make_synthetic: {error.args[0]}') from error
    splits = ', '.join(f'{count} {name}' for name, count in store.meta['splits'].items())
    print(
        f'{store.folder}: {len(store)} clips ({splits}), {store.meta["frames"]} frames, '
        f'{len(store.glosses)} glosses'
    )
    print(SYNTHETIC_NOTE)


if __name__ == '__main__':
    run_tool(main)
