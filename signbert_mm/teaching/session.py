"""Teaches signs clip by clip: add, try, rename, remove, undo, and write a folder of taught signs."""

import os
import re
import threading
from dataclasses import replace
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ..apis import PoseClip, SignDictionary, TaughtSigns
from ..apis.backends import Prediction
from ..errors import UserValueError
from ..files.paths import check_text
from ..files.text import clean_text
from .estimate import Estimate
from .poses import few_hands
from .teacher import Example, PathLike, Signs, Teacher, estimate_of, marks_of
from .videos import Problem

# Steps that can be undone, and examples that a session holds beside those it began with.
UNDO_STEPS, MOST_EXAMPLES = 50, 500


class Row(NamedTuple):
    """One example in the table of what is known: its name, length in seconds, and frames with a hand."""

    name: str
    seconds: float
    frames: int
    hand_frames: int


class Added(NamedTuple):
    """The result of :meth:`TeachingSession.add`.

    Attributes:
        gloss (str): The sign.
        names (list[str]): Of the examples that were added.
        is_new (bool): Whether the sign was not there before.
        problems (list[Problem]): Clips that were left out, and warnings.
    """

    gloss: str
    names: List[str]
    is_new: bool
    problems: List[Problem]


class TeachingSession:
    """The signs that one person teaches, and the steps that can be undone.

    Nothing is trained: the nearest example answers. Several threads may use one session.

    Args:
        teacher (Teacher): The encoder and the first signs.

    Attributes:
        signs (dict[str, tuple[Example, ...]]): The examples of each sign; replaced, never changed.
        base (dict): What the teacher's ``start`` was when the session began or saved.

    Example:
        >>> session = TeachingSession(Teacher())
        >>> session.add('hello', [session.teacher.inferencer.reader.extract('hello.mp4')]).names
        ['hello']
        >>> session.recognise(session.teacher.inferencer.reader.extract('new.mp4'))['glosses']
        ['hello']
    """

    def __init__(self, teacher: Teacher) -> None:
        self.teacher = teacher
        self.signs: Signs = teacher.start
        self.base = teacher.start
        # (what was done, the signs before it), and of redo the signs after it.
        self._undone: List[Tuple[str, Signs]] = []
        self._done: List[Tuple[str, Signs]] = []
        self._lock = threading.Lock()
        # Of which signs, and their dictionary and estimate.
        self._made: Tuple[Optional[Signs], Any, Any] = (None, None, None)

    def add(self, gloss: str, clips: Sequence[PoseClip]) -> Added:
        """Adds examples of a sign, new or known, in one step.

        Args:
            gloss (str): The sign.
            clips (Sequence[PoseClip]): At least one. Those that show nobody or no hand, or are there already,
                are left out. A clip's ``video``, where given, is the file by which copies are known.

        Raises:
            ValueError: The name is missing or no text of one line, there are no clips, or none can be taken.
        """
        gloss = self.check_name(gloss)
        if not clips:
            raise UserValueError('there is no video yet: drop one, or record one')
        good = [clip for clip in clips if not clip.no_answer]
        problems = [
            Problem(clip.name, f'{clip.no_answer}; film it again') for clip in clips if clip.no_answer
        ]
        vectors = self.teacher.inferencer.embedder(good) if good else ()
        with self._lock:
            used = {row.clip.name for rows in self.signs.values() for row in rows}
            known = {mark: sign for sign, rows in self.signs.items() for row in rows for mark in row.marks}
            added: List[Example] = []
            for clip, vector in zip(good, vectors):
                marks = marks_of(clip)
                twin = next((known[mark] for mark in marks if mark in known), '')
                if twin:
                    elsewhere = '' if twin == gloss else '; delete it there first, if it belongs here'
                    problems.append(
                        Problem(clip.name, f'this video is an example of {twin} already{elsewhere}')
                    )
                    continue
                reason = few_hands(clip.hand_frames, len(clip))
                if reason:
                    problems.append(Problem(clip.name, reason, left_out=False))
                name = _free_name(clip.name, used)
                used.add(name)
                known.update(dict.fromkeys(marks, gloss))
                added.append(Example(replace(clip, name=name, video='', label=-1), vector, marks))
            if not added:
                raise UserValueError('; '.join(map(str, problems)))
            if len(used) > MOST_EXAMPLES + sum(map(len, self.base.values())):
                raise UserValueError(f'at most {MOST_EXAMPLES} examples can be added; delete some, or export')
            before = self.signs.get(gloss, ())
            alike = [sign for sign in self.signs if sign != gloss and sign.casefold() == gloss.casefold()]
            if alike and not before:
                reason = (
                    f'{alike[0]} is there, which differs in capitals alone; rename one if they are one sign'
                )
                problems.append(Problem(gloss, reason, left_out=False))
            what = f'added {count_of(len(added), "example")} to {gloss}'
            self._change(what, {**self.signs, gloss: (*before, *added)})
        return Added(gloss, [example.clip.name for example in added], not before, problems)

    @staticmethod
    def check_name(gloss: Optional[str]) -> str:
        """The name of a sign as it is kept: without space around it.

        Raises:
            ValueError: It is missing, longer than 255 bytes or no text of one line.
        """
        gloss = clean_text(gloss or '')
        if not gloss:
            raise UserValueError('type the name of the sign first')
        check_text(gloss, 'the name')
        return gloss

    def check_taught(self) -> None:
        """Refuses to go on without a sign.

        Raises:
            ValueError: Nothing is taught yet.
        """
        if not self.signs:
            raise UserValueError('nothing is taught yet: add an example of a sign first')

    def rename(self, gloss: str, name: str) -> str:
        """Gives a sign another name. Where that is known, its examples go to that sign.

        Returns:
            str: What was done.

        Raises:
            ValueError: There is no such sign, or the name is missing, no text of one line, or the same.
        """
        with self._lock:
            examples = self._of(gloss)
            name = self.check_name(name)
            if name == gloss:
                raise UserValueError(f'{gloss} has this name already; type another one')
            what = (
                f'{gloss} and {name} are one sign now' if name in self.signs else f'renamed {gloss} to {name}'
            )
            # In its place, so that the table does not jump.
            signs: Signs = {}
            for sign, rows in self.signs.items():
                key = name if sign == gloss else sign
                signs[key] = (*signs.get(key, ()), *(examples if sign == gloss else rows))
            return self._change(what, signs)

    def remove(self, gloss: str, name: str = '') -> str:
        """Removes an example by its name, or a sign; a sign without examples is gone, too.

        Args:
            gloss (str): The sign.
            name (str): The example; '' = all of them.

        Returns:
            str: What was done.

        Raises:
            ValueError: There is no such sign or example.
        """
        with self._lock:
            examples = self._of(gloss)
            if not name:
                rest = {sign: rows for sign, rows in self.signs.items() if sign != gloss}
                return self._change(f'deleted {gloss} and its {count_of(len(examples), "example")}', rest)
            kept = tuple(example for example in examples if example.clip.name != name)
            if len(kept) == len(examples):
                raise UserValueError(f'{gloss} has no example {name}; choose one of the list')
            signs = {sign: kept if sign == gloss else rows for sign, rows in self.signs.items()}
            what = f'deleted the example {name} of {gloss}' + ', its last one' * (not kept)
            return self._change(what, {sign: rows for sign, rows in signs.items() if rows})

    def undo(self) -> str:
        """Takes the last step back; returns what was undone.

        Raises:
            ValueError: There is none.
        """
        return f'undone: {self._step(self._done, self._undone, "nothing to undo")}'

    def redo(self) -> str:
        """Does again what was undone last; returns what that is.

        Raises:
            ValueError: Nothing was undone since the last change.
        """
        return f'done again: {self._step(self._undone, self._done, "nothing to do again")}'

    def table(self) -> Dict[str, List[Row]]:
        """The examples of each sign, in the order in which they came."""
        clips = {gloss: [example.clip for example in rows] for gloss, rows in self.signs.items()}
        return {
            gloss: [
                Row(clip.name, len(clip) / clip.fps if clip.fps else 0.0, len(clip), clip.hand_frames)
                for clip in items
            ]
            for gloss, items in clips.items()
        }

    @property
    def threshold(self) -> Optional[float]:
        """The score below which the answer is "none of these"; None = every clip with a hand is answered."""
        return self._model()[1].threshold

    @property
    def estimate(self) -> Dict[str, Any]:
        """How often it is right on its own examples, each asked of the others, see :class:`Estimate`."""
        return self._model()[1].to_dict()

    def recognise(self, clip: PoseClip, topk: int = 5) -> Prediction:
        """Names the nearest signs of a clip, or says that it is none of these.

        Args:
            clip (PoseClip): The poses.
            topk (int): Signs in the answer.

        Returns:
            Prediction: As :class:`TaughtSigns` gives it of the exported folder.

        Raises:
            ValueError: Nothing is taught yet.
        """
        signs, estimate = self._model()
        inferencer = self.teacher.inferencer
        (answer,) = inferencer.search([clip], topk=topk, dictionary=signs)
        # What the judgement needs of a folder's index.
        facts = dict(kind='dictionary', threshold=estimate.threshold, glosses=signs.glosses)
        return TaughtSigns(inferencer, dict(facts, estimate=estimate.to_dict(), seconds=2.0)).judge(answer)

    def export(self, out: PathLike, shown: str = '') -> str:
        """Writes a folder of taught signs, see :meth:`Teacher.write`."""
        self.check_taught()
        return self.teacher.write(self.signs, out, shown)

    def save(self) -> str:
        """Writes into the folder that the signs came from, see :meth:`Teacher.save`."""
        self.check_taught()
        signs = self.signs
        folder = self.teacher.save(signs, self.base)
        self.base = signs
        return folder

    def _model(self) -> Tuple[SignDictionary, Estimate]:
        self.check_taught()
        signs = self.signs
        made = self._made
        if made[0] is not signs:
            made = self._made = (signs, self.teacher.dictionary(signs), estimate_of(signs))
        return made[1:]

    def _of(self, gloss: str) -> Tuple[Example, ...]:
        if gloss not in self.signs:
            raise UserValueError(f'there is no sign {gloss}' if gloss else 'choose a sign first')
        return self.signs[gloss]

    def _change(self, what: str, signs: Signs) -> str:
        self._done = [*self._done, (what, self.signs)][-UNDO_STEPS:]
        self._undone, self.signs = [], signs
        return what

    def _step(self, source: list, target: list, nothing: str) -> str:
        with self._lock:
            if not source:
                raise UserValueError(nothing)
            what, signs = source.pop()
            target.append((what, self.signs))
            self.signs = signs
            return what


def count_of(number: int, noun: str) -> str:
    """``1 example``, ``2 examples``."""
    return f'{number} {noun}{"s" * (number != 1)}'


def _free_name(name: str, used: Any) -> str:
    """A name that a store and a folder take, unlike all others."""
    stem = re.sub(r'[^\w .()-]+', '_', os.path.splitext(os.path.basename(name))[0]).strip(' .')
    # 255 bytes are the most, and a number may follow.
    stem = stem.encode()[:200].decode(errors='ignore') or 'video'
    number, free = 2, stem
    while free in used:
        free, number = f'{stem} ({number})', number + 1
    return free
