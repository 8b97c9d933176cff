"""tools/analysis_tools/fuse_scores.py on files as tools/test.py --dump writes them."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

LABELS = (0, 1, 2, 0, 1, 2)
# clips 0, 1, 4 and 5 are right
H = np.array([[6, 3, 1], [2, 7, 1], [5, 3, 2], [1, 6, 3], [2, 6, 2], [1, 2, 7]]) / 10
P = np.array([[5, 4, 1], [4, 3, 3], [1, 1, 8], [7, 2, 1], [3, 4, 3], [6, 2, 2]]) / 10  # clips 0, 2, 3 and 4


@pytest.fixture
def fuse(run_file):
    """``fuse(*arguments)``: what the tool prints."""
    return lambda *arguments: run_file('tools/analysis_tools')('fuse_scores', *arguments)


@pytest.fixture
def dump(tmp_path, monkeypatch):
    """``dump(name, scores, order, labels, prefix)``: a file of predictions; clips are placed in this
    order.
    """
    monkeypatch.chdir(tmp_path)

    def write(name, scores, order=range(6), labels=LABELS, prefix='v'):
        clips = [
            dict(
                video_id=f'{prefix}{clip}',
                sample_idx=place,
                pred_scores=torch.tensor(scores[clip]),
                gt_label=torch.tensor([labels[clip]]),
            )
            for place, clip in enumerate(order)
        ]
        with open(f'{name}.pkl', 'wb') as file:
            pickle.dump(clips, file)
        return f'{name}.pkl'

    return write


def table_of(text):
    return {
        line.split('  ')[0].strip(): [float(value) for value in line.split()[-4:]]
        for line in text.splitlines()
        if line.count('.') >= 4
    }


def test_sum_of_files_in_other_orders(dump, fuse):
    rows = table_of(
        fuse(
            dump('h', H),
            dump('p', P, (5, 3, 1, 0, 2, 4)),
            '--names',
            'H',
            'P',
            '--topk',
            '1',
            '2',
            '--out',
            'new/out.txt',
        )
    )
    right = (H + P).argmax(1) == np.array(LABELS)
    assert rows['H'][:2] == rows['P'][:2] == pytest.approx([66.67, 66.67]) and right.sum() == 5
    assert rows['H+P'][0] == pytest.approx(100 * right.mean(), abs=0.01)
    assert rows['H+P'][2] == 100  # top 2
    result = json.loads(Path('new/out.txt').read_text())
    assert result['clips'] == 6 and result['accuracy']['H+P']['p_i/top1'] == pytest.approx(100 * right.mean())


def test_a_missing_clip_is_named_and_left_out_of_every_row(dump, fuse):
    said = fuse(dump('h', H), dump('p', P, (5, 3, 1, 0, 2)))
    assert (
        'p lacks 1 clips that others have; they are left out: v4' in said
        and '5 clips, probabilities summed' in said
    )
    assert table_of(said)['h'][0] == 60


def test_weights_given_and_searched(dump, fuse):
    files = [dump('h', H), dump('p', P)]
    assert table_of(fuse(*files, '--weights', '1', '0'))['1 h + 0 p'][0] == pytest.approx(66.67)
    right = np.eye(3)[list(LABELS)] * 0.4 + 0.2
    wrong = np.eye(3)[[(label + 1) % 3 for label in LABELS]] * 0.7 + 0.1
    said = fuse(*files, '--search', dump('hv', wrong, prefix='val'), dump('pv', right, prefix='val'))
    assert 'weights searched on 6 validation clips: 0.3 0.7 (P-I top-1 there 100.00)' in said
    with pytest.raises(ValueError, match='--search: 6 clips are in the predictions that are reported too'):
        fuse(*files, '--search', *files)


def test_logits(dump, fuse):
    with pytest.raises(ValueError, match="say that they are 'logit'"):
        fuse(dump('h', np.log(H) + 3), dump('p', P))
    assert table_of(fuse('h.pkl', 'p.pkl', '--scores', 'logit', 'prob'))['h+p'][0] == pytest.approx(
        83.33, abs=0.01
    )


@pytest.mark.parametrize(
    'scores, labels, message',
    [
        (
            np.where(P == 0.8, np.nan, P),
            LABELS,
            "p: 1 clips have scores that are not finite, the first is 'v2'",
        ),
        (P, (0, 2, 1, 0, 2, 1), "4 of 6 clips have other labels in p than in h, the first is 'v1'"),
        (
            np.concatenate([P * 0.5, P[:, :1] * 0 + 0.5], 1),
            LABELS,
            "other label maps: {'h': 3, 'p': 4} classes",
        ),
    ],
)
def test_what_is_refused(dump, fuse, scores, labels, message):
    with pytest.raises(ValueError, match=message):
        fuse(dump('h', H), dump('p', scores, labels=labels))
