"""Every error that evernormal raises on purpose, drawn once.

::

    EvernormalError
    ├── InputError            exit 2   what the user gave is wrong
    │   ├── UnknownNameError           a name that no table has (form, country, scenario, key ...)
    │   ├── ScenarioError              a scenario file: names file, line and key
    │   ├── LabelError                 labels of two sides differ (law 3)
    │   └── UnitError                  a unit or a basis is missing, unknown or does not fit (law 4)
    ├── DataError             exit 3   what is stored or published is wrong or absent
    │   ├── SnapshotError              shipped or stored data is truncated, tampered or of another version
    │   ├── SourceFormatError          a publisher's file is not what its adapter reads
    │   └── NotCoveredError            no data covers what was asked (law 2)
    ├── ModelError            exit 4   the model has no trustworthy answer
    │   ├── BalanceError               statistics cannot be reconciled plausibly
    │   ├── InfeasibleError            no point obeys every constraint; names those that clash
    │   └── SolverError                the solver stopped without a proven answer
    └── StorageError          exit 5   disk full, no permission, another process writes

A message says *what* was wrong, *where*, and the *cure* (law 12).  Anything else that escapes is a defect and
exits with 1; an interrupt exits with 130.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "BalanceError",
    "DataError",
    "EvernormalError",
    "InfeasibleError",
    "InputError",
    "LabelError",
    "ModelError",
    "NotCoveredError",
    "ScenarioError",
    "SnapshotError",
    "SolverError",
    "SourceFormatError",
    "StorageError",
    "UnitError",
    "UnknownNameError",
    "nearest",
]


class EvernormalError(Exception):
    """Base of all deliberate errors.

    Args:
        what: one clause that says what is wrong, with the offending value.
        where: file, line, row, column, key or argument; empty when the call itself is the place.
        cure: what would be right, or the command that repairs it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", cure: str = "") -> None:
        self.what = what
        self.where = where
        self.cure = cure
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The one-line form: ``where: what. cure``."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.cure:
            text = f"{text.rstrip('.')}. {self.cure}"
        return text

    def as_dict(self) -> dict[str, str]:
        """The form that ``--json`` prints and the HTTP API will send."""
        return {"error": type(self).__name__, "what": self.what, "where": self.where, "cure": self.cure}

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.what, self.where, self.cure))


def _rebuild(kind: type[EvernormalError], what: str, where: str, cure: str) -> EvernormalError:
    """Let an error cross a process boundary with its parts."""
    error = kind.__new__(kind)
    EvernormalError.__init__(error, what, where=where, cure=cure)
    return error


class InputError(EvernormalError):
    """What the user gave is wrong."""

    exit_code = 2


class UnknownNameError(InputError):
    """A name that no table has; offers the nearest that exists.

    Args:
        kind: what was looked up, such as ``"form"`` or ``"country"``.
        name: what was given.
        known: every name that would have been right.
        where: where it was given.
    """

    def __init__(self, kind: str, name: object, known: Iterable[str], *, where: str = "") -> None:
        options = sorted(set(known))
        close = nearest(str(name), options)
        if close:
            cure = f"Did you mean {' or '.join(repr(c) for c in close)}?"
        elif options and len(options) <= 12:
            cure = f"Known: {', '.join(options)}."
        else:
            cure = f"{len(options)} names are known; none is near."
        self.kind = kind
        self.name = str(name)
        self.suggestions = close
        shown = str(name) if len(str(name)) <= 80 else f"{str(name)[:79]}…"
        super().__init__(f"unknown {kind} {shown!r}", where=where, cure=cure)


class ScenarioError(InputError):
    """A scenario file does not say what a scenario must say."""


class LabelError(InputError):
    """Two labelled sides do not match exactly (law 3)."""


class UnitError(InputError):
    """A unit or a basis is missing, unknown, or does not fit (law 4)."""


class DataError(EvernormalError):
    """What is stored or published is wrong or absent."""

    exit_code = 3


class SnapshotError(DataError):
    """Shipped or stored data is truncated, tampered with or of another version."""


class SourceFormatError(DataError):
    """A publisher's file is not what its adapter reads."""


class NotCoveredError(DataError):
    """No data covers what was asked; unknown is not zero (law 2)."""


class ModelError(EvernormalError):
    """The model has no trustworthy answer."""

    exit_code = 4


class BalanceError(ModelError):
    """Statistics cannot be reconciled without an implausible change."""


class InfeasibleError(ModelError):
    """No point obeys every constraint."""


class SolverError(ModelError):
    """A solver stopped without a proven answer."""


class StorageError(EvernormalError):
    """Disk full, no permission, or another process is writing."""

    exit_code = 5


def nearest(name: str, options: Iterable[str], count: int = 3) -> list[str]:
    """Return up to ``count`` options close to ``name``, best first, ignoring case.

    >>> nearest("lithium/hydroxyde", ["lithium/hydroxide", "lithium/carbonate", "tin/ore"])[0]
    'lithium/hydroxide'
    """
    by_lower: dict[str, str] = {}
    for option in options:
        by_lower.setdefault(option.lower(), option)
    found = difflib.get_close_matches(name.lower(), by_lower, n=count, cutoff=0.6)
    return [by_lower[key] for key in found]
