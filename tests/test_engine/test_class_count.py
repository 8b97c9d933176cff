from types import SimpleNamespace

import numpy as np
import pytest

from signbert_mm.engine.hooks import ClassCountHook
from signbert_mm.errors import ConfigError


def start(outputs, groups):
    """A run whose head has ``outputs`` for what is unknown, and whose data have ``groups`` of it."""
    model = SimpleNamespace(head=SimpleNamespace(num_classes=2), num_unknown=outputs)
    data = SimpleNamespace(labels=np.array([0, 1]), glosses=['a', 'b'], num_unknown=groups)
    loop = SimpleNamespace(dataloader=SimpleNamespace(dataset=data))
    ClassCountHook().before_train(SimpleNamespace(model=model, train_loop=loop, val_loop=None))


def test_outputs_for_unknown_signs_and_the_data_fit():
    start(0, 0)
    start(3, 3)
    for outputs, groups in ((0, 3), (3, 0)):
        with pytest.raises(
            ConfigError,
            match=f'num_unknown is {outputs}, but the data of train_dataloader has {groups} groups .*'
            f'model.head.num_unknown={groups}',
        ):
            start(outputs, groups)
