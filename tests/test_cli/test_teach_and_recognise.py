"""``signbert-mm teach`` and ``recognise``, from videos to answers."""

import csv
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from grey_extractor import BODY, SIGNS, GreyExtractor
from grey_videos import EXTRACTOR, make_images, make_late_video, make_signs, make_video
from mmengine.config import Config

from signbert_mm.apis import TaughtSigns, read_eaf
from signbert_mm.datasets import PoseStore
from signbert_mm.prepare.sources import convert
from signbert_mm.prepare.sources.elan import eaf_index
from signbert_mm.teaching import Estimate, finetune, pipeline


def teach(run, videos, encoder, *options):
    return run('teach', videos, '--out', 'my_signs', '--encoder', encoder, '--extractor', EXTRACTOR, *options)


def test_twelve_videos(run, my_videos, encoder, tmp_path):
    said = teach(run, my_videos, encoder)
    assert '12 videos of 4 signs; 3 signers: anna, ben, cem.' in said
    assert 'Poses: 12 of 12 videos' in said and 'a sign has 3 clips, and 5 of each are needed' in said
    assert (
        'Right on 12 of 12 clips (100%; 95 % interval 76% to 100%), of signers that it was not taught' in said
    )
    assert said.splitlines()[-1].startswith('Next: signbert-mm recognise NEW.mp4 --model my_signs')
    folder = tmp_path / 'my_signs'
    names = {'model.json', 'config.py', 'encoder.pth', 'dictionary', 'poses', 'poses.parts'}
    assert names | {'report.html', 'confusions.png'} <= set(os.listdir(folder))
    index = json.loads((folder / 'model.json').read_text())
    assert index['kind'] == 'dictionary' and index['glosses'] == sorted(SIGNS) and index['clips'] == 12
    assert index['estimate']['hits'] == index['estimate']['asked'] == 12
    assert index['estimate']['others_asked'] == 12
    store = PoseStore(folder / 'poses')
    assert store.split_counts() == {'train': 12} and set(store.signer) == {'anna', 'ben', 'cem'}
    assert index['seconds'] == pytest.approx(0.7)


def test_again_with_more_videos(run, my_videos, encoder, taught):
    before = json.loads((taught / 'model.json').read_text())
    make_video(my_videos / 'tea' / 'dora_1.mp4', SIGNS['tea'] + 9, 7)
    said = teach(run, my_videos, encoder)
    assert 'Poses: 1 of 13 videos are to be read by grey, 12 are there from before.' in said
    after = json.loads((taught / 'model.json').read_text())
    assert (before['clips'], after['clips']) == (12, 13)
    # A video that has gone is unlearned.
    shutil.rmtree(my_videos / 'water')
    assert 'Poses: 0 of 10 videos' in teach(run, my_videos, encoder)
    assert json.loads((taught / 'model.json').read_text())['glosses'] == ['hello', 'no', 'tea']


def test_bad_videos_are_named_and_do_not_stop_it(run, my_videos, encoder):
    (my_videos / 'hello' / 'dan_1.mp4').write_bytes(b'')
    (my_videos / 'hello' / 'eve_1.mp4').write_text('no video ' * 50)
    make_video(my_videos / 'no' / 'dan_1.mp4', 0)
    make_video(my_videos / 'no' / 'eve_1.mp4', BODY)
    shutil.copy(my_videos / 'tea' / 'anna_1.mp4', my_videos / 'tea' / 'anna_2.mp4')
    shutil.copy(my_videos / 'tea' / 'ben_1.mp4', my_videos / 'water' / 'ben_9.mp4')
    make_video(my_videos / 'loose.mp4', 60)
    (my_videos / 'empty').mkdir()
    (my_videos / 'notes.txt').write_text('mine')
    make_images(my_videos / 'hello' / 'fay_1', SIGNS['hello'])
    said = teach(run, my_videos, encoder)
    for text in (
        r'left out: hello/dan_1: .*empty \(0 bytes\)',
        r'left out: hello/eve_1: ',
        r'left out: no/dan_1: no person was found in any of the 6 frames',
        r'left out: no/eve_1: a person was found, but no hand',
        r'left out: tea/anna_2: the same video as tea/anna_1',
        r'left out: tea/ben_1: the same video under tea and water',
        r'left out: loose.mp4: lies in no folder of a sign',
        r'left out: empty: no video in this folder',
        r'left out: notes.txt: neither a video nor an image',
    ):
        assert any(re.search(text, line) for line in said.splitlines()), text
    report = Path('my_signs/report.html').read_text(encoding='utf-8')
    assert 'Videos to look at' in report and 'no/eve_1' in report
    assert 'hello/fay_1' in PoseStore('my_signs/poses').video_id.tolist()


