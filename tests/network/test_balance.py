"""Balancing: published cases, an independent route, the laws, and refusal."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evernormal.errors import BalanceError, InputError, LabelError
from evernormal.network.balance import BalanceProblem, balance, sigma_of


def problem(
    values: dict[str, float | None],
    balances: dict[str, dict[str, float]],
    sigma: dict[str, float] | None = None,
    grade: str | dict[str, str] = "A",
    right: dict[str, float] | None = None,
) -> BalanceProblem:
    grades = grade if isinstance(grade, dict) else dict.fromkeys(values, grade)
    items = pl.DataFrame(
        {
            "item": list(values),
            "value": list(values.values()),
            "sigma": [None if sigma is None else sigma.get(k) for k in values],
            "grade": [grades[k] for k in values],
        },
        schema={"item": pl.String, "value": pl.Float64, "sigma": pl.Float64, "grade": pl.String},
    )
    terms = pl.DataFrame(
        [
            {"balance": name, "item": item, "coefficient": float(c)}
            for name, row in balances.items()
            for item, c in row.items()
        ]
    )
    return BalanceProblem(items, terms, right or {})


def closed_form(values: np.ndarray, sigma: np.ndarray, matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Least squares of Stone, Champernowne and Meade without bounds: x - V A' (A V A')+ (A x - b)."""
    variance = np.diag(sigma**2)
    gap = matrix @ values - right
    return values - variance @ matrix.T @ np.linalg.lstsq(matrix @ variance @ matrix.T, gap, rcond=None)[0]


def test_discrepancy_is_shared_in_proportion_to_variance() -> None:
    """One account: income 100 + 50 against spending 160; variances 1, 4, 5 share the gap of 10 (by hand)."""
    result = balance(
        problem(
            {"wages": 100.0, "profits": 50.0, "spending": 160.0},
            {"account": {"wages": 1, "profits": 1, "spending": -1}},
            {"wages": 1.0, "profits": 2.0, "spending": 5**0.5},
        )
    )
    assert result.balanced() == pytest.approx({"wages": 101, "profits": 54, "spending": 155}, abs=1e-12)
    assert result.items["sigmas"].to_list() == pytest.approx([1.0, 2.0, -(5**0.5)])


def test_rows_and_columns_of_a_table_by_hand() -> None:
    """A 2 x 2 table with equal variances and redundant totals: cell + a_i + b_j (Deming and Stephan's normal
    equations, solved by hand): row gaps 2 and 4, column gaps 3 and 3 give changes .75, .25, 1.75, ... ."""
    cells = {"a": 10.0, "b": 20.0, "c": 30.0, "d": 40.0}
    rows = {"r1": {"a": 1, "b": 1}, "r2": {"c": 1, "d": 1}, "c1": {"a": 1, "c": 1}, "c2": {"b": 1, "d": 1}}
    right = {"r1": 32.0, "r2": 74.0, "c1": 42.0, "c2": 64.0}
    result = balance(problem(cells, rows, dict.fromkeys(cells, 1.0), right=right))
    # change_ij = row_i / 2 + col_j / 2 - total / 4 with row = (2, 4), col = (2, 4), total = 6
    assert result.balanced() == pytest.approx({"a": 10.5, "b": 21.5, "c": 31.5, "d": 42.5}, abs=1e-12)


def test_heat_exchanger_with_bypass() -> None:
    """Narasimhan and Jordache (2000), Data Reconciliation and Gross Error Detection, example 1-1."""
    readings = {"F1": 101.91, "F2": 64.45, "F3": 34.65, "F4": 64.20, "F5": 36.44, "F6": 98.88}
    rows = {
        "splitter": {"F1": 1, "F2": -1, "F3": -1},
        "exchanger": {"F2": 1, "F4": -1},
        "valve": {"F3": 1, "F5": -1},
        "mixer": {"F4": 1, "F5": 1, "F6": -1},
    }
    got = balance(problem(readings, rows, dict.fromkeys(readings, 1.0))).balanced()
    published = {"F1": 100.22, "F2": 64.50, "F3": 35.72, "F4": 64.50, "F5": 35.72, "F6": 100.22}
    assert {k: round(v, 2) for k, v in got.items()} == published


