"""Package of signbert_mm: the library, its console command, and its configs, tools, demos and projects under
``signbert_mm/.mim``, where OpenMMLab's ``mim`` and the console command look for them.
"""

import os
import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
MIM = ('configs', 'tools', 'demo', 'projects', 'model-index.yml')


def requirements(name):
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
    return [line.split('#')[0].strip() for line in lines if line.split('#')[0].strip()]


def version():
    return re.search(
        r"__version__ = '(.+)'", (ROOT / 'signbert_mm' / 'version.py').read_text(encoding='utf-8')
    ).group(1)


class BuildWithMim(build_py):
    """Copies configs and tools into the built package; an editable install links to them."""

    def run(self):
        super().run()
        editable = getattr(self, 'editable_mode', False)
        target = (ROOT if editable else Path(self.build_lib)) / 'signbert_mm' / '.mim'
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in MIM:
            source = ROOT / name
            if not source.exists():
                continue
            if editable:
                os.symlink(os.path.relpath(source, target), target / name)
            elif source.is_dir():
                shutil.copytree(source, target / name, ignore=shutil.ignore_patterns('__pycache__', '*.pyc'))
            else:
                shutil.copy2(source, target / name)


readme = ROOT / 'README.md'
train = requirements('train')
core, pose, dev = train + requirements('mmcv'), requirements('pose'), requirements('dev')
extract, full = requirements('extract'), core + pose + requirements('openmmlab')
setup(
    name='signbert_mm',
    version=version(),
    description='Self-supervised sign language recognition from poses, on mmengine',
    long_description=readme.read_text(encoding='utf-8') if readme.exists() else '',
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(include=['signbert_mm', 'signbert_mm.*']),
    package_data={'signbert_mm': ['**/*.npz', '**/*.json', '**/*.txt', '**/*.csv', 'weights/*']},
    include_package_data=True,
    python_requires='>=3.9',
    # Running an exported model needs no torch, so torch comes with the extras.
    install_requires=requirements('base'),
    extras_require={
        # inference with an exported model, and nothing else
        'onnx': requirements('onnx'),
        'train': train,
        'core': core,
        'pose': pose,
        'mediapipe': requirements('mediapipe'),
        # reading videos, and what MediaPipe needs; MediaPipe itself installs with --no-deps:
        # requirements/mediapipe.txt
        'extract': extract,
        'extract-tasks': requirements('extract_tasks'),
        'app': train + extract + requirements('app'),
        'deploy': train + requirements('deploy'),
        'hub': requirements('hub'),
        'parquet': requirements('parquet'),
        'dev': dev,
        # mmdet, mmpose and mmaction2 themselves install with --no-deps: requirements/openmmlab_no_deps.txt
        'full': full,
        'all': full + dev,
    },
    entry_points=dict(console_scripts=['signbert-mm = signbert_mm.cli.main:main']),
    cmdclass={'build_py': BuildWithMim},
    classifiers=[
        'License :: OSI Approved :: Apache Software License',
        'Programming Language :: Python :: 3',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    zip_safe=False,
)
