"""The page itself, in Gradio.

It loads nothing from the network: local fonts, no analytics, and a policy that the browser enforces.
"""

import html
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import gradio as gr
from app_analysis import Analyser, Limits, Progress, Refusal, Result
from app_server import HostCheck, UploadFolder, UploadLimit, own_names
from app_viewer import viewer_frame
from starlette.middleware import Middleware
from video_demo import REST, REST_NOTE

from signbert_mm.apis.zoo import are_synthetic
from signbert_mm.datasets import PoseStore
from signbert_mm.errors import UserError

POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:"
RATES = {'every frame': 0.0, '25 a second': 25.0, '12.5 a second': 12.5, '8 a second': 8.0}
CSS = """
.gradio-container { max-width: 1180px !important; margin: 0 auto !important; }
.html-container { padding: 0 !important; }
iframe.viewer { width: 100%; border: 0; display: block; }
.box { border: 1px solid var(--border-color-primary); border-radius: 8px; padding: 10px 14px;
    margin: 2px 0; line-height: 1.45; }
.box.caution { border-color: #d9a33c; background: color-mix(in srgb, #f0b429 14%, transparent); }
.box.error { border-color: #d0404f; background: color-mix(in srgb, #d0404f 12%, transparent); }
#input video { max-height: 330px; }
/* Gradio's editing of videos would load FFmpeg from elsewhere */
#input button[aria-label^="Trim"], #input button[aria-label^="Reset"] { display: none; }
.box .track { display: block; background: var(--border-color-primary); border-radius: 4px;
    height: 8px; overflow: hidden; margin-top: 6px; }
.box .track i { display: block; height: 100%; background: #2e74cc; }
#caution { margin-top: 10px; }
.box p { margin: 0 0 4px; }
.box p:last-child { margin: 0; }
.facts { color: var(--body-text-color-subdued); }
.facts p { margin: 0 0 4px; }
.facts code { font-size: 0.95em; overflow-wrap: anywhere; }
.answer h3 { margin: 2px 0 8px; font-size: 1.05em; }
.answer .row { display: grid; grid-template-columns: minmax(90px, 34%) 1fr 56px; gap: 10px;
    align-items: center; margin: 7px 0; }
.answer .gloss { overflow-wrap: anywhere; }
.answer .row:first-of-type .gloss { font-weight: 700; font-size: 1.15em; }
.answer .track { background: var(--border-color-primary); border-radius: 4px; height: 12px;
    overflow: hidden; }
.answer .track i { display: block; height: 100%; background: #b0b7c0; }
.answer .row:first-of-type .track i { background: #2e74cc; }
.answer .share { text-align: right; font-variant-numeric: tabular-nums; }
.answer small { color: var(--body-text-color-subdued); }
.answer table { width: 100%; border-collapse: collapse; }
.answer td, .answer th { text-align: left; padding: 3px 8px 3px 0; }
"""


class ModelCard(NamedTuple):
    """What the page says of its model.

    Attributes:
        name, weights (str): Config and checkpoint.
        data (str): The training data; '' = unknown.
        glosses (list[str]): The possible answers.
        hands (str): The model of the 3-D hands; '' = none.
        extractor (str): The pose extractor.
        dictionary (str): Its folder; '' = none.
        note (str): For a model that no option names: what it knows, and how to choose another.
    """

    name: str
    weights: str
    data: str
    glosses: List[str]
    hands: str
    extractor: str
    dictionary: str = ''
    note: str = ''

    @property
    def synthetic(self) -> bool:
        """Whether its glosses are those of synthetic signs."""
        return are_synthetic(self.glosses)


def card_html(card: ModelCard) -> str:
    """The head of the page."""
    words = ', '.join(card.glosses[:12]) + (', …' if len(card.glosses) > 12 else '')
    source = (
        f'its checkpoint says it was trained on <b>{html.escape(card.data)}</b>'
        if card.data
        else 'it does not say on what it was trained'
    )
    answers = (
        f'the dictionary <code>{html.escape(card.dictionary)}</code>' if card.dictionary else 'the model'
    )
    parts = [
        f'<p>Model: <b>{html.escape(card.name)}</b>, <code>{html.escape(card.weights)}</code>; {source}.</p>',
        f'<p>Answers come from {answers}: {len(card.glosses)} glosses ({html.escape(words)}). Poses: '
        f'{html.escape(card.extractor)}. '
        f'3-D hands: {html.escape(card.hands) or "none"}.</p>',
    ]
    if card.note:
        parts.append(f'<p>{html.escape(card.note)}</p>')
    caution = (
        '<div class="box caution" id="caution"><p><b>This model knows no sign language.</b> It was trained '
        'on synthetic signs: movements made up by '
        'a program, named gloss_000, gloss_001 and so on. On a real video it shows how everything works; its '
        'answer means nothing as a sign. '
        'Start the page with your own model for real answers: <code>python demo/app.py --config CONFIG '
        '--checkpoint CHECKPOINT</code>.</p></div>'
    )
    return f'<div class="facts" id="model">{"".join(parts)}</div>' + caution * card.synthetic


