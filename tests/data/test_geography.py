"""Country codes: what each source means by its own codes."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evernormal import data
from evernormal.data.geography import codes_of
from evernormal.errors import NotCoveredError, UnknownNameError


@pytest.mark.parametrize(
    ("source", "code", "iso3"),
    [
        ("baci", 490, "TWN"),
        ("baci", 842, "USA"),
        ("baci", 251, "FRA"),
        ("baci", 579, "NOR"),
        ("baci", 757, "CHE"),
        ("baci", 699, "IND"),
        ("baci", 516, "NAM"),
        ("baci", "688", "SRB"),
        ("baci", "891", "SCG"),
        ("baci", "729", "SDN"),
        ("baci", "736", "SDN"),
        ("baci", "58", "BEL"),
        ("baci", "0410", "KOR"),
        ("comtrade", 490, "TWN"),
        ("comtrade", 842, "USA"),
        ("comtrade", 0, "WLD"),
        ("comtrade", 899, "ROW"),
        ("numeric", "158", "TWN"),
        ("numeric", "840", "USA"),
        ("numeric", 250, "FRA"),
        ("numeric", "036", "AUS"),
        ("iso2", "NA", "NAM"),
        ("iso2", "XK", "XKX"),
        ("wmd", "Kosovo", "XKX"),
        ("wmd", "Congo, D.R.", "COD"),
        ("wmd", "Korea, South", "KOR"),
        ("wmd", "French Guiana", "GUF"),
        ("wgi", "R20", "XKX"),
        ("wgi", "ZAR", "COD"),
        ("usgs", "Burma", "MMR"),
        ("usgs", "Congo (Kinshasa)", "COD"),
        ("usgs", "Chile", "CHL"),
        ("bgs", "Congo", "COG"),
        ("eurostat", "EL", "GRC"),
        ("name", "south korea", "KOR"),
        ("name", "대한민국", "KOR"),
        ("iso3", "Türkiye", "TUR"),
    ],
)
def test_code_of_source(source: str, code: str | int, iso3: str) -> None:
    assert data.country(code, source=source) == iso3


def test_namibia_is_not_missing() -> None:
    """Law 2: the text NA is Namibia, not an empty cell."""
    assert data.countries().filter(pl.col("iso3") == "NAM")["iso2"].item() == "NA"
    assert data.trade(["261210"], exporters=["NAM"], years=[2022]).height > 0
    assert data.production(["Uranium (U3O8)"], countries=["NAM"]).height == 7
    assert data.governance(["NAM"], years=[2022]).height == 7


def test_kosovo_has_mines_and_governance_but_no_trade_of_its_own() -> None:
    assert data.production(["Lead"], countries=["XKX"]).height == 7
    assert data.governance(["XKX"], years=[2022], indicators=["estimate"])["value"].item() == pytest.approx(
        -0.25244858860969543
    )
    with pytest.raises(NotCoveredError, match="does not report importer XKX apart"):
        data.trade(importers=["XKX"])


def test_every_country_has_one_row_a_korean_name_and_unique_codes() -> None:
    table = data.countries()
    assert table["iso3"].is_unique().all()
    for column in ("iso2", "numeric"):
        assert table[column].drop_nulls().is_unique().all()
    assert table["name_ko"].str.contains(r"^[가-힣 ()~,A-Z]+$").all()
    countries = table.filter(pl.col("kind") == "country")
    assert countries.height == 250
    assert table.filter(pl.col("name_ko").is_duplicated()).is_empty()
    assert table.filter(pl.col("name_en").is_duplicated()).is_empty()


@pytest.mark.parametrize("source", data.country_sources())
def test_every_alias_leads_to_a_country(source: str) -> None:
    """Law 3: labels match exactly."""
    assert set(data.aliases(source).values()) <= set(data.countries()["iso3"])


@given(st.sampled_from(sorted(set(data.aliases("baci").values()))))
def test_codes_and_countries_go_there_and_back(iso3: str) -> None:
    """Law 4, for labels: country to codes and back returns the country."""
    assert {data.country(code, source="baci") for code in codes_of(iso3, "baci")} == {iso3}


@given(st.text(max_size=8), st.sampled_from(data.country_sources()))
def test_an_unknown_code_is_an_error_that_names_it(code: str, source: str) -> None:
    """Law 12: never a silent null."""
    try:
        found = data.country(code, source=source)
    except UnknownNameError as error:
        assert repr(code) in error.message
    else:
        assert re.fullmatch(r"[A-Z0-9]{3}", found)


def test_an_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'KOR'"):
        data.country("KRO")
    with pytest.raises(UnknownNameError, match=r"baci.xlsx, row 7: unknown country of source 'baci' '9999'"):
        data.country(9999, source="baci", where="baci.xlsx, row 7")
    with pytest.raises(UnknownNameError, match=r"unknown country source 'bacci'. Did you mean 'baci'"):
        data.country("156", source="bacci")
