"""Size, colour, type and the shared parts of every chart."""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt

from evernormal.report.charts.figure import Figure
from evernormal.report.reading import Reading

WIDTH = 720
LEFT, RIGHT, BOTTOM = 58, 166, 38
PLOT = WIDTH - LEFT - RIGHT
FONT = "'Noto Sans KR','Noto Sans CJK KR','Malgun Gothic','Apple SD Gothic Neo',system-ui,sans-serif"
INK, SOFT, FAINT, WINDOW = "#222222", "#595959", "#d9d9d9", "#f3efe6"
LOST, GAINED, STEADY = "#D55E00", "#0072B2", "#8c8c8c"
# Okabe and Ito (2008), the colours that people with any colour vision tell apart.
PALETTE = ("#0072B2", "#56B4E9", "#009E73", "#CC79A7", "#E69F00", "#F0E442")
LOSERS = ("#D55E00", "#8c3b00", "#f0a06a")
OTHERS, STATE, OTHER_SUPPLY = "#bdbdbd", "#333333", "#999933"
UNKNOWN, HATCH = "#ececec", "#b5b5b5"
TITLE_SIZE, TEXT_SIZE, LINE = 14, 12, 18
NOTE_SIZE, NOTE_LINE = 10.5, 14

Row = Mapping[str, Any]


