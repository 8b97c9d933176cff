"""Teaching clip by clip, with made poses: what is known, what is undone, what is refused, what is written."""

from dataclasses import replace

import numpy as np
import pytest
from grey_encoder import save_encoder
from grey_extractor import BODY, SIGNS, GreyExtractor
from grey_videos import EXTRACTOR
from rounding import tolerance

from signbert_mm.apis import PoseClip, TaughtSigns
from signbert_mm.datasets import PoseStore
from signbert_mm.teaching import Teacher, TeachingSession
from signbert_mm.teaching import session as sessions
from signbert_mm.teaching.session import UNDO_STEPS


def clip_of(sign, take=1, name='', frames=6):
    """Poses as :class:`GreyExtractor` finds them in a video of a sign."""
    grey = SIGNS.get(sign, sign) + take
    poses = GreyExtractor().predict([np.full((48, 64, 3), grey, np.uint8)] * frames)
    return PoseClip.make(poses, 'coco_wholebody_133', (64, 48), fps=10, name=name or f'{sign}_{take}.mp4')


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    return Teacher(save_encoder(tmp_path_factory.mktemp('encoder')), EXTRACTOR, 'cpu')


@pytest.fixture
def session(teacher):
    return TeachingSession(teacher)


@pytest.fixture
def taught(session):
    """Two signs of two examples each."""
    for sign in ('tea', 'no'):
        session.add(sign, [clip_of(sign, 1), clip_of(sign, 3)])
    return session


def names_of(session):
    return {gloss: [row.name for row in rows] for gloss, rows in session.table().items()}


def test_add_and_try(session):
    added = session.add('  tea ', [clip_of('tea', 1), clip_of('tea', 3, frames=8)])
    assert added == ('tea', ['tea_1', 'tea_3'], True, [])
    assert session.add('tea', [clip_of('tea', 2, 'a/../tea_1.mov')]).names == ['tea_1 (2)']
    assert not session.add('tea', [clip_of('tea', 4, '...')]).is_new
    assert names_of(session) == {'tea': ['tea_1', 'tea_3', 'tea_1 (2)', 'video']}
    assert session.table()['tea'][1] == ('tea_3', 0.8, 8, 8)
    session.add('no', [clip_of('no', 1)])
    answer = session.recognise(clip_of('no', 2))
    assert answer['glosses'] == ['no', 'tea'] and answer['examples'][0] == 'no_1' and not answer['reason']
    # An example is nearest to itself.
    assert session.recognise(clip_of('tea', 3, frames=8))['scores'][0] == pytest.approx(1, abs=1e-6)


def test_none_of_these(session, taught):
    assert session.estimate['hits'] == session.estimate['asked'] == 4
    answer = session.recognise(clip_of('water', 2))
    assert answer['glosses'] == [] and answer['reason'].startswith('none of these 2 signs: the nearest, ')
    assert answer['nearest_score'] < session.threshold <= 1
    # One example of each cannot be asked of others, so there is no threshold.
    for sign in ('tea', 'no'):
        session.remove(sign, f'{sign}_3')
    assert session.threshold is None and session.recognise(clip_of('water', 2))['glosses']


def test_a_name_of_other_capitals_is_named(taught):
    (problem,) = taught.add('Tea', [clip_of('tea', 7)]).problems
    assert (
        str(problem).startswith('Tea: tea is there, which differs in capitals alone') and not problem.left_out
    )
    assert taught.add('Tea', [clip_of('tea', 9)]).problems == []


def test_rename_and_remove(taught):
    assert taught.rename('tea', 'chai') == 'renamed tea to chai'
    assert list(taught.table()) == ['chai', 'no']
    assert taught.recognise(clip_of('tea', 2))['glosses'][0] == 'chai'
    assert taught.remove('chai', 'tea_1') == 'deleted the example tea_1 of chai'
    assert taught.rename('chai', 'no') == 'chai and no are one sign now'
    assert names_of(taught) == {'no': ['tea_3', 'no_1', 'no_3']}
    assert taught.remove('no') == 'deleted no and its 3 examples'
    assert taught.table() == {}


