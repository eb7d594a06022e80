"""Concordance between revisions: real changes, totals, intervals, learning, and the publishers' files."""

from __future__ import annotations

import csv
import itertools
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evernormal import data
from evernormal.data.concordance_steps import IN_FORCE, Step, revision_on, route
from evernormal.data.publishers.adapters import Asked
from evernormal.data.publishers.hs_correlation import reading
from evernormal.data.schema import TABLES, public_columns
from evernormal.errors import (
    InputError,
    LabelError,
    NotCoveredError,
    SourceFormatError,
    UnitError,
    UnknownNameError,
)

REVISIONS = list(IN_FORCE)


def targets(one: str, other: str, code: str) -> list[str | None]:
    return sorted(
        data.concordance(one, other, [code])["links"]["to_code"].to_list(), key=lambda c: (c is None, c or "")
    )


# --- real changes ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "code", "other", "expected"),
    [
        ("HS2002", "811230", "HS2007", ["811292", "811299"]),  # germanium loses its code
        ("HS2002", "811240", "HS2007", ["811292", "811299"]),  # so does vanadium
        ("HS1996", "811291", "HS2002", ["811251", "811252", "811292"]),  # thallium gets its own
        ("HS2017", "811292", "HS2022", ["811231", "811241", "811292"]),  # hafnium and rhenium
        ("HS2017", "810720", "HS2022", ["811269"]),  # cadmium moves to 8112
        ("HS2017", "810730", "HS2022", ["811261"]),
        ("HS2007", "850780", "HS2012", ["850750", "850760", "850780"]),  # lithium-ion
        ("HS2017", "854140", "HS2022", ["854141", "854142", "854143", "854149", None]),
        ("HS2017", "284440", "HS2022", ["284441", "284442", "284443", "284444"]),
        ("HS1996", "711290", "HS2002", ["711230", "711299"]),
        ("HS1996", "810510", "HS2002", ["810520", "810530"]),
        ("HS2002", "282734", "HS2007", ["282739"]),  # cobalt chloride had a code until 2006
        ("HS2002", "284990", "HS2007", ["284990", "285200"]),  # compounds of mercury leave
        ("HS2002", "740110", "HS2007", ["740100"]),
        ("HS1992", "250310", "HS1996", ["250300"]),
        ("HS2017", "850511", "HS2022", ["850511", None]),  # waste leaves for 8549
        ("HS1992", "282520", "HS2022", ["282520"]),
        ("HS1992", "280530", "HS2022", ["280530"]),
        ("HS1992", "253090", "HS2022", ["253090"]),
        ("HS2022", "253090", "HS1992", ["252700", "253030", "253040", "253090"]),
        ("HS2022", "811292", "HS1992", ["811230", "811240", "811291"]),
    ],
)
def test_known_changes_of_the_harmonized_system(
    one: str, code: str, other: str, expected: list[str | None]
) -> None:
    assert targets(one, other, code) == expected


def test_the_whole_table_is_closed_and_symmetric() -> None:
    """Every link of a listed code is there from the other side too, as far as that side is listed."""
    for older, newer in itertools.pairwise(REVISIONS):
        (forward,), (back,) = route(older, newer), route(newer, older)
        for code, others in forward.targets.items():
            for other in others:
                if other is not None and other in back.targets:
                    assert code in back.targets[other], (older, code, other)
        for code, others in back.targets.items():
            assert others, f"{code} of {newer} comes from nowhere"
            for other in others:
                assert other is not None
                if other in forward.targets:
                    assert code in forward.targets[other], (newer, code, other)


def test_every_shipped_trade_code_is_known() -> None:
    found = data.concordance("HS1992", "HS2022", data.covered_codes())["links"]
    assert found["from_code"].n_unique() == len(data.covered_codes())


def test_weights_of_a_code_sum_to_one_and_lie_in_their_interval() -> None:
    """Law 1 for codes: nothing is lost between any two revisions."""
    for one, other in itertools.permutations(REVISIONS, 2):
        links = data.concordance(one, other)["links"]
        sums = links.group_by("from_code").agg(pl.col("weight").sum())
        assert sums.filter((pl.col("weight") - 1).abs() > 1e-12).is_empty()
        assert links.filter(
            (pl.col("low") > pl.col("weight")) | (pl.col("weight") > pl.col("high"))
        ).is_empty()


def test_an_assumed_weight_says_so_and_has_the_whole_interval() -> None:
    """Law 2: a split that nobody published is an assumption between nothing and everything."""
    result = data.concordance("HS2002", "HS2007", ["811230", "740110"])
    rows = result["links"].filter(pl.col("from_code") == "811230")
    assert rows.select("low", "high", "basis", "grade").unique().rows() == [(0.0, 1.0, "assumed", "C")]
    sure = result["links"].row(0, named=True)
    assert (sure["from_code"], sure["weight"], sure["basis"], sure["grade"]) == (
        "740110",
        1.0,
        "one code",
        "A",
    )
    assert [f.code for f in result.findings] == ["weights-assumed"]


