import pytest
import torch
from mmengine.evaluator import Evaluator

from signbert_mm.evaluation import PoseAUC
from signbert_mm.structures import SignDataSample


def make_samples(num=3, frames=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    samples = []
    for index in range(num):
        target = torch.rand(frames, 2, 21, 2, generator=generator)
        valid = torch.rand(frames, 2, generator=generator) < 0.8
        scores = torch.rand(frames, 2, 21, generator=generator)
        sample = SignDataSample(
            sample_idx=index,
            video_id=f'v{index}',
            boxes=100 + 50 * torch.rand(frames, 2, 3, generator=generator),
        )
        samples.append(
            sample.set_reconstruction(
                pred_hands=target + 0.08 * torch.randn(target.shape, generator=generator),
                target_hands=target,
                input_hands=target * (torch.rand(frames, 2, 21, 1, generator=generator) < 0.7),
                hand_scores=torch.where(scores < 0.2, torch.zeros(()), scores),
                hand_valid=valid,
                chosen=valid & (torch.rand(frames, 2, generator=generator) < 0.5),
            )
        )
    return samples


def run(metric, samples):
    evaluator = Evaluator(metric)
    evaluator.process(samples)
    return evaluator.evaluate(len(samples))


def reference(samples, field, only_chosen, scale_of):
    distances = []
    for sample in samples:
        for t in range(len(sample.chosen)):
            for hand in range(2):
                if not sample.hand_valid[t, hand] or (only_chosen and not sample.chosen[t, hand]):
                    continue
                for joint in range(21):
                    if sample.hand_scores[t, hand, joint] > 0:
                        (x, y), (u, v) = (
                            sample.get(field)[t, hand, joint].tolist(),
                            sample.target_hands[t, hand, joint].tolist(),
                        )
                        distances.append(((x - u) ** 2 + (y - v) ** 2) ** 0.5 * scale_of(sample, t, hand))
    pck = [100 * sum(d <= threshold for d in distances) / len(distances) for threshold in range(20, 41)]
    return pck[0], sum((a + b) / 2 for a, b in zip(pck[:-1], pck[1:])) / 20, len(distances)


@pytest.mark.parametrize('crop_size', [256, None])
def test_against_plain_loops(crop_size):
    samples = make_samples()
    found = run(PoseAUC(crop_size=crop_size), samples)
    for name, field in (('input', 'input_hands'), ('output', 'pred_hands')):
        for prefix, only_chosen in (('', False), ('chosen/', True)):
            pck, auc, _ = reference(
                samples,
                field,
                only_chosen,
                lambda s, t, h: float(s.boxes[t, h, 2]) if crop_size is None else crop_size,
            )
            assert found[f'{prefix}{name}/pck20'] == pytest.approx(pck, abs=1e-9)
            assert found[f'{prefix}{name}/auc'] == pytest.approx(auc, abs=1e-9)
    assert found['joints'] == reference(samples, 'pred_hands', False, lambda s, t, h: 1)[2]


def test_threshold_is_inclusive_and_auc_by_hand():
    sample = make_samples(1, 1)[0]
    sample.hand_valid, sample.hand_scores = torch.tensor([[True, False]]), torch.ones(1, 2, 21)
    sample.target_hands, sample.input_hands = torch.zeros(1, 2, 21, 2), torch.zeros(1, 2, 21, 2)
    # the hand that was not found is not looked at
    sample.pred_hands = torch.full((1, 2, 21, 2), float('nan'))
    sample.pred_hands[0, 0] = torch.tensor([0.0, 20 / 256])
    assert run(PoseAUC(), [sample])['output/pck20'] == 100
    # PCK is 0 up to 29 px and 100 from 30 px: 10 whole steps and half a step of 20
    sample.pred_hands[0, 0] = torch.tensor([30 / 256, 0.0])
    found = run(PoseAUC(), [sample])
    assert (
        found['output/pck20'] == 0
        and found['output/auc'] == pytest.approx(100 * 10.5 / 20)
        and found['input/auc'] == 100
    )


def test_bad_input():
    samples = make_samples()
    samples[1].pred_hands[samples[1].hand_valid] = float('nan')
    with pytest.raises(ValueError, match=r"clip 1 \('v1'\): pred_hands or target_hands not finite"):
        run(PoseAUC(), samples)
    with pytest.raises(KeyError, match='clip 0 lacks pred_hands'):
        run(PoseAUC(), [SignDataSample(sample_idx=0)])
    for sample in samples:
        sample.hand_valid = torch.zeros(4, 2, dtype=torch.bool)
    with pytest.raises(ValueError, match='none of the 3 clips has an annotated joint'):
        run(PoseAUC(), samples)
    with pytest.raises(ValueError, match='first < last'):
        PoseAUC(thresholds=(40, 20))
    with pytest.raises(ValueError, match='crop_size'):
        PoseAUC(crop_size=0)
