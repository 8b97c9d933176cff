"""A config typed wrong in many ways: each ends in one message that names the cure. docs/faq.md shows them."""

import pytest

MISTAKES = dict(
    # what the user typed wrong: which model, lines added to the config, options of tools/train.py, what the
    # message says
    type_of_model=(
        'pretrain',
        "model['type'] = 'SignBert'",
        [],
        r"no model of type 'SignBert'\. Did you "
        r"mean 'SignBERT'",
    ),
    type_of_part=(
        'pretrain',
        "model['backbone']['type'] = 'HandTransfomer'",
        [],
        r"'HandTransfomer'\. Did you mean 'HandTransformer'",
    ),
    type_of_transform=(
        'recognise',
        "train_dataloader['dataset']['pipeline'][0]['type'] = 'RandomTemporalSampel'",
        [],
        r"no transform of type 'RandomTemporalSampel'\. Did you mean .*'RandomTemporalSample'",
    ),
    type_of_hook=(
        'recognise',
        "custom_hooks.append(dict(type='EmaHook'))",
        [],
        r"no hook of type 'EmaHook'\. Did you mean 'EMAHook'",
    ),
    type_of_optimizer=(
        'recognise',
        "optim_wrapper = dict(optimizer=dict(type='Adm'))",
        [],
        r"no optimizer of type 'Adm'\. Did you mean .*'Adam'",
    ),
    type_of_dataset=(
        'recognise',
        "train_dataloader['dataset']['type'] = 'PoseDataSet'",
        [],
        r"of type 'PoseDataSet'\. Did you mean 'PoseDataset'",
    ),
    type_of_metric=(
        'recognise',
        "val_evaluator = dict(type='Accuracy')",
        [],
        r"no metric of type 'Accuracy'\. Did you mean .*'SignAccuracy'",
    ),
    argument=(
        'recognise',
        "model['head']['drop_out'] = 0.1",
        [],
        r"SignHead has no argument 'drop_out'\. "
        r"Did you mean 'dropout'",
    ),
    num_classes=(
        'recognise',
        "model['head']['num_classes'] = 3",
        [],
        r'model\.head\.num_classes is 3, but the data of train_dataloader has 4 glosses\. .*--cfg-options '
        r'model\.head\.num_classes=4',
    ),
    in_channels=(
        'recognise',
        "model['head']['in_channels'] = 512",
        [],
        r'model\.backbone gives tokens of width 16, but model\.head\.in_channels is 512\. Set both to one '
        r'width',
    ),
    embed_dims=(
        'pretrain',
        "model['backbone']['embed_dims'] = 32",
        [],
        r'model\.embedder gives tokens of width 16, but model\.backbone\.embed_dims is 32',
    ),
    folder=(
        'recognise',
        "train_dataloader['dataset'].update(store='data/absent', prepare='python make.py data/absent')",
        [],
        r'data/absent: no such folder\. Prepare the data set with: python make\.py data/absent; or correct '
        r'`store`',
    ),
    split=(
        'recognise',
        "train_dataloader['dataset']['split'] = 'training'",
        [],
        r"split \['training'\] has no clips; splits there: {'train': 8, 'test': 4}",
    ),
    layout=(
        'recognise',
        "train_dataloader['dataset']['layout'] = 'mediapipe_holistic'",
        [],
        r"RandomFlip \(its layout and the data set's must be the same\): 75 joints found, but layout "
        r"'sign_49' has 49; layouts with 75 .*: mediapipe",
    ),
    unknown_layout=(
        'recognise',
        "train_dataloader['dataset']['layout'] = 'coco_133'",
        [],
        r"unknown layout 'coco_133'; known: coco_wholebody_133",
    ),
    no_mask=(
        'pretrain',
        "model['data_preprocessor'] = dict(train_pipeline=[dict(type=t) for t in ('HandCrop', "
        "'MirrorLeftHand', 'ZeroMissing')])",
        [],
        r"SignBERT: the batch is not masked .*dict\(type='MaskHandTokens'\), dict\(type='ZeroMissing'\)",
    ),
    no_crop=(
        'recognise',
        "model['data_preprocessor'] = dict(train_pipeline=[])",
        [],
        r"the batch has no `hands`\. .*dict\(type='HandCrop', layout=",
    ),
    no_labels=(
        'recognise',
        "train_dataloader['dataset'] = dict(type='ConcatPoseDataset', "
        "datasets=[train_dataloader['dataset']])",
        [],
        r'train_dataloader: 8 of 8 clips have no label.*keep_labels=True',
    ),
    option=(
        'recognise',
        '',
        ['--cfg-options', 'optim_wrapper.optimzer.lr=0.1'],
        r"no 'optim_wrapper\.optimzer'\. Did you mean 'optim_wrapper\.optimizer'",
    ),
    frozen=(
        'recognise',
        "model['frozen'] = ['embedder', 'backbone']",
        [],
        r"model\.frozen=\('embedder', 'backbone'\) keeps encoders as they are, .* Give them: "
        r'.*load_from=PRETRAINED\.pth; .*random_frozen=True',
    ),
    load_from=(
        'recognise',
        '',
        ['--cfg-options', 'load_from=work_dirs/x/epoch_60.pth'],
        r'checkpoint work_dirs/x/epoch_60\.pth does not exist; check the path',
    ),
    scale_lr=(
        'recognise',
        'auto_scale_lr = None',
        ['--auto-scale-lr'],
        r'the config states no auto_scale_lr=dict\(base_batch_size=\.\.\.\)',
    ),
)