def test_what_was_not_in_force_yet_is_not_used() -> None:
    """Law 11: on the last day of 2021 nobody converts to HS2022."""
    with pytest.raises(NotCoveredError, match="no concordance that was knowable on 2021-12-31"):
        data.concordance("HS2017", "HS2022", as_of="2021-12-31")
    assert data.concordance("HS2012", "HS2017", as_of="2021-12-31")["links"].height > 100


def test_a_revision_holds_from_its_first_day() -> None:
    assert [revision_on(date(y, 1, 1)) for y in (1992, 1996, 2002, 2007, 2012, 2017, 2022)] == REVISIONS
    assert revision_on(date(2021, 12, 31)) == "HS2017"
    with pytest.raises(NotCoveredError, match="1991-12-31"):
        revision_on(date(1991, 12, 31))


# --- conversion ----------------------------------------------------------------------


def flows(codes: list[str], values: list[float], **more: list[Any]) -> pl.DataFrame:
    return pl.DataFrame({"code": codes, "value_usd": values, **more})


amounts = st.floats(0, 1e12, allow_nan=False)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_totals_are_kept(drawn: st.DataObject) -> None:
    """Law 1: whatever the weights, the total is what it was, to 1e-9, and the interval holds it."""
    one, other = drawn.draw(st.permutations(REVISIONS))[:2]
    known = sorted(route(one, other)[0].targets)
    codes = drawn.draw(st.lists(st.sampled_from(known), min_size=1, max_size=12))
    table = flows(codes, drawn.draw(st.lists(amounts, min_size=len(codes), max_size=len(codes))))
    converted = data.convert_codes(table, one, other)["converted"]
    total = table["value_usd"].sum()
    assert converted["value_usd"].sum() == pytest.approx(total, rel=1e-9, abs=1e-12)
    assert (converted["value_usd_low"] <= converted["value_usd"] * (1 + 1e-12)).all()
    assert (converted["value_usd"] <= converted["value_usd_high"] * (1 + 1e-12)).all()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 10**12), min_size=1, max_size=8),
    st.lists(st.integers(1, 99), min_size=3, max_size=3),
)
def test_whole_numbers_stay_whole_and_none_is_lost(values: list[int], parts: list[int]) -> None:
    """Law 1: kilograms and dollars are divided without a rest."""
    table = pl.DataFrame({"code": ["811292"] * len(values), "value_usd": values, "row": range(len(values))})
    shares = [part / sum(parts) for part in parts]
    shares[-1] = 1 - shares[0] - shares[1]
    weights = weights_of("HS2017", "HS2022", "811292", ["811231", "811241", "811292"], shares)
    converted = data.convert_codes(table, "HS2017", "HS2022", weights=weights, amounts=["value_usd"])[
        "converted"
    ]
    assert converted.schema["value_usd"] == pl.Int64
    by_row = converted.group_by("row").agg(pl.col("value_usd").sum()).sort("row")
    assert by_row["value_usd"].to_list() == values


def weights_of(
    one: str, other: str, code: str, to: list[str], shares: list[float], **more: Any
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "from_revision": one,
            "to_revision": other,
            "from_code": code,
            "to_code": to,
            "weight": shares,
            **more,
        }
    )


GIVEN = pl.concat(
    [
        weights_of("HS1996", "HS2002", "811291", ["811251", "811252", "811292"], [0.1, 0.1, 0.8]),
        weights_of("HS2002", "HS2007", "811230", ["811292", "811299"], [0.9, 0.1]),
        weights_of("HS2002", "HS2007", "811240", ["811292", "811299"], [0.75, 0.25]),
        weights_of("HS2017", "HS2022", "811292", ["811231", "811241", "811292"], [0.125, 0.125, 0.75]),
        weights_of("HS2017", "HS2022", "811299", ["811239", "811249", "811299"], [0.25, 0.25, 0.5]),
    ]
)


def test_the_chain_equals_the_steps_one_by_one() -> None:
    """1992 to 2022 at once is the same as revision by revision, with the same weights."""
    table = flows(["811230", "811291", "811240", "250410"], [100.0, 200.0, 40.0, 7.0])
    direct = data.convert_codes(table, "HS1992", "HS2022", weights=GIVEN)["converted"]
    here = table
    for one, other in itertools.pairwise(REVISIONS):
        here = data.convert_codes(here, one, other, weights=GIVEN)["converted"].select("code", "value_usd")
    both = direct.join(here, on="code", how="full", suffix="_steps")
    assert both.null_count().sum_horizontal().item() == 0
    assert both.filter((pl.col("value_usd") - pl.col("value_usd_steps")).abs() > 1e-9).is_empty()
    # by hand: 0.75 of what is in 811292 in 2017: 90 of germanium, 160 of the basket, 30 of vanadium
    assert direct.filter(pl.col("code") == "811292")["value_usd"].item() == pytest.approx(0.75 * 280)


