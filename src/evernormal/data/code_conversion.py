"""Convert a table from one revision of customs codes to another, many to many, with every total kept.

Each row goes to the codes that its own code shares goods with, in the weights of the concordance (equation
E19).  Whole numbers stay whole and no unit is lost; every amount has its low and high end beside it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl

from evernormal.data.concordance_links import BASES, Link, concordance, require_codes
from evernormal.data.concordance_steps import check_revision, route
from evernormal.data.schema import day
from evernormal.errors import InputError, LabelError, UnitError, UnknownNameError
from evernormal.result import Derivation, Finding, Lineage, Result

__all__ = ["convert_codes"]

_UNITS = {
    "value_usd": "USD",
    "quantity_t": "t gross",
    "quantity_kg": "kg gross",
    "value": "",
    "quantity": "",
}
_PROVENANCE = ("source", "source_ref", "as_of", "grade")
_GRADES = {"one code": "A", "learned": "B", "given": "B", "assumed": "C", "left": "C"}
_ROW = "__row"
_TOLD = 1e-9
"""Share of an amount from which its loss is told."""

_EXACT = 2**53
"""Largest whole number up to which all are exact in double precision."""


def convert_codes(
    table: pl.DataFrame,
    from_revision: str,
    to_revision: str,
    *,
    weights: pl.DataFrame | Result | None = None,
    amounts: Sequence[str] | None = None,
    units: Mapping[str, str] | None = None,
    code: str = "code",
    uncovered: Literal["refuse", "keep"] = "refuse",
    dataset: str | Sequence[str] | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return a table in the codes of another revision, every total as it was (equation E19).

    A row whose code has one target goes there whole.  A row whose code has several is divided by the weights;
    ``low`` and ``high`` beside each amount say between what it lies, and ``basis`` how the weights are known.
    A flow is converted by the revision in which it is written, whatever its year: BACI in HS2012 writes the
    flows of 2022 in codes of 2012.  Rows of different codes that come to one code are added when all else
    is the same; an amount that is unknown in one of them is unknown in the sum (law 2).

    Args:
        table: rows with a column of codes; a column ``revision``, where there is one, must say
            ``from_revision`` in every row.
        from_revision: revision of the codes, such as ``HS1992``.
        to_revision: revision to convert to.
        weights: as in :func:`evernormal.data.concordance`.
        amounts: columns to divide and add, none negative; by default value_usd, quantity_t, quantity_kg,
            value and quantity, those that there are.
        units: unit of each amount; those of value_usd, quantity_t and quantity_kg are known.
        code: name of the column of codes.
        uncovered: a code that the concordance does not know: ``refuse``, or ``keep`` it under a null code.
        dataset: as in :func:`evernormal.data.concordance`.
        folder: as in :func:`evernormal.data.concordance`.
        as_of: as in :func:`evernormal.data.concordance`.

    Returns:
        Result ``code-conversion`` with tables ``converted``: the columns of ``table``, ``code`` null where
        the concordance does not say which code the goods enter, ``NAME_low`` and ``NAME_high`` after each
        amount, and ``basis``, the least sure of the row; and ``links``: the weights that were used.

    Raises:
        UnknownNameError: no such revision, data set or column.
        InputError: a code is not digits as text, an amount is negative.
        LabelError: the table says another revision, or the weights other codes (law 3).
        UnitError: an amount has no unit (law 4).
        NotCoveredError: the concordance does not know a code, and ``uncovered`` is ``refuse``.

    >>> flows = pl.DataFrame({"year": [2003, 2003], "code": ["740110", "740120"], "value_usd": [60.0, 40.0]})
    >>> convert_codes(flows, "HS2002", "HS2007")["converted"].select("code", "value_usd", "basis").rows()
    [('740100', 100.0, 'one code')]
    """
    one, other = check_revision(from_revision, "from_revision"), check_revision(to_revision, "to_revision")
    names = _amounts(table, amounts, units or {}, code)
    _require_revision(table, one)
    codes = _codes(table, code, one)
    steps = route(one, other, dataset, folder, day(as_of))
    known = set(codes) if not steps else set(steps[0].targets)
    if uncovered == "refuse":
        require_codes(codes, known, one)
    elif uncovered != "keep":
        raise InputError(f"uncovered must be 'refuse' or 'keep', got {uncovered!r}")
    asked = [c for c in codes if c in known]
    links = concordance(one, other, asked, weights=weights, dataset=dataset, folder=folder, as_of=as_of)
    found = [
        Link(*row)
        for row in links["links"].select("from_code", "to_code", "weight", "low", "high", "basis").rows()
    ]
    lost = sorted(set(codes) - known)
    found += [Link(c, None, 1.0, 1.0, 1.0, "left") for c in lost]
    converted = _converted(table, found, code, list(names), other)
    findings = [*links.findings, *_findings(converted, list(names), code, lost)]
    findings += _hidden(table, converted, list(names))
    return Result(
        "code-conversion",
        {"converted": converted, "links": links["links"]},
        {
            "converted": _float_units(converted, names),
            "links": dict.fromkeys(("weight", "low", "high"), "fraction"),
        },
        _lineage(links, names, one, other),
        tuple(findings),
    )


