"""The visualizer that configs name."""

from pathlib import Path
from typing import Optional, Union

import numpy as np
import torch
from mmengine.dist import master_only
from mmengine.visualization import Visualizer

from ..errors import UserKeyError
from ..registry import VISUALIZERS
from ..structures import SignDataSample
from .canvas import save_image
from .prediction_figure import prediction_figure
from .reconstruction_figure import mesh_in_crop, reconstruction_figure


@VISUALIZERS.register_module()
class SignVisualizer(Visualizer):
    """mmengine's visualizer with the pictures of this project; all arguments are mmengine's.

    Example:
        >>> visualizer = dict(type='SignVisualizer', vis_backends=[dict(type='LocalVisBackend')])
    """

    @master_only
    def add_datasample(
        self,
        name: str,
        data_sample: SignDataSample,
        keypoints: Optional[np.ndarray] = None,
        scores: Optional[np.ndarray] = None,
        layout: str = 'sign_49',
        hand_model: Optional[torch.nn.Module] = None,
        out_file: Optional[Union[str, Path]] = None,
        step: int = 0,
        **options,
    ) -> np.ndarray:
        """Draws one prediction and hands it to the backends.

        A pre-trainer's prediction (with ``pred_hands``) becomes :func:`reconstruction_figure`, with meshes
        where a hand model is given or the sample has vertices; a recogniser's (with ``pred_scores``) becomes
        :func:`prediction_figure`.

        Args:
            name (str): The picture's name in the backends.
            data_sample (SignDataSample): The prediction.
            keypoints (ndarray, optional): Shape (T, V, 2), pixels: the clip, for a recogniser's figure.
            scores (ndarray, optional): Shape (T, V) in [0, 1].
            layout (str): What the joints are.
            hand_model (Module, optional): Makes the meshes of a pre-trainer's prediction.
            out_file (str | Path, optional): Write the picture there instead of to the backends.
            step (int): The picture's step in the backends.
            **options: For the figure.

        Returns:
            ndarray: Shape (H, W, 3) uint8, RGB.

        Raises:
            KeyError: The sample has neither kind of prediction.
        """
        if 'pred_hands' in data_sample:
            if hand_model is not None:
                options.update(
                    mesh=mesh_in_crop(data_sample, hand_model), faces=hand_model.faces.cpu().numpy()
                )
            picture = reconstruction_figure(data_sample, **options)
        elif 'pred_scores' in data_sample:
            meta = self.dataset_meta or {}
            options.setdefault('glosses', meta.get('glosses') or meta.get('classes'))
            picture = prediction_figure(data_sample, keypoints, scores, layout, **options)
        else:
            raise UserKeyError(
                f'SignVisualizer: {name}: the sample has neither pred_hands nor pred_scores, only '
                f'{sorted(data_sample.keys())}'
            )
        self.set_image(picture)
        if out_file is not None:
            save_image(out_file, picture)
        else:
            self.add_image(name, picture, step)
        return picture