def test_the_interval_of_a_chain_is_what_its_steps_allow() -> None:
    """Law 2: least and most of two uncertain steps; parts that meet again are certain."""
    ends = {"low": [0.5, 0.0], "high": [1.0, 0.5]}
    weights = pl.concat(
        [
            weights_of("HS2002", "HS2007", "811230", ["811292", "811299"], [0.8, 0.2], **ends),
            weights_of(
                *("HS2017", "HS2022", "811292", ["811231", "811241", "811292"], [0.1, 0.1, 0.8]),
                low=[0.0, 0.0, 0.6],
                high=[0.2, 0.2, 1.0],
            ),
        ]
    )
    links = data.concordance("HS2002", "HS2022", ["811230"], weights=weights)["links"]
    row = links.filter(pl.col("to_code") == "811292").row(0, named=True)
    assert row["weight"] == pytest.approx(0.64)
    assert (row["low"], row["high"]) == pytest.approx((0.3, 1.0))
    meets = data.concordance("HS1992", "HS1996", ["250310", "250390"])["links"]
    assert meets.select("low", "high").unique().rows() == [(1.0, 1.0)]


def test_parts_that_meet_again_are_certain(tmp_path: Path) -> None:
    """A code that divides and comes together again keeps everything, whatever the weights between."""
    from evernormal.data.concordance_links import links_along
    from evernormal.result import Input

    def step(one: str, other: str, to: dict[str, tuple[str | None, ...]]) -> Step:
        return Step(one, other, to, {}, pl.DataFrame(), Input("made", "0", "made"), date(2000, 1, 1))

    steps = [
        step("HS1992", "HS1996", {"111111": ("222222", "333333")}),
        step("HS1996", "HS2002", {"222222": ("444444",), "333333": ("444444",)}),
    ]
    (link,) = links_along(steps, ["111111"])
    assert (link.weight, link.low, link.high, link.basis) == (1.0, 1.0, 1.0, "one code")


def test_order_and_scale_do_not_matter() -> None:
    """Law 7: shuffled rows give the same bytes, a thousandfold table a thousandfold result."""
    rng = np.random.default_rng(7)
    known = sorted(route("HS1992", "HS1996")[0].targets)
    table = pl.DataFrame(
        {
            "year": rng.integers(2000, 2010, 500),
            "code": rng.choice(known, 500),
            "value_usd": rng.lognormal(8, 3, 500),
        }
    )
    first = data.convert_codes(table, "HS1992", "HS2022")["converted"]
    shuffled = table.sample(fraction=1.0, shuffle=True, seed=3)
    assert data.convert_codes(shuffled, "HS1992", "HS2022")["converted"].equals(first)
    scaled = data.convert_codes(table.with_columns(pl.col("value_usd") * 1024), "HS1992", "HS2022")[
        "converted"
    ]
    assert scaled["value_usd"].equals(first["value_usd"] * 1024)


def test_there_and_back_returns_what_has_one_code() -> None:
    """Law 4: a code that nothing joins or leaves comes back as it was."""
    table = flows(["282520", "260300"], [3.0, 5.0])
    there = data.convert_codes(table, "HS1992", "HS2022")["converted"].select("code", "value_usd")
    back = data.convert_codes(there, "HS2022", "HS1992")["converted"]
    assert back.sort("code").select("code", "value_usd").equals(table.sort("code"))


def test_unknown_stays_unknown() -> None:
    """Law 2: an unknown amount makes the sum unknown, its low end counts what is known."""
    table = pl.DataFrame({"code": ["740110", "740120"], "quantity_t": [10.0, None]})
    row = data.convert_codes(table, "HS2002", "HS2007")["converted"].row(0, named=True)
    assert (row["quantity_t"], row["quantity_t_low"], row["quantity_t_high"]) == (None, 10.0, None)


