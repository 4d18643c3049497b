"""Who may ask the live page for anything: whoever has its token, by its own address, and to read alone.

A page of a stranger, open in the same browser, can send requests to any address of this machine, also under a name of
its own that it has led to 127.0.0.1 (DNS rebinding). It does not know the token, and its requests carry its own name as
``Host``. Whoever else works on this machine can reach the port as well, and does not know the token either.
"""

import secrets
from collections.abc import Iterable
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class Guard:
    """Lets through what may be answered, and puts the same headers on every answer.

    Parameters
    ----------
    app : ASGI application
        What answers.
    token : str
        That has to be in the query, once, as ``token``.
    port : int
        Of the server: the only Hosts are ``127.0.0.1`` and ``localhost`` with this port.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int) -> None:
        self._app, self._token = app, token.encode()
        self._hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost")}
        if port == 80:
            self._hosts |= {b"127.0.0.1", b"localhost"}  # browsers leave that one out

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise RuntimeError(f"the live page answers HTTP alone, not {scope['type']}")

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {key.lower() for key, _ in message["headers"]}
                added = {**_HEADERS, "content-security-policy": _NOTHING}
                message["headers"] = [
                    *message["headers"],
                    *((key.encode(), value.encode()) for key, value in added.items() if key.encode() not in own),
                ]
            await send(message)

        await (self._refusal(scope) or self._app)(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        hosts = _values(scope["headers"], b"host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return PlainTextResponse("this page has another address than the one that was asked for\n", 400)
        if scope["method"] != "GET":
            return PlainTextResponse("this page is there to be read: GET alone\n", 405, {"allow": "GET"})
        tokens = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).get("token", [])
        # Compared as a whole and in constant time, also where there is none.
        given = tokens[0].encode(errors="replace") if len(tokens) == 1 else b""
        if not secrets.compare_digest(given, self._token):
            text = "the token in the address is missing or wrong; open the address that infoplane watch printed\n"
            return PlainTextResponse(text, 403)
        return None


def _values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for key, value in headers if key.lower() == name]
