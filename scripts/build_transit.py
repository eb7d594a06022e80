"""Build the transit tables that `evernormal.network.transit` reads.

    pip install searoute==1.6.0
    python scripts/build_transit.py [FOLDER]

Input: the sea network and port positions of `searoute` 1.6.0 (Apache-2.0).  Output, into
`src/evernormal/network/tables` unless a folder is given:

- `transit.csv`: shortest sea distance in nautical miles between two ports, a port and a passage, or two
  passages, through no other passage;
- `transit_ports.csv`: which ports a country uses and the days on land to reach them;
- `transit_passages.csv`: names of the passages and days of queue;
- `transit_land.csv`: days between neighbours by land.

A route through any set of open passages is then a shortest path over a dozen nodes, so closing any
combination of passages needs no sea network at run time.
"""

from __future__ import annotations

import csv
import importlib.metadata
import math
import sys
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra
from searoute.data.marnet_dict import edge_list
from searoute.data.ports_dict import node_list

sys.path.insert(0, str(Path(__file__).parent))
from transit_places import GATES, HUBS, LAND_PAIRS, LANDLOCKED, PASSAGE_LINES, PASSAGE_TAGS, PORTS

SEAROUTE = "1.6.0"
KM_PER_NAUTICAL_MILE = 1.852
EARTH_KM = 6371.0088
ROAD_FACTOR = 1.3
LAND_KM_PER_DAY = 350.0
BORDER_DAYS = 1.0
CLOSED_ALWAYS = {"northwest", "bering"}
ARCTIC = 73.5

Point = tuple[float, float]


def great_circle(a: Point, b: Point) -> float:
    """Kilometres between two (longitude, latitude) points."""
    lon1, lat1, lon2, lat2 = map(math.radians, (*a, *b))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(h))


