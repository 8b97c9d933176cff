"""What runs a recogniser on clips, and the one place where an answer is withheld."""

from typing import Any, Dict, List, Sequence

import numpy as np

from .pose_clip import PoseClip

NOT_FINITE = (
    "the model's scores are not finite numbers; its weights or the poses are damaged: check the "
    'checkpoint, or take another'
)


def withhold(clip: PoseClip, row: Dict[str, Any]) -> Dict[str, Any]:
    """A row of :meth:`Backend.predict` with its ``reason``.

    Where the clip shows no hand, or the scores are not finite, the scores become 0 and ``reason`` says why.
    Elsewhere ``reason`` is ''.
    """
    reason = clip.no_answer or row.get('reason', '')
    if not reason and not np.isfinite(row['scores']).all():
        reason = NOT_FINITE
    return dict(row, reason=reason, scores=np.zeros_like(row['scores']) if reason else row['scores'])


class Backend:
    """Runs a recogniser. Every answer of this package comes through :meth:`predict`.

    Attributes:
        recognises (bool): Whether it names signs; a pre-trainer does not.
        reads_videos (bool): Whether it reads frames, not poses alone.
        glosses (list[str]): Of its classes; [] where nothing says their names.
    """

    recognises = True
    reads_videos = False
    glosses: List[str]

    def predict(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Any]]:
        """What the model says of each clip.

        Args:
            clips (Sequence[PoseClip]): B clips.
            first (int): Index of the first, which names it in random draws, where the test pipeline has any.

        Returns:
            list[dict]: One a clip: ``scores`` (classes,) that sum to 1, ``attention`` (L, 2) or None,
            ``frames`` (L,), the positions in the clip, and ``reason``. Where there is nothing to answer by,
            ``reason`` says why and the scores are 0, see :func:`withhold`.

        Raises:
            ValueError: A clip cannot be read by this model; the message says why.
        """
        return [withhold(clip, row) for clip, row in zip(clips, self.run(clips, first))]

    def run(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Any]]:
        """As :meth:`predict`, whatever the clips show; without ``reason``."""
        raise NotImplementedError
