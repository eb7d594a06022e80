"""Charts of indicators: from the tables alone, readable by anyone, and the same bytes each time."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from evernormal import network, risk
from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.report import chart
from evernormal.report.charting import chart_names, write_chart
from evernormal.report.charts.figure import Figure
from evernormal.report.charts.heatmap import COLORS
from evernormal.report.indicators import INDICATORS, indicator_table
from evernormal.result import Input, Lineage, Result

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<script>alert("x")</script>&\x00'


def shares_result(rows: list[tuple[int, str, float]], by: str = "value", **more: pl.DataFrame) -> Result:
    table = pl.DataFrame(
        rows, schema={"year": pl.Int64, "supplier": pl.String, "share": pl.Float64}, orient="row"
    )
    used = (Input("trade", "0" * 64, "a made-up source", as_of="2026-01-02"),)
    lineage = Lineage("0", used, call={"importer": "KOR", "form": "lithium/hydroxide", "by": by})
    units = {name: {"share": "fraction"} for name in ("shares", *more)}
    return Result("supplier-shares", {"shares": table, **more}, units, lineage)


def labels(figure: Figure) -> list[str]:
    """Each text of a picture."""
    return [t.text or "" for t in ET.fromstring(figure.svg()).iter(f"{SVG}text")]


def texts(figure: Figure) -> str:
    """All text of a picture that a reader sees."""
    return " ".join(labels(figure))


@pytest.fixture(scope="module")
def exposure() -> Result:
    return risk.exposure("KOR", 2023)


@pytest.fixture(scope="module")
def results(exposure: Result) -> dict[str, Result]:
    return {
        "shares": risk.supplier_shares("lithium/hydroxide", "KOR", neighbours=["CHN", "JPN"]),
        "published": risk.supplier_shares("neodymium/magnet", "KOR"),
        "origin": risk.trace_origin("cobalt/oxides", "KOR", [2023]),
        "exposure": exposure,
        "geopolrisk": risk.geopolrisk(["KOR"], [2022, 2023]),
        "disagreement": risk.method_disagreement("KOR", 2023),
        "visibility": network.visibility("284690", "KOR", 2023, rank=False),
    }


EVERY = [
    ("shares", "shares"), ("shares", "map"), ("published", "shares"), ("published", "map"),
    ("origin", "sankey"), ("origin", "map"), ("exposure", "heatmap"), ("exposure", "ranks"),
    ("geopolrisk", "heatmap"), ("disagreement", "ranks"), ("visibility", "visibility"),
]  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize(("which", "name"), EVERY)
def test_a_chart_says_what_it_is_where_it_is_from_and_as_of_when(
    results: dict[str, Result], which: str, name: str, lang: str
) -> None:
    figure = chart(results[which], name, lang)
    root = ET.fromstring(figure.svg())
    assert root.get("role") == "img"
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None and description is not None and title.text and description.text
    seen = texts(figure)
    assert {"en": "Source: ", "ko": "출처: "}[lang] in seen
    as_of = {"en": r"known as of (\d+ \w+ \d{4}|unknown)\.", "ko": r"기준일 (\d{4}년 \d+월 \d+일|미상)"}
    assert re.search(as_of[lang], seen)
    assert re.search(r"(19|20)\d\d", figure.title + seen)
    assert not re.search(r"href=|url\((?!#)|<image|<script|@import", figure.svg())
    if lang == "ko":
        assert re.search("[가-힣]", title.text)


def test_the_same_result_gives_the_same_bytes(results: dict[str, Result]) -> None:
    """Law 6."""
    for which, name in (("origin", "sankey"), ("exposure", "heatmap")):
        assert chart(results[which], name).svg() == chart(results[which], name).svg()


def test_row_order_changes_no_chart(results: dict[str, Result]) -> None:
    """Law 7: the flows and the shares in any order give the same picture."""
    for which, table, name in (("origin", "flows", "sankey"), ("shares", "shares", "shares")):
        result = results[which]
        shuffled = replace(result, tables={**result.tables, table: result[table].reverse()})
        assert chart(shuffled, name).svg() == chart(result, name).svg()


def test_the_last_share_stands_beside_the_line() -> None:
    figure = chart(
        shares_result([(2022, "CHN", 0.7), (2022, "CHL", 0.3), (2023, "CHN", 0.84), (2023, "CHL", 0.16)])
    )
    seen = texts(figure)
    assert "China 84" in seen and "Chile 16" in seen
    assert "50\u202f%: duty, one country" in seen and "75\u202f%: duty, neighbours together" in seen


def test_a_year_without_imports_is_hatched_and_never_zero() -> None:
    """Law 2: the line breaks, the year says unknown."""
    gap = shares_result([(2020, "CHN", 1.0), (2021, "CHN", 1.0), (2023, "CHN", 1.0), (2024, "CHN", 1.0)])
    seen = texts(chart(gap, "shares"))
    assert "unknown" in seen and "Hatched years" in seen
    whole = shares_result([(year, "CHN", 1.0) for year in range(2020, 2025)])
    assert "unknown" not in texts(chart(whole, "shares"))
    lines = re.findall(r'<path d="(M[^"]*)" [^>]*stroke="#D55E00"', chart(gap, "shares").svg())
    assert len(lines) == 2, "one line on each side of the unknown year"


def test_one_supplier_one_year_and_long_or_hostile_names_are_drawn() -> None:
    assert "South Georgia and" in texts(chart(shares_result([(2023, "SGS", 1.0)]), "shares"))
    many = shares_result(
        [(2023, iso, 0.125) for iso in ("SGS", "PUS", "HMD", "VCT", "IOT", "ATF", "UMI", "SPM")]
    )
    for lang in ("en", "ko"):
        ET.fromstring(chart(many, "shares", lang).svg())
    hostile = shares_result([(2023, HOSTILE, 0.6), (2023, "]]>", 0.4)])
    for name in ("shares", "map"):
        svg = chart(hostile, name).svg()
        ET.fromstring(svg)
        assert "<script" not in svg
    assert "Not on the map" in texts(chart(hostile, "map"))


def test_published_shares_are_dots_and_say_so(results: dict[str, Result]) -> None:
    figure = chart(results["published"], "shares")
    assert "Published shares" in texts(figure)
    assert not re.search(r'stroke="#D55E00"', figure.svg()), "figures of different definitions are not joined"


def test_the_flow_diagram_carries_the_interval_of_the_table(results: dict[str, Result]) -> None:
    rows = results["origin"]["origin"].filter(pl.col("stage") == "mined", pl.col("country") == "COD")
    share, low, high = rows.select("share", "low", "high").row(0)
    assert f"{share:.0%}".replace("%", "\u202f%") + f" ({100 * low:.0f}–{100 * high:.0f})" in texts(
        chart(results["origin"], "sankey")
    )


def test_what_no_country_can_be_named_for_is_unknown_in_the_flow_diagram(results: dict[str, Result]) -> None:
    """Law 2: a gap between what leaves a stage and what feeds it is drawn, not stretched away."""
    result = results["origin"]
    flows = result["flows"].filter(~((pl.col("source_stage") == "mined") & (pl.col("target") == "COD")))
    seen = labels(chart(replace(result, tables={**result.tables, "flows": flows}), "sankey"))
    assert "unknown" in seen
    whole = labels(chart(result, "sankey"))
    assert "unknown" not in whole


def test_an_origin_without_tonnes_has_no_flow_diagram_but_a_map() -> None:
    result = risk.trace_origin("gallium/metal", "KOR", [2024])
    with pytest.raises(NotCoveredError, match="tonnes"):
        chart(result, "sankey")
    assert "China" in texts(chart(result, "map"))


def test_the_indicators_are_those_of_the_exposure_table(exposure: Result) -> None:
    """Every value of the heat map is one of the table, or one less it; ranks count the known alone."""
    table = indicator_table(exposure)
    assert set(table["indicator"]) == set(INDICATORS)
    known = exposure["exposure"].filter(pl.col("known_by") != "nothing")
    assert table["form"].n_unique() == known.height
    for name, column in (("geopolrisk", "geopolrisk"), ("import_reliance", "reliance")):
        shown = table.filter(pl.col("indicator") == name).select("form", "value")
        assert shown["value"].to_list() == known[column].to_list()
    lost = table.filter(pl.col("indicator") == "lost_without_largest", pl.col("form") == "nickel/ore")
    left = known.filter(pl.col("form") == "nickel/ore")["remaining"][0]
    assert lost["value"].to_list() == [pytest.approx(1 - left)]
    blank = table.filter(pl.col("value").is_null())
    assert blank.height and blank["rank"].null_count() == blank.height
    first = table.filter(pl.col("rank") == 1, pl.col("indicator") == "geopolrisk")
    assert first["value"][0] == known["geopolrisk"].max()


def test_scores_of_the_methods_join_the_heat_map(results: dict[str, Result]) -> None:
    table = indicator_table(results["exposure"], [results["disagreement"]])
    scores = results["disagreement"]["scores"].filter(pl.col("method") == "eu-supply-risk")
    shown = table.filter(pl.col("indicator") == "eu-supply-risk", pl.col("value").is_not_null())
    expected = dict(scores.drop_nulls("score").select("form", "score").iter_rows())
    assert dict(shown.select("form", "value").iter_rows()) == expected
    other = replace(results["disagreement"].lineage, call={"country": "JPN", "year": 2023})
    elsewhere = indicator_table(results["exposure"], [replace(results["disagreement"], lineage=other)])
    assert (
        elsewhere.filter(pl.col("indicator") == "eu-supply-risk")["value"].null_count()
        == table["form"].n_unique()
    )


def test_unknown_cells_of_the_heat_map_say_so(exposure: Result) -> None:
    """Law 2."""
    figure = chart(exposure, "heatmap", top=3)
    assert "unknown" in texts(figure) and "more rows are not shown" in texts(figure)
    assert {color for color in COLORS if color in figure.svg()} >= {COLORS[-1]}


def test_the_colours_darken(exposure: Result) -> None:
    """Colour-blind-safe: the order is one of lightness."""

    def lightness(color: str) -> float:
        red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2

    values = [lightness(color) for color in COLORS]
    assert values == sorted(values, reverse=True)
    assert min(a / b for a, b in itertools.pairwise(values)) > 1.2


def test_ranks_of_a_chosen_form_stand_out_and_unknown_ones_are_marked(exposure: Result) -> None:
    figure = chart(exposure, "ranks", form="lithium/hydroxide")
    assert "Lithium hydroxide" in figure.description
    assert "?" in texts(figure) and "unknown" in texts(figure)
    with pytest.raises(UnknownNameError, match="form"):
        chart(exposure, "ranks", form="lithium/hydroxid")


def test_an_indicator_by_country_where_several_are_asked() -> None:
    seen = texts(chart(risk.geopolrisk(["KOR", "JPN", "DEU"], [2023], ["Lithium", "Tin"])))
    assert "Japan" in seen and "Germany" in seen and "several countries" in seen


def test_a_country_that_is_not_in_the_result_is_named(results: dict[str, Result]) -> None:
    with pytest.raises(UnknownNameError, match="JPN"):
        chart(results["origin"], "sankey", country="JPN")
    with pytest.raises(UnknownNameError, match="2019"):
        chart(results["origin"], "sankey", year=2019)


def test_visibility_by_quantity_and_after_a_new_code() -> None:
    result = network.visibility("284690", "KOR", 2023, rank=False, new_codes=["neodymium/oxide"])
    seen = texts(chart(result, by="quantity"))
    assert "→" in seen and "Neodymium" in seen
    with pytest.raises(UnknownNameError, match="by"):
        chart(result, by="colour")


def forecast_result(history: list[tuple[str, float | None]]) -> Result:
    past = pl.DataFrame(history, schema={"period": pl.String, "amount_t": pl.Float64}, orient="row")
    ahead = pl.DataFrame(
        [("all", "2025", 1, 80.0, 100.0, 140.0), ("all", "2026", 2, 70.0, 105.0, 180.0)],
        schema={"end_use": pl.String, "period": pl.String, "horizon": pl.Int64, "p10": pl.Float64,
                "p50": pl.Float64, "p90": pl.Float64}, orient="row",
    )  # fmt: skip
    unit = dict.fromkeys(("p10", "p50", "p90"), "t contained")
    lineage = Lineage("0", (Input("trade", "0" * 64, "made up", as_of="2026-01-02"),),
                      call={"form": "lithium/hydroxide", "country": "KOR"})  # fmt: skip
    units = {"history": {"amount_t": "t contained"}, "forecast": unit}
    return Result("forecast", {"history": past, "forecast": ahead}, units, lineage)


def test_a_forecast_shows_its_interval_and_the_gaps_of_the_past() -> None:
    seen = texts(chart(forecast_result([("2020", 50.0), ("2022", 60.0), ("2023", 90.0), ("2024", 95.0)])))
    assert "105" in seen and "90\u202f%: 180" in seen and "10\u202f%: 70" in seen and "unknown" in seen
    ET.fromstring(chart(forecast_result([("2024", 95.0)])).svg())
    ET.fromstring(chart(forecast_result([])).svg())


def test_pictures_are_written_whole_by_their_ending(results: dict[str, Result], tmp_path: Path) -> None:
    """Law 12: another ending is refused and leaves nothing."""
    figure = chart(results["shares"], "shares")
    for ending, start in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        assert write_chart(figure, tmp_path / f"shares.{ending}").read_bytes().startswith(start)
    before = sorted(tmp_path.iterdir())
    for name in ("shares.gif", "shares"):
        with pytest.raises(InputError, match=r"\.svg, \.png or \.pdf"):
            write_chart(figure, tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before


def test_what_cannot_be_drawn_is_told(results: dict[str, Result]) -> None:
    nothing = Result("plan", {}, {}, Lineage("0"))
    assert chart_names(nothing) == ()
    with pytest.raises(UnknownNameError, match="plan"):
        chart(nothing)
    with pytest.raises(UnknownNameError, match="sankey"):
        chart(results["origin"], "sanky")
    with pytest.raises(NotCoveredError, match="no share"):
        chart(shares_result([]), "shares")
    with pytest.raises(NotCoveredError, match="no share"):
        chart(shares_result([]), "map")
    for width in (10, True, 5000):
        with pytest.raises(InputError, match="width"):
            chart(results["shares"], width=width)


def test_a_replay_says_so() -> None:
    """Law 11: the picture names the day that it was asked for."""
    result = shares_result([(2023, "CHN", 1.0)])
    asked = replace(
        result, lineage=replace(result.lineage, call={**result.lineage.call, "as_of": "2026-08-01"})
    )
    assert "1 August 2026" in texts(chart(asked, "shares"))
