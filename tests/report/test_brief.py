"""The brief: what it says, that it is safe, and that it is written whole or not at all."""

from __future__ import annotations

import errno
import re
import resource
import sys
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from synthetic import synthetic_result
from test_charts import with_tables

from evernormal.errors import InputError, StorageError, UnknownNameError
from evernormal.report import brief, figures, rows, story
from evernormal.report.brief import render_html, write_brief
from evernormal.report.reading import Reading
from evernormal.result import Result


def plain(page: str) -> str:
    """The page without style, pictures and markup."""
    page = re.sub(r"<(style|svg)\b.*?</\1>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_answer_comes_first(pages: dict[str, str]) -> None:
    text = plain(pages["en"])
    order = [
        "South Korea would run short of lithium hydroxide by 8,060",
        "of lithium (about",
        "of product), 18.7",
        "from May 2024",
        "24 May 2024",
        "USD 223 million",
        "Not known or assumed: test only; state stock. Of 4 inputs 1 are unknown",
        "Imports lost",
        "Measures and dates",
        "1 March 2024",
        "Supply by month",
        "Imports by supplier, before and after",
        "Who steps in",
        "Price",
        "Cover and the date",
        "Shortage and loss by end use",
        "How sure is this",
        "What is not known",
        "Method",
        "aaaaaaaaaaaa",
        "evernormal brief lithium-hydroxide-60 --focal KOR",
        "--seed 20250207",
    ]
    places = [text.find(part) for part in order]
    assert -1 not in places, order[places.index(-1)]
    assert places == sorted(places)


def test_the_korean_page_is_korean(pages: dict[str, str]) -> None:
    text = plain(pages["ko"])
    for part in (
        "수급 차질",
        "재고 소진일",
        "비축 방출 시",
        "대체 수입선",
        "미확인 사항",
        "2024년 5월 24일",
        "8,060톤",
        "2.23억 달러",
    ):
        assert part in text
    assert '<html lang="ko">' in pages["ko"]
    assert "(영문 원문)" in text, "a finding without Korean text is marked"


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_page_asks_for_nothing_from_outside(pages: dict[str, str], lang: str) -> None:
    page = pages[lang]
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)""", page)
    assert not re.search(r"@import|url\((?!#)", page)
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) == {"http://www.w3.org/2000/svg"}


def test_hostile_text_stays_text() -> None:
    hostile = '</title><script>alert(1)</script><img src=x onerror=alert(1)>"\u202e{{7*7}}'
    page = render_html(synthetic_result(title=hostile))
    assert "<script" not in page and "<img" not in page and "49" not in page.split("<h1>")[1][:200]
    assert "\u202e" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


class _Tags(HTMLParser):
    void = frozenset({"meta", "link", "br", "img", "hr", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.identifiers: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.identifiers += [value or "" for name, value in attributes if name == "id"]
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.identifiers += [value or "" for name, value in attributes if name == "id"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_tags_close_and_identifiers_are_unique(pages: dict[str, str]) -> None:
    tags = _Tags()
    tags.feed(pages["en"])
    assert tags.open == []
    assert len(tags.identifiers) == len(set(tags.identifiers))
    links = set(re.findall(r'href="#([^"]+)"', pages["en"]))
    assert links <= set(tags.identifiers)


def test_the_same_result_gives_the_same_page(result: Result, pages: dict[str, str]) -> None:
    """Law 6."""
    assert render_html(result, "en") == pages["en"]


def test_a_quiet_scenario_says_so(calm: Result) -> None:
    """Law 5, as a reader sees it."""
    reading = Reading.of(calm, "en")
    assert story.headline(reading)[0] == (
        "No shortage: nothing in this scenario cuts the supply of lithium hydroxide to South Korea below the "
        "base year."
    )
    assert "does not run out" in story.headline(reading)[1]
    assert rows.stepping_in(reading) == "No supplier ships noticeably more than in the base year."
    assert "공급은 기준연도 수준 유지" in render_html(calm, "ko")


def without_value(result: Result, name: str) -> Result:
    summary = result["summary"].with_columns(
        value=pl.when(pl.col("name") == name).then(None).otherwise(pl.col("value"))
    )
    return with_tables(result, summary=summary)


def test_what_is_unknown_is_said_and_is_not_zero(result: Result) -> None:
    """Law 2."""
    unknown = story.headline(Reading.of(without_value(result, "shortage_t"), "en"))[0]
    assert "cannot be told" in unknown
    loss = without_value(result, "loss_usd")
    assert "What it costs cannot be told" in " ".join(story.headline(Reading.of(loss, "en")))
    assert "USD 0" not in plain(render_html(loss))


def test_a_loss_that_one_end_use_does_not_know_is_unknown_in_the_total(result: Result) -> None:
    """Law 2."""
    table = result["end_use"].with_columns(
        loss_usd=pl.when(pl.col("end_use") == "greases").then(None).otherwise(pl.col("loss_usd"))
    )
    grid = rows.end_uses(Reading.of(with_tables(result, end_use=table), "en"))
    by_name = {row[0]: row[5] for row in grid.rows}
    assert by_name["Lubricating greases"] == "unknown" and by_name["Total"] == "unknown"
    assert by_name["Cathode materials for batteries"] == "202.4"


def test_supplier_rows_add_up_to_the_total(result: Result) -> None:
    grid = rows.suppliers(Reading.of(result, "en"))
    number = [int(row[1].replace(",", "")) for row in grid.rows]
    assert abs(sum(number[:-1]) - number[-1]) <= len(number)
    assert grid.rows[0][0] == "China" and grid.rows[0][3].startswith("−")
    assert grid.rows[-1][5:] == ("100.0", "100.0")


def test_ranges_show_how_often_stock_runs_out(result: Result) -> None:
    more = pl.DataFrame(
        {
            "name": ["stop_probability", "stop_day"],
            "p10": [None, 120.0],
            "p50": [0.9, 140.0],
            "p90": [None, 180.0],
            "unit": ["1", "day after start, where it stops"],
        }
    )
    made = with_tables(
        result, summary_bands=pl.concat([result["summary_bands"], more], how="vertical_relaxed")
    )
    assert figures.stop_range(Reading.of(made, "en")) == (
        "runs out in 90\u202f% of the draws; 10–90 %: 30 April 2024 to 29 June 2024"
    )


def test_another_result_than_a_simulation_is_refused(result: Result) -> None:
    with pytest.raises(InputError, match="no table supply and summary"):
        render_html(Result("plan", {}, {}, result.lineage))
    with pytest.raises(UnknownNameError, match="language"):
        render_html(result, "jp")


def test_write_brief_writes_page_workbook_and_result(result: Result, tmp_path: Path) -> None:
    files = write_brief(result, tmp_path / "new" / "folder", "ko")
    assert {k: p.name for k, p in files.items()} == {
        "html": "brief.ko.html",
        "xlsx": "brief.ko.xlsx",
        "parquet": "result.json",
    }
    assert all(p.is_file() for p in files.values())
    again = Result.load(tmp_path / "new" / "folder")
    assert render_html(again, "ko") == files["html"].read_text("utf-8")
    names = {p.name for p in files["html"].parent.iterdir()}
    assert not any(name.startswith(".") for name in names)


def test_other_files_in_the_folder_stay(result: Result, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    write_brief(result, tmp_path, formats=("parquet",))
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_a_misspelt_format_is_refused_before_anything_is_written(result: Result, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="'xlsx'"):
        write_brief(result, tmp_path / "out", formats=("xlxs",))
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limit to stand for a full disk")
@pytest.mark.parametrize("formats", [("html",), ("xlsx",), ("parquet",)])
def test_a_full_disk_leaves_what_was_there(
    result: Result, tmp_path: Path, formats: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 12: the operating system refuses to write more than two kilobytes."""
    monkeypatch.setattr(brief, "render_html", lambda *_: "page " * 4000)
    write_brief(synthetic_result(severity=0.3), tmp_path, formats=formats)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, hard))
    try:
        with pytest.raises(StorageError, match="as it was") as caught:
            write_brief(result, tmp_path, formats=formats)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.exit_code == 5
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_full_disk_makes_no_folder(result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 12."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(brief, "render_html", full)
    with pytest.raises(StorageError, match="disk is full"):
        write_brief(result, tmp_path / "out", formats=("html",))
    assert not (tmp_path / "out").exists()


def test_the_table_library_may_word_a_full_disk_its_own_way(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 12."""

    def full(*_: object, **__: object) -> None:
        raise pl.exceptions.ComputeError("No space left on device (os error 28)")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    with pytest.raises(StorageError, match="disk is full"):
        write_brief(result, tmp_path, formats=("parquet",))
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_named(result: Result, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageError):
        write_brief(result, tmp_path / "out", formats=("html",))
    assert (tmp_path / "out").read_text() == "a file"


def test_the_line_on_what_is_not_known_names_the_gravest_first(result: Result) -> None:
    reading = Reading.of(result, "ko")
    assert story.gravest(reading) == ["test only", "정부 비축량"]
    bare = Result(result.kind, result.tables, result.units, result.lineage)
    assert story.not_known(Reading.of(bare, "en")) == ("No gap was recorded; the range below still applies.")


def test_measures_are_listed_by_the_day_they_take_force(result: Result) -> None:
    grid = rows.measures(Reading.of(result, "ko"))
    assert [row[2] for row in grid.rows] == ["2024년 3월 1일", "2024년 5월 1일"]
    assert grid.rows[0][3] == "–"


def test_what_is_unknown_is_listed_by_form_and_item(result: Result) -> None:
    assert rows.coverage_text(Reading.of(result, "en")) == [
        "Of 4 inputs that the model needed, 1 were observed, 2 estimated and 1 unknown.",
        "Unknown state stock of lithium hydroxide: South Korea.",
    ]


def test_a_shortage_that_only_the_price_brings_is_called_that(result: Result) -> None:
    summary = result["summary"].with_columns(
        text=pl.when(pl.col("name").str.starts_with("stop_date")).then(None).otherwise(pl.col("text"))
    )
    sentence = story.headline(Reading.of(with_tables(result, summary=summary), "en"))[0]
    assert (
        "would cut its use of lithium hydroxide by 8,060" in sentence
        and "the price rises before stock runs out" in sentence
    )


def test_a_country_with_an_article_has_it(result: Result) -> None:
    lineage = result.lineage.__class__(
        **{**vars(result.lineage), "call": {"focal": "USA", "form": "lithium/hydroxide", "scenario": "x"}}
    )
    made = Result(result.kind, result.tables, result.units, lineage)
    assert story.headline(Reading.of(made, "en"))[0].startswith("The United States would run short")


def test_uses_of_another_form_of_the_chain_are_named_and_not_added_to_its_tonnes(result: Result) -> None:
    other = result["end_use"].filter(pl.col("end_use") == "batteries")
    other = other.with_columns(end_use=pl.lit("lithium/carbonate: batteries"))
    names = pl.DataFrame(
        {"end_use": ["lithium/carbonate: batteries"], "name_en": ["Cathodes"], "name_ko": ["양극재"]}
    )
    made = with_tables(
        result,
        end_use=pl.concat([result["end_use"], other]),
        end_use_names=pl.concat([result["end_use_names"], names]),
    )
    grid = rows.end_uses(Reading.of(made, "en"))
    assert "Cathodes (Lithium carbonate)" in {row[0] for row in grid.rows}
    assert grid.rows[-1][0] == "Total (tonnes: lithium hydroxide only)" and grid.rows[-1][3] == "8,060"
    assert grid.rows[-1][5] == "425.1"
    assert "7,500" in story.headline(Reading.of(made, "en"))[1]


def test_the_command_that_makes_it_again_names_what_was_changed(result: Result) -> None:
    changed = result.with_call(severity=0.3, as_of="2024-06-30", trade=None)
    command = story.reproduce(Reading.of(changed, "en"))
    assert "--severity 0.3 --as-of 2024-06-30" in command
    assert "--severity" not in story.reproduce(Reading.of(result, "en"))


def test_a_full_disk_names_the_folder_of_the_user(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 12: the message speaks of the folder that was asked for, not of one inside it."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    with pytest.raises(StorageError) as caught:
        write_brief(result, tmp_path / "mine", formats=("parquet",))
    assert ".evernormal-writing" not in caught.value.message
    assert not (tmp_path / "mine").exists()


def test_an_unknown_shortage_of_an_end_use_is_not_a_zero(result: Result) -> None:
    """Law 2: null stays "unknown" in the table by end use."""
    blank = result["end_use"].with_columns(shortage_t=pl.lit(None, dtype=pl.Float64))
    row = rows._use_cells(
        Reading.of(with_tables(result, end_use=blank), "en"),
        {"base_use_t": 10.0, "use_t": None, "shortage_t": None, "loss": None},
        0,
    )
    assert row[0] == "10"
    assert row[1:] == (Reading.of(result, "en").words.unknown,) * 4
