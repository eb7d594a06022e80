"""From a number back to its sources."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from evernormal.errors import InputError, UnknownNameError
from evernormal.report.explaining import Explanation, explain
from evernormal.result import Result


def everything(found: Explanation) -> Iterator[Explanation]:
    yield found
    for child in found.inputs:
        yield from everything(child)


def test_a_summary_value_leads_to_its_equation_and_inputs(result: Result) -> None:
    found = explain(result, "shortage_t")
    assert found.value == pytest.approx(result.scalar("shortage_t"))
    assert found.equation is not None and found.equation.key == "E1"
    assert [i.address for i in found.inputs] == ["supply.shortage_t"]
    assert found.inputs[0].value == pytest.approx(found.value) and found.inputs[0].rows == 24
    assert [i.sha256[:4] for i in found.lineage] == ["aaaa", "bbbb"]


def test_one_cell_leads_to_its_source_row_and_assumptions(result: Result) -> None:
    """Law 10: every number ends at a source or at an assumption that says so."""
    found = explain(result, "imports.imports_t[month=2024-04,supplier=CHN]")
    assert found.value == pytest.approx(572.4) and found.unit == "t contained"
    assert [(p.name, p.grade) for p in found.parameters] == [("transit_days", "B")]
    rows = [row for e in everything(found) for row in e.source_rows]
    assert [(r["supplier"], r["source"], r["source_ref"], r["as_of"]) for r in rows] == [
        ("CHN", "made up for tests", "row 0", "2025-01-30")
    ]


def test_scoped_parameters_are_found_by_their_name(result: Result) -> None:
    found = explain(result, "end_use.loss_usd")
    assert [p.name for p in found.parameters] == ["use_elasticity:batteries"]


def test_stocks_and_prices_are_not_added_up(result: Result) -> None:
    for column in ("supply.commercial_stock_t", "supply.price_usd_t", "supply.cover_days"):
        found = explain(result, column)
        assert found.value is None and found.low is not None and found.rows == 24


def test_the_walk_stops_at_its_depth(result: Result) -> None:
    found = explain(result, "loss_usd", depth=2)
    assert found.inputs[0].note == "deeper" and not found.inputs[0].inputs


def test_a_date_is_explained(result: Result) -> None:
    assert explain(result, "stop_date_with_release").value == "2024-05-24"


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("shortag_t", "'shortage_t'"),
        ("import.imports_t", "'imports'"),
        ("imports.import_t", "'imports_t'"),
        ("imports.imports_t[suplier=CHN]", "'supplier'"),
        ("imports.imports_t[supplier=CHM]", "'CHN'"),
        ("summary.loss_us", "'loss_usd'"),
        ("imports.imports_t[month=2034-03]", "unknown month"),
    ],
)
def test_a_misspelt_address_names_the_nearest(result: Result, address: str, hint: str) -> None:
    """Law 12."""
    with pytest.raises(UnknownNameError, match=hint):
        explain(result, address)


@pytest.mark.parametrize(
    "address", ["", "x y", "a.b[c", "imports.imports_t[month=soon]", "imports.imports_t[x]"]
)
def test_what_is_no_address_is_refused(result: Result, address: str) -> None:
    with pytest.raises(InputError):
        explain(result, address)


def test_a_bare_column_names_its_tables(result: Result) -> None:
    with pytest.raises(InputError, match=r"imports\.imports_t or regions\.imports_t"):
        explain(result, "imports_t")


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_every_number_of_a_result_can_be_explained_and_printed(result: Result, lang: str) -> None:
    addresses = [
        f"{name}.{column}"
        for name, table in result.tables.items()
        for column in table.columns
        if name != "summary"
    ] + result["summary"]["name"].to_list()
    console = Console(file=io.StringIO(), width=100)
    for address in addresses:
        found = explain(result, address)
        json.dumps(found.as_dict(), allow_nan=False)
        console.print(found.tree(lang))


def test_the_door_explains_by_a_function() -> None:
    """``report.explain`` is the function whichever module was loaded before."""
    import importlib

    from evernormal import report

    importlib.import_module("evernormal.report.explaining")
    assert report.explain is importlib.import_module("evernormal.report.explaining").explain
    assert "explain" in dir(report)


def test_a_column_of_what_a_result_is_about_needs_no_table(tmp_path: Path) -> None:
    """Also after the result was saved and loaded: the first table stays the first."""
    from evernormal import report, risk
    from evernormal.result import Result

    made = risk.geopolrisk(["KOR"], [2023], ["Lithium"])
    made.save(tmp_path / "made")
    loaded = Result.load(tmp_path / "made")
    assert list(loaded.tables) == list(made.tables)
    for result in (made, loaded):
        found = report.explain(result, "score")
        assert found.address == "geopolrisk.score" and found.checked == "rows"
    traced = risk.trace_origin("cobalt/oxides", "KOR", [2023])
    found = report.explain(traced, "share[stage=mined,country=COD]")
    assert found.address == "origin.share[stage=mined,country=COD]"
    assert report.explain(traced, "correction[hub=CHN]").address == "hubs.correction[hub=CHN]"
