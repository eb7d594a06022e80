"""Do the sources agree?  Who makes how much of a material at a stage, by source, and where they differ.

Disagreements are listed with their size and, where a definition explains them, the likely reason; they are
never averaged away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data.comparison_rows import Collected, collect, known_materials
from evernormal.data.comparison_shares import Row, chosen, in_series, with_shares
from evernormal.data.comparison_tables import UNITS, disagreements, rows_table, spread, worlds_table
from evernormal.data.geography import check_iso3
from evernormal.data.publishers.statistic_labels import contained_basis
from evernormal.data.schema import day
from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.result import Derivation, Finding, Lineage, Result

__all__ = ["compare_sources"]

STAGES = ("ore", "refined", "material", "component")
_TOLD = 5


def compare_sources(
    material: str,
    stage: str,
    years: int | Iterable[int] | None = None,
    countries: Iterable[str] | None = None,
    *,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
    within: int = 3,
    tolerance: float = 0.05,
) -> Result:
    """Return what each source says about the producers of a material at a stage, and where they disagree.

    World Mining Data and facts are shipped; every data set of statistics in ``folder`` is set beside them.
    The share of a country is taken of its own source's world (equation E13): the total that the source
    prints, else the sum of its countries.  Two figures disagree when they differ by more than ``tolerance``
    (equation E14); the spread of a country is the distance between its highest and lowest share (E15).

    Args:
        material: such as ``gallium``.
        stage: ``ore``, ``refined``, ``material`` or ``component``.
        years: calendar year or years; None for the latest that two sources have, else the latest of one.
        countries: ISO 3166 alpha-3; None for all.
        folder: folder of the user's store; None for what is shipped alone.
        as_of: only what was knowable on this day (law 11).
        within: a source without the year is shown with its nearest year at most so many years away, and
            the difference of years is then given as a reason.
        tolerance: relative difference from which two figures are listed; 0 for all.

    Returns:
        Result ``source-comparison`` with tables, each sorted by size:

        - ``rows``, one per source, line and country: asked_year, source, series, country, year, period,
          tonnes (of ``basis``), contained_t (contained tonnes; null where the basis does not convert,
          ``reason`` says why), low, high, share (of the printed world), share_of_sum, basis, reason, form,
          flag, grade, dataset, source_ref, as_of;
        - ``worlds``: asked_year, source, series, year, basis, printed_t, summed_t, ratio (summed / printed),
          countries, unknown (countries listed without a figure: the sum is then a lower bound);
        - ``disagreements``: asked_year, country, source_a, series_a, source_b, series_b, year_a, year_b,
          tonnes_a, tonnes_b (on the same basis, else null), difference_t, ratio, share_a, share_b,
          difference_share, reasons;
        - ``spread``: asked_year, country, sources, lowest_share, lowest_source, highest_share,
          highest_source, spread.

    Raises:
        UnknownNameError: no such material, stage or country.
        InputError: ``within`` or ``tolerance`` is negative.
        NotCoveredError: no source has a figure of the year, or within so many years of it.

    >>> rows = compare_sources("gallium", "refined", 2022)["rows"]
    >>> row = rows.filter(pl.col("country") == "CHN", pl.col("series") == "Gallium").row(0, named=True)
    >>> row["contained_t"], round(row["share"], 3)
    (606.0, 0.984)
    """
    _check(material, stage, within, tolerance)
    wanted = None if countries is None else check_iso3(countries, where="countries")
    known_on = day(as_of)
    found = collect(material, stage, folder, known_on)
    asked = _latest(found, material, stage) if years is None else _years(years)
    rows: list[Row] = []
    worlds: list[dict[str, Any]] = []
    coverage: list[dict[str, Any]] = [_left_out(source, why) for source, why in found.left_out]
    for year in asked:
        for series in in_series(chosen(found.said, year, within, coverage)):
            made, world = with_shares(series, year, material)
            rows += made
            worlds.append(world)
    if not rows:
        raise NotCoveredError(
            f"no source has {material} at stage {stage!r} of {', '.join(map(str, asked))} or within {within}"
            " years of it",
            cure="Add a publisher's file with `evernormal data add`, or ask for another year.",
        )
    shown = [row for row in rows if wanted is None or row.said.country in wanted]
    tables = {
        "rows": rows_table([row for row in shown if row.said.country != "WLD"]),
        "worlds": worlds_table(worlds),
        "disagreements": disagreements(shown, tolerance),
        "spread": spread(shown),
    }
    findings = _findings(tables, shown, found, material)
    call = {"material": material, "stage": stage, "years": asked, "countries": wanted,
            "as_of": None if known_on is None else str(known_on), "within": within,
            "tolerance": tolerance}  # fmt: skip
    return Result(
        "source-comparison", tables, UNITS, _lineage(found, call), tuple(findings), _coverage(coverage)
    )


def _check(material: str, stage: str, within: int, tolerance: float) -> None:
    if material not in known_materials():
        raise UnknownNameError("material", material, known_materials())
    if stage not in STAGES:
        raise UnknownNameError("stage", stage, STAGES)
    if within < 0 or not tolerance >= 0:
        raise InputError(f"within and tolerance must not be negative, got {within} and {tolerance}")


def _years(years: int | Iterable[int]) -> list[int]:
    asked = [years] if isinstance(years, int) else sorted(set(years))
    if not asked:
        raise InputError("no year was given", where="years", cure="Give one like 2023.")
    return asked


def _latest(found: Collected, material: str, stage: str) -> list[int]:
    """Return the latest past year that two sources have, else the latest that one has."""
    sources: dict[int, set[str]] = {}
    for said in found.said:
        if said.year <= said.as_of.year:
            sources.setdefault(said.year, set()).add(said.source)
    if not sources:
        raise NotCoveredError(
            f"no source has {material} at stage {stage!r}",
            cure="Add a publisher's file with `evernormal data add`, or ask for another stage.",
        )
    shared = [year for year, names in sources.items() if len(names) > 1]
    return [max(shared or sources)]


# --- what is told ----------------------------------------------------------------


def _findings(
    tables: dict[str, pl.DataFrame], rows: Sequence[Row], found: Collected, material: str
) -> list[Finding]:
    largest = tables["disagreements"].unique("country", keep="first", maintain_order=True).head(_TOLD)
    findings = [_disagreement(row) for row in largest.iter_rows(named=True)]
    if len({row.said.source for row in rows}) < 2:
        text = "Only one source has a figure: nothing to compare it with."
        findings.append(
            Finding("one-source", "caution", text, {"source": rows[0].said.source if rows else ""})
        )
    bases = sorted(
        {row.said.basis for row in rows if row.said.tonnes is not None and row.contained_t is None}
    )
    if bases:
        text = (
            f"{', '.join(bases)} is not put on contained {contained_basis(material)}: the content is not in"
            " the source. Such figures are compared with each other as given, and by share."
        )
        findings.append(Finding("basis-not-converted", "caution", text, {"bases": bases}))
    for world in tables["worlds"].filter(pl.col("ratio") > 1.02).iter_rows(named=True):
        text = (
            f"{world['source']}, {world['series']}: the countries sum to {world['summed_t']:,.0f} t,"
            f" the printed world is {world['printed_t']:,.0f} t."
        )
        values = {"source": world["source"], "series": world["series"], "ratio": world["ratio"]}
        findings.append(Finding("world-below-its-countries", "caution", text, values))
    findings += [Finding("source-left-out", "info", f"{source}: {why}.", {"source": source})
                 for source, why in found.left_out]  # fmt: skip
    return findings


def _disagreement(row: dict[str, Any]) -> Finding:
    """Return the finding of one of the largest disagreements."""
    if row["difference_share"] is not None:
        what = f"{100 * row['share_a']:.1f} % and {100 * row['share_b']:.1f} % of the world"
    else:
        numbers = ("no figure" if x is None else f"{x:,.0f} t" for x in (row["tonnes_a"], row["tonnes_b"]))
        what = " and ".join(numbers)
    text = (
        f"{row['country']} {row['asked_year']}: {row['source_a']} ({row['series_a']}) and {row['source_b']}"
        f" ({row['series_b']}) give {what}. Likely reason: {row['reasons']}."
    )
    names = ("country", "source_a", "source_b", "ratio", "difference_t", "difference_share", "reasons")
    return Finding("sources-disagree", "caution", text, {name: row[name] for name in names})


def _left_out(source: str, why: str) -> dict[str, Any]:
    return {"asked_year": None, "what": source, "covered": "unknown", "detail": why}


def _coverage(rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {"asked_year": pl.Int64(), "what": pl.String(), "covered": pl.String(), "detail": pl.String()}
    return pl.DataFrame(rows, schema=schema).sort("asked_year", "covered", "what", "detail")


def _lineage(found: Collected, call: dict[str, Any]) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415

    derived = (
        Derivation("rows", "tonnes", "", (), "As published, in tonnes of the basis."),
        Derivation(
            "rows", "contained_t", "E30", ("rows.tonnes",), "Tonnes put on the element by stoichiometry."
        ),
        Derivation(
            "rows", "share", "E13", ("rows.tonnes", "worlds.printed_t"), "Share of the source's world."
        ),
        Derivation("rows", "share_of_sum", "E13", ("rows.tonnes", "worlds.summed_t"), "Share of the sum."),
        Derivation("disagreements", "ratio", "E14", ("rows.tonnes", "rows.share"), "Source b over source a."),
        Derivation("spread", "spread", "E15", ("rows.share",), "Highest less lowest share."),
    )
    pinned = tuple(sorted(set(found.inputs), key=lambda one: one.name))
    return Lineage(__version__, inputs=pinned, derivations=derived, call=call)
