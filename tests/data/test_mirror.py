"""Mirror flows: known reliability is recovered, both reports stay, nothing is moved in silence."""

from __future__ import annotations

import math
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from evernormal import data
from evernormal.data import mirror
from evernormal.data.customs_rows import Declarations, at_level
from evernormal.data.reliability import reporting_variances
from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.result import Input, Result

from .made_up_customs import add_declarations, declared

COUNTRIES = ("KOR", "CHN", "USA", "JPN", "DEU", "CHL", "AUS", "VNM", "COD", "IDN")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path


def flows_of(rows: pl.DataFrame, folder: Path, **asked: Any) -> Result:
    return data.mirror_flows(folder=add_declarations(folder, rows), **asked)


def only(result: Result, **where: str) -> dict[str, Any]:
    found = result["flows"].filter(**where)
    assert found.height == 1
    return found.row(0, named=True)


def world(
    seed: int, deviations: dict[str, float], codes: int, cif: float = 1.08
) -> tuple[pl.DataFrame, dict]:
    """Trade of every pair, reported by both sides with errors of known size; and the truth."""
    rng = np.random.default_rng(seed)
    rows, truth = [], {}
    for code in (f"28{n:04d}" for n in range(codes)):
        for (exporter, sending), (importer, receiving) in permutations(deviations.items(), 2):
            true = math.exp(rng.normal(14, 2))
            sent = true * math.exp(rng.normal(0, sending))
            came = cif * true * math.exp(rng.normal(0, receiving))
            rows.append(("2023", exporter, importer, "export", code, sent))
            rows.append(("2023", importer, exporter, "import", code, came))
            truth[("2023", code, exporter, importer)] = true
    return declared(*rows), truth


DEVIATIONS = dict(
    zip(COUNTRIES, np.exp(np.linspace(math.log(0.05), math.log(0.6), len(COUNTRIES))), strict=True)
)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, dict[tuple[str, ...], float]]:
    rows, truth = world(7, DEVIATIONS, codes=40)
    return flows_of(rows, tmp_path_factory.mktemp("store")), truth


def test_known_reliability_is_recovered(known: tuple[Result, dict]) -> None:
    """E17: the deviation of each reporter within 15 % or 0.03, and every reporter in its place."""
    table = known[0]["reliability"]
    assert table["country"].to_list() == list(COUNTRIES)
    for row in table.to_dicts():
        assert math.sqrt(row["variance"]) == pytest.approx(DEVIATIONS[row["country"]], rel=0.15, abs=0.03)
        assert row["pairs"] == 40 * 18
        assert abs(row["tendency"]) < 0.1


def test_intervals_cover_what_they_claim(known: tuple[Result, dict]) -> None:
    """E16: the 80 % interval holds the truth in 75 to 88 % of flows."""
    result, truth = known
    inside = [
        row["low"] <= truth[(row["period"], row["code"], row["exporter"], row["importer"])] <= row["high"]
        for row in result["flows"].to_dicts()
    ]
    assert 0.75 <= np.mean(inside) <= 0.88


def test_the_value_is_nearer_to_the_truth_than_either_report(known: tuple[Result, dict]) -> None:
    result, truth = known
    rows = result["flows"].to_dicts()
    true = np.array([truth[(r["period"], r["code"], r["exporter"], r["importer"])] for r in rows])

    def error(column: str) -> float:
        return float(np.sqrt(np.mean(np.log(np.array([r[column] for r in rows]) / true) ** 2)))

    assert error("reconciled") < 0.6 * min(error("exporter_reports"), error("importer_fob"))


def test_the_value_lies_between_both_reports(known: tuple[Result, dict]) -> None:
    """Both sides stay, and the better reporter weighs more."""
    flows = known[0]["flows"]
    reports = (
        pl.min_horizontal("exporter_reports", "importer_fob"),
        pl.max_horizontal("exporter_reports", "importer_fob"),
    )
    assert flows.filter(pl.col("reconciled").is_between(*reports)).height == flows.height
    assert flows.filter(exporter="KOR", importer="IDN")["weight_exporter"].min() > 0.95
    assert flows.filter(exporter="IDN", importer="KOR")["weight_exporter"].max() < 0.05


