"""What statistics say about one form in one year: trade, production and price, in tonnes contained.

Equations E22 (contained tonnes of a trade row) and E23 (averaged base year).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from evernormal.errors import InputError, NotCoveredError
from evernormal.network.balance import RELATIVE_SIGMA
from evernormal.network.forms import Form, contained
from evernormal.network.relays import IMPLIED_SCHEMA
from evernormal.result import Finding, Parameter, require_columns

__all__ = [
    "Base",
    "Observed",
    "base_years",
    "contained_rows",
    "observe_trade",
    "production_rows",
    "world_price",
]

Base = Literal["year", "averaged"]

AVERAGED_WEIGHT = 0.85
OUTLIER = 8.0
LARGE_ESTIMATE = 0.05
SMALL_ESTIMATE = 0.0005

TRADE_COLUMNS = ("year", "exporter", "importer", "revision", "code", "value_usd", "quantity_t")
PRODUCTION_COLUMNS = ("year", "country", "material", "value", "unit")
TONNES = {"t": 1.0, "kg": 1e-3}

FLOW_SCHEMA = {
    "exporter": pl.String,
    "importer": pl.String,
    "contained_t": pl.Float64,
    "gross_t": pl.Float64,
    "value_usd": pl.Float64,
    "sigma_t": pl.Float64,
    "grade": pl.String,
}
PRODUCTION_SCHEMA = {
    "country": pl.String,
    "contained_t": pl.Float64,
    "sigma_t": pl.Float64,
    "grade": pl.String,
    "source": pl.String,
}
BASE_ROW_SCHEMA = {
    "year": pl.Int64,
    "supplier": pl.String,
    "revision": pl.String,
    "code": pl.String,
    "value_usd": pl.Float64,
    "quantity_t": pl.Float64,
    "content": pl.Float64,
    "contained_t": pl.Float64,
    "source": pl.String,
    "source_ref": pl.String,
    "as_of": pl.String,
    "grade": pl.String,
}
_WORST = pl.Enum(["A", "B", "C"])


@dataclass(frozen=True)
class Observed:
    """Statistics of one form, in tonnes contained per year, before balancing.

    Attributes:
        form: the form.
        flows: ``exporter, importer, contained_t, gross_t, value_usd, sigma_t, grade``; one row per pair.
        production: ``country, contained_t, sigma_t, grade, source``; countries whose production is known.
        production_listed: whether ``production`` names every producer of the world, so that a country that is
            not listed is a small one.
        price: world price, USD per tonne contained.
        base_rows: the source rows of the focal region's imports, as in the Network.
        findings: what a reader must know.
        tables: names of the data tables used.
        parameters: assumptions used.
        implied: the flows among ``flows`` that nobody observed, and what they follow from (columns of
            :data:`~evernormal.network.relays.IMPLIED_SCHEMA`).
    """

    form: Form
    flows: pl.DataFrame
    production: pl.DataFrame
    production_listed: bool
    price: Parameter
    base_rows: pl.DataFrame
    findings: tuple[Finding, ...] = ()
    tables: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = field(default=())
    implied: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=IMPLIED_SCHEMA))

    def imports_of(self, region: str) -> float:
        """Tonnes contained that a region imports."""
        return float(self.flows.filter(pl.col("importer") == region)["contained_t"].sum())


def base_years(year: int, base: Base) -> Mapping[int, float]:
    """Weight of each year in the base picture (equation E23).

    >>> base_years(2023, "averaged")
    {2023: 0.85, 2022: 0.075, 2021: 0.075}
    """
    if base == "year":
        return {year: 1.0}
    if base == "averaged":
        before = round((1.0 - AVERAGED_WEIGHT) / 2, 12)
        return {year: AVERAGED_WEIGHT, year - 1: before, year - 2: before}
    raise InputError(f"base must be 'year' or 'averaged', got {base!r}")


def contained_rows(trade: pl.DataFrame, form: Form) -> pl.DataFrame:
    """Add content and contained tonnes to trade rows of a form (equation E22).

    Args:
        trade: rows with ``year, exporter, importer, revision, code, value_usd, quantity_t`` and grade.
        form: the form whose codes these are.

    Returns:
        The rows in a fixed order with ``content, relative`` (standard deviation of the contained tonnes as a
        fraction), ``gross_t, contained_t, estimated, too_large``.  Where the quantity is unknown, ``gross_t``
        is the value divided by the median unit value of the code in the year, and the grade C.  The same goes
        for a quantity that makes the unit value more than eight times lower than both the exporter's own
        level and the world's: ``too_large``.
    """
    require_columns(trade, TRADE_COLUMNS, "trade")
    if "grade" not in trade.columns:
        trade = trade.with_columns(grade=pl.lit("C"))
    rows = trade.sort("year", "code", "exporter", "importer")
    unit_value = pl.when((pl.col("quantity_t") > 0) & (pl.col("value_usd") > 0)).then(
        pl.col("value_usd") / pl.col("quantity_t")
    )
    rows = rows.with_columns(unit=unit_value).with_columns(
        median=pl.col("unit").median().over("year", "code").fill_null(pl.col("unit").median().over("code"))
    )
    rows = rows.join(_typical(rows, "world", ["year", "code"]), on=["year", "code"], how="left")
    rows = rows.join(
        _typical(rows, "own", ["year", "code", "exporter"]), on=["year", "code", "exporter"], how="left"
    )
    unknown = pl.col("quantity_t").is_null()
    too_large = (OUTLIER * pl.col("unit") < pl.min_horizontal("world", "own")).fill_null(False)
    guessed = pl.col("value_usd") / pl.when(unknown).then("median").otherwise(
        pl.min_horizontal("world", "own")
    )
    return (
        rows.with_columns(too_large=too_large, estimated=unknown | too_large)
        .join(_contents(rows, form), on=["code", "exporter"], how="left")
        .sort("year", "code", "exporter", "importer")
        .with_columns(gross_t=pl.when("estimated").then(guessed).otherwise(pl.col("quantity_t")))
        .with_columns(
            contained_t=pl.col("gross_t") * pl.col("content"),
            grade=pl.when("estimated").then(pl.lit("C")).otherwise(pl.col("grade")),
        )
        .with_columns(relative=_relative())
    )


def _typical(rows: pl.DataFrame, name: str, by: list[str]) -> pl.DataFrame:
    """Usual unit value of each group: the lower of its median over flows and its median over value."""
    share = pl.col("value_usd").cum_sum().over(by) / pl.col("value_usd").sum().over(by)
    ranked = rows.filter(pl.col("unit").is_not_null()).sort(*by, "unit", "importer").with_columns(share=share)
    over_value = pl.col("unit").filter(pl.col("share") >= 0.5).min()
    return ranked.group_by(by).agg(pl.min_horizontal(over_value, pl.col("unit").median()).alias(name))


def _relative() -> pl.Expr:
    """Relative standard deviation: that of the quantity's grade, and the spread of the content."""
    by_grade = pl.col("grade").replace_strict(dict(RELATIVE_SIGMA), return_dtype=pl.Float64)
    return (by_grade**2 + pl.col("content_spread") ** 2).sqrt()