def crosses(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether segment ab crosses segment cd."""

    def side(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def sea_network() -> tuple[list[Point], list[tuple[int, int, float, str]]]:
    """Nodes and edges (from, to, km, passage or empty) of the sea network, without the Arctic."""
    nodes = sorted(set(edge_list) | {v for targets in edge_list.values() for v in targets})
    index = {node: n for n, node in enumerate(nodes)}
    edges = []
    for u, targets in edge_list.items():
        for v, data in targets.items():
            if not u < v or data.get("passage") in CLOSED_ALWAYS or max(u[1], v[1]) > ARCTIC:
                continue
            tag = PASSAGE_TAGS.get(str(data.get("passage")), "")
            if tag == "magellan" and min(u[1], v[1]) < -54.0:
                tag = ""  # round Cape Horn, not through the strait
            for name, (start, end) in PASSAGE_LINES.items():
                if crosses(u, v, start, end):
                    tag = name
            edges.append((index[u], index[v], float(data["weight"]), tag))
    return nodes, edges


def matrix_of(
    count: int, edges: list[tuple[int, int, float, str]], open_passages: set[str]
) -> sparse.csr_matrix:
    """Symmetric distance matrix with only the given passages open (a zero-length edge gets a millimetre)."""
    kept = [(u, v, max(km, 1e-6)) for u, v, km, tag in edges if not tag or tag in open_passages]
    rows, columns, weights = (np.array(x) for x in zip(*kept, strict=True))
    one_way = sparse.coo_matrix((weights, (rows, columns)), shape=(count, count))
    return sparse.csr_matrix(one_way.maximum(one_way.T))


def port_positions() -> dict[str, tuple[str, Point]]:
    """UN/LOCODE to name and position."""
    found: dict[str, tuple[str, Point]] = {}
    for position, data in node_list.items():
        found.setdefault(str(data["port"]), (str(data["name"]), (float(position[0]), float(position[1]))))
    return found


def sea_legs(
    nodes: list[Point], edges: list[tuple[int, int, float, str]], ports: dict[str, Point]
) -> list[list[str]]:
    """Rows of transit.csv."""
    positions = np.array(nodes)
    gate_names = list(GATES)
    anchors = {name: nearest_node(positions, place) for name, (place, *_) in GATES.items()}
    tagged = {n for u, v, _, tag in edges if tag for n in (u, v)}
    open_sea = np.array([n not in tagged for n in range(len(nodes))])
    reached = matrix_of(len(nodes), edges, set())
    part = connected_components(reached)[1]
    usable = open_sea & (np.bincount(part)[part] > 3)
    anchor = {code: nearest_node(positions, place, usable) for code, place in ports.items()}
    approach = {code: great_circle(nodes[anchor[code]], place) for code, place in ports.items()}
    codes = sorted(ports)
    legs: dict[tuple[str, str], float] = {}
    direct = dijkstra(reached, indices=[anchor[c] for c in codes])
    for a, code in enumerate(codes):
        for other in codes[a + 1 :]:
            km = direct[a, anchor[other]] + approach[code] + approach[other]
            legs[(code, other)] = km
    for g, gate in enumerate(gate_names):
        alone = dijkstra(matrix_of(len(nodes), edges, {gate}), indices=anchors[gate])
        for code in codes:
            legs[(code, gate)] = alone[anchor[code]] + approach[code]
        for other in gate_names[g + 1 :]:
            both = dijkstra(matrix_of(len(nodes), edges, {gate, other}), indices=anchors[gate])
            legs[(gate, other)] = both[anchors[other]]
    return [
        [*sorted(pair), str(round(km / KM_PER_NAUTICAL_MILE))]
        for pair, km in sorted(legs.items(), key=lambda leg: sorted(leg[0]))
        if np.isfinite(km)
    ]


def nearest_node(positions: np.ndarray, place: Point, usable: np.ndarray | None = None) -> int:
    """Index of the node nearest to a place."""
    lon, lat = np.radians(positions[:, 0]), np.radians(positions[:, 1])
    lon0, lat0 = math.radians(place[0]), math.radians(place[1])
    h = np.sin((lat - lat0) / 2) ** 2 + np.cos(lat) * math.cos(lat0) * np.sin((lon - lon0) / 2) ** 2
    if usable is not None:
        h = np.where(usable, h, np.inf)
    return int(np.argmin(h))


def port_rows(positions: dict[str, tuple[str, Point]]) -> list[list[str]]:
    """Rows of transit_ports.csv: country, port, name, land days, grade, source."""
    library = f"searoute {SEAROUTE} (Apache-2.0), UN/LOCODE position"
    rows = [
        [country, code, positions[code][0], "0", "B", library]
        for country, codes in PORTS.items()
        for code in codes
    ]
    for country, (hub, borders, codes) in LANDLOCKED.items():
        for code in codes:
            days = land_days(HUBS[hub], positions[code][1], borders)
            note = f"assumption: {hub} to port by road or rail, {ROAD_FACTOR} x great circle, "
            note += f"{LAND_KM_PER_DAY:.0f} km a day, {BORDER_DAYS:.0f} day for each border"
            rows.append([country, code, positions[code][0], f"{days:.1f}", "C", note])
    return sorted(rows)


def land_days(a: Point, b: Point, borders: int) -> float:
    """Days by road or rail."""
    return ROAD_FACTOR * great_circle(a, b) / LAND_KM_PER_DAY + BORDER_DAYS * borders


def write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    """Write one CSV file with newline endings."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main(folder: Path) -> None:
    """Write the three tables."""
    if importlib.metadata.version("searoute") != SEAROUTE:
        raise SystemExit(f"needs searoute {SEAROUTE}: pip install searoute=={SEAROUTE}")
    positions = port_positions()
    used = {code for codes in PORTS.values() for code in codes}
    used |= {code for _, _, codes in LANDLOCKED.values() for code in codes}
    missing = sorted(used - positions.keys())
    if missing:
        raise SystemExit(f"searoute has no position for {', '.join(missing)}")
    nodes, edges = sea_network()
    write(
        folder / "transit.csv",
        ["from", "to", "nautical_miles"],
        sea_legs(nodes, edges, {code: positions[code][1] for code in used}),
    )
    write(
        folder / "transit_passages.csv",
        ["passage", "name_en", "name_ko", "days", "grade", "source"],
        [[key, en, ko, str(days), "C", why] for key, (_, en, ko, days, why) in sorted(GATES.items())],
    )
    write(
        folder / "transit_ports.csv",
        ["country", "port", "port_name", "land_days", "grade", "source"],
        port_rows(positions),
    )
    land = [
        [*sorted((a, b)), f"{land_days(HUBS[hub_a], HUBS[hub_b], 1):.1f}"]
        for (a, hub_a), (b, hub_b) in LAND_PAIRS
    ]
    write(folder / "transit_land.csv", ["from", "to", "days"], sorted(land))


if __name__ == "__main__":
    default = Path(__file__).parents[1] / "src" / "evernormal" / "network" / "tables"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
