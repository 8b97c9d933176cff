import pytest

from signbert_mm.engine.runner import build_runner, explain_config_errors, load_config
from signbert_mm.errors import ConfigError

BAD = [
    (dict(model__type='ToyRecogniser'), r"no model of type 'ToyRecogniser'\. Did you mean 'ToyRecognizer'"),
    (dict(model__type='toyrecognizer'), r"Did you mean 'ToyRecognizer'"),
    (
        dict(train_dataloader__dataset__type='ToyDatset'),
        r"no dataset of type 'ToyDatset'\. Did you mean "
        r"'ToyDataset'",
    ),
    (dict(optim_wrapper__optimizer__type='Adamm'), r"no optimizer of type 'Adamm'\. Did you mean .*'Adam'"),
    (dict(optim_wrapper__type='AmpOptimWraper'), r"Did you mean .*'AmpOptimWrapper'"),
    (dict(default_hooks__checkpoint__type='SaveCheckpointHook'), r"Did you mean .*'SafeCheckpointHook'"),
    (dict(train_cfg__type='ResumeableTrainLoop'), r"Did you mean 'ResumableTrainLoop'"),
    (dict(val_evaluator__type='ToyAcuracy'), r"Did you mean 'ToyAccuracy'"),
    (dict(model__num_clases=5), r"ToyRecognizer has no argument 'num_clases'\. Did you mean 'num_classes'"),
    (dict(default_hooks__checkpoint__intervall=5), 'interval'),
    (
        dict(train_dataloader__sampler__shufle=True),
        r"DefaultSampler has no argument 'shufle'\. Did you mean "
        r"'shuffle'",
    ),
    (dict(default_scope='signbert-mm'), r"default_scope='signbert_mm'"),
]


@pytest.mark.parametrize('change, message', BAD, ids=[next(iter(change)) for change, _ in BAD])
def test_a_config_typed_wrong_names_the_cure(toy_runner, change, message):
    with pytest.raises(ConfigError, match=message), explain_config_errors():
        toy_runner(**change).train()


def test_missing_argument(toy_config):
    from signbert_mm.registry import DATA_SAMPLERS

    with (
        pytest.raises(ConfigError, match="DefaultSampler needs the argument 'dataset'.*shuffle"),
        explain_config_errors(),
    ):
        DATA_SAMPLERS.build(dict(type='DefaultSampler'))


VALUES = [
    (
        dict(optim_wrapper__optimizer__lr=-1),
        r'config: Adam\(lr=-1\) cannot be built: ValueError: Inv',
    ),
    (dict(optim_wrapper__optimizer__lr='fast'), r"Adam\(lr='fast'\) cannot be built: TypeError"),
    (dict(optim_wrapper__accumulative_counts=0), r'OptimWrapper\(.*accumulative_counts=0.*: AssertionError'),
    (dict(optim_wrapper__clip_grad=1), r'OptimWrapper\(.*clip_grad=1.*it should be a `dict`'),
    (
        dict(train_dataloader__batch_size='abc'),
        r'DataLoader\(.*batch_size should be a positive integer',
    ),
    (dict(train_cfg__max_epochs='many'), r"ResumableTrainLoop\(.*max_epochs='many'.* cannot be built: "),
    (dict(model__width='wide'), r"ToyRecognizer\(num_classes=4, width='wide'\) cannot be built: TypeError"),
]


@pytest.mark.parametrize('change, message', VALUES, ids=[next(iter(change)) for change, _ in VALUES])
def test_a_wrong_value_names_the_part_and_its_arguments(toy_runner, change, message):
    with pytest.raises(ConfigError, match=message) as caught, explain_config_errors():
        toy_runner(**change).train()
    assert '\n' not in str(caught.value) and caught.value.__cause__ is not None


def test_a_fault_of_what_a_constructor_calls_passes_through():
    from signbert_mm.registry import MODELS

    def build(name):
        # As if they were of this package.
        space = dict(__name__='signbert_mm.toy')
        exec('class Good:\n def __init__(s): s.work()\n def work(s): return {}[0]', space)
        exec('class Bad:\n def __init__(s): {}[0]', space)
        return MODELS.build(dict(type=space[name]))

    with pytest.raises(KeyError), explain_config_errors():
        build('Good')
    with (
        pytest.raises(ConfigError, match=r'Bad\(\) cannot be built: KeyError: 0'),
        explain_config_errors(),
    ):
        build('Bad')


def test_other_errors_pass_through():
    for error in (KeyError('x'), TypeError('f() got an unexpected keyword argument'), KeyError()):
        with pytest.raises(type(error)), explain_config_errors():
            raise error


