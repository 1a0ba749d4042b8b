"""`conveyor report`: the page of a run, as a file or in the browser."""

import tempfile
import webbrowser
from pathlib import Path
from shlex import quote

import click
import msgspec

from conveyor.ledger.run_facts import Run
from conveyor.wording.marks import Mark
from conveyor_cli.aws.errors import explained
from conveyor_cli.commands.named import to_read
from conveyor_cli.commands.options import with_look, with_stack
from conveyor_cli.exits import Exit
from conveyor_cli.files.disk import AS_FILE, explained_disk, refuse_no_file, write_whole
from conveyor_cli.files.fetch import folder_of
from conveyor_cli.reports.page import Page, page_of_run, receipt_of_run
from conveyor_cli.runs.find import called_by
from conveyor_cli.screen.screen import Screen
from conveyor_cli.stacks.chosen import Choice, ChosenStack, find
from conveyor_cli.trouble import Trouble

_MADE = "The run has no page of its own, as runs of earlier releases: this one was made from its receipt."


@click.command(short_help="Fetch the page of a run, or open it in the browser.")
@click.argument("run", required=False)
@click.option("--open", "opens", is_flag=True, help="Open it in the browser; without -o it is a temporary file.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it here.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@with_stack
@with_look
@click.pass_obj
def report(  # noqa: PLR0913 - one for each option
    screen: Screen,
    *,
    run: str | None,
    opens: bool,
    output: Path | None,
    force: bool,
    stack: str | None,
    region: str | None,
    local: bool,
) -> Exit | None:
    """Fetch the page of a run that has ended, report.html: named by its id, or the newest run of a name or of all.

    With --json nothing is written to a file: it prints what the page shows.
    """
    if screen.look.json and (opens or output):
        raise Trouble("usage", "--json writes no file, so it excludes --open and -o", exit_code=Exit.USAGE)
    chosen = find(Choice(stack, region, is_local=local))
    with explained():
        found = to_read(screen, chosen.bucket, run)
    called = quote(called_by(found, run))
    if screen.look.json:
        _print_data(screen, chosen, found, called)
        return None
    page = page_of_run(chosen.bucket, found, called)
    path = _temporary(found) if opens and output is None else output or Path(f"{folder_of(found)}-report.html")
    _write(path, page, is_forced=force or (output is None and opens))
    return _tell(screen, found, path, page, opens=opens)


def _print_data(screen: Screen, chosen: ChosenStack, run: Run, called: str) -> None:
    from conveyor.page.data import report_of  # noqa: PLC0415 - help and completion need none of it

    data = report_of(receipt_of_run(chosen.bucket, run, called))
    screen.json(**msgspec.structs.asdict(data))


def _temporary(run: Run) -> Path:
    """Return an empty file that nobody else may read."""
    with tempfile.NamedTemporaryFile(prefix=f"{folder_of(run)}-report-", suffix=".html", delete=False) as file:
        return Path(file.name)


def _write(path: Path, page: Page, *, is_forced: bool) -> None:
    """Write the page. Raises Trouble if there is another file."""
    with explained_disk(path, AS_FILE):
        refuse_no_file(path)
        is_there = path.exists()
        is_same = is_there and path.read_bytes() == page.html
    if is_there and not is_same and not is_forced:
        more = "Nothing was changed. Replace it with --force, or name another file with -o."
        raise Trouble("another-file", f"{path} is there already, and is another file", more, exit_code=Exit.USAGE)
    if not is_same:
        write_whole(path, page.html, AS_FILE)


def _tell(screen: Screen, run: Run, path: Path, page: Page, *, opens: bool) -> Exit | None:
    made = [_MADE] if page.is_made else []
    said = f"The report of {run.name} is {path}"
    if not opens:
        screen.verdict(Mark.OK, said, *made)
        return None
    if webbrowser.open(path.resolve().as_uri()):
        screen.verdict(Mark.OK, said, *made, "It opens in your browser.")
        return None
    screen.verdict(Mark.LOOK, said, *made, "No browser could be started here: open the file yourself.")
    return Exit.SURROUNDINGS
