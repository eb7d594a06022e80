"""A release of BACI of the true size and shape: added and queried within 4 GB, at a cost that grows linearly.

``python -m bench baci`` takes 10 million rows and a minute; ``--rows 250000000`` is the full release and
needs 20 GB of disk (TMPDIR) and half an hour. Every addition and every question runs in a process of its
own, which starts no other and says how much memory it held at most; before each question the files are
dropped from the system's cache. The ratio compares processor time per row with that of the smallest size:
other work on the machine changes it little.

Measured on two cores, while other work took most of them (load 8): 249,398,780 rows of 30 years, a zip file
of 3.4 GB, are added in 448 s of processor time and 533 s by the clock, with 1.1 GB of memory; 16.8, 45.9
and 249.4 million rows cost 1.62, 1.78 and 1.79 microseconds of processor time each (ratios 1, 1.10, 1.11).
Everything that Korea imports, by supplier and year (3.2 million rows): 0.54 s cold, 0.21 s warm; one code
of every importer 0.20 and 0.03 s; all that China exports (17.7 million rows) 0.88 and 0.35 s; one year (8.4
million) 1.06 and 0.25 s, of which 0.32 s are processor time; none takes more than 0.2 GB.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.baci_file import YEARS, write_release

NAME = "BACI_HS17_V202501.zip"
FULL = 250_000_000
ADD = """
from evernormal import data
added = data.add("baci", {file!r}, {store!r})["added"].row(0, named=True)
print(json.dumps({{"rows": added["rows"]}}))
"""
ASK = """
import polars as pl
from evernormal import data
chosen = dict(dataset="baci-hs2017", folder={store!r})
def total(flows):
    sums = flows.group_by("year").agg(pl.col("value_usd").cast(pl.Int64).sum(), pl.len())
    return sums.collect()["len"].sum()
ask = lambda: {question}
times, spent = [], []
for _ in range(3):
    start, used = time.perf_counter(), time.process_time()
    found = ask()
    times.append(time.perf_counter() - start)
    spent.append(time.process_time() - used)
print(json.dumps({{"cold": times[0], "warm": min(times[1:]), "spent": spent[0], "rows": int(found)}}))
"""
CODE = """
from evernormal import data
codes = data.covered_codes(dataset="baci-hs2017", folder={store!r})
print(json.dumps({{"code": codes[len(codes) // 2]}}))
"""
PEAK = """
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(int(status["VmHWM"].split()[0]))
"""
"""What the process itself held at most, in KiB (Linux): other counts include what it was forked from."""

QUESTIONS = {
    "shares of KOR, all years, all codes": "data.supplier_shares('KOR', **chosen)['shares'].height",
    "shares of USA, all years, all codes": "data.supplier_shares('USA', **chosen)['shares'].height",
    "shares of KOR, one code": "data.supplier_shares('KOR', ['{code}'], **chosen)['shares'].height",
    "one code, every importer": "total(data.scan_trade(['{code}'], **chosen))",
    "one code, every importer, as rows": "data.trade(['{code}'], **chosen).height",
    "one exporter (CHN), sums": "total(data.scan_trade(exporters=['CHN'], **chosen))",
    "one exporter (CHL), sums": "total(data.scan_trade(exporters=['CHL'], **chosen))",
    "one year, sums": "total(data.scan_trade(years=[{year}], **chosen))",
}


def main(rows: int = 10_000_000) -> None:
    print("         rows  years    add s    cpu s  cpu us/row   ratio  peak GB  stored GB")
    base: float | None = None
    for part in (rows // 4, rows // 2, rows) if rows < FULL / 5 else (rows // 10, rows // 4, rows):
        with tempfile.TemporaryDirectory(prefix="bench-baci-") as folder:
            file, store, years = Path(folder) / NAME, Path(folder) / "store", _years(part)
            write_release(file, part, years)
            added = _run(ADD.format(file=str(file), store=str(store)))
            file.unlink()
            cost = added["cpu"] / added["rows"]
            base = base or cost
            size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
            print(
                f"{added['rows']:>13,}  {len(years):>5}  {added['seconds']:>7.1f}  {added['cpu']:>7.1f}"
                f"  {1e6 * cost:>10.2f}  {cost / base:>6.2f}  {added['peak']:>7.2f}  {size / 1e9:>9.2f}",
                flush=True,
            )
            if part == rows:
                _ask(store, years)


def _years(rows: int) -> tuple[int, ...]:
    """As many years as make a year of a full release."""
    return YEARS[: min(len(YEARS), max(2, round(rows * len(YEARS) / FULL)))]


def _ask(store: Path, years: tuple[int, ...]) -> None:
    found = _run(CODE.format(store=str(store)))
    print(f"{'question':<38}   cold s   warm s  cold cpu s  peak GB          rows")
    for name, question in QUESTIONS.items():
        _forget(store)
        text = question.format(code=found["code"], year=years[len(years) // 2])
        asked = _run(ASK.format(store=str(store), question=text))
        times = f"{asked['cold']:>7.3f}  {asked['warm']:>7.3f}"
        times += f"  {asked['spent']:>10.3f}"
        print(f"{name:<38}  {times}  {asked['peak']:>7.2f}  {asked['rows']:>12,}", flush=True)
    _command_line(store)


def _command_line(store: Path) -> None:
    """Time the command, and a command that reads nothing."""
    os.environ["EVERNORMAL_DATA_DIR"] = str(store)
    asked = ("shares", "KOR", "--dataset", "baci-hs2017", "--json")
    _forget(store)
    (cold, spent), (warm, _), (bare, least) = _timed(*asked), _timed(*asked), _timed("version")
    name = f"evernormal {' '.join(asked[:3])} NAME"
    print(f"{name:<38}  {cold:>7.3f}  {warm:>7.3f}  {spent:>10.3f}")
    print(f"{'evernormal version':<38}  {'':>7}  {bare:>7.3f}  {least:>10.3f}")


def _timed(*arguments: str) -> tuple[float, float]:
    """Return the seconds and the processor seconds of a command, its start included."""
    start = time.perf_counter()
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen([*_command(), *arguments], stdout=nowhere, stderr=nowhere)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(process.returncode)
    return time.perf_counter() - start, used.ru_utime + used.ru_stime


def _command() -> list[str]:
    found = shutil.which("evernormal", path=str(Path(sys.executable).parent))
    return [found] if found else [sys.executable, "-m", "evernormal.app.main"]


def _run(code: str) -> dict[str, float]:
    """Run code in a process of its own; return what it prints, its seconds and its greatest memory in GB."""
    start = time.perf_counter()
    command = [sys.executable, "-c", f"import json, time\n{code}\n{PEAK}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(process.returncode)
    found: dict[str, float] = json.loads(lines[0])
    spent = {"seconds": time.perf_counter() - start, "cpu": used.ru_utime + used.ru_stime}
    return found | spent | {"peak": int(lines[1]) * 1024 / 1e9}


def _forget(store: Path) -> None:
    """Drop the files from the system's cache, so that they come from the disk."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in _files(store):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)


def _files(store: Path) -> Iterator[Path]:
    return (path for path in store.rglob("*") if path.is_file())
