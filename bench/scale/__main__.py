"""`python -m bench.scale`: what a cluster needs for how many rooms and clients.

Alone it writes the tables of `docs/scale.md` and `docs/operations.md` anew; a test keeps them so.
"""

import click

from bench.__main__ import about_machine
from bench.scale import costs, measure, report
from bench.scale.model import Routing
from bench.scale.plan import plan
from bench.scale.workload import Shape, livelier_when_larger, workload


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Write the tables of the documentation, or do what the command says."""
    if context.invoked_subcommand is None:
        for path, text in report.generated().items():
            path.write_text(text, "utf8")


@main.command("plan")
@click.option("--rooms", required=True, type=click.IntRange(1, 100_000))
@click.option("--clients", required=True, type=click.IntRange(1, 10_000_000), help="In all rooms together.")
@click.option("--shape", default=Shape.ZIPF, show_default=True, type=click.Choice(Shape, case_sensitive=False))
@click.option("--rate", type=click.FloatRange(0.1, 1000), help="Events/s in each room, instead of by its size.")
def plan_command(rooms: int, clients: int, shape: Shape, rate: float | None) -> None:
    """What your own cluster needs."""
    if rooms > clients:
        raise click.UsageError("a room without clients is not held: more clients than rooms, please")
    load = workload(rooms, clients, shape, (lambda _: rate) if rate else livelier_when_larger)
    known = costs.read()
    print("\n".join(report.details(load, {routing: plan(load, known, routing) for routing in Routing}, known)))


@main.command("measure")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 20))
def measure_command(rounds: int) -> None:
    """Measure what a step costs, about three minutes, and write docs/scale.json; needs Linux and a redis-server."""
    measure.write(about_machine(), rounds, costs.MEASURED)


if __name__ == "__main__":
    main(prog_name="python -m bench.scale")
