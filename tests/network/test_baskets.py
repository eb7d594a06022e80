"""split_basket: published figures inside the intervals, totals, information, national codes, the laws."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.network import basket, split_basket
from evernormal.network.basket_bounds import part_bounds, part_possible
from evernormal.network.basket_limits import Flow, Part, Row, Splits
from evernormal.network.basket_prices import price_bands
from evernormal.network.basket_tables import basket_table, baskets_of, members_of_national_code
from evernormal.result import Result

BACI = Path(__file__).parents[2].parent / "shared" / "data" / "trade" / "baci_hs17_2024_30codes.parquet"
THREE = ("cheap", "middling", "dear")
PRICES = pl.DataFrame(
    {"member": THREE, "low_usd_t": [1.0, 8.0, 80.0], "high_usd_t": [2.0, 16.0, 160.0]},
    schema_overrides={"high_usd_t": pl.Float64},
)


def trade(
    rows: list[tuple[str, float, float | None]], importer: str = "KOR", year: int = 2023
) -> pl.DataFrame:
    """Trade rows of a made-up code: exporter, USD, tonnes gross."""
    return pl.DataFrame(
        {
            "year": [year] * len(rows),
            "exporter": [r[0] for r in rows],
            "importer": [importer] * len(rows),
            "code": ["999999"] * len(rows),
            "value_usd": [r[1] for r in rows],
            "quantity_t": [r[2] for r in rows],
        },
        schema_overrides={"value_usd": pl.Float64, "quantity_t": pl.Float64},
    )


def made_up(flows: pl.DataFrame, **more: Any) -> Result:
    """Split the made-up code of three members, without published facts."""
    settled: dict[str, Any] = {"use": ("prices",), "prices": PRICES, "members": THREE}
    return split_basket("999999", flows=flows, revision="HS2017", **(settled | more))


def codes(result: Result) -> set[str]:
    return {finding.code for finding in result.findings}


def row_of(result: Result, member: str, table: str = "totals", **key: Any) -> dict[str, Any]:
    rows = result[table].filter(pl.col("member") == member, *(pl.col(k) == v for k, v in key.items()))
    assert rows.height == 1
    return rows.row(0, named=True)


def ends(result: Result, side: str = "quantity") -> list[tuple[float, float]]:
    unit = "t" if side == "quantity" else "usd"
    return result["totals"].sort("member").select(f"{side}_low_{unit}", f"{side}_high_{unit}").rows()


# --- against published figures -----------------------------------------------------------------------------

USGS_2024 = {
    "gallium": 11.0,
    "germanium": 21.0,
    "hafnium": 64.0,
    "indium": 220.0,
    "rhenium": 12.6,
    "vanadium": 9.0,
}
"""Imports of the United States in 2024, t: USGS Mineral Commodity Summaries 2026, salient statistics."""

USGS_YTTRIUM = {2021: 560.0, 2022: 818.0, 2023: 323.0, 2024: 457.0}
USGS_SCANDIUM = {2021: 1.0, 2022: 6.0, 2023: 6.0, 2024: 7.0}
"""Imports of the United States, t of oxide equivalent: the same, estimated from shipping records."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Figures of 8112.92 in 2024 as a user would add them: in the columns and country codes of BACI."""
    from evernormal import data
    from evernormal.data.geography import codes_of

    if not BACI.is_file():
        pytest.skip("publisher files are not beside the repository")
    folder = tmp_path_factory.mktemp("basket")
    rows = pl.read_parquet(BACI).filter(pl.col("hs6") == "811292")
    places = {name for column in ("exporter", "importer") for name in rows[column].to_list()}
    number = {name: codes_of({"S19": "TWN"}.get(name, name), "baci")[-1] for name in places}
    table = rows.select(
        t="year",
        i=pl.col("exporter").replace_strict(number),
        j=pl.col("importer").replace_strict(number),
        k="hs6",
        v=pl.col("value_kusd"),
        q=pl.col("qty_t").cast(pl.String).fill_null("NA"),
    )
    file = folder / "BACI_HS17_Y2024_V202601.csv"
    table.write_csv(file)
    data.add("baci", file, folder, name="baci-hs2017", revision="HS2017", as_of="2026-01-31")
    return folder


