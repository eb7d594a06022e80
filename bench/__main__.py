"""Run every benchmark, or those named: ``python -m bench engine``; ``--rows N`` sets the size of ``baci``."""

from __future__ import annotations

import importlib
import sys

BENCHMARKS = ("engine", "ensemble", "geopolrisk", "baci")


def main(names: list[str]) -> int:
    """Run the named benchmarks, all when none is named."""
    rows = None
    if "--rows" in names:
        place = names.index("--rows")
        rows = int(names[place + 1])
        names = names[:place] + names[place + 2 :]
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"unknown benchmark {unknown[0]!r}; known: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        module = importlib.import_module(f"bench.{name}")
        print(f"# {name}: {(module.__doc__ or '').splitlines()[0]}")
        module.main(rows) if name == "baci" and rows else module.main()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
