#!/usr/bin/env python
"""The main tasks on synthetic signs: make data, pre-train, fine-tune, test, draw.

Fine-tuning runs with and without the pre-trained encoder. The test clips are of other signers.

Each step is a command that you can run by itself. It is printed before it runs. Logs, checkpoints, pictures
and the table go to work_dirs/demo/.

Example:
    python demo/run_demo.py
    python demo/run_demo.py --only finetune test
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import List

from signbert_mm.datasets.synthetic import SYNTHETIC_NOTE

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / 'work_dirs' / 'demo'
STORE = ROOT / 'data' / 'synthetic_demo'
PRETRAIN = 'configs/demo/signbert_d128_pretrain_synthetic.py'
FINETUNE = 'configs/demo/signbert_d128_finetune_synthetic.py'
RUNS = {'pretrained': 'with pre-training', 'scratch': 'from scratch'}
STEPS = ('data', 'pretrain', 'finetune', 'test', 'pictures')
# mmengine's log line of an iteration: stage, epoch, iteration, remaining time, loss.
_TRAIN_LINE = re.compile(
    r'Epoch\(train\)\s+\[(\d+)\]\[\s*(\d+)/(\d+)\].*?eta: ([\d:, a-z]+?)\s+time.*?loss: '
    r'([\d.naif]+)'
)
_TEST_LINE = re.compile(r'Epoch\(test\)\s+\[\s*(\d+)/(\d+)\]\s+eta: (\S+)')


def run(command: List[str], log: Path) -> None:
    """Runs a command of this repository, shows its progress on one line, and keeps its output in ``log``.

    Raises:
        SystemExit: The command failed. The end of its output is shown.
    """
    print('  $ ' + ' '.join(command), flush=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    start, wide, live = time.time(), shutil.get_terminal_size((100, 20)).columns - 1, sys.stdout.isatty()
    next_line = 0.0
    with (
        log.open('w') as file,
        subprocess.Popen(
            [sys.executable, *command[1:]],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors='replace',
        ) as process,
    ):
        for line in process.stdout:
            file.write(line)
            train, test = _TRAIN_LINE.search(line), _TEST_LINE.search(line)
            if train:
                state = f'epoch {train[1]}, batch {train[2]}/{train[3]}, loss {train[5]}, {train[4]} left'
            elif test:
                state = f'batch {test[1]}/{test[2]}, {test[3]} left'
            else:
                continue
            if live:
                print(f'\r    {state}'.ljust(wide)[:wide], end='', flush=True)
            elif time.time() > next_line:
                # A log file gets a line now and then, not one a batch.
                print(f'    {state}', flush=True)
                next_line = time.time() + 15
    print(
        ('\r' if live else '') + f'    done in {time.time() - start:.0f} s'.ljust(wide if live else 0),
        flush=True,
    )
    if process.returncode:
        raise SystemExit(
            '\n'.join(log.read_text().splitlines()[-25:]) + '\n\nThe command above failed; its '
            f'whole output is in {log}'
        )


def step_data() -> None:
    """Signs of 30 glosses by 12 signers."""
    if not (STORE / 'meta.json').is_file():
        command = [
            'python',
            'tools/dataset_converters/make_synthetic.py',
            'data/synthetic_demo',
            '--layout',
            'sign_49',
        ]
        run(
            [*command, '--glosses', '30', '--signers', '12', '--clips-per-gloss', '96', '--detector', '0.5'],
            WORK / 'data.log',
        )


def step_pretrain() -> None:
    """Masked hand poses are rebuilt through the hand model; no labels are used."""
    run(
        ['python', 'tools/train.py', PRETRAIN, '--work-dir', 'work_dirs/demo/pretrain'], WORK / 'pretrain.log'
    )


def checkpoint(name: str) -> str:
    """The last checkpoint of a run, relative to the repository.

    Raises:
        SystemExit: The run has not been made.
    """
    pointer = WORK / name / 'last_checkpoint'
    if not pointer.is_file():
        raise SystemExit(f'{pointer} is not there: run the steps before first (python demo/run_demo.py)')
    return str(Path('work_dirs/demo') / name / Path(pointer.read_text().strip()).name)


def step_finetune() -> None:
    """Five labelled clips a gloss, the same recipe twice."""
    for name in RUNS:
        options = ['--cfg-options', f'load_from={checkpoint("pretrain")}'] if name == 'pretrained' else []
        run(
            ['python', 'tools/train.py', FINETUNE, '--work-dir', f'work_dirs/demo/{name}', *options],
            WORK / f'{name}.log',
        )


def step_test() -> None:
    """Signers that no training has seen."""
    for name in RUNS:
        out = ['--out', f'work_dirs/demo/{name}/test.json']
        run(
            [
                'python',
                'tools/test.py',
                FINETUNE,
                checkpoint(name),
                '--work-dir',
                f'work_dirs/demo/{name}',
                *out,
            ],
            WORK / f'{name}_test.log',
        )
    print_table()


def print_table() -> None:
    """P-I and P-C, top-1 and top-5, with and without pre-training."""
    keys = ['p_i/top1', 'p_i/top5', 'p_c/top1', 'p_c/top5']
    rows = [['accuracy in %, held-out signers', 'P-I top-1', 'P-I top-5', 'P-C top-1', 'P-C top-5']]
    clips = 0
    for name, title in RUNS.items():
        metrics = json.loads((WORK / name / 'test.json').read_text())
        rows.append([title] + [f'{metrics[key]:.1f}' for key in keys])
        clips = int(metrics['clips'])
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [
        '  '.join(
            # The first column holds titles, the others numbers.
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        )
        for row in rows
    ]
    about = f'{clips} test clips, 30 glosses (chance 3.3), 5 labelled training clips a gloss.'
    text = '\n'.join([lines[0], '-' * len(lines[0]), *lines[1:], '', about, SYNTHETIC_NOTE])
    (WORK / 'table.txt').write_text(text + '\n')
    print(f'\n{text}\n', flush=True)


def step_pictures() -> None:
    """The paper's Figure 3 for clips of the test signers."""
    command = [
        'python',
        'tools/visualization/reconstruct.py',
        PRETRAIN,
        checkpoint('pretrain'),
        '--data',
        'test',
        '--index',
        '0',
        '100',
        '200',
    ]
    run([*command, '--out', 'work_dirs/demo/pictures'], WORK / 'pictures.log')


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--only', nargs='+', choices=STEPS, default=STEPS, help='only these steps')
    args = parser.parse_args()
    start = time.time()
    for number, name in enumerate(STEPS, 1):
        if name in args.only:
            function = globals()[f'step_{name}']
            print(f'[{number}/{len(STEPS)}] {name}: {function.__doc__.strip().splitlines()[0]}', flush=True)
            function()
    print(
        f'Finished in {time.time() - start:.0f} s. Everything is in {WORK.relative_to(ROOT)}/: table.txt, '
        'pictures/, checkpoints and logs.'
    )


if __name__ == '__main__':
    main()
