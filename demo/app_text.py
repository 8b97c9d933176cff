"""What the page of app.py says, as HTML, and how it looks. Needs no Gradio."""

import html
from typing import Any, Dict, List, NamedTuple

from app_analysis import Result
from video_demo import REST, REST_NOTE

from signbert_mm.apis.zoo import are_synthetic

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
:is(#input, #teach-record) :is(button[aria-label^="Trim"], button[aria-label^="Reset"]) { display: none; }
.box .track { display: block; background: var(--border-color-primary); border-radius: 4px;
    height: 8px; overflow: hidden; margin-top: 6px; }
.box .track i { display: block; height: 100%; background: #2e74cc; }
#caution { margin-top: 10px; }
.box p { margin: 0 0 4px; }
.box p:last-child { margin: 0; }
.facts, .answer small { color: color-mix(in srgb, var(--body-text-color) 72%, transparent); }
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
.answer small { font-weight: 400; }
.answer table { width: 100%; border-collapse: collapse; }
.answer td, .answer th { text-align: left; padding: 3px 8px 3px 0; vertical-align: top; }
.known table, .known tr, .known td, .known th { border: 0 !important; }
.known tr + tr { border-top: 1px solid var(--border-color-primary) !important; }
.known td, .known tr + tr th { overflow-wrap: anywhere; }
.known th { min-width: 4em; }
.known summary { cursor: pointer; }
#teach-record video { max-height: 240px; }
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
        taught (bool): Whether ``signbert-mm teach`` or the tab "Teach" made it.
    """

    name: str
    weights: str
    data: str
    glosses: List[str]
    hands: str
    extractor: str
    dictionary: str = ''
    note: str = ''
    taught: bool = False

    @property
    def synthetic(self) -> bool:
        """Whether its glosses are those of synthetic signs."""
        return are_synthetic(self.glosses)


def card_html(card: ModelCard) -> str:
    """The head of the page."""
    words = ', '.join(card.glosses[:12]) + (', …' if len(card.glosses) > 12 else '')
    model = f'<b>{html.escape(card.name)}</b>'
    if card.weights != card.name:
        model += f', <code>{html.escape(card.weights)}</code>'
    if card.taught:
        source = 'it was taught by videos'
    elif card.data:
        source = f'its checkpoint says it was trained on <b>{html.escape(card.data)}</b>'
    else:
        source = 'it does not say on what it was trained'
    answers = (
        f'the dictionary <code>{html.escape(card.dictionary)}</code>' if card.dictionary else 'the model'
    )
    parts = [
        f'<p>Model: {model}; {source}.</p>',
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
        body = f'<p>{html.escape(sentence(reason))}</p>' + f'<small>Nearest: {nearest}.</small>' * bool(
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
        body = bars_html(prediction, near)
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


def bars_html(prediction: Dict[str, Any], near: bool) -> str:
    """The glosses of an answer with bars; ``near``: scores are cosines with examples, not probabilities."""
    examples = prediction.get('examples') or [''] * len(prediction['glosses'])
    rows = zip(prediction['glosses'], prediction['scores'], examples)
    body = ''.join(_bar(gloss, score, near, example) for gloss, score, example in rows)
    note = '<small>Cosine between this clip and the nearest example of each sign; 1 is the same.</small>'
    return body + note * near


def sentence(text: str) -> str:
    """With a capital letter and a full stop."""
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
        lead = f'<p><b>{html.escape(sentence(clip.no_answer))}</b> The model sees only hands.</p>'
        return f'<div class="box error" id="status" data-state="no-hands">{lead}<p>{text}</p></div>'
    notes = ''.join(f'<p>{html.escape(note)}</p>' for note in result.notes)
    return (
        f'<div class="box{" caution" if notes else ""}" id="status" '
        f'data-state="done"><p>{text}</p>{notes}</div>'
    )


def busy_html(share: float, what: str, place: str = 'status') -> str:
    """How far the work is; ``place`` is the id of the element."""
    track = f'<span class="track"><i style="width:{100 * share:.0f}%"></i></span>'
    text = f'<p>Working: {html.escape(what)}</p>{track}'
    return f'<div class="box" id="{place}" role="status" data-state="busy">{text}</div>'


def error_html(message: str, place: str = 'status') -> str:
    """A failure, in words for the user of the page."""
    text = f'<p><b>This did not work.</b></p><p>{html.escape(message)}</p>'
    return f'<div class="box error" id="{place}" role="status" data-state="error">{text}</div>'