def test_shipped_trade_converts_with_its_provenance() -> None:
    rows = data.trade(["810510", "250410"], importers=["KOR"], years=[2023])
    result = data.convert_codes(rows, "HS1992", "HS2022")
    converted = result["converted"]
    assert set(converted["revision"]) == {"HS2022"}
    assert converted["value_usd"].sum() == pytest.approx(rows["value_usd"].sum(), rel=1e-9)
    divided = converted.filter(pl.col("code").is_in(["810520", "810530"]))
    assert set(divided["grade"]) == {"C"}
    assert divided["source_ref"].str.contains("k=810510").all()
    assert "split-by-assumption" in {f.code for f in result.findings}
    assert result.units["converted"]["value_usd_high"] == "USD"


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        (flows(["811299", "999999"], [1.0, 1.0]), NotCoveredError, "knows no 999999 in HS1992"),
        (flows(["81129"], [1.0]), InputError, "6 digits as text, got '81129'"),
        (pl.DataFrame({"code": [811299], "value_usd": [1.0]}), InputError, "Write codes as text"),
        (flows(["811299"], [-1.0]), InputError, "value_usd is negative"),
        (
            flows(["811299"], [1.0], revision=["HS2017"]),
            LabelError,
            "written in HS2017; from_revision is HS1992",
        ),
        (pl.DataFrame({"code": ["811299"], "value": [1.0]}), UnitError, "amount value has no unit"),
        (pl.DataFrame({"code": ["811299"]}), InputError, "no column to convert"),
        (pl.DataFrame({"kode": ["811299"], "value_usd": [1.0]}), UnknownNameError, "unknown column 'code'"),
        (pl.DataFrame({"code": ["811299"], "value_usd": [2**60]}), InputError, "above 2\\*\\*53"),
    ],
)
def test_a_table_that_cannot_be_converted_is_refused(
    table: pl.DataFrame, error: type[Exception], message: str
) -> None:
    """Laws 3, 4 and 12: what is wrong, where, and what would be right."""
    with pytest.raises(error, match=message):
        data.convert_codes(table, "HS1992", "HS2022")


def test_a_code_that_is_not_covered_can_be_kept() -> None:
    result = data.convert_codes(flows(["999999", "282520"], [4.0, 6.0]), "HS1992", "HS2022", uncovered="keep")
    assert result["converted"].select("code", "value_usd", "basis").rows() == [
        ("282520", 6.0, "one code"),
        (None, 4.0, "left"),
    ]
    assert "code-not-in-concordance" in {f.code for f in result.findings}


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (
            weights_of("HS2002", "HS2007", "811230", ["811292", "811299"], [0.9, 0.2]),
            InputError,
            "sum to 1.1",
        ),
        (
            weights_of("HS2002", "HS2007", "811230", ["811292"], [1.0]),
            LabelError,
            "the concordance leads it to",
        ),
        (
            weights_of("HS2002", "HS2007", "811230", ["811292", "811292"], [0.5, 0.5]),
            InputError,
            "there twice",
        ),
        (
            weights_of("HS2002", "HS2007", "811230", ["811292", "811299"], [1.5, -0.5]),
            InputError,
            "is broken",
        ),
        (pl.DataFrame({"from_code": ["811230"]}), InputError, "column from_revision, to_revision"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    weights: pl.DataFrame, error: type[Exception], message: str
) -> None:
    """Law 3: weights name the codes of the concordance, all of them, and sum to one."""
    with pytest.raises(error, match=message):
        data.concordance("HS2002", "HS2007", ["811230"], weights=weights)


def test_an_unknown_revision_is_named() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown revision 'HS2018'\. Did you mean 'HS2017'"):
        data.concordance("HS2018", "HS2022")


# --- learning ---------------------------------------------------------------------------


