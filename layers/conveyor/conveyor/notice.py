"""The message that a run has ended, in words a person can act on."""

from shlex import quote
from typing import NamedTuple
from urllib.parse import quote as url_quote

from conveyor import keys
from conveyor.drop import AGAIN, SUFFIX
from conveyor.outcome import Outcome
from conveyor.receipt import Receipt

_MOST_NAMED = 20
_LONGEST_SUBJECT = 99
"""SNS takes fewer than 100 characters; names are ASCII already."""


class Notice(NamedTuple):
    """What SNS is given. `status`, `run` and `name` become message attributes to filter by."""

    run: str
    name: str
    status: str
    subject: str
    message: str


def notice_of(receipt: Receipt) -> Notice:
    """Word the message of an ended run. It holds counts and places, never a prompt or an answer."""
    counts = f"{receipt.results:,} results, {receipt.failures:,} failures"
    if receipt.status == "refused":
        verb = "stopped" if receipt.code == "stopped" else "refused"
        subject, lines = f"Conveyor: {verb} {receipt.name}", _refused(receipt)
    elif receipt.status == "stuck":
        lost = f"no results of {receipt.outcomes['stuck']:,} of {receipt.requests:,} requests"
        subject, lines = f"Conveyor: stuck {receipt.name} ({lost})", _stuck(receipt, counts)
    else:
        verb = "stopped" if (receipt.status, receipt.code) == ("completed", "stopped") else receipt.status
        subject = f"Conveyor: {verb} {receipt.name} ({counts})"
        lines = _ended(receipt, counts)
    lines += ["", *table([("Receipt", _url(receipt, keys.receipt(receipt.name, receipt.run))), ("Run", receipt.run)])]
    return Notice(receipt.run, receipt.name, receipt.status, cut(subject), "\n".join(lines))


def _refused(receipt: Receipt) -> list[str]:
    key, own = str(receipt.drop["key"]), [f"{name}={value}" for name, value in receipt.drop_settings.items()]
    if receipt.code == "seen-before":
        return [
            f"Your drop {key} was not run: {receipt.reason}.",
            "That run tells in a message of its own what came, or comes, of them; nothing was paid for this drop.",
            "",
            "If you mean it, and will pay again, type:",
            "",
            f"  {_copy(receipt, [f'{AGAIN}=yes', *own])}",
        ]
    verb = "stopped" if receipt.code == "stopped" else "refused"
    lines = [f"Your drop {key} was {verb}; {_paid(receipt)}.", "", f"Why: {receipt.reason}"]
    if receipt.words:
        lines.append("The provider's own words stand in the receipt (words).")
    lines += _listed(receipt)
    if receipt.code in _ADVICE:
        lines += ["", _ADVICE[receipt.code]]
    if receipt.code == "invalid-lines" and receipt.requests:
        rest = [each for each in own if not each.startswith("on-invalid=")]
        lines += ["", "To send the other lines only, type:", "", f"  {_copy(receipt, ['on-invalid=skip', *rest])}"]
    if receipt.unanswered:
        own.insert(0, f"{AGAIN}=yes")
    target = key if key.endswith(SUFFIX) else f"{keys.INBOX}{receipt.name}{SUFFIX}"
    metadata = f" --metadata {','.join(own)}" if own else ""
    when = "To run it after all" if receipt.code == "stopped" else "When that is put right, drop it again"
    file = quote(key.rsplit("/", 1)[-1])
    return [*lines, "", f"{when}:", "", f"  aws s3 cp {file} {quote(_url(receipt, target))}{metadata}"]


def _paid(receipt: Receipt) -> str:
    if receipt.unanswered:
        return f"of calls without answer ({receipt.unanswered}) no batch is known, so nothing should have been paid"
    return "nothing of it is running and nothing was paid"


def _listed(receipt: Receipt) -> list[str]:
    """Say where the faults are listed, if lines are to blame."""
    if not receipt.files:
        return []
    listed = f"{receipt.files[0].lines:,} faults are listed"
    told = f"{listed} ({receipt.requests:,} lines were read)" if receipt.requests else f"The first {listed}"
    return [f"{told}, each with its line, a code and what to do, in", "", f"  {_url(receipt, receipt.files[0].key)}"]


def _copy(receipt: Receipt, metadata: list[str]) -> str:
    """Return the command that drops the very version again, whatever lies under its key by now.

    S3 copies no more than 5 GB at once; what is larger is dropped from where it came.
    """
    drop = receipt.drop
    if int(drop["bytes"]) > _LARGEST_COPY:
        key = str(drop["key"])
        file, target = quote(key.rsplit("/", 1)[-1]), quote(_url(receipt, key))
        return f"aws s3 cp {file} {target} --metadata {','.join(metadata)}"
    source = quote(f"{drop['bucket']}/{url_quote(str(drop['key']))}?versionId={drop['version']}")
    return (
        f"aws s3api copy-object --bucket {drop['bucket']} --key {quote(str(drop['key']))} --copy-source {source} "
        f"--metadata-directive REPLACE --metadata {','.join(metadata)}"
    )


