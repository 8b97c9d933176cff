import pytest

from signbert_mm.engine.label_maps import label_map_difference, label_map_remedy

MAP = ['book', 'drink', 'eat', 'go']


@pytest.mark.parametrize(
    'here, expected',
    [
        (MAP, ''),
        (
            ['drink', 'book', 'eat', 'go'],
            "on the data's 4 glosses in another order: label 0 is 'book' there and 'drink' here",
        ),
        (
            ['book', 'house', 'eat', 'go'],
            "on other glosses than the data has: label 1 is 'drink' there and 'house' here",
        ),
        (['book', 'eat'], 'on 4 glosses and the data has 2, all of them among the 4'),
        ([*MAP, 'home'], 'on 4 glosses and the data has 5, the 4 among them'),
        (['book', 'x', 'y'], 'on 4 glosses and the data has 3, 1 in common'),
    ],
)
def test_difference(here, expected):
    found = label_map_difference(MAP, tuple(here))
    assert found == (expected and f'it was trained {expected}')


def test_remedy():
    text = label_map_remedy(MAP, MAP[:2], 'test', 'a.pth')
    assert (
        'test_dataloader.dataset.classes=STORE_OR_FILE_WITH_THE_2' in text
        and 'load_from=a.pth' in text
        and 'num_classes=2' in text
    )
    assert 'label map of the checkpoint' in label_map_remedy(MAP, MAP[::-1], 'test', 'a.pth')
    assert 'num_classes' not in label_map_remedy(
        MAP, MAP[::-1], 'train', 'a.pth'
    ) and 'new_head=True' in label_map_remedy(MAP, MAP[::-1], 'train', 'a')
    assert label_map_remedy(MAP, MAP[:1], 'resume', 'a.pth').startswith(
        'A run is resumed on the data it was started with'
    )
