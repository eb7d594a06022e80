"""Flows of a basket code and the national codes that split them: from trade tables to totals and parts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from evernormal.errors import InputError, UnknownNameError
from evernormal.network.basket_limits import Flow, Part
from evernormal.network.basket_tables import Basket, members_of_national_code, national_codes
from evernormal.result import Finding

__all__ = ["Told", "flows_of", "told_from_customs", "told_from_table", "with_parts"]

_KEY = ("year", "exporter", "importer")
_NEEDED = (*_KEY, "code", "value_usd", "quantity_t")

TOLERANCE = 0.005
"""assumption: national codes and the flow come from different books; half a per cent is not worth telling."""


@dataclass(frozen=True)
class Told:
    """National figures of a basket: amounts by flow and national code, and what each code may hold.

    Attributes:
        amounts: (year, exporter, importer) to code to (quantity t or None, value USD).
        members: (year, code) to member names; empty when nothing is known of the code.
        spent: year to the members that no untold national code may hold.
    """

    amounts: Mapping[tuple[int, str, str], Mapping[str, tuple[float | None, float]]]
    members: Mapping[tuple[int, str], tuple[str, ...]]
    spent: Mapping[int, frozenset[str]]


def flows_of(rows: pl.DataFrame, code: str) -> pl.DataFrame:
    """Return one row per year, exporter and importer, in that order, however the rows came (law 7).

    Raises:
        InputError: a column is missing, a value is negative or unknown, or a year has another code.
    """
    missing = [name for name in _NEEDED if name not in rows.columns]
    if missing:
        raise InputError(f"no column {', '.join(missing)}", where="flows", cure=f"It needs {_NEEDED}.")
    other = sorted(set(rows["code"].to_list()) - {code})
    if other:
        raise InputError(f"rows of code {', '.join(other)} stand among those of {code}", where="flows")
    bad = rows.filter(
        ~(pl.col("value_usd").fill_null(-1.0).is_finite() & (pl.col("value_usd").fill_null(-1.0) >= 0))
        | ~(pl.col("quantity_t").fill_null(0.0).is_finite() & (pl.col("quantity_t").fill_null(0.0) >= 0))
    )
    if bad.height:
        first = bad.select(_KEY).row(0)
        raise InputError(
            f"the flow {first} has a value or quantity below zero, or no value",
            where="flows",
            cure="Leave an unknown quantity empty; leave out a flow of unknown value.",
        )
    return _summed(rows, list(_KEY))


def _summed(rows: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Sum rows of one key exactly, whatever their order; an unknown quantity makes the sum unknown."""
    found: dict[tuple[Any, ...], tuple[list[float], list[float | None]]] = {}
    for *name, value, quantity in rows.select(*key, "value_usd", "quantity_t").iter_rows():
        values, quantities = found.setdefault(tuple(name), ([], []))
        values.append(float(value))
        quantities.append(quantity)
    kept = [
        (*name, math.fsum(v), None if None in q else math.fsum(x for x in q if x is not None))
        for name, (v, q) in sorted(found.items())
    ]
    types = {name: rows.schema[name] for name in key} | {
        "value_usd": pl.Float64(),
        "quantity_t": pl.Float64(),
    }
    return pl.DataFrame(kept, schema=types, orient="row")


