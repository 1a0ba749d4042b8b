"""Checks of the secret, and of the provider's answer to a free call. Pure."""

from typing import Any

from conveyor.domain.refusal import CAUSE_TEXTS, Cause
from conveyor.wording.trouble import in_words, of_status
from conveyor_cli.doctor.finding import Finding, aws, failed, ok

type Json = dict[str, Any]

_KEY = "${API_KEY:?}"


def secret(region: str, name: str, answer: Json) -> Finding:
    """Judge the secret by what DescribeSecret says; empty if it does not exist. It is not read."""
    if not answer:
        more = "Put the key into the shell variable API_KEY, and:"
        create = f'{aws(region, "secretsmanager create-secret", name=name)} --secret-string "{_KEY}"'
        return failed(f'there is no secret "{name}"', more, commands=[create])
    if answer.get("DeletedDate"):
        restore = aws(region, "secretsmanager restore-secret", secret_id=name)
        return failed(f'the secret "{name}" is scheduled to be deleted', commands=[restore])
    return ok(f'the secret "{name}" exists')


def provider(region: str, name: str, function: str, answer: Json) -> Finding:
    """Judge what `submit` answers after a free call. `name`: of the secret; empty if calls are signed."""
    match answer.get("provider"):
        case "accepted":
            return ok(f"the provider accepts the {'key' if name else 'role of the function'}")
        case "refused":
            return _refused(region, name, answer)
        case "busy":
            return failed(f"{in_words(_status(answer))}: it says nothing of the key now", "Try again in some minutes.")
        case "no-credential":
            return failed(str(answer["reason"]), *_replace_words(name), commands=_replace(region, name))
        case "unreachable":
            more = "Check ApiUrl, and the network of the function if it is in a VPC."
            return failed(in_words(str(answer["reason"])), more, commands=[_settings(region, function)])
        case _:
            return failed_call(region, function, str(answer.get("errorType", "another answer")))


def failed_call(region: str, log: str, error: str) -> Finding:
    """Return that the function itself failed."""
    show = aws(region, f"logs tail {log}", since="1h", filter_pattern="?ERROR ?timeout")
    return failed(f"submit failed when it was asked to call the provider ({error})", commands=[show])


def _refused(region: str, name: str, answer: Json) -> Finding:
    status, cause = int(answer["status"]), answer.get("cause")
    words = of_status(status)
    if cause and cause != Cause.KEY:
        return failed(f"{CAUSE_TEXTS[Cause(cause)]} (HTTP {status})", "Put the account in order at the provider.")
    if status in {401, 403} or cause == Cause.KEY:
        if not name:
            return failed(words, "See docs/providers.md: the role of submit needs access to the workspace.")
        return failed(words, *_replace_words(name), commands=_replace(region, name))
    return failed(words, "Check the parameters ApiUrl and BatchApi: there may be another API at this address.")


def _status(answer: Json) -> str:
    return f"HTTP {answer['status']}"


def _replace_words(name: str) -> tuple[str, ...]:
    return ("Put a valid key into the shell variable API_KEY, and:",) if name else ()


def _replace(region: str, name: str) -> list[str]:
    command = aws(region, "secretsmanager put-secret-value", secret_id=name)
    return [f'{command} --secret-string "{_KEY}"'] if name else []


def _settings(region: str, function: str) -> str:
    return aws(region, "lambda get-function-configuration", function_name=function, query="Environment.Variables")
