# ruff: noqa: E501  tables of messages
"""Measures: dates, hardness, who, and the sentences about them."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from evernormal.errors import InputError, UnknownNameError
from evernormal.network.measures import KINDS, AnyMeasure, Ban, Measure, StockRelease, describe
from evernormal.network.uncertain import Uncertain

from .scenario_cases import measures, numbers

ADAPTER: TypeAdapter[Measure] = TypeAdapter(AnyMeasure)

EXAMPLES: dict[str, dict[str, Any]] = {
    "ban": {"by": "CHN", "against": ["focal"], "severity": 0.6},
    "quota": {"by": "CHN", "share_of_base": {"low": 0.5, "high": 0.7}},
    "licence": {"by": "CHN", "delay_days": 45, "approval_share": {"low": 0.2, "mode": 0.4, "high": 0.8}},
    "inspection": {"by": "CHN", "against": ["focal"], "delay_days": 10},
    "tariff": {"by": "USA", "against": ["CHN"], "rate": 0.25},
    "dumping": {"by": "CHN", "price_cut": 0.3},
    "corridor_closure": {"corridor": "malacca", "severity": 1},
    "accident": {"by": "AUS", "capacity_lost": 0.3},
    "demand_surge": {"growth": 0.5},
    "stock_release": {"share": 0.5, "months": 2},
    "buy": {"tonnes_per_month": 100},
    "swap": {"partner": "JPN", "tonnes": 100, "ends": "2024-07-01"},
    "loan": {"tonnes": 100, "ends": "2024-07-01"},
    "price_floor": {"by": "FORGE", "members": ["focal", "USA"], "usd_per_tonne": 20000},
    "allocation_order": {"end_uses": ["batteries", "ceramics"]},
    "price_cap": {"usd_per_tonne": 30000},
}


def make(kind: str, **changes: Any) -> Measure:
    return ADAPTER.validate_python({"kind": kind, "effective": "2024-03-01", **EXAMPLES[kind], **changes})


def test_every_kind_has_an_example() -> None:
    assert set(EXAMPLES) == set(KINDS)


# Licences that leave out how hard they are ------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "form", "delay", "grade"),
    [("CHN", "graphite/natural", 45, "B"), ("IDN", "nickel/ore", 45, "C"), ("CHN", "gallium/metal", 51, "B")],
)
def test_a_licence_takes_what_earlier_ones_took(by: str, form: str, delay: float, grade: str) -> None:
    """Law 10: what is left out comes with interval, grade and source; any exporter and material has one."""
    bare = ADAPTER.validate_python({"kind": "licence", "by": by, "effective": "2024-03-01"})
    found = {p.name: p for p in bare.measured("KOR", form)}
    assert set(found) == {"delay_days", "approval_share"}
    assert (found["delay_days"].value, found["delay_days"].grade) == (delay, grade)
    taken = bare.resolved("KOR", form).hardness()
    for name, one in found.items():
        assert taken[name] == Uncertain(one.low, one.high, one.value)
        assert one.source


def test_what_is_typed_wins_over_the_record() -> None:
    typed = ADAPTER.validate_python(
        {"kind": "licence", "by": "CHN", "effective": "2024-03-01", "delay_days": 7, "approval_share": None}
    )
    assert [p.name for p in typed.measured("KOR", "graphite/natural")] == ["approval_share"]
    taken = typed.resolved("KOR", "graphite/natural").hardness()
    assert taken["delay_days"] == Uncertain.of(7)
    assert taken["covers"] == Uncertain.of(1)
    assert make("licence").measured("KOR", "graphite/natural") == ()


def test_a_licence_without_numbers_has_a_sentence_before_its_form_is_known() -> None:
    bare = ADAPTER.validate_python({"kind": "licence", "by": "CHN", "effective": "2024-03-01"})
    assert "none as long as earlier licences took and then as much" in describe(bare)
    assert "45 (20 to 60) days" in describe(bare, form="graphite/natural")
    assert "과거 허가 비율만큼 허가된다" in describe(bare, "ko")
    slow = make("licence", approval_share=0.8, first_approval_share=0.1, approval_months=6)
    assert "then 10 %, rising over 6 months to 80 % of base shipments" in describe(slow)
    assert "10%에서 6개월에 걸쳐 기준 물량의 80%까지 늘어난다" in describe(slow, "ko")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"first_approval_share": 0.1}, "first_approval_share without approval_months"),
        ({"approval_months": 3}, "approval_months without first_approval_share"),
        ({"first_approval_share": 0.5, "approval_months": 3}, "0.5 is above approval_share 0.4"),
        ({"first_approval_share": 0.1, "approval_months": -1}, "at least 0|between 0 and 60"),
    ],
)
def test_slow_approvals_that_make_no_sense_are_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make("licence", **keys)


# Hardness ---------------------------------------------------------------------------------------------


@given(numbers(0, 100), st.floats(0, 1), st.floats(0, 1))
def test_quantiles_stay_in_the_range_and_rise(value: Any, one: float, other: float) -> None:
    number = Uncertain.of(value)
    low, high = sorted((one, other))
    assert number.low <= number.at(low) <= number.at(high) <= number.high
    assert number.low <= number.central() <= number.high
    assert Uncertain.of(number.plain()) == number


def test_quantile_of_the_triangular_distribution_against_its_closed_form() -> None:
    """F(x) = (x - a)^2 / ((b - a)(c - a)) below the mode and 1 - (b - x)^2 / ((b - a)(b - c)) above it."""
    number = Uncertain(2.0, 10.0, 4.0)
    assert number.at(9 / 64) == pytest.approx(2 + np.sqrt(9 / 64 * 8 * 2))
    assert number.at(0.25) == pytest.approx(4.0)
    assert number.at(1 - 9 / 48) == pytest.approx(7.0)
    draws = [number.sample(np.random.default_rng(seed)) for seed in range(4000)]
    assert np.mean(draws) == pytest.approx((2 + 4 + 10) / 3, abs=0.1)


def test_central_is_the_mode_where_one_is_stated() -> None:
    assert Uncertain(0.2, 0.8, 0.3).central() == 0.3
    assert Uncertain(0.2, 0.8).central() == 0.5


def test_a_draw_takes_one_number_so_that_scenarios_stay_comparable() -> None:
    """Law 9 is read draw by draw: a fixed number must not shift the draws of the next measure."""
    fixed, wide = np.random.default_rng(1), np.random.default_rng(1)
    Uncertain.of(0.5).sample(fixed)
    Uncertain(0.1, 0.9).sample(wide)
    assert fixed.random() == wide.random()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (-0.2, ["between 0 and 1", "got -0.2", "0 (share)"]),
        (60, ["got 60", "Write 0.6 for 60 %"]),
        ("60 %", ["must be a number", "Write 0.6"]),
        ("0.6", ["Write 0.6 without quotes"]),
        (True, ["must be a number", "True"]),
        (float("nan"), ["finite"]),
        ({"low": 0.2}, ["lacks high"]),
        ({"low": 0.8, "high": 0.2}, ["low 0.8 is above high 0.2", "Swap"]),
        ({"low": 0.2, "mode": 0.9, "high": 0.8}, ["mode 0.9 is outside"]),
        ({"low": 0.2, "hihg": 0.9}, ["unknown key 'hihg'", "'high'"]),
        ({"low": -0.2, "high": 0.9}, ["low must be between 0 and 1", "-0.2"]),
        ([0.2, 0.3], ["must be a number"]),
        (None, ["must be a number"]),
    ],
)
def test_a_wrong_hardness_is_refused_with_the_right_value(value: Any, words: list[str]) -> None:
    """Law 12."""
    with pytest.raises(ValidationError) as caught:
        make("ban", severity=value)
    for word in words:
        assert word in str(caught.value)


# Dates ------------------------------------------------------------------------------------------------


@given(measures())
def test_share_in_force_counts_the_days_in_force(data: dict[str, Any]) -> None:
    """Equation E38: the shares times the days of the months add up to the days in force, one by one."""
    measure = ADAPTER.validate_python(data)
    total = 0.0
    for year in range(2023, 2029):
        for month in range(1, 13):
            share = measure.share_in_force(date(year, month, 1))
            assert 0.0 <= share <= 1.0
            total += share * calendar.monthrange(year, month)[1]
    days = [date(2023, 1, 1) + timedelta(days=n) for n in range((date(2029, 1, 1) - date(2023, 1, 1)).days)]
    assert total == pytest.approx(sum(measure.in_force(day) for day in days))


@given(measures())
def test_nothing_is_known_before_it_is_announced_nor_a_suspension_before_it_begins(
    data: dict[str, Any],
) -> None:
    """Law 11."""
    measure = ADAPTER.validate_python(data)
    assert measure.as_known(measure.announced - timedelta(days=1)) is None
    known = measure.as_known(measure.announced)
    assert known is not None
    if measure.suspended and measure.suspended > measure.announced:
        assert known.suspended is None and known.resumes is None
        assert known.in_force(measure.suspended) or (known.ends and known.ends <= measure.suspended)
        assert measure.as_known(measure.suspended) == measure


def test_each_date_is_the_first_day_of_a_new_state() -> None:
    measure = make(
        "ban", effective="2024-01-16", suspended="2024-03-01", resumes="2024-04-01", ends="2024-04-11"
    )
    states = [
        (1, 15, False),
        (1, 16, True),
        (2, 29, True),
        (3, 1, False),
        (4, 1, True),
        (4, 10, True),
        (4, 11, False),
    ]
    for month, day, right in states:
        assert measure.in_force(date(2024, month, day)) is right
    shares = [measure.share_in_force(date(2024, m, 1)) for m in range(1, 6)]
    assert shares == pytest.approx([16 / 31, 1.0, 0.0, 10 / 30, 0.0])


def test_share_in_force_wants_the_first_of_a_month() -> None:
    with pytest.raises(InputError, match=r"2024-03-02 is not the first day of a month\. Give 2024-03-01"):
        make("ban").share_in_force(date(2024, 3, 2))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ends": "2024-02-01"}, "ends 2024-02-01 is not after effective 2024-03-01"),
        ({"ends": "2024-03-01"}, "is not after effective"),
        ({"announced": "2024-03-02"}, "announced 2024-03-02 is after effective"),
        ({"suspended": "2024-02-01"}, "suspended 2024-02-01 is before effective"),
        ({"resumes": "2024-05-01"}, "nothing was suspended"),
        ({"suspended": "2024-04-01", "resumes": "2024-04-01"}, "is not after suspended"),
        ({"suspended": "2024-06-01", "ends": "2024-05-01"}, "ends 2024-05-01 is before suspended"),
        ({"effective": "2024/3/1"}, "Write 2024-03-01"),
        ({"effective": 20240301}, "Write 2024-03-01"),
        ({"effective": "2024-02-30"}, "The month ends on 2024-02-29"),
        ({"effective": "2024-13-01"}, "no such date"),
        ({"effective": "spring"}, "must be a date, got 'spring'"),
        ({"effective": "1024-01-01"}, "is not between 1900-01-01"),
    ],
)
def test_wrong_dates_are_refused(changes: dict[str, Any], words: str) -> None:
    """Law 12."""
    with pytest.raises(ValidationError, match=words.replace("(", r"\(")):
        make("ban", **changes)


# Who --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("ban", {"by": "CHM"}, "unknown country 'CHM'. Did you mean .*'CHN'"),
        ("ban", {"by": "China"}, "Write 'CHN'"),
        ("ban", {"by": "중국"}, "Write 'CHN'"),
        ("ban", {"by": "Chna"}, "'CHN'"),
        ("ban", {"against": ["NO"]}, "Write 'NOR'"),
        ("ban", {"against": "focal"}, r"Write \[focal\]"),
        ("ban", {"against": ["USA", "USA"]}, "listed twice"),
        ("ban", {"against": ["CHN"]}, "acts against itself"),
        ("ban", {"against": ["USA"], "exempt": ["USA"]}, "both a target and exempt"),
        ("ban", {"forms": ["lithium/hydroxyde"]}, "Did you mean 'lithium/hydroxide'"),
        ("ban", {"note": "a\x07b"}, r"control character U\+0007"),
        ("corridor_closure", {"corridor": "mallaca"}, "Did you mean 'malacca'"),
        ("corridor_closure", {"by": "CHM"}, "unknown country 'CHM'"),
        ("accident", {"against": ["USA"]}, "accident has no target"),
        ("quota", {"tonnes_per_year": 5}, "both share_of_base and tonnes_per_year"),
        ("quota", {"share_of_base": None}, "neither share_of_base"),
        ("stock_release", {"tonnes": 5}, "both share and tonnes"),
        ("stock_release", {"ends": "2024-04-01"}, "2 months from 2024-03-01 end on 2024-05-01"),
    ],
)
def test_wrong_names_and_amounts_are_refused(kind: str, changes: dict[str, Any], words: str) -> None:
    """Law 12."""
    with pytest.raises(ValidationError, match=words):
        make(kind, **changes)


def test_resolving_names_the_focal_country_and_the_form() -> None:
    measure = make("ban", against=["focal", "JPN"]).resolved("JPN", "tin/ore")
    assert (measure.against, measure.forms) == (("JPN",), ("tin/ore",))
    with pytest.raises(InputError, match="would hit CHN itself"):
        make("ban").resolved("CHN", "tin/ore")


def test_a_release_ends_after_its_months() -> None:
    release = make("stock_release", effective="2024-01-31", months=1)
    assert isinstance(release, StockRelease)
    assert release.ends == date(2024, 2, 29)
    assert ADAPTER.validate_python(release.model_dump()) == release


def test_drawing_fixes_every_number_inside_its_range() -> None:
    measure = make("licence", delay_days={"low": 30, "high": 60})
    drawn = measure.drawn(np.random.default_rng(3))
    assert all(number.is_fixed for number in drawn.hardness().values())
    for name, number in measure.hardness().items():
        assert number.low <= drawn.hardness()[name].low <= number.high
    assert measure.central().hardness()["delay_days"].low == 45


def test_ids_are_made_from_what_the_measure_is() -> None:
    assert Ban(by="CHN", severity=1, effective=date(2024, 1, 1)).id == "ban-chn-2024-01-01"  # type: ignore[arg-type]


# Sentences --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_every_kind_has_a_sentence_in_both_languages(kind: str) -> None:
    measure = make(kind, announced="2024-02-01")
    english = describe(measure, "en", form="lithium/hydroxide")
    korean = describe(measure, "ko", form="lithium/hydroxide")
    assert english[0].isupper() and english.endswith(".") and "announced 1 February 2024" in english
    assert "ithium hydroxide" in english and "focal" not in english and "1 March 2024" in english
    assert (
        korean.endswith("다(2024년 2월 1일 발표).") and "수산화리튬" in korean and "2024년 3월 1일" in korean
    )
    assert not set("[]_") & set(english + korean) and "  " not in english + korean


def test_the_ban_in_words() -> None:
    measure = make("ban", effective="2024-01-01", announced="2023-12-04", ends="2025-01-01")
    assert describe(measure, form="lithium/hydroxide") == (
        "China withholds 60 % of its shipments of lithium hydroxide to South Korea from 1 January 2024 to 31 December "
        "2024 (announced 4 December 2023)."
    )
    assert describe(measure, "ko", form="lithium/hydroxide") == (
        "중국이 2024년 1월 1일부터 2024년 12월 31일까지 한국에 대한 수산화리튬 수출 물량의 60%를 중단한다"
        "(2023년 12월 4일 발표)."
    )


def test_a_suspension_in_words() -> None:
    measure = make(
        "ban",
        against=["USA"],
        exempt=[],
        severity=1,
        effective="2024-12-03",
        suspended="2025-11-09",
        resumes="2026-11-28",
    )
    assert "suspended from 9 November 2025 to 27 November 2026" in describe(measure, form="tin/ore")
    assert "2025년 11월 9일부터 2026년 11월 27일까지 시행 유예" in describe(measure, "ko", form="tin/ore")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown language 'kr'\. Did you mean 'ko'|Known: en, ko"):
        describe(make("ban"), "kr", form="tin/ore")
