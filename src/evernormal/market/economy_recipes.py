"""Joint shortage of inputs that belong together: a cathode needs lithium, nickel and cobalt at once.

With a fixed recipe, output follows the scarcest input (Leontief's technology): shortages of two inputs of one
product do not add.  A product that needs only one of them loses by that one alone.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.errors import InputError, LabelError, UnknownNameError
from evernormal.market.economy_joint import JointProducts
from evernormal.market.economy_tables import joint_result
from evernormal.result import Input, Result

__all__ = ["joined_apart", "joint_shortage", "recipes_table"]

Floats = NDArray[np.float64]

USES = ("cathodes", "anodes")
"""End uses that recipes of batteries speak of."""

COLUMNS = ("product", "base_share", "material", "content")


@lru_cache(maxsize=1)
def recipes_table() -> pl.DataFrame:
    """Return the shipped recipes.

    Returns:
        recipe, product, base_share (of output), material, content, unit, grade, source.


    >>> nmc = recipes_table().filter(pl.col("product") == "NMC 811", pl.col("material") == "nickel")
    >>> nmc["content"].item(), nmc["unit"].item()
    (0.6078, 'kg/kWh')
    """
    text = files("evernormal.market").joinpath("tables/recipes.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return pl.DataFrame(rows).with_columns(pl.col("base_share", "content").cast(pl.Float64))


def joint_shortage(
    shortages: Mapping[str, float | Sequence[float]] | Sequence[Result],
    recipes: str | pl.DataFrame = "batteries",
    *,
    losses: Mapping[str, float | Sequence[float]] | None = None,
    mix: Mapping[str, float] | None = None,
    switching: float = 0.0,
    end_use: Sequence[str] = USES,
) -> Result:
    """Return what is lost when several inputs of the same products are short (equation E154).

    Args:
        shortages: material to the share of its base use that is missing, 0 to 1, one number or one per
            period; or results of :func:`evernormal.simulate`, one per material, of which the end uses named
            by ``end_use`` are taken month by month, share and loss.
        recipes: name of shipped recipes, or a table of your own: product, base_share, material, content
            (amount of the material per unit of product; any unit, the same within a material).
        losses: material to the USD lost if it alone were short; results bring their own.
        mix: product to share of base output, in place of the table's.
        switching: share of all output that can move to other products, within what materials are left and
            what was made in all; 0: every product keeps its part.
        end_use: end uses of simulations that the recipes speak of.

    Returns:
        A Result ``joint-shortage``.  Tables ``products`` (period, product, base_share, output_share,
        limiting),
        ``materials`` (period, material, shortage, used_share, output_lost_alone, loss_alone_usd),
        ``periods`` (output_lost, largest_alone, sum_alone, loss_usd, largest_loss_usd, sum_losses_usd),
        ``end_use`` (as a simulation has it, for :func:`evernormal.market.propagate_loss`), ``summary``.

    Raises:
        InputError: a share outside 0 to 1, contents or shares that are no positive numbers.
        LabelError: a material that no recipe has, or materials of different length.
        UnknownNameError: no such recipes or products.

    Without switching the joint loss is that of the single one when one is short, never more than the sum and
    never less than the largest.  With it the sum can be passed: the way out of one shortage may be blocked by
    the other, and a finding says so.

    >>> both = joint_shortage({"nickel": 0.3, "cobalt": 0.2})
    >>> alone = joint_shortage({"nickel": 0.3})
    >>> lost = [round(r["periods"]["output_lost"].item(), 4) for r in (both, alone)]
    >>> lost[0] == lost[1]  # cobalt is in no cell without nickel in which it lacks more
    True
    """
    if not (np.isfinite(switching) and 0 <= switching <= 1):
        raise InputError(f"switching must be from 0 to 1, got {switching}")
    table = _recipes(recipes, mix)
    inputs: tuple[Input, ...] = ()
    focal: str | None = None
    months: list[object] | None = None
    if isinstance(shortages, Mapping):
        missing, single = _series(shortages, "shortage"), _series(losses or {}, "loss")
    else:
        missing, single, months, inputs = _simulated(shortages, end_use)
        focal = _focal(shortages)
    work = JointProducts(table, missing, single, switching)
    return joint_result(work, months, inputs, next(iter(end_use)), focal)


def joined_apart(
    results: Sequence[Result], recipes: str | pl.DataFrame = "batteries", end_use: Sequence[str] = USES
) -> list[Result]:
    """Return the joint shortage of several simulations, and each of them without what it counts.

    Together they are the loss of all end uses, none counted twice: what
    :func:`evernormal.market.propagate_loss` takes.

    Args:
        results: of :func:`evernormal.simulate`, one per material, of one horizon.
        recipes: as in :func:`joint_shortage`.
        end_use: end uses that the recipes speak of.
    """
    rest = []
    for result in results:
        left = result["end_use"].filter(~_named(end_use))
        if left.height:
            rest.append(replace(result, tables={**result.tables, "end_use": left}))
    return [joint_shortage(results, recipes, end_use=end_use), *rest]


def _recipes(recipes: str | pl.DataFrame, mix: Mapping[str, float] | None) -> pl.DataFrame:
    if isinstance(recipes, str):
        shipped = recipes_table()
        if recipes not in shipped["recipe"].to_list():
            raise UnknownNameError("recipes", recipes, shipped["recipe"].unique().to_list())
        table = shipped.filter(pl.col("recipe") == recipes)
    else:
        missing = [c for c in COLUMNS if c not in recipes.columns]
        if missing:
            raise InputError(
                f"recipes lack column {', '.join(missing)}", cure=f"A recipe has {', '.join(COLUMNS)}."
            )
        table = recipes
    if table.select("product", "material").is_duplicated().any():
        raise InputError("a product lists a material twice", where="recipes")
    if mix is not None:
        known = table["product"].unique().to_list()
        for name in mix:
            if name not in known:
                raise UnknownNameError("product", name, known, where="mix")
        table = table.with_columns(
            base_share=pl.col("product").replace_strict(dict(mix), default=0.0, return_dtype=pl.Float64)
        )
    bad = table.filter(
        ~pl.col("content").is_finite() | (pl.col("content") <= 0) | pl.col("content").is_null()
    )
    if not bad.is_empty() or table.filter(~(pl.col("base_share") >= 0)).height:
        raise InputError("content must be above 0 and base_share at least 0 in every row", where="recipes")
    if table.group_by("product").agg(pl.col("base_share").n_unique()).filter(pl.col("base_share") > 1).height:
        raise InputError("a product has two base shares", where="recipes")
    table = table.filter(pl.col("base_share") > 0)
    if table.is_empty():
        raise InputError("no product has a base share above 0", where="recipes")
    return table.sort("product", "material")


def _series(given: Mapping[str, float | Sequence[float]], what: str) -> dict[str, Floats]:
    found = {name: np.atleast_1d(np.asarray(given[name], dtype=np.float64)) for name in sorted(given)}
    lengths = {len(v) for v in found.values()}
    if len(lengths) > 1:
        raise LabelError(
            f"{what} of {', '.join(found)} have {sorted(lengths)} periods", cure="Give the same."
        )
    for name, values in found.items():
        if what == "shortage" and not ((values >= 0) & (values <= 1)).all():
            raise InputError(f"a shortage is a share from 0 to 1, got {values.tolist()}", where=name)
        if what == "loss" and not (values >= 0).all():
            raise InputError(f"a loss must be at least 0, got {values.tolist()}", where=name)
    return found


def _focal(results: Sequence[Result]) -> str | None:
    """Return the country that the results are about; None where they do not say."""
    named = sorted({str(r.lineage.call["focal"]) for r in results if "focal" in r.lineage.call})
    if len(named) > 1:
        raise LabelError(f"the results are about {' and '.join(named)}", cure="Simulate for one country.")
    return named[0] if named else None


def _named(end_use: Sequence[str]) -> pl.Expr:
    """Whether an end use, which may name its form first, is one of these."""
    return pl.col("end_use").str.split(": ").list.last().is_in(list(end_use))


def _simulated(
    results: Sequence[Result], end_use: Sequence[str]
) -> tuple[dict[str, Floats], dict[str, Floats], list[object], tuple[Input, ...]]:
    """Return shortage share and loss per material and month, the months and the inputs."""
    missing, single, months = {}, {}, None
    inputs: dict[str, Input] = {}
    for result in results:
        material = str(result.lineage.call.get("form", "")).partition("/")[0]
        table = result["end_use"].filter(_named(end_use)).sort("month", "end_use")
        if table.is_empty():
            names = result["end_use"]["end_use"].unique().sort().to_list()
            raise InputError(
                f"the result of {material} has no end use {' or '.join(end_use)}; it has {', '.join(names)}",
                cure="Name its end uses with end_use, or count its loss by itself.",
            )
        if material in missing:
            raise InputError(f"two results are about {material}", cure="Give one result per material.")
        sums = table.group_by("month", maintain_order=True).agg(
            pl.col("base_use_t").sum(),
            pl.col("shortage_t").sum(),
            pl.when(pl.col("loss_usd").is_not_null().all()).then(pl.col("loss_usd").sum()),
        )
        here = sums["month"].to_list()
        if months is not None and here != months:
            raise LabelError("the results cover different months", cure="Simulate the same start and months.")
        months = here
        base = sums["base_use_t"].to_numpy()
        share = np.divide(sums["shortage_t"].to_numpy(), base, out=np.zeros_like(base), where=base > 0)
        missing[material], single[material] = (
            np.clip(share, 0, 1),
            sums["loss_usd"].fill_null(np.nan).to_numpy(),
        )
        inputs.update({i.sha256: i for i in result.lineage.inputs})
    if months is None:
        raise InputError("no result was given", cure="Give one result per material.")
    return missing, single, months, tuple(inputs.values())
