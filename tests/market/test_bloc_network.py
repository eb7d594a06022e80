"""A bloc on balanced networks: laws, instruments, rules of origin, accounts, attacks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.laws import cases
from tests.market.conftest import FORM

from evernormal import load_network
from evernormal.errors import InputError, LabelError, SolverError, UnknownNameError
from evernormal.market import bloc_equilibrium, levy
from evernormal.market.bloc import setting_of
from evernormal.market.bloc_accounts import compare_accounts
from evernormal.market.bloc_act import YearActs, made_in, mechanism_for
from evernormal.market.bloc_ground import base_price
from evernormal.market.bloc_year import Year, solve_year
from evernormal.network.measures import Ban, Dumping, Quota, Tariff
from evernormal.network.network import Network
from evernormal.network.uncertain import Uncertain
from evernormal.result import Result

LAW = settings(max_examples=12, deadline=None, derandomize=True, database=None)
BLOC = ("KOR", "AUS")
HELD = ("levy", "levy_by_origin", "loose", "purchase", "contract", "tariff")
JANUARY = date(2024, 1, 1)


def asked(kind: str) -> dict[str, Any]:
    """What the name of a way to hold a price stands for."""
    return {
        "levy": {},
        "levy_by_origin": {"levy": "by_origin"},
        "loose": {"rules_of_origin": "loose", "leakage": 0.2, "relabelling_cost": 0.02},
        "purchase": {"instrument": "purchase"},
        "contract": {"instrument": "contract"},
        "tariff": {"instrument": "tariff", "tariff_rate": 0.3},
    }[kind]


def held(network: Network, ratio: float = 1.2, kind: str = "levy", **more: Any) -> Result:
    """The bloc on a made-up world, every form held at a multiple of its base price."""
    return bloc_equilibrium(
        network, BLOC, dict.fromkeys(held_forms(network), ratio), relative=True, **{**asked(kind), **more}
    )


def held_forms(network: Network) -> list[str]:
    """Forms that a member makes."""
    made = made_in(network)[[network.region(member) for member in BLOC]].sum(axis=0)
    return [form for g, form in enumerate(network.forms) if made[g] > 0]


def has_makers(network: Network) -> bool:
    """Whether a member makes anything."""
    return bool(held_forms(network))


def solved(network: Network, ratio: float, **more: Any) -> tuple[Year, Year]:
    """A year without and with the mechanism, nothing else going on."""
    setting = setting_of(network)
    price = dict.fromkeys(held_forms(network), ratio)
    mechanism = mechanism_for(network, BLOC, price, relative=True, base=base_price(network), **more)
    acts = YearActs.none(network, setting.routes, setting.uses)
    return tuple(solve_year(setting, m, acts, 12) for m in (mechanism.without(), mechanism))  # type: ignore[return-value]


def measures(exporter: str) -> tuple[Any, ...]:
    """Everything at once: a price cut, a partial ban, a quota and a tariff."""
    half, tenth = Uncertain.of(0.5), Uncertain.of(0.1)
    return tuple(
        act.resolved("KOR", cases.REFINED)
        for act in (
            Dumping(by=exporter, price_cut=tenth, effective=JANUARY),
            Ban(by=exporter, against=["KOR"], severity=half, effective=JANUARY),
            Quota(by="CHL", share_of_base=half, effective=JANUARY),
            Tariff(by="KOR", against=["CHL"], rate=tenth, effective=JANUARY),
        )
    )


@LAW
@given(network=cases.networks(), kind=st.sampled_from(HELD))
def test_accounts_add_up_and_nothing_is_made_of_nothing(network: Network, kind: str) -> None:
    """Law 1 and E86: balances close, accounts sum to the change of welfare, and the world does not gain."""
    if not has_makers(network):
        return
    result = held(network, 1.25, kind)
    assert result.scalar("market_residual") < 1e-9
    assert result.scalar("accounts_residual") < 1e-9
    assert result.scalar("complementarity_residual") < 1e-8
    scale = float((network.price * network.throughput()).sum())
    assert result.scalar("world_welfare_usd") <= 1e-9 * scale


@LAW
@given(network=cases.networks(), kind=st.sampled_from(HELD))
def test_accounts_add_up_under_measures(network: Network, kind: str) -> None:
    """Dumping, a ban, a quota and a tariff beside the mechanism leave no residual."""
    if not has_makers(network):
        return
    result = held(network, 1.25, kind, measures=measures("CHN"))
    assert result.scalar("accounts_residual") < 1e-9
    assert result.scalar("complementarity_residual") < 1e-8


@LAW
@given(
    network=cases.networks(),
    kind=st.sampled_from(("levy", "levy_by_origin", "loose", "purchase", "contract")),
)
def test_no_mechanism_no_change(network: Network, kind: str) -> None:
    """Law 5: references below every price leave the base year as it was."""
    if not has_makers(network):
        return
    result = held(network, 0.9, kind)
    flows = result["flows"]
    assert flows["after_t"].to_list() == pytest.approx(flows["before_t"].to_list(), rel=1e-9)
    assert result["incidence"]["change_usd"].abs().max() <= 1e-6 * float(network.price.max())  # type: ignore[operator]
    base = network.flow_table().select("exporter", "importer", "form", "flow_t")
    joined = flows.join(base, on=["exporter", "importer", "form"], how="inner")
    assert joined.height == base.height
    assert joined["before_t"].to_list() == pytest.approx(joined["flow_t"].to_list(), rel=1e-6)


@LAW
@given(
    network=cases.networks(),
    kind=st.sampled_from(HELD),
    ratio=st.sampled_from([0.0, 1.0, 1.0 + 1e-9, 3.0, 10.0, 1000.0]),
)
def test_any_reference_has_an_answer(network: Network, kind: str, ratio: float) -> None:
    """From nothing to a thousand times the base price: an answer that balances, or a price out of reach."""
    if not has_makers(network):
        return
    result = held(network, ratio, kind)
    assert result.scalar("market_residual") < 1e-9
    assert result.scalar("complementarity_residual") < 1e-8
    assert result.scalar("accounts_residual") < 1e-9
    if kind == "levy":
        ladder = result["ladder"].drop_nulls("reference_usd_t")
        gap = ladder["user_usd_t"] / ladder["base_price_usd_t"] - ratio
        for status, over in zip(ladder["status"], gap, strict=True):
            assert over < 0 if status == "out of reach" else over >= -1e-9 * max(ratio, 1.0)


@LAW
@given(network=cases.networks(), ratio=st.floats(1.05, 1.6))
def test_tonnes_that_come_in_go_somewhere(network: Network, ratio: float) -> None:
    """Law 1: made + bought from anyone = used + sent + taken up + taken into conversion, in every cell."""
    if not has_makers(network):
        return
    _, year = solved(network, ratio)
    arrived, sent = np.zeros_like(year.built.price), np.zeros_like(year.built.price)
    routes = year.setting.routes
    np.add.at(arrived, (routes.target, routes.form), year.shipped)
    np.add.at(sent, (routes.origin, routes.form), year.shipped)
    used, found = np.zeros_like(arrived), np.zeros_like(arrived)
    other = year.quantity("other_supply")
    for k, use in enumerate(year.built.uses):
        used[use.region, use.form] += year.used[k]
        found[use.region, use.form] += other[k]
    taken = np.zeros_like(arrived)
    for c, step in enumerate(network.conversions):
        taken[:, network.form_index(step.source)] += year.converted[c]
    absorbed = np.zeros_like(arrived)
    piece = year.built.parts.pieces["absorbed"]
    absorbed[piece.region, piece.form] = year.quantity("absorbed")
    left, right = year.made + arrived + found, used + sent + taken + absorbed
    seen = np.isfinite(year.home)
    assert np.abs(left - right)[seen].max() < 1e-7 * network.throughput().max()


@LAW
@given(network=cases.networks(stages=1), ratio=st.floats(1.05, 1.5), more=st.floats(0.02, 0.3))
def test_a_higher_reference_lets_less_in(network: Network, ratio: float, more: float) -> None:
    """Law 9: one form, the same levy for all origins; what pays at the border never rises."""
    if not has_makers(network):
        return
    low, high = (held(network, r)["ladder"]["outside_t"].sum() for r in (ratio, ratio + more))
    assert high <= low + 1e-7 * float(network.flow.sum())


@LAW
@given(
    network=cases.networks(stages=1).map(cases.buying_only),
    severity=st.floats(0.0, 0.8),
    more=st.floats(0.05, 0.2),
)
def test_a_harder_ban_under_a_levy_never_helps_who_is_banned(
    network: Network, severity: float, more: float
) -> None:
    """Law 9: retaliation by withholding never raises what the focal member uses."""
    if not has_makers(network):
        return
    uses = []
    for hard in (severity, severity + more):
        act = Ban(by="CHN", against=["KOR"], severity=Uncertain.of(hard), effective=JANUARY)
        result = held(network, 1.15, measures=(act.resolved("KOR", cases.REFINED),))
        uses.append(result["regions"].filter(region="KOR")["used_t"][0])
    assert uses[1] <= uses[0] + 1e-7 * float(network.flow.sum())


@LAW
@given(network=cases.networks(stages=1), ratio=st.floats(1.1, 1.5), cut=st.floats(0.05, 0.4))
def test_a_price_cut_moves_no_held_price(network: Network, ratio: float, cut: float) -> None:
    """While a levy is positive a dumping exporter leaves the price where it is."""
    if not has_makers(network):
        return
    act = Dumping(by="CHN", price_cut=Uncertain.of(cut), effective=JANUARY).resolved("KOR", cases.REFINED)
    before, after = (held(network, ratio, measures=m)["ladder"].sort("member") for m in ((), (act,)))
    for old, new in zip(before.iter_rows(named=True), after.iter_rows(named=True), strict=True):
        if old["status"] == new["status"] == "held":
            assert new["user_usd_t"] == pytest.approx(old["user_usd_t"], rel=1e-9)


@LAW
@given(network=cases.networks(), ratio=st.floats(1.05, 1.6))
def test_nothing_leaks_when_rules_are_strict(network: Network, ratio: float) -> None:
    """What members send one another free never exceeds what they made; loose rules let it."""
    if not has_makers(network):
        return
    leaks = held(network, ratio)["leakage"]
    assert leaks["passed_off_t"].sum() == 0
    assert leaks["sent_on_t"].sum() <= 1e-9 * network.flow.sum()


@LAW
@given(network=cases.networks(), order=st.permutations(range(5)), scale=st.sampled_from([1e-3, 1.0, 1e4]))
def test_order_names_and_size_do_not_matter(network: Network, order: list[int], scale: float) -> None:
    """Law 7: shuffled regions and another unit give the same prices and scaled tonnes."""
    if not has_makers(network):
        return
    place = np.argsort(order)
    turned = replace(
        network,
        regions=tuple(network.regions[k] for k in order),
        production=network.production[order] * scale, use=network.use[order] * scale,
        activity=network.activity[:, order] * scale, flow_from=place[network.flow_from],
        flow_to=place[network.flow_to], flow=network.flow * scale, price=network.price[order],
        commercial_stock=network.commercial_stock[order] * scale,
        state_stock=network.state_stock[order] * scale,
    )  # fmt: skip
    one, two = (held(n, 1.3)["ladder"].sort("member", "form") for n in (network, turned))
    assert two["user_usd_t"].to_list() == pytest.approx(one["user_usd_t"].to_list(), rel=1e-6)
    assert two["outside_t"].to_list() == pytest.approx(
        (one["outside_t"] * scale).to_list(), rel=1e-5, abs=1e-6 * scale * float(network.flow.max())
    )


def test_the_same_bytes(one_form: Network, tmp_path: Any) -> None:
    """Law 6: asked twice, saved twice, equal files."""
    for name in ("a", "b"):
        held_one(one_form).save(tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "b").iterdir())
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def held_one(network: Network, ratio: float = 1.3, **more: Any) -> Result:
    """Chile and Korea against China; Chile makes, Korea buys from both."""
    return bloc_equilibrium(network, ["KOR", "CHL"], ratio, relative=True, **more)


def test_surpluses_are_areas_under_curves(one_form: Network) -> None:
    """E85: users' loss and makers' gain are the areas between two prices, summed in small steps."""
    steps = np.linspace(1.0, 1.4, 161)
    rows = [solved_one(one_form, r) for r in steps]
    changes, _ = compare_accounts(rows[0], rows[-1])
    r, g = one_form.region("KOR"), one_form.form_index(FORM)
    price = np.array([year.home[r, g] for year in rows])
    mine = np.array([use.region == r for use in rows[0].built.uses])
    bought = np.array([year.used[mine].sum() - year.quantity("other_supply")[mine].sum() for year in rows])
    area = np.trapezoid(bought, price)
    told = changes.filter((pl.col("region") == "KOR") & pl.col("account").is_in(["users", "other_supply"]))
    assert told["change_usd"].sum() == pytest.approx(-area, rel=1e-4)
    c = one_form.region("CHL")
    gained = np.trapezoid([year.made[c, g] for year in rows], [year.maker[c, g] for year in rows])
    makers = changes.filter((pl.col("region") == "CHL") & (pl.col("account") == "producers"))
    assert makers["change_usd"].sum() == pytest.approx(gained, rel=1e-4)


def solved_one(network: Network, ratio: float) -> Year:
    """The small world held at a ratio."""
    setting = setting_of(network)
    mechanism = mechanism_for(network, ["KOR", "CHL"], float(ratio), relative=True, base=base_price(network))
    return solve_year(setting, mechanism, YearActs.none(network, setting.routes, setting.uses), 12)


def test_revenue_is_levy_times_what_pays(one_form: Network) -> None:
    """The ladder, the flows and the accounts tell the same revenue."""
    result = held_one(one_form)
    flows = result["flows"].drop_nulls("levy_usd_t")
    revenue = (flows["levy_usd_t"] * flows["paying_t"]).sum()
    assert revenue > 0
    assert result.scalar("members_levy_usd") == pytest.approx(revenue, rel=1e-12)
    ladder = result["ladder"].drop_nulls("levy_usd_t")
    assert (ladder["levy_usd_t"] * ladder["outside_t"]).sum() == pytest.approx(revenue, rel=1e-9)


def test_an_outsider_gets_the_goods_cheaper(one_form: Network) -> None:
    """What the bloc no longer takes lowers the price of Japan, which stays outside."""
    result = held_one(one_form)
    japan = result["regions"].filter(region="JPN").row(0, named=True)
    assert japan["price_usd_t"] < japan["price_before_usd_t"]
    moved = result["diversion"].filter(exporter="CHN").row(0, named=True)
    assert moved["to_others_t"] > moved["to_others_before_t"]


def test_loose_rules_leak_up_to_what_can_be_relabelled(one_form: Network) -> None:
    """A fifth of China's base shipments can pass as Japan's and does, since the levy is above its cost."""
    result = held_one(
        one_form, 1.4, rules_of_origin="loose", leakage=0.2, relabelling_cost=0.05, through=["JPN"]
    )
    base = one_form.flow_table().filter((pl.col("exporter") == "CHN") & (pl.col("importer") == "KOR"))
    assert result["leakage"]["passed_off_t"].sum() == pytest.approx(0.2 * base["flow_t"].sum(), rel=1e-9)
    strict = held_one(one_form, 1.4)
    assert result.scalar("members_levy_usd") < strict.scalar("members_levy_usd")
    assert {f.code for f in result.findings} >= {"bloc-leak"}


def test_a_reference_for_the_ore_alone_squeezes_converters() -> None:
    """Members who refine lose their margin when only their input is held up; a consistent ladder keeps it."""
    refined = np.zeros((5, 5))
    refined[0, 3], refined[1, 3] = 900.0, 100.0
    ore = np.zeros((5, 5))
    ore[2, 1], ore[0, 1] = 400.0, 200.0
    network = cases.network(refined, np.array([500.0, 300.0, 100.0, 50.0, 100.0]), ore_flow=ore)
    alone = bloc_equilibrium(network, (*BLOC, "CHL"), {cases.ORE: 1.5}, relative=True)
    margin = alone["margins"].filter(member="AUS").row(0, named=True)
    assert margin["margin_usd_t"] < margin["margin_before_usd_t"]
    assert margin["effective_protection"] < 0


def test_what_no_levy_holds_is_said(one_form: Network) -> None:
    """A member that sells more than it uses cannot be held up by a levy; purchases can."""
    alone = bloc_equilibrium(one_form, ["CHL"], 1.5, relative=True)
    row = alone["ladder"].row(0, named=True)
    assert row["status"] == "out of reach" and row["levy_usd_t"] is None
    assert row["user_usd_t"] < row["reference_usd_t"]
    assert "bloc-out-of-reach" in {f.code for f in alone.findings}
    bought = bloc_equilibrium(one_form, ["CHL"], 1.5, relative=True, instrument="purchase")
    assert bought["ladder"]["user_usd_t"][0] == pytest.approx(row["reference_usd_t"])
    assert bought["regions"].filter(region="CHL")["bought_t"][0] > 0


@pytest.mark.parametrize(
    ("form", "scope", "year", "ratio"),
    [("lead/ore", "form", 2024, 4.0), ("palladium/metal", "chain", 2023, 2.0)],
)
def test_prices_out_of_reach_do_not_end_the_path(form: str, scope: Any, year: int, ratio: float) -> None:
    """Real networks on which a border price runs off, or nothing answers to a price: yet an answer."""
    allies = ["KOR", "USA", "JPN", "AUS", "CAN", "DEU", "FRA", "ITA", "NLD"]
    network = load_network(form, "KOR", year, keep=allies[1:], scope=scope)
    made = made_in(network)[[network.region(member) for member in allies]].sum(axis=0)
    price = {name: ratio for name, tonnes in zip(network.forms, made, strict=True) if tonnes > 0}
    for passed in (1, 2, 4):
        result = bloc_equilibrium(network, allies, price, relative=True, year=passed)
        assert result.scalar("market_residual") < 1e-9
        assert "out of reach" in result["ladder"]["status"].to_list()


def test_members_who_make_nothing_are_warned(one_form: Network) -> None:
    """Users pay, the treasury takes in, nobody makes more; a finding says so (law 2: it is no error)."""
    result = bloc_equilibrium(one_form, ["KOR", "JPN"], 1.1, relative=True)
    assert "bloc-no-makers" in {f.code for f in result.findings}
    assert result.scalar("members_users_usd") < 0 < result.scalar("members_levy_usd")
    assert result.scalar("members_producers_usd") == 0
    assert result.scalar("accounts_residual") < 1e-9
    assert "bloc-no-makers" not in {f.code for f in held_one(one_form).findings}


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ({"members": ["XXX"]}, UnknownNameError, "XXX"),
        ({"members": ["USA"]}, LabelError, "keep="),
        ({"members": []}, InputError, "at least one member"),
        ({"members": ["CHN", "CHL", "JPN", "KOR"]}, InputError, "nobody is outside"),
        ({"reference_price": -1.0}, InputError, "at least 0"),
        ({"reference_price": {"lithium/ore": 5.0}}, LabelError, "scope='chain'"),
        ({"reference_price": {FORM: {"JPN": 5.0}}}, UnknownNameError, "member"),
        ({"instrument": "magic"}, UnknownNameError, "instrument"),
        ({"levy": "fair"}, UnknownNameError, "kind of levy"),
        ({"rules_of_origin": "none"}, UnknownNameError, "rules of origin"),
        ({"leakage": 0.1}, InputError, "strict"),
        ({"exempt": ["KOR"]}, InputError, "both"),
        ({"instrument": "tariff"}, InputError, "tariff_rate"),
        ({"year": 0}, InputError, "year"),
    ],
)
def test_what_is_refused(one_form: Network, more: dict[str, Any], error: type[Exception], said: str) -> None:
    """Law 12: each refusal names what was wrong and what would be right."""
    call: dict[str, Any] = {"members": ["KOR", "CHL"], "reference_price": 50_000.0, **more}
    with pytest.raises(error, match=said):
        bloc_equilibrium(one_form, call.pop("members"), call.pop("reference_price"), **call)


def test_a_solver_at_its_limit_gives_no_result(one_form: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is a SolverError and says what to do."""
    monkeypatch.setattr(levy, "_newton", lambda *_: None)
    monkeypatch.setattr(levy, "MOST_PIECES", 1)
    with pytest.raises(SolverError, match="Lower the reference price"):
        held_one(one_form, 1.4)
