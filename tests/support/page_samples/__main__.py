"""Write the page of every sample: `python -m tests.support.page_samples FOLDER`."""

import sys
from pathlib import Path

from conveyor.page.page import page_of
from tests.support.page_samples.samples import SAMPLES, sample

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in SAMPLES:
        (folder / f"{name}.html").write_text(page_of(sample(name)), encoding="utf-8")
