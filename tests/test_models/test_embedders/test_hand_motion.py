import torch

from signbert_mm.models import HandTokenEmbedder
from signbert_mm.models.embedders import HandMotion

GESTURE = dict(type='GestureGCN', joint_channels=(6,), part_channels=(8, 12))


def test_steps_one_by_one(make_batch):
    torch.manual_seed(0)
    model, batch = HandMotion(12), make_batch(3, 5)
    hands, location, valid = batch['hands'], batch['location'], batch['hand_valid']
    out = model(hands, location, valid)
    assert out.shape == (3, 5, 2, 12)

    def step(clip, t, hand):
        """From frame t - 1 to frame t: 3 numbers of the place, then x and y of each joint."""
        if not (0 < t < 5 and valid[clip, t, hand] and valid[clip, t - 1, hand]):
            return [0.0] * 45
        here, before = hands[clip, t, hand], hands[clip, t - 1, hand]
        numbers = (location[clip, t, hand] - location[clip, t - 1, hand]).tolist()
        for joint in range(21):
            both = here[joint].any() and before[joint].any()
            numbers += (here[joint] - before[joint]).tolist() if both else [0.0, 0.0]
        return numbers

    for clip in range(3):
        for t in range(5):
            for hand in range(2):
                steps = 4 * torch.tensor(step(clip, t, hand) + step(clip, t + 1, hand))
                expected = steps @ model.project.weight.T + model.project.bias
                torch.testing.assert_close(out[clip, t, hand], expected, rtol=1e-4, atol=1e-5)


def test_a_token_with_motion_is_the_token_plus_it(make_batch):
    torch.manual_seed(0)
    model = HandTokenEmbedder(gesture=GESTURE, max_frames=32, motion=True).eval()
    batch = make_batch(2, 4)
    with_motion, valid = model(batch)
    motion, model.motion = model.motion, None
    without, _ = model(batch)
    added = motion(batch['hands'], batch['location'], batch['hand_valid'])
    torch.testing.assert_close(with_motion[valid], (without + added)[valid], rtol=1e-4, atol=1e-5)
