"""Every generated page, by its name in `docs/`, and what makes its text."""

from docs.generate import permissions, settings

PAGES = {"settings.md": settings.page, "permissions.md": permissions.page}
