"""The page itself, in Gradio.

It loads nothing from the network: local fonts, no analytics, and a policy that the browser enforces.
"""

import os
from contextlib import closing
from pathlib import Path
from typing import Callable, Iterator, Optional, Sequence, Tuple

import gradio as gr
from app_analysis import Analyser, Limits, Progress, Refusal, Result
from app_server import ContentPolicy, HostCheck, UploadFolder, UploadLimit, own_names
from app_teach import TeachTab, camera
from app_text import CSS, ModelCard, answer_html, busy_html, card_html, error_html, status_html
from app_viewer import viewer_frame
from app_work import Done, in_steps
from starlette.middleware import Middleware

from signbert_mm.datasets import PoseStore

RATES = {'every frame': 0.0, '25 a second': 25.0, '12.5 a second': 12.5, '8 a second': 8.0}


class Page:
    """Connects the page's elements with an :class:`Analyser`.

    Args:
        analyser (Analyser): Answers the videos.
        card (ModelCard): Describes its model.
        limits (Limits): How much of a video is read by default. ``seconds`` is also the largest choice.
        examples (PoseStore, optional): Synthetic signs with known glosses, of which the page offers the test
            clips.
        teach (TeachTab, optional): A second tab that teaches signs.
    """

    def __init__(
        self,
        analyser: Analyser,
        card: ModelCard,
        limits: Limits,
        examples: Optional[PoseStore] = None,
        teach: Optional[TeachTab] = None,
    ) -> None:
        self.analyser, self.card, self.limits, self.examples = analyser, card, limits, examples
        self.teach = teach
        self._test = (
            [] if examples is None else [int(place) for place in (examples.split == 'test').nonzero()[0]]
        )
        self._next = 0

    def _stream(self, work: Callable[[Progress], Result]) -> Iterator[tuple]:
        """Yields (status, video, answer, viewer, files) while ``work(progress)`` runs in a thread.

        The last ones are the result.
        """
        empty = (None, '', '', gr.update(value=None, visible=False))
        rest = empty
        with closing(in_steps(work)) as steps:
            for step in steps:
                if isinstance(step, Done):
                    yield self._shown(step) if not step.error else (error_html(step.error), *empty)
                    return
                yield (busy_html(*step), *rest)
                # The first yield clears the last answer; later ones change the status alone.
                rest = (gr.skip(),) * len(empty)

    def _shown(self, done: Done) -> tuple:
        result = done.result
        files = [str(path) for path in (result.video, result.json, result.glb) if path is not None]
        return (
            status_html(result, done.seconds),
            str(result.video),
            answer_html(result, self.card),
            viewer_frame(result, self.analyser.no_mesh),
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
        with gr.Blocks(title='signbert_mm', analytics_enabled=False) as blocks:
            gr.Markdown('# From a video to a sign')
            if self.teach is None:
                self._recognise_tab()
            else:
                with gr.Tab('Recognise', id='recognise'):
                    self._recognise_tab()
                with gr.Tab('Teach', id='teach'):
                    self.teach.build(blocks)
            gr.HTML(
                '<div class="facts">The page loads nothing from the internet and sends nothing there. Videos '
                'are deleted an hour after the upload, '
                'and when the program ends.</div>'
            )
        return blocks

    def _recognise_tab(self) -> None:
        rates = list(RATES)
        rate = next((text for text, value in RATES.items() if value == self.limits.fps), rates[0])
        gr.HTML(card_html(self.card))
        with gr.Row():
            with gr.Column(scale=4, min_width=320):
                video = gr.Video(
                    label='Drop a video, or record one',
                    sources=['upload', 'webcam'],
                    webcam_options=camera(),
                    elem_id='input',
                )
                go = gr.Button('Recognise', variant='primary', elem_id='go')
                example = gr.Button('Show me a synthetic sign', visible=bool(self._test), elem_id='example')
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
                    rate = gr.Radio(rates, value=rate, label='Frames that are read', elem_id='rate')
                    side = gr.Slider(
                        240,
                        1920,
                        value=self.limits.side,
                        step=40,
                        label='Longest side in pixels; larger ones are shrunk',
                    )
                    length = self.analyser.windows.window
                    window = gr.Slider(
                        min(0.4, length),
                        max(6.0, length),
                        value=length,
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
        shown = [status, annotated, answer, viewer, files]
        settings = [video, seconds, rate, side, several, window]
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


def _within(value: float, low: float, high: float) -> float:
    value = float(value)
    # NaN differs from itself.
    return max(low, min(value, high)) if value == value else high


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
    if page.teach is not None:
        page.teach.uploads = folder.uploads
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
