"""Tonnes of what, and what adds to imports without being one."""

from __future__ import annotations

import re

import polars as pl
import pytest
from synthetic import synthetic_result
from test_charts import with_tables

from evernormal.report import figures, rows, story
from evernormal.report.assumptions import parameter_groups, shortened
from evernormal.report.basis import amount, basis, remark
from evernormal.report.brief import render_html
from evernormal.report.charts import draw
from evernormal.report.charts.chain import chain_of
from evernormal.report.language import language
from evernormal.report.reading import Reading
from evernormal.result import Finding, Lineage, Parameter, Result

NNBSP = "\N{NARROW NO-BREAK SPACE}"


def with_summary(result: Result, **values: float | None) -> Result:
    summary = result["summary"]
    for name, value in values.items():
        summary = summary.with_columns(
            value=pl.when(pl.col("name") == name).then(pl.lit(value)).otherwise(pl.col("value"))
        )
    return with_tables(result, summary=summary)


def with_findings(result: Result, *findings: Finding) -> Result:
    return Result(result.kind, result.tables, result.units, result.lineage, findings, result.coverage)


def with_other_supply(result: Result, tonnes: float = 120.0) -> Result:
    """The same case with other supply in every month, which is used on top."""
    supply = result["supply"].with_columns(other_supply_t=pl.lit(tonnes))
    units = {**result.units, "supply": {**result.units["supply"], "other_supply_t": "t contained"}}
    tables = {**result.tables, "supply": supply}
    return Result(result.kind, tables, units, result.lineage, result.findings, result.coverage)


def test_an_amount_says_of_what_and_how_much_product(result: Result) -> None:
    """Law 4, as a reader sees it."""
    made = with_summary(result, gross_per_contained=6.046)
    english, korean = Reading.of(made, "en"), Reading.of(made, "ko")
    assert amount(english, 6_669.0) == f"6,670{NNBSP}t of lithium (about 40,300{NNBSP}t of product)"
    assert amount(korean, 6_669.0) == "약 4만 300톤(리튬 함유량 6,670톤)"
    assert amount(korean, 6_669.0, listed=True) == "리튬 함유량 6,670톤(제품 약 4만 300톤)"
    assert remark(english, 6_669.0) == f"of lithium; about 40,300{NNBSP}t of product"
    assert "1 t contained = 6.05 t of product" in basis(english)
    assert "수산화리튬 약 4만" in story.headline(korean)[0]


def test_where_the_factor_is_unknown_the_amount_is_contained_only(result: Result) -> None:
    """Law 2: no product is made up."""
    made = with_summary(result, gross_per_contained=None)
    assert amount(Reading.of(made, "en"), 6_669.0) == f"6,670{NNBSP}t of lithium contained"
    assert amount(Reading.of(made, "ko"), 6_669.0) == "리튬 함유량 6,670톤"
    assert "product:" not in basis(Reading.of(made, "en"))
    assert amount(Reading.of(made, "en"), None) == "unknown"


def test_product_that_is_almost_pure_is_not_told_apart(result: Result) -> None:
    made = with_summary(result, gross_per_contained=1.005)
    assert amount(Reading.of(made, "en"), 149.0) == f"149{NNBSP}t"
    assert remark(Reading.of(made, "en"), 149.0) == "of lithium"


@pytest.mark.parametrize(
    ("symbol", "english", "korean"),
    [("Li", "lithium", "리튬"), ("C", "carbon", "탄소"), ("REO", "rare-earth oxides", "희토류 산화물(REO)")],
)
def test_a_symbol_has_a_name(symbol: str, english: str, korean: str) -> None:
    assert (language("en").contained(symbol), language("ko").contained(symbol)) == (english, korean)


