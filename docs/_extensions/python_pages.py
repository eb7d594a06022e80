"""The Python reference, as Markdown: every module with something public, drawn from the package itself."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from types import ModuleType

import evernormal

__all__ = ["python_reference"]

PACKAGE = Path(evernormal.__file__).parent
ABOVE_ALL = "package"


def python_reference(room: str) -> str:
    """Every public module of a room (``package``: what stands above all rooms)."""
    folder = PACKAGE if room == ABOVE_ALL else PACKAGE / room
    paths = sorted(folder.glob("*.py") if room == ABOVE_ALL else folder.rglob("*.py"))
    return "\n".join(_section(name) for path in paths if (name := _name(path)) is not None)


def _name(path: Path) -> str | None:
    """Dotted name of a module that says what is public, else None."""
    if path.name == "__main__.py" or "__all__" not in path.read_text("utf-8"):
        return None
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def _section(name: str) -> str:
    module = importlib.import_module(name)
    lines = [f".. automodule:: {name}"]
    if not hasattr(module, "__path__"):
        lines.append("   :members:")
        foreign = _defined_elsewhere(module)
        if foreign:
            lines.append(f"   :exclude-members: {', '.join(foreign)}")
    return f"## {name}\n\n```{{eval-rst}}\n" + "\n".join(lines) + "\n```\n"


def _defined_elsewhere(module: ModuleType) -> list[str]:
    """Public names that a module passes on from another one, where they are documented."""
    things = {name: getattr(module, name) for name in module.__all__}
    return [
        name
        for name, thing in things.items()
        if (inspect.isclass(thing) or inspect.isfunction(thing)) and thing.__module__ != module.__name__
    ]
