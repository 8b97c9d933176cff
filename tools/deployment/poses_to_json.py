#!/usr/bin/env python
"""Write poses as JSON, for demo/browser and for apps.

SOURCE is a video, a folder of videos or a PoseStore. The file has `clips`, each with `name`, `layout`,
`joints` (their names), `image_size` (width, height), `fps` (0 = unknown), `label` (-1 = none), `keypoints`
(T, V, 3: x and y in pixels, score; 0 = missing) and `hands` (T, 2: left and right hand detected). Needs no
torch.

Example:
    python tools/deployment/poses_to_json.py sign.mp4 demo/browser/poses.json
    python tools/deployment/poses_to_json.py data/words33 poses.json --split test --clips 20
"""

import argparse
import itertools
import json
import sys
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from signbert_mm.apis.input import InputReader
from signbert_mm.apis.poses_json import poses_to_json
from signbert_mm.arguments import whole
from signbert_mm.errors import UserError, UserValueError
from signbert_mm.files.atomic import write_atomic
from signbert_mm.files.os_errors import output_file


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('source', help='a video, a folder of videos, or a PoseStore')
    parser.add_argument('out', type=output_file, metavar='OUT.json', help='the file to write')
    parser.add_argument('--split', help='of a PoseStore (default: all clips)')
    parser.add_argument('--clips', type=whole(1), help='the first ones alone (default: all)')
    parser.add_argument('--fps', type=float, help='read videos at this rate (default: theirs)')
    parser.add_argument('--extractor', default='mediapipe', help='for videos (default: %(default)s)')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    reader = InputReader(args.extractor, args.fps)
    clips = itertools.islice(reader.readable(args.source, split=args.split), args.clips)
    content = poses_to_json(clips)
    if not content['clips']:
        raise UserValueError(f'{args.source}: no clip of it could be read')
    write_atomic(json.dumps(content, ensure_ascii=False, allow_nan=False).encode(), args.out)
    print(f'{args.out}: {len(content["clips"])} clips')


if __name__ == '__main__':
    try:
        main()
    except (UserError, OSError) as error:
        sys.exit(f'{Path(sys.argv[0]).name}: {error}')
