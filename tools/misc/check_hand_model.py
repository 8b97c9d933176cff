#!/usr/bin/env python
"""Report what a hand model holds and whether it is complete.

The hand model is MANO_RIGHT.pkl, or 'free' for this project's own hand. Nothing in the file is executed.
Exit code 0: complete; 1: not, with the reason.
"""

import argparse
import sys
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch

from signbert_mm.hand_models import HandAsset, HandModel, load_hand_asset
from signbert_mm.hand_models.mano import FIELDS, dense, find_mano, read_pickle

FINGERS = dict(thumb=13, index=1, middle=4, ring=10, little=7)
# Rows: the screen's right, down and away from the viewer, in the asset's axes.
VIEWS = dict(
    palm=((0, 0, 1), (1, 0, 0), (0, 1, 0)),
    back=((0, 0, -1), (1, 0, 0), (0, -1, 0)),
    side=((1, 0, 0), (0, -1, 0), (0, 0, -1)),
)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('hand', metavar='PATH|free', help="MANO_RIGHT.pkl, its folder, or the word 'free'")
    parser.add_argument(
        '--draw', metavar='OUT.png', help='draw it in several poses and shapes, with its 21 joints'
    )
    return parser.parse_args()


def print_fields(path: Path) -> None:
    """Prints all fields that the file stores, whether the hand model uses them or not."""
    data = read_pickle(path)
    print(f'{path}: {path.stat().st_size:,} bytes')
    print(f'{"field":<20}{"shape":<16}{"type":<12}{"stored as":<12}used as')
    for name, value in sorted(data.items(), key=lambda item: str(item[0])):
        stored = type(value).__name__.strip('_')
        try:
            array = dense(value)
            shape, kind = str(array.shape), str(array.dtype)
        except Exception as error:
            shape, kind = f'unreadable: {error}', ''
        print(f'{name!s:<20}{shape:<16}{kind:<12}{stored:<12}{FIELDS.get(name, "-")}')


def print_anatomy(asset: HandAsset) -> None:
    joints, points = asset.joints * 1000, asset.template * 1000
    print('\nbones in mm; the fingertip vertex and its weight on the last joint')
    print(f'{"finger":<8}{"joints":>10}{"wrist to 1":>12}{"1 to 2":>8}{"2 to 3":>8}{"3 to tip":>10}   tip')
    for (name, first), tip in zip(FINGERS.items(), asset.tip_ids):
        chain = np.concatenate([joints[[0, first, first + 1, first + 2]], points[[tip]]])
        bones = np.linalg.norm(np.diff(chain, axis=0), axis=1)
        span = f'{first}..{first + 2}'
        weight = asset.skinning[tip, first + 2]
        print(
            f'{name:<8}{span:>10}{bones[0]:>12.1f}{bones[1]:>8.1f}{bones[2]:>8.1f}{bones[3]:>10.1f}   '
            f'{tip}, {weight:.3f}'
        )
    reach = np.linalg.norm(points[asset.tip_ids[2]] - joints[0])
    print(
        f'\nside {asset.side}; wrist to middle fingertip {reach:.1f} mm; at most '
        f'{(asset.skinning > 1e-6).sum(1).max()} joints move a vertex'
    )
    gram = np.abs(asset.pca @ asset.pca.T - np.eye(len(asset.pca))).max()
    bend = np.rad2deg(np.linalg.norm(asset.mean.reshape(15, 3), axis=1)).max()
    print(f'pose axes orthonormal to {gram:.1e}; mean pose bends a joint by {bend:.0f} degrees at most')
    print(f'name {asset.name}, hash {asset.hash}')


def poses(asset: HandAsset) -> dict:
    """Title of each column -> (45 pose coefficients, 10 shape coefficients)."""
    none = np.zeros(10)
    # theta = 0 is the mean pose, so the zero pose needs the coefficients of -mean.
    columns = {'zero pose': (-asset.mean @ asset.pca.T, none), 'mean pose': (np.zeros(45), none)}
    for axis, amount in ((0, 1.2), (1, -0.4), (1, 0.4), (2, 0.8), (3, 1.2), (4, 1.2)):
        columns[f'pose {axis + 1}: {amount:+g}'] = (amount * np.eye(45)[axis], none)
    for amount in (-2.0, 2.0):
        columns[f'shape 1: {amount:+g}'] = (np.zeros(45), amount * np.eye(10)[0])
    return columns


def draw(asset: HandAsset, out: str) -> None:
    from signbert_mm.visualization import draw_hand, draw_mesh, picture_grid, save_image
    from signbert_mm.visualization.grid import tile_canvas

    size = 190
    columns = poses(asset)
    theta, beta = (torch.tensor(np.stack(rows), dtype=torch.float32) for rows in zip(*columns.values()))
    vertices, joints = (part.numpy() for part in HandModel(asset, num_pca=45).mesh(theta, beta))
    centre = 0.5 * (asset.template.min(0) + asset.template.max(0))
    # 0.24 m, a hand with some margin, fills a picture.
    turns = {name: np.array(axes, dtype=float) for name, axes in VIEWS.items()}

    def cell(row: int, column: int) -> np.ndarray:
        view = turns[list(turns)[row]] * size / 0.24
        canvas = tile_canvas(size, size)
        middle = np.array([size / 2, size / 2, 0.0])
        draw_mesh(canvas, (vertices[column] - centre) @ view.T + middle, asset.faces)
        return draw_hand(canvas, ((joints[column] - centre) @ view.T + middle)[:, :2], thickness=0.7)

    save_image(out, picture_grid(list(turns), list(columns), cell, (size, size)))
    print(f'pictures in {out}')


def main() -> int:
    args = parse_args()
    try:
        if args.hand == 'free':
            asset = load_hand_asset('free')
        else:
            path = find_mano(args.hand)
            print_fields(path)
            asset = load_hand_asset('mano', path)
    except (ValueError, OSError) as error:
        print(f'NOT WHOLE: {error}', file=sys.stderr)
        return 1
    print_anatomy(asset)
    print('WHOLE: every field that the hand model needs is there and fits')
    if args.draw:
        draw(asset, args.draw)
    return 0


if __name__ == '__main__':
    sys.exit(main())
