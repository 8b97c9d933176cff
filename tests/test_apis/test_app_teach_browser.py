"""The tab that teaches, in headless Chromium: by keyboard alone on a desk, by touch on a phone."""

import importlib
import sys
import zipfile

import pytest
from grey_encoder import save_encoder
from grey_extractor import SIGNS, GreyExtractor
from grey_videos import EXTRACTOR, make_video

from signbert_mm.apis import SignInferencer, TaughtSigns
from signbert_mm.teaching import Teacher

# ms; machines may be busy
WAIT = 240_000
# Most elements that Tab passes on the way to one.
STOPS = 80


@pytest.fixture(scope='module')
def address(root, house, browser, tmp_path_factory):
    """The page, with a teacher that knows nothing yet."""
    sys.path.insert(0, str(root / 'demo'))
    analysis, module, text, tab = (
        importlib.import_module(f'app_{name}') for name in ('analysis', 'page', 'text', 'teach')
    )
    analyser = analysis.Analyser(
        SignInferencer(*house['recogniser'], device='cpu', extractor=GreyExtractor())
    )
    card = text.ModelCard('toy', 'toy.pth', 'nothing', ['a'], '', 'grey')
    teacher = Teacher(save_encoder(tmp_path_factory.mktemp('encoder')), EXTRACTOR, 'cpu')
    limits = analysis.Limits()
    page = module.Page(analyser, card, limits, None, tab.TeachTab(teacher, limits))
    blocks, served = module.launch(page, '127.0.0.1', None, block=False)
    yield served
    blocks.close()
    blocks.uploads.close()
    analyser.close()
    sys.path.remove(str(root / 'demo'))


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    """``videos['tea_1']`` and so on: two takes of four signs, and one of nobody."""
    folder = tmp_path_factory.mktemp('videos')
    made = {f'{sign}_{take}': grey + take for sign, grey in SIGNS.items() for take in (1, 3)}
    return {name: str(make_video(folder / f'{name}.mp4', grey)) for name, grey in {**made, 'dark': 0}.items()}


class Visitor:
    """A person at the page.

    Args:
        browser: Chromium.
        address (str): Of the page.
        width, height (int): Of the window, in CSS pixels.
        phone (bool): Touches the screen; else presses Tab, Enter and arrows alone.
    """

    def __init__(self, browser, address, width, height, phone):
        touch = dict(has_touch=True, is_mobile=True) if phone else {}
        viewport = dict(width=width, height=height)
        self.context = browser.new_context(viewport=viewport, permissions=['camera'], **touch)
        self.tab, self.phone, self.width, self.failed = self.context.new_page(), phone, width, []
        self.tab.set_default_timeout(WAIT)
        self.tab.on('pageerror', lambda error: self.failed.append(str(error)))
        self.tab.goto(address)
        self.tab.wait_for_selector('#status[data-state=ready]')
        self.press('button[role=tab]:has-text("Teach")')
        self.tab.wait_for_selector('#teach-status[data-state=ready]')

    def reach(self, selector):
        """Goes to an element as this person does."""
        target = self.tab.locator(selector).first
        target.wait_for()
        if self.phone:
            return target
        for key in ('Tab', 'Shift+Tab'):
            for _ in range(STOPS):
                if target.evaluate('element => element === document.activeElement'):
                    return target
                self.tab.keyboard.press(key)
        raise AssertionError(f'{selector} is not reached by Tab')

    def press(self, selector):
        target = self.reach(selector)
        target.tap() if self.phone else self.tab.keyboard.press('Enter')

    def write(self, selector, text):
        target = self.reach(selector)
        if self.phone:
            target.fill(text)
        else:
            self.tab.keyboard.press('Control+A')
            self.tab.keyboard.type(text)

    def give(self, *paths):
        """Chooses files where the page asks for them."""
        with self.tab.expect_file_chooser() as chooser:
            self.press('#teach-files button:has(input[type=file])')
        chooser.value.set_files(list(paths))
        self.tab.wait_for_function(
            'count => document.querySelectorAll("#teach-files tr.file, #teach-files .file").length >= count',
            arg=len(paths),
        )

    def choose(self, selector, text):
        """Chooses an entry of a list."""
        self.write(f'{selector} input', text)
        if self.phone:
            self.tab.locator('ul[role=listbox] li', has_text=text).first.tap()
        else:
            self.tab.keyboard.press('Enter')

    def said(self, start, *arguments):
        """Does something, waits for the end of what it began; gives what the page says."""
        # Of what was done before.
        self.tab.evaluate("document.querySelector('#teach-status').removeAttribute('data-state')")
        start(*arguments)
        self.tab.wait_for_selector('#teach-status[data-state=done], #teach-status[data-state=error]')
        assert self.tab.evaluate('document.documentElement.scrollWidth') <= self.width
        return self.tab.inner_text('#teach-status')

    def known(self):
        """The rows of the table: sign, number."""
        rows = self.tab.locator('#teach-known tr:has(td)').all()
        return {row.locator('th').inner_text(): int(row.locator('td').first.inner_text()) for row in rows}

    def close(self):
        assert not self.failed
        self.context.close()


