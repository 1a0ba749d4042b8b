"""The settings of the file batch API: its limits, and the ways in which its providers differ."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from local.provider.faults.actions import Count, Position, Seconds

type FaultCode = Annotated[str, Meta(pattern=r"^[a-z_]+$")]
type ResultForm = Literal["flat", "status", "anthropic"]
type FailureForm = Literal["error", "inside", "status", "both"]


class FileSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of files and of the batches created from them; the defaults are what OpenAI does."""

    validating_seconds: Seconds = 0.0  # from creation to the start, or to the failure of a batch with faults
    finalizing_seconds: Seconds = 0.0  # from the last request done to the result files; `seconds` comes between the two
    blame: dict[Position, FaultCode] = {}  # line number, from 1 -> code of a fault, which fails the batch
    blame_whole: FaultCode | None = None  # code of a fault without a line, which fails every batch

    max_file_bytes: Count = 200_000_000
    max_file_requests: Count = 50_000
    completion_windows: tuple[str, ...] = ("24h",)  # accepted in a create call
    line_form: Literal["params", "body"] | None = None  # of the lines of an input; null: that of the first line
    naive_lines: bool = False  # lines also end at U+2028, U+2029, U+0085 and wherever else `str.splitlines` splits
    error_line_base: Literal[0, 1] = 1  # number of the first line in `errors`

    status_case: Literal["lower", "upper"] = "lower"
    cancel_spelling: Literal["cancelled", "canceled"] = "cancelled"  # likewise `cancelling` or `canceling`
    absent_file: Literal["null", "missing", "empty", "zero"] = "null"  # zero: the id of an empty file
    counts_at_first: bool = True  # false: `request_counts` is null until the batch is in progress
    metadata: Literal["kept", "ignored", "refused"] = "kept"
    lists_files: bool = True  # false: 405
    lists_batches: bool = True
    created_form: Literal["batch", "job"] = "batch"  # job: create answers `{"job": …, "warning": null}`
    time_form: Literal["unix", "iso"] = "unix"
    list_form: Literal["page", "array"] = "page"  # array: all items, without a page object
    batch_errors_form: Literal["list", "plain"] = "list"
    result_form: ResultForm | None = None  # null: flat for lines with `params`, status for those with `body`
    failure_form: FailureForm | None = None  # of an errored line; null: status in status form, else error
