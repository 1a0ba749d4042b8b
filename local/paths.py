"""Paths of the project that more than one module uses."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "samples" / "humaneval-164.jsonl"
ARTICLES = ROOT / "samples" / "articles.jsonl"
MISTAKES = ROOT / "samples" / "mistakes.jsonl"
SAVED = ROOT / ".demo"
"""Where files of a local run are written for the user."""
EXPORTS = SAVED / "local.sh"
"""What a shell sources to use the local stack that `make local` has left up."""
