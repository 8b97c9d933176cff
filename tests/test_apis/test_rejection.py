"""A recogniser that is calibrated answers "none of these signs", however it is asked."""

import json
import runpy
import sys

import numpy as np
import pytest
import torch
from api_toys import GLOSSES, SCORES, poses
from mmengine.config import Config

from signbert_mm.apis import PoseClip, SignDictionary, SignInferencer, init_model
from signbert_mm.apis.calibration import (
    Outputs,
    calibration_figures,
    compare_scores,
    fit_distance,
    fit_rejection,
    outputs_of,
    unknown_score,
    write_rejection,
)
from signbert_mm.apis.rejection import NONE_OF_THESE, Rejection
from signbert_mm.datasets import PoseDataset, PoseStoreWriter
from signbert_mm.evaluation.rejection import mahalanobis
from signbert_mm.files.checkpoints import load_checkpoint_file
from signbert_mm.registry import MODELS

NEVER, ALWAYS = 1.1, 0.0


def rejection(threshold, method='max_probability', temperature=2.0):
    return Rejection(method, temperature, threshold, 0.05)


@pytest.fixture
def calibrated(house, tmp_path):
    """``calibrated(threshold)``: an inferencer with the narrow recogniser's checkpoint and this threshold."""

    def of(threshold, **options):
        path = tmp_path / f'{threshold}.pth'
        write_rejection(house['recogniser'][1], path, rejection(threshold))
        return SignInferencer(house['recogniser'][0], path, **options)

    return of


@pytest.fixture(scope='module')
def open_model(house, tmp_path_factory):
    """The narrow recogniser with three outputs for what is outside of its vocabulary: config, checkpoint."""
    folder = tmp_path_factory.mktemp('open')
    config = Config.fromfile(house['recogniser'][0])
    config.model.head.num_unknown = 3
    config.dump(folder / 'open.py')
    torch.manual_seed(3)
    model = MODELS.build(config.model)
    # Odds about 0.
    model.head.classifier.bias.data[-3:] += 0.3
    old = load_checkpoint_file(house['recogniser'][1])
    path = folder / 'open.pth'
    torch.save(dict(meta=old['meta'], state_dict=model.state_dict()), path)
    return str(folder / 'open.py'), path


def test_values_by_hand():
    row = dict(scores=np.float32([0.5, 0.25, 0.25]), attention=None)
    # temperature 1/2 squares the probabilities: 4/6, 1/6, 1/6
    answered = rejection(0.4, temperature=0.5).apply(row)
    assert answered['scores'] == pytest.approx([4 / 6, 1 / 6, 1 / 6], abs=1e-6)
    assert answered['unknown'] == pytest.approx(1 / 3, abs=1e-6) and answered['reason'] == ''
    assert rejection(0.3, temperature=0.5).apply(row)['reason'] == NONE_OF_THESE
    by_odds = rejection(0.2, 'known_odds', 1.0).apply(dict(row, known_odds=np.log(3)))
    assert by_odds['unknown'] == pytest.approx(0.25) and by_odds['reason'] == NONE_OF_THESE
    assert by_odds['scores'] == pytest.approx(row['scores'])
    # a probability of 0, and odds beyond exp()
    extreme = rejection(0.5).apply(dict(scores=np.float32([1, 0]), known_odds=1e9))
    assert extreme['scores'].tolist() == [1, 0]
    assert rejection(0.5, 'known_odds').apply(dict(row, known_odds=1e9))['unknown'] < 1e-300


@pytest.mark.parametrize(
    'values, message',
    [
        ('yes', 'method, temperature, threshold, false_answers are needed'),
        (dict(method='known_odds'), 'are needed'),
        (rejection(1)._replace(method='guess')._asdict(), 'methods are max_probability, known_odds'),
        (rejection(1)._replace(threshold='x')._asdict(), 'numbers are needed'),
        (rejection(float('nan'))._asdict(), 'must be finite'),
        (rejection(1)._replace(temperature=0)._asdict(), 'the temperature above 0'),
    ],
)
def test_damaged_values(values, message):
    with pytest.raises(ValueError, match=rf'file: rejection is .*calibrate.py.*{message}'):
        Rejection.read(values, 'file')
    assert Rejection.read(None, 'file') is None
    assert Rejection.read(rejection(1)._asdict(), 'file') == rejection(1)


