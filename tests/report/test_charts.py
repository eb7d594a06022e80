"""Charts: geometry that balances, pictures that anyone can read, and the same bytes each time."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import polars as pl
import pytest
from synthetic import synthetic_result

from evernormal.errors import UnknownNameError
from evernormal.report.charts import CHARTS, draw, draw_all
from evernormal.report.charts.chain import chain_of
from evernormal.report.charts.layout import Link, Node, lay_out
from evernormal.report.charts.theme import moved_apart, wrapped
from evernormal.report.reading import Reading
from evernormal.result import Result

SVG = "{http://www.w3.org/2000/svg}"


def with_tables(result: Result, **tables: pl.DataFrame) -> Result:
    """The same result with some tables replaced."""
    return Result(
        result.kind,
        {**result.tables, **tables},
        result.units,
        result.lineage,
        result.findings,
        result.coverage,
    )


@pytest.fixture(scope="module")
def pictures(result: Result) -> dict[str, dict[str, str]]:
    return {lang: {k: f.svg() for k, f in draw_all(result, lang).items()} for lang in ("en", "ko")}


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("chart", list(CHARTS))
def test_a_picture_has_a_name_a_description_and_nothing_from_outside(
    pictures: dict[str, dict[str, str]], chart: str, lang: str
) -> None:
    root = ET.fromstring(pictures[lang][chart])
    assert root.get("role") == "img"
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None and description is not None and title.text and description.text
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert not re.search(r"href=|url\((?!#)|<image|<script|@import", pictures[lang][chart])
    assert re.search(r"[가-힣]", title.text) or lang == "en"


def test_identifiers_do_not_clash_in_one_page(pictures: dict[str, dict[str, str]]) -> None:
    found = [i for svg in pictures["en"].values() for i in re.findall(r'\bid="([^"]+)"', svg)]
    assert len(found) == len(set(found))
    for svg in pictures["en"].values():
        assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= set(re.findall(r'\bid="([^"]+)"', svg))


def test_the_same_result_gives_the_same_bytes(result: Result, pictures: dict[str, dict[str, str]]) -> None:
    """Law 6."""
    for chart in ("map", "runway"):
        assert draw(result, chart, "ko").svg() == pictures["ko"][chart]


def test_row_order_changes_no_picture(result: Result, pictures: dict[str, dict[str, str]]) -> None:
    """Law 7."""
    shuffled = with_tables(
        result,
        imports=result["imports"].reverse(),
        end_use=result["end_use"].reverse(),
        runway=result["runway"].reverse(),
    )
    again = {k: f.svg() for k, f in draw_all(shuffled, "en").items()}
    assert again == pictures["en"]


def test_a_hostile_name_is_text_in_the_picture(result: Result) -> None:
    names = result["end_use_names"].with_columns(name_en=pl.lit('<script>alert("x")</script>&\x00'))
    svg = draw(with_tables(result, end_use_names=names), "sankey").svg()
    ET.fromstring(svg)
    assert "<script" not in svg


def test_the_flow_diagram_balances(result: Result) -> None:
    """Law 1: sources equal uses, and what is missing tops use up to base use."""
    chain = chain_of(Reading.of(result, "en"))
    assert sum(f.amount for f in chain.sources) == pytest.approx(sum(f.amount for f in chain.uses))
    window = Reading.of(result, "en").window
    supply = result["supply"].filter(pl.col("month").is_in(window))
    ends = sum(f.amount for f in chain.uses if f.key not in {"build", "exports"})
    assert ends + sum(chain.missing.values()) == pytest.approx(supply["base_use_t"].mean())


def test_domestic_conversion_stands_before_the_form(result: Result) -> None:
    months = result["supply"]["month"]
    supply = result["supply"].with_columns(domestic_t=pl.lit(100.0))
    conversions = pl.DataFrame(
        {
            "month": months,
            "region": "KOR",
            "source_form": "lithium/ore",
            "target_form": "lithium/hydroxide",
            "input_t": 110.0,
            "output_t": 100.0,
        }
    )
    ore = pl.DataFrame(
        {
            "month": months,
            "form": "lithium/ore",
            "exporter": "AUS",
            "importer": "KOR",
            "shipped_t": 110.0,
            "base_t": 110.0,
        }
    )
    made = with_tables(result, supply=supply, flows=pl.concat([result["flows"], ore]))
    made = Result(
        made.kind,
        {**made.tables, "conversions": conversions},
        {**made.units, "conversions": {"input_t": "t contained", "output_t": "t contained"}},
        made.lineage,
    )
    chain = chain_of(Reading.of(made, "en"))
    assert [(stage.form, output) for stage, output in chain.upstream] == [("lithium/ore", 100.0)]
    assert "domestic" not in {f.key for f in chain.sources}
    ET.fromstring(draw(made, "sankey").svg())


def test_ribbons_keep_the_proportions_of_flows() -> None:
    nodes = [Node("a", 0, "", 15), Node("b", 0, "", 15), Node("c", 1, "", 15)]
    boxes, ribbons = lay_out(nodes, [Link("a", "c", 30, ""), Link("b", "c", 1, "")], width=100, height=200)
    assert ribbons[0].thickness == pytest.approx(30 * ribbons[1].thickness)
    assert max(b.y + b.height for b in boxes) <= 200.001
    middles = [b.middle for b in boxes if b.node.column == 0]
    assert middles[1] - middles[0] >= 15


def test_labels_are_moved_apart_and_stay_in_order() -> None:
    placed = moved_apart([50, 50, 50, 0], 10, 0, 60)
    assert sorted(placed) == [0, 40, 50, 60]
    assert placed[3] == 0


def test_long_titles_are_broken() -> None:
    assert len(wrapped("가나다라 " * 30, 400, 14)) > 2


def test_a_policy_that_changes_nothing_is_drawn_once(result: Result) -> None:
    table = result["runway"]
    same = table.filter(pl.col("policy") == "with release").with_columns(policy=pl.lit("without release"))
    made = with_tables(result, runway=pl.concat([table.filter(pl.col("policy") == "with release"), same]))
    assert "without release" not in re.sub(r"<desc.*?</desc>", "", draw(made, "runway").svg())


def test_without_draws_the_price_has_no_band(result: Result) -> None:
    svg = draw(with_tables(result, bands=result["bands"].clear()), "price").svg()
    assert "10–90" not in svg


@pytest.mark.parametrize("focal", ["KOR", "DEU", "USA", "XXX"])
def test_the_map_is_drawn_for_any_focal_country(focal: str) -> None:
    made = synthetic_result()
    made.lineage.call["scenario"]["focal"] = focal  # type: ignore[index]
    lineage = made.lineage.__class__(
        **{**vars(made.lineage), "call": {"focal": focal, "form": "lithium/hydroxide"}}
    )
    ET.fromstring(draw(Result(made.kind, made.tables, made.units, lineage), "map").svg())


def test_a_quiet_scenario_and_one_of_a_single_month_are_drawn(calm: Result) -> None:
    assert set(draw_all(calm, "ko")) == set(CHARTS)
    first = calm["supply"]["month"][0]
    short = {
        name: table.filter(pl.col("month") == first) if "month" in table.columns else table
        for name, table in calm.tables.items()
    }
    figures = draw_all(Result(calm.kind, short, calm.units, calm.lineage), "en")
    for figure in figures.values():
        ET.fromstring(figure.svg())


def test_an_unknown_chart_or_table_names_the_nearest(result: Result) -> None:
    with pytest.raises(UnknownNameError, match="'sankey'"):
        draw(result, "sanky")
    with pytest.raises(UnknownNameError, match="runway"):
        draw(Result("plan", {}, {}, result.lineage), "runway")


def test_png_and_pdf_and_notebook_chart(result: Result) -> None:
    figure = draw(result, "price", "ko")
    assert figure.png(1.0).startswith(b"\x89PNG")
    assert figure.pdf().startswith(b"%PDF")
    assert figure.chart().to_dict()["height"] > 0
    assert figure.svg_file().startswith("<?xml")


def test_a_long_name_takes_two_lines_and_the_room_for_them(result: Result) -> None:
    names = result["end_use_names"].with_columns(
        name_en=pl.lit("Foundries, lubricants and many more friction parts")
    )
    svg = draw(with_tables(result, end_use_names=names), "sankey").svg()
    assert "Foundries, lubricants and many" in svg
    assert "Foundries, lubricants and many more friction parts" not in svg


def test_a_form_of_a_few_kilograms_a_month_keeps_its_figures(result: Result) -> None:
    small = {
        name: table.with_columns(pl.selectors.ends_with("_t") / 10_000)
        for name, table in result.tables.items()
    }
    made = Result(result.kind, small, result.units, result.lineage)
    assert Reading.of(made, "en").decimals == 4
    assert "China 0.0634 (−0.0797)" in draw(made, "sankey").svg()
