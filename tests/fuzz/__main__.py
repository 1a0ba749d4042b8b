"""`make fuzz`: test every property with generated inputs for a given time, and print those that fail.

The properties are the tests that `make test` runs with a fixed budget. With Atheris, inputs that reach new code are
kept and mutated; without it, inputs are random.
"""

import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory

PROJECT = Path(__file__).parents[2]
PROPERTIES = (
    "jsonl.test_lines:test_lines_are_those_of_the_file_wherever_the_stream_is_cut",
    "jsonl.test_lines:test_the_offsets_of_a_line_are_those_of_its_bytes",
    "validation.test_fast_path_agrees:test_the_fast_path_accepts_only_what_the_check_of_each_line_accepts",
    "validation.test_fast_path_agrees:test_a_valid_line_with_any_bytes_is_accepted_only_if_the_check_of_each_line_accepts_it",
    "validation.test_checker:test_two_passes_find_what_a_check_that_stores_every_id_finds",
    "validation.test_batch_body:test_what_is_sent_is_what_was_checked",
    "validation.test_batch_body:test_a_file_has_as_many_lines_as_requests_whoever_counts_them",
    "jsonl.test_gzip_stream:test_all_members_come_out_in_pieces_of_one_size",
    "jsonl.test_repair:test_any_input_gives_strict_json_or_nothing",
    "jsonl.test_repair:test_a_damaged_string_is_replaced_where_it_is_damaged",
    "provider.messages.test_results:test_a_message_is_found_however_its_line_is_written_and_cut",
    "project.test_peak_memory:test_values_are_counted_wherever_the_text_is_cut",
    "fuzz:test_no_line_of_results_is_an_exception_or_is_lost",
    "fuzz:test_any_key_makes_a_name_that_is_safe_in_other_keys",
    "fuzz:test_any_metadata_is_settings_or_a_fault_in_words",
)
"""Module and function; `fuzz` is in this folder, all others are unit tests."""
_SHORTEST = 2
_SPARE = 120
"""Seconds that a process may take to start and stop."""


def main() -> int:
    """Test the chosen properties; return 1 if one fails or none was chosen."""
    parser = ArgumentParser(prog="python -m tests.fuzz", description="Test the properties with generated inputs.")
    parser.add_argument("--seconds", type=int, default=60, help="in total, for all properties (60)")
    parser.add_argument("properties", nargs="*", help="parts of names; all properties if omitted")
    options = parser.parse_args()
    chosen = [name for name in PROPERTIES if not options.properties or any(part in name for part in options.properties)]
    seconds_each = max(_SHORTEST, options.seconds // max(1, len(chosen)))
    failed = [name for name in chosen if not holds(name, seconds_each)]
    print(f"{len(chosen) - len(failed)} of {len(chosen)} properties hold after {seconds_each} s each")
    return int(bool(failed) or not chosen)


def holds(name: str, seconds: int) -> bool:
    """Test one property in its own process, and print the result."""
    paths = os.pathsep.join(map(str, (PROJECT, PROJECT / "layers" / "conveyor")))
    with TemporaryDirectory(prefix="conveyor-fuzz-") as work:
        command = [sys.executable, "-m", "tests.fuzz.one", name, str(seconds), work]
        env = os.environ | {"PYTHONPATH": paths}
        done = subprocess.run(
            command, cwd=PROJECT, env=env, capture_output=True, text=True, timeout=seconds + _SPARE, check=False
        )
    error_lines = done.stderr.strip().splitlines()
    print(f"{'holds' if not done.returncode else 'FAILS'}  {name}  {done.stdout.strip().splitlines()[-1:]}", flush=True)
    if done.returncode:
        print("\n".join(error_lines[-60:]), flush=True)
    return not done.returncode


if __name__ == "__main__":
    sys.exit(main())
