"""Basket codes split to their members, with an interval for each (system S2).

A code such as 2846.90 holds sixteen elements.  What a country imports of one of them is not in the
statistics; what it can and cannot have been is.  :func:`split_basket` returns the least and greatest amount
of every member that agrees with the totals and with what is known besides, and the one split of least
relative change from a prior: a figure to draw a line with, of grade C, never without its interval.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.errors import InputError, UnknownNameError
from evernormal.network.basket_flows import Told, flows_of, told_from_customs, told_from_table
from evernormal.network.basket_information import KINDS, day_of
from evernormal.network.basket_prices import band_parameters, content_of, elements_of
from evernormal.network.basket_solution import FLOW, SIDES, Problem, Solution, problem_of, solution_of, sum_of
from evernormal.network.basket_tables import Basket, basket
from evernormal.result import Derivation, Finding, Input, Lineage, Parameter, Result

__all__ = ["split_basket", "told", "trade_of"]

_UNIT = {"quantity": "t", "value": "usd"}


def split_basket(
    code: str,
    importers: Iterable[str] | str | None = None,
    years: Iterable[int] | int | None = None,
    *,
    exporters: Iterable[str] | str | None = None,
    by: Sequence[str] = ("year", "importer"),
    use: Iterable[str] = KINDS,
    flows: pl.DataFrame | None = None,
    revision: str | None = None,
    members: Iterable[str] | None = None,
    subcodes: pl.DataFrame | None = None,
    customs: str | None = None,
    prices: pl.DataFrame | None = None,
    facts: str | None = None,
    production_limit: float | None = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Split the trade of a basket code to its members, each with an interval.

    The interval of a member is the least and greatest amount in any split that preserves the totals of every
    flow (equation E59) and obeys what is known besides: unit values against prices (E60), the composition of
    ores that leave unseparated (E61), national codes, published shares.  It is found by linear programs
    (E62).  Sums over flows are the extremes of one program wherever a constraint ties flows together; where
    none does, the ends of the flows add up exactly.  Information never widens an interval; information that
    contradicts the totals is left out for the flows concerned and told.

    Args:
        code: six digits.
        importers: ISO 3166 alpha-3; None for all.
        years: calendar years; None for all.
        exporters: ISO 3166 alpha-3; None for all.
        by: what the table ``totals`` has one row for, besides the member: some of year, exporter, importer.
        use: kinds of information to use: published-shares, composition, production, prices.
        flows: trade rows instead of a data set: year, exporter, importer, code, value_usd (USD), quantity_t
            (t gross, null where unknown).
        revision: revision of the code; needed with ``flows`` unless they have a column ``revision``.
        members: what the code holds, when you know better than the shipped table.
        subcodes: national figures: year, exporter, importer, code, value_usd, quantity_t and ``members`` or
            ``system``.
        customs: name of a customs data set in ``folder``, instead of ``subcodes``.
        prices: bands of unit values: member, low_usd_t, high_usd_t and, if wanted, year.
        facts: name of a table of facts in ``folder``, instead of the shipped one.
        production_limit: bound shipments of an element by so many times the exporter's own production; None
            for no such bound, because scrap and stock are not in production statistics.
        dataset: trade data set, as in :func:`evernormal.data.trade`.
        folder: folder of the user's store.
        as_of: use only what was knowable on this day (law 11).

    Returns:
        Result ``basket-split`` with tables ``totals`` and ``flows``: the keys, code, member, element,
        quantity_t, quantity_low_t, quantity_high_t (t gross, null where the quantity is unknown), value_usd,
        value_low_usd, value_high_usd, quantity_share_low, quantity_share_high, value_share_low,
        value_share_high (fractions of the flows' total), contained_low_t, contained_high_t (t of the
        element; null where the content is unknown); ``elements``: the keys, code, element,
        contained_low_t and contained_high_t of every element that goods hold, as magnets hold dysprosium;
        ``rows``: the trade rows behind it; ``information``: what was used and what was left out.

    Raises:
        InputError: a code, a column, a price band or ``use`` is not what it must be.
        UnknownNameError: a country, a data set, a member or a kind of information that does not exist.
        NotCoveredError: no trade of the code, or nothing is known of what it holds.

    >>> split = split_basket("284690", "KOR", 2023)
    >>> row = split["totals"].filter(pl.col("member") == "terbium/oxide").row(0, named=True)
    >>> row["quantity_low_t"], row["quantity_share_high"] < 0.25
    (0.0, True)
    """
    known_on = day_of(as_of)
    asked = _checked(by, use)
    stated = {"importers": _listed(importers), "exporters": _listed(exporters), "years": _numbers(years)}
    raw, edition, inputs = trade_of(code, stated, flows, revision, dataset, folder, known_on)
    rows = flows_of(raw, code)
    known = basket(code, edition, members)
    given = told(known, subcodes, customs, folder, known_on)
    problem = problem_of(
        known, rows, asked[1], given, prices=prices, facts=facts, folder=folder, as_of=known_on,
        production_limit=production_limit, inputs=(*inputs, *given[2]),
    )  # fmt: skip
    solved = solution_of(problem)
    call = {"code": code, **stated, "by": list(asked[0]), "use": list(asked[1]), "as_of": str(known_on or "")}
    return _result(problem, solved, asked[0], call, production_limit, raw)


