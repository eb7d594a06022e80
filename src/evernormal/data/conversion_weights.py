"""Learn how a code divides, where the same flows are written in both revisions (equation E18).

BACI in two revisions, or a country's statistics before and after a change, hold the same shipments under old
and new codes.  The weights are the shares that reproduce the new columns from the old ones with the least
squared error, none negative, those of one code summing to 1 (Lukaszuk and Torun 2022).  Flows are drawn again
with replacement to say how sure that is; codes whose flows cannot tell their targets apart stay open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.data.concordance_links import concordance
from evernormal.data.concordance_steps import Step, check_revision, route
from evernormal.data.schema import day
from evernormal.errors import LabelError, NotCoveredError, SolverError
from evernormal.result import Derivation, Finding, Lineage, Result

__all__ = ["learn_weights"]

Floats = NDArray[np.float64]
_RANK = 1e-9
_RESIDUAL = 1e-7
_BALANCE = 0.05
"""Part by which the totals of both sides may differ without a finding (assumption)."""


@dataclass(frozen=True)
class _Group:
    """Codes that share goods with each other, and every way between them.

    ``right`` holds the codes whose every source is among ``left``: only they can be compared.
    """

    left: tuple[str, ...]
    right: tuple[str, ...]
    ways: tuple[tuple[str, str | None], ...]


def learn_weights(
    left: pl.DataFrame,
    right: pl.DataFrame,
    from_revision: str,
    to_revision: str,
    generator: np.random.Generator,
    *,
    amount: str = "value_usd",
    keys: Sequence[str] = ("year", "exporter", "importer"),
    draws: int = 200,
    minimum_flows: int = 10,
    dataset: str | Sequence[str] | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return the share of each code that enters each of its targets, learned from flows in both revisions.

    Args:
        left: flows in ``from_revision``: the columns ``keys``, ``code`` and ``amount``.
        right: the same flows in ``to_revision``.
        from_revision: revision of ``left``.
        to_revision: revision of ``right``.
        generator: source of randomness of the intervals.
        amount: column that is compared, in one unit on both sides.
        keys: columns that name a flow.  A flow that only one side writes counts as nothing on the other.
        draws: how often the flows are drawn again for the interval.
        minimum_flows: a group of codes with fewer flows is not learned (assumption: fewer tell nothing).
        dataset: as in :func:`evernormal.data.concordance`.
        folder: as in :func:`evernormal.data.concordance`.
        as_of: as in :func:`evernormal.data.concordance`.

    Returns:
        Result ``conversion-weights`` with table ``weights``: from_revision, to_revision, from_code, to_code
        (null: a code that the table does not name), weight, low, high (fraction of the value; 5th and 95th
        percentile of the draws), flows, basis (``learned``, or ``assumed`` where the flows cannot say).
        Only codes with several targets have rows.

    Raises:
        LabelError: a column that names a flow is missing on one side.
        NotCoveredError: no concordance leads from one revision to the other in one step, or no code of the
            flows divides.

    >>> import numpy as np
    >>> year, code = list(range(2000, 2020)), ["811292"] * 20
    >>> old = pl.DataFrame({"year": year, "code": code, "value_usd": [100.0 + y % 7 for y in year]})
    >>> new = pl.concat([
    ...     old.with_columns(code=pl.lit(c), value_usd=pl.col("value_usd") * share)
    ...     for c, share in (("811231", 0.25), ("811241", 0.15), ("811292", 0.6))
    ... ])
    >>> found = learn_weights(old, new, "HS2017", "HS2022", np.random.default_rng(1), keys=["year"])
    >>> found["weights"].select("to_code", pl.col("weight").round(6)).rows()
    [('811231', 0.25), ('811241', 0.15), ('811292', 0.6)]
    """
    one, other = check_revision(from_revision, "from_revision"), check_revision(to_revision, "to_revision")
    steps = route(one, other, dataset, folder, day(as_of))
    if len(steps) != 1:
        raise NotCoveredError(
            f"{one} and {other} are {len(steps)} steps apart", cure="Learn the weights of each step."
        )
    sides = (_flows(left, keys, amount, "left"), _flows(right, keys, amount, "right"))
    links = concordance(one, other, dataset=dataset, folder=folder, as_of=as_of)
    present = set(sides[0]["code"].to_list())
    (back,) = route(other, one, dataset, folder, day(as_of))
    groups = [g for g in _groups(links["links"], back) if present.intersection(g.left)]
    if not groups:
        raise NotCoveredError(f"none of the codes of the flows divides between {one} and {other}")
    rows: list[dict[str, Any]] = []
    findings: list[Finding] = []
    for group in groups:
        rows += _learned(group, sides, keys, generator, draws, minimum_flows, findings)
    table = pl.DataFrame(
        [{"from_revision": one, "to_revision": other, **row} for row in rows],
        schema={
            **dict.fromkeys(("from_revision", "to_revision", "from_code", "to_code"), pl.String()),
            **dict.fromkeys(("weight", "low", "high"), pl.Float64()),
            "flows": pl.Int64(),
            "basis": pl.String(),
        },
    )
    call = {"from_revision": one, "to_revision": other, "keys": list(keys), "draws": draws}
    text = "Shares of the old code that reproduce the new codes with the least squared error."
    derived = tuple(Derivation("weights", name, "E18", (), text) for name in ("weight", "low", "high"))
    return Result(
        "conversion-weights",
        {"weights": table.sort("from_code", "to_code", nulls_last=True)},
        {"weights": dict.fromkeys(("weight", "low", "high"), "fraction")},
        Lineage(links.lineage.version, inputs=links.lineage.inputs, derivations=derived, call=call),
        tuple(findings),
    )


