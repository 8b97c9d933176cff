"""The papers' tables: definitions, the trainings that they need, and the printed results."""

from .definition import Setting, Table, find_table, list_tables, load_setting, load_table
from .execute import execute
from .missing import Missing, missing_data, missing_text
from .plan import Cell, Plan, choose_rows, make_plan
from .prepare import prepare_stores
from .printing import draw_figure, mean_and_deviation, replace_block, table_markdown
from .run import Run

__all__ = [
    'Cell',
    'Missing',
    'Plan',
    'Run',
    'Setting',
    'Table',
    'choose_rows',
    'draw_figure',
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
    'replace_block',
    'table_markdown',
]
