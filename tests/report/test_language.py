"""Words, numbers, dates and names in English and Korean."""

from __future__ import annotations

import math
import re
import string
from pathlib import Path

import pytest

import evernormal.report
from evernormal.errors import UnknownNameError
from evernormal.report import language as module
from evernormal.report.language import language
from evernormal.report.particles import choose_particles
from evernormal.result import Finding

ROOM = Path(evernormal.report.__file__).parent
NNBSP = "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "english", "korean"),
    [
        (12_345.6, f"12,346{NNBSP}t", "12,346톤"),
        (0.5, f"0.50{NNBSP}t", "0.50톤"),
        (0.0, f"0{NNBSP}t", "0톤"),
        (None, "unknown", "미상"),
        (math.nan, "unknown", "미상"),
        (-42.0, f"−42{NNBSP}t", "−42톤"),
    ],
)
def test_tonnes(value: float | None, english: str, korean: str) -> None:
    assert language("en").tonnes(value) == english
    assert language("ko").tonnes(value) == korean


@pytest.mark.parametrize(
    ("usd", "english", "korean"),
    [
        (1.234e9, "USD 1.23 billion", "12.3억 달러"),
        (999.6e6, "USD 1 billion", "10억 달러"),
        (172e6, "USD 172 million", "1.72억 달러"),
        (45_600.0, "USD 45,600", "4.56만 달러"),
        (3.2e12, "USD 3.20 trillion", "3.20조 달러"),
        (0.0, "USD 0", "0달러"),
    ],
)
def test_money_counts_in_the_units_of_the_language(usd: float, english: str, korean: str) -> None:
    assert language("en").money(usd) == english
    assert language("ko").money(usd) == korean


def test_rounded_tonnes_keep_three_significant_figures() -> None:
    assert language("en").tonnes(8_059.8, rounded=True) == f"8,060{NNBSP}t"
    assert language("ko").tonnes(123_456, rounded=True) == "12만 3,000톤"


def test_a_signed_zero_has_no_sign() -> None:
    assert language("en").number(-0.0001, 1, signed=True) == "0.0"


def test_dates() -> None:
    assert language("en").date("2025-11-10") == "10 November 2025"
    assert language("ko").date("2025-11-10") == "2025년 11월 10일"
    assert language("en").date(None) == "unknown"
    assert language("en").month("2024-13") == "unknown"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("중국[이/가]", "중국이"),
        ("호주[이/가]", "호주가"),
        ("한국(KOR)[은/는]", "한국(KOR)은"),
        ("60%[으로/로]", "60%로"),
        ("5월 1일[으로/로]", "5월 1일로"),
        ("1,230톤[을/를]", "1,230톤을"),
        ("미국[과/와] 일본[과/와]", "미국과 일본과"),
        ("2023[으로/로]", "2023으로"),
    ],
)
def test_particles_follow_the_last_sound(text: str, expected: str) -> None:
    assert choose_particles(text) == expected


def test_every_message_has_the_same_values_in_both_languages() -> None:
    for key, texts in module._messages().items():
        names = {
            code: {f[1] for f in string.Formatter().parse(text) if f[1] is not None}
            for code, text in texts.items()
        }
        assert names["en"] == names["ko"], key


LETTERLESS = {
    "basis.same", "chart.price_peak", "chart.sankey_change", "chart.sankey_pool", "column.hash",
    "headline.cost_end", "intro.gainer", "method.cite", "word.interval", "word.not_set",
    "exposure.direction_names", "exposure.reason", "visual.p50", "visual.p90", "visual.p10", "visual.spanned",
    "visual.visibility_change", "indicator.geopolrisk", "indicator.n-minus-one", "exposure.item",
    "word.of_form", "word.period",
}  # fmt: skip


def test_every_korean_message_is_korean() -> None:
    same = {key for key, texts in module._messages().items() if not re.search("[가-힣]", texts["ko"])}
    assert same == LETTERLESS


