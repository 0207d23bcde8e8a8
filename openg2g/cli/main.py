"""The group of commands, and the one place where errors become messages and exit codes."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword

import click

from openg2g.cli import exit_codes
from openg2g.cli.exit_codes import exit_code_lines, exit_code_of
from openg2g.cli.hints import worded
from openg2g.cli.interruption import interruption_of, raise_ending_signals
from openg2g.cli.options.helps import with_help
from openg2g.cli.options.shared import database_option
from openg2g.models.errors import CatalogError, FilterError

_COMMANDS = {
    "init": "Make a catalog.",
    "import": "Record the workloads of files.",
    "import-history": "Record the versions of a file in git.",
    "validate": "Check files without a catalog.",
    "export": "Write workloads to a file.",
    "check": "Say what a format would lose of workloads.",
    "schema": "Print the JSON Schema of a file format.",
    "check-scripts": "Compare the workloads in scripts with the catalog.",
    "list": "List names with what is in force.",
    "search": "Find workloads by a Python expression.",
    "models": "List model specs with the workloads that use them.",
    "stats": "Count workloads and their GPUs.",
    "audit": "Say when a rule did not hold, and who broke it.",
    "show": "Show a workload and what follows from it.",
    "diff": "Compare two workloads, and say what it means.",
    "set": "Derive a revision by changes written on the command line.",
    "blame": "Say which revision gave each field its value.",
    "log": "List what was recorded, when, by whom and why.",
    "retire": "Retire a name.",
    "restore": "Bring a retired name back.",
    "rename": "Change a name; its history goes along.",
    "tag": "Set and remove tags of a name.",
    "alias": "Let NAME@ALIAS stand for a revision.",
    "copy": "Copy histories from one catalog to another.",
    "verify": "Prove that a catalog or an archive is sound.",
    "db": "Look after the tables of a catalog.",
    "completion": "Print the set-up of shell completion.",
}
"""Name → short help. A table, so that `openg2g --help` and completion import no command."""

_EPILOG = f"""\b
Exit codes:
{exit_code_lines()}

\b
Examples:
  openg2g init --database fleet.db
  openg2g import config.json --name fleet -m "first plan" --database fleet.db
  openg2g show fleet --database fleet.db
"""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in _COMMANDS:
            return None
        module_name = cmd_name.replace("-", "_") + "_" * iskeyword(cmd_name)  # `import` is no name of a module.
        module = import_module(f"openg2g.cli.commands.{module_name}")
        return with_help(module.command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EPILOG)
@click.version_option(None, "-V", "--version", package_name="openg2g-catalog", message="openg2g-catalog %(version)s")
@database_option
def openg2g() -> None:
    """Keep LLM inference workloads in a catalog: stored once, never lost, found again.

    A catalog is one SQLite file, or a PostgreSQL database. A name has numbered revisions; nothing is overwritten.
    NAME is what is in force of a name now, NAME@latest its highest number, NAME@3 its third revision,
    NAME@2026-03-01 what was in force then, sha256:ab12cd34 a workload by its digest.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    if arguments is None:
        _start_again_where_the_locale_is_too_small()
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # Closed by whoever started us.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  It lives as long as we do.
        getattr(sys, name).reconfigure(errors="backslashreplace")  # A label may have no place in the locale's encoding.
    raise_ending_signals()
    sys.exit(run(arguments))


def _start_again_where_the_locale_is_too_small() -> None:
    """Start this process again in Python's UTF-8 mode, where the locale has no place for an argument (LC_ALL=C)."""
    is_undecoded = any("\udc80" <= character <= "\udcff" for argument in sys.argv for character in argument)
    if is_undecoded and not sys.flags.utf8_mode:
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; every failure that a user can cause ends in a message and an exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        result = with_help(openg2g).main(args=given, prog_name="openg2g", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        text = "\n".join(_shown(error.format_message(), given))
        (
            click.UsageError(text, error.ctx) if isinstance(error, click.UsageError) else click.ClickException(text)
        ).show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        text, exit_code = interruption_of(error)
        click.echo(text, err=True)
        return exit_code
    except CatalogError as error:
        for line in _shown(worded(error), given):
            is_picture = isinstance(error, FilterError) and line.startswith("  ")  # The place in an expression.
            click.echo(("" if is_picture else "Error: ") + line, err=True)
        return exit_code_of(error)
    except BrokenPipeError:
        # Nobody reads any more. Python would complain once more when it flushes standard output at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.OTHER
    except OSError as error:  # A full disk behind standard output, for instance.
        for line in _shown(str(error), given):
            click.echo(f"Error: {line}", err=True)
        return exit_codes.FILE


def _shown(message: str, given: Sequence[str]) -> list[str]:
    """Return the lines of a message, without what could steer the terminal, and without secrets of what was given."""
    from openg2g.catalog.engine.location import ENVIRONMENT_VARIABLE
    from openg2g.cli.output.tables import escaped
    from openg2g.models.secrets import without_secrets

    sources = [*given, os.environ.get(ENVIRONMENT_VARIABLE, "")]
    return [escaped(line) for line in without_secrets(message, sources).split("\n")]
