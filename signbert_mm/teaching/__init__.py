"""From labelled videos to a folder of taught signs: poses, checks, a model, and how often it is right."""

from .estimate import Estimate, wilson_interval
from .pipeline import teach
from .session import TeachingSession
from .teacher import Teacher
from .videos import Problem, TaughtVideo, read_videos

__all__ = [
    'Estimate',
    'Problem',
    'TaughtVideo',
    'Teacher',
    'TeachingSession',
    'read_videos',
    'teach',
    'wilson_interval',
]
