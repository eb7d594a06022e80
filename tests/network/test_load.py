"""load_network: published shares, the laws, what is unknown, chains, published facts, and refusals."""

from __future__ import annotations

import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.network.forms import forms
from evernormal.network.load import load_network
from evernormal.network.network import Network
from evernormal.network.observations import base_years

FULL = forms().filter(pl.col("coverage") == "full")["form"].to_list()
HYDROXIDE = "lithium/hydroxide"
LITHIUM_IN_HYDROXIDE = 1 / 6.0459  # LiOH.H2O: 0.1654 Li

KITA = {2018: 64.9, 2019: 74.4, 2020: 81.2, 2021: 83.8, 2022: 87.9, 2023: 79.6}
"""China's share of Korea's lithium hydroxide imports by value, % (Korea International Trade Association)."""


def codes(network: Network) -> set[str]:
    return {finding.code for finding in network.findings}


def trade(
    rows: list[tuple[str, str, float, float | None]], year: int = 2023, code: str = "282520"
) -> pl.DataFrame:
    """Trade rows (exporter, importer, USD, tonnes gross) of one code and year."""
    return pl.DataFrame(
        {
            "year": [year] * len(rows),
            "exporter": [r[0] for r in rows],
            "importer": [r[1] for r in rows],
            "revision": ["HS1992"] * len(rows),
            "code": [code] * len(rows),
            "value_usd": [r[2] for r in rows],
            "quantity_t": [r[3] for r in rows],
            "grade": ["A"] * len(rows),
        },
        schema_overrides={"value_usd": pl.Float64, "quantity_t": pl.Float64},
    )


SMALL = [
    ("CHN", "KOR", 800.0, 80.0),
    ("CHL", "KOR", 220.0, 20.0),
    ("CHN", "JPN", 500.0, 50.0),
    ("CHL", "CHN", 90.0, 10.0),
    ("KOR", "USA", 60.0, 5.0),
]


# --- against published numbers -----------------------------------------------------------------------------


@pytest.mark.parametrize(("year", "published"), sorted(KITA.items()))
def test_chinas_share_of_hydroxide_is_that_of_kita(year: int, published: float) -> None:
    rows = load_network(HYDROXIDE, year=year).tables["base_rows"]
    share = rows.filter(pl.col("supplier") == "CHN")["value_usd"].sum() / rows["value_usd"].sum()
    assert 100 * share == pytest.approx(published, abs=2.0)


def test_flows_keep_the_supplier_shares_of_the_trade_table() -> None:
    """Only production and use are unknown, so no observed flow may move."""
    network = load_network(HYDROXIDE)
    rows = network.tables["base_rows"]
    flows = network.flow_table().filter(pl.col("importer") == "KOR")
    assert flows["flow_t"].sum() == pytest.approx(rows["contained_t"].sum(), rel=1e-6)
    for supplier in ("CHN", "CHL", "USA"):
        observed = rows.filter(pl.col("supplier") == supplier)["contained_t"].sum()
        assert flows.filter(pl.col("exporter") == supplier)["flow_t"].sum() == pytest.approx(
            observed, rel=1e-12
        )
    assert network.tables["adjustments"].filter(pl.col("reason") == "balance").is_empty()


def test_bauxite_chain_makes_the_smelter_output_of_world_mining_data() -> None:
    """Aluminium of the United Arab Emirates and Norway comes from alumina that is not in the chain."""
    from evernormal.data import production

    network = load_network("aluminium/metal", scope="chain")
    network.require_balance(1e-9)
    assert network.forms == ("aluminium/bauxite", "aluminium/metal")
    g = network.form_index("aluminium/metal")
    output = network.production[:, g] + network.activity[0] * network.conversions[0].recovery.value
    table = production(["Aluminium"], years=[2023])
    for country in ("CHN", "NOR", "ARE", "CAN"):
        published = table.filter(pl.col("country") == country)["value"].item()
        assert output[network.region(country)] == pytest.approx(published, rel=0.05)
    assert network.production[network.region("NOR"), g] > 1e6


