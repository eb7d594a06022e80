"""The forms catalogue: complete, consistent, and honest about what the shipped trade covers."""

from __future__ import annotations

import dataclasses
import re
from importlib import resources
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evernormal.errors import EvernormalError, NotCoveredError, SourceFormatError, UnknownNameError
from evernormal.network import forms as catalogue
from evernormal.network.chains import chain, downstream, upstream
from evernormal.network.form_tables import rows
from evernormal.units import element_fraction


def words(text: str) -> list[str]:
    """Split a list that reads better in rows."""
    return re.findall(r"\S+", text)


# Six-digit codes of the shipped trade table, HS1992 (the BACI extract, 1995-2024).
SHIPPED = frozenset(
    words(
        """
    250310 250390 250410 250490 250700 250810 250830 250840 251020 251110 251200 251910 252010
    252400 252890 252910 252922 260111 260112 260200 260300 260400 260600 260700 260800 260900
    261000 261100 261210 261390 261400 261510 261610 261690 261710 270111 270112 270119 270210
    270220 270900 271111 271121 280450 280480 280490 280530 280540 282200 282520 282530 283030
    283691 284610 284690 710812 711011 711019 711021 711029 711031 711039 711290 711510 720292
    720293 760110 810110 810310 810510 810600 810710 811211 811230
    """
    )
)
CRITICAL = set(
    words("Ni Li Co Cu Mo W C Mn Nd La Dy Tb Ce Al Zn Mg Sn Ti Si Cr V Nb Pb Sb Ga In Pt Pd Bi Ta Zr Sr Se")
)
STRATEGIC = set(words("Li Ni Co Mn C Nd Dy Tb Ce La"))
RARE = set(words("Sc Y La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu"))
RELIED_ON = list(
    words(
        """
    lithium/hydroxide lithium/carbonate lithium/ore graphite/natural graphite/synthetic cobalt/ore
    cobalt/intermediates cobalt/oxides rare-earths/ore rare-earths/compounds
    rare-earths/cerium-compounds rare-earths/metals neodymium/magnet gallium/metal germanium/metal
    antimony/ore antimony/metal antimony/oxide nickel/ore aluminium/bauxite aluminium/metal
    tungsten/ore tungsten/powder vanadium/oxide vanadium/ferro niobium/ferro magnesium/metal
    silicon/metal manganese/ore copper/ore tin/ore zinc/ore lead/ore chromium/ore titanium/ore
    zirconium/ore molybdenum/ore tantalum/metal bismuth/metal platinum/metal palladium/metal
    selenium/metal nickel/sulphate cobalt/sulphate battery/precursor graphite/spherical
    """
    )
)
NAMES = st.sampled_from(catalogue.form_names())
COUNTRIES = st.sampled_from(["KOR", "CHN", "PHL", "AUS", "COD", "NAM", "ZZZ", ""])


def test_every_critical_mineral_and_every_rare_earth_is_there() -> None:
    table = catalogue.materials()
    assert set(table.filter(table["korea_critical"])["symbol"]) == CRITICAL
    assert table["korea_critical"].sum() == 33
    assert set(table.filter(table["korea_strategic"])["symbol"]) == STRATEGIC
    assert set(table.filter(table["rare_earth"])["symbol"]) - {""} == RARE
    assert catalogue.material("germanium").symbol == "Ge"
    assert catalogue.material("rare-earths").rare_earth


def test_every_material_has_forms_and_every_rare_earth_an_oxide() -> None:
    table = catalogue.forms()
    assert table.height >= 90
    assert set(table["material"]) == set(catalogue.materials()["material"])
    for mineral in catalogue.materials().filter(catalogue.materials()["rare_earth"])["material"]:
        if mineral != "rare-earths":
            this = catalogue.form(f"{mineral}/oxide")
            assert this.contained == catalogue.material(mineral).symbol
            assert element_fraction(this.formula, this.contained) == pytest.approx(0.8, abs=0.16)


def test_the_catalogue_is_consistent() -> None:
    """No two readers of a code, contents in (0, 1], chains without a cycle, every name in both languages."""
    assert catalogue.check_forms(SHIPPED) == ()


def test_forms_are_listed_by_material_and_stage() -> None:
    assert set(catalogue.forms(material="lithium", stage="refined")["material"]) == {"lithium"}
    assert catalogue.forms().height == sum(catalogue.forms(stage=s).height for s in catalogue.STAGES)


@pytest.mark.parametrize("name", RELIED_ON)
def test_forms_that_others_call_by_name(name: str) -> None:
    this = catalogue.form(name)
    assert this.name_en
    assert any("가" <= letter <= "힣" for letter in this.name_ko)


