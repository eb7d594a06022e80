"""The European Commission's study made again from its own tables, beside what it published.

The tables of 2023 hold supply shares, trade parameters, uses and value added.  Import reliance, recycling
input rate and substitution indices are not among them: what depends on them has two ends (law 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.errors import NotCoveredError
from evernormal.result import Derivation, Finding, Input, Lineage, Parameter, Result
from evernormal.risk.european_union import eu_critical, eu_supply_risk_interval
from evernormal.risk.importance import economic_importance_interval

__all__ = ["eu_criticality_table", "eu_economic_importance_table", "eu_supply_risk_table"]

Numbers = npt.NDArray[np.float64]

_ROUNDING = 0.05
_WORST_GOVERNANCE, _WORST_TRADE = 10.0, 2.0
_BLANK = float("nan")
_ENDS = ("hhi_global_low", "hhi_global_high", "hhi_eu_low", "hhi_eu_high")


def eu_supply_risk_table(
    folder: str | Path,
    *,
    world: str = "eu-crm-2023-world-supply",
    sourcing: str = "eu-crm-2023-union-sourcing",
    scores: str = "eu-crm-2023-scores",
    governance_years: Iterable[int] = range(2016, 2021),
    governance: Mapping[str, float] | None = None,
    import_reliance: Mapping[str, float] | None = None,
    eol_recycling_input_rate: Mapping[str, float] | None = None,
    substitution: Mapping[str, float] | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return the supply risk of every material and stage of a study between the ends that its tables allow.

    Args:
        folder: folder of the user's store.
        world: data set of world supply shares, added as ``eu-crm``.
        sourcing: data set of the Union's sourcing shares.
        scores: data set of published scores.
        governance_years: years whose shipped political stability is averaged.
        governance: 0 (good) to 10 (bad) by ISO 3166 alpha-3, in place of the shipped one.
        import_reliance: by material, fraction; unknown where not given.
        eol_recycling_input_rate: by material, fraction; unknown where not given.
        substitution: substitution index for supply risk by material; unknown where not given.
        as_of: use only vintages and rows that were knowable on this day.

    Returns:
        Result ``eu-supply-risk`` with table ``supply_risk``: material, stage, hhi_global_low,
        hhi_global_high, hhi_eu_low, hhi_eu_high (E105; null where a table does not list the material),
        supply_risk_low, supply_risk_high (E108), published (null where none is), agrees (whether the
        published score can come from these inputs at one of the stages; null where none is published).

    Raises:
        UnknownNameError: there is no such data set.
        NotCoveredError: every vintage is later than ``as_of``.
    """
    parts = {name: _rows(name, folder, as_of) for name in (world, sourcing, scores)}
    weight = _governance(governance_years, governance)
    table = _concentrations(parts[world][0], "supply_share", "hhi_global", weight).join(
        _concentrations(parts[sourcing][0], "sourcing_share", "hhi_eu", weight),
        on=["material", "stage"], how="full", coalesce=True,
    ).sort("material", "stage")  # fmt: skip
    given = [_by_material(table, one) for one in (import_reliance, eol_recycling_input_rate, substitution)]
    low, high = _scores(table, *given)
    table = table.with_columns(
        supply_risk_low=pl.Series(low, nan_to_null=True), supply_risk_high=pl.Series(high, nan_to_null=True)
    ).join(_published(parts[scores][0], "supply_risk"), on="material", how="left", maintain_order="left")
    reach = [pl.col(f"supply_risk_{end}").min().over("material") if end == "low"
             else pl.col(f"supply_risk_{end}").max().over("material") for end in ("low", "high")]  # fmt: skip
    table = table.with_columns(
        agrees=(pl.col("published") >= reach[0] - _ROUNDING - 1e-9)
        & (pl.col("published") <= reach[1] + _ROUNDING + 1e-9)
    )
    units = dict.fromkeys((*_ENDS, "supply_risk_low", "supply_risk_high", "published"), "1")
    inputs = tuple(part[1] for part in parts.values())
    lineage = _lineage(inputs, governance, governance_years, as_of)
    findings = _findings(table, governance)
    made = Result("eu-supply-risk", {"supply_risk": table}, {"supply_risk": units}, lineage, findings)
    asked = {"governance": governance, "import_reliance": import_reliance, "substitution": substitution,
             "eol_recycling_input_rate": eol_recycling_input_rate}  # fmt: skip
    return made.with_call(
        world=world,
        sourcing=sourcing,
        scores=scores,
        governance_years=list(governance_years),
        **{name: None if value is None else dict(value) for name, value in asked.items()},
    )


