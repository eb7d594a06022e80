"""The tables of a brief as text, ready to print, in the order in which they are read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from evernormal.report.basis import amount
from evernormal.report.digits import decimals_of_total
from evernormal.report.language import clean
from evernormal.report.reading import Reading
from evernormal.report.story import gaps

__all__ = [
    "Grid",
    "coverage_text",
    "end_uses",
    "headings",
    "inputs",
    "measures",
    "month_by_month",
    "ranges",
    "stepping_in",
    "suppliers",
]

NAMED_SUPPLIERS, SMALL_SHARE = 12, 0.001
"""A table names at most so many suppliers, and none that ships less than this share."""


@dataclass(frozen=True)
class Grid:
    """A table of text.

    Attributes:
        headings: one for each column.
        rows: cells.
        words: number of leading columns that hold words.
        remarks: number of last columns that hold words; those between hold figures.
        total: whether the last row is a sum.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1
    remarks: int = 0
    total: bool = False

    def __bool__(self) -> bool:
        return bool(self.rows)


def headings(reading: Reading, *keys: str) -> tuple[str, ...]:
    """Return the headings of columns; tonnes say of what."""
    unit = reading.column_unit
    return tuple(reading.words.text(f"column.{key}", t=unit) for key in keys)


def measures(reading: Reading) -> Grid:
    """Return the measures with their dates, first announced first."""
    words = reading.words
    dates = ("announced", "effective", "suspended", "ends")
    rows = []
    for row in reading.table("measures").sort("effective", "id").iter_rows(named=True):
        text = clean(row[f"text_{words.code}"] or row["text_en"] or words.text(f"kind.{row['kind']}"))
        shown = [words.date(row[d]) if row[d] else words.text("word.not_set") for d in dates]
        rows.append((text, *shown))
    return Grid(headings(reading, "measure", *dates), tuple(rows), words=5)


def suppliers(reading: Reading) -> Grid:
    """Return imports by supplier before and after, the biggest first, with shares."""
    table = reading.table("rerouting")
    if table.is_empty():
        return Grid((), ())
    words = reading.words
    table = table.sort(pl.max_horizontal("base_t", "disrupted_t"), "supplier", descending=[True, False])
    before, after = float(table["base_t"].sum()), float(table["disrupted_t"].sum())
    relays = set(_implied(reading)["relay"].to_list())
    amounts = [
        (words.text("intro.relay", name=words.country(s)) if s in relays else words.country(s), b, a)
        for s, b, a in table.select("supplier", "base_t", "disrupted_t").iter_rows()
    ]
    least = SMALL_SHARE * max(before, after)
    rest = [row for i, row in enumerate(amounts) if i >= NAMED_SUPPLIERS or max(row[1:]) < least]
    if len(rest) > 1:
        label = words.text("word.others", count=len(rest))
        folded = (label, sum(r[1] for r in rest), sum(r[2] for r in rest))
        amounts = [*(row for row in amounts if row not in rest), folded]
    amounts.append((words.text("word.total"), before, after))
    rows = tuple(_supplier_row(reading, row, before, after) for row in amounts)
    keys = ("supplier", "before", "after", "change", "change_share", "share_before", "share_after")
    return Grid(headings(reading, *keys), rows, total=True)


def _supplier_row(
    reading: Reading, row: tuple[str, float, float], before: float, after: float
) -> tuple[str, ...]:
    number, (name, base, now) = reading.words.number, row
    digits = decimals_of_total(max(before, after))
    return (
        name,
        number(base, digits),
        number(now, digits),
        number(now - base, digits, signed=True),
        _percent(reading, now - base, base, signed=True),
        _percent(reading, base, before),
        _percent(reading, now, after),
    )


def _percent(reading: Reading, part: float, whole: float, *, signed: bool = False) -> str:
    if whole <= 0:
        return reading.words.text("word.not_set")
    value = part / whole * 100
    return reading.words.number(value, 1 if abs(value) >= 0.05 else 0, signed=signed)


def stepping_in(reading: Reading, named: int = 4) -> str:
    """Return who ships more than in the base year, how much of what is lost that replaces, and what else."""
    table, cite = reading.table("rerouting"), reading.cite("supply.other_supply_t")
    parts = [_gainers(reading, table, named)] if not table.is_empty() else []
    if other := reading.other_supply:
        parts.append(reading.words.text("intro.other_supply", amount=amount(reading, other), cite=cite))
    if told := _relayed(reading, table):
        parts.append(told)
    return (". " if reading.words.korean else " ").join(parts)


