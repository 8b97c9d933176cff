"""Videos of several signs, spliced from clips of one sign each."""

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from torch import Tensor

from ..draws import Draws
from ..errors import UserValueError
from ..registry import DATASETS
from .clip_dataset import ClipDataset
from .hand_rule import hands_found
from .no_sign import shake, way_between
from .pose_dataset import PoseDataset

# What a frame shows.
OUTSIDE, BEGIN, INSIDE = 0, 1, 2
# The label of a frame that is padding.
IGNORED = -1

Poses = Tuple[Tensor, Tensor]


class _Video(NamedTuple):
    keypoints: Tensor
    scores: Tensor
    spans: List[Tuple[int, int, int]]


@DATASETS.register_module()
class SplicedSigns(ClipDataset):
    """Rest, movement, sign, movement, sign ..: clips of single signs, spliced. (Not in the papers.)

    A sign is a clip from its first to its last frame with a hand, at a random speed. Between two signs the
    hands move from the last pose of one to the first pose of the next, or move to a rest, stay there and move
    on. At rest they hold a pose of one of the clips, or are out of sight. A video begins and ends with a
    rest. All frames tremble alike, so that noise does not give away what was made. One signer is seen in a
    video, where the store knows the signers.

    Real signing differs: signs change with their neighbours, and movement between them is no interpolation.

    Videos are a function of (seed, epoch, index), see :mod:`signbert_mm.draws`.

    Args:
        dataset (dict | PoseDataset): The clips, without a pipeline, and with ``drop_empty_frames=False``.
        signs (int): S, the signs of a video.
        fps (float): Rate of the videos.
        source_fps (float): Rate of clips whose store does not know it.
        length (int, optional): Videos of an epoch; None = as many as clips.
        clip_len (int, optional): T: cut a piece of so many frames from each video, at random; a shorter video
            is padded. None = whole videos, padded to the longest of the batch.
        speed (Sequence[float]): Slowest and fastest, as a multiple of the recorded speed.
        move (Sequence[float]): Shortest and longest movement between signs, seconds.
        rest (Sequence[float]): Shortest and longest rest, seconds.
        rest_prob (float): Probability of a rest between two signs.
        hidden (float): Probability that the hands of a rest are out of sight.
        begin (float): How long a sign counts as beginning, seconds; at least one frame.
        tremble, drift (float): As for :class:`NoSignDataset`.
        test_mode (bool): The batch also names its videos: ``video_id``.

    Raises:
        ValueError: An option is out of range, the data set samples time, or a clip shows no hand.
    """

    def __init__(
        self,
        dataset: Union[dict, PoseDataset],
        signs: int = 4,
        fps: float = 12.5,
        source_fps: float = 25.0,
        length: Optional[int] = None,
        clip_len: Optional[int] = None,
        speed: Sequence[float] = (0.7, 1.4),
        move: Sequence[float] = (0.16, 0.6),
        rest: Sequence[float] = (0.3, 2.0),
        rest_prob: float = 0.5,
        hidden: float = 0.3,
        begin: float = 0.16,
        tremble: float = 0.002,
        drift: float = 0.03,
        test_mode: bool = False,
    ) -> None:
        self.clips: PoseDataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        self.parts, self.layout = (self.clips,), self.clips.layout
        for name, value in (('signs', signs), ('length', length), ('clip_len', clip_len)):
            if value is not None and value < 1:
                raise UserValueError(f'SplicedSigns: {name} must be at least 1, got {value}')
        for name, (low, high) in (('speed', speed), ('move', move), ('rest', rest)):
            if not 0 < low <= high:
                raise UserValueError(
                    f'SplicedSigns: {name} is (smallest, largest), both above 0, got {(low, high)}'
                )
        if min(fps, source_fps) <= 0 or min(begin, tremble, drift) < 0:
            raise UserValueError(
                'SplicedSigns: fps and source_fps must be above 0, and begin, tremble and drift not '
                f'negative, got {fps}, {source_fps}, {begin}, {tremble} and {drift}'
            )
        if not (0 <= rest_prob <= 1 and 0 <= hidden <= 1):
            raise UserValueError(
                f'SplicedSigns: rest_prob and hidden lie in [0, 1], got {rest_prob} and {hidden}'
            )
        if self.clips.clip_len is not None:
            raise UserValueError(
                f'SplicedSigns: {self.clips.name}: the pipeline samples time; whole clips are spliced, so '
                'leave the temporal transform out'
            )
        self.signs, self.fps, self.source_fps = signs, fps, source_fps
        self.length, self.video_frames, self.test_mode = length, clip_len, test_mode
        self.speed, self.move, self.rest = tuple(speed), tuple(move), tuple(rest)
        self.rest_prob, self.hidden, self.begin = rest_prob, hidden, begin
        self.tremble, self.drift = tremble, drift
        self._pools = self._clips_by_signer()

    def _clips_by_signer(self) -> List[np.ndarray]:
        """For each clip, the clips of its signer; all clips of unknown signers are one group."""
        names = np.asarray(self.clips.store.signer)[self.clips.clips]
        groups = {name: np.flatnonzero(names == name) for name in np.unique(names)}
        return [groups[name] for name in names]

    def __len__(self) -> int:
        return self.length or len(self.clips)

    @property
    def glosses(self) -> List[str]:
        """Those of the signs."""
        return self.clips.glosses

    @property
    def metainfo(self) -> dict:
        """That of the clips, with the videos' frame rate."""
        return dict(self.clips.metainfo, fps=self.fps)

    def __getitems__(self, indices: Sequence[int]) -> dict:
        """Returns a batch.

        Returns:
            dict: ``inputs`` as of :meth:`PoseDataset.__getitems__`, with ``label`` -1, and

                - frame_label (B, T) int64: 0 outside of a sign, 1 at its beginning, 2 inside, -1 in the
                  padding;
                - spans (B, S, 3) int64: first frame, frame after the last one, and gloss of each sign that
                  the piece shows, also in part; -1 = no further sign.
        """
        index = torch.as_tensor(indices, dtype=torch.int64)
        epoch = self.clips.epoch
        draws = Draws(self.clips.seed or 0, epoch, index).child('spliced')
        chosen, drawn = self._choose(draws)
        clips = self.clips.batch(chosen.flatten(), index.repeat_interleave(self.signs), epoch)['inputs']
        clips = {name: value.cpu().unflatten(0, chosen.shape) for name, value in clips.items()}
        size = clips['image_size'][:, 0]
        videos = [
            self._video(
                {name: value[row] for name, value in clips.items()},
                chosen[row],
                {name: value[row] for name, value in drawn.items()},
            )
            for row in range(len(index))
        ]
        return self._batch(videos, size, index, draws)

    def _choose(self, draws: Draws) -> Tuple[Tensor, Dict[str, np.ndarray]]:
        """The clips (B, S) of the videos, and the numbers that their splicing needs."""
        signs = self.signs
        anchor = draws.integers('signer', len(self.clips)).tolist()
        pools = [self._pools[place] for place in anchor]
        picks = draws.uniform('clip', signs).numpy()
        chosen = np.stack([pool[(row * len(pool)).astype(np.int64)] for pool, row in zip(pools, picks)])
        # The video shows the clip that it was drawn by.
        chosen[:, 0] = anchor
        drawn = dict(
            speed=draws.uniform('speed', signs, low=self.speed[0], high=self.speed[1]),
            # Before each sign, and before each rest.
            move=draws.uniform('move', 2, signs + 1, low=self.move[0], high=self.move[1]),
            rest=draws.uniform('rest', signs + 1, low=self.rest[0], high=self.rest[1]),
            rests=draws.bernoulli('rests', self.rest_prob, signs + 1),
            hidden=draws.bernoulli('hidden', self.hidden, signs + 1),
            rest_clip=draws.integers('rest_clip', signs, signs + 1),
            rest_frame=draws.uniform('rest_frame', signs + 1),
        )
        return torch.from_numpy(chosen), {name: value.numpy() for name, value in drawn.items()}

    def _sign(self, clips: Dict[str, Tensor], number: int, place: int, speed: float) -> Tuple[Poses, Poses]:
        """A clip's frames from the first to the last one with a hand: as recorded, and at the speed."""
        count = int(clips['length'][number])
        keypoints, scores = clips['keypoints'][number, :count], clips['scores'][number, :count]
        seen = np.flatnonzero(hands_found(scores.numpy(), self.layout).any(-1))
        if not len(seen):
            raise UserValueError(
                f'SplicedSigns: {self.clips.name}: clip '
                f'{self.clips.store.video_ids(self.clips.clips[[place]])[0]!r} shows no hand, so no sign '
                "can be cut from it; set empty_clip='drop' in `dataset`"
            )
        first, frames = int(seen[0]), int(seen[-1] - seen[0]) + 1
        rate = float(self.clips.store.fps[self.clips.clips[place]]) or self.source_fps
        made = max(2, round(frames * self.fps / rate / speed))
        steps = first + torch.from_numpy(((np.arange(made) + 0.5) * frames / made).astype(np.int64))
        # All videos have the image size of their first sign.
        keypoints = keypoints * (clips['image_size'][0] / clips['image_size'][number])
        whole = keypoints[first : first + frames], scores[first : first + frames]
        return whole, (keypoints[steps], scores[steps])

    def _frames(self, seconds: float) -> int:
        return max(1, round(float(seconds) * self.fps))

    def _video(self, clips: Dict[str, Tensor], chosen: Tensor, drawn: Dict[str, np.ndarray]) -> _Video:
        """Splices one video of the clips (S, ..)."""
        signs = [
            self._sign(clips, number, place, float(drawn['speed'][number]))
            for number, place in enumerate(chosen.tolist())
        ]
        pieces: List[Poses] = []
        spans, total = [], 0

        def add(piece: Poses) -> None:
            nonlocal total
            pieces.append(piece)
            total += len(piece[0])

        def move_to(pose: Poses, seconds: float) -> None:
            last = tuple(part[-1:] for part in pieces[-1])
            way = way_between(last, tuple(part[None] for part in pose), self._frames(seconds))
            add(tuple(part[0] for part in way))

        for number in range(self.signs + 1):
            if number in (0, self.signs) or drawn['rests'][number]:
                whole = signs[drawn['rest_clip'][number]][0]
                frame = int(drawn['rest_frame'][number] * len(whole[0]))
                pose = whole[0][frame], whole[1][frame] * (not drawn['hidden'][number])
                if pieces:
                    move_to(pose, drawn['move'][1, number])
                count = self._frames(drawn['rest'][number])
                add(tuple(part[None].repeat(count, *[1] * part.ndim) for part in pose))
            if number < self.signs:
                sign = signs[number][1]
                move_to((sign[0][0], sign[1][0]), drawn['move'][0, number])
                spans.append((total, total + len(sign[0]), int(clips['label'][number])))
                add(sign)
        return _Video(*(torch.cat(parts) for parts in zip(*pieces)), spans)

    def _batch(self, videos: Sequence[_Video], size: Tensor, index: Tensor, draws: Draws) -> dict:
        """Cuts, pads and shakes the videos."""
        where = draws.uniform('cut').tolist()
        frames = self.video_frames or max(len(video.scores) for video in videos)
        joints = self.layout.num_joints
        keypoints = torch.zeros(len(videos), frames, joints, 2)
        scores = torch.zeros(len(videos), frames, joints)
        length = torch.zeros(len(videos), dtype=torch.int64)
        labels = torch.full((len(videos), frames), IGNORED)
        spans = torch.full((len(videos), self.signs, 3), -1)
        for row, video in enumerate(videos):
            total = len(video.scores)
            count = min(total, frames)
            start = int(where[row] * (total - count + 1))
            keypoints[row, :count] = video.keypoints[start : start + count]
            scores[row, :count] = video.scores[start : start + count]
            length[row], labels[row, :count] = count, OUTSIDE
            cut = [(a - start, b - start, gloss) for a, b, gloss in video.spans]
            cut = [span for span in cut if span[1] > 0 and span[0] < count]
            for number, (first, end, gloss) in enumerate(cut):
                labels[row, max(first, 0) : end] = INSIDE
                labels[row, max(first, 0) : max(min(first + self._frames(self.begin), end), 0)] = BEGIN
                spans[row, number] = torch.tensor([max(first, 0), min(end, count), gloss])
        keypoints = shake(keypoints, draws, size[:, 0], self.tremble, self.drift) * (scores > 0)[..., None]
        inputs = dict(
            keypoints=keypoints,
            scores=scores,
            length=length,
            image_size=size,
            index=index,
            epoch=torch.full_like(index, self.clips.epoch),
            label=torch.full_like(index, -1),
            frames=torch.arange(frames) * (torch.arange(frames) < length[:, None]),
            frame_label=labels,
            spans=spans,
        )
        out: dict = dict(inputs=inputs)
        if self.test_mode:
            out['video_id'] = [f'{self.clips.name}/spliced_{number}' for number in index.tolist()]
        return out
