"""How visible each element is in trade statistics, and what a new national code would make visible (S2).

An element inside a basket code is seen as far as its interval is narrow: visibility is one less the width of
the interval over the trade of every code that may hold it.  A new national code is judged by the width that
it takes away, from the element of the code and from the others that share its basket.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.errors import NotCoveredError, UnknownNameError
from evernormal.network.basket_flows import flows_of
from evernormal.network.basket_information import KINDS, day_of
from evernormal.network.basket_limits import Side
from evernormal.network.basket_solution import SIDES, problem_of, solution_of
from evernormal.network.basket_tables import Basket, baskets_of
from evernormal.network.basket_tables import basket as basket_of
from evernormal.network.baskets import told, trade_of
from evernormal.network.new_codes import UNIT, Case, Widths, ranked, widths_with
from evernormal.network.new_codes import chosen as chosen_codes
from evernormal.result import Derivation, Finding, Input, Lineage, Result

__all__ = ["visibility"]


_ONE = ("trade", "low", "high", "hidden")


def _columns() -> list[str]:
    """Return the number columns of the tables of elements and members, in order."""
    found = []
    for side in SIDES:
        found += [f"{name}_{UNIT[side]}" for name in _ONE]
        found += [f"{side}_visibility", f"hidden_after_{UNIT[side]}", f"{side}_visibility_after"]
    return found


def visibility(
    of: str | Iterable[str],
    country: str,
    years: Iterable[int] | int | None = None,
    *,
    new_codes: Iterable[str] = (),
    rank: bool = True,
    by: Side = "value",
    flow: str = "import",
    use: Iterable[str] = KINDS,
    subcodes: pl.DataFrame | None = None,
    customs: str | None = None,
    prices: pl.DataFrame | None = None,
    facts: str | None = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return how visible elements are in a country's trade, before and after new national codes.

    Visibility of an element (equation E64) is 1 less the width of its interval, summed over the codes that
    may hold it, over the trade of those codes: 0 when all or nothing of the trade may be the element, 1 when
    its part is known exactly.  A code with a single member shows it whole.  By value and by quantity are
    different answers: a little terbium can be all the value of a shipment and never all its weight.

    What a new code would report is not known.  It is taken to report the central split, which is an
    assumption; the width that it takes away from its own element does not depend on that, the width that it
    takes from the others does, a little.

    Args:
        of: a six-digit code, a material such as ``neodymium``, or several of either.
        country: ISO 3166 alpha-3.
        years: calendar years; None for the latest in which the country traded one of the codes.
        new_codes: members that get a national code of their own, such as ``neodymium/oxide``, or a material
            or an element for all its members, or ``all``.
        rank: judge a code for every member by itself as well.
        by: side that orders the new codes: value or quantity.
        flow: ``import`` or ``export``.
        use: as in :func:`evernormal.network.split_basket`, like the other arguments.
        subcodes: as there; several codes may stand in it.
        customs: as there.
        prices: as there.
        facts: as there.
        dataset: as there.
        folder: as there.
        as_of: as there.

    Returns:
        Result ``visibility`` with tables ``elements``: year, element and, in t gross (of flows whose quantity
        is known) and in USD, trade (of the codes that may hold it), low and high (its interval), hidden (the
        width), quantity_visibility and value_visibility (fractions), and hidden and visibility after the new
        codes (null without any); ``members``: the same per code and member; ``new_codes``: year, code,
        member, gained_own, gained_others and gained (width taken from this element, from the others, from
        all) in t and USD, quantity_visibility_gained and value_visibility_gained (fractions of all widths of
        the basket), the best first by ``by``.

    Raises:
        UnknownNameError: a country, or a new code that names no member.
        NotCoveredError: no code or no trade is known.

    >>> table = visibility("284690", "KOR", 2023, rank=False)["elements"]
    >>> seen = dict(table.select("element", pl.col("quantity_visibility").round(2)).rows())
    >>> seen["Nd"], seen["Tb"] > 0.9  # neodymium may be all or nothing of it, terbium a tenth at most
    (0.0, True)
    """
    known_on = day_of(as_of)
    names = [of] if isinstance(of, str) else list(of)
    side = _side(flow)
    if years is None:
        years = _latest(names, country, side, dataset, folder, known_on)
    asked = [years] if isinstance(years, int) else list(years)
    if by not in SIDES:
        raise UnknownNameError("side", by, SIDES, where="by")
    given: dict[str, Any] = {"subcodes": subcodes, "customs": customs, "prices": prices, "facts": facts}
    cases, inputs, findings = _cases(
        names, country, asked, side, tuple(use), given, dataset, folder, known_on
    )
    own_codes = chosen_codes([new_codes] if isinstance(new_codes, str) else list(new_codes), cases)
    after = (
        [widths_with(case, own) for case, own in zip(cases, own_codes, strict=True)]
        if any(own_codes)
        else None
    )
    tables = {
        "elements": _elements(cases, after),
        "members": _members(cases, after),
        "new_codes": ranked(cases if rank else [], by),
    }
    call: dict[str, Any] = {"of": names, "country": country, "years": asked, "flow": flow, "use": list(use)}
    call |= {"new_codes": sorted({name for own in own_codes for name in own}), "as_of": str(known_on or "")}
    call |= {"by": by, "rank": rank, "dataset": dataset}
    call |= {name: _told(value) for name, value in given.items()}
    return _result(tables, inputs, findings, call)


