"""A country's dependence in sentences: how much, on whom, in which form, since when and says who."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from evernormal.report.language import Language, clean, language
from evernormal.report.percents import whole_percent
from evernormal.result import Result

__all__ = [
    "answer",
    "duty_sentence",
    "exposure_summary",
    "group_names",
    "known_rows",
    "share_of",
    "unknown_line",
]

_FIRST_YEARS = 1995
"""The first year of the shipped trade: what began then may have begun before."""

NAMED = 3
SMALL_TRADE_USD = 100_000.0
"""Imports of a year below this are told as small: shares of a few shipments say little of dependence."""

Row = Mapping[str, Any]


def known_rows(result: Result) -> pl.DataFrame:
    """Return the forms of which something is known, worst first."""
    return result["exposure"].filter(pl.col("known_by") != "nothing").sort("rank")


def share_of(row: Row) -> float | None:
    """Return the share of the largest supplier, by value or else by quantity."""
    found = row["share_value"] if row["share_value"] is not None else row["share_quantity"]
    return None if found is None else float(found)


def _since(words: Language, row: Row) -> str:
    """Return since when the largest supplier has half."""
    share = share_of(row)
    if share is not None and share < 0.5:
        return words.text("exposure.since_below")
    if row["since"] is None:
        return words.text("exposure.since_unknown")
    key = "exposure.since_first" if row["since"] <= _FIRST_YEARS else "exposure.since"
    return words.text(key, year=str(row["since"]))


def _item(words: Language, row: Row) -> str:
    """Return one form in a list: its name, its largest supplier, the share and since when."""
    return words.text(
        "exposure.item",
        form=words.inline(words.form(row["form"])),
        share=whole_percent(words, share_of(row)),
        supplier=words.country_inline(row["supplier"]) if row["supplier"] else words.unknown,
        since=_since(words, row),
    )


def answer(result: Result, words: Language, groups: pl.DataFrame | None = None) -> list[str]:
    """Return the answer in sentences, the shortest first.

    Args:
        result: result of :func:`evernormal.risk.exposure`.
        words: language.
        groups: the worst row of each material that is told; none are named when left out.
    """
    known = known_rows(result)
    place, year = str(result.lineage.call["country"]), str(result.lineage.call["year"])
    if known.is_empty():
        values = {"all": result["exposure"].height, "place": words.country_inline(place), "year": year}
        return [words.text("exposure.headline_none", **values)]
    sentences = [_headline(result, words, place), _worst(words, known)]
    if groups is not None and groups.height > 1:
        items = "; ".join(_item(words, row) for row in groups.iter_rows(named=True))
        sentences.append(words.text("exposure.strategic", items=items))
    return [sentence for sentence in (*sentences, _direction(words, known), _who(words, known)) if sentence]


def _headline(result: Result, words: Language, place: str) -> str:
    count = {name: int(result.scalar(name)) for name in result["summary"]["name"]}
    name = words.country_inline(place)
    other = "exposure.headline_own" if place == "CHN" else "exposure.headline_other"
    key = "exposure.headline" if place == "KOR" else other
    return words.text(
        key, place=name[:1].upper() + name[1:], duty=count["duty"], known=count["known"],
        china=count["china_half"],
    )  # fmt: skip


def _worst(words: Language, known: pl.DataFrame) -> str:
    rows = known.filter(pl.col("supplier").is_not_null())
    if rows.is_empty():
        return ""
    row = rows.row(0, named=True)
    return words.text(
        "exposure.worst",
        form=words.inline(words.form(row["form"])),
        share=whole_percent(words, share_of(row)),
        supplier=words.country_inline(row["supplier"]),
        since=_since(words, row),
    )


def _direction(words: Language, known: pl.DataFrame) -> str:
    """Say in how many forms the dependence rises, and which."""
    count = {way: known.filter(pl.col("direction") == way).height for way in ("worse", "better", "unclear")}
    rising = known.filter(pl.col("direction") == "worse")["form"].to_list()
    names = ", ".join(words.inline(words.form(form)) for form in rising[:NAMED])
    if len(rising) > NAMED:
        names += f", {words.text('exposure.more', count=len(rising) - NAMED)}"
    named = words.text("exposure.direction_names", names=names) if rising else ""
    unknown = known.height - sum(count.values())
    return words.text("exposure.direction", **count, names=named, unknown=unknown)


def _who(words: Language, known: pl.DataFrame) -> str:
    """Say where the figures come from and on what day the newest was knowable."""
    traded = known.filter(pl.col("known_by") == "trade")
    days = known["as_of"].drop_nulls().sort()
    values: dict[str, object] = {
        "trade": traded.height,
        "published": known.height - traded.height,
        "source": clean(str(traded["source"][0])).partition(" as ")[0] if traded.height else "",
        "as_of": words.date(days[-1]) if days.len() else words.unknown,
    }
    if not traded.height:
        return words.text("exposure.who_published", published=known.height, as_of=values["as_of"])
    if traded.height == known.height:
        values.pop("published")
        return words.text("exposure.who_trade", **values)
    return words.text("exposure.who", **values)


def unknown_line(result: Result, words: Language) -> str:
    """Say of how many forms nothing, of how many no production is known, and how many are hardly traded."""
    known = known_rows(result)
    values = {
        "unknown": result["exposure"].height - known.height,
        "all": result["exposure"].height,
        "blank": known.filter(pl.col("reliance").is_null()).height,
    }
    only = "" if values["blank"] else "_only"
    said = words.text(f"exposure.unknown_line{only}", **values)
    small = known.filter(pl.col("imports_usd") < SMALL_TRADE_USD).height
    if not small:
        return said
    limit = words.money(SMALL_TRADE_USD)
    return f"{said} {words.text('exposure.small_trade', count=small, known=known.height, limit=limit)}"


def duty_sentence(result: Result, words: Language) -> str:
    """Say what the duty of early warning is taken to be."""
    limits = [p.value for p in result.lineage.parameters if p.name.startswith("early-warning-duty")]
    one, near = limits if len(limits) == 2 else (None, None)
    names = ", ".join(words.country(c) for c in result.lineage.call.get("neighbours") or ())
    named = words.text("exposure.duty_names", names=names) if names else words.text("exposure.duty_none")
    return words.text(
        "exposure.duty", one=whole_percent(words, one), near=whole_percent(words, near), names=named
    )


def group_names(words: Language, materials: tuple[str, ...], name: str) -> str:
    """Return the heading of a material, or of the rare earths with their names."""
    known = _material_names(words.code)
    names = [known.get(one, clean(one)) for one in materials if one != name]
    if name == "rare-earths" and names:
        return words.text("exposure.group_rare", names=", ".join(words.inline(one) for one in names))
    return known.get(name, clean(name))


def _material_names(code: str) -> dict[str, str]:
    from evernormal.network.forms import materials  # noqa: PLC0415 - reads a table

    table = materials()
    return dict(zip(table["material"].to_list(), table[f"name_{code}"].to_list(), strict=True))


def exposure_summary(result: Result, lang: str = "en") -> str:
    """Return what a terminal says below the table: the answer and what is not known, in one paragraph.

    >>> from evernormal.risk import exposure
    >>> exposure_summary(exposure("KOR", 2023, origins=False), "ko").startswith("한국, 파악된")
    True
    """
    words = language(lang)
    joint = ". " if words.korean else " "
    return joint.join([*answer(result, words), unknown_line(result, words)])