@pytest.mark.parametrize(
    'key, message',
    [
        ('optim_wraper.optimizer.lr', "no 'optim_wraper'. Did you mean 'optim_wrapper'"),
        ('optim_wrapper.optimiser.lr', "Did you mean 'optim_wrapper.optimizer'"),
        ('param_scheduler.0.start_facter', "Did you mean 'param_scheduler.0.start_factor'"),
        ('model.num_clases', "Did you mean 'model.num_classes'"),
        ('max_epochs', 'nothing would read it. Did you mean train_cfg.max_epochs'),
        ('optimizer.lr', r'Did you mean optim_wrapper\.optimizer\.lr'),
        (
            'batch_size',
            r'Did you mean (val|test)_dataloader\.batch_size or .* or train_dataloader\.batch_size',
        ),
        ('colour', "no 'colour' at its top level, and nothing would read it. Known: "),
    ],
)
def test_options_that_would_be_added_silently(toy_file, key, message):
    with pytest.raises(ConfigError, match=message):
        load_config(toy_file, {key: 1})


def test_options_and_defaults(toy_file):
    cfg = load_config(
        toy_file,
        {
            'model.dropout': 0.5,
            'param_scheduler.0.end': 4,
            'find_unused_parameters': True,
            # No near miss of another key.
            'load_from': 'a.pth',
            'work_dir': 'w',
        },
    )
    assert cfg.model.dropout == 0.5 and cfg.param_scheduler[0]['end'] == 4 and cfg.find_unused_parameters
    assert (cfg.load_from, cfg.work_dir) == ('a.pth', 'w')
    assert load_config(toy_file).work_dir == 'work_dirs/toy_config'


def test_config_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        FileNotFoundError,
        match=r'pretrain_al\.py does not exist.*Did you mean '
        r'configs/.*pretrain_all\.py',
    ):
        load_config('configs/pretrain_al.py')


def test_config_of_the_project_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_config('configs/pretrain_all.py').filename.endswith('pretrain_all.py')


@pytest.mark.parametrize(
    'text, message',
    [
        (
            "val_cfg = dict(type='ValLoop')",
            r'own\.py: val_cfg is a dict, and None in a _base_.*_delete_=True',
        ),
        ('param_scheduler = dict(a=1)', 'own.py: param_scheduler is a dict, and of type list in a _base_'),
        ('n = {{_base_.max_epochs}}', "own.py: {{_base_. .. }} asks for 'max_epochs', which no file"),
        ('model = dict(', r"own\.py, line 2: '\(' was never closed"),
        ('n = 1\nmodel = dict(num_classes=m)', "own.py, line 3: NameError: name 'm' is not defined"),
        (
            "_base_ = ['./base.py', './twin.py']",
            r'own\.py: two files of a _base_ set the same keys: val_cfg\.',
        ),
        ("_base_ = './own.py'", 'own.py: its _base_ leads back to itself'),
    ],
)
def test_a_config_that_cannot_be_read_is_one_line(tmp_path, text, message):
    (tmp_path / 'base.py').write_text('val_cfg = None\nparam_scheduler = []\n')
    (tmp_path / 'twin.py').write_text('val_cfg = None\n')
    config = tmp_path / 'own.py'
    config.write_text(text if text.startswith('_base_') else f"_base_ = './base.py'\n{text}\n")
    with pytest.raises(ConfigError, match=message):
        load_config(str(config))


def test_a_base_that_fails_is_named_with_its_line(tmp_path):
    (tmp_path / 'base.py').write_text('a = 1\nb = 1 // 0\n')
    (tmp_path / 'own.py').write_text("_base_ = './base.py'\n")
    with pytest.raises(ConfigError, match='base.py, line 2: ZeroDivisionError: '):
        load_config(str(tmp_path / 'own.py'))


@pytest.mark.parametrize(
    'absent, training, message',
    [
        ('model', False, r'config \S+toy_config\.py has no model'),
        ('optim_wrapper', True, 'train_cfg, optim_wrapper go together, and optim_wrapper is not set$'),
        (
            'train_dataloader train_cfg optim_wrapper',
            True,
            'train_dataloader, train_cfg, optim_wrapper is not',
        ),
        ('val_cfg', True, 'val_evaluator go together, and val_cfg is not set; or set none of the three'),
    ],
)
def test_parts_that_go_together(toy_config, absent, training, message):
    cfg = toy_config(**dict.fromkeys(absent.split()))
    with pytest.raises(ConfigError, match=message):
        build_runner(cfg, training)


def test_a_config_that_only_tests_needs_no_training(toy_config):
    train = dict.fromkeys(['train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler'])
    assert 'acc' in str(build_runner(toy_config(**train), training=False).test())
