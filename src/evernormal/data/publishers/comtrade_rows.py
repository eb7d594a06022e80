"""Rows of UN Comtrade, whatever file they came in: checked, told apart from totals, with known weights only.

The publisher answers one flow several times: once in total and again by second partner, mode of transport
and customs procedure; for the world and for each partner; in total exports and in exports of domestic goods.
Only the totals of these breakdowns are kept, the world stands apart as ``WLD``, and a net weight of 0 beside
a value is unknown, not nothing (law 2).
"""

from __future__ import annotations

import math
from datetime import date

import polars as pl

from evernormal.data.geography import aliases
from evernormal.data.publishers.text import Problems
from evernormal.data.schema import public_columns
from evernormal.errors import SourceFormatError
from evernormal.result import Finding

__all__ = ["OPTIONAL", "REQUIRED", "customs_table", "revision_of"]

REQUIRED: tuple[str, ...] = (
    "freqCode",
    "period",
    "reporterCode",
    "partnerCode",
    "flowCode",
    "classificationCode",
    "cmdCode",
)
REQUIRED += ("primaryValue",)
"""Fields without which a row says nothing."""

OPTIONAL: tuple[str, ...] = (
    "typeCode",
    "partner2Code",
    "customsCode",
    "mosCode",
    "motCode",
    "cmdDesc",
    "aggrLevel",
)
OPTIONAL += ("qtyUnitCode", "qtyUnitAbbr", "qty", "isQtyEstimated", "altQtyUnitCode", "altQtyUnitAbbr")
OPTIONAL += ("altQty", "isAltQtyEstimated", "netWgt", "isNetWgtEstimated", "cifvalue", "fobvalue")
OPTIONAL += ("legacyEstimationFlag", "isReported", "isAggregate")
"""Fields that a file may leave out."""

_REVISIONS = {"H0": "HS1992", "H1": "HS1996", "H2": "HS2002", "H3": "HS2007", "H4": "HS2012", "H5": "HS2017"}
_REVISIONS |= {"H6": "HS2022", "S1": "SITC1", "S2": "SITC2", "S3": "SITC3", "S4": "SITC4", "HS": "HS"}
_FLOWS = {"M": "import", "X": "export", "RM": "re-import", "RX": "re-export"}
_PARTS = ("DX", "FM", "MIP", "MOP", "XIP", "XOP")
"""Exports of domestic goods, imports of foreign goods, inward and outward processing: parts of X and M."""

_UNITS = {"2": "m2", "3": "1000 kWh", "4": "m", "5": "u", "6": "2u", "7": "l", "9": "1000u", "10": "jeu/pack"}
_UNITS |= {"11": "12u", "12": "m3", "13": "carat", "14": "km", "15": "g", "17": "1000 m3", "18": "TJ"}
_UNITS |= {"20": "1000 l", "21": "1000 kg", "22": "kWh", "24": "head"}
_NO_UNIT, _KILOGRAM = ("-1", "0", "1", ""), "8"
_TOTALS = {"partner2Code": ("0", ""), "motCode": ("0", ""), "customsCode": ("C00", ""), "mosCode": ("0", "")}
_NUMBER = r"^[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?$"
_FLOW_KEY = ("period", "reporterCode", "partnerCode", "flowCode", "classificationCode", "cmdCode")
_TRUE = ("true", "1")
_SHOWN = 10
_CAPS = (500, 100_000, 250_000)
_NUMBERS = ("primaryValue", "netWgt", "qty", "altQty", "cifvalue", "fobvalue")


def revision_of(classification: str) -> str:
    """Return the revision that a classification code means.

    >>> revision_of("H6")
    'HS2022'
    """
    return _REVISIONS[classification]


