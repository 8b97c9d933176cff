"""The tab of the page that teaches signs. Each visitor has a :class:`TeachingSession`."""

import html
import shutil
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import gradio as gr
from app_analysis import Limits, Progress, Refusal, read_clip
from app_text import bars_html, busy_html, error_html, sentence
from app_work import Done, in_steps, in_words

from signbert_mm.apis import PoseClip
from signbert_mm.teaching import Teacher, TeachingSession
from signbert_mm.teaching.session import Row, count_of

STATUS = 'teach-status'
INTRO = (
    'Name a sign, give it a few videos, and try it at once. Nothing is trained: the nearest example answers. '
    'What you teach is yours alone, and is gone when you load the page again: export it.'
)
# Examples of a sign that are always shown.
SHOWN = 4


def camera() -> gr.WebcamOptions:
    """How the camera records."""
    # Not mirrored, or left and right hand would be swapped. Small, since a slow browser loses frames of large
    # recordings.
    size = dict(width=dict(ideal=640), height=dict(ideal=480))
    return gr.WebcamOptions(mirror=False, constraints=dict(video=size))


def said_html(text: str, notes: Sequence[str] = (), state: str = 'done') -> str:
    """What was done, and what else is to be said."""
    # Remarks begin with the name of a file.
    lines = ''.join(f'<p>{html.escape(line)}</p>' for line in (sentence(text), *notes))
    caution = ' caution' * bool(notes)
    return f'<div class="box{caution}" id="{STATUS}" role="status" data-state="{state}">{lines}</div>'


def known_html(table: Dict[str, List[Row]]) -> str:
    """The table of what is known."""
    examples = sum(map(len, table.values()))
    title = f'{count_of(len(table), "sign")}, {count_of(examples, "example")}'
    if not table:
        return '<div class="answer known"><h3>No signs yet</h3></div>'
    rows = ''.join(
        f'<tr><th scope="row">{html.escape(gloss)}</th><td>{len(items)}</td><td>{_examples(items)}</td></tr>'
        for gloss, items in table.items()
    )
    head = '<tr><th scope="col">sign</th><th scope="col">number</th><th scope="col">examples</th></tr>'
    return f'<div class="answer known"><h3>{title}</h3><table>{head}{rows}</table></div>'


def _examples(items: Sequence[Row]) -> str:
    texts = [
        f'{html.escape(row.name)} <small>{row.seconds:.1f} s, a hand in {row.hand_frames} of '
        f'{row.frames} frames</small>'
        for row in items
    ]
    shown, rest = '<br>'.join(texts[:SHOWN]), '<br>'.join(texts[SHOWN:])
    more = f'<details><summary>{len(texts) - SHOWN} more</summary>{rest}</details>'
    return shown + more * bool(rest)


def tried_html(clip: PoseClip, prediction: Dict[str, Any], threshold: Optional[float]) -> str:
    """The answer to one video."""
    name, reason = html.escape(clip.name), prediction['reason']
    if reason:
        return f'<div class="answer"><h3>{name}: no answer</h3><p>{html.escape(sentence(reason))}</p></div>'
    note = (
        f'<small> Below {threshold:.2f} the answer is "none of these".</small>'
        if threshold is not None
        else '<small> Give each sign two examples, and what is none of them gets no answer.</small>'
    )
    best = html.escape(prediction['glosses'][0])
    return f'<div class="answer"><h3>{name}: {best}</h3>{bars_html(prediction, True)}{note}</div>'


class _Elements(NamedTuple):
    """The elements that change together: those of :meth:`TeachTab._shown`."""

    state: gr.State
    status: gr.HTML
    known: gr.HTML
    sign: gr.Dropdown
    example: gr.Dropdown


