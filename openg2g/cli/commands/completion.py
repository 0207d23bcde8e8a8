"""`openg2g completion`."""

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the set-up of shell completion, which completes commands, options and names of workloads.

    \b
    Examples:
      eval "$(openg2g completion bash)"                                    # in ~/.bashrc
      eval "$(openg2g completion zsh)"                                     # in ~/.zshrc
      openg2g completion fish > ~/.config/fish/completions/openg2g.fish
    """
    completion = get_completion_class(shell)
    assert completion is not None  # Click knows all three.
    root = context.find_root()
    click.echo(completion(root.command, {}, "openg2g", "_OPENG2G_COMPLETE").source())
