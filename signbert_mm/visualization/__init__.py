"""Pictures of poses, masks, meshes and predictions; none needs a display."""

from .. import needs_train  # noqa: F401
from .canvas import blank, draw_text, save_image, smoothly
from .class_error_plot import class_errors, plot_class_errors
from .draw_mesh import draw_mesh, rasterize, vertex_normals
from .draw_pose import draw_hand, draw_pose
from .embedding_plot import plot_embedding, tsne
from .grid import page, picture_grid
from .plots import plot_confusion, plot_curves, plot_lengths
from .pose_strip import View, pose_cell, view_of
from .pose_video import draw_clips
from .prediction_figure import attention_strip, prediction_figure, score_bars
from .pretraining_plot import plot_pretraining
from .reconstruction_figure import mesh_in_crop, reconstruction_figure
from .sign_visualizer import SignVisualizer
from .signer_plot import plot_signers, signer_accuracy
from .sweep_plot import plot_sweep

__all__ = [
    'SignVisualizer',
    'View',
    'attention_strip',
    'blank',
    'class_errors',
    'draw_clips',
    'draw_hand',
    'draw_mesh',
    'draw_pose',
    'draw_text',
    'mesh_in_crop',
    'page',
    'picture_grid',
    'plot_class_errors',
    'plot_confusion',
    'plot_curves',
    'plot_embedding',
    'plot_lengths',
    'plot_pretraining',
    'plot_signers',
    'plot_sweep',
    'pose_cell',
    'prediction_figure',
    'rasterize',
    'reconstruction_figure',
    'save_image',
    'score_bars',
    'signer_accuracy',
    'smoothly',
    'tsne',
    'vertex_normals',
    'view_of',
]
