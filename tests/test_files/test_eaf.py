"""ELAN's files, written and read."""

import pytest

from signbert_mm.files.eaf import read_eaf
from signbert_mm.files.eaf_writer import write_eaf

TIERS = {
    'Ana': [(0.04, 1.0, 'HOUSE', 0.9126), (1.0, 1.5, 'BIG <&> "x"', 0.5), (2.25, 3.0, '你好', None)],
    'Bo': [(0.5, 0.75, 'YES', None)],
}


def document(tiers, slots, extra='', header='TIME_UNITS="milliseconds"'):
    """The text of an .eaf file; ``slots`` is a list of milliseconds or None."""
    rows = ''.join(
        f'<TIME_SLOT TIME_SLOT_ID="ts{number}"' + (f' TIME_VALUE="{time}"' if time is not None else '') + '/>'
        for number, time in enumerate(slots, 1)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ANNOTATION_DOCUMENT AUTHOR="" VERSION="3.0">'
        f'<HEADER {header}>'
        '<MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/x/a.mp4" MIME_TYPE="video/mp4" RELATIVE_MEDIA_URL="./a.mp4" '
        f'TIME_ORIGIN="-250"/></HEADER><TIME_ORDER>{rows}</TIME_ORDER>{tiers}{extra}</ANNOTATION_DOCUMENT>'
    )


def tier(name, *annotations, kind='gloss', **attributes):
    more = ''.join(f' {key}="{value}"' for key, value in attributes.items())
    inner = ''.join(f'<ANNOTATION>{text}</ANNOTATION>' for text in annotations)
    return f'<TIER TIER_ID="{name}" LINGUISTIC_TYPE_REF="{kind}"{more}>{inner}</TIER>'


def aligned(name, first, last, value):
    return (
        f'<ALIGNABLE_ANNOTATION ANNOTATION_ID="{name}" TIME_SLOT_REF1="ts{first}" TIME_SLOT_REF2="ts{last}">'
        f'<ANNOTATION_VALUE>{value}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION>'
    )


def referring(name, parent, value, previous=''):
    after = f' PREVIOUS_ANNOTATION="{previous}"' if previous else ''
    return (
        f'<REF_ANNOTATION ANNOTATION_ID="{name}" ANNOTATION_REF="{parent}"{after}>'
        f'<ANNOTATION_VALUE>{value}</ANNOTATION_VALUE></REF_ANNOTATION>'
    )


def test_round_trip(tmp_path):
    write_eaf(tmp_path / 'out' / 'a.eaf', tmp_path / 'a b.mp4', TIERS)
    content = read_eaf(tmp_path / 'out' / 'a.eaf')
    assert {name: content.scored(name) for name in TIERS} == TIERS
    assert list(content.tiers) == ['Ana', 'Ana-score', 'Bo']
    assert content.tiers['Ana'].participant == 'Ana' and content.tiers['Ana-score'].parent == 'Ana'
    (media,) = content.media
    assert media.url == (tmp_path / 'a b.mp4').as_uri() and media.relative == './../a b.mp4'
    assert (media.kind, media.origin) == ('video/mp4', 0)
    # Written again it is the same, but for the date.
    write_eaf(tmp_path / 'b.eaf', [], {name: content.scored(name) for name in TIERS})
    assert read_eaf(tmp_path / 'b.eaf').tiers == content.tiers


def test_slots_are_in_the_order_of_time(tmp_path):
    write_eaf(tmp_path / 'a.eaf', None, TIERS)
    text = (tmp_path / 'a.eaf').read_text(encoding='utf-8')
    times = [int(part.split('"')[0]) for part in text.split('TIME_VALUE="')[1:]]
    assert times == sorted(times) and len(times) == 8
    assert 'BIG &lt;&amp;&gt; "x"' in text and 'xsi:noNamespaceSchemaLocation' in text


def test_pympi_opens_it(tmp_path):
    elan = pytest.importorskip('pympi.Elan', reason='pympi-ling is not installed')
    write_eaf(tmp_path / 'a.eaf', tmp_path / 'a.mp4', TIERS)
    content = elan.Eaf(str(tmp_path / 'a.eaf'))
    assert content.get_annotation_data_for_tier('Ana') == [
        (40, 1000, 'HOUSE'),
        (1000, 1500, 'BIG <&> "x"'),
        (2250, 3000, '你好'),
    ]
    assert [row[2] for row in content.get_ref_annotation_data_for_tier('Ana-score')] == ['0.9126', '0.5000']
    assert content.get_linked_files()[0]['MIME_TYPE'] == 'video/mp4'
    # And what pympi writes is read.
    content.to_file(str(tmp_path / 'b.eaf'))
    assert read_eaf(tmp_path / 'b.eaf').scored('Ana') == TIERS['Ana']