def test_us_imports_of_each_metal_in_8112_92_lie_inside_their_intervals(store: Path) -> None:
    result = split_basket("811292", "USA", 2024, dataset="baci-hs2017", folder=store)
    for metal, tonnes in USGS_2024.items():
        row = row_of(result, f"{metal}/metal")
        assert row["quantity_low_t"] <= tonnes <= row["quantity_high_t"], metal
    assert row_of(result, "hafnium/metal")["quantity_share_high"] < 0.65  # dear: it cannot be all of it


def test_korean_suppliers_of_gallium_as_published_bound_the_others(store: Path) -> None:
    """KOMIR: China supplies 98 % of Korea's gallium and 93 % of its indium by value in 2024."""
    tied = split_basket("811292", "KOR", 2024, dataset="baci-hs2017", folder=store)
    free = split_basket("811292", "KOR", 2024, dataset="baci-hs2017", folder=store, use=("prices",))
    japan = {
        name: row_of(r, "gallium/metal", "flows", exporter="JPN")
        for name, r in (("tied", tied), ("free", free))
    }
    china = row_of(tied, "gallium/metal", "flows", exporter="CHN")
    assert japan["tied"]["value_high_usd"] <= 0.03 / 0.97 * china["value_high_usd"] * (1 + 1e-9)
    assert japan["tied"]["value_high_usd"] < 0.8 * japan["free"]["value_high_usd"]
    assert tied["totals"]["value_usd"].sum() == pytest.approx(free["rows"]["value_usd"].sum(), rel=1e-9)


@pytest.mark.parametrize("year", USGS_YTTRIUM)
def test_us_imports_of_yttrium_and_scandium_lie_inside_their_intervals(year: int) -> None:
    """Oxide equivalent of compounds: between the carbonate's content and the oxide itself, plus the metal."""
    oxides, metals = (split_basket(code, "USA", year) for code in ("284690", "280530"))
    for name, tonnes, element in (("yttrium", USGS_YTTRIUM, 0.7874), ("scandium", USGS_SCANDIUM, 0.6520)):
        oxide, metal = row_of(oxides, f"{name}/oxide"), row_of(metals, f"{name}/metal")
        low = (oxide["contained_low_t"] + metal["contained_low_t"]) / element
        high = (oxide["contained_high_t"] + metal["contained_high_t"]) / element
        assert low <= tonnes[year] <= high, name


def test_korean_rare_earths_of_six_years_keep_their_totals_and_bound_what_is_dear() -> None:
    """Law 1: members sum to the trade of the year, by quantity and by value, to 1e-9."""
    for code in ("284690", "280530"):
        result = split_basket(code, "KOR", range(2018, 2024), as_of=None)
        sums = result["totals"].group_by("year").agg(pl.col("quantity_t").sum(), pl.col("value_usd").sum())
        whole = result["rows"].group_by("year").agg(pl.col("quantity_t").sum(), pl.col("value_usd").sum())
        both = sums.join(whole, on="year", suffix="_told")
        assert both.height == 6
        for name in ("quantity_t", "value_usd"):
            gap = (both[name] / both[f"{name}_told"] - 1).abs().max()
            assert gap is not None and float(gap) < 1e-9  # type: ignore[arg-type]
        inside = result["flows"].filter(pl.col("quantity_t").is_not_null())
        assert inside.select(
            (
                pl.col("quantity_t").is_between("quantity_low_t", "quantity_high_t")
                & pl.col("value_usd").is_between("value_low_usd", "value_high_usd")
            ).all()
        ).item()
    terbium = split_basket("284690", "KOR", 2023)
    assert row_of(terbium, "terbium/oxide")["quantity_share_high"] < 0.1


# --- the interval ------------------------------------------------------------------------------------------


def test_interval_of_two_members_by_hand() -> None:
    """10 t worth 40: at most 2 a tonne of the cheap and at least 10 of the dear, or 1 and 20."""
    prices = pl.DataFrame({"member": ["a", "b"], "low_usd_t": [1.0, 10.0], "high_usd_t": [2.0, 20.0]})
    result = made_up(trade([("CHN", 40.0, 10.0)]), members=("a", "b"), prices=prices)
    assert ends(result) == [
        pytest.approx((20 / 3, 160 / 18)),  # 2 a + 20 b = 40 and 1 a + 10 b = 40 with a + b = 10
        pytest.approx((20 / 18, 10 / 3)),
    ]


