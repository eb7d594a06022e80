"""Concentration and dependence."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from evernormal import data, risk
from evernormal.errors import InputError, LabelError, NotCoveredError, UnknownNameError

AMOUNTS = arrays.arrays(np.float64, st.integers(1, 12), elements=st.floats(1e-3, 1e12))


@given(AMOUNTS, st.floats(1e-6, 1e6), st.randoms(use_true_random=False))
def test_order_and_unit_of_amounts_do_not_matter(amounts: np.ndarray, unit: float, random: object) -> None:
    """Law 7; between 1 / n and 1."""
    shares = amounts / amounts.sum()
    index = float(risk.herfindahl(shares))
    assert 1 / len(shares) - 1e-9 <= index <= 1 + 1e-9
    shuffled = amounts.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    other = shuffled * unit
    assert float(risk.herfindahl(other / other.sum())) == pytest.approx(index, rel=1e-9)


def test_amounts_are_refused_and_unknown_stays_unknown() -> None:
    """Laws 2 and 4: tonnes are no shares, and their squares would overflow whole numbers."""
    with pytest.raises(InputError, match="from 0 to 1"):
        risk.herfindahl([4_000_000_000, 5_000_000_000])
    with pytest.raises(InputError, match="more than 1"):
        risk.herfindahl([0.7, 0.7])
    assert np.isnan(risk.herfindahl([0.5, float("nan")]))


def test_concentration_is_the_index_of_the_supplier_shares() -> None:
    """By value and by quantity, against the shares that the data room gives."""
    row = risk.concentration(["KOR"], ["283691"], [2022])["concentration"].row(0, named=True)
    for by in ("value", "quantity"):
        shares = data.supplier_shares("KOR", ["283691"], by, [2022])["shares"]["share"].drop_nulls()
        assert row[f"hhi_{by}"] == pytest.approx((shares**2).sum(), rel=1e-9)
    assert row["largest"] == "CHL"


def test_concentration_of_everything_at_once() -> None:
    """One row per importer, code and year; unknown quantities are null, not 0 (law 2)."""
    result = risk.concentration(years=[2023])
    table = result["concentration"]
    assert not table.select("importer", "code", "year").is_duplicated().any()
    blank = table.filter(pl.col("quantity_unknown") == 1)
    assert blank.height and blank["hhi_quantity"].null_count() == blank.height
    assert {f.code for f in result.findings} == {"concentration-quantity-unknown"}
    assert result.units["concentration"]["hhi_value"] == "fraction"


def test_what_is_left_without_the_largest_supplier() -> None:
    """N-1; an unknown amount makes it unknown (law 2)."""
    assert risk.remaining_supply([[60.0, 40.0], [10.0, 0.0]], [50.0, 10.0]).tolist() == [0.8, 0.0]
    assert np.isnan(risk.remaining_supply([1.0, float("nan")], 1.0))
    with pytest.raises(InputError, match="above 0"):
        risk.remaining_supply([1.0], 0.0)
    with pytest.raises(LabelError, match="shapes"):
        risk.remaining_supply([[1.0], [2.0]], [1.0, 2.0, 3.0])


def test_net_import_reliance_closes() -> None:
    """Law 1: use is production and net imports; a net exporter has 0, a country without mines 1."""
    table = risk.net_import_reliance("nickel/ore", ["KOR", "PHL", "AUS"], [2022])["reliance"]
    gap = pl.col("production_t") + pl.col("imports_t") - pl.col("exports_t") - pl.col("apparent_use_t")
    assert table.select(gap.abs().max()).item() < 1e-6
    assert table.filter(country="KOR")["reliance"].item() == 1.0
    assert table.filter(country="PHL")["reliance"].item() == 0.0


def test_unknown_production_leaves_reliance_unknown() -> None:
    """Law 2: nobody publishes how much lithium hydroxide a country makes."""
    for result, table, column in (
        (risk.net_import_reliance("lithium/hydroxide", ["KOR"], [2023]), "reliance", "reliance"),
        (risk.n_minus_one("lithium/hydroxide", ["KOR"], [2023]), "n_minus_one", "remaining"),
    ):
        assert result[table][column].to_list() == [None]
        assert "domestic-production-unknown" in {f.code for f in result.findings}
    with pytest.raises(NotCoveredError, match="gallium/metal"):
        risk.net_import_reliance("gallium/metal", ["KOR"], [2023])


def test_the_thresholds_of_the_early_warning() -> None:
    """Half from one country, three quarters from neighbours; both are parameters."""
    judged = risk.supplier_shares("lithium/hydroxide", "KOR", [2018, 2023], neighbours=["CHN", "JPN"])
    table = judged["thresholds"]
    one = table.filter(rule="one country")
    assert one["countries"].to_list() == ["CHN", "CHN"] and one["reached"].to_list() == [True, True]
    near = table.filter(rule="neighbouring countries")
    assert near["threshold"].to_list() == [0.75, 0.75] and near["share"].is_between(0, 1 + 1e-12).all()
    strict = risk.supplier_shares("lithium/hydroxide", "KOR", [2018], one_country=0.9)
    assert strict["thresholds"]["reached"].to_list() == [False]
    assert "neighbours-not-named" in {f.code for f in strict.findings}


def test_published_shares_are_judged_too() -> None:
    """Law 11: a form without a code of its own; an earlier day sees the publications of that day alone."""
    judged = risk.supplier_shares("gallium/metal", "KOR")["thresholds"]
    assert judged.height and judged["share"].is_between(0, 1).all()
    about = data.facts("import_share", "gallium/metal", "KOR")
    first = about["as_of"].min()
    then = risk.supplier_shares("gallium/metal", "KOR", as_of=first)["shares"]
    assert set(then["source"]) <= set(about.filter(pl.col("as_of") <= first)["source"])
    with pytest.raises(NotCoveredError, match="gallium"):
        risk.supplier_shares("gallium/metal", "KOR", as_of="2000-01-01")


def test_nothing_earlier_than_the_data_is_answered() -> None:
    """Law 11: on an earlier day this trade was not knowable."""
    with pytest.raises(NotCoveredError, match="not knowable"):
        risk.net_import_reliance("nickel/ore", ["KOR"], [2022], as_of="2020-01-01")


def test_wrong_names_are_told() -> None:
    """Laws 3 and 12."""
    with pytest.raises(UnknownNameError, match="nickel/ore"):
        risk.n_minus_one("nickel/ores", ["KOR"], [2022])
    with pytest.raises(InputError, match="one_country"):
        risk.supplier_shares("lithium/hydroxide", "KOR", [2023], one_country=50)


def test_the_union_beside_a_country_changes_nothing_of_it() -> None:
    """Law 7: what a country buys from members of the Union counts once, whoever else is asked for."""
    for function, table in ((risk.net_import_reliance, "reliance"), (risk.n_minus_one, "n_minus_one")):
        alone = function("copper/ore", ["CHN"], [2020])[table]
        beside = function("copper/ore", ["EU", "CHN"], [2020])[table].filter(country="CHN")
        assert alone.equals(beside)


@pytest.mark.parametrize("by", ["value", "quantity"])
def test_the_union_buys_from_outside_alone(by: str) -> None:
    """Shares and concentration of the 27 members as one country, summed from the rows by plain Python."""
    from evernormal.data.european_union import MEMBERS

    amounts: dict[str, float] = {}
    column = "value_usd" if by == "value" else "quantity_t"
    for exporter, importer, amount in data.trade(["282520"], years=[2021])[
        "exporter", "importer", column
    ].iter_rows():
        if importer in MEMBERS and exporter not in MEMBERS and amount is not None:
            amounts[exporter] = amounts.get(exporter, 0.0) + amount
    total = math.fsum(amounts.values())
    found = data.supplier_shares("EU", ["282520"], by, [2021])["shares"]  # type: ignore[arg-type]
    shares = dict(found.select("supplier", "share").drop_nulls().iter_rows())
    assert shares.keys() == amounts.keys() and not shares.keys() & set(MEMBERS)
    assert shares == pytest.approx({name: amount / total for name, amount in amounts.items()}, abs=1e-9)
    row = risk.concentration(["EU", "KOR"], ["282520"], [2021])["concentration"].row(0, named=True)
    assert row["importer"] == "EU"
    assert row[f"hhi_{by}"] == pytest.approx(sum((a / total) ** 2 for a in amounts.values()), abs=1e-9)


def test_one_neighbour_alone_is_not_neighbouring_countries() -> None:
    """The rule speaks of two or more: both doors of the duty say the same (equation E117)."""
    flows = data.supplier_shares("KOR", ["250410"], "value", [2023])["shares"]
    suppliers, shares = flows["supplier"].to_list(), flows["share"].to_list()
    for near in (["CHN"], ["CHN", "JPN"], ["CHN", "ATA"]):
        table = risk.supplier_shares("graphite/natural", "KOR", [2023], neighbours=near)["thresholds"]
        judged = table.filter(rule="neighbouring countries")["reached"].item()
        assert (
            judged == bool(risk.concentration_duty(shares, suppliers, near).neighbouring) == ("JPN" in near)
        )
