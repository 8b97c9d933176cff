"""Each workaround: it is needed (or skipped where the package is absent), and it works.

Those that change imports run in processes of their own.
"""

import importlib.util
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config

from signbert_mm import compat
from signbert_mm.compat import machine, openmmlab
from signbert_mm.compat import mmengine as compat_mmengine

OPENMMLAB = all(
    importlib.util.find_spec(name)
    for name in ('mmpose', 'mmaction', 'mmdet', 'xtcocotools', 'json_tricks', 'munkres', 'einops')
)


def python(code, root, *path, expect=0):
    environment = dict(
        os.environ, PYTHONPATH=os.pathsep.join([*map(str, path), str(root)]), OMP_NUM_THREADS='1'
    )
    out = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert out.returncode == expect, out.stderr[-3000:]
    return out.stdout


def test_importing_the_package_is_light(root):
    assert (
        python(
            'import sys, signbert_mm; from signbert_mm import compat; print("torch" in sys.modules, '
            '"mmengine" in sys.modules)',
            root,
        )
        == 'False False\n'
    )


@pytest.mark.skipif(
    not OPENMMLAB, reason='mmpose, mmaction2, mmdet or their needs are not installed (make install)'
)
def test_mmpose_and_mmaction_import_and_work(root):
    """mmcv ops, the drn folder, simcc_vis, the RTMPose config: one process, since it costs seconds."""
    code = """
import os, torch, mmengine
from signbert_mm import compat
lite = compat.patch_mmcv_ops()
assert not compat.patch_mmcv_ops(), 'the second time there is nothing to patch'
mmpose, mmaction = compat.import_mmpose(), compat.import_mmaction()
assert compat.import_mmpose() is mmpose
if lite:
    from mmcv.ops import nms, DeformConv2d
    try:
        nms(torch.rand(2, 4), torch.rand(2), 0.5)
        raise SystemExit('nms ran without its operator')
    except NotImplementedError as error:
        assert 'mmcv.ops.nms' in str(error) and 'full mmcv' in str(error), error
from mmaction.models import STGCN, localizers
try:
    localizers.DRN()
except NotImplementedError as error:
    assert '#2714' in str(error)
except TypeError:
    pass  # the real one
from mmaction.registry import MODELS
assert MODELS.build(dict(type='STGCN', graph_cfg=dict(layout='coco', mode='stgcn_spatial'),
    base_channels=8, num_stages=2)) is not None
from mmpose.apis import init_model
configs = os.path.join(os.path.dirname(mmpose.__file__), '.mim/configs')
folder = os.path.join(configs, 'wholebody_2d_keypoint/rtmpose/coco-wholebody')
cfg = mmengine.Config.fromfile(os.path.join(folder, 'rtmpose-m_8xb64-270e_coco-wholebody-256x192.py'))
assert cfg.model.backbone.init_cfg is not None and cfg.model.backbone._scope_ == 'mmdet'
compat.patch_rtmpose_config(cfg)
assert cfg.model.backbone.init_cfg is None
model = init_model(cfg, device='cpu')
print(sum(p.numel() for p in model.parameters()))
"""
    assert 17e6 < int(python(code, root).splitlines()[-1]) < 19e6


def fake_torchvision(folder):
    """What a torchvision of another build does when it is imported beside a CPU torch."""
    package = folder / 'torchvision'
    package.mkdir()
    (package / '__init__.py').write_text("from . import _meta_registrations\n__version__ = '0'\n")
    (package / '_meta_registrations.py').write_text(
        'import torch\n\n\n@torch.library.register_fake("torchvision::nms")\ndef meta_nms(dets, scores, '
        'iou_threshold):\n    return dets\n\n\n'
        '@torch.library.register_fake("torchvision::qnms")\ndef meta_qnms(dets, scores, iou_threshold):\n    '
        'return dets\n'
    )
    (package / '_C.so').write_bytes(b'not for this machine')


def test_torchvision_of_another_build(root, tmp_path):
    fake_torchvision(tmp_path)
    assert 'torchvision::nms does not exist' in python(
        'try:\n    import torchvision\nexcept RuntimeError as error:\n    print(error)', root, tmp_path
    )
    code = (
        'from signbert_mm import compat\nprint(compat.patch_torchvision_ops())\nimport '
        'torchvision\nprint(compat.patch_torchvision_ops())'
    )
    assert python(code, root, tmp_path) == 'True\nFalse\n'


def test_torchvision_absent_is_left_alone(monkeypatch):
    monkeypatch.setattr(openmmlab, '_missing', lambda name: True)
    monkeypatch.delitem(sys.modules, 'torchvision', raising=False)
    assert compat.patch_torchvision_ops() is False


