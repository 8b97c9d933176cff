"""The layers of the package: a module imports its own layer or a lower one, and there is no circle."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import signbert_mm

ROOT = Path(signbert_mm.__file__).parent
GROUND = (
    'registry',
    'version',
    'compat',
    'draws',
    'errors',
    'arguments',
    'files',
    'extras',
    'lazy',
    'lazy_action',
    'logs',
    'names',
    'needs_train',
    'run_command',
)
# each a layer, from the ground up
LAYERS = (
    'layouts structures hand_models datasets models evaluation visualization extraction prepare engine apis '
    'experiments teaching cli __main__'
).split()
HEIGHTS = dict.fromkeys(GROUND, 0) | {name: height for height, name in enumerate(LAYERS, 1)}


def read_imports():
    """Module -> the package's modules that it imports, also inside functions, but not for type checkers."""
    files = {}
    for path in sorted(ROOT.rglob('*.py')):
        parts = path.relative_to(ROOT.parent).with_suffix('').parts
        files['.'.join(parts[:-1] if parts[-1] == '__init__' else parts)] = path
    graph = {}
    for module, path in files.items():
        tree, names = ast.parse(path.read_text(encoding='utf-8')), set()
        for node in list(ast.walk(tree)):
            if isinstance(node, ast.If) and ast.unparse(node.test) == 'TYPE_CHECKING':
                node.body = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                folder = path.relative_to(ROOT.parent).parts[: -node.level] if node.level else ()
                source = '.'.join([*folder, *([node.module] if node.module else [])])
                imported = (f'{source}.{alias.name}' for alias in node.names)
                names.update(name if name in files else source for name in imported)
        graph[module] = (names & set(files)) - {module}
    return graph


def height(module):
    parts = module.split('.')[1:] or ['version']
    return HEIGHTS[parts[0]]


def test_imports_run_down():
    arrows = [(module, name) for module, names in read_imports().items() for name in names]
    assert len(arrows) > 500
    assert [f'{module} -> {name}' for module, name in arrows if height(name) > height(module)] == []


def test_no_circles():
    # raises CycleError, which names the modules
    assert list(TopologicalSorter(read_imports()).static_order())
