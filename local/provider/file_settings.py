"""The settings of the dialect of the files: its limits, and the ways in which those who speak it differ."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from local.provider.faults.actions import Count, Position, Seconds

type FaultCode = Annotated[str, Meta(pattern=r"^[a-z_]+$")]
type ResultForm = Literal["flat", "status", "anthropic"]
type FailureForm = Literal["error", "inside", "status", "both"]


class FileSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be told about files and the batches made of them; unless told, it is as OpenAI does it."""

    validating_seconds: Seconds = 0.0  # from creation to the begin, or to the failure of a batch with faults
    finalizing_seconds: Seconds = 0.0  # from the last request done to the files; `seconds` lies between the two
    blame: dict[Position, FaultCode] = {}  # code of a fault by the number of its line, from 1: the batch fails
    blame_whole: FaultCode | None = None  # code of a fault that names no line: every batch fails

    max_file_bytes: Count = 200_000_000
    max_file_requests: Count = 50_000
    completion_windows: tuple[str, ...] = ("24h",)  # those that a create call may name
    line_form: Literal["params", "body"] | None = None  # of the lines of an input; null: as the first one is
    naive_lines: bool = False  # lines also end at U+2028, U+2029, U+0085 and all else that `str.splitlines` cuts at
    error_line_base: Literal[0, 1] = 1  # number of the first line in `errors`

    status_case: Literal["lower", "upper"] = "lower"
    cancel_spelling: Literal["cancelled", "canceled"] = "cancelled"  # and so `cancelling` or `canceling`
    absent_file: Literal["null", "missing", "empty", "zero"] = "null"  # zero: the id of a file without bytes
    counts_at_first: bool = True  # false: `request_counts` is null until the batch is in progress
    metadata: Literal["kept", "ignored", "refused"] = "kept"
    lists_files: bool = True  # false: 405
    lists_batches: bool = True
    created_form: Literal["batch", "job"] = "batch"  # job: create answers `{"job": …, "warning": null}`
    time_form: Literal["unix", "iso"] = "unix"
    list_form: Literal["page", "array"] = "page"  # array: everything at once, and nothing around it
    batch_errors_form: Literal["list", "plain"] = "list"
    result_form: ResultForm | None = None  # null: flat for lines with `params`, status for those with `body`
    failure_form: FailureForm | None = None  # of an errored line; null: status in status form, else error
