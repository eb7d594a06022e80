"""The sentences of a brief: the answer first, then how sure it is and how it was made."""

from __future__ import annotations

import datetime as dt
import shlex
from dataclasses import dataclass

import polars as pl

from evernormal.report.reading import Reading

__all__ = [
    "KeyFigure",
    "gaps",
    "headline",
    "key_figures",
    "method",
    "not_known",
    "reproduce",
    "stop",
    "stop_range",
]

NOTABLE_SHARE = 0.001
"""A shortage below this share of base use is not announced as one."""


@dataclass(frozen=True)
class KeyFigure:
    """One figure at the top: what it is, its value, its range and a remark."""

    label: str
    value: str
    range: str = ""
    note: str = ""


@dataclass(frozen=True)
class Gaps:
    """What is not known, counted."""

    total: int
    observed: int
    estimated: int
    unknown: int
    warnings: int
    cautions: int


def headline(reading: Reading) -> list[str]:
    """Return the answer in four sentences: who loses what from when, how long stock lasts, at what cost."""
    found = (_loss_of_supply(reading), _hardest_hit(reading), stop(reading), _cost(reading))
    return [sentence[:1].upper() + sentence[1:] for sentence in found if sentence]


def _is_short(reading: Reading) -> bool:
    share = reading.value("shortage_share")
    return share is not None and share > NOTABLE_SHARE


def _loss_of_supply(reading: Reading) -> str:
    words, short = reading.words, reading.value("shortage_t")
    names = {"focal": reading.focal_inline, "form": reading.form_inline}
    if short is None:
        return words.text("headline.unknown", **names)
    if _is_short(reading):
        return words.text(
            "headline.short" if reading.day("stop_date_with_release") else "headline.less",
            **names,
            shortage=words.tonnes(short, rounded=True),
            share=words.percent(reading.value("shortage_share")),
            month=words.month(reading.day("first_shortage_month")),
        )
    lost, year = reading.value("imports_lost_t"), reading.value("base_imports_year_t")
    if lost is None or year is None:
        return words.text("headline.unknown", **names)
    if abs(lost) <= NOTABLE_SHARE * year:
        return words.text("headline.calm", **names)
    if lost < 0:
        return words.text("headline.more", **names, gain=words.tonnes(-lost, rounded=True))
    return words.text("headline.covered", **names, lost=words.tonnes(lost, rounded=True))


def _hardest_hit(reading: Reading) -> str:
    table = reading.table("end_use")
    if not _is_short(reading) or "end_use" not in table.columns:
        return ""
    own = table.filter(~pl.col("end_use").str.contains(": ", literal=True))
    totals = own.group_by("end_use", maintain_order=True).agg(pl.col("shortage_t").sum())
    if totals.height < 2:
        return ""
    worst = totals.sort("shortage_t", "end_use", descending=[True, False]).row(0, named=True)
    return reading.words.text(
        "headline.short_where",
        end_use=reading.end_use(worst["end_use"]),
        shortage=reading.words.tonnes(worst["shortage_t"], rounded=True),
    )


def stop(reading: Reading) -> str:
    """Return the sentence on the date on which stock runs out, with and without the release."""
    words = reading.words
    with_release, without = reading.day("stop_date_with_release"), reading.day("stop_date_without_release")
    if "stop_date_with_release" not in reading.summary_names:
        return ""
    if with_release is None and without is None:
        return words.text("headline.stop_never", months=len(reading.months))
    if with_release is None:
        return words.text("headline.stop_only_without", without_release=words.date(without))
    if without is None or with_release == without:
        return words.text("headline.stop_same", with_release=words.date(with_release))
    return words.text(
        "headline.stop_both", with_release=words.date(with_release), without_release=words.date(without)
    )


def _cost(reading: Reading) -> str:
    words, loss, peak = reading.words, reading.value("loss_usd"), reading.value("peak_price_ratio")
    ratio = words.ratio(peak)
    if not _is_short(reading) or loss is None:
        dearer = peak is not None and peak > 1.005
        unknown = words.text("headline.cost_unknown") if _is_short(reading) else ""
        price = words.text("headline.price_only", ratio=ratio) if dearer else ""
        return " ".join(part for part in (unknown, price) if part)
    band = reading.band("loss_usd")
    cost = words.text("headline.cost", loss=words.money(loss))
    if band.known:
        cost = words.text(
            "headline.cost_range",
            loss=words.money(loss),
            low=words.money(band.p10),
            high=words.money(band.p90),
        )
    key = "headline.cost_price" if peak is not None else "headline.cost_end"
    return words.text(key, cost=cost, ratio=ratio)


def key_figures(reading: Reading) -> list[KeyFigure]:
    """Return the figures of the top of the page, each with its 10 to 90 % range."""
    words = reading.words
    return [
        KeyFigure(
            words.text("figure.imports_lost"), *_ranged(reading, "imports_lost_t"), _lost_note(reading)
        ),
        KeyFigure(words.text("figure.shortage"), *_ranged(reading, "shortage_t"), _short_note(reading)),
        _stop_figure(reading),
        KeyFigure(words.text("figure.cover"), *_ranged(reading, "min_cover_days")),
        KeyFigure(
            words.text("figure.price"), *_ranged(reading, "peak_price_ratio"), words.text("figure.price_note")
        ),
        KeyFigure(words.text("figure.loss"), *_ranged(reading, "loss_usd")),
    ]