def test_the_last_example_takes_its_sign_along(session):
    session.add('tea', [clip_of('tea')])
    assert session.remove('tea', 'tea_1') == 'deleted the example tea_1 of tea, its last one'
    assert session.signs == {}


def test_undo_and_redo(session):
    for number in range(UNDO_STEPS + 2):
        session.add('tea', [clip_of('tea', number % 12, frames=3 + number)])
    for left in range(UNDO_STEPS, 0, -1):
        assert session.undo() == 'undone: added 1 example to tea'
        assert len(session.signs['tea']) == left + 1
    with pytest.raises(ValueError, match='nothing to undo'):
        session.undo()
    assert len(session.signs['tea']) == 2
    session.redo()
    session.rename('tea', 'chai')
    with pytest.raises(ValueError, match='nothing to do again'):
        session.redo()
    session.undo()
    assert session.redo() == 'done again: renamed tea to chai' and list(session.signs) == ['chai']


def test_a_refusal_is_no_step(session):
    session.add('tea', [clip_of('tea')])
    with pytest.raises(ValueError, match='already'):
        session.add('tea', [clip_of('tea')])
    session.undo()
    assert session.signs == {}


def test_what_is_refused(session, teacher):
    for name in ('', '  ', None, '\u200b'):
        with pytest.raises(ValueError, match='^type the name of the sign first$'):
            session.add(name, [clip_of('tea')])
    with pytest.raises(ValueError, match='the name is .*control characters'):
        session.add('tea\nno', [clip_of('tea')])
    with pytest.raises(ValueError, match='^there is no video yet'):
        session.add('tea', [])
    for grey, says in (
        (0, 'no person was found in any of the 6 frames'),
        (BODY, 'but no hand in any of the'),
    ):
        with pytest.raises(ValueError, match=f'^x: .*{says}.*film it again'):
            session.add('tea', [clip_of(grey, 0, 'x')])
    with pytest.raises(ValueError, match='nothing is taught yet'):
        session.recognise(clip_of('tea'))
    session.add('tea', [clip_of('tea')])
    for call, says in (
        (lambda: session.rename('', 'no'), 'choose a sign first'),
        (lambda: session.rename('no', 'tea'), 'there is no sign no'),
        (lambda: session.rename('tea', ' tea'), 'has this name already'),
        (lambda: session.rename('tea', ''), 'type the name'),
        (lambda: session.remove('tea', 'other'), 'tea has no example other'),
        (session.save, 'there is no folder to save into'),
    ):
        with pytest.raises(ValueError, match=says):
            call()
    assert session.recognise(clip_of(BODY, 0))['reason'].startswith('a person was found, but no hand')


def test_the_same_video_twice(session, tmp_path):
    file = tmp_path / 'a.mp4'
    file.write_bytes(b'one')
    session.add('tea', [replace(clip_of('tea', 1), video=str(file))])
    with pytest.raises(ValueError, match=r'^tea_1.mp4: this video is an example of tea already$'):
        session.add('tea', [clip_of('tea', 1)])
    # The same file, whatever the extractor found in it this time.
    again = replace(clip_of('tea', 2), video=str(file))
    with pytest.raises(ValueError, match='an example of tea already; delete it there first'):
        session.add('no', [again])
    added = session.add('no', [again, clip_of('no', 1), clip_of('no', 1)])
    assert added.names == ['no_1'] and [problem.left_out for problem in added.problems] == [True, True]
    assert 'an example of no already' in added.problems[1].reason


def test_few_hands_are_a_warning(session):
    poses = clip_of('tea', 1)
    scores = poses.scores.copy()
    scores[1:, 91:] = 0
    added = session.add('tea', [replace(poses, scores=scores)])
    assert added.names == ['tea_1'] and not added.problems[0].left_out
    assert 'a hand was found in 1 of 6 frames only' in added.problems[0].reason


