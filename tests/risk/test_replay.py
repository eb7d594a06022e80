"""Indicators on the user's own data as known on an earlier day; and what the package gets wrong."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.made_up_statistics import bgs_row, write_bgs

from evernormal import data, risk
from evernormal.errors import InputError, NotCoveredError
from evernormal.report import replay
from evernormal.result import Result
from evernormal.risk.cells import YEARS, materials, reporters

Row = tuple[int, int, str, float, float | None]
FIRST: tuple[Row, ...] = (
    (156, 410, "282520", 1000.5, 100.25),
    (152, 410, "282520", 500.0, 50.0),
    (490, 410, "283691", 10.0, 2.0),
    (32, 410, "283691", 30.0, None),
    (156, 410, "260400", 70.0, 9.0),
    (360, 410, "260400", 90.0, 7.0),
    (410, 392, "260400", 5.0, 1.0),
    (152, 410, "260300", 80.0, 8.0),
    (276, 410, "282520", 4.0, 1.0),
    (410, 276, "282520", 6.0, 2.0),
)
EARLY, LATE, BETWEEN = "2026-08-01", "2026-10-01", "2026-09-01"
MINED = (("Australia", "88000"), ("Chile", "44000"), ("China", "33000"))


def add_trade(folder: Path, rows: Sequence[Row], as_of: str, year: int = 2023) -> None:
    path = folder / f"BACI_HS92_Y{year}_V{as_of[:4]}{as_of[5:7]}.csv"
    lines = [f"{year},{i},{j},{k},{v},{'NA' if q is None else q}" for i, j, k, v, q in rows]
    path.write_text("\n".join(["t,i,j,k,v,q", *lines]) + "\n", "utf-8")
    data.add("baci", path, folder / "store", name="own-trade", as_of=as_of)


def add_mining(folder: Path, rows: Sequence[tuple[str, str]], as_of: str) -> None:
    place = folder / as_of
    place.mkdir()
    listed = [bgs_row(country, figure, commodity="copper, mine") for country, figure in rows]
    path = write_bgs(place, listed, "BGS_copper_production.csv")
    data.add("bgs", path, folder / "store", name="own-mining", as_of=as_of)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two vintages of trade, of which the later doubles a flow, and two of mining."""
    folder = tmp_path_factory.mktemp("own")
    add_trade(folder, FIRST, EARLY)
    later = {0: (156, 410, "282520", 2001.0, 200.5), 5: (360, 410, "260400", 95.0, 7.5)}
    add_trade(folder, [later.get(number, row) for number, row in enumerate(FIRST)], LATE)
    add_mining(folder, MINED, EARLY)
    add_mining(folder, [("Australia", "90000"), *MINED[1:]], LATE)
    return folder / "store"


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first vintages alone."""
    folder = tmp_path_factory.mktemp("older")
    add_trade(folder, FIRST, EARLY)
    add_mining(folder, MINED, EARLY)
    return folder / "store"


Made = Callable[[Path, str | None], Result]
OWN: dict[str, Made] = {
    "geopolrisk": lambda f, d: risk.geopolrisk(
        ["KOR", "DEU", "EU"], [2023], ["Lithium", "Nickel", "Copper"], dataset="own-trade",
        statistics="own-mining", folder=f, as_of=d,
    ),
    "compatible": lambda f, d: risk.geopolrisk(
        ["KOR"], [2023], ["Lithium"], True, dataset="own-trade", folder=f, as_of=d
    ),
    "differences": lambda f, d: risk.geopolrisk_differences(
        ["KOR"], [2023], ["Lithium"], dataset="own-trade", folder=f, as_of=d
    ),
    "concentration": lambda f, d: risk.concentration(["KOR"], dataset="own-trade", folder=f, as_of=d),
    "supply_risk": lambda f, d: risk.supply_risk(
        ["KOR"], [2023], ["nickel/ore"], dataset="own-trade", folder=f, as_of=d
    ),
    "net_import_reliance": lambda f, d: risk.net_import_reliance(
        "lithium/hydroxide", ["KOR", "EU"], dataset="own-trade", folder=f, as_of=d
    ),
    "n_minus_one": lambda f, d: risk.n_minus_one(
        "nickel/ore", ["KOR"], dataset="own-trade", folder=f, as_of=d
    ),
    "supplier_shares": lambda f, d: risk.supplier_shares(
        "lithium/hydroxide", "KOR", dataset="own-trade", folder=f, as_of=d
    ),
    "shares": lambda f, d: data.supplier_shares("KOR", ["282520"], dataset="own-trade", folder=f, as_of=d),
    "trace_origin": lambda f, d: risk.trace_origin(
        "lithium/hydroxide", "KOR", [2023], dataset="own-trade", folder=f, as_of=d
    ),
    "exposure": lambda f, d: risk.exposure("KOR", 2023, dataset="own-trade", folder=f, as_of=d),
    "compare_sources": lambda f, d: data.compare_sources("copper", "ore", 2023, folder=f, as_of=d),
}  # fmt: skip


def same(one: Result, other: Result) -> bool:
    return one.tables.keys() == other.tables.keys() and all(
        one[name].equals(other[name], null_equal=True) for name in one.tables
    )


@pytest.mark.parametrize("name", OWN)
def test_an_earlier_day_gives_the_older_vintage_exactly(name: str, store: Path, older: Path) -> None:
    """Law 11: what was knowable then, to the last bit, and pinned by the older vintage's hash."""
    then, alone, now = OWN[name](store, BETWEEN), OWN[name](older, None), OWN[name](store, None)
    assert same(then, alone)
    assert not same(then, now)
    assert [i.sha256 for i in then.lineage.inputs] == [i.sha256 for i in alone.lineage.inputs]
    assert then.lineage.call == {**now.lineage.call, "as_of": BETWEEN}