def customs_table(
    cells: pl.DataFrame, *, name: str, title: str, as_of: date, codes: tuple[str, ...] | None
) -> tuple[pl.DataFrame, tuple[Finding, ...]]:
    """Return rows of kind ``customs`` and what a reader must know about them.

    Args:
        cells: one column of text per field of the publisher (null where empty), and ``row``, its place in
            the file.
        name: name of the file, for messages.
        title: source of the rows.
        as_of: day on which they were knowable.
        codes: keep these codes only; None for all.

    Raises:
        SourceFormatError: every fault with row and column: an unknown country, flow, classification or
            period, a number that is none, the same flow twice, or no row at all.
    """
    rows = _with_every_field(cells)
    _refuse_faults(rows, name)
    kept, findings = _totals_only(rows)
    _refuse_twice(kept, name)
    if codes is not None:
        kept = kept.filter(pl.col("cmdCode").is_in(codes))
    if kept.is_empty():
        raise SourceFormatError(
            "no row of a trade flow in total is left" if rows.height else "the file has no rows",
            where=name,
            cure="Ask for partner2Code=0, motCode=0, customsCode=C00 and the codes that you need.",
        )
    table = _observations(kept, title, as_of)
    padded = int(rows["padded"].sum())
    if padded:
        text = f"{padded:,} codes had lost their leading zero; it was put back."
        findings.append(Finding("leading-zero-restored", "info", text, {"rows": padded}))
    return table, (*findings, *_findings(rows, table))


def _with_every_field(cells: pl.DataFrame) -> pl.DataFrame:
    """Return trimmed text, an empty text where the file has nothing, codes as the publisher counts them."""
    absent = [pl.lit("").alias(field) for field in OPTIONAL if field not in cells.columns]
    present = [
        pl.col(field).fill_null("").str.strip_chars()
        for field in (*REQUIRED, *OPTIONAL)
        if field in cells.columns
    ]
    level = pl.col("aggrLevel").cast(pl.Int32, strict=False)
    padded = pl.col("cmdCode").str.len_chars() + 1 == level  # a spreadsheet has eaten the leading zero
    return (
        cells.select("row", *present, *absent)
        .with_columns(padded=padded.fill_null(value=False))
        .with_columns(cmdCode=pl.when("padded").then(pl.lit("0")).otherwise(pl.lit("")) + pl.col("cmdCode"))
        .with_columns(pl.col(c).str.replace(r"^0+(\d)", "${1}") for c in ("reporterCode", "partnerCode"))
    )


def _refuse_faults(rows: pl.DataFrame, name: str) -> None:
    known = list(aliases("comtrade"))
    annual, monthly = pl.col("freqCode") == "A", pl.col("freqCode") == "M"
    period = pl.col("period")
    checks = {
        "typeCode": pl.col("typeCode").is_in(["C", ""]),
        "freqCode": annual | monthly,
        "period": (annual & period.str.contains(r"^(19|20)\d\d$"))
        | (monthly & period.str.contains(r"^(19|20)\d\d(0[1-9]|1[0-2])$")),
        "reporterCode": pl.col("reporterCode").is_in(known),
        "partnerCode": pl.col("partnerCode").is_in(known),
        "flowCode": pl.col("flowCode").is_in([*_FLOWS, *_PARTS]),
        "classificationCode": pl.col("classificationCode").is_in(list(_REVISIONS)),
        "cmdCode": pl.col("cmdCode").str.contains(r"^([0-9A-Z]{2}){1,5}$|^TOTAL$"),
        **{field: (pl.col(field) == "") | pl.col(field).str.contains(_NUMBER) for field in _NUMBERS},
    }
    fault = pl.coalesce(*(pl.when(~good).then(pl.lit(field)) for field, good in checks.items()))
    faulty = rows.with_columns(fault.alias("fault")).filter(pl.col("fault").is_not_null())
    problems = Problems(name)
    for row in faulty.head(_SHOWN).iter_rows(named=True):
        problems.add(row["row"], row["fault"], _say(row["fault"], row[row["fault"]]))
    problems.raise_if_any()


def _say(field: str, text: str) -> str:
    shown = text if len(text) <= 40 else text[:37] + "..."
    if field in _NUMBERS:
        return f"{shown!r}, expected a number of zero or more without thousands separators, or nothing"
    expected = {
        "typeCode": "C, trade in goods",
        "freqCode": "A or M",
        "period": "a year like 2024 (freqCode A) or a month like 202405 (freqCode M)",
        "flowCode": f"one of {', '.join([*_FLOWS, *_PARTS])}",
        "classificationCode": f"one of {', '.join(_REVISIONS)}",
        "cmdCode": "a code of an even number of digits as text: a spreadsheet drops the leading zero",
    }
    if field in expected:
        return f"{shown!r}, expected {expected[field]}"
    return f"{shown!r} is no country or area code of UN Comtrade"