@st.composite
def bands(draw: st.DrawFn) -> tuple[Any, Any, float, float]:
    """Bands of two to five members, some unknown, and a quantity and value."""
    count = draw(st.integers(2, 5))
    middle = np.array([10 ** draw(st.floats(0, 3)) for _ in range(count)])
    low = middle * np.array([draw(st.floats(0.1, 0.9)) for _ in range(count)])
    high = middle * np.array([draw(st.floats(1.1, 8)) for _ in range(count)])
    low[[draw(st.integers(0, 3)) == 0 for _ in range(count)]] = 0.0
    high[[draw(st.integers(0, 3)) == 0 for _ in range(count)]] = np.inf
    return low, high, 10 ** draw(st.floats(-2, 3)), 10 ** draw(st.floats(0, 3.5))


@settings(max_examples=25, deadline=None)
@given(bands())
def test_closed_form_and_linear_program_agree(case: tuple[Any, Any, float, float]) -> None:
    low, high, quantity, unit = case
    value, count = quantity * unit, len(low)
    flow = Flow(quantity, value, (Part(tuple(range(count)), quantity, value),))
    rows = []
    for member in range(count):
        if low[member] > 0:
            terms = {(0, 0, member, "value"): 1.0, (0, 0, member, "quantity"): -low[member]}
            rows.append(Row("prices", "", terms, 0.0, math.inf))  # type: ignore[arg-type]
        if np.isfinite(high[member]):
            terms = {(0, 0, member, "value"): 1.0, (0, 0, member, "quantity"): -high[member]}
            rows.append(Row("prices", "", terms, -math.inf, 0.0))  # type: ignore[arg-type]
    splits = Splits([flow], count, rows, [0])
    assert splits.feasible() == part_possible(quantity, value, low, high)
    if splits.feasible():
        for side, found in zip(("quantity", "value"), part_bounds(quantity, value, low, high), strict=True):
            for member in range(count):
                program = splits.extremes(member, side, alone=True)[0]  # type: ignore[arg-type]
                assert program == pytest.approx(tuple(found[member]), abs=1e-7)


def truth(seed: int, exporters: int = 3) -> tuple[pl.DataFrame, dict[tuple[str, str], tuple[float, float]]]:
    """A true split that obeys the prices: the trade rows, and (exporter, member) to tonnes and dollars."""
    random = np.random.default_rng(seed)
    parts: dict[tuple[str, str], tuple[float, float]] = {}
    rows: list[tuple[str, float, float | None]] = []
    for exporter in ("CHN", "JPN", "USA", "DEU")[:exporters]:
        tonnes = random.dirichlet([0.5, 0.5, 0.5]) * 10 ** random.uniform(0, 3)
        units = [random.uniform(*band) for band in PRICES.select("low_usd_t", "high_usd_t").rows()]
        for name, t, unit in zip(THREE, tonnes, units, strict=True):
            parts[exporter, name] = (float(t), float(t * unit))
        rows.append((exporter, float(tonnes @ np.array(units)), float(tonnes.sum())))
    return trade(rows), parts


def subcodes(parts: dict[tuple[str, str], tuple[float, float]], names: tuple[str, ...]) -> pl.DataFrame:
    """National figures that tell some members apart."""
    told = [(e, f"9999990{THREE.index(m)}", m, v, t) for (e, m), (t, v) in parts.items() if m in names]
    columns = ["exporter", "code", "members", "value_usd", "quantity_t"]
    table = pl.DataFrame(told, schema=columns, orient="row")
    return table.with_columns(year=pl.lit(2023), importer=pl.lit("KOR"))


