"""Both reports of a flow side by side, and what lies between two prices at two borders."""

from __future__ import annotations

import math
from collections.abc import Iterable

import polars as pl

from evernormal.data.customs_rows import Names, whole
from evernormal.data.geography import check_iso3
from evernormal.errors import InputError
from evernormal.result import Finding

__all__ = ["CIF_FOB", "FLOW", "Ratios", "amount", "one_frequency", "paired", "selected"]

CIF_FOB = 1.06
"""Value with transport and insurance over value without, where no data says more: the factor of the IMF."""

FLOW = ["period", "code", "exporter", "importer"]
"""What tells one flow from another."""

_OVERALL_PAIRS, _CODE_PAIRS = 10, 30


def one_frequency(rows: pl.DataFrame, periods: Names) -> tuple[pl.DataFrame, list[Finding]]:
    """Return rows of years or of months: the two say the same twice."""
    asked = [] if periods is None else [periods] if isinstance(periods, str) else list(periods)
    lengths = {len(period) for period in asked} or set(rows["period"].str.len_chars().unique().to_list())
    if asked and len(lengths) > 1:
        raise InputError("periods must be all years or all months", where="periods")
    length = min(lengths, default=4)
    findings = []
    if len(lengths) > 1:
        text = "The data sets have years and months; the years are taken. Name months to see months."
        findings.append(Finding("years-and-months", "info", text))
    return rows.filter(pl.col("period").str.len_chars() == length), findings


def paired(level: pl.DataFrame, by: str) -> pl.DataFrame:
    """Return one row per flow with what each side reports, in whole thousandths or grams made to USD or t."""
    sides = []
    for flow, exporter, importer in (("export", "reporter", "partner"), ("import", "partner", "reporter")):
        key = [
            pl.col("period"),
            pl.col("code"),
            pl.col(exporter).alias("exporter"),
            pl.col(importer).alias("importer"),
        ]
        at_border = pl.col("basis").str.starts_with("FOB").all().alias("free_on_board")
        side = level.filter(pl.col("flow") == flow).group_by(key).agg(amount(by).alias(f"{flow}s"), at_border)
        side = side.filter(pl.col(f"{flow}s") > 0)
        sides.append(side.drop("free_on_board") if flow == "export" else side)
    both = sides[0].join(sides[1], on=FLOW, how="full", coalesce=True)
    return both.rename({"exports": "exporter_reports", "imports": "importer_reports"}).sort(FLOW)


def amount(by: str) -> pl.Expr:
    """Return the sum of values (USD) or of weights (t); null where one of them is unknown (law 2)."""
    measure, scale = ("value_usd", 1_000) if by == "value" else ("quantity_t", 1_000_000)
    return pl.when(pl.col(measure).is_not_null().all()).then(whole(measure).sum()) / scale


class Ratios:
    """Value at the importer's border over value at the exporter's, code by code."""

    def __init__(self, pairs: pl.DataFrame, by: str, given: float | None) -> None:
        self.by = by
        self.given = given
        self.findings: tuple[Finding, ...] = ()
        self.overall = math.log(given or CIF_FOB)
        if by == "value" and given is None:
            insured = pairs.filter(~pl.col("free_on_board"), pl.col("exporter_reports").is_not_null())
            logs = (insured["importer_reports"] / insured["exporter_reports"]).log()
            self.overall = _drawn(logs, math.log(CIF_FOB), _OVERALL_PAIRS)
            text = f"Imports are divided by {math.exp(self.overall):.3f} for transport and insurance overall,"
            text += f" the median of {logs.len():,} pairs drawn to {CIF_FOB}; each code has its own ratio."
            self.findings = (
                Finding(
                    "cif-fob-estimated", "info", text, {"ratio": math.exp(self.overall), "pairs": logs.len()}
                ),
            )

    def applied(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """Return the pairs with the ratio, the importer's value free on board, and the log ratio of both."""
        if self.by == "quantity":
            ratio = pl.lit(1.0)
            table = pairs
        else:
            table = pairs.join(self._by_code(pairs), on="code", how="left").sort(FLOW)
            ratio = pl.when(pl.col("free_on_board")).then(1.0).otherwise(pl.col("ratio"))
        fob = (pl.col("importer_reports") / pl.col("cif_fob")).alias("importer_fob")
        return (
            table.with_columns(
                pl.when(pl.col("importer_reports").is_not_null()).then(ratio).alias("cif_fob"),
                pl.when(pl.col("importer_reports").is_not_null())
                .then(pl.when(pl.col("free_on_board")).then(pl.lit("FOB")).otherwise(pl.lit("CIF")))
                .alias("importer_basis"),
            )
            .with_columns(fob)
            .with_columns((pl.col("importer_fob") / pl.col("exporter_reports")).log().alias("log_ratio"))
        )

    def _by_code(self, pairs: pl.DataFrame) -> pl.DataFrame:
        told = pairs.select("code").unique()
        log = (pl.col("importer_reports") / pl.col("exporter_reports")).log()
        insured = pairs.filter(~pl.col("free_on_board"), pl.col("exporter_reports").is_not_null())
        if self.given is not None:
            insured = insured.clear()
        own = insured.group_by("code").agg(log.median().alias("middle"), pl.len().alias("count"))
        drawn = (pl.col("count") * pl.col("middle") + _CODE_PAIRS * self.overall) / (
            pl.col("count") + _CODE_PAIRS
        )
        ratio = drawn.clip(lower_bound=0.0).fill_null(self.overall).exp()
        return told.join(own, on="code", how="left").select("code", ratio.alias("ratio"))


def _drawn(logs: pl.Series, centre: float, pairs: int) -> float:
    """Return the median drawn to a centre as if that had so many pairs; transport never earns money."""
    middle = logs.median()
    if not isinstance(middle, float):
        return centre
    return max(0.0, (logs.len() * middle + pairs * centre) / (logs.len() + pairs))


def selected(pairs: pl.DataFrame, exporters: Names, importers: Names, periods: Names) -> pl.DataFrame:
    """Return the pairs of the named countries and periods, in order."""
    for column, wanted in (("exporter", exporters), ("importer", importers)):
        if wanted is not None:
            pairs = pairs.filter(pl.col(column).is_in(check_iso3(wanted, where=f"{column}s")))
    if periods is not None:
        spans: Iterable[str] = [periods] if isinstance(periods, str) else periods
        pairs = pairs.filter(pl.col("period").is_in(list(spans)))
    return pairs.sort(FLOW)