# --- what is asked ---------------------------------------------------------------


def _amounts(
    table: pl.DataFrame, amounts: Sequence[str] | None, units: Mapping[str, str], code: str
) -> dict[str, str]:
    """Return each amount with its unit, after checking that it can be divided."""
    if code not in table.columns:
        raise UnknownNameError("column", code, table.columns, where="code")
    names = [n for n in _UNITS if n in table.columns] if amounts is None else list(amounts)
    if not names:
        raise InputError("no column to convert", where="amounts", cure="Name the columns that hold amounts.")
    found = {}
    for name in names:
        if name not in table.columns:
            raise UnknownNameError("column", name, table.columns, where="amounts")
        if not table.schema[name].is_numeric():
            raise InputError(f"column {name} holds {table.schema[name]}, expected numbers", where="amounts")
        unit = units.get(name) or _UNITS.get(name)
        if not unit:
            raise UnitError(
                f"amount {name} has no unit", where="units", cure=f"Give units={{'{name}': 'USD'}}."
            )
        below = table.filter(pl.col(name) < 0)
        if not below.is_empty():
            raise InputError(f"{name} is negative: {below.row(0, named=True)}", where="amounts")
        if table.schema[name].is_integer() and not table.filter(pl.col(name) > _EXACT).is_empty():
            raise InputError(
                f"{name} holds whole numbers above 2**53", where="amounts", cure="Give a larger unit."
            )
        found[name] = unit
    return found


def _require_revision(table: pl.DataFrame, revision: str) -> None:
    if "revision" not in table.columns:
        return
    said = set(table["revision"].unique().to_list())
    if said - {revision}:
        shown = ", ".join(sorted(str(name) for name in said))
        raise LabelError(
            f"the table is written in {shown}; from_revision is {revision}",
            where="revision",
            cure="Convert the rows of each revision by themselves.",
        )


def _codes(table: pl.DataFrame, code: str, revision: str) -> list[str]:
    if table.schema[code] != pl.String:
        raise InputError(
            f"column {code} holds {table.schema[code]}",
            where="code",
            cure="Write codes as text, like '282520'.",
        )
    codes = table[code].unique().to_list()
    if None in codes:
        raise InputError("a row has no code", where=code)
    require_codes(sorted(codes), codes, revision)
    return sorted(codes)


# --- the conversion ----------------------------------------------------------------


