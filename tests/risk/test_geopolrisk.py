"""GeoPolRisk: the package's own values where asked, what is right by default."""

from __future__ import annotations

import time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evernormal import report, risk
from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.risk.cells import MEMBERS, YEARS, materials, reporters

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "geopolrisk_2018_2022.csv"
KEYS = ["country", "material", "year"]

# Values that geopolrisk-py 2.0.1 gave: hhi, import risk, score, characterization factor.
PACKAGE = [
    ("KOR", "Lithium", 2023, 0.2705667860644, 0.5130332469816, 0.13880975678, 17.6590326977486),
    ("KOR", "Germanium", 2023, 0.89386126689, 0.0, 0.0, 0.0),
    ("KOR", "Rare earth", 2024, 0.4861548439486, 0.5118194905127, 0.2488235245401, 20.0960072773008),
    ("JPN", "Cobalt", 2022, 0.4928971158049, 0.4021125307867, 0.1982001066537, 32.1053890213599),
    ("JPN", "Gold", 2019, 0.0510252165978, 0.3916746455029, 0.0199852836227, 0.387543110593),
    ("CHN", "Nickel", 2021, 0.2065348231363, 0.6691587560503, 0.1382045853309, 0.0174683973683),
    ("TWN", "Copper", 2020, 0.1131332087821, 0.5289107611138, 0.0598373715642, 0.298751719326),
    ("EU", "Lithium", 2023, 0.2705667860644, 0.3685625155648, 0.0997207753002, 8.6527710885287),
    ("EU", "Rare earth", 2024, 0.4861548439486, 0.3887817116616, 0.1890081123629, 4.0799514028992),
    ("EU", "Bauxite", 2018, 0.1733594204859, 0.6269703701721, 0.1086912200349, 0.0165738949565),
    ("GUY", "Gold", 2022, 0.0493567771464, 0.000376703591, 1.85928752e-05, 0.9389695399191),
    ("NAM", "Uranium", 2018, 0.2125025103516, 3.1940138e-06, 6.787359e-07, 0.0001178366167),
    ("FRA", "Lead", 2024, 0.1951801884815, 0.4730734431706, 0.0923345638036, 0.7637629946573),
    ("CHE", "Platinum", 2020, 0.5017838707171, 0.4620460263904, 0.2318472435716, 15826.687265618377),
    ("NOR", "Aluminium", 2023, 0.3657557040764, 0.0474638663621, 0.0173601798595, 0.1105237405698),
    ("IND", "Graphite", 2024, 0.5861269546228, 0.2231048058909, 0.1307677404385, 0.2196262180538),
    ("SRB", "Lignite", 2022, 0.0880156332421, 0.0299021441546, 0.0026318561531, 0.0004794837724),
    ("USA", "Tungsten", 2019, 0.7157964602715, 0.5126720957072, 0.3669688713872, 19.5043035131012),
    ("DEU", "Natural gas", 2021, 0.1034472736719, 0.2869317996163, 0.0296823124001, 0.0521030923657),
    ("AUS", "Manganese", 2018, 0.1540048321819, 0.0168509552796, 0.0025951285399, 0.0015683750618),
    ("ZAF", "Vanadium", 2022, 0.502120140675, 0.0012951646243, 0.0006503282434, 0.0300503050956),
]


@pytest.fixture(scope="module")
def package() -> pl.DataFrame:
    """The whole world as the package computes it."""
    return risk.geopolrisk(compatible=True)["geopolrisk"]


@pytest.fixture(scope="module")
def world() -> dict[str, pl.DataFrame]:
    """The whole world by default."""
    return dict(risk.geopolrisk().tables)


def codes(result: object) -> set[str]:
    return {finding.code for finding in result.findings}  # type: ignore[attr-defined]