@settings(max_examples=10, deadline=None)
@given(
    st.integers(0, 10_000), st.permutations(["dear price", "other prices", "narrow", "code", "second code"])
)
def test_more_information_never_widens_an_interval_and_never_loses_the_truth(
    seed: int, order: list[str]
) -> None:
    """Law 9 in the sense of knowledge: each further true thing leaves every interval as wide or narrower."""
    flows, parts = truth(seed)
    whole = {m: [math.fsum(parts[e, m][side] for e in flows["exporter"]) for side in (0, 1)] for m in THREE}
    known: set[str] = set()
    before: list[list[tuple[float, float]]] = [[(0.0, math.inf)] * 3] * 2
    for step in ["nothing", *order]:
        known.add(step)
        result = made_up(flows, prices=_prices(known), subcodes=_told(known, parts))
        now = [ends(result), ends(result, "value")]
        for side, (old, new) in enumerate(zip(before, now, strict=True)):
            for member, (a, b) in zip(sorted(THREE), zip(old, new, strict=True), strict=True):
                size = whole[member][side]
                room = 1e-8 * sum(whole[m][side] for m in THREE)
                assert b[0] >= a[0] - room and b[1] <= a[1] + room, (step, member)
                assert b[0] - room <= size <= b[1] + room, (step, member)
        before = now


def _prices(known: set[str]) -> pl.DataFrame:
    wide = pl.DataFrame({"member": THREE, "low_usd_t": [0.0] * 3, "high_usd_t": [None] * 3})
    wide = wide.with_columns(pl.col("high_usd_t").cast(pl.Float64))
    chosen = [
        m for m in THREE if ("dear price" if m == "dear" else "other prices") in known or "narrow" in known
    ]
    factor = (1.0, 1.0) if "narrow" in known else (0.5, 2.0)
    told = PRICES.filter(pl.col("member").is_in(chosen)).with_columns(
        pl.col("low_usd_t") * factor[0], pl.col("high_usd_t") * factor[1]
    )
    return pl.concat([told, wide.filter(~pl.col("member").is_in(chosen))])


def _told(known: set[str], parts: dict[tuple[str, str], tuple[float, float]]) -> pl.DataFrame | None:
    names = tuple(m for m, step in (("cheap", "code"), ("middling", "second code")) if step in known)
    return subcodes(parts, names) if names else None


def test_national_codes_that_cover_everything_leave_no_width() -> None:
    flows, parts = truth(5)
    result = made_up(flows, subcodes=subcodes(parts, THREE), prices=None)
    for exporter, member in parts:
        row = row_of(result, member, "flows", exporter=exporter)
        tonnes, dollars = parts[exporter, member]
        assert row["quantity_low_t"] == pytest.approx(tonnes, rel=1e-9)
        assert row["quantity_high_t"] - row["quantity_low_t"] <= 1e-9 * tonnes
        assert row["value_usd"] == pytest.approx(dollars, rel=1e-9)
        assert row["value_high_usd"] - row["value_low_usd"] <= 1e-9 * dollars


def test_a_code_of_its_own_takes_a_member_out_of_the_rest() -> None:
    result = made_up(
        trade([("CHN", 100.0, 10.0)]),
        prices=None,
        subcodes=subcodes({("CHN", "dear"): (1.0, 90.0)}, ("dear",)),
    )
    assert row_of(result, "dear")["quantity_high_t"] == pytest.approx(1.0)
    assert row_of(result, "cheap")["quantity_high_t"] == pytest.approx(9.0)
    assert row_of(result, "cheap")["value_high_usd"] == pytest.approx(10.0)


def test_a_national_code_of_several_members_bounds_them_together() -> None:
    """CN 2846 90 50 holds praseodymium, neodymium and samarium; 2846 90 40 lanthanum alone."""
    flows = trade([("CHN", 900.0, 100.0)]).with_columns(code=pl.lit("284690"))
    told = pl.DataFrame(
        {
            "year": [2023, 2023],
            "exporter": ["CHN", "CHN"],
            "importer": ["KOR", "KOR"],
            "code": ["2846 90 50", "2846 90 40"],
            "system": ["CN", "CN"],
            "value_usd": [600.0, 100.0],
            "quantity_t": [30.0, 60.0],
        }
    )
    result = split_basket("284690", flows=flows, revision="HS2022", subcodes=told, use=())
    assert row_of(result, "neodymium/oxide")["quantity_high_t"] == pytest.approx(30.0)
    lanthanum = row_of(result, "lanthanum/oxide")
    assert (lanthanum["quantity_low_t"], lanthanum["quantity_high_t"]) == pytest.approx((60.0, 60.0))
    assert row_of(result, "terbium/oxide")["quantity_high_t"] == pytest.approx(10.0)


