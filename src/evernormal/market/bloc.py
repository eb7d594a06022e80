"""The bloc: reference prices held by adjustable levies, on a network of one form or of a chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from evernormal.errors import InputError
from evernormal.market import bloc_tables
from evernormal.market.acts import Act, Calendar
from evernormal.market.bloc_accounts import compare_accounts
from evernormal.market.bloc_act import MONTHS, Mechanism, Reference, YearActs, mechanism_for, year_acts
from evernormal.market.bloc_derivations import DERIVATIONS, STUDY
from evernormal.market.bloc_findings import bloc_findings
from evernormal.market.bloc_ground import Projects, base_price
from evernormal.market.bloc_year import Setting, Year, solve_year
from evernormal.market.parameters import MONTHLY_KINDS, behaviour, market_parameters
from evernormal.market.routes import routes_of
from evernormal.market.run import final_uses
from evernormal.network.network import Network
from evernormal.result import Finding, Input, Lineage, Parameter, Result

if TYPE_CHECKING:
    from evernormal.network.measures import Measure

__all__ = ["bloc_equilibrium", "setting_of", "with_units"]

SUFFIXES = {
    "_usd_t": "USD/t contained",
    "_usd": "USD/year",
    "_t": "t contained/year",
    "_share": "1",
    "_rate": "1",
    "_ratio": "1",
    "_protection": "1",
}


def bloc_equilibrium(
    network: Network,
    members: Iterable[str],
    reference_price: Reference,
    *,
    relative: bool = False,
    exempt: Iterable[str] = (),
    instrument: str = "levy",
    levy: str = "common",
    tariff_rate: float | None = None,
    rules_of_origin: str = "strict",
    leakage: float = 0.0,
    relabelling_cost: float = 0.0,
    through: Iterable[str] = (),
    measures: Sequence[Measure] = (),
    start: date | None = None,
    year: int = 1,
    parameters: Mapping[str, float] | None = None,
) -> Result:
    """Return what a bloc's reference prices do in one year, to whom, at what cost (equations E80 to E88).

    Members hold the price of each form that ``reference_price`` names at or above its reference in every
    member, by the least levy on what comes from outside; trade among members is free.  The market is that of
    the monthly engine over a whole year: same curves, same base year, no stocks.

    Args:
        network: balanced base year of a form or of a chain.
        members: ISO 3166 alpha-3 codes; regions of the network.
        reference_price: USD per tonne contained of the network's form; or by form; or by form and member.
        relative: the references are multiples of each member's base price instead.
        exempt: non-members whose goods enter free.
        instrument: ``levy``; or on the same market ``purchase`` (governments buy at the reference),
            ``contract`` (makers get the difference from the market) or ``tariff`` (``tariff_rate``).
        levy: ``common``, one for all origins; ``by_origin``, each origin's own, which lifts its landed price
            to the reference.
        tariff_rate: for ``tariff``: share of the price at the border.
        rules_of_origin: ``strict``: what a member ships to another is free only as far as it made it itself;
            ``loose``: whatever it ships is.
        leakage: for ``loose``: share of each non-member's base shipments that can be relabelled.
        relabelling_cost: cost of that as a share of the exporter's price.
        through: where it is relabelled.
        measures: what others do in the year: a dumping campaign, export bans in return, quotas ...
        start: first day of the first year; January after the base year when omitted.
        year: which year from ``start`` on, from 1; elasticities are those after so many years.
        parameters: values instead of the shipped behavioural ones.

    Returns:
        Result ``bloc`` with tables ``summary``, ``ladder`` (price by member and stage), ``margins`` (of
        converting), ``regions``, ``flows``, ``diversion``, ``leakage``, ``incidence`` (change of every
        account against the same year without the mechanism), ``positions`` (by region), ``parameters``.
        ``summary`` holds the residuals of the market, of the complementarity and of the accounts.

    Raises:
        LabelError: a member that the network does not show, a form that it does not hold.
        UnknownNameError: a country, instrument or rule that does not exist.
        InputError: a reference below zero, nobody outside.
        SolverError: no proven answer; nothing partial is returned.

    Example:
        >>> from evernormal import load_network
        >>> network = load_network("aluminium/metal", "KOR", 2023, keep=("USA", "CAN", "JPN"))
        >>> held = bloc_equilibrium(network, ["KOR", "USA", "CAN", "JPN"], 1.1, relative=True)
        >>> bool(held.scalar("complementarity_residual") < 1e-8)
        True
    """
    setting = setting_of(network, parameters)
    if isinstance(year, bool) or not isinstance(year, int) or year < 1:
        raise InputError(f"year must be a whole number of at least 1, got {year!r}", where="year")
    mechanism = mechanism_for(
        network,
        members,
        reference_price,
        relative=relative,
        exempt=exempt,
        instrument=instrument,
        levy=levy,
        rules_of_origin=rules_of_origin,
        leakage=leakage,
        relabelling_cost=relabelling_cost,
        through=through,
        base=base_price(network),
    )
    mechanism = with_rate(mechanism, tariff_rate)
    calendar = Calendar.of(start or date(network.year + 1, 1, 1), MONTHS * year)
    acts, findings = year_acts(network, setting.routes, calendar, setting.uses, _acts(measures), year - 1)
    before, after = solve_pair(setting, mechanism, acts, MONTHS * year)
    call = {"members": [network.regions[r] for r in np.flatnonzero(mechanism.members)], "year": year}
    return bloc_result(before, after, findings, parameters or {}, call)


def setting_of(network: Network, parameters: Mapping[str, float] | None = None) -> Setting:
    """Return a network with the behaviour of its actors."""
    chosen = behaviour(parameters)
    return Setting(network, routes_of(network, chosen.new_route_size), chosen, final_uses(network, chosen))


def _acts(measures: Sequence[Measure]) -> tuple[Act, ...]:
    return tuple(
        Act(measure, {name: number.central() for name, number in measure.hardness().items()})
        for measure in sorted(measures, key=lambda act: act.id)
    )


def with_rate(mechanism: Mechanism, rate: float | None) -> Mechanism:
    """Return a mechanism with its tariff rate, the same for every form."""
    from dataclasses import replace  # noqa: PLC0415

    if (mechanism.instrument == "tariff") != (rate is not None):
        raise InputError("instrument='tariff' and tariff_rate go together", where="tariff_rate")
    if rate is None:
        return mechanism
    if not (np.isfinite(rate) and rate >= 0):
        raise InputError(f"tariff_rate must be at least 0, got {rate}", where="tariff_rate")
    return replace(mechanism, rate=np.full(mechanism.reference.shape[1], float(rate)))


def solve_pair(
    setting: Setting,
    mechanism: Mechanism,
    acts: YearActs,
    months: int,
    projects: tuple[Projects | None, Projects | None] = (None, None),
) -> tuple[Year, Year]:
    """Return a year without the mechanism and the same year with it."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - loads BLAS

    with threadpool_limits(1, "blas"):
        before = solve_year(setting, mechanism.without(), acts, months, projects[0])
        return before, solve_year(setting, mechanism, acts, months, projects[1])


