"""Write what is fitted on the shipped trade: coefficients, cross-validated errors, scores.

``python -m evernormal.market.history.fit_tables DIR`` writes four tables into a folder; it takes five
minutes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from evernormal.data import scan_trade
from evernormal.errors import EvernormalError
from evernormal.market.history.asked import asked_episodes
from evernormal.market.history.cross_validation import (
    KNOWN,
    Models,
    Trial,
    elasticity_errors,
    elasticity_intervals,
    try_episode,
)
from evernormal.market.history.episodes import Episode, registry, rejected
from evernormal.market.history.folds import FOLDS, folds_of
from evernormal.market.history.intervals import ErrorRow, error_rows
from evernormal.market.history.prices import PRICE_TERMS, PRICE_TERMS_WITH_FACTOR, PriceRows, fit_prices
from evernormal.market.history.records import arrange
from evernormal.market.history.reduced_form import ReducedForm
from evernormal.market.history.runs import (
    Fitted,
    Ground,
    cross_validated,
    earlier_years,
    frozen,
    ground,
    nothing_learned,
)
from evernormal.market.history.score_tables import SPLITS, episode_table, held_of, score_table
from evernormal.market.history.shipped import ELASTICITY_SIDE, PRICE_SIDE, fold_column
from evernormal.market.history.situation import situation

__all__ = ["fit_tables"]

_Row = tuple[str | float, ...]
_NONE = float("nan")


def fit_tables() -> dict[str, str]:
    """Return the text of each table by name."""
    trade = arrange(scan_trade().collect(), revision="HS1992")
    on = ground(trade, registry(), registry("wider"))
    tried, fitted = cross_validated(on, registry(), every_fold=True)
    train, held = frozen(on)
    trials = {
        SPLITS["mineral"]: tried,
        "train": train,
        "held-out": held,
        SPLITS["code"]: cross_validated(on, registry(), apart="code")[0],
        SPLITS["years"]: earlier_years(on, registry())[0],
        "nothing learned": nothing_learned(on, registry()),
        "smaller cuts": _others(on, fitted, _smaller()),
        "cuts that cleaning rejects": _others(on, fitted, _unclean()),
    }
    errors = error_rows(tried)
    scores = score_table(trials, held_of(trials, errors))
    rows = [*_forms(fitted), *_prices(on.prices, fitted), *_elasticities(on, fitted)]
    rows += [("", "code", code, _NONE, _NONE, *([_NONE] * FOLDS)) for code in trade.codes]
    header = ["known", "side", "term", "value", "standard_error", *map(fold_column, range(FOLDS))]
    return {
        "reduced_form.csv": _csv(pl.DataFrame(rows, schema=header, orient="row")),
        "backtest_errors.csv": _csv(_errors(errors)),
        "backtest_scores.csv": _csv(scores),
        "backtest_episodes.csv": _csv(episode_table(tried, errors, {})),
    }


def _smaller() -> tuple[Episode, ...]:
    """Return the episodes of the wider tier that are none of the core."""
    core = {(e.code, e.year) for e in registry()}
    return tuple(e for e in registry("wider") if (e.code, e.year) not in core)


def _unclean() -> tuple[Episode, ...]:
    """Return the candidates that the rules reject, as if they were cuts."""
    return asked_episodes([(row["code"], row["exporter"], row["year"]) for row in rejected()])


def _others(on: Ground, fitted: Fitted, episodes: Iterable[Episode]) -> tuple[Trial, ...]:
    """Try episodes that nothing was fitted to, by the fold that never saw their mineral."""
    folds, tried = folds_of(on.trade.codes), []
    for one in episodes:
        try:
            case = situation(on.trade.records(one.code), one.exporters, one.year)
        except EvernormalError:  # no known quantity: nothing to try
            continue
        episode = replace(one, lost=case.lost)
        tried.append(try_episode(on.trade, episode, fitted.folds[folds[one.code]], on.factors))
    return tuple(tried)


def _forms(fitted: Fitted) -> Iterator[_Row]:
    for known, form in ((KNOWN[0], fitted.plain), (KNOWN[1], fitted.with_factor)):
        folds = [_form_of(one, known) for _, one in sorted(fitted.folds.items())]
        for side, own in form.sides.items():
            for n, term in enumerate(own.names):
                left = [float(fold.sides[side].values[n]) for fold in folds]
                yield known, side, term, float(own.values[n]), float(own.error[n]), *left


def _form_of(models: Models, known: str) -> ReducedForm:
    return models.with_factor if known == KNOWN[1] else models.plain


def _prices(rows: PriceRows, fitted: Fitted) -> Iterator[_Row]:
    for known, names in ((KNOWN[0], PRICE_TERMS), (KNOWN[1], PRICE_TERMS_WITH_FACTOR)):
        with_factor = known == KNOWN[1]
        whole = fit_prices(rows, with_factor=with_factor).values
        models = [one for _, one in sorted(fitted.folds.items())]
        left = np.stack([(m.price_with_factor if with_factor else m.price).values for m in models])
        error = np.sqrt((FOLDS - 1) / FOLDS * ((left - left.mean(axis=0)) ** 2).sum(axis=0))
        for n, name in enumerate(names):
            yield known, PRICE_SIDE, name, float(whole[n]), float(error[n]), *_floats(left[:, n])


def _floats(values: Iterable[float]) -> list[float]:
    return [float(value) for value in values]


def _elasticities(on: Ground, fitted: Fitted) -> Iterator[_Row]:
    errors, rule = elasticity_errors(on.trade, on.episodes)
    ends = elasticity_intervals(errors, rule, [e.code for e in on.episodes])
    models = [one for _, one in sorted(fitted.folds.items())]
    for name, (low, high) in ends.items():
        value = float(getattr(fitted.elasticities, name))
        left = [float(getattr(one.elasticities, name)) for one in models]
        yield KNOWN[0], ELASTICITY_SIDE, name, value, _NONE, *left
        for end, number in (("10 %", low), ("90 %", high)):
            yield KNOWN[0], f"{ELASTICITY_SIDE}, {end}", name, number, _NONE, *([_NONE] * FOLDS)


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
