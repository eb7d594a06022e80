"""One run through time: solve, live until somebody announces something, solve again from there.

Nobody foresees a measure before its announcement: each announcement starts a new program with
stocks and cargo as they then stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from evernormal.errors import InfeasibleError
from evernormal.market.acts import Act, Acts, Calendar, Use, acts_of, known_in
from evernormal.market.cells import active_cells
from evernormal.market.dual_newton import ActiveSet
from evernormal.market.parameters import Behaviour
from evernormal.market.path import Path, read_path
from evernormal.market.prepared import Prepared
from evernormal.market.program import History, assemble
from evernormal.market.routes import Routes
from evernormal.market.settle import settle
from evernormal.market.solver import SolverName
from evernormal.network.network import Network
from evernormal.result import Finding, Parameter

__all__ = ["TAIL_MONTHS", "Run", "final_uses", "run"]

Floats = NDArray[np.float64]

TAIL_MONTHS = 3
"""Months solved beyond the horizon and then cut off, so that nobody sells out on the last day."""


@dataclass(frozen=True)
class Run:
    """A path over the whole horizon with the acts that shaped it, and the active set of each program by its
    first month."""

    path: Path
    acts: Acts
    findings: tuple[Finding, ...]
    standing: Mapping[int, ActiveSet]


def final_uses(network: Network, behaviour: Behaviour, position: float = 0.0) -> tuple[Use, ...]:
    """Return every final use of a network, tonnes per month.

    The focal region's uses are split by end use with their own elasticities; other regions have one use with
    the generic monthly elasticity.

    Args:
        position: where in the interval of each end use's elasticity to stand, -1 (low) to 1 (high).
    """
    uses = []
    active = active_cells(network)
    for r, region in enumerate(network.regions):
        for g, form in enumerate(network.forms):
            base = float(network.use[r, g]) / 12
            if base <= 0 or not active[r, g]:
                continue
            ends = [e for e in network.end_uses if e.form == form] if region == network.focal else []
            for end in ends:
                if end.share.value > 0:
                    size = base * end.share.value
                    uses.append(Use(r, g, size, -abs(between(end.elasticity, position)), end.name))
            if not ends:
                uses.append(Use(r, g, base, -behaviour.use_elasticity, "all"))
    return tuple(uses)


def between(parameter: Parameter, position: float) -> float:
    """Return the value at ``position`` in a parameter's interval: -1 low, 0 value, 1 high."""
    end = parameter.high if position >= 0 else parameter.low
    return float(parameter.value + abs(position) * (end - parameter.value))


def run(
    network: Network,
    routes: Routes,
    behaviour: Behaviour,
    uses: tuple[Use, ...],
    calendar: Calendar,
    acts: Sequence[Act],
    *,
    solver: SolverName = "newton",
    near: Mapping[int, ActiveSet] | None = None,
    prepared: Prepared | None = None,
    rest_known: bool = False,
) -> Run:
    """Return the path of the market through ``calendar`` under resolved measures.

    Args:
        near: active sets of a neighbouring run by first month, from which Newton's method starts.
        prepared: ``network`` prepared before; prepared here when omitted.
        rest_known: without any act, return the base year instead of solving for it (law 5 says that it is the
            solution).

    Raises:
        InputError: a kind of measure that is not simulated.
        LabelError: an actor or form that the network lacks.
        SolverError: no proven answer.
    """
    prepared = prepared or Prepared(network)
    path: Path | None = None
    standing: dict[int, ActiveSet] = {}
    told: tuple[tuple[Act, ...], tuple[Acts, tuple[Finding, ...]]] | None = None
    epochs = [] if rest_known and not acts else _epochs(calendar, acts, prepared)
    known_since = next((month for month, known in epochs if known), 0)
    for start, known in epochs:
        if not known and start < known_since:
            continue
        if path is None and start:
            path = _base_path(network, routes, behaviour, uses, len(calendar.months))
        told = (known, acts_of(network, routes, calendar, uses, known))
        history = _history(network, routes, behaviour, path, start, known_since)
        assembled = assemble(network, routes, behaviour, uses, told[1][0], history, prepared=prepared)
        try:
            settled = settle(assembled, solver=solver, start=(near or {}).get(start))
        except InfeasibleError as error:
            raise InfeasibleError(
                f"from {calendar.months[start]:%Y-%m} on the measures ask for more than there is: "
                f"{error.what}",
                where=f"{network.form} in {network.focal}",
                cure="Lower what a state buys or takes back, or the severity of what else happens.",
            ) from error
        if settled.standing is not None:
            standing[start] = settled.standing
        later = read_path(assembled, settled.solution, network, routes, uses, told[1][0], history)
        path = later if path is None else _join(path, later, start)
    if path is None:
        path = _base_path(network, routes, behaviour, uses, len(calendar.months))
    if told is not None and told[0] == tuple(acts):
        whole, findings = told[1]
    else:
        whole, findings = acts_of(network, routes, calendar, uses, acts)
    return Run(path, whole, findings, standing)


