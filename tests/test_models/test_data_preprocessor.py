import copy

import pytest
import torch

from signbert_mm.datasets.transforms import (
    Compose,
    HandCrop,
    MaskHandTokens,
    MirrorLeftHand,
    RandomAffine,
    RandomFlip,
    ZeroMissing,
)
from signbert_mm.draws import Draws
from signbert_mm.models import SignDataPreprocessor
from signbert_mm.registry import MODELS, TRANSFORMS

AUGMENT = [dict(type='RandomFlip'), dict(type='RandomAffine')]
CROP = [dict(type='HandCrop'), dict(type='MirrorLeftHand')]
MASK = [dict(type='MaskHandTokens'), dict(type='ZeroMissing')]


def loaded(count=6, frames=4, epoch=2):
    generator = torch.Generator().manual_seed(0)
    keypoints = torch.rand(count, frames, 49, 2, generator=generator) * 400
    scores = torch.rand(count, frames, 49, generator=generator)
    scores[0, :, :42] = 0  # a clip without a hand
    return dict(
        inputs=dict(
            keypoints=keypoints * (scores > 0)[..., None],
            scores=scores,
            length=torch.tensor([frames, 1, *[frames] * (count - 2)]),
            image_size=torch.tensor([[640.0, 480.0]]).repeat(count, 1),
            index=torch.arange(count) + 5,
            epoch=torch.full((count,), epoch),
            label=torch.arange(count),
            frames=torch.arange(frames).repeat(count, 1),
        )
    )


def preprocessor(**changes):
    return SignDataPreprocessor(
        **{**dict(train_pipeline=AUGMENT + CROP + MASK, test_pipeline=CROP + MASK), **changes}
    )


def same(a, b):
    assert set(a) == set(b)
    return all(torch.equal(a[key], b[key]) for key in a)


def test_the_pipelines_are_the_transforms_one_after_the_other():
    data = loaded()
    index = data['inputs']['index']
    train = preprocessor(seed=3)(data, training=True)
    steps = [RandomFlip(), RandomAffine(), HandCrop(), MirrorLeftHand(), MaskHandTokens(), ZeroMissing()]
    assert set(train) == {'inputs', 'data_samples'} and train['data_samples'] is None
    assert same(
        train['inputs'], Compose(steps)(dict(data['inputs']), Draws(3, data['inputs']['epoch'], index))
    )
    test = preprocessor(seed=3)(data)
    assert same(test['inputs'], Compose(steps[2:])(dict(data['inputs']), Draws(0, 0, index)))


def test_the_model_input_is_zero_where_missing_and_the_target_is_whole():
    batch = preprocessor()(loaded(), training=True)['inputs']
    missing = batch['hand_scores'] == 0
    assert not batch['hands'][missing].any() and not batch['target'][missing].any()
    kept = (batch['disturbed'] == 0)[..., None]
    assert torch.equal(batch['hands'] * kept, batch['target'] * kept)
    assert not batch['chosen'][0].any() and not (batch['chosen'] & ~batch['hand_valid']).any()
    assert not batch['hand_valid'][1, 1:].any()


def test_training_draws_follow_seed_and_epoch_and_evaluation_neither():
    model = preprocessor(seed=1)
    first = model(loaded(epoch=0), training=True)['inputs']
    assert same(first, model(loaded(epoch=0), training=True)['inputs'])
    for other in (
        model(loaded(epoch=1), training=True),
        preprocessor(seed=2)(loaded(epoch=0), training=True),
    ):
        assert not torch.equal(other['inputs']['hands'], first['hands'])
    test = model(loaded(epoch=0))['inputs']
    again = preprocessor(seed=9)(loaded(epoch=7))['inputs']
    assert torch.equal(test['hands'], again['hands']) and torch.equal(test['chosen'], again['chosen'])


def test_the_runs_seed_comes_in_where_the_config_gives_none():
    free, fixed = preprocessor(), preprocessor(seed=4)
    for model in (free, fixed):
        model.set_seed(8)
    for model, seed in ((free, 8), (fixed, 4)):
        expected = preprocessor(seed=seed)(loaded(), training=True)['inputs']
        assert torch.equal(model(loaded(), training=True)['inputs']['hands'], expected['hands'])


