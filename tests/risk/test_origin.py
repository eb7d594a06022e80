"""Origins: algebra against cases solved by hand, the laws, and the shipped world against published facts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from evernormal import data, risk
from evernormal.app.main import run
from evernormal.data import facts
from evernormal.errors import BalanceError, InputError, LabelError, NotCoveredError, UnknownNameError
from evernormal.network.forms import form
from evernormal.network.load import load_network
from evernormal.result import Result
from evernormal.risk.origin_accounts import Link, Sources, Stage
from evernormal.risk.origin_algebra import RULES, Rule, drawn, open_link, origin_matrix
from evernormal.risk.origin_walk import Chained, pictures, reached, steps

Floats = npt.NDArray[np.float64]

HUB = ([100.0, 20.0, 0.0], [[0.0, 60.0, 0.0], [0.0, 0.0, 40.0], [0.0, 0.0, 0.0]])
"""A makes 100 and ships 60 to B; B makes 20 and ships 40 to C.  By hand: three quarters of the 40 are A's."""


def world(seed: int, size: int = 7) -> tuple[Floats, Floats]:
    """A made-up closed world with re-exports both ways."""
    draw = np.random.default_rng(seed)
    flows = draw.random((size, size)) * (draw.random((size, size)) < 0.6) * 10
    np.fill_diagonal(flows, 0.0)
    production = np.maximum(flows.sum(axis=1) - flows.sum(axis=0), 0.0) + draw.random(size) * (
        draw.random(size) < 0.7
    )
    return production, flows


def test_the_textbook_hub_is_solved_by_hand() -> None:
    assert origin_matrix(*HUB) == pytest.approx(np.array([[40, 0, 0], [30, 10, 0], [30, 10, 0]]))


def test_a_loop_of_re_exports_is_solved_exactly() -> None:
    """A makes 10; A and B ship 30 to each other, B ships 10 to C: whatever the turns, all of it is A's."""
    found = origin_matrix([10, 0, 0], [[0, 30, 0], [20, 0, 10], [0, 0, 0]])
    assert found[2].tolist() == pytest.approx([10, 0, 0])
    assert found.sum() == pytest.approx(10)


