"""The reduced form: what trade of the next year is, learned from 30 years of it.

It is no equilibrium.  It says by what factor a forecaster who looks only at the past should correct the
pro-rata cut, and stands on top of the engine under its own name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from evernormal.errors import InputError
from evernormal.market.history.common_factor import CommonFactor, YearFactor
from evernormal.market.history.features import SIDES
from evernormal.market.history.least_absolute import least_absolute
from evernormal.market.history.panel import Panel
from evernormal.market.history.records import imports_of
from evernormal.market.history.situation import Situation

__all__ = ["FACTOR_TERMS", "Coefficients", "ReducedForm", "fit", "fit_folds", "terms_of"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FACTOR_TERMS = ("common_tonnes", "common_unit_value")
THIN = (16, 4)
"""A fit starts from the coefficients of every sixteenth row, then of every fourth."""

THREADS = 2
"""Folds that are fitted at a time; each is fitted alone, so that their number changes no bit (law 6)."""


@dataclass(frozen=True)
class Coefficients:
    """Coefficients of one side.

    Attributes:
        names: of the terms.
        values: (K,).
        error: (K,) standard error; nan where it was not estimated.
    """

    names: tuple[str, ...]
    values: Floats
    error: Floats


@dataclass(frozen=True)
class ReducedForm:
    """Coefficients of importers, exporters and routes, with or without the year's common factor."""

    sides: Mapping[str, Coefficients]
    with_factor: bool = False

    def amounts(self, case: Situation, factor: YearFactor | None = None) -> dict[str, Floats]:
        """Return the median forecast of every side, each by itself (equation E66).

        Args:
            case: what is known.
            factor: the year's common factor, for coefficients that were fitted with it.

        Returns:
            ``importers`` (N,): tonnes received.  ``exporters`` (N,): tonnes shipped, those of the cutting
            exporters as known.  ``routes`` (P,): tonnes of each pair.  They need not add up; see
            :func:`evernormal.market.history.closing.close`.

        Raises:
            InputError: a factor is missing, or given to coefficients without one.
        """
        if self.with_factor != (factor is not None):
            raise InputError(
                "these coefficients need the year's common factor"
                if self.with_factor
                else "these coefficients know no common factor"
            )
        found: dict[str, Floats] = {}
        for side in SIDES:
            rows = side.rows(case, 1e-5)
            known = self.sides[side.name]
            matrix = rows.matrix
            if factor is not None:
                matrix = np.column_stack([matrix, np.tile(np.asarray(factor), (len(matrix), 1))])
            amount = side.before(case)
            amount[rows.place] = rows.base * np.maximum(matrix @ known.values, 0.0)
            found[side.name] = amount
        return _combined(case, found)


def _combined(case: Situation, found: Mapping[str, Floats]) -> dict[str, Floats]:
    """Put what is known beside what is forecast: the cutting exporters' flows and totals.

    An importer's total is forecast twice, from its own past and from its purchases from everyone else.  The
    two are averaged; the more of its imports the cut takes, the less its own past counts, because that past
    holds what the cutting exporters will not ship again.
    """
    records = case.records
    bought = imports_of(records, case.kept) + found["purchases"]
    total = found["importers"]
    if case.importers_known:
        total = bought
    own = (1 - np.clip(case.importer_loss, 0.0, 1.0)) / 2
    return {
        "importers": own * total + (1 - own) * bought,
        "exporters": found["exporters"] + case.known_exports,
        "routes": found["routes"] + case.kept,
    }


def fit(
    panels: Mapping[str, Panel], *, with_factor: bool = False, start: ReducedForm | None = None
) -> ReducedForm:
    """Return the coefficients that fit every code (equation E65).

    Args:
        panels: training rows by side.
        with_factor: whether the year's common factor is known.
        start: coefficients to start from, fitted on no other rows than these.
    """
    with threadpool_limits(1, "blas"):
        sides = {name: _fitted(part, with_factor, start) for name, part in panels.items()}
    return ReducedForm(sides, with_factor)


def fit_folds(
    panels: Mapping[str, Panel],
    folds: Mapping[str, int],
    whole: ReducedForm,
    starts: Mapping[int, ReducedForm] | None = None,
    numbers: Iterable[int] | None = None,
    factors: CommonFactor | None = None,
) -> tuple[ReducedForm, dict[int, ReducedForm]]:
    """Return the coefficients with standard errors, and those of each fold, fitted without its codes.

    No fold starts from coefficients that saw its codes: a fit that stops early would remember them.  The
    standard errors are the grouped jackknife over the folds.

    Args:
        panels: training rows by side.
        folds: code to fold; codes that are in no fold are always trained on.
        whole: coefficients of all codes.
        starts: coefficients of each fold from which to start, such as those without the common factor.
        numbers: folds to fit; every one when omitted.  Standard errors need them all.
        factors: common factors, made again without the codes of each fold; those of the panels when omitted.
    """
    every = sorted(set(folds.values()))
    wanted = every if numbers is None else sorted(set(numbers))

    def without(number: int) -> ReducedForm:
        sides = {}
        known = factors and factors.without(code for code, fold in folds.items() if fold == number)
        for name, part in panels.items():
            out = np.array([folds.get(code) == number for code in part.codes])
            kept = part.only(~out[part.code])
            kept = kept.with_factors(known) if known else kept
            sides[name] = _fitted(kept, whole.with_factor, starts[number] if starts else None)
        return ReducedForm(sides, whole.with_factor)

    with threadpool_limits(1, "blas"), ThreadPoolExecutor(THREADS) as threads:
        found = dict(zip(wanted, threads.map(without, wanted), strict=True))
    return (_with_errors(whole, list(found.values())) if wanted == every else whole), found


def _fitted(part: Panel, with_factor: bool, start: ReducedForm | None) -> Coefficients:
    names = (*part.names, *FACTOR_TERMS) if with_factor else part.names
    matrix = np.column_stack([part.matrix, part.factor]) if with_factor else part.matrix
    target, weight = part.target, part.weight
    first = _start(start, part.side.name, names)
    for step in THIN if first is None else ():
        thin = slice(None, None, step)
        first = least_absolute(matrix[thin], target[thin], weight[thin], first)
    values = least_absolute(matrix, target, weight, first)
    return Coefficients(names, values, np.full(len(names), np.nan))


def _start(start: ReducedForm | None, side: str, names: tuple[str, ...]) -> Floats | None:
    if start is None:
        return None
    known = dict(zip(start.sides[side].names, start.sides[side].values, strict=True))
    return np.array([known.get(name, 0.0) for name in names])


def _with_errors(whole: ReducedForm, left_out: list[ReducedForm]) -> ReducedForm:
    groups = len(left_out)
    sides = {}
    for name, known in whole.sides.items():
        values = np.stack([form.sides[name].values for form in left_out])
        spread = ((values - values.mean(axis=0)) ** 2).sum(axis=0)
        sides[name] = Coefficients(known.names, known.values, np.sqrt((groups - 1) / groups * spread))
    return ReducedForm(sides, whole.with_factor)


def terms_of(form: ReducedForm) -> Iterator[tuple[str, str, float, float]]:
    """Yield side, term, value and standard error of every coefficient."""
    for name, known in form.sides.items():
        for term, value, error in zip(known.names, known.values, known.error, strict=True):
            yield name, term, float(value), float(error)