def test_other_supply_is_told_as_an_assumption_everywhere(result: Result) -> None:
    made = with_other_supply(result)
    reading = Reading.of(made, "en")
    assert reading.other_supply == pytest.approx(120.0 * len(reading.window))
    assert "no statistic shows. It is an assumption" in rows.stepping_in(reading)
    assert "기타 공급으로 가정함" in rows.stepping_in(Reading.of(made, "ko"))
    assert any("Other supply, assumed" in heading for heading in rows.month_by_month(reading).headings)
    assert figures.other_figure(reading)[0].label == "Other supply (assumed)"
    assert "Other supply (assumed)" in draw(made, "supply").svg()
    assert "Other supply (assumed) 120" in draw(made, "sankey").svg()
    assert Reading.of(result, "en").other_supply == 0.0 and not figures.other_figure(Reading.of(result, "en"))


def test_other_supply_is_not_counted_as_stock_and_the_flow_diagram_closes(result: Result) -> None:
    """Law 1: sources and what is missing add up to base use, exports and stock building."""
    plain, made = (chain_of(Reading.of(r, "en")) for r in (result, with_other_supply(result, 20.0)))
    stock = [sum(f.amount for f in chain.sources if f.key == "stock") for chain in (plain, made)]
    assert {f.key for f in made.sources} >= {"other", "stock"}
    assert stock[0] - stock[1] == pytest.approx(20.0)
    assert sum(f.amount for f in made.sources) == pytest.approx(sum(f.amount for f in made.uses))


def test_a_range_that_is_one_value_is_told_once(result: Result) -> None:
    bands = result["summary_bands"].with_columns(
        p10=pl.when(pl.col("name") == "min_cover_days").then(0.0).otherwise("p10"),
        p90=pl.when(pl.col("name") == "min_cover_days").then(0.0).otherwise("p90"),
    )
    made = with_summary(with_tables(result, summary_bands=bands), min_cover_days=0.0)
    cover = figures.key_figures(Reading.of(made, "en"))[3]
    assert (cover.value, cover.range) == ("0 days", "the same from 10 to 90 %")


def test_nothing_lost_is_told_as_none(calm: Result) -> None:
    """Law 5, as a reader sees it."""
    shown = {f.label: (f.value, f.range) for f in figures.key_figures(Reading.of(calm, "en"))}
    assert shown["Imports lost"] == shown["Shortage"] == shown["Value added lost"] == ("none", "")
    without_draws = with_tables(calm, summary_bands=calm["summary_bands"].clear())
    assert "기준연도와 같음" in render_html(without_draws, "ko")


def test_more_imports_than_in_the_base_year_are_no_loss(calm: Result) -> None:
    made = with_summary(calm, imports_lost_t=-2_500.0)
    reading = Reading.of(made, "en")
    first = figures.key_figures(reading)[0]
    assert first.label == "More imports than in the base year" and first.value == f"2,500{NNBSP}t"
    assert "would import more lithium hydroxide" in story.headline(reading)[0]


def test_suppliers_that_gain_more_than_others_lose_replace_no_share(result: Result) -> None:
    table = pl.DataFrame({"supplier": ["CHN", "USA"], "base_t": [10.0, 10.0], "disrupted_t": [40.0, 9.9]})
    table = table.with_columns(change_t=pl.col("disrupted_t") - pl.col("base_t"))
    sentence = rows.stepping_in(Reading.of(with_tables(result, rerouting=table), "en"))
    assert "no supplier ships noticeably less" in sentence and "%" not in sentence


def test_a_country_that_bought_none_has_nothing_to_lose(calm: Result) -> None:
    made = with_summary(calm, imports_lost_t=0.0, base_imports_year_t=0.0, base_use_year_t=0.0)
    assert "so there is nothing to lose" in story.headline(Reading.of(made, "en"))[0]
    assert "차질 물량 없음" in story.headline(Reading.of(made, "ko"))[0]


def test_published_shares_are_not_sold_as_trade_records(result: Result) -> None:
    finding = Finding("share-based", "caution", "x", {"form": "gallium/metal", "period": "2019-01/2023-05"})
    page = render_html(with_findings(result, finding), "en")
    assert "(January 2019 to May 2023), not from customs data" in page
    assert "통관 실적이 아니라" in render_html(with_findings(result, finding), "ko")
    assert story.share_based(Reading.of(result, "en")) == ""


