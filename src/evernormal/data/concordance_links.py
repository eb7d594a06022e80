"""Weights along a route of steps: which share of a code enters each code of another revision, and how sure.

A code with one target sends everything there.  A code with several needs weights: given, learned (equation
E18), or assumed; an assumed weight is one number inside the interval from nothing to everything, and says so.
Over several steps the weights multiply; the interval of the product is exact: the least and the most that the
intervals of all steps allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import polars as pl

from evernormal.data.concordance_steps import Step, check_revision, route
from evernormal.data.schema import day
from evernormal.errors import InputError, LabelError, NotCoveredError
from evernormal.result import Derivation, Finding, Lineage, Result

__all__ = ["BASES", "Link", "concordance", "link_findings", "links_along", "require_codes"]

Basis = Literal["one code", "learned", "given", "assumed", "left"]

BASES: tuple[Basis, ...] = ("one code", "learned", "given", "assumed", "left")
"""How a weight is known, surest first; ``left`` where the table does not say which code the goods enter."""

_GRADES = {"one code": "A", "learned": "B", "given": "B", "assumed": "C", "left": "C"}
_WHOLE = 1e-9


@dataclass(frozen=True)
class Link:
    """Share of the value of one code that enters another; ``to_code`` None: a code that no table names."""

    from_code: str
    to_code: str | None
    weight: float
    low: float
    high: float
    basis: Basis


_Weighted = tuple[tuple[str | None, float, float, float, Basis], ...]
_Given = Mapping[tuple[str, str], Mapping[str, _Weighted]]


def concordance(
    from_revision: str,
    to_revision: str,
    codes: Iterable[str] | None = None,
    *,
    weights: pl.DataFrame | Result | None = None,
    dataset: str | Sequence[str] | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return which code of one revision shares goods with which code of another, with weights.

    Args:
        from_revision: such as ``HS1992`` or ``HSK2017``.
        to_revision: such as ``HS2022``.
        codes: only these codes of ``from_revision``; None for all that are known.
        weights: weights of codes with several targets: columns from_revision, to_revision, from_code,
            to_code, weight (fraction; those of a code sum to 1), and low and high where there is an
            interval; or the result of :func:`evernormal.data.learn_weights`.  What has none gets the
            publisher's conversion where the table has one, else the same number, else equal shares: grade C,
            interval from 0 to 1.
        dataset: None for the shipped table (codes of the forms and of the shipped trade, with their
            relatives); names of data sets of kind concordance for others, ``"shipped"`` among them where the
            shipped table may fill in.
        folder: folder of the store; needed with a data set.
        as_of: use only what was knowable on this day (law 11).

    Returns:
        Result ``concordance`` with tables ``links``: from_revision, from_code, to_revision, to_code (null: a
        code that the table does not name), weight, low, high (fraction of the value of from_code), basis (one
        of :data:`BASES`), grade; ``rows``: the published rows behind them.

    Raises:
        UnknownNameError: no such revision or data set.
        NotCoveredError: no table leads from one to the other, or it does not know a code.
        LabelError: weights name other codes than the table.

    >>> concordance("HS2017", "HS2022", ["811292"])["links"].select("to_code", "high").rows()
    [('811231', 1.0), ('811241', 1.0), ('811292', 1.0)]
    """
    one, other = check_revision(from_revision, "from_revision"), check_revision(to_revision, "to_revision")
    steps = route(one, other, dataset, folder, day(as_of))
    wanted = None if codes is None else sorted(set(codes))
    known = _known(steps, wanted)
    if wanted is not None:
        require_codes(wanted, known, one)
    found = links_along(steps, known if wanted is None else wanted, weights)
    table = _table(found, one, other, frozenset().union(*(step.doubtful for step in steps)))
    rows = pl.concat([step.rows for step in steps], how="diagonal_relaxed") if steps else pl.DataFrame()
    call = {"from_revision": one, "to_revision": other, "codes": wanted, "dataset": dataset, "as_of": as_of}
    return Result(
        "concordance",
        {"links": table, "rows": rows},
        {"links": dict.fromkeys(("weight", "low", "high"), "fraction"), "rows": _row_units(rows)},
        _lineage(steps, call),
        link_findings(table),
    )


def require_codes(codes: Sequence[str], known: Iterable[str], revision: str) -> None:
    """Raise unless every code is one that the concordance knows.

    Raises:
        InputError: a code is not text of digits.
        NotCoveredError: the table does not know a code.
    """
    digits = 10 if revision.startswith("HSK") else 6
    for code in codes:
        if not (isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == digits):
            raise InputError(f"a code of {revision} is {digits} digits as text, got {code!r}", where="code")
    missing = sorted(set(codes) - set(known))
    if missing:
        raise NotCoveredError(
            f"the concordance knows no {', '.join(missing[:10])} in {revision}"
            + (f" and {len(missing) - 10} more" if len(missing) > 10 else ""),
            cure="Add a table that has it: `evernormal data add hs-correlation FILE`, and name the data set.",
        )