@pytest.mark.parametrize("row", PACKAGE, ids=lambda row: " ".join(map(str, row[:3])))
def test_compatible_values_are_those_of_the_package(row: tuple[object, ...], package: pl.DataFrame) -> None:
    country, material, year, *published = row
    ours = package.filter(country=country, material=material, year=year).row(0)[3:]
    assert ours == pytest.approx(published, rel=1e-9, abs=1e-9)


def test_compatible_equals_the_published_table(package: pl.DataFrame) -> None:
    """Six countries, 53 materials, five years."""
    if not REFERENCE.is_file():
        pytest.skip("the reference table of six countries is not beside the repository")
    theirs = pl.read_csv(REFERENCE, infer_schema_length=None).with_columns(
        country=pl.col("baci_code").replace_strict(
            {842: "USA", 410: "KOR", 392: "JPN", 276: "DEU", 251: "FRA", 156: "CHN"}
        )
    )
    both = theirs.join(package, on=KEYS, how="left", suffix="_ours", validate="1:1")
    assert both.height == 1590
    for ours, published in (
        ("hhi_ours", "hhi"),
        ("import_risk_ours", "import_risk"),
        ("score", "geopolrisk_score"),
        ("characterization_factor", "cf_kgCu_eq_per_kg"),
    ):
        gap = (both[ours] - both[published]).abs()  # the table is rounded to nine digits
        assert (gap <= 6e-9 * both[published].abs() + 1e-15).all(), published


def test_a_cell_that_the_package_cannot_answer_is_null(package: pl.DataFrame) -> None:
    """It reads the governance of French Polynesia in 2018 as NaN; by default the shipment has no quantity."""
    cell = {"country": "TUN", "material": "Aluminium", "year": 2018}
    assert package.filter(**cell)["score"].to_list() == [None]
    assert risk.geopolrisk(["TUN"], [2018], ["Aluminium"])["geopolrisk"]["score"].null_count() == 0


def test_unrecorded_trade_is_unknown_not_zero(package: pl.DataFrame, world: dict[str, pl.DataFrame]) -> None:
    """Law 2: null with bounds from 0 to the concentration, where the package says 0."""
    result = risk.geopolrisk(["KOR"], [2023], ["Germanium"])
    assert result["geopolrisk"]["score"].to_list() == [None]
    bounds = result["bounds"].row(0, named=True)
    assert bounds["score_low"] == 0 and bounds["score_high"] == result["geopolrisk"]["hhi"].item()
    assert "imports-unrecorded" in codes(result)
    nulls = world["geopolrisk"]["score"].is_null()
    assert (package.filter(nulls)["score"] == 0).all()
    assert package.filter(nulls)["characterization_factor"].null_count() == 0


def test_the_default_differs_exactly_where_the_package_is_wrong(
    package: pl.DataFrame, world: dict[str, pl.DataFrame]
) -> None:
    """Unrecorded trade, Taiwan, Guyana, Kosovo and the EU as one country; nothing else moves a score."""
    ours = world["geopolrisk"].join(package, on=KEYS, suffix="_package")
    known = ours.filter(pl.col("score").is_not_null(), pl.col("country") != "EU")
    moved = known.filter((pl.col("import_risk") - pl.col("import_risk_package")).abs() > 1e-12)
    from evernormal import data

    codes_of = {name: one.codes for name, one in materials().items()}
    bought = data.trade(importers=None, exporters=["TWN", "GUY"], years=YEARS)
    pairs = {
        (importer, code, year) for importer, code, year in bought["importer", "code", "year"].iter_rows()
    }
    for country, material, year in moved.select(KEYS).iter_rows():
        touched = any((country, code, year) in pairs for code in codes_of[material])
        assert touched or country in {"GUY", "R20"}, (country, material, year)
    assert moved.height > 1000


