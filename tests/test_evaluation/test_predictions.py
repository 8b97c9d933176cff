import os
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.evaluator import DumpResults

from signbert_mm.evaluation import DumpPredictions, load_predictions
from signbert_mm.evaluation.predictions import Answers, check_same_clips, glosses_of
from signbert_mm.structures import SignDataSample


def samples(count=3):
    return [
        SignDataSample(metainfo=dict(num_frames=4), sample_idx=i, video_id=f'v{i}', half=torch.ones(2).half())
        .set_gt_label(i)
        .set_pred_scores(torch.rand(4, generator=torch.Generator().manual_seed(i)))
        .to_dict()
        for i in range(count)
    ]


@pytest.mark.parametrize('dump', [DumpResults, DumpPredictions])
def test_reads_what_is_dumped(tmp_path, dump):
    path = str(tmp_path / 'predictions.pkl')
    expected = samples()
    metric = dump(path)
    metric.process(None, [expected[2], expected[0], expected[1], expected[0]])
    metric.evaluate(4)
    found = load_predictions(path)
    assert [clip['sample_idx'] for clip in found] == [0, 1, 2] and [clip['num_frames'] for clip in found] == [
        4,
        4,
        4,
    ]
    for clip, other in zip(found, expected):
        assert clip['video_id'] == other['video_id'] and torch.equal(
            clip['pred_scores'], other['pred_scores']
        )
        assert clip['half'].dtype == torch.float16 and torch.equal(clip['gt_label'], other['gt_label'])


def test_a_clip_takes_its_own_bytes_not_its_batch_s(tmp_path):
    scores = torch.rand(64, 30)
    rows = [
        dict(sample_idx=i, pred_scores=scores[i], joints=dict(pair=(scores[i, :5], [scores[i, 5:9]])))
        for i in range(64)
    ]
    metric = DumpPredictions(str(tmp_path / 'predictions.pkl'))
    for start in (0, 32):
        metric.process(None, rows[start : start + 32])
    metric.evaluate(64)
    # three tensors a clip, each some 400 bytes around its numbers; a batch's own numbers are 3,840
    assert (tmp_path / 'predictions.pkl').stat().st_size < 64 * 3 * 700
    for row, found in zip(rows, load_predictions(tmp_path / 'predictions.pkl')):
        assert torch.equal(found['pred_scores'], row['pred_scores']) and torch.equal(
            found['joints']['pair'][1][0], row['joints']['pair'][1][0]
        )


class Payload:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def test_payload_is_refused_and_not_run(tmp_path):
    path, marker = tmp_path / 'bad.pkl', str(tmp_path / 'ran')
    path.write_bytes(pickle.dumps([dict(sample_idx=0, x=Payload(marker))]))
    with pytest.raises(ValueError, match=r'bad\.pkl: refused, nothing was run: it asks for posix\.mkdir'):
        load_predictions(path)
    assert not os.path.exists(marker)


class Storage:
    def __init__(self, data):
        self.data = data

    def __reduce__(self):
        return torch.storage._load_from_bytes, (self.data,)


def test_payload_within_a_tensor_storage_is_refused(tmp_path):
    inner, marker = tmp_path / 'inner.pth', str(tmp_path / 'ran')
    torch.save(Payload(marker), inner)
    path = tmp_path / 'bad.pkl'
    path.write_bytes(pickle.dumps([dict(sample_idx=0, x=Storage(inner.read_bytes()))]))
    with pytest.raises(ValueError, match=r'bad\.pkl: .*not a whole file of predictions'):
        load_predictions(path)
    assert not os.path.exists(marker)


class Call:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    'size, stride, offset, message',
    [
        ((5,), (1,), 0, 'reaches beyond its 4 numbers'),
        ((2, 2), (2, 1), 1, 'reaches beyond'),
        ((4,), (-1,), 3, 'no tuple of whole numbers'),
        ((4,), (1, 1), 0, 'no tuple of whole numbers'),
        ((2,), (1,), -1, 'no tuple of whole numbers'),
        ((1 << 40,), (0,), 0, 'makes more than'),
        ([4], (1,), 0, 'no tuple of whole numbers'),
    ],
)
def test_tensors_beyond_their_numbers_are_refused(tmp_path, size, stride, offset, message):
    data = torch.arange(4.0).storage().__reduce__()[1][0]
    tensor = Call(torch._utils._rebuild_tensor_v2, Storage(data), offset, size, stride, False, {})
    (tmp_path / 'bad.pkl').write_bytes(pickle.dumps([dict(sample_idx=0, x=tensor)]))
    with pytest.raises(ValueError, match=f'bad.pkl: refused.*{message}'):
        load_predictions(tmp_path / 'bad.pkl')


