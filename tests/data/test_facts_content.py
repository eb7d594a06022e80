"""What the shipped facts and end uses say: published figures, citations, whole shares, honest intervals."""

from __future__ import annotations

import csv
import math
import re
from collections import defaultdict
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from evernormal.network.forms import end_uses, forms, materials

FACT_COLUMNS = (
    "fact_id topic material form region partner value low high unit basis period definition "
    "source source_ref as_of grade"
)
USE_COLUMNS = (
    "form end_use name_en name_ko share share_low share_high elasticity elasticity_low elasticity_high "
    "value_added_usd_t value_added_low value_added_high substitutable substitutable_low substitutable_high "
    "region grade source"
)
SHARES = {"refining_share", "mine_share", "import_share"}
UNITS = {"t", "USD", "1", "USD/t", "day", "KRW", "level", "yyyymmdd", "yyyymm"}
SHARED = Path(__file__).parents[3] / "shared" / "data"

Row = dict[str, str]


def read(package: str, name: str, columns: str) -> list[Row]:
    text = (files(package) / "tables" / name).read_text("utf-8")
    reader = csv.DictReader(text.splitlines())
    assert reader.fieldnames == columns.split()
    return list(reader)


@pytest.fixture(scope="module")
def facts() -> list[Row]:
    return read("evernormal.data", "facts.csv", FACT_COLUMNS)


@pytest.fixture(scope="module")
def by_id(facts: list[Row]) -> dict[str, Row]:
    return {row["fact_id"]: row for row in facts}


@pytest.fixture(scope="module")
def uses() -> list[Row]:
    return read("evernormal.network", "end_uses.csv", USE_COLUMNS)


# --- facts ------------------------------------------------------------------


def test_every_fact_is_cited_and_graded(facts: list[Row]) -> None:
    """Law 10: a number without a source, a reference, a day and a grade is not shipped."""
    for row in facts:
        for name in ("source", "source_ref", "as_of", "grade", "definition", "unit", "period", "region"):
            assert row[name].strip(), (row["fact_id"], name)
        assert row["grade"] in {"A", "B", "C"}, row["fact_id"]
        assert row["unit"] in UNITS, row["fact_id"]


def test_assumptions_say_that_they_are(facts: list[Row]) -> None:
    """Law 10: what is assumed is graded C and gives its reason."""
    for row in facts:
        if "assumption" in (row["source"] + row["definition"]).lower():
            assert row["grade"] == "C", row["fact_id"]


def test_no_fact_twice(facts: list[Row]) -> None:
    ids = [row["fact_id"] for row in facts]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in ids)


def test_numbers_and_dates_parse(facts: list[Row]) -> None:
    for row in facts:
        value = float(row["value"])
        assert math.isfinite(value), row["fact_id"]
        assert value >= 0, row["fact_id"]
        for name, ordered in (("low", lambda x, v: x <= v), ("high", lambda x, v: x >= v)):
            if row[name]:
                assert ordered(float(row[name]), value), row["fact_id"]
        date.fromisoformat(row["as_of"])
        assert re.fullmatch(r"\d{4}(-\d{2}){0,2}(/\d{4}(-\d{2}){0,2})?", row["period"]), row["fact_id"]
        if row["topic"] in SHARES:
            assert value <= 1, row["fact_id"]


def test_names_are_those_of_the_catalogue(facts: list[Row]) -> None:
    known, minerals = set(forms()["form"]), set(materials()["material"])
    assert {row["form"] for row in facts} - known <= {""}
    assert {row["material"] for row in facts} - minerals <= {""}
    for row in facts:
        if row["form"]:
            assert row["form"].startswith(row["material"] + "/"), row["fact_id"]


def test_shares_of_one_publication_do_not_exceed_the_whole(facts: list[Row]) -> None:
    total: dict[tuple[str, ...], float] = defaultdict(float)
    for row in facts:
        if row["topic"] in SHARES:
            held = row["region"] if row["topic"] == "import_share" else ""
            what = row["form"] or row["material"]
            key = (row["topic"], what, held, row["period"], row["basis"], row["source"])
            if row["form"] == "battery/precursor":  # NCM and NCA precursor are two products
                key += (row["fact_id"],)
            total[key] += float(row["value"])
    # publishers round: the vanadium of 2025 sums to 103 % of the rounded world total of USGS
    assert {key: value for key, value in total.items() if value > 1.04} == {}


