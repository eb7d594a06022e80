"""USGS Mineral Commodity Summaries: every layout, every mark, every row accounted for, every fault named."""

from __future__ import annotations

import csv
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from evernormal import data
from evernormal.data.publishers import usgs_mcs
from evernormal.data.publishers.adapters import Asked
from evernormal.data.publishers.statistics_table import statistics_table
from evernormal.data.publishers.usgs_places import place
from evernormal.errors import NotCoveredError, SourceFormatError, UnknownNameError

from .made_up_statistics import (
    EVERYWHERE,
    LONG_HEADER,
    RARE_NOTE,
    WORLD_2025,
    gallium_2026,
    long_row,
    text_of,
    write_2026,
)

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "usgs"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="publisher files are not in ../shared")


def rows_of(path: Path, **asked: object) -> pl.DataFrame:
    return statistics_table(usgs_mcs.read(path, Asked(**asked)).found)  # type: ignore[arg-type]


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def only(table: pl.DataFrame, **wanted: object) -> dict[str, object]:
    """Return the one row that has these values."""
    found = table.filter(*(pl.col(name) == value for name, value in wanted.items()))
    assert found.height == 1, found
    return found.row(0, named=True)


# --- the published figures -------------------------------------------------------


def test_gallium_of_2026_is_900_of_900_tonnes_from_china(tmp_path: Path) -> None:
    table = rows_of(write_2026(tmp_path))
    china = only(table, country="CHN", year=2025)
    assert (china["value"], china["unit"], china["basis"], china["grade"]) == (
        900.0,
        "t",
        "contained Ga",
        "B",
    )
    assert (china["material"], china["stage"], china["form"]) == ("gallium", "refined", "gallium/metal")
    assert only(table, country="WLD", year=2025)["value"] == 900.0
    assert only(table, country="CHN", year=2024)["grade"] == "A"
    assert only(table, country="ROW", year=2025)["value"] == 0.0  # the publisher prints a dash: nothing
    assert "row 9" in str(china["source_ref"]) and "900,000" in str(china["source_ref"])


def test_rare_earths_of_2026_are_270_of_390_thousand_tonnes_from_china(tmp_path: Path) -> None:
    about = {"Commodity": "Rare Earths", "Unit": "metric tons", "Other_notes": RARE_NOTE}
    about |= {"Section": "World Mine Production and Reserves", "Statistics_detail": "Mine production"}
    rows = [long_row("China", "270,000", **about), long_row("Burma", "22,000", **about)]
    rows.append(
        long_row("World total", "390,000", **{**about, "Statistics_detail": "Mine production: rounded"})
    )
    table = rows_of(write_2026(tmp_path, rows))
    assert only(table, country="CHN")["value"] == 270_000.0
    assert only(table, country="WLD")["value"] == 390_000.0
    assert set(table["basis"]) == {"contained REO"} and set(table["commodity"]) == {
        "Rare Earths: Mine production"
    }
    assert only(table, country="MMR")["stage"] == "ore"


@pytest.mark.parametrize(("printed", "iso3"), EVERYWHERE.items())
def test_countries_arrive_as_themselves(tmp_path: Path, printed: str, iso3: str) -> None:
    """Namibia is no null, Kosovo no error, the United States one country."""
    assert rows_of(write_2026(tmp_path, [long_row(printed)]))["country"].to_list() == [iso3]


@pytest.mark.parametrize(
    ("printed", "iso3"),
    [
        ("Burma", "MMR"),
        ("Congo (Kinshasa)", "COD"),
        ("Congo (Brazzaville)", "COG"),
        ("Korea, Republic of", "KOR"),
        ("Korea, North", "PRK"),
        ("Türkiye", "TUR"),
        ("TÃ¼rkiye", "TUR"),
        ("Côte d’Ivoire", "CIV"),
        ("C?te d?Ivoire", "CIV"),
        ("Other countries6", "ROW"),
        ("Russiae", "RUS"),
        ("New Caledonia11", "NCL"),
        ("World total (rounded), excluding U.S. production", "WLD"),
        ("Brazil (crude and beneficiated)9", "BRA"),
        ("Argentina, crude ore", "ARG"),
    ],
)
def test_names_with_footnotes_and_lost_letters_are_found(printed: str, iso3: str) -> None:
    assert place(printed).iso3 == iso3


