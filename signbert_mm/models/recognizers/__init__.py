from .mmaction_recognizer import MMActionRecognizer
from .sign_recognizer import SignRecognizer

__all__ = ['MMActionRecognizer', 'SignRecognizer']
