"""`callsync verify`: whether the warehouse holds what the providers show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from pipelines.commands.ending import DIFFERS, DONE, FAILED, leave, remember
from pipelines.commands.reading import execute, range_of
from pipelines.commands.telling import log_format_option, reporter
from pipelines.streams import complain

if TYPE_CHECKING:
    from pipelines.verifying import Verified

KINDS = ("missing", "changed", "gone")
MOST_IDS_SHOWN = 10
"""Ids of a window and kind that a line names; --json has all."""


@click.command()
@click.argument("selectors", metavar="[SEL]...", nargs=-1)
@click.option("--from", "start", metavar="DATE", help="First day; otherwise the first that was read.")
@click.option("--to", "end", metavar="DATE", help="Day (or time) after the last one; otherwise now.")
@click.option("--repair", is_flag=True, help="Read again what differs, and compare that once more.")
@click.option("--json", "as_json", is_flag=True, help="For machines; times in UTC.")
@log_format_option
def verify(
    selectors: tuple[str, ...],
    start: str | None,
    end: str | None,
    repair: bool,
    as_json: bool,
    log_format: str,
) -> None:
    """Compare counts, ids and contents of calls with the providers, window by window.

    Everything that was ever read is walked again, or the days from --from to --to; nothing is written but how
    it ended.
    Differences are listed and the exit code is 4. Calls that a provider no longer shows are listed too; they
    are kept and are no difference. Run a sync first: what it would bring is a difference here.
    """
    began = datetime.now(UTC)
    from pipelines import config as configuration
    from pipelines import verifying
    from pipelines.planning import Plan
    from sources.windows import Intervals, span

    config = configuration.load()
    accounts = config.selected(selectors)
    zone = config.general.reporting_timezone
    first, last = range_of(start or "0001-01-02", end or datetime.now(UTC).isoformat(), zone)
    wanted = {str(account): span(first, last) for account in accounts}

    def compare(chosen: Sequence[Any]) -> list[Verified]:
        with reporter(log_format) as told:
            return list(verifying.verify(config, chosen, wanted, observe=told.observe))

    found = compare(accounts)
    if repair and any(verified.differing for verified in found):
        _show(found, to_error=True)
        wanted = {str(verified.account): verified.differing for verified in found if verified.differing}
        again = [account for account in accounts if str(account) in wanted]
        windows = Intervals.of(window for differing in wanted.values() for window in differing).windows
        plan = Plan("backfill", windows[0].start, windows[-1].end, force=True, within=wanted)
        code = FAILED
        try:
            names = [str(account) for account in again]
            code = execute(config, names, plan, log_format, to_error=as_json).exit_code
        finally:
            # Who reads the output is told what was found, also where it could not be mended.
            if as_json and code:
                _show(found, as_json=True)
        leave(code)
        errors = {str(verified.account): verified.error for verified in found}
        # What could not be compared the first time was not compared the second time either.
        compared = [replace(each, error=each.error or errors[str(each.account)]) for each in compare(again)]
        found = [verified for verified in found if str(verified.account) not in wanted] + compared
    _show(found, as_json=as_json)
    code = (
        FAILED
        if any(verified.error for verified in found)
        else DIFFERS
        if any(verified.differing for verified in found)
        else DONE
    )
    remember(str(click.get_current_context().obj), began, code, _why(found))
    leave(code)


def _why(found: Sequence[Verified]) -> str | None:
    """What is wrong with the accounts, in one line."""
    reasons = []
    for verified in found:
        counts = {kind: sum(len(getattr(one, kind)) for one in verified.windows) for kind in KINDS[:2]}
        differing = sum(compared.differs for compared in verified.windows)
        if verified.error:
            reasons.append(f"{verified.account}: {verified.error}")
        if differing:
            calls = ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)
            reasons.append(
                f"{verified.account}: {calls} in {differing:,} of {len(verified.windows):,} windows"
            )
    return "; ".join(reasons) or None


def _show(found: Sequence[Verified], *, as_json: bool = False, to_error: bool = False) -> None:
    """What was found: a line an account, and one for each window and kind of difference."""
    if as_json:
        click.echo(json.dumps({"accounts": [_as_json(verified) for verified in found]}, indent=2))
    for verified in found:
        if as_json or (verified.error and not verified.windows):
            continue
        if not verified.windows:
            click.echo(
                f"{verified.account}: nothing of it was read yet, so there is nothing to compare",
                err=to_error,
            )
            continue
        differing = sum(compared.differs for compared in verified.windows)
        shown = sum(compared.shown for compared in verified.windows)
        gone = sum(len(compared.gone) for compared in verified.windows)
        verdict = f"{differing:,} differ" if differing else "all equal"
        kept = f"; {gone:,} kept that the provider no longer shows" if gone else ""
        click.echo(
            f"{verified.account}: {shown:,} calls in {len(verified.windows):,} windows, {verdict}{kept}",
            err=to_error,
        )
        for compared in verified.windows:
            for kind in KINDS:
                if ids := getattr(compared, kind):
                    click.echo(f"  {compared.window}  {len(ids):,} {kind}: {_named(ids)}", err=to_error)
    for verified in found:
        if verified.error:
            complain(f"{verified.account}: {verified.error}")


def _named(ids: Sequence[str]) -> str:
    from sources.printing import printable

    more = f" and {len(ids) - MOST_IDS_SHOWN:,} more" if len(ids) > MOST_IDS_SHOWN else ""
    return ", ".join(printable(call_id) for call_id in ids[:MOST_IDS_SHOWN]) + more


def _as_json(verified: Verified) -> dict[str, Any]:
    return {
        "account": str(verified.account),
        "error": verified.error,
        "windows": [
            {
                "window_start": compared.window.start.isoformat(),
                "window_end": compared.window.end.isoformat(),
                "provider_total": compared.total,
                "shown": compared.shown,
                "held": compared.held,
                **{kind: list(getattr(compared, kind)) for kind in KINDS},
            }
            for compared in verified.windows
        ],
    }