def test_coverage_tells_the_truth() -> None:
    """Law 2: full means that the shipped trade holds its codes; what is in a basket is not called known."""
    assert set(catalogue.forms()["coverage"]) == {"full", "share", "none"}
    read: list[str] = []
    for name in catalogue.form_names():
        this = catalogue.form(name)
        read += this.trade_codes
        assert bool(this.trade_codes) == (this.coverage == "full"), name
        assert set(this.trade_codes) <= SHIPPED, name
    assert len(read) == len(set(read)), "one shipped code is read by two forms"
    for name in ("neodymium/oxide", "dysprosium/oxide", "cerium/oxide", "cobalt/metal"):
        assert catalogue.form(name).coverage != "full"
        assert all(c.basket for c in catalogue.form(name).codes_for("HS1992"))
        assert "basket" in catalogue.form(name).note or "inside the code" in catalogue.form(name).note
    for name in ("gallium/metal", "graphite/synthetic", "neodymium/magnet", "silicon/metal"):
        assert catalogue.form(name).coverage == "share"


def test_a_form_known_by_shares_has_a_published_fact_or_a_production_statistic() -> None:
    """Law 2: "share" is not a polite word for unknown."""
    facts = resources.files("evernormal.data") / "tables" / "facts.csv"
    reached = set(pl.read_csv(facts.read_bytes(), infer_schema=False)["form"]) if facts.is_file() else set()
    for name in catalogue.form_names():
        this = catalogue.form(name)
        if this.coverage == "share":
            assert this.production_source or name in reached, name


def test_the_list_of_shipped_codes_is_that_of_the_snapshot() -> None:
    snapshot = resources.files("evernormal.data") / "snapshot" / "trade.parquet"
    if not snapshot.is_file():
        pytest.skip("no trade snapshot is built here")
    codes = pl.read_parquet(snapshot.read_bytes(), columns=["code"])["code"].unique().cast(pl.String)
    assert {code.zfill(6) for code in codes} == SHIPPED


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"coverage": "full"}, "code-two-readers"),
        ({"codes": ()}, "content"),
        ({"name_ko": "Lithium"}, "form-name"),
        ({"production_source": "world-mining-data:X", "production_factor": None}, "production-factor"),
        ({"stage": "smelter"}, "form-stage"),
    ],
)
def test_the_check_sees_a_planted_fault(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], finding: str
) -> None:
    table = {name: catalogue.form(name) for name in catalogue.form_names()}
    table["cobalt/metal"] = dataclasses.replace(table["cobalt/metal"], **change)
    monkeypatch.setattr(catalogue, "_forms", lambda: table)
    assert finding in {f.code for f in catalogue.check_forms(SHIPPED)}


def test_the_check_sees_coverage_that_flatters() -> None:
    """Law 2: take a code away from the shipped trade, and the form that claims it is named."""
    lost = catalogue.check_forms(SHIPPED - {"282520"})
    assert [f.values["form"] for f in lost] == ["lithium/hydroxide"]
    more = catalogue.check_forms(SHIPPED | {"283692"})
    assert [f.values["form"] for f in more] == ["strontium/carbonate"]


def test_every_number_has_a_source_and_every_assumption_says_so() -> None:
    """Law 10."""
    for table in ("content", "conversions", "codes", "materials"):
        for row in rows(table):
            assert row["source"], (table, row)
            if row.get("grade") == "C":
                assert row["source"].startswith("assumption:"), (table, row)
            assert row.get("grade", "C") in ("A", "B", "C")


def test_codes_are_text_of_the_right_length() -> None:
    digits = {"HS": 6, "CN": 8, "HSK": 10}
    for name in catalogue.form_names():
        for code in catalogue.form(name).codes:
            assert code.code.isdigit()
            assert len(code.code) == digits[code.system], (name, code.code)
            assert code.valid_from <= (code.valid_to or "9999")
    assert [c.valid_to for c in catalogue.form("germanium/metal").codes_for("HS1992")] == ["2016-12-31"]
    assert [c.code for c in catalogue.form("lithium/hydroxide").codes if c.system == "HSK"] == ["2825202000"]


def test_production_sources_convert_to_contained() -> None:
    """Factors of oxides are stoichiometry."""
    for name, formula, element in (
        ("lithium/ore", "Li2O", "Li"),
        ("chromium/ore", "Cr2O3", "Cr"),
        ("titanium/ore", "TiO2", "Ti"),
        ("niobium/ore", "Nb2O5", "Nb"),
        ("tantalum/ore", "Ta2O5", "Ta"),
    ):
        this = catalogue.form(name)
        assert this.production_source == f"world-mining-data:{this.production_source.split(':')[1]}"
        assert this.production_factor == pytest.approx(element_fraction(formula, element), rel=1e-5)
    assert catalogue.form("lithium/hydroxide").production_factor is None


def test_content_knows_the_exporter() -> None:
    """Moist laterite and sulphide concentrate share one code: a single factor would be wrong tenfold."""
    laterite = catalogue.contained("nickel/ore", "260400", "PHL")
    sulphide = catalogue.contained("nickel/ore", "260400", "CAN")
    assert sulphide.value > 8 * laterite.value
    assert catalogue.contained("nickel/ore", "260400", "ATG").exporter == ""
    assert catalogue.contained("lithium/hydroxide", "2825202000", "CHN").value == pytest.approx(0.1654)
    assert catalogue.contained("copper/ore").parameter.unit == "kg/kg"


