"""Calls signed with the function's own role (SigV4), for Claude Platform on AWS: there is no key to keep or to leak.

Facts: https://platform.claude.com/docs/en/build-with-claude/claude-platform-on-aws
"""

from hashlib import sha256

import botocore.session
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from conveyor.provider.protocol import CredentialsUnusable

_SERVICE = "aws-external-anthropic"
_NO_BODY = sha256().hexdigest()


class RoleSignature:
    """The credentials that AWS gives this process, which botocore renews before they end."""

    signs_body = True

    def __init__(self, session: botocore.session.Session) -> None:
        """Take the session: its region is the one whose gateway is called."""
        self._session = session
        self._region = session.get_config_variable("region")

    def renew(self) -> None:
        """See that there are credentials; they are asked for anew with each signature. Raises CredentialsUnusable."""
        if self._session.get_credentials() is None or not self._region:
            raise CredentialsUnusable("this process has no AWS credentials, or no region, to sign requests with")

    def sign(self, request: httpx.Request, digest: str) -> None:
        """Sign a request just before it is sent: AWS takes no signature that is older than some minutes."""
        kept = {
            name: value
            for name, value in request.headers.items()
            if name == "content-type" or name.startswith("anthropic-")
        }
        signed = AWSRequest(
            request.method, str(request.url), headers=kept | {"x-amz-content-sha256": digest or _NO_BODY}
        )
        credentials = self._session.get_credentials()
        if credentials is None:
            raise CredentialsUnusable("this process has no AWS credentials to sign requests with")
        SigV4Auth(credentials.get_frozen_credentials(), _SERVICE, self._region).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))

    def hide(self, words: str) -> str:
        """Return the words: a signature gives nothing away."""
        return words
