"""What monthly export licences did: notice, buying ahead, the first month, first licences, what returned."""

from __future__ import annotations

import csv
from datetime import date
from importlib.resources import files

import polars as pl

from evernormal.result import Parameter

__all__ = ["licence_defaults", "licence_months", "licence_parameters"]

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
    return tuple(
        Parameter(
            row["name"],
            float(row["value"]),
            float(row["low"]),
            float(row["high"]),
            row["unit"],
            row["grade"],  # type: ignore[arg-type]
            row["source"],
        )
        for row in _rows("licence_record")
    )


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
    records, buying ahead and the first month were not.

    Returns:
        scenario, mark, recorded, simulated, source.
    """
    rows = _rows("backtest_licences")
    shipped = {name: _exports(name) for name in dict.fromkeys(row["scenario"] for row in rows)}
    return pl.DataFrame(
        [
            {
                "scenario": row["scenario"],
                "mark": row["mark"],
                "recorded": float(row["value"]),
                "simulated": _ratio(shipped[row["scenario"]], row),
                "source": row["source"],
            }
            for row in rows
        ]
    )


def _exports(name: str) -> pl.DataFrame:
    """Return China's flows of a shipped scenario, month by month."""
    from evernormal.market.simulate import simulate  # noqa: PLC0415
    from evernormal.network.load import load_network  # noqa: PLC0415
    from evernormal.network.scenario import load_scenario  # noqa: PLC0415

    scenario = load_scenario(name)
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
