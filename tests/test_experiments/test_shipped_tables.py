"""The tables under configs/, on the settings beside them."""

from signbert_mm.experiments import (
    find_table,
    list_tables,
    load_setting,
    load_table,
    make_plan,
    table_markdown,
)


def test_rgb_of_the_papers_tables_says_what_it_starts_from(tmp_path):
    for name in ('9', 'II'):
        table = find_table(name)
        plan = make_plan(table, load_setting(table, table.on), [0])
        assert 'Base rgb: trained from random weights (--start rgb=CHECKPOINT' in table_markdown(
            plan, tmp_path
        )


def test_every_table_of_signbert_has_its_runs():
    """All tables on the settings that have their bases resolve; those of one reference configuration share
    it.
    """
    names = {}
    for name, path in list_tables().items():
        if not name.startswith('signbert/'):
            continue
        table = load_table(path)
        plan = make_plan(table, load_setting(table, table.on), [0])
        assert plan.cells and set(plan.tests) <= set(plan.runs)
        names[table.name] = {run.name for run in plan.runs}
    for table in ('table5', 'table6', 'table7'):
        assert len(names['table4'] & names[table]) >= 3, table
    assert {
        place for place, _ in make_plan(find_table('9'), load_setting(find_table('9'), 'wlasl'), [0]).cells
    } == {0, 1, 2, 3}
    for name, setting in (
        ('1', 'stb'),
        ('2', 'hands17'),
        ('4', 'msasl'),
        ('5', 'wlasl'),
        ('7', 'msasl'),
        ('7', 'words33'),
    ):
        assert make_plan(find_table(name), load_setting(find_table(name), setting), [0]).cells