def both_revisions(noise: float, count: int = 60, seed: int = 5) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Flows of germanium, vanadium and the basket in 2002 codes, and the same in 2007 codes."""
    rng = np.random.default_rng(seed)
    shares = {"811230": {"811292": 0.9, "811299": 0.1}, "811240": {"811292": 0.3, "811299": 0.7}}
    shares |= {"811292": {"811292": 1.0}, "811299": {"811299": 1.0}}
    old, new = [], []
    for flow in range(count):
        for code, parts in shares.items():
            value = float(rng.lognormal(10, 1.5))
            old.append((flow, code, value))
            for target, share in parts.items():
                moved = share * (1 + noise * rng.standard_normal())
                new.append((flow, target, value * max(moved, 0.0)))
    names = ["flow", "code", "value_usd"]
    return pl.DataFrame(old, schema=names, orient="row"), pl.DataFrame(new, schema=names, orient="row")


def learned(old: pl.DataFrame, new: pl.DataFrame, **more: Any) -> dict[tuple[str, str], dict[str, Any]]:
    result = data.learn_weights(
        old, new, "HS2002", "HS2007", np.random.default_rng(2), keys=["flow"], draws=60, **more
    )
    return {(r["from_code"], r["to_code"]): r for r in result["weights"].to_dicts()}


def test_weights_are_learned_from_flows_in_both_revisions() -> None:
    """Equation E18 finds the shares that made the data, here germanium 90 % and vanadium 30 % to 8112.92."""
    found = learned(*both_revisions(0.0))
    assert found["811230", "811292"]["weight"] == pytest.approx(0.9, abs=1e-6)
    assert found["811240", "811292"]["weight"] == pytest.approx(0.3, abs=1e-6)
    assert {row["basis"] for row in found.values()} == {"learned"}


def test_the_interval_of_a_learned_weight_widens_with_noise() -> None:
    exact, rough = learned(*both_revisions(0.0)), learned(*both_revisions(0.3))
    width = {k: v["high"] - v["low"] for k, v in rough.items()}
    assert all(exact[k]["high"] - exact[k]["low"] < 1e-6 for k in exact)
    assert all(0.005 < w < 0.5 for w in width.values())
    assert rough["811230", "811292"]["low"] <= 0.9 <= rough["811230", "811292"]["high"]


def test_learning_agrees_with_an_independent_solver() -> None:
    """The quadratic program and SciPy's bounded least squares give the same share."""
    from scipy.optimize import minimize_scalar

    old, _ = both_revisions(0.2)
    only = old.filter(pl.col("code") == "811230").sort("flow")["value_usd"].to_numpy()
    split = [0.9 * only * 1.02, 0.1 * only * 0.9]
    made = pl.concat(
        pl.DataFrame({"flow": range(60), "code": code, "value_usd": part})
        for code, part in zip(("811292", "811299"), split, strict=True)
    )
    found = learned(old.filter(pl.col("code") == "811230"), made)
    best = minimize_scalar(
        lambda w: ((split[0] - w * only) ** 2).sum() + ((split[1] - (1 - w) * only) ** 2).sum(),
        bounds=(0, 1),
        method="bounded",
        options={"xatol": 1e-12},
    )
    assert found["811230", "811292"]["weight"] == pytest.approx(best.x, abs=1e-6)


def test_learning_does_not_depend_on_order_or_unit() -> None:
    """Laws 6 and 7: the same seed, shuffled rows and other units give the same weights."""
    old, new = both_revisions(0.2)
    first = learned(old, new)
    again = learned(
        old.sample(fraction=1.0, shuffle=True, seed=1), new.sample(fraction=1.0, shuffle=True, seed=2)
    )
    assert again == first
    scaled = [t.with_columns(pl.col("value_usd") * 4096) for t in (old, new)]
    for key, row in learned(*scaled).items():
        assert row["weight"] == pytest.approx(first[key]["weight"], abs=1e-9)


def test_codes_whose_flows_move_together_stay_open() -> None:
    """Law 2: where the data cannot say, the weight is an assumption from 0 to 1."""
    value = [float(v) for v in range(1, 31)]
    old = pl.concat(
        pl.DataFrame({"flow": range(30), "code": code, "value_usd": value}) for code in ("811230", "811240")
    )
    new = pl.concat(
        pl.DataFrame({"flow": range(30), "code": code, "value_usd": value}) for code in ("811292", "811299")
    )
    result = data.learn_weights(
        old, new, "HS2002", "HS2007", np.random.default_rng(1), keys=["flow"], draws=5
    )
    assert result["weights"].select("low", "high", "basis").unique().rows() == [(0.0, 1.0, "assumed")]
    assert [f.code for f in result.findings] == ["weights-not-learned"]
    few = data.learn_weights(
        old.filter(pl.col("flow") < 3), new, "HS2002", "HS2007", np.random.default_rng(1), keys=["flow"]
    )
    assert "too few flows" in few.findings[0].message


def test_a_code_that_was_left_out_is_noticed() -> None:
    """Law 2: flows of 8112.92 that come from a code not given would be taken for germanium's."""
    old, new = both_revisions(0.0)
    generator = np.random.default_rng(1)
    part = old.filter(pl.col("code") == "811230")
    result = data.learn_weights(part, new, "HS2002", "HS2007", generator, keys=["flow"], draws=5)
    assert "flows-do-not-match" in {f.code for f in result.findings}
    whole = data.learn_weights(old, new, "HS2002", "HS2007", generator, keys=["flow"], draws=5)
    assert not whole.findings


def test_a_code_fed_from_unknown_codes_is_not_compared() -> None:
    """Compounds of mercury (2852.00) come from codes outside the table too: only the rest is compared."""
    rng = np.random.default_rng(3)
    value = [float(v) for v in rng.lognormal(8, 1, 40)]
    old = pl.DataFrame({"flow": range(40), "code": "284990", "value_usd": value})
    mercury = pl.DataFrame({"flow": range(40), "code": "285200", "value_usd": [9e9] * 40})
    new = pl.concat([old.with_columns(pl.col("value_usd") * 0.98), mercury])
    result = data.learn_weights(old, new, "HS2002", "HS2007", rng, keys=["flow"], draws=5)
    rows = {r["to_code"]: r["weight"] for r in result["weights"].to_dicts() if r["from_code"] == "284990"}
    assert rows == pytest.approx({"284990": 0.98, "285200": 0.02}, abs=1e-6)