def _listed(names: Iterable[str] | str | None) -> list[str] | None:
    return None if names is None else [names] if isinstance(names, str) else list(names)


def _numbers(years: Iterable[int] | int | None) -> list[int] | None:
    return None if years is None else [years] if isinstance(years, int) else list(years)


def _checked(by: Sequence[str], use: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    keys, kinds = ([by] if isinstance(by, str) else list(by)), ([use] if isinstance(use, str) else list(use))
    for name in keys:
        if name not in FLOW:
            raise UnknownNameError("key of the totals", name, FLOW, where="by")
    for name in kinds:
        if name not in KINDS:
            raise UnknownNameError("kind of information", name, KINDS, where="use")
    return tuple(k for k in FLOW if k in keys), tuple(k for k in KINDS if k in kinds)


def trade_of(
    code: str,
    stated: Mapping[str, Any],
    flows: pl.DataFrame | None,
    revision: str | None,
    dataset: str | None,
    folder: str | Path | None,
    as_of: date | None,
) -> tuple[pl.DataFrame, str, tuple[Input, ...]]:
    """Return trade rows, the revision of their code, and where they come from."""
    from evernormal.data import trade  # noqa: PLC0415  reads a table only when it is needed

    pinned: tuple[Input, ...] = ()
    if flows is None:
        rows = trade([code], **stated, dataset=dataset, folder=folder, as_of=as_of)
        pinned = _trade_inputs(dataset, folder, as_of)
    else:
        rows = flows
        for column, name in (("importer", "importers"), ("exporter", "exporters"), ("year", "years")):
            if stated[name] is not None and column in rows.columns:
                rows = rows.filter(pl.col(column).is_in(stated[name]))
    revisions = set(rows["revision"].to_list()) if "revision" in rows.columns else set()
    edition = revision or (revisions.pop() if len(revisions) == 1 else None)
    if edition is None:
        raise InputError(
            f"the revision of code {code} is not known", where="revision", cure="Give revision='HS2017'."
        )
    return rows, edition, pinned


def _trade_inputs(dataset: str | None, folder: str | Path | None, as_of: date | None) -> tuple[Input, ...]:
    from evernormal.data import inputs  # noqa: PLC0415

    if dataset is None or folder is None:
        return inputs("trade")
    from evernormal.data.store import vintage  # noqa: PLC0415

    return (vintage(dataset, folder, kind="trade", as_of=as_of).as_input(),)


def told(
    known: Basket,
    subcodes: pl.DataFrame | None,
    customs: str | None,
    folder: str | Path | None,
    as_of: date | None,
) -> tuple[Told | None, tuple[Finding, ...], tuple[Input, ...]]:
    """Return the national figures, findings about them, and where they come from."""
    pinned: tuple[Input, ...] = ()
    if customs is not None:
        from evernormal.data.stored import stored  # noqa: PLC0415

        if subcodes is not None:
            raise InputError("give subcodes or customs, not both", where="customs")
        rows, source = stored("customs", customs, folder, as_of)
        subcodes, pinned = told_from_customs(known, rows), (source,)
    if subcodes is None or subcodes.is_empty():
        return None, (), pinned
    told, findings = told_from_table(known, subcodes)
    return told, findings, pinned


# --- tables -----------------------------------------------------------------


def _result(
    problem: Problem,
    solved: Solution,
    by: tuple[str, ...],
    call: Mapping[str, Any],
    limit: float | None,
    raw: pl.DataFrame,
) -> Result:
    from evernormal import __version__  # noqa: PLC0415

    tables = {
        "totals": _totals(problem, solved, by),
        "flows": _totals(problem, solved, FLOW),
        "elements": _elements(problem, solved, by),
        "rows": _plain(raw),
        "information": _information(problem),
    }
    amounts: dict[str, str] = {}
    for side in SIDES:
        unit = "t gross" if side == "quantity" else "USD"
        amounts |= {f"{side}_{_UNIT[side]}": unit}
        amounts |= {f"{side}_{end}_{_UNIT[side]}": unit for end in ("low", "high")}
        amounts |= {f"{side}_share_{end}": "fraction" for end in ("low", "high")}
    inside = {f"contained_{end}_t": "t of the element" for end in ("low", "high")}
    amounts |= inside
    units = {
        "totals": amounts,
        "flows": amounts,
        "elements": inside,
        "rows": {"value_usd": "USD", "quantity_t": "t gross"},
    }
    lineage = Lineage(
        __version__, problem.inputs, _parameters(problem, limit), _derivations(), call=dict(call)
    )
    return Result("basket-split", tables, units, lineage, problem.findings, _coverage(problem))


def _plain(raw: pl.DataFrame) -> pl.DataFrame:
    """Return trade rows in order, without numbers of which this file knows no unit."""
    kept = [
        name
        for name, kind in raw.schema.items()
        if name in ("value_usd", "quantity_t") or not kind.is_float()
    ]
    return raw.select(kept).sort(*FLOW, "value_usd", "quantity_t")


def _totals(problem: Problem, solved: Solution, by: tuple[str, ...]) -> pl.DataFrame:
    """Return one row per key and member; flows of one key are summed, jointly where they are tied."""
    rows = []
    for key, flows in _keyed(problem, by):
        for member in range(len(problem.known.members)):
            rows.append(dict(zip(by, key, strict=True)) | _row(problem, solved, flows, member))
    shown: dict[str, Any] = {name: problem.keys.schema[name] for name in by}
    shown |= {"code": pl.String, "member": pl.String, "element": pl.String}
    for side in SIDES:
        u = _UNIT[side]
        shown |= dict.fromkeys((f"{side}_{u}", f"{side}_low_{u}", f"{side}_high_{u}"), pl.Float64)
        shown |= dict.fromkeys((f"{side}_share_low", f"{side}_share_high"), pl.Float64)
    shown |= dict.fromkeys(("contained_low_t", "contained_high_t"), pl.Float64)
    return pl.DataFrame(rows, schema=shown)


def _keyed(problem: Problem, by: tuple[str, ...]) -> list[tuple[tuple[Any, ...], list[int]]]:
    """Return the flows of each key, keys in order."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    names = problem.keys.select(by).rows() if by else [()] * problem.keys.height
    for number, key in enumerate(names):
        groups.setdefault(key, []).append(number)
    return sorted(groups.items())


def _row(problem: Problem, solved: Solution, flows: Sequence[int], member: int) -> dict[str, Any]:
    this = problem.known.members[member]
    row: dict[str, Any] = {"code": problem.known.code, "member": this.name, "element": this.element}
    for side in SIDES:
        known = [flow for flow in flows if problem.flows[flow].total(side) is not None]
        unit = _UNIT[side]
        if not known:
            continue
        amounts = [problem.flows[flow].total(side) or 0.0 for flow in known]
        whole = math.fsum(amounts)
        low, high = sum_of(problem, solved, known, member, side)
        middle = math.fsum(a * solved.middle[f, member, side] for f, a in zip(known, amounts, strict=True))
        low, high = min(low, middle), max(high, middle)
        row |= {f"{side}_{unit}": middle, f"{side}_low_{unit}": low, f"{side}_high_{unit}": high}
        if whole > 0:
            row |= {f"{side}_share_low": low / whole, f"{side}_share_high": high / whole}
        if side == "quantity":
            row |= _contained(problem, solved, known, member)
    return row


def _contained(
    problem: Problem, solved: Solution, flows: Sequence[int], member: int, element: str = ""
) -> dict[str, float]:
    """Return the ends of what goods of a member contain of an element; nothing where that is unknown."""
    ends = []
    for flow in flows:
        exporter = problem.keys["exporter"][flow]
        content = content_of(problem.known.members[member], problem.known.code, exporter, element)
        if content is None:
            return {}
        total = problem.flows[flow].quantity or 0.0
        key = (flow, member, SIDES[0])
        ends.append((content[0] * total * solved.low[key], content[1] * total * solved.high[key]))
    return {
        "contained_low_t": math.fsum(low for low, _ in ends),
        "contained_high_t": math.fsum(high for _, high in ends),
    }


def _elements(problem: Problem, solved: Solution, by: tuple[str, ...]) -> pl.DataFrame:
    """Return what the flows of each key contain of every element, over the members that hold it."""
    rows: list[dict[str, Any]] = []
    for key, flows in _keyed(problem, by):
        known = [flow for flow in flows if problem.flows[flow].quantity is not None]
        found: dict[str, list[dict[str, float]]] = {}
        for place, member in enumerate(problem.known.members):
            for element in elements_of(member) if known else ():
                found.setdefault(element, []).append(_contained(problem, solved, known, place, element))
        for element, parts in found.items():
            row = dict(zip(by, key, strict=True)) | {"code": problem.known.code, "element": element}
            if all(parts):
                ends = ("contained_low_t", "contained_high_t")
                row |= {end: math.fsum(part[end] for part in parts) for end in ends}
            rows.append(row)
    schema: dict[str, Any] = {name: problem.keys.schema[name] for name in by}
    schema |= {"code": pl.String, "element": pl.String}
    return pl.DataFrame(
        rows, schema=schema | dict.fromkeys(("contained_low_t", "contained_high_t"), pl.Float64)
    )


def _information(problem: Problem) -> pl.DataFrame:
    rows = [("national-codes", name, "figures of national codes", True, "") for name in problem.split]
    for groups, used in ((problem.groups, True), (problem.dropped, False)):
        for group in groups:
            for flow in group.flows:
                year, exporter, importer = problem.keys.select(FLOW).row(flow)
                rows.append((group.kind, f"{exporter} to {importer} {year}", group.text, used, group.source))
    schema = {
        "kind": pl.String,
        "flow": pl.String,
        "says": pl.String,
        "used": pl.Boolean,
        "source": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").unique().sort("kind", "flow", "says", "used")


def _parameters(problem: Problem, limit: float | None) -> tuple[Parameter, ...]:
    found = (
        list(band_parameters(problem.known.code)) if any(g.kind == "prices" for g in problem.groups) else []
    )
    if any(group.kind == "published-shares" for group in problem.groups):
        source = (
            "assumption: a published share differs by up to one point, for rounding and for another code set"
        )
        found.append(Parameter("tolerance of a published share", 0.01, 0.0, 0.05, "1", "C", source))
    if limit is not None:
        source = "assumption: chosen by the caller; scrap, stock and imports are not in production"
        found.append(Parameter("shipments over production", limit, 1.0, limit, "1", "C", source))
    return tuple(found)


def _derivations() -> tuple[Derivation, ...]:
    text = {
        "low": "The least in any split that agrees with the totals and with what is known.",
        "high": "The greatest in any split that agrees with the totals and with what is known.",
        "": "The split of least relative change from the exporter's mix, inside the interval; an assumption.",
    }
    found = []
    for end in ("low", "high"):
        said = "The same for every element that goods of the members hold."
        found.append(Derivation("elements", f"contained_{end}_t", "E31", (f"totals.quantity_{end}_t",), said))
    for table in ("totals", "flows"):
        for side in SIDES:
            total = f"rows.{side}_{_UNIT[side]}"
            for end, said in text.items():
                column = "_".join(part for part in (side, end, _UNIT[side]) if part)
                found.append(Derivation(table, column, "E62" if end else "E63", (total,), said))
            for end in ("low", "high"):
                share = f"{table}.{side}_{end}_{_UNIT[side]}"
                said = "The end of the interval over the flows' total."
                found.append(Derivation(table, f"{side}_share_{end}", "E62", (share, total), said))
        for end in ("low", "high"):
            said = "The end of the interval of each flow times the least or greatest content of its goods."
            inside = (f"{table}.quantity_{end}_t",)
            found.append(Derivation(table, f"contained_{end}_t", "E31", inside, said))
    return tuple(found)


def _coverage(problem: Problem) -> pl.DataFrame:
    rows = []
    for (year, exporter, importer), flow in zip(
        problem.keys.select(FLOW).iter_rows(), problem.flows, strict=True
    ):
        status = "observed" if flow.quantity is not None else "unknown"
        rows.append((f"quantity of {problem.known.code}, {exporter} to {importer}, {year}", status))
    return pl.DataFrame(rows, schema={"asked": pl.String, "status": pl.String}, orient="row")
