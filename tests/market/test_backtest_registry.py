"""The registry of export cuts: rules, names, split, frozen tables."""

from __future__ import annotations

import csv
from dataclasses import replace

import polars as pl
import pytest

from evernormal.data import scan_trade
from evernormal.errors import InputError, NotCoveredError
from evernormal.market.history.candidates import CORE, WIDER, candidates
from evernormal.market.history.cleaning import RULES, broken_rules
from evernormal.market.history.episodes import (
    HELD_OUT,
    TRAIN,
    check_split,
    registry,
    rejected,
    split_of,
)
from evernormal.market.history.known import policy_episodes
from evernormal.market.history.licence import licence_defaults, licence_months, licence_parameters
from evernormal.market.history.records import TradeRecords, arrange
from evernormal.market.history.registry_tables import registry_tables

ROW = ("year", "exporter", "importer", "code", "value_usd", "quantity_t")


@pytest.fixture(scope="module")
def shipped() -> TradeRecords:
    return arrange(scan_trade().collect())


def test_the_frozen_registry_is_what_the_rules_give() -> None:
    from evernormal.market.history.episodes import files

    for name, text in registry_tables().items():
        shipped_text = files("evernormal.market").joinpath(f"tables/{name}").read_text("utf-8")
        assert text == shipped_text, f"{name} is not what the rules make of the shipped trade"


def test_every_candidate_is_an_episode_or_is_rejected_with_a_reason(shipped: TradeRecords) -> None:
    kept = {(e.code, x, e.year) for e in registry() for x in e.exporters}
    out = {(r["code"], r["exporter"], int(r["year"])): r["rules"] for r in rejected()}
    assert not kept & set(out)
    assert {c.key for c in candidates(shipped, CORE)} == kept | set(out)
    names = {rule.name for rule in RULES}
    assert all(rules and set(rules.split()) <= names for rules in out.values())


def test_every_rule_says_what_it_does_and_rejects_something() -> None:
    used = {name for row in rejected() for name in row["rules"].split()}
    assert used == {rule.name for rule in RULES}
    assert all(len(rule.text) > 40 for rule in RULES)


def test_episodes_of_the_core_are_large_cuts_in_the_shipped_trade(shipped: TradeRecords) -> None:
    keys = {c.key: c for c in candidates(shipped, CORE)}
    for episode in registry():
        for exporter in episode.exporters:
            cut = keys[episode.code, exporter, episode.year]
            assert cut.share >= 0.15 and cut.cut >= 0.40
    assert 70 <= len(registry()) <= 110 and len(registry("wider")) > 2 * len(registry())


def test_named_policies_are_sourced_and_the_documented_ones_are_episodes() -> None:
    assert all(len(p.source) > 15 and p.name for p in policy_episodes().values())
    names = {e.name for e in registry() if e.policy}
    assert {"260400-IDN-2014", "260400-IDN-2020", "260600-IDN-2014", "284690-CHN-2012"} <= names


def test_a_policy_refutes_a_presumption_but_no_broken_measurement(shipped: TradeRecords) -> None:
    """Indonesia's nickel of 2019 looks like a spike; Malaysia's bauxite year has Australia's broken data."""
    presumptions = {rule.name for rule in RULES if rule.presumption}
    cuts = {c.key: c for c in candidates(shipped, CORE)}
    nickel = broken_rules(shipped, cuts["260400", "IDN", 2020])
    bauxite = broken_rules(shipped, cuts["260600", "MYS", 2016])
    assert nickel and set(nickel) <= presumptions
    assert not set(bauxite) <= presumptions
    assert "260600-MYS-2016" not in {e.name for e in registry()}


def test_the_split_is_the_hash_and_does_not_leak() -> None:
    for tier in (CORE.name, WIDER.name):
        check_split(registry(tier))
        sides = {e.split for e in registry(tier)}
        assert sides == {TRAIN, HELD_OUT}
    alone = [e for e in registry("wider") if len(e.exporters) == 1]
    joined = {(e.code, x) for e in registry("wider") if len(e.exporters) > 1 for x in e.exporters}
    for episode in alone:
        if (episode.code, episode.exporters[0]) not in joined:
            assert episode.split == split_of(episode.code, episode.exporters[0])


def test_a_split_that_leaks_is_refused() -> None:
    nickel = [e for e in registry() if e.code == "260400" and e.exporters == ("IDN",)]
    leaking = [nickel[0], replace(nickel[1], split=TRAIN if nickel[0].split == HELD_OUT else HELD_OUT)]
    with pytest.raises(InputError, match=r"leaks.*IDN.*260400"):
        check_split(leaking)
    with pytest.raises(InputError, match="no episode"):
        check_split([])
    with pytest.raises(InputError, match="two episodes in"):
        check_split([nickel[0], nickel[0]])


