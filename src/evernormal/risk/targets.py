"""How far is it to the target?  Base, now, the pace that is needed and the pace there is, form by form."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.data.trade_table import TradeTable
from evernormal.errors import InputError, NotCoveredError
from evernormal.network.forms import form as form_of
from evernormal.result import Derivation, Finding, Input, Lineage, Parameter, Result, sha256_of
from evernormal.risk.cells import EUROPEAN_UNION
from evernormal.risk.momentum_panel import form_codes, import_sums, last_year, opened
from evernormal.risk.targets_table import Target, of_country, read_targets, shipped_targets

__all__ = ["Pace", "needed_pace", "pace", "target_progress"]

Floats = npt.NDArray[np.float64]
Series = dict[str, Floats]

STATUSES = ("met", "slipping", "on track", "likely", "off track", "unknown")

_INTERVAL = 0.8
_FEWEST = 3
_CLOSE = 1e-9


@dataclass(frozen=True)
class Pace:
    """How fast a series moves and where that leads.

    Attributes:
        slope: median change a year.
        slope_low: lower end of its 80 % interval.
        slope_high: upper end.
        projected: level in the year asked, cut to 0..1.
        projected_low: with the lower slope.
        projected_high: with the upper slope.
    """

    slope: float
    slope_low: float
    slope_high: float
    projected: float
    projected_low: float
    projected_high: float


def needed_pace(now: npt.ArrayLike, goal: float, years: float) -> np.float64 | Floats:
    """Return the change a year that leads from a level to a goal (equation E129).

    Raises:
        InputError: no time is left.

    >>> float(round(needed_pace(0.8, 0.5, 6), 4))
    -0.05
    """
    if not years > 0:
        raise InputError(f"years must be above 0, got {years:g}", where="years")
    change: np.float64 | Floats = (goal - np.asarray(now, dtype=np.float64)) / years
    return change


def pace(values: npt.ArrayLike, years: npt.ArrayLike, until: int) -> Pace:
    """Return the robust pace of one series of fractions, and where it leads (equations E118 and E130).

    The interval is that of Sen's slope at 80 %: with few years it is wide, and it knows nothing of breaks or
    of policy.

    Args:
        values: fractions, NaN where unknown; at least three known.
        years: calendar years, rising.
        until: year to project to.

    Raises:
        InputError: fewer than three known values.

    >>> found = pace([0.70, 0.72, 0.74, 0.76, 0.78], [2020, 2021, 2022, 2023, 2024], 2030)
    >>> round(found.slope, 3), round(found.projected, 2)
    (0.02, 0.9)
    """
    from scipy.stats import theilslopes  # noqa: PLC0415 - heavy

    level, when = np.asarray(values, dtype=np.float64), np.asarray(years, dtype=np.float64)
    known = ~np.isnan(level)
    if known.sum() < _FEWEST:
        raise InputError(f"a pace needs {_FEWEST} known years, got {known.sum()}", where="values")
    level, when = level[known], when[known]
    found = theilslopes(level, when, alpha=_INTERVAL)
    slope, low, high = float(found.slope), float(found.low_slope), float(found.high_slope)
    left = until - float(when[-1])
    low, high = min(low, slope), max(high, slope)
    ends = [min(1.0, max(0.0, float(level[-1]) + one * left)) for one in (slope, low, high)]
    return Pace(slope, low, high, *ends)


def target_progress(
    country: str = "KOR",
    year: int | None = None,
    forms: Iterable[str] | None = None,
    *,
    targets: str | Path | None = None,
    window: int = 5,
    as_of: date | str | None = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
) -> Result:
    """Return how far every form of a country is from its targets (equations E129 and E130).

    Args:
        country: ISO 3166 alpha-3 code or name, or ``EU``.
        year: last year to judge by; None for the last that the trade table holds.
        forms: forms with codes of their own in the trade table; None for all.
        targets: CSV or YAML file of targets of one's own (:func:`read_targets`); None for the shipped ones.
        window: years over which the pace is taken, at least three.
        as_of: use only what was knowable on this day; a target too (law 11).
        dataset: None for the shipped trade, or a data set of the user's store.
        folder: folder of the user's store; needed with ``dataset``.

    Returns:
        Result ``target-progress`` with tables

        - ``progress``: target, country, form, partner (largest supplier now, or the one the target names),
          base_year, base (measured), year, now, target_year, goal, gap (now beyond the goal; 0 when met),
          needed (change a year; 0 when met), pace (change a year over the window), projected, projected_low,
          projected_high (in the target year, 80 % interval of the pace), status (``met``; ``slipping``: met
          now, not at this pace; ``on track``: all of the interval meets the goal; ``likely``: the middle
          does; ``off track``; ``unknown``);
        - ``summary``: target, direction, goal, target_year, published_base, forms, met, slipping, on_track,
          likely, off_track, unknown, share_met (of the value of the year's imports of the forms that are
          known), weighted_now (by that value);
        - ``definitions``: target, measure, by, partner, definition_en, definition_ko, source, as_of, grade.

    Raises:
        UnknownNameError: no such country, form or data set.
        NotCoveredError: no target of the country, or no trade of the year.
        InputError, SourceFormatError: a window below three, or a fault in the file of targets.

    >>> result = target_progress("KOR", 2023, ["lithium/hydroxide"])
    >>> row = result["progress"].row(by_predicate=pl.col("target") == "kor-2030-china-value", named=True)
    >>> round(row["now"], 3), round(row["needed"], 3), row["status"]
    (0.799, -0.043, 'off track')
    """
    if isinstance(window, bool) or not isinstance(window, int) or window < _FEWEST:
        raise InputError(f"window must be at least {_FEWEST} years, got {window!r}", where="window")
    place = country if country == EUROPEAN_UNION else _iso3(country)
    listed = of_country(read_targets(targets) if targets is not None else shipped_targets(as_of), place)
    if not listed:
        raise NotCoveredError(f"no target of {place} is known", cure="Bring a file: targets=PATH.")
    chosen = opened(dataset, folder, as_of)
    last = last_year(chosen, year)
    codes = form_codes(forms, chosen)
    years = list(range(min(chosen.coverage_of()[1][0], last), last + 1))
    sums = import_sums(chosen, codes, [place], years)
    value = _imports(sums, last)
    asked: dict[str, Any] = {"as_of": as_of, "dataset": dataset, "folder": folder}
    parts = []
    for one in listed:
        series = _series(one, place, codes, years, sums, asked)
        names = series if series else dict.fromkeys(_forms_of(one, codes), np.full(len(years), np.nan))
        tops = _tops(sums, last, one.by)
        parts += [
            _row(one, name, names[name], years, window, one.partner or tops.get(name))
            for name in sorted(names)
        ]
    progress = pl.DataFrame(parts, schema=_SCHEMA, orient="row")
    call: dict[str, object] = {
        "country": place, "year": last, "window": window, "dataset": dataset,
        "targets": None if targets is None else Path(targets).name,
        "as_of": None if as_of is None else str(as_of),
    }  # fmt: skip
    tables = {
        "progress": progress,
        "summary": _summary(progress, listed, value),
        "definitions": _defined(listed),
    }
    return Result("target-progress", tables, _UNITS, _lineage(chosen, targets, listed, call), _told(progress))


_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "target": pl.String, "country": pl.String, "form": pl.String, "partner": pl.String,
    "base_year": pl.Int64, "base": pl.Float64, "year": pl.Int64, "now": pl.Float64,
    "target_year": pl.Int64, "goal": pl.Float64, "gap": pl.Float64, "needed": pl.Float64,
    "pace": pl.Float64, "projected": pl.Float64, "projected_low": pl.Float64,
    "projected_high": pl.Float64, "status": pl.String,
}  # fmt: skip
_UNITS = {
    "progress": {
        **dict.fromkeys(
            ("base", "now", "goal", "gap", "projected", "projected_low", "projected_high"), "fraction"
        ),
        **dict.fromkeys(("needed", "pace"), "fraction/year"),
    },
    "summary": dict.fromkeys(("goal", "published_base", "share_met", "weighted_now"), "fraction"),
}


def _iso3(given: str) -> str:
    from evernormal.data.geography import country  # noqa: PLC0415 - reads tables

    return country(given, where="country")


def _imports(sums: pl.DataFrame, year: int) -> dict[str, float]:
    each = sums.filter(pl.col("year") == year).group_by("form").agg(pl.col("milli").sum()).sort("form")
    return {str(name): milli / 1000 for name, milli in each.iter_rows()}


def _tops(sums: pl.DataFrame, year: int, by: str) -> dict[str, str]:
    """Largest supplier of each form, by value or by weight."""
    amount = "milli" if by == "value" else "grams"
    ranked = sums.filter(pl.col("year") == year).sort(
        "form", amount, "supplier", descending=[False, True, False]
    )
    top = ranked.group_by("form", maintain_order=True).agg(pl.col("supplier").first())
    return {str(name): str(supplier) for name, supplier in top.iter_rows()}


def _forms_of(target: Target, codes: Iterable[str]) -> list[str]:
    """Return the forms that a target is about."""
    if not target.measure.startswith("production-share"):
        return [""]
    stage = "ore" if target.measure.endswith("ore") else "refined"
    return [name for name in codes if form_of(name).stage == stage and form_of(name).production_source] or [
        ""
    ]


def _series(
    target: Target,
    country: str,
    codes: dict[str, tuple[str, ...]],
    years: Sequence[int],
    sums: pl.DataFrame,
    asked: dict[str, Any],
) -> Series:
    """Return the measured series of every form that a target is about; empty where none is shipped."""
    if target.measure in ("largest-share", "partner-share"):
        amount = "milli" if target.by == "value" else "grams"
        return _shares(sums, amount, target.partner, years)
    if target.measure.startswith("production-share"):
        return _production_shares(_forms_of(target, codes), country, years, asked)
    return {}


def _shares(sums: pl.DataFrame, amount: str, partner: str, years: Sequence[int]) -> Series:
    rows = sums.filter(pl.col(amount) > 0).with_columns(
        share=pl.col(amount) / pl.col(amount).sum().over("form", "year")
    )
    measured = (
        pl.col("share").filter(pl.col("supplier") == partner).sum() if partner else pl.col("share").max()
    )
    each = rows.sort("form", "year", "supplier").group_by("form", "year", maintain_order=True).agg(measured)
    found: Series = {}
    for name, year, share in each.iter_rows():
        found.setdefault(str(name), np.full(len(years), np.nan))[year - years[0]] = share
    return found


def _production_shares(
    names: Sequence[str], country: str, years: Sequence[int], asked: dict[str, Any]
) -> Series:
    """Own production over apparent use, 0 to 1."""
    from evernormal.risk.dependence import net_import_reliance  # noqa: PLC0415

    found: Series = {}
    for name in names:
        if not name:
            continue
        table = net_import_reliance(name, [country], years, **asked)["reliance"]
        share = pl.when(pl.col("apparent_use_t") > 0).then(pl.col("production_t") / pl.col("apparent_use_t"))
        values = table.sort("year").select(share.clip(0, 1).cast(pl.Float64))
        column = values.to_series().to_numpy()
        found[name] = np.where(np.isnan(column), np.nan, column)
    return found


def _row(
    target: Target, name: str, series: Floats, years: Sequence[int], window: int, partner: str | None
) -> tuple[object, ...]:
    """One row of the table of progress."""
    known = np.flatnonzero(~np.isnan(series))
    now_at = int(known[-1]) if known.size else -1
    now = float(series[now_at]) if now_at >= 0 else math.nan
    year = years[now_at] if now_at >= 0 else None
    base = float(series[years.index(target.base_year)]) if target.base_year in years else math.nan
    found, needed = None, math.nan
    recent = series[max(0, now_at - window + 1) : now_at + 1]
    if year is not None and (~np.isnan(recent)).sum() >= _FEWEST and year < target.target_year:
        found = pace(recent, years[now_at + 1 - len(recent) : now_at + 1], target.target_year)
    if year is not None and year < target.target_year:
        needed = float(needed_pace(now, target.target_value, target.target_year - year))
    status = _status(target, now, found)
    if status in ("met", "slipping"):
        needed = 0.0
    beyond = (now - target.target_value) * (1 if target.direction == "at most" else -1)
    gap = math.nan if math.isnan(now) else max(0.0, beyond)
    ends = (
        (found.slope, found.projected, found.projected_low, found.projected_high)
        if found
        else (math.nan,) * 4
    )
    return (
        target.target, target.country, name or None, partner, target.base_year, _none(base), year, _none(now),
        target.target_year, target.target_value, _none(gap), _none(needed), *map(_none, ends),
        status,
    )  # fmt: skip


def _none(value: float) -> float | None:
    return None if math.isnan(value) else value


def _status(target: Target, now: float, found: Pace | None) -> str:
    sign = 1.0 if target.direction == "at most" else -1.0

    def meets(level: float) -> bool:
        return sign * (level - target.target_value) <= _CLOSE

    if math.isnan(now):
        return "unknown"
    if meets(now):
        return "met" if found is None or meets(found.projected) else "slipping"
    if found is None:
        return "unknown"
    if meets(found.projected_low) and meets(found.projected_high):
        return "on track"
    return "likely" if meets(found.projected) else "off track"


def _summary(progress: pl.DataFrame, targets: Sequence[Target], value: dict[str, float]) -> pl.DataFrame:
    rows = []
    for one in targets:
        own = progress.filter((pl.col("target") == one.target) & pl.col("form").is_not_null())
        weights = [value.get(name, 0.0) for name in own["form"].to_list()]
        known = [
            (weight, now, status)
            for weight, now, status in zip(
                weights, own["now"].to_list(), own["status"].to_list(), strict=True
            )
            if now is not None
        ]
        whole = math.fsum(weight for weight, _, _ in known)
        met = math.fsum(weight for weight, _, status in known if status in ("met", "slipping"))
        level = math.fsum(weight * now for weight, now, _ in known)
        counts = [own.filter(pl.col("status") == s).height for s in STATUSES]
        rows.append(
            (one.target, one.direction, one.target_value, one.target_year, _none(one.base_value), own.height,
             *counts, met / whole if whole else None, level / whole if whole else None)
        )  # fmt: skip
    schema = {
        "target": pl.String, "direction": pl.String, "goal": pl.Float64, "target_year": pl.Int64,
        "published_base": pl.Float64, "forms": pl.Int64, "met": pl.Int64, "slipping": pl.Int64,
        "on_track": pl.Int64,
        "likely": pl.Int64, "off_track": pl.Int64, "unknown": pl.Int64, "share_met": pl.Float64,
        "weighted_now": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def _defined(targets: Sequence[Target]) -> pl.DataFrame:
    names = (
        "target",
        "measure",
        "by",
        "partner",
        "definition_en",
        "definition_ko",
        "source",
        "as_of",
        "grade",
    )
    return pl.DataFrame([{name: getattr(one, name) or None for name in names} for one in targets],
                        infer_schema_length=None, schema_overrides={"partner": pl.String})  # fmt: skip


def _told(progress: pl.DataFrame) -> tuple[Finding, ...]:
    text = (
        "A target stands as its definition says: by value or weight, one country or China, which codes. The"
        " published level of the base has a definition that nobody published, and need not be ours."
    )
    found = [Finding("target-definition", "caution", text, {})]
    names = sorted(set(progress.filter(pl.col("form").is_null())["target"].to_list()))
    if names:
        text = f"Nothing that is shipped measures {', '.join(names)}: progress is unknown, not nothing."
        found.append(Finding("target-unmeasured", "warning", text, {"targets": names}))
    text = (
        "Projections go on at the pace of the last years, with Sen's interval at 80 %; they know nothing of"
        " projects or policies."
    )
    found.append(Finding("target-projection", "info", text, {}))
    return tuple(found)


def _lineage(
    chosen: TradeTable, path: str | Path | None, targets: Sequence[Target], call: dict[str, object]
) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415 - the package's own
    from evernormal.data import inputs  # noqa: PLC0415 - opens the snapshot

    place = Path(path) if path is not None else Path(__file__).parent / "tables" / "targets.csv"
    whose = "ours" if path is None else "the user's"
    typed = Input(place.name, sha256_of(place), f"targets with their definitions, {whose}")
    goals = tuple(
        Parameter(one.target, one.target_value, one.target_value, one.target_value, "fraction", one.grade,
                  one.source)
        for one in targets
    )  # fmt: skip
    of = "progress"
    derived = (
        Derivation(of, "now", "E11", (), "Share of imports of the year, as the definition says."),
        Derivation(
            of, "needed", "E129", (f"{of}.now", f"{of}.goal"), "Change a year that leads to the goal."
        ),
        Derivation(of, "pace", "E118", (f"{of}.now",), "Median change a year over the window."),
        Derivation(
            of, "projected", "E130", (f"{of}.now", f"{of}.pace"), "Now and the pace until the target year."
        ),
    )
    used = (chosen.input, *inputs("production", "facts"), typed)
    return Lineage(__version__, used, goals, derived, call=call)
