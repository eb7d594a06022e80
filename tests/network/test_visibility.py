"""visibility: what a code hides, before and after a national code of its own; the command; customs files."""

from __future__ import annotations

import json
import math
from datetime import date

import polars as pl
import pytest
from typer.testing import CliRunner

from evernormal.app.main import app
from evernormal.errors import NotCoveredError, UnknownNameError
from evernormal.network import basket, split_basket, visibility
from evernormal.network.basket_flows import told_from_customs
from evernormal.result import Result

RARE = ("La", "Ce", "Pr", "Nd", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Sc", "Y")


def seen(result: Result, column: str) -> dict[str, float]:
    return dict(result["elements"].select("element", column).rows())


def test_visibility_is_one_less_the_width_over_the_trade() -> None:
    """Equation E64 against the split itself."""
    result = visibility("284690", "KOR", 2023, rank=False)
    totals = split_basket("284690", "KOR", 2023)["totals"]
    for row in totals.iter_rows(named=True):
        shares = row["quantity_share_high"] - row["quantity_share_low"]
        assert seen(result, "quantity_visibility")[row["element"]] == pytest.approx(1 - shares, abs=1e-9)
        shares = row["value_share_high"] - row["value_share_low"]
        assert seen(result, "value_visibility")[row["element"]] == pytest.approx(1 - shares, abs=1e-9)
    assert set(seen(result, "hidden_usd")) == set(RARE)
    assert result["elements"]["hidden_after_usd"].null_count() == 16
    assert result["new_codes"].is_empty()


def test_a_code_with_one_member_shows_it_whole_and_baskets_of_an_element_add_up() -> None:
    """Cerium has 2846.10 of its own, and hides in 2846.90 and among the metals."""
    result = visibility("cerium", "KOR", 2023, rank=False)
    members = result["members"].filter(pl.col("element") == "Ce")
    own = members.filter(pl.col("code") == "284610").row(0, named=True)
    assert own["value_visibility"] == 1.0 and own["hidden_t"] == 0.0
    assert members.height == 3
    whole = result["elements"].filter(pl.col("element") == "Ce").row(0, named=True)
    assert whole["hidden_usd"] == pytest.approx(members["hidden_usd"].sum())
    assert whole["value_visibility"] == pytest.approx(1 - whole["hidden_usd"] / members["trade_usd"].sum())


def test_without_any_information_an_element_in_a_basket_is_invisible() -> None:
    result = visibility("280530", "KOR", 2023, use=(), rank=False)
    assert set(seen(result, "value_visibility").values()) == {0.0}
    assert set(seen(result, "quantity_visibility").values()) == {0.0}


def test_codes_for_all_seventeen_show_everything_but_promethium() -> None:
    """South Korea's plan for 2026; promethium is in no basket and stays unseen."""
    result = visibility(["284690", "280530", "284610"], "KOR", 2023, new_codes="all", rank=False)
    assert set(seen(result, "value_visibility_after").values()) == {1.0}
    assert set(seen(result, "hidden_after_t").values()) == {0.0}
    assert "Pm" not in seen(result, "value_visibility")
    with pytest.raises(NotCoveredError):
        visibility("promethium", "KOR", 2023)


def test_a_new_code_shows_its_element_and_never_hides_another() -> None:
    """Law 9 in the sense of knowledge: a code takes width away from its own element and from others."""
    result = visibility("284690", "KOR", 2023, new_codes=["neodymium/oxide", "Dy"], rank=False)
    table = result["elements"]
    after = seen(result, "value_visibility_after")
    assert (after["Nd"], after["Dy"]) == (1.0, 1.0)
    for side in ("value", "quantity"):
        assert (table[f"{side}_visibility_after"] >= table[f"{side}_visibility"]).all()
    assert after["Pr"] > seen(result, "value_visibility")["Pr"] + 0.05
    assert "basket-new-code-assumed" in {f.code for f in result.findings}


def test_new_codes_are_ranked_by_what_they_take_away() -> None:
    result = visibility("284690", "KOR", 2023)
    ranked = result["new_codes"]
    assert ranked.height == 16 and ranked["gained_usd"].is_sorted(descending=True)
    single = visibility("284690", "KOR", 2023, new_codes="lanthanum", rank=False)["elements"]
    gained = math.fsum(a - b for a, b in single.select("hidden_usd", "hidden_after_usd").rows())
    row = ranked.filter(pl.col("member") == "lanthanum/oxide").row(0, named=True)
    assert row["gained_usd"] == pytest.approx(gained)
    assert row["gained_own_usd"] + row["gained_others_usd"] == pytest.approx(row["gained_usd"])
    by_weight = visibility("284690", "KOR", 2023, by="quantity")["new_codes"]
    assert by_weight["gained_t"].is_sorted(descending=True)


def test_national_codes_of_a_file_raise_visibility() -> None:
    """The whole of China's shipments is told for lanthanum: nothing of it is hidden there any more."""
    rows = split_basket("284690", "KOR", 2023)["rows"].filter(pl.col("exporter") == "CHN")
    told = rows.select(
        *("year", "exporter", "importer"),
        pl.lit("2846901000").alias("code"),
        pl.lit("lanthanum/oxide").alias("members"),
        pl.col("value_usd") * 0.01,
        pl.col("quantity_t") * 0.5,
    )
    before = visibility("284690", "KOR", 2023, rank=False)
    after = visibility("284690", "KOR", 2023, rank=False, subcodes=told)
    assert seen(after, "quantity_visibility")["La"] > 0.9 > seen(before, "quantity_visibility")["La"]
    assert seen(after, "quantity_visibility")["Nd"] >= 0.45


def test_a_code_that_is_not_in_the_data_is_told() -> None:
    """Law 2: magnets are not in the shipped trade; what they hide is unknown."""
    result = visibility("neodymium", "KOR", 2023, rank=False)
    finding = next(f for f in result.findings if f.code == "basket-code-not-covered")
    assert finding.values["codes"] == ["850511"]


def test_bad_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="neodimium"):
        visibility("284690", "KOR", 2023, new_codes=["neodimium"])
    with pytest.raises(UnknownNameError, match="transit"):
        visibility("284690", "KOR", 2023, flow="transit")
    with pytest.raises(UnknownNameError, match="weight"):
        visibility("284690", "KOR", 2023, by="weight")  # type: ignore[arg-type]
    with pytest.raises(NotCoveredError):
        visibility("unobtainium", "KOR", 2023)


