"""Error texts that blame the account, whatever their type, and texts that only seem to."""

import pytest

from conveyor.domain.refusal import Cause, account_cause, cause_of

CREDIT, LIMIT, DISABLED, KEY, SIZE = Cause.CREDIT, Cause.LIMIT, Cause.DISABLED, Cause.KEY, Cause.SIZE


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.", CREDIT),
        ("You have insufficient credits for this request", CREDIT),
        ("insufficient_balance: Insufficient Balance", CREDIT),
        ("Insufficient funds", CREDIT),
        ("This account is out of credits", CREDIT),
        ("billing_not_active: Your account is not active, please check your billing details", CREDIT),
        ("Payment Required", CREDIT),
        ("You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.", LIMIT),
        ("You have reached your workspace's spend limit", LIMIT),
        ("billing_hard_limit_reached: Billing hard limit has been reached", LIMIT),
        ("insufficient_quota: You exceeded your current quota, please check your plan and billing details.", LIMIT),
        ("Budget has been exceeded! Current cost: 10.1, Max budget: 10.0", LIMIT),
        ("enforced_spend_limit_reached", LIMIT),
        ("This organization has been disabled.", DISABLED),
        ("Your account was suspended for violating the terms", DISABLED),
        ("account_deactivated: The OpenAI account associated with this API key has been deactivated.", DISABLED),
        ("The workspace wrkspc_1 is archived", DISABLED),
        ("invalid_api_key: Incorrect API key provided", KEY),
        ("invalid x-api-key", KEY),
        ("authentication_error", KEY),
        ("Your API key has been revoked", KEY),
        ("Invalid bearer token", KEY),
        ("organization_restricted: Organization has been restricted", DISABLED),
        ("access_terminated", DISABLED),
        ("Organization is inactive", DISABLED),
        ("You didn't provide an API key.", KEY),
        ("The API key you provided does not exist", KEY),
        ("Invalid Authentication", KEY),
        ("Credit limit exceeded", CREDIT),
        ("You have used all available credits", CREDIT),
        ("Your account doesn't have any credits", CREDIT),
        ("This request requires more credits", CREDIT),
        ("Your account is not active, please check your billing details", CREDIT),
        ("Your balance is insufficient", CREDIT),
        ("Arrearage", CREDIT),
        ("Monthly spend cap reached", LIMIT),
        ("You reached your monthly budget", LIMIT),
    ],
)
def test_a_refused_account_is_recognized_by_the_error_text(text: str, cause: Cause) -> None:
    """Their type is `invalid_request_error`; upper and lower case do not matter."""
    for variant in (text, text.upper(), text.lower()):
        assert account_cause("invalid_request_error", variant) is cause


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens: 128001 > 128000, which is the maximum allowed number of output tokens",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "messages: at least one message is required",
        "temperature: range: 0..1",
        "Output blocked by content filtering policy",
        "The user's prompt was blocked by our content filter",
        "tools.0.input_schema: JSON schema is invalid",
        "cache_control: at most 4 blocks",
        "This request would exceed your organization's rate limit of 50 requests per minute",
        "model: claude-1 is retired",
        "Internal server error",
        "Invalid token '<' in regex",
        "logit_bias: invalid token 50300",
        "metadata.user_id: invalid credentials format",
        "prompt exceeds the hard limit of 200000 tokens",
        "Thinking budget exceeded",
        "mcp_servers.0: invalid authorization token",
        "Input should be 'user' or 'assistant', input_value='My account was locked', input_type=str",
        "messages.0.role: 'my account is suspended' is not a role",
        "",
    ],
)
def test_a_request_that_is_refused_is_not_taken_for_the_account(text: str) -> None:
    """Sending it again would not help."""
    assert account_cause("invalid_request_error", text) is None