def test_clips(calibrated, inferencer, store):
    plain = inferencer(store)['predictions']
    known, none = (calibrated(threshold)(store)['predictions'] for threshold in (NEVER, ALWAYS))
    for old, kept, withheld in zip(plain, known, none):
        assert 'unknown' not in old and 'guesses' not in old
        assert kept['glosses'] == old['glosses'] and kept['guesses'] == []
        if old['reason']:
            # no hand comes first
            assert withheld['reason'] == kept['reason'] == old['reason']
            assert withheld['unknown'] is None and withheld['guesses'] == []
            assert not withheld['all_scores'].any()
            continue
        heated = old['all_scores'].astype(np.float64) ** 0.5
        np.testing.assert_allclose(kept['all_scores'], heated / heated.sum(), rtol=0, atol=1e-5)
        assert kept['unknown'] == pytest.approx(1 - kept['scores'][0])
        assert withheld['glosses'] == withheld['scores'] == withheld['labels'] == []
        assert withheld['reason'] == NONE_OF_THESE and withheld['guesses'] == old['glosses']
        assert np.array_equal(withheld['all_scores'], kept['all_scores'])
        assert json.loads(json.dumps(withheld))['unknown'] == pytest.approx(kept['unknown'])
    sample = calibrated(ALWAYS)(store, return_datasamples=True)['predictions'][0]
    assert int(sample.pred_label) == -1 and sample.reason == NONE_OF_THESE


def test_windows_and_streams(calibrated, inferencer):
    clip = PoseClip.make(poses(60, 4), 'sign_49', (640, 480), fps=25)
    options = dict(window=0.8, stride=0.4, enter=0.1, leave=0.05)
    (plain,), (known,), (none,) = (
        model.segments([clip], **options) for model in (inferencer, calibrated(NEVER), calibrated(ALWAYS))
    )
    assert plain['segments'] and known['segments'] and none['segments'] == []
    assert all('unknown' not in window for window in plain['windows'])
    assert all(0 < window['unknown'] < 1 and not window['reason'] for window in known['windows'])
    assert all(window['reason'] == NONE_OF_THESE and not window['glosses'] for window in none['windows'])
    model = calibrated(ALWAYS)
    stream = model.stream_recognizer((640, 480), 25.0, 'sign_49', **options)
    events = [stream.push(pose) for pose in np.concatenate([clip.keypoints, clip.scores[..., None]], -1)]
    events = [model.event_prediction(event, 25.0) for event in events if event is not None]
    assert events and all(event['reason'] == NONE_OF_THESE for event in events)
    assert [event['unknown'] for event in events] == [
        pytest.approx(window['unknown'], abs=SCORES) for window in none['windows'][: len(events)]
    ]


def test_outputs_for_unknown_signs(open_model, store, tmp_path):
    config, checkpoint = open_model
    plain = SignInferencer(config, checkpoint)
    # without calibration nothing is withheld, and the scores are of the glosses alone
    predictions = plain(store)['predictions']
    assert plain.backend.model.num_unknown == 3
    assert all(len(row['all_scores']) == 4 and 'unknown' not in row for row in predictions)
    assert all(row['reason'] or row['all_scores'].sum() == pytest.approx(1, abs=1e-5) for row in predictions)
    clips = PoseDataset(
        store.folder, 'test', pipeline=[dict(type='UniformTemporalSample', clip_len=6, test_mode=True)]
    )
    outputs = outputs_of(plain.backend.model, clips)
    logits = plain.backend.model.classify(
        plain.backend.model.data_preprocessor(clips.__getitems__(range(9)), False)['inputs']
    )[0]
    assert logits.shape == (9, 7) and outputs.logits.shape == (9, 4)
    odds = logits[:, :4].logsumexp(-1) - logits[:, 4:].logsumexp(-1)
    np.testing.assert_allclose(outputs.known_odds, odds.detach().numpy(), atol=1e-5)
    middle = float(np.median(unknown_score(outputs, 'known_odds', 1.0)))
    write_rejection(checkpoint, tmp_path / 'c.pth', rejection(middle, 'known_odds', 1.0))
    answers = SignInferencer(config, tmp_path / 'c.pth')(store, split='test')['predictions']
    for answer, score in zip(answers, unknown_score(outputs, 'known_odds', 1.0)):
        if answer['unknown'] is not None:
            assert answer['unknown'] == pytest.approx(score, abs=SCORES)
            assert (answer['reason'] == NONE_OF_THESE) == (answer['unknown'] >= middle)
    assert {answer['reason'] for answer in answers} >= {'', NONE_OF_THESE}


def test_a_rejection_by_odds_needs_the_outputs(house, tmp_path):
    write_rejection(house['recogniser'][1], tmp_path / 'c.pth', rejection(0.5, 'known_odds'))
    with pytest.raises(ValueError, match=r"by 'known_odds', but the model's head has no outputs"):
        SignInferencer(house['recogniser'][0], tmp_path / 'c.pth')