def tables_of(before: Year, after: Year) -> tuple[dict[str, pl.DataFrame], dict[str, float]]:
    """Return the tables of a pair of years, and the figures of the summary."""
    changes, residual = compare_accounts(before, after)
    tables = {
        "ladder": bloc_tables.ladder(before, after),
        "margins": bloc_tables.margins(before, after),
        "regions": bloc_tables.region_table(before, after),
        "flows": bloc_tables.flow_table(before, after),
        "diversion": bloc_tables.diversion(before, after),
        "leakage": bloc_tables.leaks(before, after),
        "incidence": changes,
        "positions": bloc_tables.positions(changes),
    }
    accounts = {
        name: float(changes.filter(pl.col("member") & (pl.col("account") == name))["change_usd"].sum())
        for name in ("users", "producers", "processors", "traders", "levy", "tariff", "contract", "purchase")
    }
    figures = {
        **{f"members_{name}_usd": value for name, value in accounts.items()},
        "members_budget_usd": bloc_tables.budget_of(changes),
        "members_welfare_usd": bloc_tables.welfare_of(changes, "members"),
        "others_welfare_usd": bloc_tables.welfare_of(changes, "others"),
        "world_welfare_usd": bloc_tables.welfare_of(changes, "world"),
        "market_residual": after.point.residual,
        "complementarity_residual": after.complementarity(),
        "accounts_residual": residual,
    }
    return tables, figures


def bloc_result(
    before: Year,
    after: Year,
    findings: tuple[Finding, ...],
    fixed: Mapping[str, float],
    call: Mapping[str, Any],
    more: Mapping[str, pl.DataFrame] | None = None,
    kind: str = "bloc",
    inputs: tuple[Input, ...] = (),
    assumed: tuple[Parameter, ...] = (),
) -> Result:
    """Put a pair of years, and what a study adds, into one Result."""
    from evernormal import __version__  # noqa: PLC0415 - avoids a cycle at import

    network = after.setting.network
    tables, figures = tables_of(before, after)
    shown = (*_parameters(network, fixed), *assumed)
    tables = {"summary": _summary(figures), **tables, **(more or {})}
    tables["parameters"] = pl.DataFrame([asdict(p) for p in shown])
    said = {
        "form": network.form,
        "focal": network.focal,
        "base_year": network.year,
        "instrument": after.mechanism.instrument,
        **call,
    }
    derivations = DERIVATIONS if kind == "bloc" else STUDY
    lineage = Lineage(__version__, (*network.inputs, *inputs), shown, derivations, None, said)
    told = (*network.findings, *findings, *bloc_findings(before, after))
    tables = {name: table.fill_nan(None) for name, table in tables.items()}
    return Result(kind, tables, with_units(tables), lineage, told, network.coverage)


def _summary(figures: Mapping[str, float]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "name": list(figures),
            "value": list(figures.values()),
            "unit": ["USD/year" if name.endswith("_usd") else "1" for name in figures],
        }
    )


def _parameters(network: Network, fixed: Mapping[str, float]) -> tuple[Parameter, ...]:
    own = tuple(
        Parameter(p.name, fixed[p.name], fixed[p.name], fixed[p.name], p.unit, "C", "set by the user")
        if p.name in fixed
        else p
        for p in market_parameters(MONTHLY_KINDS)
    )
    return (*own, *network.parameters)


def with_units(tables: Mapping[str, pl.DataFrame]) -> dict[str, dict[str, str]]:
    """Name the unit of every number by the ending of its column."""
    units: dict[str, dict[str, str]] = {}
    for name, table in tables.items():
        units[name] = {}
        for column, kind in table.schema.items():
            if kind.is_float():
                ending = next((s for s in SUFFIXES if column.endswith(s)), "")
                units[name][column] = SUFFIXES.get(ending, "see column unit")
    return units