def told_from_table(known: Basket, rows: pl.DataFrame) -> tuple[Told, tuple[Finding, ...]]:
    """Return national figures given as a table.

    Args:
        known: the basket.
        rows: year, exporter, importer, code (national, longer than six digits), value_usd, quantity_t (t
            gross, null where unknown), and either ``members`` (names joined by ``;``) or ``system`` (``CN``,
            ``HTS``, ``HSK``, ``CHN``, ``JPN``).

    Raises:
        InputError: a column is missing, a code does not belong to the basket.
        UnknownNameError: a member that the basket does not have.
    """
    missing = [name for name in _NEEDED if name not in rows.columns]
    if missing or not {"members", "system"} & set(rows.columns):
        raise InputError(
            f"no column {', '.join(missing) or 'members or system'}",
            where="subcodes",
            cure="It needs year, exporter, importer, code, value_usd, quantity_t, and members or system.",
        )
    strange = [c for c in rows["code"].to_list() if not _digits(c).startswith(known.code)]
    if strange:
        raise InputError(f"{strange[0]!r} is no national code below {known.code}", where="subcodes")
    amounts = _amounts(rows.with_columns(code=pl.col("code").map_elements(_digits, return_dtype=pl.String)))
    holds: dict[tuple[int, str], tuple[str, ...]] = {}
    systems: dict[int, set[str]] = {}
    given: dict[int, set[str]] = {}
    for row in rows.iter_rows(named=True):
        year, code = int(row["year"]), _digits(row["code"])
        given.setdefault(year, set()).add(code)
        if row.get("members"):
            names = tuple(row["members"].split(";"))
            for name in names:
                if name not in known.names:
                    raise UnknownNameError("member of the code", name, known.names, where="subcodes")
        else:
            system = row.get("system") or ""
            systems.setdefault(year, set()).add(system)
            names = members_of_national_code(system, code, year)
        holds[year, code] = tuple(name for name in names if name in known.names)
    spent = {year: _spent(known, holds, systems.get(year, set()), given[year], year) for year in given}
    told = Told(amounts, holds, spent)
    return told, _unknown_codes(holds)