def test_onnx(open_model, house, store, tmp_path):
    for name in ('onnx', 'onnxruntime', 'onnxscript'):
        pytest.importorskip(name, reason=f'{name} is not installed: pip install -r requirements/deploy.txt')
    from signbert_mm.apis.export import export_onnx, largest_difference, random_inputs

    for number, (config, checkpoint, method) in enumerate(
        [(*open_model, 'known_odds'), (*house['recogniser'], 'max_probability')]
    ):
        write_rejection(checkpoint, tmp_path / f'{number}.pth', rejection(0.58, method))
        model = init_model(config, tmp_path / f'{number}.pth')
        path = tmp_path / f'{number}.onnx'
        export_onnx(model, path)
        assert largest_difference(model, path, random_inputs(49, 3, 7)) < 1e-4
        deployed, torch_made = SignInferencer(path, backend='onnx'), SignInferencer(model)
        assert deployed.backend.rejection == torch_made.backend.rejection == rejection(0.58, method)
        for a, b in zip(deployed(store)['predictions'], torch_made(store)['predictions']):
            assert (a['unknown'] is None) == (b['unknown'] is None)
            if a['unknown'] is not None:
                assert a['unknown'] == pytest.approx(b['unknown'], abs=SCORES)
            assert np.allclose(a['all_scores'], b['all_scores'], rtol=0, atol=SCORES)
            assert a['reason'] == b['reason'] and a['glosses'] == b['glosses']


def test_the_dictionary(inferencer, store, tmp_path):
    vectors, names = inferencer.embed(store)
    signs = SignDictionary(inferencer.embedder.fingerprint, vectors.shape[1])
    for label in range(4):
        signs.add(GLOSSES[label], vectors[label::4], names[label::4])
    plain = inferencer.search(store, dictionary=signs)
    assert signs.threshold is None and all('unknown' not in answer for answer in plain)
    # The two clips without a hand have one vector, under two glosses: they are the 20 %.
    report = signs.calibrate(0.2)
    assert set(report) == {'threshold', 'auroc', 'kept'} and report['threshold'] == signs.threshold
    signs.save(tmp_path / 'signs')
    read = SignDictionary.load(tmp_path / 'signs')
    assert read.threshold == pytest.approx(signs.threshold) and read.false_answers == 0.2
    # an example is its own nearest one, and anything is far from a threshold of 1
    for threshold in (signs.threshold, 1.1):
        read.threshold = threshold
        for old, answer in zip(plain, inferencer.search(store, dictionary=read)):
            if old['reason']:
                assert answer['reason'] == old['reason'] and answer['unknown'] is None
            elif threshold > 1:
                assert answer['reason'] == NONE_OF_THESE and answer['glosses'] == answer['scores'] == []
                assert answer['guesses'] == old['glosses']
            else:
                assert answer['glosses'] == old['glosses'] and answer['guesses'] == []
                assert answer['unknown'] == pytest.approx(0, abs=1e-5)
    assert inferencer.search(store, dictionary=read, compare='prototype')[0]['glosses']


def test_a_dictionary_is_calibrated_again_where_its_examples_change(tmp_path):
    signs = SignDictionary('abc', 2)
    signs.add('east', np.array([[1.0, 0.0], [0.8, -0.6]]))
    with pytest.raises(ValueError, match='the dictionary has 1 signs; a threshold is fitted on two or more'):
        signs.calibrate()
    signs.add('north', np.array([[0.0, 1.0]]))
    # see test_leave_one_out_by_hand
    assert signs.calibrate() == dict(threshold=pytest.approx(0), auroc=1.0, kept=1.0)
    signs.add('slanted', np.array([[0.6, 0.8]]))
    signs.save(tmp_path / 'signs')
    assert SignDictionary.load(tmp_path / 'signs').threshold == pytest.approx(0.8)


def outputs(logits, odds=None, labels=None):
    logits = np.asarray(logits, np.float64)
    labels = logits.argmax(1) if labels is None else np.asarray(labels)
    return Outputs(logits, None if odds is None else np.asarray(odds, np.float64), logits[:, :2], labels)


def test_fit():
    known = outputs([[4.0, 0], [3, 0], [0, 2], [0, 5]], [3.0, 2, 1, -1], [0, 0, 1, 0])
    unknown = dict(
        glosses=outputs([[1.0, 0], [0, 1]] * 10, [-2.0, 0.5] * 10), rest=outputs([[9.0, 0]] * 20, [-3.0] * 20)
    )
    fitted = fit_rejection(known, unknown, 0.5)
    # rest has a large probability, but no odds
    assert fitted.method == 'known_odds' and fitted.false_answers == 0.5
    # half of the 20 glosses have odds of 0.5: none of these may pass; of rest all have less
    assert fitted.threshold == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert fit_rejection(known, unknown, 0.45).threshold == pytest.approx(1 / (1 + np.exp(0.5)))
    figures = calibration_figures(known, unknown, fit_rejection(known, unknown, 0.0))
    assert figures['kept'] == 0.75 and figures['right'] == 1
    assert figures['false_answers'] == dict(glosses=0, rest=0)
    assert figures['nll'] <= figures['nll_before']
    table = compare_scores(known, unknown, known, fitted.temperature)
    assert table['known_odds']['rest'] == dict(auroc=1.0, kept=1.0, clips=20)
    assert table['max_logit']['rest']['auroc'] == 0 and len(table) == 7
    plain = outputs(known.logits)
    assert fit_rejection(plain, dict(rest=unknown['rest'])).method == 'max_probability'
    with pytest.raises(
        ValueError, match="method 'known_odds': this model has max_probability; known_odds needs"
    ):
        fit_rejection(plain, unknown, method='known_odds')