def test_an_unknown_country_is_named_with_row_and_near_names(tmp_path: Path) -> None:
    path = write_2026(tmp_path, [*gallium_2026(), long_row("Atlantis"), long_row("Nambia")])
    with pytest.raises(
        SourceFormatError, match=r"row 14, column Country: unknown country 'Atlantis'"
    ) as caught:
        usgs_mcs.reading(path, Asked())
    assert "row 15" in caught.value.message and "Namibia" in caught.value.message


# --- marks -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "notes", "value", "low", "high", "mark"),
    [
        ("1,600,000", "", 1_600.0, None, None, None),
        ("W", "", None, None, None, "W"),
        ("NA", "", None, None, None, "NA"),
        ("—", "", 0.0, None, None, "—"),
        ("–", "", 0.0, None, None, "—"),
        (">50", "", None, 0.05, None, ">"),
        ("<1,000", "", None, 0.0, 1.0, "<"),
        ("50–300", "", None, 0.05, 0.3, "range"),
        ("s", "Less than ½ unit.", None, 0.0, 0.0005, "s"),
        ("Less than ½ unit", "", None, 0.0, 0.0005, "s"),
        ("s", "Included in “World total.”", None, None, None, "s"),
        ("XX", "", None, None, None, "XX"),
        ("Large", "", None, None, None, "Large"),
        ("e4,200", "", 4.2, None, None, "e"),
    ],
)
def test_what_a_cell_says(
    tmp_path: Path,
    text: str,
    notes: str,
    value: float | None,
    low: float | None,
    high: float | None,
    mark: str,
) -> None:
    """Law 2: withheld and not available are null with their mark, a bound is a bound, a dash is nothing."""
    rows = [long_row("China", text, notes=notes)]
    path = tmp_path / "MCS2026_Commodities_Data.csv"
    path.write_text(text_of(LONG_HEADER, rows), "utf-8")
    row = rows_of(path).row(0, named=True)
    for name, wanted in (("value", value), ("low", low), ("high", high)):
        assert row[name] == (None if wanted is None else pytest.approx(wanted, rel=1e-15)), name
    assert (row["flag"] or "").partition(";")[0] == (mark or "")


def test_less_than_a_number_of_the_notes_is_a_bound_in_the_printed_unit(tmp_path: Path) -> None:
    about = {"Commodity": "Iron And Steel Slag", "Unit": "million metric tons", "Statistics": "Export"}
    row = rows_of(write_2026(tmp_path, [long_row("China", "s", notes="Less than 100,000 tons.", **about)]))
    assert row.select("low", "high", "unit").row(0) == (0.0, 100_000.0, "t")


@pytest.mark.parametrize(
    ("text", "value", "low", "high"),
    [
        (">95", None, 95.0, 100.0),
        ("<25", None, 0.0, 25.0),
        ("E", None, None, 0.0),
        ("100", 100.0, None, None),
    ],
)
def test_net_import_reliance_is_a_bound(
    tmp_path: Path, text: str, value: float | None, low: float | None, high: float | None
) -> None:
    """A net exporter has at most 0 %, ">95" at most 100 %."""
    about = {"Section": "Salient Statistics—United States", "Statistics": "Net import reliance"}
    row = rows_of(write_2026(tmp_path, [long_row("United States", text, Unit="percent", **about)])).row(
        0, named=True
    )
    assert (row["statistic"], row["unit"]) == ("net_import_reliance", "%")
    assert (row["value"], row["low"], row["high"]) == (value, low, high)


@pytest.mark.parametrize(
    ("unit", "text", "stored", "value"),
    [
        ("thousand metric tons", "1,600", "t", 1_600_000.0),
        ("million metric tons", "2.5", "t", 2_500_000.0),
        ("million carats", "5", "t", 1.0),
        ("dollars per kilogram", "580", "USD/kg", 580.0),
        ("cents per pound", "420", "USD/lb", 4.2),
        ("dollars per 10-grams", "50", "USD/g", 5.0),
        ("million cubic meters", "66", "million m3", 66.0),
        ("dollars per parsec", "1", "USD/parsec", 1.0),
    ],
)
def test_units_become_tonnes_and_prices_keep_theirs(
    tmp_path: Path, unit: str, text: str, stored: str, value: float
) -> None:
    """Law 4: every mass in tonnes; a unit that is not known stays as printed and is told."""
    statistic = "Price" if unit.startswith(("dollars", "cents")) else "Production"
    reading = usgs_mcs.reading(
        write_2026(tmp_path, [long_row("China", text, Unit=unit, Statistics=statistic)]), Asked()
    )
    assert reading.table.select("unit", "value").row(0) == (stored, pytest.approx(value, rel=1e-15))
    assert ("unit-as-printed" in {f.code for f in reading.findings}) == ("parsec" in unit)


