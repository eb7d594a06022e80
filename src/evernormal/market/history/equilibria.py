"""Equilibria of one year: the engine on an episode, calibrated on the year before.

Exporters' supply, importers' demand and the choice among origins react to price; the cutting exporters ship
what they ship.  The linear form is a quadratic program of :mod:`evernormal.market.solver`, the isoelastic
form is solved by alternating its two closed forms.  Both clear: what is shipped is what is received.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from evernormal.errors import InputError, SolverError
from evernormal.market.history.baselines import averaged_base
from evernormal.market.history.records import exports_of, imports_of
from evernormal.market.history.situation import Situation
from evernormal.market.solver import QuadraticProgram, solve

__all__ = ["TEXTBOOK", "Cleared", "Elasticities", "isoelastic", "linear"]

Floats = NDArray[np.float64]

SMALLEST = 1e-4
"""Routes below this share of the world's trade stay out of the linear program, as they were."""

MOST_ROUNDS = 2_000


@dataclass(frozen=True)
class Elasticities:
    """Elasticities of one year.

    Attributes:
        demand: of imports, as a positive number.
        supply: of other exporters' exports.
        substitution: among the origins of one importer.
        averaged: weight of the two earlier years in the base year.
    """

    demand: float
    supply: float
    substitution: float
    averaged: float = 0.0

    def __post_init__(self) -> None:
        for name in ("demand", "substitution"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise InputError(f"{name} must be a number above 0, got {value}", where="elasticities")
        if not (np.isfinite(self.supply) and self.supply >= 0):
            raise InputError(f"supply must be at least 0, got {self.supply}", where="elasticities")


TEXTBOOK = Elasticities(0.5, 0.3, 3.0)
"""What a textbook would take for a year: demand 0.5, supply 0.3, substitution among origins 3."""


@dataclass(frozen=True)
class Cleared:
    """An equilibrium: flows (P,), importers' price over that of the base year (N,), their mean."""

    flows: Floats
    price: Floats
    world_price: float


def isoelastic(case: Situation, e: Elasticities) -> Cleared:
    """Return the equilibrium of isoelastic curves (equation E69).

    Importer j values origin i so that ``f_ij = f0_ij (m_j / l_i)^s``, buys ``m_j^-d`` times its base, and
    exporter i ships ``l_i^e`` times its base.  Given the exporters' prices l, those of the importers m have a
    closed form, and the other way round; alternating the two closes both.

    Raises:
        SolverError: it does not close.
    """
    records = case.records
    flows = _base(case, e.averaged)
    shipped, bought = exports_of(records, flows), imports_of(records, flows)
    fixed = np.zeros(len(shipped), dtype=np.bool_)
    fixed[list(case.cutting)] = True
    target = np.where(fixed, np.maximum(case.known_exports, 1e-12 * bought.sum()), shipped)
    power = np.where(fixed, e.substitution, e.substitution + e.supply)
    seller, buyer = np.ones(len(shipped)), np.ones(len(bought))
    i, j = records.exporter, records.importer
    for _ in range(MOST_ROUNDS):
        offered = imports_of(records, flows * seller[i] ** -e.substitution)
        buyer = _ratio(bought, offered) ** (1 / (e.substitution + e.demand))
        wanted = exports_of(records, flows * buyer[j] ** e.substitution)
        new = _ratio(wanted, target) ** (1 / power)
        change = float(np.abs(np.log(new / seller)).max(initial=0.0))
        seller = new
        if change < 1e-7:
            break
    else:
        raise SolverError("the isoelastic market does not close", cure="Give a larger elasticity of supply.")
    cleared = flows * (buyer[j] / seller[i]) ** e.substitution
    return Cleared(cleared, buyer, _mean(imports_of(records, cleared), buyer))


def linear(case: Situation, e: Elasticities) -> Cleared:
    """Return the equilibrium of straight lines through the base point, by the engine's solver.

    Prices are relative to the base year.  Supply, demand and every route are calibrated so that nothing
    changes without a cut: ``1 + (s - s0) / (e s0)``, ``1 - (d - d0) / (d s0)`` and a premium
    ``(f - f0) / (s f0)`` on each route (positive mathematical programming).

    Raises:
        SolverError, InfeasibleError: as :func:`evernormal.market.solver.solve`.
    """
    records, all_flows = case.records, _base(case, e.averaged)
    world = float(all_flows.sum())
    used = np.flatnonzero(all_flows > SMALLEST * world)
    flows = all_flows[used] / world
    sellers, i = np.unique(records.exporter[used], return_inverse=True)
    buyers, j = np.unique(records.importer[used], return_inverse=True)
    shipped, bought = np.bincount(i, flows), np.bincount(j, flows)
    fixed = np.isin(sellers, list(case.cutting))
    kept = _ratio(case.known_exports, exports_of(records, all_flows))[sellers]
    m, n, links = len(sellers), len(buyers), len(used)
    slope_supply = 1 / (max(e.supply, 1e-6) * shipped)
    quadratic = np.concatenate([slope_supply, 1 / (e.demand * bought), 1 / (e.substitution * flows)])
    start = np.concatenate([shipped, bought, flows])
    cost = np.concatenate([np.ones(m), -np.ones(n), np.zeros(links)])
    columns = np.arange(links)
    by_seller = sparse.csc_array((np.ones(links), (i, columns)), (m, links))
    by_buyer = sparse.csc_array((np.ones(links), (j, columns)), (n, links))
    equality = sparse.block_array(
        [[sparse.eye_array(m), None, -by_seller], [None, -sparse.eye_array(n), by_buyer]], format="csc"
    )
    lower, upper = np.zeros(len(start)), np.full(len(start), np.inf)
    lower[:m][fixed] = upper[:m][fixed] = (kept * shipped)[fixed]
    program = QuadraticProgram(
        sparse.csc_array(sparse.diags_array(quadratic)),
        cost - quadratic * start,
        equality,
        np.zeros(m + n),
        lower,
        upper,
    )
    with threadpool_limits(1, "blas"):
        plan = solve(program).x
    out = case.pro_rata.copy()
    out[used] = plan[m + n :] * world
    price = np.ones(len(records.countries))
    price[buyers] = 1 - (plan[m : m + n] - bought) / (e.demand * bought)
    return Cleared(out, price, _mean(imports_of(records, out), price))


def _base(case: Situation, averaged: float) -> Floats:
    """Return the base year's flows with the cutting exporters uncut."""
    if averaged == 0:
        return case.base
    return np.where(case.of_cutting, case.base, averaged_base(case, averaged))


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.ones_like(above), where=(above > 0) & (below > 0))


def _mean(weight: Floats, price: Floats) -> float:
    return float(weight @ price / weight.sum()) if weight.sum() > 0 else 1.0
