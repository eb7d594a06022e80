"""What monthly export licences did: notice, buying ahead, the first month, first licences, what returned."""

from __future__ import annotations

import csv
from datetime import date
from importlib.resources import files
from statistics import median
from typing import TYPE_CHECKING

import polars as pl

from evernormal.market.parameters import parameter_of
from evernormal.result import Parameter

if TYPE_CHECKING:
    from evernormal.network.measures import Measure
    from evernormal.network.scenario import Scenario

__all__ = ["approval_months", "licence_defaults", "licence_months", "licence_parameters"]

CONTROLLED = (
    "gallium/metal",
    "germanium/metal",
    "graphite/natural",
    "antimony/metal",
    "rare-earths/compounds",
)
"""Forms under Chinese licences since 2023 whose record stands behind the measure's defaults."""


def licence_parameters() -> tuple[Parameter, ...]:
    """Return the record of Chinese export licences since 2023, with interval and source.

    A licence is not a ban and not a tax: goods stop for weeks, whoever knows buys ahead in the weeks of
    notice, and what returns is less than before for months.

    Returns:
        ``licence_notice`` (days from announcement to effect), ``licence_first_month_cut`` (fraction),
        ``licence_first_granted`` (days from effect), ``licence_return`` (fraction of the exports of a year
        before, three to four months after effect), ``licence_front_running`` (exports of the month before
        effect over the usual).

    >>> {p.name: p.value for p in licence_parameters()}["licence_first_granted"]
    51.0
    """
    published = tuple(parameter_of(row) for row in _rows("licence_record"))
    fitted = sorted(approval_months().values())
    slow = Parameter(
        "licence_approval_months",
        median(fitted),
        fitted[0],
        fitted[-1],
        "month",
        "C",
        "assumption: a straight line from nothing at the first licence through the third or fourth month to "
        f"the share of the shipped scenario; {len(fitted)} controls, too few for a default",
    )
    return (*published, slow)


def approval_months() -> dict[str, float]:
    """Return by shipped scenario how many months approvals took to rise from nothing to its central share.

    The line goes through the published exports of the third or fourth month over the same month a year
    before, read at the middle of the month.

    >>> {name: round(months, 1) for name, months in approval_months().items()}
    {'gallium-licence-2023': 4.8, 'germanium-licence-2023': 6.1, 'antimony-2024': 1.6}
    """
    from evernormal.market.acts import DAYS_PER_MONTH  # noqa: PLC0415

    found = {}
    for row in _rows("backtest_licences"):
        if row["against"] == "usual" and row["mark"].endswith("over a year before"):
            licence = _licence(_scenario(row["scenario"]))
            hard = {name: number.central() for name, number in licence.hardness().items()}
            waited = (_month(row["month"]) - licence.effective).days + DAYS_PER_MONTH / 2 - hard["delay_days"]
            found[row["scenario"]] = waited / DAYS_PER_MONTH * hard["approval_share"] / float(row["value"])
    return found


def licence_defaults() -> pl.DataFrame:
    """Return what a licence measure of China takes where nobody says otherwise: days and approved share.

    They are those of :func:`evernormal.network.policy_hardness.hardness_of`, with which a policy record
    becomes a measure of a scenario.

    Returns:
        form, field, value, low, high, grade, source.

    >>> licence_defaults().filter(pl.col("form") == "gallium/metal")["value"].to_list()
    [51.0, 0.7]
    """
    from evernormal.network.policy_hardness import hardness_of  # noqa: PLC0415

    return pl.DataFrame(
        [
            {
                "form": form,
                "field": one.name,
                "value": one.value,
                "low": one.low,
                "high": one.high,
                "grade": one.grade,
                "source": one.source,
            }
            for form in CONTROLLED
            for one in hardness_of("licence", "CHN", form)
            if one.name != "covers"
        ]
    )


def licence_months() -> pl.DataFrame:
    """Simulate the licences of 2023 and 2024 month by month, beside what was published.

    Each mark is China's exports of a month over those of another month, or over the usual month of the base
    year.  The simulation is the central one of the shipped scenario; delay and share were taken from these
    records, buying ahead and the first month were not.  ``rising`` is the same with approvals that rise over
    the median of :func:`approval_months` of the other controls.

    Returns:
        scenario, mark, recorded, simulated, rising, source.
    """
    rows = _rows("backtest_licences")
    names = tuple(dict.fromkeys(row["scenario"] for row in rows))
    shipped = {name: _exports(_scenario(name)) for name in names}
    rising = {name: _exports(_slow(name)) for name in names}
    return pl.DataFrame(
        [
            {
                "scenario": row["scenario"],
                "mark": row["mark"],
                "recorded": float(row["value"]),
                "simulated": _ratio(shipped[row["scenario"]], row),
                "rising": _ratio(rising[row["scenario"]], row),
                "source": row["source"],
            }
            for row in rows
        ]
    )


def _scenario(name: str) -> Scenario:
    from evernormal.network.scenario import load_scenario  # noqa: PLC0415

    return load_scenario(name)


def _licence(scenario: Scenario) -> Measure:
    return next(act for act in scenario.resolved_measures() if act.kind == "licence")


def _slow(name: str) -> Scenario:
    """Return a shipped scenario whose approvals rise from nothing as those of the other controls did."""
    from evernormal.network.scenario import scenario_from  # noqa: PLC0415

    plain = _scenario(name).plain()
    months = median(value for other, value in approval_months().items() if other != name)
    for act in plain["measures"]:
        if act["kind"] == "licence":
            act |= {"first_approval_share": 0, "approval_months": months}
    return scenario_from(plain, where=name)


def _exports(scenario: Scenario) -> pl.DataFrame:
    """Return China's flows of a scenario, month by month."""
    from evernormal.market.simulate import simulate  # noqa: PLC0415
    from evernormal.network.load import load_network  # noqa: PLC0415

    network = load_network(scenario.form, scenario.focal, scenario.base_year)
    flows = simulate(network, scenario, draws=0)["flows"]
    return flows.filter(pl.col("exporter") == "CHN")


def _ratio(flows: pl.DataFrame, row: dict[str, str]) -> float:
    own = flows.filter(pl.col("importer") == row["importer"]) if row["importer"] else flows
    of_month = own.filter(pl.col("month") == _month(row["month"]))
    above = float(of_month["shipped_t"].sum())
    if row["against"] == "usual":
        return above / float(of_month["base_t"].sum())
    return above / float(own.filter(pl.col("month") == _month(row["against"]))["shipped_t"].sum())


def _month(text: str) -> date:
    return date.fromisoformat(f"{text}-01")


def _rows(name: str) -> list[dict[str, str]]:
    text = files("evernormal.market").joinpath(f"tables/{name}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