@pytest.mark.parametrize("name", OWN)
def test_a_saved_result_is_replayed_from_its_lineage(
    name: str, store: Path, older: Path, tmp_path: Path
) -> None:
    """Law 11: the call in a saved result holds everything but the folder."""
    OWN[name](store, None).save(tmp_path)
    loaded = Result.load(tmp_path)
    found = replay(loaded, as_of=BETWEEN, folder=store)
    assert same(found.result, OWN[name](older, None))
    assert found.changes.height > 0
    assert any(not one.same for one in found.inputs)


@pytest.mark.parametrize("name", sorted(OWN.keys() - {"compare_sources"}))
def test_before_anything_was_knowable_there_is_no_answer(name: str, store: Path) -> None:
    """Law 11: not covered, with the day told; never the later data."""
    with pytest.raises(NotCoveredError, match="2026"):
        OWN[name](store, "2026-07-20")
    with pytest.raises(NotCoveredError, match="as of 2026-07-20"):
        replay(OWN[name](store, None), as_of="2026-07-20", folder=store)


def test_shipped_tables_count_from_their_own_day(store: Path) -> None:
    """Law 11: production that was not published yet is unknown, not what is published today."""
    day = "2026-07-01"
    with pytest.raises(NotCoveredError, match="was not knowable"):
        risk.geopolrisk(["KOR"], [2023], ["Lithium"], as_of=day)
    with tempfile.TemporaryDirectory() as folder:
        add_trade(Path(folder), FIRST, "2026-06-01")
        where = {"dataset": "own-trade", "folder": Path(folder) / "store"}
        found = risk.net_import_reliance("nickel/ore", ["KOR"], as_of=day, **where)
        assert found["reliance"]["production_t"].to_list() == [None]
        assert {f.code for f in found.findings} == {"domestic-production-unknown"}
        assert risk.net_import_reliance("nickel/ore", ["KOR"], **where)["reliance"]["reliance"].item() == 1.0
        for function in (risk.supply_risk, risk.geopolrisk):
            with pytest.raises(NotCoveredError, match="no governance indicator was knowable on 2026-07-01"):
                function(["KOR"], [2023], as_of=day, **where)


LATER = st.lists(
    st.tuples(
        st.sampled_from([156, 152, 490, 32, 276, 36, 842, 757]), st.sampled_from([410, 392, 276]),
        st.sampled_from(["282520", "283691", "260400", "260300"]),
        st.floats(0.001, 1e6).map(lambda x: round(x, 3)),
        st.none() | st.floats(0.001, 1e6).map(lambda x: round(x, 3)),
    ),
    min_size=1, max_size=8, unique_by=lambda row: row[:3],
)  # fmt: skip