def links_along(
    steps: Sequence[Step], codes: Iterable[str], weights: pl.DataFrame | Result | None = None
) -> list[Link]:
    """Return the links of codes along a route, sorted by both codes; a code that leaves comes to None."""
    given = _given(weights)
    stages = [_Stage(step, given.get((step.from_revision, step.to_revision), {})) for step in steps]
    if not stages:
        return [Link(code, code, 1.0, 1.0, 1.0, "one code") for code in sorted(set(codes))]
    bounds: dict[tuple[int, str | None, str | None], tuple[float, float]] = {}
    found: list[Link] = []
    for code in sorted(set(codes)):
        shares: dict[str | None, tuple[float, int]] = {code: (1.0, 0)}
        for stage in stages:
            shares = _onward(stage, shares)
        for target in sorted(shares, key=lambda c: (c is None, c or "")):
            weight, worst = shares[target]
            low, high = _bounds(stages, 0, code, target, bounds)
            basis: Basis = BASES[worst]
            if target is None:
                basis = "left"
            elif low == high == 1.0:
                weight, basis = 1.0, "one code"
            found.append(Link(code, target, min(max(weight, low), high), low, high, basis))
    return found


class _Stage:
    """A step with the weights of its codes."""

    def __init__(self, step: Step, given: Mapping[str, _Weighted]) -> None:
        self.step = step
        self.given = given

    def weighted(self, code: str | None) -> _Weighted:
        """Return the targets of a code with weight, interval and basis."""
        if code is None or code not in self.step.targets:
            return ((None, 1.0, 1.0, 1.0, "left"),)
        targets = self.step.targets[code]
        if len(targets) == 1:
            return ((targets[0], 1.0, 1.0, 1.0, "one code" if targets[0] is not None else "left"),)
        if code in self.given:
            self._require_same(code, targets)
            return self.given[code]
        return _assumed(code, targets, self.step.named.get(code))

    def _require_same(self, code: str, targets: tuple[str | None, ...]) -> None:
        named = {target for target, *_ in self.given[code]}
        if named != set(targets):
            raise LabelError(
                f"weights lead {code} to {_shown(named)}; the concordance leads it to {_shown(targets)}",
                where=f"weights {self.step.from_revision} to {self.step.to_revision}",
                cure="Give one weight for each code of the concordance.",
            )


def _shown(codes: Iterable[str | None]) -> str:
    return ", ".join(sorted(code or "(not named)" for code in codes))


def _assumed(code: str, targets: tuple[str | None, ...], named: str | None) -> _Weighted:
    """Return the stated default: the publisher's conversion, else the same number, else equal shares."""
    main = next((c for c in (named, code) if c is not None and c in targets), None)
    if main is not None:
        return tuple((t, 1.0 if t == main else 0.0, 0.0, 1.0, "assumed") for t in targets)
    share = 1.0 / len(targets)
    return tuple((target, share, 0.0, 1.0, "assumed") for target in targets)


def _onward(
    stage: _Stage, shares: Mapping[str | None, tuple[float, int]]
) -> dict[str | None, tuple[float, int]]:
    """Carry shares one step on, with the worst basis on the way."""
    after: dict[str | None, tuple[float, int]] = {}
    for here, (share, worst) in shares.items():
        for target, weight, _, _, basis in stage.weighted(here):
            before, rank = after.get(target, (0.0, 0))
            after[target] = (before + share * weight, max(rank, worst, BASES.index(basis)))
    return after


def _bounds(
    stages: Sequence[_Stage],
    position: int,
    code: str | None,
    target: str | None,
    known: dict[tuple[int, str | None, str | None], tuple[float, float]],
) -> tuple[float, float]:
    """Return the least and the most of a code that can end in a target: a knapsack at each step."""
    if position == len(stages):
        return (1.0, 1.0) if code == target else (0.0, 0.0)
    key = (position, code, target)
    if key not in known:
        options = [
            (*_bounds(stages, position + 1, onward, target, known), low, high)
            for onward, _, low, high, _ in stages[position].weighted(code)
        ]
        least = _filled(sorted((worth, low, high) for worth, _, low, high in options))
        most = _filled(sorted(((worth, low, high) for _, worth, low, high in options), reverse=True))
        known[key] = (least, most)
    return known[key]


def _filled(options: Sequence[tuple[float, float, float]]) -> float:
    """Give each option its lower end, then what is left to the options in their order."""
    total = sum(worth * low for worth, low, _ in options)
    rest = 1.0 - sum(low for _, low, _ in options)
    for worth, low, high in options:
        taken = min(max(rest, 0.0), high - low)
        total += worth * taken
        rest -= taken
    return min(max(total, 0.0), 1.0)


