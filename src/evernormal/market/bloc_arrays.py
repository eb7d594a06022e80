"""A bloc on the plain arrays of the textbook equilibrium: what is asked, checked, solved and shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from evernormal.errors import InfeasibleError, InputError, LabelError, SolverError, UnknownNameError
from evernormal.market.levy import Market, Point, solve_market
from evernormal.result import Derivation, Result

if TYPE_CHECKING:
    from evernormal.market.spatial import SpatialProblem

__all__ = ["ArrayMechanism", "LevyKind", "hold", "mechanism_of", "out_of_reach", "with_levies"]

Floats = NDArray[np.float64]
LevyKind = Literal["common", "by_origin"]

SOFTNESS = 1e-2
"""Slope of a link in a proximal step, as a share of price over quantity."""
SOFTEST = 1e-4
"""The least of them, after steps that settled slowly."""
CLOSED = 1e-11
"""Residual, relative to price and quantity, at which the proximal steps end at once."""
PROVEN = 8e-9
"""Largest residual of an answer: steep curves leave no smaller one to numbers of sixteen digits."""
MOST_STEPS = 200
STALLED = 8
"""Steps without a smaller residual after which rounding is all that is left."""
FAR = 1e3


@dataclass(frozen=True)
class ArrayMechanism:
    """Reference price of every demand (``-inf``: none), links that bear a levy, how buyers see origins."""

    reference: Floats
    levied: NDArray[np.bool_]
    slope: Floats
    by_origin: bool


@dataclass(frozen=True)
class Levied:
    """An equilibrium with levies.

    Attributes:
        flow: (L,) shipped.
        levy: (L,) levy per unit on every link; 0 where none is due.
        price: (n,) price at home.
        landed: (L,) price of every link's goods on landing, levy paid.
        residual: largest violation of any condition, relative to the sizes of prices and quantities.
        pieces: pieces that the path to the reference crossed; 0 when Newton's method settled it.
    """

    flow: Floats
    levy: Floats
    price: Floats
    landed: Floats
    residual: float
    pieces: int


def mechanism_of(
    problem: SpatialProblem,
    members: Sequence[int] | None,
    reference_price: ArrayLike | None,
    levy: str,
    origin_slope: ArrayLike,
) -> ArrayMechanism | None:
    """Check what is asked and lay it out by demand and link; None when no mechanism is asked."""
    if members is None and reference_price is None:
        return None
    if members is None or reference_price is None:
        missing = "members" if members is None else "reference_price"
        raise InputError("a bloc needs members and a reference price", where=missing, cure=f"Give {missing}.")
    if levy not in ("common", "by_origin"):
        raise UnknownNameError("kind of levy", levy, ("common", "by_origin"), where="levy")
    goods = problem.goods
    inside = _members(members, len(problem.demand_intercept) // goods)
    reference = _reference(reference_price, inside, goods, len(problem.demand_intercept))
    outside = ~np.isin(problem.link_supply // goods, inside)
    levied = outside & np.isfinite(reference[problem.link_demand])
    if not levied.any():
        raise InputError(
            "no route leads from outside to a member that holds a reference price",
            where="members",
            cure="Name fewer members, or give the freight from at least one non-member.",
        )
    slope = _slope(problem, origin_slope, levied, levy == "by_origin")
    return ArrayMechanism(reference, levied, slope, levy == "by_origin")


def _members(members: Sequence[int], regions: int) -> NDArray[np.int64]:
    given = list(members)
    for member in given:
        if isinstance(member, bool) or not isinstance(member, int | np.integer) or not 0 <= member < regions:
            raise UnknownNameError("region", member, [str(r) for r in range(regions)], where="members")
    if not given or len(set(given)) < len(given):
        raise InputError(f"members must name at least one region and each once, got {given}", where="members")
    return np.array(given, dtype=np.int64)


def _reference(price: ArrayLike, members: NDArray[np.int64], goods: int, size: int) -> Floats:
    """(n,) reference price of every demand, ``-inf`` where none is held."""
    try:
        given = np.asarray(price, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"reference_price is not a number ({error})", where="reference_price") from error
    shapes: dict[tuple[int, ...], tuple[int, ...]] = {
        (): (1, 1),
        (len(members), goods): (len(members), goods),
    }
    shapes[(len(members),) if goods == 1 else (goods,)] = (len(members), 1) if goods == 1 else (1, goods)
    if given.shape not in shapes:
        raise LabelError(
            f"reference_price has shape {given.shape}",
            where="reference_price",
            cure=f"Give one of {', '.join(map(str, shapes))}: {len(members)} members, {goods} goods.",
        )
    table = np.broadcast_to(given.reshape(shapes[given.shape]), (len(members), goods))
    if np.isinf(table).any() or (table < 0).any() or np.isnan(table).all():
        raise InputError(
            f"reference_price must be a number of at least 0, got {price!r}",
            where="reference_price",
            cure="Use NaN for a member or a good without a reference.",
        )
    reference = np.full(size, -np.inf)
    cells = members[:, None] * goods + np.arange(goods)
    reference[cells] = np.where(np.isnan(table), -np.inf, table)
    return reference


def _slope(problem: SpatialProblem, given: ArrayLike, levied: NDArray[np.bool_], wanted: bool) -> Floats:
    try:
        slope = np.asarray(given, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"origin_slope is not a number ({error})", where="origin_slope") from error
    exporters = len(problem.supply_intercept) // problem.goods
    importers = len(problem.demand_intercept) // problem.goods
    if slope.shape not in ((), (exporters, importers)):
        raise LabelError(
            f"origin_slope has shape {slope.shape}",
            where="origin_slope",
            cure=f"Give one number or ({exporters}, {importers}).",
        )
    table = np.broadcast_to(slope, (exporters, importers))
    of_link = table[problem.link_supply // problem.goods, problem.link_demand // problem.goods]
    if not wanted:
        if slope.any():
            raise InputError(
                "origin_slope is for levy='by_origin'", where="origin_slope", cure="Leave it out."
            )
        return np.zeros(len(of_link))
    if not (np.isfinite(of_link) & (of_link > 0))[levied].all():
        raise InputError(
            "a levy by origin needs an origin_slope above 0",
            where="origin_slope",
            cure="Origins that all land at the reference price would be bought in any proportion: say how"
            " much less buyers pay for one more unit of an origin's goods.",
        )
    return np.where(levied, of_link, 0.0)


def hold(problem: SpatialProblem, mechanism: ArrayMechanism, flows: Floats) -> Levied:
    """Return the equilibrium with the mechanism, starting from the flows without it.

    Links get a little slope around given flows, which the proximal-point method (Rockafellar 1976) moves on
    until nothing of it is left.

    Raises:
        InfeasibleError: no levy can hold a reference.
        SolverError: the method stopped before every condition held.
    """
    layout = _Layout(problem, mechanism, flows)
    free = np.full_like(mechanism.reference, -np.inf)
    calm, market = layout.market(free, flows), layout.market(mechanism.reference, flows)
    point = solve_market(market, layout.start(flows), calm)
    best, waited = None, 0
    for _ in range(MOST_STEPS):
        if point.out_of_reach.any():
            cells = point.out_of_reach[: layout.n]
            raise out_of_reach(problem.goods, mechanism.reference, point.prices[: layout.n], cells)
        answer = layout.read(point)
        if best is None or answer.residual < 0.5 * best.residual:
            waited = 0
        elif waited > 2 and best.residual > PROVEN:
            layout.soften()
        if best is None or answer.residual < best.residual:
            best = answer
        waited += 1
        if best.residual <= CLOSED or (waited > STALLED and best.residual <= PROVEN):
            break
        now = layout.market(mechanism.reference, answer.flow)
        point, market = solve_market(now, point.unknown, market), now
    if best is None or best.residual > PROVEN:
        raise SolverError(
            f"the levies did not settle in {MOST_STEPS} steps"
            + ("" if best is None else f" (residual {best.residual:.2g})"),
            where="reference_price",
            cure="Lower the reference price, or check that prices and quantities have usual sizes.",
        )
    return best


class _Layout:
    """The unknowns are supplies s and border prices y; links react to prices with a little slope."""

    def __init__(self, problem: SpatialProblem, mechanism: ArrayMechanism, base: Floats) -> None:
        self.problem, self.mechanism, self.base = problem, mechanism, base
        self.m, self.n = len(problem.supply_intercept), len(problem.demand_intercept)
        price = max(np.abs(problem.demand_intercept).max(), np.abs(problem.supply_intercept).max(), 1e-300)
        slopes = np.concatenate([np.diag(problem.supply_matrix), np.diag(problem.demand_matrix)])
        positive = slopes[slopes > 0]
        self.price = float(price)
        self.size = float(price / np.median(positive)) if len(positive) else 1.0
        soft = np.full(len(problem.cost), SOFTNESS * self.price / self.size)
        self.softness = np.where(mechanism.slope > 0, mechanism.slope, soft)

    def soften(self) -> None:
        """Take longer proximal steps: shorter ones were settling too slowly."""
        proximal = self.mechanism.slope == 0
        least = SOFTEST * self.price / self.size
        self.softness = np.where(proximal, np.maximum(self.softness * 0.1, least), self.softness)

    def start(self, flows: Floats) -> Floats:
        """(m + n,) supplies and prices of given flows."""
        k = self.problem
        supply = np.bincount(k.link_supply, flows, self.m)
        return np.concatenate(
            [supply, k.demand_intercept - k.demand_matrix @ np.bincount(k.link_demand, flows, self.n)]
        )

    def market(self, reference: Floats, centre: Floats) -> Market:
        """Return the market with references and with the flows around which links bend.

        Prices seen, in this order: home price of every demand, its border price, what every link's seller
        asks on landing, every supply.
        """
        k, m, n, links = self.problem, self.m, self.n, len(self.problem.cost)
        held = np.isfinite(self.mechanism.reference)
        by_origin, levied = self.mechanism.by_origin, self.mechanism.levied
        low = np.where(np.isfinite(reference), reference, -FAR * self.price)
        home = np.where(held & (not by_origin), low, -FAR * self.price)
        landing = np.where(levied & by_origin, low[k.link_demand], -FAR * self.price)
        none = sparse.csr_array((n, m))
        unit = sparse.eye_array(n, format="csr")
        by_supply, by_demand = k.sums()
        view = sparse.block_array(
            [
                [none, unit],
                [none, unit],
                [by_supply.T @ sparse.csr_array(k.supply_matrix), None],
                [sparse.eye_array(m), None],
            ],
            format="csr",
        )
        buyer = k.link_demand + np.where(levied & held[k.link_demand] & (not by_origin), n, 0)
        rows = np.arange(links)
        weight = sparse.csr_array(
            (
                np.concatenate([np.ones(links), -np.ones(links), np.ones(m + n)]),
                (
                    np.concatenate([rows, rows, links + np.arange(m + n)]),
                    np.concatenate([buyer, 2 * n + rows, 2 * n + links + np.arange(m), np.arange(n)]),
                ),
            ),
            shape=(links + m + n, 2 * n + links + m),
        )
        free = np.concatenate([home, np.zeros(n), landing, np.zeros(m)])
        below = np.ones(len(free))
        below[:n] = np.where(held & (not by_origin), 0.0, 1.0)
        below[2 * n : 2 * n + links] = np.where(levied & by_origin, 0.0, 1.0)
        around = np.where(self.mechanism.slope > 0, self.base, centre)
        border = np.full(len(free), -1, dtype=np.int64)
        border[:n] = np.where(held & (not by_origin), n + np.arange(n), -1)
        incidence = sparse.block_array(
            [
                [-by_supply, sparse.eye_array(m), None],
                [sparse.csr_array(k.demand_matrix) @ by_demand, None, unit],
            ],
            format="csr",
        )
        wide = np.full(m + n, np.inf)
        return Market(
            view,
            np.concatenate([np.zeros(2 * n), k.supply_intercept[k.link_supply] + k.cost, np.zeros(m)]),
            free,
            below,
            np.ones(len(free)),
            weight,
            np.concatenate([-around * self.softness, np.zeros(m + n)]),
            np.concatenate([1.0 / self.softness, np.ones(m + n)]),
            np.concatenate([np.zeros(links), -wide]),
            np.concatenate([np.full(links, np.inf), wide]),
            incidence,
            np.concatenate([np.zeros(m), k.demand_intercept]),
            np.concatenate([np.full(m, self.size), np.full(n, self.price)]),
            border,
        )

    def read(self, point: Point) -> Levied:
        """Return flows and levies, with every condition of the equilibrium recomputed from them."""
        k, mechanism, n = self.problem, self.mechanism, self.n
        j = k.link_demand
        flow = point.quantities[: len(k.cost)]
        price = k.demand_intercept - k.demand_matrix @ np.bincount(j, flow, n)
        supply = np.bincount(k.link_supply, flow, self.m)
        landed = (k.supply_intercept + k.supply_matrix @ supply)[k.link_supply] + k.cost
        held = np.isfinite(mechanism.reference)
        unheld, worth = 0.0, price
        if mechanism.by_origin:
            levy = np.where(mechanism.levied, np.maximum(mechanism.reference[j] - landed, 0.0), 0.0)
            price = k.price_of(flow, landed + levy + mechanism.slope * (flow - self.base))
        else:
            due = np.where(held, np.maximum(mechanism.reference - point.plain[:n], 0.0), 0.0)
            levy = np.where(mechanism.levied, due[j], 0.0)
            price = k.price_of(flow, landed + levy)
            above = np.where(held, price - np.where(held, mechanism.reference, 0.0), np.inf)
            unheld = float(np.abs(np.minimum(due, above)).max(initial=0.0)) / self.price
        loss = landed + levy + mechanism.slope * (flow - self.base) - worth[j]
        traded = float(np.abs(np.minimum(flow / self.size, loss / self.price)).max(initial=0.0))
        return Levied(flow, levy, price, landed + levy, max(traded, unheld), point.pieces)


def out_of_reach(goods: int, reference: Floats, price: Floats, cells: NDArray[np.bool_]) -> InfeasibleError:
    """Say which reference no levy can hold: with every non-member kept out the price is still below it.

    Args:
        goods: number of goods.
        reference: (n,) reference prices.
        price: (n,) prices with every non-member kept out.
        cells: (n,) which of them are out of reach.
    """
    low = np.flatnonzero(cells)
    named = "; ".join(
        f"region {cell // goods}"
        + (f", good {cell % goods}" if goods > 1 else "")
        + f": {price[cell]:.6g} against {reference[cell]:.6g}"
        for cell in low[:5].tolist()
    )
    more = f" and {len(low) - 5} more" if len(low) > 5 else ""
    return InfeasibleError(
        "no levy holds the reference price: with every non-member kept out members' prices stay below it"
        f" ({named}{more})",
        where="reference_price",
        cure="Lower the reference there (NaN holds none), or let the government buy what is too much.",
    )


def with_levies(answer: Result, problem: SpatialProblem, mechanism: ArrayMechanism, held: Levied) -> Result:
    """Add levies, their revenue and the residual to the tables of an equilibrium."""
    flows = answer["flows"].with_columns(levy=pl.Series(held.levy))
    prices = answer["prices"].with_columns(price=pl.Series(held.price))
    goods, cells = problem.goods, problem.link_demand
    rows = []
    for cell in np.flatnonzero(np.isfinite(mechanism.reference)).tolist():
        here = np.flatnonzero(mechanism.levied & (cells == cell))
        groups = [[link] for link in here.tolist()] if mechanism.by_origin else [here.tolist()]
        for group in groups:
            quantity = float(held.flow[group].sum())
            levy = float(held.levy[group[0]]) if group else 0.0
            rows.append(
                {
                    "region": cell // goods,
                    "good": cell % goods,
                    "exporter": int(problem.link_supply[group[0]]) // goods if mechanism.by_origin else None,
                    "levy": levy,
                    "price": float(held.landed[group[0]]) if mechanism.by_origin else float(held.price[cell]),
                    "reference_price": float(mechanism.reference[cell]),
                    "quantity": quantity,
                    "revenue": levy * quantity,
                    "residual": held.residual,
                }
            )
    types = {"region": pl.Int64, "good": pl.Int64, "exporter": pl.Int64}
    numbers = ("levy", "price", "reference_price", "quantity", "revenue", "residual")
    levies = pl.DataFrame(rows, schema={**types, **dict.fromkeys(numbers, pl.Float64)})
    units = {**answer.units, "flows": {**answer.units["flows"], "levy": "as given"}}
    units["levies"] = {**dict.fromkeys(numbers, "as given"), "residual": "1"}
    equation = "E81" if mechanism.by_origin else "E80"
    text = "Least levy that holds the reference price."
    made = Derivation("levies", "levy", equation, ("prices.price",), text)
    lineage = replace(answer.lineage, derivations=(*answer.lineage.derivations, made))
    tables = {**answer.tables, "prices": prices, "flows": flows, "levies": levies}
    return Result(answer.kind, tables, units, lineage, answer.findings, answer.coverage)
