"""Law 2 behind reliance: a country listed without a figure is unknown, not a producer of nothing."""

from __future__ import annotations

import polars as pl
import pytest

from evernormal import data
from evernormal.network.forms import form
from evernormal.risk.dependence import _production


def test_a_listed_country_without_a_figure_stays_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 2: null for who is listed without a value, 0 only for who is not listed among the producers."""
    real = data.production

    def with_a_gap(*given: object, **more: object) -> pl.DataFrame:
        rows = real(*given, **more)  # type: ignore[arg-type]
        unknown = pl.when(pl.col("country") == "AUS").then(None).otherwise(pl.col("value"))
        return rows.with_columns(unknown.alias("value"))

    monkeypatch.setattr(data, "production", with_a_gap)
    table = _production(form("cobalt/ore"), ["AUS", "COD", "KOR"], [2022], None)
    by_country = dict(zip(table["country"], table["production_t"], strict=True))
    assert by_country["AUS"] is None
    assert by_country["COD"] > 0
    assert by_country["KOR"] == 0