def test_an_unknown_label_is_kept_and_told(tmp_path: Path) -> None:
    reading = usgs_mcs.reading(write_2026(tmp_path, [long_row(Commodity="Unobtainium")]), Asked())
    assert reading.table.select("commodity", "material").row(0) == ("Unobtainium: Primary production", None)
    assert next(f for f in reading.findings if f.code == "label-unknown").values["labels"] == ["Unobtainium"]


def test_a_qualified_line_stays_in_its_table(tmp_path: Path) -> None:
    """One country's line that says more than the others belongs to the same table."""
    about = {"Commodity": "Selenium", "Section": "World Refinery Production", "Unit": "metric tons"}
    about |= {"Other_notes": "(Data in metric tons, selenium content, unless otherwise specified)"}
    lines = [
        ("China", "800", "Refinery production"),
        ("Peru", "60", "Refinery production: crude and anode slimes"),
        ("World total", "860", "Refinery production: rounded"),
    ]
    rows = [long_row(c, v, **about, Statistics_detail=d) for c, v, d in lines]
    table = rows_of(write_2026(tmp_path, rows))
    assert table["commodity"].unique().to_list() == ["Selenium: Refinery production"]
    assert "crude and anode slimes" in str(only(table, country="PER")["flag"])


# --- the other layouts -----------------------------------------------------------


def world_2025(folder: Path, **changed: str) -> Path:
    unit = changed.get("unit", "kilograms")
    china, other, world = (
        ["MCS2025", "Gallium ", name, "Primary production", own]
        for name, own in (
            ("China", "kilograms"),
            ("Other Countries", "kilograms"),
            ("World total (rounded)", unit),
        )
    )
    ore = ["MCS2025", "Iron Ore  ", "Chile", "Mine production, usable ore", "thousand metric tons"]
    tin = ["MCS2025", "Tin", "Brazil", "Mine production, tin content", "metric tons"]
    rows = [
        [*china, "621000", "750000", "estimated 2023", "", "1000000", "", "", ""],
        [*other, "", "", "", "", "88000", "estimated", "", ""],
        [*world, "633000", "760000", "", "", "1100000", "estimated", "", ""],
        [*tin, "", "", "NA", "", "", "", "> 420,000", ""],
        [*ore, "1", "1", "", "", "", "", "3600", "Crude Ore, million metric tons"],
    ]
    return write(folder, "MCS2025_World_Data.csv", "\ufeff" + text_of(WORLD_2025, rows))


def test_the_world_table_of_2025(tmp_path: Path) -> None:
    """Stray spaces in headers and labels, marks in the notes, reserves in a unit of their own."""
    table = rows_of(world_2025(tmp_path))
    china = only(table, country="CHN", statistic="production", year=2023)
    assert (china["value"], china["grade"], china["commodity"]) == (621.0, "B", "Gallium: Primary production")
    assert only(table, country="CHN", statistic="production", year=2024)["value"] == 750.0
    assert only(table, country="CHN", statistic="capacity", year=2024)["value"] == 1_000.0
    other = only(table, country="ROW", statistic="production", year=2023)
    assert (other["value"], other["flag"]) == (None, "blank")  # listed without a figure: unknown (law 2)
    assert only(table, country="BRA", year=2023)["flag"] == "NA"
    assert only(table, country="BRA", statistic="reserves")["low"] == 420_000.0
    assert only(table, country="CHL", statistic="reserves")["value"] == 3_600e6
    assert set(table["as_of"]) == {date(2025, 4, 30)}


def test_a_blank_unit_is_taken_from_its_table_and_told(tmp_path: Path) -> None:
    reading = usgs_mcs.reading(world_2025(tmp_path, unit=""), Asked())
    assert only(reading.table, country="WLD", statistic="production", year=2023)["value"] == 633.0
    assert "row 4" in next(f for f in reading.findings if f.code == "unit-from-the-table").message


