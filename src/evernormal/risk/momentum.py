"""Is it getting worse, since when, and when did it break?  Trends of dependence for whole tables at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.data.trade_table import TradeTable
from evernormal.errors import InputError, LabelError
from evernormal.result import Derivation, Finding, Lineage, Result
from evernormal.risk.exposure_trend import trend
from evernormal.risk.momentum_panel import countries_asked, form_codes, import_sums, last_year, opened

__all__ = ["ChangePoint", "change_point", "dependence_trends"]

Floats = npt.NDArray[np.float64]

MEASURES = ("supplier", "largest", "hhi", "partner")
_FEWEST = 5
_HALF = 0.5
_LEVEL = 0.05


@dataclass(frozen=True)
class ChangePoint:
    """Where each series breaks, if anywhere; NaN and -1 where too little is known.

    Attributes:
        place: last position before the break, -1 where fewer than five values are known.
        statistic: Pettitt's K.
        probability: probability of a K this large in a series without a break (approximation).
        before: mean up to the break.
        after: mean after it.
    """

    place: npt.NDArray[np.int64]
    statistic: Floats
    probability: Floats
    before: Floats
    after: Floats


def change_point(values: npt.ArrayLike) -> ChangePoint:
    """Return the most likely break of level in each series by Pettitt's rank test (equation E126).

    Args:
        values: one series per row, time along the last axis; NaN where unknown, which is left out.

    Raises:
        InputError: no time axis of at least two positions.

    >>> found = change_point([[5.0, 5.2, 4.9, 5.1, 5.0, 9.0, 9.1, 8.9, 9.2, 9.0]])
    >>> int(found.place[0]), round(float(found.before[0]), 2), round(float(found.probability[0]), 3)
    (4, 5.04, 0.066)
    """
    series = np.asarray(values, dtype=np.float64)
    if series.ndim == 0 or series.shape[-1] < 2:
        raise InputError("a break needs at least two positions in time", where="values")
    known = ~np.isnan(series)
    count = known.sum(axis=-1)
    filled = np.where(known, series, 0.0)
    both = known[..., :, None] & known[..., None, :]
    signs = np.where(both, np.sign(filled[..., :, None] - filled[..., None, :]), 0.0)
    # U_t = sum of signs of what comes up to t against what comes after: steps of the row sums
    steps = np.cumsum(signs.sum(axis=-1), axis=-1)[..., :-1]
    size = np.where(known[..., :-1], np.abs(steps), -1.0)
    place = size.argmax(axis=-1)
    top = np.take_along_axis(size, place[..., None], axis=-1)[..., 0]
    enough = count >= _FEWEST
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = np.minimum(1.0, 2.0 * np.exp(-6.0 * top**2 / (count**3 + count**2)))
        early = np.arange(series.shape[-1]) <= place[..., None]
        before = (filled * (known & early)).sum(axis=-1) / (known & early).sum(axis=-1)
        after = (filled * (known & ~early)).sum(axis=-1) / (known & ~early).sum(axis=-1)
    blank = np.nan
    return ChangePoint(
        np.where(enough, place, -1),
        np.where(enough, top, blank),
        np.where(enough, chance, blank),
        np.where(enough, before, blank),
        np.where(enough, after, blank),
    )


def dependence_trends(
    countries: Iterable[str] | None = None,
    forms: Iterable[str] | None = None,
    year: int | None = None,
    *,
    window: int = 5,
    partner: str | None = None,
    threshold: float = _HALF,
    as_of: date | str | None = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
) -> Result:
    """Return level, trend, momentum and break of every country's dependence on its suppliers, by value.

    Args:
        countries: ISO 3166 alpha-3, or ``EU`` (its 27 members as one country); None for all and the EU.
        forms: forms with codes of their own in the trade table; None for all.
        year: last calendar year; None for the last of the trade table.  Nothing later is used.
        window: years over which slope and significance are judged, at least three; the break is looked for in
            all years up to ``year``.
        partner: also follow the share of this supplier, ISO 3166 alpha-3.
        threshold: share from which on ``since`` counts.
        as_of: use only trade that was knowable on this day (law 11).
        dataset: None for the shipped trade, or a data set of the user's store.
        folder: folder of the user's store; needed with ``dataset``.

    Returns:
        Result ``dependence-trends`` with table ``trends``: country, form, year, measure (``supplier``: share
        of the supplier that is largest in ``year``; ``largest``: share of whoever was largest each year;
        ``hhi``; ``partner``), supplier, value (fraction), slope (change a year, equation E118), probability,
        direction (``worse``, ``better``, ``unclear``), momentum (change of the last year, E119), since (first
        year of the present run at or above the threshold), first (first such year ever), break_year (first
        year after the most likely break, E126), break_probability, before, after (means), broken
        (probability at most 5 %), years (known).  A form that nobody reported in ``year`` has no row.

    Raises:
        UnknownNameError, NotCoveredError: no such country or form, or no trade of the year.
        InputError: a window below three, or a threshold outside 0..1.

    >>> table = dependence_trends(["KOR"], ["lithium/hydroxide"], 2023, partner="CHN")["trends"]
    >>> row = table.row(by_predicate=pl.col("measure") == "supplier", named=True)
    >>> row["supplier"], round(row["value"], 3), row["since"], row["break_year"], row["broken"]
    ('CHN', 0.799, 2015, 2010, True)
    """
    from evernormal.data.geography import check_iso3  # noqa: PLC0415 - reads tables

    if isinstance(window, bool) or not isinstance(window, int) or window < 3:
        raise InputError(f"window must be at least 3 years, got {window!r}", where="window")
    if not 0 <= threshold <= 1:
        raise InputError(f"threshold must be from 0 to 1, got {threshold:g}", cure="Give a fraction.")
    if partner is not None:
        check_iso3([partner], where="partner")
    chosen = opened(dataset, folder, as_of)
    names = countries_asked(countries)
    last = last_year(chosen, year)
    first = chosen.coverage_of()[1][0]
    years = list(range(first, last + 1))
    codes = form_codes(forms, chosen)
    table = _table(import_sums(chosen, codes, names, years), years, window, partner, threshold)
    call: dict[str, object] = {
        "countries": None if countries is None else names, "forms": list(codes), "year": last,
        "window": window, "partner": partner, "threshold": threshold, "dataset": dataset,
        "as_of": None if as_of is None else str(as_of),
    }  # fmt: skip
    return Result(
        "dependence-trends",
        {"trends": table},
        {"trends": _UNITS},
        _lineage(chosen, call),
        _told(table, window),
    )


_UNITS = {
    "value": "fraction",
    "slope": "fraction/year",
    "probability": "1",
    "momentum": "fraction",
    "break_probability": "1",
    "before": "fraction",
    "after": "fraction",
}


def _table(
    sums: pl.DataFrame, years: Sequence[int], window: int, partner: str | None, threshold: float
) -> pl.DataFrame:
    """Every measure of every pair of country and form that has imports in the last year."""
    shares = sums.filter(pl.col("milli") > 0).with_columns(
        share=pl.col("milli") / pl.col("milli").sum().over("country", "form", "year")
    )
    ranked = shares.sort(
        "country", "form", "year", "share", "supplier", descending=[False, False, False, True, False]
    )
    tops = ranked.filter(pl.col("year") == years[-1]).group_by("country", "form", maintain_order=True).first()
    keys = tops.select("country", "form", top="supplier")
    if keys.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    each = (
        shares.join(keys, on=["country", "form"])
        .sort("country", "form", "year", "supplier")
        .group_by("country", "form", "year", maintain_order=True)
        .agg(
            pl.col("share").filter(pl.col("supplier") == pl.col("top")).sum().alias("supplier"),
            pl.col("share").max().alias("largest"),
            (pl.col("share") ** 2).sum().alias("hhi"),
            pl.col("share").filter(pl.col("supplier") == (partner or "")).sum().alias("partner"),
        )
    )
    cubes = _cubes(each, keys, years)
    kept = MEASURES if partner is not None else MEASURES[:-1]
    parts = [_measured(name, cubes[name], keys, years, window, partner, threshold) for name in kept]
    order = pl.DataFrame({"measure": list(kept), "_at": list(range(len(kept)))})
    whole = pl.concat(parts).join(order, on="measure").sort("country", "form", "_at").drop("_at")
    if partner is not None:
        whole = whole.filter(~((pl.col("measure") == "partner") & (pl.col("country") == partner)))
    return whole.cast(_SCHEMA)  # type: ignore[arg-type]


def _cubes(each: pl.DataFrame, keys: pl.DataFrame, years: Sequence[int]) -> dict[str, Floats]:
    """One matrix per measure, (country and form) by year; NaN where nobody reported an import."""
    place = keys.with_row_index("row").select("row", "country", "form")
    rows = each.join(place, on=["country", "form"])
    at = (rows["row"].to_numpy(), rows["year"].to_numpy() - years[0])
    found = {}
    for name in MEASURES:
        matrix = np.full((keys.height, len(years)), np.nan)
        matrix[at] = rows[name].to_numpy()
        found[name] = matrix
    return found


def _measured(
    name: str,
    matrix: Floats,
    keys: pl.DataFrame,
    years: Sequence[int],
    window: int,
    partner: str | None,
    threshold: float,
) -> pl.DataFrame:
    """Return rows of one measure for every pair."""
    when = np.array(years)
    near = matrix[:, -window:]
    if near.shape[1] < 2:
        near = np.concatenate([np.full((len(near), 2 - near.shape[1]), np.nan), near], axis=1)
    found = trend(near, np.arange(near.shape[1], dtype=np.float64))
    since, first = _runs(matrix, when, threshold)
    if name == "hhi":
        since, first = np.full_like(since, -1), np.full_like(first, -1)
    broken = change_point(matrix) if len(years) > 1 else None
    blank = np.full(len(matrix), np.nan)
    rising = np.where(found.slope > 0, "worse", "better")
    sure = found.significant(_LEVEL) & (found.slope != 0)
    direction = np.where(np.isnan(found.slope), "", np.where(sure, rising, "unclear"))
    at = np.full(len(matrix), -1) if broken is None else broken.place
    probability = blank if broken is None else broken.probability
    supplier = {
        "supplier": keys["top"],
        "partner": pl.repeat(partner, keys.height, dtype=pl.String, eager=True),
    }
    columns = {
        "country": keys["country"],
        "form": keys["form"],
        "year": pl.repeat(years[-1], keys.height, dtype=pl.Int64, eager=True),
        "measure": pl.repeat(name, keys.height, dtype=pl.String, eager=True),
        "supplier": supplier.get(name, pl.repeat(None, keys.height, dtype=pl.String, eager=True)).cast(
            pl.String
        ),
        "value": _known(matrix[:, -1]),
        "slope": _known(found.slope),
        "probability": _known(found.probability),
        "direction": pl.Series(direction.tolist(), dtype=pl.String),
        "momentum": _known(found.momentum),
        "since": pl.Series(since.tolist(), dtype=pl.Int64),
        "first": pl.Series(first.tolist(), dtype=pl.Int64),
        "break_year": pl.Series(np.where(at >= 0, when[np.minimum(at + 1, len(when) - 1)], -1).tolist()),
        "break_probability": _known(probability),
        "before": _known(blank if broken is None else broken.before),
        "after": _known(blank if broken is None else broken.after),
        "broken": pl.Series(np.nan_to_num(probability, nan=1.0) <= _LEVEL),
        "years": pl.Series((~np.isnan(matrix)).sum(axis=1), dtype=pl.Int64),
    }
    table = pl.DataFrame(columns)
    unknown = [pl.when(pl.col(c) >= 0).then(pl.col(c)).alias(c) for c in ("since", "first", "break_year")]
    return table.with_columns(*unknown, direction=pl.col("direction").replace({"": None}))


_SCHEMA = {
    "country": pl.String, "form": pl.String, "year": pl.Int64, "measure": pl.String, "supplier": pl.String,
    "value": pl.Float64, "slope": pl.Float64, "probability": pl.Float64, "direction": pl.String,
    "momentum": pl.Float64, "since": pl.Int64, "first": pl.Int64, "break_year": pl.Int64,
    "break_probability": pl.Float64, "before": pl.Float64, "after": pl.Float64, "broken": pl.Boolean,
    "years": pl.Int64,
}  # fmt: skip


def _known(values: Floats) -> pl.Series:
    return pl.Series(values, dtype=pl.Float64, nan_to_null=True)


def _runs(
    matrix: Floats, years: npt.NDArray[np.int64], threshold: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First year of the run that reaches the last year, and first year ever, at or above the threshold."""
    if matrix.shape[1] != len(years):
        raise LabelError(f"{matrix.shape[1]} values a row, {len(years)} years")
    with np.errstate(invalid="ignore"):
        over = matrix >= threshold
    run = np.logical_and.accumulate(over[:, ::-1], axis=1).sum(axis=1)
    since = np.where(run > 0, years[np.minimum(len(years) - run, len(years) - 1)], -1)
    first = np.where(over.any(axis=1), years[over.argmax(axis=1)], -1)
    return since, first


def _told(table: pl.DataFrame, window: int) -> tuple[Finding, ...]:
    found = []
    if window <= 5:
        text = (
            f"With {window} years a trend is significant at 5 % only when nearly every year moves the same"
            " way: unclear does not mean stable."
        )
        found.append(Finding("trend-window-short", "info", text, {"window": window}))
    short = table.filter(pl.col("slope").is_null()).height
    if short:
        text = (
            f"{short:,} of {table.height:,} series have fewer than three known years: their trend is unknown."
        )
        found.append(Finding("trend-unknown", "caution", text, {"series": short, "of": table.height}))
    return tuple(found)


def _lineage(chosen: TradeTable, call: dict[str, object]) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415 - the package's own

    of = "trends"
    derived = (
        Derivation(of, "value", "E11", (), "Share of the value of the year's imports; hhi: sum of squares."),
        Derivation(of, "slope", "E118", (f"{of}.value",), "Median change a year over the window."),
        Derivation(of, "momentum", "E119", (f"{of}.value",), "Change of the last year."),
        Derivation(of, "break_year", "E126", (f"{of}.value",), "First year after the most likely break."),
    )
    return Lineage(__version__, (chosen.input,), (), derived, call=call)
