"""`conveyor table`: the answers of a run as CSV, a workbook or Parquet."""

from pathlib import Path

import click

from conveyor_cli.aws.errors import explained
from conveyor_cli.commands.named import to_read
from conveyor_cli.commands.options import with_look, with_stack
from conveyor_cli.exits import Exit
from conveyor_cli.files.progress import Progress
from conveyor_cli.screen.screen import Screen
from conveyor_cli.stacks.chosen import Choice, find
from conveyor_cli.trouble import Trouble

_PATH = click.Path(path_type=Path)


@click.command(short_help="Write the answers of a run as a table.")
@click.argument("run", required=False)
@click.option("-o", "--output", metavar="FILE", type=_PATH, required=True, help="A name with .csv, .xlsx or .parquet.")
@click.option("--from", "folder", metavar="FOLDER", type=_PATH, help="Read the files that `fetch` has written there.")
@click.option("--merged", is_flag=True, help="With what later drops of its retry.jsonl have answered.")
@click.option(
    "--join", metavar="TABLE", type=_PATH, help="The table that the requests came from: its rows, in its order."
)
@click.option("--on", metavar="COLUMN", help="Its column with the ids; found out by default.")
@click.option("--sheet", metavar="NAME", help="The sheet of a workbook that is joined.")
@click.option("--separator", metavar="CHARACTER", help="What separates the columns of a text that is joined.")
@click.option("--encoding", metavar="NAME", help="Of a text that is joined, such as cp1252.")
@click.option(
    "--fields", metavar="NAMES", help="Of answers that are JSON objects, these fields only: names with commas."
)
@click.option("--failed", is_flag=True, help="Failures only, with their cause.")
@click.option("--stop-reason", metavar="REASON", help="Only answers that ended so, such as max_tokens.")
@click.option("--excel", is_flag=True, help="CSV that is safe to open in a spreadsheet: no text becomes a formula.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@with_stack
@with_look
@click.pass_obj
def table(  # noqa: PLR0913 - one for each option
    screen: Screen,
    *,
    run: str | None,
    output: Path,
    folder: Path | None,
    merged: bool,
    join: Path | None,
    on: str | None,
    sheet: str | None,
    separator: str | None,
    encoding: str | None,
    fields: str | None,
    failed: bool,
    stop_reason: str | None,
    excel: bool,
    force: bool,
    stack: str | None,
    region: str | None,
    local: bool,
) -> None:
    """Write the answers of a run as a table, a row for each request, in the order of the drop.

    RUN: its id, or the newest run of a name. It may be left out with --from, which needs no stack.
    """
    from conveyor_cli.answers import source  # noqa: PLC0415 - help and completion need none of these
    from conveyor_cli.answers.make import Made, make  # noqa: PLC0415
    from conveyor_cli.answers.show import as_json, show  # noqa: PLC0415
    from conveyor_cli.answers.wish import Wish  # noqa: PLC0415
    from conveyor_cli.tables.table import Reading  # noqa: PLC0415

    reading = Reading(sheet, separator, encoding)
    wish = Wish(output, join, on, reading, fields, failed, stop_reason, excel, force)
    wish.check()

    def of_run(name: str, progress: Progress) -> Made:
        chosen = find(Choice(stack, region, is_local=local))
        with explained():
            found = to_read(screen, chosen.bucket, name)
        if merged:
            return make(wish, lambda scratch: source.of_run_merged(chosen, found, scratch, progress))
        return make(wish, lambda _: source.of_run(chosen, found, progress))

    if folder is not None:
        made = make(wish, lambda _: source.of_folder(folder, run, is_merged=merged))
    elif run is not None:
        with screen.transfer() as transfer:
            made = of_run(run, transfer)
    else:
        raise Trouble("usage", "Name a run, or a folder with --from", "Nothing was changed.", exit_code=Exit.USAGE)
    if screen.look.json:
        screen.json(**as_json(made))
    else:
        show(screen, made)
