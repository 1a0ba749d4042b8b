"""Beta features: the known names, and the fields of a request that need one.

Sources: `anthropic.types.AnthropicBetaParam` of SDK 2.14.0 for the names, and its beta `MessageCreateParams` for the
fields. Error text: https://platform.claude.com/docs/en/api/beta-headers. What a beta does to `max_tokens` is in
`local/provider/models`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.provider.errors import ApiError

if TYPE_CHECKING:
    from starlette.requests import Request

    from local.provider.messages.params import Params

HEADER = "anthropic-beta"
KNOWN = frozenset({
    "advisor-tool-2026-03-01", "cache-diagnosis-2026-04-07", "code-execution-2025-05-22", "compact-2026-01-12",
    "compact-2026-09-04", "computer-use-2024-10-22", "computer-use-2025-01-24", "computer-use-2025-11-24",
    "context-1m-2025-08-07", "context-management-2025-06-27", "dev-full-thinking-2025-05-14",
    "extended-cache-ttl-2025-04-11", "fallback-credit-2026-06-01", "fallback-credit-2026-07-01",
    "fast-mode-2026-02-01", "files-api-2025-04-14", "inline-tools-2026-09-15", "interleaved-thinking-2025-05-14",
    "mcp-client-2025-04-04", "mcp-client-2025-11-20", "mcp-client-2026-09-15", "message-batches-2024-09-24",
    "message-threads-2026-08-12", "mid-conversation-output-config-2026-07-01",
    "mid-conversation-system-clear-at-2026-08-21", "mid-conversation-tool-changes-2026-07-01",
    "model-context-window-exceeded-2025-08-26", "output-128k-2025-02-19", "output-300k-2026-03-24", "pdfs-2024-09-25",
    "prompt-caching-2024-07-31", "server-side-fallback-2026-06-01", "server-side-fallback-2026-07-01",
    "skills-2025-10-02", "structured-outputs-2025-11-13", "task-budgets-2026-03-13",
    "thinking-binding-controls-2026-08-01", "thinking-display-updates-2026-08-18", "thinking-token-count-2026-05-13",
    "token-counting-2024-11-01", "token-efficient-tools-2025-02-19", "user-profiles-2026-03-24",
    "user-profiles-2026-08-18", "user-profiles-2026-09-04",
})  # fmt: skip
_COMPACTION = ("compact-2026-01-12", "compact-2026-09-04")
_FIELDS = {
    ("compaction",): _COMPACTION,
    ("context_management",): ("context-management-2025-06-27", *_COMPACTION),
    ("mcp_servers",): ("mcp-client-2025-11-20", "mcp-client-2026-09-15", "mcp-client-2025-04-04"),
    ("output_config", "task_budget"): ("task-budgets-2026-03-13",),
    ("thinking", "block_binding"): ("thinking-binding-controls-2026-08-01",),
}
"""Fields by path, and the betas of which each needs one."""
_TOOLS = {
    "advisor_20260301": "advisor-tool-2026-03-01",
    "bash_20241022": "computer-use-2024-10-22",
    "computer_20241022": "computer-use-2024-10-22",
    "computer_20250124": "computer-use-2025-01-24",
    "computer_20251124": "computer-use-2025-11-24",
    "text_editor_20241022": "computer-use-2024-10-22",
}
"""Types of tools, and the beta that each needs."""


def betas_of(request: Request) -> frozenset[str]:
    """Return the betas of a call, whose header may be repeated; raises `ApiError` 400 for an unknown name."""
    names = [name.strip() for value in request.headers.getlist(HEADER) for name in value.split(",")]
    if unknown := [name for name in names if name not in KNOWN]:
        listed = ", ".join(f"`{name}`" for name in unknown)
        raise ApiError(
            400,
            f"Unexpected value(s) {listed} for the `{HEADER}` header. Please consult our documentation at "
            "platform.claude.com/docs or try again without the header.",
        )
    return frozenset(names)


def missing_beta(params: Params, betas: frozenset[str]) -> str:
    """Return which part of the params needs a beta that was not named; empty if none does."""
    for path, accepted in _FIELDS.items():
        if _has(params, path) and betas.isdisjoint(accepted):
            return f"{'.'.join(path)}: Extra inputs are not permitted"
    for index, tool in enumerate(params.tools or []):
        tool_type = tool.get("type")
        if isinstance(tool_type, str) and tool_type in _TOOLS and _TOOLS[tool_type] not in betas:
            return f"tools.{index}: Input tag '{tool_type}' found using 'type' does not match any of the expected tags"
    return ""


def _has(params: Params, path: tuple[str, ...]) -> bool:
    value = getattr(params, path[0])
    for name in path[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    return value is not None