def _implied(reading: Reading) -> pl.DataFrame:
    """Return the flows that nobody saw into suppliers of the form; without rows where there are none."""
    empty = pl.DataFrame(schema={"supplier": pl.String, "relay": pl.String, "implied_t": pl.Float64})
    table = reading.result.tables.get("implied_flows", empty)
    return table.filter(pl.col("form") == reading.form) if "form" in table.columns else empty


def _relayed(reading: Reading, table: pl.DataFrame) -> str:
    """Return how much of the base imports comes through countries whose own purchases are implied."""
    words, implied = reading.words, _implied(reading)
    if implied.is_empty() or table.is_empty():
        return ""
    bought = table.filter(pl.col("supplier").is_in(implied["relay"].to_list()) & (pl.col("base_t") > 0))
    through, whole = float(bought["base_t"].sum()), float(table["base_t"].sum())
    if through <= SMALL_SHARE * whole:
        return ""
    names = bought.sort("base_t", "supplier", descending=[True, False])["supplier"].to_list()
    makers = implied.group_by("supplier").agg(pl.col("implied_t").sum())
    return words.text(
        "intro.implied",
        amount=amount(reading, through),
        share=words.number(100 * through / whole),
        names=", ".join(words.country_inline(s) for s in names[:NAMED_SUPPLIERS]),
        implied=amount(reading, float(implied["implied_t"].sum())),
        top=words.country_inline(
            makers.sort("implied_t", "supplier", descending=[True, False])["supplier"][0]
        ),
        cite=reading.cite("implied_flows.implied_t"),
    )


def _gainers(reading: Reading, table: pl.DataFrame, named: int) -> str:
    words = reading.words
    gained, lost = table.filter(pl.col("change_t") > 0), table.filter(pl.col("change_t") < 0)
    gain, gone = float(gained["change_t"].sum()), -float(lost["change_t"].sum())
    if gain <= max(1e-6 * float(table["base_t"].sum()), 0.005 * gone):
        return words.text("intro.nobody")
    top = gained.filter(pl.col("change_t") >= 0.02 * gain)
    top = top.sort("change_t", "supplier", descending=[True, False]).head(named)
    shown = [
        words.text(
            "intro.gainer", name=words.country_inline(s), change=words.tonnes(c, signed=True, rounded=True)
        )
        for s, c in top.select("supplier", "change_t").iter_rows()
    ]
    others = gained.height - top.height
    if others:
        shown.append(words.text("intro.gainers_more", count=others))
    key = "intro.stepping_in" if gain <= gone else "intro.stepping_in_more"
    return words.text(
        "intro.stepping_in_all" if gone <= 0.01 * gain else key,
        names=", ".join(shown),
        gain=amount(reading, gain, listed=True),
        share=words.percent(gain / gone if gone else None, digits=0),
        lost=words.tonnes(gone, rounded=True),
    )


def end_uses(reading: Reading) -> Grid:
    """Return use, shortage and loss by end use over the horizon."""
    table = reading.table("end_use")
    if table.is_empty():
        return Grid((), ())
    words = reading.words
    totals = (
        table.group_by("end_use", maintain_order=True)
        .agg(
            pl.col("base_use_t", "use_t", "shortage_t").sum(),
            pl.when(pl.col("loss_usd").is_null().any()).then(None).otherwise(pl.col("loss_usd").sum()).alias("loss"),
            pl.col("month").filter(pl.col("shortage_t") > 0.001 * pl.col("base_use_t")).min().alias("first"),
        )
        .sort("base_use_t", "end_use", descending=[True, False])
    )  # fmt: skip
    digits = decimals_of_total(float(totals["base_use_t"].sum()))
    rows = []
    for row in totals.iter_rows(named=True):
        first = words.month(row["first"], short=True) if row["first"] else words.text("word.not_set")
        rows.append((reading.end_use(row["end_use"]), *_use_cells(reading, row, digits), first))
    if totals.height > 1:
        loss = None if totals["loss"].null_count() else float(totals["loss"].sum())
        own = totals.filter(~pl.col("end_use").str.contains(": ", literal=True))
        sums = {c: float(own[c].sum()) for c in ("base_use_t", "use_t", "shortage_t")} | {"loss": loss}
        key = "word.total" if own.height == totals.height else "word.total_chain"
        label = words.text(key, form=reading.form_inline)
        rows.append((label, *_use_cells(reading, sums, digits), ""))
    keys = ("end_use", "base_use", "use", "shortage", "shortage_share", "loss", "first_short")
    return Grid(headings(reading, *keys), tuple(rows), total=totals.height > 1)


