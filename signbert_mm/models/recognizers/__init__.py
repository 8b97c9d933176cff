from .mmaction_recognizer import MMActionRecognizer
from .sign_recognizer import SignRecognizer
from .st_consistency_recognizer import STConsistencyRecognizer

__all__ = ['MMActionRecognizer', 'STConsistencyRecognizer', 'SignRecognizer']
