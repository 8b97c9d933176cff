"""Gradients of several batches added up are those of one batch as large."""

from signbert_mm.files.checkpoints import load_checkpoint_file

PLAIN = """
model['backbone']['dropout'] = 0.0
# the statistics of batch norm are those of each batch
model['embedder']['gesture'].update(norm='LN', input_norm=False, output_norm=False)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='SGD', lr=0.01))
param_scheduler = []
"""


def test_four_batches_of_two(run_tool, tmp_path, make_store, make_config):
    config = make_config('pretrain', make_store(train=24, test=1, no_hand=(3, 8)), PLAIN)
    run_tool(
        'train.py',
        config,
        '--no-validate',
        '--work-dir',
        'large',
        '--cfg-options',
        'train_dataloader.batch_size=8',
    )
    small = ['train_dataloader.batch_size=2', 'optim_wrapper.accumulative_counts=4']
    run_tool('train.py', config, '--no-validate', '--work-dir', 'small', '--cfg-options', *small)
    before, large, small = (
        load_checkpoint_file(tmp_path / name)['state_dict']
        for name in ('large/epoch_1.pth', 'large/epoch_2.pth', 'small/epoch_2.pth')
    )
    differ = moved = 0.0
    for key, value in large.items():
        if value.is_floating_point():
            differ = max(differ, float((small[key] - value).abs().max()))
            moved = max(moved, float((before[key] - value).abs().max()))
    assert differ < 1e-5 and moved > 1e-3, (differ, moved)
