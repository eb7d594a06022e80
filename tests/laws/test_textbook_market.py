"""Laws at the door ``spatial_equilibrium``."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evernormal
from evernormal.errors import LabelError

from .cases import LAW, Floats, markets


def column(table: pl.DataFrame, name: str) -> Floats:
    """Values of a table by region."""
    return table.sort("region")[name].to_numpy()


@LAW
@given(markets())
def test_market_clears(market: dict[str, Floats]) -> None:
    """Law 1: what a region supplies leaves it, what it uses arrives, to 1e-9 of trade."""
    answer = evernormal.spatial_equilibrium(**market)
    flows = answer["flows"]
    count = len(market["supply_intercept"])
    sent, arrived = np.zeros(count), np.zeros(count)
    np.add.at(sent, flows["exporter"].to_numpy(), flows["quantity"].to_numpy())
    np.add.at(arrived, flows["importer"].to_numpy(), flows["quantity"].to_numpy())
    scale = max(1.0, sent.sum())
    assert np.abs(sent - column(answer["supply"], "quantity")).max() <= 1e-9 * scale
    assert np.abs(arrived - column(answer["demand"], "quantity")).max() <= 1e-9 * scale
    assert flows["quantity"].min() >= 0


@LAW
@given(markets())
def test_no_profitable_shipment_is_left(market: dict[str, Floats]) -> None:
    """Laws 1 and 9 rest on the optimum: no shipment could be made at a profit, none is made at a loss."""
    answer = evernormal.spatial_equilibrium(**market)
    buys, sells = column(answer["prices"], "price"), column(answer["supply"], "price")
    scale = float(market["demand_intercept"].max())
    gain = buys[None, :] - sells[:, None] - market["freight"]
    assert gain.max() <= 1e-6 * scale
    for exporter, importer, quantity in (
        answer["flows"].select("exporter", "importer", "quantity").iter_rows()
    ):
        if quantity > 1e-5 * scale:
            assert abs(gain[exporter, importer]) <= 1e-6 * scale


def test_shapes_that_do_not_fit_are_refused() -> None:
    """Law 3: two regions of supply and freight for three fail, naming both sides."""
    with pytest.raises(LabelError, match=r"freight.*\(3, 3\).*2"):
        evernormal.spatial_equilibrium([1, 1], [1, 1], [9, 9], [1, 1], np.zeros((3, 3)))


@LAW
@given(markets(), st.randoms(use_true_random=False))
def test_order_of_regions_does_not_matter(market: dict[str, Floats], random: object) -> None:
    """Law 7: numbering the regions in another order gives the same market."""
    order = np.arange(len(market["supply_intercept"]))
    random.shuffle(order)  # type: ignore[attr-defined]
    first = evernormal.spatial_equilibrium(**market)
    turned = {name: value[order] for name, value in market.items()}
    turned["freight"] = market["freight"][np.ix_(order, order)]
    second = evernormal.spatial_equilibrium(**turned)
    for name, value in (("prices", "price"), ("demand", "quantity"), ("supply", "quantity")):
        np.testing.assert_allclose(
            column(second[name], value), column(first[name], value)[order], rtol=1e-6, atol=1e-6
        )


@LAW
@given(markets(), st.sampled_from([1e-3, 1e3, 1e6]))
def test_unit_of_quantity_does_not_matter(market: dict[str, Floats], factor: float) -> None:
    """Law 7: kilograms or tonnes, prices are the same and quantities scale."""
    first = evernormal.spatial_equilibrium(**market)
    scaled = {
        **market,
        "supply_slope": market["supply_slope"] / factor,
        "demand_slope": market["demand_slope"] / factor,
    }
    second = evernormal.spatial_equilibrium(**scaled)
    np.testing.assert_allclose(column(second["prices"], "price"), column(first["prices"], "price"), rtol=1e-6)
    np.testing.assert_allclose(
        column(second["demand"], "quantity") / factor,
        column(first["demand"], "quantity"),
        rtol=1e-6,
        atol=1e-6,
    )


@LAW
@given(markets())
def test_same_market_same_bytes(market: dict[str, Floats]) -> None:
    """Law 6: asked twice, the answer is the same to the last bit."""
    first, second = (evernormal.spatial_equilibrium(**market) for _ in range(2))
    for name in first.tables:
        assert first[name].equals(second[name])


@LAW
@given(markets(), st.integers(0, 4), st.floats(0.1, 20.0))
def test_dearer_access_never_helps_the_importer(market: dict[str, Floats], place: int, charge: float) -> None:
    """Law 9: a tariff against one importer never raises what it uses nor lowers what it pays."""
    count = len(market["supply_intercept"])
    focal = place % count
    tariff = np.zeros((count, count))
    tariff[:, focal] = charge
    tariff[focal, focal] = 0.0
    free = evernormal.spatial_equilibrium(**market)
    charged = evernormal.spatial_equilibrium(**market, tariff=tariff)
    tolerance = 1e-6 * float(market["demand_intercept"].max())
    assert (
        column(charged["demand"], "quantity")[focal] <= column(free["demand"], "quantity")[focal] + tolerance
    )
    assert column(charged["prices"], "price")[focal] >= column(free["prices"], "price")[focal] - tolerance