def test_what_was_loaded_is_not_written_to():
    data = loaded()
    before = {key: value.clone() for key, value in data['inputs'].items()}
    preprocessor()(data, training=True)
    assert same(data['inputs'], before)


def test_a_clip_is_the_same_in_any_batch():
    data = loaded()
    together = preprocessor()(data, training=True)['inputs']
    apart = preprocessor()(
        dict(inputs={key: value[3:4] for key, value in data['inputs'].items()}), training=True
    )['inputs']
    for key in together:
        torch.testing.assert_close(apart[key], together[key][3:4], rtol=1e-5, atol=1e-4)


def test_video_ids_travel_inside():
    data = dict(loaded(), video_id=list('abcdef'))
    assert preprocessor()(data)['inputs']['video_id'] == list('abcdef')


def test_no_graph_is_kept():
    data = loaded()
    data['inputs']['keypoints'].requires_grad_()
    assert not preprocessor()(data, training=True)['inputs']['hands'].requires_grad


def test_it_holds_no_state():
    assert not preprocessor().state_dict()


def test_without_pipelines_it_moves_only():
    assert same(SignDataPreprocessor()(loaded())['inputs'], loaded()['inputs'])


def test_a_transform_of_ones_own():
    @TRANSFORMS.register_module(force=True)
    class Doubled:
        def __call__(self, batch, draws):
            return dict(batch, scores=2 * batch['scores'])

    model = MODELS.build(dict(type='SignDataPreprocessor', train_pipeline=[dict(type='Doubled')]))
    TRANSFORMS.module_dict.pop('Doubled')
    assert torch.equal(model(loaded(), training=True)['inputs']['scores'], 2 * loaded()['inputs']['scores'])
    assert torch.equal(model(loaded())['inputs']['scores'], loaded()['inputs']['scores'])


@pytest.mark.parametrize('training', [True, False])
def test_mixed_precision_leaves_the_batch_as_it_is(training):
    @TRANSFORMS.register_module(force=True)
    class Turned:
        def __call__(self, batch, draws):
            return dict(batch, turned=batch['keypoints'] @ torch.tensor([[0.6, 0.8], [-0.8, 0.6]]))

    steps = [*AUGMENT, dict(type='Turned'), *CROP, *MASK]
    model = preprocessor(train_pipeline=steps, test_pipeline=steps)
    TRANSFORMS.module_dict.pop('Turned')
    expected = model(loaded(), training=training)['inputs']
    with torch.autocast('cpu', dtype=torch.bfloat16):
        got = model(loaded(), training=training)['inputs']
    assert same(got, expected) and got['turned'].dtype is torch.float32


@pytest.mark.parametrize('nested', [False, True])
def test_a_transform_that_forgets_to_return_the_batch(nested):
    class Forgetful:
        def __call__(self, batch, draws):
            batch['scores'] = 2 * batch['scores']

    model = preprocessor(train_pipeline=CROP)
    model.train_pipeline.insert(0, Compose([Forgetful()]) if nested else Forgetful())
    with pytest.raises(TypeError, match='transform Forgetful returned NoneType .*`return batch`'):
        model(loaded(), training=True)


def test_a_typing_error_in_a_pipeline():
    with pytest.raises(KeyError, match='HandCorp'):
        preprocessor(test_pipeline=[dict(type='HandCorp')])


def test_compiled_transforms_give_the_same_batches():
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    plain, compiled = preprocessor(seed=3), preprocessor(seed=3)
    compiled.compile(backend=backend, fullgraph=True, dynamic=False)
    for epoch in range(4):
        assert same(
            compiled(loaded(epoch=epoch), training=True)['inputs'],
            plain(loaded(epoch=epoch), training=True)['inputs'],
        )
        assert len(graphs) == min(epoch, 1)  # the first batch as it is, then one graph for all
    assert same(compiled(loaded())['inputs'], plain(loaded())['inputs']) and len(graphs) == 1
    copied = copy.deepcopy(compiled)
    assert (
        same(
            copied(loaded(count=5), training=True)['inputs'], plain(loaded(count=5), training=True)['inputs']
        )
        and len(graphs) == 1
    )
    compiled.uncompile()
    assert (
        same(
            compiled(loaded(count=5), training=True)['inputs'],
            plain(loaded(count=5), training=True)['inputs'],
        )
        and len(graphs) == 1
    )
