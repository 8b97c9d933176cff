"""What a published checkpoint says of itself."""

import re

_VERSIONS = ('mmengine_version', 'signbert_mm_version', 'signbert_mm_git')
# Entries of ``meta`` that are published.
META = (
    'glosses',
    'layout',
    'extractor',
    'fps',
    'rejection',
    'dataset_meta',
    'cfg',
    'epoch',
    'iter',
    'seed',
    *_VERSIONS,
)
# Lines of the config that name folders and files of the training machine.
_RUN_SETTINGS = re.compile(r'^(work_dir|load_from|resume|experiment_name|launcher) = .*\n?', re.MULTILINE)


def published_meta(meta: dict) -> dict:
    """The published part of a checkpoint's ``meta``: :data:`META`, without folders of this machine."""
    public = {name: meta[name] for name in META if name in meta}
    if isinstance(public.get('cfg'), str):
        public['cfg'] = _RUN_SETTINGS.sub('', public['cfg'])
    data = public.get('dataset_meta')
    if isinstance(data, dict) and isinstance(data.get('coverage'), list):
        public['dataset_meta'] = dict(
            data,
            coverage=[
                {key: value for key, value in row.items() if key != 'folder'} for row in data['coverage']
            ],
        )
    return public