@pytest.mark.parametrize("form", ["magnesium/metal", "silicon/metal", "antimony/metal", "neodymium/magnet"])
@pytest.mark.parametrize("region", ["KOR", "JPN", "USA", "DEU"])
@pytest.mark.parametrize("by", ["value", "quantity"])
def test_partners_cover_95_percent_of_imports(facts: list[Row], form: str, region: str, by: str) -> None:
    chosen = [
        float(row["value"])
        for row in facts
        if row["fact_id"].startswith(f"import-share-{form.replace('/', '-')}-{region.lower()}-")
        and row["fact_id"].endswith(f"-2024-{by}-baci")
    ]
    assert 0.95 <= sum(chosen) <= 1.0 + 1e-6


def test_basket_codes_are_called_baskets(facts: list[Row]) -> None:
    """HS 811292 mixes gallium with germanium, indium, niobium, vanadium: it must never pass for one metal."""
    mixed = [row for row in facts if "811292" in row["definition"]]
    assert {row["form"] for row in mixed} == {"gallium/metal", "germanium/metal", "indium/metal"}
    for row in mixed:
        assert "basket" in row["definition"], row["fact_id"]
        assert row["grade"] != "A", row["fact_id"]


def test_unit_value_is_value_over_quantity(by_id: dict[str, Row]) -> None:
    for form in ("magnesium-metal", "antimony-metal", "silicon-metal"):
        value = float(by_id[f"imports-{form}-kor-2024-usd-baci"]["value"])
        quantity = float(by_id[f"imports-{form}-kor-2024-t-baci"]["value"])
        price = float(by_id[f"price-{form}-kor-2024-baci"]["value"])
        assert price == pytest.approx(value / quantity, rel=1e-3)


PUBLISHED = {
    # USGS 2026: gallium China 900 of 900 t, rare earths China 270 of 390 thousand t
    "production-gallium-metal-chn-2025-usgs": 900,
    "production-gallium-metal-wld-2025-usgs": 900,
    "production-rare-earths-ore-chn-2025-usgs": 270_000,
    "production-rare-earths-ore-wld-2025-usgs": 390_000,
    # EU 2023: processing shares of China
    "refining-share-gallium-metal-chn-2016-2020-eu": 0.938,
    "refining-share-germanium-metal-chn-2016-2020-eu": 0.831,
    "refining-share-magnesium-metal-chn-2016-2020-eu": 0.906,
    # IEA 2025: refining shares of China in 2024
    "refining-share-cobalt-sulphate-chn-2024-iea": 0.784,
    "refining-share-lithium-hydroxide-chn-2024-iea": 0.702,
    "refining-share-graphite-anode-chn-2024-iea": 0.957,
    "refining-share-rare-earths-compounds-chn-2024-iea": 0.913,
    # KITA: share of China in Korean imports of lithium hydroxide by value
    "import-share-lithium-hydroxide-kor-chn-2018-value-kita": 0.649,
    "import-share-lithium-hydroxide-kor-chn-2019-value-kita": 0.744,
    "import-share-lithium-hydroxide-kor-chn-2020-value-kita": 0.812,
    "import-share-lithium-hydroxide-kor-chn-2021-value-kita": 0.838,
    "import-share-lithium-hydroxide-kor-chn-2022-value-kita": 0.879,
    "import-share-lithium-hydroxide-kor-chn-2023-value-kita": 0.796,
    "import-share-neodymium-magnet-kor-chn-2023-value-kita": 0.847,
    "import-share-cobalt-sulphate-kor-chn-2024h1-value-kita": 0.994,
    "import-share-battery-precursor-kor-chn-2023h1-value": 0.965,
    "import-share-graphite-synthetic-kor-chn-2023-9m-kita": 0.943,
    # Korean stocks, lead times and targets
    "stock-days-gallium-kor-2023": 40,
    "stock-days-lithium-kor-2023": 5.8,
    "stock-days-strontium-kor-2023": 2.7,
    "stock-days-neodymium-kor-2024": 180,
    "stock-days-average-kor-2023": 50.6,
    "stockpile-target-rare-metals-kor-2031": 100,
    "stockpile-release-days-normal-from": 60,
    "stockpile-release-days-normal-to": 30,
    "stockpile-release-days-emergency": 8,
    "dependence-target-kor-baseline": 0.80,
    "dependence-target-kor-2030": 0.50,
    "recycling-target-kor-baseline": 0.02,
    "recycling-target-kor-2030": 0.20,
    "early-warning-duty-one-country-kor": 0.50,
    "early-warning-duty-neighbours-kor": 0.75,
    # prices of 2024 (USGS)
    "price-gallium-metal-2024-usgs": 439_000,
    "price-germanium-metal-2024-usgs": 1_991_000,
    "price-magnesium-metal-2024-usgs": 2_850,
}