@pytest.mark.parametrize(
    'make, message',
    [
        (lambda folder: folder.mkdir(), 'no video to learn from'),
        (
            lambda folder: make_video(folder / 'hello' / 'a_1.mp4', 0),
            'none of 1 videos can be read and shows',
        ),
        (lambda folder: None, 'no such folder'),
    ],
)
def test_nothing_left(run, encoder, tmp_path, make, message):
    make(tmp_path / 'videos')
    with pytest.raises(SystemExit, match=message):
        teach(run, tmp_path / 'videos', encoder)
    assert not (tmp_path / 'my_signs' / 'model.json').exists()


def test_a_csv(run, my_videos, encoder, tmp_path):
    rows = ['video,gloss,signer', 'absent.mp4,hello,anna']
    for sign in SIGNS:
        rows += [f'my_videos/{sign}/{who}_1.mp4,{sign.upper()},{who}' for who in ('anna', 'ben')]
    (tmp_path / 'list.csv').write_text('\n'.join(rows))
    said = teach(run, 'list.csv', encoder)
    assert '8 videos of 4 signs; 2 signers: anna, ben.' in said
    assert 'left out: absent.mp4: no such file (list.csv line 2); correct the path' in said
    assert TaughtSigns.load('my_signs', extractor=EXTRACTOR).glosses == [
        sign.upper() for sign in sorted(SIGNS)
    ]


def test_a_column_that_is_not_read_is_named(run, my_videos, encoder, tmp_path, capsys):
    rows = [f'my_videos/{sign}/anna_1.mp4;{sign};anna' for sign in SIGNS]
    (tmp_path / 'list.csv').write_text('\n'.join(['video;gloss;who', *rows]))
    # The command leaves out what libraries log, and not what the package says.
    with pytest.raises(SystemExit):
        run('teach', 'list.csv', '--out', 'm', '--encoder', encoder, '--extractor', 'nix')
    assert 'list.csv: columns not read: who; possible: signer' in capsys.readouterr().err


def test_glosses_that_differ_in_capitals(run, my_videos, encoder, tmp_path):
    make_video(my_videos / 'Tea' / 'Anna_1.mp4', 150, 8)
    said = teach(run, my_videos, encoder)
    assert 'look at: Tea: tea differs from it in capitals alone, and each is a sign of its own; write' in said
    assert 'look at: Anna: anna differs from it in capitals alone, and each is a signer of its own' in said
    assert TaughtSigns.load('my_signs', extractor=EXTRACTOR).glosses == ['Tea', *sorted(SIGNS)]


class Odd(GreyExtractor):
    def predict(self, items):
        if len(items) and items[0].mean() < 5:
            raise RuntimeError('too dark')
        return super().predict(items)


def test_an_error_of_the_extractor_is_one_of_its_video(run, taught, tmp_path, capsys):
    make_video(tmp_path / 'new' / 'a.mp4', 0, 3)
    make_video(tmp_path / 'new' / 'b.mp4', SIGNS['tea'], 9)
    with pytest.raises(SystemExit) as end:
        run('recognise', 'new', '--model', 'my_signs', '--extractor', f'{__name__}.Odd', '--csv', 'a.csv')
    said = capsys.readouterr().out
    assert end.value.code == 1 and 'a: cannot be read: RuntimeError: too dark\nb: tea (' in said
    assert Path('a.csv').read_text().count('\n') == 3