WORLD_2024 = """Source,Country,Type,Prod_kg_2022,Prod_kg_est_2023,Prod_notes,Cap_kg_2022,Cap_kg_2023,Cap_notes
MCS2024,United States,Primary production,0,0,,,0,
MCS2024,China,Primary production,600000,600000,estimated in 2022 also,,1000000,
MCS2024,Japane,Primary production,3000,3000,,,10000,
MCS2024,World total (rounded),Primary production,610000,610000,,,1100000,
"""
SALIENT_2024 = """\
DataSource,Commodity,Year,USprod_Primarykg,Imports_Metal_kg,Exports_kg,Consump_g,Price_High-puritydkg,NIR_pct
MCS2024,Gallium,2022,0,11400,NA,19700,560,100
MCS2024,Gallium,2023,0,9400,NA,19000,450,>95
"""


def test_a_world_table_of_one_commodity(tmp_path: Path) -> None:
    table = rows_of(write(tmp_path, "mcs2024-galli_world.csv", WORLD_2024))
    assert only(table, country="CHN", statistic="production", year=2022)["grade"] == "B"
    assert only(table, country="JPN", statistic="capacity", year=2023)["value"] == 10.0
    assert only(table, country="WLD", statistic="production", year=2023)["value"] == 610.0
    assert table["material"].unique().to_list() == ["gallium"]


def test_a_salient_table_of_one_commodity(tmp_path: Path) -> None:
    """A header that was cut (Consump_g) takes the unit that the file's other headers name."""
    table = rows_of(write(tmp_path, "mcs2024-galli_salient.csv", SALIENT_2024))
    assert set(table["country"]) == {"USA"}
    assert only(table, statistic="consumption", year=2022).items() >= {"value": 19.7, "unit": "t"}.items()
    assert only(table, statistic="price", year=2023).items() >= {"value": 450.0, "unit": "USD/kg"}.items()
    assert only(table, statistic="net_import_reliance", year=2023)["low"] == 95.0
    assert only(table, statistic="exports", year=2023)["flag"] == "NA; e"


def test_a_zip_file_and_a_conversion_say_the_same_as_the_files(tmp_path: Path) -> None:
    """Law 7: the layout in which figures come does not change them."""
    alone = rows_of(write(tmp_path, "mcs2024-galli_world.csv", WORLD_2024))
    packed = tmp_path / "world.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("world/mcs2024-galli_world.csv", WORLD_2024)
    header, *lines = [line.split(",") for line in WORLD_2024.splitlines()]
    long = ["release,file,row_key,field,value"]
    for cells in lines:
        key = f"{cells[1]}|{cells[2]}"
        long += [
            f"2024,mcs2024-galli_world.csv,{key},{n},{v}"
            for n, v in zip(header[3:], cells[3:], strict=True)
            if v
        ]
    converted = write(tmp_path, "MCS2024_world_long.csv", "\n".join(long) + "\n")
    names = ["year", "country", "commodity", "statistic", "value", "unit", "basis", "grade"]
    want = alone.select(names).sort(names)
    assert rows_of(packed).select(names).sort(names).equals(want)
    assert rows_of(converted).select(names).sort(names).equals(want)


def test_an_archive_leaves_other_tables_out_and_names_the_member_of_a_fault(tmp_path: Path) -> None:
    packed = tmp_path / "release.zip"
    figure = "Source,Country,Commodity_Count,Map_Class\nMCS2024,Austria,2,1 to 3\n"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("mcs2024-galli_world.csv", WORLD_2024)
        archive.writestr("MCS2024_Fig3_Major_Import_Sources.csv", figure)
    accounts = usgs_mcs.read(packed, Asked())
    assert [s.file for s in accounts.skipped if s.reason.startswith("not a table")] == [
        "MCS2024_Fig3_Major_Import_Sources.csv"
    ]
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("mcs2024-tin_world.csv", WORLD_2024.replace("China", "Atlantis"))
    with pytest.raises(SourceFormatError, match=r"release.zip, mcs2024-tin_world.csv: row 3, column Country"):
        usgs_mcs.read(packed, Asked())


# --- faults ----------------------------------------------------------------------


def bad(folder: Path, content: bytes, name: str = "MCS2026_Commodities_Data.csv") -> str:
    """Add a file that must be refused; return the message. Nothing may be stored (law 12)."""
    path = folder / name
    path.write_bytes(content)
    with pytest.raises(SourceFormatError) as caught:
        data.add("usgs", path, folder / "store")
    assert not data.journal(folder / "store").height
    assert caught.value.where.startswith(name) and caught.value.cure
    return caught.value.message


