"""Checks of who asks, of the stack as a whole, and of its parameters. Pure."""

from collections.abc import Callable, Mapping

from conveyor import __version__
from conveyor.settings.settings import Settings
from conveyor_cli.doctor.finding import Fault, Finding, aws, failed, judged, ok
from conveyor_cli.stacks.profiles import Profile

_COMPLETE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"})
_BEGINNING = {"CREATE": "create", "UPDATE": "update", "DELETE": "delete", "IMPORT": "import"}
_FAILED_EVENTS = "StackEvents[?ends_with(ResourceStatus, 'FAILED')].[LogicalResourceId, ResourceStatusReason]"
RELATIONS: tuple[tuple[Callable[[Settings], bool], str], ...] = (
    (lambda of: of.poll_min_seconds <= of.poll_max_seconds, "poll-min-seconds is above poll-max-seconds"),
    (
        lambda of: of.default_max_tokens <= of.max_tokens_per_batch,
        "DefaultMaxTokens is above max-tokens-per-batch: a line without max_tokens fits into no batch",
    ),
    (
        lambda of: of.batch_api == "messages" or of.auth != "aws",
        "Auth=aws is for Claude Platform on AWS, which supports BatchApi=messages only",
    ),
    (lambda of: of.auth != "aws" or bool(of.workspace_id), "Auth=aws requires WorkspaceId"),
)
"""What must be true of the settings of a stack, and what is said where it is not."""


def credentials(region: str, identity: Mapping[str, str]) -> Finding:
    """Name who asks, by what GetCallerIdentity says."""
    *_, who = identity["Arn"].split(":", 5)
    kind, _, name = who.partition("/")
    role = f"role {name.partition('/')[0]}" if kind == "assumed-role" else who.replace("/", " ", 1)
    return ok(f"account {identity['Account']}, {role}, {region}")


def stack(profile: Profile, status: str) -> Finding:
    """Judge the status of the stack, and its release."""
    about = {"stack_name": profile.stack}
    if status not in _COMPLETE:
        events = aws(
            profile.region, "cloudformation describe-stack-events", **about, query=_FAILED_EVENTS, output="text"
        )
        if status.endswith("_IN_PROGRESS"):
            verb = next((verb for begin, verb in _BEGINNING.items() if status.startswith(begin)), "update")
            wait = aws(profile.region, f"cloudformation wait stack-{verb}-complete", **about)
            return failed(f"its status is {status}", "Wait until that is done.", commands=[wait])
        more = "The last deployment failed. See why, put that in order, and deploy again."
        return failed(f"its status is {status}", more, commands=[events])
    release = profile.outputs.get("Release")
    if release != __version__:
        theirs = f"release {release}" if release else "an older release"
        more = "Install the command of the stack's release, from a checkout of it:"
        return failed(f"{profile.stack} is {theirs}, this command is {__version__}", more, commands=["make command"])
    return ok(f"{profile.stack} {release}, {status}")


def parameters(settings: Settings) -> Finding:
    """Judge the settings beside each other: CloudFormation has checked each alone."""
    faults = [Fault(words) for holds, words in RELATIONS if not holds(settings)]
    return judged(faults, f"{settings.batch_api} at {settings.api_url}", "Deploy again with other values.")


def limits(bucket: str, faults: tuple[str, ...], projects: int) -> Finding:
    """Judge `config/budgets.json` and `config/prices.json`. `faults`: as `read_config` words them."""
    if not faults:
        of = f"{projects:,} {'project' if projects == 1 else 'projects'}" if projects else "no project is limited"
        return ok(f"limits and prices valid, {of}")
    keys = dict.fromkeys(fault.partition(":")[0] for fault in faults if ":" in fault)
    show = [f"aws s3 cp s3://{bucket}/{key} -" for key in keys if key.endswith(".json")]
    more = "Runs wait until the file is right. See what it holds, and upload it again."
    return failed("; ".join(faults), more, commands=show)
