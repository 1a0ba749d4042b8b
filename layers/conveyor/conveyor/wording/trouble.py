"""Why a provider could not be asked, in words for a person, with the technical name in brackets at the end.

Facts and states keep the technical name. The words of an exception are never kept or told: they may quote a header, and
so a key, or an address with a password.
"""

import re
import ssl
from socket import gaierror

_ERRORS = {
    "ConnectError": "no connection to the provider could be made",
    "ConnectTimeout": "no connection to the provider could be made in time",
    "ReadTimeout": "the provider did not answer in time",
    "WriteTimeout": "the provider did not take what was sent to it in time",
    "PoolTimeout": "no connection to the provider became free in time",
    "ReadError": "the connection to the provider broke off while it answered",
    "WriteError": "the connection to the provider broke off while it was sent something",
    "CloseError": "the connection to the provider could not be closed",
    "RemoteProtocolError": "the provider broke off its answer, or did not answer in HTTP",
    "LocalProtocolError": "the question to the provider cannot be written in HTTP",
    "UnsupportedProtocol": "the provider's address begins with neither https:// nor http://",
    "ProxyError": "the proxy before the provider does not let calls through",
    "DecodingError": "the provider's answer is packed in a way that cannot be read",
    "TooManyRedirects": "the provider's address leads to other addresses without end",
    "_TooSlowError": "sending the batch took too long",
    "SSLCertVerificationError": "the provider's TLS certificate is not accepted",
    "SSLError": "no TLS connection to the provider could be made",
    "gaierror": "the host name of the provider's address was not found",
    "ConnectionRefusedError": "nothing answers at the provider's address: the connection was refused",
    "ConnectionResetError": "the provider, or what stands before it, broke off the connection",
}
_CAUSES = (ssl.SSLCertVerificationError, ssl.SSLError, gaierror, ConnectionRefusedError, ConnectionResetError)
"""What may lie behind an error of the HTTP client, and says more than its name."""
_STATUSES = {
    400: "the provider does not accept the request",
    401: "the provider does not accept the credentials",
    402: "the provider asks for payment first",
    403: "the provider denies access",
    404: "the provider does not know what was asked for",
    405: "the provider does not offer this call at its address",
    408: "the provider did not get the request in time",
    409: "the provider reports a conflict with another request",
    410: "what was asked for is gone at the provider",
    413: "the request is too large for the provider",
    429: "the provider is busy or its limit is reached",
    500: "the provider has an internal error",
    502: "the provider cannot be reached through its gateway",
    503: "the provider is not available",
    504: "the provider did not answer its gateway in time",
    524: "the provider did not answer its gateway in time",
    529: "the provider is overloaded",
}
_SERVER_ERROR, _CLIENT_ERROR, _REDIRECT = 500, 400, 300
_STATUS = re.compile(r"HTTP (\d{3})\b ?(.*)", re.DOTALL)
_NAME = re.compile(r"(\w+)( while .*)?", re.DOTALL)


def name_of(error: BaseException) -> str:
    """Return the name that tells most of an error of the HTTP client: its own, or that of what lies behind it."""
    cause: BaseException | None = error
    while cause is not None:
        kind = next((kind for kind in _CAUSES if isinstance(cause, kind)), None)
        if kind is not None:
            return kind.__name__
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def in_words(reason: str) -> str:
    """Return a reason as a person reads it; one that is in words already is left alone."""
    if found := _STATUS.fullmatch(reason):
        return of_status(int(found[1]), found[2])
    found = _NAME.fullmatch(reason)
    if found and found[1] in _ERRORS:
        return f"{_ERRORS[found[1]]} ({reason.lstrip('_')})"
    if found and reason.isidentifier():
        return f"a function of this stack failed ({reason})"
    return reason


def of_status(status: int, more: str = "") -> str:
    """Say what an answer that is no success means. `more`: stands behind the status in the brackets."""
    words = _STATUSES.get(status)
    if words is None and status >= _SERVER_ERROR:
        words = "the provider has an error of its own"
    elif words is None and status >= _CLIENT_ERROR:
        words = "the provider refuses the request"
    elif words is None:
        is_redirect = status >= _REDIRECT
        words = "the provider sends calls to another address" if is_redirect else "the provider's answer is of no use"
    return f"{words} (HTTP {status}{f' {more}' if more else ''})"