def test_absent_packages_say_how_to_install(monkeypatch):
    monkeypatch.setattr(openmmlab, '_missing', lambda name: True)
    with pytest.raises(ModuleNotFoundError, match='mmpose is not installed: run `make install`'):
        compat.import_mmpose()
    with pytest.raises(ModuleNotFoundError, match='mmaction2 is not installed'):
        compat.import_mmaction()


def test_foreign_scopes_are_imported_where_a_config_names_them(monkeypatch):
    called = []
    monkeypatch.setattr(openmmlab, 'import_mmpose', lambda: called.append('mmpose'))
    monkeypatch.setattr(openmmlab, 'import_mmaction', lambda: called.append('mmaction'))
    compat.import_foreign_scopes("model = dict(type='SignBERT', name='from mmaction.models')")
    assert called == []
    compat.import_foreign_scopes(
        "model = dict(backbone=dict(type='mmaction.STGCN'), pose=dict(type='mmpose.TopdownPoseEstimator'))"
    )
    assert sorted(called) == ['mmaction', 'mmpose']


@pytest.mark.parametrize('width, expected', [(512, 512), (256, 256), (None, 1)])
def test_cache_of_compiled_graphs_knows_the_vector_instructions(monkeypatch, width, expected):
    from torch._inductor import config, cpu_vec_isa

    isa = SimpleNamespace(bit_width=lambda: width) if width else cpu_vec_isa.invalid_vec_isa
    monkeypatch.setattr(cpu_vec_isa, 'pick_vec_isa', lambda: isa)
    with config.patch({'cpp.simdlen': None}):
        before = config.save_config_portable()
        assert compat.patch_inductor_cache() and config.cpp.simdlen == expected
        assert config.save_config_portable() != before  # what the key of the cache is made of
    with config.patch({'cpp.simdlen': 128}):
        assert not compat.patch_inductor_cache() and config.cpp.simdlen == 128


class TestCheckpointLoading:
    @pytest.fixture
    def payload(self, tmp_path):
        class Payload:
            def __reduce__(self):
                return os.mkdir, (str(tmp_path / 'witness'),)

        torch.save(dict(state_dict=Payload()), tmp_path / 'evil.pth')
        return tmp_path / 'evil.pth'

    def test_every_way_into_mmengine(self, payload, monkeypatch, tmp_path):
        """A local path, one from the web (mmengine reads those with ``weights_only=False``) and
        ``init_cfg=dict(type='Pretrained')``.
        """
        from mmengine.model import BaseModule
        from mmengine.runner import CheckpointLoader, load_checkpoint

        from signbert_mm.engine import CheckpointError

        assert compat.patch_checkpoint_loading() is False  # done when the engine was imported
        hub = tmp_path / 'hub'
        (hub / 'checkpoints').mkdir(parents=True)
        payload.rename(hub / 'checkpoints' / 'evil.pth')
        monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(hub))
        local = str(hub / 'checkpoints' / 'evil.pth')

        class Net(BaseModule):
            def __init__(self, source):
                super().__init__(init_cfg=dict(type='Pretrained', checkpoint=source))

        for source in (local, 'https://example.org/models/evil.pth', 'http://example.org/evil.pth?raw=true'):
            for load in (
                CheckpointLoader.load_checkpoint,
                lambda s: load_checkpoint(torch.nn.Linear(1, 1), s),
                lambda s: Net(s).init_weights(),
            ):
                with pytest.raises(CheckpointError, match=r'evil\.pth is refused'):
                    load(source)
        assert not (tmp_path / 'witness').exists()

    def test_what_it_says_goes_to_the_logger(self, tmp_path, capsys):
        from mmengine.logging import MMLogger
        from mmengine.runner import Runner

        assert compat.log_state_differences() is False  # done when the engine was imported
        torch.save(dict(state_dict=dict(weight=torch.ones(1, 1), old=torch.ones(1))), tmp_path / 'w.pth')
        options = dict(model=torch.nn.Linear(1, 1), work_dir=str(tmp_path), cfg=Config())
        runner = Runner(**options, experiment_name='says')
        runner.load_checkpoint(str(tmp_path / 'w.pth'))
        (log,) = tmp_path.glob('*/*.log')
        assert 'unexpected key in source state_dict: old' in log.read_text()
        assert 'Loads checkpoint by local backend' in log.read_text()
        runner = Runner(**options, experiment_name='says_nothing', log_level='ERROR')
        capsys.readouterr()
        runner.load_checkpoint(str(tmp_path / 'w.pth'))
        assert capsys.readouterr() == ('', '')
        assert MMLogger.get_current_instance() is runner.logger
        assert float(runner.model.weight.item()) == 1

    def test_a_download_is_kept(self, monkeypatch, tmp_path):
        from mmengine.runner import CheckpointLoader

        torch.save(dict(w=torch.ones(1)), tmp_path / 'a.pth')
        monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
        url = (tmp_path / 'a.pth').as_uri()
        path = compat_mmengine._download(url, None, False)
        (tmp_path / 'a.pth').unlink()
        assert compat_mmengine._download(url, None, False) == path and path.startswith(str(tmp_path / 'hub'))
        assert float(CheckpointLoader.load_checkpoint(path)['w']) == 1


