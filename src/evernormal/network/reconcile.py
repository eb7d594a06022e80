"""Turn observations of several forms into one balanced picture: the items and balances of a network.

For every region and form (equation E1)::

    production + imports + recovery x conversion input of its makers = conversion input + final use + exports

Where the statistics give a country's *output* of a form that the chain also makes by conversion, a second
balance says that output = production outside the chain + conversion output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.network.balance import BalanceProblem, BalanceResult, balance
from evernormal.network.network import Conversion
from evernormal.network.observations import Observed
from evernormal.network.regions import regional_flows, regional_production
from evernormal.result import Parameter

__all__ = ["ADJUSTMENT_SCHEMA", "REEXPORT", "Picture", "reconcile"]

Floats = NDArray[np.float64]

ADJUSTMENT_SCHEMA = {
    "form": pl.String,
    "item": pl.String,
    "region": pl.String,
    "partner": pl.String,
    "observed_t": pl.Float64,
    "balanced_t": pl.Float64,
    "change_t": pl.Float64,
    "sigmas": pl.Float64,
    "grade": pl.String,
    "reason": pl.String,
}

CONTRADICTED = 3.0

LEAST_FOCAL_SHARE = 1e-7
"""Arcs of the focal region below this share of world trade are grams among tonnes: left out, and reported."""

REEXPORT = Parameter(
    "reexport_ceiling",
    0.5,
    0.0,
    1.0,
    "fraction",
    "C",
    "assumption: at least half of what the focal region imports is used there; the rest may be shipped on."
    " Trade alone cannot tell re-exports from exports of own production",
)
"""Where the focal region's production is not known: the largest share of its imports that it ships on."""

Known = tuple[float, float, str]
"""Tonnes, standard deviation, grade."""

Key = tuple[str, str, str, str]
"""What an item is: kind (flow, production, use, input, output), form or conversion, region, partner."""


@dataclass(frozen=True)
class Picture:
    """Balanced quantities by label, and what it took.

    Attributes:
        values: balanced tonnes by (kind, form or conversion, region, partner).
        known: items that were observed.
        adjustments: what was changed or left out (columns of ``ADJUSTMENT_SCHEMA``).
        flows: regional flows by form, as observed.
        left_out: share of world trade left out as arcs below the threshold, by form.
        result: the balance.
    """

    values: Mapping[Key, float]
    known: frozenset[Key]
    adjustments: pl.DataFrame
    flows: Mapping[str, pl.DataFrame]
    left_out: Mapping[str, float]
    result: BalanceResult


@dataclass
class _Draft:
    """Items and terms while they are collected."""

    items: list[tuple[Key, float | None, float | None, str, float | None]]
    terms: list[tuple[str, Key, float]]
    dropped: list[dict[str, object]]

    def item(
        self, key: Key, value: float | None, sigma: float | None, grade: str, prior: float | None = None
    ) -> Key:
        self.items.append((key, value, sigma, grade, prior))
        return key

    def term(self, cell: str, key: Key, coefficient: float) -> None:
        self.terms.append((cell, key, coefficient))


def reconcile(
    observed: Sequence[Observed],
    conversions: Sequence[Conversion],
    regions: Sequence[str],
    focal: str,
    min_arc_share: float,
    where: str,
) -> Picture:
    """Balance the observations of a chain.

    Args:
        observed: one per form.
        conversions: conversions among these forms.
        regions: labels (see :func:`~evernormal.network.regions.choose_regions`).
        focal: region whose arcs are kept down to 1e-7 of world trade.
        min_arc_share: arcs of others below this share of world trade are left out, and reported.
        where: name of the network, for messages.

    Raises:
        BalanceError: only an implausible change closes the balances.
    """
    draft = _Draft([], [], [])
    flows: dict[str, pl.DataFrame] = {}
    left_out: dict[str, float] = {}
    for one in observed:
        kept, share = _trade(draft, one, regions, focal, min_arc_share)
        flows[one.form.name] = kept
        left_out[one.form.name] = share
    produced = _plausible_production(draft, observed, regions, flows)
    _production_and_use(draft, observed, conversions, regions, flows, produced)
    names = ["|".join(key) for key, *_ in draft.items]
    items = pl.DataFrame(
        {
            "item": names,
            "value": [value for _, value, *_ in draft.items],
            "sigma": [sigma for _, _, sigma, *_ in draft.items],
            "grade": [grade for *_, grade, _ in draft.items],
            "prior": [prior for *_, prior in draft.items],
        },
        schema={
            "item": pl.String,
            "value": pl.Float64,
            "sigma": pl.Float64,
            "grade": pl.String,
            "prior": pl.Float64,
        },
    )
    terms = pl.DataFrame(
        [(cell, "|".join(key), coefficient) for cell, key, coefficient in draft.terms],
        schema={"balance": pl.String, "item": pl.String, "coefficient": pl.Float64},
        orient="row",
    )
    result = balance(BalanceProblem(items, terms, unit="t", where=where))
    keys = [key for key, *_ in draft.items]
    values = dict(zip(keys, result.items["balanced"].to_list(), strict=True))
    known = frozenset(key for key, value, *_ in draft.items if value is not None)
    return Picture(values, known, _adjustments(draft, result), flows, left_out, result)