def _told(value: object) -> object:
    """Say in the lineage what was given: a name as it is, a table of the caller's only that there was one."""
    return value if value is None or isinstance(value, str) else "given"


def _side(flow: str) -> str:
    sides = {"import": "importers", "export": "exporters"}
    if flow not in sides:
        raise UnknownNameError("flow", flow, sides, where="flow")
    return sides[flow]


def _latest(
    names: Sequence[str],
    country: str,
    side: str,
    dataset: str | None,
    folder: str | Path | None,
    as_of: date | None,
) -> int:
    from evernormal.data import covered_codes, trade  # noqa: PLC0415  reads a table only when it is needed

    known = {basket.code for basket in _baskets(names, _revision(dataset, folder, as_of))}
    codes = sorted(known.intersection(covered_codes(dataset=dataset, folder=folder, as_of=as_of)))
    whose: dict[str, Any] = {side: [country]}
    last = trade(codes, **whose, dataset=dataset, folder=folder, as_of=as_of)["year"].max() if codes else None
    if last is None:
        raise NotCoveredError(
            f"no trade of {country} is known under {', '.join(sorted(known))}",
            cure="Add a data set that has it: `evernormal data add baci FILE`.",
        )
    return int(str(last))


def _baskets(names: Sequence[str], revision: str) -> list[Basket]:
    found: dict[str, Basket] = {}
    for name in names:
        if name.isdigit():
            found[name] = basket_of(name, revision)
        else:
            found |= {known.code: known for known in baskets_of(name, revision)}
    return [found[code] for code in sorted(found)]


def _revision(dataset: str | None, folder: str | Path | None, as_of: date | None) -> str:
    if dataset is None or folder is None:
        from evernormal.network.forms import SHIPPED_REVISION  # noqa: PLC0415

        return SHIPPED_REVISION
    from evernormal.data.store import vintage  # noqa: PLC0415

    return vintage(dataset, folder, kind="trade", as_of=as_of).revision


def _cases(
    names: Sequence[str],
    country: str,
    years: Sequence[int],
    side: str,
    use: tuple[str, ...],
    given: Mapping[str, Any],
    dataset: str | None,
    folder: str | Path | None,
    as_of: date | None,
) -> tuple[list[Case], tuple[Input, ...], list[Finding]]:
    from evernormal.data import covered_codes  # noqa: PLC0415  reads a table only when it is needed

    revision = _revision(dataset, folder, as_of)
    known = _baskets(names, revision)
    covered = set(covered_codes(dataset=dataset, folder=folder, as_of=as_of))
    findings: list[Finding] = []
    cases: list[Case] = []
    inputs: dict[str, Input] = {}
    missing = [basket.code for basket in known if basket.code not in covered]
    if missing:
        text = f"{', '.join(missing)} is not in the trade data at hand: what it hides is unknown, not zero."
        findings.append(Finding("basket-code-not-covered", "caution", text, {"codes": missing}))
    for this in known:
        for year in years if this.code in covered else ():
            found = _case(this, country, year, side, use, given, (dataset, folder, as_of))
            if found is None:
                text = f"No trade of {this.code} was reported for {country} in {year}: unknown, not zero."
                values = {"code": this.code, "country": country, "year": year}
                findings.append(Finding("basket-no-trade", "caution", text, values))
                continue
            cases.append(found)
            inputs |= {pinned.name: pinned for pinned in found.problem.inputs}
            findings += found.problem.findings
    if not cases:
        raise NotCoveredError(
            f"no trade of {country} is known under {', '.join(b.code for b in known)} in those years",
            cure="Add a data set that has it: `evernormal data add baci FILE`.",
        )
    return cases, tuple(inputs.values()), _once(findings)


def _once(findings: Iterable[Finding]) -> list[Finding]:
    seen: dict[str, Finding] = {}
    for finding in findings:
        seen.setdefault(finding.message, finding)
    return list(seen.values())


def _case(
    known: Basket,
    country: str,
    year: int,
    side: str,
    use: tuple[str, ...],
    given: Mapping[str, Any],
    where: tuple[str | None, str | Path | None, date | None],
) -> Case | None:
    dataset, folder, as_of = where
    stated = {"importers": None, "exporters": None, "years": [year]} | {side: [country]}
    try:
        rows, _, pinned = trade_of(known.code, stated, None, known.revision, dataset, folder, as_of)
    except NotCoveredError:
        return None
    if rows.is_empty():
        return None
    rows = flows_of(rows, known.code)
    sub = given["subcodes"]
    if sub is not None:
        sub = sub.filter(pl.col("code").str.replace_all(r"[^0-9]", "").str.starts_with(known.code))
    figures = told(known, sub, given["customs"], folder, as_of)
    bands = given["prices"]
    if bands is not None:
        bands = bands.filter(pl.col("member").is_in(known.names))
    problem = problem_of(
        known, rows, use, figures, prices=bands, facts=given["facts"], folder=folder, as_of=as_of,
        inputs=(*pinned, *figures[2]),
    )  # fmt: skip
    return Case(year, known, problem, solution_of(problem, each=False))


