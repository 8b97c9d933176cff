"""The paper's Figure 3: ground truth, masked input, reconstruction and hand mesh over time."""

from typing import Optional, Sequence, Tuple, Union

import cv2
import numpy as np
import torch

from ..errors import UserIndexError, UserKeyError, UserValueError
from ..structures import SignDataSample
from .canvas import draw_text, smoothly, text_size
from .draw_mesh import draw_mesh
from .draw_pose import draw_hand
from .grid import frame_tile, page, picture_grid, tile_canvas
from .palette import GHOST, MASKING, QUIET, TILE

OPERATIONS = tuple(MASKING)
_SIDES = ('Left hand', 'Right hand')
_LEFT = 0
_UNDER = (205, 210, 217)


def mesh_in_crop(sample: SignDataSample, hand_model: Optional[torch.nn.Module] = None) -> np.ndarray:
    """A prediction's hand surfaces where the decoder's camera puts them (SignBERT eq. 5).

    Args:
        sample (SignDataSample): With ``offset`` (T, 2, 2), ``scale`` (T, 2, 1) and either ``vertices`` (T, 2,
            778, 3) in camera axes, or ``theta``, ``beta`` and ``rotation`` (T, 2, 3, 3) for ``hand_model``.
        hand_model (Module, optional): A :class:`~signbert_mm.hand_models.HandModel`; not needed where the
            sample has ``vertices``.

    Returns:
        ndarray: Shape (T, 2, 778, 3) float64; x and y in [0, 1] of the (mirrored) crop, z away from the
            viewer in that unit.

    Raises:
        KeyError: The sample has no hand model's parameters.
    """
    needed = ('offset', 'scale') + (() if 'vertices' in sample else ('theta', 'beta', 'rotation'))
    absent = [name for name in needed if name not in sample]
    if absent or ('vertices' not in sample and hand_model is None):
        raise UserKeyError(
            'mesh_in_crop: the prediction has no '
            f'{", ".join(absent) or "vertices, and no hand_model is given"}; is its decoder a hand model?'
        )
    if 'vertices' in sample:
        vertices = sample.vertices
    else:
        with torch.no_grad():
            device = next(iter(hand_model.buffers())).device
            vertices = (
                hand_model.mesh(sample.theta.to(device), sample.beta.to(device))[0].cpu() @ sample.rotation.mT
            )
    vertices = vertices.double() * sample.scale.double()[..., None, :]
    # a negative scale turns the hand by half a turn: depth keeps its sign
    depth = vertices[..., 2:] * sample.scale.double().sign()[..., None, :]
    return torch.cat([vertices[..., :2] + sample.offset.double()[..., None, :], depth], -1).numpy()


def pick_frames(valid: np.ndarray, columns: int) -> np.ndarray:
    """At most ``columns`` frames, evenly spread over those in which a hand was found (over all where none
    was).
    """
    candidates = np.flatnonzero(valid.any(1))
    candidates = candidates if len(candidates) else np.arange(len(valid))
    return candidates[
        np.unique(np.linspace(0, len(candidates) - 1, min(columns, len(candidates))).round().astype(int))
    ]


def masking_of(sample: SignDataSample) -> Tuple[np.ndarray, np.ndarray]:
    """Operation (T, 2): 0 none, 1 joint, 2 frame, 3 identity, and disturbance (T, 2, 21): 0 none, 1 zeroed, 2
    moved; recomputed where not stored.
    """
    if 'operation' in sample and 'disturbed' in sample:
        return sample.operation.numpy(), sample.disturbed.numpy()
    seen = (sample.hand_scores > 0) & sample.hand_valid[..., None]
    differs = ((sample.input_hands - sample.target_hands).abs() > 1e-6).any(-1) & seen
    zeroed = differs & (sample.input_hands == 0).all(-1)
    disturbed = zeroed * 1 + (differs & ~zeroed) * 2
    all_zeroed = (zeroed | ~seen).all(-1)
    operation = torch.where(all_zeroed, 2, torch.where(differs.any(-1), 1, 3)) * sample.chosen
    return operation.numpy(), disturbed.numpy()


