"""Serve the simulated provider. Once it is ready, it prints one line of JSON with the URL; the log is on stderr."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from local.provider.http.server import Server, listen, url_of
from local.provider.settings import Settings, parse_settings

if TYPE_CHECKING:
    from types import FrameType


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    options = _options()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    listener = listen(options.port)
    Server(options.settings, partial(_announce, url_of(listener)), access_log=True).run([listener])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.provider", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 (the default) picks a free one")
    parser.add_argument(
        "--settings", type=_settings, default=Settings(), metavar="JSON", help="see local/provider/settings.py"
    )
    return parser.parse_args()


def _settings(text: str) -> Settings:
    try:
        return parse_settings(text)
    except msgspec.DecodeError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _announce(url: str) -> None:
    sys.stdout.write(json.dumps({"url": url}) + "\n")
    sys.stdout.flush()


def _exit(_signal: int, _frame: FrameType | None) -> None:
    """Exit with status 0; the server has shut down by then."""
    sys.exit(0)


if __name__ == "__main__":
    main()
