"""Prices as seen, quantities and balances of a market, put together piece by piece.

Whatever a policy or a measure changes is given twice: as it is, and as it rests when nobody acts.  At rest
the market balances at base prices, which is where the way to any answer begins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from evernormal.market.levy import Market

__all__ = ["Parts", "Piece", "Terms"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

APART = 1e-4
"""Held prices rest so far below the base price, as a share of it, and no two alike: none bends at once."""

Terms = list[tuple[Integers, ArrayLike]]
"""Pairs of indices and coefficients, one row per quantity; an index of -1 is left out."""


@dataclass(frozen=True)
class Piece:
    """A group of quantities of one kind.

    Attributes:
        place: where they stand among all quantities.
        region: (k,) region index of whoever decides on them.
        form: (k,) form index.
        item: (k,) index of the route, use, conversion or project behind each; -1 for none.
    """

    place: slice
    region: Integers
    form: Integers
    item: Integers


@dataclass
class _Column:
    """One array of the market: as it is and at rest."""

    now: list[Floats] = field(default_factory=list)
    rest: list[Floats] = field(default_factory=list)

    def add(self, now: ArrayLike, rest: ArrayLike | None, size: int) -> None:
        self.now.append(np.broadcast_to(np.asarray(now, dtype=float), size).copy())
        still = now if rest is None else rest
        self.rest.append(np.broadcast_to(np.asarray(still, dtype=float), size).copy())

    def whole(self, resting: bool) -> Floats:
        return np.concatenate([*(self.rest if resting else self.now), np.zeros(0)])


class Parts:
    """Builder of a :class:`~evernormal.market.levy.Market` with one balance and one unknown per row."""

    def __init__(self) -> None:
        self.rows = 0
        self.views = 0
        self.count = 0
        self.pieces: dict[str, Piece] = {}
        self._columns = {
            name: _Column()
            for name in (
                "start", "scale", "right", "constant", "threshold", "below", "above", "border",
                "offset", "slope", "lower", "upper",
            )
        }  # fmt: skip
        self._triplets: dict[str, list[tuple[Integers, Integers, Floats]]] = {
            "view": [],
            "weight": [],
            "incidence": [],
        }

    def add_rows(
        self, start: ArrayLike, scale: Floats, right: ArrayLike = 0.0, rest: ArrayLike | None = None
    ) -> Integers:
        """Add balances and their unknowns; return their indices."""
        size = len(scale)
        for name, now, still in (("start", start, None), ("scale", scale, None), ("right", right, rest)):
            self._columns[name].add(now, still, size)
        self.rows += size
        return np.arange(self.rows - size, self.rows)

    def add_views(
        self,
        row: Integers,
        *,
        constant: ArrayLike = 0.0,
        rest_constant: ArrayLike | None = None,
        threshold: ArrayLike = 0.0,
        rest_threshold: ArrayLike | None = None,
        below: ArrayLike = 1.0,
        above: ArrayLike = 1.0,
        rest_slope: ArrayLike | None = None,
        border: ArrayLike = -1,
    ) -> Integers:
        """Add prices as seen, one per unknown in ``row``; return their indices."""
        size = len(row)
        place = np.arange(self.views, self.views + size)
        self._triplets["view"].append((place, row, np.ones(size)))
        for name, now, still in (
            ("constant", constant, rest_constant),
            ("threshold", threshold, rest_threshold),
            ("below", below, rest_slope),
            ("above", above, rest_slope),
            ("border", border, None),
        ):
            self._columns[name].add(now, still, size)
        self.views += size
        return place

    def add_piece(
        self,
        name: str,
        *,
        prices: Terms,
        balances: Terms,
        slope: ArrayLike,
        offset: ArrayLike,
        lower: ArrayLike,
        upper: ArrayLike,
        region: Integers,
        form: Integers,
        item: Integers | None = None,
        **rest: ArrayLike,
    ) -> None:
        """Add quantities ``clip(slope (prices - offset), lower, upper)`` that count in ``balances``.

        Args:
            rest: ``rest_offset``, ``rest_lower``, ``rest_upper`` where they differ at rest.
        """
        size = len(region)
        place = np.arange(self.count, self.count + size)
        for kind, terms in (("weight", prices), ("incidence", balances)):
            for index, coefficient in terms:
                given = np.broadcast_to(np.asarray(coefficient, dtype=float), size)
                seen = index >= 0
                pair = (place, index) if kind == "weight" else (index, place)
                self._triplets[kind].append((pair[0][seen], pair[1][seen], given[seen]))
        for column, now in (("slope", slope), ("offset", offset), ("lower", lower), ("upper", upper)):
            self._columns[column].add(now, rest.get(f"rest_{column}"), size)
        self.pieces[name] = Piece(
            slice(self.count, self.count + size),
            region,
            form,
            np.full(size, -1, dtype=np.int64) if item is None else item,
        )
        self.count += size

    def start(self) -> Floats:
        """(n,) unknowns at which the market at rest balances."""
        return self._columns["start"].whole(False)

    def market(self, *, resting: bool = False) -> Market:
        """Return the market as it is, or at rest."""
        arrays: dict[str, Any] = {
            name: column.whole(resting)
            for name, column in self._columns.items()
            if name not in ("start", "border")
        }
        border = self._columns["border"].whole(False).astype(np.int64)
        if resting:
            bends = arrays["below"] != arrays["above"]
            apart = APART * (1.0 + np.arange(self.views) / max(self.views, 1)) * np.abs(arrays["threshold"])
            arrays["threshold"] = arrays["threshold"] - np.where(bends, apart, 0.0)
        return Market(
            view=self._matrix("view", (self.views, self.rows)),
            weight=self._matrix("weight", (self.count, self.views)),
            incidence=self._matrix("incidence", (self.rows, self.count)),
            border=border,
            **arrays,
        )

    def _matrix(self, name: str, shape: tuple[int, int]) -> sparse.csr_array:
        row, column, value = (
            np.concatenate([np.zeros(0, dtype=np.int64), *parts])
            for parts in zip(*self._triplets[name], strict=True)
        )
        return sparse.csr_array((value, (row.astype(np.int64), column.astype(np.int64))), shape=shape)
