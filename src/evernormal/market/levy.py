"""Levies that hold reference prices, solved exactly in a market whose curves are straight pieces.

A member's home price is the larger of the reference and of what the last non-member offers at the border; the
levy is the gap between the two.  Written so, a levy and the distance of the price from its reference can
never be positive together: the complementarity of equation E80 holds by construction and only the balance of
the market is left to solve.

The balance is piecewise linear.  For one good its matrices are of the kind M in every piece (off-diagonals
not positive, columns dominant), so that there is one solution and the path from the market without the
mechanism, along which references rise to what is asked, never turns back: it is followed from piece to piece
(Katzenelson 1965; Eaves 1976).  A semismooth Newton method (Qi and Sun 1993) is asked first.  Whatever either
returns is checked against the balance itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from evernormal.errors import SolverError

__all__ = ["Market", "Point", "solve_market"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
States = NDArray[np.int8]

GIVE = 1e-9
"""Slope of a held price in the border price while the path is followed; exactly 0 in the answer."""
CLOSED = 1e-10
"""Largest imbalance of the answer, relative to the scale of its row."""
FAR = 1e6
NUDGE = 1e-9
"""Slope lent to a balance in a piece in which no quantity answers to its price, relative to its row."""
SUNK = 10.0
"""Border prices this many times a reference below zero belong to a reference out of reach."""
ROUNDING = 1e-12
"""A rate this much smaller than what it is the difference of counts as none."""
TOO_FAR = 1e13
"""A step this many times longer than what it repairs comes from a singular system."""
MOST_NEWTON = 40
MOST_ROUNDS = 4
MOST_PIECES = 5_000


@dataclass(frozen=True)
class Market:
    """A piecewise linear market in n unknowns, with K prices as seen and Q quantities.

    Prices seen are ``e = T z + t``, each bent once at its threshold r: ``V = r + above (e - r)`` for e > r,
    ``V = r + below (e - r)`` otherwise.  Quantities are ``q = clip(slope (W V - offset), lower, upper)``; the
    balance is ``N q = b``.

    Attributes:
        view: (K, n) T.
        constant: (K,) t.
        threshold: (K,) r.
        below: (K,) slope of a price seen under its threshold; 0 holds it there.
        above: (K,) slope over the threshold.
        weight: (Q, K) W.
        offset: (Q,).
        slope: (Q,) positive.
        lower: (Q,) smallest quantity, may be ``-inf``.
        upper: (Q,) largest quantity, may be ``inf``.
        incidence: (n, Q) N.
        right: (n,) b.
        scale: (n,) size of each row, positive.
        border: (K,) for a price held by a levy the price seen at the border, a view of the same unknown that
            is not bent; -1 for others.
    """

    view: sparse.csr_array
    constant: Floats
    threshold: Floats
    below: Floats
    above: Floats
    weight: sparse.csr_array
    offset: Floats
    slope: Floats
    lower: Floats
    upper: Floats
    incidence: sparse.csr_array
    right: Floats
    scale: Floats
    border: NDArray[np.int64]

    def seen(self, unknown: Floats) -> tuple[Floats, Floats]:
        """(K,) prices before they are bent, and as seen."""
        plain = self.view @ unknown + self.constant
        gap = plain - self.threshold
        return plain, plain + (np.where(gap > 0, self.above, self.below) - 1.0) * gap

    def quantities(self, prices: Floats) -> Floats:
        """(Q,) quantities at prices as seen."""
        return np.asarray(np.clip(self.slope * (self.weight @ prices - self.offset), self.lower, self.upper))

    def imbalance(self, quantities: Floats) -> Floats:
        """(n,) rows of the balance relative to their scale."""
        return np.asarray((self.incidence @ quantities - self.right) / self.scale)


@dataclass(frozen=True)
class Point:
    """A solved market.

    Attributes:
        unknown: (n,) z.
        plain: (K,) prices before they are bent: what is offered at the border.
        prices: (K,) prices as seen.
        quantities: (Q,).
        residual: largest imbalance, relative to the scale of the rows.
        pieces: pieces that the path crossed, 0 when Newton's method settled it.
        out_of_reach: (K,) held prices that stay below their threshold because nobody sells at the border.
    """

    unknown: Floats
    plain: Floats
    prices: Floats
    quantities: Floats
    residual: float
    pieces: int
    out_of_reach: Booleans


def solve_market(market: Market, start: Floats, calm: Market | None = None) -> Point:
    """Return the point at which a market balances.

    Args:
        market: the market asked about.
        start: (n,) where to start; the balance of ``calm`` when that is given.
        calm: the same market before the change (lower thresholds, other offsets, bounds or right side);
            the path runs from it to ``market``.  Without it the path runs along the imbalance at the start.

    Raises:
        SolverError: neither Newton's method nor the path reached a balanced point.

    Example:
        One member's demand 10 - P, one non-member's supply p - 2, and a reference of 7: three units come in
        at a border price of 5 and bear a levy of 2.

        >>> row = sparse.csr_array
        >>> market = Market(row([[1.0], [1.0]]), np.zeros(2), np.array([7.0, 0.0]), np.array([0.0, 1.0]),
        ...     np.ones(2), row([[-1.0, 0.0], [0.0, 1.0]]), np.array([-10.0, 2.0]), np.ones(2), np.zeros(2),
        ...     np.full(2, np.inf), row([[-1.0, 1.0]]), np.zeros(1), np.ones(1), np.array([1, -1]))
        >>> point = solve_market(market, np.array([6.0]))
        >>> [round(float(price), 9) for price in (*point.prices, *point.quantities)]
        [7.0, 5.0, 3.0, 3.0]
    """
    begin = calm if calm is not None else market
    gone = np.zeros(len(market.threshold), dtype=bool)
    while True:
        free, rest = (_let_go(m, gone) if gone.any() else m for m in (market, begin))
        found = _newton(free, start)
        if found is not None:
            point = _point(free, found, 0, gone)
            break
        held = (free.below == 0) & (free.above > 0)
        yielding = replace(free, below=np.where(held, GIVE, free.below))
        path = _Path(yielding, replace(rest, below=np.where(held, GIVE, rest.below)), start)
        try:
            path.follow()
            point = _polished(free, path, held)
            break
        except SolverError:
            sunk = held & _sunk(free, path.unknown)
            if not sunk.any():
                raise
            gone = gone | sunk
    if gone.any() and (point.prices[gone] > market.threshold[gone] * (1 + 1e-9)).any():
        raise SolverError("a price that was let go lies above its reference", where="reference price")
    return replace(point, out_of_reach=point.out_of_reach | gone)


def _sunk(market: Market, unknown: Floats) -> Booleans:
    """(K,) held prices whose border price has fallen so far that nobody sells there any more."""
    plain = market.view @ unknown + market.constant
    return np.asarray((market.border >= 0) & (plain[market.border] < -SUNK * np.abs(market.threshold)))


def _newton(market: Market, start: Floats) -> Floats | None:
    """Full semismooth Newton steps; None when they do not settle."""
    unknown = start.copy()
    for _ in range(MOST_NEWTON):
        plain, prices = market.seen(unknown)
        raw = market.slope * (market.weight @ prices - market.offset)
        gap = market.imbalance(np.clip(raw, market.lower, market.upper))
        if np.abs(gap).max(initial=0.0) <= 1e-14:
            return unknown
        bent = np.where(plain > market.threshold, market.above, market.below)
        inside = (raw > market.lower) & (raw < market.upper)
        step = _solved(_matrix(market, bent, inside), -gap)
        if step is None:
            return None
        before = unknown
        unknown = unknown + step
        if (unknown == before).all():
            break
    gap = market.imbalance(market.quantities(market.seen(unknown)[1]))
    return unknown if np.abs(gap).max(initial=0.0) <= CLOSED else None


def _matrix(market: Market, bent: Floats, inside: Booleans) -> Floats:
    """(n, n) derivative of the scaled balance in one piece."""
    active = sparse.diags_array(np.where(inside, market.slope, 0.0)) @ market.weight
    full = market.incidence @ (active @ (sparse.diags_array(bent) @ market.view))
    return np.asarray(full.toarray() / market.scale[:, None])


def _solved(matrix: Floats, right: Floats) -> Floats | None:
    """Solve a small dense system after rows and columns are brought to one size.

    Where two unknowns only count together (a price that nobody but exporters pays, and their premium) the
    shortest step is taken; None when the system contradicts itself.
    """
    columns = np.abs(matrix).max(axis=0, initial=0.0)
    columns = np.where(columns > 0, columns, 1.0)
    rows = np.abs(matrix / columns).max(axis=1, initial=0.0)
    rows = np.where(rows > 0, rows, 1.0)
    even, wanted = matrix / columns / rows[:, None], right / rows
    allowed = 1e-9 * max(float(np.abs(wanted).max(initial=0.0)), 1e-300)
    try:
        solution = np.linalg.solve(even, wanted)
        good = float(np.abs(solution).max(initial=0.0)) < TOO_FAR * max(float(np.abs(wanted).max()), 1e-300)
    except np.linalg.LinAlgError:
        good = False
    if not good:
        solution = np.linalg.lstsq(even, wanted, rcond=1e-15)[0]
        if not np.abs(even @ solution - wanted).max(initial=0.0) <= allowed:
            return None
    return np.asarray(solution / columns)


class _Path:
    """The path from one market to another, followed from piece to piece."""

    def __init__(self, market: Market, calm: Market, start: Floats) -> None:
        self.market, self.calm = market, calm
        self.unknown, self.share, self.pieces = start.copy(), 0.0, 0
        self.rest = calm.imbalance(calm.quantities(calm.seen(start)[1])) * calm.scale
        self.absolute = abs(market.weight)
        plain, prices = calm.seen(start)
        gap = plain - calm.threshold
        self.over = (gap > 0) | ((gap == 0) & (market.threshold <= calm.threshold))
        raw = calm.slope * (calm.weight @ prices - calm.offset)
        self.state = np.where(raw < calm.lower, -1, np.where(raw > calm.upper, 1, 0)).astype(np.int8)

    def _between(self, name: str, share: float) -> Floats:
        first, last = getattr(self.calm, name), getattr(self.market, name)
        same = first == last
        with np.errstate(invalid="ignore"):
            mixed = first + share * (last - first)
        return np.asarray(np.where(same, last, mixed))

    def _rate(self, name: str) -> Floats:
        first, last = getattr(self.calm, name), getattr(self.market, name)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(first == last, 0.0, last - first))

    def follow(self) -> None:
        """Go to the end of the path.

        Raises:
            SolverError: a piece without a direction, or more pieces than allowed.
        """
        for _ in range(MOST_PIECES):
            if self.share >= 1.0:
                return
            self._piece()
            self.pieces += 1
        raise SolverError(
            f"the levies were not found within {MOST_PIECES} pieces",
            where="reference price",
            cure="Lower the reference price, or check that prices and quantities have usual sizes.",
        )

    def _piece(self) -> None:
        """Go on in the present piece until the next one begins."""
        m = self.market
        threshold, rising = self._between("threshold", self.share), self._rate("threshold")
        bent = np.where(self.over, m.above, m.below)
        lower, upper = self._between("lower", self.share), self._between("upper", self.share)
        lower_rate, upper_rate = self._rate("lower"), self._rate("upper")
        inside = self.state == 0
        # what moves with the share alone
        view_rate = rising + bent * (self._rate("constant") - rising)
        raw_rate = m.slope * (m.weight @ view_rate - self._rate("offset"))
        moved = np.where(inside, raw_rate, np.where(self.state < 0, lower_rate, upper_rate))
        drift = (m.incidence @ moved - self._rate("right") + self.rest) / m.scale
        slope = _matrix(m, bent, inside)
        step = _solved(slope, -drift)
        if step is None:  # a price to which nothing answers runs to its next bend
            rows = np.abs(slope).max(axis=1, initial=0.0)
            least = NUDGE * np.where(rows > 0, rows, 1.0 / np.maximum(np.abs(self.unknown), 1e-300))
            step = _solved(slope + np.diag(least), -drift)
        if step is None:
            raise SolverError(
                "the path to the reference price ends in a piece without a direction",
                where="reference price",
                cure="Give every supply, use and route a slope.",
            )
        step = np.where(np.abs(step) <= ROUNDING * np.abs(rising).max(initial=0.0), 0.0, step)
        plain = m.view @ self.unknown + self._between("constant", self.share)
        plain_rate = m.view @ step + self._rate("constant")
        prices = plain + (bent - 1.0) * (plain - threshold)
        raw = m.slope * (m.weight @ prices - self._between("offset", self.share))
        seen_rate = view_rate + bent * (m.view @ step)
        raw_rate = m.slope * (m.weight @ seen_rate - self._rate("offset"))
        noise = ROUNDING * m.slope * (self.absolute @ np.abs(seen_rate))
        raw_rate = np.where(np.abs(raw_rate) <= noise, 0.0, raw_rate)
        views = _reach(plain - threshold, plain_rate - rising, self.over)
        low = _reach(raw - lower, raw_rate - lower_rate, self.state >= 0)
        high = _reach(upper - raw, upper_rate - raw_rate, self.state <= 0)
        self._advance(step, views, low, high)

    def _advance(self, step: Floats, views: Floats, low: Floats, high: Floats) -> None:
        length = 1.0 - self.share
        which, index = "", 0
        for name, reach in (("view", views), ("low", low), ("high", high)):
            nearest = int(np.argmin(reach)) if len(reach) else 0
            if len(reach) and reach[nearest] < length:
                length, which, index = float(reach[nearest]), name, nearest
        self.unknown = self.unknown + length * step
        self.share = 1.0 if not which else self.share + length
        if which == "view":
            self.over[index] = ~self.over[index]
        elif which == "low":
            self.state[index] = -1 if self.state[index] == 0 else 0
        elif which == "high":
            self.state[index] = 1 if self.state[index] == 0 else 0


def _reach(distance: Floats, rate: Floats, positive: Booleans) -> Floats:
    """How far to the point at which a distance changes sign, ``inf`` when it moves away from it."""
    towards = np.where(positive, -rate, rate)
    left = np.where(positive, distance, -distance)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.maximum(left, 0.0) / towards
    return np.asarray(np.where((towards > 1e-300) & np.isfinite(left), reach, np.inf))


def _polished(market: Market, path: _Path, held: Booleans) -> Point:
    """Solve the last piece once more without any give; prices out of reach are let go."""
    prices = path.market.seen(path.unknown)[1]
    size = np.maximum(np.abs(market.threshold), 1e-300)
    lost = held & (market.border >= 0) & (market.threshold - prices > 1e-6 * size)
    unknown = path.unknown.copy()
    if lost.any():
        market = _let_go(market, lost)
        for view in np.flatnonzero(lost).tolist():
            unknown[market.view[[view]].indices] = prices[view]
    pieces = path.pieces
    for _ in range(MOST_ROUNDS):
        found = _in_piece(market, unknown, path.over, path.state)
        gap = np.abs(market.imbalance(market.quantities(market.seen(found)[1]))).max(initial=0.0)
        if gap <= CLOSED:
            return _point(market, found, pieces, lost)
        path = _Path(market, market, unknown)
        path.follow()
        pieces, unknown = pieces + path.pieces, path.unknown
    raise SolverError(
        f"the market with levies did not settle (imbalance {gap:.2g})",
        where="reference price",
        cure="Lower the reference price, or check that prices and quantities have usual sizes.",
    )


def _in_piece(market: Market, start: Floats, over: Booleans, state: States) -> Floats:
    """Solve the balance of one piece, twice, so that rounding of the first solution is taken out."""
    unknown = start
    bent = np.where(over, market.above, market.below)
    inside = state == 0
    for _ in range(2):
        plain = market.view @ unknown + market.constant
        prices = plain + (bent - 1.0) * (plain - market.threshold)
        raw = market.slope * (market.weight @ prices - market.offset)
        fixed = np.where(state < 0, market.lower, market.upper)
        step = _solved(_matrix(market, bent, inside), -market.imbalance(np.where(inside, raw, fixed)))
        if step is None:
            break
        unknown = unknown + step
    return unknown


def _let_go(market: Market, lost: Booleans) -> Market:
    """Free the prices that no levy holds; at a border price without end nobody sells there."""
    below, above, threshold = market.below.copy(), market.above.copy(), market.threshold.copy()
    border = market.border[lost]
    below[lost] = above[lost] = 1.0
    below[border] = above[border] = 0.0
    threshold[border] = -FAR * np.abs(threshold[lost])
    return replace(market, below=below, above=above, threshold=threshold)


def _point(market: Market, unknown: Floats, pieces: int, lost: Booleans) -> Point:
    plain, prices = market.seen(unknown)
    quantities = market.quantities(prices)
    worst = float(np.abs(market.imbalance(quantities)).max(initial=0.0))
    return Point(unknown, plain, prices, quantities, worst, pieces, lost)
