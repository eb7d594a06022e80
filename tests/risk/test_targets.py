"""Progress toward targets: goals from facts, pace by hand, files of one's own with every fault named."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from evernormal import data, risk
from evernormal.errors import InputError, NotCoveredError, SourceFormatError
from evernormal.risk.targets import needed_pace, pace
from evernormal.risk.targets_table import COLUMNS, read_targets, shipped_targets

LINE = {
    "target": "mine", "country": "KOR", "measure": "partner-share", "by": "value", "partner": "CHN",
    "direction": "at most", "base_year": "2020", "base_value": "", "target_year": "2030",
    "target_value": "0.6", "definition_en": "share of China, by value", "definition_ko": "",
    "source": "assumption: ours", "as_of": "2024-01-01", "grade": "C",
}  # fmt: skip


def written(folder: Path, *lines: dict[str, str]) -> Path:
    path = folder / "targets.csv"
    rows = [",".join(f'"{line[c]}"' for c in COLUMNS) for line in lines]
    path.write_text("\n".join([",".join(COLUMNS), *rows]) + "\n", "utf-8")
    return path


def test_goals_of_korea_are_the_published_facts() -> None:
    """80 to 50 % by 2030 and 2 to 20 % recycled (strategy of February 2023)."""
    goals = {
        one.target: (one.base_value, one.target_value) for one in shipped_targets() if one.country == "KOR"
    }
    assert goals["kor-2030-one-country-value"] == (0.8, 0.5)
    assert goals["kor-2030-recycled-share"] == (0.02, 0.2)
    known = data.facts("dependence_target")
    assert known.filter(pl.col("fact_id") == "dependence-target-kor-2030")["value"].item() == 0.5


def test_goals_of_the_union() -> None:
    """Regulation (EU) 2024/1252: 10 % extracted, 40 % processed, 25 % recycled, at most 65 % from one."""
    goals = {one.target_value for one in shipped_targets() if one.country == "EU"}
    assert goals == {0.1, 0.4, 0.25, 0.65}


def test_now_and_needed_by_hand() -> None:
    """KITA publishes 79.6 % for 2023 by value: ours within a point; six sevenths of a year's work by hand."""
    table = risk.target_progress("KOR", 2023, ["lithium/hydroxide"])["progress"]
    row = table.row(by_predicate=pl.col("target") == "kor-2030-china-value", named=True)
    assert row["now"] == pytest.approx(0.796, abs=0.01)
    assert row["needed"] == pytest.approx((0.5 - row["now"]) / 7)
    assert row["gap"] == pytest.approx(row["now"] - 0.5)
    assert row["base"] == pytest.approx(0.879, abs=0.01)
    assert row["projected_low"] <= row["projected"] <= row["projected_high"]


def test_value_and_weight_are_different_targets() -> None:
    table = risk.target_progress("KOR", 2023, ["graphite/natural"])["progress"].drop_nulls("now")
    assert len(set(table["now"].round(6).to_list())) >= 2


def test_states_of_progress() -> None:
    falling = pace([0.9, 0.8, 0.7, 0.6, 0.5], [2020, 2021, 2022, 2023, 2024], 2026)
    assert (falling.slope, falling.projected) == (pytest.approx(-0.1), pytest.approx(0.3))
    assert falling.projected_low == pytest.approx(0.3) == falling.projected_high
    assert pace([0.1, 0.2, 0.4], [2022, 2023, 2024], 2040).projected == 1.0  # a share stays a share
    assert float(needed_pace(0.2, 0.5, 3)) == pytest.approx(0.1)
    with pytest.raises(InputError, match="years must be above 0"):
        needed_pace(0.2, 0.5, 0)
    states = set(risk.target_progress("KOR")["progress"]["status"])
    assert {"met", "off track", "unknown"} <= states


def test_what_nothing_measures_is_unknown() -> None:
    """Law 2: no series of the recycled share is shipped."""
    result = risk.target_progress("KOR")
    row = result["progress"].row(by_predicate=pl.col("target") == "kor-2030-recycled-share", named=True)
    assert row["now"] is None and row["status"] == "unknown" and row["form"] is None
    assert "target-unmeasured" in {finding.code for finding in result.findings}


def test_the_union_counts_what_it_makes() -> None:
    table = risk.target_progress("EU", 2024)["progress"]
    made = table.filter(pl.col("target") == "eu-2030-extraction").drop_nulls("now")
    copper = risk.net_import_reliance("nickel/ore", ["EU"], [2024])["reliance"].row(0, named=True)
    nickel = made.row(by_predicate=pl.col("form") == "nickel/ore", named=True)
    assert nickel["now"] == pytest.approx(copper["production_t"] / copper["apparent_use_t"])
    assert nickel["status"] == "met"


def test_a_target_is_not_known_before_it_is_set() -> None:
    """Law 11."""
    assert shipped_targets("2022-12-31") == []
    assert {one.country for one in shipped_targets("2023-12-31")} == {"KOR"}
    with pytest.raises(NotCoveredError, match="no target of JPN"):
        risk.target_progress("JPN")


def test_targets_of_ones_own(tmp_path: Path) -> None:
    path = written(tmp_path, LINE)
    result = risk.target_progress("KOR", 2023, ["lithium/hydroxide"], targets=path)
    assert result["progress"]["goal"].to_list() == [0.6]
    assert result.lineage.inputs[-1].name == "targets.csv"
    yaml = tmp_path / "targets.yaml"
    keys = "\n  ".join(f'{name}: "{value}"' for name, value in LINE.items() if value)
    yaml.write_text(f"- {keys}\n", "utf-8")
    assert read_targets(yaml) == read_targets(path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"target_value": "60 %"}, "column target_value: must be a number"),
        ({"target_value": "60"}, "must be a fraction from 0 to 1"),
        ({"country": "Korea"}, "column country"),
        ({"partner": ""}, "a share of a partner needs the partner"),
        ({"measure": "share"}, "must be one of largest-share"),
        ({"base_year": "2031"}, "must be after base_year"),
        ({"as_of": "yesterday"}, "must be a day"),
        ({"source": ""}, "column source: is empty"),
    ],
)
def test_every_fault_is_named(change: dict[str, str], told: str, tmp_path: Path) -> None:
    """Law 12: file, row and column."""
    path = written(tmp_path, LINE, {**LINE, "target": "second", **change})
    with pytest.raises(SourceFormatError, match=r"targets\.csv.*row 3") as caught:
        read_targets(path)
    assert told in str(caught.value)


def test_hostile_files_are_refused(tmp_path: Path) -> None:
    twice = written(tmp_path, LINE, LINE)
    with pytest.raises(SourceFormatError, match="there twice"):
        read_targets(twice)
    for text in ("just a word", "- target: x\n  command: y\n", "a: &b [*b]\n", ""):
        bad = tmp_path / "bad.yaml"
        bad.write_text(text, "utf-8")
        with pytest.raises((InputError, SourceFormatError)):
            read_targets(bad)
    with pytest.raises(InputError, match="no such file"):
        read_targets(tmp_path / "absent.csv")
