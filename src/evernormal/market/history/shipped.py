"""What was fitted on the shipped trade and is shipped: coefficients, errors and scores."""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib.resources import files

import numpy as np

from evernormal.market.history.cross_validation import KNOWN, Models
from evernormal.market.history.equilibria import Elasticities
from evernormal.market.history.families import family_of
from evernormal.market.history.features import SIDES
from evernormal.market.history.folds import folds_of
from evernormal.market.history.intervals import ErrorRow
from evernormal.market.history.prices import PriceModel
from evernormal.market.history.reduced_form import Coefficients, ReducedForm

__all__ = [
    "fold_column",
    "shipped_codes",
    "shipped_errors",
    "shipped_fold",
    "shipped_models",
    "shipped_rows",
]

PRICE_SIDE = "world unit value"
ELASTICITY_SIDE = "fitted equilibrium"


def shipped_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a shipped table of the back-test, as text.

    Args:
        name: ``reduced_form``, ``backtest_errors``, ``backtest_scores`` or ``backtest_episodes``.
    """
    text = files("evernormal.market").joinpath(f"tables/{name}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def fold_column(fold: int) -> str:
    """Return the column of ``reduced_form.csv`` that holds the coefficients of a fold.

    >>> fold_column(3)
    'fold_3'
    """
    return f"fold_{fold}"


def shipped_fold(code: str) -> int | None:
    """Return the fold whose coefficients never saw the code's mineral; None where all of them never did.

    >>> shipped_fold("260400") == shipped_fold("750210"), shipped_fold("380891")
    (True, None)
    """
    return _folds().get(family_of(code))


@lru_cache(maxsize=1)
def _folds() -> dict[str, int]:
    return {family_of(code): fold for code, fold in folds_of(shipped_codes()).items()}


@lru_cache(maxsize=16)
def shipped_models(fold: int | None = None) -> Models:
    """Return the models fitted on the shipped trade: on every code, or on every mineral outside a fold.

    Args:
        fold: as :func:`shipped_fold` says.

    >>> sorted(shipped_models().plain.sides)
    ['exporters', 'importers', 'purchases', 'routes']
    """
    rows = shipped_rows("reduced_form")
    column = "value" if fold is None else fold_column(fold)
    elasticities = {r["term"]: float(r[column]) for r in rows if r["side"] == ELASTICITY_SIDE}
    return Models(
        _form(rows, KNOWN[0], column),
        _form(rows, KNOWN[1], column),
        _price(rows, KNOWN[0], column),
        _price(rows, KNOWN[1], column),
        Elasticities(elasticities["demand"], elasticities["supply"], elasticities["substitution"]),
    )


def _form(rows: list[dict[str, str]], known: str, column: str) -> ReducedForm:
    sides = {}
    for side in SIDES:
        own = [r for r in rows if r["side"] == side.name and r["known"] == known]
        sides[side.name] = Coefficients(
            tuple(r["term"] for r in own),
            np.array([float(r[column]) for r in own]),
            np.array([_number(r["standard_error"] if column == "value" else "") for r in own]),
        )
    return ReducedForm(sides, known == KNOWN[1])


def _price(rows: list[dict[str, str]], known: str, column: str) -> PriceModel:
    values = [float(r[column]) for r in rows if r["side"] == PRICE_SIDE and r["known"] == known]
    return PriceModel(np.array(values), known == KNOWN[1])


@lru_cache(maxsize=1)
def shipped_errors() -> tuple[ErrorRow, ...]:
    """Return the cross-validated errors on the registry's core episodes.

    >>> len({row.episode for row in shipped_errors()}) > 70
    True
    """
    return tuple(
        ErrorRow(
            r["group"], float(r["error"]), float(r["scale"]), r["code"], r["policy"] == "true", r["episode"]
        )
        for r in shipped_rows("backtest_errors")
    )


@lru_cache(maxsize=1)
def shipped_codes() -> frozenset[str]:
    """Return the codes that the shipped coefficients were fitted on."""
    return frozenset(r["term"] for r in shipped_rows("reduced_form") if r["side"] == "code")


def _number(text: str) -> float:
    return float(text) if text else float("nan")