def test_transport_costs_are_estimated(known: tuple[Result, dict]) -> None:
    assert known[0]["flows"]["cif_fob"].mean() == pytest.approx(1.08, abs=0.01)


def test_reporters_alike_share_alike(store: Path) -> None:
    """A symmetric case: equal variances, equal weights, the value in the middle on logarithms."""
    rows = []
    for one, other in (("KOR", "JPN"), ("JPN", "KOR")):
        rows.append(("2023", one, other, "export", "282520", 100.0))
        rows.append(("2023", other, one, "import", "282520", 121.0))
    result = flows_of(declared(*rows), store, cif_fob=1.0)
    for row in result["flows"].to_dicts():
        assert row["weight_exporter"] == pytest.approx(0.5)
        assert row["reconciled"] == pytest.approx(110.0)
        assert row["low"] * row["high"] == pytest.approx(110.0**2)
    one, other = result["reliability"]["variance"]
    assert one == pytest.approx(other, rel=1e-9)


def test_few_pairs_are_drawn_to_the_common_variance() -> None:
    """One pair says little: its reporter stays near the common variance; hundred pairs say more."""
    rng = np.random.default_rng(3)
    left, right = rng.integers(0, 5, 400), rng.integers(5, 10, 400)
    far = np.concatenate([rng.normal(0, 0.2, 400), [3.0]])
    once = reporting_variances(np.append(left, 10), np.append(right, 0), far, 11, 5.0)
    assert once.variances[10] < 0.1 * 3.0**2
    many = reporting_variances(
        np.append(left, [10] * 100),
        np.append(right, [0] * 100),
        np.append(far[:400], rng.normal(0, 3, 100)),
        11,
        5.0,
    )
    assert math.sqrt(many.variances[10]) == pytest.approx(3.0, rel=0.2)


def test_variances_are_never_negative_and_no_reporter_is_beyond_doubt() -> None:
    rng = np.random.default_rng(5)
    left, right = np.array([0] * 50 + [1] * 50), np.array([1] * 50 + [2] * 50)
    distances = np.concatenate([np.zeros(50), rng.normal(0, 1, 50)])
    found = reporting_variances(left, right, distances, 3, 5.0)
    assert (found.variances > 0).all()
    assert found.variances[2] > 10 * found.variances[0]


def test_reports_that_agree_have_no_spread(store: Path) -> None:
    rows = [
        ("2023", "KOR", "JPN", "export", "282520", 100.0),
        ("2023", "JPN", "KOR", "import", "282520", 100.0),
    ]
    row = only(flows_of(declared(*rows), store, cif_fob=1.0))
    assert (row["low"], row["reconciled"], row["high"]) == (100.0, 100.0, 100.0)


# One side, silence, no pairs ------------------------------------------------------------------------


def some_pairs(*more: tuple[Any, ...]) -> pl.DataFrame:
    rows, _ = world(11, dict.fromkeys(("KOR", "CHN", "JPN", "USA"), 0.2), codes=10)
    return pl.concat([rows, declared(*more)])


def test_one_side_alone_is_kept_with_a_wider_interval(store: Path) -> None:
    """Law 2: what the other side says is unknown, not zero."""
    result = flows_of(
        some_pairs(
            ("2023", "KOR", "CHL", "import", "283691", 1060.0),
            ("2023", "KOR", "JPN", "import", "283691", 1060.0),
        ),
        store,
        cif_fob=1.06,
    )
    alone = only(result, exporter="CHL")
    assert (alone["sides"], alone["partner_silent"]) == ("importer", False)
    assert alone["exporter_reports"] is None
    assert (alone["importer_fob"], alone["reconciled"], alone["weight_exporter"]) == (1000.0, 1000.0, 0.0)
    silent = only(result, exporter="JPN", code="283691")
    assert silent["partner_silent"], "Japan reports exports of the year, and none of these"
    both = result["flows"].filter(sides="both", exporter="JPN", importer="KOR")
    calm = both.filter(pl.col("log_ratio").abs() < 0.1).row(0, named=True)

    def width(row: dict[str, Any]) -> float:
        return float(row["high"] / row["low"])

    assert width(calm) < width(alone) < width(silent)
    assert {"mirror-one-sided", "mirror-silent-partner"} <= {f.code for f in result.findings}


