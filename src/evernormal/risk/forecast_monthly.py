"""Monthly series from customs data that the user added."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import polars as pl

from evernormal.errors import InputError, NotCoveredError
from evernormal.network.form_tables import Form
from evernormal.result import Input
from evernormal.risk.forecast_series import WORLD, Series, series_of

__all__ = ["MINIMUM_MONTHS", "monthly_amounts", "monthly_series"]

MINIMUM_MONTHS = 48
UNKNOWN_LIMIT = 0.2
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def monthly_series(
    form: Form,
    country: str,
    customs: str,
    folder: str | Path | None,
    as_of: date | str | None,
    until: int | None,
) -> Series:
    """Return the monthly imports of a form from a customs data set.

    Args:
        form: the form; any of its codes that is no basket is read, by its first six digits or in full.
        country: ISO 3166 alpha-3 of the reporter.
        customs: name of the data set.
        folder: folder of the user's store.
        as_of: use only what was knowable on this day.
        until: use no year later than this (law 11).

    Raises:
        InputError: the world was asked for.
        NotCoveredError: no month of a code of the form, or fewer than 48.
    """
    from evernormal.data.stored import stored  # noqa: PLC0415 - opens the user's store

    if country == WORLD:
        raise InputError(
            "customs data are those of one country, got WLD", where="country", cure="Name the reporter."
        )
    rows, pinned = stored("customs", customs, folder, as_of)
    if until is not None:
        rows = rows.filter(pl.col("year") <= until)
    return _series(form, country, rows, pinned)


def _series(form: Form, country: str, rows: pl.DataFrame, pinned: Input) -> Series:
    table = monthly_amounts(rows, form, country)
    count = int(table["amount_t"].is_not_null().sum())
    if count < MINIMUM_MONTHS:
        raise NotCoveredError(
            f"{pinned.name} has {count} months of {country}'s imports of {form.name}",
            where=f"{form.name}, {country}",
            cure=f"At least {MINIMUM_MONTHS} are needed to see seasons and to test the forecast.",
        )
    latest = int(rows.filter(_monthly()).select(_number().max()).item())
    return series_of(form.name, country, table, latest, season=12, inputs=(pinned,), unit="t contained")


def monthly_amounts(rows: pl.DataFrame, form: Form, country: str) -> pl.DataFrame:
    """Return imports per month in tonnes contained.

    Args:
        rows: customs rows with the columns of the schema.
        form: the form.
        country: reporter.

    Returns:
        period_number (12 x year + month - 1), period, year, amount_t, gross_t (null where more than a fifth
        of the value has no quantity), value_usd, estimated (share of the value without a quantity).
    """
    mine = rows.filter(_monthly(), pl.col("reporter") == country, pl.col("flow") == "import")
    mine = mine.join(_codes(form, mine), on="code", how="inner")
    total = pl.col("partner") == WORLD
    mine = mine.filter(total == total.any().over("period", "code"))  # a total, or the partners; never both
    known = pl.col("quantity_t").is_not_null()
    gram = pl.col("quantity_t") * 1_000_000
    summed = (
        mine.group_by("period")
        .agg(
            year=pl.col("year").first().cast(pl.Int64),
            grams=gram.round().cast(pl.Int64).sum(),
            contained=(gram * pl.col("content")).round().cast(pl.Int64).sum(),
            dollars=pl.col("value_usd").round().cast(pl.Int64).sum(),
            seen=pl.col("value_usd").filter(known).round().cast(pl.Int64).sum(),
            quantities=known.sum(),
        )
        .sort("period")
    )
    estimated = pl.when(pl.col("dollars") > 0).then(1 - pl.col("seen") / pl.col("dollars")).otherwise(0.0)
    fine = (pl.col("estimated") <= UNKNOWN_LIMIT) & (pl.col("quantities") > 0)
    whole = (1 - pl.col("estimated")) * 1_000_000
    table = summed.with_columns(estimated=estimated).with_columns(
        period_number=_number(),
        amount_t=pl.when(fine).then(pl.col("contained") / whole),
        gross_t=pl.when(fine).then(pl.col("grams") / whole),
        value_usd=pl.col("dollars").cast(pl.Float64),
    )
    return table.select("period_number", "period", "year", "amount_t", "gross_t", "value_usd", "estimated")


def _monthly() -> pl.Expr:
    return pl.col("period").str.contains(f"^{_MONTH.pattern}$")


def _number() -> pl.Expr:
    year = pl.col("period").str.slice(0, 4).cast(pl.Int64)
    return (12 * year + pl.col("period").str.slice(5, 2).cast(pl.Int64) - 1).alias("period_number")


def _codes(form: Form, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the codes among the rows that are the form's own, with the content of each."""
    from evernormal.network.forms import contained  # noqa: PLC0415 - reads tables

    own = {code.code for code in form.codes if not code.basket}
    short = {code[:6] for code in own if len(code) == 6}
    listed = {row.code for row in form.content}
    found = []
    for code in sorted(set(rows["code"].to_list())):
        if code in own or code[:6] in short:
            known = code if code in own | listed else code[:6] if code[:6] in own | listed else ""
            found.append((code, contained(form.name, known).value))
    if not found:
        shown = ", ".join(sorted(own)) or "none of its own"
        raise NotCoveredError(
            f"the customs data have no month of a code of {form.name} ({shown})", where=f"form {form.name!r}"
        )
    longest = max(len(code) for code, _ in found)
    kept = [pair for pair in found if len(pair[0]) == longest]  # a heading and its parts are never both read
    return pl.DataFrame(kept, schema={"code": pl.String, "content": pl.Float64}, orient="row")