@pytest.mark.parametrize('kind, text, options, message', MISTAKES.values(), ids=MISTAKES)
def test_a_config_typed_wrong(make_store, make_config, expect, kind, text, options, message):
    make_store(train=8, test=4)
    said = expect(message, 'train.py', make_config(kind, 'store', f'{text}\n'), '--work-dir', 'w', *options)
    assert 'Traceback' not in said


def test_checkpoint_of_another_class_count(run_tool, make_store, make_config, expect):
    store = make_store(train=8, test=4)
    run_tool(
        'train.py',
        make_config('recognise', store),
        '--work-dir',
        'w',
        '--no-validate',
        '--cfg-options',
        'train_cfg.max_epochs=1',
    )
    make_store(train=8, test=5, glosses=5, name='five')
    five = make_config('recognise', 'five', "model['head']['num_classes'] = 5\n")
    message = (
        r'checkpoint w/epoch_1\.pth has 4 classes and the model has 5 \(head\.classifier\.weight, '
        r'head\.classifier\.bias\)\. '
    )
    expect(
        message + r'Use the config it was trained with, or set model\.head\.num_classes=4',
        'test.py',
        five,
        'w/epoch_1.pth',
    )
    expect(
        message + r'.*default_hooks\.load_report\.new_head=True',
        'train.py',
        five,
        '--cfg-options',
        'load_from=w/epoch_1.pth',
    )
    run_tool(
        'train.py',
        five,
        '--no-validate',
        '--cfg-options',
        'load_from=w/epoch_1.pth',
        'default_hooks.load_report.new_head=True',
    )


@pytest.mark.parametrize('place', ['itself', 'base'])
def test_a_config_that_is_not_plain_utf8_is_refused_in_one_line(tmp_path, place):
    from signbert_mm.engine.runner import load_config
    from signbert_mm.errors import ConfigError

    base, config = tmp_path / 'base.py', tmp_path / 'config.py'
    base.write_text("a = 1\n_base_ = ['./config.py']\n" if place == 'itself' else 'a = 1\n')
    config.write_text("_base_ = ['./base.py']\nb = 2\n")
    changed = config if place == 'itself' else base
    text = changed.read_text()
    changed.write_bytes(b'\xef\xbb\xbf' + text.encode())
    with pytest.raises(ConfigError, match=f'{changed.name}: begins with a byte order mark'):
        load_config(str(config))
    changed.write_bytes(text.encode() + b'# caf\xe9\n')
    with pytest.raises(ConfigError, match=f'{changed.name}: not UTF-8 text .line [23],'):
        load_config(str(config))
