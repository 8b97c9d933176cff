"""What pip installs: nothing heavy without an extra, and nothing in versions that were never tried."""

import pytest

requirements = pytest.importorskip('packaging.requirements', reason='packaging is not installed')


def read(root, name):
    lines = (root / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
    rows = [requirements.Requirement(line.split('#')[0]) for line in lines if line.split('#')[0].strip()]
    return {row.name: row for row in rows}


def test_the_package_alone_needs_numpy_and_an_exported_model_onnxruntime(root):
    assert set(read(root, 'base')) == {'numpy'} and set(read(root, 'onnx')) == {'onnxruntime'}
    text = (root / 'setup.py').read_text(encoding='utf-8')
    assert "install_requires=requirements('base')" in text and "'onnx': requirements('onnx')," in text
    assert 'torch' not in read(root, 'extract')


@pytest.mark.parametrize(
    'file, name, taken, refused',
    [
        ('base', 'numpy', '2.2.0', '3.0.0'),
        ('onnx', 'onnxruntime', '1.31.1', '2.0.0'),
        ('train', 'torch', '2.13.0', '2.14.1'),
        ('train', 'opencv-python', '4.11.0.86', '5.0.0'),
        ('extract', 'opencv-python-headless', '4.11.0.86', '5.0.0'),
        ('extract', 'numpy', '1.26.4', '2.0.0'),
        ('mediapipe_tasks', 'mediapipe', '0.10.33', '0.10.35'),
    ],
)
def test_bounds(root, file, name, taken, refused):
    bounds = read(root, file)[name].specifier
    assert bounds.contains(taken) and not bounds.contains(refused)


def test_numpy_1_is_asked_for_only_where_it_has_wheels(root):
    numpy = read(root, 'extract')['numpy']
    assert numpy.marker.evaluate({'python_version': '3.12'})
    assert not numpy.marker.evaluate({'python_version': '3.13'})
    assert 'numpy==1.26.4; python_version < "3.13"' in (root / 'constraints.txt').read_text(encoding='utf-8')


def test_the_tasks_take_any_numpy_and_python_3_9_gets_its_last_torch(root):
    assert not {'numpy', 'protobuf'} & set(read(root, 'extract_tasks'))
    pins = [
        requirements.Requirement(line)
        for line in (root / 'constraints.txt').read_text(encoding='utf-8').splitlines()
        if line.startswith('torch==')
    ]
    for python, version in (('3.9', '2.8.0'), ('3.10', '2.13.0'), ('3.11', '2.13.0'), ('3.13', '2.13.0')):
        taken = [pin for pin in pins if pin.marker.evaluate({'python_version': python})]
        assert [str(pin.specifier) for pin in taken] == [f'=={version}']
        assert read(root, 'train')['torch'].specifier.contains(version)