def made_up(cut: float, **changes: float) -> TradeRecords:
    """Two exporters and three importers over six years; A cuts in the last one."""
    rows = []
    for year in range(2000, 2006):
        for exporter, size in (("AAA", 1000.0), ("BBB", 1000.0)):
            for n, importer in enumerate(("XXX", "YYY", "ZZZ")):
                tonnes = size * (n + 1) * (1 - cut if (exporter, year) == ("AAA", 2005) else 1.0)
                price = 900.0 + 37 * n + 11 * year % 7
                if exporter == "AAA" and year == 2005:
                    price *= changes.get("price", 1.0)
                rows.append((year, exporter, importer, "260400", tonnes * price, tonnes))
    return arrange(pl.DataFrame(rows, schema=list(ROW), orient="row"))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [({}, None), ({"price": 5.0}, "unit-value-break"), ({"price": 2.0}, "value-not-falling")],
)
def test_a_quantity_that_its_value_contradicts_is_no_cut(changes: dict[str, float], rule: str | None) -> None:
    trade = made_up(0.5, **changes)
    (cut,) = candidates(trade, CORE)
    broken = broken_rules(trade, cut)
    assert (rule in broken) if rule else broken == ()


def test_the_order_of_rows_changes_nothing() -> None:
    """Laws 6 and 7: shuffled rows give the same arrays to the bit."""
    rows = scan_trade(["260400"]).collect()
    one, two = arrange(rows), arrange(rows.sample(fraction=1.0, shuffle=True, seed=3))
    assert (one.codes["260400"].quantity == two.codes["260400"].quantity).all()
    assert (one.codes["260400"].exports == two.codes["260400"].exports).all()


def test_no_trade_is_an_error() -> None:
    with pytest.raises(NotCoveredError, match="no rows"):
        arrange(pl.DataFrame(schema=dict.fromkeys(ROW, pl.Float64)))


def test_licences_stop_goods_for_weeks() -> None:
    """Gallium and germanium 2023: nothing in the first month, first licences after 51 days."""
    found = {p.name: p for p in licence_parameters()}
    assert found["licence_first_granted"].value == 51
    assert (found["licence_first_month_cut"].low, found["licence_first_month_cut"].high) == (0.92, 1.0)
    assert (found["licence_notice"].low, found["licence_notice"].high) == (29, 42)
    assert all(p.low <= p.value <= p.high and len(p.source) > 40 for p in found.values())


def test_the_record_of_licences_is_the_default_of_the_measure() -> None:
    """Delay and approved share of a licence that a policy record becomes lie inside what licences did."""
    record = {p.name: p for p in licence_parameters()}
    defaults = {(r["form"], r["field"]): r for r in licence_defaults().iter_rows(named=True)}
    for form in ("gallium/metal", "germanium/metal"):
        delay = defaults[form, "delay_days"]
        assert delay["value"] == record["licence_first_granted"].value
        assert (delay["low"], delay["high"]) == (45, 60)
    returned = {
        (r["scenario"].split("-")[0], r["mark"]): r["recorded"]
        for r in licence_months().iter_rows(named=True)
    }
    for name in ("gallium", "germanium"):
        assert (
            defaults[f"{name}/metal", "approval_share"]["low"]
            == returned[name, "fourth month over a year before"]
        )
    antimony = defaults["antimony/metal", "approval_share"]
    assert antimony["value"] == returned["antimony", "third month over a year before"]


def test_the_simulated_licence_stops_the_first_month_and_buys_ahead() -> None:
    """Published: exports of the first month 92 to 100 % below the month before; buying ahead of graphite."""
    months = {(r["scenario"], r["mark"]): r for r in licence_months().iter_rows(named=True)}
    first = [row for (_, mark), row in months.items() if mark == "first month"]
    assert len(first) == 4
    for row in first:
        assert row["recorded"] <= 0.08 and row["simulated"] <= 0.08
    ahead = months["graphite-licence-2023", "month before over the usual"]
    assert 1.2 < ahead["simulated"] < ahead["recorded"]


def test_rising_approvals_are_nearer_for_gallium_and_germanium_and_not_for_antimony() -> None:
    """Fitted on the other controls: the reason why the rise is a key and no default."""
    months = {(r["scenario"], r["mark"]): r for r in licence_months().iter_rows(named=True)}

    def nearer(name: str, mark: str) -> bool:
        row = months[name, mark]
        return abs(row["rising"] - row["recorded"]) < abs(row["simulated"] - row["recorded"])

    for name in ("gallium-licence-2023", "germanium-licence-2023"):
        assert nearer(name, "fourth month over a year before")
    assert nearer("graphite-licence-2023", "month before over the usual")
    assert not nearer("antimony-2024", "third month over a year before")
    fitted = {p.name: p for p in licence_parameters()}["licence_approval_months"]
    assert (fitted.grade, fitted.source[:10]) == ("C", "assumption")


def test_tables_have_no_empty_source() -> None:
    """Law 10."""
    from evernormal.market.history.known import files

    text = files("evernormal.market").joinpath("tables/policy_episodes.csv").read_text("utf-8")
    assert all(row["source"] for row in csv.DictReader(text.splitlines()))