def test_taiwan_counts_with_its_own_governance() -> None:
    """The score of a buyer from Taiwan falls, because Taiwan is more stable than 0.5."""
    ours = risk.geopolrisk(["KOR"], [2023], ["Lithium"])
    theirs = risk.geopolrisk(["KOR"], [2023], ["Lithium"], compatible=True)
    gap = theirs["geopolrisk"]["import_risk"].item() - ours["geopolrisk"]["import_risk"].item()
    taiwan, imports = 60.0, ours["amounts"]["imports_t"].item()
    assert gap == pytest.approx(taiwan / imports * (0.5 - 0.2913202), rel=1e-6)
    assert "governance-of-taiwan" in codes(ours) and "geopolrisk-compatible" in codes(theirs)


def test_every_value_lies_between_its_bounds(world: dict[str, pl.DataFrame]) -> None:
    """Law 2: what is bounded is bounded rightly."""
    both = world["geopolrisk"].join(world["bounds"], on=KEYS, validate="1:1")
    known = both.filter(pl.col("score").is_not_null())
    assert known.filter(
        (pl.col("score") < pl.col("score_low") - 1e-12) | (pl.col("score") > pl.col("score_high") + 1e-12)
    ).is_empty()
    assert both["hhi"].is_between(0, 1).all() and both["import_risk_high"].is_between(0, 1 + 1e-12).all()


def test_the_european_union_is_one_country() -> None:
    """Its imports are those from outside, and its members' production counts."""
    amounts = risk.geopolrisk(["EU"], [2023], ["Lithium"])["amounts"].row(0, named=True)
    from evernormal import data

    flows = data.trade(["282520", "283691"], importers=MEMBERS, years=[2023])
    outside = flows.filter(~pl.col("exporter").is_in(MEMBERS))["quantity_t"].sum()
    assert amounts["imports_t"] == pytest.approx(outside)
    assert amounts["production_t"] == 165.0  # Portugal alone


def test_the_whole_world_takes_less_than_a_second(package: pl.DataFrame) -> None:
    assert package.height == (len(reporters()) + 1) * 53 * 7
    started = time.perf_counter()
    risk.geopolrisk()
    assert time.perf_counter() - started < 1.0


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.sampled_from([*reporters()[::9], "EU"]), min_size=1, max_size=6, unique=True),
    st.lists(st.sampled_from(YEARS), min_size=1, max_size=3, unique=True),
    st.lists(st.sampled_from(list(materials())), min_size=1, max_size=4, unique=True),
)
def test_a_part_equals_the_whole(countries: list[str], years: list[int], names: list[str]) -> None:
    """Law 7: what else is asked, and in which order, changes no number; rows come in the order asked."""
    part = risk.geopolrisk(countries, years, names)["geopolrisk"]
    assert part.select(KEYS).rows() == [(c, m, y) for c in countries for m in names for y in years]
    other = risk.geopolrisk(countries[::-1], years[::-1], names[::-1])["geopolrisk"]
    assert part.sort(KEYS).equals(other.sort(KEYS), null_equal=True)


def test_wrong_names_and_years_are_told() -> None:
    """Laws 3 and 12: what was wrong and what would be right."""
    with pytest.raises(UnknownNameError, match="Lithium"):
        risk.geopolrisk(["KOR"], [2023], ["Lithum"])
    with pytest.raises(UnknownNameError, match="KOR"):
        risk.geopolrisk(["KRO"], [2023])
    with pytest.raises(NotCoveredError, match="2017"):
        risk.geopolrisk(["KOR"], [2017, 2018])
    with pytest.raises(NotCoveredError, match="XKX"):
        risk.geopolrisk(["XKX"], [2023])
    with pytest.raises(InputError, match="whole number"):
        risk.geopolrisk(["KOR"], ["2023"])  # type: ignore[list-item]
    with pytest.raises(InputError, match="no year"):
        risk.geopolrisk(["KOR"], [])