def _contents(rows: pl.DataFrame, form: Form) -> pl.DataFrame:
    pairs = rows.select("code", "exporter").unique().sort("code", "exporter")
    found = [contained(form.name, code, exporter) for code, exporter in pairs.iter_rows()]
    return pairs.with_columns(
        content=pl.Series([c.value for c in found], dtype=pl.Float64),
        content_spread=pl.Series([(c.high - c.low) / 4.0 / c.value for c in found], dtype=pl.Float64),
        content_grade=pl.Series([c.grade for c in found], dtype=pl.String),
    )


def observe_trade(
    form: Form,
    focal: str,
    year: int,
    base: Base,
    trade: pl.DataFrame,
    production: pl.DataFrame,
) -> Observed:
    """Observe a form whose codes the trade table carries.

    Args:
        form: a form of full coverage.
        focal: focal region.
        year: base year.
        base: ``year`` or ``averaged``.
        trade: trade rows of the form's codes in the base years, as :func:`evernormal.data.trade` gives them.
        production: rows of the form's production source, as :func:`evernormal.data.production` gives them.

    Raises:
        NotCoveredError: no trade of the form in a base year, or no quantity from which to tell tonnes.
    """
    weights = base_years(year, base)
    rows = contained_rows(trade, form)
    absent = sorted(set(weights) - set(rows["year"].unique().to_list()))
    if absent:
        have = ", ".join(str(y) for y in sorted(rows["year"].unique().to_list())) or "no year at all"
        raise NotCoveredError(
            f"no trade of {form.name} in {', '.join(map(str, absent))}",
            where="trade",
            cure=f"The table given has {have}; choose another year.",
        )
    if rows["gross_t"].null_count():
        raise NotCoveredError(
            f"no quantity at all is known for {form.name} in {year}",
            where="trade",
            cure="Choose a year in which some flow has a quantity.",
        )
    weight = pl.col("year").replace_strict(dict(weights), default=0.0, return_dtype=pl.Float64)
    rows = rows.with_columns(weight=weight).filter(pl.col("weight") > 0)
    rows = rows.with_columns(
        (pl.col("weight") * pl.col(c)).alias(f"w_{c}") for c in ("contained_t", "gross_t", "value_usd")
    )
    known, listed, notes = production_rows(form, year, production)
    findings = [*_trade_findings(rows, form, focal), *notes]
    return Observed(
        form,
        _flows(rows),
        known,
        listed,
        world_price(rows, form.name, year),
        _base_rows(rows, focal),
        tuple(findings),
        ("trade", "production") if form.production_source else ("trade",),
    )


