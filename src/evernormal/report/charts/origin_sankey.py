"""From the mine to the importer: who mined, refined, made and shipped what a country bought.

Ribbons are tonnes contained and narrow where a conversion loses metal; every label carries the share of the
imports with its interval; what no country can be named for is grey and says unknown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from evernormal.errors import NotCoveredError
from evernormal.report.charts import theme
from evernormal.report.charts.figure import Figure
from evernormal.report.charts.layout import Box, Link, Node, lay_out
from evernormal.report.charts.ribbons import NODE, box_layer, label_layers, ribbon_layer
from evernormal.report.charts.view import View

__all__ = ["chosen_case", "origin_sankey"]

NAMED, SMALL, SIZE = 6, 0.012, 11
THIN = 0.002
"""A flow below this part of the imports is thinner than any line that can be seen, and is not drawn."""
OTHER, UNKNOWN, MOST_MARGIN = "others", "unknown", 150
_CHINA, _REST, _PALE = theme.LOST, "#5b8db8", "#c9c9c9"

Stage = tuple[str, str]
"""Name of a stage and its form."""


@dataclass(frozen=True)
class _Graph:
    """The diagram: stages from left to right, nodes and links between them."""

    stages: tuple[Stage, ...]
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    folded: Mapping[str, int]


def chosen_case(view: View) -> tuple[str, int]:
    """Return importer and year: those that were chosen, else the first importer and its last year."""
    rows = view.result["origin"].select("focal", "year").unique(maintain_order=True)
    focal = view.choose("country", rows["focal"].unique(maintain_order=True).to_list(), rows["focal"][0])
    years = rows.filter(pl.col("focal") == focal)["year"].to_list()
    return str(focal), int(view.choose("year", years, max(years)))


def origin_sankey(view: View) -> Figure:
    """Return the flow diagram of a traced origin, tonnes contained, mine at the left."""
    focal, year = chosen_case(view)
    flows = view.rows("flows", focal=focal, year=year)
    if flows.is_empty():
        raise NotCoveredError(
            f"the tonnes that {focal} imported in {year} are unknown, so that no flow can be drawn",
            where="table flows",
            cure="Read the shares in table origin.",
        )
    graph = _graph(view, flows)
    shares = _shares(view, focal, year)
    height = _height(graph)
    first = _texts(view, graph, shares, _laid(graph, 400, height)[0], focal)
    left, right = _margins(first)
    plot = view.width - left - right
    boxes, ribbons = _laid(graph, plot, height)
    rows = _texts(view, graph, shares, boxes, focal)
    heads, above = _headings(view, graph, boxes)
    layers = [ribbon_layer(ribbons), box_layer(boxes), *heads, *label_layers(rows, SIZE, halo=True)]
    words = view.words
    title = words.text("visual.sankey", form=view.form, place=words.country_inline(focal), year=str(year))
    return theme.finish(
        ("origin", title, _description(view, graph, shares, focal)),
        layers, height=height, left=left, right=right, bottom=8, above=above, width=view.width,
        notes=[words.text("visual.sankey_note"), *_lost(view, flows), *view.sources()],
    )  # fmt: skip


def _stages(flows: pl.DataFrame) -> tuple[Stage, ...]:
    """Return the stages upstream first: a stage stands right of every stage that feeds it."""
    pairs = flows.select("source_stage", "source_form", "target_stage", "target_form").unique(
        maintain_order=True
    )
    feeds = [((a, b), (c, d)) for a, b, c, d in pairs.iter_rows()]
    depth = dict.fromkeys((stage for pair in feeds for stage in pair), 0)
    for _ in depth:
        for source, target in feeds:
            depth[target] = max(depth[target], depth[source] + 1)
    return tuple(sorted(depth, key=lambda stage: (depth[stage], stage)))


def _key(stage: Stage, country: str) -> str:
    return f"{stage[0]}|{stage[1]}|{country}"


def _graph(view: View, flows: pl.DataFrame) -> _Graph:
    """Fold small countries of each stage into one and name what is unknown."""
    stages = _stages(flows)
    through = _throughput(flows)
    whole = math.fsum(amount for (stage, _), amount in through.items() if stage == stages[-1])
    names: dict[tuple[Stage, str], str] = {}
    folded: dict[str, int] = {}
    for stage in stages:
        sizes = sorted(((a, c) for (s, c), a in through.items() if s == stage), key=lambda p: (-p[0], p[1]))
        kept = [c for i, (a, c) in enumerate(sizes) if i < NAMED and a >= SMALL * whole]
        rest = [c for _, c in sizes if c not in kept]
        if len(rest) == 1:
            kept, rest = [*kept, *rest], []
        names |= {(stage, c): c for c in kept} | {(stage, c): OTHER for c in rest}
        folded |= {_key(stage, OTHER): len(rest)} if rest else {}
    sums: dict[tuple[str, str], list[float]] = {}
    for row in flows.sort(flows.columns).iter_rows(named=True):
        source, target = (row["source_stage"], row["source_form"]), (row["target_stage"], row["target_form"])
        ends = (_key(source, names[source, row["source"]]), _key(target, names[target, row["target"]]))
        found = sums.setdefault(ends, [0.0, 0.0])
        found[0] += row["tonnes"]
        found[1] += row["tonnes"] - row["loss_t"]
    links = [
        Link(a, b, t, _color(a), arrived) for (a, b), (t, arrived) in sorted(sums.items()) if t > THIN * whole
    ]
    links += _unknown(links, stages, whole)
    return _Graph(stages, _nodes(view, stages, links, folded), tuple(links), folded)


def _throughput(flows: pl.DataFrame) -> dict[tuple[Stage, str], float]:
    """Return tonnes through every country of every stage: what leaves, or what arrives at the last."""
    found: dict[tuple[Stage, str], float] = {}
    for end, amount in (("source", pl.col("tonnes")), ("target", pl.col("tonnes") - pl.col("loss_t"))):
        keys = [f"{end}_stage", f"{end}_form", end]
        for stage, form, country, tonnes in (
            flows.group_by(keys).agg(amount.sort().sum()).sort(keys).iter_rows()
        ):
            place = ((stage, form), country)
            found[place] = max(found.get(place, 0.0), tonnes)
    return found


def _color(key: str) -> str:
    country = key.rpartition("|")[2]
    return {"CHN": _CHINA, UNKNOWN: _PALE}.get(country, _REST)


def _unknown(links: Sequence[Link], stages: Sequence[Stage], whole: float) -> list[Link]:
    """Return what feeds a country without a known source, from a node that says unknown."""
    feeding = {(a.source.rpartition("|")[0], a.target.rpartition("|")[0]) for a in links}
    found = []
    for key in sorted({link.source for link in links}):
        stage = key.rpartition("|")[0]
        before = [a for a, b in feeding if b == stage]
        if not before:
            continue
        out = math.fsum(link.amount for link in links if link.source == key)
        gap = out - math.fsum(link.arrives for link in links if link.target == key)
        if gap > SMALL * whole:
            last = max(before, key=[f"{s}|{f}" for s, f in stages].index)
            found.append(Link(f"{last}|{UNKNOWN}", key, gap, _PALE))
    return found


def _nodes(
    view: View, stages: Sequence[Stage], links: Sequence[Link], folded: Mapping[str, int]
) -> tuple[Node, ...]:
    """Return nodes from top to bottom: the largest first, then all others, then what is unknown."""
    size: dict[str, float] = {}
    for link in links:
        size[link.source] = size.get(link.source, 0.0) + link.amount
    for link in links:
        if link.target not in size or not any(a.source == link.target for a in links):
            size[link.target] = size.get(link.target, 0.0) + link.arrives
    nodes = []
    for column, (name, form) in enumerate(stages):
        here = [key for key in size if key.rpartition("|")[0] == f"{name}|{form}"]
        order = {OTHER: 1, UNKNOWN: 2}
        ranked = sorted(here, key=lambda k: (order.get(k.rpartition("|")[2], 0), -size[k], k))
        for key in ranked:
            label = view.words.country(key.rpartition("|")[2])
            lines = 1 + len(theme.wrapped(label, _pitch(view, stages), SIZE))
            nodes.append(Node(key, column, _color(key), 4.0 + 13.0 * lines))
    return tuple(nodes)


def _pitch(view: View, stages: Sequence[Stage]) -> float:
    """Return the room for a label between two columns."""
    return max(70.0, (view.width - 200) / max(len(stages) - 1, 1) - 26)


def _height(graph: _Graph) -> int:
    rooms: dict[int, float] = {}
    for node in graph.nodes:
        rooms[node.column] = rooms.get(node.column, 0.0) + node.room
    return int(max(200.0, max(rooms.values()) + 40))


def _laid(graph: _Graph, width: float, height: int) -> tuple[list[Box], list[Any]]:
    return lay_out(graph.nodes, graph.links, width=width, height=height, node_width=NODE)


def _shares(view: View, focal: str, year: int) -> dict[str, tuple[float, float, float]]:
    rows = view.rows("origin", focal=focal, year=year)
    return {
        f"{stage}|{form}|{country}": (share, low, high)
        for stage, form, country, share, low, high in rows.select(
            "stage", "form", "country", "share", "low", "high"
        ).iter_rows()
    }


def _texts(
    view: View,
    graph: _Graph,
    shares: Mapping[str, tuple[float, float, float]],
    boxes: Sequence[Box],
    focal: str,
) -> list[dict[str, Any]]:
    """Return name and share beside every box, the interval with it."""
    last = len(graph.stages) - 1
    totals: dict[int, float] = {}
    for box in boxes:
        totals[box.node.column] = totals.get(box.node.column, 0.0) + box.amount
    rows: list[dict[str, Any]] = []
    for box in boxes:
        lines = _said(view, graph, shares, box, totals[box.node.column], focal)
        side = "right" if box.node.column == 0 and last > 0 else "left"
        x = box.x - 6 if side == "right" else box.x + NODE + 5
        for i, line in enumerate(lines):
            y = box.middle + 13 * (i - (len(lines) - 1) / 2)
            inner = 0 < box.node.column < last
            rows.append({"x": x, "y": y, "label": line, "side": side, "inner": inner})
    return rows


def _said(
    view: View,
    graph: _Graph,
    shares: Mapping[str, tuple[float, float, float]],
    box: Box,
    total: float,
    focal: str,
) -> list[str]:
    words, country = view.words, box.node.key.rpartition("|")[2]
    if box.node.column == len(graph.stages) - 1 and country == focal:
        return [*theme.wrapped(words.country(focal), 100, SIZE), words.tonnes(box.amount, rounded=True)]
    part = view.shared(box.amount / total if total else None)
    if country == UNKNOWN:
        return [words.unknown, part]
    if country == OTHER:
        return [words.text("word.others", count=graph.folded.get(box.node.key, 0)), part]
    share = view.spanned(*shares[box.node.key]) if box.node.key in shares else part
    room = _pitch(view, graph.stages)
    name = theme.wrapped(words.country(country), room, SIZE)
    return [*(theme.shortened(line, room + 8, SIZE) for line in name), share]


def _margins(rows: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Return room for the labels of the first and the last column."""
    found = []
    for side, inner in (("right", False), ("left", False)):
        widths = [
            theme.text_width(r["label"], SIZE) for r in rows if r["side"] == side and r["inner"] is inner
        ]
        found.append(int(min(max([40.0, *(w + 12 for w in widths)]), MOST_MARGIN)))
    return found[0], found[1]


