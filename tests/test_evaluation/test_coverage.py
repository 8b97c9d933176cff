import pytest

from signbert_mm.evaluation.coverage import coverage_facts, coverage_text

ROW = dict(name='wlasl2000', folder='/data/wlasl2000', split='test', clips=4321, glosses=2000)


def meta(**changes):
    return dict(coverage=[dict(ROW, **changes)])


@pytest.mark.parametrize(
    'changes, text',
    [
        (dict(expected=5000, present=4321), '4,321 of 5,000 test clips (86.4 %) of wlasl2000'),
        (dict(expected=4321, present=4321), ''),
        (dict(), ''),
        (
            dict(clips=100, expected=5000, present=4321),
            '100 of 5,000 test clips (2.0 %) of wlasl2000; 4,321 of them are in the store',
        ),
        (
            dict(clips=80, split_expected=5000, split_present=4321),
            '80 test clips of some glosses of wlasl2000; of all glosses 4,321 of 5,000 test clips (86.4 %) '
            'are '
            'there',
        ),
        (dict(clips=80, split_expected=5000, split_present=5000), ''),
        (
            dict(clips=99_999, expected=100_000, present=99_999),
            '99,999 of 100,000 test clips (99.9 %) of wlasl2000',
        ),
        (dict(clips=0, split=''), 'no clips of wlasl2000, which is not there'),
        (dict(split='all', expected=5000, present=4321), '4,321 of 5,000 clips (86.4 %) of wlasl2000'),
    ],
)
def test_text(changes, text):
    assert coverage_text(meta(**changes)) == text


def test_facts():
    assert coverage_facts(meta(expected=5000, present=4400)) == [
        dict(dataset='wlasl2000', split='test', clips=4321, expected=5000, present=4400, percent=86.4)
    ]
    assert coverage_facts(meta(split_expected=3, split_present=2))[0]['split_percent'] == 66.6
    assert (
        coverage_facts(meta())
        == coverage_facts({})
        == coverage_facts(None)
        == coverage_facts(dict(coverage='some'))
        == []
    )
    assert coverage_text(dict(coverage='some')) == 'some' and coverage_text(None) == ''
    two = dict(
        coverage=[
            dict(ROW, expected=5000, present=4321),
            dict(ROW, name='slr500', expected=4321, present=4321),
        ]
    )
    assert coverage_text(two).count(';') == 0 and len(coverage_facts(two)) == 2