class OtherVersion(GreyExtractor):
    version = '2'


def test_another_extractor_is_named(run, taught, tmp_path):
    make_video(tmp_path / 'new.mp4', SIGNS['tea'], 3)
    model = ('recognise', 'new.mp4', '--model', 'my_signs', '--extractor')
    said = run(*model, f'{__name__}.OtherVersion')
    assert said.startswith('Note: the taught videos were read by grey 1, and these are by grey 2: ')
    shutil.rmtree(taught / 'poses')
    assert run(*model, f'{__name__}.OtherVersion').startswith('new: ')
    assert TaughtSigns.load(taught, extractor=EXTRACTOR).other_extractor() == ''


def test_workers(run, my_videos, encoder):
    with pytest.raises(SystemExit, match='workers is 0; give 1 or more'):
        teach(run, my_videos, encoder, '--workers', '0')


def test_signers(run, encoder, tmp_path):
    videos = tmp_path / 'videos'
    for place, (sign, grey) in enumerate(SIGNS.items()):
        for take in range(3):
            make_video(videos / sign / f'{sign}_{take}.mp4', grey + 3 * take, 6 + place)
    said = teach(run, videos, encoder)
    assert 'signers are not known' in said and 'of signers that it may know' in said
    with pytest.raises(SystemExit, match="finds no signer in 'hello_0'"):
        teach(run, videos, encoder, '--signer', r'x(\d)')
    with pytest.raises(SystemExit, match='is no regular expression'):
        teach(run, videos, encoder, '--signer', '(')
    assert '3 signers: 0, 1, 2' in teach(run, videos, encoder, '--signer', r'_(\d)$')


@pytest.mark.parametrize('wrong, kind', [(0, 'dictionary'), (-1, 'finetune')])
def test_the_better_method_is_kept(run, encoder, tmp_path, monkeypatch, wrong, kind):
    known = pipeline.dictionary_estimate

    def one_wrong(*arguments):
        estimate = known(*arguments)
        estimate.predicted[0] = 1
        return estimate

    def all_right_but(cfg, store, how, folds, progress):
        labels = store.label.astype(np.int64)
        predicted = np.where(np.arange(len(labels)) <= wrong, 1, labels)
        return Estimate('finetune', how, labels, predicted, np.ones(len(labels)))

    monkeypatch.setattr(pipeline, 'dictionary_estimate', one_wrong)
    monkeypatch.setattr(pipeline, 'finetune_estimate', all_right_but)
    monkeypatch.setattr(finetune, 'EPOCHS', (1, 1))
    videos = make_signs(tmp_path / 'videos', ('anna', 'ben'), takes=3)
    said = teach(run, videos, encoder)
    assert 'Fine-tuning is tried 2 times' in said
    # A tie goes to the dictionary.
    assert json.loads(Path('my_signs/model.json').read_text())['kind'] == kind
    assert 'The other method, ' in Path('my_signs/report.html').read_text(encoding='utf-8')


def test_fine_tuning(run, encoder, tmp_path, monkeypatch):
    monkeypatch.setattr(finetune, 'EPOCHS', (1, 1))
    videos = make_signs(tmp_path / 'videos', ('anna', 'ben'))
    said = teach(run, videos, encoder, '--method', 'finetune')
    assert 'Method: fine-tuned encoder.' in said
    files = set(os.listdir('my_signs'))
    assert 'model.pth' in files and 'dictionary' not in files
    signs = TaughtSigns.load('my_signs', extractor=EXTRACTOR)
    answer = signs(str(videos / 'tea' / 'anna_1.mp4'))[0]
    assert signs.kind == 'finetune' and signs.glosses == sorted(SIGNS)
    assert np.isclose(answer['all_scores'].sum(), 1, atol=1e-5)
    # The config trains with tools/train.py.
    cfg = Config.fromfile(tmp_path / 'my_signs' / 'config.py')
    assert cfg.load_from == str(tmp_path / 'my_signs' / 'encoder.pth')