def test_national_codes_that_sum_to_more_are_scaled_and_told() -> None:
    parts = {
        ("CHN", m): (t, v)
        for m, t, v in (("cheap", 8.0, 16.0), ("middling", 2.0, 24.0), ("dear", 1.0, 100.0))
    }
    result = made_up(trade([("CHN", 70.0, 10.0)]), subcodes=subcodes(parts, THREE))
    assert "basket-national-codes-scaled" in codes(result)
    assert row_of(result, "cheap")["quantity_t"] == pytest.approx(80 / 11)
    assert result["totals"]["value_usd"].sum() == pytest.approx(70.0, rel=1e-9)


def test_a_published_share_ties_flows_and_the_sum_is_one_joint_program(tmp_path: Path) -> None:
    """China supplies 90 % of the gallium, Japan the rest: the sum of the ends would be wider."""
    from evernormal import data

    head = "fact_id,topic,material,form,region,partner,value,low,high,unit,basis,period,definition,source,"
    file = tmp_path / "our-shares.csv"
    file.write_text(
        head
        + "source_ref,as_of,grade\nkor-ga,import_share,gallium,gallium/metal,KOR,CHN,0.9,0.9,0.9,1,quantity,"
        "2023,Share of imports,our desk,note 1,2024-01-31,C\n"
    )
    data.add("facts", file, tmp_path / "store")
    flows = trade([("CHN", 100.0, 30.0), ("JPN", 100.0, 10.0)]).with_columns(code=pl.lit("811292"))
    free = split_basket("811292", flows=flows, revision="HS2022", use=())
    tied = split_basket(
        "811292", flows=flows, revision="HS2022", use=("published-shares",),
        facts="facts-our-shares", folder=tmp_path / "store",
    )  # fmt: skip
    assert row_of(free, "gallium/metal")["quantity_high_t"] == pytest.approx(40.0)
    row = row_of(tied, "gallium/metal")
    assert row["quantity_high_t"] == pytest.approx(30 / 0.9)  # China's whole 30 t are 90 %
    assert row_of(tied, "gallium/metal", "flows", exporter="JPN")["quantity_high_t"] == pytest.approx(30 / 9)
    low = row_of(tied, "indium/metal")
    assert low["quantity_high_t"] == pytest.approx(40.0)  # nothing is said of indium


def test_ore_that_leaves_unseparated_has_the_composition_of_its_ore() -> None:
    flows = trade([("MMR", 800.0, 100.0), ("CHN", 800.0, 100.0)], importer="CHN").with_columns(
        code=pl.lit("284690")
    )
    result = split_basket("284690", flows=flows, revision="HS2017", use=("composition",))
    assert row_of(result, "yttrium/oxide", "flows", exporter="MMR")["quantity_high_t"] == pytest.approx(64.83)
    assert row_of(result, "yttrium/oxide", "flows", exporter="CHN")["quantity_high_t"] == pytest.approx(100.0)


def test_magnets_hold_more_elements_than_the_one_that_names_them() -> None:
    flows = trade([("CHN", 4e6, 100.0)]).with_columns(code=pl.lit("850511"))
    told = pl.DataFrame(
        {
            "year": [2023], "exporter": ["CHN"], "importer": ["KOR"], "code": ["8505119000"],
            "members": ["neodymium/magnet"], "value_usd": [4e6], "quantity_t": [100.0],
        }
    )  # fmt: skip
    result = split_basket("850511", flows=flows, revision="HS2022", subcodes=told)
    held = {
        r["element"]: (r["contained_low_t"], r["contained_high_t"]) for r in result["elements"].to_dicts()
    }
    assert held["Dy"] == pytest.approx((0.0, 9.0)) and held["Nd"] == pytest.approx((18.0, 33.0))
    assert held["Sm"] == pytest.approx((0.0, 0.0))


def test_production_bounds_an_exporter_only_when_asked() -> None:
    flows = trade([("CHN", 1e9, 2000.0)], year=2022).with_columns(code=pl.lit("811292"))
    free = split_basket("811292", flows=flows, revision="HS2017", use=("production",))
    bound = split_basket("811292", flows=flows, revision="HS2017", use=("production",), production_limit=1.0)
    assert row_of(free, "gallium/metal")["quantity_high_t"] == pytest.approx(2000.0)
    made = 606.0  # World Mining Data: China 2022, t; goods hold at least 97 %
    assert row_of(bound, "gallium/metal")["quantity_high_t"] == pytest.approx(made / 0.97)


