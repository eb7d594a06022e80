"""Sources side by side: shares of their own worlds, disagreements listed with reasons, nothing averaged."""

from __future__ import annotations

import json
import random
from pathlib import Path

import polars as pl
import pytest

from evernormal import data
from evernormal.app.main import run
from evernormal.app.settings import DATA_DIRECTORY_VARIABLE
from evernormal.data.comparison_rows import contained
from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.result import Result

from .made_up_statistics import bgs_row, gallium_2026, long_row, write_2026, write_bgs

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="publisher files are not in ../shared")
USGS, BGS = "USGS, Mineral Commodity Summaries 2026", "British Geological Survey, World Mineral Statistics"
BGS_2024 = [
    bgs_row("China", "800", year=2024, concat_figure_notes_code="*"),
    bgs_row("Japan", "3", year=2024),
    bgs_row("Russia", "15", year=2024),
    bgs_row("Ukraine", "", year=2024, sdmx_code="O"),
    bgs_row("Kosovo", "0", year=2024),
]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Gallium of the USGS 2026 and of the BGS."""
    data.add("usgs", write_2026(tmp_path), tmp_path / "store")
    data.add("bgs", write_bgs(tmp_path, BGS_2024), tmp_path / "store", as_of="2026-01-15")
    return tmp_path / "store"


def one(table: pl.DataFrame, **wanted: object) -> dict[str, object]:
    found = table.filter(*(pl.col(name) == value for name, value in wanted.items()))
    assert found.height == 1, found
    return found.row(0, named=True)


def pair(result: Result, country: str, a: str, b: str) -> dict[str, object]:
    return one(result["disagreements"], country=country, source_a=a, source_b=b)


def test_shares_are_of_each_sources_own_world(store: Path) -> None:
    """Equation E13: the printed total where there is one, else the sum; never that of another source."""
    result = data.compare_sources("gallium", "refined", 2024, folder=store)
    usgs = one(result["rows"], source=USGS, country="CHN")
    assert usgs["contained_t"] == 839.0
    assert usgs["share"] == pytest.approx(839 / 848) and usgs["share_of_sum"] == pytest.approx(839 / 848)
    bgs = one(result["rows"], source=BGS, country="CHN")
    assert bgs["share"] == pytest.approx(800 / 818)
    world = one(result["worlds"], source=BGS)
    assert (world["printed_t"], world["summed_t"], world["unknown"]) == (None, 818.0, 1)
    world = one(result["worlds"], source=USGS)
    assert (world["printed_t"], world["summed_t"], world["unknown"]) == (848.0, 848.0, 0)
    assert "WLD" not in result["rows"]["country"]


def test_the_printed_world_is_the_measure_and_the_sum_stands_beside_it(store: Path) -> None:
    """China makes 900 of 900 t by the printed total of 2025, 900 of 909 t by the sum of its table."""
    china = one(
        data.compare_sources("gallium", "refined", 2025, folder=store)["rows"], source=USGS, country="CHN"
    )
    assert (china["share"], china["share_of_sum"]) == (1.0, pytest.approx(900 / 909))


def test_rows_are_sorted_by_size_and_name_their_source_rows(store: Path) -> None:
    rows = data.compare_sources("gallium", "refined", 2024, folder=store)["rows"]
    known = rows["share"].drop_nulls().to_list()
    assert known == sorted(known, reverse=True)
    assert rows["country"].to_list()[:3] == ["CHN"] * 3
    assert not rows["source_ref"].is_null().any() and not rows["as_of"].is_null().any()


def test_a_disagreement_is_listed_with_both_figures_and_its_reason(store: Path) -> None:
    """Equation E14: nothing is averaged away."""
    result = data.compare_sources("gallium", "refined", 2024, folder=store)
    row = pair(result, "RUS", BGS, USGS)
    assert (row["tonnes_a"], row["tonnes_b"], row["difference_t"]) == (15.0, 6.0, -9.0)
    assert row["ratio"] == pytest.approx(0.4)
    assert row["difference_share"] == pytest.approx(6 / 848 - 15 / 818)
    assert "estimate" in str(row["reasons"])
    withheld = result["disagreements"].filter(pl.col("country") == "UKR", pl.col("source_a") == BGS)
    assert withheld["tonnes_a"].to_list() == [None] and f"no figure in {BGS}" in withheld["reasons"][0]
    codes = [finding.code for finding in result.findings]
    assert codes.count("sources-disagree") == 5


def test_figures_within_the_tolerance_are_not_listed(store: Path) -> None:
    loose = data.compare_sources("gallium", "refined", 2024, folder=store, tolerance=0.99)
    listed = loose["disagreements"].filter(pl.col("difference_t").is_not_null())
    assert "RUS" not in listed["country"]
    strict = data.compare_sources("gallium", "refined", 2024, folder=store, tolerance=0.0)
    assert strict["disagreements"].height > loose["disagreements"].height


def test_the_spread_is_the_distance_between_highest_and_lowest_share(store: Path) -> None:
    """Equation E15."""
    row = one(data.compare_sources("gallium", "refined", 2024, folder=store)["spread"], country="RUS")
    assert row["spread"] == pytest.approx(15 / 818 - float(row["lowest_share"]))  # type: ignore[arg-type]
    assert row["highest_source"] == BGS


def test_another_year_is_shown_as_such_and_given_as_the_reason(store: Path) -> None:
    """A source without the year shows its nearest one; one that has it never does."""
    result = data.compare_sources("gallium", "refined", 2025, folder=store)
    assert one(result["rows"], source=BGS, country="CHN")["year"] == 2024
    assert "year: 2024 and 2025" in str(pair(result, "CHN", BGS, USGS)["reasons"])
    strict = data.compare_sources("gallium", "refined", 2025, folder=store, within=0)
    assert BGS not in strict["rows"]["source"]
    covered = strict.coverage.filter(pl.col("what").str.contains("British"))
    assert covered["covered"].to_list() == ["unknown"]


def test_as_of_hides_what_was_not_knowable(store: Path) -> None:
    """Law 11: on 2026-02-01 the edition of 2026 was not out; the snapshot is later than 2024."""
    result = data.compare_sources("gallium", "refined", 2024, folder=store, as_of="2026-02-01")
    assert USGS not in result["rows"]["source"] and BGS in result["rows"]["source"]
    with pytest.raises(NotCoveredError, match="no source has gallium"):
        data.compare_sources("gallium", "refined", 2024, folder=store, as_of="2019-01-01")


def test_a_later_edition_is_set_beside_the_earlier(store: Path, tmp_path: Path) -> None:
    earlier = [long_row(country, tonnes, year="2024") for country, tonnes in (("China", "760,000"),)]
    earlier.append(long_row("World total", "770,000", year="2024"))
    data.add("usgs", write_2026(tmp_path, earlier, "MCS2025_Commodities_Data.csv"), store)
    result = data.compare_sources("gallium", "refined", 2024, ["CHN"], folder=store)
    row = pair(result, "CHN", "USGS, Mineral Commodity Summaries 2025", USGS)
    assert (row["tonnes_a"], row["tonnes_b"]) == (760.0, 839.0)
    assert "edition: the later one revises the earlier" in str(row["reasons"])


def test_basis_is_converted_or_the_reason_given() -> None:
    """Law 4: Li2O becomes lithium by stoichiometry; a gross weight without content stays unknown."""
    assert contained(100.0, "contained Li2O", "lithium")[0] == pytest.approx(46.4535, abs=1e-3)
    assert contained(100.0, "contained TiO2", "titanium")[0] == pytest.approx(59.93, abs=1e-2)
    assert contained(100.0, "contained REO", "rare-earths") == (100.0, "")
    assert contained(100.0, "gross", "graphite")[0] is None
    value, reason = contained(100.0, "contained metal", "platinum")
    assert value is None and "no conversion" in reason


def test_gross_weights_are_compared_with_each_other_as_given(tmp_path: Path) -> None:
    row = bgs_row("China", "1000000", commodity="graphite", year=2023, bgs_commodity_code="652")
    other = bgs_row("Brazil", "70000", commodity="graphite", year=2023, bgs_commodity_code="652")
    data.add("bgs", write_bgs(tmp_path, [row, other]), tmp_path / "store")
    result = data.compare_sources("graphite", "ore", 2023, ["CHN"], folder=tmp_path / "store")
    mine = one(result["rows"], source=BGS)
    assert mine["contained_t"] is None and "gross weight" in str(mine["reason"])
    compared = result["disagreements"].filter(pl.col("source_a") == BGS, pl.col("tonnes_a").is_not_null())
    assert set(compared["tonnes_a"]) == {1_000_000.0} and not compared["ratio"].is_null().any()
    assert "basis-not-converted" in {finding.code for finding in result.findings}


def test_parts_of_a_whole_are_added_before_they_are_compared(tmp_path: Path) -> None:
    """Lithium content of spodumene and of carbonate is one country's lithium, not two worlds."""
    kinds = (("Spodumene (Li content)", "80"), ("Lithium minerals (Li content)", "20"))
    rows = [
        bgs_row(country, quantity, commodity="lithium minerals", bgs_sub_commodity_trans=kind,
                bgs_commodity_code=kind, year=2023)
        for country in ("Australia", "Chile")
        for kind, quantity in kinds
    ]  # fmt: skip
    data.add("bgs", write_bgs(tmp_path, rows), tmp_path / "store")
    result = data.compare_sources("lithium", "ore", 2023, ["AUS"], folder=tmp_path / "store")
    whole = one(result["rows"], source=BGS, series="lithium content of all kinds")
    assert (whole["tonnes"], whole["share"]) == (100.0, 0.5)
    parts = result["rows"].filter(pl.col("reason").str.starts_with("one part of"))
    assert parts.height == 2 and parts["share"].is_null().all()
    assert not set(parts["series"]) & set(result["disagreements"]["series_a"])


