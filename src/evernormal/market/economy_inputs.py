"""Which losses, over how many months, in which sectors: what goes into an input-output table."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.errors import InputError, LabelError, NotCoveredError
from evernormal.market.input_output_table import InputOutput
from evernormal.result import Finding, Input, Result

__all__ = ["allocated", "end_use_sectors", "losses_by_use"]

Floats = NDArray[np.float64]

Losses = Result | Sequence[Result] | Mapping[str, float]


@lru_cache(maxsize=1)
def end_use_sectors() -> pl.DataFrame:
    """Return which sector of each classification makes what an end use makes.

    Returns:
        end_use, isic4, icio, wiod2016, wiod2013, bok (codes or names, the first that a table has counts),
        grade, source.

    >>> end_use_sectors().filter(pl.col("end_use") == "cathodes")["wiod2016"].item()
    'C27'
    """
    text = files("evernormal.market").joinpath("tables/end_use_sectors.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return pl.DataFrame(rows)


def losses_by_use(
    losses: Losses, months: float | None, region: str
) -> tuple[dict[str, float], float, tuple[Input, ...]]:
    """Return USD by end use or sector, the months, and the inputs behind them.

    Raises:
        InputError: no loss, a negative one, a period that does not fit, or results that share an end use.
        LabelError: a result of another country than ``region`` (law 3).
    """
    sources: tuple[Input, ...] = ()
    if isinstance(losses, Mapping):
        by_use = {str(name): float(value) for name, value in losses.items()}
        period = 12.0 if months is None else float(months)
    else:
        results = [losses] if isinstance(losses, Result) else list(losses)
        _require_region(results, region)
        _require_apart(results)
        by_use, period = _of_results(results, months)
        sources = tuple({i.sha256: i for result in results for i in result.lineage.inputs}.values())
    if not by_use:
        raise InputError("no loss was given", cure="Give sector to USD, or the result of a simulation.")
    if not (np.isfinite(period) and period > 0):
        raise InputError(f"months must be above 0, got {period}")
    for name, amount in by_use.items():
        if amount < 0 or np.isinf(amount):
            raise InputError(f"a loss must be a number of at least 0, got {amount:g}", where=name)
    return by_use, period, sources


def _of_results(results: Sequence[Result], months: float | None) -> tuple[dict[str, float], float]:
    by_use: dict[str, float] = {}
    horizons: set[tuple[object, ...]] = set()
    for result in results:
        table = result["end_use"].sort("month", "end_use")
        horizons.add(tuple(table["month"].unique().sort().to_list()))
        for name in table["end_use"].unique().sort().to_list():
            value = table.filter(pl.col("end_use") == name)["loss_usd"]
            amount = float("nan") if value.null_count() else float(value.sum())
            key = _bare(name)
            by_use[key] = by_use.get(key, 0.0) + amount
    if len(horizons) > 1:
        listed = " and ".join(sorted(f"{len(h)} months from {h[0]}" for h in horizons))
        raise InputError(f"the results cover {listed}", cure="Simulate the same horizon.")
    found = len(horizons.pop()) if horizons else 12
    if months is not None and months != found:
        raise InputError(f"months is {months:g}, the results cover {found}", cure="Leave months out.")
    return by_use, float(found)


def _bare(name: str) -> str:
    """Return the end use of a key that may name its form first."""
    return name.rsplit(": ", 1)[-1]


def _require_region(results: Sequence[Result], region: str) -> None:
    for result in results:
        focal = result.lineage.call.get("focal", region)
        if focal != region:
            raise LabelError(
                f"the loss is {focal}'s, the input-output table is {region}'s",
                cure=f"Open the table of {focal}, or simulate for {region}.",
            )


def _require_apart(results: Sequence[Result]) -> None:
    seen: set[str] = set()
    for result in results:
        mine = {_bare(name) for name in result["end_use"]["end_use"].unique().to_list()}
        shared = sorted((mine & seen) - _without_sector())
        if shared:
            raise InputError(
                f"several results lose {', '.join(shared)}: the losses of complementary inputs do not add",
                where="losses",
                cure="Join them first: market.joint_shortage and its result, or --joint.",
            )
        seen |= mine


def allocated(
    by_use: Mapping[str, float], table: InputOutput, own: Mapping[str, str], findings: list[Finding]
) -> tuple[pl.DataFrame, Floats, float]:
    """Return the end uses with their sectors, USD by sector, and USD that no sector takes.

    Raises:
        NotCoveredError: no loss is known.
        UnknownNameError: a sector that the table does not have.
        InputError: the table's sectors are not in the shipped mapping.
    """
    direct, rows, unknown, missing = np.zeros(len(table.sectors)), [], [], []
    for name in sorted(by_use):
        value = by_use[name]
        place = _sector(name, table, own)
        sector = None if place is None else table.sectors[place]
        rows.append({"end_use": name, "sector": sector, "loss_usd": None if np.isnan(value) else value})
        if np.isnan(value):
            unknown.append(name)
        elif place is None:
            missing.append(name)
        else:
            direct[place] += value
    left = sum(by_use[name] for name in missing)
    if unknown:
        text = f"The loss of {', '.join(unknown)} is unknown; every total leaves it out."
        findings.append(Finding("end-use-loss-unknown", "warning", text, {"end_uses": unknown}))
    if missing and left > 0:
        text = (
            f"No one sector makes {', '.join(missing)}: of that loss of {left:,.0f} USD nothing is passed on."
        )
        findings.append(
            Finding("end-use-without-sector", "caution", text, {"end_uses": missing, "usd": left})
        )
    if len(unknown) == len(by_use):
        raise NotCoveredError(
            "no loss is known", cure="Give a form whose end uses have a value added per tonne."
        )
    schema = {"end_use": pl.String, "sector": pl.String, "loss_usd": pl.Float64}
    return pl.DataFrame(rows, schema=schema), direct, left


def _sector(name: str, table: InputOutput, own: Mapping[str, str]) -> int | None:
    """Return the place of the sector that an end use, a code or a name means; None where none is known."""
    if name in own:
        return table.place(own[name])
    if name in table.sectors:
        return table.sectors.index(name)
    shipped = end_use_sectors().filter(pl.col("end_use") == name)
    if shipped.is_empty():
        return None if name in _without_sector() else table.place(name)
    if table.classification not in shipped.columns:
        raise InputError(
            f"no mapping of end uses to the sectors of a table of kind {table.classification!r}",
            where=name,
            cure=f"Give sectors={{{name!r}: SECTOR}}; the table has {', '.join(table.sectors[:8])} ...",
        )
    for option in str(shipped[table.classification].item()).split("|"):
        bare = option.replace(" ", "")
        for place, sector in enumerate(table.sectors):
            if sector == option or table.names.get(sector, "").replace(" ", "") == bare:
                return place
    return table.place(str(shipped[table.classification].item()).split("|")[0])


@lru_cache(maxsize=1)
def _without_sector() -> frozenset[str]:
    """End uses of the forms that no one sector makes."""
    text = files("evernormal.network").joinpath("tables/end_uses.csv").read_text("utf-8")
    named = {row["end_use"] for row in csv.DictReader(text.splitlines())}
    return frozenset(named - set(end_use_sectors()["end_use"].to_list()))
