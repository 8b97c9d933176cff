"""``signbert-mm teach``."""

import argparse
import os
import shlex

from .progress import ProgressBar


def main(args: argparse.Namespace) -> None:
    from ..teaching import teach
    from ..teaching.report import REPORT

    bar = ProgressBar()

    def say(line: str) -> None:
        bar.close()
        print(line, flush=True)

    taught = teach(
        args.videos,
        args.out,
        args.method,
        args.signer,
        args.encoder,
        args.extractor,
        args.device,
        args.workers,
        say,
        bar,
    )
    out = shlex.quote(args.out)
    left_out = sum(problem.left_out for problem in taught.problems)
    if left_out:
        print(f'Left out: {left_out} of the videos and folders; the lines above say why.')
    print(f'Report: {os.path.join(args.out, REPORT)}')
    print(f'Next: signbert-mm recognise NEW.mp4 --model {out}, or: signbert-mm page --model {out}')