@pytest.mark.parametrize(
    ("form", "upstream"),
    [
        ("cobalt/oxides", "cobalt/intermediates"),
        ("rare-earths/metals", "rare-earths/compounds"),
        ("tungsten/powder", "tungsten/ore"),
        ("vanadium/ferro", "vanadium/oxide"),
        (HYDROXIDE, "lithium/carbonate"),
    ],
)
def test_chains_balance_and_say_what_is_estimated(form: str, upstream: str) -> None:
    """Law 1 for chains."""
    network = load_network(form, scope="chain")
    network.require_balance(1e-9)
    assert upstream in network.forms
    assert network.forms.index(upstream) < network.forms.index(form)
    assert "activity-estimated" in codes(network)
    assert network.activity.sum() > 0


def test_a_chain_without_data_upstream_says_so() -> None:
    network = load_network("nickel/ore", scope="chain")
    assert network.forms == ("nickel/ore",)
    left = [f.values["form"] for f in network.findings if f.code == "form-left-out"]
    assert "nickel/ferronickel" in left


# --- laws --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FULL)
def test_law_1_every_covered_form_balances(form: str) -> None:
    """Law 1, and prices that are never zero or missing."""
    network = load_network(form)
    network.require_balance(1e-9)
    assert (network.price > 0).all()
    assert network.imports()[network.focal_index, 0] > 0
    assert network.use[network.focal_index, 0] > 0
    assert (network.flow > 0).all()
    assert (network.transit_days > 0).all()


@pytest.mark.parametrize("focal", ["JPN", "USA", "DEU"])
def test_another_focal_country_is_one_word(focal: str) -> None:
    network = load_network("graphite/natural", focal=focal)
    network.require_balance(1e-9)
    assert network.regions[0] == focal


flows_of_five = st.dictionaries(
    st.tuples(*[st.sampled_from(["KOR", "CHN", "CHL", "JPN", "USA"])] * 2).filter(lambda p: p[0] != p[1]),
    st.tuples(st.floats(1.0, 1e6), st.one_of(st.none(), st.floats(0.1, 1e5))),
    min_size=3,
    max_size=15,
)


def loaded(rows: list[tuple[str, str, float, float | None]], focal: str = "KOR") -> Network:
    rows = [*rows, ("CHN", focal, 1000.0, 100.0)]
    return load_network(HYDROXIDE, focal=focal, trade=trade(rows))


@settings(max_examples=25, deadline=None)
@given(flows_of_five, st.randoms(use_true_random=False))
def test_laws_1_2_7_on_any_trade_table(flows, random) -> None:  # type: ignore[no-untyped-def]
    """Laws 1, 2 and 7: it balances, an unknown quantity is never zero, row order does not matter."""
    rows = [(i, j, v, q) for (i, j), (v, q) in flows.items() if (i, j) != ("CHN", "KOR")]
    first = loaded(rows)
    first.require_balance(1e-9)
    unknown = {(i, j) for i, j, _, q in rows if q is None}
    small = first.tables["adjustments"].filter(pl.col("item") == "flow")
    kept = set(first.flow_table().select("exporter", "importer").iter_rows())
    assert unknown <= kept | set(small.select("region", "partner").iter_rows())
    random.shuffle(rows)
    again = loaded(rows)
    assert again.regions == first.regions
    for name in ("production", "use", "flow", "price", "commercial_stock"):
        assert getattr(again, name).tobytes() == getattr(first, name).tobytes()


def test_law_7_the_unit_of_production_does_not_matter() -> None:
    """Law 7: kilograms or tonnes."""
    from evernormal.data import production

    tonnes = production(["Tungsten (W)"], years=[2023])
    kilograms = tonnes.with_columns(value=pl.col("value") * 1000, unit=pl.lit("kg"))
    one = load_network("tungsten/ore", production=tonnes)
    other = load_network("tungsten/ore", production=kilograms)
    np.testing.assert_allclose(one.production, other.production, rtol=1e-9, atol=1e-9)


