"""Networks on the user's own data: joined facts, trade of another revision, vintages, days, tampering."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from evernormal import data
from evernormal.errors import (
    InputError,
    NotCoveredError,
    SnapshotError,
    SourceFormatError,
    UnknownNameError,
)
from evernormal.network.load import load_network
from evernormal.network.network import Network
from evernormal.network.question import network_of
from evernormal.network.scenario import load_scenario
from evernormal.network.suppliers import suppliers
from evernormal.network.userdata import OWN_MARK, join_facts, network_with

GALLIUM = "gallium/metal"


def fact(fact_id: str, topic: str, region: str, value: float, **others: Any) -> dict[str, Any]:
    """A row of facts about gallium in 2022."""
    row = {
        "fact_id": fact_id,
        "topic": topic,
        "material": "gallium",
        "form": GALLIUM,
        "region": region,
        "partner": None,
        "value": value,
        "low": None,
        "high": None,
        "unit": "1" if "share" in topic else "t",
        "basis": "quantity" if "share" in topic else "gross",
        "period": "2022",
        "definition": "as counted by the desk",
        "source": "desk of the ministry",
        "source_ref": "note 7",
        "as_of": "2023-03-01",
        "grade": "C",
    }
    return row | others


JAPAN = [
    fact("jpn-imports", "imports", "JPN", 90.0),
    fact("jpn-chn", "import_share", "JPN", 0.6, partner="CHN"),
    fact("jpn-twn", "import_share", "JPN", 0.2, partner="TWN"),
]


def store(folder: Path, rows: list[dict[str, Any]], name: str = "ours", **options: Any) -> Path:
    """Add facts to a store and return its folder."""
    folder.mkdir(exist_ok=True)
    file = folder / "facts.csv"
    pl.DataFrame(rows, infer_schema_length=None).write_csv(file)
    data.add("facts", file, folder / "store", name=name, **options)
    return folder / "store"


def note(network: Network, code: str) -> dict[str, Any]:
    """The values of the one finding with this code."""
    (found,) = [finding for finding in network.findings if finding.code == code]
    return dict(found.values)


# --- facts --------------------------------------------------------------------------------------------------


def test_what_is_refused_for_want_of_facts_is_answered_when_they_are_brought(tmp_path: Path) -> None:
    with pytest.raises(NotCoveredError, match=r"imports of JPN .*data add facts FILE, then add --facts NAME"):
        network_with(GALLIUM, "JPN", 2022)
    folder = store(tmp_path, JAPAN)
    network = network_with(GALLIUM, "JPN", 2022, facts="ours", folder=folder)
    network.require_balance(1e-9)
    rows = network.tables["base_rows"]
    shares = {row["supplier"]: row["contained_t"] for row in rows.iter_rows(named=True)}
    total = sum(shares.values())
    assert {name: round(amount / total, 9) for name, amount in shares.items()} == {
        "CHN": 0.6,
        "TWN": 0.2,
        "ROW": 0.2,
    }
    assert rows["source"].str.contains(OWN_MARK, literal=True).all()
    assert set(rows["grade"]) == {"C"}
    assert note(network, "own-facts")["added"] == 3
    assert note(network, "own-facts")["replaced"] == 0


def test_lineage_names_the_vintage_and_the_shipped_facts_by_hash(tmp_path: Path) -> None:
    folder = store(tmp_path, JAPAN)
    network = network_with(GALLIUM, "JPN", 2022, facts="ours", folder=folder)
    (vintage,) = data.vintages(folder)
    used = {one.name: one for one in network.inputs}
    assert used[f"ours/{vintage.vintage}"].sha256 == vintage.sha256
    assert used["facts"] == data.inputs("facts")[0]
    assert not any(name.endswith("given") for name in used)


def test_a_row_about_the_same_thing_replaces_the_shipped_row_only(tmp_path: Path) -> None:
    """Stock of firms beside stock of the state, dollars beside tonnes: other things, so they stay."""
    ours = [
        fact("s", "stock_days", "KOR", 90.0, unit="day", basis="state", period="2023-07"),
        fact("f", "stock_days", "KOR", 20.0, unit="day", basis="firms", period="2023-07"),
    ]
    folder = store(tmp_path, ours)
    shipped = load_network(GALLIUM, "KOR", 2023)
    changed = network_with(GALLIUM, "KOR", 2023, facts="ours", folder=folder)
    assert note(changed, "own-facts")["replaced"] == 1
    assert note(changed, "own-facts")["added"] == 1
    at, g = changed.focal_index, 0
    assert changed.state_stock[at, g] == pytest.approx(shipped.state_stock[at, g] * 90 / 40)
    assert changed.commercial_stock[at, g] == pytest.approx(changed.use[at, g] * 20 / 365)


def test_one_share_changed_leaves_the_other_suppliers(tmp_path: Path) -> None:
    shipped = data.facts("import_share", form=GALLIUM, region="KOR")
    base = load_network(GALLIUM, "KOR", 2022).tables["base_rows"]
    china = shipped.filter(
        (pl.col("partner") == "CHN") & pl.col("fact_id").is_in(_share_ids(base)),
    ).row(0, named=True)
    row = {**china, "fact_id": "ours-chn", "value": round(china["value"] / 2, 6), "low": None, "high": None}
    folder = store(tmp_path, [row | {"source": "desk"}])
    rows = network_with(GALLIUM, "KOR", 2022, facts="ours", folder=folder).tables["base_rows"]
    before, after = (dict(table.select("supplier", "contained_t").iter_rows()) for table in (base, rows))
    assert after["CHN"] == pytest.approx(before["CHN"] / 2, rel=0.05)
    assert set(before) <= set(after)


def _share_ids(base_rows: pl.DataFrame) -> list[str]:
    return [part for ref in base_rows["source_ref"] for part in ref.split("; ")]


@pytest.mark.parametrize("china", [1.0, 0.99])
def test_shares_of_more_than_the_whole_are_refused_by_name(tmp_path: Path, china: float) -> None:
    folder = store(tmp_path, [*JAPAN[:1], {**JAPAN[1], "value": china}, *JAPAN[2:]])
    with pytest.raises(
        InputError, match=r"import shares of JPN in gallium/metal \(2022\) sum to 1\.\d+.*CHN"
    ):
        network_with(GALLIUM, "JPN", 2022, facts="ours", folder=folder)


def test_data_about_something_else_is_said_to_change_nothing(tmp_path: Path) -> None:
    folder = store(tmp_path, JAPAN)
    network = network_with("lithium/hydroxide", "KOR", 2023, facts="ours", folder=folder)
    assert note(network, "own-facts-elsewhere")["rows"] == 0
    shipped = load_network("lithium/hydroxide", "KOR", 2023)
    assert network.table().equals(shipped.table())


def test_law_12_facts_about_no_form_are_refused_when_they_are_added(tmp_path: Path) -> None:
    """Law 12: nothing is stored, and the nearest form is named."""
    with pytest.raises(SourceFormatError, match=r"row 5, column form.*did you mean gallium/metal"):
        store(tmp_path, [*JAPAN, fact("odd", "imports", "JPN", 1.0, form="gallium/metl")])
    assert not list((tmp_path / "store").rglob("*.parquet"))


def test_the_users_row_comes_before_a_shipped_row_of_the_same_period(tmp_path: Path) -> None:
    """Whatever its fact_id: alphabetical order must not decide whose figure counts."""
    for name in ("aaa", "zzz"):
        ours = [fact(name, "price", "WLD", 500_000.0, unit="USD/t", period="2023", basis="gross, spot")]
        folder = store(tmp_path / name, ours)
        network = network_with(GALLIUM, "KOR", 2023, facts="ours", folder=folder)
        (price,) = [p for p in network.parameters if p.name == f"world_price {GALLIUM}"]
        assert price.source.count(OWN_MARK) == 1


def test_law_7_the_order_of_facts_does_not_matter(tmp_path: Path) -> None:
    """Law 7: row order does not change results."""
    own = pl.DataFrame(JAPAN, schema_overrides={"low": pl.Float64, "high": pl.Float64}).with_columns(
        pl.col("as_of").str.to_date()
    )
    one = join_facts(data.facts(), own, "ours/1").facts
    other = join_facts(data.facts().reverse(), own.reverse(), "ours/1").facts
    networks = [load_network(GALLIUM, "JPN", 2022, facts=table) for table in (one, other)]
    assert networks[0].table().equals(networks[1].table())
    assert networks[0].inputs == networks[1].inputs


def test_tables_handed_over_are_named_by_hash_in_place_of_the_shipped() -> None:
    facts = data.facts()
    used = {one.name for one in load_network(GALLIUM, "KOR", 2022, facts=facts).inputs}
    assert "facts given" in used
    assert "facts" not in used


# --- trade --------------------------------------------------------------------------------------------------


def trade_store(folder: Path, text: str, file: str = "BACI_HS17_Y2022_V202401.csv", **options: Any) -> Path:
    """Add trade to a store and return its folder."""
    folder.mkdir(exist_ok=True)
    path = folder / file
    path.write_text("t,i,j,k,v,q\n" + text, "utf-8")
    data.add("baci", path, folder / "store", name="release", **options)
    return folder / "store"


NICKEL = "2022,643,410,750210,900,30\n2022,36,410,750210,300,10\n2022,643,156,750210,500,20\n"


def test_a_release_of_another_revision_opens_forms_that_are_not_shipped(tmp_path: Path) -> None:
    folder = trade_store(tmp_path, NICKEL)
    network = network_with("nickel/metal", "KOR", 2022, trade="release", folder=folder)
    network.require_balance(1e-9)
    rows = network.tables["base_rows"]
    assert set(rows["revision"]) == {"HS2017"}
    assert dict(rows.select("supplier", "quantity_t").iter_rows()) == {"RUS": 30.0, "AUS": 10.0}
    (vintage,) = data.vintages(folder)
    used = {one.name: one.sha256 for one in network.inputs}
    assert used[f"release/{vintage.vintage}"] == vintage.sha256
    assert "trade" not in used
    assert note(network, "own-trade")["revision"] == "HS2017"


def test_trade_is_never_mixed(tmp_path: Path) -> None:
    folder = trade_store(tmp_path, NICKEL)
    with pytest.raises(NotCoveredError, match="no trade of lithium/hydroxide in 2022"):
        network_with("lithium/hydroxide", "KOR", 2022, trade="release", folder=folder)
    rows = data.trade(dataset="release", folder=folder)
    mixed = pl.concat([rows, data.trade(["282520"], years=[2022])])
    with pytest.raises(InputError, match="codes of HS1992, HS2017"):
        load_network("nickel/metal", "KOR", 2022, trade=mixed)


def test_a_year_that_the_release_lacks_is_named(tmp_path: Path) -> None:
    folder = trade_store(tmp_path, NICKEL)
    with pytest.raises(NotCoveredError, match="no trade of 2019; it covers 2022 to 2022"):
        network_with("nickel/metal", "KOR", 2019, trade="release", folder=folder)


def test_a_missing_code_of_a_form_is_said(tmp_path: Path) -> None:
    folder = trade_store(tmp_path, "2022,156,410,250410,900,300\n2022,156,392,250410,100,30\n")
    network = network_with("graphite/natural", "KOR", 2022, trade="release", folder=folder)
    assert note(network, "code-not-covered")["codes"] == ["250490"]


# --- days and damage (laws 11 and 12) ----------------------------------------------------------------------


def test_law_11_the_vintage_of_the_day_is_used(tmp_path: Path) -> None:
    """Law 11: nothing later than the as-of date is used."""
    store(tmp_path, JAPAN)
    later = [{**row, "as_of": "2026-07-01"} for row in JAPAN]
    later[0]["value"] = 45.0
    folder = store(tmp_path, later)
    imports = {}
    for day in ("2026-06-01", "2026-08-01", None):
        network = network_with(GALLIUM, "JPN", 2022, facts="ours", folder=folder, as_of=day)
        imports[day] = network.tables["base_rows"]["contained_t"].sum()
    assert imports["2026-06-01"] == pytest.approx(2 * imports["2026-08-01"])
    assert imports[None] == imports["2026-08-01"]
    with pytest.raises(NotCoveredError, match="no vintage of 'ours' was knowable on 2023-01-01"):
        network_with(GALLIUM, "JPN", 2022, facts="ours", folder=folder, as_of="2023-01-01")


def test_law_11_later_rows_of_a_vintage_and_shipped_tables_are_left_out(tmp_path: Path) -> None:
    """Law 11, inside a vintage that was dated by hand, and for the shipped trade."""
    rows = [*JAPAN, fact("late", "import_share", "JPN", 0.1, partner="DEU", as_of="2026-12-31")]
    folder = store(tmp_path, rows, as_of="2023-06-01")
    network = network_with(GALLIUM, "JPN", 2022, facts="ours", folder=folder, as_of="2026-08-01")
    assert "DEU" not in network.tables["base_rows"]["supplier"].to_list()
    with pytest.raises(NotCoveredError, match="'trade' was not knowable on 2020-01-01"):
        network_with("lithium/hydroxide", "KOR", 2019, as_of="2020-01-01")


def test_law_12_a_changed_or_truncated_vintage_is_refused(tmp_path: Path) -> None:
    """Law 12: one clear error; the other data sets still work."""
    folder = store(tmp_path, JAPAN)
    good = next(folder.rglob("facts.parquet"))
    content = good.read_bytes()
    for damage in (content[:-7], content[:-1] + bytes([content[-1] ^ 1]), b""):
        good.write_bytes(damage)
        with pytest.raises(SnapshotError, match=r"facts\.parquet"):
            network_with(GALLIUM, "JPN", 2022, facts="ours", folder=folder)
    good.unlink()
    with pytest.raises(SnapshotError, match="cannot read"):
        network_with(GALLIUM, "JPN", 2022, facts="ours", folder=folder)
    network_with(GALLIUM, "KOR", 2022, folder=folder)


def test_names_that_are_wrong_are_told(tmp_path: Path) -> None:
    folder = store(tmp_path, JAPAN)
    with pytest.raises(UnknownNameError, match="Did you mean 'ours'"):
        network_with(GALLIUM, "JPN", 2022, facts="our", folder=folder)
    with pytest.raises(UnknownNameError, match="It holds facts: give it as facts"):
        network_with(GALLIUM, "JPN", 2022, trade="ours", folder=folder)
    with pytest.raises(UnknownNameError, match="evernormal data add baci FILE"):
        network_with(GALLIUM, "JPN", 2022, trade="release", folder=folder)
    with pytest.raises(InputError, match="needs the folder"):
        network_with(GALLIUM, "JPN", 2022, facts="ours")


# --- the other doors ---------------------------------------------------------------------------------------


def test_a_scenario_is_asked_on_the_users_data(tmp_path: Path) -> None:
    folder = store(tmp_path, JAPAN)
    scenario = load_scenario("gallium-licence-2023").with_focal("JPN")
    with pytest.raises(NotCoveredError):
        network_of(scenario)
    assert network_of(scenario, facts="ours", folder=folder).focal == "JPN"


def test_shares_show_the_users_beside_the_published(tmp_path: Path) -> None:
    folder = store(tmp_path, JAPAN)
    result = suppliers("JPN", GALLIUM, "quantity", [2022], facts="ours", folder=folder)
    assert dict(result["shares"].select("supplier", "share").iter_rows()) == {"CHN": 0.6, "TWN": 0.2}
    assert set(result["shares"]["grade"]) == {"C"}
    assert any(one.name.startswith("ours/") for one in result.lineage.inputs)


def test_an_act_on_another_form_of_the_chain_brings_the_chain() -> None:
    scenario = load_scenario("lithium-hydroxide-100")
    assert network_of(scenario).forms == ("lithium/hydroxide",)
    upstream = scenario.measures[0].model_copy(update={"forms": ("lithium/carbonate",)})
    changed = scenario.model_copy(update={"measures": (upstream,)})
    assert "lithium/carbonate" in network_of(changed).forms
