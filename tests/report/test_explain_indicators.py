"""Every indicator's value opens to its source rows, and the rows give it again."""

from __future__ import annotations

import ast
import functools
import io
import json
import random
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console
from tests.data.made_up_statistics import bgs_row, write_bgs

import evernormal
from evernormal import data, network, risk
from evernormal.app.main import run
from evernormal.errors import DataError, InputError, UnknownNameError
from evernormal.network.code_history import codes_of_form
from evernormal.network.suppliers import suppliers
from evernormal.report import replay
from evernormal.report.address import NAMING, Address, parse
from evernormal.report.derivation_texts import derivation_text
from evernormal.report.explaining import Explanation, explain
from evernormal.report.joining import joined, labelled
from evernormal.report.language import language
from evernormal.report.making import MAKERS, made_again
from evernormal.result import Result

PACKAGE = Path(evernormal.__file__).parent
ROOMS = ("data", "network", "market", "risk")

MADE: dict[str, Callable[[], Result]] = {
    "geopolrisk": lambda: risk.geopolrisk(
        ["KOR", "EU", "GUY", "TUN", "R20"], [2018, 2023], ["Lithium", "Gold", "Aluminium", "Germanium"]
    ),
    "geopolrisk as the package": lambda: risk.geopolrisk(
        ["KOR", "EU", "GUY", "TUN"], [2018, 2023], ["Lithium", "Gold", "Aluminium", "Germanium"], True
    ),
    "differences": lambda: risk.geopolrisk_differences(["KOR"], [2023], ["Lithium", "Tin"]),
    "concentration": lambda: risk.concentration(["KOR", "JPN"], None, [2022]),
    "supply risk": lambda: risk.supply_risk(["KOR", "EU"], [2022], ["nickel/ore", "copper/ore"]),
    "reliance": lambda: risk.net_import_reliance("copper/ore", ["KOR", "EU", "CHN"], [2020, 2022]),
    "n minus one": lambda: risk.n_minus_one("copper/ore", ["KOR", "EU", "CHN"], [2020, 2022]),
    "shares by value": lambda: data.supplier_shares("KOR", ["282520", "283691"], years=[2022, 2023]),
    "shares by quantity": lambda: data.supplier_shares("KOR", ["282520"], "quantity", [2022, 2023]),
    "shares of everything": lambda: data.supplier_shares("LAO", years=[2023]),
    "published shares": lambda: suppliers("KOR", "gallium/metal"),
    "thresholds": lambda: risk.supplier_shares(
        "lithium/hydroxide", "KOR", [2022, 2023], neighbours=["CHN", "JPN"]
    ),
    "exposure": lambda: risk.exposure("KOR", 2023, origins=False),
    "origin": lambda: risk.trace_origin("cobalt/oxides", "KOR", [2023]),
    "comparison": lambda: data.compare_sources("gallium", "refined", 2022),
    "trends": lambda: risk.dependence_trends(["KOR"], ["lithium/hydroxide"]),
    "usgs": lambda: risk.usgs_supply_risk_table(["KOR"], 2022, ["nickel/ore"]),
    "visibility": lambda: network.visibility("284690", "KOR", 2023, rank=False),
    "split": lambda: network.split_basket("284690", "KOR", 2023),
    "concordance": lambda: data.concordance("HS1992", "HS2022", ["282520"]),
    "codes": lambda: codes_of_form("germanium/metal", country="USA"),
    "forecast": lambda: risk.forecast("nickel/ore", "KOR", 1),
}
ROWS = (
    "geopolrisk", "geopolrisk as the package", "concentration", "reliance", "n minus one", "shares by value",
    "shares by quantity", "shares of everything", "published shares", "thresholds",
)  # fmt: skip
"""Those of which every number is worked out from rows by its equation, not by the call made again."""

_kept: dict[str, Result] = {}


def made(name: str) -> Result:
    if name not in _kept:
        _kept[name] = MADE[name]()
    return _kept[name]


