"""One table of every indicator of every form of a country: the same figures that the exposure table has.

Each indicator is turned so that more is worse; its rank counts only the forms of which it is known.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from evernormal.result import Result

__all__ = ["INDICATORS", "RANKED", "indicator_table"]

INDICATORS = (
    "supplier_share", "concentration", "china_share", "neighbour_share", "mine_share", "import_reliance",
    "lost_without_largest", "geopolrisk", "eu-supply-risk", "usgs-supply-risk",
)  # fmt: skip
"""Indicators in the order of a table."""

RANKED = (
    "supplier_share", "concentration", "mine_share", "lost_without_largest", "geopolrisk", "eu-supply-risk",
    "usgs-supply-risk",
)  # fmt: skip
"""Indicators that claim to say which form is the more critical."""

_SCORES = ("eu-supply-risk", "usgs-supply-risk")
_SHOWN = dict.fromkeys(("geopolrisk", *_SCORES), "score")
_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "form": pl.String,
    "indicator": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "rank": pl.Int64,
    "of": pl.Int64,
}


def indicator_table(exposure: Result, more: Sequence[Result] = ()) -> pl.DataFrame:
    """Return form, indicator, value (more is worse), unit, rank among the known forms, and of how many.

    Args:
        exposure: result of :func:`evernormal.risk.exposure`.
        more: results of :func:`evernormal.risk.method_disagreement` about the same country and year, for the
            scores of the European Union's and the U.S. Geological Survey's methods.

    An unknown value is null and has no rank (law 2); forms of which nothing is known are left out.

    >>> from evernormal.risk import exposure
    >>> table = indicator_table(exposure("KOR", 2023, origins=False))
    >>> worst = table.filter(pl.col("indicator") == "geopolrisk", pl.col("rank") == 1)
    >>> worst["form"].to_list()
    ['niobium/ferro']
    """
    table = exposure["exposure"].filter(pl.col("known_by") != "nothing")
    lost = (1.0 - pl.col("remaining")).clip(0.0, 1.0)
    wide = table.select(
        "form",
        supplier_share=pl.coalesce("share_value", "share_quantity"),
        concentration=pl.coalesce("hhi_value", "hhi_quantity"),
        china_share=pl.coalesce("china_value", "china_quantity"),
        neighbour_share="neighbour_share",
        mine_share="mine_share",
        import_reliance="reliance",
        lost_without_largest=lost,
        geopolrisk="geopolrisk",
    ).join(_scores(more, exposure), on="form", how="left", maintain_order="left")
    long = wide.unpivot(
        list(INDICATORS), index="form", variable_name="indicator", value_name="value"
    ).with_columns(
        unit=pl.col("indicator").replace_strict(_SHOWN, default="fraction"),
        rank=pl.col("value").rank("min", descending=True).over("indicator").cast(pl.Int64),
        of=pl.col("value").count().over("indicator").cast(pl.Int64),
    )
    return long.select(list(_SCHEMA)).cast(_SCHEMA)  # type: ignore[arg-type]


def _scores(more: Sequence[Result], exposure: Result) -> pl.DataFrame:
    """Return the scores of the methods by form; null where there is no such result."""
    table = pl.DataFrame(schema={"form": pl.String, "method": pl.String, "score": pl.Float64})
    call = exposure.lineage.call
    for result in more:
        about = result.lineage.call
        same = about.get("country") == call["country"] and about.get("year") == call["year"]
        if "scores" in result.tables and same:
            table = result["scores"].select("form", "method", "score")
    forms = exposure["exposure"].select("form")
    for name in _SCORES:
        part = table.filter(pl.col("method") == name).select("form", pl.col("score").alias(name))
        forms = forms.join(part, on="form", how="left", maintain_order="left")
    return forms
