"""Run MiniStack with the patches of this package, by the Python of the environment `.venv/aws`.

That environment has none of our other dependencies, so the modules of this package import nothing of ours but each
other.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    # For this process only: a function that finds our sources would also find what its package lacks.
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    from ministack import app  # noqa: PLC0415 - see the next line

    from local.emulation import (  # noqa: PLC0415
        claude_platform,
        customer_keys,
        policy_variables,
        requested,
        server,
        step_functions,
        web_identity,
    )
    from local.emulation.athena import queries  # noqa: PLC0415
    from local.emulation.aws_lambda import async_retries, copies, packages, workers  # noqa: PLC0415
    from local.emulation.cloudwatch import alarms, dashboards, logs, metric_data, service_metrics  # noqa: PLC0415
    from local.emulation.formation import permissions, stacks  # noqa: PLC0415
    from local.emulation.insights import requests, saved, service  # noqa: PLC0415
    from local.emulation.s3 import absent, encryption, lifecycle, objects  # noqa: PLC0415
    from local.emulation.sns import functions, messages, publish, topics  # noqa: PLC0415

    for module in (
        alarms, async_retries, claude_platform, copies, customer_keys, dashboards, functions, logs,
        messages, metric_data, packages, permissions, policy_variables, publish, requests, saved, server, service,
        service_metrics, stacks, step_functions, topics, web_identity, workers,
        queries, requested,  # after requests, which replaces the same functions
        objects, encryption, absent, lifecycle,  # each after the one before, for the same reason
    ):  # fmt: skip
        module.patch()
    app._port_is_bindable = lambda _host, _port: False  # noqa: SLF001 - or MiniStack also binds port 443
    app.main()


if __name__ == "__main__":
    main()