@settings(max_examples=6, deadline=None)
@given(LATER, st.lists(st.tuples(st.sampled_from(["Australia", "Peru", "Zambia"]), st.integers(1, 10**6)),
                       min_size=1, max_size=3, unique_by=lambda row: row[0]))  # fmt: skip
def test_a_later_vintage_never_changes_a_replay(later: list[Row], mined: list[tuple[str, int]]) -> None:
    """Law 11, for any later vintage whatever it says."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        add_trade(folder, FIRST, EARLY)
        add_mining(folder, MINED, EARLY)
        fast = ("geopolrisk", "concentration", "supply_risk", "n_minus_one", "shares", "compare_sources")
        before = {which: OWN[which](folder / "store", BETWEEN) for which in fast}
        add_trade(folder, later, LATE)
        add_mining(folder, [(country, str(figure)) for country, figure in mined], LATE)
        for which, made in before.items():
            again = OWN[which](folder / "store", BETWEEN)
            assert same(again, made), which
            assert again.lineage == made.lineage, which
            assert same(replay(made, as_of=BETWEEN, folder=folder / "store").result, made), which


def test_the_rows_that_differ_are_told(store: Path) -> None:
    """The doubled flow, and nothing else, explains the score of then and now."""
    made = OWN["geopolrisk"](store, None)
    address = "geopolrisk.import_risk[country=KOR,material=Lithium]"
    found = replay(made, as_of=BETWEEN, folder=store, number=address)
    assert found.now != found.then
    assert {row.input for row in found.rows} == {"own-trade"}
    assert {(row.column, row.now, row.then) for row in found.rows} == {
        ("value_usd", 2_001_000.0, 1_000_500.0), ("quantity_t", 200.5, 100.25),
    }  # fmt: skip
    assert {(row.row["exporter"], row.row["code"]) for row in found.rows} == {("CHN", "282520")}
    copper = replay(made, as_of=BETWEEN, folder=store, number="geopolrisk.score[country=KOR,material=Copper]")
    assert [(r.input, r.row["country"], r.then) for r in copper.rows] == [("own-mining", "AUS", 88_000.0)]


def test_production_of_the_users_statistics_is_used_where_it_fits(store: Path) -> None:
    """Copper from the user's table, nickel from the shipped one, and a finding that says so."""
    made = OWN["geopolrisk"](store, None)
    hhi = dict(made["geopolrisk"].filter(country="KOR").select("material", "hhi").iter_rows())
    amounts = np.array([90_000.0, 44_000.0, 33_000.0])
    assert hhi["Copper"] == pytest.approx(float(((amounts / amounts.sum()) ** 2).sum()), rel=1e-12)
    shipped = risk.geopolrisk(["KOR"], [2023], ["Nickel"])["geopolrisk"]["hhi"].item()
    assert hhi["Nickel"] == shipped
    said = {f.code: f for f in made.findings}["production-as-shipped"]
    assert said.values["materials"] == ["Lithium", "Nickel"]
    with pytest.raises(InputError, match="compatible"):
        risk.geopolrisk(["KOR"], [2023], ["Copper"], True, statistics="own-mining", folder=store)


def test_trade_of_another_revision_is_refused(tmp_path: Path) -> None:
    """Law 4: the same digits mean other goods in another revision."""
    path = tmp_path / "BACI_HS17_Y2023_V202608.csv"
    path.write_text("t,i,j,k,v,q\n2023,156,410,282520,1,1\n", "utf-8")
    data.add("baci", path, tmp_path / "store", name="hs17", as_of=EARLY)
    with pytest.raises(InputError, match="HS2017"):
        risk.geopolrisk(["KOR"], [2023], ["Lithium"], dataset="hs17", folder=tmp_path / "store")


def test_the_order_of_rows_in_the_users_file_changes_nothing(tmp_path: Path) -> None:
    """Laws 6 and 7."""
    made = []
    for number, rows in enumerate((FIRST, FIRST[::-1])):
        folder = tmp_path / str(number)
        folder.mkdir()
        add_trade(folder, rows, EARLY)
        made.append(risk.geopolrisk(None, [2023], ["Lithium", "Nickel"], dataset="own-trade",
                                    folder=folder / "store"))  # fmt: skip
    assert same(*made)