def test_learned_weights_convert_with_their_interval() -> None:
    old, new = both_revisions(0.3)
    weights = data.learn_weights(
        old, new, "HS2002", "HS2007", np.random.default_rng(2), keys=["flow"], draws=40
    )
    result = data.convert_codes(flows(["811230"], [100.0]), "HS2002", "HS2007", weights=weights)
    row = result["converted"].filter(pl.col("code") == "811292").row(0, named=True)
    assert row["basis"] == "learned"
    assert 70 < row["value_usd_low"] < row["value_usd"] < row["value_usd_high"] < 100


def test_learning_names_what_is_missing() -> None:
    old, new = both_revisions(0.0)
    generator = np.random.default_rng(1)
    with pytest.raises(LabelError, match="right: column flow is missing"):
        data.learn_weights(old, new.drop("flow"), "HS2002", "HS2007", generator, keys=["flow"])
    with pytest.raises(NotCoveredError, match="2 steps apart"):
        data.learn_weights(old, new, "HS2002", "HS2012", generator, keys=["flow"])


SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "trade" / "baci_hs17_2024_30codes.parquet"


@pytest.mark.skipif(not SHARED.is_file(), reason="the extract of BACI in HS2017 is not beside the repository")
def test_baci_in_two_revisions_agrees_where_a_code_has_one_counterpart() -> None:
    """World trade of 2024 in HS1992 and in HS2017: two releases, the same goods where nothing divides."""
    new = pl.read_parquet(SHARED).group_by("hs6").agg(pl.col("value_kusd").sum() * 1000)
    known = [code for code in new["hs6"].sort().to_list() if code in route("HS2017", "HS2012")[0].targets]
    links = data.concordance("HS2017", "HS1992", known)["links"].filter(pl.col("low") == 1.0)
    back = data.concordance("HS1992", "HS2017")["links"].filter(pl.col("low") == 1.0)
    both = links.join(back, left_on=["from_code", "to_code"], right_on=["to_code", "from_code"])
    old = data.trade(years=[2024]).group_by("code").agg(pl.col("value_usd").sum())
    seen = both.join(old, left_on="to_code", right_on="code").join(new, left_on="from_code", right_on="hs6")
    deviation = (seen["value_kusd"] / seen["value_usd"] - 1).abs()
    assert seen.height >= 12
    assert float(str(deviation.median())) < 0.05
    part = new.filter(pl.col("hs6") == "810320")["value_kusd"].item()
    whole = old.filter(pl.col("code") == "810310")["value_usd"].item()
    assert part < whole  # unwrought tantalum without the scrap that HS1992 counts with it


# --- the publishers' files -----------------------------------------------------------------


def united_nations(path: Path, pairs: list[tuple[Any, Any, str]], conversions: list[tuple[Any, Any]]) -> Path:
    """Write a workbook as the UN Statistics Division does: conversions, and correlations under a title."""
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.title = "HS2022-HS2017 Conversions"
    first.append(["From HS2022", "To HS2017", None, None])
    for row in conversions:
        first.append([*row, None, None])
    second = book.create_sheet("HS2022-HS2017 Correlations")
    second.append(["Between", None, None])
    second.merge_cells("A1:B1")
    second.append(["HS2022", "HS2017", "Relationship"])
    for pair in pairs:
        second.append(list(pair))
    book.save(path)
    return path


PAIRS: list[tuple[Any, Any, str]] = [
    ("010121", "010121", "1:1"),
    ("811231", "811292", "n:1"),
    ("811241", "811292", "n:1"),
    ("811292", "811292", "n:1"),
    ("999999", "999999", "1:1"),
]
CONVERSIONS = [("010121", "010121"), ("811231", "811292"), ("811241", "811292"), ("811292", "811292")]


def test_the_workbook_of_the_united_nations_is_read(tmp_path: Path) -> None:
    path = united_nations(tmp_path / "HS2022toHS2017ConversionAndCorrelationTables.xlsx", PAIRS, CONVERSIONS)
    found = reading(path, Asked())
    assert found.table.columns == [c.name for c in public_columns("concordance")]
    assert (found.dataset, found.revision) == ("hs-correlation-hs2022-hs2017", "HS2017>HS2022")
    assert found.as_of == date(2022, 1, 1)
    row = found.table.filter(pl.col("from_code") == "811231").row(0, named=True)
    assert (row["to_code"], row["relation"], row["named"], row["grade"]) == ("811292", "n:1", "yes", "A")
    assert row["source_ref"] == "HS2022-HS2017 Correlations, row 4"


