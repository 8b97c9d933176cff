"""A dictionary as a recogniser, for windows of long clips."""

from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from .backends import Backend
from .clips import PoseClip
from .dictionary import DictionarySearch


class DictionaryBackend(Backend):
    """Names the signs of clips by a dictionary. Scores are cosines, not probabilities.

    Args:
        search (DictionarySearch): With its dictionary.

    Raises:
        ValueError: The dictionary was made with another encoder.
    """

    def __init__(self, search: DictionarySearch) -> None:
        self.search, self.signs = search, search.check_dictionary()

    @property
    def glosses(self) -> List[str]:
        """The dictionary's."""
        return self.signs.glosses

    @property
    def frame_rates(self) -> Sequence[Optional[float]]:
        """Those of the encoder."""
        return self.search.backend.frame_rates

    def run(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Any]]:
        """Scores (signs,) in [0, 1]: the cosine with the nearest example, 0 where it is negative."""
        cosine, _ = self.signs.similarities(self.search.embedder(clips))
        return [
            dict(scores=row, attention=None, frames=np.arange(len(clip)))
            for clip, row in zip(clips, np.clip(cosine, 0.0, 1.0))
        ]