def test_there_is_a_most(session, monkeypatch):
    monkeypatch.setattr(sessions, 'MOST_EXAMPLES', 1)
    session.add('tea', [clip_of('tea', 1)])
    with pytest.raises(ValueError, match='at most 1 examples can be added'):
        session.add('no', [clip_of('no', 1)])


def test_sessions_are_apart(teacher, taught):
    other = TeachingSession(teacher)
    assert other.table() == {} and len(taught.table()) == 2


def test_export_and_go_on(taught, tmp_path):
    with pytest.raises(ValueError, match='nothing is taught yet'):
        TeachingSession(taught.teacher).export(tmp_path / 'empty')
    folder = taught.export(tmp_path / 'my_signs', 'my_signs')
    signs = TaughtSigns.load(folder, 'cpu', EXTRACTOR)
    assert signs.glosses == ['no', 'tea'] and signs.threshold == taught.threshold
    assert signs.seconds == 0.6 and signs.estimate == taught.estimate
    for sign in (clip_of('tea', 2), clip_of('water', 2)):
        # Loading makes the vectors, of 32 numbers, of length 1 once more.
        written, kept = signs([sign])[0], taught.recognise(sign)
        assert written.pop('scores') == pytest.approx(kept.pop('scores'), rel=0, abs=tolerance(32))
        assert [written.pop('reason'), written.pop('nearest_score', 0)] == [
            kept.pop('reason'),
            pytest.approx(kept.pop('nearest_score', 0), rel=0, abs=tolerance(32)),
        ]
        assert written == kept
    store = PoseStore(f'{folder}/poses')
    assert store.extractors == ['grey 1'] and [store.glosses[label] for label in store.label] == [
        'no', 'no', 'tea', 'tea'
    ]  # fmt: skip
    assert "store='my_signs/poses'" in (tmp_path / 'my_signs' / 'config.py').read_text()

    with pytest.raises(ValueError, match='if you trust it, name it: --extractor grey_extractor'):
        Teacher.load(folder, 'cpu')
    teacher = Teacher.load(folder, 'cpu', EXTRACTOR)
    session = TeachingSession(teacher)
    assert names_of(session) == {'no': ['no_1', 'no_3'], 'tea': ['tea_1', 'tea_3']}
    assert session.threshold == taught.threshold
    with pytest.raises(ValueError, match='an example of tea already'):
        session.add('tea', [clip_of('tea', 1)])
    session.add('water', [clip_of('water', 1)])
    late = TeachingSession(teacher)
    session.save()
    assert TaughtSigns.load(folder, 'cpu', EXTRACTOR).glosses == ['no', 'tea', 'water']
    session.remove('no')
    session.save()
    assert list(TeachingSession(teacher).signs) == list(session.signs) == ['tea', 'water']
    late.add('hello', [clip_of('hello', 1)])
    with pytest.raises(ValueError, match='somebody else has saved'):
        late.save()
    with pytest.raises(ValueError, match='holds other files'):
        (tmp_path / 'other').mkdir()
        (tmp_path / 'other' / 'file').touch()
        late.export(tmp_path / 'other')


def test_signs_of_known_signers_keep_them(tmp_path, taught):
    for gloss, examples in taught.signs.items():
        taught.signs[gloss] = tuple(
            example._replace(signer=signer) for example, signer in zip(examples, ('anna', 'ben'))
        )
    folder = taught.export(tmp_path / 'my_signs')
    session = TeachingSession(Teacher.load(folder, 'cpu', EXTRACTOR))
    assert session.estimate['how'] == 'signers that it was not taught with'
    # Who shows a clip that is added on the page is not known: one further signer.
    session.add('tea', [clip_of('tea', 2)])
    assert session.estimate['how'] == 'signers that it was not taught with'
