"""What monthly export licences did: notice, buying ahead, the first month, first licences, what returned."""

from __future__ import annotations

import csv
from importlib.resources import files

from evernormal.result import Parameter

__all__ = ["licence_parameters"]


def licence_parameters() -> tuple[Parameter, ...]:
    """Return the record of Chinese export licences since 2023, with interval and source.

    A licence is not a ban and not a tax: goods stop for weeks, whoever knows buys ahead in the weeks of
    notice, and what returns is less than before for months.

    Returns:
        ``licence_notice`` (days from announcement to effect), ``licence_first_month_cut`` (fraction),
        ``licence_first_granted`` (days from effect), ``licence_return`` (fraction of the exports of a year
        before, three to four months after effect), ``licence_front_running`` (exports of the month before
        effect over the usual).

    >>> {p.name: p.value for p in licence_parameters()}["licence_first_granted"]
    51.0
    """
    text = files("evernormal.market").joinpath("tables/licence_record.csv").read_text("utf-8")
    return tuple(
        Parameter(
            row["name"],
            float(row["value"]),
            float(row["low"]),
            float(row["high"]),
            row["unit"],
            row["grade"],  # type: ignore[arg-type]
            row["source"],
        )
        for row in csv.DictReader(text.splitlines())
    )
