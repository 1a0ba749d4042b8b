"""The deployed sources of each release, in one archive: a test deploys them, and updates the stack to this code."""

import io
import lzma
import tarfile
from hashlib import sha256
from pathlib import Path

from local.stack.deployment import deployed_files
from tests.golden.kept import FOLDER, in_order

FILE = "sources.tar.xz"


def packed(root: Path) -> bytes:
    """Return an archive of what is deployed from a folder. It has no times and no owners."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for path in deployed_files(root):
            member = tarfile.TarInfo(path.relative_to(root).as_posix())
            content = path.read_bytes()
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    return lzma.compress(tar.getvalue(), preset=9)


def unpacked(archive: bytes) -> dict[str, bytes]:
    """Return the files in an archive, by their paths."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:xz") as tar:
        read = {member.name: tar.extractfile(member) for member in tar.getmembers() if member.isfile()}
        return {name: file.read() for name, file in read.items() if file}


def releases() -> list[str]:
    """Return the releases whose sources are kept, oldest first."""
    return in_order(path.parent.name for path in FOLDER.glob(f"*/{FILE}"))


def of(release: str) -> dict[str, bytes]:
    """Return the sources of a release, by their paths."""
    return unpacked((FOLDER / release / FILE).read_bytes())


def digest(release: str) -> str:
    """Return a short digest of the archive of a release."""
    return sha256((FOLDER / release / FILE).read_bytes()).hexdigest()[:8]


def last_other(root: Path) -> str:
    """Return the last release whose sources are not those in a folder: the one that people update from."""
    now = unpacked(packed(root))
    return next(release for release in reversed(releases()) if of(release) != now)


def put(release: str, folder: Path) -> Path:
    """Write the sources of a release into a folder, and return it."""
    for name, content in of(release).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
