"""`python -m simulator`: serve the three providers until interrupted."""

from __future__ import annotations

from datetime import datetime

import click
import orjson

from simulator.control import Simulator


@click.command(name="simulator")
@click.option(
    "--port", type=click.IntRange(0, 65535), required=True, help="Loopback port; 0 takes a free one."
)
@click.option(
    "--calls", type=click.IntRange(0, 16_000_000), default=10_000, show_default=True, help="Calls a provider."
)
@click.option("--seed", type=int, default=1, show_default=True, help="What makes the data.")
@click.option(
    "--latency-ms", type=click.FloatRange(0), default=0.0, show_default=True, help="Added to each answer."
)
@click.option(
    "--days",
    type=click.FloatRange(min=0.001),
    default=30.0,
    show_default=True,
    help="How far calls reach back.",
)
@click.option("--until", help="ISO 8601 with an offset: no call starts later.  [default: now]")
@click.option(
    "--accounts", type=click.IntRange(1, 100), default=1, show_default=True, help="Accounts a provider."
)
@click.option(
    "--etelecom-max-limit",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Most rows of a page.",
)
def main(
    port: int,
    calls: int,
    seed: int,
    latency_ms: float,
    days: float,
    until: str | None,
    accounts: int,
    etelecom_max_limit: int,
) -> None:
    """Serve the call-history APIs of VBot, eTelecom and Voximplant on 127.0.0.1.

    The first line printed is a JSON object: the port, and each provider's base addresses and credentials.
    """
    try:
        last = datetime.fromisoformat(until) if until else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--until") from None
    if last is not None and last.tzinfo is None:
        raise click.BadParameter("an offset is missing, e.g. 2026-01-31T00:00:00+07:00", param_hint="--until")
    simulator = Simulator(
        calls=calls,
        seed=seed,
        days=days,
        until=last,
        latency_ms=latency_ms,
        accounts=accounts,
        port=port,
        etelecom_max_limit=etelecom_max_limit,
    )
    try:
        simulator.run(lambda: click.echo(orjson.dumps(simulator.describe()).decode()))
    finally:
        simulator.close()


if __name__ == "__main__":
    main()
