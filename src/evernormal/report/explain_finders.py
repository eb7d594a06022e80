"""Every finder of source rows, and the check that the rows give the value of the table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from evernormal.errors import DataError
from evernormal.report import explain_again, explain_dependence, explain_geopolrisk, explain_trade
from evernormal.report.address import completed
from evernormal.report.explain_rows import Context, Finder, Working
from evernormal.report.making import MAKERS, maker_of
from evernormal.result import Finding

__all__ = ["FINDERS", "TOLERANCE", "found_again", "has_finder", "require_equal", "touching"]

FINDERS: Mapping[tuple[str, str], Finder] = {
    **explain_trade.FINDERS,
    **explain_geopolrisk.FINDERS,
    **explain_dependence.FINDERS,
    **explain_again.FINDERS,
}
"""Kind and table of a result to what finds the rows behind its cells."""

TOLERANCE = 1e-9

_SAME = {
    "country": ("country", "focal", "importer"),
    "importer": ("importer", "country", "focal"),
    "focal": ("focal", "country", "importer"),
}


def has_finder(kind: str) -> bool:
    """Whether results of a kind can be opened down to source rows."""
    return kind in MAKERS


def found_again(
    context: Context, table: str, column: str, keys: Mapping[str, Any], *, top: bool
) -> Working | None:
    """Work a cell out again from its source rows.

    Args:
        context: the result and its inputs.
        table: table of the result.
        column: column of it.
        keys: keys that name one row.
        top: whether it is the value that was asked for: one that no finder knows is then looked up in the
            whole result, made again.
    """
    keys = completed(context.result, table, keys)
    finder = FINDERS.get((context.result.kind, table))
    working = finder(context, column, keys) if finder is not None else None
    if working is None and top and context.result.kind in MAKERS:
        value = explain_again.value_in(context.again, table, column, keys)
        return Working(value, again=True)
    return working


def require_equal(address: str, shown: float | str | None, working: Working) -> None:
    """Raise unless the value of a table is what its source rows give.

    Raises:
        DataError: they differ by more than 1e-9 of the value.
    """
    found = working.value
    if isinstance(shown, float | int) and isinstance(found, float | int):
        same = math.isclose(shown, found, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    else:
        same = shown == found
    if not same:
        raise DataError(
            f"the source rows give {found!r}, the table says {shown!r}",
            where=address,
            cure="The result was made by another version or was changed: make it again.",
        )


def touching(context: Context, table: str, keys: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Return the findings of a result that touch the row of some keys."""
    keys = completed(context.result, table, keys)
    found = context.result.findings
    if context.result.kind in MAKERS and set(keys) & set(maker_of(context.result).narrow):
        found = context.narrowed(keys).findings
    return tuple(finding for finding in found if not _elsewhere(finding, keys))


def _elsewhere(finding: Finding, keys: Mapping[str, Any]) -> bool:
    """Whether what a finding names is another row than that of the keys."""
    for key, value in keys.items():
        for name in _SAME.get(key, (key,)):
            plural = f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"
            said = finding.values.get(name)
            if isinstance(said, str | int) and str(said) != str(value):
                return True
            listed = finding.values.get(plural)
            if isinstance(listed, list | tuple) and listed and str(value) not in map(str, listed):
                return True
    return False
