"""The door of the server: who does not know the token gets nothing, and pages load nothing from elsewhere."""

import secrets
from urllib.parse import unquote

HOSTS = ("127.0.0.1", "localhost")  # a name that only resolves to this machine is another's page (DNS rebinding)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
MOST_BYTES = 64 * 1024  # of a message


class Guard:
    """ASGI application around another one, which it shows below /TOKEN/ and to this machine alone."""

    def __init__(self, app, token: str):
        self.app, self.token = app, token

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1").rpartition(":")[0]
        _, token, *rest = unquote(scope["path"]).split("/", 2)
        known = secrets.compare_digest(token.encode(), self.token.encode())
        if host not in HOSTS or not known or not rest:
            await refuse(send, 403)
        elif "chunked" in headers.get(b"transfer-encoding", b"").decode("latin-1") or length(headers) > MOST_BYTES:
            await refuse(send, 413)
        else:
            await self.app(scope | {"path": f"/{rest[0]}", "raw_path": f"/{rest[0]}".encode()}, receive, headed(send))


def length(headers: dict) -> int:
    """Length of the body that a request has, bytes."""
    text = headers.get(b"content-length", b"0")
    return int(text) if text.isdigit() else MOST_BYTES + 1


async def refuse(send, status: int) -> None:
    """Answer with a status and no content."""
    await headed(send)({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def headed(send):
    """The `send` of an application, with HEADERS in each answer."""
    more = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

    async def with_headers(message):
        if message["type"] == "http.response.start":
            message = message | {"headers": [*message.get("headers", ()), *more]}
        await send(message)

    return with_headers
