"""`openg2g search`."""

from datetime import datetime

import click

from openg2g.catalog.search.explain import Explanation
from openg2g.cli.options.shared import on_catalog, open_catalog, parameters_given, scope_options, when_of
from openg2g.cli.output.revisions import EFFECTIVE_FROM, Layout, Listed, echo_listed, list_format_options
from openg2g.cli.output.tables import escaped, say


@click.command("search")
@click.argument("expression", metavar="EXPR")
@scope_options
@click.option("--sort", metavar="KEYS", help="Such as -total_gpus,name: from the greatest, then by name.")
@click.option(
    "--limit", type=click.IntRange(1, 10**9), metavar="N", help="At most N hits, and a token for the next ones."
)
@click.option("--after", metavar="TOKEN", help="Go on where a page of the same search ended.")
@click.option("--count", is_flag=True, help="Only how many there are.")
@click.option("--explain", is_flag=True, help="Show the SQL of the first page, and the plan of the database.")
@list_format_options
@on_catalog
def command(
    context: click.Context,
    expression: str,
    as_of: datetime | None,
    known_at: datetime | None,
    all_revisions: bool,
    parameters: tuple[str, ...],
    sort: str | None,
    limit: int | None,
    after: str | None,
    count: bool,
    explain: bool,
    format_name: str,
    nul: bool,
) -> None:
    """Find the workloads for which a Python expression holds, among those in force now (or --as-of TIME).

    EXPR says something of the workload (models, model_labels, total_gpus, itl_deadline_by_model['X'], ...) and of its
    revision (name, number, recorded_at, effective_from, author, message, source, tags['k'], aliases,
    annotations['k']). It is read, never executed. What has no value, such as the deadline of a model that is not
    served, makes a comparison false. A date in EXPR begins in UTC.

    \b
    Language:
      and or not  == != < <= > >=  in  + - * / // %  x if c else y  models[0]
      any all sum min max len over loops: any(m.num_replicas > 9 for m in models)
      text.startswith('a') .endswith('a') .lower() .upper(), fnmatch(text, 'a*')
      date('2026-03-01'), or the text alone beside a time

    \b
    Sort keys:
      name number total_gpus num_models least_itl_deadline_s digest author
      greatest_itl_deadline_s recorded_at effective_from message source

    \b
    Examples:
      openg2g search "total_gpus < 7200 and 'Llama-3.1-70B' in model_labels"
      openg2g search "any(m.itl_deadline_s < 0.1 and 256 in m.feasible_batch_sizes
                      for m in models)" --as-of 2026-04-01
      openg2g search "total_gpus < limit" --param limit=7200 --sort -total_gpus
      openg2g search "author == 'Ada'" --all-revisions --format jsonl
      openg2g search "name.startswith('sweep/')" --format references -0 | xargs -0 -n 1 openg2g show
    """
    when = when_of(as_of, known_at, all_revisions)
    order = () if sort is None else sort
    values = parameters_given(parameters)
    if count and (limit or after or sort or explain):
        raise click.UsageError("--count counts all hits: leave --limit, --after, --sort and --explain out.")
    if explain and after:
        raise click.UsageError("--explain shows the first page: leave --after out.")
    if (count or explain) and (nul or format_name != "table"):
        raise click.UsageError("--count and --explain have a form of their own: leave --format and -0 out.")
    with open_catalog(context) as catalog:
        if count:
            click.echo(catalog.count_hits(expression, values, when=when))
            return
        if explain:
            _show(catalog.explain_search(expression, values, when=when, sort=order, limit=limit or 100))
            return
        token = None
        if limit is None:
            hits = catalog.search(expression, values, when=when, sort=order, after=after)
        else:
            page = catalog.search_page(expression, values, when=when, sort=order, limit=limit, after=after)
            hits, token = iter(page.revisions), page.next_token
        echo_listed(
            map(Listed, hits),
            format_name,
            nul=nul,
            nothing=lambda: "No workload matches.",
            layout=Layout(time=EFFECTIVE_FROM) if all_revisions else Layout(),
        )
    if token is not None:
        say(f"There are more: --after {token}")


def _show(explanation: Explanation) -> None:
    for line in explanation.statement.split("\n"):
        click.echo(escaped(line.rstrip()))
    click.echo()
    for name, value in explanation.parameters.items():
        click.echo(escaped(f"{name} = {value!r}"))
    click.echo()
    for line in explanation.plan:
        click.echo(escaped(line))
