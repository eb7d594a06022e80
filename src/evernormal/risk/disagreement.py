"""When the methods disagree, and why: ranks of a country's forms by each, and what tells them apart."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.data.trade_table import TradeTable
from evernormal.errors import InputError, NotCoveredError
from evernormal.network.forms import form as form_of
from evernormal.result import Derivation, Finding, Lineage, Result
from evernormal.risk.cells import EUROPEAN_UNION
from evernormal.risk.disagreement_reasons import COMPONENTS, METHODS, reason_of
from evernormal.risk.momentum_panel import last_year, opened
from evernormal.risk.resampling_cases import Case, cases_of, governance_of, median_inputs
from evernormal.risk.resampling_indicators import INDICATORS

__all__ = ["method_disagreement"]

Floats = npt.NDArray[np.float64]

_FEWEST = 3
_ON_CASES = {
    "geopolrisk": "geopolrisk",
    "eu-supply-risk": "eu-supply-risk",
    "usgs-supply-risk": "usgs-supply-risk",
    "hhi": "hhi",
    "n-minus-one": "n-minus-one",
    "largest-share": "largest-share",
}
_SEEN = {
    "production": "world-hhi",
    "imports": "hhi",
    "reliance": "net-import-reliance",
    "vulnerability": "economic-vulnerability",
}


def method_disagreement(
    country: str = "KOR",
    year: int | None = None,
    forms: Iterable[str] | None = None,
    *,
    as_of: date | str | None = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
) -> Result:
    """Return how seven methods rank a country's forms, how far they agree, and why they do not (E131, E132).

    A form whose production no statistics count is taken as not made at home, which is the worst case of
    every method that asks; the table says which.  The Union's method is taken with nothing recycled and
    nothing substituted.  GeoPolRisk is the published one of the form's material where it is covered.

    Args:
        country: ISO 3166 alpha-3 code or name, or ``EU``.
        year: calendar year; None for the last that the trade table holds.
        forms: forms with codes of their own in the trade table; None for all.
        as_of: use only what was knowable on this day (law 11).
        dataset: None for the shipped trade, or a data set of the user's store.
        folder: folder of the user's store; needed with ``dataset``.

    Returns:
        Result ``method-disagreement`` with tables

        - ``ranks``: form, name_en, name_ko, one column a method (rank, 1 is worst; null where unknown),
          spread (greatest distance of two methods, as a share of the ranking), worst, best (methods), reason
          (component), reason_en, reason_ko, none_at_home; the form they disagree most on first;
        - ``scores``: form, method, score, rank, of (forms ranked), place (1 worst to 0 best of the ranking);
        - ``correlation``: method, other, tau (Kendall's tau-b), probability (two-sided), forms, form (where
          they differ most), rank, other_rank (among the forms that both rank), reason, reason_en, reason_ko;
        - ``components``: form, component, value, place.

    Raises:
        UnknownNameError, NotCoveredError: no such country, form or data set; no imports of the year.

    >>> result = method_disagreement("KOR", 2023)
    >>> row = result["correlation"].row(
    ...     by_predicate=(pl.col("method") == "hhi") & (pl.col("other") == "largest-share"), named=True)
    >>> row["tau"] > 0.9
    True
    """
    from evernormal.data.geography import country as iso3  # noqa: PLC0415 - reads tables

    place = country if country == EUROPEAN_UNION else iso3(country, where="country")
    chosen = opened(dataset, folder, as_of)
    when = last_year(chosen, year)
    cases = cases_of(chosen, place, when, forms, as_of=as_of, dataset=dataset, folder=folder)
    if not cases:
        raise NotCoveredError(f"no import of {place} is recorded in {when}", where="country")
    ruled = governance_of(when, as_of)
    points = [replace(median_inputs(case, ruled), none_at_home=True) for case in cases]
    scores = {
        name: np.array([float(INDICATORS[by].of(point)[0]) for point in points])
        for name, by in _ON_CASES.items()
    }
    seen = {
        name: np.array([float(INDICATORS[by].of(point)[0]) for point in points]) for name, by in _SEEN.items()
    }
    seen["governance"] = np.array([_weighted(p.tonnes, p.risk) for p in points])
    seen["producers"] = np.array([_weighted(p.made, p.makers_risk) for p in points])
    names = [case.name for case in cases]
    published = _geopolrisk(place, when, names, dataset, folder, as_of)
    if published is not None:
        scores["geopolrisk"] = np.where(np.isnan(published), scores["geopolrisk"], published)
    index, parts = _stability(place, when, names, as_of, dataset, folder)
    scores["stability"], seen["price"], seen["tightness"] = index, parts[0], parts[1]
    scores = {name: scores[name] for name in METHODS}
    seen = {name: seen[name] for name in COMPONENTS}
    tables = _tables(cases, scores, seen)
    call: dict[str, object] = {
        "country": place, "year": when, "forms": names, "dataset": dataset,
        "as_of": None if as_of is None else str(as_of),
    }  # fmt: skip
    return Result(
        "method-disagreement",
        tables,
        _UNITS,
        _lineage(chosen, call),
        _told(cases, scores, tables, published is not None),
    )


_UNITS = {
    "ranks": {"spread": "fraction"},
    "scores": {"score": "1", "place": "fraction"},
    "correlation": {"tau": "1", "probability": "1"},
    "components": {"value": "1", "place": "fraction"},
}


def _weighted(amounts: Floats, risk: Floats) -> float:
    """Mean governance risk, weighted by amounts."""
    total = float(amounts.sum())
    return float((amounts * risk).sum()) / total if total > 0 else np.nan


def _geopolrisk(
    country: str,
    year: int,
    names: Sequence[str],
    dataset: str | None,
    folder: str | Path | None,
    as_of: date | str | None,
) -> Floats | None:
    """GeoPolRisk of each form's material, NaN where the method has none; None where it is not covered."""
    from evernormal.risk.cells import materials  # noqa: PLC0415 - reads a table
    from evernormal.risk.geopolitical import geopolrisk  # noqa: PLC0415 - opens the snapshot

    try:
        result = geopolrisk([country], [year], dataset=dataset, folder=folder, as_of=as_of)
    except (NotCoveredError, InputError):
        return None
    scores = dict(result["geopolrisk"].select("material", "score").iter_rows())
    owners: dict[str, set[str]] = {}
    for name, material in materials().items():
        for code in material.codes:
            owners.setdefault(code, set()).add(name)
    found = np.full(len(names), np.nan)
    for number, name in enumerate(names):
        named = set().union(*(owners.get(code, set()) for code in form_of(name).trade_codes))
        if len(named) == 1:
            score = scores.get(named.pop())
            found[number] = np.nan if score is None else score
    return found