GOOD = text_of(LONG_HEADER, gallium_2026())
WIN = "cp1252"
CHINA = '"900,000"'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (GOOD.encode("utf-16"), "UTF-16"),
        (GOOD.replace("China", "중국").replace("—", "―").encode("cp949"), "cp949"),
        (GOOD.replace("—", "―").encode("cp949"), "cp949"),
        (b"<!DOCTYPE html><html><body>403</body></html>", "web page"),
        (b"PK\x05\x06" + b"\0" * 18, ""),
        (GOOD[:-20].encode(WIN), "row 13: the file ends inside a quoted cell"),
        (GOOD[:-2500].encode(WIN), "the header has 12: the file ends"),
        (GOOD.replace(CHINA, '"900.000"').encode(WIN), "row 9, column Value: '900.000' has European"),
        (GOOD.replace(CHINA, '"1.600.000"').encode(WIN), "European separators"),
        (GOOD.replace(CHINA, "900,000").encode(WIN), "13 cells, the header has 12"),
        (GOOD.replace(f",kilograms,2025,{CHINA}", f",,2025,{CHINA}", 1).encode(WIN), "row 9, column Unit"),
        (GOOD.replace(CHINA, "about nine hundred").encode(WIN), "row 9, column Value: 'about nine"),
        (GOOD.replace(",2025,", ",soon,").encode(WIN), "row 8, column Year: 'soon' is no year"),
        ((GOOD + GOOD.splitlines()[-1] + "\r\n").encode(WIN), "row 14, column Commodity, Country, Year"),
        (GOOD.replace(",Unit,", ",Einheit,").encode(WIN), "column Unit is missing"),
        (GOOD.replace(",Year,", ",Unit,").encode(WIN), "column Unit is there twice"),
        (GOOD.replace(",", ";").encode(WIN), "separated by semicolons"),
        (b"", "empty"),
        (GOOD.splitlines()[0].encode() + b"\r\n", "a header and no rows"),
        (b"Source,Country,Commodity_Count,Map_Class\nMCS2024,Austria,2,1 to 3\n", "no such release"),
    ],
)  # fmt: skip
def test_a_bad_file_is_named_with_row_column_and_cure(tmp_path: Path, content: bytes, says: str) -> None:
    """Law 12: what is wrong, where, what would be right; nothing half-stored."""
    assert says in bad(tmp_path, content)


def test_the_wrong_release_under_the_name_of_another_is_refused(tmp_path: Path) -> None:
    message = bad(tmp_path, GOOD.encode(WIN), "MCS2027_Commodities_Data.csv")
    assert "its name says edition 2027" in message and "2026" in message
    assert "row 3, column Source: the row is of edition 2023" in bad(
        tmp_path, WORLD_2024.replace("MCS2024,China", "MCS2023,China").encode(), "mcs2024-galli_world.csv"
    )


# --- editions --------------------------------------------------------------------


def test_editions_stand_beside_each_other_and_as_of_picks(tmp_path: Path) -> None:
    """Law 11: nothing of an edition is seen before it was published."""
    store = tmp_path / "store"
    data.add("usgs", world_2025(tmp_path), store)
    added = data.add("usgs", write_2026(tmp_path), store)["added"]
    assert added.select("dataset", "as_of").row(0) == ("usgs-mcs2026-commodities-data", "2026-02-06")
    ask = {"statistic": "production", "countries": ["CHN"], "years": [2024], "folder": store}
    assert data.statistics(["gallium"], **ask)["value"].to_list() == [750.0, 839.0]  # type: ignore[arg-type]
    before = data.statistics(["gallium"], **ask, as_of="2026-02-05")  # type: ignore[arg-type]
    assert before["value"].to_list() == [750.0]
    with pytest.raises(NotCoveredError, match="none of the statistics"):
        data.statistics(folder=store, as_of="2025-01-01")


def test_a_later_edition_gets_a_late_day_and_a_finding(tmp_path: Path) -> None:
    later = GOOD.replace(",2025,", ",2026,").replace(",2024,", ",2025,")
    reading = usgs_mcs.reading(write(tmp_path, "MCS2027_Commodities_Data.csv", later), Asked())
    assert reading.as_of == date(2027, 4, 30)
    assert "edition-day-assumed" in {f.code for f in reading.findings}
    assert usgs_mcs.reading(
        tmp_path / "MCS2027_Commodities_Data.csv", Asked(as_of=date(2027, 2, 1))
    ).as_of == date(2027, 2, 1)


