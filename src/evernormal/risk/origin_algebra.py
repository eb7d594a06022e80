"""The linear algebra of origins: who made what a country ships, exactly, however often it changed hands.

Matrices are dense, ``(countries, countries)``; rows are who holds or ships, columns who made.  A row sums to
at most 1; what is missing is of unknown origin and stays so (law 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from evernormal.errors import BalanceError, InputError, LabelError

__all__ = ["RULES", "Bounded", "Pooled", "Rule", "drawn", "open_link", "origin_matrix", "tightened"]

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Rule = Literal["mixed", "own-first", "bought-first"]

RULES: tuple[Rule, ...] = ("mixed", "own-first", "bought-first")
"""What a country's shipments are drawn from: both sources in proportion, its own production first, or what it
bought first."""

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Bounded:
    """A matrix with a central value and an interval; each entry of ``low`` <= ``middle`` <= ``high``."""

    middle: Floats
    low: Floats
    high: Floats

    def then(self, other: Bounded) -> Bounded:
        """Return the product with the rows of ``other``, one per column; exact when both are."""
        if self.is_exact and other.is_exact:
            return Bounded.exact(self.middle @ other.middle)
        return Bounded(self.middle @ other.middle, self.low @ other.low, self.high @ other.high)

    def rows(self, places: Places) -> Bounded:
        """Return some rows."""
        if self.is_exact:
            return Bounded.exact(self.middle[places])
        return Bounded(self.middle[places], self.low[places], self.high[places])

    def columns(self, places: Places) -> Bounded:
        """Return some columns."""
        if self.is_exact:
            return Bounded.exact(self.middle[:, places])
        return Bounded(self.middle[:, places], self.low[:, places], self.high[:, places])

    @property
    def is_exact(self) -> bool:
        """Whether there is no interval."""
        return self.low is self.middle and self.high is self.middle

    @classmethod
    def exact(cls, values: Floats) -> Bounded:
        """Return a matrix without uncertainty."""
        return cls(values, values, values)


@dataclass(frozen=True)
class Pooled:
    """One form in one year under one rule.

    Attributes:
        shipped: share of what a country ships that each country made.
        own: share of what a country uses or converts that it made itself.
        bought: share of what a country ships that it bought before (0 where it ships nothing).
        bought_from: share of a country's imports by direct supplier.
    """

    shipped: Floats
    own: Floats
    bought: Floats
    bought_from: Floats

    def imported(self, rows: Places) -> Floats:
        """Share of what some countries import that each country made."""
        suppliers = self.bought_from[rows]
        places = np.flatnonzero(suppliers.any(axis=0))
        made: Floats = suppliers[:, places] @ self.shipped[places]
        return made

    def used(self, rows: Places) -> Floats:
        """Share of what some countries use or convert that each country made."""
        made = (1.0 - self.own[rows])[:, None] * self.imported(rows)
        made[np.arange(len(rows)), rows] += self.own[rows]
        return made


def origin_matrix(production: npt.ArrayLike, flows: npt.ArrayLike) -> Floats:
    """Return who made what every country uses, with re-exports taken out (equation E113).

    Each country's production and imports are one pool from which its exports and its use are drawn in
    proportion.  Loops of re-export are solved exactly, by one linear system.

    Args:
        production: tonnes made per country, ``(n,)``.
        flows: tonnes shipped from row to column, ``(n, n)``; the diagonal is ignored.

    Returns:
        Tonnes used in the row country that the column country made.  Rows sum to use (production + imports -
        exports), columns to production.

    Raises:
        LabelError: shapes that do not fit.
        InputError: a negative or unknown amount.
        BalanceError: a country ships more than it makes and buys; names its place.

    The worked example: A makes 100 and ships 60 to B, B makes 20 and ships 40 to C.  Of the 40, 30 are A's.

    >>> origin_matrix([100, 20, 0], [[0, 60, 0], [0, 0, 40], [0, 0, 0]]).round(9).tolist()
    [[40.0, 0.0, 0.0], [30.0, 10.0, 0.0], [30.0, 10.0, 0.0]]
    """
    made, traded = _amounts(production, flows)
    pool = made + traded.sum(axis=0)
    used = pool - traded.sum(axis=1)
    short = np.flatnonzero(used < -_TOLERANCE * max(float(pool.max(initial=0.0)), 1e-300))
    if short.size:
        raise BalanceError(
            f"more is shipped than made and bought at place {', '.join(map(str, short[:5]))}",
            where="flows",
            cure="Raise production there, or balance the flows first.",
        )
    # A[j, i]: share of i's pool that goes to j.  (I - A) x = p.
    share = np.divide(traded, pool[:, None], out=np.zeros_like(traded), where=pool[:, None] > 0).T
    pools = np.linalg.solve(np.eye(len(made)) - share, np.diag(made))
    kept = np.divide(np.maximum(used, 0.0), pool, out=np.zeros_like(pool), where=pool > 0)
    answer: Floats = kept[:, None] * pools
    return answer


def _amounts(production: npt.ArrayLike, flows: npt.ArrayLike) -> tuple[Floats, Floats]:
    made = np.asarray(production, dtype=np.float64)
    traded = np.array(flows, dtype=np.float64)
    if made.ndim != 1 or traded.shape != (len(made), len(made)):
        raise LabelError(
            f"production has shape {made.shape}, flows {traded.shape}",
            cure="Give n amounts and an n by n table of flows, row to column.",
        )
    for name, values in (("production", made), ("flows", traded)):
        if not (np.isfinite(values).all() and (values >= 0).all()):
            raise InputError(f"{name} must be known and at least 0", where=name)
    np.fill_diagonal(traded, 0.0)
    return made, traded


def drawn(flows: Floats, production: Floats, rule: Rule) -> Pooled:
    """Return who made what every country ships and uses (equation E114).

    With ``e`` the makers of a country's shipments, ``W`` the direct suppliers of its imports and ``r`` the
    share of its shipments that it bought: ``e = o + r W e``.  The rule sets ``r``: under ``mixed`` it is
    imports over the pool, which gives the same answer as :func:`origin_matrix`.

    Args:
        flows: tonnes from row to column, diagonal 0.
        production: tonnes made per country.
        rule: one of :data:`RULES`.

    What a country ships beyond its imports without making any is of unknown origin.
    """
    bought, sold = flows.sum(axis=0), flows.sum(axis=1)
    made = np.where(production > 0, np.maximum(production, sold - bought), production)
    own, through = _shipment(made, bought, sold, rule)
    suppliers = np.divide(flows.T, bought[:, None], out=np.zeros_like(flows), where=bought[:, None] > 0)
    through = _reaching(own, through, suppliers)
    hubs, shipped = np.flatnonzero(through > 0), np.diag(own)
    if hubs.size:
        chained = through[hubs][:, None] * suppliers[hubs]
        inside = np.eye(hubs.size) - chained[:, hubs]
        others = np.setdiff1d(np.flatnonzero(own > 0), hubs)
        shipped[np.ix_(hubs, hubs)] = np.linalg.solve(inside, np.diag(own[hubs]))
        if others.size:
            from_others = chained[:, others] * own[others][None, :]
            shipped[np.ix_(hubs, others)] = np.linalg.solve(inside, from_others)
    shipped = np.clip(shipped, 0.0, 1.0)
    return Pooled(shipped, _use(made, bought, sold, rule), through, suppliers)


def _shipment(made: Floats, bought: Floats, sold: Floats, rule: Rule) -> tuple[Floats, Floats]:
    """Share of shipments that is a country's own, and that it bought."""
    out = np.zeros_like(made)
    if rule == "own-first":
        own = np.minimum(made, sold)
        rest = np.minimum(sold - own, bought)
    elif rule == "bought-first":
        rest = np.minimum(bought, sold)
        own = np.minimum(sold - rest, made)
    else:
        pool = np.maximum(made + bought, sold)
        own = sold * np.divide(made, pool, out=out.copy(), where=pool > 0)
        rest = sold * np.divide(bought, pool, out=out.copy(), where=pool > 0)
    return (
        np.divide(own, sold, out=out.copy(), where=sold > 0),
        np.divide(rest, sold, out=out.copy(), where=sold > 0),
    )