def customs(rows: list[tuple[str, str, str, str, str, float]]) -> pl.DataFrame:
    """Customs rows: reporter, partner, flow, revision, code, kilograms."""
    return pl.DataFrame(
        {
            "period": ["2023"] * len(rows),
            "year": [2023] * len(rows),
            "reporter": [r[0] for r in rows],
            "partner": [r[1] for r in rows],
            "flow": [r[2] for r in rows],
            "revision": [r[3] for r in rows],
            "code": [r[4] for r in rows],
            "value_usd": [r[5] * 100 for r in rows],
            "quantity_t": [r[5] / 1000 for r in rows],
            "as_of": [date(2024, 2, 1)] * len(rows),
        }
    )


def test_customs_rows_become_national_figures_of_their_flow() -> None:
    """An importer goes before the exporter; totals of six digits and all partners split nothing."""
    rows = customs(
        [
            ("KOR", "CHN", "import", "HSK2022", "8112923000", 10.0),
            ("KOR", "CHN", "import", "HSK2022", "811292", 99.0),
            ("KOR", "WLD", "import", "HSK2022", "8112923000", 99.0),
            ("CHN", "KOR", "export", "HS2022", "81129230", 20.0),
            ("CHN", "JPN", "export", "HS2022", "81129230", 30.0),
            ("KOR", "USA", "re-import", "HSK2022", "8112923000", 99.0),
        ]
    )
    told = told_from_customs(basket("811292", "HS2022"), rows)
    found = told.select("exporter", "importer", "code", "system", "quantity_t").rows()
    assert found == [("CHN", "JPN", "81129230", "CHN", 0.03), ("CHN", "KOR", "8112923000", "HSK", 0.01)]


def test_the_command_prints_rows_and_findings_apart() -> None:
    run = CliRunner()
    done = run.invoke(app, ["visibility", "284690", "--country", "KOR", "--year", "2023", "--json"])
    assert done.exit_code == 0
    rows = json.loads(done.stdout)
    assert len(rows) == 16 and {"element", "hidden_usd", "value_visibility"} <= set(rows[0])
    assert "basket" in done.stderr or "284690 holds 16 members" in done.stderr
    done = run.invoke(
        app,
        [
            "visibility",
            "280530",
            "--country",
            "KOR",
            "--year",
            "2023",
            "--table",
            "codes",
            "--by",
            "quantity",
        ],
    )
    assert done.exit_code == 0 and "neodymium/metal" in done.stdout
