"""Times the hand model: joints route, mesh route, smplx's MANO and manopth where present, forward and
backward, on the same asset.

    python benchmarks/hand_model.py --out hand_model.json

smplx (PyPI, non-commercial licence) is used for this comparison only. Routes take turns, so that a busy
machine slows all of them; each figure is the median over ``--repeats``.
"""

import argparse
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List

try:
    import signbert_mm  # noqa: F401
except ModuleNotFoundError:  # a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from torch import Tensor

from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file
from signbert_mm.hand_models import HandAsset, HandModel, load_hand_asset

KEY_BATCH = 2048
Route = Callable[[Tensor, Tensor], Tensor]


def smplx_route(asset: HandAsset, num_pca: int, batch: int, device: torch.device) -> Route:
    """smplx.MANO built from the same arrays, giving what training needs from it: 16 joints and five fingertip
    vertices.
    """
    from smplx import MANO
    from smplx.utils import Struct

    data = Struct(
        v_template=asset.template,
        f=asset.faces,
        J_regressor=asset.joint_regressor,
        weights=asset.skinning,
        shapedirs=asset.shape_basis,
        posedirs=asset.pose_basis,
        hands_components=asset.pca,
        hands_mean=asset.mean,
        kintree_table=torch.tensor([asset.parents, range(16)]).numpy(),
    )
    layer = MANO(
        '',
        data_struct=data,
        is_rhand=True,
        use_pca=True,
        num_pca_comps=num_pca,
        flat_hand_mean=False,
        batch_size=batch,
    ).to(device)
    orient = torch.zeros(batch, 3, device=device)
    tips = list(asset.tip_ids)

    def route(theta: Tensor, beta: Tensor) -> Tensor:
        out = layer(betas=beta, hand_pose=theta, global_orient=orient)
        return torch.cat((out.joints[:, :16], out.vertices[:, tips]), 1)

    return route


def mesh_route(model: HandModel) -> Route:
    return lambda theta, beta: model.mesh(theta, beta)[1]


def timed(route: Route, theta: Tensor, beta: Tensor, weight: Tensor, backward: bool) -> float:
    """Seconds of one call."""
    theta, beta = theta.detach().requires_grad_(backward), beta.detach().requires_grad_(backward)
    sync = torch.cuda.synchronize if theta.is_cuda else (lambda: None)
    sync()
    start = time.perf_counter()
    if backward:
        (route(theta, beta) * weight).sum().backward()
    else:
        with torch.no_grad():
            route(theta, beta)
    sync()
    return time.perf_counter() - start


def cpu_name() -> str:
    listing = Path('/proc/cpuinfo')
    names = (
        [
            line.split(':', 1)[1].strip()
            for line in listing.read_text().splitlines()
            if line.startswith('model name')
        ]
        if listing.exists()
        else []
    )
    return names[0] if names else platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--asset', default='free', choices=['free', 'mano'])
    parser.add_argument('--path', help='MANO_RIGHT.pkl, for --asset mano')
    parser.add_argument('--batch', type=int, nargs='+', default=[64, 512, KEY_BATCH])
    parser.add_argument('--num-pca', type=int, default=25)
    parser.add_argument('--repeats', type=int, default=15)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--device', default='cpu')
    parser.add_argument(
        '--compile', action='store_true', help='also time the joints route under torch.compile'
    )
    parser.add_argument('--out', type=output_file, help='JSON file')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    device = torch.device(args.device)
    asset = load_hand_asset(args.asset, args.path)
    model = HandModel(asset, num_pca=args.num_pca).to(device)
    processor = torch.cuda.get_device_name(device) if device.type == 'cuda' else cpu_name()
    print(
        f'asset {asset.name}, {processor}, {args.threads} threads, torch {torch.__version__}, median of '
        f'{args.repeats}'
    )

    results: List[dict] = []
    for batch in args.batch:
        generator = torch.Generator().manual_seed(0)
        theta, beta = (
            0.5 * torch.randn(batch, n, generator=generator).to(device) for n in (args.num_pca, 10)
        )
        weight = torch.randn(batch, 21, 3, generator=generator).to(device)
        routes: Dict[str, Route] = dict(joints=model.joints, mesh=mesh_route(model))
        if args.compile:
            routes['joints, compiled'] = torch.compile(model.joints)
        try:
            routes['smplx'] = smplx_route(asset, args.num_pca, batch, device)
        except ImportError:
            print('smplx is not installed (pip install smplx): no comparison')
        if asset.name == 'mano':
            try:
                manopth = HandModel('mano', args.path, args.num_pca, backend='manopth').to(device)
                routes['manopth'] = manopth.joints
            except ImportError as error:
                print(error)
        times: Dict[str, Dict[bool, List[float]]] = {name: {False: [], True: []} for name in routes}
        for repeat in range(args.repeats + 2):
            for name, route in routes.items():
                for backward in (False, True):
                    seconds = timed(route, theta, beta, weight, backward)
                    if repeat >= 2:
                        times[name][backward].append(seconds)
        for name, taken in times.items():
            forward, both = (1e3 * statistics.median(taken[backward]) for backward in (False, True))
            results.append(dict(batch=batch, route=name, forward_ms=forward, forward_backward_ms=both))

    print(f'{"hands":>6}  {"route":<18}{"forward ms":>12}{"fwd+bwd ms":>12}{"smplx / route":>15}')
    report = dict(
        asset=asset.name,
        device=processor,
        threads=args.threads,
        torch=torch.__version__,
        repeats=args.repeats,
        results=results,
    )
    for row in results:
        base = [
            other['forward_backward_ms']
            for other in results
            if other['batch'] == row['batch'] and other['route'] == 'smplx'
        ]
        ratio = base[0] / row['forward_backward_ms'] if base else float('nan')
        print(
            f'{row["batch"]:>6}  {row["route"]:<18}{row["forward_ms"]:>12.2f}'
            f'{row["forward_backward_ms"]:>12.2f}{ratio:>15.1f}'
        )
        if base and row['route'] in ('joints', 'mesh'):
            report[f'{row["route"]}_speedup_{row["batch"]}'] = ratio
    if args.out:
        write_json(report, args.out, indent=1)


if __name__ == '__main__':
    main()