def _history(
    network: Network, routes: Routes, behaviour: Behaviour, path: Path | None, start: int, known_since: int
) -> History:
    """What is already done when a program starts in month ``start``."""
    if path is None:
        target = network.commercial_stock * behaviour.commercial_stock_scale
        return History(start, known_since, np.zeros((len(routes.base), 0)), np.asarray(target))
    return History(start, known_since, path.shipped[:, :start], path.stock[:, :, start - 1])


def _epochs(calendar: Calendar, acts: Sequence[Act], prepared: Prepared) -> list[tuple[int, tuple[Act, ...]]]:
    """Months in which something becomes known, with all that is known from then on."""
    days = tuple((act.measure.announced, act.measure.effective, act.measure.suspended) for act in acts)
    key = (calendar.months, days)
    starts = prepared.kept("epochs", key, lambda: _news_months(calendar, acts))
    epochs: list[tuple[int, tuple[Act, ...]]] = []
    for month in starts:
        versions = [known_in(act.measure, calendar, month) for act in acts]
        known = tuple(
            act if measure is act.measure else replace(act, measure=measure)
            for act, measure in zip(acts, versions, strict=True)
            if measure is not None
        )
        epochs.append((month, known))
    return epochs


def _news_months(calendar: Calendar, acts: Sequence[Act]) -> tuple[int, ...]:
    """Return the months in which what is known differs from the month before; the first always."""
    months: list[int] = []
    before: list[object] | None = None
    for month in range(len(calendar.months)):
        versions = [known_in(act.measure, calendar, month) for act in acts]
        if versions != before:
            months.append(month)
            before = list(versions)
    return tuple(months)


def _base_path(
    network: Network, routes: Routes, behaviour: Behaviour, uses: tuple[Use, ...], months: int
) -> Path:
    """The base year, month after month: what is lived before anything is announced (law 5)."""

    def steady(values: Floats) -> Floats:
        return np.repeat(np.asarray(values, dtype=float)[..., None], months, axis=-1)

    price = np.where(active_cells(network), 1.0, np.nan)
    return Path(
        steady(routes.base),
        steady(routes.base),
        steady(network.production / 12),
        steady(network.activity / 12),
        steady(np.array([u.base for u in uses])),
        np.zeros((len(uses), months)),
        np.zeros((*network.production.shape, months)),
        steady(network.commercial_stock * behaviour.commercial_stock_scale),
        steady(price),
        0.0,
    )


def _join(earlier: Path, later: Path, start: int) -> Path:
    """Keep what was lived before ``start`` and go on with ``later``."""
    series = {
        item.name: np.concatenate(
            [getattr(earlier, item.name)[..., :start], getattr(later, item.name)], axis=-1
        )
        for item in fields(Path)
        if item.name != "residual"
    }
    return Path(**series, residual=max(earlier.residual, later.residual))