def test_law_7_names_of_regions_do_not_matter() -> None:
    """Law 7: Chile renamed Australia, everywhere, gives the same numbers under the other name."""
    rename = {"CHL": "AUS"}
    renamed = [(rename.get(i, i), rename.get(j, j), v, q) for i, j, v, q in SMALL]
    one, other = load_network(HYDROXIDE, trade=trade(SMALL)), load_network(HYDROXIDE, trade=trade(renamed))
    for label in one.regions:
        r, s = one.region(label), other.region(rename.get(label, label))
        assert one.production[r, 0] == pytest.approx(other.production[s, 0], rel=1e-12)
        assert one.use[r, 0] == pytest.approx(other.use[s, 0], rel=1e-12)
        assert one.price[r, 0] == pytest.approx(other.price[s, 0], rel=1e-12)


def test_law_10_every_parameter_has_a_source() -> None:
    """Law 10."""
    for parameter in load_network(HYDROXIDE, base="averaged").parameters:
        assert parameter.source
        assert parameter.low <= parameter.value <= parameter.high


# --- what the numbers mean ---------------------------------------------------------------------------------


def test_production_and_use_are_net_exports_and_net_imports_when_unknown() -> None:
    network = load_network(HYDROXIDE, trade=trade(SMALL))
    table = {row["region"]: row for row in network.table().iter_rows(named=True)}
    content = network.tables["base_rows"]["content"][0]
    assert table["CHN"]["production_t"] == pytest.approx(120 * content)
    assert table["CHL"]["production_t"] == pytest.approx(30 * content)
    assert table["KOR"]["use_t"] == pytest.approx(95 * content)
    assert table["JPN"]["use_t"] == pytest.approx(50 * content)
    assert table["CHN"]["use_t"] == 0.0
    assert "production-unknown" in codes(network)
    unknown = network.coverage.filter((pl.col("item") == "production") & (pl.col("status") == "unknown"))
    assert set(unknown["region"]) == set(network.regions)


def test_contained_tonnes_are_content_times_gross() -> None:
    network = load_network(HYDROXIDE, trade=trade(SMALL))
    rows = network.tables["base_rows"].sort("supplier")
    assert rows["content"].to_list() == pytest.approx([LITHIUM_IN_HYDROXIDE] * 2, rel=0.01)
    assert (rows["contained_t"] - rows["quantity_t"] * rows["content"]).abs().max() == 0
    assert network.gross_per_contained[HYDROXIDE] == pytest.approx(1 / rows["content"][0])


def test_unknown_quantity_is_value_over_the_median_unit_value() -> None:
    """Law 2: 300 USD at a median of 10 USD a tonne is 30 t gross, grade C, and said."""
    network = load_network(HYDROXIDE, trade=trade([*SMALL, ("AUS", "KOR", 300.0, None)]))
    row = network.tables["base_rows"].filter(pl.col("supplier") == "AUS").row(0, named=True)
    assert row["quantity_t"] is None
    assert row["contained_t"] == pytest.approx(300 / 10 * row["content"])
    assert row["grade"] == "C"
    shares = [f.values["share"] for f in network.findings if f.code == "quantity-estimated"]
    assert shares == pytest.approx([300 / 1970, 300 / 1320])


def test_quantity_far_too_large_for_its_value_is_set_aside_and_named() -> None:
    """3,702 t of rare-earth compounds to the Philippines in 2023 at a fifteenth of the usual unit value."""
    network = load_network("rare-earths/compounds")
    found = next(f for f in network.findings if f.code == "quantity-set-aside")
    assert "KOR to PHL 2023: 3,702 t" in found.message
    assert network.use[network.focal_index, 0] > 500


def test_production_that_cannot_supply_the_exports_is_set_aside_and_named() -> None:
    network = load_network("platinum/metal")
    assert any(f.code == "production-set-aside" and f.values["region"] == "RUS" for f in network.findings)
    aside = network.tables["adjustments"].filter(pl.col("reason").str.contains("set aside"))
    assert "RUS" in aside["region"].to_list()


def test_net_exporter_uses_at_least_half_of_its_imports_and_says_so() -> None:
    """Law 2: trade cannot tell re-exports from own production, so use of a net exporter is not zero."""
    network = load_network(
        HYDROXIDE, trade=trade([("CHN", "KOR", 1000.0, 100.0), ("KOR", "USA", 3000.0, 300.0)])
    )
    content = network.tables["base_rows"]["content"][0]
    assert network.use[0, 0] == pytest.approx(50 * content)
    assert network.production[0, 0] == pytest.approx(250 * content)
    assert "use-assumed" in codes(network)


