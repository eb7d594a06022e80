"""Where every signed term of the balances stands in the matrix, apart from how large it is.

A term says that a variable enters the balance of a cell in a month with a weight.  The pattern of all terms
is laid out once per network, first month and lags; afterwards only weights are filled in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from evernormal.market.dual_newton import BandedDual

__all__ = ["Layout", "Term"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Term:
    """K items of one block that enter balances; T open months.

    Attributes:
        offset: number of the block's first variable.
        cell: (K,) cell whose balance is entered, -1 for none.
        weight: (K, 1) or (K, T) tonnes per unit of the scaled variable.
        month: (K, T) month of the balance; None: the variable's own.
        seen: (K, T) where the term exists; None: wherever the month is open.
    """

    offset: int
    cell: Integers
    weight: Floats
    month: Integers | None = None
    seen: NDArray[np.bool_] | None = None


class Layout:
    """The pattern of one program: rows are balances cell by cell, ``months`` each.

    Attributes:
        shape: rows and columns.
        months: open months.
        indices: row of every entry, column by column.
        indptr: first entry of every column, and the number of entries.
    """

    def __init__(self, terms: Sequence[Term], row_scale: Floats, months: int, columns: int) -> None:
        self.shape, self.months = (len(row_scale) * months, columns), months
        own = np.arange(months)
        rows, places, self._seen = [], [], []
        for term in terms:
            shape = (len(term.cell), months)
            month = np.broadcast_to(own, shape) if term.month is None else term.month
            seen = (month < months) & (term.cell >= 0)[:, None]
            if term.seen is not None:
                seen = seen & term.seen
            rows.append((term.cell[:, None] * months + month)[seen])
            places.append((term.offset + np.arange(shape[0])[:, None] * months + own)[seen])
            self._seen.append(np.flatnonzero(seen))
        row, column = np.concatenate(rows), np.concatenate(places)
        self._order = np.lexsort((row, column))
        self.indices = row[self._order].astype(np.int32)
        counts = np.bincount(column, minlength=columns)
        self.indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        self._column = column[self._order]
        self._scale = 1.0 / np.repeat(row_scale, months)[self.indices]

    def data(self, terms: Sequence[Term]) -> Floats:
        """Return the entries of the matrix, rows scaled to order one, for terms of this very pattern."""
        weights = [
            np.broadcast_to(term.weight, (len(term.cell), self.months)).reshape(-1)[seen]
            for term, seen in zip(terms, self._seen, strict=True)
        ]
        return np.asarray(np.concatenate(weights)[self._order] * self._scale)

    def stretched(self, data: Floats, width: Floats) -> sparse.csc_matrix:
        """Return the matrix with every column multiplied by its ``width``."""
        return self.matrix(data * width[self._column])

    def matrix(self, data: Floats) -> sparse.csc_matrix:
        """Return the matrix with these entries."""
        made = sparse.csc_matrix((data, self.indices, self.indptr), shape=self.shape, copy=False)
        made.has_sorted_indices = True
        return made

    @cached_property
    def band(self) -> BandedDual | None:
        """Layout of the dual's Hessian; None when balances are coupled too widely."""
        return BandedDual.of(self.matrix(np.ones(len(self.indices))), self.months)
