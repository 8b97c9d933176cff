"""Splits of clips that come without: by signer, or a share of each gloss."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Dict, List, Mapping, Sequence

from ...errors import UserValueError
from .annotation import SourceIndex
from .files import SPLITS

TRAIN, VAL, TEST = SPLITS


@dataclass(frozen=True)
class Splits:
    """How clips are split. Without signers and shares all are in 'train'.

    Args:
        test_signers, val_signers (Sequence[str]): Signers whose clips are in these splits.
        test_share, val_share (float): Share of each gloss's clips in these splits, to the nearest number; at
            least one clip stays in 'train'. The draw depends on ``seed`` and the clip's name: a clip that is
            added moves few others.
        seed (int): Of that draw.

    Raises:
        ValueError: Both ways are asked for, shares are out of range, or a signer is to be in two splits.
    """

    test_signers: Sequence[str] = ()
    val_signers: Sequence[str] = ()
    test_share: float = 0.0
    val_share: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.by_signer and (self.test_share or self.val_share):
            raise UserValueError('splits go by signers or by shares, not both; choose one')
        # Of NaN all comparisons are false.
        if not (self.test_share >= 0 and self.val_share >= 0 and self.test_share + self.val_share < 1):
            raise UserValueError(
                f'test_share {self.test_share:g} and val_share {self.val_share:g}: both must be at least 0, '
                'and together below 1'
            )
        shared = sorted(set(self.test_signers) & set(self.val_signers))
        if shared:
            raise UserValueError(f'signers {", ".join(shared)} are to be in test and in val; choose one')

    @property
    def by_signer(self) -> bool:
        return bool(self.test_signers or self.val_signers)

    def notes(self) -> dict:
        """For the store's meta."""
        shares = [self.test_share, self.val_share]
        return dict(
            test_signers=[*self.test_signers], val_signers=[*self.val_signers], shares=shares, seed=self.seed
        )

    def assign(
        self, glosses: Mapping[str, str], signers: Mapping[str, str], where: str, hint: str
    ) -> Dict[str, str]:
        """The split of each clip.

        Args:
            glosses, signers (Mapping[str, str]): Clip -> its gloss, its signer.
            where (str): For messages.
            hint (str): For the message about an unknown signer: where signers are taken from.

        Raises:
            ValueError: A signer has no clip, or none is left in 'train'.
        """
        known = set(signers.values())
        unknown = sorted({*self.test_signers, *self.val_signers} - known)
        if unknown:
            raise UserValueError(
                f'{where}: no video is of signer {", ".join(unknown)}; {hint} {", ".join(sorted(known)[:20])}'
            )
        if self.by_signer:
            splits = {
                name: TEST if who in self.test_signers else VAL if who in self.val_signers else TRAIN
                for name, who in signers.items()
            }
        else:
            splits = self._by_share(glosses)
        if TRAIN not in splits.values():
            raise UserValueError(f'{where}: no clip is left in train; leave a signer there')
        return splits

    def _by_share(self, glosses: Mapping[str, str]) -> Dict[str, str]:
        """The first clips of each gloss, in an order by a hash of seed and name."""
        clips: Dict[str, List[str]] = {}
        for name, gloss in glosses.items():
            clips.setdefault(gloss, []).append(name)
        splits = {}
        for rows in clips.values():
            rows = sorted(rows, key=self._draw)
            counts = {
                split: int(share * len(rows) + 0.5)
                for split, share in ((TEST, self.test_share), (VAL, self.val_share))
            }
            # One clip of a gloss stays in train.
            while sum(counts.values()) >= len(rows):
                counts[max(counts, key=counts.get)] -= 1
            drawn = iter([split for split, count in counts.items() for _ in range(count)])
            splits.update({name: next(drawn, TRAIN) for name in rows})
        return splits

    def _draw(self, name: str) -> bytes:
        return hashlib.blake2b(f'{self.seed}/{name}'.encode(), digest_size=8).digest()


def untrained(index: SourceIndex) -> List[str]:
    """Glosses that no clip of 'train' has."""
    return _without(index, TRAIN)


def undrawn(index: SourceIndex, split: str) -> List[str]:
    """Glosses without a clip in ``split`` though a share was asked for: they have too few videos."""
    shares = dict(zip((TEST, VAL), index.notes['splits']['shares']))
    return _without(index, split) if shares.get(split) else []


def _without(index: SourceIndex, split: str) -> List[str]:
    seen = Counter(record.label for record in index.records if record.split == split)
    return [gloss for label, gloss in enumerate(index.glosses) if not seen[label]]


def report_splits(index: SourceIndex) -> None:
    """Prints the glosses that a split lacks."""
    missing = untrained(index)
    if missing:
        print(f'glosses without a clip in train: {", ".join(missing)}')
    # A small share of a gloss with few videos rounds to no clip at all.
    for split, share in zip((TEST, VAL), index.notes['splits']['shares']):
        missing = undrawn(index, split)
        if missing:
            names = ', '.join(missing[:10]) + (', ...' if len(missing) > 10 else '')
            few = f'{len(missing)} of {len(index.glosses)} glosses have too few videos for a clip in {split}'
            print(f'warning: {few} at a share of {share:g}: {names}')