def test_a_fact_of_a_publication_that_is_there_itself_is_left_out(store: Path) -> None:
    """The typed figures of the USGS give way to its own file: no source is counted twice."""
    alone = data.compare_sources("gallium", "refined", 2025)
    assert any("data release" in source for source in alone["rows"]["source"])
    result = data.compare_sources("gallium", "refined", 2025, folder=store)
    assert f"{USGS} (data release)" not in result["rows"]["source"]
    assert "source-left-out" in {finding.code for finding in result.findings}


def test_the_order_of_rows_and_files_does_not_matter(store: Path, tmp_path: Path) -> None:
    """Law 7."""
    rows = gallium_2026()
    random.Random(7).shuffle(rows)
    other = tmp_path / "other"
    (tmp_path / "again").mkdir()
    data.add("bgs", write_bgs(tmp_path / "again", BGS_2024[::-1]), other, as_of="2026-01-15")
    data.add("usgs", write_2026(tmp_path / "again", rows), other)
    hidden = ["source_ref"]
    for name in ("rows", "worlds", "disagreements", "spread"):
        tables = [data.compare_sources("gallium", "refined", 2024, folder=f)[name] for f in (store, other)]
        assert tables[0].drop(hidden, strict=False).equals(tables[1].drop(hidden, strict=False)), name


