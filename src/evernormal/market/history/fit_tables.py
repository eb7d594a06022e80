"""Write what is fitted on the shipped trade: coefficients, cross-validated errors, scores.

``python -m evernormal.market.history.fit_tables DIR`` writes four tables into a folder; it takes two
minutes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from evernormal.data import scan_trade
from evernormal.market.history.cross_validation import KNOWN, elasticity_errors, elasticity_intervals
from evernormal.market.history.episodes import registry
from evernormal.market.history.folds import FOLDS, folds_of
from evernormal.market.history.intervals import ErrorRow, error_rows
from evernormal.market.history.prices import PRICE_TERMS, PRICE_TERMS_WITH_FACTOR, PriceRows, fit_prices
from evernormal.market.history.records import arrange
from evernormal.market.history.reduced_form import terms_of
from evernormal.market.history.runs import Fitted, Ground, cross_validated, frozen, ground
from evernormal.market.history.score_tables import episode_table, score_table
from evernormal.market.history.shipped import ELASTICITY_SIDE, PRICE_SIDE

__all__ = ["fit_tables"]

_Row = tuple[str, str, str, float, float]


def fit_tables() -> dict[str, str]:
    """Return the text of each table by name."""
    trade = arrange(scan_trade().collect(), revision="HS1992")
    on = ground(trade, registry(), registry("wider"))
    tried, fitted = cross_validated(on, registry())
    train, held = frozen(on)
    errors = error_rows(tried)
    scores = score_table({"cross-validated": tried, "train": train, "held-out": held}, errors)
    rows = [*_forms(fitted), *_prices(on.prices), *_elasticities(on, fitted)]
    rows += [("", "code", code, float("nan"), float("nan")) for code in trade.codes]
    header = ["known", "side", "term", "value", "standard_error"]
    return {
        "reduced_form.csv": _csv(pl.DataFrame(rows, schema=header, orient="row")),
        "backtest_errors.csv": _csv(_errors(errors)),
        "backtest_scores.csv": _csv(scores),
        "backtest_episodes.csv": _csv(episode_table(tried, errors, {})),
    }


def _forms(fitted: Fitted) -> Iterator[_Row]:
    for known, form in ((KNOWN[0], fitted.plain), (KNOWN[1], fitted.with_factor)):
        for side, term, value, error in terms_of(form):
            yield known, side, term, value, error


def _prices(rows: PriceRows) -> Iterator[_Row]:
    folds = folds_of(str(code) for code in np.unique(rows.code))
    for known, names in ((KNOWN[0], PRICE_TERMS), (KNOWN[1], PRICE_TERMS_WITH_FACTOR)):
        with_factor = known == KNOWN[1]
        whole = fit_prices(rows, with_factor=with_factor).values
        left = np.stack(
            [
                fit_prices(
                    rows, with_factor=with_factor, without=[c for c, fold in folds.items() if fold == number]
                ).values
                for number in range(FOLDS)
            ]
        )
        error = np.sqrt((FOLDS - 1) / FOLDS * ((left - left.mean(axis=0)) ** 2).sum(axis=0))
        for name, value, spread in zip(names, whole, error, strict=True):
            yield known, PRICE_SIDE, name, float(value), float(spread)


def _elasticities(on: Ground, fitted: Fitted) -> Iterator[_Row]:
    errors, rule = elasticity_errors(on.trade, on.episodes)
    ends = elasticity_intervals(errors, rule, [e.code for e in on.episodes])
    for name, (low, high) in ends.items():
        value = float(getattr(fitted.elasticities, name))
        yield KNOWN[0], ELASTICITY_SIDE, name, value, float("nan")
        yield KNOWN[0], f"{ELASTICITY_SIDE}, 10 %", name, low, float("nan")
        yield KNOWN[0], f"{ELASTICITY_SIDE}, 90 %", name, high, float("nan")


def _errors(rows: Sequence[ErrorRow]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "group": row.group,
                "error": row.error,
                "scale": row.scale,
                "code": row.code,
                "policy": row.policy,
                "episode": row.episode,
            }
            for row in rows
        ]
    )


def _csv(table: pl.DataFrame) -> str:
    """Six significant digits: the last ones of a fit depend on the machine."""
    floats = [name for name, dtype in table.schema.items() if dtype.is_float()]
    return table.with_columns(
        pl.col(name)
        .fill_nan(None)
        .map_elements(lambda value: f"{value:.6g}", return_dtype=pl.String, skip_nulls=True)
        for name in floats
    ).write_csv()


if __name__ == "__main__":
    for name, text in fit_tables().items():
        (Path(sys.argv[1]) / name).write_text(text, "utf-8")