def _flows(table: pl.DataFrame, keys: Sequence[str], amount: str, side: str) -> pl.DataFrame:
    """Return the amount of each flow and code, in an order of their own (law 7)."""
    missing = [name for name in (*keys, "code", amount) if name not in table.columns]
    if missing:
        raise LabelError(f"column {', '.join(missing)} is missing", where=side, cure="Give both sides alike.")
    ordered = table.select(*keys, "code", amount).drop_nulls(amount).sort(*keys, "code", amount)
    return ordered.group_by(*keys, "code", maintain_order=True).agg(pl.col(amount).sum().alias("amount"))


def _groups(links: pl.DataFrame, back: Step) -> list[_Group]:
    """Return the groups of codes between which goods divide, smallest code first."""
    ways = [(row[0], row[1]) for row in links.select("from_code", "to_code").rows()]
    sources: dict[str, list[str]] = {}
    targets: dict[str, list[str | None]] = {}
    for one, other in ways:
        targets.setdefault(one, []).append(other)
        if other is not None:
            sources.setdefault(other, []).append(one)
    found, seen = [], set()
    for start in sorted(targets):
        if start in seen:
            continue
        left, right, waiting = {start}, set[str](), [start]
        while waiting:
            for other in targets[waiting.pop()]:
                if other is not None and other not in right:
                    right.add(other)
                    new = [code for code in sources[other] if code not in left]
                    left.update(new)
                    waiting += new
        seen |= left
        if any(len(targets[code]) > 1 for code in left):
            inside = tuple((one, other) for one in sorted(left) for other in targets[one])
            whole = [code for code in right if code in back.targets and left >= set(back.targets[code])]
            found.append(_Group(tuple(sorted(left)), tuple(sorted(whole)), inside))
    return found


def _learned(
    group: _Group,
    sides: tuple[pl.DataFrame, pl.DataFrame],
    keys: Sequence[str],
    generator: np.random.Generator,
    draws: int,
    minimum_flows: int,
    findings: list[Finding],
) -> list[dict[str, Any]]:
    """Return the rows of one group: learned, or open where its flows cannot say."""
    old, new = _matrices(group, sides, keys)
    flows = int(np.count_nonzero(old.sum(axis=1) > 0))
    divides = [code for code in group.left if sum(one == code for one, _ in group.ways) > 1]
    told = [code for code in divides if _tells(old, group.left.index(code), group)]
    if flows < minimum_flows or not told:
        said = "too few flows" if flows < minimum_flows else "their flows move together"
        text = f"How to divide {', '.join(divides)} cannot be learned: {said}."
        findings.append(Finding("weights-not-learned", "caution", text, {"codes": divides, "flows": flows}))
        return [row for code in divides for row in _open(group, code, flows)]
    _note_balance(group, old, new, findings)
    best = _fitted(group, old, new)
    drawn = np.empty((draws, len(group.ways)))
    for index in range(draws):
        times = generator.multinomial(len(old), np.full(len(old), 1 / len(old)))
        root = np.sqrt(times.astype(np.float64))[:, None]
        drawn[index] = _fitted(group, old * root, new * root)
    low, high = np.quantile(drawn, 0.05, axis=0), np.quantile(drawn, 0.95, axis=0)
    rows = []
    for code in divides:
        if code not in told:
            rows += _open(group, code, flows)
            continue
        for position, (one, other) in enumerate(group.ways):
            if one == code:
                weight = float(best[position])
                ends = min(float(low[position]), weight), max(float(high[position]), weight)
                rows.append(_row(code, other, weight, *ends, flows, "learned"))
    return rows


