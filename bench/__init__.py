"""Measure time, memory, requests and cost of Conveyor and of alternatives: `python -m bench --help`."""

import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "layers" / "conveyor"))  # as for pytest and the functions