def _ranged(reading: Reading, name: str) -> tuple[str, str]:
    """Return a value and its range as text."""
    band = reading.band(name)
    shown = reading.shown(name, reading.value(name))
    if not band.known:
        return shown, ""
    return shown, reading.words.span(band.p10, band.p90, lambda v: reading.shown(name, v))


def _lost_note(reading: Reading) -> str:
    lost, year, months = (
        reading.value("imports_lost_t"),
        reading.value("base_imports_year_t"),
        reading.biting_months,
    )
    if lost is None or not year or not months:
        return ""
    share = lost / (year / 12 * len(months))
    return reading.words.text(
        "figure.imports_lost_note", share=reading.words.percent(share), months=len(months)
    )


def _short_note(reading: Reading) -> str:
    words = reading.words
    if reading.value("shortage_t") is None:
        return ""
    if not _is_short(reading):
        return words.text("figure.shortage_none")
    return words.text(
        "figure.shortage_note",
        share=words.percent(reading.value("shortage_share")),
        month=words.month(reading.day("first_shortage_month")),
    )


def _stop_figure(reading: Reading) -> KeyFigure:
    words = reading.words
    day, without = reading.day("stop_date_with_release"), reading.day("stop_date_without_release")

    def shown(date: dt.date | None) -> str:
        return words.date(date) if date else words.text("word.no_stop")

    note = words.text("figure.stop_note", date=shown(without)) if day != without else ""
    return KeyFigure(words.text("figure.stop"), shown(day), stop_range(reading), note)


def stop_range(reading: Reading) -> str:
    """Return how often stock runs out over the draws, and the range of the date."""
    words, often, band = reading.words, reading.band("stop_probability").p50, reading.band("stop_day")
    if often is None:
        return ""
    share = words.text("figure.stop_often", share=words.percent(often, digits=0))
    if not band.known or reading.start is None:
        return share
    low, high = (reading.start + dt.timedelta(days=round(p)) for p in (band.p10 or 0.0, band.p90 or 0.0))
    return words.text("figure.stop_range", share=share, low=words.date(low), high=words.date(high))


def gaps(reading: Reading) -> Gaps:
    """Count what was observed, estimated and unknown, and the warnings and cautions on the numbers."""
    coverage = reading.result.coverage
    column = next((c for c in ("status", "coverage", "state") if c in coverage.columns), None)
    found = coverage[column].to_list() if column else []
    levels = [finding.level for finding in reading.result.findings]
    return Gaps(
        len(found),
        found.count("observed"),
        found.count("estimated"),
        found.count("unknown"),
        levels.count("warning"),
        levels.count("caution"),
    )


def not_known(reading: Reading) -> str:
    """Return one line for the top of the page: what is not known or assumed, the gravest first."""
    words, count = reading.words, gaps(reading)
    parts = []
    if count.total:
        parts.append(
            words.text(
                "brief.not_known_counts", unknown=count.unknown, total=count.total, estimated=count.estimated
            )
        )
    named = gravest(reading)
    if not named and not parts:
        return words.text("brief.not_known_nothing")
    joint = ", " if words.korean else "; "
    shown = joint.join(named) or words.text("brief.not_known_inputs")
    line = words.text("brief.not_known_line", what=shown)
    return f"{line} {joint.join(parts)}." if parts else line


def gravest(reading: Reading, shown: int = 6) -> list[str]:
    """Return in a few words each what warnings and cautions are about, warnings first."""
    names: dict[str, None] = {}
    for level in ("warning", "caution"):
        for finding in reading.result.findings:
            if finding.level == level:
                names[reading.words.gap(finding)] = None
    listed = list(names)
    if len(listed) > shown:
        return [*listed[:shown], reading.words.text("explain.more", count=len(listed) - shown)]
    return listed


def method(reading: Reading) -> list[str]:
    """Return the method in five sentences, each with the numbers of its equations."""
    cited = {
        "balance": ("supply.base_imports_t", "imports.base_imports_t", "base_rows.contained_t"),
        "equilibrium": ("imports.imports_t", "supply.price_ratio", "supply.use_t"),
        "measures": ("supply.release_t", "rerouting.change_t"),
        "stocks": ("supply.cover_days", "runway.stock_t"),
        "loss": ("supply.shortage_t", "supply.loss_usd", "end_use.loss_usd"),
    }
    return [
        reading.words.text(f"method.{key}", cite=reading.cite(*columns), year=reading.base_year)
        for key, columns in cited.items()
    ]


def reproduce(reading: Reading) -> str:
    """Return the command that makes the same numbers again."""
    parts = ["evernormal", "brief", reading.name, "--focal", reading.focal, "--lang", reading.words.code]
    if reading.draws is not None:
        parts += ["--draws", str(reading.draws)]
    if reading.result.lineage.seed is not None:
        parts += ["--seed", str(reading.result.lineage.seed)]
    return shlex.join(parts)