def data(rows: Iterable[Row]) -> alt.InlineData:
    """Return rows as inline data: as one JSON text, which Altair copies and checks a hundred times faster."""
    text = json.dumps([dict(row) for row in rows], ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return alt.InlineData(values=text, format=alt.JsonDataFormat(type="json"))


def finish(
    figure: tuple[str, str, str],
    layers: Sequence[alt.Chart | alt.LayerChart],
    *,
    height: int,
    left: int = LEFT,
    right: int = RIGHT,
    bottom: int = BOTTOM,
    above: int = 0,
    width: int = WIDTH,
    notes: Sequence[str] = (),
) -> Figure:
    """Put layers on one plot of fixed size under a title.

    Args:
        figure: key, title and description.
        layers: Altair layers, the first at the back.
        height: of the plot, without title and axis.
        left: margin.
        right: margin, where direct labels stand.
        bottom: margin.
        above: room between title and plot.
        width: of the whole picture.
        notes: paragraphs below the plot: unit, source, as-of date, what is not known.
    """
    key, title, description = figure
    lines = wrapped(title, width - 8, TITLE_SIZE)
    top = LINE * len(lines) + 10 + above
    heading = [
        alt.Chart(data([{}]))
        .mark_text(align="left", baseline="top", fontSize=TITLE_SIZE, fontWeight="bold", color=INK)
        .encode(x=alt.value(4 - left), y=alt.value(LINE * i + 4 - top), text=alt.value(line))
        for i, line in enumerate(lines)
    ]
    said = [line for note in notes for line in wrapped(note, width - 10, NOTE_SIZE)]
    below = height + bottom
    bottom += (NOTE_LINE * len(said) + 4) if said else 0
    chart = (
        alt.layer(*layers, *heading, *_note_layers(said, 4 - left, below))
        .properties(
            width=width - left - right,
            height=height,
            padding={"left": left, "right": right, "top": top, "bottom": bottom},
            autosize=alt.AutoSizeParams(type="none"),
        )
        .configure(font=FONT, background="#ffffff")
        .configure_view(stroke=None)
        .configure_axis(
            grid=True, gridColor=FAINT, domain=False, ticks=False, labelColor=SOFT, labelFontSize=TEXT_SIZE,
            labelPadding=6, title=None, labelFont=FONT,
        )
        .configure_text(font=FONT, fontSize=TEXT_SIZE)
    )  # fmt: skip
    spec = chart.to_dict(validate=False)
    return Figure(key, title, description, spec)


def _note_layers(lines: Sequence[str], x: int, top: int) -> list[alt.Chart]:
    """Return lines of small text from a height downward."""
    if not lines:
        return []
    rows = [{"x": x, "y": top + NOTE_LINE * i, "label": line} for i, line in enumerate(lines)]
    return [
        alt.Chart(data(rows))
        .mark_text(align="left", baseline="top", fontSize=NOTE_SIZE, color=SOFT)
        .encode(x=pixels_x("x"), y=pixels("y"), text="label:N")
    ]


def hatched(boxes: Sequence[tuple[float, float, float, float]], step: float = 6.0) -> list[alt.Chart]:
    """Return grey boxes with slanting lines, in pixels of the plot: what is unknown (law 2).

    Args:
        boxes: left, top, right and bottom of each.
        step: distance of the lines.
    """
    if not boxes:
        return []
    rings = [[[[a, b], [c, b], [c, d], [a, d], [a, b]]] for a, b, c, d in boxes]
    lines = [line for box in boxes for line in _slanting(box, step)]
    layers = []
    for kind, coordinates, style in (
        ("MultiPolygon", rings, {"fill": UNKNOWN, "stroke": None}),
        ("MultiLineString", lines, {"fill": None, "stroke": HATCH, "strokeWidth": 1}),
    ):
        geometry = {"type": kind, "coordinates": coordinates}
        shape = {"type": "Feature", "geometry": geometry, "properties": {}}
        layers.append(
            alt.Chart(data([shape]))
            .mark_geoshape(**style)
            .project(type="identity", scale=1, translate=[0, 0])
        )
    return layers


def _slanting(box: tuple[float, float, float, float], step: float) -> list[list[list[float]]]:
    """Return the parts of lines at 45 degrees that lie inside a box."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    lines, offset = [], step
    while offset < width + height:
        x, y = min(offset, width), max(offset - width, 0.0)
        x2, y2 = max(offset - height, 0.0), min(offset, height)
        ends = ((left + x, top + y), (left + x2, top + y2))
        lines.append([[round(a, 1), round(b, 1)] for a, b in ends])
        offset += step
    return lines


def month_x(months: Sequence[dt.date]) -> alt.Scale:
    """Return the horizontal scale: month ``i`` spans ``i - 0.5`` to ``i + 0.5``."""
    return alt.Scale(domain=[-0.5, len(months) - 0.5], nice=False, zero=False)


def position(months: Sequence[dt.date], day: dt.date) -> float:
    """Return where a day stands on the month scale."""
    months_on = (day.year - months[0].year) * 12 + day.month - months[0].month
    return months_on - 0.5 + (day.day - 1) / days_in(day)


def days_in(day: dt.date) -> int:
    """Return the number of days in the month of a day."""
    first = day.replace(day=1)
    return (first.replace(year=day.year + day.month // 12, month=day.month % 12 + 1) - first).days


def month_labels(reading: Reading, height: int) -> list[alt.Chart]:
    """Return the labels under a month scale: months that fit, and the year once."""
    months, korean = reading.months, reading.words.korean
    step = next(s for s in (1, 2, 3, 6, 12) if len(months) / s <= 14)
    rows = []
    for i, month in enumerate(months):
        if (month.month - 1) % step == 0:
            name = f"{month.month}월" if korean else reading.words.month(month)[:3]
            rows.append({"x": i, "label": name, "y": height + 14})
        if i == 0 or month.month == 1:
            rows.append({"x": i, "label": f"{month.year}년" if korean else str(month.year), "y": height + 29})
    return [
        alt.Chart(data(rows))
        .mark_text(color=SOFT, baseline="middle")
        .encode(x=alt.X("x:Q", scale=month_x(months), axis=None), y=pixels("y"), text="label:N")
    ]


def window_band(reading: Reading, height: int) -> list[alt.Chart]:
    """Return a shaded band over the months in which a measure against supply is in force."""
    biting = reading.biting_months
    if not biting or len(biting) == len(reading.months):
        return []
    scale = month_x(reading.months)
    first, last = (reading.months.index(month) for month in (biting[0], biting[-1]))
    rows = [{"x": first - 0.5, "x2": last + 0.5}]
    label = [{"x": first - 0.42, "label": reading.words.text("chart.window")}]
    return [
        alt.Chart(data(rows))
        .mark_rect(color=WINDOW)
        .encode(
            x=alt.X("x:Q", scale=scale, axis=None), x2="x2:Q", y=alt.value(0), y2=alt.value(height)
        ),
        alt.Chart(data(label))
        .mark_text(align="left", color=SOFT, baseline="bottom", fontSize=11)
        .encode(x=alt.X("x:Q", scale=scale, axis=None), y=alt.value(-2), text="label:N"),
    ]  # fmt: skip


def side_labels(rows: Sequence[tuple[float, str, str]], height: int, *, gap: int = 16) -> list[alt.Chart]:
    """Return labels right of the plot, moved apart where they would touch.

    Args:
        rows: height in pixels, text and colour of each.
        height: of the plot.
        gap: least distance between two labels.
    """
    spread = moved_apart([y for y, _, _ in rows], gap, 0.0, float(height))
    placed = [
        {"y": y, "label": text, "color": color} for y, (_, text, color) in zip(spread, rows, strict=True)
    ]
    base = alt.Chart(data(placed))
    color = alt.Color("color:N", scale=None)
    return [
        base.mark_square(size=80, opacity=1).encode(x=alt.value(PLOT + 10), y=pixels("y"), color=color),
        base.mark_text(align="left", baseline="middle", color=INK).encode(
            x=alt.value(PLOT + 19), y=pixels("y"), text="label:N"
        ),
    ]


def pixels(field: str) -> alt.Y:
    """Return a vertical channel that takes a field as pixels from the top of the plot."""
    return alt.Y(f"{field}:Q", scale=None, axis=None)


def pixels_x(field: str) -> alt.X:
    """Return a horizontal channel that takes a field as pixels from the left of the plot."""
    return alt.X(f"{field}:Q", scale=None, axis=None)


def moved_apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return positions at least ``gap`` apart, as near to the wanted ones as a pass down and up makes them.

    >>> moved_apart([10, 12, 50], 8, 0, 60)
    [10, 18, 50]
    """
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    placed = [wanted[i] for i in order]
    for i in range(1, len(placed)):
        placed[i] = max(placed[i], placed[i - 1] + gap)
    ceiling = max(high, low + gap * (len(placed) - 1))
    for i in reversed(range(len(placed))):
        placed[i] = min(placed[i], ceiling - gap * (len(placed) - 1 - i))
    found = [0.0] * len(wanted)
    for i, value in zip(order, placed, strict=True):
        found[i] = value
    return found


def wrapped(text: str, width: float, size: float) -> list[str]:
    """Break a line where it would pass a width in pixels, by the usual width of Latin and Korean letters."""
    lines: list[str] = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def shortened(text: str, width: float, size: float) -> str:
    """Cut a text that would pass a width, with an ellipsis.

    >>> shortened("Saint Vincent and the Grenadines", 100, 11)
    'Saint Vincent a…'
    """
    if text_width(text, size) <= width:
        return text
    while text and text_width(f"{text}…", size) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def text_width(text: str, size: float) -> float:
    """Return about how wide a text is: Korean letters are one em, others somewhat over half."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return size * (wide + 0.56 * (len(text) - wide))


def nice_top(value: float) -> float:
    """Return a round number at or a little above a value, for the end of a scale.

    >>> nice_top(1800.0), nice_top(1.54)
    (2000.0, 1.6)
    """
    if value <= 0:
        return 1.0
    power = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 10.0 ** -_leading_zeros(value)
    for factor in (1, 1.2, 1.6, 2, 2.5, 3, 4, 5, 6, 8, 10):
        if factor * power >= value * 1.000001:
            return round(factor * power, 12)
    return 10.0 * power


def _leading_zeros(value: float) -> int:
    zeros = 0
    while value < 1:
        value *= 10
        zeros += 1
    return zeros
