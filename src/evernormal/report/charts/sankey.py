"""The flow diagram: suppliers, stock and what is missing on the left, end uses on the right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from evernormal.report.charts import theme
from evernormal.report.charts.chain import Chain, Flow, chain_of
from evernormal.report.charts.figure import Figure
from evernormal.report.charts.layout import Box, Link, Node, lay_out
from evernormal.report.charts.ribbons import NODE, box_layer, label_layers, ribbon_layer
from evernormal.report.reading import Reading

LEAST_MARGIN, MOST_MARGIN = 90, 235
LINE_WIDTH, POOL_WIDTH = MOST_MARGIN - 26, 92
MISSING, STOCK, USE = "#f2b089", "#999999", "#4d4d4d"
_OWN = {"stock": STOCK, "domestic": STOCK, "release": theme.STATE, "other": theme.OTHER_SUPPLY}
"""Colours of the sources that are no supplier."""


def sankey_chart(reading: Reading) -> Figure:
    """Return the flow diagram of the months in which a measure bites, tonnes a month."""
    words, chain = reading.words, chain_of(reading)
    nodes, links = _graph(reading, chain)
    tallest = max(sum(1 for n in nodes if n.column == c) for c in {n.column for n in nodes})
    height = max(250, 24 * tallest)
    first_try, _ = lay_out(nodes, links, width=300, height=height, node_width=NODE)
    left, right = _margins(_labels(reading, chain, first_try))
    boxes, ribbons = lay_out(nodes, links, width=theme.WIDTH - left - right, height=height, node_width=NODE)
    layers = [ribbon_layer(ribbons), box_layer(boxes), *label_layers(_labels(reading, chain, boxes))]
    first, last = reading.window[0], reading.window[-1]
    title = words.text(
        "chart.sankey", first=words.month(first), last=words.month(last), unit=reading.short_unit
    )
    biggest = [f.label for f in sorted(chain.sources, key=lambda f: -f.amount)[:3]]
    description = words.text(
        "chart.sankey_alt",
        suppliers=", ".join(biggest),
        focal=reading.focal_inline,
        form=reading.form_inline,
        missing=words.tonnes(sum(chain.missing.values()), rounded=True),
    )
    figure = ("sankey", title, description)
    return theme.finish(figure, layers, height=height, left=left, right=right, bottom=10, above=8)


def _color(flow: Flow, hit: set[str]) -> str:
    """Return the colour of a source: who ships less, who ships more, who stays."""
    own = _OWN.get(flow.key.rpartition("|")[2])
    if own is not None:
        return own
    change = flow.amount - (flow.base or 0.0)
    if flow.key in hit or change < -0.01 * (flow.base or flow.amount):
        return theme.LOST
    return theme.GAINED if change > 0.01 * max(flow.base or 0.0, 1e-12) else "#8fb8d0"


def _node(flow: Flow, column: int, color: str) -> Node:
    """Return the node of a flow, with room for as many lines as its label takes."""
    lines = theme.wrapped(f"{flow.label} 00,000 (+00,000)", LINE_WIDTH, theme.TEXT_SIZE)
    return Node(flow.key, column, color, 3.0 + 14.0 * len(lines))


def _graph(reading: Reading, chain: Chain) -> tuple[list[Node], list[Link]]:
    """Return nodes from top to bottom and links, all through one pool: the form in the focal country."""
    hit = {row["by"] for row in reading.acts}
    shift = 1 if chain.upstream else 0
    nodes: list[Node] = []
    links: list[Link] = []
    for stage, output in chain.upstream:
        pool = f"pool|{stage.form}"
        nodes.append(Node(pool, 1, STOCK))
        total = sum(f.amount for f in stage.suppliers) or 1.0
        for flow in stage.suppliers:
            color = _color(flow, hit)
            nodes.append(_node(flow, 0, color))
            links.append(Link(flow.key, pool, output * flow.amount / total, color))
        links.append(Link(pool, "pool", output, "#8fb8d0"))
    for flow in chain.sources:
        color = _color(flow, hit)
        nodes.append(_node(flow, 0, color))
        links.append(Link(flow.key, "pool", flow.amount, color))
    lacking = sum(chain.missing.values())
    if lacking > 0:
        nodes.append(Node("missing", 0, MISSING))
        links.append(Link("missing", "pool", lacking, MISSING))
    nodes.append(Node("pool", 1 + shift, USE))
    for flow in chain.uses:
        nodes.append(replace(_node(flow, 2 + shift, USE), key=f"use|{flow.key}"))
        links.append(Link("pool", f"use|{flow.key}", flow.amount, "#a6a6a6"))
    return _with_missing(chain, nodes, links)


def _with_missing(chain: Chain, nodes: list[Node], links: list[Link]) -> tuple[list[Node], list[Link]]:
    """Lead what is missing on to the uses that lack it."""
    for key, amount in chain.missing.items():
        if amount > 0:
            links.append(Link("pool", f"use|{key}", amount, MISSING))
    return nodes, [link for link in links if link.amount > 0]


def _margins(rows: list[dict[str, Any]]) -> tuple[int, int]:
    """Return room for the longest label on the left and on the right."""
    found = []
    for side in ("right", "left"):
        widths = [theme.text_width(r["label"], theme.TEXT_SIZE) for r in rows if r["side"] == side]
        found.append(int(min(max([LEAST_MARGIN, *(w + 20 for w in widths)]), MOST_MARGIN)))
    return found[0], found[1]


def _labels(reading: Reading, chain: Chain, boxes: list[Box]) -> list[dict[str, Any]]:
    """Return the text beside every box."""
    words = reading.words
    flows = {f.key: f for f in chain.sources}
    flows |= {f.key: f for stage, _ in chain.upstream for f in stage.suppliers}
    flows |= {f"use|{f.key}": f for f in chain.uses}
    pools = {f"pool|{stage.form}": stage.form for stage, _ in chain.upstream} | {"pool": reading.form}
    last = max(b.node.column for b in boxes)
    rows = []
    for box in boxes:
        if box.node.key in pools:
            rows += _pool_label(reading, box, pools[box.node.key], crowded=len(pools) > 1)
            continue
        flow = flows.get(box.node.key)
        name = flow.label if flow else words.text("chart.sankey_missing")
        right = box.node.column == last
        x, side = (box.x + NODE + 6, "left") if right else (box.x - 6, "right")
        lines = theme.wrapped(f"{name} {_amount(reading, flow, box)}", LINE_WIDTH, theme.TEXT_SIZE)
        for i, line in enumerate(lines):
            y = box.middle + 14 * (i - (len(lines) - 1) / 2)
            rows.append({"x": x, "y": y, "label": line, "side": side})
    return rows


def _pool_label(reading: Reading, box: Box, form: str, *, crowded: bool) -> list[dict[str, Any]]:
    """Return the name above a pool; where several stand side by side, on lines as short as their distance."""
    words = reading.words
    if crowded:
        lines = theme.wrapped(words.form(form), POOL_WIDTH, theme.TEXT_SIZE)
    else:
        lines = [words.text("chart.sankey_pool", form=words.form(form), focal=reading.focal_inline)]
    x, last = box.x + NODE / 2, len(lines) - 1
    return [
        {"x": x, "y": box.y - 7 - 14 * (last - i), "label": line, "side": "center"}
        for i, line in enumerate(lines)
    ]


def _amount(reading: Reading, flow: Flow | None, box: Box) -> str:
    """Return the amount with its change against the base year where there is one."""
    words = reading.words
    digits = reading.decimals
    shown = words.number(flow.amount if flow else box.amount, digits)
    if flow is None or flow.base is None or round(flow.amount - flow.base, digits) == 0:
        return shown
    change = words.number(flow.amount - flow.base, digits, signed=True)
    return words.text("chart.sankey_change", value=shown, change=change)
