"""The reference page of the command line, made from the command line itself.

``python -m evernormal.app.reference [PATH]`` writes it to PATH, or prints it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import typer

from evernormal.app.failure import EXIT_CODES
from evernormal.app.main import PROGRAM, app
from evernormal.app.settings import DATA_DIRECTORY_VARIABLE

__all__ = ["commands", "render"]

_HEAD = f"""# Commands

<!-- Made by `python -m evernormal.app.reference`; do not edit. -->

Every command has `--help` and `--json`. With `--json`, standard output is exactly one JSON document, also
when the command fails: then it is `{{"error", "what", "where", "cure"}}`. Messages and progress bars go to
standard error.
Unknown numbers are `null` in JSON and `unknown` in tables, never 0.

`{PROGRAM} --install-completion` teaches your shell the commands, options, scenarios, forms and countries.

The folder for your own data is the platform's data directory; the environment variable
`{DATA_DIRECTORY_VARIABLE}` names another one.
"""


def commands(command: Any = None, path: str = PROGRAM) -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, with its full name.

    Args:
        command: where to start; the whole command line when omitted.
        path: full name of ``command``.
    """
    command = typer.main.get_command(app) if command is None else command
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, child in below.items():
        yield from commands(child, f"{path} {name}")


def render() -> str:
    """Return the page as Markdown."""
    parts = [_HEAD, _exit_codes(), "## Options of every command\n", _options(typer.main.get_command(app))]
    for path, command in commands():
        parts += [
            f"## `{path}`\n",
            f"{_usage(path, command)}\n",
            f"{_unfold(command.help)}\n",
            _options(command),
        ]
        example = _unfold(command.epilog).removeprefix("Example: ")
        parts.append(f"```sh\n{example}\n```\n" if example else "")
    return "\n".join(part for part in parts if part).rstrip() + "\n"


def _exit_codes() -> str:
    rows = "\n".join(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items())
    return f"## Exit codes\n\n| code | meaning |\n|---|---|\n{rows}\n"


def _usage(path: str, command: Any) -> str:
    arguments = [_metavar(p) for p in command.params if p.param_type_name == "argument"]
    return f"`{' '.join([path, *arguments, '[OPTIONS]'])}`"


def _options(command: Any) -> str:
    rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
    if not rows:
        return ""
    return "| argument or option | meaning | default |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = _metavar(parameter)
    else:
        name = ", ".join([*parameter.opts, *parameter.secondary_opts]) + _value_name(parameter)
    return f"| `{name}` | {_unfold(parameter.help)} | {_default(parameter)} |"


def _metavar(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _value_name(parameter: Any) -> str:
    if getattr(parameter, "is_flag", False):
        return ""
    annotation = parameter.type_descriptor.annotation
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " " + "\\|".join(str(choice.value) for choice in annotation)
    return f" {parameter.metavar or getattr(annotation, '__name__', 'text').upper()}"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = getattr(parameter.default, "value", parameter.default)
    return "" if value is None or value is False or value == () else f"`{value}`"


def _unfold(text: str | None) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (text or "").strip().split("\n\n"))


if __name__ == "__main__":
    page = render()
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(page, "utf-8")
    else:
        sys.stdout.write(page)