def everything(found: Explanation) -> Iterator[Explanation]:
    yield found
    for child in found.inputs:
        yield from everything(child)


def cells(result: Result, count: int) -> list[str]:
    """Addresses of numbers here and there in a result, always the same."""
    chance = random.Random(7)
    found = []
    for name, table in result.tables.items():
        if name in ("rows", "flows", "errors", "new_codes", "links") and result.kind != "source-comparison":
            continue
        numbers = [c for c, t in table.schema.items() if t.is_float()]
        keys = [c for c in table.columns if c in NAMING]
        if not numbers or not keys or name == "summary":
            continue
        for place in chance.sample(range(table.height), min(count, table.height)):
            row = table.row(place, named=True)
            at = {k: row[k] for k in keys if row[k] is not None}
            if table.filter(*(pl.col(k) == v for k, v in at.items())).height == 1:
                found += [str(Address(name, c, at)) for c in chance.sample(numbers, min(3, len(numbers)))]
    return found


@pytest.mark.parametrize("name", MADE)
def test_a_result_is_made_again_from_its_lineage(name: str, tmp_path: Path) -> None:
    """Law 6: the call, read back from a saved result, gives the same tables and the same call."""
    result = made(name)
    result.save(tmp_path)
    again = made_again(Result.load(tmp_path))
    assert again.lineage.call == Result.load(tmp_path).lineage.call
    for table in result.tables:
        assert again[table].equals(result[table], null_equal=True), table


@pytest.mark.parametrize("name", [n for n in MADE if n not in ("concordance", "codes", "forecast", "usgs")])
def test_source_rows_give_the_value_of_the_table(name: str) -> None:
    """Law 10: every number ends at rows of a pinned input, and they give it again."""
    result = made(name)
    asked = cells(result, 2 if name in ("exposure", "visibility", "split", "origin") else 3)
    assert asked
    names = {one.name for one in result.lineage.inputs}
    opened = 0
    for address in asked:
        found = explain(result, address)
        assert found.checked and not found.unfetched, address
        if name in ROWS and not address.startswith("bounds") and found.checked != "rows":
            assert name == "geopolrisk as the package" or address.startswith("thresholds.threshold"), address
        steps = list(everything(found))
        opened += any(step.evidence for step in steps)
        for one in (one for step in steps for one in step.evidence):
            assert one.input in names and one.rows.height
            assert {"source", "source_ref", "as_of", "grade"} <= set(one.rows.columns)
        assert set(found.states) <= {"same", "unchecked"}
        json.dumps(found.as_dict(), allow_nan=False)
    assert opened or name == "differences"


