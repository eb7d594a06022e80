"""The textbook spatial price equilibrium of Samuelson (1952) and of Takayama and Judge (1971), on plain
arrays.

One or several goods, linear inverse supply and demand curves, freight and specific tariffs on every link, and
cross-price terms that need not be symmetric.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from evernormal.errors import InputError, LabelError
from evernormal.market.bloc_arrays import (
    ArrayMechanism,
    LevyKind,
    hold,
    mechanism_of,
    out_of_reach,
    with_levies,
)
from evernormal.market.solver import QuadraticProgram, SolverName, solve
from evernormal.result import Derivation, Lineage, Result

__all__ = ["SpatialProblem", "spatial_equilibrium"]

Floats = NDArray[np.float64]


def spatial_equilibrium(
    supply_intercept: ArrayLike,
    supply_slope: ArrayLike,
    demand_intercept: ArrayLike,
    demand_slope: ArrayLike,
    freight: ArrayLike,
    tariff: ArrayLike | None = None,
    *,
    members: Sequence[int] | None = None,
    reference_price: ArrayLike | None = None,
    levy: LevyKind = "common",
    origin_slope: ArrayLike = 0.0,
    solver: SolverName = "piqp",
) -> Result:
    """Return prices, supply, demand and flows of a spatial price equilibrium (equations E42 to E44).

    Exporter i supplies s_i at the price a_i + B s_i; importer j demands d_j at the price c_j - D d_j.
    Shipping one unit from i to j costs ``freight[i, j] + tariff[i, j]``.  In equilibrium no shipment could
    be made at a profit and none is made at a loss: x_ij >= 0 is complementary to supply price + freight +
    tariff - demand price >= 0.

    With ``members`` and a ``reference_price`` a bloc holds the price of each of its members at or above the
    reference by a levy on what comes from outside; trade among members is free.  The levy is the least that
    does it: it is zero where the price stands above the reference, and where it is positive the price is the
    reference (equation E80).  So while it is positive an exporter's price cut raises the levy and leaves the
    landed price as it was.

    Args:
        supply_intercept: (M,) for one good, (M, G) for G goods; price units.
        supply_slope: (M,), or (M, G), or matrices (M, G, G) with the effect of good h's quantity on good g's
            price in [.., g, h]; for one good also (M, M) with effects across regions.  Price units per
            quantity unit.
        demand_intercept: (N,) or (N, G).
        demand_slope: like ``supply_slope`` for N importers, as the positive D of c - D d; a slope given as
            the negative number of "42 - 3q" is understood (the diagonal must have one sign).
        freight: (M, N), or by good (G, M, N); (M, N, G) is accepted when the shape leaves no doubt.  A route
            that does not exist is ``inf``.
        tariff: specific tariff, shaped like ``freight``; none when omitted.
        members: numbers of the member regions; region r is both exporter r and importer r.
        reference_price: one number; for several goods (G,); by member (K,) or (K, G), NaN where a member
            holds no reference.
        levy: ``common``, the same for every origin; ``by_origin``, each origin's own, which lifts its landed
            price to the reference (equation E81).
        origin_slope: for ``by_origin``, above 0: how much less buyers pay for one more unit of an origin's
            goods than for those of the flows without the mechanism (price units per quantity unit); one
            number or shaped like ``freight``.
        solver: which solver is asked first.

    Returns:
        A Result of kind ``spatial_equilibrium`` with tables ``prices`` (region, good, price: what importers
        pay), ``supply`` (region, good, quantity, price: what exporters get), ``demand`` (region, good,
        quantity) and ``flows`` (exporter, importer, good, quantity).  Regions and goods are numbered from 0.
        With a mechanism ``flows`` also has ``levy`` per unit, and a table ``levies`` (region, exporter, good,
        levy, price, reference_price, quantity, revenue) has one row per member and good with its home price,
        exporter null, or with ``by_origin`` one per origin with its landed price, levy paid; ``residual`` is
        the largest violation of any condition of the equilibrium, relative to the sizes of prices and
        quantities.

    Raises:
        LabelError: shapes that do not fit.
        InputError: values that are not finite, curves that do not slope as curves must, a reference below
            zero, a mechanism without members or without origins outside.
        InfeasibleError: even with every non-member kept out a member's price stays below the reference,
            because members make more than is used at it, or nothing is used at it.
        SolverError: no solver reached the equilibrium.

    Example:
        DEMSLV13 of Miranda and Fackler (2002); published prices 24.346154, 27.346154, 30.346154:

        >>> answer = spatial_equilibrium([9, 3, 18], [1, 2, 1], [42, 54, 51], [3, 2, 1],
        ...                              [[0, 3, 9], [3, 0, 3], [6, 3, 0]])
        >>> [round(p, 6) for p in answer["prices"]["price"]]
        [24.346154, 27.346154, 30.346154]

        The third region holds 33 against the others by a levy of 4.928571 on the 3 units that it buys:

        >>> held = spatial_equilibrium([9, 3, 18], [1, 2, 1], [42, 54, 51], [3, 2, 1],
        ...                            [[0, 3, 9], [3, 0, 3], [6, 3, 0]], members=[2], reference_price=33)
        >>> [round(p, 6) for p in held["prices"]["price"]]
        [22.071429, 25.071429, 33.0]
    """
    problem = _arrange(supply_intercept, supply_slope, demand_intercept, demand_slope, freight, tariff)
    mechanism = mechanism_of(problem, members, reference_price, levy, origin_slope)
    flows = _solve(problem, solver)
    if mechanism is None:
        return _result(problem, flows)
    if problem.separable:
        _require_reach(problem, mechanism, solver)
    held = hold(problem, mechanism, flows)
    return with_levies(_result(problem, held.flow), problem, mechanism, held)


@dataclass(frozen=True)
class SpatialProblem:
    """Stacked form: supply index i * G + g, demand index j * G + g, one link per usable (i, j, g)."""

    supply_intercept: Floats
    supply_matrix: Floats
    demand_intercept: Floats
    demand_matrix: Floats
    link_supply: NDArray[np.int64]
    link_demand: NDArray[np.int64]
    cost: Floats
    goods: int

    @property
    def symmetric(self) -> bool:
        """Whether the slopes are symmetric, so that a quadratic program gives the equilibrium."""
        return all(np.allclose(m, m.T, rtol=1e-12, atol=0) for m in (self.supply_matrix, self.demand_matrix))

    @property
    def separable(self) -> bool:
        """Whether every price depends on its own quantity alone: then a levy never lowers another price."""
        return all(
            np.count_nonzero(m - np.diag(np.diag(m))) == 0 for m in (self.supply_matrix, self.demand_matrix)
        )

    def sums(self) -> tuple[sparse.csc_array, sparse.csc_array]:
        """(supplies, L) and (demands, L) matrices that sum links by their ends."""
        links = np.arange(len(self.cost))
        ones = np.ones(len(self.cost))
        by_supply = sparse.csc_array(
            (ones, (self.link_supply, links)), (len(self.supply_intercept), len(links))
        )
        by_demand = sparse.csc_array(
            (ones, (self.link_demand, links)), (len(self.demand_intercept), len(links))
        )
        return by_supply, by_demand

    def price_of(self, flows: Floats, landed: Floats) -> Floats:
        """(demands,) what importers pay; one that buys nothing sees the cheapest offer, if there is any.

        Args:
            flows: (L,) shipped.
            landed: (L,) what every link's goods cost on landing.
        """
        demand = np.bincount(self.link_demand, flows, len(self.demand_intercept))
        worth = self.demand_intercept - self.demand_matrix @ demand
        offer = np.full(len(worth), np.inf)
        np.minimum.at(offer, self.link_demand, landed)
        tiny = 1e-9 * max(float(np.abs(demand).max(initial=0.0)), 1e-300)
        return np.asarray(np.where((demand > tiny) | np.isinf(offer), worth, offer))


def _arrange(
    supply_intercept: ArrayLike,
    supply_slope: ArrayLike,
    demand_intercept: ArrayLike,
    demand_slope: ArrayLike,
    freight: ArrayLike,
    tariff: ArrayLike | None,
) -> SpatialProblem:
    a, goods = _intercept(supply_intercept, "supply_intercept")
    c, goods_d = _intercept(demand_intercept, "demand_intercept")
    if goods != goods_d:
        raise LabelError(f"supply_intercept has {goods} goods, demand_intercept {goods_d}")
    supply = _slope(supply_slope, a.shape[0], goods, "supply_slope")
    demand = _slope(demand_slope, c.shape[0], goods, "demand_slope")
    diagonal = np.diag(demand)
    if (diagonal <= 0).all() and (diagonal < 0).any():
        demand = -demand
    for name, matrix in (("supply_slope", supply), ("demand_slope", demand)):
        lowest = float(np.linalg.eigvalsh((matrix + matrix.T) / 2).min())
        if lowest < -1e-9 * max(1.0, float(np.abs(matrix).max())):
            raise InputError(
                f"{name} is not monotone (lowest eigenvalue of its symmetric part {lowest:.3g})",
                cure="Supply prices must rise and demand prices fall with quantity.",
            )
    cost = _links(freight, a.shape[0], c.shape[0], goods, "freight")
    if tariff is not None:
        cost = cost + _links(tariff, a.shape[0], c.shape[0], goods, "tariff")
    g, i, j = np.nonzero(np.isfinite(cost))
    if not len(g):
        raise InputError("no usable route: every freight is infinite", where="freight")
    return SpatialProblem(
        a.reshape(-1), supply, c.reshape(-1), demand, i * goods + g, j * goods + g, cost[g, i, j], goods
    )


def _intercept(value: ArrayLike, name: str) -> tuple[Floats, int]:
    array = _finite(value, name)
    if array.ndim == 1:
        return array[:, None], 1
    if array.ndim == 2:
        return array, array.shape[1]
    raise LabelError(f"{name} must have shape (regions,) or (regions, goods), got {array.shape}")


def _slope(value: ArrayLike, regions: int, goods: int, name: str) -> Floats:
    array = _finite(value, name)
    size = regions * goods
    if array.ndim == 0:
        return np.eye(size) * float(array)
    if array.shape == (regions,) and goods == 1:
        return np.diag(array)
    if array.shape == (regions, regions) and goods == 1:
        return array
    if array.shape == (regions, goods) and goods > 1:
        return np.diag(array.reshape(-1))
    if array.shape == (regions, goods, goods):
        full = np.zeros((size, size))
        for r in range(regions):
            block = slice(r * goods, (r + 1) * goods)
            full[block, block] = array[r]
        return full
    if array.shape == (size, size):
        return array
    raise LabelError(
        f"{name} has shape {array.shape}",
        cure=f"Give ({regions},)"
        + (f", ({regions}, {goods}) or ({regions}, {goods}, {goods})." if goods > 1 else "."),
    )


def _numbers(value: ArrayLike, name: str) -> Floats:
    """Return an array of real numbers with at least one entry."""
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} is not an array of real numbers ({error})") from error
    if array.size == 0:
        raise InputError(f"{name} is empty", cure="Give at least one region.")
    return array


def _links(value: ArrayLike, exporters: int, importers: int, goods: int, name: str) -> Floats:
    array = _numbers(value, name)
    if np.isnan(array).any() or (array == -np.inf).any():
        raise InputError(
            f"{name} holds a value that is not a number", cure="Use inf for a route that does not exist."
        )
    if array.shape == (goods, exporters, importers):
        return array
    if array.shape == (exporters, importers):
        return np.broadcast_to(array, (goods, exporters, importers))
    if array.shape == (exporters, importers, goods):
        return np.moveaxis(array, 2, 0)
    raise LabelError(
        f"{name} has shape {array.shape}, which does not fit the curves",
        cure=f"Give ({exporters}, {importers}) or ({goods}, {exporters}, {importers}).",
    )


def _finite(value: ArrayLike, name: str) -> Floats:
    array = _numbers(value, name)
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds a value that is not finite")
    return array


def _solve(problem: SpatialProblem, solver: SolverName) -> Floats:
    return _solve_symmetric(problem, solver) if problem.symmetric else _solve_monotone(problem, solver)


def _require_reach(problem: SpatialProblem, mechanism: ArrayMechanism, solver: SolverName) -> None:
    """Refuse references above the prices with every non-member kept out: no levy raises them more."""
    kept = ~mechanism.levied
    closed = replace(
        problem,
        link_supply=problem.link_supply[kept],
        link_demand=problem.link_demand[kept],
        cost=problem.cost[kept],
    )
    flows = _solve(closed, solver) if kept.any() else np.zeros(0)
    landed = problem.supply_intercept + problem.supply_matrix @ np.bincount(
        closed.link_supply, flows, len(problem.supply_intercept)
    )
    price = closed.price_of(flows, landed[closed.link_supply] + closed.cost)
    low = np.isfinite(mechanism.reference) & (price < mechanism.reference - 1e-9 * np.abs(price))
    if low.any():
        raise out_of_reach(problem.goods, mechanism.reference, price, low)


def _solve_symmetric(problem: SpatialProblem, solver: SolverName) -> Floats:
    """Maximise net social payoff over supply, demand and flows: a quadratic program."""
    by_supply, by_demand = problem.sums()
    m, n, links = len(problem.supply_intercept), len(problem.demand_intercept), len(problem.cost)
    price, size = _scales(problem)
    quadratic = sparse.block_diag(
        [
            problem.supply_matrix * size / price,
            problem.demand_matrix * size / price,
            sparse.csc_array((links, links)),
        ],
        format="csc",
    )
    linear = np.concatenate([problem.supply_intercept, -problem.demand_intercept, problem.cost]) / price
    equality = sparse.block_array(
        [[sparse.eye_array(m), None, -by_supply], [None, -sparse.eye_array(n), by_demand]], format="csc"
    )
    lower = np.zeros(m + n + links)
    program = QuadraticProgram(
        quadratic, linear, equality, np.zeros(m + n), lower, np.full(m + n + links, np.inf)
    )
    return solve(program, solver=solver, tolerance=1e-12).x[m + n :] * size


def _solve_monotone(problem: SpatialProblem, solver: SolverName) -> Floats:
    """Solve the monotone linear complementarity problem x >= 0, Mx + q >= 0, x'(Mx + q) = 0 as a convex
    program."""
    by_supply, by_demand = problem.sums()
    price, size = _scales(problem)
    matrix = (
        by_supply.T @ (problem.supply_matrix @ by_supply) + by_demand.T @ (problem.demand_matrix @ by_demand)
    ) * (size / price)
    constant = (
        problem.supply_intercept[problem.link_supply]
        + problem.cost
        - problem.demand_intercept[problem.link_demand]
    ) / price
    matrix = sparse.csc_array(matrix)
    links = len(problem.cost)
    program = QuadraticProgram(
        sparse.csc_array(matrix + matrix.T),
        constant,
        sparse.csc_array((0, links)),
        np.zeros(0),
        np.zeros(links),
        np.full(links, np.inf),
        sparse.csc_array(-matrix),
        constant,
    )
    return solve(program, solver=solver, tolerance=1e-12).x * size


def _scales(problem: SpatialProblem) -> tuple[float, float]:
    """Typical price and quantity, so that the solver sees numbers of order one."""
    price = float(max(np.abs(problem.demand_intercept).max(), np.abs(problem.supply_intercept).max(), 1e-300))
    slopes = np.concatenate([np.diag(problem.supply_matrix), np.diag(problem.demand_matrix)])
    positive = slopes[slopes > 0]
    return price, price / float(np.median(positive)) if len(positive) else 1.0


def _result(problem: SpatialProblem, flows: Floats) -> Result:
    by_supply, by_demand = problem.sums()
    supply, demand = by_supply @ flows, by_demand @ flows
    supply_price = problem.supply_intercept + problem.supply_matrix @ supply
    price = problem.price_of(flows, supply_price[problem.link_supply] + problem.cost)
    tables = {
        "prices": _by_region(problem.goods, price=price),
        "supply": _by_region(problem.goods, quantity=supply, price=supply_price),
        "demand": _by_region(problem.goods, quantity=demand),
        "flows": pl.DataFrame(
            {
                "exporter": problem.link_supply // problem.goods,
                "importer": problem.link_demand // problem.goods,
                "good": problem.link_supply % problem.goods,
                "quantity": flows,
            }
        ),
    }
    units = {name: {"price": "as given", "quantity": "as given"} for name in tables}
    derivations = (
        Derivation("prices", "price", "E43", ("demand.quantity",), "Price that importers pay."),
        Derivation("supply", "price", "E42", ("supply.quantity",), "Price that exporters get."),
        Derivation(
            "flows", "quantity", "E44", (), "Shipments at which no trade is left unmade or made at a loss."
        ),
    )
    from evernormal import __version__  # noqa: PLC0415 - avoids a cycle at import

    return Result("spatial_equilibrium", tables, units, Lineage(__version__, derivations=derivations))


def _by_region(goods: int, **columns: Floats) -> pl.DataFrame:
    size = len(next(iter(columns.values())))
    index = np.arange(size)
    return pl.DataFrame({"region": index // goods, "good": index % goods, **columns})