def _totals_only(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[Finding]]:
    """Return the rows that are total over second partner, transport, procedure and kind of flow."""
    total = pl.all_horizontal(pl.col(field).is_in(list(value)) for field, value in _TOTALS.items())
    whole = pl.col("flowCode").is_in(list(_FLOWS))
    kept = rows.filter(total & whole)
    findings = []
    parts = rows.filter(~whole).height
    if parts:
        text = f"{parts:,} rows of parts of imports or exports (such as domestic exports) were left out."
        findings.append(Finding("partial-flows-left-out", "info", text, {"rows": parts}))
    detail = rows.filter(whole & ~total)
    if detail.height:
        text = f"{detail.height:,} rows by second partner, transport or customs procedure were left out:"
        text += " their totals are kept, so nothing is counted twice."
        findings.append(Finding("breakdowns-left-out", "info", text, {"rows": detail.height}))
        alone = detail.unique(_FLOW_KEY).join(kept, on=_FLOW_KEY, how="anti").height
        if alone:
            text = f"{alone:,} flows stand in the file only in parts, without their total: they are unknown."
            findings.append(Finding("flows-without-total", "warning", text, {"flows": alone}))
    return kept, findings


def _refuse_twice(rows: pl.DataFrame, name: str) -> None:
    twice = rows.filter(pl.struct(_FLOW_KEY).is_duplicated()).sort(*_FLOW_KEY, "row").head(_SHOWN)
    problems = Problems(name)
    for first, second in zip(
        twice.select("row", *_FLOW_KEY).rows(), twice.select("row", *_FLOW_KEY).rows()[1:], strict=False
    ):
        if first[1:] == second[1:]:
            problems.add(second[0], ", ".join(_FLOW_KEY), f"the same flow as row {first[0]}")
    problems.raise_if_any("Take one of them out, or ask for the total only; nothing was stored.")


def _number(field: str) -> pl.Expr:
    return pl.col(field).cast(pl.Float64, strict=False)


def _is_true(field: str) -> pl.Expr:
    return pl.col(field).str.to_lowercase().is_in(list(_TRUE))


def _observations(rows: pl.DataFrame, title: str, as_of: date) -> pl.DataFrame:
    countries = dict(aliases("comtrade"))
    month = pl.col("period").str.slice(0, 4) + "-" + pl.col("period").str.slice(4, 2)
    derived = {
        "period": pl.when(pl.col("freqCode") == "M").then(month).otherwise(pl.col("period")),
        "year": pl.col("period").str.slice(0, 4).cast(pl.Int16),
        "reporter": pl.col("reporterCode").replace_strict(countries, return_dtype=pl.String),
        "partner": pl.col("partnerCode").replace_strict(countries, return_dtype=pl.String),
        "flow": pl.col("flowCode").replace_strict(_FLOWS, return_dtype=pl.String),
        "revision": pl.col("classificationCode").replace_strict(_REVISIONS, return_dtype=pl.String),
        "code": pl.col("cmdCode"),
        "description": pl.when(pl.col("cmdDesc") != "").then(pl.col("cmdDesc")),
        **_amounts(),
        "flag": _flag(),
        "source": pl.lit(title),
        "source_ref": pl.format(
            "period={} reporterCode={} partnerCode={} flowCode={} cmdCode={}",
            *(pl.col(c) for c in ("period", "reporterCode", "partnerCode", "flowCode", "cmdCode")),
        ),
        "as_of": pl.lit(as_of),
        "grade": pl.when(_estimated_by_publisher()).then(pl.lit("B")).otherwise(pl.lit("A")),
    }
    order = [column.name for column in public_columns("customs")]
    made = rows.select(**derived).select(order)
    return made.sort("reporter", "flow", "code", "period", "partner", "source_ref")


