"""Pictures: poses, masks, meshes, predictions; none needs a display."""

from .canvas import blank, draw_text, save_image, smoothly
from .draw_mesh import draw_mesh, rasterize, vertex_normals
from .draw_pose import draw_hand, draw_pose
from .grid import page, picture_grid
from .plots import plot_confusion, plot_curves, plot_lengths
from .pose_strip import View, pose_cell, view_of
from .prediction_figure import attention_strip, prediction_figure, score_bars
from .reconstruction_figure import mesh_in_crop, reconstruction_figure
from .sign_visualizer import SignVisualizer

__all__ = [
    'SignVisualizer',
    'View',
    'attention_strip',
    'blank',
    'draw_hand',
    'draw_mesh',
    'draw_pose',
    'draw_text',
    'mesh_in_crop',
    'page',
    'picture_grid',
    'plot_confusion',
    'plot_curves',
    'plot_lengths',
    'pose_cell',
    'prediction_figure',
    'rasterize',
    'reconstruction_figure',
    'save_image',
    'score_bars',
    'smoothly',
    'vertex_normals',
    'view_of',
]
