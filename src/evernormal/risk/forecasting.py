"""Demand of a country for a form in the years ahead, with intervals that were tested on the past.

The statistical forecast is the mean of a combination of library methods and a regression pooled over many
countries (equations E135, E136); its interval comes from past errors (E138).  Where a path of electric cars
is asked for, batteries follow the path and the other uses follow statistics (E143).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from evernormal.data.european_union import EUROPEAN_UNION
from evernormal.errors import InputError
from evernormal.network.form_tables import Form
from evernormal.network.network import EndUse
from evernormal.result import Finding, Result
from evernormal.risk.forecast_drivers import MARKETS, Driver, battery_driver, driven_uses
from evernormal.risk.forecast_methods import require_library
from evernormal.risk.forecast_monthly import monthly_series
from evernormal.risk.forecast_series import MEASURES, WORLD, Measure, Series, annual_series
from evernormal.risk.forecast_statistics import statistics_of
from evernormal.risk.forecast_tables import lineage_of, tables_of, units_of
from evernormal.risk.forecast_uses import battery_finding, by_use

__all__ = ["HORIZON", "forecast"]

HORIZON = 5
MONTHLY_YEARS = 2


def forecast(
    form: str,
    country: str = "KOR",
    years: int | None = None,
    *,
    measure: Measure = "imports",
    scenario: str | None = None,
    market: str = WORLD,
    origin: int | None = None,
    dataset: str | None = None,
    customs: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Forecast what a country takes in of a form, by end use, with an 80 % interval (equations E135 to E144).

    Args:
        form: form with a customs code of its own, such as ``lithium/hydroxide``.
        country: ISO 3166 alpha-3, ``EU`` for its 27 members as one country, or ``WLD`` for world trade.
        years: how many years ahead: 1 to 5 (default 5); with ``customs`` 1 to 2 (default 1).
        measure: ``imports``; ``net_imports`` (imports less exports); or ``apparent_use`` (production too).
        scenario: path that drives batteries: ``iea-steps``, ``iea-aps``, ``iea-nze``, ``icct-ambitious``, or
            a CSV file of your own; None for statistics alone.
        market: whose car sales drive; ``WLD``, ``CHN``, ``EU``, ``JPN``, ``KOR`` or ``USA``.
        origin: last year that may be used; an earlier one replays what would have been said then.
        dataset: annual trade that the user added, in place of the shipped trade.
        customs: monthly customs data that the user added, in place of annual trade.
        folder: folder of the user's store; needed with ``dataset`` or ``customs``.
        as_of: use only data that were knowable on this day (law 11).

    Returns:
        Result ``forecast`` with tables ``forecast`` (form, country, end_use, period, year, horizon, p10, p50,
        p90 in tonnes contained, driver_share), ``history``, ``skill`` (against naive, of this series and of
        all), ``interval_coverage`` (what share of outcomes the intervals held), ``errors`` (every rolling
        origin), ``methods`` (what each method says), ``intervals``, ``end_uses``, ``drivers`` where a path
        was asked for, and ``summary``.

    Raises:
        UnknownNameError: no such form, country, scenario, market or data set.
        InputError: a horizon or an origin out of range; the library is not installed.
        NotCoveredError: no series, too short a series, or a path that does not reach that far.
        SourceFormatError: a fault in the user's file; names row, column and cure.

    >>> table = forecast("nickel/ore", "KOR", 1)["forecast"]
    >>> table.filter(table["end_use"] == "all").select("period", "horizon").row(0)
    ('2025', 1)
    """
    from evernormal.data.schema import day  # noqa: PLC0415 - reads tables
    from evernormal.network.forms import end_uses  # noqa: PLC0415 - reads tables
    from evernormal.network.forms import form as form_of  # noqa: PLC0415

    require_library()
    found = form_of(form)
    _check(country, measure, market, dataset, customs)
    ahead = _horizon(years, monthly=customs is not None)
    if customs is not None:
        series = monthly_series(found, country, customs, folder, as_of, origin)
    else:
        series = annual_series(
            found, country, measure, origin=origin, dataset=dataset, folder=folder, as_of=as_of
        )
    statistics = statistics_of(form, series, ahead * series.season)
    uses = end_uses(form, country)
    driven = driven_uses(found.material, [use.name for use in uses])
    driver, notes = _driver(found, series, scenario, market, ahead, driven, uses, day(as_of))
    start = float(np.exp(series.logs[-1]))
    rows = by_use(statistics.steps, uses, driven, driver, start)
    tables = tables_of(form, series, statistics, uses, driven, driver, rows)
    call: dict[str, Any] = {"form": form, "country": country, "years": ahead, "measure": measure}
    call |= {"scenario": scenario, "market": market, "origin": origin, "dataset": dataset, "customs": customs}
    call |= {"as_of": None if as_of is None else str(as_of)}
    findings = (*series.findings, *_measure_findings(measure, form), *statistics.findings, *notes)
    lineage = lineage_of(series, driver, uses, call)
    return Result("forecast", tables, units_of(series.unit, tables), lineage, findings)


