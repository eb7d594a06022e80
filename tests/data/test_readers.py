"""The readers of the shipped snapshot, against published figures and the laws."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evernormal import data
from evernormal.data.publishers.governance import normalized
from evernormal.data.schema import OBSERVATIONS, public_columns
from evernormal.equations import EQUATIONS
from evernormal.errors import InputError, NotCoveredError, UnknownNameError

SHARED = Path(__file__).parents[2].parent / "shared"

# Korea International Trade Association: China's share of Korea's imports of lithium hydroxide by value, %.
KITA = {2018: 64.9, 2019: 74.4, 2020: 81.2, 2021: 83.8, 2022: 87.9, 2023: 79.6}
OURS = {2018: 65.7, 2019: 74.3, 2020: 82.9, 2021: 83.8, 2022: 87.7, 2023: 79.9}

READERS = {
    "trade": lambda: data.trade(["282520"], importers=["KOR"]),
    "production": data.production,
    "production_totals": data.production_totals,
    "governance": data.governance,
    "facts": data.facts,
    "countries": data.countries,
}


def china(by: str) -> dict[int, float]:
    result = data.supplier_shares("KOR", ["282520"], by=by, years=list(KITA))
    return {r["year"]: 100 * r["share"] for r in result["shares"].to_dicts() if r["supplier"] == "CHN"}


def test_lithium_hydroxide_from_china_agrees_with_kita() -> None:
    """An independent publication: KITA 2018-2023, within 2 percentage points."""
    ours = china("value")
    assert {year: round(share, 1) for year, share in ours.items()} == OURS
    assert all(abs(ours[year] - published) < 2 for year, published in KITA.items())


def test_snapshot_holds_every_row_of_its_sources() -> None:
    """Row counts of the packed databases; the shipped files stay under 10 MB."""
    rows = {r["table"]: r for r in data.status()["tables"].to_dicts()}
    assert rows["trade"]["rows"] == 1_264_888
    assert (rows["trade"]["first_year"], rows["trade"]["last_year"], rows["trade"]["codes"]) == (
        1995,
        2024,
        74,
    )
    assert rows["production"]["rows"] == 7 * 1954
    assert rows["governance"]["rows"] == 217 * 26 * 7
    assert sum(r["bytes"] or 0 for r in rows.values()) < 10_000_000


def test_known_rows() -> None:
    """Rows as their publishers print them."""
    flow = data.trade(["260300"], exporters=["AFG"], importers=["BEL"], years=[1995]).row(0, named=True)
    assert (flow["value_usd"], flow["quantity_t"], flow["source_ref"]) == (
        88_981,
        194.46,
        "t=1995 i=4 j=58 k=260300",
    )
    gallium = data.production(["Gallium"], years=[2022])
    assert dict(gallium.select("country", "value").rows()) == {
        "CHN": 606,
        "JPN": 3,
        "KOR": 2,
        "RUS": 5,
        "UKR": 0,
    }
    china = data.governance(["CHN"], years=[2022], indicators=["estimate", "percentile_rank"])
    assert dict(china.select("indicator", pl.col("value").round(3)).rows()) == {
        "estimate": -0.441,
        "percentile_rank": 28.302,
    }


def test_totals_are_not_countries() -> None:
    """The publisher's row Total goes to its own table; gallium of 2022 is 616 t either way."""
    assert not {"WLD", "Total", "DELETE"} & set(data.production()["country"])
    assert data.production(["Gallium"], years=[2022])["value"].sum() == 616
    assert data.production_totals(["Gallium"], years=[2022])["value"].item() == 616


def test_unknown_is_not_zero() -> None:
    """Law 2: what the publisher leaves empty stays null in every table."""
    trade = data.trade(["282520"])
    assert trade["quantity_t"].null_count() > 0
    assert trade.filter(pl.col("quantity_t") == 0).is_empty()
    laos = data.production(["Rare Earths (REO)"], countries=["LAO"]).sort("year")
    assert laos["value"].to_list() == [None, None, None, 0.0, 150.0, 5360.0, 4130.0]
    taken = data.production(["Gold"], countries=["GUY"], years=[2022, 2023]).sort("year")
    assert taken["value"].to_list() == [15129.0, None]


