"""What is unusual and not wrong works from end to end: clips of one frame, batches of one, clips without any
hand.
"""

import json
import math

import pytest

from signbert_mm.files.checkpoints import load_checkpoint_file

ODD = dict(
    one_frame=(dict(lengths=(1,)), []),
    ragged=(dict(lengths=(1, 2, 9)), []),
    batch_of_one=(dict(), ['train_dataloader.batch_size=1', 'test_dataloader.batch_size=1']),
    last_batch_of_one=(dict(train=9, test=5), []),
    some_without_hands=(dict(no_hand=(0, 5, 6, 10, 13)), []),
    all_without_hands=(dict(no_hand=range(14)), []),
    one_frame_without_hands=(dict(lengths=(1,), no_hand=range(14)), ['train_dataloader.batch_size=1']),
)


@pytest.mark.parametrize('kind', ['pretrain', 'recognise'])
@pytest.mark.parametrize('store, options', ODD.values(), ids=ODD)
def test_odd_clips_train_and_test(run_tool, make_store, make_config, tmp_path, kind, store, options):
    config = make_config(kind, make_store(**dict(dict(train=9, test=5), **store)))
    no_hand = len(store.get('no_hand', ())) == 14
    if kind == 'pretrain' and no_hand:
        # PoseAUC has no joint to measure
        options = [*options, 'val_cfg=None', 'val_dataloader=None', 'val_evaluator=None']
    train = ('train.py', config, '--work-dir', 'w', '--cfg-options', 'train_cfg.max_epochs=1', *options)
    if kind == 'pretrain' and no_hand:
        # There is nothing to rebuild.
        with pytest.raises(SystemExit, match='every loss was exactly 0'):
            run_tool(*train)
        return
    run_tool(*train)
    losses = [float(line.split()[1]) for line in (tmp_path / 'w' / 'losses.txt').read_text().splitlines()]
    assert losses and all(map(math.isfinite, losses))
    weights = load_checkpoint_file(tmp_path / 'w' / 'epoch_1.pth')['state_dict']
    assert all(value.isfinite().all() for value in weights.values() if hasattr(value, 'isfinite'))
    test_options = [option for option in options if option.startswith('test')]
    run_tool(
        'test.py',
        config,
        'w/epoch_1.pth',
        '--work-dir',
        't',
        '--out',
        'm.json',
        '--cfg-options',
        'work_dir=t',
        *test_options,
    )
    metrics = json.loads((tmp_path / 'm.json').read_text())
    assert metrics and all(map(math.isfinite, metrics.values()))