@pytest.mark.parametrize(
    'tiers, message',
    [
        (
            {'A': [(0, 1, 'X', None), (0.5, 2, 'Y', None)]},
            "tier 'A': segment 'Y' from 0.5 to 2 s overlaps 'X'",
        ),
        ({'A': [(1, 1.0001, 'X', None)]}, "'X' from 1 to 1.0001 s has no place or no length"),
        ({'A': [(-1, 1, 'X', None)]}, 'has no place'),
        ({'A': [(0, float('inf'), 'X', None)]}, 'from 0 to inf s has no place'),
        ({'A': [(float('nan'), 1, 'X', None)]}, 'from nan to 1 s has no place'),
        ({'A': [(0, 1, 'X\0', None)]}, 'control characters'),
        ({'A': [(0, 1, 'X', 0.5)], 'A-score': []}, 'tier A-score is that of the scores'),
    ],
)
def test_what_is_not_written(tmp_path, tiers, message):
    with pytest.raises(ValueError, match=message):
        write_eaf(tmp_path / 'a.eaf', None, tiers)
    assert not (tmp_path / 'a.eaf').exists()


def read(tmp_path, text):
    (tmp_path / 'a.eaf').write_text(text, encoding='utf-8')
    return read_eaf(tmp_path / 'a.eaf')


def spans(tier):
    return [(item.value, item.start, item.end) for item in tier.annotations]


def test_slots_without_a_value(tmp_path):
    chain = tier(
        'S1',
        aligned('a1', 1, 2, 'A'),
        aligned('a2', 2, 3, 'B'),
        aligned('a3', 3, 4, 'C'),
        PARTICIPANT=' Cem ',
    )
    # Slots of another tier lie between; those of this tier are spaced along it all the same.
    other = tier('S2', aligned('b1', 5, 6, 'X'))
    content = read(tmp_path, document(chain + other, [1000, None, None, 4000, 1100, 1200]))
    assert spans(content.tiers['S1']) == [('A', 1, 2), ('B', 2, 3), ('C', 3, 4)]
    assert spans(content.tiers['S2']) == [('X', 1.1, 1.2)]
    assert content.tiers['S1'].participant == 'Cem' and content.media[0].origin == -0.25


def test_slots_without_a_value_in_no_chain(tmp_path):
    content = read(tmp_path, document(tier('S', aligned('a1', 2, 4, 'A')), [0, None, None, 900]))
    assert spans(content.tiers['S']) == [('A', 0.3, 0.9)]
    content = read(tmp_path, document(tier('S', aligned('a1', 1, 2, 'A')), [0, None]))
    assert content.tiers['S'].annotations == [] and content.tiers['S'].skipped == [('a1', 'no place in time')]


def test_annotations_that_refer_to_others(tmp_path):
    kinds = ''.join(
        f'<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="{name}" CONSTRAINTS="{constraint}" TIME_ALIGNABLE="false"/>'
        for name, constraint in (('one', 'Symbolic_Association'), ('parts', 'Symbolic_Subdivision'))
    )
    # Children stand before their parents, and parts not in their order.
    text = (
        tier('meaning', referring('r1', 'p2', 'second'), kind='one', PARENT_REF='parts')
        + tier(
            'parts',
            referring('p2', 'a1', 'Y', 'p1'),
            referring('p1', 'a1', 'X'),
            kind='parts',
            PARENT_REF='S',
        )
        + tier('S', aligned('a1', 1, 2, ' XY '), kind='free')
    )
    content = read(tmp_path, document(text, [1000, 2000], kinds))
    assert spans(content.tiers['S']) == [('XY', 1, 2)]
    assert spans(content.tiers['parts']) == [('X', 1, 1.5), ('Y', 1.5, 2)]
    assert spans(content.tiers['meaning']) == [('second', 1.5, 2)]
    assert content.tiers['meaning'].parent == 'parts'


def test_circles_and_orphans_are_skipped(tmp_path):
    text = tier(
        'S',
        referring('r1', 'r2', 'A'),
        referring('r2', 'r1', 'B'),
        referring('r3', 'no', 'C'),
        PARENT_REF='S',
    )
    chain = tier('T', aligned('a1', 1, 2, 'A'), aligned('a2', 2, 3, 'B'), aligned('a3', 3, 2, 'C'))
    content = read(tmp_path, document(text + chain, [0, None, None]))
    assert [name for name, _ in content.tiers['S'].skipped] == ['r1', 'r2', 'r3']
    assert [name for name, _ in content.tiers['T'].skipped] == ['a1', 'a2', 'a3']
    content = read(tmp_path, document(tier('S', aligned('a1', 2, 1, 'A')), [0, 500]))
    assert content.tiers['S'].skipped == [('a1', 'from 500 to 0 ms')]


@pytest.mark.parametrize(
    'text, message',
    [
        ('<html/>', "element 'html' found"),
        (document('', [], header='TIME_UNITS="PAL-frames"'), "TIME_UNITS is 'PAL-frames'"),
        (document('', ['1.5']), "time slot ts1 is '1.5'; whole milliseconds"),
        (document('', ['9' * 10000]), 'time slot ts1 is .*; whole milliseconds'),
        (document(tier('S') + tier('S'), []), "tier 'S' is there twice"),
        (
            document(tier('S', aligned('a1', 1, 2, 'A'), aligned('a1', 1, 2, 'B')), [0, 1]),
            "annotation 'a1' is there",
        ),
        ('<!DOCTYPE x [<!ENTITY a "b">]>' + document('', [])[39:], 'a document type'),
    ],
)
def test_what_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)
