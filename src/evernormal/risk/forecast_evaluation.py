"""The whole back-test: fit the pooled regression, choose a method, calibrate intervals, score elsewhere.

Countries are told apart by a hash of their name: a third is never fitted on, Korea and the world neither.
The method is chosen on the fitting countries with targets up to 2014; every score is of other countries or
of the world, and the scores of the choice are of targets after 2014.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.errors import NotCoveredError
from evernormal.result import Derivation, Finding, Lineage, Result
from evernormal.risk.forecast_methods import (
    DEFAULT,
    FEATURES,
    FIRST_POOLED,
    METHODS,
    Pool,
    features,
    require_library,
    volatility,
)
from evernormal.risk.forecast_scores import (
    Calibration,
    calibrate,
    inside,
    rolling_errors,
    score,
    skill_interval,
)
from evernormal.risk.forecast_series import MINIMUM_VALUES, WORLD, Series, annual_amounts, series_of

__all__ = ["CHOSEN_THROUGH", "HORIZONS", "SETS", "evaluate_forecasts", "held_out", "panel", "shipped_tables"]

HORIZONS = 5
FIRST_ORIGIN = FIRST_POOLED - HORIZONS
CHOSEN_THROUGH = 2014
LARGEST_IMPORTERS = 15
KOREA = "KOR"
SETS = ("choice", KOREA, "held-out countries", WORLD)
SMALLEST = 0.05
RIDGE = 1e-3
ROUNDS = 40
NEAR = 0.02
DIGITS = 6

Progress = Callable[[int, int], None]


def held_out(country: str) -> bool:
    """Return whether a country is only ever scored: Korea, the world, and a third chosen by a hash.

    >>> held_out("KOR"), held_out("WLD"), held_out("JPN")
    (True, True, False)
    """
    drawn = int(hashlib.sha256(country.encode()).hexdigest(), 16) % 3 == 0
    return country in (KOREA, WORLD) or drawn


def panel(forms: Iterable[str] | None = None, largest: int = LARGEST_IMPORTERS) -> list[tuple[str, Series]]:
    """Return the series that the back-test runs on: the largest importers of each form, Korea, the world.

    Args:
        forms: form names; by default every form that the shipped trade shows.
        largest: how many importers per form, by mean imports since 2000.
    """
    from evernormal.network.forms import form as form_of  # noqa: PLC0415 - reads tables
    from evernormal.network.forms import forms as all_forms  # noqa: PLC0415

    names = list(forms) if forms is not None else all_forms()["form"].to_list()
    found: list[tuple[str, Series]] = []
    for name in names:
        form = form_of(name)
        if not form.trade_codes:
            continue
        table = annual_amounts(form, dataset=None, folder=None, as_of=None, until=None)
        table = table.with_columns(amount_t=pl.col("imports_t"))
        latest = int(table["year"].max())  # type: ignore[arg-type]
        ranked = (
            table.filter(pl.col("year") >= 2000, pl.col("country") != WORLD, pl.col("amount_t") > 0)
            .group_by("country")
            .agg(pl.col("amount_t").mean(), pl.len().alias("years"))
            .filter(pl.col("years") >= 20)
            .sort("amount_t", "country", descending=[True, False])
        )
        for country in dict.fromkeys((KOREA, WORLD, *ranked["country"].head(largest))):
            mine = table.filter(pl.col("country") == country)
            try:
                made = series_of(name, country, mine, latest, season=1, inputs=(), unit="t contained")
            except NotCoveredError:
                continue
            found.append((name, made))
    return found


def evaluate_forecasts(
    generator: np.random.Generator,
    *,
    forms: Sequence[str] | None = None,
    workers: int = 1,
    progress: Progress = lambda done, total: None,
) -> Result:
    """Run the whole back-test on the shipped trade (equations E135 to E139).

    Args:
        generator: source of the draws behind the interval of the skill.
        forms: forms to run on; by default all with a code of their own.
        workers: processes; any number gives the same numbers.
        progress: called with series done and series in all.

    Returns:
        Result ``forecast-evaluation`` with tables ``skill`` (scored set, method, horizon 0 for all, forms,
        errors, mean_absolute_error, benchmark_error, skill, skill_low, skill_high, scaled_error,
        scaled_skill, square_skill), ``interval_coverage`` (scored set, group, horizon, errors, coverage),
        ``by_form`` (form, skill of Korea), ``pool`` and ``calibration``, the two tables that
        :func:`evernormal.risk.forecast` reads.
    """
    require_library()
    every = panel(forms)
    coefficients = _pool(every)
    errors = _all_errors(every, coefficients, workers, progress)
    fitting = errors.filter(~pl.col("country").map_elements(held_out, return_dtype=pl.Boolean))
    last = int(errors["period"].max())  # type: ignore[arg-type]
    known: Calibration = {}
    for method in (DEFAULT, "naive"):
        for through in range(FIRST_POOLED + HORIZONS, last + 1):
            known |= calibrate(fitting, method, through, HORIZONS)
    sets = _sets(errors, fitting)
    tables = {
        "skill": _skill(sets, generator),
        "interval_coverage": _coverage(errors, known),
        "by_form": _by_form(sets[KOREA]),
        "pool": _pool_table(coefficients),
        "calibration": _calibration_table(known),
    }
    fractions = ("skill", "skill_low", "skill_high", "scaled_skill", "square_skill")
    units = {
        "skill": dict.fromkeys(("mean_absolute_error", "benchmark_error"), "log units")
        | dict.fromkeys(fractions, "fraction")
        | {"scaled_error": "1"},
        "interval_coverage": {"coverage": "fraction"},
        "by_form": {"skill": "fraction"},
        "pool": dict.fromkeys(FEATURES, "1"),
        "calibration": dict.fromkeys(("volatility_to", "low", "high"), "1"),
    }
    return Result("forecast-evaluation", tables, units, _lineage(forms), _findings(sets))


def _lineage(forms: Sequence[str] | None) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415 - the package's own
    from evernormal.data import inputs  # noqa: PLC0415 - opens the snapshot

    derived = (
        Derivation("skill", "skill", "E137", (), "One less the error over that of naive."),
        Derivation("interval_coverage", "coverage", "E139", (), "Outcomes inside over all outcomes."),
        Derivation("calibration", "low", "E138", (), "Quantile of scaled past errors."),
        Derivation("pool", "change", "E136", (), "Median regression on the fitting countries."),
    )
    call = {"forms": None if forms is None else list(forms)}
    return Lineage(__version__, inputs("trade"), (), derived, call=call)


def shipped_tables(result: Result) -> dict[str, str]:
    """Return the text of the CSV files that :func:`evernormal.risk.forecast` reads, by file name.

    Args:
        result: what :func:`evaluate_forecasts` returned for all forms.
    """
    names = {
        "forecast_pool.csv": result["pool"],
        "forecast_errors.csv": result["calibration"],
        "forecast_skill.csv": result["skill"],
        "forecast_coverage.csv": result["interval_coverage"],
    }
    return {name: table.write_csv() for name, table in names.items()}


# --- pooled regression ------------------------------------------------------


def _pool(every: Sequence[tuple[str, Series]]) -> Pool:
    """Fit the pooled regression for every origin and step, on the fitting countries (equation E136)."""
    rows: list[tuple[int, float, list[float]]] = []
    seen: list[npt.NDArray[np.float64]] = []
    for _, series in every:
        if held_out(series.country):
            continue
        for origin in range(FIRST_ORIGIN, series.periods[-1]):
            logs = series.until(origin)
            if logs is None:
                continue
            place = origin - series.periods[0]
            targets = [
                float(series.logs[place + step] - logs[-1])
                if place + step < len(series.logs) and series.known[place + step]
                else np.nan
                for step in range(1, HORIZONS + 1)
            ]
            rows.append((origin, volatility(logs), targets))
            seen.append(features(logs))
    if not rows:
        return {}
    origin_of = np.array([row[0] for row in rows])
    weight = 1 / np.maximum([row[1] for row in rows], SMALLEST)
    target = np.array([row[2] for row in rows])
    matrix = np.array(seen)
    last = max(series.periods[-1] for _, series in every)
    found: Pool = {}
    for through in range(FIRST_POOLED, last + 1):
        for step in range(1, HORIZONS + 1):
            use = (origin_of + step <= through) & ~np.isnan(target[:, step - 1])
            if int(use.sum()) > 10 * len(FEATURES):
                fitted = _median_regression(matrix[use], target[use, step - 1], weight[use])
                found[through, step] = np.array([float(f"{value:.{DIGITS}g}") for value in fitted])
    return found


def _median_regression(
    matrix: npt.NDArray[np.float64], target: npt.NDArray[np.float64], weight: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Weighted least absolute deviations with a slight pull to zero, by reweighted least squares."""
    spread = matrix.std(axis=0)
    width: npt.NDArray[np.float64] = np.where(spread > 0, spread, 1.0)
    scaled = matrix / width
    pull = RIDGE * len(target) * np.eye(matrix.shape[1])
    beta: npt.NDArray[Any] = np.zeros(matrix.shape[1])
    for _ in range(ROUNDS):
        heavy = weight / np.maximum(np.abs(target - scaled @ beta), NEAR)
        beta = np.linalg.solve(
            (scaled * heavy[:, None]).T @ scaled + pull, (scaled * heavy[:, None]).T @ target
        )
    return np.asarray(beta / width)