class TeachTab:
    """Connects the tab's elements with a session for each visitor.

    Args:
        teacher (Teacher): The encoder, and the signs that each visitor begins with.
        limits (Limits): How much is read of a video.
        saves (bool): Whether visitors may write into the teacher's folder.

    Attributes:
        uploads (Path, optional): Where exported files go; None = the folder for temporary files.
    """

    def __init__(self, teacher: Teacher, limits: Limits, saves: bool = False) -> None:
        self.teacher, self.limits, self.saves = teacher, limits, saves
        self.uploads: Optional[Path] = None

    def begin(self) -> tuple:
        """The first values of the elements, for a new visitor."""
        session = TeachingSession(self.teacher)
        return self._shown(session, said_html('Type the name of a sign to begin', state='ready'))

    def add(
        self,
        session: Optional[TeachingSession],
        name: str,
        files: Optional[List[str]],
        recording: Optional[str],
    ) -> Iterator[tuple]:
        """Adds videos to a sign; the last values clear the inputs where that went well."""

        def work(progress: Progress) -> Tuple[Any, List[str]]:
            # Before a video is read, which takes a while.
            _present(session).check_name(name)
            clips, notes = self._read(session, files, recording, progress)
            progress(0.95, 'comparing clips')
            added = session.add(name, clips) if clips else None
            return added, [*notes, *(map(str, added.problems) if added else ())]

        with closing(in_steps(work)) as steps:
            for step in steps:
                if not isinstance(step, Done):
                    yield (*self._busy(step), gr.skip(), gr.skip())
                elif step.error or step.result[0] is None:
                    text = step.error or '; '.join(step.result[1])
                    yield (*self._shown(session, error_html(text, STATUS)), gr.skip(), gr.skip())
                else:
                    added, notes = step.result
                    text = f'added {count_of(len(added.names), "example")} to '
                    text += f'{"the new sign " * added.is_new}{added.gloss}, which has '
                    text += f'{len(session.signs[added.gloss])} now'
                    yield (*self._shown(session, said_html(text, notes), added.gloss), None, None)

    def try_it(
        self, session: Optional[TeachingSession], files: Optional[List[str]], recording: Optional[str]
    ) -> Iterator[tuple]:
        """Yields (status, answer) until the videos are answered."""

        def work(progress: Progress) -> Tuple[List[str], List[str]]:
            _present(session).check_taught()
            clips, notes = self._read(session, files, recording, progress)
            progress(0.95, 'recognising')
            answers = [(clip, session.recognise(clip, 3)) for clip in clips]
            return [tried_html(clip, answer, session.threshold) for clip, answer in answers], notes

        with closing(in_steps(work)) as steps:
            for step in steps:
                if not isinstance(step, Done):
                    yield busy_html(*step, STATUS), ''
                elif step.error or not step.result[0]:
                    yield error_html(step.error or '; '.join(step.result[1]), STATUS), ''
                else:
                    answers, notes = step.result
                    text = f'tried {count_of(len(answers), "video")} in {step.seconds:.1f} s'
                    yield said_html(text, notes), ''.join(answers)

    def edit(self, session: Optional[TeachingSession], change: Callable[[TeachingSession], str]) -> tuple:
        """Makes a change, and shows what is known."""
        try:
            return self._shown(session, said_html(change(_present(session))))
        except Exception as error:
            return self._shown(session, error_html(in_words(error), STATUS))

    def export(self, session: Optional[TeachingSession]) -> Tuple[str, Any]:
        """The signs as a zip file of the folder that `signbert-mm recognise` reads."""
        name = 'my_signs' if self.teacher.folder is None else self.teacher.folder.resolve().name
        try:
            with tempfile.TemporaryDirectory(prefix='signbert_mm_export_') as folder:
                _present(session).export(Path(folder) / name, name)
                # The upload folder is swept, so that an old file does not stay.
                place = tempfile.mkdtemp(prefix='export_', dir=self.uploads)
                file = shutil.make_archive(str(Path(place) / name), 'zip', folder, name)
        except Exception as error:
            return error_html(in_words(error), STATUS), gr.update(value=None, visible=False)
        text = f'ready below: {name}.zip. Unpack it, then: signbert-mm recognise VIDEO --model {name}'
        return said_html(text), gr.update(value=file, visible=True)

    def save(self, session: Optional[TeachingSession]) -> tuple:
        """Writes into the folder that the page was started with."""
        if not self.saves:
            return self._shown(session, error_html('this page was not started with --save', STATUS))
        done = f'saved; the tab "Recognise" knows it when the page is started again ({self.teacher.folder})'
        return self.edit(session, lambda signs: signs.save() and done)

    def examples_of(self, session: Optional[TeachingSession], sign: Optional[str]) -> Any:
        """The choices of examples, for the sign that was chosen."""
        return _choices([row.name for row in session.table().get(sign or '', ())] if session else [])

    def build(self, blocks: gr.Blocks) -> None:
        """Makes the elements, within a tab of ``blocks``."""
        state = gr.State(None)
        gr.HTML(f'<div class="facts"><p>{html.escape(INTRO)}</p></div>')
        with gr.Row():
            with gr.Column(scale=5, min_width=280):
                name = gr.Textbox(label='Name of the sign', max_lines=1, elem_id='teach-name')
                files = gr.File(
                    label='Drop one or several videos of it',
                    file_count='multiple',
                    height=130,
                    elem_id='teach-files',
                )
                recording = gr.Video(
                    label='Or record one',
                    sources=['webcam'],
                    webcam_options=camera(),
                    # Without it Gradio calls FFmpeg, to take the sound out.
                    include_audio=True,
                    height=220,
                    elem_id='teach-record',
                )
                with gr.Row():
                    add = gr.Button('Add to the sign', variant='primary', elem_id='teach-add', min_width=120)
                    try_it = gr.Button('Try it', elem_id='teach-try', min_width=120)
            with gr.Column(scale=6, min_width=280):
                status = gr.HTML('', min_height=56)
                answer = gr.HTML('', elem_id='teach-answer')
                known = gr.HTML('', elem_id='teach-known')
                with gr.Row():
                    undo = gr.Button('Undo', elem_id='teach-undo', min_width=90)
                    redo = gr.Button('Redo', elem_id='teach-redo', min_width=90)
                    export = gr.Button('Export', elem_id='teach-export', min_width=90)
                    save = gr.Button('Save', elem_id='teach-save', min_width=90, visible=self.saves)
                exported = gr.File(label='To keep', interactive=False, visible=False, elem_id='teach-zip')
                with gr.Accordion('Change a sign', open=False, elem_id='teach-change'):
                    sign = gr.Dropdown([], label='Sign', elem_id='teach-sign')
                    with gr.Row():
                        new = gr.Textbox(
                            label='New name', max_lines=1, elem_id='teach-new', min_width=120, scale=3
                        )
                        rename = gr.Button('Rename', elem_id='teach-rename', min_width=90, scale=1)
                    with gr.Row():
                        example = gr.Dropdown(
                            [], label='Example', elem_id='teach-example', min_width=120, scale=3
                        )
                        delete = gr.Button('Delete', elem_id='teach-delete', min_width=90, scale=1)
                    delete_sign = gr.Button('Delete the sign', elem_id='teach-delete-sign')
        shown = _Elements(state, status, known, sign, example)
        quick = dict(show_progress='hidden', concurrency_limit=1, concurrency_id='teach', queue=True)
        slow = dict(quick, concurrency_id='analysis', trigger_mode='once')
        for options in (quick, slow):
            options['api_visibility'] = 'private'
        blocks.load(self.begin, None, [*shown], **quick)
        videos = [files, recording]
        gr.on([add.click, name.submit], self.add, [state, name, *videos], [*shown, *videos], **slow)
        try_it.click(self.try_it, [state, *videos], [status, answer], **slow)
        recording.stop_recording(
            lambda: said_html('recorded; add it to the sign, or try it'), None, status, **quick
        )
        sign.input(self.examples_of, [state, sign], example, **quick)
        changes = (
            ([rename.click, new.submit], [sign, new], TeachingSession.rename),
            ([delete.click], [sign, example], _delete_example),
            ([delete_sign.click], [sign], lambda session, gloss: session.remove(gloss or '')),
            ([undo.click], [], TeachingSession.undo),
            ([redo.click], [], TeachingSession.redo),
        )
        for events, inputs, change in changes:

            def run(session: TeachingSession, *values: Any, change: Callable = change) -> tuple:
                return self.edit(session, lambda signs: change(signs, *values))

            gr.on(events, run, [state, *inputs], [*shown], **quick)
        export.click(self.export, state, [status, exported], **quick)
        save.click(self.save, state, [*shown], **quick)

    def _read(
        self,
        session: TeachingSession,
        files: Optional[List[str]],
        recording: Optional[str],
        progress: Progress,
    ) -> Tuple[List[PoseClip], List[str]]:
        """The clips of the videos that can be read, and what is to be said of the others."""
        paths = [Path(path) for path in [*(files or ()), *([recording] if recording else ())]]
        if not paths:
            raise Refusal('there is no video yet: drop one, or record one')
        clips, notes = [], []
        for number, path in enumerate(paths):

            def part(share: float, what: str, number: int = number, path: Path = path) -> None:
                progress(0.9 * (number + share) / len(paths), f'{path.name}: {what}')

            try:
                clip, video, remarks = read_clip(session.teacher.inferencer.reader, path, self.limits, part)
            except Refusal as error:
                notes.append(str(error))
                continue
            video.close()
            if video.cut:
                remarks.append(f'{path.name}: only the first {self.limits.seconds:g} s were read')
            notes += remarks
            clips.append(replace(clip, video=str(path)))
        return clips, notes

    def _shown(self, session: Optional[TeachingSession], status: str, chosen: str = '') -> tuple:
        session = session or TeachingSession(self.teacher)
        table = session.table()
        glosses = list(table)
        sign = chosen or (glosses[-1] if glosses else '')
        return _Elements(
            session,
            status,
            known_html(table),
            _choices(glosses, sign),
            _choices([row.name for row in table.get(sign, ())]),
        )

    def _busy(self, step: Any) -> tuple:
        return (gr.skip(), busy_html(*step, STATUS), gr.skip(), gr.skip(), gr.skip())


def _present(session: Optional[TeachingSession]) -> TeachingSession:
    """Refuses to go on without a session: Gradio keeps that of a page that is away for an hour."""
    if session is None:
        raise Refusal('this page was away for too long, and what you taught on it is gone; begin again')
    return session


def _choices(names: List[str], chosen: str = '') -> Any:
    return gr.update(choices=names, value=chosen or (names[-1] if names else None))


def _delete_example(session: TeachingSession, sign: Optional[str], example: Optional[str]) -> str:
    if not example:
        raise Refusal('choose an example first')
    return session.remove(sign or '', example)
