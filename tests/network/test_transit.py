"""Transit: published distances, passages, detours, and the properties that a map must have."""

from __future__ import annotations

import csv
import math
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evernormal.errors import UnknownNameError
from evernormal.network.transit import PASSAGES, _voyage, passages, route, transit_days, transit_known

COUNTRIES = [
    "KOR",
    "CHN",
    "JPN",
    "CHL",
    "AUS",
    "COD",
    "ZAF",
    "DEU",
    "USA",
    "KAZ",
    "KWT",
    "BRA",
    "IDN",
    "MNG",
    "ROW",
]


@pytest.mark.parametrize(
    ("port", "other", "closed", "published"),
    [
        # Notteboom, Pallis and Rodrigue, Port Economics, Management and Policy (2024): Shanghai to Rotterdam
        ("CNSHA", "NLRTM", frozenset(), 10_600),
        ("CNSHA", "NLRTM", frozenset({"suez"}), 13_800),
        # Busan to Rotterdam by Suez, the round figure of the trade press
        ("KRPUS", "NLRTM", frozenset(), 11_000),
    ],
)
def test_sea_distance_within_five_per_cent(
    port: str, other: str, closed: frozenset[str], published: int
) -> None:
    miles, _, _ = _voyage(port, other, closed)
    assert miles == pytest.approx(published, rel=0.05)


def test_china_is_days_away_and_chile_a_month() -> None:
    assert 3 < transit_days("CHN", "KOR") < 10
    assert 30 < transit_days("CHL", "KOR") < 40


def test_southern_africa_reaches_korea_by_malacca() -> None:
    assert "malacca" in passages("ZAF", "KOR")
    assert "malacca" in passages("COD", "KOR")
    assert "hormuz" in passages("KWT", "KOR")
    assert passages("CHN", "KOR") == ()


def test_closing_suez_sends_europe_round_the_cape_by_seven_to_fourteen_days() -> None:
    """The published detour is 7 to 14 days (Port Economics, Management and Policy)."""
    shut = route("KOR", "NLD", ["suez"])
    assert "cape-of-good-hope" in shut.passages
    assert 7 <= shut.days - transit_days("KOR", "NLD") <= 14


def test_closing_hormuz_leaves_kuwait_no_way() -> None:
    assert math.isinf(transit_days("KWT", "KOR", ["hormuz"]))


def test_landlocked_countries_take_days_on_land() -> None:
    found = route("ZMB", "CHN")
    assert found.grade == "C"
    assert "on land" in found.note
    assert transit_days("ZMB", "CHN") > transit_days("TZA", "CHN")


def test_unknown_countries_count_as_the_mean_and_say_so() -> None:
    """Law 2: an unknown distance is neither zero nor silent."""
    assert not transit_known("ROW")
    found = route("ROW", "KOR")
    assert 10 < found.days < 50
    assert found.grade == "C"
    assert "no port tabled for ROW" in found.note


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(COUNTRIES),
    st.sampled_from(COUNTRIES),
    st.sets(st.sampled_from(sorted(PASSAGES)), max_size=3),
)
def test_symmetric_and_never_quicker_when_closed(a: str, b: str, closed: set[str]) -> None:
    """Law 9 for corridors: closing passages never shortens a way; the way back is as long."""
    there, back = route(a, b, closed), route(b, a, closed)
    assert there.days == back.days
    assert there.passages == back.passages[::-1]
    assert not closed & set(there.passages)
    assert there.days >= transit_days(a, b)
    assert there.days > 0


def test_a_misspelt_passage_is_named() -> None:
    """Law 12."""
    with pytest.raises(UnknownNameError, match=r"unknown passage 'malaca'.*'malacca'"):
        transit_days("KOR", "ZAF", ["malaca"])
    assert transit_days("KOR", "NLD", ["bab-el-mandeb"]) == transit_days("KOR", "NLD", ["babelmandeb"])


def test_every_assumption_says_so() -> None:
    """Law 10: each row of the tables has grade and source."""
    for name in ("transit_ports.csv", "transit_passages.csv"):
        text = resources.files("evernormal.network").joinpath("tables", name).read_text("utf-8")
        for row in csv.DictReader(text.splitlines()):
            assert row["source"]
            assert row["grade"] == "B" or row["source"].startswith("assumption")


def test_the_shipped_tables_are_what_the_script_builds(tmp_path: Path) -> None:
    pytest.importorskip("searoute", reason="only to rebuild the tables: pip install searoute==1.6.0")
    root = Path(__file__).parents[2]
    script = root / "scripts" / "build_transit.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, timeout=60)
    for built in sorted(tmp_path.glob("*.csv")):
        shipped = root / "src" / "evernormal" / "network" / "tables" / built.name
        assert built.read_bytes() == shipped.read_bytes(), built.name
