"""`python -m ingestor`: the service; with a command, the tools that make captures and look into them."""

import click

from ingestor.decode import decode_command, events_command
from ingestor.record import record_command


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Hold leases on rooms and publish what happens in them. Settings are environment variables, see the README."""
    if context.invoked_subcommand is None:
        serve()


def serve() -> None:
    """Run the service until it is told to stop."""
    from ingestor.service import run  # the tools do without all that the service needs

    run()


main.add_command(decode_command)
main.add_command(events_command)
main.add_command(record_command)

if __name__ == "__main__":
    main(prog_name="python -m ingestor")
