"""What follows from a refusal of the provider, and its cause, if a person must act first.

Providers give the cause only in the text of the error, often under a type that is about the request
(`invalid_request_error`). The patterns come from public reports about Anthropic's and OpenAI's APIs and others.
"""

import re
from enum import StrEnum

NOT_CALLED = "resting"
"""Type of the refusal of a call that was not made, because the provider asked not to be called yet."""
CREATED = 200
"""The status of a refusal that came after the provider had created the batch."""
NO_SECRET = "there is no secret"  # noqa: S105 - words
"""Begins the reason of a refusal for want of the secret with the API key."""
AT_GATE = "at-gate"
"""Type of the refusal of a call that was not made, because a gate was closed meanwhile."""


class RefusalKind(StrEnum):
    """What follows from an attempt that surely created no batch."""

    LATER = "later"
    """Try again at `retry_at`: the provider is busy, or its queue is full."""
    RESEND = "resend"
    """Try once more: the body was cut off on its way."""
    STOP = "stop"
    """A person must act first: key, permission, billing, spending limit."""
    DEFECT = "defect"
    """The provider does not accept what was sent."""


class Cause(StrEnum):
    """What a person must put in order, if it is not the request. Each value is also the `code` of a refused run."""

    CREDIT = "credit-exhausted"
    LIMIT = "limit-reached"
    DISABLED = "account-disabled"
    KEY = "key-refused"
    SIZE = "batch-too-large"
    """The batch has more requests or bytes than this server takes."""
    BETA = "beta-refused"
    """A beta feature that the provider does not know, or not for this account."""


CAUSE_TEXTS = {
    Cause.CREDIT: "the account has no credit left, or its billing is not in order",
    Cause.LIMIT: "a usage or spend limit of the account is reached",
    Cause.DISABLED: "the organization, account or workspace is disabled",
    Cause.KEY: "the API key is not accepted",
    Cause.SIZE: "the provider takes fewer requests or bytes in one batch",
    Cause.BETA: "the provider does not accept a name of the list of betas",
}
"""What a message says about each: never the provider's text, which may quote a prompt."""

OF_ACCOUNT = frozenset({
    Cause.CREDIT, Cause.LIMIT, Cause.DISABLED, Cause.KEY, "key-unusable", "role-refused", "provider-stopped",
})  # fmt: skip
"""Codes of refused runs for which a person must put the account, its key or its permissions in order."""

_OWNER = r"(?:organi[sz]ation|account|workspace|project)"
_OFF = r"(?:disabled|deactivated|suspended|restricted|banned|terminated|archived|locked)"
_LIMIT = r"limits?(?![a-z])"


