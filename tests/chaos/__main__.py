"""`make chaos`, or `python -m tests.chaos`: break things for a while, and say what came of it."""

import asyncio
import sys
import tempfile
from pathlib import Path

import click

from tests.chaos.chaos import Outcome, run, table
from tests.chaos.faults import FAULTS, POSSIBLE


@click.command()
@click.option("--seed", "seeds", multiple=True, type=int, default=(1, 2, 3), show_default=True)
@click.option("--seconds", type=click.FloatRange(1, 86_400), default=400.0, show_default=True, help="For each seed.")
@click.option(
    "--redis", type=click.Choice(list(POSSIBLE)), default="single", show_default=True, help="How Redis is run."
)
@click.option("--fault", "kinds", multiple=True, type=click.Choice(list(FAULTS)), help="These only; all by default.")
@click.option("--count", type=click.IntRange(1), help="Faults at most, for each seed.")
@click.option("--clients", type=click.IntRange(1, 500), default=2, show_default=True, help="In each of the rooms.")
@click.option("--keep", type=click.Path(path_type=Path), help="Folder for the output of all processes.")
def main(
    seeds: tuple[int, ...],
    seconds: float,
    redis: str,
    kinds: tuple[str, ...],
    count: int | None,
    clients: int,
    keep: Path | None,
) -> None:
    """Break a whole cluster at random, and judge what its clients got."""
    if impossible := set(kinds) - set(POSSIBLE[redis]):
        raise click.BadParameter(f"not with --redis {redis}: {', '.join(sorted(impossible))}", param_hint="--fault")
    if keep and any((keep / str(seed)).exists() for seed in seeds):
        raise click.BadParameter("holds the output of another run", param_hint="--keep")
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as temporary:
        for seed in seeds:
            folder = (keep or Path(temporary)) / str(seed)
            outcome = asyncio.run(
                run(
                    folder,
                    seed=seed,
                    seconds=seconds,
                    kinds=kinds or list(POSSIBLE[redis]),
                    most=count,
                    clients=clients,
                    redis=redis,
                )
            )
            outcomes.append(outcome)
            for verdict in outcome.verdicts:
                for what, ids in verdict.faults().items():
                    print(f"seed {seed} {verdict.room}: {what}, {len(ids)}: {' '.join(ids[:12])}")
            for what in outcome.stuck:
                print(f"seed {seed}: stuck, {what}")
    print(table(outcomes))
    sys.exit(0 if all(outcome.is_clean for outcome in outcomes) else 1)


if __name__ == "__main__":
    main()
