"""Access control of the server: only the page that it served itself."""

from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}
"""Of every response that does not set its own."""


class Guard:
    """Passes on requests that name this server as their host, come from its page or from no page, and have its token.

    A page of another site can neither guess the token, nor reach the server by a name that it has made lead here.
    """

    def __init__(self, app: ASGIApp, port: int, token: str) -> None:
        """Stand before `app`, which listens on `port` of the loopback interface."""
        self._app, self._token = app, token.encode()
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._origins = {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the application answer it."""
        fault = self._fault(scope)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(item for item in _HEADERS.items() if item[0] not in own)]
            await send(message)

        if not fault:
            await self._app(scope, receive, send_guarded)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": fault})
        else:
            await PlainTextResponse(f"{fault}\n", 403)(scope, receive, send_guarded)

    def _fault(self, scope: Scope) -> str:
        """Return why a request is refused; empty if it is not."""
        hosts, origins, tokens = (_values(scope, name) for name in (b"host", b"origin", b"x-token"))
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return "refused: the Host is not this server"
        if not set(origins) <= self._origins:
            return "refused: the Origin is not this server"
        query = parse_qs(scope["query_string"].decode("latin-1"))
        tokens += query.get("token", [])
        if not tokens or not all(compare_digest(token.encode(), self._token) for token in tokens):
            return "refused: the token is missing or wrong; open the address that `schedframe design` printed"
        return ""


def _values(scope: Any, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]
