"""The table, findings and lineage of an exposure report, and its summary in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from evernormal.result import Derivation, Finding, Input, Lineage, Parameter, Result
from evernormal.risk.exposure_rows import Asked, Row

__all__ = ["exposure_result", "exposure_sentence"]

_TEXT = ("form", "name_en", "name_ko", "material", "stage", "known_by")
_FRACTIONS_BEFORE = (
    "share_value",
    "share_quantity",
    "hhi_value",
    "hhi_quantity",
    "china_value",
    "china_quantity",
)
_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(_TEXT, pl.String),
    "year": pl.Int64,
    **dict.fromkeys(("imports_usd", "imports_t", "exports_t", "reliance"), pl.Float64),
    "supplier": pl.String,
    **dict.fromkeys(_FRACTIONS_BEFORE, pl.Float64),
    **dict.fromkeys(("since", "first_half"), pl.Int64),
    **dict.fromkeys(("trend", "trend_probability"), pl.Float64),
    "direction": pl.String,
    **dict.fromkeys(("momentum", "neighbour_share"), pl.Float64),
    **dict.fromkeys(("duty_one_country", "duty_neighbours", "duty"), pl.Boolean),
    "remaining": pl.Float64,
    "maker": pl.String,
    "maker_share": pl.Float64,
    "mine": pl.String,
    **dict.fromkeys(("mine_share", "mine_low", "mine_high", "geopolrisk"), pl.Float64),
    "unknown": pl.String,
    "source": pl.String,
    "as_of": pl.Date,
    "grade": pl.String,
}
_UNITS = {
    **{name: "fraction" for name, dtype in _SCHEMA.items() if dtype == pl.Float64},
    "imports_usd": "USD",
    "imports_t": "t contained",
    "exports_t": "t contained",
    "trend": "fraction/year",
    "trend_probability": "probability",
    "geopolrisk": "score",
}


def exposure_result(
    rows: Sequence[Row],
    asked: Asked,
    inputs: tuple[Input, ...],
    parameters: tuple[Parameter, ...],
    neighbours_from: str,
    call: Mapping[str, object],
) -> Result:
    """Rank the rows and say what they do not say."""
    table = _ranked(pl.DataFrame([{**dict.fromkeys(_SCHEMA), **row} for row in rows], schema=_SCHEMA))
    known = table.filter(pl.col("known_by") != "nothing")
    counts = {
        "forms": table.height,
        "known": known.height,
        "duty": known.filter(pl.col("duty")).height,
        "china_half": known.filter(pl.max_horizontal("china_value", "china_quantity") >= 0.5).height,
        "worse": known.filter(pl.col("duty") & (pl.col("direction") == "worse")).height,
    }
    summary = pl.DataFrame({"name": list(counts), "value": list(counts.values())})
    coverage = table.select(
        "form", covered=pl.col("known_by") != "nothing", known_by="known_by", unknown="unknown"
    )
    return Result(
        "exposure",
        {"exposure": table, "summary": summary},
        {"exposure": _UNITS, "summary": {}},
        _lineage(inputs, parameters, call),
        _findings(table, asked, neighbours_from),
        coverage,
    )


def _ranked(table: pl.DataFrame) -> pl.DataFrame:
    """Forms under the duty first, then by the largest supplier's share in all use; the unknown last."""
    top = pl.coalesce("share_value", "share_quantity")
    exposed = top * pl.col("reliance").fill_null(1.0)
    ranked = table.with_columns(_nothing=pl.col("known_by") == "nothing", _exposed=exposed, _top=top).sort(
        "_nothing", pl.col("duty").fill_null(value=False), "_exposed", "_top", "form",
        descending=[False, True, True, True, False], nulls_last=True,
    )  # fmt: skip
    return ranked.drop("_nothing", "_exposed", "_top").with_row_index("rank", 1).cast({"rank": pl.Int64})


