"""docs/faq.md shows the messages as they are."""

import re

import pytest
from test_wrong_configs import MISTAKES
from test_wrong_data import PYSKL


@pytest.mark.parametrize(
    'message', [case[-1] for case in (*MISTAKES.values(), *PYSKL.values())], ids=[*MISTAKES, *PYSKL]
)
def test_the_message_is_shown(root, message):
    lines = (root / 'docs' / 'faq.md').read_text(encoding='utf-8').splitlines()
    assert any(re.search(message, line) for line in lines), message