@pytest.mark.parametrize(
    ("status", "text", "cause"),
    [
        (413, "", SIZE),
        (413, "Request exceeds the maximum size", SIZE),
        (400, "Too many requests in batch: at most 10000 requests are allowed", SIZE),
        (400, "batch size exceeds the limit of 1000", SIZE),
        (400, "The number of requests must not exceed 50,000", SIZE),
        (400, "maximum 500 requests per batch", SIZE),
        (400, "maximum number of records is 1000", SIZE),
        (400, "The batch contains 60000 requests, the limit is 50000", SIZE),
        (400, "Batch cannot exceed 100 MB", SIZE),
        (400, "allowed requests per batch: 1000", SIZE),
        (422, "requests: List should have at most 100 items after validation", SIZE),
        (400, "File is too large. Maximum file size is 100 MB.", SIZE),
        (0, "too_many_tasks: This batch contains too many tasks", SIZE),
        (400, "the payload exceeds 32 MB", SIZE),
        (400, "requests.0.params.max_tokens: too large", None),
        (400, "invalid value", None),
        (0, "invalid: max_tokens: too large: 999999", None),
        (0, "limit of tools is 128", None),
        (400, "requests.0.params.stop_sequences: List should have at most 4 items", None),
        (0, "prompt too long", None),
        (0, "the model limit", None),
        (0, "Rate limit reached", None),
        (0, "time limit exceeded", None),
        (400, "Invalid token } in JSON", None),
        (400, "Batch request 3: max_tokens: 100000 exceeds 64000", None),
        (400, "messages: at most 100 images; found 120 items", None),
        (400, "params.tools: maximum 128 items", None),
        (400, "messages.0.content.0.source: file too large", None),
        (400, "Invalid body: temperature exceeds 1", None),
        (429, "billing_not_active", CREDIT),
        (429, "exceeded_current_quota_error", LIMIT),
        (429, "Your prepayment credits are depleted", CREDIT),
        (429, "You reached your monthly spend limit", LIMIT),
        (429, "You exceeded your current quota of requests per minute", None),
        (429, "Too many requests", None),
        (429, "You have reached your usage limit, slow down", None),
        (429, "insufficient_quota", LIMIT),
        (400, "Your credit balance is too low", CREDIT),
    ],
)
def test_a_batch_is_refused_for_its_size_or_the_account_or_neither(status: int, text: str, cause: Cause | None) -> None:
    """A 429 means that the provider is busy, unless its text clearly says otherwise."""
    assert cause_of(status, "invalid_request_error", text) is cause


@pytest.mark.parametrize("kind", ["rate_limit_error", "rate_limit_exceeded"])
def test_a_rate_limit_is_not_blamed_on_the_account(kind: str) -> None:
    """Such texts mention limits, too; only a clear text blames the account."""
    assert account_cause(kind, "This would exceed your organization's usage limit of 400,000 tokens per minute") is None
    assert account_cause(kind, "insufficient_quota") is LIMIT


UNEXPECTED = "Unexpected value(s) `a-1`, `b-2` for the `anthropic-beta` header. Please consult our documentation."


@pytest.mark.parametrize(
    "text",
    [
        UNEXPECTED,
        UNEXPECTED.replace("`", ""),
        UNEXPECTED.replace("`", "'"),
        f"channel error (channel #2, status code: 400): {UNEXPECTED}",
        "invalid beta flag",
        "The anthropic-beta header is not supported by this provider",
        "Unsupported anthropic-beta value: a-1",
        "The long context beta is not yet available for this subscription.",
    ],
)
def test_a_refused_beta_is_recognized_by_the_error_text(text: str) -> None:
    """Both the API's and relays' texts count, in upper and lower case."""
    for variant in (text, text.upper(), text.lower()):
        assert cause_of(400, "invalid_request_error", variant) is Cause.BETA


@pytest.mark.parametrize(
    "text",
    [
        "params: Input should be a valid dictionary [type=dict_type, input_value='invalid beta flag', input_type=str]",
        "requests.0.params.model: claude-beta: not found",
        "beta: Extra inputs are not permitted",
        "anthropic-version: header is required",
    ],
)
def test_a_text_about_something_else_is_no_refusal_of_a_beta(text: str) -> None:
    """They may quote the user's own text."""
    assert cause_of(400, "invalid_request_error", text) is None
