"""Turn whatever went wrong into one clear message; the exit codes, documented once."""

from __future__ import annotations

import errno
import shlex
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from evernormal.app import output
from evernormal.errors import EvernormalError, InputError, StorageError

__all__ = ["EXIT_CODES", "INTERRUPTED", "PIPE_CLOSED", "as_evernormal_error", "explain_failure", "show"]

INTERRUPTED = 130
PIPE_CLOSED = 141

EXIT_CODES = {
    0: "the command did what it was asked",
    1: "a defect of evernormal: please report it",
    2: "what you gave is wrong: an argument, a name, a scenario file",
    3: "what is stored or published is wrong, or no data covers what you asked",
    4: "the model has no trustworthy answer, or a shipped oracle failed",
    5: "storage: disk full, no permission, or another process is writing",
    INTERRUPTED: "interrupted with Ctrl-C",
    PIPE_CLOSED: "the program that read the output stopped reading",
}

_CURES = {
    errno.ENOSPC: "Free some space, or write elsewhere with --out.",
    errno.EDQUOT: "Free some space, or write elsewhere with --out.",
    errno.EACCES: "Choose a place where you may read and write, or change its permissions.",
    errno.EPERM: "Choose a place where you may read and write, or change its permissions.",
    errno.EROFS: "Choose a place that can be written.",
    errno.ENOENT: "Check the path.",
    errno.ENOTDIR: "Give a folder, not a file.",
    errno.EEXIST: "Give a folder, not a file.",
    errno.EISDIR: "Give a file, not a folder.",
}


def as_evernormal_error(error: BaseException, arguments: Sequence[str] = ()) -> EvernormalError | None:
    """Return the deliberate error that says what ``error`` means, or None for a defect.

    Failures of the operating system become :class:`StorageError`; wrong command lines :class:`InputError`.
    """
    import typer

    if isinstance(error, EvernormalError):
        return error
    if isinstance(error, typer.TyperException):
        return _usage_error(error, arguments)
    if isinstance(error, OSError) and error.errno is not None:
        where = str(error.filename) if error.filename is not None else "output"
        reason = (error.strerror or str(error)).lower()
        return StorageError(reason, where=where, cure=_CURES.get(error.errno, "Repair it, then run again."))
    if _names_full_disk(error):
        return StorageError("no space left on device", where="output", cure=_CURES[errno.ENOSPC])
    return None


def _names_full_disk(error: BaseException) -> bool:
    """Table libraries report a full disk in words only."""
    text = str(error).lower()
    return "no space left on device" in text or "os error 28" in text or "disk quota exceeded" in text


def _usage_error(error: Exception, arguments: Sequence[str]) -> InputError:
    """Say in one line what Typer found wrong in the command line, with the value that was given."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "evernormal"
    message = getattr(error, "format_message", lambda: str(error))().rstrip(".")
    message = message.replace("Value error, ", "").replace("Input should be", "it should be")
    given = _given(getattr(error, "param", None), arguments)
    if given is not None and repr(given) not in message:
        message = f"{message}; got {given!r}"
    return InputError(message, where=command, cure=f"See: {command} --help")


def _given(parameter: Any, arguments: Sequence[str]) -> str | None:
    """Return what follows an option on the command line."""
    for option in getattr(parameter, "opts", ()):
        for name, value in pairwise([*arguments, ""]):
            if name == option:
                return value
            if name.startswith(f"{option}="):
                return name.partition("=")[2]
    return None


def explain_failure(error: BaseException, *, arguments: Sequence[str]) -> EvernormalError:
    """Return the deliberate error to show for whatever was raised; a defect asks for a report.

    Args:
        error: what was raised.
        arguments: the command line, for the advice on a defect.
    """
    known = as_evernormal_error(error, arguments)
    if known is not None:
        return known
    again = shlex.join(["evernormal", "--debug", *arguments])
    return EvernormalError(
        " ".join(f"this is a defect of evernormal ({type(error).__name__}: {error})".split()),
        cure=f"Please report it with the traceback that this prints: {again}",
    )


def show(error: EvernormalError) -> None:
    """Print an error on standard error: what is wrong, where, and what would be right."""
    output.print_line(f"Error: {error.what}", error=True)
    if error.where:
        output.print_line(f"  where: {error.where}", error=True)
    if error.cure:
        output.print_line(f"  cure:  {error.cure}", error=True)
