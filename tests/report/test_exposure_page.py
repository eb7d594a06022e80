"""The page on a country's dependence: what it says first, that it is safe, and that it is whole."""

from __future__ import annotations

import io
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from evernormal import risk
from evernormal.app.main import run
from evernormal.errors import UnknownNameError
from evernormal.report.exposure_page import render_exposure, write_exposure
from evernormal.report.exposure_parts import Dossier, gather, strategic_groups
from evernormal.report.exposure_story import exposure_summary
from evernormal.report.language import language
from evernormal.report.workbook_exposure import exposure_workbook
from evernormal.result import Result

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def plain(page: str) -> str:
    """The page without style, pictures and markup."""
    page = re.sub(r"<(style|svg)\b.*?</\1>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture(scope="module")
def korea() -> Result:
    return risk.exposure("KOR", 2023)


@pytest.fixture(scope="module")
def dossier(korea: Result) -> Dossier:
    return gather(korea, materials=["lithium", "terbium"])


@pytest.fixture(scope="module")
def pages(dossier: Dossier) -> dict[str, str]:
    return {lang: render_exposure(dossier, lang) for lang in ("en", "ko")}


def test_the_first_screen_answers_the_first_question(pages: dict[str, str]) -> None:
    """How dependent, in which form, on whom, since when, getting worse, says who, what is unknown."""
    text = plain(pages["en"])
    order = [
        "South Korea: dependence on critical minerals, 2023",
        "reaches the early-warning duty in",
        "China supplies half or more of",
        "Worst: ",
        "By material, the worst form of each: lithium",
        "half or more since",
        "Is it getting worse?",
        "Who says so:",
        "; newest known as of",
        "nothing is known: unknown, not safe",
        "The ten worst forms",
    ]
    places = [text.find(part) for part in order]
    assert -1 not in places, order[places.index(-1)]
    assert places == sorted(places)


def test_the_table_has_the_ten_worst_forms_with_their_colours(pages: dict[str, str], korea: Result) -> None:
    table = pages["en"].partition('id="worst"')[2].partition("</table>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", table.partition("<tbody>")[2], flags=re.S)
    assert len(rows) == 10
    words = language("en")
    for row, form in zip(rows, korea["exposure"]["form"], strict=False):
        assert words.form(form) in row
    assert 'class="h4"' in table and 'class="hu">unknown' in table, "unknown is hatched and says so (law 2)"


def test_the_korean_page_is_korean(pages: dict[str, str]) -> None:
    text = plain(pages["ko"])
    for part in (
        "2023년 한국 핵심광물 수입 의존 현황",
        "조기경보 의무 기준에 도달",
        "중국, 일본, 북한, 러시아",
        "미확인 사항",
    ):
        assert part in text
    assert '<html lang="ko">' in pages["ko"]
    assert "(영문 원문)" not in text, "a finding without a Korean sentence"


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_page_asks_for_nothing_from_outside_and_is_not_large(pages: dict[str, str], lang: str) -> None:
    page = pages[lang]
    assert "default-src 'none'" in page and "<script" not in page
    assert not re.search(r'(?:src|href)="(?!#|data:,)', page)
    assert len(page.encode()) < 3_000_000
    identifiers = re.findall(r'\bid="([^"]+)"', page)
    assert len(identifiers) == len(set(identifiers))


def test_the_same_input_gives_the_same_bytes(dossier: Dossier, pages: dict[str, str]) -> None:
    """Law 6: page and workbook."""
    small = replace(dossier, groups=())
    assert render_exposure(small, "ko") == render_exposure(small, "ko")
    assert exposure_workbook(dossier) == exposure_workbook(dossier)


def test_rare_earths_are_told_together_and_their_baskets_with_them(dossier: Dossier) -> None:
    group = dossier.groups[1]
    assert group.name == "rare-earths" and group.materials == ("terbium",)
    assert group.visibility is not None and group.lead == "rare-earths/metals"
    with pytest.raises(UnknownNameError, match="lithium"):
        strategic_groups(["lithum"])


def test_charts_and_table_tell_the_same_share(dossier: Dossier, korea: Result) -> None:
    """One function behind table and chart: the last year of the history is the row of the exposure table."""
    for group in dossier.groups:
        for form, shares in group.shares.items():
            row = korea["exposure"].row(by_predicate=pl.col("form") == form, named=True)
            last = shares["shares"].filter(pl.col("year") == 2023, pl.col("supplier") == row["supplier"])
            expected = row["share_value"] if row["share_value"] is not None else row["share_quantity"]
            if row["known_by"] == "trade":
                assert last["share"].to_list() == [pytest.approx(expected, abs=1e-12)]


def test_a_year_that_nobody_recorded_is_no_row(dossier: Dossier) -> None:
    """Law 2."""
    for group in dossier.groups:
        for shares in group.shares.values():
            assert shares["shares"]["share"].null_count() == 0
            assert (shares["shares"]["share"] > 0).all()


@pytest.mark.parametrize(
    ("country", "says"), [("LAO", "Laos"), ("EU", "The European Union"), ("CHN", "China")]
)
def test_any_country_has_an_answer(country: str, says: str) -> None:
    result = risk.exposure(country, 2023, origins=False)
    assert exposure_summary(result).startswith(says)
    assert re.match("[가-힣]", exposure_summary(result, "ko"))
    if country == "CHN":
        assert "China supplies" not in exposure_summary(result)


def test_a_country_of_which_little_is_known_has_a_page() -> None:
    dossier = gather(risk.exposure("LAO", 2024), materials=["graphite", "cobalt"])
    text = plain(render_exposure(dossier))
    assert "is anything known: unknown, not safe" in text and "Nothing is known of" in text
    assert "The worst forms" in text


def test_a_country_of_which_nothing_is_known_says_so(korea: Result) -> None:
    nothing = korea["exposure"].with_columns(known_by=pl.lit("nothing"), supplier=pl.lit(None, pl.String))
    zero = korea["summary"].with_columns(value=pl.when(pl.col("name") == "forms").then("value").otherwise(0))
    result = replace(korea, tables={"exposure": nothing, "summary": zero})
    text = plain(render_exposure(gather(result, materials=["tin"])))
    assert "anything known for South Korea in 2023" in text and "The ten worst" not in text


def test_hostile_names_are_text(dossier: Dossier) -> None:
    evil = '<img src=x onerror="alert(1)">'
    table = dossier.exposure["exposure"].with_columns(supplier=pl.lit(evil), source=pl.lit(f"{evil} as is"))
    result = replace(dossier.exposure, tables={**dossier.exposure.tables, "exposure": table})
    page = render_exposure(replace(dossier, exposure=result, groups=()))
    assert "<img" not in page and "&lt;img" in page


def test_the_workbook_has_the_tables_with_names_and_units(dossier: Dossier) -> None:
    book = openpyxl.load_workbook(io.BytesIO(exposure_workbook(dossier, "ko")))
    assert {"안내", "전체 품목", "지표 및 순위", "수입선 비중", "단계별 원산지"} <= set(book.sheetnames)
    sheet = book["전체 품목"]
    heads = [cell.value for cell in sheet[1]]
    assert "품목명" in heads and any(str(head).startswith("순수입 의존도") for head in heads)
    column = heads.index("순수입 의존도\n(비율)") if "순수입 의존도\n(비율)" in heads else None
    values = [row[heads.index("순위")].value for row in sheet.iter_rows(min_row=2)]
    assert values == sorted(values)
    if column is not None:
        assert None in [row[column].value for row in sheet.iter_rows(min_row=2)], "unknown is empty, not 0"


def test_the_command_prints_the_paths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "out"
    line = ["exposure", "LAO", "--year", "2023", "--material", "tin", "--out", str(folder), "--lang", "ko"]
    assert run(line) == 0
    shown = capsys.readouterr().out
    assert "라오스" in shown
    for name in ("exposure.ko.html", "exposure.ko.xlsx", "figure-all-heatmap.ko.svg"):
        assert str(folder / name) in shown and (folder / name).is_file()
    assert run(["exposure", "LAO", "--material", "tinn", "--out", str(folder)]) == 2


@pytest.mark.parametrize(
    "line",
    [
        "shares KOR lithium/hydroxide --chart {}",
        "trace gallium/metal --year 2024 --chart {}",
        "indicator geopolrisk --country KOR --year 2023 --material Tin --chart {}",
        "visibility 284690 --country KOR --year 2023 --chart {}",
    ],
)
def test_commands_draw_what_they_print(line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One small option; standard output stays one JSON document."""
    path = tmp_path / "chart.svg"
    assert run([*line.format(path).split(), "--json", "--lang", "ko"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("[") and str(path) not in captured.out and str(path) in captured.err
    assert "출처" in path.read_text("utf-8")
    assert run(line.format(tmp_path / "chart.gif").split()) == 2, "refused before anything is computed"


def test_a_page_is_written_whole_or_not_at_all(dossier: Dossier, tmp_path: Path) -> None:
    """Law 12: a format that does not exist leaves the folder as it was."""
    with pytest.raises(UnknownNameError, match="xlsx"):
        write_exposure(dossier, tmp_path / "new", formats=["html", "xlxs"])
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_asks_for_nothing_and_nothing_is_cut_off(
    pages: dict[str, str], tmp_path: Path, width: int
) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    from test_page import CUT_OFF

    path = tmp_path / "page.html"
    path.write_text(pages["ko"], "utf-8")
    with playwright.sync_playwright() as started:
        browser: Any = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 800})
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path.as_uri(), wait_until="networkidle")
        assert (asked, said) == ([path.as_uri()], [])
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CUT_OFF) == []
        browser.close()


def test_a_duty_of_south_korea_is_told_as_hers_and_small_trade_as_small() -> None:
    """Three shipments of a few dollars each make no dependence, and no other country has the duty."""
    from evernormal import risk
    from evernormal.report import exposure_story as story
    from evernormal.report.language import language

    for place, said in (("TLS", True), ("KOR", False)):
        result = risk.exposure(place, 2024, origins=False)
        for lang, of_korea in (
            ("en", "South Korea's early-warning duty"),
            ("ko", "한국의 조기경보 의무 기준"),
        ):
            words = language(lang)
            assert (of_korea in story.answer(result, words)[0]) is said
            limit = words.money(story.SMALL_TRADE_USD)
            assert limit in story.unknown_line(result, words)
    tiny = risk.exposure("TLS", 2024, origins=False)["exposure"]["imports_usd"].drop_nulls()
    assert tiny.len() == 3 and tiny.max() < story.SMALL_TRADE_USD  # type: ignore[operator]
