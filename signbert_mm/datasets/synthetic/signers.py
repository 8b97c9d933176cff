"""The signers: bodies, habits and cameras."""

import numpy as np

from . import inventory as inv
from .arrays import generator
from .hand_skeleton import BONES, LIMITS, ROOTS

IMAGE_SIZES = np.array(
    [(640, 480), (1280, 720), (512, 512), (640, 360), (720, 576), (480, 640), (1920, 1080), (256, 256)]
)
# Draws are clipped to this many deviations, so that no signer is extreme.
_MAX_LEAN = 2.5


class Signers:
    """``num_signers`` people, as arrays whose first axis is the signer.

    The first n signers are the same for every larger number.

    Args:
        num_signers (int): How many.
        seed (int): Seed of the data set.
        shapes (ndarray): Shape (shapes, 5, 3, 3), radians: the vocabulary's hand shapes.
        left_handed (float): Odds of being left-handed.
        variety (float): 1 = normal; 0 = every signer is the average one, with the same camera. Handedness
            does not depend on it.

    Attributes:
        bones (S, 5, 3), roots (S, 5, 3): Finger bones and wrist-to-finger roots, metres.
        hand_scale (S,): Relative to an adult's mean.
        scale, shoulder, upper_arm, forearm, hip, head (S,): Body size; half shoulder width, bone lengths,
            half hip width, head's height, metres.
        left_handed (S,): bool.
        tempo, amplitude (S,): Factors of length and of path size.
        shapes (S, shapes, 5, 3, 3): The shapes as this signer makes them, radians, within the joint limits.
        place_bias (S, P, 3), orientation_bias (S, O, 3): Metres; radians.
        swivel (S,): How far the elbow is held out. transit (S,): Seconds to the sign and back. ease, overlap,
            stiffness (S,): Manner of movement.
        rest (S,) int: Favourite resting posture. continuous, trimmed (S,): Odds that a clip is cut from
            running signing; that it is cut tightly.
        yaw, pitch, roll (S,): Camera, radians. view, off_x, off_y (S,): Height of the picture at the body and
            shift of its centre, metres.
        fov (S,): Vertical field of view, radians. image (S,) int: Index into IMAGE_SIZES. quality (S,):
            Factor of the detector's error.
    """

    def __init__(
        self, num_signers: int, seed: int, shapes: np.ndarray, left_handed: float, variety: float
    ) -> None:
        # Each signer has a stream of its own: more signers do not change the first ones.
        rows = [self._one(generator(seed, (1 << 63) + signer), variety) for signer in range(num_signers)]
        for name in rows[0]:
            setattr(self, name, np.array([row[name] for row in rows]))
        offset = generator(seed, (1 << 63) - 1).random()
        # Golden-ratio steps spread left-handers evenly, so that a small number of signers has some too.
        self.left_handed = (offset + np.arange(num_signers) * 0.6180339887498949) % 1.0 < left_handed
        self.shapes = np.clip(shapes + self.shape_bias, LIMITS[..., 0], LIMITS[..., 1])

    @staticmethod
    def _one(rng: np.random.Generator, variety: float) -> dict:
        def lean(deviation: float, *shape: int) -> np.ndarray:
            return variety * deviation * np.clip(rng.standard_normal(shape), -_MAX_LEAN, _MAX_LEAN)

        def between(low: float, high: float) -> float:
            return 0.5 * (low + high) + variety * (high - low) * (rng.random() - 0.5)

        hand_scale = np.exp(lean(0.07))
        scale = np.exp(lean(0.05))
        width = np.exp(lean(0.07))
        # Degrees: flexion, abduction, twist.
        bias = np.array([7.5, 3.5, 2.5])
        # Lengths in metres. exp(lean(d)) is a factor that varies by about 100 d percent.
        return dict(
            hand_scale=hand_scale,
            bones=BONES * hand_scale * np.exp(lean(0.05, 5, 1)) * np.exp(lean(0.03, 5, 3)),
            roots=ROOTS * hand_scale * np.array([width, 1.0, 1.0]) + lean(0.0015, 5, 3),
            scale=scale,
            shoulder=0.185 * scale * np.exp(lean(0.07)),
            upper_arm=0.285 * scale * np.exp(lean(0.04)),
            forearm=0.250 * scale * np.exp(lean(0.04)),
            hip=0.11 * scale * np.exp(lean(0.08)),
            head=0.02 + lean(0.015),
            tempo=np.exp(lean(0.2)),
            amplitude=np.exp(lean(0.25)),
            place_bias=lean(0.032, len(inv.PLACES), 3) + lean(0.034, 3),
            orientation_bias=np.radians(lean(15.0, len(inv.ORIENTATIONS), 3) + lean(11.0, 3)),
            shape_bias=np.radians(bias * (lean(1.0, len(inv.SHAPE_NAMES), 5, 3, 3) + lean(0.7, 5, 3, 3))),
            swivel=lean(0.3),
            ease=between(0.2, 1.0),
            overlap=between(0.0, 0.5),
            transit=between(0.26, 0.5),
            stiffness=between(0.25, 0.55),
            rest=int(rng.integers(len(inv.REST_PLACES))) if variety else 0,
            continuous=between(0.2, 0.9),
            trimmed=between(0.1, 0.8),
            yaw=np.radians(lean(24.0)),
            pitch=np.radians(lean(7.0)),
            roll=np.radians(lean(3.0)),
            view=between(1.0, 1.8),
            off_x=lean(0.15),
            off_y=lean(0.08),
            fov=np.radians(between(30.0, 70.0)),
            image=int(rng.integers(len(IMAGE_SIZES))) if variety else 0,
            quality=np.exp(lean(0.3)),
        )