def test_lineage_names_every_file_and_equation(store: Path, tmp_path: Path) -> None:
    result = data.compare_sources("gallium", "refined", 2024, folder=store)
    names = {pinned.name.partition("/")[0] for pinned in result.lineage.inputs}
    assert {"usgs-mcs2026-commodities-data", "bgs-gallium"} <= names
    assert {"E13", "E14", "E15", "E30"} <= {derived.equation for derived in result.lineage.derivations}
    result.save(tmp_path / "saved")
    assert Result.load(tmp_path / "saved")["rows"].equals(result["rows"])


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (("galium", "refined", 2023), UnknownNameError, "gallium"),
        (("gallium", "refind", 2023), UnknownNameError, "refined"),
        (("gallium", "refined", 1950), NotCoveredError, "Add a publisher's file"),
        (("gallium", "refined", []), InputError, "no year"),
        (("gallium", "refined", 2023, ["XYZ"]), UnknownNameError, "country"),
    ],
)
def test_wrong_questions_are_named(call: tuple[object, ...], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        data.compare_sources(*call)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="negative"):
        data.compare_sources("gallium", "refined", 2023, within=-1)


def test_the_command_prints_the_same_tables(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(DATA_DIRECTORY_VARIABLE, str(store))
    asked = ["data", "compare", "gallium", "--stage", "refined", "--year", "2024"]
    assert run([*asked, "--json"]) == 0
    shown = capsys.readouterr()
    printed = json.loads(shown.out)
    result = data.compare_sources("gallium", "refined", 2024, folder=store)
    assert {name: len(rows) for name, rows in printed.items()} == {
        name: table.height for name, table in result.tables.items()
    }
    assert "Likely reason" in shown.err
    assert run([*asked, "--country", "Russia"]) == 0
    out = capsys.readouterr().out
    assert "Where they disagree" in out and "CHN" not in out.partition("Their worlds")[0]


@needs_shared
def test_published_shares_stand_side_by_side(tmp_path: Path) -> None:
    """USGS 2026 gallium 900 of 900 t, EU 2023 Ga 93.8 and Ge 83.1, Mg 90.6 % China: listed, not averaged."""
    store = tmp_path / "store"
    data.add("usgs", SHARED / "usgs" / "MCS2026_Commodities_Data.csv", store)
    data.add("eu-crm", SHARED / "eu_crm" / "fact_GlobalSupplyShares&t.csv", store)
    result = data.compare_sources("gallium", "refined", 2025, ["CHN"], folder=store)
    rows = result["rows"]
    assert one(rows, source=USGS)["share"] == 1.0
    assert one(rows, source=USGS)["share_of_sum"] == pytest.approx(900 / 909)
    for material, share in (("gallium", 0.938), ("germanium", 0.831), ("magnesium", 0.906)):
        table = data.compare_sources(material, "refined", 2023, ["CHN"], folder=store)["rows"]
        study = table.filter(pl.col("dataset").str.starts_with("eu-crm"))
        assert study["share"].to_list() == [pytest.approx(share)]
    assert result["disagreements"].filter(pl.col("source_b") == USGS).height >= 1
