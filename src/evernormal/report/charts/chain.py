"""What flows into, through and out of the focal country, averaged over the months in which a measure bites.

The picture balances: suppliers, domestic output, other supply, stock and what is missing on the left add
up to base use, exports and stock building on the right (law 1); what remains is the change of firms' stock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from evernormal.report.reading import Reading

__all__ = ["Chain", "Flow", "chain_of"]

SMALLEST = 0.002


@dataclass(frozen=True)
class Flow:
    """A named amount, tonnes a month, and its amount in the base year; None where there is none."""

    key: str
    label: str
    amount: float
    base: float | None = None


@dataclass(frozen=True)
class Stage:
    """One form in the focal country: who supplies it and what is made of it."""

    form: str
    suppliers: tuple[Flow, ...] = ()


@dataclass(frozen=True)
class Chain:
    """Sources, uses and conversions of the focal country, tonnes a month.

    Attributes:
        sources: suppliers of the form asked about, then domestic output, other supply and stock.
        uses: end uses, then exports, further processing and stock building.
        missing: what each use lacks against its base use, by key of ``uses``.
        upstream: stages before the form, first the ores, each with what its conversion yields.
    """

    sources: tuple[Flow, ...]
    uses: tuple[Flow, ...]
    missing: dict[str, float]
    upstream: tuple[tuple[Stage, float], ...] = field(default=())


def chain_of(reading: Reading, named: int = 7) -> Chain:
    """Read a result as one picture of sources and uses."""
    window = reading.window
    supply = reading.table("supply").filter(pl.col("month").is_in(window))
    suppliers = _suppliers(reading, named)
    uses, missing = _uses(reading, supply)
    arrivals = sum(f.amount for f in suppliers)
    sources = list(suppliers)
    words = reading.words
    upstream = _upstream(reading, window)
    made = sum(output for _, output in upstream)
    for key, amount in (
        ("domestic", _mean(supply, "domestic_t") - made),
        ("other", _mean(supply, "other_supply_t")),
        ("release", _mean(supply, "release_t")),
    ):
        if amount > SMALLEST * arrivals:
            sources.append(Flow(key, words.text(f"chart.sankey_{key}"), amount))
    gap = sum(f.amount for f in uses) - made - sum(f.amount for f in sources)
    scale = max(sum(f.amount for f in uses), arrivals)
    if gap > SMALLEST * scale:
        sources.append(Flow("stock", words.text("chart.sankey_stock"), gap))
    elif gap < -SMALLEST * scale:
        uses = [*uses, Flow("build", words.text("chart.sankey_build"), -gap)]
    return Chain(tuple(sources), tuple(uses), missing, upstream)


def _mean(table: pl.DataFrame, column: str) -> float:
    """Return the mean of a column; a column that is absent or unknown adds nothing to the picture."""
    if column not in table.columns:
        return 0.0
    value = table[column].mean()
    return float(value) if isinstance(value, int | float) else 0.0


def _suppliers(reading: Reading, named: int) -> list[Flow]:
    table = (
        reading.table("imports")
        .filter(pl.col("month").is_in(reading.window))
        .group_by("supplier")
        .agg(pl.col("imports_t", "base_imports_t").sum() / max(len(reading.window), 1))
        .sort(pl.max_horizontal("imports_t", "base_imports_t"), "supplier", descending=[True, False])
    )
    rows = [
        Flow(supplier, reading.words.country(supplier), now, base)
        for supplier, now, base in table.iter_rows()
    ]
    return _folded(reading, rows, named)


def _uses(reading: Reading, supply: pl.DataFrame) -> tuple[list[Flow], dict[str, float]]:
    """Return what uses take and what each lacks; uses of other forms stand in other pictures."""
    words = reading.words
    table = reading.table("end_use")
    uses: list[Flow] = []
    missing: dict[str, float] = {}
    if "end_use" in table.columns:
        rows = (
            table.filter(
                pl.col("month").is_in(reading.window) & ~pl.col("end_use").str.contains(": ", literal=True)
            )
            .group_by("end_use", maintain_order=True)
            .agg(pl.col("use_t", "base_use_t", "shortage_t").mean())
            .sort("base_use_t", "end_use", descending=[True, False])
        )
        for key, used, base, short in rows.iter_rows():
            uses.append(Flow(key, reading.end_use(key), used, base))
            missing[key] = short
    total, short = _mean(supply, "use_t"), _mean(supply, "shortage_t")
    onward = total - sum(f.amount for f in uses)
    if onward > SMALLEST * total:
        lacking = max(short - sum(missing.values()), 0.0)
        uses.append(Flow("onward", words.text("chart.sankey_onward"), onward, onward + lacking))
        missing["onward"] = lacking
    exports = _exports(reading)
    if exports > SMALLEST * total:
        uses.append(Flow("exports", words.text("chart.sankey_export"), exports))
    return uses, missing


def _exports(reading: Reading) -> float:
    regions = reading.table("regions")
    if "region" not in regions.columns:
        return 0.0
    here = (pl.col("region") == reading.focal) & (pl.col("form") == reading.form)
    return _mean(regions.filter(here & pl.col("month").is_in(reading.window)), "exports_t")


def _upstream(reading: Reading, window: Iterable[object]) -> tuple[tuple[Stage, float], ...]:
    """Return the stages that the focal country itself converts into the form (table ``conversions``)."""
    table = reading.table("conversions")
    if "source_form" not in table.columns or "form" not in reading.table("flows").columns:
        return ()
    here = table.filter(
        pl.col("month").is_in(list(window))
        & (pl.col("region") == reading.focal)
        & (pl.col("target_form") == reading.form)
    )
    stages: list[tuple[Stage, float]] = []
    for source in here["source_form"].unique().sort().to_list():
        rows = here.filter(pl.col("source_form") == source)
        taken, output = _mean(rows, "input_t"), _mean(rows, "output_t")
        if output > 0:
            stages.append((Stage(source, tuple(_fed_by(reading, source, taken))), output))
    return tuple(stages)


def _fed_by(reading: Reading, source: str, taken: float, named: int = 4) -> list[Flow]:
    """Return where a conversion gets its input from: imports in proportion, the rest from within."""
    arrive = (
        reading.table("flows")
        .filter(
            pl.col("month").is_in(reading.window)
            & (pl.col("importer") == reading.focal)
            & (pl.col("form") == source)
        )
        .group_by("exporter")
        .agg(pl.col("shipped_t", "base_t").sum() / max(len(reading.window), 1))
        .sort("shipped_t", "exporter", descending=[True, False])
    )
    total = float(arrive["shipped_t"].sum())
    part = min(1.0, taken / total) if total > 0 else 0.0
    flows = [
        Flow(f"{source}|{e}", reading.words.country(e), now * part, base * part)
        for e, now, base in arrive.iter_rows()
    ]
    flows = _folded(reading, flows, named, key=f"{source}|others")
    own = taken - total * part
    if own > SMALLEST * taken:
        flows.append(Flow(f"{source}|domestic", reading.words.text("chart.sankey_domestic"), own))
    return flows


def _folded(reading: Reading, flows: list[Flow], named: int, key: str = "others") -> list[Flow]:
    """Return the first flows, the rest as one where they are more than one."""
    rest = flows[named:]
    if len(rest) < 2:
        return flows
    label = reading.words.text("word.others", count=len(rest))
    others = Flow(key, label, sum(f.amount for f in rest), sum(f.base or 0.0 for f in rest))
    return [*flows[:named], others]