def _stability(
    country: str,
    year: int,
    names: Sequence[str],
    as_of: date | str | None,
    dataset: str | None,
    folder: str | Path | None,
) -> tuple[Floats, tuple[Floats, Floats]]:
    """Index, place of the price and mean tightness of the other components."""
    from evernormal.risk.stability_table import supply_stability  # noqa: PLC0415

    found = supply_stability([country], year, names, draws=1, as_of=as_of, dataset=dataset, folder=folder)
    index = dict(found["stability"].select("form", "index").iter_rows())
    price = dict(
        found["components"].filter(pl.col("component") == "price").select("form", "rank").iter_rows()
    )
    other = dict(
        found["components"]
        .filter((pl.col("component") != "price") & pl.col("tightness").is_not_null())
        .sort("form", "component")
        .group_by("form", maintain_order=True)
        .agg(pl.col("tightness").mean())
        .iter_rows()
    )

    def listed(table: Mapping[str, float | None]) -> Floats:
        return np.array([table.get(name) for name in names], dtype=np.float64)

    return listed(index), (listed(price), listed(other))


def _places(values: Floats) -> tuple[Floats, Floats]:
    """Rank of each known value, 1 greatest with ties sharing the best, and its place 1 (greatest) to 0."""
    from scipy.stats import rankdata  # noqa: PLC0415 - heavy

    known = ~np.isnan(values)
    rank, place = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
    if known.any():
        rank[known] = rankdata(-values[known], method="min")
        place[known] = 1.0 - (rankdata(-values[known], method="average") - 0.5) / known.sum()
    return rank, place