# --- what cannot be known ----------------------------------------------------------------------------------


def test_a_unit_value_beyond_every_price_is_told_and_bounds_nothing() -> None:
    """A dear speciality is not proof of the dearest member: the interval is the whole, with a finding."""
    result = made_up(trade([("CHN", 60.0, 10.0), ("JPN", 50_000.0, 10.0)]))
    clash = [f for f in result.findings if f.code == "basket-sources-clash"]
    assert [f.values["flows"] for f in clash] == [["JPN to KOR 2023"]]
    row = row_of(result, "cheap", "flows", exporter="JPN")
    assert (row["quantity_low_t"], row["quantity_high_t"]) == (0.0, 10.0)
    assert row_of(result, "dear", "flows", exporter="CHN")["quantity_high_t"] < 1.0
    assert result["information"].filter(~pl.col("used"))["flow"].to_list() == ["JPN to KOR 2023"]


def test_an_unknown_quantity_stays_unknown() -> None:
    """Law 2: no tonnes are made up, and no unit value bounds the value."""
    result = made_up(trade([("CHN", 60.0, None), ("JPN", 60.0, 10.0)]))
    row = row_of(result, "dear", "flows", exporter="CHN")
    assert row["quantity_t"] is None and row["quantity_high_t"] is None
    assert (row["value_low_usd"], row["value_high_usd"]) == (0.0, 60.0)
    assert row_of(result, "dear")["quantity_high_t"] < 1.0  # of the flow whose tonnes are known
    assert "basket-quantity-unknown" in codes(result)
    assert result.coverage["status"].to_list() == ["unknown", "observed"]


def test_an_unknown_price_widens_and_is_told() -> None:
    """Law 2: a member without price is bounded from no side; the dear one still from above."""
    result = split_basket("284690", "KOR", 2019)
    finding = next(f for f in result.findings if f.code == "basket-price-unknown")
    assert "yttrium/oxide" in finding.values["members"] and "terbium/oxide" not in finding.values["members"]
    assert row_of(result, "yttrium/oxide")["quantity_share_high"] == 1.0
    assert row_of(result, "terbium/oxide")["quantity_share_high"] < 0.3


def test_a_price_that_was_not_known_yet_is_not_used() -> None:
    """Law 11: on a day of 2023 the prices of 2022 had not been published in this edition."""
    known = basket("284690", "HS1992")
    assert price_bands(known, 2022, date(2026, 3, 1)) and not price_bands(known, 2022, date(2023, 6, 30))
    assert price_bands(known, 2019, date(2023, 6, 30))
    with pytest.raises(NotCoveredError):
        split_basket("284690", "KOR", 2023, as_of="2020-01-01")


# --- laws --------------------------------------------------------------------------------------------------


def test_order_unit_and_names_do_not_matter() -> None:
    """Law 7: shuffle rows, count in kilograms, rename exporters: the same shares."""
    flows, _ = truth(11, exporters=4)
    base = made_up(flows)["totals"]
    shuffled = made_up(flows.sample(fraction=1.0, shuffle=True, seed=3))["totals"]
    assert shuffled.equals(base)
    assert made_up(flows.with_columns(our_score=pl.lit(0.5)))["totals"].equals(base)
    renamed = flows.with_columns(pl.col("exporter").replace({"CHN": "ZAF", "DEU": "AUS"}))
    kilograms = flows.with_columns(pl.col("quantity_t") * 1000)
    per_kilogram = PRICES.with_columns(pl.col("low_usd_t", "high_usd_t") / 1000)
    other = made_up(kilograms, prices=per_kilogram)["totals"]
    for table in (made_up(renamed)["totals"], other):
        for name in ("quantity_share_low", "quantity_share_high", "value_share_low", "value_share_high"):
            assert table[name].to_list() == pytest.approx(base[name].to_list(), abs=1e-9)


