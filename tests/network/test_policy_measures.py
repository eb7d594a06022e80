"""Records of policies as measures of a scenario, and the records that cannot be one."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from evernormal import data, network
from evernormal.data.publishers.policy_records import policies_table
from evernormal.errors import InputError, UnknownNameError
from evernormal.network.policy_hardness import hardness_of
from evernormal.network.scenario import load_scenario, read_scenario
from evernormal.result import Result

SHARED = Path(__file__).parents[3] / "shared" / "data" / "policy"


def record(**more: Any) -> dict[str, Any]:
    """One record: China's licences for graphite of 2023."""
    row = {
        "record": "129576", "by": "CHN", "kind": "licence", "side": "export", "stance": "restrictive",
        "materials": "graphite", "announced": date(2023, 10, 20), "effective": date(2023, 12, 1),
        "title": "China: export controls for graphite", "url": "https://example.invalid/129576",
        "source": "Global Trade Alert", "source_ref": "129576", "grade": "B",
    }  # fmt: skip
    row |= more
    return {"as_of": row["announced"] or row["effective"] or date(2023, 12, 31)} | row


def made(
    *records: dict[str, Any], forms: str = "graphite/natural", start: str = "2023-10", **more: Any
) -> Result:
    """Make measures of records for Korea."""
    return network.measures_from_policies(policies_table(records), "KOR", forms, start, **more)


def only(result: Result) -> dict[str, Any]:
    """The one measure, as a scenario file writes it."""
    return dict(json.loads(result["measures"]["definition"].item()))


def reasons(result: Result) -> list[str]:
    """Why records are no measures."""
    return result["unmade"]["reason"].to_list()


def test_a_licence_is_as_hard_as_it_was_measured_to_be() -> None:
    """First permits after 20 days, exports of 2024 over 2022: 60 % to Korea, 69 % to the world."""
    result = made(record())
    measure = only(result)
    assert measure["delay_days"] == {"low": 20, "mode": 45, "high": 60}
    assert measure["approval_share"] == {"low": 0.6, "mode": 0.69, "high": 1}
    assert (measure["announced"], measure["effective"]) == ("2023-10-20", "2023-12-01")
    assert "record 129576" in measure["source"] and "CEPII BACI" in measure["note"]
    shipped = load_scenario("graphite-licence-2023").plain()["measures"][0]
    for name in ("by", "announced", "effective", "delay_days", "approval_share"):
        assert str(measure[name]) == str(shipped[name]), name
    names = {p.name for p in result.lineage.parameters}
    assert names == {"licence-chn-2023-12-01 delay_days", "licence-chn-2023-12-01 approval_share"}


def test_what_was_measured_later_is_not_used_for_an_earlier_day() -> None:
    """Law 11: in November 2023 no permit had been given yet."""
    measure = only(made(record(), as_of="2023-11-01"))
    assert measure["delay_days"] == {"low": 0, "mode": 45, "high": 90}
    assert measure["approval_share"] == {"low": 0, "mode": 0.5, "high": 1}
    assert only(made(record(), as_of="2024-01-31"))["delay_days"] == {"low": 20, "mode": 45, "high": 60}


def test_what_was_announced_later_is_not_used() -> None:
    """Law 11: neither a record, nor its end or suspension."""
    later = record(record="2", announced=date(2024, 12, 3), effective=date(2024, 12, 3), kind="ban",
                   against="USA",
                   suspended=date(2025, 11, 9), resumes=date(2026, 11, 28))  # fmt: skip
    early = made(record(), later, as_of="2024-01-01", months=48)
    assert early["measures"]["kind"].to_list() == ["licence"]
    assert "policy-records-later" in {f.code for f in early.findings}
    between = made(record(), later, as_of="2025-06-01", months=48)["measures"].filter(kind="ban")
    assert between["suspended"].item() is None
    late = made(record(), later, as_of="2026-01-01", months=48)["measures"].filter(kind="ban")
    assert (late["suspended"].item(), late["resumes"].item()) == (date(2025, 11, 9), date(2026, 11, 28))


@pytest.mark.parametrize(
    ("change", "kind", "hard"),
    [
        ({"kind": "ban"}, "ban", {"severity": {"low": 0.87, "mode": 1, "high": 1}}),
        ({"kind": "quota", "title": "Export quota cut by 40 %"}, "quota", {"share_of_base": 0.6}),
        (
            {"kind": "quota", "title": "Export quota"},
            "quota",
            {"share_of_base": {"low": 0.4, "mode": 0.6, "high": 1}},
        ),
        (
            {"kind": "tariff", "side": "import", "by": "USA", "against": "CHN", "rate": 0.25},
            "tariff",
            {"rate": 0.25},
        ),
    ],
)
def test_every_kind_has_its_hardness(change: dict[str, Any], kind: str, hard: dict[str, Any]) -> None:
    measure = only(made(record(**change)))
    assert measure["kind"] == kind
    assert {name: measure[name] for name in hard} == hard