def _any_of(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


_ACCOUNTS = {
    Cause.CREDIT: _any_of(
        r"billing_error|arrearage",
        r"credit (?:balance|limit)",
        r"credits? (?:is|are|has|have)\b[^.]{0,20}(?:exhausted|depleted|expired|used up)",
        r"used all (?:of )?(?:your |the )?(?:available )?credits|(?:n't|not) have any credits|requires more credits",
        r"(?:insufficient|no|not enough|out of|low on)[ _](?:\w+ )?(?:credits?|balance|funds)\b",
        r"balance is (?:insufficient|too low|negative|empty)|insufficient_balance",
        r"billing[ _](?:is )?(?:not[ _]active|disabled|inactive)|not active\b[^.]*billing",
        r"payment[ _](?:required|method|details)",
        r"(?:purchase|add|buy|top up) (?:more )?(?:credits|funds)",
    ),
    Cause.LIMIT: _any_of(
        rf"(?:usage|spend|spending|budget|cost|billing[ _]hard)[ _](?:{_LIMIT}|cap\b)",
        rf"(?:account|billing|monthly|organi[sz]ation)(?:'s)? hard {_LIMIT}",
        r"insufficient_quota|exceeded_current_quota",
        r"exceeded your (?:current )?(?:\w+ )?(?:quota|budget)",
        r"(?:monthly|daily|weekly) (?:spend |spending )?budget|^budget (?:has been |is |was )?(?:exceeded|exhausted)",
        r"\bquota (?:has been |is |was )?(?:exceeded|exhausted)|max budget",
    ),
    Cause.DISABLED: _any_of(
        rf"{_OWNER}\b[^.]{{0,60}}\b{_OFF}",
        rf"{_OFF} {_OWNER}\b",
        rf"{_OWNER}_(?:{_OFF}|not_active)|access_terminated",
        rf"{_OWNER} is (?:inactive|not active)",
    ),
    Cause.KEY: _any_of(
        r"authentication_error|invalid[ _]authentication",
        r"(?:invalid|incorrect|expired|revoked|unknown|wrong|missing|no valid)[ _](?:x-)?api[- _]key",
        r"(?:expired|revoked) (?:bearer |access |authentication |authorization )?(?:token|credentials?)\b",
        r"invalid (?:bearer|access) (?:token|credentials?)\b|(?:n't|not) provide an api key",
        r"api[- _]key\b[^.]{0,30}\b(?:invalid|expired|revoked|disabled|deleted|not (?:valid|found|active|exist))",
    ),
}
_ON_RATE_LIMIT = _any_of(
    r"insufficient_quota|exceeded_current_quota",
    r"(?:enforced|contract)_spend_limit_reached|billing_hard_limit_reached|(?:monthly )?spend(?:ing)? limit",
    r"exceeded your current quota(?! of)",
    r"billing[ _]not[ _]active",
    r"credit balance|insufficient_balance|credits (?:are|have been) (?:depleted|exhausted)",
)
"""In the text of a 429, which otherwise means that the provider is busy; that text, too, names limits and quotas."""
_MANY = r"(?:requests?|lines?|rows?|records?|tasks?|items?|entries|prompts?)"
_LARGE = r"(?:batch|file|body|payload|upload|request entity|input_file\w*)"
_MUCH = r"(?:too (?:large|big|long)|exceed\w*|maximum|at most|no more than|limit)"
_SIZES = _any_of(
    rf"too[ _]many[ _]{_MANY}",
    rf"(?:exceed\w*|max(?:imum)?|limit|at most|no more than|up to|fewer than)\b[^.]{{0,60}}\b\d[\d,_]* {_MANY}",
    rf"\b(?:number|count) of {_MANY}[^.]{{0,40}}{_MUCH}",
    rf"{_MUCH}[^.]{{0,30}}\b(?:number|count|amount) of {_MANY}",
    rf"\b{_MANY} (?:per|in (?:a|one|the|each)) {_LARGE}[^.]{{0,40}}\d",
    rf"{_LARGE}\b[^.]{{0,40}}\b{_MUCH}",
    rf"{_MUCH}\b[^.]{{0,40}}\b(?:{_LARGE}[ _]size|size of (?:the |a |your )?{_LARGE})",
    r"(?:batch|file|payload|request|body)_(?:size_limit\w*|too_large)",
    r"max_batch_size|maximum_(?:batch|file)_size\w*|(?:line|request)_limit_exceeded",
    r"entity too large",
)
_BETA = _any_of(
    r"unexpected value\(s\).{1,600}?\banthropic-beta\b",
    r"\banthropic-beta\b.{0,80}\b(?:unknown|invalid|unsupported|not (?:supported|allowed|available))",
    r"\b(?:unknown|invalid|unsupported)\b.{0,40}\banthropic-beta\b",
    r"\b(?:unknown|invalid|unsupported) beta (?:flag|feature|header|name|version)",
    r"\bbeta\b[^.]{0,60}\bis not (?:yet )?(?:available|enabled) for (?:this|your) ",
)
_TOO_LARGE, _BUSY = 413, 429
_LONGEST = 10_000
"""Characters of an error that are searched: some patterns need quadratic time."""
_QUOTED = re.compile(r"""input_value=.*|(?<!\w)'[^']*'(?!\w)|"[^"]*\"|`[^`]*`""")
"""What a provider quotes of a request: the user's text, not the provider's."""
_INPUT = re.compile(r"input_value=.*")
_OF_A_REQUEST = _any_of(
    r"params|\b(?:requests?|messages|tools|line)[ .\[]*\d|max_tokens|stop_sequences|temperature|\btools\b|prompt\b",
    r"\bmodel\b|images?\b|source|rate limit|time limit",
)
"""Names a place in one request: then the size of the batch is not the cause."""


def account_cause(kind: str, message: str) -> Cause | None:
    """Return what is wrong with the account, if anything, by the type and code (`kind`) and the message of an error."""
    text = _QUOTED.sub("", f"{kind} {message}"[:_LONGEST])
    if "rate_limit" in kind and not _ON_RATE_LIMIT.search(text):
        return None
    return next((cause for cause, pattern in _ACCOUNTS.items() if pattern.search(text)), None)


def cause_of(status: int, kind: str, message: str) -> Cause | None:
    """Return the cause for which a provider refuses a whole batch. `status`: of HTTP; 0 or 200 if there is none."""
    text = _QUOTED.sub("", f"{kind} {message}"[:_LONGEST])
    if status == _BUSY and not _ON_RATE_LIMIT.search(text):
        return None
    if _BETA.search(_INPUT.sub("", message)):  # the names of betas are quoted
        return Cause.BETA
    if cause := account_cause(kind, message):
        return cause
    is_too_large = _SIZES.search(text) and not _OF_A_REQUEST.search(text)
    return Cause.SIZE if status == _TOO_LARGE or is_too_large else None