@pytest.mark.parametrize("fact_id", PUBLISHED)
def test_published_figure(by_id: dict[str, Row], fact_id: str) -> None:
    assert float(by_id[fact_id]["value"]) == pytest.approx(PUBLISHED[fact_id], rel=1e-3)


CONTROLS = {
    "gallium-germanium-2023-gallium": ("2023-07-03", "2023-08-01"),
    "graphite-2023-graphite": ("2023-10-20", "2023-12-01"),
    "antimony-2024-antimony": ("2024-08-15", "2024-09-15"),
    "seven-rare-earths-2025-dysprosium": ("2025-04-04", "2025-04-04"),
}


@pytest.mark.parametrize("control", CONTROLS)
def test_dates_of_chinese_controls(by_id: dict[str, Row], control: str) -> None:
    found = tuple(by_id[f"china-{control}-{step}"]["period"] for step in ("announced", "effective"))
    assert found == CONTROLS[control]


def test_policy_dates_are_in_order_and_known_no_earlier_than_published(facts: list[Row]) -> None:
    """Law 11: the day a suspension became known is not the day of the control."""
    steps: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in facts:
        if row["unit"] == "yyyymmdd" and row["fact_id"].startswith("china-"):
            assert row["value"] == row["period"].replace("-", ""), row["fact_id"]
            name, _, step = row["fact_id"].rpartition("-")
            if step in {"from", "until"}:
                name, _, _ = name.rpartition("-")
            steps[name][step] = row
    assert len(steps) > 20
    for name, found in steps.items():
        assert found["announced"]["period"] <= found["effective"]["period"], name
        assert found["announced"]["as_of"] <= found["announced"]["period"], name
        if "from" in found:
            assert found["announced"]["as_of"] < found["from"]["as_of"], name
            assert found["from"]["period"] < found["until"]["period"], name


def test_rows_repeat_the_publisher_file(by_id: dict[str, Row]) -> None:
    path = SHARED / "trade" / "baci_hs17_2024_30codes.parquet"
    if not path.is_file():
        pytest.skip("publisher file of CEPII BACI is not beside this repository")
    import polars as pl

    flows = pl.read_parquet(path).filter(pl.col("importer") == "KOR")
    for form, code in (("magnesium-metal", "810411"), ("neodymium-magnet", "850511")):
        rows = flows.filter(pl.col("hs6") == code)
        china = rows.filter(pl.col("exporter") == "CHN")["value_kusd"].sum() / rows["value_kusd"].sum()
        shipped = by_id[f"import-share-{form}-kor-chn-2024-value-baci"]["value"]
        assert float(shipped) == pytest.approx(china, rel=1e-5)


# --- end uses ---------------------------------------------------------------

ASKED = [
    "lithium/hydroxide",
    "lithium/carbonate",
    "graphite/natural",
    "graphite/synthetic",
    "graphite/spherical",
    "cobalt/oxides",
    "cobalt/intermediates",
    "cobalt/sulphate",
    "rare-earths/compounds",
    "rare-earths/cerium-compounds",
    "rare-earths/metals",
    "neodymium/magnet",
    "gallium/metal",
    "germanium/metal",
    "antimony/ore",
    "antimony/metal",
    "antimony/oxide",
    "nickel/ore",
    "nickel/sulphate",
    "aluminium/bauxite",
    "aluminium/metal",
    "tungsten/ore",
    "tungsten/powder",
    "vanadium/oxide",
    "vanadium/ferro",
    "niobium/ferro",
    "magnesium/metal",
    "silicon/metal",
    "manganese/ore",
    "indium/metal",
    "battery/precursor",
]