# --- questions --------------------------------------------------------------


def _check(country: str, measure: str, market: str, dataset: str | None, customs: str | None) -> None:
    from evernormal.data.geography import check_iso3  # noqa: PLC0415 - reads tables

    if country not in (WORLD, EUROPEAN_UNION):
        check_iso3([country], where="country")
    if measure not in MEASURES:
        raise InputError(f"measure must be one of {', '.join(MEASURES)}, got {measure!r}", where="measure")
    if market not in MARKETS:
        raise InputError(f"market must be one of {', '.join(MARKETS)}, got {market!r}", where="market")
    if dataset is not None and customs is not None:
        raise InputError("give dataset or customs, not both", where="customs")
    if customs is not None and country == EUROPEAN_UNION:
        raise InputError("customs data are of one country, not of the European Union", where="customs",
                         cure="Leave customs out, or name the member that declared them.")  # fmt: skip
    if customs is not None and measure != "imports":
        raise InputError("customs data give imports only", where="measure", cure="Leave measure out.")


def _horizon(years: int | None, *, monthly: bool) -> int:
    most = MONTHLY_YEARS if monthly else HORIZON
    if years is None:
        return 1 if monthly else HORIZON
    if isinstance(years, bool) or not isinstance(years, int) or not 1 <= years <= most:
        raise InputError(
            f"years must be a whole number from 1 to {most}, got {years!r}",
            where="years",
            cure="Errors were measured that far; beyond it nothing is known of the interval.",
        )
    return years


def _measure_findings(measure: str, form: str) -> tuple[Finding, ...]:
    if measure == "imports":
        text = f"Demand for {form} is seen through imports: what is made at home is not in it."
        return (Finding("demand-by-imports", "info", text, {"form": form}),)
    text = f"The interval comes from errors of imports; that of {MEASURES[measure]} of {form} may be wider."
    return (Finding("calibrated-on-imports", "caution", text, {"form": form, "measure": measure}),)


def _driver(
    form: Form,
    series: Series,
    scenario: str | None,
    market: str,
    ahead: int,
    driven: Sequence[str],
    uses: Sequence[EndUse],
    as_of: date | None,
) -> tuple[Driver | None, tuple[Finding, ...]]:
    if scenario is None:
        note = battery_finding(form.name, uses, driven)
        return None, (note,) if note else ()
    origin = series.periods[-1] if series.season == 1 else series.periods[-1] // 12
    if series.season != 1:
        raise InputError(
            "a path of yearly car sales drives annual series only",
            where="scenario",
            cure="Leave customs or scenario out.",
        )
    driver = battery_driver(form.material, scenario, origin, ahead, market=market, as_of=as_of)
    if not driven:
        text = f"No end use of {form.name} is driven by electric cars: scenario {scenario} changes nothing."
        note = Finding("driver-without-use", "caution", text, {"form": form.name, "scenario": scenario})
        return None, (note,)
    text = (
        f"Batteries follow {driver.scenario}. How well such paths are kept cannot be tested, because earlier"
        " editions are not at hand: the interval holds trade noise, share and chemistry, not the path. Trade"
        " can grow slower than use: from 2021 to 2024 lithium in cars sold grew 2.7 times, world trade in"
        " lithium chemicals 1.6 times."
    )
    untested = Finding("driver-not-tested", "caution", text, {"form": form.name, "scenario": driver.scenario})
    return driver, (*driver.findings, untested)
