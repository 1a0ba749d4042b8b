"""Write every generated page beside the others."""

from docs.generate.pages import PAGES
from docs.generate.template import PROJECT

if __name__ == "__main__":
    for name, page in PAGES.items():
        (PROJECT / "docs" / name).write_text(page())