def eu_economic_importance_table(
    folder: str | Path,
    *,
    uses: str = "eu-crm-2023-uses",
    scores: str = "eu-crm-2023-scores",
    substitution: Mapping[str, float] | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return the economic importance of every material of a study from its uses (equation E109).

    Args:
        folder: folder of the user's store.
        uses: data set of shares of use with value added, added as ``eu-crm``.
        scores: data set of published scores.
        substitution: substitution index for economic importance by material; unknown where not given.
        as_of: use only vintages and rows that were knowable on this day.

    Returns:
        Result ``eu-economic-importance`` with table ``economic_importance``: material, share_sum (of what
        the table prints; shares are divided by it), without_substitution_low, without_substitution_high
        (index 1; they differ where a use has no sector), economic_importance_low,
        economic_importance_high, published, substitution_implied (published over the middle of the two;
        null where none is published), agrees (published no more than the greatest, rounding allowed for).

    Raises:
        UnknownNameError, NotCoveredError: as :func:`eu_supply_risk_table`.
    """
    rows, used = _rows(uses, folder, as_of)
    printed, pinned = _rows(scores, folder, as_of)
    keys = ["material", "commodity", "source_ref"]
    shares = rows.filter(statistic="use_share").select(*keys, pl.coalesce("value", "low").alias("share"))
    added = rows.filter(statistic="value_added").select(*keys, pl.col("value").alias("added"))
    table = shares.join(added, on=keys).sort(keys)
    largest = _largest(table)
    found = []
    for (material,), part in table.group_by("material", maintain_order=True):
        total = float(part["share"].sum())
        index = (substitution or {}).get(str(material), _BLANK)
        fractions = part["share"].to_numpy() / total
        money = part["added"].to_numpy()
        plain = economic_importance_interval(fractions, money, 1.0, largest=largest)
        ends = economic_importance_interval(fractions, money, index, largest=largest)
        found.append((material, total, *map(float, plain), *map(float, ends)))
    names = ("material", "share_sum", "without_substitution_low", "without_substitution_high",
             "economic_importance_low", "economic_importance_high")  # fmt: skip
    result = pl.DataFrame(found, schema=list(names), orient="row").join(
        _published(printed, "economic_importance"), on="material", how="left", maintain_order="left"
    )
    middle = (pl.col("without_substitution_low") + pl.col("without_substitution_high")) / 2
    result = result.with_columns(
        substitution_implied=pl.col("published") / middle,
        agrees=(pl.col("published") >= pl.col("economic_importance_low") - _ROUNDING - 1e-9)
        & (pl.col("published") <= pl.col("economic_importance_high") + _ROUNDING + 1e-9),
    )
    units = dict.fromkeys((*names[1:], "published", "substitution_implied"), "1") | {"share_sum": "fraction"}
    of = "economic_importance"
    why = "value added of the largest sector of the table stands for 10; the table of 2023 prints sector C28"
    parameters = (Parameter("largest_value_added", largest, largest, largest, "million EUR", "B", why),)
    derived = tuple(Derivation(of, f"{of}_{end}", "E109", (), "Uses x value added of their sectors.")
                    for end in ("low", "high"))  # fmt: skip
    return Result("eu-economic-importance", {of: result}, {of: units},
                  Lineage(_version(), (used, pinned), parameters, derived, call=_call(as_of)),
                  _disagreements(result, "economic importance"),
                  ).with_call(uses=uses, scores=scores,
                              substitution=None if substitution is None else dict(substitution))  # fmt: skip


def eu_criticality_table(
    folder: str | Path, *, scores: str = "eu-crm-2023-scores", as_of: date | str | None = None
) -> Result:
    """Return which materials reach both thresholds, study by study since 2017.

    Args:
        folder: folder of the user's store.
        scores: data set of published scores.
        as_of: use only rows that were knowable on this day.

    Returns:
        Result ``eu-criticality`` with table ``criticality``: material, commodity, year, supply_risk,
        economic_importance, critical (null where a score is unknown and the other is not below its
        threshold).  The Union's list can hold more: copper and nickel are on that of 2023 as strategic
        materials, below the threshold of supply risk.

    Raises:
        UnknownNameError, NotCoveredError: as :func:`eu_supply_risk_table`.
    """
    rows, pinned = _rows(scores, folder, as_of)
    kept = rows.filter(pl.col("year") >= 2017)
    if kept.is_empty():
        raise NotCoveredError("no score of 2017 or later is in it", where=f"data set {scores!r}")
    wide = kept.pivot("statistic", index=["material", "commodity", "year"], values="value")
    wide = wide.select(
        "material", "commodity", pl.col("year").cast(pl.Int64), "supply_risk", "economic_importance"
    )
    wide = wide.sort("year", "commodity")
    judged = eu_critical(wide["supply_risk"].to_numpy(), wide["economic_importance"].to_numpy())
    table = wide.with_columns(critical=pl.Series(judged, nan_to_null=True).cast(pl.Boolean))
    units = dict.fromkeys(("supply_risk", "economic_importance"), "1")
    lineage = Lineage(_version(), (pinned,), call=_call(as_of))
    made = Result("eu-criticality", {"criticality": table}, {"criticality": units}, lineage)
    return made.with_call(scores=scores)


def _rows(name: str, folder: str | Path, as_of: date | str | None) -> tuple[pl.DataFrame, Input]:
    from evernormal.data.stored import stored  # noqa: PLC0415 - the user's store

    return stored("statistics", name, folder, as_of)


def _governance(years: Iterable[int], given: Mapping[str, float] | None) -> dict[str, float]:
    from evernormal.data import governance  # noqa: PLC0415 - opens the snapshot

    if given is not None:
        return dict(given)
    rows = governance(years=list(years), indicators=["normalized"]).sort("country", "year")
    means = rows.group_by("country", maintain_order=True).agg(pl.col("value").mean())
    return {country: 10 * value for country, value in means.iter_rows() if value is not None}


def _concentrations(
    rows: pl.DataFrame, statistic: str, name: str, weight: Mapping[str, float]
) -> pl.DataFrame:
    """Least and greatest concentration per material and stage (E105).

    A share printed as an interval counts with its ends, a supplier without governance with 0 and 10, and what
    the shares leave may be one supplier more.
    """
    keys = ["material", "stage", "commodity", "country", "source_ref"]
    shares = rows.filter(statistic=statistic).select(*keys, "value", "low", "high")
    factors = rows.filter(statistic="trade_parameter").select(*keys, pl.col("value").alias("factor"))
    table = shares.join(factors, on=keys, how="left").sort(keys)
    low = pl.coalesce("value", "low")
    high = pl.coalesce("value", "high", "low")
    known = pl.col("country").replace_strict(dict(weight), default=None, return_dtype=pl.Float64)
    table = table.with_columns(known=known).with_columns(
        least=low**2 * pl.col("known").fill_null(0.0) * pl.col("factor").fill_null(0.0),
        most=high**2
        * pl.col("known").fill_null(_WORST_GOVERNANCE)
        * pl.col("factor").fill_null(_WORST_TRADE),
        counted=high,
    )
    rest = (1 - pl.col("counted").sum()).clip(0, 1)
    return table.group_by("material", "stage", maintain_order=True).agg(
        pl.col("least").sum().alias(f"{name}_low"),
        (pl.col("most").sum() + rest**2 * _WORST_GOVERNANCE * _WORST_TRADE).alias(f"{name}_high"),
    )


def _scores(
    table: pl.DataFrame, reliance: Numbers, recycled: Numbers, index: Numbers
) -> tuple[Numbers, Numbers]:
    """Ends of the score over every sourcing that the method allows: both, world only, Union only."""
    ends = {name: table[name].to_numpy() for name in _ENDS}
    found_low, found_high = [], []
    for word in ("both", "global", "eu"):
        needed = {"both": ("hhi_global", "hhi_eu"), "global": ("hhi_global",), "eu": ("hhi_eu",)}[word]
        known = ~np.any([np.isnan(ends[f"{name}_low"]) for name in needed], axis=0)
        low, high = (
            eu_supply_risk_interval(ends[f"hhi_global_{end}"], ends[f"hhi_eu_{end}"], reliance, recycled,
                                    index, np.full(table.height, word), rounded=False)[number]
            for number, end in enumerate(("low", "high"))
        )  # fmt: skip
        found_low.append(np.where(known, low, np.nan))
        found_high.append(np.where(known, high, np.nan))
    return np.fmin.reduce(found_low), np.fmax.reduce(found_high)


def _by_material(table: pl.DataFrame, given: Mapping[str, float] | None) -> Numbers:
    return np.array([(given or {}).get(name, _BLANK) for name in table["material"]], dtype=np.float64)


def _published(rows: pl.DataFrame, statistic: str) -> pl.DataFrame:
    """Scores of the latest study in the data set."""
    latest = rows.filter(statistic=statistic, year=rows["year"].max())
    return latest.filter(pl.col("value").is_not_null()).select("material", pl.col("value").alias("published"))


def _largest(table: pl.DataFrame) -> float:
    value = table["added"].max()
    if not isinstance(value, float):
        raise NotCoveredError("no value added is in the table of uses")
    return value


def _findings(table: pl.DataFrame, governance: Mapping[str, float] | None) -> tuple[Finding, ...]:
    found = list(_disagreements(table.unique("material", keep="first", maintain_order=True), "supply risk"))
    if governance is None:
        text = "Governance is political stability alone, where the Commission averages six dimensions."
        found.append(Finding("governance-one-dimension", "caution", text, {}))
    return tuple(found)


def _disagreements(table: pl.DataFrame, what: str) -> tuple[Finding, ...]:
    """Tell which published scores cannot come from the inputs that are known."""
    told = table.filter(pl.col("agrees").is_not_null())
    wrong = told.filter(~pl.col("agrees"))
    if wrong.is_empty():
        return ()
    names = ", ".join(wrong["material"].to_list())
    text = (
        f"Published {what} of {wrong.height} of {told.height} materials lies outside what the inputs allow: "
    )
    return (
        Finding(
            "published-score-differs",
            "caution",
            f"{text}{names}.",
            {"materials": names},
        ),
    )


def _lineage(
    inputs: tuple[Input, ...],
    governance: Mapping[str, float] | None,
    years: Iterable[int],
    as_of: date | str | None,
) -> Lineage:
    from evernormal.data import inputs as shipped  # noqa: PLC0415 - opens the snapshot

    of = "supply_risk"
    derived = (
        *(Derivation(of, name, "E105", (), "Squared shares x governance x t.") for name in _ENDS),
        *(Derivation(of, f"{of}_{end}", "E108", tuple(f"{of}.{name}" for name in _ENDS),
                     "Ends over the inputs that the tables do not give.") for end in ("low", "high")),
    )  # fmt: skip
    more: tuple[Input, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    if governance is None:
        more = tuple(shipped("governance"))
        first, last = min(years), max(years)
        why = (
            f"assumption: shares of the study are averages of several years; governance of {first} to {last}"
        )
        parameters = (Parameter("governance_first_year", first, first, first, "year", "C", why),)
    return Lineage(_version(), (*inputs, *more), parameters, derived, call=_call(as_of))


def _call(as_of: date | str | None) -> dict[str, object]:
    return {"as_of": None if as_of is None else str(as_of)}


def _version() -> str:
    from evernormal import __version__  # noqa: PLC0415 - the package's own

    return __version__
