"""`conveyor approve`: let a run pay on that waits at a gate, once a person has seen what that costs."""

import click

from conveyor.domain import keys
from conveyor.gates.approval import Approval
from conveyor.gates.probe_message import cost_words
from conveyor.ledger.gate_facts import Gate
from conveyor.wording.bounds import interval_of
from conveyor.wording.marks import Mark
from conveyor.wording.numbers import money, number, rounded_up
from conveyor.wording.text import sentence
from conveyor_cli.aws.errors import explained
from conveyor_cli.commands.decisions.asking import ask, show
from conveyor_cli.commands.decisions.wish import unknown_row
from conveyor_cli.commands.named import warn_of_others
from conveyor_cli.commands.options import Amount, with_look, with_stack
from conveyor_cli.deciding.approving import approval, gate_of, refuse_changed
from conveyor_cli.runs.desk import Going, going
from conveyor_cli.screen.screen import Screen
from conveyor_cli.stacks.chosen import Choice, find


@click.command(short_help="Approve a run that waits: see what it costs, and let it go on.")
@click.argument("run")
@click.option(
    "--up-to", type=Amount(), metavar="USD", help="What the run may cost in all, as 61.40; by default what it needs."
)
@click.option("--no-limit", is_flag=True, help="Let it cost whatever it costs.")
@click.option("--yes", is_flag=True, help="Do not ask. Then --up-to or --no-limit must say how much.")
@with_stack
@with_look
@click.pass_obj
def approve(  # noqa: PLR0913 - one for each option
    screen: Screen,
    *,
    run: str,
    up_to: str | None,
    no_limit: bool,
    yes: bool,
    stack: str | None,
    region: str | None,
    local: bool,
) -> None:
    """Approve a run that waits, named by its id, or the newest run of a name."""
    bucket = find(Choice(stack, region, is_local=local)).bucket
    with explained():
        found = going(bucket, run)
        warn_of_others(screen, run, found.run, found.others)
        gate = gate_of(found)
        is_shown = screen.asks and not yes
        words, allowed = approval(gate, up_to, no_limit=no_limit, is_shown=is_shown, called=run)
        if not screen.look.json:
            _show(screen, found, gate, allowed)
        ask(screen, "approve", "let it go on", is_said=yes)
        if not yes:
            refuse_changed(bucket, found)
        bucket.put(found.control(keys.approval_name(found.run_state.gate)), f"{words}\n".encode())
    if screen.look.json:
        screen.json(run=found.run.run, done="approve", words=words)
    else:
        screen.verdict(Mark.OK, f"Approved: {words}", "The run goes on at the next look, within a few minutes.")


def _show(screen: Screen, found: Going, gate: Gate, allowed: Approval) -> None:
    """Show what the run costs, and why it waits, with the words of the message about it."""
    reasons = [f"Why it waits: {sentence(reason.message)}" for reason in gate.reasons]
    plan, counts = found.plan, found.requests
    costs = f"It {cost_words(gate, plan.drop)}." if plan else ""
    screen.verdict(found.state.mark, f"{found.run.name}: {found.state.words}", costs, *reasons)
    rows = [
        ("not sent", number(counts.unsent), "requests: sent once you approve"),
        *unknown_row(counts),
        ("sent before", number(counts.under_way + counts.done), "requests: go on in any case"),
    ]
    if of := gate.forecast:
        rows.append(("forecast", money(of.usd), f"between {' and '.join(interval_of(of))}"))
    if allowed.has_no_limit:
        rows.append(("you allow", "any", "amount"))
    elif allowed.up_to is not None:
        rows.append(("you allow", rounded_up(allowed.up_to), "in all; the run waits again before it costs more"))
    if gate.until:
        rows.append(("until", f"{gate.until:%d %b}", f"{gate.until:%H:%M} UTC: then the run is declined"))
    show(screen, rows)
