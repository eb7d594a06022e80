"""The key figures at the top of a brief, each with what it is a tonne of, its range and a remark."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from evernormal.report.basis import remark
from evernormal.report.reading import NOTABLE_SHARE, Reading

__all__ = ["KeyFigure", "key_figures", "other_figure", "stop_range"]


@dataclass(frozen=True)
class KeyFigure:
    """One figure at the top: what it is, its value, of what, its range and a remark."""

    label: str
    value: str
    range: str = ""
    note: str = ""
    basis: str = ""

    @property
    def remarks(self) -> list[str]:
        """What stands below the value, line by line."""
        return [line for line in (self.basis, self.range, self.note) if line]


def key_figures(reading: Reading) -> list[KeyFigure]:
    """Return the figures of the top of the page, each with its 10 to 90 % range."""
    words = reading.words
    return [
        _lost_figure(reading),
        _short_figure(reading),
        _stop_figure(reading),
        KeyFigure(words.text("figure.cover"), *_ranged(reading, "min_cover_days")),
        _price_figure(reading),
        KeyFigure(words.text("figure.loss"), *_ranged(reading, "loss_usd")),
    ]


def _ranged(reading: Reading, name: str, sign: int = 1) -> tuple[str, str]:
    """Return a value and its range as text; what is nothing at all is told as none, without a range."""
    band, value = reading.band(name), reading.value(name)
    points = [point for point in (value, band.p10, band.p90) if point is not None]
    if points and all(_negligible(reading, name, point) for point in points):
        return reading.words.text("word.none"), ""

    def shown(number: float | None) -> str:
        return reading.shown(name, None if number is None else sign * number)

    low, high = (band.p10, band.p90) if sign > 0 else (band.p90, band.p10)
    return shown(value), reading.words.span(low, high, shown) if band.known else ""


def _negligible(reading: Reading, name: str, value: float) -> bool:
    """Whether a figure is nothing but the rounding of the solver; days and prices never are."""
    year = reading.value("base_imports_year_t") or 0.0
    least = {"imports_lost_t": 1e-5 * year, "shortage_t": 1e-5 * year, "loss_usd": 0.5}
    return name in least and abs(value) <= least[name]


def _lost_figure(reading: Reading) -> KeyFigure:
    """Return the imports lost, or those gained where the country buys more than in the base year."""
    words, lost, months = reading.words, reading.value("imports_lost_t"), reading.biting_months
    year = reading.value("base_imports_year_t")
    gained = lost is not None and year is not None and lost < -NOTABLE_SHARE * year
    label = words.text("figure.imports_gained" if gained else "figure.imports_lost")
    shown = _ranged(reading, "imports_lost_t", -1 if gained else 1)
    if lost is None or _negligible(reading, "imports_lost_t", lost):
        return KeyFigure(label, *shown)
    note = ""
    if year and months:
        share = words.percent(abs(lost) / (year / 12 * len(months)))
        note = words.text("figure.imports_lost_note", share=share, months=len(months))
    return KeyFigure(label, *shown, note, remark(reading, abs(lost)))


def _short_figure(reading: Reading) -> KeyFigure:
    """Return the shortage; one that is not worth announcing is told as none."""
    words, short = reading.words, reading.value("shortage_t")
    label = words.text("figure.shortage")
    if short is None:
        return KeyFigure(label, words.unknown)
    if not reading.is_short:
        share = words.percent(NOTABLE_SHARE)
        tiny = not _negligible(reading, "shortage_t", short)
        key = "figure.shortage_small" if tiny else "figure.shortage_none"
        return KeyFigure(
            label,
            words.text("word.none"),
            "",
            words.text(key, share=share, amount=words.tonnes(short, rounded=True)),
        )
    note = words.text(
        "figure.shortage_note",
        share=words.percent(reading.value("shortage_share")),
        month=words.month(reading.day("first_shortage_month")),
    )
    return KeyFigure(label, *_ranged(reading, "shortage_t"), note, remark(reading, short))


def _price_figure(reading: Reading) -> KeyFigure:
    words, label = reading.words, reading.words.text("figure.price")
    shown, span = _ranged(reading, "peak_price_ratio")
    highest = reading.band("peak_price_ratio").p90 or reading.value("peak_price_ratio")
    if shown == words.ratio(1.0) == words.ratio(highest):
        return KeyFigure(label, shown, "", words.text("figure.price_same"))
    return KeyFigure(label, shown, span, words.text("figure.price_note"))


def other_figure(reading: Reading) -> tuple[KeyFigure, ...]:
    """Return other supply as a figure where there is any."""
    words, found = reading.words, reading.other_supply
    if not found:
        return ()
    shown, note = words.tonnes(found, rounded=True), words.text("figure.other_supply_note")
    return (KeyFigure(words.text("figure.other_supply"), shown, "", note, remark(reading, found)),)


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
    key = {0.0: "figure.stop_never", 1.0: "figure.stop_always"}.get(often, "figure.stop_often")
    share = words.text(key, share=words.percent(often, digits=0))
    if not band.known or reading.start is None:
        return share
    low, high = (reading.start + dt.timedelta(days=round(p)) for p in (band.p10 or 0.0, band.p90 or 0.0))
    return words.text("figure.stop_range", share=share, low=words.date(low), high=words.date(high))