@pytest.fixture(scope='module')
def distance_model(house, tmp_path_factory):
    """The narrow recogniser with a distance that is not fitted yet: config, checkpoint."""
    folder = tmp_path_factory.mktemp('distance')
    config = Config.fromfile(house['recogniser'][0])
    config.model.head.distance = True
    config.dump(folder / 'distance.py')
    torch.manual_seed(3)
    old = load_checkpoint_file(house['recogniser'][1])
    path = folder / 'distance.pth'
    torch.save(dict(meta=old['meta'], state_dict=MODELS.build(config.model).state_dict()), path)
    return str(folder / 'distance.py'), path


def test_the_distance_is_the_mahalanobis_distance_of_the_training_clips(distance_model):
    model = init_model(*distance_model)
    random = np.random.RandomState(0)
    features = random.normal(size=(40, model.head.in_channels)).astype(np.float32)
    labels = np.arange(40) % len(GLOSSES)
    trained = Outputs(np.zeros((40, len(GLOSSES))), None, features, labels)
    fitted = fit_distance(model, trained)
    assert set(fitted) == {'head.whitened_mean', 'head.whitening', 'head.distance_scale'}
    assert all(torch.equal(model.state_dict()[name], value) for name, value in fitted.items())
    # One token a clip: the mean token is the clip's feature.
    tokens = torch.from_numpy(features)[:, None, None].expand(-1, 1, 2, -1)
    logits, _ = model.head(tokens, torch.ones(40, 1, 2, dtype=torch.bool))
    distance = -model.split_unknown(logits)[1].detach().numpy()
    expected = np.sqrt(-mahalanobis(features.astype(np.float64), features, labels, len(GLOSSES)))
    assert distance == pytest.approx((expected - expected.mean()) / expected.std(), abs=1e-3)
    with pytest.raises(ValueError, match='class 0 has no clip'):
        fit_distance(model, trained._replace(labels=np.ones(40, int)))


@pytest.mark.parametrize('kind', ['open_model', 'distance_model'])
def test_the_tool(kind, house, request, tmp_path, root, monkeypatch, capsys):
    config, checkpoint = request.getfixturevalue(kind)
    with PoseStoreWriter(tmp_path / 'all', 'sign_49', [*GLOSSES, 'a', 'b', 'c', 'd', 'e']) as writer:
        for index in range(36):
            writer.add(
                poses(10, index),
                index % 9,
                'val' if index < 18 else 'train',
                f'v{index}',
                width=640,
                height=480,
            )
        writer.close()
    out, figures = tmp_path / 'calibrated.pth', tmp_path / 'figures.json'
    arguments = [config, checkpoint, out, '--unknown', tmp_path / 'all', '--json', figures]
    arguments += ['--known', tmp_path / 'known', '--parts', '1', '--part', '0', '--false-answers', '0.25']
    with PoseStoreWriter(tmp_path / 'known', 'sign_49', GLOSSES) as writer:
        for index in range(24):
            writer.add(
                poses(9, 50 + index),
                # Training clips without a label take no part.
                -1 if index in (4, 5) else index % 4,
                ('val', 'train')[index // 4 % 2],
                f'k{index}',
                width=640,
                height=480,
            )
        writer.close()
    monkeypatch.setattr(sys, 'argv', ['calibrate.py', *map(str, arguments)])
    runpy.run_path(str(root / 'tools' / 'analysis_tools' / 'calibrate.py'), run_name='__main__')
    text = capsys.readouterr().out
    assert '12 known clips of val; unknown, of train: 10 glosses, 10 rest, 10 transition' in text
    assert 'known_odds' in text and f'written: {out}' in text
    values = json.loads(figures.read_text())
    content = load_checkpoint_file(out)
    assert content['meta']['rejection'] == values['rejection'] and 'optimizer' not in content
    assert content['meta']['glosses'] == GLOSSES
    assert values['rejection']['false_answers'] == 0.25
    inferencer = SignInferencer(config, out)
    assert inferencer.backend.rejection == Rejection(**values['rejection'])
    if kind == 'distance_model':
        assert inferencer.backend.model.head.distance_scale[1] != 1