# ---- what the package gets wrong ------------------------------------------------------------------

VALUES = ("hhi", "import_risk", "score", "characterization_factor")


def apart(ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.Series:
    """Cells in which two tables differ by more than rounding, worked out here."""
    both = ours.join(theirs, on=["country", "material", "year"], suffix="_p", maintain_order="left")
    differs = pl.lit(value=False)
    for name in VALUES:
        one, other = pl.col(name), pl.col(f"{name}_p")
        gap = (one - other).abs() > 1e-12 * pl.max_horizontal(one.abs(), other.abs())
        differs = differs | gap.fill_null(value=False) | (one.is_null() != other.is_null())
    return both.select(apart=differs)["apart"]


def test_every_cell_that_differs_from_the_package_is_explained_and_no_other() -> None:
    """All countries, materials and years: the set of differing cells is the set of explained cells."""
    ours, theirs = risk.geopolrisk(), risk.geopolrisk(compatible=True)
    found = risk.geopolrisk_differences()
    keys = ["country", "material", "year"]
    differing = ours["geopolrisk"].filter(apart(ours["geopolrisk"], theirs["geopolrisk"])).select(keys)
    assert found["differences"].select(keys).equals(differing)
    assert (found["differences"]["reasons"] != "").all()
    told = {f.code: f.values["cells"] for f in ours.findings}
    counted = dict(found["reasons"].select("reason", "cells").iter_rows())
    assert {code: count for code, count in counted.items() if count} == {
        code: told[code] for code in counted if code in told
    }


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (("KOR", "Germanium", 2023), "imports-unrecorded"),
        (("KOR", "Lithium", 2023), "governance-of-taiwan"),
        (("CAN", "Bauxite", 2022), "governance-of-guyana"),
        (("TUN", "Aluminium", 2018), "governance-not-read"),
        (("JPN", "Gold", 2023), "gold-of-french-guiana"),
        (("GUY", "Gold", 2022), "production-label-guyana"),
        (("EU", "Lithium", 2023), "european-union-production"),
        (("EU", "Lithium", 2023), "european-union-as-one"),
        (("KOR", "Nickel", 2023), "quantity-left-out"),
    ],
)
def test_what_the_package_gets_wrong_is_named_where_it_is(cell: tuple[str, str, int], reason: str) -> None:
    """One finding each, exactly where the default differs."""
    country, material, year = cell
    found = risk.geopolrisk_differences([country], [year], [material])["differences"]
    assert reason in found["reasons"].item().split(",")
    codes = {f.code for f in risk.geopolrisk([country], [year], [material]).findings}
    assert reason in codes


def test_kosovo_is_not_other_europe(tmp_path: Path) -> None:
    """The package takes Kosovo's governance and production for "other Europe"; no shipped flow shows it."""
    rows: list[Row] = [(697, 410, "260700", 50.0, 5.0), (156, 410, "260700", 50.0, 5.0),
                       (156, 697, "260700", 50.0, 5.0)]  # fmt: skip
    add_trade(tmp_path, rows, EARLY)
    found = risk.geopolrisk_differences(
        ["KOR", "R20"], [2023], ["Lead"], dataset="own-trade", folder=tmp_path / "store"
    )["differences"]
    reasons = dict(found.select("country", "reasons").iter_rows())
    assert "governance-of-other-europe" in reasons["KOR"]
    assert "production-label-kosovo" in reasons["R20"]


def test_a_producer_without_a_figure_widens_the_bounds() -> None:
    """Law 2: listed without a figure is not nothing."""
    rows = data.production(years=YEARS).filter(pl.col("value").is_null())
    known = {one.production: name for name, one in materials().items()}
    listed = rows.filter(pl.col("material").is_in(list(known)), pl.col("country").is_in(reporters()))
    country, label, year = listed.select("country", "material", "year").row(0)
    made = risk.geopolrisk([country], [year], [known[label]])
    if made["geopolrisk"]["score"].item() is not None:
        assert "production-without-figure" in {f.code for f in made.findings}
    assert made["bounds"]["score_low"].item() == 0.0
