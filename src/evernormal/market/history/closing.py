"""Make a forecast close: what is shipped is what is received, and nothing is negative (law 1).

The medians of importers, exporters and routes are three answers to three questions and do not add up.  Here
they are reconciled: one world total, totals by country, and routes that stay within both totals.  What the
totals hold beyond the routes travels on routes that nobody can name beforehand; it is kept as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evernormal.market.history.records import exports_of, imports_of
from evernormal.market.history.situation import Situation

__all__ = ["Closed", "close", "rake"]

Floats = NDArray[np.float64]
ROUNDS = 200


@dataclass(frozen=True)
class Closed:
    """A forecast that adds up.

    Attributes:
        imports: (N,) tonnes received: the named routes and ``unnamed_imports``.
        exports: (N,) tonnes shipped: the named routes and ``unnamed_exports``.
        flows: (P,) tonnes of the routes of the years before.
        unnamed_imports: (N,) tonnes received on routes that are not named.
        unnamed_exports: (N,) tonnes shipped on routes that are not named; the same sum.
        spread: (P,) the same totals with everything put on the routes of the years before.
    """

    imports: Floats
    exports: Floats
    flows: Floats
    unnamed_imports: Floats
    unnamed_exports: Floats
    spread: Floats


def close(case: Situation, amounts: Mapping[str, Floats]) -> Closed:
    """Return a forecast that adds up from the medians of its three sides (equation E68).

    Args:
        case: what is known; the totals of the cutting exporters are kept exactly.
        amounts: tonnes of ``importers`` (N,), ``exporters`` (N,) and ``routes`` (P,).
    """
    records = case.records
    imports, exports = amounts["importers"], amounts["exporters"].copy()
    known = np.zeros(len(exports), dtype=np.bool_)
    known[list(case.cutting)] = True
    fixed = float(case.known_exports.sum())
    others = float(exports[~known].sum())
    world = float(np.sqrt(imports.sum() * (others + fixed)))
    world = max(world, fixed)
    exports[~known] *= (world - fixed) / others if others > 0 else 0.0
    exports[known] = case.known_exports[known]
    imports = imports * (world / imports.sum()) if imports.sum() > 0 else imports
    flows = _within(case, amounts["routes"], imports, exports)
    spread = rake(case, amounts["routes"], imports, exports)
    return Closed(
        imports,
        exports,
        flows,
        np.maximum(imports - imports_of(records, flows), 0.0),
        np.maximum(exports - exports_of(records, flows), 0.0),
        spread,
    )


def _within(case: Situation, routes: Floats, imports: Floats, exports: Floats) -> Floats:
    """Scale routes down, never up, until no total is exceeded."""
    records, flows = case.records, routes.copy()
    for _ in range(2):
        flows = flows * _at_most_one(exports, exports_of(records, flows))[records.exporter]
        flows = flows * _at_most_one(imports, imports_of(records, flows))[records.importer]
    return flows


def _at_most_one(limit: Floats, sums: Floats) -> Floats:
    return np.minimum(np.divide(limit, sums, out=np.ones_like(sums), where=sums > 0), 1.0)


def rake(case: Situation, routes: Floats, imports: Floats, exports: Floats) -> Floats:
    """Return routes scaled by row and column until they meet both totals.

    Iterative proportional fitting (Deming and Stephan 1940, Annals of Mathematical Statistics 11:427-444).
    A total without any route stays unmet.
    """
    records, flows = case.records, routes
    for _ in range(ROUNDS):
        row = exports_of(records, flows)
        flows = flows * np.divide(exports, row, out=np.ones_like(row), where=row > 0)[records.exporter]
        column = imports_of(records, flows)
        ratio = np.divide(imports, column, out=np.ones_like(column), where=column > 0)
        flows = flows * ratio[records.importer]
        if np.abs(ratio - 1).max(initial=0.0) < 1e-6:
            break
    return flows
