"""A request to the AWS in memory, without what botocore does only for a network.

Left out are events at which nothing happens here: those that sign, name the client, and ask whether to try again after
a success. What is sent, the events `before-send` and `before-parse`, and how a response is read, are as in botocore.
"""
# ruff: noqa: SLF001 - botocore has no public names for these steps

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, cast

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from botocore.endpoint import convert_to_response_dict
from botocore.exceptions import HTTPClientError
from botocore.hooks import first_non_none_response
from botocore.httpchecksum import handle_checksum_body

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSResponse
    from botocore.model import OperationModel

type Json = dict[str, Any]
type Answer = tuple[AWSResponse, Json]

_ERROR, _MAY_PASS = 300, frozenset({409, 429, 500, 502, 503, 504})
"""HTTP status codes: from which on a response is an error, and those after which a client tries again."""


def short_way(url: str, long_way: Callable[[Any, Json, OperationModel], Answer]) -> Callable[..., Answer]:
    """Return what sends a request to `url` and reads the response; requests to others go the long way.

    A response after which a client may try again is the first one of the long way: whether it does is botocore's own
    decision, by the settings of the client.
    """
    long_way = getattr(long_way, "long_way", long_way)  # what is beside a short way is not behind it

    def send(endpoint: Any, asked: Json, operation: OperationModel) -> Answer:
        if not endpoint.host.startswith(url):
            return long_way(endpoint, asked, operation)
        context = asked["context"]
        context["retries"] = {"attempt": 1, "invocation-id": "memory"}
        request = _prepared(asked, operation)
        try:
            response = _ask(endpoint, request, operation)
        except HTTPClientError as error:
            return long_way(_after(endpoint, None, error), asked, operation)
        answer = response, _read(endpoint, response, operation, context)
        return (
            long_way(_after(endpoint, answer, None), asked, operation) if response.status_code in _MAY_PASS else answer
        )

    send.long_way = long_way  # type: ignore[attr-defined]  # for another AWS in memory beside the first
    return send


def _after(endpoint: Any, answer: Answer | None, error: HTTPClientError | None) -> Any:
    """Return an endpoint that begins with what was answered, or raised, and then asks."""
    first = [(answer, error)]

    def respond(*asked: Any) -> Any:
        return first.pop() if first else endpoint._do_get_response(*asked)

    after = copy(endpoint)
    after._do_get_response = respond
    return after


def _prepared(asked: Json, operation: OperationModel) -> AWSPreparedRequest:
    headers = cast("Any", HTTPHeaders).from_dict(asked["headers"])
    return AWSPreparedRequest(asked["method"], asked["url"], headers, asked["body"], operation.has_streaming_output)


def _ask(endpoint: Any, request: AWSPreparedRequest, operation: OperationModel) -> AWSResponse:
    event = f"before-send.{operation.service_model.service_id.hyphenize()}.{operation.name}"
    answer = first_non_none_response(endpoint._event_emitter.emit(event, request=request))
    return cast("AWSResponse", endpoint._send(request) if answer is None else answer)


def _read(endpoint: Any, response: AWSResponse, operation: OperationModel, context: Json) -> Json:
    told: Json = convert_to_response_dict(response, operation)
    handle_checksum_body(cast("Any", response), told, context, operation)
    event = f"before-parse.{operation.service_model.service_id.hyphenize()}.{operation.name}"
    more: Json = {}
    endpoint._event_emitter.emit(event, operation_model=operation, response_dict=told, customized_response_dict=more)
    parser = endpoint._response_parser_factory.create_parser(operation.service_model.resolved_protocol)
    parsed: Json = parser.parse(told, operation.output_shape) | more
    if response.status_code >= _ERROR:
        endpoint._add_modeled_error_fields(told, parsed, operation, parser)
    parsed.setdefault("ResponseMetadata", {})["RetryAttempts"] = 0
    return parsed