def _converted(
    table: pl.DataFrame, links: Sequence[Link], code: str, amounts: list[str], revision: str
) -> pl.DataFrame:
    """Send each row to its target, or divide it among several, and add what comes to the same place."""
    ways = Counter(link.from_code for link in links)
    meets = Counter(link.to_code for link in links)
    alone = [k for k in links if ways[k.from_code] == 1 and meets[k.to_code] == 1 and k.to_code is not None]
    direct = {link.from_code for link in alone}
    others = [link for link in links if link.from_code not in direct]
    parts = [
        _joined(table, _lookup(alone, code), code, amounts),
        _added(_joined(table, _lookup(others, code), code, amounts), table, code, amounts),
    ]
    keys = _keys(table, code, amounts)
    rows = pl.concat([part.select(parts[1].columns) for part in parts])
    basis = pl.col("__rank").replace_strict(list(range(len(BASES))), list(BASES), return_dtype=pl.String)
    rows = rows.with_columns(pl.col("__to").alias(code), basis.alias("basis"))
    if "revision" in table.columns:
        rows = rows.with_columns(pl.lit(revision).alias("revision"))
    if "grade" in table.columns:
        worst = pl.col("basis").replace_strict(list(_GRADES), list(_GRADES.values()), return_dtype=pl.String)
        rows = rows.with_columns(pl.max_horizontal("grade", worst).alias("grade"))
    provenance = [name for name in _PROVENANCE if name in table.columns]
    order = [*keys, code, *amounts, *provenance]
    return rows.select(_order(table, amounts)).sort(order, nulls_last=True, maintain_order=True)


def _keys(table: pl.DataFrame, code: str, amounts: Sequence[str]) -> list[str]:
    """Return the columns that say which rows may be added."""
    return [name for name in table.columns if name not in {code, "revision", *amounts, *_PROVENANCE}]


def _lookup(links: Sequence[Link], code: str) -> pl.DataFrame:
    ranks = {basis: rank for rank, basis in enumerate(BASES)}
    return pl.DataFrame(
        [(k.from_code, k.to_code, k.weight, k.low, k.high, ranks[k.basis]) for k in links],
        schema={
            code: pl.String(),
            "__to": pl.String(),
            "__weight": pl.Float64(),
            "__low": pl.Float64(),
            "__high": pl.Float64(),
            "__rank": pl.Int64(),
        },
        orient="row",
    )


def _joined(table: pl.DataFrame, lookup: pl.DataFrame, code: str, amounts: list[str]) -> pl.DataFrame:
    """Return one row per row and target, each amount divided."""
    rows = table.with_row_index(_ROW).join(lookup, on=code, how="inner", maintain_order="left_right")
    return rows.with_columns(*(e for name in amounts for e in _divided(name, table.schema[name])))


def _added(rows: pl.DataFrame, table: pl.DataFrame, code: str, amounts: list[str]) -> pl.DataFrame:
    """Add the rows of one place in an order of their own: no sum knows the order of the rows (laws 6, 7)."""
    keys = [*_keys(table, code, amounts), "__to"]
    ends = [f"{name}{end}" for name in amounts for end in ("", "_low", "_high")]
    ordered = rows.sort([*keys, code, *ends], nulls_last=True, maintain_order=True)
    lists = ordered.group_by(keys, maintain_order=True).agg(
        *(pl.col(name) for name in ends), pl.col("__rank").max(), *_provenance(table)
    )
    return lists.with_columns(*(e for name in amounts for e in _summed(name)))


def _order(table: pl.DataFrame, amounts: list[str]) -> list[str]:
    names = []
    for column in table.columns:
        names += [column, f"{column}_low", f"{column}_high"] if column in amounts else [column]
    return [*names, "basis"]


def _divided(name: str, kind: pl.DataType) -> list[pl.Expr]:
    """Return an amount, its low and its high end for each target of a row."""
    amount = pl.col(name)
    low, high = amount * pl.col("__low"), amount * pl.col("__high")
    if not kind.is_integer():
        return [
            (amount * pl.col("__weight")).alias(name),
            low.alias(f"{name}_low"),
            high.alias(f"{name}_high"),
        ]
    exact = amount.cast(pl.Float64) * pl.col("__weight")
    floor = exact.floor().cast(kind)
    left = amount - floor.sum().over(_ROW)
    # the largest remainders get what is left: whole numbers stay whole and no unit is lost
    place = (exact - exact.floor()).rank("ordinal", descending=True).over(_ROW)
    whole = floor + (place <= left).cast(kind)
    return [
        whole.alias(name),
        pl.min_horizontal(low.floor().cast(kind), whole).alias(f"{name}_low"),
        pl.max_horizontal(high.ceil().cast(kind), whole).alias(f"{name}_high"),
    ]