_LARGEST_COPY = 5 * 1024**3
_ADVICE = {
    "key-unusable": "Put the API key there: aws secretsmanager create-secret, or put-secret-value if it exists.",
    "key-refused": "Put a valid key into the stack's secret (ApiKeySecretName): aws secretsmanager put-secret-value.",
    "role-refused": "See that WorkspaceId names a workspace of the stack's Region, that no policy of your organization "
    "denies the functions what docs/providers.md lists, and that AWS may vouch for them outside: "
    "aws iam enable-outbound-web-identity-federation.",
    "provider-stopped": "Put the key, the permission, the billing or the limit in order at the provider first.",
    "unsent": "See whether the provider is reachable, and how it is, before you drop it again.",
}


def _stuck(receipt: Receipt, counts: str) -> list[str]:
    lost = f"{receipt.outcomes['stuck']:,} of its {receipt.requests:,} requests"
    return [
        f"The run of your drop {receipt.drop['key']} ends without results of {lost}, which may have been paid for.",
        f"In all: {counts}.",
        "",
        f"Why: {receipt.reason}",
        "",
        "Ask the provider about its batches before you drop these lines again: doing so may pay again. They are the",
        'failures with the outcome "stuck", and do not stand among the lines to send again.',
        "",
        *table([(_LABELS[file.key.rsplit("/", 1)[-1]], _url(receipt, file.key)) for file in receipt.files]),
    ]


def _ended(receipt: Receipt, counts: str) -> list[str]:
    name, run = receipt.name, receipt.run
    lines = [f"Your drop {receipt.drop['key']} is done: {receipt.requests:,} requests, {counts}."]
    if receipt.status == "unbalanced":
        lines = _unbalanced(receipt, counts)
    elif receipt.code == "stopped":
        lines = [f"The run of your drop {receipt.drop['key']} was stopped: {receipt.requests:,} requests, {counts}."]
    failed = [f"{count:,} {kind}" for kind, count in receipt.outcomes.items() if count and kind != "succeeded"]
    if failed:
        lines.append(f"Failures: {', '.join(failed)}.")
    lines += ["", *table([(_LABELS[file.key.rsplit("/", 1)[-1]], _url(receipt, file.key)) for file in receipt.files])]
    lines.append(f"Tokens: {_tokens(receipt)}")
    lines += [
        f"Batch {other} holds the same requests as {batch.id} and may have been billed, too: ask the provider."
        for batch in receipt.batches
        for other in batch.duplicates
    ]
    if receipt.retryable and receipt.status != "unbalanced":
        missing = receipt.outcomes[Outcome.MISSING]
        caution = f" ({missing:,} of them missing, which may have been billed)" if missing else ""
        lines += ["", f"{receipt.retryable:,} of the failures are worth sending again{caution}. Type:", ""]
        lines.append(
            f"  aws s3 cp {_url(receipt, keys.retry(name, run))} {_url(receipt, f'{keys.INBOX}{name}-retry.jsonl')}"
        )
    return lines


def _unbalanced(receipt: Receipt, counts: str) -> list[str]:
    """Name the lines, as far as any are known, and the way to look further."""
    lines = [
        f"The account of your drop {receipt.drop['key']} does not balance: {receipt.requests:,} requests, {counts}.",
        "Something is missing from the files, or stands there twice.",
        "",
    ]
    if receipt.unaccounted:
        told = ", ".join(map(str, receipt.unaccounted[:_MOST_NAMED]))
        more = " and more, in the receipt" if len(receipt.unaccounted) > _MOST_NAMED else ""
        lines.append(f"Lines of the drop with a result that stands in no file: {told}{more}.")
    lines += [
        "Do not send anything again before you have compared the receipt and the run's ledger with the files:",
        "",
        f"  aws s3 cp {_url(receipt, keys.receipt(receipt.name, receipt.run))} -",
        f"  aws s3 sync {_url(receipt, keys.ledger(receipt.run))} ledger-{receipt.run}",
        "",
    ]
    return lines


_LABELS = {
    "results.jsonl": "Results",
    "failures.jsonl": "Failures",
    "retry.jsonl": "To send again",
    "invalid.jsonl": "Left out",
}


def _tokens(receipt: Receipt) -> str:
    used = [tokens.usage for tokens in receipt.tokens.values()]
    tokens = f"{sum(u.input_tokens for u in used):,} in, {sum(u.output_tokens for u in used):,} out"
    return (
        tokens if receipt.cost_usd is None else f"{tokens}, about ${receipt.cost_usd:,.4f} at Anthropic's batch price"
    )


def table(rows: list[tuple[str, str]]) -> list[str]:
    """Return a line for each label and value."""
    return [f"{label + ':':<15}{value}" for label, value in rows]


def _url(receipt: Receipt, key: str) -> str:
    return f"s3://{receipt.drop['bucket']}/{key}"


def quoted_url(bucket: str, key: str) -> str:
    """Return the address of an object as a shell takes it."""
    return quote(f"s3://{bucket}/{key}")


def cut(subject: str) -> str:
    """Return a subject that SNS takes."""
    return subject if len(subject) <= _LONGEST_SUBJECT else subject[: _LONGEST_SUBJECT - 3] + "..."
