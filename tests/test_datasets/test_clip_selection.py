"""Glosses that a config asks for, and those of a store."""

import json

import pytest
from pose_store_fixtures import write_store

from signbert_mm.datasets import PoseDataset


def test_classes_of_an_older_store_are_found_in_any_form(tmp_path):
    write_store(tmp_path / 's', (9, 8, 7), glosses=('x', 'y', 'z'))
    meta = tmp_path / 's' / 'meta.json'
    given = ['cafe\u0301', 'hello ', 'hello']
    meta.write_text(json.dumps(dict(json.loads(meta.read_text()), glosses=given)))

    def chosen(*classes):
        dataset = PoseDataset(str(tmp_path / 's'), classes=list(classes), relabel=True)
        return dataset.clips.tolist(), dataset.labels.tolist()

    assert chosen('caf\u00e9') == ([0], [0]) and chosen(*given) == ([0, 1, 2], [0, 1, 2])
    assert chosen('hello ', given[0]) == ([0, 1], [1, 0]) and chosen('hello') == ([2], [0])
    with pytest.raises(ValueError, match='list of distinct glosses'):
        chosen('caf\u00e9', given[0])