def _flows(rows: pl.DataFrame) -> pl.DataFrame:
    worst = pl.max_horizontal(pl.col("grade").cast(_WORST), pl.col("content_grade").cast(_WORST)).max()
    table = (
        rows.filter(pl.col("exporter") != pl.col("importer"))
        .group_by("exporter", "importer")
        .agg(
            contained_t=pl.col("w_contained_t").sum(),
            gross_t=pl.col("w_gross_t").sum(),
            value_usd=pl.col("w_value_usd").sum(),
            sigma_t=(pl.col("w_contained_t") * pl.col("relative")).sum(),
            grade=worst.cast(pl.String),
        )
        .filter(pl.col("contained_t") > 0)
        .sort("exporter", "importer")
    )
    return table.select(list(FLOW_SCHEMA))


def _base_rows(rows: pl.DataFrame, focal: str) -> pl.DataFrame:
    """Source rows of the focal region's imports; ``contained_t`` holds the weight of the year (E23)."""
    for name in ("source", "source_ref", "as_of"):
        if name not in rows.columns:
            rows = rows.with_columns(pl.lit("").alias(name))
    table = rows.filter((pl.col("importer") == focal) & (pl.col("exporter") != focal))
    return table.select(
        "year",
        pl.col("exporter").alias("supplier"),
        *("revision", "code", "value_usd", "quantity_t", "content"),
        pl.col("w_contained_t").alias("contained_t"),
        *("source", "source_ref", "as_of", "grade"),
    ).cast(BASE_ROW_SCHEMA)  # type: ignore[arg-type]


def world_price(rows: pl.DataFrame, form: str, year: int) -> Parameter:
    """Robust world unit value: median over flows of USD per tonne contained, weighted by tonnes.

    Half of the tonnes were traded dearer, half cheaper; the interval holds the middle 80 %.
    """
    known = rows.filter(~pl.col("estimated") & (pl.col("contained_t") > 0) & (pl.col("value_usd") > 0))
    if known.is_empty():
        raise NotCoveredError(f"no flow of {form} in {year} has both a value and a quantity", where="trade")
    ranked = (
        known.with_columns(unit=pl.col("value_usd") / pl.col("contained_t"))
        .sort("unit", "exporter", "importer", "code", "year")
        .with_columns(rank=pl.col("w_contained_t").cum_sum() / pl.col("w_contained_t").sum())
    )
    low, middle, high = (float(ranked.filter(pl.col("rank") >= q)["unit"][0]) for q in (0.1, 0.5, 0.9))
    named = sorted(set(known["source"].drop_nulls().to_list()) - {""}) if "source" in known.columns else []
    source = f"weighted median unit value of world trade, {'; '.join(named) or 'trade given'}"
    return Parameter(f"world_price {form}", middle, low, high, "USD/t contained", "A", f"{source}, {year}")