def test_without_any_pair_there_is_no_interval(store: Path) -> None:
    """Law 2: how well they report is unknown."""
    result = flows_of(declared(("2023", "KOR", "CHL", "import", "283691", 1060.0)), store)
    row = only(result)
    assert (row["reconciled"], row["low"], row["high"]) == (pytest.approx(1000.0), None, None)
    assert result["reliability"]["variance"].to_list() == [None]
    assert "mirror-no-pairs" in {f.code for f in result.findings}


def test_two_far_reports_widen_the_interval(store: Path) -> None:
    far = (
        ("2023", "KOR", "JPN", "export", "283691", 100.0),
        ("2023", "JPN", "KOR", "import", "283691", 5300.0),
    )
    result = flows_of(some_pairs(*far), store, cif_fob=1.06)
    row = only(result, code="283691")
    assert row["low"] < 500 < row["high"]
    assert row["high"] / row["low"] > 50
    said = next(f for f in result.findings if f.code == "mirror-disagreement")
    assert "the importer reports 50.0 times" in said.message


def test_imports_free_on_board_are_not_divided(store: Path) -> None:
    rows = pl.concat(
        [
            some_pairs(("2023", "JPN", "KOR", "export", "283691", 100.0)),
            declared(("2023", "KOR", "JPN", "import", "283691", 100.0), basis="FOB"),
        ]
    )
    row = only(flows_of(rows, store, cif_fob=1.5), code="283691")
    assert (row["cif_fob"], row["importer_basis"], row["importer_fob"]) == (1.0, "FOB", 100.0)


def test_weights_have_no_transport_costs_and_part_of_a_sum_is_no_sum(store: Path) -> None:
    """Law 2: a flow with one unknown weight has no known weight."""
    rows = declared(
        ("2024", "JPN", "KOR", "export", "282520", 1.0, 50.0),
        ("2024", "KOR", "JPN", "import", "2825201000", 1.0, 30.0),
        ("2024", "KOR", "JPN", "import", "2825202000", 1.0, 25.0),
        ("2024", "CHN", "KOR", "export", "282520", 1.0, 50.0),
        ("2024", "KOR", "CHN", "import", "2825201000", 1.0, 30.0),
        ("2024", "KOR", "CHN", "import", "2825202000", 1.0, None),
    )
    result = flows_of(rows, store, by="quantity")
    japan = only(result, exporter="JPN")
    assert (japan["exporter_reports"], japan["importer_reports"], japan["cif_fob"]) == (50.0, 55.0, 1.0)
    assert only(result, exporter="CHN")["sides"] == "exporter"
    assert result.units["flows"]["reconciled"] == "t gross"


# Hubs ----------------------------------------------------------------------------------------------


def hub_case() -> pl.DataFrame:
    """China ships 100 to Hong Kong, which ships 95 to Korea; Korea books 5 of it, and 120 from China."""
    return some_pairs(
        ("2023", "CHN", "HKG", "export", "284690", 100.0),
        ("2023", "HKG", "CHN", "import", "284690", 104.0),
        ("2023", "HKG", "KOR", "export", "284690", 95.0),
        ("2023", "HKG", "KOR", "re-export", "284690", 95.0),
        ("2023", "KOR", "CHN", "import", "284690", 120.0),
        ("2023", "CHN", "KOR", "export", "284690", 25.0),
        ("2023", "KOR", "HKG", "import", "284690", 5.0),
    )


def test_a_hub_is_listed_and_nothing_is_moved(store: Path) -> None:
    result = flows_of(hub_case(), store, cif_fob=1.0, codes=["284690"], importers=["KOR"])
    row = result["hubs"].row(0, named=True)
    assert result["hubs"].height == 1
    assert (row["hub"], row["origin"], row["importer"]) == ("HKG", "CHN", "KOR")
    assert (row["hub_reports"], row["importer_reports_hub"], row["hub_re_exports"]) == (95.0, 5.0, 95.0)
    assert (row["origin_reports"], row["importer_reports_origin"], row["through_hub"]) == (25.0, 120.0, 90.0)
    hub = only(result, exporter="HKG")
    assert (hub["exporter_reports"], hub["importer_reports"]) == (95.0, 5.0)
    assert "mirror-hub-possible" in {f.code for f in result.findings}