def test_normalized_governance_is_unknown_where_the_estimate_is() -> None:
    """Law 2 and equation E10: the packed table writes 0, the best value, where there is no estimate."""
    assert EQUATIONS["E10"].where.endswith("governance.normalized")
    table = data.governance(indicators=["estimate", "normalized"]).pivot(
        "indicator", index=["country", "year"], values="value"
    )
    assert table.filter(pl.col("estimate").is_null())["normalized"].null_count() == 227
    known = table.drop_nulls()
    ours = [normalized(e) for e in known["estimate"]]
    assert known["normalized"].to_list() == pytest.approx(ours, abs=1e-6)


def test_scores_of_the_later_edition_are_not_percentile_ranks() -> None:
    """From 2023 on the packed Rank is a linear function of the estimate, so it is stored as a score."""
    late = data.governance(years=[2023, 2024])
    assert not {"percentile_rank"} & set(late["indicator"])
    table = late.filter(pl.col("indicator").is_in(["estimate", "score"])).pivot(
        "indicator", index=["country", "year"], values="value"
    )
    table = table.drop_nulls()
    assert (table["score"] - 65.89439328 - 17.08160038 * table["estimate"]).abs().max() < 1e-6
    assert data.governance(years=[2022])["basis"].unique().item() != late["basis"].unique().item()


@pytest.mark.parametrize("table", sorted(READERS))
def test_readers_return_the_schema(table: str) -> None:
    """Law 4: columns, types, and a unit and basis for every number; the schema says them."""
    wanted = {c.name: c.dtype for c in public_columns(table)}
    assert dict(READERS[table]().schema) == wanted
    numbers = [c for c in public_columns(table) if c.type == "float64"]
    assert all(c.unit and c.basis for c in numbers)


@pytest.mark.parametrize("table", [table for table in OBSERVATIONS if table in READERS])
def test_every_row_has_a_source(table: str) -> None:
    """Law 10: source, reference, day and grade on every row."""
    rows = READERS[table]()
    for column in ("source", "source_ref", "as_of", "grade"):
        assert rows[column].null_count() == 0
    assert set(rows["grade"]) <= {"A", "B", "C"}
    assert (rows["source"].str.len_chars() > 3).all()


def test_every_source_is_documented() -> None:
    """Law 10: publisher, licence, citation, address and hash of each source; each correction has a reason."""
    found = data.sources()
    assert found["sources"].null_count().sum_horizontal().item() == 0
    assert found["corrections"]["reason"].str.len_chars().min() > 20
    assert found["carrier"]["sha256"].item().startswith("e259a2e3")


def test_nothing_later_than_the_day_is_used() -> None:
    """Law 11: a table that was not knowable on the day is refused, rows later than the day are left out."""
    assert data.trade(["282520"], importers=["KOR"], years=[2023], as_of="2026-07-14").height > 0
    with pytest.raises(NotCoveredError, match="not knowable on 2026-07-13"):
        data.trade(["282520"], as_of="2026-07-13")
    early = data.facts(as_of=date(2023, 12, 31))
    assert 0 < early.height < data.facts().height
    assert early["as_of"].max() <= date(2023, 12, 31)
    with pytest.raises(InputError, match="'yesterday' is no day"):
        data.facts(as_of="yesterday")


@given(
    importer=st.sampled_from(["KOR", "JPN", "USA", "DEU", "NAM"]),
    codes=st.lists(
        st.sampled_from(["282520", "283691", "250410", "284690", "282200"]), min_size=1, unique=True
    ),
    by=st.sampled_from(["value", "quantity"]),
    years=st.lists(st.integers(2000, 2024), min_size=1, max_size=4, unique=True),
)
@settings(max_examples=25, deadline=None)
def test_shares_add_up_whatever_the_order(importer: str, codes: list[str], by: str, years: list[int]) -> None:
    """Laws 2 and 7: shares of a year sum to one; the order of codes and years does not matter."""
    result = data.supplier_shares(importer, codes, by=by, years=years)
    table = result["shares"]
    sums = table.group_by("year").agg(pl.col("share").sum(), pl.col("share").count().alias("known"))
    assert all(abs(share - 1) < 1e-9 for _, share, known in sums.rows() if known)
    other = data.supplier_shares(importer, codes[::-1], by=by, years=sorted(years))
    assert table.equals(other["shares"], null_equal=True)
    silent = set(years) - set(table["year"])
    told = {f.values["year"] for f in result.findings if f.code == "no-import-reported"}
    assert told == silent
    if by == "quantity":
        unknown = result["rows"].filter(pl.col("quantity_t").is_null())["year"].unique()
        assert {f.values["year"] for f in result.findings if f.code == "quantity-unknown"} == set(unknown)


