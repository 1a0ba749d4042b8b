"""Saved queries: AWS::Logs::QueryDefinition, and the actions for them. MiniStack has neither.

CloudWatch does not parse a query when it is saved, so it can be saved with a mistake.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import re
import time
from typing import Any
from uuid import uuid4

from ministack.core.responses import AccountRegionScopedDict, error_response_json, json_response
from ministack.services.cloudformation import provisioners

type Json = dict[str, Any]
type Answer = tuple[int, dict[str, str], bytes]

TYPE = "AWS::Logs::QueryDefinition"
NAME = re.compile(r"([^:*/]+/?)*[^:*/]+")
MAX_NAME, MAX_QUERY, MAX_GROUPS = 255, 10_000, 50
PAGE, MAX_PAGE = 1000, 1000

definitions = AccountRegionScopedDict()
"""Saved queries by their ids."""


def patch() -> None:
    """Let CloudFormation know the type; `requests.py` knows the actions."""
    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": _create, "update": _update, "delete": _delete}


def answer(action: str, request: Json) -> Answer:
    """Answer a request for one of ACTIONS."""
    try:
        success: Answer = json_response(ACTIONS[action](request))
    except LookupError:
        return _refused("ResourceNotFoundException", "The specified query definition does not exist.")
    except ValueError as error:
        return _refused("InvalidParameterException", str(error))
    return success


def _refused(code: str, message: str) -> Answer:
    refusal: Answer = error_response_json(code, message, 400)
    return refusal


def _put(request: Json) -> Json:
    """Save a new query, or all of one given by its id. Raises LookupError or ValueError."""
    name, query, names = request["name"], request["queryString"], request.get("logGroupNames") or []
    if not NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise ValueError(f"the name must match {NAME.pattern} and have at most {MAX_NAME} characters")
    if not 1 <= len(query) <= MAX_QUERY or len(names) > MAX_GROUPS:
        raise ValueError(f"a query has 1 to {MAX_QUERY} characters, and at most {MAX_GROUPS} log groups")
    query_id = request.get("queryDefinitionId") or str(uuid4())
    if "queryDefinitionId" in request and query_id not in definitions:
        raise LookupError(query_id)
    definitions[query_id] = {
        "queryLanguage": "CWLI", "queryDefinitionId": query_id, "name": name, "queryString": query,
        "lastModified": int(time.time() * 1000), "logGroupNames": names,
    }  # fmt: skip
    return {"queryDefinitionId": query_id}


def _describe(request: Json) -> Json:
    size = int(request.get("maxResults", PAGE))
    if not 1 <= size <= MAX_PAGE:
        raise ValueError(f"maxResults must be between 1 and {MAX_PAGE}")
    prefix, start = request.get("queryDefinitionNamePrefix", ""), int(request.get("nextToken", 0))
    found = sorted(
        (one for one in definitions.values() if one["name"].startswith(prefix)),
        key=lambda one: (one["name"], one["queryDefinitionId"]),
    )
    more = {"nextToken": str(start + size)} if len(found) > start + size else {}
    return {"queryDefinitions": found[start : start + size], **more}


def _remove(request: Json) -> Json:
    if request["queryDefinitionId"] not in definitions:
        raise LookupError(request["queryDefinitionId"])
    del definitions[request["queryDefinitionId"]]
    return {"success": True}


ACTIONS = {"PutQueryDefinition": _put, "DescribeQueryDefinitions": _describe, "DeleteQueryDefinition": _remove}


def _request(properties: Json) -> Json:
    """Return the request that a resource stands for. Raises ValueError for a property that is wrong."""
    unknown = properties.keys() - {"Name", "QueryString", "LogGroupNames", "QueryLanguage"}
    if unknown or not {"Name", "QueryString"} <= properties.keys():
        raise ValueError(f"{TYPE} needs Name and QueryString, and does not know here: {', '.join(sorted(unknown))}")
    if properties.get("QueryLanguage", "CWLI") != "CWLI":
        raise ValueError(f"{TYPE}: only the language CWLI is known here")
    names = properties.get("LogGroupNames", [])
    return {"name": properties["Name"], "queryString": properties["QueryString"], "logGroupNames": names}


def _create(_logical_id: str, properties: Json, _stack: str) -> tuple[str, Json]:
    query_id = _put(_request(properties))["queryDefinitionId"]
    return query_id, {"QueryDefinitionId": query_id}


def _update(physical_id: str, _old: Json, new: Json, _stack: str) -> tuple[str, Json]:
    """All properties are updated without interruption."""
    query_id = _put(_request(new) | {"queryDefinitionId": physical_id})["queryDefinitionId"]
    return query_id, {"QueryDefinitionId": query_id}


def _delete(physical_id: str, _properties: Json) -> None:
    if physical_id in definitions:
        del definitions[physical_id]