def test_averaged_base_is_85_and_twice_seven_and_a_half_per_cent() -> None:
    """Equation E23, by hand."""
    three = pl.concat(
        [
            trade([("CHN", "KOR", 10.0 * q, q), ("CHL", "JPN", 500.0, 50.0)], year)
            for year, q in ((2021, 40.0), (2022, 60.0), (2023, 100.0))
        ]
    )
    network = load_network(HYDROXIDE, base="averaged", trade=three)
    content = network.tables["base_rows"]["content"][0]
    assert network.imports()[0, 0] == pytest.approx((0.85 * 100 + 0.075 * 60 + 0.075 * 40) * content)
    assert network.tables["base_rows"]["contained_t"].sum() == pytest.approx(network.imports()[0, 0])
    assert sum(base_years(2023, "averaged").values()) == pytest.approx(1.0)


def test_small_arcs_are_left_out_in_the_open_and_the_focal_ones_kept() -> None:
    rows = [*SMALL, ("CHL", "USA", 0.1, 0.01), ("USA", "KOR", 0.1, 0.01)]
    network = load_network(HYDROXIDE, trade=trade(rows), min_arc_share=1e-3)
    arcs = set(network.flow_table().select("exporter", "importer").iter_rows())
    assert ("USA", "KOR") in arcs
    assert ("CHL", "USA") not in arcs
    left = network.tables["adjustments"].row(0, named=True)
    assert (left["region"], left["partner"], left["balanced_t"]) == ("CHL", "USA", 0.0)
    assert "small-arcs-left-out" in codes(network)


def test_regions_hold_those_asked_for_and_the_suppliers() -> None:
    network = load_network("graphite/natural", keep=["TZA", "MOZ"], max_regions=8)
    assert {"KOR", "TZA", "MOZ", "CHN", "ROW"} <= set(network.regions)
    assert len(network.regions) == 8
    assert network.regions[-1] == "ROW"


def test_price_lies_between_the_regions_own_and_the_worlds() -> None:
    network = load_network(HYDROXIDE)
    world = next(p.value for p in network.parameters if p.name == f"world_price {HYDROXIDE}")
    ratio = network.price[:, 0] / world
    assert ((ratio >= 1 / 3) & (ratio <= 3)).all()
    rows = network.tables["base_rows"]
    own = rows["value_usd"].sum() / rows["contained_t"].sum()
    assert min(own, world) <= network.price[0, 0] <= max(own, world)


def test_stocks_are_days_of_use() -> None:
    """Korea's lithium: 5.8 days (National Assembly audit, October 2023); firms: 30 days assumed (E25)."""
    network = load_network(HYDROXIDE)
    daily = network.use[0, 0] / 365
    assert network.state_stock[0, 0] == pytest.approx(5.8 * daily)
    assert network.commercial_stock[0, 0] == pytest.approx(30 * daily)
    assert "commercial-stock-assumed" in codes(network)


def test_unknown_state_stock_is_loud() -> None:
    """Law 2."""
    network = load_network("niobium/ferro")
    found = next(f for f in network.findings if f.code == "state-stock-unknown")
    assert found.level == "warning"
    assert network.state_stock[0, 0] == 0.0


def test_end_use_shares_sum_to_one() -> None:
    uses = load_network(HYDROXIDE).end_uses
    assert sum(use.share.value for use in uses) == pytest.approx(1.0)


def test_loading_a_form_is_quick() -> None:
    load_network(HYDROXIDE)
    best = 9.9
    for _ in range(3):
        start = time.perf_counter()
        load_network(HYDROXIDE)
        best = min(best, time.perf_counter() - start)
    assert best < 0.3


# --- published facts ---------------------------------------------------------------------------------------


def test_gallium_comes_from_published_facts() -> None:
    """54.2 t in 53 months, 52 % of it from China (customs item of the metal alone)."""
    network = load_network("gallium/metal")
    network.require_balance(1e-9)
    rows = network.tables["base_rows"]
    gross = 54.2 / 53 * 12
    assert rows["quantity_t"].sum() == pytest.approx(gross, rel=1e-3)
    china = rows.filter(pl.col("supplier") == "CHN")["quantity_t"].sum()
    assert china / rows["quantity_t"].sum() == pytest.approx(0.5203, rel=0.02)
    assert {"share-based", "period-differs"} <= codes(network)
    assert network.production[network.region("CHN"), 0] > 500
    assert network.state_stock[0, 0] == pytest.approx(40 * network.use[0, 0] / 365)