def told_from_customs(known: Basket, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a customs data set that split a basket, as :func:`told_from_table` wants them.

    Imports of the reporter and exports of the reporter both count, each in its own flow; where both sides
    report a flow, the importer's rows are kept.
    """
    digits = pl.col("code").str.replace_all(r"[^0-9]", "")
    chosen = rows.filter(
        digits.str.starts_with(known.code)
        & (digits.str.len_chars() > 6)
        & pl.col("flow").is_in(["import", "export"])
        & (pl.col("partner") != "WLD")
        & pl.col("value_usd").is_not_null()
    )
    inward = pl.col("flow") == "import"
    shaped = chosen.select(
        "year",
        pl.when(inward).then("partner").otherwise("reporter").alias("exporter"),
        pl.when(inward).then("reporter").otherwise("partner").alias("importer"),
        digits.alias("code"),
        "value_usd",
        "quantity_t",
        pl.col("revision").str.extract(r"^([A-Za-z]+)").alias("letters"),
        "reporter",
        "flow",
    )
    spelled = {"CHN": "CHN", "JPN": "JPN"}
    system = pl.col("reporter").replace_strict(spelled, default=pl.col("letters"), return_dtype=pl.String)
    shaped = shaped.with_columns(system=system)
    imported = shaped.filter(pl.col("flow") == "import").select(_KEY).unique()
    exports = shaped.filter(pl.col("flow") == "export").join(imported, on=list(_KEY), how="anti")
    both = pl.concat([shaped.filter(pl.col("flow") == "import"), exports])
    return both.drop("letters", "reporter", "flow").sort(*_KEY, "code", "value_usd", "quantity_t")


def _digits(code: str) -> str:
    return "".join(letter for letter in str(code) if letter.isdigit())


def _amounts(rows: pl.DataFrame) -> dict[tuple[int, str, str], dict[str, tuple[float | None, float]]]:
    found: dict[tuple[int, str, str], dict[str, tuple[float | None, float]]] = {}
    for year, exporter, importer, code, value, quantity in _summed(rows, [*_KEY, "code"]).iter_rows():
        found.setdefault((int(year), exporter, importer), {})[code] = (quantity, value)
    return found


def _spent(
    known: Basket,
    holds: Mapping[tuple[int, str], tuple[str, ...]],
    systems: Iterable[str],
    given: Iterable[str],
    year: int,
) -> frozenset[str]:
    """Return the members that nothing but the told codes may hold."""
    listed = {
        code: names for system in systems for code, names in national_codes(system, known.code, year).items()
    }
    told = set(given)
    untold = {n for code, names in listed.items() if not any(t.startswith(code) for t in told) for n in names}
    alone = (
        not listed
    )  # without the list of a country's codes, only a code of its own is taken for the only one
    named = {
        name
        for (y, _), names in holds.items()
        if y == year and (len(names) == 1 or not alone)
        for name in names
    }
    return frozenset(name for name in named if name not in untold)


def _unknown_codes(holds: Mapping[tuple[int, str], tuple[str, ...]]) -> tuple[Finding, ...]:
    unknown = sorted({code for (_, code), names in holds.items() if not names})
    if not unknown:
        return ()
    text = f"Nothing is known of what national code {', '.join(unknown)} holds: it may hold every member."
    return (Finding("basket-national-code-unknown", "caution", text, {"codes": unknown}),)


def with_parts(
    flows: pl.DataFrame, known: Basket, told: Told | None
) -> tuple[list[Flow], list[str], tuple[Finding, ...]]:
    """Return every flow with its parts, which flows national codes split, and what had to be adjusted."""
    everything = tuple(range(len(known.members)))
    made, split, adjusted = [], [], []
    for year, exporter, importer, value, quantity in flows.iter_rows():
        figures = told.amounts.get((year, exporter, importer)) if told else None
        if not told or not figures:
            made.append(Flow(quantity, value, (Part(everything, quantity, value),)))
            continue
        parts, gap = _parts(figures, known, told, year, quantity, value)
        made.append(Flow(quantity, value, parts))
        split.append(f"{exporter} to {importer} {year}")
        if gap > TOLERANCE:
            adjusted.append((f"{exporter} to {importer} {year}", gap))
    if not adjusted:
        return made, split, ()
    worst = max(gap for _, gap in adjusted)
    text = (
        f"National codes sum to another total than the flow in {len(adjusted)} flows (by {100 * worst:.1f} %"
        " at most); their shares were kept and the flow's total was kept."
    )
    names = [name for name, _ in adjusted]
    finding = Finding("basket-national-codes-scaled", "caution", text, {"flows": names, "largest": worst})
    return made, split, (finding,)


def _parts(
    figures: Mapping[str, tuple[float | None, float]],
    known: Basket,
    told: Told,
    year: int,
    quantity: float | None,
    value: float,
) -> tuple[tuple[Part, ...], float]:
    """Split one flow by its national codes; return the parts and the relative gap that was scaled away."""
    place = {name: number for number, name in enumerate(known.names)}
    holds = [tuple(place[n] for n in told.members[year, code]) for code in figures]
    holds = [names or tuple(range(len(place))) for names in holds]
    spent = told.spent.get(year, frozenset())
    left = tuple(number for name, number in place.items() if name not in spent)
    values, rest_value, gap_value = _fitted([v for _, v in figures.values()], value, bool(left))
    told_tonnes = [q for q, _ in figures.values()]
    quantities: list[float | None] = list(told_tonnes)
    rest_quantity: float | None = None
    gap_quantity = 0.0
    if quantity is not None and None not in told_tonnes:
        exact = [q for q in told_tonnes if q is not None]
        fitted, rest_quantity, gap_quantity = _fitted(exact, quantity, bool(left))
        quantities = list(fitted)
    elif quantity is not None and math.fsum(q for q in told_tonnes if q is not None) > quantity:
        quantities = [None] * len(holds)
    parts = [Part(m, q, v) for m, q, v in zip(holds, quantities, values, strict=True)]
    if left and (rest_value > 0 or rest_quantity is None or rest_quantity > 0):
        parts.append(Part(left, rest_quantity, rest_value))
    return tuple(parts), max(gap_value, gap_quantity)


def _fitted(told: list[float], total: float, has_rest: bool) -> tuple[list[float], float, float]:
    """Return what national codes hold of a total, the rest, and the relative gap that was scaled away."""
    whole = math.fsum(told)
    if total <= 0 or whole <= 0:
        return ([0.0] * len(told), total, 0.0) if has_rest else ([total / len(told)] * len(told), 0.0, 0.0)
    if has_rest and whole <= total:
        return told, math.fsum((total, -whole)), 0.0
    return [amount * (total / whole) for amount in told], 0.0, abs(whole / total - 1)
