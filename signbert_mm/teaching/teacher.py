"""What sessions of teaching share: an encoder, the first signs, and the folder that signs are written to."""

import hashlib
import os
import threading
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional, Tuple, Union

import numpy as np

from ..apis import PoseClip, SignDictionary, SignInferencer
from ..apis.taught_signs import ENCODER, extractor_of, read_index
from ..datasets import PoseStore, PoseStoreWriter
from ..errors import UserValueError
from ..files import folder_lock
from .estimate import Estimate, dictionary_estimate, make_folds
from .folder import (
    ZOO_ENCODER,
    check_place,
    embed_store,
    encoder_config,
    encoder_file,
    write_dictionary,
    write_folder,
)
from .poses import SPLIT, STORE
from .videos import digest_of

PathLike = Union[str, 'os.PathLike[str]']


class Example(NamedTuple):
    """A clip that shows a sign.

    Attributes:
        clip (PoseClip): Its poses; its name is unique in a session.
        vector (ndarray): Shape (D,), of length 1.
        marks (frozenset[str]): Digests of the poses and, where known, of the file; equal ones mean the same
            video.
        signer (str): '' = unknown.
    """

    clip: PoseClip
    vector: np.ndarray
    marks: frozenset
    signer: str = ''


Signs = Dict[str, Tuple[Example, ...]]


