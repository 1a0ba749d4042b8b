"""IAM: variables in policies, such as `${aws:PrincipalTag/project}`.

MiniStack compares them as text, so a statement with one never matches. AWS puts a value of the request's context in
their place, in the resource part of an ARN and in conditions with string or ARN operators. If the context has no such
value, the whole statement matches nothing.

Not here, so that a policy which uses them allows less than on AWS: default values (`${name, 'text'}`) and the variables
for single characters (`${*}`).
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ministack.core import iam_evaluator as evaluator

if TYPE_CHECKING:
    from ministack.core.iam_evaluator import EvalContext, ParsedStatement

type Json = dict[str, Any]
type Conditions = dict[str, dict[str, Any]]

first_match = evaluator._first_match
parse = evaluator.parse_policy_document

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_WITH_VARIABLES = re.compile(r"(?:for(?:any|all)values?:)?(?:string|arn)\w+", re.IGNORECASE)
"""Operators whose values may have variables."""
_WILDCARDS = frozenset("*?")
"""Characters that no tag and no name of IAM has. A value with one, which only MiniStack takes, counts as no value."""


class NoValueError(LookupError):
    """The context of a request has no value for a variable."""


def patch() -> None:
    """Apply the patches."""
    evaluator._first_match = _first_match
    evaluator.parse_policy_document = _parse


def _parse(document: str | Json) -> list[ParsedStatement]:
    """Return the statements of a policy, which nobody changes."""
    statements: list[ParsedStatement] = _parsed(document) if isinstance(document, str) else parse(document)
    return statements


_parsed = lru_cache(1024)(parse)


def _first_match(context: EvalContext, statements: list[ParsedStatement], effect: str) -> ParsedStatement | None:
    """Return the first statement that matches, with values in place of variables."""
    filled = (_filled(each, context) for each in statements if each.effect == effect and _names(each, context.action))
    found: ParsedStatement | None = first_match(context, [each for each in filled if each is not None], effect)
    return found


def _names(statement: ParsedStatement, action: str) -> bool:
    """Return whether a statement is about an action: few are, and only these are filled."""
    return bool(evaluator._action_matches(action, statement.actions, statement.not_actions))


def _filled(statement: ParsedStatement, context: EvalContext) -> ParsedStatement | None:
    """Return a statement with values in place of variables; None if one has no value."""
    try:
        return replace(
            statement,
            resources=[_resource(each, context) for each in statement.resources],
            not_resources=[_resource(each, context) for each in statement.not_resources],
            conditions=_conditions(statement.conditions, context),
        )
    except NoValueError:
        return None


def _resource(arn: str, context: EvalContext) -> str:
    """Fill the part behind the fifth colon, where variables may be."""
    *front, last = arn.split(":", 5)
    return ":".join([*front, _text(last, context)])


def _conditions(conditions: Conditions, context: EvalContext) -> Conditions:
    return {
        operator: {
            key: [_text(each, context) for each in (value if isinstance(value, list) else [value])]
            for key, value in keys.items()
        }
        if _WITH_VARIABLES.fullmatch(operator)
        else keys
        for operator, keys in conditions.items()
    }


def _text(text: str, context: EvalContext) -> str:
    return _VARIABLE.sub(lambda variable: _value(variable[1], context), text) if "${" in text else text


def _value(name: str, context: EvalContext) -> str:
    value = evaluator._resolve_condition_key(name, context)
    if not isinstance(value, str) or _WILDCARDS & set(value):
        raise NoValueError(name)
    return value