def test_recognise(run, taught, my_videos, tmp_path, capsys):
    make_video(tmp_path / 'new' / 'a.mp4', SIGNS['tea'] + 2, 9)
    make_video(tmp_path / 'new' / 'black.mp4', 0)
    (tmp_path / 'new' / 'text.mp4').write_text('text')
    make_images(tmp_path / 'new' / 'frames', SIGNS['no'])
    model = ('--model', 'my_signs', '--extractor', EXTRACTOR)
    (tmp_path / 'new' / 'notes.txt').write_text('mine')
    with pytest.raises(SystemExit) as end:
        run('recognise', 'new', *model, '--json', 'out.json', '--csv', 'out.csv')
    # As of `cp`: the others are done, and the status tells.
    assert end.value.code == 1
    said, warned = capsys.readouterr()
    assert warned.endswith('neither a video nor an image, by its suffix (.txt): notes.txt\n')
    lines = dict(line.split(': ', 1) for line in said.splitlines() if ': ' in line)
    assert lines['a'].startswith('tea (') and lines['frames'].startswith('no (')
    assert lines['black'].startswith('no answer: no person was found')
    assert lines['text'].startswith('cannot be read: ') and lines['Written'] == 'out.json, out.csv'
    assert '1 of 4 videos cannot be read' in said and lines['Next'] == 'signbert-mm page --model my_signs'
    answers = json.loads((tmp_path / 'out.json').read_text())
    assert [answer['name'] for answer in answers] == ['a.mp4', 'black.mp4', 'frames', 'text.mp4']
    assert answers[0]['glosses'][0] == 'tea' and answers[0]['seconds'] == pytest.approx(0.9)
    with open(tmp_path / 'out.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert [row['gloss'] for row in rows] == ['tea', '', 'no', ''] and rows[1]['reason']
    assert [row['video'] for row in rows] == [answer['video'] for answer in answers]
    assert run('recognise', 'new/black.mp4', 'new/a.mp4', *model).startswith('a: tea (')


def test_none_of_these(run, taught):
    index = json.loads((taught / 'model.json').read_text())
    make_video(taught.parent / 'new.mp4', SIGNS['tea'])
    (taught / 'model.json').write_text(json.dumps(dict(index, threshold=1.5)))
    said = run('recognise', 'new.mp4', '--model', 'my_signs', '--extractor', EXTRACTOR, '--json', 'out.json')
    assert said.startswith('new: none of these 4 signs: the nearest, tea, has score')
    answer = json.loads(Path('out.json').read_text())[0]
    assert answer['glosses'] == answer['scores'] == [] and answer['nearest'] == 'tea'


def test_long_videos(run, taught, tmp_path):
    pytest.importorskip('av')
    signs = TaughtSigns.load(taught, extractor=EXTRACTOR)
    extractor = GreyExtractor()
    poses = [extractor._pose(float(grey)) for grey in [SIGNS['tea']] * 20 + [0] * 20 + [SIGNS['no']] * 20]
    (answer,) = signs.segments(np.stack(poses), layout='coco_wholebody_133', image_size=(64, 48), fps=10.0)
    assert [sign['gloss'] for sign in answer['segments']] == ['tea', 'no']
    make_video(tmp_path / 'long.mp4', SIGNS['tea'], 20)
    said = run('recognise', 'long.mp4', '--model', 'my_signs', '--extractor', EXTRACTOR, '--long')
    assert 'long: 0.0 to 2.0 s tea (' in said


def test_elan(run, taught, tmp_path):
    make_video(tmp_path / 'new.mp4', SIGNS['tea'], 10)
    options = ('--model', 'my_signs', '--extractor', EXTRACTOR, '--elan', 'new.eaf')
    run('recognise', 'new.mp4', *options)
    ((start, end, gloss, score),) = read_eaf(tmp_path / 'new.eaf').scored('signbert-mm')
    assert (start, end, gloss) == (0.0, pytest.approx(1.0), 'tea')
    assert 0 < score <= 1.0001
    with pytest.raises(SystemExit, match='--elan writes the file of one video'):
        run('recognise', 'new.mp4', 'my_videos', *options, '--overwrite')


@pytest.mark.parametrize('long', [True, False])
def test_elan_of_a_video_that_begins_late(run, taught, tmp_path, long):
    greys = [SIGNS['tea']] * 20 + ([0] * 20 + [SIGNS['no']] * 20) * long
    late, even = make_late_video(tmp_path / 'late.mp4', greys), tmp_path / 'even.mp4'
    make_late_video(even, greys, 0.0)
    found = {}
    for video in (even, late):
        options = ('--model', 'my_signs', '--extractor', EXTRACTOR, *['--long'] * long)
        run('recognise', video.name, *options, '--elan', 'a.eaf', '--csv', 'a.csv', '--overwrite')
        rows = read_eaf('a.eaf').scored('signbert-mm')
        with open('a.csv', newline='') as file:
            table = [(float(row['start']), float(row['end'])) for row in csv.DictReader(file)]
        np.testing.assert_allclose(table, [row[:2] for row in rows], atol=1e-3)
        found[video.stem] = rows
    assert [row[2] for row in found['late']] == ['tea', 'no'][: 1 + long]
    for (start, end, gloss, _), (begin, stop, name, _) in zip(found['even'], found['late']):
        assert (begin, stop, name) == (pytest.approx(start + 2), pytest.approx(end + 2), gloss)
    # What was written cuts the frames that were seen.
    clips = eaf_index('a.eaf', ['signbert-mm'])
    assert clips.videos
    store = convert(clips.index, 'cut', videos=clips.videos, extractor=dict(type=EXTRACTOR))
    whole = PoseStore('cut.poses').clip(0)[0]
    for number, (start, end, *_) in enumerate(found['even']):
        np.testing.assert_array_equal(store.clip(number)[0], whole[round(10 * start) : round(10 * end)])


def test_elan_keeps_what_is_there(run, taught, tmp_path):
    (tmp_path / 'new.eaf').write_text('by hand')
    (tmp_path / 'new.mp4').write_text('no video')
    options = ('--model', 'my_signs', '--extractor', EXTRACTOR, '--elan', 'new.eaf')
    with pytest.raises(SystemExit, match='new.eaf exists; name another file, or --overwrite'):
        run('recognise', 'new.mp4', *options)
    # Without an answer nothing is written.
    with pytest.raises(SystemExit):
        run('recognise', 'new.mp4', *options, '--overwrite')
    assert (tmp_path / 'new.eaf').read_text() == 'by hand'


def test_recognise_images(run, taught, tmp_path):
    make_images(tmp_path / 'new' / 'frames', SIGNS['no'])
    options = ('new', '--model', 'my_signs', '--extractor', EXTRACTOR, '--elan', 'new.eaf')
    assert run('recognise', *options[:-2]).startswith('frames: no (')
    with pytest.raises(SystemExit):
        run('recognise', *options)
    assert not (tmp_path / 'new.eaf').exists()
    run('recognise', *options, '--image-fps', '10')
    ((start, end, gloss, _),) = read_eaf(tmp_path / 'new.eaf').scored('signbert-mm')
    images = len(list((tmp_path / 'new' / 'frames').iterdir()))
    assert (start, end, gloss) == (0.0, pytest.approx(images / 10), 'no')


@pytest.mark.parametrize(
    'options, message',
    [
        (('--window', '1'), '--window goes with --long'),
        (('--window', 'nan', '--long'), '--window and --image-fps above 0'),
        (('--csv', '.'), 'a folder is there, and a file is meant'),
        # The shell's *.mp4.
        (('--csv', 'other.mp4'), 'other.mp4 is a video, and what is written would replace it'),
        (('--elan', 'new.mp4', '--overwrite'), 'new.mp4 is read, and what is written would replace it'),
        (('--csv', 'a.out', '--json', './a.out'), 'a.out is named for two outputs'),
        (('--extractor', 'nix'), 'unknown pose extractor'),
        (('--device', 'nix'), "device 'nix' cannot be used"),
    ],
)
def test_recognise_refuses(run, taught, tmp_path, capsys, options, message):
    for name in ('new.mp4', 'other.mp4'):
        make_video(tmp_path / name, SIGNS['tea'], 3)
    with pytest.raises(SystemExit) as refused:
        run('recognise', 'new.mp4', '--model', 'my_signs', '--extractor', EXTRACTOR, *options)
    # The parser prints its messages itself.
    assert message in f'{refused.value} {capsys.readouterr().err}'


def test_a_folder_with_a_video_that_cannot_be_read(taught, tmp_path):
    make_video(tmp_path / 'new' / 'a.mp4', SIGNS['tea'], 9)
    (tmp_path / 'new' / 'b.mp4').write_text('text')
    make_video(tmp_path / 'new' / 'c.mp4', SIGNS['no'], 9)
    answers = TaughtSigns.load(taught, extractor=EXTRACTOR)(tmp_path / 'new')
    assert [answer['name'] for answer in answers] == ['a', 'b', 'c']
    assert [answer.get('glosses', ['?'])[0] for answer in answers] == ['tea', '?', 'no']
    assert answers[1]['error']


def test_a_folder_from_elsewhere(run, taught):
    with pytest.raises(
        SystemExit, match='if you trust it, name it: --extractor grey_extractor.GreyExtractor'
    ):
        run('recognise', 'my_videos', '--model', 'my_signs')
    config = (taught / 'config.py').read_text()
    (taught / 'config.py').write_text(config.replace("'SignBERT'", "'subprocess.Popen'", 1))
    with pytest.raises(SystemExit, match="type 'subprocess.Popen' is not registered"):
        run('recognise', 'my_videos', '--model', 'my_signs', '--extractor', EXTRACTOR)
    (taught / 'config.py').write_text(config + 'import os\n')
    with pytest.raises(SystemExit, match='is not made of plain values'):
        run('recognise', 'my_videos', '--model', 'my_signs', '--extractor', EXTRACTOR)
    index = json.loads((taught / 'model.json').read_text())
    damaged = dict(index, estimate={}), dict(index, threshold='x'), dict(index, kind='x')
    for text in ('{', '[]', '{"format": "other"}', *map(json.dumps, damaged)):
        (taught / 'model.json').write_text(text)
        with pytest.raises(SystemExit, match='model.json: no index of version 1'):
            run('recognise', 'my_videos', '--model', 'my_signs')
    (taught / 'model.json').unlink()
    with pytest.raises(SystemExit, match='make them with: signbert-mm teach VIDEOS --out my_signs'):
        run('recognise', 'my_videos', '--model', 'my_signs')


def test_places_that_hold_something_else(run, my_videos, encoder, tmp_path):
    (tmp_path / 'my_signs').mkdir()
    (tmp_path / 'my_signs' / 'thesis.doc').touch()
    with pytest.raises(SystemExit, match='my_signs: holds other files'):
        teach(run, my_videos, encoder)
    with pytest.raises(SystemExit, match='its meta has no config'):
        torch.save(dict(state_dict={}, meta={}), tmp_path / 'bare.pth')
        teach(run, my_videos, tmp_path / 'bare.pth', '--out', 'other')