def _pool_table(coefficients: Pool) -> pl.DataFrame:
    rows = [(*key, *values.tolist()) for key, values in sorted(coefficients.items())]
    schema = {"through": pl.Int64, "horizon": pl.Int64, **dict.fromkeys(FEATURES, pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _calibration_table(known: Calibration) -> pl.DataFrame:
    rows = [
        (*key, None if edge == np.inf else edge, low, high)
        for key, parts in sorted(known.items())
        for edge, low, high in parts
    ]
    schema = {"method": pl.String, "through": pl.Int64, "horizon": pl.Int64}
    schema |= dict.fromkeys(("volatility_to", "low", "high"), pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


# --- errors and scores ------------------------------------------------------


def _all_errors(
    every: Sequence[tuple[str, Series]], coefficients: Pool, workers: int, progress: Progress
) -> pl.DataFrame:
    jobs = [(name, series, coefficients) for name, series in every]
    found: list[pl.DataFrame] = []
    if workers <= 1:
        for number, job in enumerate(jobs):
            found.append(_errors_of(job))
            progress(number + 1, len(jobs))
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as crew:
            for number, made in enumerate(crew.map(_errors_of, jobs, chunksize=4)):
                found.append(made)
                progress(number + 1, len(jobs))
    return pl.concat([table for table in found if table.height])


def _errors_of(job: tuple[str, Series, Pool]) -> pl.DataFrame:
    name, series, coefficients = job
    origins = range(FIRST_POOLED, series.periods[-1])
    return rolling_errors(name, series, origins, HORIZONS, names=METHODS, coefficients=coefficients)


def _sets(errors: pl.DataFrame, fitting: pl.DataFrame) -> dict[str, pl.DataFrame]:
    late = errors.filter(pl.col("period") > CHOSEN_THROUGH)
    others = late["country"].map_elements(
        lambda name: held_out(name) and name not in (KOREA, WORLD), return_dtype=pl.Boolean
    )
    return {
        "choice": fitting.filter(pl.col("period") <= CHOSEN_THROUGH),
        KOREA: late.filter(pl.col("country") == KOREA),
        "held-out countries": late.filter(others),
        WORLD: late.filter(pl.col("country") == WORLD),
    }


def _skill(sets: dict[str, pl.DataFrame], generator: np.random.Generator) -> pl.DataFrame:
    rows = []
    for name, table in sets.items():
        for method in METHODS:
            for step in range(HORIZONS + 1):
                part = table if step == 0 else table.filter(pl.col("horizon") == step)
                if part.is_empty():
                    continue
                low, high = skill_interval(part, method, generator)
                found = score(part, method)
                rows.append(
                    {"scored": name, "method": method, "horizon": step, "forms": part["form"].n_unique()}
                    | {key: round(value, DIGITS) for key, value in found.items()}
                    | {"skill_low": round(low, DIGITS), "skill_high": round(high, DIGITS)}
                )
    return pl.DataFrame(rows).with_columns(pl.col("errors").cast(pl.Int64))


def _coverage(errors: pl.DataFrame, known: Calibration) -> pl.DataFrame:
    """Share of outcomes inside, of countries that nothing was fitted on."""
    others = errors.filter(pl.col("country").map_elements(held_out, return_dtype=pl.Boolean))
    rows = []
    for name, judged in _sets(inside(others, known, DEFAULT), errors.clear()).items():
        if judged.is_empty():
            continue
        size = _size_group(judged)
        for group in ("all", "small", "middle", "large"):
            chosen = judged if group == "all" else judged.filter(size == group)
            for step in range(HORIZONS + 1):
                part = chosen if step == 0 else chosen.filter(pl.col("horizon") == step)
                if part.height:
                    share = float(part["inside"].sum()) / part.height
                    rows.append((name, group, step, part.height, round(share, DIGITS)))
    schema = {"scored": pl.String, "group": pl.String, "horizon": pl.Int64, "errors": pl.Int64}
    return pl.DataFrame(rows, schema={**schema, "coverage": pl.Float64}, orient="row")


def _size_group(table: pl.DataFrame) -> pl.Series:
    """Tercile of the form's amount among the forms of the set, by the naive forecast."""
    ranked = table["naive"].rank("ordinal") / max(table.height, 1)
    return pl.Series(
        ["small" if share <= 1 / 3 else "middle" if share <= 2 / 3 else "large" for share in ranked],
        dtype=pl.String,
    )


def _by_form(table: pl.DataFrame) -> pl.DataFrame:
    rows = []
    for name in sorted(table["form"].unique().to_list()):
        part = table.filter(pl.col("form") == name)
        rows.append((name, part.height, round(score(part, DEFAULT)["skill"], DIGITS)))
    return pl.DataFrame(
        rows, schema={"form": pl.String, "errors": pl.Int64, "skill": pl.Float64}, orient="row"
    )


def _findings(sets: dict[str, pl.DataFrame]) -> tuple[Finding, ...]:
    scores = {method: score(sets["choice"], method)["skill"] for method in METHODS if sets["choice"].height}
    if not scores:
        return ()
    best = max(scores, key=lambda method: (scores[method], method))
    text = (
        f"On {sets['choice']['form'].n_unique()} forms of the countries fitted on, targets to"
        f" {CHOSEN_THROUGH}, the smallest error is that of {best} ({scores[best]:.1%} below naive)."
    )
    level: Literal["info", "warning"] = "info" if best == DEFAULT else "warning"
    return (Finding("method-chosen", level, text, {"method": best, "skill": scores[best]}),)


assert MINIMUM_VALUES > 2  # the features look two changes back
