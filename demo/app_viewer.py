"""The part of the page with the turning hands and the attention over time.

It is one HTML document that needs nothing from the network.
"""

import base64
import html
import json
from pathlib import Path
from typing import Any, Dict, Optional

import numpy as np
from app_analysis import Result

TEMPLATE = Path(__file__).with_name('hand_viewer.html')
NO_HAND = 'No hand was found, so there is no attention.'
NO_ATTENTION = 'This answer has no attention over time: it comes from a dictionary, by comparing whole clips.'


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def mesh_data(mesh: Dict[str, Any]) -> Dict[str, Any]:
    """The script's data of a mesh: 16-bit vertices in ``unit`` metres, and the radius of the largest hand."""
    # (n, 2, V, 3), (n, 2)
    vertices, valid = mesh['vertices'].astype(np.float64), mesh['valid']
    unit = max(float(np.abs(vertices).max()), 1e-6) / 32767
    spread = np.linalg.norm(vertices - vertices.mean(2, keepdims=True), axis=-1).max(-1)
    return dict(
        frames=len(vertices),
        step=mesh['step'],
        count=vertices.shape[2],
        unit=unit,
        radius=float(spread[valid].max()),
        vertices=_packed(np.round(vertices / unit).astype('<i2')),
        faces=_packed(mesh['faces'].astype('<u2')),
        valid=valid.astype(int).ravel().tolist(),
    )


def viewer_document(result: Result, no_mesh: str = '') -> str:
    """The HTML document of a result."""
    attention = None if result.attention is None else np.round(result.attention.astype(float), 6).tolist()
    data = dict(
        fps=result.clip.fps,
        frames=len(result.clip),
        found=result.clip.hands_found().astype(int).tolist(),
        attention=attention,
        no_attention=NO_ATTENTION if result.prediction else NO_HAND,
        segments=[[start, end, text] for start, end, text in result.segments],
        mesh=None if result.mesh is None else mesh_data(result.mesh),
        no_mesh=no_mesh or 'No 3-D hands: no hand was found.',
    )
    # A gloss with '</script>' in it must not end the script's element.
    return TEMPLATE.read_text(encoding='utf-8').replace('/*DATA*/', json.dumps(data).replace('<', '\\u003c'))


def viewer_frame(result: Optional[Result], no_mesh: str = '') -> str:
    """The document in a frame of the page; '' without a result."""
    if result is None:
        return ''
    height = 508 if result.mesh is not None else 262
    document = html.escape(viewer_document(result, no_mesh))
    return (
        f'<iframe class="viewer" title="3-D hands and attention over time" height="{height}" '
        f'srcdoc="{document}"></iframe>'
    )