def exposure_sentence(result: Result) -> str:
    """Say an exposure report in one sentence.

    >>> from evernormal.risk.exposure_report import exposure
    >>> exposure_sentence(exposure("KOR", 2023, origins=False)).startswith("KOR 2023: the early-warning")
    True
    """
    count = {name: int(result.scalar(name)) for name in result["summary"]["name"]}
    worst = result["exposure"].row(0, named=True)
    where = f"{result.lineage.call['country']} {result.lineage.call['year']}"
    if not count["known"]:
        return f"{where}: nothing is known of any of the {count['forms']} forms."
    share = worst["share_value"] if worst["share_value"] is not None else worst["share_quantity"]
    return (
        f"{where}: the early-warning duty is reached in {count['duty']} of the {count['known']} forms of"
        f" which something is known, in {count['worse']} of them with a significant rise; China supplies half"
        f" or more of {count['china_half']}; worst is {worst['form']}, {share:.0%} from {worst['supplier']};"
        f" of {count['forms'] - count['known']} forms nothing is known."
    )


def _findings(table: pl.DataFrame, asked: Asked, neighbours_from: str) -> tuple[Finding, ...]:
    country, year = asked.country, asked.year
    found = []
    nothing = table.filter(pl.col("known_by") == "nothing")
    if nothing.height:
        text = (
            f"Of {nothing.height} of {table.height} forms nothing is known for {country} in {year}; column"
            " unknown says why: unknown, not without risk."
        )
        values = {"country": country, "year": year, "forms": nothing.height, "all": table.height}
        found.append(Finding("exposure-unknown-forms", "warning", text, values))
    blank = table.filter((pl.col("known_by") != "nothing") & pl.col("reliance").is_null()).height
    if blank:
        text = (
            f"In {blank} forms domestic production is not published: net import reliance and N-1 are unknown,"
            " and the form is ranked as if all were imported."
        )
        found.append(Finding("exposure-reliance-unknown", "caution", text, {"forms": blank}))
    near = ", ".join(asked.neighbours)
    if not asked.neighbours:
        text = f"The threshold on neighbouring countries is not judged: none are named for {country}."
        found.append(Finding("neighbours-not-named", "info", text, {"focal": country}))
    elif neighbours_from != "given":
        text = f"Neighbouring countries of {country} are taken to be {near} ({neighbours_from})."
        values = {"country": country, "neighbours": near, "source": neighbours_from}
        found.append(Finding("neighbours-assumed", "caution", text, values))
    first, second = (parameter.value for parameter in asked.limits)
    text = (
        f"The duty of early warning is that of South Korea: {first:.0%} from one country or {second:.0%} from"
        " two or more neighbouring countries; the text of the decree was not seen."
    )
    found.append(
        Finding("duty-as-reported", "info", text, {"one_country": first, "neighbouring_countries": second})
    )
    if not asked.scored:
        text = f"GeoPolRisk does not cover {year}: its column is empty."
        found.append(Finding("geopolrisk-not-covered", "info", text, {"year": year}))
    return tuple(found)


def _lineage(
    inputs: tuple[Input, ...], parameters: tuple[Parameter, ...], call: Mapping[str, object]
) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415 - the package's own

    texts = {
        ("share_value", "E11"): "The supplier's value over that of all suppliers.",
        ("hhi_value", "E100"): "Sum of squared shares.",
        ("reliance", "E106"): "Net imports over production and net imports.",
        ("remaining", "E107"): "Supply without the largest supplier abroad, over use.",
        ("duty", "E117"): "One country at 50 %, or two or more neighbouring countries together at 75 %.",
        ("trend", "E118"): "Median slope of the largest supplier's share over five years.",
        ("momentum", "E119"): "Change of that share in the last year.",
        ("maker_share", "E114"): "Largest maker once re-exports are taken out.",
        ("mine_share", "E116"): "Largest mine behind the imports, traced through every stage.",
        ("geopolrisk", "E102"): "Score of the material that the form's codes stand for.",
    }
    derived = tuple(Derivation("exposure", c, e, (), text) for (c, e), text in texts.items())
    return Lineage(__version__, inputs, parameters, derived, call=dict(call))
