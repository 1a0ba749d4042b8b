"""What a person puts in order before anything is sent again, by the code of a refusal or the cause of failures."""

from conveyor.domain.refusal import CAUSE_TEXTS, Cause
from conveyor.domain.status import Status
from conveyor.report.receipt import Receipt
from conveyor.wording.commands import ALLOW_OUTBOUND_IDENTITY
from conveyor.wording.text import counted, paragraph, sentence

ADVICE = {
    "key-unusable": "Put the API key there: aws secretsmanager create-secret, or put-secret-value if it exists.",
    "key-refused": "Put a valid key into the stack's secret (ApiKeySecretName): aws secretsmanager put-secret-value.",
    "role-refused": "See that WorkspaceId names a workspace of the stack's Region, that no policy of your organization "
    "denies the functions what docs/providers.md lists, and that AWS may vouch for them outside:",
    "provider-stopped": "Put the key, the permission, the billing or the limit in order at the provider first.",
    "credit-exhausted": "Add credit to the account, or put its billing in order, at the provider first.",
    "limit-reached": "Raise the account's usage or spend limit at the provider first, or wait until it is reset.",
    "account-disabled": "Ask the provider first why the organization, account or workspace is disabled.",
    "batch-too-large": "Deploy with a lower MaxRequestsPerBatch (requests in a batch) or MaxBytesPerBatch first. "
    "The provider's error text is in the receipt, or in failures.jsonl.",
    "beta-refused": "First correct the names: in the drop's metadata betas, or in the stack's parameter Betas if the "
    "drop has none. The provider does not know them, or not for this account: see its documentation of beta headers.",
    "provider-refused": "Read the provider's own words in the receipt first: the same batch is refused again.",
    "unsent": "See whether the provider is reachable, and how it is, before you drop it again.",
}

_COMMANDS = {"role-refused": ALLOW_OUTBOUND_IDENTITY}
"""What an advice ends with: a command stands alone on its line."""


def advice_of(code: str | None, *before: str) -> list[str]:
    """Return what to put in order, behind some sentences."""
    command = _COMMANDS.get(code or "")
    lines = paragraph(*before, ADVICE.get(code or "", ""))
    return ["", *lines, *(["", f"  {command}"] if command else [])] if lines else []


def early_end(receipt: Receipt) -> list[str]:
    """Say why a run ended before all of its batches were sent, and what to put in order; nothing where it did not."""
    if receipt.code is None or receipt.status in {Status.REFUSED, Status.UNBALANCED}:
        return []
    unsent = counted(receipt.never_sent, "request was", "requests were")
    told = [f"{unsent} not sent, and nothing was charged for {'it' if receipt.never_sent == 1 else 'them'}."]
    what = "Why" if receipt.status != Status.STUCK else "Why not all was sent"
    return advice_of(receipt.code, f"{what}: {sentence(str(receipt.reason))}", *(told if receipt.never_sent else []))


def blamed_elsewhere(receipt: Receipt) -> list[str]:
    """Say how many failures no line is to blame for, and what to put in order."""
    lines = []
    for cause, count in receipt.causes.items():
        failures = counted(count, "failure is", "failures are")
        whose = "the request's" if count == 1 else "the requests'"
        lines += advice_of(cause, f"{failures} not {whose} fault: {CAUSE_TEXTS[Cause(cause)]}.")
    return lines
