"""demo/app.py in a real browser, Debian's Chromium without a window, driven by Playwright (``pip install
playwright``; it downloads no browser).
"""

import importlib
import sys

import pytest
from api_toys import GLOSSES, ColourExtractor

from signbert_mm.apis import SignInferencer

WAIT = 240_000  # ms; machines may be busy
INK = """canvas => {
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let inked = 0;
    for (let i = 3; i < pixels.length; i += 4) inked += pixels[i] > 0;
    return inked / (canvas.width * canvas.height);
}"""


@pytest.fixture
def served(root, house, browser):
    """``served(extractor, hands)``: the page in a tab, with a model of 3-D hands or without. ``tab.asked``
    are the addresses that it asked for, ``tab.failed`` errors of its scripts.
    """
    sys.path.insert(0, str(root / 'demo'))
    analysis, module = importlib.import_module('app_analysis'), importlib.import_module('app_page')
    opened = []

    def serve(extractor, hands=True):
        inferencer = SignInferencer(
            *house['recogniser'],
            device='cpu',
            extractor=extractor,
            pretrained=house['pretrainer'][0] if hands else None,
            pretrained_weights=house['pretrainer'][1] if hands else None,
        )
        analyser = analysis.Analyser(inferencer)
        card = importlib.import_module('app_text').ModelCard(
            'toy', 'toy.pth', 'nothing', GLOSSES, 'toy_pretrain', 'colour'
        )
        blocks, address = module.launch(
            module.Page(analyser, card, analysis.Limits(2.0, 8.0, 480)), '127.0.0.1', None, block=False
        )
        tab = browser.new_context(viewport=dict(width=1240, height=1400), permissions=['camera']).new_page()
        opened.append((analyser, blocks, tab))
        tab.set_default_timeout(WAIT)
        tab.address, tab.asked, tab.failed = address, [], []
        tab.on('request', lambda request: tab.asked.append(request.url))
        tab.on('pageerror', lambda error: tab.failed.append(str(error)))
        tab.policy = tab.goto(address).headers['content-security-policy']
        tab.wait_for_selector('#status[data-state=ready]')
        return tab

    yield serve
    for analyser, blocks, tab in opened:
        tab.context.close()
        blocks.close()
        analyser.close()
    sys.path.remove(str(root / 'demo'))


def answered(tab, start):
    """Calls ``start()``, waits for the end of what it began, gives what the page says."""
    tab.evaluate("document.querySelector('#status').removeAttribute('data-state')")  # of the answer before
    start()
    tab.wait_for_selector('#status[data-state=done], #status[data-state=error], #status[data-state=no-hands]')
    return tab.inner_text('#status')


def upload(tab, path):
    """Drops a file."""
    return answered(tab, lambda: tab.set_input_files('#input input[type=file]', str(path)))


def check_result(tab):
    """The annotated video plays, all glosses are there, the hand turns, and nothing came from elsewhere."""
    assert {tab.inner_text(f'#answer .row:nth-of-type({place}) .gloss') for place in range(1, 5)} == set(
        GLOSSES
    )
    assert tab.inner_text('#answer .row:nth-of-type(1) .share').endswith('%')
    tab.wait_for_function("document.querySelector('#annotated video')?.videoWidth > 300")
    tab.wait_for_function("document.querySelector('#annotated video').currentTime > 0")
    viewer = tab.frame_locator('#viewer iframe')
    tab.evaluate("document.querySelector('#annotated video').pause()")
    hand = viewer.locator('#hands figure:not(.missing) canvas').first
    hand.wait_for()
    assert 0.03 < hand.evaluate(INK) < 0.9
    before = hand.evaluate('canvas => canvas.toDataURL()')
    tab.wait_for_timeout(1500)
    assert hand.evaluate('canvas => canvas.toDataURL()') != before
    assert viewer.locator('#timeline polygon').count() == 2
    viewer.locator('#timeline').click(position=dict(x=300, y=60))
    tab.wait_for_timeout(500)
    video_time = tab.evaluate("document.querySelector('#annotated video').currentTime")
    assert (
        abs(float(viewer.locator('#clock').inner_text().split()[0]) - video_time) < 0.2 and video_time > 0.1
    )
    assert not tab.failed
    assert not [url for url in tab.asked if not url.startswith((tab.address, 'data:', 'blob:', 'about:'))]


def test_a_real_video(served, shared):
    pytest.importorskip(
        'mediapipe.python.solutions', reason='MediaPipe is not installed (make install-extract)'
    )
    video = shared / 'videos' / 'slovo_sign_ru.mp4'
    if not video.is_file():
        pytest.skip(f'no {video}')
    tab = served('mediapipe')
    text = upload(tab, video)
    assert (
        'slovo_sign_ru.mp4: 16 frames (2.0 s at 8 a second, 270 × 480), a hand in' in text
        and 'Only the first 2 s' in text
    )
    check_result(tab)


def test_made_videos_bad_files_and_the_camera(served, make_video, tmp_path):
    tab = served(ColourExtractor())
    assert "default-src 'self'" in tab.policy
    blocked = "fetch('https://example.org/').then(() => 'loaded', error => error.name)"
    assert tab.evaluate(blocked) == 'TypeError'  # by the policy, with or without a network
    tab.asked.clear()
    (tmp_path / 'text.mp4').write_text('no video at all, but text\n' * 20)
    assert 'text.mp4: not a video that FFmpeg reads' in upload(tab, tmp_path / 'text.mp4')
    assert tab.inner_text('#answer') == ''
    tab.click('#input button[aria-label="Clear"]')
    make_video(tmp_path / 'sign.mp4', [60] * 12)
    assert 'sign.mp4: 10 frames' in upload(tab, tmp_path / 'sign.mp4')
    check_result(tab)
    tab.click('#input button[aria-label="Clear"]')
    assert 'There is no video yet' in answered(tab, lambda: tab.click('#go'))
    tab.click('button[aria-label="Capture from camera"]')
    tab.click('#input button:has-text("Click to Access Webcam")')
    tab.click('#input button:has-text("Record")')
    tab.wait_for_timeout(6000)
    text = answered(tab, lambda: tab.click('#input button:has-text("Stop")'))
    assert '.webm: ' in text and 'a hand in' in text
    assert 'Top 4' in tab.inner_text('#answer')


def test_without_a_model_of_the_hands_the_page_says_so_and_shows_the_timeline(served, make_video, tmp_path):
    tab = served(ColourExtractor(), hands=False)
    upload(tab, make_video(tmp_path / 'sign.mp4', [60] * 12))
    viewer = tab.frame_locator('#viewer iframe')
    viewer.locator('#no-mesh').wait_for()
    assert 'No 3-D hands: ' in viewer.locator('#no-mesh').inner_text()
    for name in ('#hands', '#turning', '#no-attention'):
        assert not viewer.locator(name).is_visible(), name
    # All of it lies inside of the frame, which does not scroll.
    height = float(tab.get_attribute('#viewer iframe', 'height'))
    assert viewer.locator('body').evaluate('body => body.scrollHeight') <= height
    assert viewer.locator('#timeline polygon').count() == 2
    assert not tab.failed