def answer_html(result: Result, card: ModelCard) -> str:
    """The best glosses with bars, or the signs in time."""
    prediction = result.prediction
    if not prediction or prediction.get('reason'):
        reason = prediction.get('reason') or result.clip.no_answer
        nearest = ', '.join(html.escape(gloss) for gloss in prediction.get('guesses') or ())
        body = f'<p>{html.escape(_sentence(reason))}</p>' + f'<small>Nearest: {nearest}.</small>' * bool(
            nearest
        )
        return f'<div class="answer"><h3>No answer</h3>{body}</div>'
    if 'segments' in prediction:
        title, rows = 'Signs in time', []
        for sign in prediction['segments']:
            rows.append(
                f'<tr><td>{sign["start"]:.2f} to {sign["end"]:.2f} '
                f's</td><td><b>{html.escape(sign["gloss"])}</b></td><td>{_percent(sign)}</td></tr>'
            )
        body = (
            f'<table><tr><th>time</th><th>gloss</th><th>score</th></tr>{"".join(rows)}</table>'
            if rows
            else '<p>No window reached the threshold.</p>'
        )
    else:
        near = bool(card.dictionary)
        title = f'{"Nearest" if near else "Top"} {len(prediction["glosses"])}'
        examples = prediction.get('examples') or [''] * len(prediction['glosses'])
        body = ''.join(
            _bar(gloss, score, near, example)
            for gloss, score, example in zip(prediction['glosses'], prediction['scores'], examples)
        )
        if near:
            body += (
                '<small>Cosine between this clip and the nearest example of each sign; 1 is the same.</small>'
            )
        if result.truth:
            correct = prediction['glosses'][0] == result.truth
            body += (
                f'<p>The clip shows <b>{html.escape(result.truth)}</b>: the model is '
                f'{"right" if correct else "wrong"}.</p>'
            )
    if card.synthetic and not result.truth:
        body += '<small>Synthetic glosses: of a real video they say nothing.</small>'
    elif prediction.get('glosses', [''])[:1] == [REST] and not card.dictionary:
        body += f'<small>{html.escape(REST_NOTE)}.</small>'
    return f'<div class="answer"><h3>{title}</h3>{body}</div>'


def _sentence(text: str) -> str:
    return f'{text[:1].upper()}{text[1:]}.'


def _percent(sign: Dict[str, Any]) -> str:
    return f'{100 * sign["score"]:.0f} %'


def _bar(gloss: str, score: float, cosine: bool, example: str) -> str:
    share = f'{score:.2f}' if cosine else f'{100 * score:.1f} %'
    note = f'<br><small>{html.escape(example)}</small>' if example else ''
    width = 100 * min(max(score, 0.0), 1.0)
    track = f'<span class="track"><i style="width:{width:.1f}%"></i></span>'
    return (
        f'<div class="row"><span class="gloss">{html.escape(gloss)}{note}</span>{track}<span '
        f'class="share">{share}</span></div>'
    )


def status_html(result: Result, seconds: float) -> str:
    """What was read of the video, and remarks on it."""
    clip, visible = result.clip, result.clip.hands_found().any(-1)
    text = (
        f'{html.escape(clip.name)}: {len(clip)} frames ({len(clip) / clip.fps:.1f} s at {clip.fps:.4g} a '
        f'second, {clip.image_size[0]} × '
        f'{clip.image_size[1]}), a hand in {int(visible.sum())} of them. Done in {seconds:.1f} s.'
    )
    if not visible.any():
        lead = f'<p><b>{html.escape(_sentence(clip.no_answer))}</b> The model sees only hands.</p>'
        return f'<div class="box error" id="status" data-state="no-hands">{lead}<p>{text}</p></div>'
    notes = ''.join(f'<p>{html.escape(note)}</p>' for note in result.notes)
    return (
        f'<div class="box{" caution" if notes else ""}" id="status" '
        f'data-state="done"><p>{text}</p>{notes}</div>'
    )


def busy_html(share: float, what: str) -> str:
    """How far the work is."""
    track = f'<span class="track"><i style="width:{100 * share:.0f}%"></i></span>'
    return f'<div class="box" id="status" data-state="busy"><p>Working: {html.escape(what)}</p>{track}</div>'


def error_html(message: str) -> str:
    """A failure, in words for the user of the page."""
    return (
        '<div class="box error" id="status" data-state="error"><p><b>This did not '
        f'work.</b></p><p>{html.escape(message)}</p></div>'
    )


