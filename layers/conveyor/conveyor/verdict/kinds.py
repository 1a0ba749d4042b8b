"""Types of errors in our own words."""

from conveyor.domain.outcome import UNREADABLE

KINDS = {
    "api_error": "the provider had an internal error",
    "authentication_error": "the provider did not accept the credentials",
    "billing_error": "the account's billing is not in order",
    "canceled": "the batch was cancelled before they were processed",
    "expired": "the provider did not process them in time",
    "invalid_request_error": "the provider does not accept the request",
    "missing": "they are not in the provider's results",
    "never_sent": "the run ended before they were sent",
    "not_found_error": "the model, or something else that they name, does not exist",
    "overloaded_error": "the provider was overloaded",
    "permission_error": "the credentials do not permit it",
    "rate_limit_error": "the provider was busy, or a limit was reached",
    "request_too_large": "the request is too large for the provider",
    "stuck": "there are no results for their batch",
    "timeout_error": "the provider took too long",
    UNREADABLE: "the provider's result line could not be read",
}
"""Types of errors and outcomes in our own words."""
