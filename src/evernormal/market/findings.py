"""What a reader must know about a simulation before trusting it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from evernormal.market.outcome import Outcome
from evernormal.network.network import Network
from evernormal.result import Finding, Parameter

if TYPE_CHECKING:
    from evernormal.network.scenario import Scenario

__all__ = ["simulation_findings"]

ADVISED_DRAWS = 200
RELAYED_SHARE = 0.05
"""Relayed supply below this share of what others add is not worth a sentence."""


def simulation_findings(
    network: Network, scenario: Scenario, out: Outcome, parameters: tuple[Parameter, ...], draws: int
) -> tuple[Finding, ...]:
    """Return the findings of a simulation, those of the run first."""
    return (
        *out.run.findings,
        *_loss_unknown(network, out),
        *_price_at_choke(network, out, parameters),
        *_relayed_supply(network, scenario, out),
        *_other_base_year(network, scenario),
        *_few_draws(draws),
        *_after_horizon(scenario, out),
        *_hardness_assumed(scenario),
    )


def _loss_unknown(network: Network, out: Outcome) -> Iterator[Finding]:
    if not np.isfinite(out.loss).all():
        yield Finding(
            "loss-unknown",
            "warning",
            f"No value added per tonne of {network.form} is known for {network.focal}; no loss is stated.",
            {"form": network.form, "focal": network.focal},
        )


def _price_at_choke(network: Network, out: Outcome, parameters: tuple[Parameter, ...]) -> Iterator[Finding]:
    choke = next(p.value for p in parameters if p.name == "choke_ratio")
    months = int((out.price_ratio >= 0.99 * choke).sum())
    if months:
        yield Finding(
            "price-at-choke",
            "caution",
            f"The price of {network.form} stands at the assumed ceiling of {choke:g} times the base price in "
            f"{months} months: users stop rather than pay more. Read it as scarcity, not as a forecast.",
            {"form": network.form, "choke": choke, "months": months},
        )


def _relayed_supply(network: Network, scenario: Scenario, out: Outcome) -> Iterator[Finding]:
    """Supply that reaches the focal region through countries that themselves buy more from who withholds."""
    withholding = {
        network.region(m.by)
        for m in scenario.resolved_measures()
        if m.kind in {"ban", "licence", "quota"} and m.against and m.by in network.regions
    }
    if not withholding:
        return
    routes, path, form = out.routes, out.run.path, network.form_index(network.form)
    during = np.flatnonzero(out.biting())
    change = path.arrived[:, during].sum(axis=1) - routes.base * len(during)
    added, relayed, through = 0.0, 0.0, []
    for a in out.suppliers(network):
        supplier = int(routes.origin[a])
        if supplier in withholding or change[a] <= 0:
            continue
        added += float(change[a])
        feeds = (
            (routes.target == supplier) & (routes.form == form) & np.isin(routes.origin, list(withholding))
        )
        passed_on = min(float(change[a]), float(np.maximum(change[feeds], 0.0).sum()))
        if passed_on > 0.1 * change[a]:
            relayed += passed_on
            through.append(network.regions[supplier])
    if relayed > RELAYED_SHARE * max(added, 1e-300):
        who = ", ".join(sorted(network.regions[r] for r in withholding))
        yield Finding(
            "relayed-supply",
            "caution",
            f"Up to {relayed:,.0f} t of the {added:,.0f} t that others add comes from countries which "
            f"themselves buy more from {who} in the same months ({', '.join(sorted(through))}); a control "
            "that checks end users would stop it and the shortage would be larger.",
            {"relayed_t": relayed, "added_t": added, "by": who, "through": sorted(through)},
        )


def _other_base_year(network: Network, scenario: Scenario) -> Iterator[Finding]:
    if network.year != scenario.base_year:
        yield Finding(
            "other-base-year",
            "caution",
            f"The network shows {network.year}; the scenario was written for {scenario.base_year}.",
            {"network": network.year, "scenario": scenario.base_year},
        )


def _few_draws(draws: int) -> Iterator[Finding]:
    if 0 < draws < ADVISED_DRAWS:
        yield Finding(
            "few-draws",
            "caution",
            f"Bands rest on {draws} draws; {ADVISED_DRAWS} or more are advised for 10 and 90 % bounds.",
            {"draws": draws},
        )


def _after_horizon(scenario: Scenario, out: Outcome) -> Iterator[Finding]:
    first, last = out.calendar.days[0], out.calendar.days[-1]
    late = [m.id for m in scenario.measures if m.effective >= last + timedelta(days=1)]
    if late:
        yield Finding(
            "measure-after-horizon",
            "warning",
            f"Not inside the horizon from {first.isoformat()}: {', '.join(late)}.",
            {"ids": late},
        )


def _hardness_assumed(scenario: Scenario) -> Iterator[Finding]:
    assumed = list(dict.fromkeys(p.name.split(" ")[0] for p in scenario.measured() if p.grade == "C"))
    if assumed:
        yield Finding(
            "policy-hardness-assumed",
            "caution",
            f"How hard {len(assumed)} measures bite is partly an assumption: {', '.join(assumed[:5])}.",
            {"measures": len(assumed), "ids": assumed},
        )