def _trade(
    draft: _Draft, one: Observed, regions: Sequence[str], focal: str, min_arc_share: float
) -> tuple[pl.DataFrame, float]:
    """Add the flows of a form; return those kept and the share of world trade that was left out."""
    form = one.form.name
    table, inside = regional_flows(one.flows, regions)
    world = float(one.flows["contained_t"].sum())
    if inside > 0:
        draft.dropped.append(_dropped(form, "ROW", "ROW", inside, "trade within the rest of the world"))
    own = (pl.col("exporter") == focal) | (pl.col("importer") == focal)
    least = pl.when(own).then(min(min_arc_share, LEAST_FOCAL_SHARE)).otherwise(min_arc_share)
    bought = pl.col("importer") == focal
    visible = bought & (pl.col("contained_t") > 1e-4 * float(table.filter(bought)["contained_t"].sum()))
    small = (pl.col("contained_t") < least * world) & ~visible
    left = table.filter(small)
    for row in left.iter_rows(named=True):
        reason = "arc below the smallest share of world trade"
        draft.dropped.append(_dropped(form, row["exporter"], row["importer"], row["contained_t"], reason))
    kept = table.filter(~small)
    for row in kept.iter_rows(named=True):
        key = ("flow", form, row["exporter"], row["importer"])
        draft.item(key, row["contained_t"], row["sigma_t"], row["grade"])
        draft.term(_cell(form, row["exporter"]), key, -1.0)
        draft.term(_cell(form, row["importer"]), key, 1.0)
    return kept, float(left["contained_t"].sum()) / world if world > 0 else 0.0


def _dropped(form: str, exporter: str, importer: str, tonnes: float, reason: str) -> dict[str, object]:
    return {
        "form": form,
        "item": "flow",
        "region": exporter,
        "partner": importer,
        "observed_t": tonnes,
        "balanced_t": 0.0,
        "change_t": -tonnes,
        "sigmas": None,
        "grade": None,
        "reason": reason,
    }


def _cell(form: str, region: str) -> str:
    return f"{form} in {region}"


def _production_and_use(
    draft: _Draft,
    observed: Sequence[Observed],
    conversions: Sequence[Conversion],
    regions: Sequence[str],
    flows: Mapping[str, pl.DataFrame],
    produced: Mapping[str, Mapping[str, Known]],
) -> None:
    """Add production, conversion input, output and final use of every cell, upstream forms first."""
    net = {form: _net_exports(table) for form, table in flows.items()}
    focal = regions[0]
    at_least = {
        form: REEXPORT.value * float(table.filter(pl.col("importer") == focal)["contained_t"].sum())
        for form, table in flows.items()
    }
    stage = {one.form.name: one.form.stage for one in observed}
    makers = {form: [c for c in conversions if c.target == form] for form in produced}
    users = {form: [c for c in conversions if c.source == form] for form in produced}
    for region in regions:
        made: dict[str, float] = {}
        for form in _upstream_first(list(produced), conversions):
            known = produced[form].get(region)
            away = net[form].get(region, 0.0)
            needed = away + (at_least[form] if region == focal else 0.0)
            own = _own_production(draft, form, region, known, needed, made.get(form, 0.0), bool(makers[form]))
            available = max(own + made.get(form, 0.0) - away, 0.0)
            spent = _inputs(draft, form, region, users[form], available, produced, net, stage)
            for conversion, amount in spent.items():
                made[conversion.target] = (
                    made.get(conversion.target, 0.0) + amount * conversion.recovery.value
                )
            use = draft.item(
                ("use", form, region, ""), None, None, "C", max(available - sum(spent.values()), 0.0)
            )
            draft.term(_cell(form, region), use, -1.0)


