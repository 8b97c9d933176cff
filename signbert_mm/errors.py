"""Errors whose message is for the person who runs the program."""

import difflib
from typing import Iterable, List


class UserError(Exception):
    """What a person can put right: an option, a config, data, a missing package.

    The message says what was found and what to do, so a tool prints it in one line, without a traceback. What
    is raised is one of those below, so that ``except ValueError`` and its like catch it as well. Errors of
    the system (``OSError``) are printed the same way.
    """


class UserValueError(UserError, ValueError):
    pass


class UserTypeError(UserError, TypeError):
    pass


class UserKeyError(UserError, KeyError):
    # that of KeyError is the repr
    __str__ = Exception.__str__


class UserIndexError(UserError, IndexError):
    pass


class UserRuntimeError(UserError, RuntimeError):
    pass


class UserNotImplementedError(UserError, NotImplementedError):
    pass


class UserModuleNotFoundError(UserError, ModuleNotFoundError):
    pass


class ConfigError(UserValueError):
    """A config that cannot be right; the message says what it probably meant."""


def close_names(name: str, known: Iterable[str]) -> List[str]:
    """At most three names that are spelt much like ``name``, the closest first."""

    def likeness(item: str) -> float:
        return max(
            difflib.SequenceMatcher(None, *pair).ratio()
            for pair in ((name, item), (name.lower(), item.lower()))
        )

    ranked = sorted(((likeness(item), item) for item in set(known)), reverse=True)
    return [item for ratio, item in ranked[:3] if ratio >= 0.6]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`` Did you mean 'A' or 'B'?``, or the known names where none is close."""
    known = sorted(set(known))
    close = close_names(name, known)
    if close:
        return 'Did you mean ' + ' or '.join(repr(item) for item in close) + '?'
    return 'Known: ' + ', '.join(known[:40]) + (', ...' if len(known) > 40 else '') + '.'
