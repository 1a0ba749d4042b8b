"""A former release, deployed on the local AWS, and the update of its stack to this code."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.stack.deployment import BUILDS, build, deploy, kept
from local.stack.local_aws import local_aws
from local.stack.messages import subscribe
from local.stack.provider_process import simulated_provider
from local.stack.stack import Stack
from local.stack.start import PLACEHOLDER_KEY, SECRET_NAME, faster_functions
from tests.golden import sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextmanager
def deployed(
    release: str, parameters: Mapping[str, str], provider_settings: Mapping[str, Any], wait_scale: float
) -> Iterator[Stack]:
    """Run the stack of a release for the length of the block. `parameters`: by the names that it had then."""
    with ExitStack() as running:
        work = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="conveyor-", ignore_cleanup_errors=True)))
        built = running.enter_context(kept(build(work, _sources(release))))
        aws = running.enter_context(local_aws(work, wait_scale=wait_scale, extra=faster_functions(built)))
        provider = running.enter_context(simulated_provider(work, provider_settings))
        aws.client("secretsmanager").create_secret(Name=SECRET_NAME, SecretString=PLACEHOLDER_KEY)
        outputs = deploy(aws, built, {"ApiUrl": provider.url} | dict(parameters), work)
        yield Stack(aws, outputs, subscribe(aws, outputs["TopicArn"]), work, provider, parameters)


def _sources(release: str) -> Path:
    """Return the folder with the sources of a release: what is built refers to it, and is used again."""
    folder = BUILDS.with_name("releases") / f"{release}-{sources.digest(release)}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=folder.parent))
        sources.put(release, unfinished)
        with suppress(OSError):  # another process was first
            unfinished.rename(folder)
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def update(stack: Stack, parameters: Mapping[str, str]) -> Stack:
    """Update a stack to this code, and return it as it is then."""
    assert stack.provider
    outputs = deploy(stack.aws, build(stack.work), {"ApiUrl": stack.provider.url} | dict(parameters), stack.work)
    return Stack(stack.aws, outputs, stack.queue_url, stack.work, stack.provider, parameters)
