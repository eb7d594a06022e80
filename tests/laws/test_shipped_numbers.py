"""Law 10 at every table that is shipped: a source for each number, and assumptions that say so."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

import evernormal
from evernormal.network.scenario import Scenario, load_scenario, scenario_names

PACKAGE = Path(evernormal.__file__).parent
TABLES = sorted(PACKAGE.rglob("*.csv"))

NOT_NUMBERS = {
    "countries.csv": "names and codes of ISO 3166",
    "country_aliases.csv": "each row names its source; codes, no quantities",
    "schema.csv": "what a column means and may hold",
    "minerals.csv": "unit and basis of a publisher's label; says where it is an assumption",
    "corrections.csv": "each row has its reason",
    "materials.csv": "names and lists; each row names its source",
    "codes.csv": "codes; each row names its source",
    "forms.csv": "names and labels; the factor to contained is stoichiometry, checked with the units",
    "statistic_labels.csv": "what a publisher's label means",
    "statistic_materials.csv": "which material a publisher's commodity is",
    "usgs_chapters.csv": "file names and commodities of a publisher",
    "usgs_editions.csv": "days of publication, each with its DOI",
    "policy_codes.csv": "which form a code of a policy record is",
    "policy_kinds.csv": "which kind of measure a publisher's type is",
    "policy_words.csv": "which material a word of a policy record is",
    "firm_layout.csv": "columns of the template for firms",
    "form_names.csv": "Korean and English names",
    "price_labels.csv": "what a publisher's label means",
    "backtest_families.csv": "which mineral a heading of the HS is",
    "policy_episodes.csv": "names and days of acts; each row names its source",
}
MADE = {
    "episodes.csv": "made from the shipped trade by the rules of market/history, which a test applies again",
    "rejected_episodes.csv": "the candidates that those rules refuse",
    "backtest_episodes.csv": "made by the back-test from the shipped trade",
    "backtest_errors.csv": "made by the back-test from the shipped trade",
    "backtest_scores.csv": "made by the back-test from the shipped trade",
    "reduced_form.csv": "coefficients fitted by the back-test on the shipped trade",
    "forecast_coverage.csv": "made by `evernormal forecast --evaluate` from the shipped tables",
    "forecast_errors.csv": "made by `evernormal forecast --evaluate` from the shipped tables",
    "forecast_pool.csv": "made by `evernormal forecast --evaluate` from the shipped tables",
    "forecast_skill.csv": "made by `evernormal forecast --evaluate` from the shipped tables",
}
ONE_SOURCE = {
    "transit.csv": "sea distances made by scripts/build_transit.py with searoute",
    "transit_land.csv": "days by land made by scripts/build_transit.py",
}
INTERVALS = (
    ("value", "low", "high"),
    ("content", "low", "high"),
    ("recovery", "low", "high"),
    ("share", "share_low", "share_high"),
    ("elasticity", "elasticity_low", "elasticity_high"),
    ("value_added_usd_t", "value_added_low", "value_added_high"),
    ("substitutable", "substitutable_low", "substitutable_high"),
)


def rows_of(path: Path) -> list[dict[str, str]]:
    """Rows of a shipped table."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def sourced_tables() -> list[Path]:
    """Shipped tables that hold quantities."""
    return [path for path in TABLES if path.name not in {**NOT_NUMBERS, **ONE_SOURCE, **MADE}]


def problems(path: Path) -> list[str]:
    """Everything that law 10 finds wrong in one table."""
    return [
        problem
        for number, row in enumerate(rows_of(path), start=2)
        for problem in problems_of_row(f"{path.name}:{number}", row)
    ]


def problems_of_row(place: str, row: dict[str, str]) -> list[str]:
    """Everything that law 10 finds wrong in one row."""
    found = []
    if row.get("grade") not in {"A", "B", "C"}:
        found.append(f"{place} has no grade A, B or C")
    if len((row.get("source") or "").strip()) < 5:
        found.append(f"{place} has no source")
    if row.get("grade") == "C" and "assumption" not in row.get("source", "") + row.get("definition", ""):
        found.append(f"{place} is graded C and does not say 'assumption'")
    for value, low, high in INTERVALS:
        if value in row and low in row:
            found += _outside(place, row[value], row[low], row[high])
    return found


def _outside(place: str, value: str, low: str, high: str) -> list[str]:
    """A value outside its own interval, or an interval with one end."""
    if bool(low) != bool(high):
        return [f"{place} has one end of an interval"]
    if not (value and low):
        return []
    if not all(math.isfinite(float(number)) for number in (value, low, high)):
        return [f"{place} holds a number that is not finite"]
    if not min(float(low), float(high)) <= float(value) <= max(float(low), float(high)):
        return [f"{place}: {value} is outside {low} to {high}"]
    return []


@pytest.mark.parametrize("path", sourced_tables(), ids=lambda path: path.name)
def test_every_shipped_row_has_its_source(path: Path) -> None:
    """Law 10: each row has grade and source, grade C says "assumption", values lie in their interval."""
    found = problems(path)
    assert not found, f"{len(found)} problems\n" + "\n".join(found[:20])


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_no_table_of_numbers_hides(path: Path) -> None:
    """Law 10: a shipped table has the columns grade and source, or is listed as one without quantities."""
    columns = set(rows_of(path)[0])
    if path.name not in {**NOT_NUMBERS, **ONE_SOURCE, **MADE}:
        assert {"grade", "source"} <= columns
    if path.name in ("materials.csv", "codes.csv", "country_aliases.csv"):
        assert all(row["source"].strip() for row in rows_of(path))


@pytest.mark.parametrize("name", scenario_names())
def test_every_shipped_scenario_names_its_sources(name: str) -> None:
    """Law 10: a shipped scenario has sources, and each of its measures says where it is documented."""
    scenario: Scenario = load_scenario(name)
    assert scenario.sources, "no sources"
    assert scenario.title.ko and scenario.description.ko, "no Korean text"
    for act in (*scenario.measures, *scenario.policies):
        assert act.source, f"{act.id} has no source"


def test_every_observation_carries_its_source() -> None:
    """Law 10: what the data room hands out has source, reference, date and grade on every row."""
    from evernormal import data

    tables = {
        "trade": data.trade(codes=["282520"], importers=["KOR"], years=[2022, 2023]),
        "production": data.production(years=[2023]),
        "governance": data.governance(years=[2023]),
        "facts": data.facts(),
    }
    for name, table in tables.items():
        assert table.height, name
        for column in ("source", "source_ref", "as_of", "grade"):
            assert table[column].null_count() == 0, f"{name}.{column}"
        assert set(table["grade"].unique()) <= {"A", "B", "C"}, name


def test_every_parameter_of_a_result_has_its_source() -> None:
    """Law 10: what a simulation used is in its lineage with interval, grade and source."""
    scenario = load_scenario("lithium-hydroxide-100")
    network = evernormal.load_network(scenario.form, focal=scenario.focal, year=scenario.base_year)
    result = evernormal.simulate(network, scenario, draws=0)
    assert len(result.lineage.parameters) >= 10
    for parameter in result.lineage.parameters:
        assert parameter.source and parameter.grade in "ABC", parameter.name
        assert parameter.grade != "C" or "assumption" in parameter.source, parameter.name
    for source in result.lineage.inputs:
        assert len(source.sha256) == 64 and source.source, source.name
