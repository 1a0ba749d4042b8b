"""Calls signed with the function's own role (SigV4), for Claude Platform on AWS: there is no API key.

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
    """The AWS credentials of this process, which botocore renews before they expire."""

    signs_body = True

    def __init__(self, session: botocore.session.Session) -> None:
        """Use the credentials of a session, and the gateway of its Region."""
        self._session = session
        self._region = session.get_config_variable("region")

    def renew(self) -> None:
        """Check that there are credentials; each signature gets them again. Raises CredentialsUnusable."""
        if self._session.get_credentials() is None or not self._region:
            raise CredentialsUnusable("this process has no AWS credentials, or no region, to sign requests with")

    def sign(self, request: httpx.Request, digest: str) -> None:
        """Sign a request just before it is sent: AWS refuses a signature that is some minutes old."""
        signed_headers = {
            name: value
            for name, value in request.headers.items()
            if name == "content-type" or name.startswith("anthropic-")
        }
        signed = AWSRequest(
            request.method, str(request.url), headers=signed_headers | {"x-amz-content-sha256": digest or _NO_BODY}
        )
        credentials = self._session.get_credentials()
        if credentials is None:
            raise CredentialsUnusable("this process has no AWS credentials to sign requests with")
        SigV4Auth(credentials.get_frozen_credentials(), _SERVICE, self._region).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))

    def redact(self, text: str) -> str:
        """Return the text: a signature is no secret."""
        return text