def test_unmeasured_flows_come_from_the_balances() -> None:
    """The same exchanger with only F1 and F2 read: both stay, the rest follows."""
    values = {"F1": 101.91, "F2": 64.45, "F3": None, "F4": None, "F5": None, "F6": None}
    rows = {
        "splitter": {"F1": 1, "F2": -1, "F3": -1},
        "exchanger": {"F2": 1, "F4": -1},
        "valve": {"F3": 1, "F5": -1},
        "mixer": {"F4": 1, "F5": 1, "F6": -1},
    }
    result = balance(problem(values, rows))
    expected = {"F1": 101.91, "F2": 64.45, "F3": 37.46, "F4": 64.45, "F5": 37.46, "F6": 101.91}
    assert result.balanced() == pytest.approx(expected, rel=1e-3)
    assert result.items["status"].to_list()[2:] == ["estimated"] * 4
    assert result.items["sigmas"].to_list()[2:] == [None] * 4


@st.composite
def systems(draw: st.DrawFn) -> tuple[dict[str, float], dict[str, float], dict[str, dict[str, float]]]:
    """A trade table: production, use and flows among 2..5 regions, inconsistent."""
    count = draw(st.integers(2, 5))
    value = st.floats(0.0, 1000.0)
    values: dict[str, float] = {}
    rows: dict[str, dict[str, float]] = {f"cell {r}": {} for r in range(count)}
    for r in range(count):
        values[f"production {r}"] = draw(value)
        values[f"use {r}"] = draw(value)
        rows[f"cell {r}"] |= {f"production {r}": 1.0, f"use {r}": -1.0}
        for s in range(count):
            if s != r and draw(st.booleans()):
                name = f"flow {r}>{s}"
                values[name] = draw(value)
                rows[f"cell {r}"][name] = -1.0
                rows[f"cell {s}"][name] = 1.0
    sigma = {k: max(draw(st.sampled_from([0.05, 0.15, 0.5])) * v, 1e-3) for k, v in values.items()}
    return values, sigma, rows


def solve(values, sigma, rows, **options):  # type: ignore[no-untyped-def]
    return balance(problem(values, rows, sigma, grade="C"), **options)


@settings(max_examples=60, deadline=None)
@given(systems())
def test_law_1_every_balance_closes_and_nothing_is_negative(system) -> None:  # type: ignore[no-untyped-def]
    """Law 1."""
    values, sigma, rows = system
    result = solve(values, sigma, rows)
    got = result.balanced()
    assert min(got.values()) >= 0.0
    for row in rows.values():
        terms = [c * got[i] for i, c in row.items()]
        assert abs(sum(terms)) <= 1e-12 * max(1.0, *map(abs, terms), *values.values())
    assert result.optimality < 1e-8


@settings(max_examples=60, deadline=None)
@given(systems(), st.randoms(use_true_random=False), st.sampled_from([1e-6, 1e-3, 2.20462262, 1e3, 1e6]))
def test_law_7_order_and_unit_do_not_matter(system, random, factor) -> None:  # type: ignore[no-untyped-def]
    """Law 7: shuffled rows give the same bytes, another unit the same answer."""
    values, sigma, rows = system
    first = solve(values, sigma, rows).balanced()
    names = list(values)
    random.shuffle(names)
    cells = list(rows)
    random.shuffle(cells)
    shuffled = solve({n: values[n] for n in names}, sigma, {c: rows[c] for c in cells}).balanced()
    assert shuffled == first
    scaled = solve(
        {k: v * factor for k, v in values.items()}, {k: v * factor for k, v in sigma.items()}, rows
    ).balanced()
    size = max(*values.values(), 1e-3)
    assert all(abs(scaled[k] / factor - first[k]) <= 1e-8 * size for k in first)


@settings(max_examples=60, deadline=None)
@given(systems())
def test_two_solvers_and_the_closed_form_agree(system) -> None:  # type: ignore[no-untyped-def]
    """Independent routes: Clarabel, PIQP and, where no bound binds, the textbook formula in dense NumPy."""
    values, sigma, rows = system
    sigma = {name: max(s, 1.0) for name, s in sigma.items()}  # interior-point methods need moves of sane size
    answers = {
        name: solve(values, sigma, rows, solver=name).balanced() for name in ("newton", "clarabel", "piqp")
    }
    size = max(*values.values(), 1e-3)
    for name in values:
        for other in ("clarabel", "piqp"):
            assert answers["newton"][name] == pytest.approx(answers[other][name], abs=1e-8 * size)
    names = sorted(values)
    matrix = np.array([[row.get(n, 0.0) for n in names] for row in rows.values()])
    direct = closed_form(
        np.array([values[n] for n in names]), np.array([sigma[n] for n in names]), matrix, np.zeros(len(rows))
    )
    if direct.min() >= 0:
        got = np.array([answers["clarabel"][n] for n in names])
        np.testing.assert_allclose(got, direct, atol=1e-7 * size)