def test_units_lineage_and_the_door() -> None:
    """Laws 4 and 10; the name of the door is the function, also when its module has been loaded."""
    result = risk.geopolrisk(["KOR"], [2023], ["Copper"])
    assert result.units["amounts"]["imports_t"] == "t gross"
    assert {i.name for i in result.lineage.inputs} >= {"trade", "production", "governance"}
    assert {d.equation for d in result.lineage.derivations} == {"E100", "E101", "E102", "E103"}
    assert all(callable(getattr(risk, name)) for name in risk.__all__)


# What geopolrisk-py 2.0.1 gave for groups of countries, by its functions and by its gprs_calc: import risk,
# characterization factor.
GROUPS = {"West": ["FRA", "DEU", "ITA", "ESP"], "Asia": ["JPN", "KOR", "CHN"]}
PACKAGE_GROUPS = [
    ("EU", "Nickel", 2023, (0.5333529353564, 0.2466490502398), (0.4895152738392, 0.2263763248807)),
    ("EU", "Rare earth", 2021, (0.4746493073085, 3.8379573863501), (0.4746493073085, 3.8379573863501)),
    ("West", "Lithium", 2023, (0.364014594512, 7.7311658319859), (0.364014594512, 7.7311658319859)),
    ("West", "Lead", 2020, (0.3736031158279, 0.3371316874649), (0.3644263237373, 0.3288507409954)),
    ("Asia", "Graphite", 2022, (0.439867536034, 0.5989444408464), (0.0849146259559, 0.1156237707865)),
    ("Asia", "Zinc", 2024, (0.550783715212, 0.2070542449755), (0.3365351719161, 0.1265125202585)),
    ("Asia", "Gold", 2023, (0.5659516944546, 3.0775525215071), (0.5658223466967, 3.0768491496074)),
]


@pytest.mark.parametrize("row", PACKAGE_GROUPS, ids=lambda row: " ".join(map(str, row[:3])))
def test_groups_of_countries_are_those_of_the_package(row: tuple[str, str, int, object, object]) -> None:
    """Its functions count no production of a group, its gprs_calc that of the members."""
    name, material, year, *published = row
    for compatible, expected in zip((True, "gprs_calc"), published, strict=True):
        table = risk.geopolrisk([name], [year], [material], compatible, groups=GROUPS)["geopolrisk"]  # type: ignore[arg-type]
        ours = table.select("import_risk", "characterization_factor").row(0)
        assert ours == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_union_as_a_group_is_the_union() -> None:
    """Any group counts as the European Union does, and a group of one as its country."""
    groups = {"Members": list(MEMBERS), "Alone": ["KOR"]}
    for compatible in (False, True, "gprs_calc"):
        both = risk.geopolrisk(["EU", "Members"], [2022], None, compatible, groups=groups)["geopolrisk"]
        one, other = (part.drop("country") for part in both.partition_by("country", maintain_order=True))
        assert one.equals(other)
    both = risk.geopolrisk(["Alone", "KOR"], [2022], groups=groups)["geopolrisk"]
    one, other = (part.drop("country") for part in both.partition_by("country", maintain_order=True))
    assert one.equals(other)


def test_a_group_opens_down_to_its_rows() -> None:
    """The members are part of the call: the number is worked out from their rows again."""
    for compatible in (False, "gprs_calc"):
        made = risk.geopolrisk(["West"], [2023], ["Lithium"], compatible, groups=GROUPS)
        found = report.explain(made, "geopolrisk.import_risk")
        assert found.checked == "rows" and found.value == made["geopolrisk"]["import_risk"].item()


@pytest.mark.parametrize(
    ("groups", "error"),
    [
        ({"KOR": ["JPN"]}, InputError),
        ({"EU": ["JPN"]}, InputError),
        ({"Nobody": []}, InputError),
        ({"Wrong": ["JPM"]}, UnknownNameError),
        ({"Unseen": ["LIE"]}, NotCoveredError),
    ],
)
def test_bad_groups_are_refused(groups: dict[str, list[str]], error: type[Exception]) -> None:
    with pytest.raises(error):
        risk.geopolrisk(None, [2023], ["Lithium"], groups=groups)