def test_both_sides_of_a_border_are_one() -> None:
    """America's import ban on Russia is Russia's ban on America; a tax on exports is Korea's tariff."""
    ban = only(made(record(kind="ban", side="import", by="USA", against="RUS")))
    assert (ban["by"], ban["against"]) == ("RUS", ["USA"])
    everyone = only(made(record(kind="ban", side="import", by="USA")))
    assert (everyone["by"], everyone["against"]) == ("world", ["USA"])
    tax = only(made(record(kind="tariff", rate=0.1)))
    assert (tax["by"], tax["against"], tax["rate"]) == ("focal", ["CHN"], 0.1)
    assert "what others pay is not raised" in tax["note"]
    assert reasons(made(record(kind="tariff", rate=0.1, against="USA"))) == ["hits-others"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "subsidy", "side": "domestic"}, "kind"),
        ({"side": "unknown"}, "side-unknown"),
        ({"by": "EUU"}, "actor"),
        ({"stance": "liberalising"}, "liberalising"),
        ({"title": "Government removed the export ban on graphite"}, "liberalising"),
        ({"title": "Export ban of graphite waste"}, "waste"),
        ({"materials": None}, "no-material"),
        ({"materials": "tin"}, "other-material"),
        ({"forms": "graphite/synthetic", "codes": "380110"}, "other-form"),
        ({"announced": None, "effective": None}, "day-unknown"),
        ({"effective": None}, "not-in-force"),
        ({"kind": "tariff"}, "rate-unknown"),
        ({"announced": date(2020, 1, 1), "effective": date(2020, 1, 1)}, "in-base-year"),
        ({"announced": date(2026, 1, 1), "effective": date(2026, 1, 1)}, "later-than-horizon"),
        ({"announced": date(2022, 5, 1), "effective": date(2022, 5, 1), "ends": date(2022, 9, 1)}, "over"),
        ({"suspended": date(2023, 11, 7)}, "suspended"),
    ],
)
def test_a_record_that_is_no_measure_says_why(change: dict[str, Any], reason: str) -> None:
    """Nothing is dropped silently, and no record gives the base scenario (law 5)."""
    result = made(record(**change))
    assert reasons(result) == [reason]
    assert result["unmade"]["why"].item()
    assert {f.code for f in result.findings} == {"policy-records-unmade", "policy-no-measure"}


def test_a_suspension_before_the_first_day_moves_it() -> None:
    """China's controls of October 2025 were suspended a day before they took effect."""
    late = record(announced=date(2025, 10, 9), effective=date(2025, 11, 8), suspended=date(2025, 11, 7),
                  resumes=date(2026, 11, 11))  # fmt: skip
    measure = only(made(late, start="2025-10"))
    assert (measure["announced"], measure["effective"]) == ("2025-10-09", "2026-11-11")
    assert only(made(late, start="2025-10", as_of="2025-10-20"))["effective"] == "2025-11-08"


def test_a_month_counts_from_its_last_day_and_a_year_on_demand() -> None:
    month = record(announced=date(2023, 10, 1), effective=date(2023, 10, 1), as_of=date(2023, 10, 31))
    assert only(made(month))["effective"] == "2023-10-31"
    year = record(announced=None, effective=None, as_of=date(2023, 12, 31))
    assert only(made(year, whole_years=True))["effective"] == "2023-12-31"


def test_ores_are_not_what_is_refined() -> None:
    """A ban on unprocessed lithium does not stop hydroxide."""
    ban = record(
        kind="ban", by="ZWE", materials="lithium", title="Zimbabwe: Export ban on unprocessed lithium"
    )
    assert made(ban, forms="lithium/ore")["measures"].height == 1
    assert reasons(made(ban, forms="lithium/hydroxide")) == ["ore-only"]
    codes = record(materials="copper", codes="740312", title="Permits for copper products")
    assert reasons(made(codes, forms="copper/ore")) == ["other-form"]


def test_codes_for_one_product_say_nothing_of_another_material() -> None:
    """The codes of tungsten were typed, those of bismuth were not: its words still count."""
    both = record(materials="bismuth;tungsten", codes="284180", forms="tungsten/ammonium-paratungstate",
                  title="Announcement No. 10 of 2025",
                  announced=date(2025, 2, 4), effective=date(2025, 2, 4))  # fmt: skip
    assert made(both, forms="bismuth/metal", start="2025-01")["measures"].height == 1
    assert reasons(made(both, forms="tungsten/ore", start="2025-01")) == ["other-form"]


