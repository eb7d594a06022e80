"""A traced origin for people: the stages side by side, and one sentence."""

from __future__ import annotations

import polars as pl

from evernormal.result import Result
from evernormal.risk.origin_tables import STAGE_NAMES

__all__ = ["origin_sentence", "side_by_side"]

_WIDE = 0.005
"""An interval narrower than half a per cent on both sides is not shown."""


def _of(result: Result, focal: str, year: int) -> pl.DataFrame:
    return result["origin"].filter((pl.col("focal") == focal) & (pl.col("year") == year))


def side_by_side(result: Result, focal: str, year: int, top: int = 8) -> pl.DataFrame:
    """Return one column per stage, importer's side first, the largest countries of each from the top.

    A cell reads ``COD 79 % (48 to 90)``; the interval is left out where it is narrow.

    Args:
        result: result of :func:`evernormal.risk.trace_origin`.
        focal: one of its importers.
        year: one of its years.
        top: countries per stage.

    >>> from evernormal.risk.origin import trace_origin
    >>> table = side_by_side(trace_origin("nickel/ore", "KOR", [2023]), "KOR", 2023, top=1)
    >>> table.columns, table.row(0)
    (['direct', 'mined: nickel/ore'], ('NCL 91 %', 'NCL 91 %'))
    """
    rows = _of(result, focal, year)
    columns = {}
    for stage in STAGE_NAMES:
        part = rows.filter(pl.col("stage") == stage)
        for name in part["form"].unique(maintain_order=True):
            ranked = part.filter((pl.col("form") == name) & (pl.col("share") >= _WIDE)).head(top)
            cells = [_cell(row) for row in ranked.iter_rows(named=True)]
            columns["direct" if stage == "direct" else f"{stage}: {name}"] = cells
    height = max((len(cells) for cells in columns.values()), default=0)
    return pl.DataFrame({name: cells + [""] * (height - len(cells)) for name, cells in columns.items()})


def _cell(row: dict[str, object]) -> str:
    share, low, high = (float(str(row[name])) for name in ("share", "low", "high"))
    text = f"{row['country']} {share:.0%}".replace("%", " %")
    if max(share - low, high - share) < _WIDE:
        return text
    return f"{text} ({low * 100:.0f} to {high * 100:.0f})"


def origin_sentence(result: Result, focal: str, year: int) -> str:
    """Say in one sentence who supplies, who made and who mined what a country imports.

    >>> from evernormal.risk.origin import trace_origin
    >>> print(origin_sentence(trace_origin("nickel/ore", "KOR", [2023]), "KOR", 2023))
    Of nickel/ore that KOR imported in 2023, NCL shipped 91 %; NCL mined 91 %.
    """
    rows = _of(result, focal, year)
    form = rows["form"][0]
    parts = []
    for stage, verb in (("direct", "shipped"), ("made", "made"), ("refined", "refined"), ("mined", "mined")):
        part = rows.filter((pl.col("stage") == stage) & (pl.col("share") >= _WIDE))
        if not part.is_empty():
            best = part.row(0, named=True)
            parts.append(f"{best['country']} {verb} {_cell(best).split(' ', 1)[1]}")
    known = f"Of {form} that {focal} imported in {year}, {'; '.join(parts)}."
    lost = result["unexplained"].filter(
        (pl.col("focal") == focal) & (pl.col("year") == year) & (pl.col("share") >= _WIDE)
    )
    if lost.is_empty():
        return known
    last = lost.row(-1, named=True)
    return f"{known[:-1]}; of {last['share']:.0%} the origin at {last['form']} is unknown."
