"""The papers' tables: definitions, the trainings that they need, and the printed results."""

from .definition import Setting, Table, find_table, list_tables, load_setting, load_table
from .execute import execute
from .figures import draw_figures
from .missing import Missing, missing_data, missing_text
from .plan import Cell, Plan, choose_rows, make_plan
from .prepare import prepare_stores, prepare_videos
from .printing import mean_and_deviation, replace_block, table_markdown, table_outline
from .run import Run

__all__ = [
    'Cell',
    'Missing',
    'Plan',
    'Run',
    'Setting',
    'Table',
    'choose_rows',
    'draw_figures',
    'execute',
    'find_table',
    'list_tables',
    'load_setting',
    'load_table',
    'make_plan',
    'mean_and_deviation',
    'missing_data',
    'missing_text',
    'prepare_stores',
    'prepare_videos',
    'replace_block',
    'table_markdown',
    'table_outline',
]
