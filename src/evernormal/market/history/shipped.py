"""What was fitted on the shipped trade and is shipped: coefficients, errors and scores."""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib.resources import files

import numpy as np

from evernormal.market.history.cross_validation import KNOWN, Models
from evernormal.market.history.equilibria import Elasticities
from evernormal.market.history.features import SIDES
from evernormal.market.history.intervals import ErrorRow
from evernormal.market.history.prices import PriceModel
from evernormal.market.history.reduced_form import Coefficients, ReducedForm

__all__ = ["shipped_codes", "shipped_errors", "shipped_models", "shipped_rows"]

PRICE_SIDE = "world unit value"
ELASTICITY_SIDE = "fitted equilibrium"


def shipped_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a shipped table of the back-test, as text.

    Args:
        name: ``reduced_form``, ``backtest_errors``, ``backtest_scores`` or ``backtest_episodes``.
    """
    text = files("evernormal.market").joinpath(f"tables/{name}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


@lru_cache(maxsize=1)
def shipped_models() -> Models:
    """Return the models fitted on every code of the shipped trade.

    >>> sorted(shipped_models().plain.sides)
    ['exporters', 'importers', 'purchases', 'routes']
    """
    rows = shipped_rows("reduced_form")
    elasticities = {r["term"]: float(r["value"]) for r in rows if r["side"] == ELASTICITY_SIDE}
    return Models(
        _form(rows, KNOWN[0]),
        _form(rows, KNOWN[1]),
        _price(rows, KNOWN[0]),
        _price(rows, KNOWN[1]),
        Elasticities(elasticities["demand"], elasticities["supply"], elasticities["substitution"]),
    )


def _form(rows: list[dict[str, str]], known: str) -> ReducedForm:
    sides = {}
    for side in SIDES:
        own = [r for r in rows if r["side"] == side.name and r["known"] == known]
        sides[side.name] = Coefficients(
            tuple(r["term"] for r in own),
            np.array([float(r["value"]) for r in own]),
            np.array([_number(r["standard_error"]) for r in own]),
        )
    return ReducedForm(sides, known == KNOWN[1])


def _price(rows: list[dict[str, str]], known: str) -> PriceModel:
    values = [float(r["value"]) for r in rows if r["side"] == PRICE_SIDE and r["known"] == known]
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