def test_the_tree_of_a_score_says_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Equation with its numbers, trade rows with value and quantity, publisher, day, grade, licence, hash."""
    out = str(tmp_path / "saved")
    line = "indicator geopolrisk --country KOR --material Lithium --year 2023"
    assert run([*line.split(), "--out", out]) == 0
    capsys.readouterr()
    address = "geopolrisk.score[country=KOR,material=Lithium,year=2023]"
    assert run(["explain", out, address]) == 0
    text = capsys.readouterr().out
    made = risk.geopolrisk(["KOR"], [2023], ["Lithium"])
    for part in (
        "Worked out: 0.270567 × 0.512954 = 0.138788", "Equation E102", "Equation E101", "Equation E100",
        "China to South Korea, HS1992 282520: USD 4.92 billion", "t=2023 i=156 j=410 k=282520",
        "as of 2026-07-14", "grade A", "Etalab Open Licence 2.0", "unchanged",
        "Taiwan is among the exporters", "China, governance risk 0.5349",
        "2023: Australia, Lithium: 204,200 t",
        *(one.sha256[:12] for one in made.lineage.inputs),
    ):  # fmt: skip
        assert part in text, part
    assert run(["explain", out, address, "--lang", "ko"]) == 0
    korean = capsys.readouterr().out
    for part in ("생산 집중도에 수입 위험도를 곱함.", "계산: 0.270567", "중국→한국", "대만", "변경 없음"):
        assert part in korean, part
    assert "Concentration x import risk" not in korean
    assert run(["explain", out, address, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["checked"] == "rows" and {f["code"] for f in document["findings"]} == {
        "governance-of-taiwan", "quantity-left-out",
    }  # fmt: skip
    assert len(document["inputs"][1]["evidence"][0]["rows"]) == 38


def test_one_step_explains_without_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    line = "indicator geopolrisk --country KOR --material Lithium --year 2023 --explain score"
    assert run(line.split()) == 0
    assert "0.138788" in capsys.readouterr().out
    for line in (
        "shares KOR lithium/hydroxide --year 2023 --explain shares.share[supplier=CHN,year=2023]",
        "trace cobalt/oxides --year 2023 --explain origin.share[stage=direct,country=CHN]",
        "data compare gallium --stage refined --year 2022 --explain rows.share[country=CHN,dataset=snapshot]",
        "visibility 284690 --country KOR --year 2023 --explain value_visibility[element=Nd]",
        "indicator concentration --country KOR --material 282520 --year 2023 --explain hhi_value --lang ko",
    ):
        assert run(line.split()) == 0, line
        text = capsys.readouterr().out
        assert "equal to the value" in text or "일치함" in text, line


def test_a_number_that_its_rows_do_not_give_is_an_error() -> None:
    """Law 12: a changed table is named with both values."""
    for name, table, column in (
        ("geopolrisk", "geopolrisk", "hhi"), ("concentration", "concentration", "hhi_value"),
        ("reliance", "reliance", "imports_t"), ("origin", "origin", "share"),
    ):  # fmt: skip
        result = made(name)
        wrong = result[table].with_columns(pl.col(column) * 1.00001)
        changed = replace(result, tables={**result.tables, table: wrong})
        row = wrong.filter(pl.col(column) > 0).row(0, named=True)
        keys = {k: row[k] for k in wrong.columns if k in NAMING and k != "supplier"}
        with pytest.raises(DataError, match="the source rows give"):
            explain(changed, str(Address(table, column, keys)))


def test_several_rows_and_doubled_keys_are_told() -> None:
    """Law 12: which keys tell the rows apart; each key once."""
    result = made("geopolrisk")
    with pytest.raises(InputError, match=r"country \(KOR, EU, .*material \(Lithium, Gold"):
        explain(result, "geopolrisk.score")
    with pytest.raises(InputError, match=r"year \(2018, 2023\)"):
        explain(result, "geopolrisk.score[country=KOR,material=Lithium]")
    with pytest.raises(InputError, match="twice"):
        explain(result, "geopolrisk.score[country=KOR,country=EU]")
    with pytest.raises(UnknownNameError, match="'Lithium'"):
        explain(result, "geopolrisk.score[material=Litium]")
    with pytest.raises(InputError, match="together"):
        explain(made("concentration"), "concentration.hhi_value[importer=JPN,code=282520,largest=AUS]")


@pytest.mark.parametrize("value", ["a, b", 'say "so"', "x=1", "[2023]", "plain", " led by a blank"])
def test_any_text_can_stand_in_an_address(value: str) -> None:
    """What an address writes, it reads."""
    table = pl.DataFrame({"source": [value, "other"], "share": [0.25, 0.75]})
    lineage = evernormal.result.Lineage("0")
    result = Result("simulation", {"rows": table}, {"rows": {"share": "1"}}, lineage)
    address = Address("rows", "share", {"source": value})
    assert parse(result, str(address)) == address


def baci(folder: Path, value: str, as_of: str) -> None:
    path = folder / f"BACI_HS92_Y2023_V{as_of[:4]}{as_of[5:7]}.csv"
    path.write_text(f"t,i,j,k,v,q\n2023,156,410,282520,{value},5\n2023,152,410,282520,50,5\n", "utf-8")
    data.add("baci", path, folder / "store", name="own", as_of=as_of)


def test_an_input_that_is_gone_or_changed_is_named(tmp_path: Path) -> None:
    """The value of the saved result is still told; that its rows cannot be fetched is said."""
    baci(tmp_path, "100", "2026-08-01")
    store = tmp_path / "store"
    result = risk.concentration(["KOR"], dataset="own", folder=store)
    address = "concentration.hhi_value[importer=KOR]"
    found = explain(result, address, folder=store)
    assert found.checked == "rows" and found.evidence[0].input == result.lineage.inputs[0].name
    baci(tmp_path, "200", "2026-08-01")  # a later file of the same day does not take its place
    assert explain(result, address, folder=store).worked == found.worked
    vintage = store / "datasets" / Path(result.lineage.inputs[0].name)
    file = vintage / "trade.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[:-9] + bytes(9))
    changed = explain(result, address, folder=store)
    assert changed.value == found.value and changed.states == ("changed",)
    assert "another than the one" in changed.unfetched and not changed.checked
    shutil.rmtree(vintage)
    gone = explain(result, address, folder=store)
    assert gone.states == ("gone",) and "not there any more" in gone.unfetched
    console = Console(file=io.StringIO(), width=120)
    console.print(gone.tree("ko"))
    assert "원자료 행을 불러올 수 없음" in console.file.getvalue()  # type: ignore[attr-defined]


def test_what_was_added_since_does_not_hide_the_rows(tmp_path: Path) -> None:
    """A comparison of all data sets is made again without those that came later."""
    store = tmp_path / "store"

    def mined(name: str, figure: str, as_of: str) -> None:
        place = tmp_path / name
        place.mkdir()
        rows = [
            bgs_row("China", figure, commodity="copper, mine"),
            bgs_row("Chile", "5", commodity="copper, mine"),
        ]
        data.add("bgs", write_bgs(place, rows, "BGS_copper_production.csv"), store, name=name, as_of=as_of)

    mined("first", "95", "2026-08-01")
    result = data.compare_sources("copper", "ore", 2023, folder=store)
    mined("second", "195", "2026-10-01")
    found = explain(result, "rows.share_of_sum[country=CHN,dataset=first]", folder=store)
    assert found.value == pytest.approx(0.95) and found.checked == "rows"
    assert [one.rows["value"].to_list() for one in found.evidence] == [[95.0]]
    assert explain(result, "rows.contained_t[country=CHN,dataset=first]", folder=store).checked == "again"


def test_one_vintage_is_named_exactly(tmp_path: Path) -> None:
    """The name that an input has reads that vintage, also where a later one has the same day."""
    baci(tmp_path, "100", "2026-08-01")
    baci(tmp_path, "200", "2026-08-01")
    store = tmp_path / "store"
    names = [f"own/{one.vintage}" for one in data.vintages(store)]
    values = [
        data.trade(["282520"], exporters=["CHN"], dataset=name, folder=store)["value_usd"].item()
        for name in names
    ]
    assert values == [100_000.0, 200_000.0]
    with pytest.raises(UnknownNameError, match="own/nothing"):
        data.trade(["282520"], dataset="own/nothing", folder=store)


def test_a_call_of_another_version_is_told() -> None:
    result = made("concentration")
    other = replace(result, lineage=replace(result.lineage, call={**result.lineage.call, "basis": "gross"}))
    with pytest.raises(InputError, match="does not know basis"):
        replay(other, as_of="2026-09-01")


def test_a_saved_result_is_replayed_by_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Law 11: then, now, the vintages and the rows that differ; and a clear word where nothing was known."""
    from evernormal.app.settings import DATA_DIRECTORY_VARIABLE

    monkeypatch.setenv(DATA_DIRECTORY_VARIABLE, str(tmp_path / "store"))
    baci(tmp_path, "100", "2026-08-01")
    baci(tmp_path, "150", "2026-10-01")
    out = str(tmp_path / "out")
    line = "indicator concentration --country KOR --material 282520 --trade own --out"
    assert run([*line.split(), out]) == 0
    capsys.readouterr()
    address = "concentration.hhi_value[importer=KOR,code=282520,year=2023]"
    assert run(["explain", out, address, "--as-of", "2026-09-01", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["then"] == pytest.approx((100**2 + 50**2) / 150**2)
    assert found["now"] == pytest.approx((150**2 + 50**2) / 200**2)
    assert [(r["column"], r["then"], r["now"]) for r in found["rows"]] == [
        ("value_usd", 100_000.0, 150_000.0)
    ]
    (used,) = found["inputs"]
    assert (used["name"], used["same"]) == ("own", False)
    assert (used["then"]["as_of"], used["now"]["as_of"]) == ("2026-08-01", "2026-10-01")
    for lang, words in (("en", "Then: 0.555556"), ("ko", "당시: 0.555556")):
        assert run(["explain", out, address, "--as-of", "2026-09-01", "--lang", lang]) == 0
        assert words in capsys.readouterr().out
    assert run(["explain", out, address, "--as-of", "2026-07-01"]) == 3
    assert "no vintage of 'own' was knowable on 2026-07-01" in capsys.readouterr().err
    assert run(["explain", out, address, "--as-of", "yesterday"]) == 2


def test_joined_calls_are_explained_each_by_its_own() -> None:
    """Forms of one command stand in one table; each number is explained and replayed by its own call."""
    parts = [
        labelled(risk.net_import_reliance(form, ["KOR", "CHN"], [2022]), "reliance", form=form)
        for form in ("nickel/ore", "copper/ore")
    ]
    whole = joined(parts, "reliance")
    assert whole["reliance"].height == 4
    for form in ("nickel/ore", "copper/ore"):
        address = f"reliance.reliance[form={form},country=CHN]"
        found = explain(whole, address)
        assert found.checked == "rows"
        alone = risk.net_import_reliance(form, ["CHN"], [2022])["reliance"]["reliance"].item()
        assert found.value == alone
        again = replay(whole, as_of="2026-09-01", number=address)
        assert again.then == alone and again.now == alone
    years = joined([risk.dependence_trends(["KOR"], ["nickel/ore"], y) for y in (2021, 2022)], "trends")
    found = explain(years, "trends.value[year=2022,measure=hhi]")
    assert found.checked == "again"
    assert joined(parts[:1], "reliance") is parts[0]
    assert explain(parts[0], "reliance.reliance[form=nickel/ore,country=KOR]").checked == "rows"


def test_a_mine_behind_an_exposure_is_traced_again() -> None:
    result = risk.exposure("KOR", 2023)
    found = explain(result, "exposure.mine_share[form=cobalt/oxides]")
    assert found.checked == "again" and isinstance(found.value, float) and found.evidence


def test_what_cannot_be_made_again_is_told() -> None:
    """Law 12: another kind, and a table of the caller's own."""
    with pytest.raises(InputError, match="cannot be made again"):
        replay(Result("data-status", {}, {}, evernormal.result.Lineage("0")), as_of="2026-09-01")
    table = pl.DataFrame({"member": ["neodymium/oxide"], "low": [1.0], "high": [2.0]})
    result = made("visibility")
    given = replace(result, lineage=replace(result.lineage, call={**result.lineage.call, "prices": "given"}))
    assert table.height
    with pytest.raises(InputError, match="prices was a table of the caller's own"):
        replay(given, as_of="2026-09-01")


def test_every_maker_is_a_public_function_that_takes_a_day() -> None:
    """Nothing is called by the name that a file says."""
    import inspect

    for kind, makers in MAKERS.items():
        for one in makers:
            names = inspect.signature(one.function).parameters
            assert "as_of" in names, kind
            assert {*one.stored, *one.narrow.values(), *one.renamed.values()} <= set(names), kind


# ---- sentences of derivations --------------------------------------------------------------------


@functools.cache
def derivations_in_code() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Every place that makes a derivation, and the sentences that the code spells there."""
    found = []
    for path in sorted(path for room in ROOMS for path in (PACKAGE / room).rglob("*.py")):
        code = path.read_text("utf-8")
        if "Derivation(" not in code:
            continue
        tree = ast.parse(code)
        nodes = list(ast.walk(tree))
        functions = [n for n in nodes if isinstance(n, ast.FunctionDef)]
        for node in nodes:
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Derivation":
                inside = [f for f in functions if f.lineno <= node.lineno <= (f.end_lineno or 0)]
                said = spelled(node.args[4], inside[-1] if inside else tree, tree)
                found.append((f"{path.relative_to(PACKAGE)}:{node.lineno}", tuple(said)))
    return tuple(found)


def spelled(node: ast.expr, scope: ast.AST, tree: ast.Module) -> list[str]:
    """Resolve an expression to the sentences that it can be; parts that vary become ``value_usd``."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        parts = [
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        ]  # fmt: skip
        known = {"value_usd", "quantity_t"} if "measure" in ast.unparse(node) else {"supply stability"}
        if "said" in ast.unparse(node):
            known = {s for s in strings_of(scope) if s.startswith("What each method")}
        return ["".join(parts).replace("{}", word) for word in sorted(known)]
    if isinstance(node, ast.IfExp):
        return [*spelled(node.body, scope, tree), *spelled(node.orelse, scope, tree)]
    if isinstance(node, ast.Name):
        return assigned(node.id, scope, tree)
    return []


def assigned(name: str, scope: ast.AST, tree: ast.Module) -> list[str]:
    """Every sentence that a name is bound to in a function: by assignment, or by a loop over a literal."""
    found: list[str] = []
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign) and any(ast.unparse(t) == name for t in node.targets):
            found += spelled(node.value, scope, tree)
        loops: list[Any] = [node] if isinstance(node, ast.For | ast.comprehension) else []
        for loop in loops:
            if name in {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}:
                found += [s for s in strings_of(scope) if " " in s and s.endswith(".")]
    return found