# --- weights that are given ----------------------------------------------------


def _given(weights: pl.DataFrame | Result | None) -> _Given:
    if weights is None:
        return {}
    learned = isinstance(weights, Result)
    table = weights["weights"] if isinstance(weights, Result) else weights
    needed = ("from_revision", "to_revision", "from_code", "to_code", "weight")
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise InputError(f"column {', '.join(missing)} is missing", where="weights")
    found: dict[tuple[str, str], dict[str, _Weighted]] = {}
    for row in table.sort("from_revision", "to_revision", "from_code", "to_code", nulls_last=True).to_dicts():
        pair = (row["from_revision"], row["to_revision"])
        codes = found.setdefault(pair, {})
        codes[row["from_code"]] = (*codes.get(row["from_code"], ()), _given_row(row, learned))
    for pair, codes in found.items():
        for code, options in codes.items():
            _require_whole(code, options, pair)
    return found


def _given_row(row: Mapping[str, Any], learned: bool) -> tuple[str | None, float, float, float, Basis]:
    weight = row["weight"]
    low = row["low"] if row.get("low") is not None else weight
    high = row["high"] if row.get("high") is not None else weight
    if weight is None or not 0 <= low <= weight <= high <= 1:
        raise InputError(
            f"0 <= low <= weight <= high <= 1 is broken: {low}, {weight}, {high}",
            where=f"weights, {row['from_code']} to {row['to_code']}",
        )
    said = row.get("basis")
    basis: Basis = said if said in BASES else "learned" if learned else "given"
    return row["to_code"], float(weight), float(low), float(high), basis


def _require_whole(code: str, options: _Weighted, pair: tuple[str, str]) -> None:
    where = f"weights {pair[0]} to {pair[1]}, {code}"
    if len({target for target, *_ in options}) < len(options):
        raise InputError("a pair of codes is there twice", where=where)
    total = sum(weight for _, weight, *_ in options)
    if abs(total - 1) > _WHOLE:
        raise InputError(f"the weights sum to {total:.12g}", where=where, cure="They must sum to 1.")


# --- tables --------------------------------------------------------------------


def _known(steps: Sequence[Step], wanted: Sequence[str] | None) -> list[str]:
    if steps:
        return sorted(steps[0].targets)
    return sorted(wanted or ())


def _table(found: Sequence[Link], one: str, other: str, doubtful: frozenset[str]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "from_revision": one,
                "from_code": link.from_code,
                "to_revision": other,
                "to_code": link.to_code,
                "weight": link.weight,
                "low": link.low,
                "high": link.high,
                "basis": link.basis,
                "grade": max(_GRADES[link.basis], "B" if link.from_code in doubtful else "A"),
            }
            for link in found
        ],
        schema={
            **dict.fromkeys(("from_revision", "from_code", "to_revision", "to_code"), pl.String()),
            **dict.fromkeys(("weight", "low", "high"), pl.Float64()),
            **dict.fromkeys(("basis", "grade"), pl.String()),
        },
    )


def _row_units(rows: pl.DataFrame) -> dict[str, str]:
    return {name: "fraction" for name, kind in rows.schema.items() if kind.is_float()}


def link_findings(links: pl.DataFrame) -> tuple[Finding, ...]:
    """Return what a reader of a table of links must know: which weights are assumed, which goods leave it."""
    assumed = _codes_where(links, pl.col("basis") == "assumed")
    left = _codes_where(links, (pl.col("basis") == "left") & (pl.col("high") > 0))
    findings = []
    if assumed:
        text = (
            f"How to divide {_few(assumed)} is not known: each weight is an assumption inside its interval."
        )
        findings.append(Finding("weights-assumed", "caution", text, {"codes": assumed}))
    if left:
        text = f"Part of {_few(left)} can be in codes that the concordance does not name."
        findings.append(Finding("code-leaves-concordance", "caution", text, {"codes": left}))
    return tuple(findings)


def _codes_where(links: pl.DataFrame, condition: pl.Expr) -> list[str]:
    return sorted(set(links.filter(condition)["from_code"].to_list()))


def _few(codes: Sequence[str]) -> str:
    shown = ", ".join(codes[:6])
    return f"{shown} and {len(codes) - 6} more" if len(codes) > 6 else shown


def _lineage(steps: Sequence[Step], call: Mapping[str, Any]) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415

    inputs = tuple(dict.fromkeys(step.source for step in steps))
    text = "The product of the weights of each step; the interval is the least and most that they allow."
    derived = Derivation("links", "weight", "E19", ("rows.to_code",), text)
    said = {name: str(value) if isinstance(value, date) else value for name, value in call.items()}
    return Lineage(__version__, inputs=inputs, derivations=(derived,), call=said)