# --- tables -----------------------------------------------------------------

_Sums = dict[str, float | None]


def _sums(case: Case, later: Sequence[Widths] | None) -> list[_Sums]:
    """Return trade, interval and width of every member of a case."""
    found: list[_Sums] = [{} for _ in case.known.members]
    for side in SIDES:
        unit, whole = UNIT[side], case.trade(side)
        for place, (low, high) in enumerate(case.ends(side)):
            if whole is not None:
                found[place] |= {f"trade_{unit}": whole, f"low_{unit}": low, f"high_{unit}": high}
                found[place][f"hidden_{unit}"] = high - low
                if later is not None:
                    found[place][f"hidden_after_{unit}"] = later[place][side]
    return found


def _seen(sums: Mapping[str, float | None]) -> _Sums:
    """Return the sums with visibility before and after (equation E64)."""
    row: _Sums = dict(sums)
    for side in SIDES:
        unit = UNIT[side]
        trade = sums.get(f"trade_{unit}")
        for when in ("", "_after"):
            width = sums.get(f"hidden{when}_{unit}")
            if trade and width is not None:
                row[f"{side}_visibility{when}"] = min(max(1 - width / trade, 0.0), 1.0)
    return row


def _members(cases: Sequence[Case], after: Sequence[Sequence[Widths]] | None) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for number, case in enumerate(cases):
        for member, sums in zip(
            case.known.members, _sums(case, None if after is None else after[number]), strict=True
        ):
            key = {
                "year": case.year,
                "code": case.known.code,
                "member": member.name,
                "element": member.element,
            }
            rows.append(key | _seen(sums))
    schema: dict[str, Any] = {"year": pl.Int64, "code": pl.String, "member": pl.String, "element": pl.String}
    table = pl.DataFrame(rows, schema=schema | dict.fromkeys(_columns(), pl.Float64))
    return table.sort("year", "code", "hidden_usd", "member", descending=[False, False, True, False])


def _elements(cases: Sequence[Case], after: Sequence[Sequence[Widths]] | None) -> pl.DataFrame:
    """Sum members to elements: codes share no constraint, so that the ends of their intervals add up."""
    found: dict[tuple[int, str], list[_Sums]] = {}
    for number, case in enumerate(cases):
        for member, sums in zip(
            case.known.members, _sums(case, None if after is None else after[number]), strict=True
        ):
            found.setdefault((case.year, member.element or member.name), []).append(sums)
    rows: list[dict[str, Any]] = []
    for (year, element), parts in sorted(found.items()):
        names = sorted({name for part in parts for name in part})
        total: _Sums = {name: math.fsum(part.get(name) or 0.0 for part in parts) for name in names}
        rows.append({"year": year, "element": element} | _seen(total))
    schema: dict[str, Any] = {"year": pl.Int64, "element": pl.String}
    table = pl.DataFrame(rows, schema=schema | dict.fromkeys(_columns(), pl.Float64))
    return table.sort("year", "hidden_usd", "element", descending=[False, True, False])


def _result(
    tables: Mapping[str, pl.DataFrame],
    inputs: tuple[Input, ...],
    findings: list[Finding],
    call: dict[str, Any],
) -> Result:
    from evernormal import __version__  # noqa: PLC0415

    if tables["new_codes"].height or call["new_codes"]:
        text = "What a new code would report is taken to be the central split: an assumption."
        findings = [*findings, Finding("basket-new-code-assumed", "info", text)]
    units = {}
    for name, table in tables.items():
        ends = {"t": "t gross", "usd": "USD"}
        numbers = [column for column, kind in table.schema.items() if kind.is_float()]
        units[name] = {column: ends.get(column.rsplit("_", 1)[-1], "fraction") for column in numbers}
    lineage = Lineage(__version__, inputs, (), _derivations(), call=call)
    return Result("visibility", tables, units, lineage, tuple(findings))


def _derivations() -> tuple[Derivation, ...]:
    found = []
    for table in ("elements", "members"):
        for side in SIDES:
            unit = UNIT[side]
            ends = tuple(f"{table}.{name}_{unit}" for name in ("low", "high", "trade"))
            said = "One less the width of the interval over the trade of the codes."
            found.append(Derivation(table, f"{side}_visibility", "E64", ends, said))
            said = "The same when the new codes report the central split."
            found.append(Derivation(table, f"{side}_visibility_after", "E64", ends, said))
            said = "The least and greatest in any split, over all flows of the codes."
            found += [Derivation(table, f"{end}_{unit}", "E62", ends[2:], said) for end in ("low", "high")]
    return tuple(found)
