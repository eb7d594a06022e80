"""What a form's codes are: the catalogue agrees with the concordance, in every revision and country."""

from __future__ import annotations

import itertools
from datetime import date

import polars as pl
import pytest

from evernormal.data.concordance_steps import IN_FORCE, route
from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.network.code_history import codes_of_form, forms_of_code
from evernormal.network.forms import form, form_names

REVISIONS = list(IN_FORCE)
WITH_CODES = [name for name in form_names() if form(name).codes_for("HS1992")]


def reached(codes: set[str], one: str, other: str) -> set[str]:
    """Every code of the other revision that can hold goods of these codes."""
    here = codes
    for step in route(one, other):
        here = {target for code in here for target in step.targets[code] if target is not None}
    return here


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(REVISIONS, 2)))
def test_the_catalogue_agrees_with_the_concordance(one: str, other: str) -> None:
    """Each code of a form comes from its codes before, and leads to its codes after."""
    wrong = []
    for name in WITH_CODES:
        before = {c.code for c in form(name).codes_for(one)}
        after = {c.code for c in form(name).codes_for(other)}
        wrong += [
            (name, code, "comes from none of its codes") for code in after - reached(before, one, other)
        ]
        wrong += [
            (name, c, "leads to none of its codes") for c in before if not reached({c}, one, other) & after
        ]
    assert not wrong


def test_a_form_with_world_codes_has_them_in_every_revision() -> None:
    missing = [(n, r) for n in WITH_CODES for r in REVISIONS if not form(n).codes_for(r)]
    assert not missing


def test_a_code_without_basket_belongs_to_one_form() -> None:
    for name in WITH_CODES:
        for row in codes_of_form(name)["codes"].filter(~pl.col("basket")).to_dicts():
            others = [f for f in (row["shared_with"] or "").split("; ") if f]
            for other in others:
                entries = [c for c in form(other).codes_for(row["revision"]) if c.code == row["code"]]
                assert all(entry.basket for entry in entries), (name, row["code"], other)


def test_what_8112_92_holds_changes_with_the_revision() -> None:
    """Germanium joins in 2007, hafnium and rhenium leave in 2022: the wording says so."""
    said = {
        row["revision"]: row["description"]
        for row in codes_of_form("gallium/metal")["codes"].to_dicts()
        if row["code"] == "811292"
    }
    assert "germanium" not in said["HS2002"].lower()
    assert "hafnium" in said["HS2002"].lower()
    assert all(word in said["HS2017"].lower() for word in ("germanium", "hafnium", "rhenium", "vanadium"))
    assert "hafnium" not in said["HS2022"].lower()
    assert "germanium" in said["HS2022"].lower()


def test_the_history_of_germanium() -> None:
    result = codes_of_form("germanium/metal", country="KOR")
    world = result["codes"].filter(pl.col("system") == "HS")
    assert world["code"].to_list() == ["811230"] * 3 + ["811292"] * 4
    assert world["valid_from"].to_list() == list(IN_FORCE.values())
    assert world["valid_to"].to_list()[-2:] == [date(2021, 12, 31), None]
    assert world["shared_with"].to_list()[:3] == [None] * 3
    assert "gallium/metal" in world["shared_with"].to_list()[3]
    lost = result["links"].filter(pl.col("from_revision") == "HS2002")
    assert lost.select("to_code", "low", "high", "basis").rows() == [
        ("811292", 0.0, 1.0, "assumed"),
        ("811299", 0.0, 1.0, "assumed"),
    ]
    assert {f.code for f in result.findings} == {"weights-assumed"}


def test_codes_on_a_day_and_in_a_country() -> None:
    """Korea wrote cathode material in one code until the end of 2021, in three since."""

    def korean(on: str) -> list[str]:
        table = codes_of_form("battery/cathode", country="KOR", on=on)["codes"]
        return table.filter(pl.col("system") == "HSK")["code"].to_list()

    assert korean("2021-12-31") == ["2841909000"]
    assert korean("2022-01-01") == ["2841909010", "2841909020", "2841909030"]
    assert codes_of_form("cobalt/metal", on="2005-06-01")["codes"]["code"].to_list() == ["810520"]
    german = codes_of_form("gallium/metal", country="DEU", on="2023-06-01")["codes"]
    assert set(german["system"]) == {"HS", "CN"}
    chile = codes_of_form("lithium/carbonate", country="CHL")
    assert set(chile["codes"]["system"]) == {"HS"}
    assert [f.code for f in chile.findings] == ["national-codes-unknown"]


def test_a_code_that_is_not_in_force_yet_is_not_known() -> None:
    """Law 11: in 2020 the last revision was that of 2017."""
    table = codes_of_form("bismuth/metal", as_of="2020-06-30")["codes"]
    assert table["revision"].to_list()[-1] == "HS2017"
    assert not set(table["code"]) & {"810610", "810690"}


def test_one_revision_only() -> None:
    assert codes_of_form("bismuth/metal", "hs2022")["codes"]["code"].to_list() == ["810610", "810690"]
    assert codes_of_form("battery/cathode", "HSK2017")["codes"]["code"].to_list() == ["2841909000"]
    nothing = codes_of_form("bismuth/metal", "HSK2017")
    assert nothing["codes"].is_empty()
    assert nothing.findings[0].code == "form-without-code"


def test_the_forms_of_a_code() -> None:
    table = forms_of_code("811292", "HS2022")["forms"]
    assert set(table["form"]) == {"gallium/metal", "germanium/metal", "indium/metal", "niobium/metal"}
    assert "germanium/metal" not in set(forms_of_code("811292", "HS2002")["forms"]["form"])


def test_what_is_asked_wrongly_is_named() -> None:
    """Law 12: the nearest name, or how to write it."""
    with pytest.raises(UnknownNameError, match="Did you mean 'germanium/metal'"):
        codes_of_form("germanium/metall")
    with pytest.raises(UnknownNameError, match="unknown revision 'HS2021'"):
        codes_of_form("germanium/metal", "HS2021")
    with pytest.raises(UnknownNameError, match="country"):
        codes_of_form("germanium/metal", country="KOREA")
    with pytest.raises(InputError, match="on: '2021' is no day"):
        codes_of_form("germanium/metal", on="2021")
    with pytest.raises(NotCoveredError, match="in force on 1980-01-01"):
        codes_of_form("germanium/metal", on="1980-01-01")
    with pytest.raises(UnknownNameError, match="unknown customs code '811293'"):
        forms_of_code("811293")
    with pytest.raises(InputError, match="6 to 10 digits"):
        forms_of_code("8112")


def test_same_question_same_answer() -> None:
    """Law 6: the tables of two calls are equal, to the order of their rows."""
    one, other = codes_of_form("niobium/metal"), codes_of_form("niobium/metal")
    assert one["codes"].equals(other["codes"])
    assert one["links"].equals(other["links"])