def _trade_findings(rows: pl.DataFrame, form: Form, focal: str) -> list[Finding]:
    found: list[Finding] = []
    value = float(rows["w_value_usd"].sum())
    guessed = rows.filter(pl.col("quantity_t").is_null())
    mine = rows.filter(pl.col("importer") == focal)
    for scope, part in (
        ("world trade", guessed),
        (f"{focal}'s imports", guessed.filter(pl.col("importer") == focal)),
    ):
        whole = value if scope == "world trade" else float(mine["w_value_usd"].sum())
        share = float(part["w_value_usd"].sum()) / whole if whole > 0 else 0.0
        if share >= SMALL_ESTIMATE:
            found.append(
                Finding(
                    "quantity-estimated",
                    "caution" if share > LARGE_ESTIMATE else "info",
                    f"{share:.1%} of the value of {scope} in {form.name} has no known quantity; tonnes there"
                    " are value divided by the median unit value (grade C).",
                    {"form": form.name, "scope": scope, "share": share, "rows": len(part)},
                )
            )
    found += _too_large(rows, form, focal)
    grades = set(rows["content_grade"].to_list())
    if "C" in grades:
        found.append(
            Finding(
                "content-assumed",
                "info",
                f"Contained tonnes of {form.name} use a content that is an assumption.",
                {"form": form.name},
            )
        )
    return found


def _too_large(rows: pl.DataFrame, form: Form, focal: str) -> list[Finding]:
    """Say which recorded quantities were set aside because they are far too large for their value."""
    odd = rows.filter("too_large").with_columns(
        lost=pl.col("weight") * pl.col("quantity_t") * pl.col("content")
    )
    if odd.is_empty():
        return []
    lost, total = float(odd["lost"].sum()), float(rows["w_contained_t"].sum())
    ranked = odd.sort("lost", "exporter", "importer", descending=[True, False, False])
    touches = (pl.col("importer") == focal) | (pl.col("exporter") == focal)
    shown = pl.concat([ranked.head(3), ranked.filter(touches & (pl.col("lost") > 0.01 * lost)).head(2)])
    shown = shown.unique(maintain_order=True)
    named = "; ".join(
        f"{row['exporter']} to {row['importer']} {row['year']}: {row['quantity_t']:,.0f} t for"
        f" {row['value_usd'] / 1e6:,.2f} million USD, taken as {row['gross_t']:,.0f} t"
        for row in shown.iter_rows(named=True)
    )
    return [
        Finding(
            "quantity-set-aside",
            "caution",
            f"{len(odd)} recorded quantities of {form.name} are over {OUTLIER:.0f} times too large for their"
            f" value ({lost / (lost + total):.1%} of tonnes) and were estimated from it: {named}.",
            {"form": form.name, "rows": len(odd), "tonnes": lost, "share": lost / (lost + total)},
        )
    ]


def production_rows(form: Form, year: int, table: pl.DataFrame) -> tuple[pl.DataFrame, bool, list[Finding]]:
    """Known production in tonnes contained, whether the list is complete, and what is not known."""
    empty = pl.DataFrame(schema=PRODUCTION_SCHEMA)
    if not form.production_source:
        return empty, False, [_unknown_production(form, "no production statistics")]
    require_columns(table, PRODUCTION_COLUMNS, "production")
    rows = table.filter((pl.col("year") == year) & (pl.col("value") > 0))
    if rows.is_empty():
        return empty, False, [_unknown_production(form, f"no production statistics for {year}")]
    strange = sorted(set(rows["unit"].to_list()) - TONNES.keys())
    if strange:
        raise InputError(f"production of {form.name} is in {strange[0]!r}, not a mass", where="production")
    factor: Any = form.production_factor
    graded = pl.col("grade") if "grade" in rows.columns else pl.lit("B")
    source = pl.col("source") if "source" in rows.columns else pl.lit("production table given")
    known = rows.select(
        "country",
        contained_t=pl.col("value")
        * pl.col("unit").replace_strict(TONNES, return_dtype=pl.Float64)
        * float(factor),
        grade=graded,
        source=source,
    ).with_columns(
        sigma_t=pl.col("contained_t")
        * pl.col("grade").replace_strict(dict(RELATIVE_SIGMA), return_dtype=pl.Float64)
    )
    return known.select(list(PRODUCTION_SCHEMA)).sort("country"), True, []


def _unknown_production(form: Form, why: str) -> Finding:
    return Finding(
        "production-unknown",
        "caution",
        f"Domestic production of {form.name} used at home is not known ({why}): production is taken as net"
        " exports, use as net imports.",
        {"form": form.name, "why": why},
    )