def _amounts() -> dict[str, pl.Expr]:
    """Return value with its basis, weight and supplementary quantity: what is not given stays null."""
    value = pl.coalesce(
        _number("primaryValue"),
        pl.when(pl.col("flowCode").is_in(["M", "RM"]))
        .then(_number("cifvalue"))
        .otherwise(_number("fobvalue")),
    )
    traded = value.fill_null(0) > 0
    weighed = pl.coalesce(
        pl.when(_number("netWgt") > 0).then(_number("netWgt")),
        pl.when((pl.col("qtyUnitCode") == _KILOGRAM) & (_number("qty") > 0)).then(_number("qty")),
        pl.when(~traded).then(_number("netWgt")),
    )
    own = ~pl.col("qtyUnitCode").is_in([*_NO_UNIT, _KILOGRAM]) & (_number("qty") > 0)
    other = ~pl.col("altQtyUnitCode").is_in([*_NO_UNIT, _KILOGRAM]) & (_number("altQty") > 0)
    near = (_number("primaryValue") - _number("cifvalue")).abs() <= 1e-9 * value
    fob = (_number("primaryValue") - _number("fobvalue")).abs() <= 1e-9 * value
    said_cif, said_fob = (
        (same & (_number(f"{kind}value") > 0)).fill_null(value=False)
        for kind, same in (("cif", near), ("fob", fob))
    )
    basis = (
        pl.when(said_fob & ~said_cif)
        .then(pl.lit("FOB"))
        .when(said_cif)
        .then(pl.lit("CIF"))
        .when(pl.col("flowCode").is_in(["M", "RM"]))
        .then(pl.lit("CIF by the publisher's rule; not said in the row"))
        .otherwise(pl.lit("FOB by the publisher's rule; not said in the row"))
    )
    return {
        "value_usd": value,
        "quantity_t": weighed / 1000,
        "quantity": pl.when(own).then(_number("qty")).when(other).then(_number("altQty")),
        "quantity_unit": pl.when(own).then(_unit("qtyUnit")).when(other).then(_unit("altQtyUnit")),
        "basis": basis,
    }


def _unit(field: str) -> pl.Expr:
    code = pl.col(f"{field}Code")
    named = code.replace_strict(_UNITS, default=pl.lit("unit ") + code, return_dtype=pl.String)
    return pl.when(pl.col(f"{field}Abbr") != "").then(pl.col(f"{field}Abbr")).otherwise(named)


def _estimated_by_publisher() -> pl.Expr:
    """Return whether neither the country reported the row nor it is the sum of rows that it reported."""
    return (pl.col("isReported").str.to_lowercase() == "false") & ~_is_true("isAggregate")


def _flag() -> pl.Expr:
    weight_missing = (_number("netWgt") == 0) & (_number("primaryValue") > 0)
    marks = {
        "net weight estimated": _is_true("isNetWgtEstimated"),
        "quantity estimated": _is_true("isQtyEstimated"),
        "alternative quantity estimated": _is_true("isAltQtyEstimated"),
        "net weight 0 read as unknown": weight_missing,
        "not reported by the country": _estimated_by_publisher(),
    }
    legacy = pl.col("legacyEstimationFlag")
    texts = [pl.when(said).then(pl.lit(text)) for text, said in marks.items()]
    texts.append(pl.when(~legacy.is_in(["", "0"])).then(pl.lit("legacy estimation flag ") + legacy))
    joined = pl.concat_str(texts, separator="; ", ignore_nulls=True)
    return pl.when(joined != "").then(joined)


def _findings(rows: pl.DataFrame, table: pl.DataFrame) -> list[Finding]:
    found = []
    if rows.height in _CAPS:
        text = f"The file has exactly {rows.height:,} rows, where the publisher cuts an answer off:"
        text += " flows may be missing. Ask for fewer periods or codes at a time."
        found.append(Finding("answer-may-be-cut", "warning", text, {"rows": rows.height}))
    traded = table.filter(pl.col("value_usd") > 0, pl.col("partner") != "WLD")
    blank = traded.filter(pl.col("quantity_t").is_null())
    if blank.height:
        share = math.fsum(blank["value_usd"]) / math.fsum(traded["value_usd"])
        text = (
            f"{blank.height:,} rows with a value have no weight ({100 * share:.1f} % of the value): unknown."
        )
        found.append(Finding("weight-unknown", "caution", text, {"rows": blank.height, "value_share": share}))
    estimated = traded.filter(pl.col("flag").str.contains("net weight estimated", literal=True))
    if estimated.height:
        text = f"{estimated.height:,} net weights are the publisher's estimates; column flag says which."
        found.append(Finding("weight-estimated", "info", text, {"rows": estimated.height}))
    world = table.filter(pl.col("partner") == "WLD").height
    if world:
        text = f"{world:,} rows are totals over all partners (WLD): they are kept apart and never added."
        found.append(Finding("world-rows-apart", "info", text, {"rows": world}))
    return found