def _note_balance(group: _Group, old: Floats, new: Floats, findings: list[Finding]) -> None:
    """Note where the flows in new codes cannot be those in old codes, as when a code was left out."""
    targets = {one: {other for first, other in group.ways if first == one} for one in group.left}
    inside = [i for i, code in enumerate(group.left) if targets[code] <= set(group.right)]
    least, most, seen = float(old[:, inside].sum()), float(old.sum()), float(new.sum())
    if seen > (1 + _BALANCE) * most or seen < (1 - _BALANCE) * least:
        text = (
            f"The flows of {', '.join(group.right[:6])} are {seen:.2f} times those of the codes that they"
            " come from: a code or flows are missing on one side."
        )
        findings.append(Finding("flows-do-not-match", "warning", text, {"ratio": seen}))


def _row(
    code: str, other: str | None, weight: float, low: float, high: float, flows: int, basis: str
) -> dict[str, Any]:
    return {
        "from_code": code,
        "to_code": other,
        "weight": weight,
        "low": low,
        "high": high,
        "flows": flows,
        "basis": basis,
    }


def _open(group: _Group, code: str, flows: int) -> list[dict[str, Any]]:
    """Return the stated default of a code that could not be learned: all to the same number, or alike."""
    targets = [other for one, other in group.ways if one == code]
    main = code if code in targets else None
    share = [1.0 if t == main else 0.0 for t in targets] if main else [1 / len(targets)] * len(targets)
    return [_row(code, t, w, 0.0, 1.0, flows, "assumed") for t, w in zip(targets, share, strict=True)]


def _matrices(
    group: _Group, sides: tuple[pl.DataFrame, pl.DataFrame], keys: Sequence[str]
) -> tuple[Floats, Floats]:
    """Return flows by old code and flows by new code, as shares of the old total (law 7: no unit matters)."""
    parts = [
        side.filter(pl.col("code").is_in(list(codes)))
        for side, codes in zip(sides, (group.left, group.right), strict=True)
    ]
    index = pl.concat([part.select(keys) for part in parts]).unique().sort(*keys).with_row_index("__flow")
    made = []
    for part, codes in zip(parts, (group.left, group.right), strict=True):
        matrix = np.zeros((index.height, len(codes)))
        placed = part.join(index, on=list(keys), nulls_equal=True)
        columns = [codes.index(code) for code in placed["code"].to_list()]
        matrix[placed["__flow"].to_numpy(), columns] = placed["amount"].to_numpy()
        made.append(matrix)
    total = made[0].sum()
    if total <= 0:
        return made[0], made[1]
    return made[0] / total, made[1] / total


def _tells(old: Floats, position: int, group: _Group) -> bool:
    """Say whether a code's flows can be told apart from those of the codes that share its targets."""
    column = old[:, position]
    scale = float(column @ column)
    if scale <= 0:
        return False
    others = [i for i in range(len(group.left)) if i != position and old[:, i].any()]
    if not others:
        return True
    rest = old[:, others]
    fit, *_ = np.linalg.lstsq(rest, column, rcond=None)
    left = column - rest @ fit
    return float(left @ left) > _RANK * scale


def _fitted(group: _Group, old: Floats, new: Floats) -> Floats:
    """Solve E18 for one group: least squares on the product of simplices."""
    import piqp  # noqa: PLC0415

    ways = group.ways
    count = len(ways)
    gram, cross = old.T @ old, old.T @ new
    quadratic = np.zeros((count, count))
    linear = np.zeros(count)
    for a, (one, other) in enumerate(ways):
        i = group.left.index(one)
        if other in group.right:
            linear[a] = -cross[i, group.right.index(other)]
            for b, (second, same) in enumerate(ways):
                if same == other:
                    quadratic[a, b] = gram[i, group.left.index(second)]
    scale = max(float(np.abs(quadratic).max()), 1e-300)
    equal = np.array([[1.0 if one == code else 0.0 for one, _ in ways] for code in group.left])
    solver = piqp.DenseSolver()
    solver.settings.eps_abs = 1e-12
    solver.settings.eps_rel = 1e-12
    solver.settings.max_iter = 500
    solver.setup(
        np.asfortranarray(quadratic / scale),
        linear / scale,
        np.asfortranarray(equal),
        np.ones(len(group.left)),
        None,
        None,
        None,
        np.zeros(count),
        np.ones(count),
    )
    solver.solve()
    found: Floats = np.clip(np.asarray(solver.result.x, dtype=np.float64), 0.0, 1.0)
    _require_solved(found, equal, group)
    sums = equal @ found
    for row, total in zip(equal, sums, strict=True):
        found[row > 0] /= total
    return found


def _require_solved(found: Floats, equal: Floats, group: _Group) -> None:
    if not np.all(np.isfinite(found)) or float(np.abs(equal @ found - 1).max()) > _RESIDUAL:
        raise SolverError(f"the weights of {', '.join(group.left)} could not be computed")
