# ruff: noqa: E501  tables of messages
"""Scenarios: the shipped ones, reading, errors with line and key, round trip and hash."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evernormal.errors import InputError, ScenarioError, UnknownNameError
from evernormal.network.scenario import (
    Scenario,
    load_scenario,
    read_scenario,
    scenario_from,
    scenario_names,
    scenario_schema,
)
from evernormal.network.yaml_reader import read_yaml

from .scenario_cases import scenarios

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "src" / "evernormal" / "network"
SHARED = HERE.parents[2] / "shared"

GOOD = """\
name: half
title: Half is withheld
form: lithium/hydroxide
focal: KOR
base_year: 2023
start: 2024-01
months: 24
measures:
  - kind: ban
    id: cut
    by: CHN
    against: [focal]
    announced: 2024-01-15
    effective: 2024-02-01
    ends: 2025-02-01
    severity: 0.5
"""


def problems(text: str) -> list[str]:
    """Return the lines of the error that reading ``text`` raises."""
    with pytest.raises(ScenarioError) as caught:
        read_scenario(text, where="f.yaml")
    return [line.strip() for line in caught.value.message.splitlines() if not line.endswith(" problems")]


# Shipped ----------------------------------------------------------------------------------------------


def test_what_must_be_shipped_is_shipped() -> None:
    wanted = {
        "base",
        "lithium-hydroxide-60",
        "lithium-hydroxide-100",
        "gallium-licence-2023",
        "germanium-licence-2023",
        "graphite-licence-2023",
        "antimony-2024",
        "rare-earths-2025",
        "nickel-ore-2014",
        "malacca-closure",
        "dumping-lithium-hydroxide",
        "demand-surge",
        "bloc-aluminium-outside",
        "bloc-lithium-hydroxide",
        "bloc-neodymium-magnet",
    }
    assert wanted == set(scenario_names())


@pytest.mark.parametrize("name", scenario_names())
def test_every_shipped_scenario_is_complete_and_has_sources(name: str) -> None:
    """Law 10: every measure says where it comes from, or that it is an assumption."""
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.title.ko and scenario.description.ko and scenario.sources and scenario.tags
    assert scenario.uncertainty.draws >= 200
    for act in (*scenario.measures, *scenario.policies):
        assert act.source, act.id
        assert scenario.describe(act, "en") and scenario.describe(act, "ko")
    if "exercise" in scenario.tags:
        assert all(act.source.startswith("assumption: ") for act in scenario.measures)
    assert read_scenario(scenario.to_yaml()) == scenario


@pytest.mark.parametrize(
    ("name", "announced", "effective"),
    [
        ("gallium-licence-2023", "2023-07-03", "2023-08-01"),
        ("germanium-licence-2023", "2023-07-03", "2023-08-01"),
        ("graphite-licence-2023", "2023-10-20", "2023-12-01"),
        ("antimony-2024", "2024-08-15", "2024-09-15"),
        ("rare-earths-2025", "2025-04-04", "2025-04-04"),
    ],
)
def test_dates_of_the_chinese_controls_are_those_of_the_events_file(
    name: str, announced: str, effective: str
) -> None:
    act = load_scenario(name).measures[0]
    assert (act.kind, act.by, act.against) == ("licence", "CHN", ())
    assert (act.announced.isoformat(), act.effective.isoformat()) == (announced, effective)
    events = SHARED / "data" / "policy" / "china_export_controls_events.csv"
    if not events.is_file():
        pytest.skip("the file of events is not beside the repository")
    assert any(
        line.startswith(f"{announced},{effective},") for line in events.read_text("utf-8").splitlines()
    )


def test_the_ban_on_the_united_states_is_suspended_and_comes_back() -> None:
    ban = {act.id: act for act in load_scenario("antimony-2024").measures}["china-ban-usa"]
    assert ban.against == ("USA",)
    states = [ban.in_force(day) for day in (date(2024, 12, 3), date(2025, 11, 9), date(2026, 11, 27))]
    assert states == [True, False, False]
    assert ban.in_force(date(2026, 11, 28))


def test_lithium_scenarios_differ_in_hardness_and_words_only() -> None:
    sixty, full = load_scenario("lithium-hydroxide-60"), load_scenario("lithium-hydroxide-100")
    assert [act.hardness()["severity"].central() for act in (*sixty.measures, *full.measures)] == [0.6, 1.0]
    assert sixty.with_severity(1).measures[0].hardness() == full.measures[0].hardness()
    assert (sixty.base_year, sixty.start, sixty.months, sixty.policies) == (
        2023,
        "2024-01",
        24,
        full.policies,
    )
    assert sum(sixty.measures[0].share_in_force(month) for month in sixty.month_starts) == pytest.approx(12)


def test_base_has_no_measure() -> None:
    base = load_scenario("base")
    assert base.measures == () and base.policies == ()


@pytest.mark.parametrize("focal", ["JPN", "USA", "DEU"])
def test_another_focal_country_is_one_word(focal: str) -> None:
    scenario = load_scenario("lithium-hydroxide-100").with_focal(focal)
    assert scenario.resolved_measures()[0].against == (focal,)
    assert scenario.resolved_policies()[0].by == focal


def test_a_focal_country_cannot_hit_itself() -> None:
    with pytest.raises(ScenarioError, match=r"an act of CHN would hit CHN itself"):
        load_scenario("lithium-hydroxide-100").with_focal("CHN")
    with pytest.raises(ScenarioError, match=r"unknown country 'KOX'\. Did you mean 'KOR'"):
        load_scenario("base").with_focal("KOX")


# Errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lithium/hydroxide", "lithium/hydroxyde", "f.yaml:3:7 form: unknown form 'lithium/hydroxyde'. Did you mean 'lithium/hydroxide'"),
        ("focal: KOR", "focal: KRO", "f.yaml:4:8 focal: unknown country 'KRO'. Did you mean"),
        ("by: CHN", "by: China", "f.yaml:11:9 measures[0].by: 'China' is not an ISO 3166 alpha-3 code. Write 'CHN'."),
        ("severity", "sevrity", "f.yaml:16:5 measures[0].sevrity: unknown key 'sevrity'. Did you mean 'severity'?"),
        ("kind: ban", "kind: bna", "f.yaml:9:11 measures[0].kind: unknown kind of measure 'bna'. Did you mean 'ban'?"),
        ("0.5", "-0.5", "f.yaml:16:15 measures[0].severity: must be between 0 and 1, got -0.5. The nearest right value is 0 (share)."),
        ("0.5", "50 %", "f.yaml:16:15 measures[0].severity: must be a number, got '50 %'. Write 0.5."),
        ("ends: 2025-02-01", "ends: 2023-02-01", "f.yaml:15:11 measures[0].ends: ends 2023-02-01 is not after effective 2024-02-01. Write a later day"),
        ("months: 24", "months: 0", "f.yaml:7:9 months: must be greater than or equal to 1, got 0"),
        ("start: 2024-01", "start: 2024-1", "f.yaml:6:8 start: must be a month, got '2024-1'. Write 2024-01."),
        ("start: 2024-01", "start: 2027-01", "f.yaml:14:16 measures[0].effective: is never in force in the horizon 2027-01-01 to 2028-12-31."),
        ("base_year: 2023", "base_year: 2025", "f.yaml:6:8 start: starts in 2024-01, before its base year 2025."),
        ("base_year: 2023", "base_year: '2023'", "f.yaml:5:12 base_year: must be a whole number, got '2023'"),
        ("name: half", "name: Half Of It", "f.yaml:1:7 name: must be lower-case words joined by hyphens, got 'Half Of It'. Write 'half-of-it'."),
        ("name: half", "name: 2024", "f.yaml:1:7 name: must be text, got 2024. Put it in quotes."),
        ("base_year", "base_yaer", "f.yaml:5:1 base_yaer: unknown key 'base_yaer'. Did you mean 'base_year'"),
        ("months: 24\n", "months: 24\nbase: yaer\n", "f.yaml:8:7 base: must be one of year, averaged, got 'yaer'. Did you mean 'year'?"),
        ("by: CHN", "by: KOR", "f.yaml:12:14 measures[0].against: an act of KOR would hit KOR itself."),
    ],
)  # fmt: skip
def test_an_error_names_line_key_and_the_nearest_right_value(old: str, new: str, message: str) -> None:
    """Law 12."""
    found = problems(GOOD.replace(old, new, 1))
    assert any(line.startswith(message) for line in found), found


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    """Law 12: broken measures do not hide how the sound ones fit together."""
    text = (
        GOOD.replace("0.5", "2.5").replace("months: 24", "months: 24\nsede: 1")
        + "  - {kind: ban, id: late, by: CHN, severity: 1, effective: 2031-01-01}\n"
        + "policies:\n  - {kind: buy, by: CHN, tonnes_per_month: 1, effective: 2024-02-01}\n"
    )
    found = problems(text)
    keys = ["sede", "measures[0].severity", "measures[1].effective", "policies[0].by"]
    assert [line.split(": ")[0].split(" ")[1] for line in found] == keys
    assert [int(line.split(":")[1]) for line in found] == sorted(int(line.split(":")[1]) for line in found)


def test_missing_keys_are_named() -> None:
    found = problems("name: x\nmeasures:\n  - kind: ban\n    by: CHN\n")
    named = {line.split("'")[1] for line in found if "is missing" in line}
    assert named == {"title", "form", "focal", "base_year", "start", "months", "effective", "severity"}
    assert (
        "f.yaml:3:5 measures[0]: the key 'severity' is missing. Add it: Share of base shipments"
        in " ".join(found)
    )


def test_ids_are_unique_across_measures_and_policies() -> None:
    text = GOOD + "policies:\n  - {kind: buy, id: cut, tonnes_per_month: 1, effective: 2024-02-01}\n"
    assert problems(text) == [
        "f.yaml:18:5 policies[0]: the id 'cut' is already that of measures[0]. Give one its own 'id'."
    ]


def test_a_scenario_name_that_is_not_shipped_offers_the_nearest() -> None:
    with pytest.raises(
        UnknownNameError,
        match=r"unknown scenario 'lithium-hydroxid-60'\. Did you mean 'lithium-hydroxide-60'",
    ):
        load_scenario("lithium-hydroxid-60")


def test_plain_data_from_the_web_desk_gives_the_same_errors() -> None:
    data = {**load_scenario("base").plain(), "form": "tin/oer"}
    with pytest.raises(ScenarioError, match=r"request form: unknown form 'tin/oer'\. Did you mean 'tin/ore'"):
        scenario_from(data, where="request")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda t: (GOOD + t).encode("utf-8", "replace")))
def test_whatever_is_read_gives_a_scenario_or_one_clear_error(content: bytes) -> None:
    """Law 12: no other exception leaves the reader, and the message never breaks its lines."""
    try:
        read_scenario(content, where="f.yaml")
    except ScenarioError as error:
        assert all(len(line) < 1500 for line in error.message.splitlines())


def test_errors_leave_nothing_behind(tmp_path: Path) -> None:
    """Law 12: a refused file changes neither itself, nor its folder, nor what is read afterwards."""
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace("0.5", "-1"), "utf-8")
    before, hash_before = path.read_bytes(), load_scenario("base").sha256()
    with pytest.raises(ScenarioError, match=r"mine\.yaml:16:15 measures"):
        load_scenario(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["mine.yaml"]
    assert load_scenario("base").sha256() == hash_before


# Round trip, hash, draws ------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(scenarios())
def test_a_scenario_survives_the_way_to_yaml_and_back(data: dict[str, Any]) -> None:
    scenario = scenario_from(data)
    again = read_scenario(scenario.to_yaml())
    assert again == scenario
    assert again.sha256() == scenario.sha256()
    assert scenario_from(json.loads(json.dumps(scenario.plain(), default=date.isoformat))) == scenario


def _turned(value: Any, rng: np.random.Generator) -> Any:
    """Return the same content with keys and rows in another order."""
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: _turned(value[key], rng) for key in keys}
    if isinstance(value, list):
        return [_turned(value[i], rng) for i in rng.permutation(len(value))]
    return value


@settings(max_examples=60, deadline=None)
@given(scenarios(), st.integers(0, 2**32 - 1))
def test_order_of_keys_and_rows_does_not_matter(data: dict[str, Any], seed: int) -> None:
    """Law 7: neither the hash, nor the resolved measures, nor the draws."""
    first, second = scenario_from(data), scenario_from(_turned(data, np.random.default_rng(seed)))
    assert first.sha256() == second.sha256()
    assert [act.id for act in first.resolved_measures()] == [act.id for act in second.resolved_measures()]
    drawn = [s.drawn(np.random.default_rng(seed)) for s in (first, second)]
    assert drawn[0].sha256() == drawn[1].sha256()


def test_the_hash_sees_every_figure_and_no_comment() -> None:
    hashes = {
        read_scenario(text).sha256()
        for text in (GOOD, "# a comment\n" + GOOD, GOOD.replace("severity: 0.5", "severity: 0.50  # half"))
    }
    changed = {
        read_scenario(GOOD.replace(old, new)).sha256()
        for old, new in (
            ("0.5", "0.51"),
            ("2024-02-01", "2024-02-02"),
            ("months: 24", "months: 23"),
            ("CHN", "CHL"),
        )
    }
    assert len(hashes) == 1 and len(changed) == 4 and not hashes & changed


def test_news_dates_are_announcements_and_suspensions() -> None:
    days = [day.isoformat() for day in load_scenario("antimony-2024").news_dates()]
    assert days == ["2024-08-15", "2024-12-03", "2025-11-09"]


# Files ------------------------------------------------------------------------------------------------


def test_a_path_is_read_and_named_in_errors(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD, "utf-8")
    assert load_scenario(path) == load_scenario(str(path)) == read_scenario(GOOD)
    with pytest.raises(InputError, match="no such file"):
        load_scenario(tmp_path / "other.yaml")
    with pytest.raises(InputError, match="is not a file"):
        load_scenario(tmp_path)


# Licences that leave out how hard they are ------------------------------------------------------------


def bare_licence() -> Scenario:
    """Return the shipped scenario of gallium without its typed delay and share."""
    plain = load_scenario("gallium-licence-2023").plain()
    for name in ("delay_days", "approval_share"):
        del plain["measures"][0][name]
    return scenario_from(plain)


def test_a_scenario_that_leaves_out_delay_and_share_lists_what_is_taken() -> None:
    """Law 10: the typed values of gallium are those of the record, so nothing else changes."""
    typed, bare = load_scenario("gallium-licence-2023"), bare_licence()
    assert typed.measured() == ()
    assert [p.name for p in bare.measured()] == ["china-licence delay_days", "china-licence approval_share"]
    assert [a.hardness() for a in bare.resolved_measures()] == [
        a.hardness() for a in typed.resolved_measures()
    ]


def test_what_is_left_out_stays_out_of_the_file_and_is_drawn() -> None:
    bare = bare_licence()
    assert "delay_days" not in bare.to_yaml()
    assert read_scenario(bare.to_yaml()) == bare
    assert bare.drawn(np.random.default_rng(1)).measures[0].hardness()["delay_days"].is_fixed


# JSON Schema ------------------------------------------------------------------------------------------


def test_the_shipped_schema_is_that_of_the_models() -> None:
    shipped = json.loads((PACKAGE / "scenario.schema.json").read_text("utf-8"))
    assert shipped == scenario_schema()


@pytest.mark.parametrize("name", scenario_names())
def test_shipped_files_obey_the_json_schema(name: str) -> None:
    validator = jsonschema.Draft202012Validator(scenario_schema())
    data = read_yaml((PACKAGE / "scenarios" / f"{name}.yaml").read_bytes()).data
    validator.validate(data)
    assert not validator.is_valid({**data, "sevrity": 1})
    assert not validator.is_valid(
        {**data, "measures": [{"kind": "ban", "by": "CHN", "effective": "2024-01-01"}]}
    )


def test_every_key_of_the_schema_says_what_it_means_and_every_number_its_unit() -> None:
    schema = scenario_schema()
    for title, block in {"Scenario": schema, **schema["$defs"]}.items():
        for part in block.get("anyOf", [block]):
            for key, field in part.get("properties", {}).items():
                assert field.get("description") or "$ref" in field, (title, key)
                if field.get("type") in {"integer", "number"}:
                    assert field.get("unit"), (title, key)


def test_a_scenario_is_frozen() -> None:
    scenario: Scenario = load_scenario("base")
    with pytest.raises(ValueError, match="frozen"):
        scenario.focal = "JPN"  # type: ignore[misc]


def test_a_file_full_of_errors_shows_the_first_hundred() -> None:
    """Law 12: readable and quick, whatever a hostile file holds."""
    names = ", ".join(f"x{n}" for n in range(300))
    with pytest.raises(ScenarioError) as caught:
        read_scenario(GOOD.replace("[focal]", f"[{names}]"), where="f.yaml")
    assert caught.value.what.startswith("300 problems, the first 100 of them")
    assert len(caught.value.message.splitlines()) == 101