def _plausible_production(
    draft: _Draft, observed: Sequence[Observed], regions: Sequence[str], flows: Mapping[str, pl.DataFrame]
) -> dict[str, dict[str, Known]]:
    """Known production by form and region, less the figures that trade contradicts.

    A country that ships out more than it takes in and produces, by over three standard deviations, shows that
    the figure is of something else (another stage, another year, stock sold): it is set aside and said so.
    """
    produced: dict[str, dict[str, Known]] = {}
    for one in observed:
        form = one.form.name
        net = _net_exports(flows[form])
        spread: dict[str, float] = {}
        for row in flows[form].iter_rows(named=True):
            for region in (row["exporter"], row["importer"]):
                spread[region] = spread.get(region, 0.0) + row["sigma_t"] ** 2
        produced[form] = {}
        for row in regional_production(one.production, regions).iter_rows(named=True):
            region, tonnes, sigma = row["country"], row["contained_t"], row["sigma_t"]
            short = net.get(region, 0.0) - tonnes
            if short > CONTRADICTED * (sigma**2 + spread.get(region, 0.0)) ** 0.5:
                lost = _dropped(form, region, "", tonnes, "production contradicted by trade: set aside")
                draft.dropped.append(lost | {"item": "production", "grade": row["grade"]})
            else:
                produced[form][region] = (tonnes, sigma, row["grade"])
    return produced


def _own_production(
    draft: _Draft,
    form: str,
    region: str,
    known: Known | None,
    needed: float,
    made: float,
    is_made: bool,
) -> float:
    """Add production outside the chain's conversions; return where it is expected.

    Unknown production is expected to cover ``needed`` (net exports, and the focal region's least use) as far
    as conversions do not.
    """
    key = ("production", form, region, "")
    if known is not None and not is_made:
        draft.item(key, known[0], known[1], known[2])
        draft.term(_cell(form, region), key, 1.0)
        return known[0]
    expected = max((known[0] if known else needed) - made, 0.0)
    draft.item(key, None, None, "C", expected)
    draft.term(_cell(form, region), key, 1.0)
    if known is not None:
        output = draft.item(("output", form, region, ""), known[0], known[1], known[2])
        draft.term(f"output of {form} in {region}", output, -1.0)
        draft.term(f"output of {form} in {region}", key, 1.0)
    return expected


def _inputs(
    draft: _Draft,
    form: str,
    region: str,
    users: Sequence[Conversion],
    available: float,
    produced: Mapping[str, Mapping[str, Known]],
    net: Mapping[str, Mapping[str, float]],
    stage: Mapping[str, str],
) -> dict[Conversion, float]:
    """Add the conversion inputs that draw on a form in a region; return where each is expected.

    Expected: enough for the observed output of what is made of it, else for its net exports; an ore whose
    products' output is not known is converted whole, in equal parts.
    """
    wanted: dict[Conversion, float] = {}
    for conversion in users:
        output = produced[conversion.target].get(region)
        exports = max(net[conversion.target].get(region, 0.0), 0.0)
        if output is not None:
            wanted[conversion] = output[0] / conversion.recovery.value
        elif produced[conversion.target]:
            wanted[conversion] = 0.0
        elif stage[form] == "ore":
            wanted[conversion] = available / len(users)
        else:
            wanted[conversion] = exports / conversion.recovery.value
    total = sum(wanted.values())
    if total > available:
        wanted = {conversion: amount * available / total for conversion, amount in wanted.items()}
    for conversion, amount in wanted.items():
        key = ("input", conversion.name, region, "")
        draft.item(key, None, None, "C", amount)
        draft.term(_cell(form, region), key, -1.0)
        draft.term(_cell(conversion.target, region), key, conversion.recovery.value)
        if produced[conversion.target].get(region) is not None:
            draft.term(f"output of {conversion.target} in {region}", key, conversion.recovery.value)
    return wanted


def _upstream_first(forms: list[str], conversions: Sequence[Conversion]) -> list[str]:
    """Forms ordered so that a form comes after what it is made of."""
    placed: list[str] = []
    left = sorted(forms)
    while left:
        ready = [f for f in left if all(c.source in placed for c in conversions if c.target == f)] or left[:1]
        placed += ready
        left = [f for f in left if f not in ready]
    return placed


def _net_exports(flows: pl.DataFrame) -> dict[str, float]:
    net: dict[str, float] = {}
    for exporter, importer, tonnes in flows.select("exporter", "importer", "contained_t").iter_rows():
        net[exporter] = net.get(exporter, 0.0) + tonnes
        net[importer] = net.get(importer, 0.0) - tonnes
    return net


def _adjustments(draft: _Draft, result: BalanceResult) -> pl.DataFrame:
    """What balancing changed, and what was left out."""
    kinds = {"|".join(key): key for key, *_ in draft.items}
    rows: list[dict[str, object]] = []
    for row in result.adjustments.iter_rows(named=True):
        kind, form, region, partner = kinds[row["item"]]
        rows.append(
            {
                "form": form,
                "item": kind,
                "region": region,
                "partner": partner,
                "observed_t": row["observed"],
                "balanced_t": row["balanced"],
                "change_t": row["change"],
                "sigmas": row["sigmas"],
                "grade": row["grade"],
                "reason": "balance",
            }
        )
    return pl.DataFrame([*rows, *draft.dropped], schema=ADJUSTMENT_SCHEMA)
