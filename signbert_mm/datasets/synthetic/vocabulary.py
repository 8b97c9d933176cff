"""The glosses: the form of each sign, the same for all signers."""

from dataclasses import dataclass, replace
from typing import List, Set, Tuple

import numpy as np
from numpy import ndarray

from . import inventory as inv

KINDS = ('one_handed', 'symmetric', 'alternating', 'base')
ONE_HANDED, SYMMETRIC, ALTERNATING, BASE = range(4)
# Movements of the hands.
HOLD, STRAIGHT, BETWEEN, ARC, CIRCLE, ZIGZAG, REPEATED, SHAKE = range(8)
_KIND_ODDS = (0.45, 0.25, 0.12, 0.18)
_MOVE_ODDS = (0.12, 0.2, 0.1, 0.12, 0.14, 0.08, 0.16, 0.08)
# Powers of the plastic number: steps of an evenly spread sequence in two dimensions.
_EVEN = (0.7548776662466927, 0.5698402909980532)
# Metres.
_SIZES = (0.10, 0.19)
# Odds that a gloss differs from an earlier one in a single part, as minimal pairs do.
_MINIMAL_PAIR = 0.8
# Offsets from the middle of the passive hand to that of the dominant one, metres.
_MEETINGS = np.array([(-0.02, 0.07, 0.02), (-0.03, 0.02, 0.08), (-0.10, 0.02, 0.03)])


@dataclass(frozen=True)
class Gloss:
    """One sign, as indices into :mod:`.inventory`; parts that a movement does not use are 0."""

    kind: int
    place: int
    shapes: Tuple[int, int, int]
    orientations: Tuple[int, int]
    swing: Tuple[bool, bool, bool]  # shape, orientation goes to and fro; fingers wiggle
    move: int
    size: int = 0
    direction: int = 0
    plane: int = 0
    turn: int = 1
    place_2: int = 0
    meeting: int = 0
    base_shape: int = 0
    base_orientation: int = 0


def _distance(place: int, other: int) -> float:
    return float(np.linalg.norm(inv.PLACES[place] - inv.PLACES[other]))


def _pick(odds: Tuple[float, ...], share: float) -> int:
    """The index whose interval of the cumulated odds holds ``share`` in [0, 1)."""
    return int(np.searchsorted(np.cumsum(odds)[:-1], share, side='right'))


def _draw(rng: np.random.Generator, number: int, offsets: ndarray) -> Gloss:
    """Draws the ``number``-th sign that is not the second of a minimal pair."""
    # Kinds and movements are spread evenly instead of drawn, so that a small vocabulary has them all.
    kind = _pick(_KIND_ODDS, (offsets[0] + number * _EVEN[0]) % 1.0)
    places = (
        inv.BASE_PLACES
        if kind == BASE
        else inv.OWN_SIDE_PLACES
        if kind != ONE_HANDED
        else tuple(range(len(inv.PLACE_NAMES)))
    )
    place = int(rng.choice(places))
    # A movement between two places needs some distance.
    place_2 = int(rng.choice([p for p in places if _distance(p, place) > 0.12]))
    move = _pick(_MOVE_ODDS, (offsets[1] + number * _EVEN[1]) % 1.0)
    if move == BETWEEN and kind == BASE:
        move = STRAIGHT
    # Hands can only alternate in a periodic movement.
    if kind == ALTERNATING and move not in (CIRCLE, REPEATED, ZIGZAG):
        move = CIRCLE if rng.random() < 0.5 else REPEATED
    first, second = (int(s) for s in rng.choice(np.arange(1, len(inv.SHAPE_NAMES)), 2, replace=False))
    changes = rng.random() < 0.35
    shapes = (
        ((first, first, second), (first, second, second))[int(rng.integers(2))]
        if changes
        else (first, first, first)
    )
    facing = tuple(int(o) for o in rng.choice(len(inv.ORIENTATIONS), 2, replace=False))
    turns = rng.random() < 0.3
    swing = (
        changes and bool(rng.random() < 0.35),
        turns and bool(rng.random() < 0.4),
        not changes and bool(rng.random() < 0.1),
    )
    # A sign must have some movement: of the hand, its shape or its orientation.
    if move == HOLD and not (changes or turns or swing[2]):
        move = SHAKE
    return Gloss(
        kind=kind,
        place=place,
        shapes=shapes,
        orientations=facing if turns else (facing[0], facing[0]),
        swing=swing,
        move=move,
        size=0 if move in (HOLD, BETWEEN, SHAKE) else int(rng.integers(2)),
        direction=0 if move in (HOLD, BETWEEN, CIRCLE) else int(rng.integers(len(inv.DIRECTIONS))),
        plane=int(rng.integers(len(inv.PLANES))) if move == CIRCLE else 0,
        turn=int(rng.choice((-1, 1))) if move in (ARC, CIRCLE) else 1,
        place_2=place_2 if move == BETWEEN else 0,
        meeting=int(rng.integers(len(_MEETINGS))) if kind == BASE else 0,
        base_shape=int(rng.choice(inv.BASE_SHAPES)) if kind == BASE else 0,
        base_orientation=int(rng.choice(inv.BASE_ORIENTATIONS)) if kind == BASE else 0,
    )