class _Painter:
    """Draws the cells of one hand's rows."""

    def __init__(
        self,
        sample: SignDataSample,
        hand: int,
        size: int,
        mesh: Optional[np.ndarray],
        faces: Optional[np.ndarray],
    ) -> None:
        self.size, self.hand, self.mesh, self.faces = size, hand, mesh, faces
        self.pixels = {
            name: self._unmirrored(sample.get(name)[:, hand].numpy()) * size
            for name in ('target_hands', 'input_hands', 'pred_hands')
        }
        self.valid, self.scores = sample.hand_valid[:, hand].numpy(), sample.hand_scores[:, hand].numpy()
        operation, disturbed = masking_of(sample)
        self.chosen, self.operation, self.disturbed = (
            sample.chosen[:, hand].numpy(),
            operation[:, hand],
            disturbed[:, hand],
        )

    def _unmirrored(self, points: np.ndarray) -> np.ndarray:
        points = points.astype(np.float64)
        if self.hand == _LEFT:
            points[..., 0] = 1 - points[..., 0]
        return points

    def __call__(self, row: int, t: int) -> np.ndarray:
        if not self.valid[t]:
            return tile_canvas(self.size, self.size, 'not found')
        canvas = tile_canvas(self.size, self.size)
        (self._target, self._input, self._output, self._surface)[row](canvas, t)
        if row > 0 and self.chosen[t]:
            color = MASKING[OPERATIONS[self.operation[t] - 1]] if self.operation[t] else QUIET
            frame_tile(canvas, color, 3 if row == 1 else 1)
        return canvas

    def _target(self, canvas: np.ndarray, t: int) -> None:
        smoothly(canvas, lambda big, f: draw_hand(big, f * self.pixels['target_hands'][t], self.scores[t]))

    def _input(self, canvas: np.ndarray, t: int) -> None:
        zeroed, moved = self.disturbed[t] == 1, self.disturbed[t] == 2
        joints = np.where(zeroed[:, None], self.pixels['target_hands'][t], self.pixels['input_hands'][t])
        smoothly(
            canvas, lambda big, f: draw_hand(big, f * joints, self.scores[t], hollow=zeroed, moved=moved)
        )

    def _output(self, canvas: np.ndarray, t: int) -> None:
        target, pred = self.pixels['target_hands'][t], self.pixels['pred_hands'][t]
        smoothly(
            canvas,
            lambda big, f: draw_hand(draw_hand(big, f * target, self.scores[t], color=_UNDER), f * pred),
        )
        seen = self.scores[t] > 0
        if seen.any():
            error = np.linalg.norm(pred - target, axis=1)[seen].mean() * 256 / self.size
            _label(canvas, f'{error:.1f} px')

    def _surface(self, canvas: np.ndarray, t: int) -> None:
        vertices = self.mesh[t, self.hand] * self.size
        if self.hand == _LEFT:
            vertices = vertices * [-1, 1, 1] + [self.size, 0, 0]
        draw_mesh(canvas, vertices, self.faces, mirrored=self.hand == _LEFT)


def _label(canvas: np.ndarray, text: str, size: float = 10) -> None:
    """A line of text in a corner that is empty (the lower right one first); where none is, on a ground of its
    own in the emptiest.
    """
    (width, height), (rows, columns), inset = text_size(text, size), canvas.shape[:2], 5
    corners = [
        (rows - inset - height, columns - inset - width),
        (rows - inset - height, inset),
        (inset, columns - inset - width),
        (inset, inset),
    ]
    patches = [
        canvas[max(top - 1, 0) : top + height + 1, max(left - 1, 0) : left + width + 1]
        for top, left in corners
    ]
    inks = [int((patch != np.asarray(TILE, dtype=np.uint8)).any(-1).sum()) for patch in patches]
    place = int(np.argmin(inks))
    patches[place][:] = TILE
    draw_text(canvas, text, corners[place][1], corners[place][0], size, QUIET, 'lt')


