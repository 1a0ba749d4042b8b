"""What a person must fix, by the code of a refusal or the cause of failures: for every message."""

from conveyor.domain.drop import NO_PROJECT, OTHER_FOLDER
from conveyor.domain.refusal import NO_SECRET
from conveyor.wording.commands import ALLOW_OUTBOUND_IDENTITY, create_key, put_key
from conveyor.wording.mail import Step, block
from conveyor.wording.text import paragraph

ADVICE = {
    "key-unusable": "Store the API key there, as plain text.",
    "key-refused": "Put a valid key into the stack's secret (ApiKeySecretName).",
    "role-refused": "Check that WorkspaceId names a workspace of the stack's Region, that no policy of your "
    "organization denies the functions what docs/providers.md lists, and that outbound identity federation is enabled:",
    "provider-stopped": "Fix the key, the permission, the billing or the limit at the provider first.",
    "credit-exhausted": "Add credit to the account, or fix its billing, at the provider first.",
    "limit-reached": "Raise the account's usage or spend limit at the provider first, or wait until it is reset.",
    "account-disabled": "Ask the provider first why the organization, account or workspace is disabled.",
    "batch-too-large": "Deploy with fewer requests in a batch first, such as Tuning=max-requests-per-batch=10000, or "
    "with fewer bytes, such as Tuning=max-bytes-per-batch=100000000; names of Tuning have a comma between. "
    "The provider's error text is in the receipt, or in failures.jsonl.",
    "beta-refused": "First correct the names: in the drop's metadata betas, or in the stack's parameter Betas if the "
    "drop has none. The provider does not know them, or not for this account: see its documentation on beta headers.",
    "provider-refused": "Read the provider's error text in the receipt first: the same batch would be refused again.",
    NO_PROJECT: "Drop it into the folder of its project, inbox/<project>/, which counts if config/budgets.json names "
    "it, or type the name of its project instead of <project> in the command below.",
    OTHER_FOLDER: "To run it for that project, drop it into that folder. The command below drops it for no project.",
    "round-sent-before": "Look through the provider's list of batches for the results of that round before you send "
    "its requests again: they may have been paid for.",
    "unsent": "Check whether the provider is reachable, and whether it reports problems, before you drop it again.",
}
"""Before a drop is sent again."""
NEW_KEY = "Put a valid key of the same workspace into the shell variable API_KEY, and run:"
"""Used if the name of the secret is known, so that the command is complete."""
UNANSWERED = (
    "Check whether the provider is reachable, whether it reports problems, and whether its queue is full of other "
    "batches."
)
"""While a run waits for the provider."""

_ABOUT_THE_KEY = frozenset({"key-unusable", "key-refused"})
COMMANDS = {"role-refused": ALLOW_OUTBOUND_IDENTITY}
"""A command at the end of an advice, alone on its line."""


def fix_of(code: str, secret: str = "", reason: str = "") -> Step:
    """Return what to fix first. `secret`: that of the API key, if it is known. `reason`: why the drop was refused."""
    if code in _ABOUT_THE_KEY and secret:
        put = create_key if reason.startswith(NO_SECRET) else put_key
        return Step(f"{ADVICE[code]} Put it into the shell variable API_KEY, and run:", put(secret))
    return Step(ADVICE[code].rstrip("."), COMMANDS.get(code))


def advice_of(code: str, secret: str, *before: str) -> list[str]:
    """Return what to fix, after some sentences. `secret`: see `fix_of`."""
    step = fix_of(code, secret)
    words = step.words if step.words.endswith((".", ":")) else f"{step.words}."
    return block(paragraph(*before, words), [f"    {step.command}"] if step.command else [])


def access_step(auth: str, secret: str) -> Step:
    """Return what to fix if the provider refuses access. `auth`: the setting. `secret`: of the API key, if known."""
    if auth == "aws":
        words = f"The provider's gateway refuses the functions' roles. {ADVICE['role-refused']}"
        return Step(words, COMMANDS["role-refused"])
    if not secret:
        return Step(f"The provider refuses the API key. {ADVICE['key-refused']}")
    return Step(f"The provider refuses the API key. {NEW_KEY}", put_key(secret))


def unknown_batch_step(auth: str, workspace: str, secret: str) -> Step:
    """Return what to do if the provider does not know a batch, or the file with its results. See `access_step`."""
    if auth == "aws":
        words = f"The workspace {workspace} does not show them. Check in the AWS console whether they were deleted."
        return Step(words)
    words = (
        "If the API key was replaced by a key of another workspace, which does not see them, put a valid key of the "
    )
    if not secret:
        return Step(f"{words}old workspace into the stack's secret (ApiKeySecretName).")
    return Step(f"{words}old workspace into the shell variable API_KEY, and run:", put_key(secret))
