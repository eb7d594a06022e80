"""Input-output tables: four publishers' layouts, their accounts checked, their faults named."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evernormal import data, market
from evernormal.errors import InputError, NotCoveredError, SourceFormatError
from evernormal.result import Result

from .made_up_input_output import World, bank_of_korea, icio, long_rows, text, wiod_national, wiod_world

SHARED = Path(__file__).parents[3] / "shared" / "data" / "io"


def add(path: Path, tmp_path: Path, **more: object) -> Result:
    return data.add("input-output", path, tmp_path / "store", as_of="2023-12-01", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("layout", [icio, wiod_world])
def test_a_country_of_a_world_table(layout: object, tmp_path: Path) -> None:
    """What a country delivers, buys from each other and exports is cut out of the world whole."""
    world = World()
    path = layout(world, tmp_path / "table_2014.csv")  # type: ignore[operator]
    add(path, tmp_path, codes=["KOR"])
    table = market.open_input_output("KOR", folder=tmp_path / "store")
    home, order = world.of("KOR"), [world.sectors.index(s) for s in table.sectors]
    assert table.year == 2014 and table.currency == "USD"
    np.testing.assert_allclose(table.domestic, world.z[home, home][np.ix_(order, order)] * 1e6)
    china = world.z[world.of("CHN"), home][np.ix_(order, order)]
    np.testing.assert_allclose(table.imported["CHN"], china * 1e6)
    np.testing.assert_allclose(table.output, world.output[home][order] * 1e6)
    np.testing.assert_allclose(table.domestic.sum(axis=1) + table.final, table.output)
    own = world.final[home, 2:4].sum(axis=1)
    np.testing.assert_allclose((table.final - table.exports) / 1e6, own[order])


def test_a_world_table_asks_which_country(tmp_path: Path) -> None:
    world = icio(World(), tmp_path / "2018_SML.csv")
    with pytest.raises(InputError, match="no country 'DEU'"):
        add(world, tmp_path, codes=["DEU"])
    unnamed = icio(World(), tmp_path / "table.csv")
    with pytest.raises(InputError, match="the year of the table"):
        add(unnamed, tmp_path, codes=["KOR"])
    assert not (tmp_path / "store").exists()


def test_a_national_table_of_wiod_has_its_years(tmp_path: Path) -> None:
    world = World()
    path = wiod_national(world, "KOR", tmp_path / "KOR_NIOT_nov16.xlsx")
    add(path, tmp_path)
    store = tmp_path / "store"
    late, early = (market.open_input_output("KOR", year, folder=store) for year in (2014, 2013))
    np.testing.assert_allclose(early.output * 2, late.output)
    np.testing.assert_allclose(np.sort(late.output), np.sort(world.output[world.of("KOR")]) * 1e6)
    assert late.names["C27"] == "name of C27" and late.exports.sum() > 0


@pytest.mark.parametrize("second", ["수입거래표", "총거래표"])
def test_the_workbook_of_the_bank_of_korea(second: str, tmp_path: Path) -> None:
    """Imports are read from their own sheet, or are the total less what is home-made."""
    path = bank_of_korea(tmp_path / "산업연관표_통합대분류.xlsx", second=second)
    told = add(path, tmp_path)
    table = market.open_input_output("KOR", folder=tmp_path / "store")
    assert (table.year, table.currency, table.sectors) == (2020, "KRW", ("C05", "C10", "F"))
    assert table.imported["imported"][0, 1] == 30e12 and table.domestic[1, 2] == 30e12
    assert table.names["C10"] == "전기장비" and table.exports.tolist() == [300e12, 100e12, 10e12]
    assert {f.code for f in told.findings} <= {"blank-cells-zero"}


def test_the_parts_of_the_shared_table_make_the_table(tmp_path: Path) -> None:
    """Korea 2011 in 35 sectors: the shape, and a gross domestic product of the right size."""
    if not SHARED.is_dir():
        pytest.skip("the folder of publishers' files is not here")
    packed = tmp_path / "korea.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(SHARED.glob("KOR_wiod2011_*.csv")):
            archive.write(file, file.name)
    told = add(packed, tmp_path)
    table = market.open_input_output("KOR", folder=tmp_path / "store")
    assert table.domestic.shape == (35, 35) and set(table.imported) == {"CHN", "imported"}
    assert 1.0e12 < table.value_added.sum() < 1.2e12
    assert {f.code for f in told.findings} == {"input-output-open"}
    found = market.propagate_loss({"c14": 1e9}, table)
    assert found.scalar("direct") == pytest.approx(1e9)
    assert 1.5e9 < found.scalar("total") < found.scalar("highest")
    assert found["end_uses"]["sector"].to_list() == ["c14"]


def test_cells_of_your_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text(long_rows()), "utf-8")
    added = add(path, tmp_path)["added"]
    assert added["kind"].item() == "input_output" and added["dataset"].item() == "io-own-kor"
    table = market.open_input_output("KOR", 2020, folder=tmp_path / "store")
    assert table.imported["CHN"].tolist() == [[0, 5e9], [0, 0]]
    cells = data.input_output("KOR", folder=tmp_path / "store")["cells"]
    assert cells.filter(pl.col("block") == "output").height == 2


FAULTS: dict[str, tuple[int | slice, int, object, str]] = {
    "sum of inputs": (8, 6, 67000, r"row 11, column value of output of a: inputs and value added of a sum"),
    "negative delivery": (2, 6, -50000, r"row 3, column value from a to b: a delivery cannot be negative"),
    "no number": (2, 6, "1,000", r"row 3, column value: '1,000' is no number"),
    "unit": (slice(1, 12), 7, "KRW", r"the unit is wrong"),
    "sector": (3, 4, "c", r"row 4, column row: sector 'c' has no output"),
    "block": (3, 2, "middle", r"row 4, column block: must be one of"),
    "country": (3, 1, "KOS", r"row 4, column region: 'KOS' is no ISO"),
    "twice": (2, 5, "a", r"row 3, column row: repeats row 2"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_names_its_cell(fault: str, tmp_path: Path) -> None:
    """Law 12: row and column of the fault; nothing is stored."""
    where, column, value, said = FAULTS[fault]
    rows = long_rows()
    for row in rows[where] if isinstance(where, slice) else [rows[where]]:
        row[column] = value
    path = tmp_path / "mine.csv"
    path.write_text(text(rows), "utf-8")
    with pytest.raises(SourceFormatError, match=said):
        add(path, tmp_path)
    assert not (tmp_path / "store").exists()


def test_faults_of_a_world_table_name_column_and_row(tmp_path: Path) -> None:
    world = World()
    world.z[3, 4] = -5e5
    path = icio(world, tmp_path / "2018.csv")
    with pytest.raises(SourceFormatError, match=r"row 5, column KOR_C27: a delivery cannot be negative"):
        add(path, tmp_path, codes=["KOR"])
    words = path.read_text("utf-8").replace(",-500000.0,", ",n.a.,")
    path.write_text(words, "utf-8")
    with pytest.raises(SourceFormatError, match=r"row 5, column KOR_C27: 'n\.a\.' is no number"):
        add(path, tmp_path, codes=["KOR"])


def test_a_sector_that_delivers_and_does_not_use_is_named(tmp_path: Path) -> None:
    path = icio(World(), tmp_path / "2018.csv")
    path.write_text(path.read_text("utf-8").replace(",KOR_F,", ",KOR_G,", 1), "utf-8")
    with pytest.raises(SourceFormatError, match="sector F of KOR has a row and no column"):
        add(path, tmp_path, codes=["KOR"])


def test_parts_of_a_split_country_are_one(tmp_path: Path) -> None:
    """China and Mexico stand in two parts in some editions."""
    world = World(countries=("CN1", "CN2", "KOR"))
    add(icio(world, tmp_path / "2018.csv"), tmp_path, codes=["CHN", "KOR"])
    store = tmp_path / "store"
    korea, china = (market.open_input_output(c, folder=store) for c in ("KOR", "CHN"))
    assert set(korea.imported) == {"CHN"} and set(china.imported) == {"KOR"}
    assert china.output.sum() == pytest.approx(world.output[:6].sum() * 1e6)
    np.testing.assert_allclose(china.domestic.sum(axis=1) + china.final, china.output)


def test_faults_of_a_workbook_name_sheet_and_cell(tmp_path: Path) -> None:
    from openpyxl import load_workbook

    path = bank_of_korea(tmp_path / "표.xlsx")
    book = load_workbook(path)
    book["국산거래표"]["D5"] = "미상"
    book.save(path)
    with pytest.raises(
        SourceFormatError, match=r"row 5, column D of sheet '국산거래표': '미상' is no number"
    ):
        add(path, tmp_path)
    book["국산거래표"]["D5"] = 60e6
    book["국산거래표"]["A6"] = "C99"
    book.save(path)
    with pytest.raises(SourceFormatError, match=r"sector C10, C99 has a column and no row"):
        add(path, tmp_path)
    wrong = bank_of_korea(tmp_path / "단위.xlsx", unit="(단위: 천원)")
    with pytest.raises(SourceFormatError, match="the unit is wrong"):
        add(wrong, tmp_path)
    lost = bank_of_korea(tmp_path / "없음.xlsx", unit="")
    with pytest.raises(SourceFormatError, match="no unit"):
        add(lost, tmp_path)


def test_negative_value_added_is_told_and_stays(tmp_path: Path) -> None:
    """Publishers do print it: it is kept, told with its cell, and no loss can be placed there."""
    rows = long_rows()
    rows[5][6] = 5000 + 140000
    rows[9][6] = -5000
    path = tmp_path / "mine.csv"
    path.write_text(text(rows), "utf-8")
    told = [f for f in add(path, tmp_path).findings if f.code == "negative-value-added"]
    assert len(told) == 1 and "b (row 10" in told[0].message
    table = market.open_input_output("KOR", folder=tmp_path / "store")
    with pytest.raises(InputError, match="sector b has no value added"):
        market.propagate_loss({"b": 1e6}, table)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("date,price\n2024-01-01,5\n", "utf-8")
    with pytest.raises(SourceFormatError, match="no input-output table that is known"):
        add(path, tmp_path)
    with pytest.raises(InputError, match="when it was published"):
        data.add("input-output", icio(World(), tmp_path / "2018.csv"), tmp_path / "store", codes=["KOR"])
    with pytest.raises(NotCoveredError, match="no input-output table was added"):
        market.open_input_output("KOR", folder=tmp_path / "store")


def test_nothing_later_than_the_day_is_read(tmp_path: Path) -> None:
    """Law 11: a table added as of a later day does not answer for an earlier one."""
    path = tmp_path / "mine.csv"
    path.write_text(text(long_rows()), "utf-8")
    add(path, tmp_path)
    with pytest.raises(NotCoveredError):
        market.open_input_output("KOR", folder=tmp_path / "store", as_of="2023-11-30")
    assert market.open_input_output("KOR", folder=tmp_path / "store", as_of="2023-12-01").year == 2020