def strings_of(scope: ast.AST) -> list[str]:
    docs = {id(n.body[0].value) for n in ast.walk(scope) if isinstance(n, ast.FunctionDef)
            and isinstance(n.body[0], ast.Expr)}  # fmt: skip
    return [
        n.value for n in ast.walk(scope)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in docs
    ]  # fmt: skip


def test_every_derivation_in_the_code_has_a_korean_sentence() -> None:
    words = language("ko")
    said = [(place, text) for place, texts in derivations_in_code() for text in texts]
    assert len(said) > 120
    missing = {f"{place}: {text}" for place, text in said if derivation_text(words, text) == text}
    assert missing == set(), "write them in src/evernormal/report/tables/derivations.toml"


def test_no_derivation_in_the_code_escapes_the_test() -> None:
    """A sentence that cannot be read from the code is one that a result made here carries."""
    left = {place.partition(":")[0] for place, texts in derivations_in_code() if not texts}
    assert left <= {"risk/resampling.py"}


def test_every_derivation_of_a_result_is_korean_in_the_korean_tree() -> None:
    words = language("ko")
    named = ["china-share", "hhi", "geopolrisk"]
    for result in (*map(made, MADE), risk.resample(named, "KOR", 2023, ["nickel/ore"], draws=20)):
        for one in result.lineage.derivations:
            assert re.search("[가-힣]", derivation_text(words, one.text)), (result.kind, one.text)
    from evernormal.risk.resampling_indicators import INDICATORS

    for one in INDICATORS.values():
        assert re.search("[가-힣]", derivation_text(words, one.text)), one.text
