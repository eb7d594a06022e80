"""Projects: what a tonne must fetch for a mine or a plant to pay, and which reference price gives that."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.errors import InputError
from evernormal.market.bloc_ground import Projects
from evernormal.market.cells import active_cells
from evernormal.network.network import Network
from evernormal.result import Finding, require_columns

__all__ = ["DISCOUNT_RATE", "Plants", "annuity", "break_even", "plants_of", "read_projects"]

Floats = NDArray[np.float64]

DISCOUNT_RATE = 0.08
"""Rate at which the studies in the shipped table discount; an assumption for every other project."""

COLUMNS: dict[str, pl.DataType] = {
    "name": pl.String(),
    "country": pl.String(),
    "form": pl.String(),
    "capacity_t_gross": pl.Float64(),
    "content": pl.Float64(),
    "operating_cost_usd_t_gross": pl.Float64(),
    "capital_cost_usd": pl.Float64(),
    "life_years": pl.Float64(),
    "years_to_build": pl.Int64(),
    "public_share": pl.Float64(),
    "grade": pl.String(),
    "source": pl.String(),
}
MAY_BE_EMPTY = ("capital_cost_usd", "life_years", "public_share")


def annuity(rate: float, years: float) -> float:
    """Return the yearly charge per unit of capital that pays it back with interest.

    >>> round(annuity(0.08, 25), 6)
    0.093679
    """
    return 1.0 / years if rate == 0 else rate / (1.0 - (1.0 + rate) ** -years)


def break_even(
    operating_cost: float, capital_cost: float, capacity: float, rate: float, years: float
) -> float:
    """Return the price at which a project pays its operating cost and its capital (equation E87).

    Args:
        operating_cost: USD per tonne.
        capital_cost: USD.
        capacity: tonnes per year.
        rate: yearly rate at which capital must earn.
        years: life of the project.

    Example:
        Piedmont's integrated study: 3,716 USD/t, 545 million USD for 22,720 t a year over 25 years at 8 %.

        >>> round(break_even(3716, 545e6, 22720, 0.08, 25))
        5963
    """
    return operating_cost + capital_cost * annuity(rate, years) / capacity


def read_projects(path: str | Path | None = None) -> pl.DataFrame:
    """Return projects: the shipped ones with published costs, or those of a user's CSV file.

    Args:
        path: CSV with the columns of :data:`COLUMNS`; tonnes and costs gross, as studies state them, and
            ``content`` tonnes contained per tonne gross.  ``capital_cost_usd``, ``life_years`` and
            ``public_share`` may be empty: what is not known stays unknown.

    Raises:
        InputError: a column is missing or a cell is not what it must be; names row and column.

    >>> read_projects().filter(country="FIN")["name"].to_list()
    ['Keliber']
    """
    shipped = files("evernormal.market").joinpath("bloc_projects.csv")
    where = "projects" if path is None else str(path)
    try:
        text = shipped.read_text("utf-8") if path is None else Path(path).read_text("utf-8-sig")
        raw = pl.read_csv(text.encode(), infer_schema=False)
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise InputError(f"the projects cannot be read ({error})", where=where) from error
    return check_projects(raw, where)


def check_projects(raw: pl.DataFrame, where: str = "projects") -> pl.DataFrame:
    """Return projects with their types, or say which cell is wrong."""
    require_columns(raw, tuple(COLUMNS), where)
    raw = raw.select(list(COLUMNS))
    wrong: list[str] = []
    for row, cells in enumerate(raw.iter_rows(named=True), start=2):
        for name, kind in COLUMNS.items():
            problem = _problem(name, kind, cells[name])
            if problem:
                wrong.append(f"row {row}, {name}: {problem}")
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise InputError("; ".join(wrong[:5]) + more, where=where, cure="Correct the file and try again.")
    typed = raw.with_columns([pl.col(name).cast(kind) for name, kind in COLUMNS.items()])
    twice = typed.filter(typed["name"].is_duplicated())["name"].unique().sort().to_list()
    if twice:
        raise InputError(f"{', '.join(twice)} is listed twice", where=where, cure="Give each its own name.")
    return typed.sort("name")


def _problem(name: str, kind: pl.DataType, value: object) -> str:
    if value is None or value == "":
        return "" if name in MAY_BE_EMPTY else "is empty"
    if kind == pl.String():
        return "" if name != "grade" or value in ("A", "B", "C") else f"must be A, B or C, got {value!r}"
    try:
        number = float(str(value))
    except ValueError:
        return f"must be a number, got {value!r}"
    rules = (
        (np.isfinite(number) and number >= 0, "must be at least 0"),
        (number > 0 or name not in ("capacity_t_gross", "content", "life_years"), "must be above 0"),
        (number <= 1 or name != "public_share", "must be at most 1"),
        (kind != pl.Int64() or number % 1 == 0, "must be a whole number"),
    )
    return next((f"{rule}, got {value!r}" for holds, rule in rules if not holds), "")


@dataclass(frozen=True)
class Plants:
    """Projects that a network can show; J of them, per tonne contained.

    Attributes:
        table: the rows.
        region: (J,) region index.
        form: (J,) form index.
        capacity: (J,) tonnes contained per year.
        operating: (J,) USD per tonne contained.
        capital: (J,) yearly capital charge in USD; NaN where the capital is unknown.
        needed: (J,) break-even price in USD per tonne contained; NaN where the capital is unknown.
    """

    table: pl.DataFrame
    region: NDArray[np.int64]
    form: NDArray[np.int64]
    capacity: Floats
    operating: Floats
    capital: Floats
    needed: Floats

    def supply(self, chosen: NDArray[np.bool_], price: Floats) -> Projects:
        """Return the chosen ones as supply that runs from ``price`` on."""
        return Projects(self.region[chosen], self.form[chosen], self.capacity[chosen], price[chosen])


def plants_of(
    network: Network, projects: pl.DataFrame, rate: float = DISCOUNT_RATE
) -> tuple[Plants, tuple[Finding, ...]]:
    """Return the projects whose country and form the network shows, and what is left out.

    Raises:
        InputError: a rate below zero.
    """
    if not rate >= 0:
        raise InputError(f"the discount rate must be at least 0, got {rate}", where="discount_rate")
    shown = projects.filter(
        pl.col("country").is_in(list(network.regions)) & pl.col("form").is_in(list(network.forms))
    )
    rows = list(shown.iter_rows(named=True))
    capacity = np.array([row["capacity_t_gross"] * row["content"] for row in rows], dtype=float)
    operating = np.array([row["operating_cost_usd_t_gross"] / row["content"] for row in rows], dtype=float)
    capital = np.array(
        [
            np.nan
            if row["capital_cost_usd"] is None or row["life_years"] is None
            else row["capital_cost_usd"] * annuity(rate, row["life_years"])
            for row in rows
        ],
        dtype=float,
    )
    plants = Plants(
        shown,
        np.array([network.region(row["country"]) for row in rows], dtype=np.int64),
        np.array([network.form_index(row["form"]) for row in rows], dtype=np.int64),
        capacity,
        operating,
        capital,
        operating + capital / np.maximum(capacity, 1e-300),
    )
    return plants, (*_left_out(network, projects, shown), *_without_market(network, plants))


def _left_out(network: Network, projects: pl.DataFrame, shown: pl.DataFrame) -> tuple[Finding, ...]:
    here = projects.filter(pl.col("form").is_in(list(network.forms)))
    absent = sorted(set(here["name"].to_list()) - set(shown["name"].to_list()))
    if not absent:
        return ()
    return (
        Finding(
            "project-left-out",
            "caution",
            f"Projects in countries that the network does not show are left out: {', '.join(absent)}.",
            {"projects": absent},
        ),
    )


def _without_market(network: Network, plants: Plants) -> tuple[Finding, ...]:
    """Projects in places without any trade, use or output of their form: no price says whether they pay."""
    active = active_cells(network)
    blind = [
        str(row["name"])
        for row, r, g in zip(
            plants.table.iter_rows(named=True), plants.region.tolist(), plants.form.tolist(), strict=True
        )
        if not active[r, g]
    ]
    if not blind:
        return ()
    return (
        Finding(
            "project-without-market",
            "caution",
            f"Nothing of the form was traded, used or made where {', '.join(blind)} would stand: no price"
            " there says whether it pays.",
            {"projects": blind},
        ),
    )