def reconstruction_figure(
    sample: SignDataSample,
    mesh: Optional[np.ndarray] = None,
    faces: Optional[np.ndarray] = None,
    hands: Union[str, Sequence[int]] = 'found',
    frames: Optional[Sequence[int]] = None,
    columns: int = 8,
    tile: int = 132,
    title: str = '',
    places: Optional[Sequence[int]] = None,
) -> np.ndarray:
    """Draws what pre-training rebuilt (SignBERT, Figure 3): four rows over time for each hand.

    Chosen tokens are framed in the colour of their operation, zeroed joints are empty circles where they
    should be, displaced ones have a red ring; the reconstruction lies over the ground truth in grey, with the
    mean distance in pixels of a 256 crop. The left hand is un-mirrored.

    Args:
        sample (SignDataSample): A pre-trainer's prediction, see :meth:`SignDataSample.set_reconstruction`;
            with ``operation`` (T, 2) and ``disturbed`` (T, 2, 21) where masking gave them, else recomputed
            from the input.
        mesh (ndarray, optional): Shape (T, 2, 778, 3) of :func:`mesh_in_crop`; without it there is no fourth
            row.
        faces (ndarray, optional): Shape (1538, 3), needed with ``mesh``.
        hands (str | Sequence[int]): Which hands: 'found' = those found in any frame, or indices, 0 = left.
        frames (Sequence[int], optional): Which frames; by default ``columns`` of those with a hand.
        columns (int): Number of frames where ``frames`` is not given.
        tile (int): Side of a cell in pixels.
        title (str): Above the figure; the clip's name by default.
        places (Sequence[int], optional): Which frames of the video those of the sample are, for their labels;
            0, 1, .. by default.

    Returns:
        ndarray: Shape (H, W, 3) uint8, RGB.

    Raises:
        IndexError: A frame is outside the clip.
        ValueError: ``mesh`` without ``faces`` or of another shape.
    """
    sample = sample.cpu()
    valid = sample.hand_valid.numpy()
    if mesh is not None and (faces is None or mesh.shape[:2] != valid.shape):
        raise UserValueError(
            'reconstruction_figure: mesh needs faces and shape (T, 2, V, 3) with T = '
            f'{len(valid)}, got {mesh.shape}'
        )
    frames = pick_frames(valid, columns) if frames is None else np.asarray(frames, dtype=int)
    if len(frames) == 0 or frames.min() < 0 or frames.max() >= len(valid):
        raise UserIndexError(
            f'reconstruction_figure: frames {frames.tolist()}, but the clip has frames 0..{len(valid) - 1}'
        )
    if isinstance(hands, str):
        hands = [hand for hand in (1, 0) if valid[:, hand].any()] or [1]
    rows = ['Ground truth', 'Masked input', 'Reconstruction'] + (['Hand mesh'] if mesh is not None else [])
    heads = [f'frame {t if places is None else places[t]}' for t in frames]
    parts = []
    for hand in hands:
        painter = _Painter(sample, hand, tile, mesh, faces)
        parts.append(
            picture_grid(
                rows,
                heads,
                lambda row, column, paint=painter: paint(row, frames[column]),
                (tile, tile),
                _SIDES[hand],
            )
        )
    name = title or (sample.get('video_id') or f'clip {sample.get("sample_idx", "")}').strip()
    chosen = (
        f'{int((sample.chosen & sample.hand_valid).sum())} of {int(valid.sum())} tokens chosen for '
        f'masking; {len(valid)} frames'
    )
    return page(parts, name, chosen, _legend())


def _legend() -> list:
    def frame_mark(color):
        return lambda canvas, x, y: cv2.rectangle(canvas, (x - 7, y - 7), (x + 7, y + 7), color, 3)

    def empty(canvas, x, y):
        cv2.circle(canvas, (x, y), 5, GHOST, 2, cv2.LINE_AA)

    def ringed(canvas, x, y):
        cv2.circle(canvas, (x, y), 4, (236, 164, 40), -1, cv2.LINE_AA)
        cv2.circle(canvas, (x, y), 5, MASKING['frame'], 2, cv2.LINE_AA)

    def under(canvas, x, y):
        cv2.line(canvas, (x - 8, y), (x + 8, y), _UNDER, 3, cv2.LINE_AA)

    texts = dict(joint='joints masked', frame='frame masked', identity='chosen, unchanged')
    marks = [(text, frame_mark(MASKING[name])) for name, text in texts.items()]
    return marks + [
        ('zeroed joint', empty),
        ('displaced joint', ringed),
        ('ground truth under the reconstruction', under),
    ]
