"""model-index.yml and its metafiles: files are there, figures are those that the tools compute, and no result
stands without its data.
"""

import hashlib
import re
from pathlib import Path

import mmengine
import pytest
from source_files import load_file

from signbert_mm.apis import list_models
from signbert_mm.apis.zoo import zoo_models
from signbert_mm.experiments import find_table, load_setting, make_plan
from signbert_mm.files.shipped import WEIGHTS, list_shipped, resolve_shipped

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = zoo_models()
LICENCES = ('Apache-2.0', 'MIT (c) 2022 traduttore', 'MIT (c) 2021 Tam_Tran')
PUBLISHED = [name for name, entry in ENTRIES.items() if entry.get('Weights')]


def as_list(value):
    return value if isinstance(value, list) else [value]


def test_what_the_index_names_is_there():
    files = mmengine.load(ROOT / 'model-index.yml')['Import']
    assert len(set(files)) == len(files) and PUBLISHED
    for file in files:
        content = mmengine.load(ROOT / file)
        collections = {item['Name'] for item in content['Collections']}
        for item in content['Collections']:
            assert (ROOT / item['README']).is_file() and item['Paper']['Title'] and item['Paper']['URL']
        for entry in content['Models']:
            assert entry['In Collection'] in collections, entry['Name']


@pytest.mark.parametrize('name', ENTRIES)
def test_entry(name):
    entry = ENTRIES[name]
    metadata = entry['Metadata']
    assert (ROOT / entry['Config']).is_file() and Path(entry['Config']).stem == name and name in list_models()
    for field in ('Training Time', 'Training Resources', 'Epochs', 'Batch Size', 'Seed', 'Frames'):
        assert metadata[field] not in (None, ''), field
    assert isinstance(metadata['Training Memory (GB)'], float)
    for data in as_list(metadata['Training Data']):
        assert data.endswith(LICENCES) and re.search(r'[\d,]+ clips|labelled clips', data), data
    assert set(entry.get('Downstream') or ()) <= set(ENTRIES)
    for result in entry.get('Results') or ():
        assert result['Task'] and re.search(r'\b(val|test)\b.* clips', result['Dataset']), (
            'a figure without its data and split'
        )
        assert result['Metrics'] and all(
            isinstance(value, float) and 0 <= value <= 100 for value in result['Metrics'].values()
        )
    script = entry['Training Command'].split()[1]
    assert (ROOT / script).is_file()


@pytest.mark.parametrize('name', PUBLISHED)
def test_release_file(name):
    entry = ENTRIES[name]
    recipe = load_file('tools/misc/make_zoo.py').Recipe(entry)
    assert recipe.cfg.filename == str(ROOT / entry['Config']) or Path(recipe.cfg.filename) == Path(
        entry['Config']
    )
    assert recipe.cfg.train_cfg.max_epochs == entry['Metadata']['Epochs']
    assert recipe.cfg.train_dataloader.batch_size == entry['Metadata']['Batch Size']
    assert (recipe.cfg.get('randomness') or {}).get('seed', 0) == entry['Metadata']['Seed']
    digits = re.fullmatch(rf'zoo/{re.escape(name)}-([0-9a-f]{{8}})\.pth', entry['Weights'])[1]
    assert digits != '0' * 8, 'make_zoo.py prints the digits'
    assert entry['Training Log'] == f'zoo/{name}-{digits}.log.json'
    assert '{weights}' in entry['Test Command'] and (ROOT / entry['Test Command'].split()[1]).is_file()


@pytest.mark.parametrize('name', PUBLISHED)
def test_what_a_release_file_starts_from_is_in_the_zoo(name):
    tool = load_file('tools/misc/make_zoo.py')
    recipe = tool.Recipe(ENTRIES[name])
    start = tool.start_recipe(recipe)
    assert bool(start) == bool(recipe.cfg.get('load_from'))
    if start:
        assert name in ENTRIES[start.name]['Downstream']
    recogniser = recipe.cfg.model.type.endswith('Recognizer')
    assert bool(ENTRIES[name]['Metadata'].get('Glosses')) == recogniser, 'a recogniser says what it knows'


def test_the_pool_recogniser_is_the_whole_pool_run_of_the_protocol():
    zoo, table = load_file('tools/misc/make_zoo.py'), find_table('words33')
    recipe = zoo.Recipe(ENTRIES['signbert_d128_finetune_pool'])
    plan = make_plan(table, load_setting(table, 'words33'), [0], columns=['whole pool P-I'])
    run = plan.cells[0, 'whole pool P-I'][0].run
    protocol, config = (zoo.read_plain_config(cfg.pretty_text) for cfg in (run.cfg, recipe.cfg))
    places = {
        place
        for key in {*protocol, *config}
        if not key.startswith('_')
        for place in zoo.differences(protocol.get(key), config.get(key), key)
    }
    # the table's run starts from the encoder that it has trained
    assert places == {'work_dir', 'load_from'}
    assert zoo.start_recipe(recipe).name == run.parent.stem


@pytest.mark.parametrize('name', ENTRIES)
def test_parameters_and_flops(name, run_file):
    metadata = ENTRIES[name]['Metadata']
    out = run_file('tools/analysis_tools')(
        'get_flops', ROOT / ENTRIES[name]['Config'], '--frames', metadata['Frames']
    )
    parameters, operations = (int(number.replace(',', '')) for number in out.splitlines()[-1].split()[1:])
    assert (metadata['Parameters'], metadata['FLOPs']) == (parameters, operations)


def test_the_page_has_the_table():
    page = (ROOT / 'docs' / 'model_zoo.md').read_text(encoding='utf-8')
    load_file('tools/misc/make_zoo.py')
    from zoo_pages import END, START, table

    assert f'{START}\n\n{table(ENTRIES.values())}\n\n{END}' in page, (
        'python tools/misc/make_zoo.py --table docs/model_zoo.md'
    )


SHIPPED_ENTRIES = [name for name, entry in ENTRIES.items() if entry.get('Shipped')]


@pytest.mark.parametrize('name', SHIPPED_ENTRIES)
def test_a_file_of_the_package_is_the_release_file(name):
    entry = ENTRIES[name]
    path = Path(resolve_shipped(f'zoo://{entry["Shipped"]}'))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert Path(entry['Weights']).name == f'{name}-{digest[:8]}.pth'
    assert digest in path.with_suffix('.md').read_text(encoding='utf-8')


@pytest.mark.parametrize('name', SHIPPED_ENTRIES)
def test_weights_of_the_package_were_trained_on_clips_that_allow_it(name):
    for clips in ENTRIES[name]['Metadata']['Training Data']:
        assert re.search(r'; .*(MIT \(c\)|synthetic signs of this project)', clips), clips


def test_weights_of_the_package_are_small_and_all_listed():
    assert sorted(ENTRIES[name]['Shipped'] for name in SHIPPED_ENTRIES) == list_shipped()
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) < 3_000_000