def test_re_exports_are_no_second_export(store: Path) -> None:
    """Re-exports are part of exports: they are shown with the hub and never added."""
    result = flows_of(hub_case(), store, codes=["284690"])
    assert only(result, exporter="HKG", importer="KOR")["exporter_reports"] == 95.0


def test_a_silent_origin_makes_no_hub(store: Path) -> None:
    """An origin that reports nothing shows no gap: silence is unknown (law 2)."""
    rows = hub_case().filter(~((pl.col("reporter") == "CHN") & (pl.col("flow") == "export")))
    assert flows_of(rows, store, codes=["284690"])["hubs"].is_empty()


# Laws ----------------------------------------------------------------------------------------------


def test_row_order_changes_nothing(store: Path) -> None:
    """Laws 6 and 7: the same bytes whatever the order of rows."""
    rows, _ = world(2, dict(list(DEVIATIONS.items())[:6]), codes=6)
    rows = pl.concat([rows, hub_case().filter(pl.col("code") == "284690")])
    first = data.mirror_flows(folder=add_declarations(store / "a", rows))
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=4)
    with pytest.MonkeyPatch.context() as patch:
        pinned = first.lineage.inputs
        patch.setattr(mirror, "declarations", lambda *_: Declarations(shuffled, pinned, ()))
        second = data.mirror_flows()
    for name in ("flows", "reliability", "hubs"):
        assert first[name].equals(second[name])


def test_unit_scale_and_names_change_nothing(store: Path) -> None:
    """Law 7: thousand dollars or dollars, these names or others."""
    rows, _ = world(2, dict(list(DEVIATIONS.items())[:5]), codes=6)
    first = flows_of(rows, store / "a")
    scaled = flows_of(rows.with_columns(pl.col("value_usd") * 1024), store / "b")
    ratio = scaled["flows"]["reconciled"] / first["flows"]["reconciled"]
    assert np.allclose(ratio, 1024, rtol=1e-6)
    names = dict(zip(COUNTRIES[:5], ("ZAF", "ARG", "NOR", "BEL", "MEX"), strict=True))
    renamed = flows_of(rows.with_columns(pl.col("reporter", "partner").replace(names)), store / "c")
    variance = {r["country"]: r["variance"] for r in renamed["reliability"].to_dicts()}
    for row in first["reliability"].to_dicts():
        assert variance[names[row["country"]]] == pytest.approx(row["variance"], rel=1e-6)


def test_it_can_be_explained(known: tuple[Result, dict]) -> None:
    """Law 10: both numbers lead to their equation, and the assumption says that it is one."""
    lineage = known[0].lineage
    assert {d.equation for d in lineage.derivations} == {"E16", "E17"}
    assert lineage.inputs[0].name.startswith("made-up/")
    grades = {p.name: (p.grade, p.source) for p in lineage.parameters}
    assert grades["prior_pairs"][0] == "C"
    assert "assumption" in grades["prior_pairs"][1]


def test_only_what_was_knowable_is_used(store: Path) -> None:
    """Law 11."""
    rows = declared(("2023", "KOR", "CHL", "import", "283691", 1060.0))
    add_declarations(store, rows)
    with pytest.raises(NotCoveredError, match="no vintage of 'made-up' was knowable"):
        data.mirror_flows(dataset="made-up", folder=store, as_of="2024-12-31")


# What is counted -----------------------------------------------------------------------------------