def _summed(name: str) -> list[pl.Expr]:
    """Return the sum of an amount, unknown where a part is unknown; the low end counts what is known."""
    parts, low, high = pl.col(name), pl.col(f"{name}_low"), pl.col(f"{name}_high")
    known = parts.list.eval(pl.element().null_count()).list.first() == 0
    some = low.list.drop_nulls()
    return [
        pl.when(known).then(parts.list.sum()).alias(name),
        pl.when(some.list.len() > 0).then(some.list.sum()).alias(f"{name}_low"),
        pl.when(known).then(high.list.sum()).alias(f"{name}_high"),
    ]


def _provenance(table: pl.DataFrame) -> list[pl.Expr]:
    found = []
    for name in ("source", "source_ref"):
        if name in table.columns:
            found.append(pl.col(name).unique().sort().str.join("; "))
    for name in ("as_of", "grade"):
        if name in table.columns:
            found.append(pl.col(name).max())
    return found


# --- what a reader must know ---------------------------------------------------------


def _findings(converted: pl.DataFrame, amounts: list[str], code: str, lost: list[str]) -> list[Finding]:
    found = []
    name = amounts[0]
    total = converted[name].drop_nulls().sum()
    for basis, kind, said in (
        ("assumed", "split-by-assumption", "was divided by assumption"),
        ("left", "amount-without-code", "is in no code that the concordance names"),
    ):
        part = converted.filter(pl.col("basis") == basis)[name].drop_nulls().sum()
        if total and part:
            share = float(part) / float(total)
            text = f"{100 * share:.1f} % of {name} {said}."
            found.append(Finding(kind, "warning" if share > 0.05 else "caution", text, {"share": share}))
    if lost:
        text = f"The concordance does not know {', '.join(lost[:6])}: kept under no code."
        found.append(Finding("code-not-in-concordance", "warning", text, {"codes": lost}))
    split = not converted.filter(pl.col("basis").is_in(["learned", "given", "assumed"])).is_empty()
    quantities = [name for name in amounts if name.startswith("quantity")]
    if split and quantities:
        text = f"The weights are shares of value; {', '.join(quantities)} is divided by them too."
        found.append(Finding("quantity-divided-by-value", "caution", text, {"columns": quantities}))
    return found


def _hidden(table: pl.DataFrame, converted: pl.DataFrame, amounts: list[str]) -> Iterator[Finding]:
    """Tell how much that was known stands under a sum that is unknown, because a part of it is (law 2)."""
    for name in amounts:
        before, after = (math.fsum(t[name].drop_nulls().to_list()) for t in (table, converted))
        if before and (before - after) / before > _TOLD:
            share = (before - after) / before
            text = (
                f"{100 * share:.1f} % of the known {name} came to codes where another part is unknown: their"
                " sum is unknown too. Leave rows with unknown amounts out to keep the total."
            )
            yield Finding("known-amount-hidden", "warning", text, {"amount": name, "share": share})


def _float_units(converted: pl.DataFrame, amounts: Mapping[str, str]) -> dict[str, str]:
    """Return a unit for each column of numbers; what is no amount is as the caller gave it."""
    units = {f"{name}{end}": unit for name, unit in amounts.items() for end in ("", "_low", "_high")}
    others = [n for n, kind in converted.schema.items() if kind.is_float() and n not in units]
    return units | dict.fromkeys(others, "as in the table given")


def _lineage(links: Result, amounts: Mapping[str, str], one: str, other: str) -> Lineage:
    text = "Each amount times the weight of its code, added over the codes that come to the same one."
    derived = tuple(Derivation("converted", name, "E19", ("links.weight",), text) for name in amounts)
    call = {"from_revision": one, "to_revision": other, "amounts": list(amounts)}
    return Lineage(links.lineage.version, inputs=links.lineage.inputs, derivations=derived, call=call)