def test_the_same_question_gives_the_same_bytes(tmp_path: Path) -> None:
    """Law 6: saved twice, equal file by file."""
    for name in ("a", "b"):
        split_basket("280530", "KOR", 2023).save(tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_every_row_of_the_tables_has_a_source_and_an_assumption_says_so() -> None:
    """Law 10."""
    for name in ("basket_members", "basket_prices", "basket_bands", "basket_content", "rare_earth_mix"):
        table = basket_table(name)
        assert (table["source"] != "").all()
        if "grade" in table.columns:
            assert table.filter(pl.col("grade") == "C")["source"].str.starts_with("assumption").all()


# --- codes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("revision", "code", "elements"),
    [
        ("HS1992", "811291", "Ga Hf In Nb Re Tl"),
        ("HS2002", "811292", "Ga Hf In Nb Re"),
        ("HS2012", "811292", "Ga Ge Hf In Nb Re V"),
        ("HS2017", "811292", "Ga Ge Hf In Nb Re V"),
        ("HS2022", "811292", "Ga Ge In Nb V"),
        ("HS2022", "284610", "Ce"),
    ],
)
def test_what_a_code_holds_depends_on_its_revision(revision: str, code: str, elements: str) -> None:
    assert " ".join(sorted(m.element for m in basket(code, revision).members)) == elements


def test_sixteen_rare_earths_and_not_promethium_are_in_the_baskets() -> None:
    """Promethium is radioactive: heading 2844."""
    for code in ("284690", "280530"):
        found = {m.element for m in basket(code, "HS2012").members}
        assert len(found) == 16 and "Pm" not in found


def test_a_code_of_the_catalogue_holds_the_forms_that_share_it() -> None:
    found = basket("253090", "HS2017")
    assert found.names == ("lithium/ore", "rare-earths/ore", "strontium/ore", "other goods")
    assert not found.closed
    assert basket("380110", "HS2017").names == ("graphite/synthetic", "graphite/anode")
    assert [b.code for b in baskets_of("gallium", "HS2022")] == ["381800", "811292"]
    with pytest.raises(NotCoveredError, match="811291"):
        basket("811291", "HS2017")


@pytest.mark.parametrize(
    ("system", "code", "year", "members"),
    [
        ("CN", "28469050", 2023, ("praseodymium/oxide", "neodymium/oxide", "samarium/oxide")),
        ("HTS", "8112.92.10.00", 2023, ("gallium/metal",)),
        ("HTS", "8112922000", 2019, ("hafnium/metal",)),
        ("HTS", "8112922000", 2023, ()),
        ("JPN", "811292990", 2019, ("gallium/metal", "hafnium/metal", "niobium/metal", "rhenium/metal")),
        ("CHN", "8112923010", 2024, ("indium/metal",)),
        ("HSK", "8112923000", 2023, ("gallium/metal",)),
    ],
)
def test_national_codes_name_their_members(
    system: str, code: str, year: int, members: tuple[str, ...]
) -> None:
    assert members_of_national_code(system, code, year) == members


def test_bad_input_is_named() -> None:
    flows = trade([("CHN", 60.0, 10.0)])
    with pytest.raises(InputError, match="six digits"):
        split_basket("2846", "KOR", 2023)
    with pytest.raises(UnknownNameError, match="prices"):
        made_up(flows, use=("price",))
    with pytest.raises(InputError, match="no column value_usd"):
        made_up(flows.drop("value_usd"))
    with pytest.raises(InputError, match="below zero"):
        made_up(trade([("CHN", -1.0, 10.0)]))
    with pytest.raises(UnknownNameError, match="member of the code 'deer'"):
        made_up(flows, prices=PRICES.with_columns(pl.col("member").replace("dear", "deer")))
    with pytest.raises(InputError, match="no band"):
        made_up(flows, prices=PRICES.with_columns(high_usd_t=pl.lit(0.5)))
    with pytest.raises(InputError, match="no national code below 999999"):
        bad = subcodes({("CHN", "dear"): (1.0, 90.0)}, ("dear",)).with_columns(code=pl.lit("11111111"))
        made_up(flows, subcodes=bad)
    with pytest.raises(NotCoveredError):
        split_basket("811292", "KOR", 2023)
    with pytest.raises(InputError, match="revision"):
        split_basket("284690", flows=flows.with_columns(code=pl.lit("284690")))
