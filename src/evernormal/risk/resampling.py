"""How sure is an indicator?  Its inputs are drawn within what is known of them, and it is computed again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.data.trade_table import TradeTable
from evernormal.errors import InputError, UnknownNameError
from evernormal.network.balance import RELATIVE_SIGMA
from evernormal.result import Derivation, Finding, Lineage, Parameter, Result
from evernormal.risk.cells import EUROPEAN_UNION
from evernormal.risk.momentum_panel import last_year, opened
from evernormal.risk.resampling_cases import Case, Governance, cases_of, governance_of, median_inputs, sample
from evernormal.risk.resampling_indicators import INDICATORS, Indicator

__all__ = ["resample"]

Floats = npt.NDArray[np.float64]

QUANTILES = (0.1, 0.5, 0.9)
_AT_ONCE = 1_000


@dataclass(frozen=True)
class Drawn:
    """One indicator over cases and draws.

    Attributes:
        central: on the inputs as published, (cases,).
        values: (cases, draws).
    """

    central: Floats
    values: Floats


def resample(
    indicator: str | Iterable[str],
    country: str = "KOR",
    year: int | None = None,
    forms: Iterable[str] | None = None,
    *,
    draws: int = 1_000,
    seed: int = 0,
    threshold: float | None = None,
    chunk: int = _AT_ONCE,
    as_of: date | str | None = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
) -> Result:
    """Return the interval of indicators and ranks when their inputs are drawn again (equation E128).

    Drawn are values and tonnes of every supplier (log-normal by grade; a quantity that had to be estimated
    has grade C), the content (common to all trade of the form), exports, production of every country by its
    grade, what a producer without a figure made (evenly between nothing and the most), governance (normal by
    its published standard error; evenly where unknown) and the value added of each end use (triangular).

    Args:
        indicator: one or several of ``largest-share``, ``china-share``, ``hhi``, ``hhi-quantity``,
            ``net-import-reliance``, ``n-minus-one``, ``world-hhi``, ``import-risk``, ``geopolrisk``,
            ``eu-supply-risk``, ``disruption-potential``, ``economic-vulnerability``, ``usgs-supply-risk``.
        country: ISO 3166 alpha-3, or ``EU`` (its 27 members as one country).
        year: calendar year; None for the last that the trade table holds.
        forms: forms with codes of their own in the trade table; None for all.
        draws: at least 2.
        seed: of the draws, at least 0.
        threshold: also give the probability that an indicator reaches it.
        chunk: draws at once; any number gives the same bytes (law 6).
        as_of: use only what was knowable on this day (law 11).
        dataset: None for the shipped trade, or a data set of the user's store.
        folder: folder of the user's store; needed with ``dataset``.

    Returns:
        Result ``resampling`` with table ``intervals``: country, form, year, indicator, value (on the inputs
        as published), p10, p50, p90 (null where an input is unknown), above (probability of reaching the
        threshold), rank (1 is worst; of the forms whose indicator is known), rank_p10, rank_p90.

    Raises:
        UnknownNameError: no such indicator, country, form or data set.
        NotCoveredError: no trade of the year.
        InputError: draws, chunk or seed too small.

    >>> table = resample("china-share", "KOR", 2023, ["lithium/hydroxide"], draws=200)["intervals"]
    >>> row = table.row(0, named=True)
    >>> round(row["value"], 2), row["p10"] < row["value"] < row["p90"]
    (0.8, True)
    """
    chosen_names = [indicator] if isinstance(indicator, str) else list(dict.fromkeys(indicator))
    for name in chosen_names:
        if name not in INDICATORS:
            raise UnknownNameError("indicator", name, INDICATORS, where="indicator")
    for name, number, least in (("draws", draws, 2), ("chunk", chunk, 1), ("seed", seed, 0)):
        if isinstance(number, bool) or not isinstance(number, int) or number < least:
            raise InputError(f"{name} must be a whole number of at least {least}, got {number!r}", where=name)
    chosen = opened(dataset, folder, as_of)
    place = country if country == EUROPEAN_UNION else _country(country)
    when = last_year(chosen, year)
    cases = cases_of(chosen, place, when, forms, as_of=as_of, dataset=dataset, folder=folder)
    ruled = governance_of(when, as_of)
    wanted = [INDICATORS[name] for name in chosen_names]
    drawn = draw_indicators(cases, ruled, wanted, draws, seed, chunk)
    table = _table(place, when, cases, wanted, drawn, threshold)
    call: dict[str, object] = {
        "indicator": chosen_names, "country": place, "year": when, "forms": [case.name for case in cases],
        "draws": draws, "threshold": threshold, "dataset": dataset,
        "as_of": None if as_of is None else str(as_of),
    }  # fmt: skip
    units = {"intervals": dict.fromkeys(("value", "p10", "p50", "p90"), _unit(wanted)) | {"above": "fraction"}
             | dict.fromkeys(("rank_p10", "rank_p90"), "rank")}  # fmt: skip
    lineage = _lineage(chosen, call, seed, wanted)
    return Result("resampling", {"intervals": table}, units, lineage, _told(table, cases))


def _country(given: str) -> str:
    from evernormal.data.geography import country as iso3  # noqa: PLC0415 - reads tables

    return iso3(given, where="country")


def _unit(wanted: Sequence[Indicator]) -> str:
    units = {one.unit for one in wanted}
    return units.pop() if len(units) == 1 else "1 or fraction"


def draw_indicators(
    cases: Sequence[Case],
    ruled: Governance,
    wanted: Sequence[Indicator],
    draws: int,
    seed: int,
    chunk: int = _AT_ONCE,
) -> dict[str, Drawn]:
    """Return every indicator on the inputs as published and on every draw."""
    central = {one.name: np.full(len(cases), np.nan) for one in wanted}
    values = {one.name: np.full((len(cases), draws), np.nan) for one in wanted}
    for row, case in enumerate(cases):
        published = median_inputs(case, ruled)
        for one in wanted:
            central[one.name][row] = one.of(published)[0]
        for start in range(0, draws, chunk):
            stop = min(draws, start + chunk)
            inputs = sample(case, ruled, seed, start, stop)
            for one in wanted:
                values[one.name][row, start:stop] = one.of(inputs)
    return {one.name: Drawn(central[one.name], values[one.name]) for one in wanted}


def _table(
    country: str,
    year: int,
    cases: Sequence[Case],
    wanted: Sequence[Indicator],
    drawn: dict[str, Drawn],
    threshold: float | None,
) -> pl.DataFrame:
    parts = []
    for one in wanted:
        found = drawn[one.name]
        known = ~np.isnan(found.central) & ~np.isnan(found.values).any(axis=1)
        ends = np.full((3, len(cases)), np.nan)
        ranks = np.full((3, len(cases)), np.nan)
        above = np.full(len(cases), np.nan)
        if known.any():
            kept = found.values[known]
            ends[:, known] = np.quantile(kept, QUANTILES, axis=1)
            places = _ranks(kept, one.worse)
            ranks[0, known] = _ranks(found.central[known][:, None], one.worse)[:, 0]
            ranks[1:, known] = np.quantile(places, [0.1, 0.9], axis=1)
            if threshold is not None:
                above[known] = (kept >= threshold).mean(axis=1)
        columns = {
            "country": pl.repeat(country, len(cases), dtype=pl.String, eager=True),
            "form": pl.Series([case.name for case in cases], dtype=pl.String),
            "year": pl.repeat(year, len(cases), dtype=pl.Int64, eager=True),
            "indicator": pl.repeat(one.name, len(cases), dtype=pl.String, eager=True),
            "value": _known(found.central),
            **{name: _known(ends[number]) for number, name in enumerate(("p10", "p50", "p90"))},
            "above": _known(above),
            "rank": _known(ranks[0]).cast(pl.Int64),
            "rank_p10": _known(ranks[1]),
            "rank_p90": _known(ranks[2]),
        }
        parts.append(pl.DataFrame(columns))
    return pl.concat(parts)


def _ranks(values: Floats, worse: int) -> Floats:
    """Rank of each row in each column: 1 is worst; equal values share the best rank."""
    signed = -worse * values
    order = np.sort(signed, axis=0)
    return np.stack(
        [np.searchsorted(order[:, d], signed[:, d]) + 1.0 for d in range(values.shape[1])], axis=1
    )


def _known(values: Floats) -> pl.Series:
    return pl.Series(np.asarray(values, dtype=np.float64), dtype=pl.Float64, nan_to_null=True)


def _told(table: pl.DataFrame, cases: Sequence[Case]) -> tuple[Finding, ...]:
    text = (
        "Spreads by grade (5, 15 and 50 per cent) are assumptions; what a source leaves out or defines"
        " otherwise is not among them."
    )
    found = [Finding("resampling-spreads", "caution", text, {})]
    blank = table.filter(pl.col("p50").is_null()).height
    if blank:
        text = f"In {blank:,} of {table.height:,} rows an input is unknown: no interval, not a narrow one."
        found.append(Finding("resampling-unknown", "caution", text, {"rows": blank, "of": table.height}))
    shares = sum(case.made_known == "published shares" for case in cases)
    if shares:
        text = f"World supply of {shares} forms is known by published shares, drawn with grade B."
        found.append(Finding("world-supply-published", "info", text, {"forms": shares}))
    return tuple(found)


def _lineage(chosen: TradeTable, call: dict[str, object], seed: int, wanted: Sequence[Indicator]) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415 - the package's own
    from evernormal.data import inputs  # noqa: PLC0415 - opens the snapshot

    why = "assumption: the order of magnitude that data-quality scores get in material flow analysis"
    parameters = tuple(
        Parameter(f"relative_sigma_{grade}", sigma, sigma, sigma, "fraction", "C", why)
        for grade, sigma in RELATIVE_SIGMA.items()
    )
    of = "intervals"
    value = tuple(
        Derivation(of, "value", key, (), "; ".join(one.text for one in wanted if one.equation == key))
        for key in dict.fromkeys(one.equation for one in wanted)
    )
    drawn = tuple(
        Derivation(of, name, "E128", (f"{of}.value",), "Over the draws of the inputs.")
        for name in ("p10", "p50", "p90", "above", "rank_p10", "rank_p90")
    )
    used = (chosen.input, *inputs("production", "governance", "facts"))
    return Lineage(__version__, used, parameters, (*value, *drawn), seed=seed, call=call)
