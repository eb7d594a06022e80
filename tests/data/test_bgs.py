"""BGS World Mineral Statistics: countries, kinds, marks and faults; nothing withheld becomes zero."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from evernormal import data
from evernormal.data.publishers import bgs
from evernormal.data.publishers.adapters import Asked, Reading
from evernormal.errors import SourceFormatError

from .made_up_statistics import BGS_HEADER, EVERYWHERE, bgs_row, text_of, write_bgs

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "bgs"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="publisher files are not in ../shared")
NAMES = {"United States": "USA"}
"""What the BGS writes where it differs from the USGS."""


def read(folder: Path, *rows: list[str], **asked: object) -> Reading:
    return bgs.reading(write_bgs(folder, rows), Asked(**asked))  # type: ignore[arg-type]


@pytest.mark.parametrize(("printed", "iso3"), EVERYWHERE.items())
def test_countries_arrive_as_themselves(tmp_path: Path, printed: str, iso3: str) -> None:
    """Namibia's letters are NA and Kosovo's 1A0 in these files: the name decides."""
    row = bgs_row(NAMES.get(printed, printed), country_iso2_code="NA", country_iso3_code="1A0")
    found = read(tmp_path, row).table
    assert found["country"].to_list() == [iso3]


@pytest.mark.parametrize(
    ("printed", "iso3"),
    [
        ("Korea (Rep. of)", "KOR"),
        ("Korea, Dem. P.R. of", "PRK"),
        ("Congo, Democratic Republic", "COD"),
        ("Congo", "COG"),
        ("Zaire", "COD"),
        ("Myanmar", "MMR"),
        ("Burma", "MMR"),
        ("Türkiye", "TUR"),
        ("TÃ¼rkiye", "TUR"),
        ("Ivory Coast", "CIV"),
        ("German Federal Republic", "DEU"),
        ("Soviet Union", "SUN"),
        ("Rhodesia", "ZWE"),
    ],
)
def test_names_of_the_publisher_and_of_former_times(tmp_path: Path, printed: str, iso3: str) -> None:
    assert read(tmp_path, bgs_row(printed)).table["country"].to_list() == [iso3]


def test_marks_and_notes(tmp_path: Path) -> None:
    """Law 2: not available is null, not significant a bound, nil nothing, an asterisk an estimate."""
    found = read(
        tmp_path,
        bgs_row("China", "", sdmx_code="O", quantity_in_book_style="..."),
        bgs_row("Japan", "0", quantity_in_book_style="-----"),
        bgs_row("Russia", "0", sdmx_code="N"),
        bgs_row("Ukraine", "2", concat_figure_notes_code="*|a", concat_figure_notes_text="Estimates.|Crude."),
    )
    rows = {row["country"]: row for row in found.table.iter_rows(named=True)}
    assert (rows["CHN"]["value"], rows["CHN"]["flag"]) == (None, "NA")
    assert rows["JPN"]["value"] == 0.0
    assert (rows["RUS"]["value"], rows["RUS"]["low"], rows["RUS"]["high"]) == (None, 0.0, 0.5)
    assert (rows["UKR"]["flag"], rows["UKR"]["grade"]) == ("e; Crude.", "B")
    assert rows["JPN"]["grade"] == "A"
    assert "not-available" in {f.code for f in found.findings}


@pytest.mark.parametrize(
    ("commodity", "sub", "units", "stage", "form", "basis", "tonnes"),
    [
        ("copper, mine", "", "tonnes (metal content)", "ore", "copper/ore", "contained Cu", 5.0),
        ("copper, smelter", "", "tonnes (metric)", "refined", "copper/blister", "contained Cu", 5.0),
        ("copper, refined", "", "tonnes (metric)", "refined", "copper/metal", "contained Cu", 5.0),
        ("cobalt, refined", "", "tonnes (metric)", "refined", None, "contained Co", 5.0),
        ("nickel, smelter/refinery", "", "tonnes (metric)", "refined", None, "contained Ni", 5.0),
        (
            "platinum group metals, mine",
            "Palladium",
            "kilograms (metal content)",
            "ore",
            None,
            "contained Pd",
            0.005,
        ),
        ("lithium minerals", "Spodumene", "tonnes (metric)", "ore", "lithium/ore", "gross", 5.0),
        ("lithium minerals", "Spodumene (Li content)", "tonnes (metric)", "ore", None, "contained Li", 5.0),
        ("manganese ore", "", "tonnes (metric)", "ore", "manganese/ore", "gross", 5.0),
        ("unobtainium", "", "tonnes (metric)", None, None, "gross", 5.0),
    ],
)
def test_kinds_of_commodity(
    tmp_path: Path,
    commodity: str,
    sub: str,
    units: str,
    stage: str | None,
    form: str | None,
    basis: str,
    tonnes: float,
) -> None:
    """Mine, smelter and refined are kept apart; each says what its tonnes count (law 4)."""
    row = bgs_row("China", "5", commodity=commodity, bgs_sub_commodity_trans=sub, units=units)
    found = read(tmp_path, row)
    assert found.table.select("stage", "form", "basis", "value", "unit").row(0) == (
        stage, form, basis, tonnes, "t"
    )  # fmt: skip
    assert ("label-unknown" in {f.code for f in found.findings}) == (commodity == "unobtainium")


def test_when_it_was_knowable_is_asked_or_assumed_late(tmp_path: Path) -> None:
    """Law 11: the file does not say it."""
    assumed = read(tmp_path, bgs_row())
    assert assumed.as_of == date(2025, 12, 31)
    assert "edition-day-assumed" in {f.code for f in assumed.findings}
    told = read(tmp_path, bgs_row(), as_of=date(2025, 3, 1))
    assert told.as_of == date(2025, 3, 1) and set(told.table["as_of"]) == {date(2025, 3, 1)}
    assert "edition-day-assumed" not in {f.code for f in told.findings}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (bgs_row("Atlantis"), "row 3, column country_trans: unknown country 'Atlantis'"),
        (bgs_row("Russsia"), "did the publisher mean Russia"),
        (bgs_row(quantity="1.600.000"), "row 3, column quantity: '1.600.000' is no number"),
        (bgs_row(quantity="1,600"), "separators are not part of it"),
        (bgs_row(quantity="-5"), "no number of zero or more"),
        (bgs_row(quantity=""), "row 3, column quantity: is empty"),
        (bgs_row(units=""), "row 3, column units: is empty"),
        (bgs_row(sdmx_code="Q"), "row 3, column sdmx_code: 'Q' is none of"),
        ([cell.replace("2023-01-01", "soon") for cell in bgs_row()], "row 3, column year"),
        (bgs_row("Japan"), "row 3, column country_trans, year: the same line as row 2"),
    ],
)
def test_a_fault_is_named_with_row_and_column(tmp_path: Path, row: list[str], says: str) -> None:
    """Law 12: nothing is stored of a file with a fault."""
    path = write_bgs(tmp_path, [bgs_row("Japan"), row])
    with pytest.raises(SourceFormatError) as caught:
        data.add("bgs", path, tmp_path / "store")
    assert says in caught.value.message and caught.value.cure
    assert not data.journal(tmp_path / "store").height


GOOD = text_of(BGS_HEADER, [bgs_row("Japan"), bgs_row("China")])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (GOOD.encode("utf-16"), "UTF-16"),
        (GOOD.replace("China", "중국").encode("cp949"), "cp949"),
        (b"<html><body>Service unavailable</body></html>", "web page"),
        (GOOD[:-30].encode(), "ends in the middle of a row"),
        (GOOD.replace("quantity,", "amount,").encode(), "column quantity is missing"),
        (b"MCS chapter,Section\nGALLIUM,World\n", "is missing"),
    ],
)
def test_a_file_that_is_no_such_file(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "BGS_gallium_production.csv"
    path.write_bytes(content)
    with pytest.raises(SourceFormatError) as caught:
        bgs.reading(path, Asked())
    assert says in caught.value.message and caught.value.cure


@needs_shared
@pytest.mark.parametrize("path", sorted(SHARED.glob("*.csv")), ids=lambda p: p.stem)
def test_every_row_of_the_publishers_files_is_stored(path: Path) -> None:
    found = bgs.reading(path, Asked())
    text = path.read_text("utf-8-sig")
    assert found.table.height == len(text.splitlines()) - 1
    assert "label-unknown" not in {f.code for f in found.findings}
    assert found.dataset.startswith("bgs-") and "production" not in found.dataset
    assert not found.table["country"].is_null().any()


@needs_shared
def test_figures_of_the_publisher() -> None:
    """Gallium of China 621 t and refined cobalt of Finland in 2023, as the files print them."""
    gallium = bgs.reading(SHARED / "BGS_gallium_production.csv", Asked()).table
    china = gallium.filter(pl.col("country") == "CHN", pl.col("year") == 2023)
    assert china.select("value", "flag").row(0) == (621.0, "e")
    copper = bgs.reading(SHARED / "BGS_copper_production.csv", Asked()).table
    assert copper["commodity"].unique().sort().to_list() == [
        "copper, mine",
        "copper, refined",
        "copper, smelter",
    ]
    kosovo = bgs.reading(SHARED / "BGS_nickel_production.csv", Asked()).table.filter(
        pl.col("country") == "XKX"
    )
    assert kosovo.height > 0