def _tables(
    cases: Sequence[Case], scores: Mapping[str, Floats], seen: Mapping[str, Floats]
) -> dict[str, pl.DataFrame]:
    names = [case.name for case in cases]
    ranked = {name: _places(METHODS[name].worse * values) for name, values in scores.items()}
    placed = {name: _places(values)[1] for name, values in seen.items()}
    long = [
        pl.DataFrame(
            {
                "form": names, "method": [method] * len(names), "score": _known(values),
                "rank": _known(ranked[method][0]), "of": [int((~np.isnan(values)).sum())] * len(names),
                "place": _known(ranked[method][1]),
            }
        )
        for method, values in scores.items()
    ]  # fmt: skip
    parts = [
        pl.DataFrame({"form": names, "component": [one] * len(names), "value": _known(values),
                      "place": _known(placed[one])})
        for one, values in seen.items()
    ]  # fmt: skip
    return {
        "ranks": _ranks(cases, ranked, placed),
        "scores": pl.concat(long).cast({"rank": pl.Int64}),
        "correlation": _correlation(names, scores, placed),
        "components": pl.concat(parts),
    }


def _known(values: Floats) -> pl.Series:
    return pl.Series(np.asarray(values, dtype=np.float64), dtype=pl.Float64, nan_to_null=True)


def _ranks(
    cases: Sequence[Case],
    ranked: Mapping[str, tuple[Floats, Floats]],
    placed: Mapping[str, Floats],
) -> pl.DataFrame:
    rows = []
    for number, case in enumerate(cases):
        one = form_of(case.name)
        places = {m: float(place[number]) for m, (_, place) in ranked.items() if not np.isnan(place[number])}
        row: dict[str, object] = {"form": case.name, "name_en": one.name_en, "name_ko": one.name_ko}
        for method, (rank, _) in ranked.items():
            row[method] = None if np.isnan(rank[number]) else int(rank[number])
        row |= {
            "spread": None,
            "worst": None,
            "best": None,
            "reason": None,
            "reason_en": None,
            "reason_ko": None,
        }
        if len(places) > 1:
            worst = max(places, key=lambda m: (places[m], m))
            best = min(places, key=lambda m: (places[m], m))
            why = reason_of(METHODS[worst], METHODS[best], _of(placed, number))
            row |= {
                "spread": places[worst] - places[best], "worst": worst, "best": best,
                "reason": why.component or None, "reason_en": why.text_en, "reason_ko": why.text_ko,
            }  # fmt: skip
        row["none_at_home"] = case.made_known != "statistics"
        rows.append(row)
    table = pl.DataFrame(rows, infer_schema_length=None, schema_overrides={"spread": pl.Float64})
    return table.sort("spread", "form", descending=[True, False], nulls_last=True)


def _of(placed: Mapping[str, Floats], number: int) -> dict[str, float]:
    return {name: float(p[number]) for name, p in placed.items() if not np.isnan(p[number])}


