"""The folder's own modules (videos that the tests make, fake extractors), importable here and in the
processes that tests start.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))


@pytest.fixture
def slovo(shared):
    """A real signer, 720 x 1280."""
    path = shared / 'videos' / 'slovo_sign_ru.mp4'
    if not path.is_file():
        pytest.skip(f'no {path}')
    return str(path)