def _headings(view: View, graph: _Graph, boxes: Sequence[Box]) -> tuple[list[alt.Chart], int]:
    """Return the name of every stage and its form above its column, and the room that takes."""
    words = view.words
    rows: list[dict[str, Any]] = []
    tallest = 0
    at = {box.node.column: box.x for box in boxes}
    last = len(graph.stages) - 1
    for column, (stage, form) in enumerate(graph.stages):
        lines = [words.text(f"visual.stage_{stage}")]
        if stage not in {"direct", "import"}:
            lines += theme.wrapped(words.form(form), _pitch(view, graph.stages) + 24, 10.5)
        tallest = max(tallest, len(lines))
        for i, line in enumerate(lines):
            row = {"x": at.get(column, 0.0), "line": i, "label": line, "bold": i == 0}
            rows.append(row | {"align": "right" if column == last and last else "left"})
            if column == last and last:
                rows[-1]["x"] += NODE
    layers = []
    for align in ("left", "right"):
        for bold in (True, False):
            part = [
                {**row, "y": -10.0 - 13.0 * (tallest - 1 - row["line"])}
                for row in rows
                if row["align"] == align and row["bold"] is bold
            ]
            if part:
                layers.append(
                    alt.Chart(theme.data(part))
                    .mark_text(
                        align=align,
                        baseline="bottom",
                        fontSize=10.5,
                        fontWeight="bold" if bold else "normal",
                        color=theme.INK if bold else theme.SOFT,
                    )
                    .encode(x=theme.pixels_x("x"), y=theme.pixels("y"), text="label:N")
                )
    return layers, 13 * tallest + 14


def _lost(view: View, flows: pl.DataFrame) -> list[str]:
    """Say how much the conversions lose on the way."""
    lost = math.fsum(flows["loss_t"].sort().to_list())
    if lost <= 0:
        return []
    return [view.words.text("visual.sankey_loss", amount=view.words.tonnes(lost, rounded=True))]


def _description(
    view: View, graph: _Graph, shares: Mapping[str, tuple[float, float, float]], focal: str
) -> str:
    words, parts = view.words, []
    for stage, form in graph.stages[:-1]:
        here = {k: v for k, v in shares.items() if k.startswith(f"{stage}|{form}|")}
        if here:
            best = max(sorted(here), key=lambda k: here[k][0])
            name = words.country(best.rpartition("|")[2])
            parts.append(f"{words.text(f'visual.stage_{stage}')}: {name} {view.spanned(*here[best])}")
    return words.text("visual.sankey_alt", place=words.country_inline(focal), parts="; ".join(parts))
