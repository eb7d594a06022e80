"""The command ``evernormal``: builds the command line, runs it, and ends with the documented exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from evernormal.app import failure, output
from evernormal.app.commands import (
    backtest,
    bloc,
    brief,
    codes,
    compare,
    data,
    economy,
    ensemble,
    explain,
    exposure,
    fetch,
    forecast,
    form,
    hazards,
    indicator,
    mirror,
    network,
    policies,
    scenario,
    shares,
    targets,
    template,
    trace,
    verify,
    version,
    visibility,
)

__all__ = ["app", "main", "run"]

PROGRAM = "evernormal"

app = typer.Typer(
    name=PROGRAM,
    help="Critical-mineral security: what is known, what would happen, what to do.",
    epilog="Example: evernormal brief lithium-hydroxide-100 --out out/lithium",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Print the traceback of an error as well.")] = False,
) -> None:
    """Hold the options of every command; ``run`` reads them."""


brief.register(app)
bloc.register(app)
backtest.register(app)
ensemble.register(app)
shares.register(app)
indicator.register(app)
forecast.register(app)
exposure.register(app)
targets.register(app)
hazards.register(app)
economy.register(app)
trace.register(app)
codes.register(app)
explain.register(app)
app.add_typer(network.app, name="network")
app.add_typer(scenario.app, name="scenario")
app.add_typer(form.app, name="form")
data.app.add_typer(fetch.app, name="fetch")
mirror.register(data.app)
compare.register(data.app)
policies.register(data.app)
template.register(data.app)
app.add_typer(data.app, name="data")
visibility.register(app)
verify.register(app)
version.register(app)


def main() -> NoReturn:
    """Run the command line of this process and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code (:data:`evernormal.app.failure.EXIT_CODES`).

    Args:
        arguments: what follows ``evernormal`` on the command line.
    """
    output.prepare_streams()
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    as_json, debug = "--json" in arguments[:end], "--debug" in arguments[:end]
    asked = [a for a in arguments[:end] if a != "--debug"] + list(arguments[end:])
    try:
        code = _execute(asked)
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        _discard_output()
        return failure.PIPE_CLOSED
    except KeyboardInterrupt:
        code = failure.INTERRUPTED
    except Exception as error:
        code = _report(error, asked, as_json=as_json, debug=debug)
    if code == failure.INTERRUPTED:
        _say_interrupted(as_json=as_json)
    return code


def _say_interrupted(*, as_json: bool) -> None:
    text = "what was not finished was not kept"
    output.print_line(f"Interrupted; {text}.", error=True)
    if as_json:
        output.print_json(
            {"error": "Interrupted", "what": text, "where": "", "cure": "Run the command again."}
        )


def _execute(arguments: Sequence[str]) -> int:
    """Run the command line without Typer's own handling of errors."""
    command = typer.main.get_command(app)
    try:
        code = command(args=list(arguments), prog_name=PROGRAM, standalone_mode=False)
    except SystemExit as stop:
        if stop.code == 1:  # so Typer and Rich end when nobody reads their output
            raise BrokenPipeError from stop
        code = stop.code
    return code if isinstance(code, int) else 0


def _report(error: Exception, arguments: Sequence[str], *, as_json: bool, debug: bool) -> int:
    """Tell what went wrong: people on standard error, programs in the one JSON document."""
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    known = failure.explain_failure(error, arguments=arguments)
    if not known.what:  # a group without a command: its help has been printed
        return known.exit_code
    failure.show(known)
    try:
        if as_json:
            output.print_json(known.as_dict())
        sys.stdout.flush()
    except OSError:
        _discard_output()
    return known.exit_code


def _discard_output() -> None:
    """Keep the interpreter from failing again when it flushes what nobody can read."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


if __name__ == "__main__":
    main()