def test_reading_statistics_names_what_is_not_there(tmp_path: Path) -> None:
    store = tmp_path / "store"
    with pytest.raises(NotCoveredError, match="no statistics were added"):
        data.statistics(folder=store)
    data.add("usgs", write_2026(tmp_path), store)
    with pytest.raises(UnknownNameError, match="gallium"):
        data.statistics(["galium"], folder=store)
    with pytest.raises(UnknownNameError, match="country"):
        data.statistics(countries=["XYZ"], folder=store)


# --- the publisher's own files ---------------------------------------------------


@needs_shared
def test_the_release_of_2026_is_stored_row_by_row() -> None:
    """8,886 rows in, 8,885 figures stored and one of three countries together; the published checks hold."""
    accounts = usgs_mcs.read(SHARED / "MCS2026_Commodities_Data.csv", Asked())
    table = statistics_table(accounts.found)
    stored = [int(ref.split("row ")[1].split(",")[0]) for ref in table["source_ref"]]
    assert [skipped.reason for skipped in accounts.skipped] == ["several countries together"]
    assert sorted([*stored, accounts.skipped[0].row]) == list(range(2, 8888))
    made = table.filter(pl.col("statistic") == "production", pl.col("year") == 2025)
    for label, country, tonnes in (
        ("Gallium: Primary production", "CHN", 900.0),
        ("Gallium: Primary production", "WLD", 900.0),
        ("Rare Earths: Mine production", "CHN", 270_000.0),
        ("Rare Earths: Mine production", "WLD", 390_000.0),
    ):
        assert only(made, commodity=label, country=country)["value"] == tonnes
    assert set(accounts.unknown) <= {
        "Ground high-purity quartz", "Industrial cultured quartz crystal", "Neon, krypton, and xenon",
        "Nepheline Syenite",
    }  # fmt: skip


def _refs(accounts: usgs_mcs.Accounts) -> list[str]:
    return [row["source_ref"] for row in accounts.found]


@needs_shared
@pytest.mark.parametrize("name", ["MCS2022-2024_world_long.csv", "MCS2022-2024_salient_long.csv"])
def test_every_row_of_the_conversions_is_stored_or_listed_with_a_reason(name: str) -> None:
    """Rows in = rows stored + rows left out, each with its reason."""
    accounts = usgs_mcs.read(SHARED / name, Asked())
    with (SHARED / name).open(encoding="utf-8-sig", newline="") as stream:
        lines = dict(enumerate(csv.DictReader(stream), 2))
    places = [ref.split(", row ")[1].partition(": ")[0].partition(", ") for ref in _refs(accounts)]
    printed = [int(row) for row, _, column in places if lines[int(row)]["field"] == column]
    left = {skipped.row for skipped in accounts.skipped}
    assert set(printed) | left == set(lines)
    assert not (set(printed) & left) and len(set(printed)) == len(printed)
    assert all(skipped.reason for skipped in accounts.skipped)
    assert not any(skipped.reason.startswith("another") for skipped in accounts.skipped)


@needs_shared
def test_every_cell_of_2025_is_stored_or_listed_with_a_reason() -> None:
    accounts = usgs_mcs.read(SHARED / "MCS2025_World_Data.csv", Asked())
    table = statistics_table(accounts.found)
    lines = (SHARED / "MCS2025_World_Data.csv").read_text("utf-8-sig")
    header, *rows = csv.reader(lines.splitlines())
    cells = {(n, header[i]) for n, row in enumerate(rows, 2) for i in range(5, 13) if row[i].strip()}
    places = [ref.split(", row ")[1].partition(": ")[0].partition(", ") for ref in _refs(accounts)]
    stored = {(int(row), column) for row, _, column in places}
    left = {(skipped.row, skipped.column) for skipped in accounts.skipped}
    named = {(n, " ".join(column.split())) for n, column in cells}
    assert named <= stored | left
    assert (
        only(
            table, commodity="Gallium: Primary production", country="CHN", year=2023, statistic="production"
        )["value"]
        == 621.0
    )
    assert only(
        table, commodity="Cobalt: Mine production, cobalt content, estimated", country="USA", year=2023,
        statistic="production",
    )["value"] == 500.0  # fmt: skip