RELAYED = Finding(
    "relayed-supply",
    "caution",
    "Up to 1,618 t of lithium/hydroxide comes from countries which buy more from CHN (AUS, ROW, USA).",
    {
        "form": "lithium/hydroxide", "relayed_t": 1617.9, "added_t": 4359.7, "by": "CHN",
        "through": ["AUS", "ROW", "USA"],
    },
)  # fmt: skip


def test_findings_name_countries_and_forms_as_a_sentence_does() -> None:
    assert language("en").finding(RELAYED) == (
        "Up to 1,618 t of lithium hydroxide comes from countries which buy more from China "
        "(Australia, the rest of the world, the United States)."
    )
    korean = language("ko").finding(RELAYED)
    assert "4,360톤 가운데 최대 1,618톤은 같은 기간 중국산" in korean
    assert "(호주, 기타 지역, 미국)" in korean and "영문" not in korean


def test_parameters_stand_in_groups_with_short_sources(result: Result) -> None:
    long = "assumption: " + "a long reason " * 30
    found = (
        Parameter("choke_ratio", 8.0, 5.0, 12.0, "1", "B", long),
        Parameter("world_price lithium/hydroxide", 3e5, 2e5, 3e5, "USD/t contained", "A", "CEPII BACI"),
        Parameter("share [batteries]", 0.9, 0.9, 0.9, "fraction", "C", "assumption: one"),
        Parameter("value_added [batteries]", 2e5, 1e5, 3e5, "USD/t", "C", "assumption: two"),
        Parameter("share [greases]", 0.1, 0.1, 0.1, "fraction", "C", "assumption: one"),
    )
    lineage = Lineage(**{**vars(result.lineage), "parameters": found})
    reading = Reading.of(Result(result.kind, result.tables, result.units, lineage), "en")
    groups = dict(parameter_groups(reading))
    assert list(groups) == ["How the market reacts", "Prices and stocks", "End uses"]
    source = groups["How the market reacts"].rows[0][-1]
    assert len(source) <= 160 and source.endswith(" …") and shortened("short") == "short"
    assert [row[0] for row in groups["End uses"].rows] == [
        "Share of use: cathode materials for batteries",
        "Share of use: lubricating greases",
        "Value added: cathode materials for batteries",
    ]
    assert groups["End uses"].rows[1][-1] == "as above"


def test_a_document_has_its_title_first_after_it_was_stored(result: Result) -> None:
    source = {"reference": "https://example.org/a", "title": "A paper"}
    lineage = Lineage(**{**vars(result.lineage), "call": {**result.lineage.call, "scenario": "x"}})
    lineage = Lineage(**{**vars(lineage), "call": {**lineage.call, "sources": [source]}})
    page = render_html(Result(result.kind, result.tables, result.units, lineage))
    assert re.search(r"<li>A paper: https://example\.org/a</li>", page)


def test_the_input_of_a_conversion_that_nobody_ships_is_domestic() -> None:
    result = synthetic_result()
    months = result["supply"]["month"]
    conversions = pl.DataFrame({"month": months, "region": "KOR", "source_form": "lithium/ore"}).with_columns(
        target_form=pl.lit("lithium/hydroxide"), input_t=pl.lit(110.0), output_t=pl.lit(100.0)
    )
    ore = pl.DataFrame({"month": months, "form": "lithium/ore", "exporter": "AUS", "importer": "KOR"})
    flows = pl.concat([result["flows"], ore.with_columns(shipped_t=pl.lit(40.0), base_t=pl.lit(40.0))])
    tables = {**result.tables, "flows": flows, "conversions": conversions}
    units = {**result.units, "conversions": {"input_t": "t contained", "output_t": "t contained"}}
    made = Result(result.kind, tables, units, result.lineage)
    [(stage, output)] = chain_of(Reading.of(made, "en")).upstream
    assert output == 100.0
    assert [(f.label, f.amount) for f in stage.suppliers] == [
        ("Australia", 40.0),
        ("Domestic production", pytest.approx(70.0)),
    ]