def test_shares_sum_to_one(uses: list[Row]) -> None:
    total: dict[tuple[str, str], float] = defaultdict(float)
    for row in uses:
        total[row["form"], row["region"]] += float(row["share"])
    assert {key: value for key, value in total.items() if abs(value - 1) > 1e-9} == {}


def test_every_use_is_cited_piece_by_piece(uses: list[Row]) -> None:
    """Law 10: share, elasticity, value added and substitution each name their source."""
    for row in uses:
        for piece in ("share", "elasticity", "value added", "substitutable"):
            assert piece in row["source"], (row["form"], row["end_use"], piece)
        assert row["grade"] in {"B", "C"}
        if "assumption" in row["source"]:
            assert row["grade"] == "C", (row["form"], row["end_use"])


def test_intervals_hold_their_value(uses: list[Row]) -> None:
    stems = (("share", "share"), ("elasticity", "elasticity"), ("value_added_usd_t", "value_added"))
    for row in uses:
        for column, stem in (*stems, ("substitutable", "substitutable")):
            if row["form"] == "*" and stem == "value_added":
                continue
            low, value, high = (float(row[name]) for name in (f"{stem}_low", column, f"{stem}_high"))
            assert low <= value <= high, (row["form"], row["end_use"], stem)
        assert -0.5 <= float(row["elasticity_low"]) < float(row["elasticity_high"]) <= -0.05
        assert 0 <= float(row["share_low"]) <= float(row["share_high"]) <= 1
        assert 0 <= float(row["substitutable_low"]) <= float(row["substitutable_high"]) <= 1


def test_no_use_twice_and_names_in_two_languages(uses: list[Row]) -> None:
    keys = [(row["form"], row["region"], row["end_use"]) for row in uses]
    assert len(set(keys)) == len(keys)
    names: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in uses:
        assert re.search("[가-힣]", row["name_ko"]), row["end_use"]
        names[row["end_use"]].add((row["name_en"], row["name_ko"]))
    assert {key: found for key, found in names.items() if len(found) > 1} == {}


@pytest.mark.parametrize("form", ASKED)
def test_form_has_uses_of_its_own(form: str) -> None:
    found = end_uses(form, "DEU")
    assert "all" not in {use.name for use in found}
    assert all(use.value_added.low > 0 for use in found)


def test_every_covered_form_has_uses_with_a_known_loss() -> None:
    covered = forms().filter(forms()["coverage"] != "none")["form"]
    assert [name for name in covered if math.isnan(end_uses(name, "KOR")[0].value_added.value)] == []


def test_generic_use_leaves_the_loss_unknown(uses: list[Row]) -> None:
    """Law 2: no figure per tonne holds for every form, so the generic one is blank, not zero."""
    (generic,) = (row for row in uses if row["form"] == "*")
    assert (generic["end_use"], generic["value_added_usd_t"]) == ("all", "")
    assert math.isnan(end_uses("aluminium/alumina", "KOR")[0].value_added.value)


def test_lithium_in_cathodes_follows_its_derivation() -> None:
    """Cathode plus half a cell, in USD of value added per kWh, over kg of lithium per kWh (NMC811)."""
    cell = 115 * 0.78
    per_kwh = 0.4 * cell * 0.233 + 0.5 * cell * 0.267
    (cathodes,) = (use for use in end_uses("lithium/hydroxide", "KOR") if use.name == "cathodes")
    assert cathodes.value_added.value == pytest.approx(1000 * per_kwh / 0.0922, rel=5e-3)


def test_gallium_loss_repeats_the_published_model() -> None:
    """USGS OFR 2024-1057: 3.1 billion USD of GDP a year over 18.7 t of use."""
    (chips,) = (use for use in end_uses("gallium/metal", "USA") if use.name == "semiconductors")
    assert chips.value_added.value * 18.7 == pytest.approx(3.1e9, rel=5e-3)
    assert chips.value_added.high * 18.7 == pytest.approx(8.2e9, rel=5e-3)
