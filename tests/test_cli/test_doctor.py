"""``signbert-mm doctor``: what it says and how it ends."""

import pytest

from signbert_mm import compat
from signbert_mm.cli import doctor
from signbert_mm.errors import UserModuleNotFoundError


@pytest.fixture
def imports(monkeypatch):
    """``imports(absent)``: what can be imported, without importing it."""

    def make(*absent):
        answer = lambda name: ('', 'not installed') if name in absent else ('1.0', '')  # noqa: E731
        monkeypatch.setattr(doctor, 'try_import', answer)
        monkeypatch.setattr(doctor, '_import_extra', answer)

    return make


def test_all_is_well(imports, capsys, tmp_path, monkeypatch):
    imports()
    monkeypatch.chdir(tmp_path)
    assert doctor.doctor() == 0
    said = capsys.readouterr().out
    for name in ('python', 'torch', 'mmengine', 'numpy', 'extract', 'app', 'deploy', 'full', 'device'):
        assert f'OK       {name}' in said
    assert f'OK       writing in {tmp_path}: allowed' in said
    assert said.splitlines()[-1] == 'Next: signbert-mm teach my_videos/ --out my_signs'


def test_an_extra_is_missing(imports, capsys):
    imports('mediapipe')
    assert doctor.doctor() == 0
    said = capsys.readouterr().out
    assert 'MISSING  extract (poses from videos): mediapipe: not installed' in said
    assert 'pip install --no-deps mediapipe==' in said and 'make install-extract' in said


def test_only_extras_that_teaching_does_not_need_are_missing(imports, capsys, monkeypatch, root):
    imports('gradio')
    monkeypatch.setattr(doctor.sys, 'prefix', str(root / '.venv'))
    assert doctor.doctor() == 0
    *_, remark, after = capsys.readouterr().out.splitlines()
    assert remark.startswith('To teach and recognise all is there; ')
    assert after == 'Next: signbert-mm teach my_videos/ --out my_signs'


def test_the_remedy_is_make_where_make_installs(imports, monkeypatch, root, tmp_path):
    imports('gradio')
    extra = (*doctor.EXTRAS[1], lambda *_: None)
    monkeypatch.setattr(doctor.sys, 'prefix', str(tmp_path / '.venv'))
    assert doctor.check_extra(*extra).remedy.endswith('   (in a checkout: make install-app)')
    monkeypatch.setattr(doctor.sys, 'prefix', str(root / '.venv'))
    assert doctor.check_extra(*extra).remedy == 'make install-app'


def test_the_core_is_broken(imports, capsys):
    imports('torch')
    assert doctor.doctor() == 1
    said = capsys.readouterr().out
    assert 'MISSING  torch: not installed' in said and 'extract' not in said
    assert 'OK       onnx (exported models): numpy 1.0, onnxruntime 1.0' in said
    assert 'make install-core' in said.splitlines()[-2] and 'only exported' in said.splitlines()[-1]


def test_neither_the_core_nor_exported_models_run(imports, capsys):
    imports('torch', 'onnxruntime')
    assert doctor.doctor() == 1
    said = capsys.readouterr().out
    assert 'MISSING  onnx (exported models): onnxruntime: not installed' in said
    assert 'no model runs' in said.splitlines()[-1]


def test_pins_are_those_of_the_requirements(root):
    pins = {extra[0]: extra[3] for extra in doctor.EXTRAS}
    for extra, name in (('extract', 'mediapipe'), ('full', 'openmmlab_no_deps')):
        lines = (root / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
        for pin in (line for line in lines if line and not line.startswith('#')):
            assert pin.split('#')[0].strip() in pins[extra]


def test_a_package_of_openmmlab_that_is_absent_is_called_so(monkeypatch):
    def fails():
        raise UserModuleNotFoundError('mmpose is not installed: run `make install`')

    monkeypatch.setattr(compat, 'import_mmpose', fails)
    monkeypatch.setattr(doctor.importlib.util, 'find_spec', lambda name: None)
    assert doctor._import_extra('mmpose') == ('', 'not installed')
    monkeypatch.setattr(doctor.importlib.util, 'find_spec', lambda name: name)
    assert doctor._import_extra('mmpose')[1].startswith('UserModuleNotFoundError: mmpose is not')


def test_a_mediapipe_without_solutions_is_missing(tmp_path, monkeypatch):
    (tmp_path / 'mediapipe.py').write_text('__version__ = "0.10.33"')
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(doctor.sys.modules, 'mediapipe', raising=False)
    version, problem = doctor._import_extra('mediapipe')
    assert version == '' and 'MediaPipe 0.10.33 has no mp.solutions' in problem
    doctor.sys.modules.pop('mediapipe', None)


def test_a_package_that_fails_to_import(tmp_path, monkeypatch):
    (tmp_path / 'broken_package.py').write_text('raise OSError("libx.so: cannot open")')
    monkeypatch.syspath_prepend(str(tmp_path))
    assert doctor.try_import('broken_package') == ('', 'OSError: libx.so: cannot open')
    assert doctor.try_import('absent_package') == ('', 'not installed')