@given(NAMES, COUNTRIES)
def test_content_is_always_a_number_or_a_clear_error(name: str, exporter: str) -> None:
    """Law 2 and law 12."""
    this = catalogue.form(name)
    for code in this.codes:
        row = catalogue.contained(name, code.code, exporter)
        assert 0 < row.low <= row.value <= row.high <= 1
        assert row.form == name


@given(NAMES)
def test_a_chain_is_walked_both_ways(name: str) -> None:
    assert all(name in downstream(up) for up in upstream(name))
    assert all(name in upstream(down) for down in downstream(name))
    whole = chain(name)
    place = {form: i for i, form in enumerate(whole.forms)}
    assert all(place[s.source] < place[s.target] for s in whole.conversions)
    assert not whole.skipped


@given(NAMES)
def test_closing_a_gap_keeps_recoveries_possible(name: str) -> None:
    kept = chain(name, coverage=("full",))
    assert name in kept.forms
    assert all(form == name or catalogue.form(form).coverage == "full" for form in kept.forms)
    for step in kept.conversions:
        r = step.recovery
        assert step.source in kept.forms
        assert step.target in kept.forms
        assert 0 < r.low <= r.value <= r.high <= 1
    pairs = [(s.source, s.target) for s in kept.conversions]
    assert len(pairs) == len(set(pairs))


def test_a_gap_is_closed_by_the_product_of_recoveries() -> None:
    direct = {s.name: s.recovery.value for s in catalogue.conversions()}
    joined = chain("molybdenum/ore", coverage=("full",))
    assert joined.forms == ("molybdenum/ore",)
    over = chain("molybdenum/ferro", coverage=("full",))
    assert over.skipped == ("molybdenum/oxide",)
    expected = direct["molybdenum/ore -> molybdenum/oxide"] * direct["molybdenum/oxide -> molybdenum/ferro"]
    assert [s.recovery.value for s in over.conversions] == [pytest.approx(expected)]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: catalogue.form("lithium/hydroxid"), "'lithium/hydroxide'"),
        (lambda: catalogue.form("graphit/natural"), "'graphite/natural'"),
        (lambda: catalogue.material("antimon"), "'antimony'"),
        (lambda: catalogue.forms(material="galium"), "'gallium'"),
        (lambda: catalogue.forms(stage="refine"), "'refined'"),
        (lambda: catalogue.conversions_of("cobalt/oxide"), "'cobalt/oxides'"),
        (lambda: catalogue.contained("copper/ore", "260400"), "'260300'"),
        (lambda: chain("tungsten/powders"), "'tungsten/powder'"),
        (lambda: catalogue.end_uses("tin/metals"), "'tin/metal'"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest(call, says: str) -> None:
    """Law 12."""
    with pytest.raises(UnknownNameError, match=says):
        call()


def use_row(form: str, region: str, share: float, **other: Any) -> dict[str, Any]:
    """One row of the end-use table."""
    row = {"form": form, "end_use": "x", "name_en": "x uses", "name_ko": "엑스", "region": region}
    row |= {
        "grade": "C",
        "source": "assumption: test",
        "share": share,
        "share_low": share,
        "share_high": share,
    }
    row |= {"elasticity": -0.2, "elasticity_low": -0.5, "elasticity_high": -0.05}
    row |= {"value_added_usd_t": 1e6, "value_added_low": 5e5, "value_added_high": 2e6}
    row |= {"substitutable": 0.1, "substitutable_low": 0.0, "substitutable_high": 0.3}
    return row | other


def test_end_uses_prefer_the_region_then_the_world_then_the_generic_row() -> None:
    table = [
        use_row("tin/metal", "WLD", 0.6, end_use="solder"),
        use_row("tin/metal", "WLD", 0.4, end_use="cans"),
        use_row("tin/metal", "KOR", 1.0, end_use="solder"),
        use_row("*", "WLD", 0.3, end_use="anything"),
    ]
    pick = catalogue.end_uses_from
    assert [u.name for u in pick(table, "tin/metal", "KOR")] == ["solder"]
    assert [u.name for u in pick(table, "tin/metal", "JPN")] == ["solder", "cans"]
    (generic,) = pick(table, "lead/metal", "JPN")
    assert (generic.name, generic.name_en, generic.name_ko) == ("all", "all uses", "전체 용도")
    assert generic.share.value == 1.0
    assert generic.value_added.unit == "USD/t"
    with pytest.raises(NotCoveredError, match="no end use of lead/metal"):
        pick(table[:3], "lead/metal", "JPN")
    with pytest.raises(SourceFormatError, match=r"sum to 0\.6"):
        pick(table[:1], "tin/metal", "JPN")


def test_shipped_end_uses_are_readable_or_say_that_they_are_absent() -> None:
    for name in catalogue.form_names():
        try:
            uses = catalogue.end_uses(name, "KOR")
        except EvernormalError as error:
            assert isinstance(error, NotCoveredError)
        else:
            assert sum(u.share.value for u in uses) == pytest.approx(1.0)
