"""Where the nodes and ribbons of a flow diagram stand: no drawing, only geometry.

Ribbons keep their thickness in proportion to the flow; nodes too thin for a label get room for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Box", "Link", "Node", "Ribbon", "lay_out"]


@dataclass(frozen=True)
class Node:
    """A box of a flow diagram.

    Attributes:
        key: unique name.
        column: from the left, 0 first.
        color: of the box.
        room: least height in pixels that it takes, so that labels do not touch.
    """

    key: str
    column: int
    color: str
    room: float = 17.0


@dataclass(frozen=True)
class Link:
    """A flow between two nodes, in the unit of the diagram.

    Attributes:
        source: key of the node that it leaves.
        target: key of the node that it reaches.
        amount: what leaves.
        color: of the ribbon.
        arriving: what arrives, where something is lost on the way; None for all.
    """

    source: str
    target: str
    amount: float
    color: str
    arriving: float | None = None

    @property
    def arrives(self) -> float:
        """What arrives."""
        return self.amount if self.arriving is None else self.arriving


@dataclass(frozen=True)
class Box:
    """A node with its place in pixels."""

    node: Node
    x: float
    y: float
    height: float
    amount: float

    @property
    def middle(self) -> float:
        """Height of the middle."""
        return self.y + self.height / 2


@dataclass(frozen=True)
class Ribbon:
    """A link with the upper edge of both ends and its thickness at both, in pixels."""

    link: Link
    x0: float
    y0: float
    x1: float
    y1: float
    thickness: float
    end: float


def lay_out(
    nodes: Sequence[Node],
    links: Sequence[Link],
    *,
    width: float,
    height: float,
    node_width: float = 12.0,
) -> tuple[list[Box], list[Ribbon]]:
    """Place nodes in columns and ribbons between them.

    Args:
        nodes: from top to bottom within each column.
        links: between nodes of different columns.
        width: in pixels.
        height: in pixels.
        node_width: in pixels.

    >>> nodes, links = [Node("a", 0, ""), Node("b", 1, "")], [Link("a", "b", 5, "")]
    >>> boxes, ribbons = lay_out(nodes, links, width=100, height=50)
    >>> [round(b.height) for b in boxes], round(ribbons[0].thickness)
    ([50, 50], 50)
    """
    amounts = {n.key: _through(n.key, links) for n in nodes}
    columns: dict[int, list[Node]] = {}
    for node in nodes:
        columns.setdefault(node.column, []).append(node)
    scale = min(_scale([(amounts[n.key], n.room) for n in column], height) for column in columns.values())
    last = max(columns) or 1
    boxes: dict[str, Box] = {}
    for number, column in sorted(columns.items()):
        x = (width - node_width) * number / last
        taken = sum(max(amounts[n.key] * scale, n.room) for n in column)
        y = (height - taken) / 2
        for node in column:
            thick = amounts[node.key] * scale
            slot = max(thick, node.room)
            boxes[node.key] = Box(node, x, y + (slot - thick) / 2, thick, amounts[node.key])
            y += slot
    return list(boxes.values()), _ribbons(boxes, links, scale, node_width)


def _through(key: str, links: Sequence[Link]) -> float:
    into = sum(link.arrives for link in links if link.target == key)
    out = sum(link.amount for link in links if link.source == key)
    return max(into, out)


def _scale(nodes: Sequence[tuple[float, float]], height: float) -> float:
    """Return pixels per unit so that a column of (amount, room) just fits, small nodes given their room."""
    total = sum(amount for amount, _ in nodes)
    if total <= 0:
        return float("inf")

    def fits(scale: float) -> bool:
        return sum(max(amount * scale, room) for amount, room in nodes) <= height

    low, high = 0.0, height / total
    if fits(high):
        return high
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _ribbons(
    boxes: Mapping[str, Box], links: Sequence[Link], scale: float, node_width: float
) -> list[Ribbon]:
    leaving, arriving = dict.fromkeys(boxes, 0.0), dict.fromkeys(boxes, 0.0)
    order = sorted(range(len(links)), key=lambda i: (boxes[links[i].source].y, boxes[links[i].target].y))
    starts: dict[int, float] = {}
    for i in order:
        starts[i] = boxes[links[i].source].y + leaving[links[i].source]
        leaving[links[i].source] += links[i].amount * scale
    ends: dict[int, float] = {}
    for i in sorted(order, key=lambda i: (boxes[links[i].target].y, boxes[links[i].source].y)):
        ends[i] = boxes[links[i].target].y + arriving[links[i].target]
        arriving[links[i].target] += links[i].arrives * scale
    return [
        Ribbon(
            link,
            boxes[link.source].x + node_width,
            starts[i],
            boxes[link.target].x,
            ends[i],
            link.amount * scale,
            link.arrives * scale,
        )
        for i, link in enumerate(links)
    ]