def _use_cells(reading: Reading, row: dict[str, float | None], digits: int) -> tuple[str, ...]:
    number, loss = reading.words.number, row["loss"]
    base, short = row["base_use_t"], row["shortage_t"]
    share = reading.words.unknown if base is None or short is None else _percent(reading, short, base)
    return (
        number(base, digits),
        number(row["use_t"], digits),
        number(short, digits),
        share,
        reading.words.unknown if loss is None else number(loss / 1e6, 1),
    )


def ranges(reading: Reading) -> Grid:
    """Return the answers of the summary with their 10, 50 and 90 % points."""
    names = [n for n in reading.summary_names if reading.band(n).known]
    rows = []
    for name in names:
        band = reading.band(name)
        shown = [reading.shown(name, v) for v in (reading.value(name), band.p10, band.p50, band.p90)]
        rows.append((reading.words.text(f"summary.{name}"), *shown))
    stop = reading.band("stop_day")
    if stop.known and reading.start is not None:
        days = [reading.start + dt.timedelta(days=round(p or 0.0)) for p in (stop.p10, stop.p50, stop.p90)]
        central = reading.day("stop_date_with_release")
        first = reading.words.date(central) if central else reading.words.text("word.no_stop")
        rows.append((reading.words.text("summary.stop_day"), first, *map(reading.words.date, days)))
    return Grid(headings(reading, "name", "central", "low", "middle", "high"), tuple(rows))


_MONTHLY = (
    ("imports_t", "imports"), ("base_imports_t", "base_imports"), ("domestic_t", "domestic"),
    ("other_supply_t", "other_supply"), ("release_t", "release"),
    ("use_t", "use"), ("base_use_t", "base_use"), ("shortage_t", "shortage"),
    ("commercial_stock_t", "commercial_stock"), ("state_stock_t", "state_stock"), ("cover_days", "cover"),
    ("price_ratio", "price_ratio"),
)  # fmt: skip


_SOMETIMES = frozenset({"domestic_t", "other_supply_t", "release_t", "state_stock_t"})


def month_by_month(reading: Reading) -> Grid:
    """Return the supply table, one row a month, without sources that are nought in every month."""
    table, words = reading.table("supply"), reading.words
    present = [(column, key) for column, key in _MONTHLY if _worth_a_column(table, column)]
    rows = tuple(
        (
            words.month(row["month"], short=True),
            *(_monthly(reading, column, row[column]) for column, _ in present),
        )
        for row in table.iter_rows(named=True)
    )
    return Grid(headings(reading, "month", *(key for _, key in present)), rows)


def _worth_a_column(table: pl.DataFrame, column: str) -> bool:
    if column not in _SOMETIMES or column not in table.columns:
        return column in table.columns
    return table[column].null_count() > 0 or bool((table[column].abs() > 1e-6 * table["base_use_t"]).any())


def _monthly(reading: Reading, column: str, value: float | None) -> str:
    if column == "price_ratio":
        return reading.words.number(value, 2)
    if column == "cover_days":
        return reading.words.number(value, 1)
    return reading.words.number(value, reading.decimals)


def inputs(reading: Reading) -> Grid:
    """Return the inputs, pinned by the first twelve digits of their hash."""
    rows = tuple(
        tuple(clean(part) for part in (i.name, i.source, i.licence, i.as_of, i.sha256[:12]))
        for i in reading.result.lineage.inputs
    )
    return Grid(headings(reading, "input", "source", "licence", "as_of", "hash"), rows, words=5)


def coverage_text(reading: Reading, shown: int = 12) -> Sequence[str]:
    """Return what was observed, estimated and unknown, naming what is unknown."""
    count, words, table = gaps(reading), reading.words, reading.result.coverage
    if not count.total:
        return ()
    lines = [
        words.text(
            "intro.coverage",
            total=count.total,
            observed=count.observed,
            estimated=count.estimated,
            unknown=count.unknown,
        )
    ]
    if count.unknown:
        column = next(c for c in ("status", "coverage", "state") if c in table.columns)
        missing = table.filter(pl.col(column) == "unknown")
        groups = missing.group_by("form", "item", maintain_order=True).agg(pl.col("region"))
        lines += [_coverage_line(reading, *row, shown=shown) for row in groups.iter_rows()]
    return lines


def _coverage_line(reading: Reading, form: str, item: str, regions: list[str], *, shown: int) -> str:
    words = reading.words
    names = [words.country(region) for region in regions[:shown]]
    if len(regions) > shown:
        names.append(words.text("explain.more", count=len(regions) - shown))
    label = words.text(f"item.{item}") if words.has(f"item.{item}") else clean(item)
    return words.text(
        "intro.coverage_unknown", item=label, form=words.inline(words.form(form)), regions=", ".join(names)
    )
