"""The shipped scenarios and every covered form, through both solvers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from evernormal.errors import NotCoveredError
from evernormal.market.acts import Act, Calendar
from evernormal.market.parameters import behaviour
from evernormal.market.routes import routes_of
from evernormal.market.run import Run, final_uses, run
from evernormal.market.simulate import simulate
from evernormal.network.forms import forms
from evernormal.network.load import load_network
from evernormal.network.network import Network
from evernormal.network.question import network_of
from evernormal.network.scenario import load_scenario, scenario_names

MONTHLY = [
    name
    for name in scenario_names()
    if all(act.kind != "price_floor" for act in load_scenario(name).measures)
]
"""Scenarios of the monthly engine; reference prices are asked year by year (``evernormal bloc``)."""
COVERED = [row["form"] for row in forms().iter_rows(named=True) if row["coverage"] != "none"]


@lru_cache(maxsize=64)
def world(name: str) -> Network:
    """The network of a shipped scenario."""
    return network_of(load_scenario(name))


def solved(name: str, solver: str) -> Run:
    """The central run of a shipped scenario with one solver and no fallback to the other."""
    scenario, network = load_scenario(name), world(name)
    chosen = behaviour()
    acts = [
        Act(m, {key: number.central() for key, number in m.hardness().items()})
        for m in (*scenario.resolved_measures(), *scenario.resolved_policies())
    ]
    calendar = Calendar.of(scenario.start_date, scenario.months)
    routes = routes_of(network, chosen.new_route_size)
    return run(network, routes, chosen, final_uses(network, chosen), calendar, acts, solver=solver)


@pytest.mark.parametrize("name", MONTHLY)
def test_independent_solvers_agree(name: str) -> None:
    """Newton on the dual, PIQP and Clarabel agree to 1e-5 of trade on every shipped scenario."""
    network = world(name)
    scale = network.throughput()[:, network.form_index(network.form)].max() / 12
    runs = [solved(name, solver).path for solver in ("newton", "piqp", "clarabel")]
    for other in runs[1:]:
        assert np.abs(runs[0].shipped - other.shipped).max() < 1e-5 * scale
        assert np.abs(runs[0].used - other.used).max() < 1e-5 * scale
        assert np.nanmax(np.abs(runs[0].price - other.price)) < 1e-3


@pytest.mark.parametrize("name", ["lithium-hydroxide-100", "graphite-licence-2023", "nickel-ore-2014"])
def test_newton_settles_by_itself(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast path is taken: no interior-point solver is asked."""

    def refuse(*_: object) -> None:
        raise AssertionError("an interior-point solver was asked")

    monkeypatch.setattr("evernormal.market.solver._piqp", refuse)
    monkeypatch.setattr("evernormal.market.solver._clarabel", refuse)
    assert solved(name, "newton").path.residual < 1e-9


@lru_cache(maxsize=1)
def covered_networks() -> dict[str, Network]:
    """The network of every form that data covers for South Korea, by form and by chain."""
    found: dict[str, Network] = {}
    for name in COVERED:
        for scope in ("form", "chain"):
            for year in (2023, 2024):
                try:
                    found[f"{name} {scope}"] = load_network(name, "KOR", year, scope=scope)
                except NotCoveredError:
                    continue
                break
    return found


def test_the_base_year_comes_back_for_every_covered_chain() -> None:
    """Law 5: a solved base scenario returns the base year to 1e-6; law 1: every network balances."""
    networks = covered_networks()
    assert len(networks) >= 50
    chosen = behaviour()
    for name, network in networks.items():
        network.require_balance(1e-9)
        routes = routes_of(network, chosen.new_route_size)
        calendar = Calendar.of(load_scenario("base").start_date, 3)
        done = run(network, routes, chosen, final_uses(network, chosen), calendar, [])
        base = np.repeat(network.flow[:, None] / 12, 3, axis=1)
        shipped = done.path.shipped[: len(network.flow)]
        assert np.abs(shipped / base - 1).max() < 1e-6, name
        assert np.nanmax(np.abs(done.path.price - 1)) < 1e-6, name


@pytest.mark.parametrize("focal", ["JPN", "USA", "DEU"])
def test_another_focal_country_by_one_word(focal: str) -> None:
    """The same question asked for another country runs and is about that country."""
    scenario = load_scenario("lithium-hydroxide-100").with_focal(focal)
    result = simulate(network_of(scenario), scenario, draws=0)
    assert result.lineage.call["focal"] == focal
    assert result.scalar("imports_lost_t") >= 0


def test_a_full_stop_of_chinese_lithium_hydroxide() -> None:
    """Rerouting, a price rise, a stock run-down and a dated stop; a harder ban is never better (law 9)."""
    full, part = (load_scenario(f"lithium-hydroxide-{s}") for s in (100, 60))
    hard, mild = (simulate(world(s.name), s, draws=0) for s in (full, part))
    assert (hard["rerouting"]["change_t"] > 0).sum() >= 3
    assert hard.scalar("peak_price_ratio") > mild.scalar("peak_price_ratio") > 1.2
    supply = hard["supply"]
    assert supply["commercial_stock_t"].min() < 0.2 * supply["commercial_stock_t"][0]
    stops = {row["name"]: row["text"] for row in hard["summary"].iter_rows(named=True)}
    assert "2024-01-01" < stops["stop_date_without_release"] < stops["stop_date_with_release"] < "2024-12-31"
    assert hard.scalar("shortage_t") > mild.scalar("shortage_t") > 0


def test_others_replace_at_most_a_quarter_of_what_is_withheld_from_the_world() -> None:
    """First-year fact of 30 years of export cuts: others refill 0 to 25 % of a cut (Indonesia, 2014)."""
    network = world("nickel-ore-2014")
    done = solved("nickel-ore-2014", "piqp")
    routes = routes_of(network, behaviour().new_route_size)
    indonesia = routes.origin == network.region("IDN")
    change = done.path.shipped[:, :12].sum(axis=1) - 12 * routes.base
    assert -change[indonesia].sum() > 0.9 * 12 * routes.base[indonesia].sum()
    assert 0 <= change[~indonesia].sum() < 0.25 * -change[indonesia].sum()
    year = done.path.price[network.region("CHN"), 0, :12].mean()
    assert 1.25 < year < 3.5