def test_totals_over_partners_and_longer_codes_are_not_added(store: Path) -> None:
    rows = declared(
        ("2024", "KOR", "WLD", "import", "282520", 500.0),
        ("2024", "KOR", "ROW", "import", "282520", 20.0),
        ("2024", "KOR", "CHN", "import", "28", 900.0),
        ("2024", "KOR", "CHN", "import", "2825", 700.0),
        ("2024", "KOR", "CHN", "import", "282520", 480.0),
        ("2024", "KOR", "CHN", "import", "2825201000", 400.0),
        ("2024", "KOR", "CHN", "import", "2825202000", 80.0),
        ("2024", "CHN", "KOR", "export", "2825201000", 470.0),
    )
    assert sorted(at_level(rows, ["2825"])["value_usd"]) == [470.0, 700.0]
    result = flows_of(rows, store, cif_fob=1.0)
    row = only(result)
    assert (row["code"], row["exporter_reports"], row["importer_reports"]) == ("282520", 470.0, 480.0)
    shares = data.customs_shares("KOR", ["282520"], folder=store)
    assert shares["shares"].select("supplier", "share").rows() == [("CHN", 0.96), ("ROW", 0.04)]
    assert not [f for f in shares.findings if f.code == "partners-not-total"]


def test_partners_that_do_not_add_to_the_total_are_told(store: Path) -> None:
    rows = declared(
        ("2024", "KOR", "WLD", "import", "282520", 500.0), ("2024", "KOR", "CHN", "import", "282520", 300.0)
    )
    result = data.customs_shares("KOR", ["282520"], folder=add_declarations(store, rows))
    assert [f.code for f in result.findings] == ["partners-not-total"]


def test_where_two_data_sets_declare_the_same_the_first_is_taken(store: Path) -> None:
    korea = declared(("2024-05", "KOR", "CHN", "import", "2825201000", 480.0))
    both = declared(
        ("2024-05", "KOR", "CHN", "import", "282520", 470.0),
        ("2024-05", "CHN", "KOR", "export", "282520", 450.0),
    )
    add_declarations(store, korea, "korea")
    add_declarations(store, both, "comtrade")
    with pytest.raises(InputError, match="Name one or several of korea, comtrade"):
        data.mirror_flows(folder=store)
    result = data.mirror_flows(dataset=["korea", "comtrade"], folder=store)
    assert only(result)["importer_reports"] == 480.0
    assert "declared-twice" in {f.code for f in result.findings}
    assert len(result.lineage.inputs) == 2


def test_years_and_months_are_not_mixed(store: Path) -> None:
    rows = declared(
        ("2024", "KOR", "CHN", "import", "282520", 480.0), ("2024-05", "KOR", "CHN", "import", "282520", 40.0)
    )
    add_declarations(store, rows)
    result = data.mirror_flows(folder=store)
    assert result["flows"]["period"].to_list() == ["2024"]
    assert "years-and-months" in {f.code for f in result.findings}
    assert data.mirror_flows(periods=["2024-05"], folder=store)["flows"]["period"].to_list() == ["2024-05"]


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"by": "weight"}, InputError, "'value' or 'quantity'"),
        ({"codes": ["2825201000"]}, InputError, "two, four or six digits"),
        ({"codes": [282520]}, InputError, "as text"),
        ({"cif_fob": 0.9}, InputError, "from 1 to 2"),
        ({"interval": 1.0}, InputError, "between 0 and 1"),
        ({"prior_pairs": 0.0}, InputError, "above 0"),
        ({"exporters": ["CHI"]}, UnknownNameError, "unknown country 'CHI'"),
        ({"periods": ["2023", "2023-05"]}, InputError, "all years or all months"),
        ({"periods": ["1990"]}, NotCoveredError, "no declaration by partner"),
        ({"codes": ["999999"]}, NotCoveredError, "no declaration by partner"),
        ({"dataset": "made-op"}, UnknownNameError, "made-up"),
    ],
)
def test_wrong_questions(store: Path, asked: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        flows_of(some_pairs(), store, **asked)


def test_without_declarations_the_cure_is_told(store: Path) -> None:
    with pytest.raises(NotCoveredError, match="evernormal data fetch comtrade"):
        data.mirror_flows(folder=store)
    with pytest.raises(NotCoveredError, match="evernormal data fetch comtrade"):
        data.customs(folder=store)


def test_an_input_is_named(store: Path) -> None:
    result = flows_of(some_pairs(), store)
    assert isinstance(result.lineage.inputs[0], Input)
    assert result.save(store / "out")
    assert Result.load(store / "out")["flows"].equals(result["flows"])
