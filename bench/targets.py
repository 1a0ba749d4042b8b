"""Targets of the ratios. A missed target is marked in the table; the bench does not fail."""

from fnmatch import fnmatchcase

AT_LEAST = {
    "validate.vs_orjson": 1.0,
    "validate.vs_jq": 8.0,
    "stream.vs_orjson": 0.8,
    "split.vs_orjson": 0.6,
}
AT_MOST = {
    "coldstart.submit.vs_boto3": 1.6,
    "coldstart.poll.vs_boto3": 1.6,
    "coldstart.split.vs_boto3": 1.2,
    "coldstart.report.vs_boto3": 1.2,
    "coldstart.page.vs_poll": 1.5,
    "coldstart.*.vs_sdk": 0.35,
    "memory.submit.*": 1.0,
    "memory.split.*": 1.0,
}
"""By the name of the figure; `*` matches anything."""


def mark(name: str, ratio: float | None) -> str:
    """Return the table's text for the target of a figure and whether it is missed; empty without a target."""
    for sign, targets in ((">=", AT_LEAST), ("<=", AT_MOST)):
        for pattern, target in targets.items():
            if fnmatchcase(name, pattern):
                is_missed = ratio is not None and (ratio < target if sign == ">=" else ratio > target)
                return f"{sign} {target:g}{' MISSED' * is_missed}"
    return ""