def _pair(rng: np.random.Generator, old: Gloss, new: Gloss) -> Gloss:
    """Makes a minimal pair: ``old`` with one part of ``new``, or ``new`` if the pair is too similar."""
    # A place or a movement is only exchanged between signs for which it means the same.
    parts = [('shapes',), ('orientations',)]
    if old.move != BETWEEN and old.kind == new.kind:
        parts.append(('place',))
    if old.kind == new.kind and BETWEEN not in (old.move, new.move) and HOLD not in (old.move, new.move):
        parts.append(('move', 'size', 'direction', 'plane', 'turn'))
    names = parts[int(rng.integers(len(parts)))]
    pair = replace(old, **{name: getattr(new, name) for name in names})
    changes, turns = pair.shapes[0] != pair.shapes[2], pair.orientations[0] != pair.orientations[1]
    pair = replace(
        pair, swing=(pair.swing[0] and changes, pair.swing[1] and turns, pair.swing[2] and not changes)
    )
    still = pair.move == HOLD and not (changes or turns or pair.swing[2])
    # Two signs must differ by more than one signer's repetitions do: not in size alone, nor by a near place.
    same = replace(pair, size=old.size) == old or (
        names == ('place',) and _distance(pair.place, old.place) < 0.09
    )
    return new if still or same else pair


class Vocabulary:
    """``num_glosses`` distinct signs. The first n are the same for every larger number.

    Args:
        num_glosses (int): How many.
        rng (Generator): Random numbers.

    Attributes:
        glosses (list[Gloss]): The signs.
        names (list[str]): ``gloss_000``, ``gloss_001``, ...
        kind, place, move ...: The same as int64 arrays of shape (G,); ``shapes`` (G, 3), ``orientations`` (G,
            2), ``swing`` (G, 3) bool.
        shift (ndarray): Shape (G, 3) float64, metres: start to end of the wrist path (0 for circles and
            holds).
        wave, wave_2 (ndarray): Shape (G, 3) float64, metres: axis times amplitude of the two sine waves added
            to the path.
        cycles (ndarray): Shape (G,) float64: periods of those waves, or of the to and fro of a repeated
            movement.
        quarter (ndarray): Shape (G,): phase of the second wave in periods.
        frames (ndarray): Shape (G,) float64: usual length of the sign itself, without the movements to and
            from rest.
        meeting_shift (ndarray): Shape (G, 3) float64, metres: passive hand to dominant hand (0 where there is
            no passive hand).
    """

    def __init__(self, num_glosses: int, rng: np.random.Generator) -> None:
        self.glosses: List[Gloss] = []
        pace: List[float] = []
        parents: List[Gloss] = []
        offsets = rng.random(2)
        seen: Set[Gloss] = set()
        while len(self.glosses) < num_glosses:
            gloss = _draw(rng, len(parents), offsets)
            if parents and rng.random() < _MINIMAL_PAIR:
                gloss = _pair(rng, parents[int(rng.integers(len(parents)))], gloss)
            else:
                parents.append(gloss)
            # A repeated sign is drawn again.
            if gloss not in seen:
                seen.add(gloss)
                self.glosses.append(gloss)
                pace.append(rng.uniform(-5, 5))
        digits = max(3, len(str(num_glosses - 1)))
        self.names = [f'gloss_{index:0{digits}d}' for index in range(num_glosses)]
        # An array for each part, so that plans index all clips at once.
        for name in Gloss.__dataclass_fields__:
            setattr(self, name, np.array([getattr(gloss, name) for gloss in self.glosses]))
        paths = [_path(gloss) for gloss in self.glosses]
        # (G, 3) each
        self.shift, self.wave, self.wave_2 = (
            np.array([path[part] for path in paths], dtype=np.float64) for part in range(3)
        )
        # (G,) each
        self.cycles, self.quarter = (
            np.array([path[part] for path in paths], dtype=np.float64) for part in (3, 4)
        )
        # Each further repetition takes about 6 frames, a change of orientation 4.
        beats = np.where(
            self.move == SHAKE, 1.0, np.maximum(self.cycles, 2.0 * self.swing[:, :2].any(axis=1))
        )
        turns = self.orientations[:, 0] != self.orientations[:, 1]
        self.frames = 17.0 + 6.0 * np.maximum(beats - 1.0, 0.0) + 4.0 * turns + np.array(pace)
        self.meeting_shift = np.where((self.kind == BASE)[:, None], _MEETINGS[self.meeting], 0.0)


def _path(gloss: Gloss) -> Tuple[ndarray, ndarray, ndarray, float, float]:
    """Path of the wrist: shift, first wave, second wave, cycles, phase of the second wave."""
    zero = np.zeros(3)
    size = _SIZES[gloss.size]
    along = inv.DIRECTIONS[gloss.direction]
    # An axis at right angles to the movement, in the frontal plane where that is possible.
    across = np.cross(along, (0.0, 0.0, 1.0)) if abs(along[2]) < 0.9 else np.array((0.0, 1.0, 0.0))
    across = across / np.linalg.norm(across)
    if gloss.move == STRAIGHT:
        return along * size, zero, zero, 0.0, 0.0
    if gloss.move == ARC:
        return along * size, across * size * 0.5 * gloss.turn, zero, 0.5, 0.0
    if gloss.move == CIRCLE:
        # Two waves a quarter period apart make a circle.
        first, second = inv.PLANES[gloss.plane]
        return (
            zero,
            first * size * 0.5 * gloss.turn,
            second * size * 0.5,
            2.0 if gloss.size == 0 else 1.0,
            0.25,
        )
    if gloss.move == ZIGZAG:
        return along * size * 1.2, across * size * 0.3, zero, 2.5, 0.0
    if gloss.move == REPEATED:
        return along * size * 0.9, zero, zero, 2.0, 0.0
    if gloss.move == SHAKE:
        return zero, along * 0.02, zero, 4.0, 0.0
    return zero, zero, zero, 0.0, 0.0