@pytest.fixture
def visit(browser, address):
    """``visit(width, height, phone)``: a new :class:`Visitor`."""
    made = []

    def arrive(*arguments):
        made.append(Visitor(browser, address, *arguments))
        return made[-1]

    yield arrive
    for visitor in made:
        visitor.close()


@pytest.mark.parametrize(
    'width, height, phone', [(1280, 900, False), (390, 844, True)], ids=['keyboard', 'phone']
)
def test_teach_try_change_and_export(visit, videos, tmp_path, width, height, phone):
    person = visit(width, height, phone)
    tab = person.tab
    assert 'No signs yet' in tab.inner_text('#teach-known')
    assert 'type the name of the sign first' in person.said(person.press, '#teach-add')
    person.write('#teach-name input, #teach-name textarea', 'tea')
    assert 'there is no video yet' in person.said(person.press, '#teach-add')
    person.give(videos['tea_1'], videos['tea_3'], videos['dark'])
    text = person.said(person.press, '#teach-add')
    assert 'Added 2 examples to the new sign tea' in text
    assert 'dark.mp4: no person was found in any of the 6 frames' in text
    person.write('#teach-name input, #teach-name textarea', 'no')
    person.give(videos['no_1'], videos['no_3'])
    assert 'Added 2 examples to the new sign no' in person.said(person.press, '#teach-add')
    assert person.known() == {'tea': 2, 'no': 2}

    person.give(videos['tea_1'])
    assert 'tea_1.mp4: this video is an example of tea already' in person.said(person.press, '#teach-add')
    assert 'Tried 1 video' in person.said(person.press, '#teach-try')
    assert tab.inner_text('#teach-answer .row:first-of-type .gloss').split() == ['tea', 'tea_1']
    person.press('#teach-files button[aria-label="Clear"], #teach-files button[aria-label="Remove"]')
    person.give(videos['water_1'])
    person.said(person.press, '#teach-try')
    assert 'None of these 2 signs' in tab.inner_text('#teach-answer')

    person.press('#teach-change button')
    person.choose('#teach-sign', 'tea')
    person.write('#teach-new input, #teach-new textarea', 'chai')
    assert person.said(person.press, '#teach-rename') == 'Renamed tea to chai.'
    person.choose('#teach-sign', 'chai')
    person.choose('#teach-example', 'tea_3')
    assert person.said(person.press, '#teach-delete') == 'Deleted the example tea_3 of chai.'
    assert person.known() == {'chai': 1, 'no': 2}
    assert person.said(person.press, '#teach-undo') == 'Undone: deleted the example tea_3 of chai.'
    person.choose('#teach-sign', 'no')
    assert person.said(person.press, '#teach-delete-sign') == 'Deleted no and its 2 examples.'
    person.said(person.press, '#teach-undo')
    person.said(person.press, '#teach-redo')
    assert person.known() == {'chai': 2}
    person.said(person.press, '#teach-undo')
    assert person.known() == {'chai': 2, 'no': 2}

    assert 'my_signs.zip' in person.said(person.press, '#teach-export')
    with tab.expect_download() as download:
        person.press('#teach-zip a')
    with zipfile.ZipFile(download.value.path()) as packed:
        packed.extractall(tmp_path)
    signs = TaughtSigns.load(tmp_path / 'my_signs', 'cpu', EXTRACTOR)
    assert signs.glosses == ['chai', 'no'] and signs(videos['tea_3'])[0]['glosses'][0] == 'chai'

    # Nobody else sees them.
    assert visit(width, height, phone).known() == {}


def test_record_with_the_camera(visit):
    """The made camera's green picture is a sign to the extractor."""
    person = visit(390, 844, True)
    person.write('#teach-name input, #teach-name textarea', 'green')
    person.press('#teach-record button:has-text("Click to Access Webcam")')
    person.press('#teach-record button:has-text("Record")')
    person.tab.wait_for_timeout(3000)
    text = person.said(person.press, '#teach-record button:has-text("Stop")')
    assert text == 'Recorded; add it to the sign, or try it.'
    assert 'Added 1 example to the new sign green' in person.said(person.press, '#teach-add')
    assert person.known() == {'green': 1}
