"""Series that can be forecast: what a country takes in of a form, year by year, on the log scale.

Amounts are tonnes contained where the content is known (equation E22).  A year that nobody reported is
unknown, not zero (law 2): a gap of one or two years is bridged, a longer one cuts the series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.data.european_union import EUROPEAN_UNION, MEMBERS, traders
from evernormal.errors import InputError, NotCoveredError
from evernormal.network.form_tables import Form
from evernormal.result import Finding, Input

if TYPE_CHECKING:
    from evernormal.data.store import Vintage

__all__ = [
    "FEWEST_VALUES",
    "MEASURES",
    "MINIMUM_VALUES",
    "WORLD",
    "Measure",
    "Series",
    "annual_amounts",
    "annual_series",
    "series_of",
]

Numbers = npt.NDArray[np.float64]
Measure = Literal["imports", "net_imports", "apparent_use"]

WORLD = "WLD"
MEASURES: dict[str, str] = {
    "imports": "imports",
    "net_imports": "imports less exports",
    "apparent_use": "production and imports less exports",
}
MINIMUM_VALUES = 8
"""Fewer known values than these cannot be judged by their own past."""

FEWEST_VALUES = 3
"""Fewer known values than these are no series at all."""

SEASONS_SEEN = 2
LONGEST_GAP = 2
LATEST_GAP = 3
GRAMS = 1_000_000
ESTIMATED_LIMIT = 0.2
TONNES = {"t": 1.0, "kg": 1e-3}
_USABLE = ((pl.col("amount_t") > 0) & pl.col("amount_t").is_finite()).fill_null(value=False)
"""Amounts that have a logarithm; NaN and infinity are unknown."""


@dataclass(frozen=True)
class Series:
    """Consecutive known or bridged values up to the origin.

    Attributes:
        country: ISO 3166 alpha-3, ``EU`` or ``WLD``.
        periods: numbers of consecutive periods: calendar years, or months counted as 12 x year + month - 1.
        logs: natural logarithm of the amount, one per period.
        known: False where the value was bridged.
        season: periods in a year: 1 or 12.
        history: one row per period that any source has, used or not.
        findings: what a reader must know about it.
        inputs: where it comes from.
        unit: unit of the amounts.
    """

    country: str
    periods: tuple[int, ...]
    logs: Numbers
    known: npt.NDArray[np.bool_]
    season: int
    history: pl.DataFrame
    findings: tuple[Finding, ...]
    inputs: tuple[Input, ...]
    unit: str

    def until(self, period: int) -> Numbers | None:
        """Return the logs up to ``period``, as they would have been used then; None where too few (law 11).

        Only the values of that time decide where the series begins and what is bridged.
        """
        last = period - self.periods[0] + 1
        if last < 1 or last > len(self.logs) or not self.known[last - 1]:
            return None
        found = self.logs[:last]
        fewest = MINIMUM_VALUES if self.season == 1 else SEASONS_SEEN * self.season + 1
        return found if int(self.known[:last].sum()) >= fewest else None


def annual_amounts(
    form: Form,
    *,
    dataset: str | None,
    folder: str | Path | None,
    as_of: date | str | None,
    until: int | None,
    union: bool = False,
) -> pl.DataFrame:
    """Return imports and exports of every country and of the world per year (equation E22).

    Args:
        form: form whose codes the trade data show.
        dataset: trade that the user added; None for the shipped trade.
        folder: folder of the user's store.
        as_of: use only what was knowable on this day.
        until: use no year later than this (law 11).
        union: the members of the European Union are one country, ``EU``, in place of 27.

    Returns:
        country, year, imports_t, exports_t (t contained), gross_t (t gross imports), value_usd, estimated
        (fraction of the imports whose quantity is value over unit value); null where nobody reported.
    """
    from evernormal import data  # noqa: PLC0415 - opens the snapshot
    from evernormal.network.observations import contained_rows  # noqa: PLC0415

    codes = _codes(form, dataset, folder, as_of)
    trade = data.trade(codes, dataset=dataset, folder=folder, as_of=as_of)
    if until is not None:
        trade = trade.filter(pl.col("year") <= until)
    if trade.is_empty():
        raise NotCoveredError(
            f"nobody reported trade in {form.name}" + (f" to {until}" if until else ""),
            where=f"form {form.name!r}",
        )
    rows = contained_rows(trade, form)
    if union:
        one = dict.fromkeys(MEMBERS, EUROPEAN_UNION)
        rows = rows.with_columns(pl.col("exporter", "importer").replace(one))
    rows = rows.filter(pl.col("exporter") != pl.col("importer"))
    rows = rows.with_columns(
        year=pl.col("year").cast(pl.Int64),
        grams=(pl.col("contained_t") * GRAMS).round().cast(pl.Int64),
        gross=(pl.col("gross_t") * GRAMS).round().cast(pl.Int64),
        dollars=pl.col("value_usd").round().cast(pl.Int64),
        guessed=pl.when("estimated")
        .then(pl.col("contained_t") * GRAMS)
        .otherwise(0.0)
        .round()
        .cast(pl.Int64),
    )
    imports = _summed(rows.with_columns(country=pl.col("importer")))
    world = _summed(rows.with_columns(country=pl.lit(WORLD)))
    exports = (
        rows.group_by(pl.col("exporter").alias("country"), "year")
        .agg((pl.col("grams").sum() / GRAMS).alias("exports_t"))
        .sort("country", "year")
    )
    table = pl.concat([imports, world]).join(exports, on=["country", "year"], how="full", coalesce=True)
    order = ["country", "year", "imports_t", "exports_t", "gross_t", "value_usd", "estimated"]
    return table.select(order).sort("country", "year")


def _codes(
    form: Form, dataset: str | None, folder: str | Path | None, as_of: date | str | None
) -> tuple[str, ...]:
    """Return the codes of the form in the revision of the data at hand."""
    from evernormal.network.load import codes_in  # noqa: PLC0415

    codes = form.trade_codes
    if dataset is not None:
        revision = _stored(dataset, folder, as_of).revision
        codes = tuple(codes_in(form, revision))
    if codes:
        return codes
    raise NotCoveredError(
        f"no customs code of these data shows {form.name} apart: it has no series of its own",
        where=f"form {form.name!r}, coverage {form.coverage!r}",
        cure="Forecast a form with a code of its own, or bring monthly customs data that have one.",
    )


def _stored(dataset: str, folder: str | Path | None, as_of: date | str | None) -> Vintage:
    from evernormal.data.schema import day  # noqa: PLC0415
    from evernormal.data.store import vintage  # noqa: PLC0415

    if folder is None:
        raise InputError(f"data set {dataset!r} needs the folder of the store", cure="Give folder=...")
    return vintage(dataset, folder, kind="trade", as_of=day(as_of))


def _summed(rows: pl.DataFrame) -> pl.DataFrame:
    """Sum whole grams and dollars, whose order does not matter (law 6)."""
    grams = pl.col("grams").sum()
    return (
        rows.group_by("country", "year")
        .agg(
            imports_t=pl.when(pl.col("grams").count() > 0).then(grams / GRAMS),
            gross_t=pl.col("gross").sum() / GRAMS,
            value_usd=pl.col("dollars").sum().cast(pl.Float64),
            estimated=pl.when(grams > 0).then(pl.col("guessed").sum() / grams),
        )
        .sort("country", "year")
    )


def annual_series(
    form: Form,
    country: str,
    measure: Measure,
    *,
    origin: int | None,
    dataset: str | None,
    folder: str | Path | None,
    as_of: date | str | None,
) -> Series:
    """Return the annual series of one form and country up to the origin.

    Raises:
        NotCoveredError: no code shows the form, the country reported too little or too long ago.
    """
    where: dict[str, Any] = {"dataset": dataset, "folder": folder, "as_of": as_of, "until": origin}
    table = annual_amounts(form, **where, union=country == EUROPEAN_UNION)
    latest = int(table["year"].max())  # type: ignore[arg-type]
    mine = table.filter(pl.col("country") == country)
    inputs: tuple[Input, ...] = _trade_input(dataset, folder, as_of)
    if measure != "imports":
        mine, inputs = _with_measure(form, country, measure, mine, inputs, as_of)
    else:
        mine = mine.with_columns(amount_t=pl.col("imports_t"))
    if origin is not None and origin > latest:
        raise InputError(
            f"origin must be at most {latest}, the last year of the data, got {origin}", where="origin"
        )
    return series_of(form.name, country, mine, latest, season=1, inputs=inputs, unit="t contained")


def _trade_input(
    dataset: str | None, folder: str | Path | None, as_of: date | str | None
) -> tuple[Input, ...]:
    from evernormal.data.snapshot import inputs  # noqa: PLC0415 - opens the snapshot

    return inputs("trade") if dataset is None else (_stored(dataset, folder, as_of).as_input(),)


def _with_measure(
    form: Form,
    country: str,
    measure: Measure,
    mine: pl.DataFrame,
    inputs: tuple[Input, ...],
    as_of: date | str | None,
) -> tuple[pl.DataFrame, tuple[Input, ...]]:
    """Add the amount of another measure than imports; unknown production leaves it unknown."""
    from evernormal.data.snapshot import inputs as pinned  # noqa: PLC0415

    if country == WORLD:
        raise InputError(
            "the world has imports only: it buys from nobody else",
            where="measure",
            cure="Give measure='imports', or a country.",
        )
    net = pl.col("imports_t").fill_null(0.0) - pl.col("exports_t").fill_null(0.0)
    if measure == "net_imports":
        return mine.with_columns(amount_t=net), inputs
    made = _production(form, country)
    joined = mine.join(made, on="year", how="left", maintain_order="left")
    return joined.with_columns(amount_t=pl.col("production_t") + net), (*inputs, *pinned("production"))


def _production(form: Form, country: str) -> pl.DataFrame:
    """Domestic production in tonnes contained; 0 where the publisher covers the year without the country."""
    from evernormal import data  # noqa: PLC0415 - opens the snapshot

    if not form.production_source or form.production_factor is None:
        raise NotCoveredError(
            f"nobody counts the production of {form.name}: its apparent use is unknown",
            where=f"form {form.name!r}",
            cure="Give measure='imports' or measure='net_imports'.",
        )
    rows = data.production([form.production_source.partition(":")[2]])
    rows = rows.with_columns(pl.col("year").cast(pl.Int64))
    scale = pl.col("unit").replace_strict(TONNES, return_dtype=pl.Float64) * form.production_factor
    tonnes = pl.col("value") * scale
    mine = (
        rows.filter(pl.col("country").is_in(traders(country)))
        .group_by("year")
        .agg(pl.when(~pl.col("value").is_null().any()).then(tonnes.sort().sum()).alias("made"))
        .sort("year")
    )
    years = rows.filter(pl.col("value").is_not_null()).select("year").unique().sort("year")
    listed = years.join(mine.with_columns(listed=pl.lit(value=True)), on="year", how="left")
    made = pl.when(pl.col("listed").is_null()).then(0.0).otherwise(pl.col("made"))
    return listed.select("year", made.alias("production_t")).sort("year")


def series_of(
    form: str,
    country: str,
    table: pl.DataFrame,
    latest: int,
    *,
    season: int,
    inputs: tuple[Input, ...],
    unit: str,
) -> Series:
    """Make a series from amounts by period: cut after the last long gap, bridge short gaps.

    Args:
        form: form name, for messages.
        country: ISO 3166 alpha-3, ``EU`` or ``WLD``.
        table: ``year`` (or ``period_number`` when monthly) and ``amount_t``, sorted; null where unknown.
        latest: last period that the data cover for anyone.
        season: 1 for years, 12 for months.
        inputs: where it comes from.
        unit: unit of the amounts.
    """
    key = "year" if season == 1 else "period_number"
    good = table.filter(_USABLE)
    periods = good[key].to_list()
    what = "year" if season == 1 else "month"
    if len(periods) < FEWEST_VALUES:
        raise NotCoveredError(
            f"{country} has {len(periods)} {what}s with a known amount of {form} above nothing",
            where=f"{form}, {country}",
            cure=f"At least {FEWEST_VALUES} are needed.",
        )
    if latest - periods[-1] >= LATEST_GAP * season:
        raise NotCoveredError(
            f"{country} has reported no {form} since {_name(periods[-1], season)}",
            where=f"{form}, {country}",
            cure="Unknown is not zero: there is nothing to start from.",
        )
    start = _start(periods)
    used = good.filter(pl.col(key) >= start)
    if used.height < FEWEST_VALUES:
        raise NotCoveredError(
            f"{country} has {used.height} {what}s with a known amount of {form} since {_name(start, season)}",
            where=f"{form}, {country}",
            cure=f"At least {FEWEST_VALUES} without a long gap are needed.",
        )
    span = list(range(start, periods[-1] + 1))
    at = np.array(used[key].to_list()) - start
    values = np.log(used["amount_t"].to_numpy().astype(np.float64))
    known = np.zeros(len(span), dtype=np.bool_)
    known[at] = True
    logs = np.interp(np.arange(len(span)), at, values)
    findings = _series_findings(form, country, table, used, key, known, span, latest, season)
    history = table.with_columns(used=(pl.col(key) >= start) & _USABLE)
    return Series(country, tuple(span), logs, known, season, history, findings, inputs, unit)


def _start(periods: Sequence[int]) -> int:
    """First period after the last gap that is too long to be bridged."""
    start = periods[0]
    for before, after in pairwise(periods):
        if after - before - 1 > LONGEST_GAP:
            start = after
    return start


def _name(period: int, season: int) -> str:
    return str(period) if season == 1 else f"{period // 12}-{period % 12 + 1:02d}"


def _series_findings(
    form: str,
    country: str,
    table: pl.DataFrame,
    used: pl.DataFrame,
    key: str,
    known: npt.NDArray[np.bool_],
    span: Sequence[int],
    latest: int,
    season: int,
) -> tuple[Finding, ...]:
    found: list[Finding] = []
    about: dict[str, Any] = {"form": form, "country": country}
    bridged = [_name(span[i], season) for i in range(len(span)) if not known[i]]
    if bridged:
        names = ", ".join(bridged)
        text = (
            f"{form}, {country}: nothing is known of {names}; bridged between its neighbours, never scored."
        )
        found.append(Finding("gap-bridged", "info", text, {**about, "periods": names}))
    dropped = table.filter(_USABLE).height - used.height
    if dropped > 0:
        text = f"{form}, {country}: {dropped} values before a long gap are left out."
        found.append(Finding("series-cut", "info", text, {**about, "values": dropped}))
    if span[-1] < latest:
        text = (
            f"{form}, {country}: the last known value is of {_name(span[-1], season)}; steps count from it."
        )
        found.append(
            Finding("series-ends-early", "caution", text, {**about, "period": _name(span[-1], season)})
        )
    if "estimated" in used.columns:
        share = used["estimated"][-1]
        if share is not None and share > ESTIMATED_LIMIT:
            text = (
                f"{form}, {country}: {share:.0%} of the last value is estimated from its dollars,"
                " because no plausible quantity was recorded."
            )
            found.append(Finding("origin-estimated", "caution", text, {**about, "share": float(share)}))
    return tuple(found)
