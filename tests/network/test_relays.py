"""Hidden relays: who ships more than it makes buys it from those with a surplus (equation E27)."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evernormal.data import facts
from evernormal.errors import NotCoveredError
from evernormal.network.load import load_network
from evernormal.network.network import Network
from evernormal.network.relays import RECOVERED, Account, implied_inflows
from evernormal.result import Parameter

GALLIUM = "gallium/metal"
NONE = Parameter("recovered_share", 0.0, 0.0, 0.0, "fraction", "C", "assumption: of the test")


def flows(*rows: tuple[str, str, float]) -> pl.DataFrame:
    schema = {"exporter": pl.String, "importer": pl.String, "contained_t": pl.Float64}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def account(*rows: tuple[str, str, float], **others: Any) -> Account:
    """The visible buyer USA, the maker CHN with 90 t and the maker RUS with 10 t; nobody else makes any."""
    known: dict[str, Any] = {
        "production": {"CHN": 90.0, "RUS": 10.0},
        "unlisted": 0.0,
        "visible": frozenset({"USA"}),
    }
    return Account("x/metal", flows(*rows), **(known | others))


def implied(found: Account, recovered: Parameter = NONE) -> dict[tuple[str, str], float]:
    table = implied_inflows(found, recovered).table
    return {(s, r): t for s, r, t in table.select("supplier", "relay", "implied_t").iter_rows()}


def codes(network: Network) -> set[str]:
    return {finding.code for finding in network.findings}


def row(shipped: pl.DataFrame, **values: Any) -> pl.DataFrame:
    """One more fact in the layout of the shipped ones."""
    blank: dict[str, Any] = dict.fromkeys(shipped.columns)
    basis = {"material": "gallium", "form": GALLIUM, "unit": "t", "basis": "Ga content", "period": "2022"}
    source = {"definition": "made up", "source": "test", "source_ref": "-", "grade": "B"}
    as_of = {"as_of": shipped["as_of"][0]}
    return pl.DataFrame([blank | basis | source | as_of | values], schema=shipped.schema)


# --- the rule by hand --------------------------------------------------------------------------------------


def test_a_relay_buys_what_it_ships_in_proportion_to_what_makers_have_left() -> None:
    """Worked by hand: CHN has 90 - 30 = 60 t left, RUS 10; the relay ships 14 t, so 12 and 2."""
    found = account(("CHN", "USA", 30.0), ("NLD", "USA", 14.0))
    assert implied(found) == pytest.approx({("CHN", "NLD"): 12.0, ("RUS", "NLD"): 2.0})


def test_scrap_and_stock_supply_their_share_first() -> None:
    found = implied_inflows(account(("CHN", "USA", 30.0), ("NLD", "USA", 14.0)), RECOVERED)
    assert found.table["implied_t"].sum() == pytest.approx(14.0 * (1 - RECOVERED.value))
    assert found.recovered == pytest.approx({"NLD": 14.0 * RECOVERED.value})
    assert found.parameters == (RECOVERED,)
    assert found.table["use_t"].null_count() == found.table.height  # law 2: nothing is known of its use


def test_unlisted_makers_make_up_to_what_the_world_total_leaves() -> None:
    """Law 2: 7 t may come from countries that nobody lists; two suppliers share them as they ship."""
    sold = (("NLD", "USA", 10.0), ("BEL", "USA", 4.0))
    found = implied_inflows(account(*sold, unlisted=7.0), NONE)
    assert found.own == pytest.approx({"NLD": 5.0, "BEL": 2.0})
    assert found.table["implied_t"].sum() == pytest.approx(7.0)
    assert implied(account(*sold, unlisted=20.0)) == {}


def test_law_2_without_a_world_total_nothing_is_implied_and_it_is_said() -> None:
    """Law 2: unknown production is not no production."""
    found = implied_inflows(account(("NLD", "USA", 14.0), unlisted=None), NONE)
    assert found.table.is_empty()
    (finding,) = found.findings
    assert finding.code == "supply-unexplained" and finding.values["regions"] == ["NLD"]


def test_a_listed_maker_is_taken_to_make_what_it_ships() -> None:
    """As tracing does: its figure is of something else (a year, a stage), it need not buy."""
    assert implied(account(("RUS", "USA", 25.0))) == {}


def test_a_maker_whose_use_is_known_buys_what_it_lacks() -> None:
    found = account(("RUS", "USA", 5.0), use={"RUS": 11.0})
    assert implied(found) == pytest.approx({("CHN", "RUS"): 6.0})


def test_a_country_whose_imports_are_published_is_no_relay_and_as_net_importer_no_source() -> None:
    sold = (("CHN", "KOR", 9.0), ("KOR", "USA", 4.0), ("NLD", "USA", 1.0))
    makes = {"CHN": 90.0, "KOR": 50.0}
    found = account(*sold, production=makes, visible=frozenset({"USA", "KOR"}))
    assert implied(found) == pytest.approx({("CHN", "NLD"): 1.0})


def test_published_total_exports_bound_what_a_maker_can_have_shipped() -> None:
    """CHN shipped 3 t more than is visible, RUS none: 14 t are lacking, 3 can be explained."""
    found = implied_inflows(account(("NLD", "USA", 14.0), onward={"CHN": 3.0, "RUS": 0.0}), NONE)
    assert found.table.select("supplier", "implied_t").rows() == [("CHN", pytest.approx(3.0))]
    assert {f.code: f.values.get("shipped_t") for f in found.findings}[
        "supply-unexplained-rest"
    ] == pytest.approx(11.0)


amounts = st.floats(0.0, 50.0, allow_subnormal=False)


@settings(max_examples=60, deadline=None)
@given(st.lists(amounts, min_size=6, max_size=6), st.floats(0.0, 30.0), st.floats(0.01, 100.0), st.randoms())
def test_laws_1_and_7_inflows_close_the_accounts_in_any_order_and_unit(sold, unlisted, scale, random) -> None:  # type: ignore[no-untyped-def]
    """Laws 1 and 7: no maker ships more than it has, no relay gets more than it lacks."""
    pairs = [("CHN", "USA"), ("RUS", "USA"), ("NLD", "USA"), ("BEL", "USA"), ("NLD", "ROW"), ("BEL", "ROW")]
    rows = [(a, b, t) for (a, b), t in zip(pairs, sold, strict=True) if t > 1e-6]
    first = account(*rows, unlisted=unlisted)
    table = implied_inflows(first, NONE).table
    for supplier, made in first.production.items():
        out = sum(t for a, _, t in rows if a == supplier)
        given_away = table.filter(pl.col("supplier") == supplier)["implied_t"].sum()
        assert given_away <= max(made - out, 0.0) * (1 + 1e-9) + 1e-12
    for relay in ("NLD", "BEL"):
        lacks = sum(t for a, _, t in rows if a == relay)
        assert table.filter(pl.col("relay") == relay)["implied_t"].sum() <= lacks * (1 + 1e-9) + 1e-12
    random.shuffle(rows)
    larger = account(
        *((a, b, t * scale) for a, b, t in rows),
        unlisted=unlisted * scale,
        production={c: t * scale for c, t in first.production.items()},
    )
    other = implied(larger)
    assert {pair: t / scale for pair, t in other.items()} == pytest.approx(
        implied(first), rel=1e-9, abs=1e-12
    )


# --- in the network ----------------------------------------------------------------------------------------


def test_law_1_gallium_of_canada_and_germany_is_implied_to_be_chinese() -> None:
    """Neither makes primary gallium (USGS; World Mining Data); the United States buy 44 % from them."""
    network = load_network(GALLIUM, "USA", 2022)
    network.require_balance(1e-9)
    table = network.tables["implied_flows"]
    assert {"CAN", "DEU", "BEL"} <= set(table["relay"]) and not {"JPN", "RUS", "USA"} & set(table["relay"])
    china = float(table.filter(pl.col("supplier") == "CHN")["implied_t"].sum())
    assert china > 0.95 * float(table["implied_t"].sum()) > 0
    seen = network.flow_table().filter((pl.col("exporter") == "CHN") & (pl.col("importer") == "CAN"))
    said = table.filter((pl.col("supplier") == "CHN") & (pl.col("relay") == "CAN"))["implied_t"].item()
    assert seen["flow_t"].item() == pytest.approx(said, rel=1e-3)
    assert "supply-implied" in codes(network)
    status = network.coverage.filter((pl.col("region") == "CAN") & (pl.col("item") == "trade"))["status"]
    assert status.to_list() == ["estimated"]
    assert "recovered_share" in {p.name for p in network.parameters}


def test_production_is_that_of_the_year_and_an_old_share_does_not_undo_a_zero() -> None:
    """World Mining Data 2022: JPN 3, KOR 2, RUS 5, UKR 0 t; an average of 2016 to 2020 has 2.2 % for UKR."""
    network = load_network(GALLIUM, "USA", 2022)
    made = dict(zip(network.regions, network.production[:, 0], strict=True))
    assert {c: made[c] for c in ("JPN", "KOR", "RUS")} == pytest.approx(
        {"JPN": 3.0, "KOR": 2.0, "RUS": 5.0}, rel=0.02
    )
    assert "UKR" not in made and made["CHN"] == pytest.approx(621.0, rel=0.01)
    assert network.production.sum() == pytest.approx(633.0, rel=0.01)  # the published world total of 2023


def test_a_total_that_only_sums_those_listed_is_no_reason_to_cut_others() -> None:
    """Germanium: BGS sums China, Russia and the United States; Belgium and Germany refine it too."""
    network = load_network("germanium/metal", "USA", 2022)
    made = dict(zip(network.regions, network.production[:, 0], strict=True))
    assert made["CHN"] == pytest.approx(200.0, rel=0.01) and made["DEU"] > 5.5
    assert network.tables["implied_flows"].is_empty()  # all who ship it are listed as makers


@pytest.mark.parametrize(("form", "year", "estonia"), [(GALLIUM, 2024, "EST"), ("indium/metal", 2024, "EST")])
def test_law_2_shares_of_a_basket_are_not_shares_of_one_metal(form: str, year: int, estonia: str) -> None:
    """811292 of 2024 has Armenia and Estonia, which ship other metals of the basket."""
    suppliers = load_network(form, "USA", year).tables["base_rows"]["supplier"].to_list()
    assert estonia not in suppliers and "CHN" in suppliers


def test_a_basket_that_stands_for_a_form_implies_nothing() -> None:
    """Law 2: 850511 holds other magnets; who ships more of them than it makes need not buy these."""
    network = load_network("neodymium/magnet", "KOR", 2023)
    assert network.tables["implied_flows"].is_empty()
    assert "supply-unexplained" in codes(network)


def test_a_hub_of_magnesium_is_no_maker() -> None:
    network = load_network("magnesium/metal", "KOR", 2023)
    network.require_balance(1e-9)
    table = network.tables["implied_flows"]
    assert "NLD" in set(table["relay"])
    assert not {"CHN", "ISR", "TUR", "USA"} & set(table["relay"])  # listed makers, or their imports are known


def test_a_published_total_of_exports_and_a_use_are_obeyed() -> None:
    """94 t left China in 2022 (Chinese customs); Japan's imports of 97 t are of JOGMEC (2021)."""
    shipped = facts(form=GALLIUM)
    mine = [
        row(shipped, fact_id="a", topic="exports", region="CHN", value=94.0),
        row(shipped, fact_id="b", topic="imports", region="JPN", value=97.0, period="2021"),
        row(
            shipped,
            fact_id="c",
            topic="import_share",
            region="JPN",
            partner="CHN",
            value=0.57,
            unit="1",
            basis="quantity",
            period="2021",
        ),
    ]
    with pytest.raises(NotCoveredError, match="imports of JPN"):
        load_network(GALLIUM, "JPN", 2022)
    network = load_network(GALLIUM, "JPN", 2022, facts=pl.concat([shipped, *mine]))
    network.require_balance(1e-9)
    china = network.exports()[network.region("CHN"), 0]
    assert china == pytest.approx(94.0, rel=0.05)
    assert network.imports()[network.region("JPN"), 0] == pytest.approx(97.0, rel=0.06)


def test_law_7_row_order_of_facts_changes_nothing() -> None:
    shipped = facts(form=GALLIUM)
    one = load_network(GALLIUM, "USA", 2022, facts=shipped)
    other = load_network(GALLIUM, "USA", 2022, facts=shipped.reverse())
    assert one.flow_table().equals(other.flow_table()) and one.table().equals(other.table())


def test_law_2_a_supplier_of_visible_trade_that_no_statistic_lists_is_named() -> None:
    """Montenegro ships copper ore to Korea, buys none and is not among the producers of World Mining Data."""
    network = load_network("copper/ore", "KOR", 2023)
    (finding,) = [f for f in network.findings if f.code == "supplier-not-listed"]
    assert finding.values["regions"][0] == "MNE" and 0.05 < finding.values["share"] < 0.15
    quiet = load_network("aluminium/metal", "KOR", 2023)
    assert "supplier-not-listed" not in codes(quiet)
