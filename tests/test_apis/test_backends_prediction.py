"""Answers as JSON."""

import copy
import json
import pickle

import numpy as np
import pytest
import torch
from api_toys import poses

from signbert_mm.apis.backends import Prediction, plain_values, to_json
from signbert_mm.apis.stream import Segment

KEYS = 'name glosses scores labels reason attention frames num_frames hand_frames fps all_scores'.split()


def strict(text):
    def refuse(name):
        raise AssertionError(f'{name} is no JSON')

    return json.loads(text, parse_constant=refuse)


def test_a_prediction_is_a_dict_of_arrays_and_json():
    made = Prediction(
        name='a',
        attention=np.array([[0.25, 0.75]], np.float32),
        labels=np.int64(3),
        segments=[Segment(0.5, np.float32(2), 1, 0.5)],
    )
    assert made['attention'].dtype == np.float32 and isinstance(made, dict)
    plain = dict(name='a', attention=[[0.25, 0.75]], labels=3, segments=[[0.5, 2.0, 1, 0.5]])
    assert made.to_dict() == plain == dict(made.items()) and type(made.to_dict()) is dict
    for options in (dict(), dict(indent=1), dict(sort_keys=True)):  # the C and the Python encoder
        assert strict(json.dumps([made], **options)) == [plain]
    for again in (
        copy.copy(made),
        copy.deepcopy(made),
        pickle.loads(pickle.dumps(made)),
        Prediction({**made}),
    ):
        assert (
            type(again) is Prediction
            and np.array_equal(again['attention'], made['attention'])
            and again['attention'].dtype == np.float32
        )


def test_plain_values():
    nested = dict(
        a=(1, np.float32(0.5), None, True),
        b={3: torch.tensor([1, 2])},
        c=np.array([np.nan, 1, np.inf]),
        d=float('nan'),
        e=np.bool_(0),
    )
    assert plain_values(nested) == dict(
        a=[1, 0.5, None, True], b={'3': [1, 2]}, c=[None, 1.0, None], d=None, e=False
    )
    assert strict(to_json(nested))['c'] == [None, 1.0, None]
    assert (
        plain_values('caf\udce9.mp4') == 'caf\ufffd.mp4'
        and to_json(Prediction(name='caf\udce9.mp4')).encode()
    )
    assert to_json(Prediction(x=np.array([0.1234567]), y=1 / 3)) == (
        '{\n "x": [\n  0.12346\n ],\n "y": 0.33333\n}'
    )
    with pytest.raises(TypeError, match='object is no value of JSON'):
        plain_values(dict(a=object()))


def test_every_answer_is_json(inferencer, store, make_video, tmp_path):
    image = dict(layout='sign_49', image_size=(640, 480))
    found = inferencer([poses(9, 1), np.zeros((4, 49, 3))], **image, return_mesh=True)
    for item, again in zip(found['predictions'], strict(json.dumps(found))['predictions']):
        assert set(KEYS) | {'joints2d', 'joints3d', 'valid', 'vertices', 'faces'} == set(item) == set(again)
        assert again['glosses'] == item['glosses'] and np.allclose(again['all_scores'], item['all_scores'])
        assert np.array(again['vertices'], np.float32).shape == item['vertices'].shape
    (plain,) = inferencer(poses(9, 1), **image)['predictions']
    assert list(plain) == KEYS and strict(json.dumps(plain.to_dict())) == plain.to_dict()
    assert all(strict(json.dumps(item)) for item in inferencer.reconstruct(poses(9, 1), **image))
    video = make_video(tmp_path / 'a.mp4', [40] * 12 + [0] * 12)
    (tmp_path / 'b.mp4').write_text('no video\n' * 50)
    for answers in (
        inferencer(str(tmp_path))['predictions'],  # b has name and error
        inferencer.segments(video, window=0.5, stride=0.3),
        inferencer.segments(list(inferencer.reader.clips(store))[:4], window=0.4, stride=0.2),
        list(inferencer.stream(video, window=0.5, stride=0.3)),
    ):
        assert len(strict(json.dumps(answers))) == len(answers) and all(
            isinstance(item, Prediction) for item in answers
        )
