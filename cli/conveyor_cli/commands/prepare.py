"""`conveyor prepare`: requests from a table or a folder of files."""

from pathlib import Path
from typing import Any

import click

from conveyor_cli.commands.options import with_look
from conveyor_cli.screen.screen import Screen

_MAX_TOKENS = 1024


@click.command(short_help="Make requests from a table, or from a folder of files.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--template", metavar="FILE", type=click.Path(path_type=Path), required=True, help="The prompt, in Jinja."
)
@click.option("--system", metavar="FILE", type=click.Path(path_type=Path), help="The system prompt, in Jinja.")
@click.option("--cache-system", is_flag=True, help="Have the provider cache the system prompt, for an hour.")
@click.option("--model", metavar="NAME", help="The model of all requests.")
@click.option("--model-column", metavar="COLUMN", help="The column that names the model of each request.")
@click.option(
    "--max-tokens",
    metavar="N",
    type=click.IntRange(min=1),
    default=_MAX_TOKENS,
    show_default=True,
    help="The longest answer.",
)
@click.option("--max-tokens-column", metavar="COLUMN", help="The column that has it; --max-tokens where it is empty.")
@click.option("--id", "id_column", metavar="COLUMN", help="The column of ids. By default custom_id, or row-1, row-2 …")
@click.option(
    "--keep",
    metavar="COLUMNS",
    help="Columns to carry along: names with commas, all, or none. By default those that the prompt does not use.",
)
@click.option("--schema", metavar="FILE", type=click.Path(path_type=Path), help="The JSON Schema of answers.")
@click.option("--sheet", metavar="NAME", help="The sheet of a workbook.")
@click.option("--separator", metavar="CHARACTER", help="What separates the columns of a text; found out by default.")
@click.option("--encoding", metavar="NAME", help="Of a text, such as cp1252. By default UTF-8, or UTF-16 with a mark.")
@click.option("--skip-empty", metavar="COLUMN", multiple=True, help="Leave out rows in which this column is empty.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="Make no more requests than that.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The file to write; by default named after the table.",
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@with_look
@click.pass_obj
def prepare(screen: Screen, /, **given: Any) -> None:  # noqa: ANN401 - the fields of Wish
    """Make a file of requests: one for each row of a table, or for each file of a folder.

    FILE: CSV, or text with tabs or semicolons; Parquet; JSON, a record a line or an array; a sheet of Excel; or a
    folder of texts, PDFs and images. Nothing is sent, and no stack is needed.
    """
    from conveyor_cli.preparing.counting import Counting  # noqa: PLC0415 - help and completion need no Jinja
    from conveyor_cli.preparing.show import as_json, show  # noqa: PLC0415
    from conveyor_cli.preparing.wish import Wish, make  # noqa: PLC0415

    with Counting(screen) as counting:
        made = make(Wish(**given), counting.tell)
    if screen.look.json:
        screen.json(**as_json(made))
    else:
        show(screen, made)