class _LeftError(Exception):
    """The client has left. Ends the work at its next step."""


class Page:
    """Connects the page's elements with an :class:`Analyser`.

    Args:
        analyser (Analyser): Answers the videos.
        card (ModelCard): Describes its model.
        limits (Limits): How much of a video is read by default. ``seconds`` is also the largest choice.
        examples (PoseStore, optional): Synthetic signs with known glosses, of which the page offers the test
            clips.
    """

    def __init__(
        self, analyser: Analyser, card: ModelCard, limits: Limits, examples: Optional[PoseStore] = None
    ) -> None:
        self.analyser, self.card, self.limits, self.examples = analyser, card, limits, examples
        self._test = (
            [] if examples is None else [int(place) for place in (examples.split == 'test').nonzero()[0]]
        )
        self._next = 0

    def _stream(self, work: Callable[[Progress], Result]) -> Iterator[tuple]:
        """Yields (status, video, answer, viewer, files) while ``work(progress)`` runs in a thread.

        The last ones are the result.
        """
        start, steps, client_left = time.monotonic(), [(0.0, 'opening the video')], threading.Event()
        empty = (None, '', '', gr.update(value=None, visible=False))
        rest = empty

        def progress(share: float, what: str) -> None:
            if client_left.is_set():
                raise _LeftError
            steps.append((share, what))

        pool = ThreadPoolExecutor(1)
        future = pool.submit(work, progress)
        pool.shutdown(wait=False)
        try:
            while not future.done():
                yield (busy_html(*steps[-1]), *rest)
                # The first yield clears the last answer; later ones change the status alone.
                rest = (gr.skip(),) * len(empty)
                wait([future], timeout=0.4)
        finally:
            # The client may have left. This thread serves all requests, so it must not wait for the work.
            client_left.set()
        error = future.exception()
        if error is not None:
            # An error of the system has a number. One without is ours, written for users.
            if not isinstance(error, UserError) and getattr(error, 'errno', 0) is not None:
                logging.getLogger(__name__).error('the page could not answer', exc_info=error)
                error = RuntimeError(
                    f'An error that should not happen, {type(error).__name__}: {error}. The terminal of '
                    'demo/app.py has the details.'
                )
            yield (error_html(str(error)), *empty)
            return
        result = future.result()
        files = [str(path) for path in (result.video, result.json, result.glb) if path is not None]
        status = status_html(result, time.monotonic() - start)
        viewer = viewer_frame(result, self.analyser.no_mesh)
        yield (
            status,
            str(result.video),
            answer_html(result, self.card),
            viewer,
            gr.update(value=files, visible=True),
        )

    def recognise(
        self, path: Optional[str], seconds: float, rate: str, side: float, several: bool, window: float
    ) -> Iterator[tuple]:
        """Answers an uploaded or recorded video."""

        def work(progress: Progress) -> Result:
            if not path:
                raise Refusal('There is no video yet: drop one, or record one with the camera.')
            if not Path(path).is_file() and Path(path).exists():
                raise Refusal(f'{Path(path).name}: this is no file; drop a video.')
            # A request need not come from the page's own sliders, so values are limited again.
            limits = Limits(
                _within(seconds, 0.1, self.limits.seconds), RATES[rate], int(_within(side, 64, 4096))
            )
            return self.analyser.video(
                Path(path), limits, bool(several), _within(window, 0.1, 60.0), progress
            )

        yield from self._stream(work)

    def example(self) -> Iterator[tuple]:
        """Answers the next synthetic sign of a test signer."""
        place = self._test[self._next % len(self._test)]
        # Neighbours in the store have the same gloss, so go on in larger steps.
        self._next += 37
        yield from self._stream(lambda progress: self.analyser.store_clip(self.examples, place, progress))

    def blocks(self) -> gr.Blocks:
        """The page, not yet served."""
        rates = dict(RATES)
        rate = next((text for text, value in rates.items() if value == self.limits.fps), 'every frame')
        with gr.Blocks(title='signbert_mm', analytics_enabled=False) as blocks:
            gr.Markdown('# From a video to a sign')
            gr.HTML(card_html(self.card))
            with gr.Row():
                with gr.Column(scale=4, min_width=320):
                    # Not mirrored, or left and right hand would be swapped. Small, since a slow browser loses
                    # frames of large recordings.
                    webcam = gr.WebcamOptions(
                        mirror=False,
                        constraints=dict(video=dict(width=dict(ideal=640), height=dict(ideal=480))),
                    )
                    video = gr.Video(
                        label='Drop a video, or record one',
                        sources=['upload', 'webcam'],
                        webcam_options=webcam,
                        elem_id='input',
                    )
                    go = gr.Button('Recognise', variant='primary', elem_id='go')
                    example = gr.Button(
                        'Show me a synthetic sign', visible=bool(self._test), elem_id='example'
                    )
                    several = gr.Checkbox(
                        False,
                        label='It shows several signs',
                        info='Find them by windows',
                        visible=not self.card.dictionary,
                    )
                    with gr.Accordion('How much of the video', open=False):
                        most = self.limits.seconds
                        seconds = gr.Slider(
                            min(1.0, most),
                            most,
                            value=most,
                            step=0.5,
                            label='Seconds from its start',
                            elem_id='seconds',
                        )
                        rates = gr.Radio(
                            list(RATES), value=rate, label='Frames that are read', elem_id='rate'
                        )
                        side = gr.Slider(
                            240,
                            1920,
                            value=self.limits.side,
                            step=40,
                            label='Longest side in pixels; larger ones are shrunk',
                        )
                        window = gr.Slider(
                            0.4,
                            6.0,
                            value=self.analyser.windows.window,
                            step=0.1,
                            label='Seconds of a window, for several signs',
                        )
                with gr.Column(scale=6, min_width=420):
                    status = gr.HTML(
                        '<div class="box" id="status" data-state="ready"><p>Drop a video to begin.</p></div>',
                        min_height=56,
                    )
                    annotated = gr.Video(
                        label='Annotated video',
                        height=430,
                        autoplay=True,
                        loop=True,
                        interactive=False,
                        elem_id='annotated',
                    )
                    answer = gr.HTML('', elem_id='answer')
            viewer = gr.HTML('', elem_id='viewer', js_on_load=None)
            files = gr.File(
                label='To keep: annotated video, answer (JSON), 3-D hands (GLB, for Blender)',
                file_count='multiple',
                interactive=False,
                visible=False,
            )
            gr.HTML(
                '<div class="facts">The page loads nothing from the internet and sends nothing there. Videos '
                'are deleted an hour after the upload, '
                'and when the program ends.</div>'
            )
            shown = [status, annotated, answer, viewer, files]
            settings = [video, seconds, rates, side, several, window]
            common = dict(
                outputs=shown,
                show_progress='hidden',
                concurrency_limit=1,
                concurrency_id='analysis',
                api_visibility='private',
            )
            gr.on(
                [go.click, video.upload, video.stop_recording],
                self.recognise,
                settings,
                trigger_mode='once',
                **common,
            )
            example.click(self.example, None, trigger_mode='once', **common)
        return blocks


