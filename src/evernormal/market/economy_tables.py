"""The labelled tables of a joint shortage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from evernormal.market.economy_joint import JointProducts
from evernormal.result import Derivation, Finding, Input, Lineage, Parameter, Result

__all__ = ["joint_result"]

_COLUMNS = {
    "products": ("product", "base_share", "output_share", "limiting"),
    "materials": ("material", "shortage", "used_share", "output_lost_alone", "loss_alone_usd"),
    "periods": (
        *("output_lost", "largest_alone", "sum_alone"),
        *("loss_usd", "largest_loss_usd", "sum_losses_usd"),
    ),
}
_TEXT = frozenset({"product", "limiting", "material"})

Rows = list[tuple[Any, ...]]


def joint_result(
    work: JointProducts,
    months: Sequence[object] | None,
    inputs: tuple[Input, ...],
    end_use: str,
    focal: str | None = None,
) -> Result:
    """Put every period of a joint shortage into tables."""
    from evernormal import __version__  # noqa: PLC0415

    time = pl.Int64() if months is None else pl.Date()
    labels = list(range(1, work.periods + 1)) if months is None else list(months)
    rows: dict[str, Rows] = {name: [] for name in _COLUMNS}
    for t, label in enumerate(labels):
        _add_period(work, t, label, rows)
    tables = {
        name: pl.DataFrame(
            rows[name],
            schema={"period": time, **{c: pl.String() if c in _TEXT else pl.Float64() for c in columns}},
            orient="row",
        ).fill_nan(None)
        for name, columns in _COLUMNS.items()
    }
    lost = tables["periods"]
    tables["end_use"] = lost.select(
        pl.col("period").alias("month"), pl.lit(end_use).alias("end_use"), pl.col("loss_usd")
    )
    summary = {
        "output_lost": float(lost["output_lost"].to_numpy().mean()),
        **{c: _total(lost[c]) for c in ("loss_usd", "largest_loss_usd", "sum_losses_usd")},
    }
    values = pl.Series(list(summary.values()), dtype=pl.Float64)
    tables["summary"] = pl.DataFrame({"name": list(summary), "value": values})
    units = {
        name: {c: "USD" if c.endswith("_usd") else "1" for c, t in frame.schema.items() if t.is_float()}
        for name, frame in tables.items()
    }
    units["summary"] = {"value": "USD where the name ends in usd, else share of output"}
    call = {"switching": work.switching, **({} if focal is None else {"focal": focal})}
    lineage = Lineage(__version__, inputs, _parameters(work), _DERIVATIONS, call=call)
    return Result("joint-shortage", tables, units, lineage, tuple(_findings(work, lost)))


def _add_period(work: JointProducts, t: int, label: object, rows: dict[str, Rows]) -> None:
    missing = work.missing[:, t]
    share, lost, alone = work.output(missing), work.lost(missing), work.alone(t)
    joint, single = work.value(t, lost)
    for p, name in enumerate(work.products):
        worst = float(np.where(work.needs[:, p], missing, 0.0).max())
        limiting = [work.known[m] for m in np.flatnonzero(work.needs[:, p] & (missing == worst))]
        text = ", ".join(limiting) if worst > 0 else ""
        rows["products"].append((label, name, float(work.base[p]), float(share[p]), text))
    for name in work.materials:
        m = work.known.index(name)
        used = float((work.content[m] * work.base) @ share / (work.content[m] @ work.base))
        rows["materials"].append((label, name, float(missing[m]), used, float(alone[m]), float(single[m])))
    mine = np.array([single[work.known.index(m)] for m in work.materials])
    sums = (lost, float(alone.max()), float(np.sort(alone).sum()))
    rows["periods"].append((label, *sums, joint, float(mine.max()), float(np.sort(mine).sum())))


def _parameters(work: JointProducts) -> tuple[Parameter, ...]:
    if not {"source", "unit", "grade"} <= set(work.table.columns):
        return ()
    return tuple(
        Parameter(
            f"content of {r['material']} [{r['product']}]",
            r["content"], r["content"], r["content"], r["unit"], r["grade"], r["source"],
        )
        for r in work.table.iter_rows(named=True)
    )  # fmt: skip


def _findings(work: JointProducts, lost: pl.DataFrame) -> list[Finding]:
    found = []
    over = lost.filter(pl.col("output_lost") > pl.col("sum_alone") * (1 + 1e-9) + 1e-12).height
    if over:
        text = (
            f"In {over} periods the joint shortage takes more output than the single ones together: the way"
            " out of one is blocked by the other."
        )
        found.append(Finding("joint-exceeds-sum", "warning", text, {"periods": over}))
    if lost["loss_usd"].null_count():
        names = ", ".join(work.materials)
        text = f"The loss behind {names} is not known for each: the joint shortage is told in output only."
        found.append(Finding("joint-loss-unknown", "caution", text, {"materials": names}))
    return found


def _total(values: pl.Series) -> float | None:
    return None if values.null_count() else float(np.sort(values.to_numpy()).sum())


_DERIVATIONS = (
    Derivation("products", "output_share", "E154", ("materials.shortage",), "Least share of any input."),
    Derivation("periods", "output_lost", "E154", ("products.output_share",), "Base less made, all products."),
    Derivation("periods", "loss_usd", "E154", ("materials.loss_alone_usd",), "Largest loss by product."),
    Derivation("summary", "value", "E154", ("periods.loss_usd",), "Sum over the periods; mean of output."),
)
