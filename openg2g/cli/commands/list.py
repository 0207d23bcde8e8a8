"""`openg2g list`."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import click

from openg2g.catalog import NameStatus
from openg2g.cli.options.shared import on_catalog, open_catalog, viewpoint_options
from openg2g.cli.output.revisions import (
    EFFECTIVE_FROM,
    Layout,
    Listed,
    echo_listed,
    list_format_options,
    newer_kind,
    say_waiting,
)


@click.command("list")
@click.argument("pattern", default="*", metavar="[GLOB]")
@viewpoint_options
@click.option("--latest", is_flag=True, help="The revision with the highest number of each name, in force or not.")
@click.option("--retired", "with_retired", is_flag=True, help="Include retired names.")
@list_format_options
@on_catalog
def command(
    context: click.Context,
    pattern: str,
    as_of: datetime | None,
    known_at: datetime | None,
    latest: bool,
    with_retired: bool,
    format_name: str,
    nul: bool,
) -> None:
    """List the names that match GLOB (* ? [...], case counts), with what is in force of each.

    A name is marked where it has a newer revision, which is planned for later or dated back. Names of which nothing is
    in force yet are named on standard error; --latest lists them, too. `openg2g search` finds workloads by what they
    mean.

    \b
    Examples:
      openg2g list
      openg2g list 'sweep/*' --format names
      openg2g list --as-of 2026-03-01
      openg2g list --latest
    """
    if latest and as_of is not None:
        raise click.UsageError("--latest lists the highest numbers, in force or not: leave it or --as-of out.")
    waiting: list[str] = []
    with open_catalog(context) as catalog:
        statuses = catalog.iter_statuses(pattern, as_of=as_of, known_at=known_at)
        chosen = (status for status in statuses if with_retired or not status.is_retired)
        is_now = as_of is None
        echo_listed(
            _latest(chosen) if latest else _in_force(chosen, waiting, is_now=is_now),
            format_name,
            nul=nul,
            nothing=lambda: _nothing(
                bool(catalog.list_names(pattern)), pattern, waiting, is_now=as_of is None and known_at is None
            ),
            layout=_LATEST if latest else _IN_FORCE,
        )
    if is_now:
        say_waiting(waiting)


_FACTS = ("in_force_number", "latest_number")
_IN_FORCE = Layout(note="newer", facts=_FACTS)
_LATEST = Layout(time=EFFECTIVE_FROM, note="in force", facts=_FACTS)


def _in_force(statuses: Iterable[NameStatus], waiting: list[str], *, is_now: bool) -> Iterator[Listed]:
    for status in statuses:
        if status.in_force is None:
            waiting.append(status.name)
        else:
            # Of another time it would say no more than that time went on.
            note = f"@{status.newer.number} {newer_kind(status)}" if is_now and status.newer is not None else ""
            yield Listed(status.in_force, _numbers(status), note)


def _latest(statuses: Iterable[NameStatus]) -> Iterator[Listed]:
    for status in statuses:
        in_force = "nothing yet" if status.in_force is None else f"@{status.in_force.number}"
        yield Listed(status.latest, _numbers(status), "" if status.in_force == status.latest else in_force)


def _numbers(status: NameStatus) -> tuple[int | None, int]:
    return None if status.in_force is None else status.in_force.number, status.latest.number


def _nothing(has_names: bool, pattern: str, waiting: list[str], *, is_now: bool) -> str:
    if not has_names:
        return "The catalog is empty." if pattern == "*" else f"No name matches {pattern}."
    if not is_now:
        return "Nothing was in force then."
    return "Nothing is in force yet." if waiting else "Every name is retired; --retired lists them."
