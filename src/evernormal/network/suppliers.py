"""Who supplies a country with a form: shares of trade where codes show it, else published shares."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl

from evernormal.data.european_union import EUROPEAN_UNION
from evernormal.errors import InputError, NotCoveredError
from evernormal.network.forms import Form, form
from evernormal.network.userdata import facts_with
from evernormal.result import Finding, Lineage, Result

__all__ = ["suppliers"]

Basis = Literal["value", "quantity"]


def suppliers(
    importer: str,
    form_name: str,
    by: Basis = "value",
    years: Iterable[int] | None = None,
    *,
    dataset: str | None = None,
    facts: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return each supplier's share of a country's imports of a form, year by year.

    A form whose customs codes the trade table holds is read from trade (equations E11 and E12).  Any other
    form is read from published shares, whose definitions differ: each row then says its own.

    Args:
        importer: ISO 3166 alpha-3, or ``EU``: its 27 members as one country.
        form_name: form, such as ``lithium/hydroxide``.
        by: shares of ``value`` or of ``quantity``.
        years: calendar years; None for all.
        dataset: None for the shipped trade table, or a trade data set that ``evernormal data add`` stored.
        facts: name of a data set of facts that ``evernormal data add`` stored: show the published shares, the
            shipped ones joined with these, also where trade shows the form.
        folder: folder of the user's store; needed with ``dataset`` or ``facts``.
        as_of: use only what was knowable on this day (law 11).

    Returns:
        Result ``supplier-shares`` with table ``shares``: year, supplier, share (fraction), value_usd (USD),
        quantity_t (t gross); from published shares both are null and the columns period, definition, source
        and grade follow.

    Raises:
        UnknownNameError: no such form, country or data set; the nearest is named.
        NotCoveredError: neither codes nor publications show it (law 2), or nothing was knowable on ``as_of``.

    >>> top = suppliers("KOR", "lithium/hydroxide", years=[2023])["shares"].row(0, named=True)
    >>> top["supplier"], round(top["share"], 2)
    ('CHN', 0.8)
    """
    from evernormal.data import supplier_shares  # noqa: PLC0415 - reads tables
    from evernormal.data.schema import day  # noqa: PLC0415
    from evernormal.data.store import vintage  # noqa: PLC0415

    if by not in {"value", "quantity"}:
        raise InputError(f"by must be 'value' or 'quantity', got {by!r}")
    asked = None if years is None else tuple(years)
    found = form(form_name)
    if facts is not None:
        if dataset is not None:
            raise InputError("dataset and facts cannot be given together", cure="Give one of them.")
        return _published(importer, found, by, asked, facts, folder, as_of)
    codes = found.trade_codes
    if dataset is not None and folder is not None:
        revision = vintage(dataset, folder, kind="trade", as_of=day(as_of)).revision
        codes = tuple(code.code for code in found.codes_for(revision) if not code.basket)
    if codes:
        return supplier_shares(importer, codes, by, asked, dataset=dataset, folder=folder, as_of=as_of)
    if dataset is not None:
        raise NotCoveredError(
            f"{form_name} has no customs code of its own in {dataset!r}",
            where=f"form {form_name!r}",
            cure="Leave the data set out to see published shares.",
        )
    return _published(importer, found, by, asked, as_of=as_of)


def _published(
    importer: str,
    found: Form,
    by: Basis,
    years: tuple[int, ...] | None,
    own: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return the shares that publications state, and those of the user's data set ``own``."""
    from evernormal import __version__  # noqa: PLC0415 - the package's own
    from evernormal.data import facts, inputs  # noqa: PLC0415 - reads tables
    from evernormal.data.geography import check_iso3  # noqa: PLC0415 - reads tables

    if importer != EUROPEAN_UNION:
        check_iso3([importer], where="importer")
    table, used = facts(as_of=as_of), inputs("facts")
    if own is not None:
        table, vintage = facts_with(own, folder, as_of)
        used = (*used, vintage)
    about = (pl.col("topic") == "import_share") & (pl.col("form") == found.name)
    rows = table.filter(about & (pl.col("region") == importer) & (pl.col("unit") == "1"))
    shares = (
        rows.filter(pl.col("basis").fill_null("value") == by, pl.col("partner").is_not_null())
        .select(
            pl.col("period").str.extract_all(r"\d{4}").list.last().cast(pl.Int64).alias("year"),
            pl.col("partner").alias("supplier"),
            pl.col("value").alias("share"),
            pl.lit(None, pl.Float64).alias("value_usd"),
            pl.lit(None, pl.Float64).alias("quantity_t"),
            *("period", "definition", "source", "grade"),
        )
        .sort("year", "source", "share", "supplier", descending=[False, False, True, False])
    )
    if years is not None:
        shares = shares.filter(pl.col("year").is_in(years))
    if shares.is_empty():
        other = sorted(set(rows["basis"].fill_null("value").to_list()) - {by})
        raise NotCoveredError(
            f"no share of {importer}'s imports of {found.name} by {by} is known: no customs code shows the"
            " form apart, and no publication that is shipped states it",
            where=f"form {found.name!r}, coverage {found.coverage!r}",
            cure=f"Ask by {other[0]}."
            if other
            else "Bring published shares: evernormal data add facts FILE, then add --facts NAME.",
        )
    text = (
        f"No customs code that is shipped shows {found.name} apart: the shares are as published, each by its"
        " own definition."
    )
    finding = Finding("published-shares", "caution", text, {"form": found.name})
    units = {"shares": {"share": "fraction", "value_usd": "USD", "quantity_t": "t gross"}}
    call = {
        "importer": importer,
        "form": found.name,
        "by": by,
        "years": None if years is None else list(years),
        "facts": own,
        "as_of": None if as_of is None else str(as_of),
    }
    return Result(
        "supplier-shares",
        {"shares": shares},
        units,
        Lineage(__version__, used, call=call),
        (finding,),
    )