def test_codes_that_excel_turned_into_numbers_get_their_zero_back(tmp_path: Path) -> None:
    path = united_nations(tmp_path / "t.xlsx", [(10121, 10121.0, "1:1")], [(10121, 10121)])
    assert reading(path, Asked()).table.select("from_code", "to_code").rows() == [("010121", "010121")]


def test_an_added_table_is_a_way_in_both_directions(tmp_path: Path) -> None:
    store = tmp_path / "store"
    path = united_nations(tmp_path / "t.xlsx", PAIRS, CONVERSIONS)
    added = data.add("hs-correlation", path, store)["added"].row(0, named=True)
    name = added["dataset"]
    back = data.concordance("HS2022", "HS2017", ["811231"], dataset=name, folder=store)["links"]
    assert back.select("to_code", "basis").rows() == [("811292", "one code")]
    there = data.concordance("HS2017", "HS2022", ["811292"], dataset=name, folder=store)["links"]
    assert there.select("to_code", "weight").rows() == [("811231", 0.0), ("811241", 0.0), ("811292", 1.0)]
    with pytest.raises(NotCoveredError, match="no concordance leads from HS1992 to HS2022"):
        data.concordance("HS1992", "HS2022", dataset=name, folder=store)
    chain = data.concordance("HS1992", "HS2022", ["811291"], dataset=[name, "shipped"], folder=store)
    assert chain["links"]["to_code"].to_list() == ["811231", "811241", "811292", None]
    assert {i.name.split("/")[0] for i in chain.lineage.inputs} == {name, "hs_concordance"}
    with pytest.raises(NotCoveredError, match="was knowable on 2020-01-01"):
        data.concordance("HS2017", "HS2022", dataset=name, folder=store, as_of="2020-01-01")


WITS = (
    "HS 2017 Product Code,HS 2017 Product Description,HS 2012 Product Code,HS 2012 Product Description\r\n"
    "090300,Maté.,090300,Maté.\r\n"
    '281112,"Hydrogen cyanide",281119,"Other acids, inorganic"\r\n'
    '281119,"Other",281119,"Other acids, inorganic"\r\n'
)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("codec", ["cp1252", "utf-8"])
def test_the_world_banks_table_is_read(tmp_path: Path, packed: bool, codec: str) -> None:
    path = tmp_path / "JobID-92_Concordance_H5_to_H4.CSV"
    path.write_bytes(WITS.encode(codec))
    if packed:
        with zipfile.ZipFile(tmp_path / "Concordance_H5_to_H4.zip", "w") as archive:
            archive.write(path, path.name)
        path = tmp_path / "Concordance_H5_to_H4.zip"
    table = reading(path, Asked()).table
    assert table.select("from_revision", "to_revision").unique().rows() == [("HS2017", "HS2012")]
    assert table["from_description"].to_list() == ["Maté.", "Hydrogen cyanide", "Other"]
    assert table["relation"].to_list() == ["1:1", "n:1", "n:1"]
    assert set(table["source"]) == {"World Bank, WITS, correlation of HS2017 with HS2012"}


def test_the_first_revision_has_two_years_in_its_name(tmp_path: Path) -> None:
    path = tmp_path / "JobID-44_Concordance_H3_to_H0.CSV"
    path.write_text(
        "HS 2007 Product Code,HS 2007 Product Description,"
        "HS 1988/92 Product Code,HS 1988/92 Product Description\n"
        "740100,Mattes,740110,Mattes\n740100,Mattes,740120,Cement copper\n"
    )
    assert reading(path, Asked()).revision == "HS1992>HS2007"


