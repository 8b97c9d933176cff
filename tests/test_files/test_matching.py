"""One item for one clip."""

import pytest

from signbert_mm.files.matching import NameIndex, find_signer, match_names, signer_pattern


def index(*names, where='here'):
    return NameIndex([(name, name.upper()) for name in names], where)


def keys(clips, *indexes):
    return [match and (match.index, match.key) for match in match_names(clips, indexes)]


def test_equal_names_go_first_in_the_order_of_the_sources():
    assert keys([('a',), ('b',), ('z',)], index('a', 'x/b'), index('a', 'b')) == [(0, 'a'), (1, 'b'), None]


def test_the_end_of_a_name_counts_where_it_is_clear():
    (one, two, three) = match_names(
        [('a',), ('data/test/b',), ('c', 'c_color')], [index('train/a', 'test/b', 'v/c_color')]
    )
    assert (
        (one.key, one.exact) == ('train/a', False)
        and two.key == 'test/b'
        and (three.key, three.name) == ('v/c_color', 'c_color')
    )
    assert keys([('hello/1',), ('bye/2',)], index('1', '3'), index('2')) == [(0, '1'), (1, '2')]


def test_no_item_is_taken_by_two_clips():
    with pytest.raises(ValueError, match="'1' of here fits several clips: 'hello/1' and 'bye/1'"):
        keys([('hello/1',), ('bye/1',)], index('1'))
    # whose very name it is, has it
    assert keys([('1',), ('bye/1',)], index('1')) == [(0, '1'), None]


def test_no_clip_takes_one_of_two_items():
    with pytest.raises(ValueError, match="'a' fits several: 'x/a' of here and 'y/a' of here"):
        keys([('a',)], index('x/a', 'y/a'))
    with pytest.raises(ValueError, match="'hello/1' fits several: '1' of hello and '1' of bye"):
        keys([('hello/1',)], index('1', where='hello'), index('1', where='bye'))


def test_clips_may_share_a_video():
    assert keys([('v_0', 'v'), ('v_1', 'v'), ('w_0', 'w')], index('in/v', 'w')) == [
        (0, 'in/v'),
        (0, 'in/v'),
        (0, 'w'),
    ]


def test_two_items_of_one_name_are_named():
    with pytest.raises(ValueError, match="here: 'a' is there twice: A and ./A; remove one of them"):
        index('a', './a')
    with pytest.raises(ValueError, match="'a' is there twice: clip 0 and clip 1; rename one"):
        NameIndex([('a', 0), ('a', 1)], 'here', lambda clip: f'clip {clip}', 'rename one')


def test_unicode_form_and_slashes_do_not_matter():
    names = index('cafe\u0301\\1', './b')
    assert (
        names.names() == ['caf\u00e9/1', 'b']
        and names.key('caf\u00e9/1') == 'caf\u00e9/1'
        and names['cafe\u0301/1']
    )
    assert keys([('cafe\u0301/1',), ('',)], names) == [(0, 'caf\u00e9/1'), None]


def test_each_part_of_a_name_is_compared_as_it_is_cleaned():
    assert keys([('hello /cafe\u0301',)], index('hello/caf\u00e9 ')) == [(0, 'hello/caf\u00e9')]


def test_the_signer_in_a_name():
    assert find_signer(signer_pattern('^[^_]+'), 'anna _1') == 'anna'
    assert find_signer(signer_pattern('_(.)$'), 'anna_1') == '1'
    assert find_signer(signer_pattern('(x)?_'), 'a_1') == find_signer(signer_pattern('x'), 'a') == ''
    with pytest.raises(
        ValueError, match=r"--signer '\(' is no regular expression \(missing \), .*; correct it"
    ):
        signer_pattern('(')