def test_tensors_of_every_type_and_shape_are_read(tmp_path):
    kinds = (
        torch.float64,
        torch.float32,
        torch.float16,
        torch.bfloat16,
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
    )
    tensors = [torch.arange(12).to(kind).reshape(3, 4)[1:, ::2] for kind in (*kinds, torch.uint8)]
    tensors += [torch.tensor([True, False]), torch.tensor(5), torch.zeros(0, 3), torch.ones(1).expand(3)]
    (tmp_path / 'p.pkl').write_bytes(pickle.dumps([dict(sample_idx=0, values=tensors)], protocol=2))
    (clip,) = load_predictions(tmp_path / 'p.pkl')
    for found, expected in zip(clip['values'], tensors):
        assert found.dtype == expected.dtype
        assert torch.equal(found, expected)


def test_damaged_numbers_of_a_tensor(tmp_path):
    data = torch.arange(4.0).storage().__reduce__()[1][0]
    for changed in (
        data[:-3],
        data + b'x',
        data[:-24] + (1 << 40).to_bytes(8, 'little') + data[-16:],
        b'',
        7,
    ):
        (tmp_path / 'bad.pkl').write_bytes(pickle.dumps([dict(sample_idx=0, x=Storage(changed))]))
        with pytest.raises(ValueError, match='bad.pkl: '):
            load_predictions(tmp_path / 'bad.pkl')


def test_a_file_cannot_change_torch(tmp_path):
    before = torch._utils._rebuild_tensor_v2.__doc__
    code = b'ctorch._utils\n_rebuild_tensor_v2\n}V__doc__\nVchanged\nsb.'
    (tmp_path / 'bad.pkl').write_bytes(code)
    with pytest.raises(ValueError, match='refused.*changes torch._utils._rebuild_tensor_v2 itself'):
        load_predictions(tmp_path / 'bad.pkl')
    assert torch._utils._rebuild_tensor_v2.__doc__ == before


@pytest.mark.parametrize(
    'content, message',
    [
        (pickle.dumps(samples())[:-40], 'not a whole file'),
        (b'', '0 bytes that are not a whole file'),
        (pickle.dumps(dict(a=1)), 'holds a dict, expected a list'),
        (pickle.dumps([dict(video_id='a')]), 'item 0 has no sample_idx'),
        (pickle.dumps([]), 'no predictions in it'),
    ],
)
def test_damaged_or_other_files(tmp_path, content, message):
    path = tmp_path / 'other.pkl'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f'other.pkl: .*{message}'):
        load_predictions(path)


def test_absent_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='--dump'):
        load_predictions(tmp_path / 'none.pkl')


def answers(path='p.pkl', labels=(0, 1), names=('a', 'b'), classes=3):
    return Answers(path, np.array(labels), np.zeros(len(labels), int), classes, list(names))


def test_files_of_other_clips_are_not_compared():
    check_same_clips(answers(), answers('q.pkl'))
    check_same_clips(answers(names=['', '']), answers())
    for other in (dict(names=['a', 'c']), dict(names=['b', 'a']), dict(labels=[0, 2]), dict(classes=4)):
        with pytest.raises(ValueError, match=r'p\.pkl and q\.pkl are not of the same test clips'):
            check_same_clips(answers(), answers('q.pkl', **other))


def test_glosses_are_those_of_the_predictions_labels():
    def data(names, labels, glosses='xyz'):
        store = SimpleNamespace(video_ids=lambda clips: [names[clip] for clip in clips])
        return SimpleNamespace(
            store=store,
            clips=range(len(names)),
            labels=np.array(labels),
            metainfo=dict(glosses=list(glosses)),
        )

    # The same clips, and those of another split.
    for dataset in (data('ba', [1, 0]), data('cd', [2, 2])):
        assert glosses_of(answers(), dataset, 'c.py') == ['x', 'y', 'z']
    whole = data('ab', [0, 1])
    whole.parts = [data('b', [0]), data('a', [2])]
    whole.labels = np.array([0, 2])
    for dataset, message in (
        (data('ab', [0, 2]), r"p\.pkl: 1 clips have other labels than in .* of c\.py, the first is 'b'"),
        (whole, "2 clips have other labels .* is 'a'"),
        (data('ab', [0, 1], 'xy'), r'c\.py: its test data has 2 glosses, the predictions are over 3 classes'),
    ):
        with pytest.raises(ValueError, match=message):
            glosses_of(answers(), dataset, 'c.py')