def korean(path: Path, header: list[str], rows: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "연계표"
    sheet.append(["HSK 신구 연계표"])
    sheet.append(header)
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def test_a_linkage_table_of_national_codes_is_read(tmp_path: Path) -> None:
    """Old and new codes of ten digits, with the day; the split of the cathode code in 2022."""
    rows: list[list[Any]] = [["2841909000", f"28419090{n}0", "2022-01-01"] for n in (1, 2, 3)]
    rows.append(["8548101000", None, "2022.01.01"])
    named = korean(tmp_path / "a.xlsx", ["HSK 2017", "HSK 2022", "시행일"], rows)
    sides = korean(tmp_path / "b.xlsx", ["개정 전 품목번호", "개정 후 품목번호", "적용일"], rows)
    for found in (reading(named, Asked()), reading(sides, Asked("HSK2017>HSK2022"))):
        assert found.revision == "HSK2017>HSK2022"
        assert found.table["to_code"].to_list() == ["2841909010", "2841909020", "2841909030", None]
        assert set(found.table["valid_from"]) == {date(2022, 1, 1)}
    store = tmp_path / "store"
    name = data.add("hs-correlation", named, store)["added"]["dataset"].item()
    links = data.concordance("HSK2017", "HSK2022", dataset=name, folder=store)["links"]
    assert links.filter(pl.col("from_code") == "2841909000")["weight"].to_list() == pytest.approx([1 / 3] * 3)
    assert links.filter(pl.col("from_code") == "8548101000")["basis"].item() == "left"
    with pytest.raises(SourceFormatError, match="no table sets two revisions"):
        reading(sides, Asked())
    with pytest.raises(InputError, match="Write it like HSK2017>HSK2022"):
        reading(sides, Asked("HSK2022"))


BAD: list[tuple[list[tuple[Any, Any, str]], str]] = [
    ([("81129", "811292", "1:1")], "'81129' is no code|row 3"),
    ([("=A1", "811292", "1:1")], "row 3, column HS2022-HS2017 Correlations!HS2022: '=A1' is a formula"),
    ([("811,292", "811292", "1:1")], "'811,292' is no code of 6 digits"),
    ([(None, "811292", "1:1")], "row 3, column .*HS2022: is empty"),
    ([("811231", "811292", "many")], "'many' is none of 1:1, 1:n, n:1, n:n"),
    ([("811231", "811292", "n:1"), ("811231", "811292", "n:1")], "is already in row 3"),
    ([("001121", "811292", "1:1")], "'001121' is no code"),
    ([], "no row follows the header"),
]


@pytest.mark.parametrize(("pairs", "message"), BAD)
def test_a_faulty_workbook_is_named_cell_by_cell_and_nothing_is_stored(
    tmp_path: Path, pairs: list[tuple[Any, Any, str]], message: str
) -> None:
    """Law 12: row, column and cure; the store is as it was."""
    path = united_nations(tmp_path / "t.xlsx", pairs, [])
    if pairs == BAD[0][0]:
        book = openpyxl.load_workbook(path)
        book["HS2022-HS2017 Correlations"]["A3"] = "8112"
        book.save(path)
        message = "'8112' is no code of 6 digits"
    with pytest.raises(SourceFormatError, match=message):
        data.add("hs-correlation", path, tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_merged_codes_are_refused(tmp_path: Path) -> None:
    path = united_nations(tmp_path / "t.xlsx", PAIRS, CONVERSIONS)
    book = openpyxl.load_workbook(path)
    book["HS2022-HS2017 Correlations"].merge_cells("B4:B6")
    book.save(path)
    with pytest.raises(SourceFormatError, match=r"B4:B6: cells are merged: write the code into each row"):
        reading(path, Asked())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "a web page saved under the name"),
        (b"", "the file is empty"),
        (b"\xd0\xcf\x11\xe0 old workbook", "an old Excel workbook"),
        (b"PK\x03\x04 half a zip", "truncated or damaged"),
        (WITS.split("\r\n", maxsplit=1)[0].encode() + b'\r\n281112,"half a row', "no whole CSV file"),
        ("HS2022,HS2017,관계\n811231,811292,n:1\n".encode("cp949"), "not UTF-8"),
        (b"HS - Combined  Product Code,HS 2012 Product Code\n811292,811292\n", "no table sets two revisions"),
        (b"a,b\n1,2\n", "no table sets two revisions"),
    ],
)
def test_a_file_that_is_no_concordance_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """Law 12: what it is, and what would be right."""
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(SourceFormatError, match=message):
        data.add("hs-correlation", path, tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 50_000_000)
    with pytest.raises(SourceFormatError, match="no table of numbers packs so well"):
        reading(path, Asked())


def test_half_a_workbook_is_refused(tmp_path: Path) -> None:
    whole = united_nations(tmp_path / "t.xlsx", PAIRS, CONVERSIONS)
    half = tmp_path / "half.xlsx"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(SourceFormatError, match="truncated or damaged"):
        reading(half, Asked())


def test_both_directions_must_agree(tmp_path: Path) -> None:
    path = united_nations(tmp_path / "t.xlsx", PAIRS, CONVERSIONS)
    book = openpyxl.load_workbook(path)
    sheet = book.create_sheet("HS2017-HS2022 Correlations")
    for row in (["HS2017", "HS2022", "Relationship"], ["811292", "811231", "1:n"]):
        sheet.append(row)
    book.save(path)
    with pytest.raises(SourceFormatError, match="do not hold the same pairs"):
        reading(path, Asked())


def test_every_shipped_row_cites_its_table() -> None:
    """Law 10: each link names the UN's table between its two revisions."""
    with (TABLES / "hs_concordance.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            older, newer = row["from_revision"][2:], row["to_revision"][2:]
            assert row["source"].endswith(f"HS {newer} to HS {older}")
            assert row["as_of"] == f"{newer}-01-01"
            assert row["to_code"] or row["note"]
