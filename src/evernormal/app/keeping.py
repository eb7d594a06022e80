"""Save a result for ``--out`` and open one of its numbers for ``--explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from evernormal.app import output, settings
from evernormal.app.options import Language

if TYPE_CHECKING:
    from evernormal.result import Result

__all__ = ["kept"]


def kept(
    result: Result, out: Path | None, number: str | None, lang: Language = Language.en, *, as_json: bool
) -> bool:
    """Save a result and explain a number of it, where asked; say whether a number was explained.

    Args:
        result: what a command computed.
        out: folder to save it to; None not to.
        number: column of its table, or a whole address; None not to explain any.
        lang: language of the explanation.
        as_json: print JSON.

    Raises:
        StorageError: the folder cannot be written.
        UnknownNameError, InputError: the number is not there, or stands for several rows.
    """
    if out is not None:
        result.save(out)
    if number is None:
        return False
    from evernormal.report.explaining import explain

    found = explain(result, number, folder=settings.store_folder())
    if as_json:
        output.print_json(found.as_dict())
    else:
        output.console().print(found.tree(lang.value))
    return True
