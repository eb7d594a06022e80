"""The short forms: JSON for programs, a panel for a terminal."""

from __future__ import annotations

import io
import json

import polars as pl
import pytest
from rich.console import Console
from test_charts import with_tables

from evernormal.report.summary import brief_json, terminal_summary
from evernormal.result import Result

PROMISED = {
    "scenario",
    "focal",
    "form",
    "months",
    "imports_t",
    "base_imports_t",
    "price_ratio",
    "cover_days",
    "stop_date",
    "shortage_t",
    "loss_usd",
    "bands",
    "findings",
    "files",
}


def test_json_has_every_promised_key_and_lists_by_month(result: Result) -> None:
    made = brief_json(result)
    assert set(made) >= PROMISED
    assert (made["scenario"], made["focal"], made["form"]) == (
        "lithium-hydroxide-60",
        "KOR",
        "lithium/hydroxide",
    )
    assert made["months"][:2] == ["2024-01", "2024-02"] and len(made["months"]) == 24
    for series in ("imports_t", "base_imports_t", "price_ratio", "cover_days", "shortage_t", "loss_usd"):
        assert len(made[series]) == 24
    assert sum(made["shortage_t"]) == pytest.approx(result.scalar("shortage_t"))
    assert (made["stop_date"], made["stop_date_without_release"]) == ("2024-05-24", "2024-05-11")
    for points in made["bands"].values():
        assert set(points) == {"p10", "p50", "p90"} and {len(v) for v in points.values()} == {24}
    json.dumps(made, allow_nan=False)


def test_unknown_is_null(result: Result) -> None:
    """Law 2: neither NaN nor 0."""
    supply = result["supply"].with_columns(
        cover_days=pl.lit(float("nan")), loss_usd=pl.lit(None, dtype=pl.Float64)
    )
    made = brief_json(with_tables(result, supply=supply))
    assert made["cover_days"] == [None] * 24 and made["loss_usd"] == [None] * 24
    json.dumps(made, allow_nan=False)


def test_no_stop_is_null(calm: Result) -> None:
    assert brief_json(calm)["stop_date"] is None


@pytest.mark.parametrize(("lang", "words"), [("en", "would run short"), ("ko", "부족 전망")])
def test_the_terminal_shows_the_answer_as_plain_text(result: Result, lang: str, words: str) -> None:
    stream = io.StringIO()
    Console(file=stream, width=120).print(terminal_summary(result, lang))
    text = stream.getvalue()
    assert words in text
    assert "2024-05-24" not in text


def test_markup_in_a_title_is_not_obeyed(result: Result) -> None:
    lineage = result.lineage.__class__(
        **{**vars(result.lineage), "call": {"scenario": {"name": "[red]x[/nope]"}}}
    )
    made = Result(result.kind, result.tables, result.units, lineage, result.findings, result.coverage)
    stream = io.StringIO()
    Console(file=stream, width=120).print(terminal_summary(made))
    assert "[red]x[/nope]" in stream.getvalue()