def test_shares_by_quantity_leave_unknown_quantities_out() -> None:
    """Law 2: a supplier whose quantity is unknown has no share by quantity, rather than none of it."""
    result = data.supplier_shares("KOR", ["282520"], by="quantity", years=[2018])
    blank = result["shares"].filter(pl.col("quantity_t").is_null())
    assert blank.height > 0
    assert blank["share"].null_count() == blank.height
    assert [f.code for f in result.findings] == ["quantity-unknown"]


def test_codes_that_are_not_covered_are_told() -> None:
    """Law 2: a basket that the snapshot lacks is unknown."""
    with pytest.raises(NotCoveredError, match=r"has no trade of HS1992 code 811292. Add a data set"):
        data.trade(["811292"])
    result = data.supplier_shares("KOR", ["282520", "811292"], years=[2023])
    assert [f.code for f in result.findings] == ["code-not-covered"]


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: data.trade(["28252"]), InputError, "six digits as text, got '28252'"),
        (lambda: data.trade([282520]), InputError, "six digits as text, got 282520"),
        (
            lambda: data.trade(importers=["KRO"]),
            UnknownNameError,
            "importers: unknown country 'KRO'. Did you mean 'KOR'",
        ),
        (lambda: data.trade(years=[1990]), NotCoveredError, "no trade of 1990; it covers 1995 to 2024"),
        (lambda: data.production(["Galium"]), UnknownNameError, "Did you mean 'Gallium'"),
        (lambda: data.governance(indicators=["estimat"]), UnknownNameError, "Did you mean 'estimate'"),
        (lambda: data.facts("import_shares"), UnknownNameError, "Did you mean 'import_share'"),
        (lambda: data.facts(region="KRO"), UnknownNameError, "region: unknown country 'KRO'"),
        (lambda: data.supplier_shares("KOR", ["282520"], by="weight"), InputError, "'value' or 'quantity'"),
        (lambda: data.inputs("trades"), UnknownNameError, "Did you mean 'trade'"),
        (lambda: data.trade(["850511"], dataset="baci-hs2017"), InputError, "needs the folder of the store"),
    ],
)
def test_bad_questions_get_one_clear_answer(call: object, error: type[Exception], match: str) -> None:
    """Law 12."""
    with pytest.raises(error, match=match):
        call()  # type: ignore[operator]


def test_a_question_takes_tens_of_milliseconds() -> None:
    data.trade(["282520"], importers=["KOR"])
    best = min(_seconds(lambda: data.trade(["282520"], importers=["KOR"])) for _ in range(5))
    assert best < 0.1


def _seconds(call: object) -> float:
    start = time.perf_counter()
    call()  # type: ignore[operator]
    return time.perf_counter() - start


def test_the_door_is_light_and_shadows_no_module() -> None:
    """Importing the room reads no table; no name of the door is also the name of a file of the room."""
    room = Path(data.__file__).parent
    assert not set(data.__all__) & {p.stem for p in room.iterdir() if p.name != "__init__.py"} - {
        "snapshot",
        "tables",
    }
    for name in data.__all__:
        assert callable(getattr(data, name))
    code = (
        "import sys; from evernormal import data; print({'polars', 'duckdb', 'pyarrow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.skipif(not SHARED.is_dir(), reason="publishers' files for extended checks are not here")
def test_flows_agree_with_another_release() -> None:
    """BACI in HS 2017 for 2024: the same flows of lithium carbonate, and totals within 2 %."""
    other = pl.read_parquet(SHARED / "data/trade/baci_hs17_2024_30codes.parquet").filter(
        pl.col("hs6") == "283691"
    )
    pairs = other.select(pl.col("exporter", "importer").replace({"S19": "TWN"}))
    ours = data.trade(["283691"], years=[2024])
    assert set(ours.select("exporter", "importer").rows()) == set(pairs.rows())
    assert ours["value_usd"].sum() == pytest.approx(1000 * other["value_kusd"].sum(), rel=0.02)