def _within(value: float, low: float, high: float) -> float:
    value = float(value)
    # NaN differs from itself.
    return max(low, min(value, high)) if value == value else high


class ContentPolicy:
    """ASGI middleware: the browser refuses whatever the page would load from elsewhere."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def with_policy(message: Any) -> None:
            if message['type'] == 'http.response.start':
                message = dict(
                    message,
                    headers=[*message.get('headers', []), (b'content-security-policy', POLICY.encode())],
                )
            await send(message)

        await self.app(scope, receive, with_policy if scope['type'] == 'http' else send)


def launch(
    page: Page,
    host: str,
    port: Optional[int],
    block: bool = True,
    browser: bool = False,
    names: Sequence[str] = (),
    max_upload: int = 500,
) -> Tuple[gr.Blocks, str]:
    """Serves the page. Returns it and its address.

    Args:
        page (Page): The page.
        host, port: Where it is served; None = the first free port from 7860.
        block (bool): Return at the end only.
        browser (bool): Open the default browser.
        names (Sequence[str]): Allowed host names, beside localhost, numbers and, where ``host`` admits other
            machines, this machine's name.
        max_upload (int): The largest upload in MB.
    """
    system: Sequence[str] = ('system-ui', 'sans-serif')
    theme = gr.themes.Default(font=system, font_mono=('ui-monospace', 'monospace'), primary_hue='blue')
    folder = UploadFolder()
    # Gradio's own clean-up stops at the first entry that is no file, so uploads go to our folder.
    os.environ['GRADIO_TEMP_DIR'] = str(folder.uploads)
    page.analyser.parent = folder.answers
    most = max_upload << 20
    blocks = page.blocks()
    blocks.uploads = folder
    blocks.queue(default_concurrency_limit=1)
    middleware = [
        Middleware(HostCheck, names=(*own_names(host), *names)),
        Middleware(UploadLimit, folder=folder, most=most),
        Middleware(ContentPolicy),
    ]
    _, address, _ = blocks.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        inbrowser=browser,
        quiet=True,
        share=False,
        ssr_mode=False,
        run_history=False,
        footer_links=[],
        css=CSS,
        theme=theme,
        show_error=True,
        enable_monitoring=False,
        max_file_size=most,
        app_kwargs=dict(middleware=middleware),
    )
    print(f'The page is at {address} (Ctrl-C ends it)', flush=True)
    if block:
        try:
            blocks.block_thread()
        finally:
            folder.close()
    return blocks, address