class TestProcessesWithoutGpu:
    def test_wrapper_config(self):
        assert compat.cpu_wrapper_cfg(Config(dict()))['device_ids'] is None
        cfg = compat.cpu_wrapper_cfg(
            Config(dict(find_unused_parameters=True, model_wrapper_cfg=dict(static_graph=True)))
        )
        assert cfg == dict(
            type='MMDistributedDataParallel',
            broadcast_buffers=False,
            find_unused_parameters=True,
            static_graph=True,
            device_ids=None,
        )

    @pytest.mark.parametrize(
        'launcher, environment',
        [
            ('pytorch', dict(RANK='0', WORLD_SIZE='1', LOCAL_RANK='0', MASTER_ADDR='127.0.0.1')),
            (
                'slurm',
                dict(
                    SLURM_PROCID='0',
                    SLURM_NTASKS='1',
                    SLURM_LOCALID='0',
                    SLURM_NODELIST='localhost',
                    MASTER_ADDR='127.0.0.1',
                ),
            ),
            (
                'mpi',
                dict(
                    OMPI_COMM_WORLD_RANK='0',
                    OMPI_COMM_WORLD_SIZE='1',
                    OMPI_COMM_WORLD_LOCAL_RANK='0',
                    MASTER_ADDR='127.0.0.1',
                ),
            ),
        ],
    )
    def test_group_of_each_launcher(self, monkeypatch, launcher, environment):
        import torch.distributed as dist

        for key in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT'):
            monkeypatch.setenv(key, '')  # so that the values set below are undone
            monkeypatch.delenv(key)
        for key, value in environment.items():
            monkeypatch.setenv(key, value)
        monkeypatch.setenv('MASTER_PORT', '0')
        compat.init_cpu_group(launcher)
        try:
            assert (
                dist.get_backend() == 'gloo'
                and dist.get_world_size() == 1
                and os.environ['LOCAL_RANK'] == '0'
            )
            compat.init_cpu_group(launcher)  # there already
        finally:
            dist.destroy_process_group()

    def test_environment_is_missing(self, monkeypatch):
        for key in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT'):
            monkeypatch.setenv(key, '')
            monkeypatch.delenv(key)
        with pytest.raises(RuntimeError, match='without RANK, WORLD_SIZE.*dist_train.sh'):
            compat.init_cpu_group('pytorch')
        with pytest.raises(ValueError, match='launcher must be'):
            compat.init_cpu_group('ray')


class TestKeepLargeBlocks:
    def test_does_its_work_on_glibc_and_nothing_elsewhere(self, monkeypatch):
        monkeypatch.delenv('MALLOC_MMAP_THRESHOLD_', raising=False)
        monkeypatch.setattr(sys, 'platform', 'darwin')
        assert not compat.keep_large_blocks()
        monkeypatch.setattr(sys, 'platform', 'linux')
        monkeypatch.setattr(machine.platform, 'libc_ver', lambda: ('', ''))  # musl
        assert not compat.keep_large_blocks()

    def test_the_environment_wins(self, monkeypatch):
        monkeypatch.setenv('MALLOC_MMAP_THRESHOLD_', '65536')
        assert not compat.keep_large_blocks()

    def test_large_tensors_are_not_mapped_anew(self):
        """In a fresh process: after some first ones (malloc keeps the scraps of each apart for a while), a
        tensor of 64 MB costs no page faults.
        """
        script = (
            'import resource, torch\n'
            'from signbert_mm.compat import keep_large_blocks\n'
            'print(int(keep_large_blocks()))\n'
            'faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n'
            'for _ in range(20):\n'
            '    torch.ones(1 << 24)\n'
            'before = faults()\n'
            'torch.ones(1 << 24)\n'
            'print(faults() - before)\n'
        )
        if sys.platform != 'linux' or machine.platform.libc_ver()[0] != 'glibc':
            pytest.skip('not Linux with glibc')
        environment = {key: value for key, value in os.environ.items() if key != 'MALLOC_MMAP_THRESHOLD_'}
        out = subprocess.run(
            [sys.executable, '-c', script], check=True, capture_output=True, text=True, env=environment
        ).stdout.split()
        if out[0] == '0':
            pytest.skip('this glibc takes no such threshold')
        assert int(out[1]) < 1000  # 16384 pages when mapped anew