class Teacher:
    """An encoder, and the signs with which each session begins. Sessions share it and never change it.

    Args:
        encoder (str | Path): A checkpoint of a pre-training whose ``meta`` has its config, or the name of one
            of the zoo.
        extractor (str | dict): What finds poses.
        device (str, optional): None = the GPU where there is one.
        folder (str | Path, optional): Of taught signs: its poses are the first examples.

    Attributes:
        inferencer (SignInferencer): Reads videos and embeds clips.
        start (dict[str, tuple[Example, ...]]): The first examples of each sign.
        folder (Path, optional): As given.

    Raises:
        FileNotFoundError, CheckpointError, ConfigError: The encoder is missing or cannot be used.
    """

    def __init__(
        self,
        encoder: PathLike = ZOO_ENCODER,
        extractor: Union[str, Dict[str, Any]] = 'mediapipe',
        device: Optional[str] = None,
        folder: Optional[PathLike] = None,
    ) -> None:
        self.encoder, self.folder = os.fspath(encoder), None if folder is None else Path(folder)
        self.extractor = dict(type=extractor) if isinstance(extractor, str) else dict(extractor)
        self.checkpoint = encoder_file(encoder) if folder is None else str(Path(folder, ENCODER))
        cfg = encoder_config(self.checkpoint, STORE)
        self.inferencer = SignInferencer(cfg, self.checkpoint, device, self.extractor)
        self.start: Signs = {} if folder is None else self._read(PoseStore(Path(folder) / STORE))
        self._saving = threading.Lock()

    @classmethod
    def load(cls, folder: PathLike, device: Optional[str] = None, extractor: Any = None) -> 'Teacher':
        """Begins with the signs of a folder of ``signbert-mm teach``.

        Args:
            folder (str | Path): Its pre-trained encoder is used, also where it was fine-tuned.
            device, extractor: As for :meth:`TaughtSigns.load`.

        Raises:
            FileNotFoundError, ValueError: A file is missing or damaged.
        """
        facts = read_index(folder)
        extractor = extractor_of(folder, facts) if extractor is None else extractor
        return cls(facts.get('encoder', ZOO_ENCODER), extractor, device, folder)

    @cached_property
    def fingerprint(self) -> str:
        """Of all that makes the vectors."""
        return self.inferencer.embedder.fingerprint

    def _read(self, store: PoseStore) -> Signs:
        vectors, _ = embed_store(self.inferencer, store)
        signs: Signs = dict.fromkeys(store.glosses, ())
        for index, clip in enumerate(self.inferencer.reader.store_clips(store, range(len(store)))):
            example = Example(clip, vectors[index], marks_of(clip), str(store.signer[index]))
            signs[store.glosses[clip.label]] += (example,)
        return {gloss: examples for gloss, examples in signs.items() if examples}

    def write(self, signs: Signs, out: PathLike, shown: str = '') -> str:
        """Writes signs as a folder for :meth:`TaughtSigns.load`.

        Args:
            signs (dict[str, tuple[Example, ...]]): At least one.
            out (str | Path): New, or a folder of taught signs, which is replaced.
            shown (str): The folder's path in its config; '' = ``out``.

        Returns:
            str: The folder.

        Raises:
            ValueError: The folder holds other files.
        """
        out = os.path.abspath(os.fspath(out))
        check_place(out)
        os.makedirs(out, exist_ok=True)
        glosses = sorted(signs)
        rows = [(label, example) for label, gloss in enumerate(glosses) for example in signs[gloss]]
        extractor = self.inferencer.reader.extractor
        with folder_lock(out, '.lock', 'teaching'):
            with PoseStoreWriter(
                os.path.join(out, STORE),
                extractor.layout,
                glosses,
                extractor=extractor.name,
                extractor_version=extractor.version,
                overwrite=True,
            ) as writer:
                for label, example in rows:
                    clip = example.clip
                    poses = np.concatenate([clip.keypoints, clip.scores[..., None]], -1)
                    width, height = clip.image_size
                    about = dict(width=width, height=height, fps=clip.fps, times=clip.times)
                    writer.add(poses, label, SPLIT, clip.name, example.signer, **about)
                store = writer.close()
            cfg = encoder_config(self.checkpoint, os.path.join(shown or out, STORE))
            write_model = partial(write_dictionary, out, cfg, self.dictionary(signs, os.path.basename(out)))
            facts = dict(extractor=self.extractor, encoder=self.encoder)
            write_folder(out, self.checkpoint, store, [estimate_of(signs)], [], write_model, **facts)
        return out

    def save(self, signs: Signs, base: Signs) -> str:
        """Writes signs into ``folder``; later sessions begin with them.

        Args:
            signs (dict[str, tuple[Example, ...]]): At least one.
            base (dict): The ``start`` that they came from.

        Raises:
            ValueError: ``start`` is another one by now, there is no folder, or as :meth:`write`.
        """
        if self.folder is None:
            raise UserValueError('there is no folder to save into; export instead')
        with self._saving:
            if base is not self.start:
                raise UserValueError(
                    'somebody else has saved signs since you began: export yours, or load the page again to '
                    'begin with theirs'
                )
            out = self.write(signs, self.folder)
            self.start = signs
            return out

    def dictionary(self, signs: Signs, note: str = '') -> SignDictionary:
        """The examples as a dictionary."""
        some = next(iter(signs.values()))[0].vector
        made = SignDictionary(self.fingerprint, len(some), note)
        for gloss in sorted(signs):
            made.add(
                gloss,
                np.stack([example.vector for example in signs[gloss]]),
                [example.clip.name for example in signs[gloss]],
            )
        return made


def estimate_of(signs: Signs) -> Estimate:
    """How often the nearest example is right, and the threshold, as ``signbert-mm teach`` finds them."""
    glosses = sorted(signs)
    labels = np.repeat(np.arange(len(glosses)), [len(signs[gloss]) for gloss in glosses])
    examples = [example for gloss in glosses for example in signs[gloss]]
    how, folds = make_folds(labels, [example.signer for example in examples])
    return dictionary_estimate(np.stack([example.vector for example in examples]), labels, how, folds)


def marks_of(clip: PoseClip) -> frozenset:
    """Digests of a clip's poses and, where its ``video`` is given, of that file."""
    values = np.concatenate([clip.keypoints, clip.scores[..., None]], -1)
    poses = hashlib.blake2b(np.ascontiguousarray(values).tobytes(), digest_size=16).hexdigest()
    return frozenset([poses, digest_of(clip.video)] if clip.video else [poses])