def _use(made: Floats, bought: Floats, sold: Floats, rule: Rule) -> Floats:
    """Share of use that is a country's own production; that of the pool where nothing is left to use."""
    if rule == "own-first":
        own, other = np.maximum(made - sold, 0.0), np.maximum(bought - np.maximum(sold - made, 0.0), 0.0)
    elif rule == "bought-first":
        own, other = np.maximum(made - np.maximum(sold - bought, 0.0), 0.0), np.maximum(bought - sold, 0.0)
    else:
        own, other = made, bought
    nothing = own + other <= 0
    own, other = np.where(nothing, made, own), np.where(nothing, bought, other)
    total = own + other
    share: Floats = np.divide(own, total, out=np.zeros_like(own), where=total > 0)
    return share


def _reaching(own: Floats, through: Floats, suppliers: Floats) -> Floats:
    """Set ``through`` to 0 where no maker stands at the far end: hubs that only ship to each other.

    What they ship is of unknown origin; without this the system would be singular.
    """
    known = (own > 0) | (through < 1.0 - _TOLERANCE)
    while True:
        more = known | ((suppliers > 0) & known[None, :]).any(axis=1)
        if (more == known).all():
            return np.where(known, through, 0.0)
        known = more


def open_link(supply: Floats, need: Floats, *, world: bool) -> Bounded:
    """Return from which country's supply each country's need is met when the trade between is not recorded.

    Equation E116.  Own supply serves own need first; deficits are met from what others have left over, in
    proportion to it, and the interval is what the totals allow: a deficit takes from one surplus no more than
    the smaller of the two, and no less than what all others together cannot give.

    Args:
        supply: tonnes that a country has to convert.
        need: tonnes that it converts, in the same contained unit; scaled down when the world's need exceeds
            its supply.
        world: instead mix the supply of the whole world for everyone: the other extreme.

    >>> link = open_link(np.array([10.0, 60.0, 30.0]), np.array([80.0, 0.0, 20.0]), world=False)
    >>> link.middle[0].round(4).tolist(), link.high[0].round(4).tolist()
    ([0.125, 0.75, 0.125], [0.125, 0.75, 0.125])
    """
    count, total = len(supply), float(supply.sum())
    if total <= 0:
        return Bounded.exact(np.zeros((count, count)))
    if world:
        return Bounded.exact(np.tile(supply / total, (count, 1)))
    wanted = need * min(1.0, total / need.sum()) if need.sum() > 0 else need
    home = np.minimum(supply, wanted)
    left, short = supply - home, wanted - home
    spare = float(left.sum())
    mixed = left / spare if spare > 0 else np.zeros(count)
    active = wanted > 0
    at_home = np.divide(home, wanted, out=(supply > 0).astype(np.float64), where=active)
    missing = np.divide(short, wanted, out=(supply <= 0).astype(np.float64), where=active)
    scale = np.where(active, wanted, 1.0)[:, None]
    least = np.maximum(short[:, None] - (spare - left)[None, :], 0.0) / scale
    most = np.minimum(short[:, None], left[None, :]) / scale
    outside = ~active & (supply <= 0)  # converts nothing that is recorded: any of the surplus, or none
    least, most = np.where(outside[:, None], 0.0, least), np.where(outside[:, None], left > 0, most)
    diagonal = np.diag(at_home)
    middle = diagonal + missing[:, None] * mixed[None, :]
    return Bounded(middle, np.minimum(diagonal + least, middle), np.maximum(diagonal + most, middle))


def tightened(middle: Floats, low: Floats, high: Floats, loose: Floats) -> tuple[Floats, Floats]:
    """Return the interval of shares of a whole: no share exceeds what the least of all others leave.

    Args:
        middle: shares per row, last axis.
        low: low ends.
        high: high ends.
        loose: share of each row whose origin is unknown, which may belong to anyone.
    """
    top = np.minimum(high + loose[..., None], 1.0)
    least_of_others = low.sum(axis=-1, keepdims=True) - low
    top = np.minimum(top, np.maximum(1.0 - least_of_others, 0.0))
    most_of_others = top.sum(axis=-1, keepdims=True) - top + loose[..., None]
    bottom = np.maximum(low, 1.0 - most_of_others)
    return np.minimum(bottom, middle), np.maximum(top, middle)
