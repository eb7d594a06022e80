"""Law 9 at the door ``simulate``: harder is not better, more stock is not worse."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import evernormal
from evernormal.network.network import Network
from evernormal.result import Result

from .cases import LAW, ban, buying_only, networks, release, selling_only
from .test_simulation_laws import HARD, TINY, run

# The law speaks of a region that buys.  One that buys and sells on at once can gain a little: who keeps
# what it may no longer ship buys less from it.  In 1,000 random worlds that happened twice, by 0.02 % of
# use; in 8,000 worlds in which the focal region ships nothing on it never did.


def outcome(result: Result) -> dict[str, float]:
    """What the focal region ends up with: more use is better, less shortage and loss are better."""
    return {
        "use": float(result["supply"]["use_t"].sum()),
        "shortage": float(result.scalar("shortage_t")),
        "loss": float(result.scalar("loss_usd")) / 1e5,
    }


def no_better(easy: Result, hard: Result) -> None:
    """The second is not better than the first for the focal region, to 1e-6 of its use."""
    before, after = outcome(easy), outcome(hard)
    slack = TINY * float(easy["supply"]["base_use_t"].sum())
    assert after["use"] <= before["use"] + slack, (before, after)
    assert after["shortage"] >= before["shortage"] - slack, (before, after)
    assert after["loss"] >= before["loss"] - slack, (before, after)


@LAW
@given(networks(), HARD, HARD)
def test_harsher_ban_is_not_better(world: Network, first: float, second: float) -> None:
    """Law 9: tightening a ban on the focal country never raises its supply nor lowers its loss."""
    soft, hard = sorted((first, second))
    buyer = buying_only(world)
    no_better(run(buyer, ban(soft)), run(buyer, ban(hard)))


@LAW
@given(networks(), HARD, st.floats(0.05, 3.0))
def test_more_stock_of_firms_is_not_worse(world: Network, severity: float, more: float) -> None:
    """Law 9: firms that hold more at the start are never worse off."""
    buyer = buying_only(world)
    held = buyer.commercial_stock.copy()
    held[buyer.focal_index, buyer.form_index(buyer.form)] *= 1.0 + more
    larger = dataclasses.replace(buyer, commercial_stock=held)
    no_better(run(larger, ban(severity)), run(buyer, ban(severity)))


@LAW
@given(networks(), HARD, HARD)
def test_harsher_ban_on_everyone_is_not_better(world: Network, first: float, second: float) -> None:
    """Law 9: nor does tightening a passing ban on the whole world by a country that only sells.

    A country that also buys needs less when it may ship less, and what it leaves can help others: that is
    trade, not a fault, so such worlds are left out.
    """
    soft, hard = sorted((first, second))
    seller, dates = selling_only(buying_only(world)), {"ends": "2024-07-20"}
    no_better(run(seller, ban(soft, (), **dates)), run(seller, ban(hard, (), **dates)))


@LAW
@given(networks(), st.floats(0.0, 180.0), st.floats(0.0, 180.0), HARD)
def test_slower_licence_is_not_better(world: Network, first: float, second: float, share: float) -> None:
    """Law 9: a licence that takes longer is not better."""
    waits = sorted((first, second))

    def licence(days: float) -> dict[str, object]:
        plain = {key: value for key, value in ban(0.0).items() if key != "severity"}
        return {**plain, "kind": "licence", "delay_days": days, "approval_share": share}

    buyer = buying_only(world)
    no_better(*(run(buyer, licence(days)) for days in waits))


@LAW
@given(networks(), HARD, HARD)
def test_lower_approval_is_not_better(world: Network, first: float, second: float) -> None:
    """Law 9: a smaller share of licences approved is not better."""
    low, high = sorted((first, second))

    def licence(share: float) -> dict[str, object]:
        plain = {key: value for key, value in ban(0.0).items() if key != "severity"}
        return {**plain, "kind": "licence", "delay_days": 45, "approval_share": share}

    buyer = buying_only(world)
    no_better(run(buyer, licence(high)), run(buyer, licence(low)))


@LAW
@given(networks(), st.floats(0.0, 12.0), st.floats(0.0, 12.0), HARD)
def test_slower_approval_is_not_better(world: Network, first: float, second: float, share: float) -> None:
    """Law 9: approvals that rise over more months are not better."""
    fast, slow = sorted((first, second))

    def licence(months: float) -> dict[str, object]:
        plain = {key: value for key, value in ban(0.0).items() if key != "severity"}
        rise = {"approval_share": share, "first_approval_share": 0.0, "approval_months": months}
        return {**plain, "kind": "licence", "delay_days": 30, **rise}

    buyer = buying_only(world)
    no_better(run(buyer, licence(fast)), run(buyer, licence(slow)))


@LAW
@given(networks(), st.floats(0.5, 1.0), st.floats(0.0, 2.0))
def test_more_released_stock_is_not_worse(world: Network, severity: float, more: float) -> None:
    """Law 9: releasing stock, and releasing from a larger stock, never raises the loss."""
    buyer = buying_only(world)
    larger = dataclasses.replace(buyer, state_stock=buyer.state_stock * (1.0 + more))
    nothing = run(buyer, ban(severity))
    some = run(buyer, ban(severity), policies=(release(1.0),))
    no_better(some, nothing)
    no_better(run(larger, ban(severity), policies=(release(1.0),)), some)


@pytest.mark.parametrize("focal", ["KOR", "JPN", "USA", "DEU"])
def test_harsher_ban_on_real_trade_is_not_better(focal: str) -> None:
    """Law 9: on the shipped trade in lithium hydroxide, whoever asks."""
    shipped = evernormal.load_scenario("lithium-hydroxide-100").with_focal(focal)
    world = evernormal.load_network(shipped.form, focal=focal, year=shipped.base_year)
    results = [
        evernormal.simulate(world, shipped.with_severity(severity), draws=0)
        for severity in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    for easy, hard in pairwise(results):
        no_better(easy, hard)
