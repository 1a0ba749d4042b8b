"""Why a call to the provider failed, in plain words with the technical name in brackets at the end.

The ledger and the state keep the technical name. The text of an exception is never kept or shown: it may quote a header
with a key, or an address with a password.
"""

import re
import ssl
from socket import gaierror

from conveyor.domain.drop import UNREADABLE
from conveyor.domain.observed import TroubleWith
from conveyor.domain.refusal import AT_GATE, CREATED, NOT_CALLED

_ERRORS = {
    "ConnectError": "no connection to the provider could be made",
    "ConnectTimeout": "no connection to the provider could be made in time",
    "ReadTimeout": "the provider did not respond in time",
    "WriteTimeout": "the provider did not accept the data in time",
    "PoolTimeout": "no connection to the provider became free in time",
    "ReadError": "the connection to the provider was lost while it responded",
    "WriteError": "the connection to the provider was lost while data was sent",
    "CloseError": "the connection to the provider could not be closed",
    "RemoteProtocolError": "the provider's response was cut off, or was not valid HTTP",
    "LocalProtocolError": "the request to the provider is not valid HTTP",
    "UnsupportedProtocol": "the provider's address must begin with https:// or http://",
    "ProxyError": "the proxy in front of the provider refused the call",
    "DecodingError": "the provider's response could not be decompressed",
    "TooManyRedirects": "the provider's address redirects too often",
    "_TooSlowError": "sending the batch took too long",
    "SSLCertVerificationError": "the provider's TLS certificate is not accepted",
    "SSLError": "no TLS connection to the provider could be made",
    "gaierror": "the host name of the provider's address was not found",
    "ConnectionRefusedError": "no server responds at the provider's address: the connection was refused",
    "ConnectionResetError": "the provider, or a proxy in front of it, reset the connection",
}
_CAUSES = (ssl.SSLCertVerificationError, ssl.SSLError, gaierror, ConnectionRefusedError, ConnectionResetError)
"""Possible causes of an error of the HTTP client that say more than its own name."""
_STATUSES = {
    400: "the provider does not accept the request",
    401: "the provider does not accept the credentials",
    402: "the provider requires payment",
    403: "the provider denies access",
    404: "the provider did not find what was requested",
    405: "the provider does not support this call at this address",
    408: "the provider did not receive the request in time",
    409: "the provider reports a conflict with another request",
    410: "the provider no longer has what was requested",
    413: "the request is too large for the provider",
    429: "the provider is busy, or a limit is reached",
    500: "the provider has an internal error",
    502: "the provider cannot be reached through its gateway",
    503: "the provider is not available",
    504: "the provider did not respond to its gateway in time",
    524: "the provider did not respond to its gateway in time",
    529: "the provider is overloaded",
}
_SERVER_ERROR, _CLIENT_ERROR, _REDIRECT = 500, 400, 300
_STATUS = re.compile(r"HTTP (\d{3})\b ?(.*)", re.DOTALL)
_BUSY, _TIMEOUT, _DENIED = 429, 408, frozenset({401, 403})
_NETWORK = re.compile(r"\b(?:" + "|".join(_ERRORS) + r")\b|no connection to the provider")
_NOT_RUN = "the provider took the batch, and then ran nothing of it"
_NAME = re.compile(r"(\w+)( while .*)?", re.DOTALL)


def name_of(error: BaseException) -> str:
    """Return the most specific name of an error of the HTTP client: its own, or that of its cause."""
    cause: BaseException | None = error
    while cause is not None:
        kind = next((kind for kind in _CAUSES if isinstance(cause, kind)), None)
        if kind is not None:
            return kind.__name__
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def in_words(reason: str) -> str:
    """Return a reason in plain words; one that is in words already is returned unchanged."""
    if status := _STATUS.fullmatch(reason):
        return of_status(int(status[1]), status[2])
    name = _NAME.fullmatch(reason)
    if name and name[1] in _ERRORS:
        return f"{_ERRORS[name[1]]} ({reason.lstrip('_')})"
    if name and reason.isidentifier():
        return f"a function of this stack failed ({reason})"
    return reason


def is_about_room(reason: str) -> bool:
    """Tell whether a call failed only for want of room: the provider is busy, or a limit is reached; the run waits.

    A provider that ran nothing of a batch it had taken had no room for it, else the run would have ended.
    """
    return _status_in(reason) == _BUSY or reason.startswith(_NOT_RUN)


def trouble_with(reason: str) -> TroubleWith:
    """Return what keeps failing, by the reason why a call failed: in words or by its technical name."""
    status = _status_in(reason)
    if status in _DENIED:
        return TroubleWith.CREDENTIALS
    if (status or 0) >= _SERVER_ERROR or status == _TIMEOUT or _NETWORK.search(reason):
        return TroubleWith.UNAVAILABLE
    return TroubleWith.DROP if reason.startswith(UNREADABLE) else TroubleWith.OTHER


def _status_in(reason: str) -> int | None:
    """Return the HTTP status that a reason names, if it names one."""
    found = _STATUS.search(reason)
    return int(found[1]) if found else None


def of_status(status: int, more: str = "") -> str:
    """Say what an HTTP status other than success means. `more`: follows the status in the brackets."""
    words = _STATUSES.get(status)
    if words is None and status >= _SERVER_ERROR:
        words = "the provider has a server error"
    elif words is None and status >= _CLIENT_ERROR:
        words = "the provider refuses the request"
    elif words is None:
        is_redirect = status >= _REDIRECT
        words = "the provider redirects to another address" if is_redirect else "the provider's response is not usable"
    return f"{words} (HTTP {status}{f' {more}' if more else ''})"


def describe_refusal(status: int, error_type: str) -> str:
    """Return what the provider answered, without its error text: that may quote a prompt, and this goes into messages.

    `status`: of HTTP; 0 if no request was sent, 200 if the provider created the batch and did not run it.
    """
    if status == CREATED:
        return f"{_NOT_RUN}: {error_type}"
    if error_type == AT_GATE:
        return "a gate was closed before the call was made"
    if error_type == NOT_CALLED:
        return "the provider asked not to be called for some time"
    return of_status(status, error_type) if status else "no connection to the provider could be made"