@pytest.mark.parametrize(
    "form", ["neodymium/magnet", "graphite/synthetic", "magnesium/metal", "silicon/metal"]
)
def test_forms_without_a_code_balance(form: str) -> None:
    network = load_network(form)
    network.require_balance(1e-9)
    rows = network.tables["base_rows"]
    china = rows.filter(pl.col("supplier") == "CHN")["contained_t"].sum()
    assert china / rows["contained_t"].sum() > 0.8


def test_missing_facts_are_named_and_adding_them_helps() -> None:
    """Law 2 and law 12: Japan's gallium is known only inside a basket of goods."""
    missing = r"imports of JPN .*; import_share of JPN by partner.*evernormal data add facts FILE"
    with pytest.raises(NotCoveredError, match=missing):
        load_network("gallium/metal", focal="JPN")
    from evernormal.data import facts

    shipped = facts(form="gallium/metal")
    row = shipped.filter(pl.col("fact_id") == "imports-gallium-metal-kor-year-t-customs")
    mine = row.with_columns(
        fact_id=pl.lit("mine"), region=pl.lit("JPN"), value=pl.lit(100.0), period=pl.lit("2023")
    )
    shares = shipped.filter((pl.col("topic") == "import_share") & (pl.col("region") == "KOR")).head(1)
    theirs = shares.with_columns(
        fact_id=pl.lit("theirs"),
        region=pl.lit("JPN"),
        partner=pl.lit("CHN"),
        value=pl.lit(0.57),
        period=pl.lit("2023"),
        basis=pl.lit("quantity"),
        definition=pl.lit("Share of imports by quantity"),
    )
    network = load_network("gallium/metal", focal="JPN", facts=pl.concat([shipped, mine, theirs]))
    assert network.tables["base_rows"]["quantity_t"].sum() == pytest.approx(100.0)


# --- refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"form_name": "lithium/hydroxyde"}, UnknownNameError, "Did you mean 'lithium/hydroxide'"),
        ({"form_name": HYDROXIDE, "focal": "KRO"}, UnknownNameError, "unknown country 'KRO'"),
        ({"form_name": HYDROXIDE, "keep": ["CHI"]}, UnknownNameError, "keep: unknown country 'CHI'"),
        ({"form_name": HYDROXIDE, "year": 1990}, NotCoveredError, "1990"),
        ({"form_name": HYDROXIDE, "year": "2023"}, InputError, "year must be a whole number"),
        ({"form_name": HYDROXIDE, "base": "mean"}, InputError, "base must be 'year' or 'averaged'"),
        ({"form_name": HYDROXIDE, "scope": "world"}, InputError, "scope must be 'form' or 'chain'"),
        ({"form_name": HYDROXIDE, "max_regions": 2}, InputError, "max_regions must be at least 3"),
        ({"form_name": HYDROXIDE, "min_arc_share": 1.5}, InputError, "min_arc_share must be"),
        ({"form_name": "lithium/metal"}, NotCoveredError, "Covered forms of lithium: .*lithium/hydroxide"),
        (
            {"form_name": "nickel/ore", "year": 1998},
            NotCoveredError,
            "KOR has no recorded imports of nickel/ore",
        ),
    ],
)
def test_law_12_bad_input_is_named(arguments, error, message) -> None:  # type: ignore[no-untyped-def]
    """Law 12."""
    with pytest.raises(error, match=message):
        load_network(**arguments)


def test_a_table_without_its_columns_is_refused() -> None:
    with pytest.raises(InputError, match="lacks column quantity_t"):
        load_network(HYDROXIDE, trade=trade(SMALL).drop("quantity_t"))


def test_trade_without_any_quantity_is_refused() -> None:
    """Law 2: nothing says how many tonnes."""
    with pytest.raises(NotCoveredError, match="no quantity at all is known"):
        load_network(HYDROXIDE, trade=trade([("CHN", "KOR", 100.0, None)]))
