"""One row of the exposure table: everything that is known of one form, and what is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.network.form_tables import Form
from evernormal.result import Parameter
from evernormal.risk.exposure_duty import Duty, concentration_duty
from evernormal.risk.exposure_shares import Shares
from evernormal.risk.exposure_trend import trend
from evernormal.risk.origin_accounts import Sources, Stage
from evernormal.risk.origin_published import published_basket

__all__ = ["Asked", "Row", "exposure_row"]

Floats = npt.NDArray[np.float64]
Row = dict[str, object]

_SIGNIFICANT = 0.05
_HALF = 0.5
_NAMED = 0.98
"""Published shares that name less than this of the imports give no index and no negative judgement."""


@dataclass(frozen=True)
class Asked:
    """What is asked of every form.

    Attributes:
        country: importer.
        year: calendar year.
        neighbours: countries that count as neighbouring.
        limits: thresholds on one country and on neighbouring countries.
        trend_years: years over which a trend is judged.
        scored: whether GeoPolRisk covers the year.
    """

    country: str
    year: int
    neighbours: tuple[str, ...]
    limits: tuple[Parameter, Parameter]
    trend_years: int
    scored: bool


def exposure_row(
    one: Form,
    asked: Asked,
    sources: Sources,
    shares: Shares,
    codes: Mapping[str, Sequence[str]],
    score: tuple[str, float | None] | None,
    origin: Mapping[str, object] | None,
) -> Row:
    """Return the row of one form; a value that is not known is None, and ``unknown`` says why."""
    row: Row = {
        "form": one.name, "name_en": one.name_en, "name_ko": one.name_ko, "material": one.material,
        "stage": one.stage, "known_by": "nothing", "year": asked.year,
    }  # fmt: skip
    place = shares.row(one.name)
    if place is not None and not np.isnan(shares.total[place, -1]):
        row |= _from_trade(one, asked, sources, shares, place)
    elif one.name in codes:
        row["unknown"] = f"nobody reported an import in {asked.year}"
    else:
        row |= _from_shares(one, asked, sources)
    if row["known_by"] != "nothing":
        row |= {"geopolrisk": None if score is None else score[1]}
        row |= dict(origin or {})
        row["unknown"] = "; ".join(part for part in (*_missing(row, asked, score),) if part) or None
    return row


def _from_trade(one: Form, asked: Asked, sources: Sources, shares: Shares, place: int) -> Row:
    share = shares.share[place]
    duty = _duty(share[-1], shares.suppliers, asked)
    top = int(duty.largest)
    row: Row = {
        "known_by": "trade",
        "imports_usd": float(shares.total[place, -1]),
        "supplier": shares.suppliers[top],
        "share_value": float(share[-1, top]),
        "hhi_value": float((share[-1] ** 2).sum()),
        "china_value": _of("CHN", shares.suppliers, share[-1], asked.country),
        "source": shares.source,
        "as_of": shares.as_of,
        "grade": shares.grade,
    }
    row |= _duty_row(duty, asked)
    row |= _history(share[:, top], shares.years, asked.trend_years)
    stage = sources.stage(one.name, asked.year)
    return row | _tonnes(stage, sources, asked, shares.suppliers[top])


def _duty(share: Floats, suppliers: Sequence[str], asked: Asked) -> Duty:
    one, near = asked.limits
    return concentration_duty(
        share, suppliers, asked.neighbours, one_country=one.value, neighbouring_countries=near.value
    )


def _duty_row(duty: Duty, asked: Asked) -> Row:
    near = _number(float(duty.neighbour_share))
    return {
        "neighbour_share": near,
        "duty_one_country": bool(duty.one_country),
        "duty_neighbours": bool(duty.neighbouring) if asked.neighbours else None,
        "duty": bool(duty.reached),
    }


def _of(country: str, suppliers: Sequence[str], share: Floats, importer: str) -> float | None:
    """Share of one supplier: 0 of what is recorded where it is not among the suppliers, null for itself."""
    if country == importer:
        return None
    return float(share[list(suppliers).index(country)]) if country in suppliers else 0.0


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _history(share: Floats, years: Sequence[int], span: int) -> Row:
    """Since when the supplier has half, and whether its share rises."""
    with np.errstate(invalid="ignore"):
        half = share >= _HALF
    first = next((year for year, over in zip(years, half, strict=True) if over), None)
    run = 0
    while run < len(half) and half[-1 - run]:
        run += 1
    row: Row = {"since": years[len(years) - run] if run else None, "first_half": first}
    window = share[-span:]
    if len(window) < 2:
        return row
    found = trend(window[None, :], np.array(years[-span:], dtype=np.float64))
    slope, chance = _number(found.slope[0]), _number(found.probability[0])
    if slope is not None and chance is not None:
        rising = "worse" if slope > 0 else "better"
        row["direction"] = rising if chance <= _SIGNIFICANT and slope else "unclear"
    return row | {"trend": slope, "trend_probability": chance, "momentum": _number(found.momentum[0])}


def _tonnes(stage: Stage, sources: Sources, asked: Asked, supplier: str) -> Row:
    """Imports, exports, reliance and N-1 in tonnes contained (equations E106 and E107)."""
    places = sources.place()
    if stage.flows is None or asked.country not in places:
        return {}
    here = places[asked.country]
    bought, sold = stage.flows[:, here], float(stage.flows[here].sum())
    total = float(bought.sum())
    if total <= 0:
        return {}
    share = bought / total
    row: Row = {
        "imports_t": total,
        "exports_t": sold,
        "share_quantity": float(share[places[supplier]]) if supplier in places else None,
        "hhi_quantity": float((share**2).sum()),
        "china_quantity": _of("CHN", sources.labels, share, asked.country),
    }
    made = float(stage.production[here]) if stage.made_known == "statistics" else np.nan
    use = made + total - sold
    if np.isfinite(made):
        net = total - sold
        row["reliance"] = 0.0 if net <= 0 else min(1.0, net / use) if use > 0 else None
        if use > 0:
            row["remaining"] = (made + total - float(bought.max())) / use
    return row


def _from_shares(one: Form, asked: Asked, sources: Sources) -> Row:
    """What publications say where no customs code shows the form."""
    basket = published_basket(sources, one, asked.country, asked.year)
    if basket is None:
        return {"unknown": _why_nothing(one, asked, sources)}
    share, labels = basket.shares, sources.labels
    duty = _duty(share, labels, asked)
    top = int(duty.largest)
    about = basket.findings[0].values
    whole = bool(share.sum() >= _NAMED)
    by = "quantity" if basket.by == "quantity" else "value"
    row: Row = {
        "known_by": "published shares",
        "supplier": labels[top],
        f"share_{by}": float(share[top]),
        f"hhi_{by}": float((share**2).sum()) if whole else None,
        "source": f"{about['source']}, {about['period']}",
        "as_of": basket.as_of,
        "grade": basket.grade,
    }
    if asked.country != "CHN" and "CHN" in labels and share[labels.index("CHN")] > 0:
        row[f"china_{by}"] = float(share[labels.index("CHN")])
    near = _duty_row(duty, asked)
    if share[top] < 1.0 - float(share.sum()):  # who is not named may be larger
        row |= {"supplier": None, f"share_{by}": None}
    if not whole and not near["duty"]:  # who is not named may reach it
        near |= {"duty_one_country": None, "duty_neighbours": None, "duty": None, "neighbour_share": None}
    return row | near


def _why_nothing(one: Form, asked: Asked, sources: Sources) -> str:
    about = (pl.col("topic") == "import_share") & (pl.col("form") == one.name)
    rows = sources.facts.filter(about & (pl.col("region") == asked.country))
    no_code = "no customs code of the trade table shows it apart"
    if rows.is_empty():
        return f"{no_code}; no published share of {asked.country}'s imports"
    periods = ", ".join(sorted(set(rows["period"].to_list())))
    return f"{no_code}; shares of {asked.country}'s imports are published for {periods}, or of baskets, only"


def _missing(row: Row, asked: Asked, score: tuple[str, float | None] | None) -> list[str]:
    """What is not known of a form that something is known of."""
    found = []
    if row["supplier"] is None:
        found.append("largest supplier: published shares name less than half of the imports")
    if row["known_by"] == "published shares":
        found.append("hubs, history and tonnes: no customs code of its own")
    elif row.get("reliance") is None:
        found.append("net import reliance and N-1: domestic production is not published")
    if row["known_by"] == "trade" and row.get("imports_t") is None:
        found.append("tonnes: no quantity is recorded")
    if row["known_by"] == "trade" and row.get("trend") is None:
        found.append("trend: fewer than three of the years have imports")
    if not asked.scored:
        found.append(f"GeoPolRisk: {asked.year} is not covered")
    elif score is None:
        found.append("GeoPolRisk: not in the method")
    if row.get("mine") is None:
        found.append("mine: the chain ends at the maker, or more of the origin is unexplained than named")
    return found
