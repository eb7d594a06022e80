"""The comparison as tables: figures, worlds, pairs that differ, and the spread of each country."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import polars as pl

from evernormal.data.comparison_reasons import reasons
from evernormal.data.comparison_shares import Row, ratio

__all__ = ["UNITS", "disagreements", "rows_table", "spread", "worlds_table"]

UNITS = {
    "rows": {"tonnes": "t", "contained_t": "t contained", "low": "t or fraction", "high": "t or fraction",
             "share": "fraction", "share_of_sum": "fraction"},
    "worlds": {"printed_t": "t", "summed_t": "t", "ratio": "1"},
    "disagreements": {"tonnes_a": "t", "tonnes_b": "t", "difference_t": "t", "ratio": "1",
                      "share_a": "fraction", "share_b": "fraction", "difference_share": "fraction"},
    "spread": {"lowest_share": "fraction", "highest_share": "fraction", "spread": "fraction"},
}  # fmt: skip


def rows_table(rows: Sequence[Row]) -> pl.DataFrame:
    """Return every figure with its shares, the largest first."""
    texts = ("source", "series", "country")
    made = [
        {
            "asked_year": row.asked,
            **{name: getattr(row.said, name) for name in texts},
            "year": row.said.year,
            "period": row.said.period,
            "tonnes": row.said.tonnes,
            "contained_t": row.contained_t,
            "low": row.said.low,
            "high": row.said.high,
            "share": row.share,
            "share_of_sum": row.share_of_sum,
            "basis": row.said.basis,
            "reason": row.reason,
            **{name: getattr(row.said, name) for name in ("form", "flag", "grade", "dataset", "source_ref")},
            "as_of": row.said.as_of,
        }
        for row in rows
    ]
    floats = dict.fromkeys(UNITS["rows"], pl.Float64())
    table = pl.DataFrame(made, infer_schema_length=None, schema_overrides={**floats, "form": pl.String()})
    size = pl.col("share").fill_null(-1.0)
    return table.sort(
        "asked_year", size, pl.col("tonnes").fill_null(-1.0), "source", "series", "country", "source_ref",
        descending=[False, True, True, False, False, False, False],
    )  # fmt: skip


def worlds_table(worlds: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Return the world of each series, printed and summed."""
    table = pl.DataFrame(
        list(worlds), infer_schema_length=None, schema_overrides=dict.fromkeys(UNITS["worlds"], pl.Float64())
    )
    return table.sort("asked_year", "source", "series", "basis")


_PAIRS: dict[str, pl.DataType] = {
    "asked_year": pl.Int64(), "country": pl.String(), "source_a": pl.String(), "series_a": pl.String(),
    "source_b": pl.String(), "series_b": pl.String(), "year_a": pl.Int64(), "year_b": pl.Int64(),
    **dict.fromkeys(UNITS["disagreements"], pl.Float64()), "reasons": pl.String(),
}  # fmt: skip


def disagreements(rows: Sequence[Row], tolerance: float) -> pl.DataFrame:
    """Return every pair of figures of one country that differ, the largest first."""
    by_country: dict[tuple[int, str], list[Row]] = {}
    for row in rows:
        if row.said.country != "ROW":
            by_country.setdefault((row.asked, row.said.country), []).append(row)
    found = []
    for (year, country), group in by_country.items():
        ordered = sorted(group, key=lambda r: (r.said.source, r.said.series, r.said.source_ref))
        for a, b in itertools.combinations(ordered, 2):
            own = (a.said.source, a.said.dataset) == (b.said.source, b.said.dataset)
            if not own and not (a.said.part_of or b.said.part_of):
                pair = _pair(a, b, tolerance)
                if pair:
                    found.append({"asked_year": year, "country": country, **pair})
    table = pl.DataFrame(found, schema=_PAIRS)
    return table.sort(
        "asked_year", pl.col("difference_share").abs(), pl.col("difference_t").abs(),
        "country", "source_a", "series_a", "source_b", "series_b",
        descending=[False, True, True, False, False, False, False, False], nulls_last=True,
    )  # fmt: skip


def _pair(a: Row, b: Row, tolerance: float) -> dict[str, Any] | None:
    """Return how two figures differ; None where they agree within the tolerance or neither has a figure."""
    ton_a, ton_b = _same_basis(a, b)
    share_a, share_b = a.share, b.share
    if a.said.country == "WLD":
        share_a = share_b = None
    compared = [(x, y) for x, y in ((ton_a, ton_b), (share_a, share_b)) if x is not None and y is not None]
    one_sided = a.said.withheld != b.said.withheld
    if not one_sided and not any(_apart(x, y, tolerance) for x, y in compared):
        return None
    return {
        "source_a": a.said.source,
        "series_a": a.said.series,
        "source_b": b.said.source,
        "series_b": b.said.series,
        "year_a": a.said.year,
        "year_b": b.said.year,
        "tonnes_a": ton_a,
        "tonnes_b": ton_b,
        "difference_t": None if ton_a is None or ton_b is None else ton_b - ton_a,
        "ratio": ratio(ton_b, ton_a) if ton_a is not None and ton_b is not None else ratio(share_b, share_a),
        "share_a": share_a,
        "share_b": share_b,
        "difference_share": None if share_a is None or share_b is None else share_b - share_a,
        "reasons": "; ".join(reasons(a.said, b.said)) or "no definition that is known explains it",
    }


def _same_basis(a: Row, b: Row) -> tuple[float | None, float | None]:
    """Return two figures in contained tonnes, or as given where both count the same."""
    if a.contained_t is not None and b.contained_t is not None:
        return a.contained_t, b.contained_t
    if a.said.basis == b.said.basis:
        return a.said.tonnes, b.said.tonnes
    if a.said.withheld or b.said.withheld:
        return a.contained_t, b.contained_t
    return None, None


def _apart(x: float, y: float, tolerance: float) -> bool:
    return abs(x - y) > tolerance * max(abs(x), abs(y))


def spread(rows: Sequence[Row]) -> pl.DataFrame:
    """Return the distance between the highest and the lowest share of each country (equation E15)."""
    by_country: dict[tuple[int, str], list[Row]] = {}
    for row in rows:
        if row.share is not None and row.said.country not in ("WLD", "ROW"):
            by_country.setdefault((row.asked, row.said.country), []).append(row)
    found = []
    for (year, country), group in by_country.items():
        ordered = sorted(group, key=lambda r: (r.share, r.said.source, r.said.series))
        low, high = ordered[0], ordered[-1]
        assert low.share is not None and high.share is not None
        found.append(
            {"asked_year": year, "country": country, "sources": len({r.said.source for r in group}),
             "lowest_share": low.share, "lowest_source": low.said.source, "highest_share": high.share,
             "highest_source": high.said.source, "spread": high.share - low.share}
        )  # fmt: skip
    schema = {"asked_year": pl.Int64(), "country": pl.String(), "sources": pl.Int64(),
              "lowest_share": pl.Float64(), "lowest_source": pl.String(), "highest_share": pl.Float64(),
              "highest_source": pl.String(), "spread": pl.Float64()}  # fmt: skip
    return pl.DataFrame(found, schema=schema).sort(
        "asked_year", "highest_share", "country", descending=[False, True, False]
    )