def test_a_consistent_table_is_returned_untouched() -> None:
    values = {"production": 70.0, "flow A>B": 30.0, "use A": 40.0, "use B": 30.0}
    rows = {"A": {"production": 1, "flow A>B": -1, "use A": -1}, "B": {"flow A>B": 1, "use B": -1}}
    result = balance(problem(values, rows))
    assert result.balanced() == values
    assert result.adjustments.is_empty()
    assert result.solver == "projection"


def test_unknown_production_and_use_leave_trade_as_observed() -> None:
    """Law 2: what is unknown takes up the room, what is observed stays."""
    flows = {"flow A>B": 80.0, "flow B>C": 30.0, "flow A>C": 20.0}
    values: dict[str, float | None] = dict(flows)
    rows: dict[str, dict[str, float]] = {}
    for region in "ABC":
        values[f"production {region}"] = values[f"use {region}"] = None
        rows[region] = {f"production {region}": 1.0, f"use {region}": -1.0}
    for name in flows:
        rows[name[5]][name], rows[name[7]][name] = -1.0, 1.0
    got = balance(problem(values, rows)).balanced()
    assert {k: got[k] for k in flows} == flows
    assert (got["production A"], got["use B"], got["use C"]) == pytest.approx((100.0, 50.0, 50.0))
    assert (got["use A"], got["production B"], got["production C"]) == (0.0, 0.0, 0.0)


def test_implausible_change_is_refused_and_the_offender_named() -> None:
    """Production 1000 times too small (kilotonnes read as tonnes) must not be repaired in silence."""
    values = {"production": 1.0, "exports": 900.0, "use": 100.0}
    rows = {"cell": {"production": 1, "exports": -1, "use": -1}}
    with pytest.raises(BalanceError, match=r"exports from 900 to .* sigma, grade A") as caught:
        balance(problem(values, rows))
    assert caught.value.exit_code == 4
    assert "unit" in caught.value.cure
    weak = balance(problem(values, rows, grade={"production": "C", "exports": "C", "use": "C"}))
    assert weak.adjustments["item"].to_list()


def test_a_large_move_of_a_tiny_flow_is_not_refused() -> None:
    values = {"production A": 1000.0, "use A": 1000.0, "tiny A>B": 0.001, "use B": 0.1}
    rows = {"A": {"production A": 1, "tiny A>B": -1, "use A": -1}, "B": {"tiny A>B": 1, "use B": -1}}
    result = balance(problem(values, rows))
    assert result.adjustments["sigmas"].abs().max() > 5


def test_contradicting_exact_values_name_the_balance() -> None:
    values = {"in": 10.0, "out": 12.0}
    with pytest.raises(BalanceError, match="no non-negative values close these balances: smelter by 2 t"):
        balance(problem(values, {"smelter": {"in": 1, "out": -1}}, {"in": 0.0, "out": 0.0}))


def test_non_negativity_alone_can_be_impossible() -> None:
    with pytest.raises(BalanceError, match="no non-negative values"):
        balance(problem({"a": 1.0, "b": 2.0}, {"sum": {"a": 1, "b": 1}}, right={"sum": -5.0}))


@pytest.mark.parametrize(
    ("values", "rows", "error", "message"),
    [
        ({"a": -1.0}, {"x": {"a": 1}}, InputError, "value of 'a' must be a number not below 0"),
        ({"a": float("nan")}, {"x": {"a": 1}}, InputError, "value of 'a' must be a number"),
        ({"alpha": 1.0}, {"x": {"alpah": 1}}, LabelError, "Did you mean 'alpha'"),
    ],
)
def test_law_12_bad_input_is_named(values, rows, error, message) -> None:  # type: ignore[no-untyped-def]
    """Law 12."""
    with pytest.raises(error, match=message):
        balance(problem(values, rows))


def test_item_given_twice() -> None:
    one = problem({"a": 1.0, "b": 1.0}, {"x": {"a": 1, "b": -1}})
    with pytest.raises(LabelError, match="items given twice: a"):
        balance(BalanceProblem(pl.concat([one.items, one.items.head(1)]), one.terms))


def test_sigma_follows_grade_and_spread() -> None:
    assert sigma_of(200.0, "B") == pytest.approx(30.0)
    assert sigma_of(0.0, "A", floor=2.0) == 2.0
    assert sigma_of(200.0, "A", low=100.0, high=300.0) == 50.0
    with pytest.raises(InputError, match="unknown grade 'D'"):
        sigma_of(1.0, "D")