def test_two_records_of_one_act_are_one_measure() -> None:
    """The day of one, the suspension of the other; the joined record is listed."""
    month = record(record="typed", kind="ban", against="USA", announced=date(2024, 12, 1),
                   effective=date(2024, 12, 1), as_of=date(2024, 12, 31),
                   suspended=date(2025, 11, 9), resumes=date(2026, 11, 28))  # fmt: skip
    exact = record(
        record="585", kind="ban", against="USA", announced=date(2024, 12, 3), effective=date(2024, 12, 3)
    )
    result = made(month, exact, start="2024-06")
    row = result["measures"].row(0, named=True)
    assert result["measures"].height == 1
    assert (row["effective"], row["suspended"], row["records"]) == (
        date(2024, 12, 3),
        date(2025, 11, 9),
        "typed;585",
    )
    assert reasons(result) == ["same-act"]


def test_the_order_of_records_changes_nothing() -> None:
    """Law 7."""
    some = [record(), record(record="2", by="NAM", kind="ban"), record(record="3", kind="ban", against="USA"),
            record(record="4", side="import", by="USA", against="CHN", kind="tariff", rate=0.25)]  # fmt: skip
    tables = policies_table(some), pl.concat([policies_table([row]) for row in reversed(some)])
    one, two = (
        network.measures_from_policies(table, "KOR", "graphite/natural", "2023-10") for table in tables
    )
    assert one["measures"].equals(two["measures"])
    assert one["unmade"].equals(two["unmade"])


def test_a_scenario_of_records_is_read_back() -> None:
    result = made(record(), record(record="2", by="NAM", kind="ban"))
    scenario = network.scenario_from_policies(
        result, "records", "graphite/natural", "KOR", "2023-10", base_year=2022
    )
    assert read_scenario(scenario.to_yaml()).sha256() == scenario.sha256()
    assert [m.id for m in scenario.measures] == ["licence-chn-2023-12-01", "ban-nam-2023-12-01"]


def test_wrong_questions_are_told() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'graphite/natural'"):
        made(record(), forms="graphite/natual")
    with pytest.raises(InputError, match="is no month"):
        made(record(), start="2023")
    with pytest.raises(InputError, match="focal"):
        network.measures_from_policies(policies_table([record()]), "KORX", "graphite/natural", "2023-10")
    with pytest.raises(InputError, match="no column kind"):
        network.measures_from_policies(
            pl.DataFrame({"record": [], "by": []}), "KOR", "graphite/natural", "2023-10"
        )


def test_every_hardness_has_a_source_and_lies_in_its_range() -> None:
    """Law 10: what is an assumption says so."""
    for kind in ("licence", "ban", "quota"):
        for by in ("CHN", "IDN", "NAM"):
            for form in (
                "graphite/natural",
                "nickel/ore",
                "rare-earths/compounds",
                "dysprosium/oxide",
                "tin/ore",
            ):
                found = hardness_of(kind, by, form)
                assert found
                for one in found:
                    assert one.low <= one.value <= one.high
                    assert (one.grade == "C") == one.source.startswith("assumption")
    assert "covers" in {p.name for p in hardness_of("licence", "CHN", "rare-earths/compounds")}
    assert "covers" not in {p.name for p in hardness_of("licence", "CHN", "dysprosium/oxide")}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the publishers' files are not here")
def test_the_published_records_of_graphite_and_antimony(tmp_path: Path) -> None:
    """The licences of 2023 and 2024 as the shipped scenarios have them, from three publishers together."""
    data.add("gta", SHARED / "gta-interventions_critical_minerals.json", tmp_path)
    data.add("iea-policies", SHARED / "IEA_CM_Policies.csv", tmp_path)
    data.add("control-events", SHARED / "china_export_controls_events.csv", tmp_path)
    for name in ("graphite-licence-2023", "antimony-2024"):
        shipped = load_scenario(name)
        asked = {"months": shipped.months, "base_year": shipped.base_year, "folder": tmp_path}
        result = network.measures_from_policies(None, "KOR", shipped.form, shipped.start, **asked)
        found = result["measures"].filter(by="CHN")
        for measure in shipped.measures:
            row = found.filter(kind=measure.kind, announced=measure.announced, effective=measure.effective)
            assert row.height == 1, measure.id
            assert (row["suspended"].item(), row["resumes"].item()) == (measure.suspended, measure.resumes)
