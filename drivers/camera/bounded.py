"""What a camera answers to a request, within bounds: only the stream itself may be long.

The client reads an answer that asks for a password to its end before it asks again, however long the camera makes it.
"""

from __future__ import annotations

import ssl
from collections.abc import Generator

import httpx

REFUSAL_LIMIT = 64 * 1024
"""Bytes of an answer without a stream that are read, so that its connection can be used again."""

SIGN_IN = "www-authenticate"


class Bounded(httpx.AsyncHTTPTransport):
    """The network, but of an answer that is no stream nothing remains but its status and how to sign in.

    `tls`: whom a camera's certificate is signed by; None: nothing is said over TLS.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(verify=False if tls is None else tls)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request to the camera. Raises `httpx.TransportError`."""
        answer = await super().handle_async_request(request)
        if answer.status_code == httpx.codes.OK:
            return answer
        read = 0
        try:
            async for data in answer.aiter_raw():
                read += len(data)
                if read > REFUSAL_LIMIT:
                    break
        finally:
            await answer.aclose()
        asks = [(name, value) for name, value in answer.headers.multi_items() if name == SIGN_IN]
        return httpx.Response(answer.status_code, headers=asks)


class Digest(httpx.DigestAuth):
    """Signs in by digest. `ValueError` if the camera asks in a way that nobody knows."""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """The request, and once more with the password if the camera asks for it."""
        try:
            yield from super().auth_flow(request)
        except (KeyError, ValueError, NotImplementedError, httpx.ProtocolError) as wrong:
            raise ValueError("the camera answers 401 and gives no events") from wrong