def _keys_in_code() -> tuple[set[str], set[str]]:
    """Message keys spelled in the code, and the beginnings of those put together there."""
    sections = {key.split(".")[0] for key in module._messages()}
    spelled, begun = set(), set()
    for path in [*ROOM.rglob("*.py"), *ROOM.rglob("*.j2")]:
        text = path.read_text("utf-8")
        for found in re.findall(rf"""["']((?:{"|".join(sections)})\.[\w{{}}.]+)""", text):
            head, brace, _ = found.partition("{")
            (begun if brace else spelled).add(head)
        for found in re.findall(r'f"column\.\{key\}"|headings\(reading, (.*?)\)', text):
            spelled |= {f"column.{name}" for name in re.findall(r'"(\w+)"', found)}
    return spelled, begun


def test_every_message_that_the_code_asks_for_exists() -> None:
    spelled, begun = _keys_in_code()
    known = set(module._messages())
    files = {"brief.css", "brief.html.j2", "exposure.css", "exposure.html.j2"}
    assert {key for key in spelled if key not in known} - files == set()
    unused = {key for key in known - spelled if not key.startswith(tuple(begun))}
    assert unused == set(), "messages that nothing asks for"


def test_an_unknown_message_and_an_unknown_language_name_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"word\.total"):
        language("en").text("word.totl")
    with pytest.raises(UnknownNameError, match="unknown language 'kr'"):
        language("kr")


def test_names_of_countries_and_forms() -> None:
    assert language("ko").country("CHN") == "중국"
    assert language("ko").country("ROW") == "기타 지역"
    assert language("ko").form("lithium/hydroxide") == "수산화리튬"
    assert language("en").country("Malacca") == "Malacca"


def test_a_finding_without_korean_text_falls_back_to_english_and_says_so() -> None:
    finding = Finding("no-such-code", "info", "Something is odd.")
    assert language("ko").finding(finding) == "Something is odd. (영문 원문)"


def test_a_finding_is_worded_in_korean_with_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    template = "{form}[은/는] {countries}[이/가] {share} 공급"
    monkeypatch.setattr(module, "_findings", lambda: {"code": {"ko": template}})
    values = {"form": "lithium/hydroxide", "countries": ["CHN", "AUS"], "share": 0.5}
    assert (
        language("ko").finding(Finding("code", "info", "x", values)) == "수산화리튬은 중국, 호주가 50% 공급"
    )
    assert language("ko").finding(Finding("code", "info", "Plain.", {})) == "Plain. (영문 원문)"


def test_control_and_direction_characters_are_dropped() -> None:
    assert module.clean("a\x00b\u202ec\n") == "abc\n"


def codes_in_rooms_above() -> set[str]:
    """Codes of the findings that network, market and risk emit, spelled beside a level or alone."""
    code, level = r'"([a-z]+(?:-[a-z]+)+)"', r'"(?:info|caution|warning)"'
    found = set()
    for room in ("network", "market", "risk"):
        for path in (ROOM.parent / room).glob("*.py"):
            text = path.read_text("utf-8")
            for spelled in (rf"Finding\(\s*{code}", rf"{code},\s*{level}", rf"{level},\s*{code}"):
                found |= set(re.findall(spelled, text))
    return found


def test_every_finding_of_the_rooms_above_has_a_korean_sentence() -> None:
    missing = codes_in_rooms_above() - set(module._findings())
    assert missing == set(), "write them in src/evernormal/report/tables/findings.toml"


def test_every_finding_text_is_whole() -> None:
    for code, texts in module._findings().items():
        assert set(texts) == {"short_en", "short_ko", "ko"}, code
        assert re.search("[가-힣]", texts["ko"]) and re.search("[가-힣]", texts["short_ko"]), code


def test_an_english_finding_spells_out_the_codes_in_its_values() -> None:
    finding = Finding(
        "code", "info", "lithium/hydroxide of CHN and AUS; CHNX stays.",
        {"form": "lithium/hydroxide", "regions": ["CHN", "AUS"]},
    )  # fmt: skip
    assert language("en").finding(finding) == "Lithium hydroxide of China and Australia; CHNX stays."
