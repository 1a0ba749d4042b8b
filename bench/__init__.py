"""What Conveyor takes in time, memory, requests and money, and what others take: `python -m bench --help`."""

import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "layers" / "conveyor"))  # where pytest and the functions find the core, too
