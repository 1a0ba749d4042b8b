"""Whether a person wants what a change set does: a yes is enough, unless something in the stack is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployment.words.changes import losses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deployment.screen import Screen
    from deployment.wish import Wish
    from deployment.words.changes import Change


def is_wanted(wish: Wish, screen: Screen, stack: str, changes: Sequence[Change]) -> bool:
    """Ask whether to deploy; where something is lost, ask for the name of the stack."""
    lost = losses(changes)
    for line in lost:
        screen.line(f"!! {line}")
    if lost and wish.yes and not wish.accept_loss:
        screen.line("YES=1 does not cover this. If you mean it, add ACCEPT_LOSS=1 (--accept-loss).")
        return False
    if wish.yes:
        return True
    if lost:
        return screen.ask(f'If you mean it, type the name of the stack ("{stack}")', "", lambda _: None) == stack
    return screen.confirm("Deploy?")