@pytest.mark.parametrize("seed", range(20))
def test_origins_preserve_use_and_production(seed: int) -> None:
    """Law 1: rows sum to use, columns to production, to 1e-9."""
    production, flows = world(seed)
    found = origin_matrix(production, flows)
    use = production + flows.sum(axis=0) - flows.sum(axis=1)
    assert found.sum(axis=1) == pytest.approx(use, abs=1e-9)
    assert found.sum(axis=0) == pytest.approx(production, abs=1e-9)
    assert (found >= -1e-12).all()


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_of_drawing_preserves_production(seed: int, rule: Rule) -> None:
    """Law 1: whatever shipments are drawn from, the world uses of each country what it made."""
    production, flows = world(seed)
    use = production + flows.sum(axis=0) - flows.sum(axis=1)
    used = drawn(flows, production, rule).used(np.arange(len(production)))
    assert (used * use[:, None]).sum(axis=0) == pytest.approx(production, abs=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_two_independent_routes_agree(seed: int) -> None:
    """Shipments solved under proportion give the matrix of Kastner and others."""
    production, flows = world(seed)
    use = production + flows.sum(axis=0) - flows.sum(axis=1)
    used = drawn(flows, production, "mixed").used(np.arange(len(production)))
    assert used * use[:, None] == pytest.approx(origin_matrix(production, flows), abs=1e-9)


def test_the_proportional_answer_lies_between_the_extremes_at_one_hub() -> None:
    production, flows = (np.array(x) for x in HUB)
    of_b = {rule: drawn(flows, production, rule).shipped[1, 0] for rule in RULES}
    assert of_b["own-first"] == pytest.approx(0.5)
    assert of_b["mixed"] == pytest.approx(0.75)
    assert of_b["bought-first"] == pytest.approx(1.0)


def test_order_and_names_of_countries_do_not_matter() -> None:
    """Law 7."""
    production, flows = world(3)
    turn = np.random.default_rng(0).permutation(len(production))
    again = origin_matrix(production[turn], flows[np.ix_(turn, turn)])
    assert again == pytest.approx(origin_matrix(production, flows)[np.ix_(turn, turn)], abs=1e-9)
    assert origin_matrix(production * 1e6, flows * 1e6) == pytest.approx(
        origin_matrix(production, flows) * 1e6, rel=1e-9
    )


def test_what_no_maker_stands_behind_is_unknown() -> None:
    """Law 2: two hubs that ship to each other, and one that ships more than it buys, name nobody."""
    flows = np.array([[0, 5.0, 0], [5.0, 0, 5.0], [0, 0, 0]])
    found = drawn(flows, np.zeros(3), "mixed")
    assert found.shipped.sum() == 0
    found = drawn(np.array([[0, 10.0, 0], [0, 0, 30.0], [0, 0, 0]]), np.array([10.0, 0, 0]), "mixed")
    assert found.shipped[1].tolist() == pytest.approx([1 / 3, 0, 0])


@pytest.mark.parametrize(
    ("production", "flows", "error"),
    [
        ([1.0], [[0.0, 1.0]], LabelError),
        ([-1.0, 1.0], np.zeros((2, 2)), InputError),
        ([np.nan, 1.0], np.zeros((2, 2)), InputError),
        ([1.0, 0.0], [[0.0, 5.0], [0.0, 0.0]], BalanceError),
    ],
)
def test_bad_accounts_are_refused(production: object, flows: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        origin_matrix(production, flows)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(10))
def test_an_unrecorded_trade_spans_every_table_with_its_totals(seed: int) -> None:
    """The interval holds any allocation of surpluses to deficits, here filled in a random order."""
    draw = np.random.default_rng(seed)
    supply, need = draw.random(5) * 10, draw.random(5) * 10
    need *= supply.sum() / need.sum()
    link = open_link(supply, need, world=False)
    home = np.minimum(supply, need)
    left, short, table = supply - home, need - home, np.diag(home)
    for i in draw.permutation(5):
        for k in draw.permutation(5):
            part = min(short[i], left[k])
            table[i, k], short[i], left[k] = table[i, k] + part, short[i] - part, left[k] - part
    share = table / need[:, None]
    assert (share >= link.low - 1e-9).all()
    assert (share <= link.high + 1e-9).all()
    assert link.middle.sum(axis=1) == pytest.approx(np.ones(5))


FORMS = ("rare-earths/ore", "rare-earths/compounds", "rare-earths/metals")
RATES = (0.88, 0.81)


def chain_of_three(seed: int = 5, size: int = 6) -> tuple[Callable[..., Chained], list[Floats], Floats]:
    """A made-up chain in which every stage balances and all that is not shipped is converted."""
    draw = np.random.default_rng(seed)
    made = draw.random(size) * (draw.random(size) < 0.6)
    labels = tuple(f"C{i}" for i in range(size))
    sources = Sources(labels, {}, "HS1992", frozenset(), pl.DataFrame(), facts(), None, ())
    mined = made
    for number, name in enumerate(FORMS):
        flows = np.zeros((size, size))
        for source in range(size):  # half of each pool goes on, purchases included
            pool = made[source] + flows[:, source].sum()
            share = draw.random(size)
            share[: source + 1] = 0.0
            if share.sum() > 0:
                flows[source] = 0.5 * pool * share / share.sum()
        sources.stages[name, 2023] = Stage(form(name), flows, made, "statistics", "made up")
        use = made + flows.sum(axis=0) - flows.sum(axis=1)
        made = use * RATES[number] if number < len(RATES) else use
    links = tuple(Link(a, b, rate, open=False) for a, b, rate in zip(FORMS, FORMS[1:], RATES, strict=False))

    def build(picture: object = pictures()[0]) -> Chained:
        return Chained(sources, 2023, FORMS, links, picture)  # type: ignore[arg-type]

    return build, [sources.stages[name, 2023].production for name in FORMS], mined


def test_the_world_sum_of_traced_origins_is_what_each_mine_gave() -> None:
    """Law 1 through the whole chain: tonnes over recoveries come back as production by country."""
    build, made, mined = chain_of_three()
    found = {step.source: step.leaving for step in steps(build(), made[-1])}
    assert found[FORMS[1]].sum(axis=1) == pytest.approx(made[1], abs=1e-9)
    assert found[FORMS[0]].sum(axis=1) == pytest.approx(mined, abs=1e-9)


def test_losses_are_what_the_recovery_leaves() -> None:
    build, made, _ = chain_of_three()
    for step, rate in zip(steps(build(), made[-1]), reversed(RATES), strict=True):
        assert step.arriving == pytest.approx(step.leaving * rate)


def test_known_stages_leave_an_interval_that_holds_the_centre() -> None:
    build, _, _ = chain_of_three()
    rows = np.arange(6)
    traced = reached(build, lambda chain: chain.drawn(FORMS[-1]).used(rows), FORMS)
    for stage in traced:
        assert (stage.low <= stage.middle + 1e-12).all()
        assert (stage.middle <= stage.high + 1e-12).all()
        assert stage.middle.sum(axis=1) == pytest.approx(np.ones(6))


@pytest.fixture(scope="module")
def cobalt() -> Result:
    return risk.trace_origin("cobalt/oxides", countries=["KOR", "CHN", "EU"], years=[2023])


def share(result: Result, focal: str, stage: str, country: str) -> dict[str, Any]:
    rows = result["origin"].filter(
        (pl.col("focal") == focal) & (pl.col("stage") == stage) & (pl.col("country") == country)
    )
    return rows.row(0, named=True)


def test_chinese_cobalt_is_congolese(cobalt: Result) -> None:
    """BGS and Cobalt Institute: China refines cobalt that it imports as hydroxide, dominantly from Congo."""
    assert share(cobalt, "CHN", "mined", "COD")["share"] > 0.9
    mine = share(cobalt, "KOR", "mined", "COD")
    assert share(cobalt, "KOR", "direct", "COD")["share"] < 0.05 < mine["low"] < mine["share"] < mine["high"]
    published = facts("mine_share", "cobalt/ore", "COD").filter(pl.col("period") == "2024")["value"]
    assert all(mine["low"] <= value <= mine["high"] for value in published)


def test_hubs_lose_what_they_only_ship(cobalt: Result) -> None:
    """Belgium and Singapore ship more than a quarter of it and make none beyond what they buy."""
    hubs = {row["hub"]: row for row in cobalt["hubs"].filter(pl.col("focal") == "KOR").to_dicts()}
    for name in ("BEL", "SGP"):
        assert hubs[name]["direct_share"] > 0.1
        assert hubs[name]["share_after_correction"] == pytest.approx(0, abs=1e-9)
        assert hubs[name]["reexported"] == pytest.approx(1)
    assert sum(row["correction"] for row in hubs.values()) == pytest.approx(0, abs=1e-3)


def test_shares_of_every_stage_make_a_whole(cobalt: Result) -> None:
    """Law 1: named and unexplained shares sum to 1, tonnes to the imports over the recoveries."""
    lost = cobalt["unexplained"].group_by("focal", "stage", "form").agg(pl.col("share").sum())
    sums = (
        cobalt["origin"].group_by("focal", "stage", "form").agg(pl.col("share").sum(), pl.col("tonnes").sum())
    )
    both = pl.concat([sums.drop("tonnes"), lost]).group_by("focal", "stage").agg(pl.col("share").sum())
    assert both["share"].to_list() == pytest.approx([1.0] * both.height, abs=1e-4)
    korea = {row["stage"]: row["tonnes"] for row in sums.filter(pl.col("focal") == "KOR").to_dicts()}
    assert korea["mined"] == pytest.approx(korea["direct"] / 0.95 / 0.85, rel=1e-4)


def test_flows_close_at_every_stage_and_country(cobalt: Result) -> None:
    """Law 1: what reaches a country at a stage, less losses, is what leaves it for the next."""
    flows = cobalt["flows"].filter(pl.col("focal") == "KOR")
    came = flows.group_by(stage="target_stage", country="target").agg(
        (pl.col("tonnes") - pl.col("loss_t")).sum().alias("came")
    )
    left = flows.group_by(stage="source_stage", country="source").agg(pl.col("tonnes").sum().alias("left"))
    both = came.join(left, on=["stage", "country"], how="inner")
    assert both.height > 20
    total = float(flows.filter(pl.col("target_stage") == "import")["tonnes"].sum())
    assert float((both["came"] - both["left"]).abs().to_numpy().max()) < 1e-3 * total


def test_australia_and_chile_stand_behind_lithium_hydroxide() -> None:
    """Four fifths are shipped by China, but two fifths are mined in Australia and a quarter in Chile."""
    found = risk.trace_origin("lithium/hydroxide", "KOR", [2023])
    assert share(found, "KOR", "direct", "CHN")["share"] == pytest.approx(0.784, abs=0.001)
    assert found["origin"].filter(pl.col("stage") == "mined")["country"][0] == "AUS"
    assert share(found, "KOR", "mined", "CHL")["low"] > share(found, "KOR", "direct", "CHL")["share"] - 0.01
    assert {f.code for f in found.findings} >= {"trade-of-stage-unknown", "production-from-shares"}


def test_guinea_stands_behind_aluminium_that_customs_never_show() -> None:
    """Nobody buys aluminium from Guinea; about a sixth of Korea's is made of its bauxite."""
    found = risk.trace_origin("aluminium/metal", "KOR", [2023])
    direct = found["origin"].filter(pl.col("stage") == "direct")["country"].to_list()
    guinea = share(found, "KOR", "mined", "GIN")
    assert "GIN" not in direct
    assert 0.02 < guinea["low"] < guinea["share"] < guinea["high"]
    assert "trade-between-stages-unknown" in {f.code for f in found.findings}


@pytest.mark.parametrize(
    "name", ["graphite/natural", "copper/ore", "aluminium/bauxite", "manganese/ore", "aluminium/metal"]
)
def test_the_balanced_network_gives_the_same_origins(name: str) -> None:
    """Two routes to the accounts, observed and balanced, agree within a point on every visible share."""
    network = load_network(name, "KOR", 2023, max_regions=60)
    here, size = network.flow_form == network.form_index(name), len(network.regions)
    flows = np.zeros((size, size))
    np.add.at(flows, (network.flow_from[here], network.flow_to[here]), network.flow[here])
    np.fill_diagonal(flows, 0.0)
    made = np.maximum(network.production[:, network.form_index(name)], 0.0)
    balanced = drawn(flows, made, "mixed").imported(np.array([network.focal_index]))[0]
    found = risk.trace_origin(name, "KOR", [2023])["origin"]
    observed = found.filter((pl.col("stage") != "direct") & (pl.col("form") == name))
    seen = {row["country"]: row["share"] for row in observed.to_dicts() if row["share"] > 0.01}
    assert len(seen) >= 2
    for country, value in seen.items():
        assert balanced[network.region(country)] == pytest.approx(value, abs=0.01)


def test_ore_from_a_country_without_mines_is_unexplained() -> None:
    """Law 2: Japan ships Korea 99.7 % of its tin ore and mines none; nobody is named for it."""
    found = risk.trace_origin("tin/ore", "KOR", [2023])
    assert found["unexplained"].filter(pl.col("stage") == "mined")["share"].item() > 0.99
    assert "origin-unexplained" in {f.code for f in found.findings}


def test_the_union_is_one_country() -> None:
    """Trade among members is no import, and no member is a supplier of the Union."""
    found = risk.trace_origin("lithium/hydroxide", "EU", [2023])["origin"]
    assert not set(found["country"]) & {"NLD", "BEL", "DEU"}


def test_a_form_without_a_code_is_traced_from_published_shares() -> None:
    found = risk.trace_origin("neodymium/magnet", "KOR", [2022])
    assert share(found, "KOR", "direct", "CHN")["share"] == pytest.approx(0.875)
    assert found["origin"]["tonnes"].is_null().all()  # imports in tonnes are not published: unknown, not 0
    assert "hubs-not-corrected" in {f.code for f in found.findings}
    assert found["unexplained"]["share"].max() == pytest.approx(0.015)


def test_years_without_production_end_at_the_maker() -> None:
    """Law 2: no statistics of mines before 2018, no published share near 2005: no mine is named."""
    found = risk.trace_origin("lithium/hydroxide", "KOR", [2005])
    assert "mined" not in set(found["origin"]["stage"])
    assert "origin-ends-before-mine" in {f.code for f in found.findings}


@pytest.mark.parametrize(
    ("name", "focal", "years", "error", "said"),
    [
        ("cobalt/oxids", "KOR", [2023], UnknownNameError, "cobalt/oxides"),
        ("cobalt/oxides", "KRO", [2023], UnknownNameError, "KOR"),
        ("cobalt/oxides", "KOR", [1990], NotCoveredError, "1995 to 2024"),
        ("zinc/metal", "KOR", [2023], NotCoveredError, "unknown, not zero"),
        ("nickel/sulphate", "JPN", None, NotCoveredError, "JPN"),
        ("cobalt/oxides", "KOR", [], InputError, "at least one year"),
        ("cobalt/oxides", "KOR", ["2023"], InputError, "whole numbers"),
    ],
)
def test_what_cannot_be_traced_is_told(
    name: str, focal: str, years: list[int] | None, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        risk.trace_origin(name, focal, years)


def test_nothing_later_than_the_day_is_used() -> None:
    """Law 11."""
    with pytest.raises(NotCoveredError, match="knowable"):
        risk.trace_origin("cobalt/oxides", "KOR", [2023], as_of="2020-01-01")


def test_the_command_prints_the_rows_of_the_function(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["trace", "nickel/ore", "--focal", "KOR", "--year", "2023", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == risk.trace_origin("nickel/ore", "KOR", [2023])["origin"].to_dicts()
    assert run(["trace", "nickel/ore", "--year", "2023"]) == 0
    assert "NCL mined 91 %" in capsys.readouterr().out
    assert run(["trace", "nickel/oer", "--year", "2023"]) == 2
    assert "nickel/ore" in capsys.readouterr().err


ALUMINA = """t,i,j,k,v,q
2023,36,784,281820,400.0,1000.0
2023,36,410,281820,100.0,200.0
2023,784,410,760110,900.0,300.0
2023,528,410,760110,900.0,100.0
2023,784,528,760110,900.0,150.0
2023,36,784,260600,10.0,50.0
"""
"""Australia ships alumina to the Emirates and Korea; the Emirates ship metal to Korea and the Netherlands."""


def test_a_user_s_own_trade_closes_a_gap_in_the_chain(tmp_path: Path) -> None:
    """With the alumina code in the table its trade is followed, and the older vintage is what was known."""
    path = tmp_path / "BACI_HS17_Y2023_V202501.csv"
    path.write_text(ALUMINA, "utf-8")
    data.add("baci", path, tmp_path / "store", as_of="2025-01-31")
    own: dict[str, Any] = {"dataset": "baci-hs2017", "folder": tmp_path / "store"}
    found = risk.trace_origin("aluminium/metal", "KOR", **own)
    assert "aluminium/alumina" in found["stages"]["form"].to_list()
    assert "trade-between-stages-unknown" not in {f.code for f in found.findings}
    made = found["origin"].filter(pl.col("stage") == "refined")["country"][0]
    alumina = found["origin"].filter(pl.col("form") == "aluminium/alumina")
    assert (made, alumina["country"][0]) == ("ARE", "AUS")
    assert found.lineage.inputs[0].name.startswith("baci-hs2017")
    table = risk.exposure("KOR", **own)["exposure"]
    seen = table.filter(pl.col("known_by") == "trade").sort("form")
    assert seen.select("form", "supplier").rows() == [
        ("aluminium/alumina", "AUS"),
        ("aluminium/metal", "ARE"),
    ]
    with pytest.raises(NotCoveredError, match="knowable"):
        risk.trace_origin("aluminium/metal", "KOR", [2023], as_of="2024-12-31", **own)


@pytest.mark.parametrize("focal", ["KOR", "EU", "CHN"])
def test_shares_and_tonnes_of_every_stage_close(focal: str) -> None:
    """Law 1: each stage adds up to the imports, and what enters a maker leaves it or is lost on the way."""
    for name in ("cobalt/oxides", "rare-earths/compounds", "graphite/natural"):
        traced = risk.trace_origin(name, focal, [2021])
        kept = pl.concat([traced[t].select("stage", "form", "share") for t in ("origin", "unexplained")])
        sums = kept.group_by("stage", "form").agg(pl.col("share").sum())["share"]
        assert ((sums - 1).abs() < 1e-9).all(), name
        if traced["unexplained"].height:
            continue
        keys = ("stage", "form", "country")
        ends = [
            traced["flows"].select(
                *(pl.col(side if key == "country" else f"{side}_{key}").alias(key) for key in keys),
                pl.col("tonnes") - (pl.col("loss_t") if side == "target" else 0.0),
            ).group_by(keys).agg(pl.col("tonnes").sum())
            for side in ("target", "source")
        ]  # fmt: skip
        both = ends[0].join(ends[1], on=keys, suffix="_out")
        assert both.height > 20
        gap = (both["tonnes"] - both["tonnes_out"]).abs().max()
        assert isinstance(gap, float) and gap < 1e-9 * float(both["tonnes_out"].sum()), name
