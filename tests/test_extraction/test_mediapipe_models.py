import zipfile

import pytest

from signbert_mm.extraction.mediapipe_models import FOLDER_VARIABLE, address, check_bundle, find_model

HAND = ('hand_detector.tflite', 'hand_landmarks_detector.tflite')


def bundle(path, members=HAND, data=b'network'):
    with zipfile.ZipFile(path, 'w') as file:
        for member in members:
            file.writestr(member, data)
    return str(path)


def test_a_model_is_the_file_or_in_the_folder_or_in_that_of_the_environment(tmp_path, monkeypatch):
    for name in ('given', 'set'):
        (tmp_path / name).mkdir()
        bundle(tmp_path / name / 'hand_landmarker.task')
    file = bundle(tmp_path / 'mine.task')
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / 'set'))
    given, found = str(tmp_path / 'given'), str(tmp_path / 'set' / 'hand_landmarker.task')
    assert find_model('hand_landmarker', file, given) == file
    assert find_model('hand_landmarker', None, given) == str(tmp_path / 'given' / 'hand_landmarker.task')
    assert find_model('hand_landmarker') == found
    monkeypatch.delenv(FOLDER_VARIABLE)
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / '.cache' / 'signbert_mm' / 'mediapipe').mkdir(parents=True)
    home = bundle(tmp_path / '.cache' / 'signbert_mm' / 'mediapipe' / 'hand_landmarker.task')
    assert find_model('hand_landmarker') == home


def test_an_absent_model_is_said_in_one_line_with_its_address(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        find_model('pose_landmarker_full', folder=str(tmp_path))
    said = str(caught.value)
    assert '\n' not in said and str(tmp_path / 'pose_landmarker_full.task') in said
    assert 'nothing is downloaded here' in said and FOLDER_VARIABLE in said
    assert (
        'https://storage.googleapis.com/mediapipe-models/pose_landmarker/pose_landmarker_full/float16/1/'
        'pose_landmarker_full.task' in said
    )
    # A path that was given is the only place that is looked at.
    bundle(tmp_path / 'hand_landmarker.task')
    with pytest.raises(FileNotFoundError, match='other.task: no such file'):
        find_model('hand_landmarker', str(tmp_path / 'other.task'), str(tmp_path))


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / 'hand_landmarker.task'
    bundle(path, data=b'network' * 100)
    check_bundle('hand_landmarker', str(path))
    whole = path.read_bytes()
    for content, said in (
        (b'', 'not a zip file; 0 bytes'),
        (b'<html>404</html>', 'not a zip file'),
        (whole[: len(whole) // 2], 'not a zip file'),
        (whole.replace(b'networknetwork', b'networxnetwork', 1), 'hand_detector.tflite in it is damaged'),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f'no whole hand_landmarker bundle.*{said}') as caught:
            check_bundle('hand_landmarker', str(path))
        assert address('hand_landmarker') in str(caught.value) and '\n' not in str(caught.value)


def test_a_bundle_of_another_task_is_refused(tmp_path):
    bundle(tmp_path / 'pose_landmarker_lite.task')
    with pytest.raises(ValueError, match='pose_landmarker bundle .it lacks pose_detector.tflite, pose_'):
        find_model('pose_landmarker_lite', folder=str(tmp_path))