def _correlation(
    names: Sequence[str], scores: Mapping[str, Floats], placed: Mapping[str, Floats]
) -> pl.DataFrame:
    """Agreement of each pair of methods over the forms that both rank (equation E131)."""
    from scipy.stats import kendalltau  # noqa: PLC0415 - heavy

    rows = []
    for a, b in itertools.combinations(scores, 2):
        first, second = METHODS[a].worse * scores[a], METHODS[b].worse * scores[b]
        both = np.flatnonzero(~np.isnan(first) & ~np.isnan(second))
        row: dict[str, object] = {
            "method": a,
            "other": b,
            "tau": None,
            "probability": None,
            "forms": len(both),
        }
        row |= dict.fromkeys(("form", "rank", "other_rank", "reason", "reason_en", "reason_ko"))
        if len(both) >= _FEWEST:
            found = kendalltau(first[both], second[both])
            if not np.isnan(found.statistic):
                row |= {"tau": float(found.statistic), "probability": float(found.pvalue)}
            ranks, places = zip(_places(first[both]), _places(second[both]), strict=True)
            apart = np.abs(places[0] - places[1])
            at = int(apart.argmax())
            if apart[at] > 0:
                worse, better = (a, b) if places[0][at] > places[1][at] else (b, a)
                why = reason_of(METHODS[worse], METHODS[better], _of(placed, int(both[at])))
                row |= {
                    "form": names[both[at]], "rank": int(ranks[0][at]),
                    "other_rank": int(ranks[1][at]), "reason": why.component or None,
                    "reason_en": why.text_en, "reason_ko": why.text_ko,
                }  # fmt: skip
        rows.append(row)
    schema = {
        "tau": pl.Float64, "probability": pl.Float64, "form": pl.String, "rank": pl.Int64,
        "other_rank": pl.Int64, "reason": pl.String, "reason_en": pl.String, "reason_ko": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None, schema_overrides=schema)


def _told(
    cases: Sequence[Case],
    scores: Mapping[str, Floats],
    tables: Mapping[str, pl.DataFrame],
    published: bool,
) -> tuple[Finding, ...]:
    text = (
        "Reasons name the component that only one of two methods looks at and that stands out most; methods"
        " also differ in how they combine what both look at."
    )
    found = [Finding("disagreement-reasons", "info", text, {})]
    home = sum(case.made_known != "statistics" for case in cases)
    if home:
        text = (
            f"{home} of {len(cases)} forms are taken as not made at home, because no statistics count their"
            " production: for them reliance and the methods that use it are at their upper end."
        )
        found.append(Finding("none-at-home-assumed", "caution", text, {"forms": home, "of": len(cases)}))
    blank = sum(int(np.isnan(values).sum()) for values in scores.values())
    if blank:
        text = f"{blank} of {len(cases) * len(scores)} ranks are unknown and left out."
        found.append(
            Finding("ranks-unknown", "caution", text, {"ranks": blank, "of": len(cases) * len(scores)})
        )
    weak = tables["correlation"].filter(pl.col("tau") < 0.3)
    if weak.height:
        text = (
            f"{weak.height} of {tables['correlation'].height} pairs of methods hardly agree (tau below 0.3)."
        )
        values = {"pairs": weak.height, "of": tables["correlation"].height}
        found.append(Finding("methods-disagree", "caution", text, values))
    if not published:
        text = "GeoPolRisk is that of each form itself: the method's own materials are not covered here."
        found.append(Finding("geopolrisk-of-forms", "info", text, {}))
    return tuple(found)


def _lineage(chosen: TradeTable, call: dict[str, object]) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415 - the package's own
    from evernormal.data import inputs  # noqa: PLC0415 - opens the snapshot

    scores = tuple(
        Derivation("scores", "score", method.equation, (), f"{method.title} of each form.")
        for method in METHODS.values()
    )
    derived = (
        Derivation("correlation", "tau", "E131", ("scores.score",), "Kendall's tau-b over forms both rank."),
        Derivation("ranks", "reason", "E132", ("components.place",), "Component that one method alone sees."),
    )
    used = (chosen.input, *inputs("production", "governance", "facts"))
    return Lineage(__version__, used, (), (*scores, *derived), call=call)
