"""Access control of the server: requests without its cookie get no answer, pages load nothing from elsewhere, and a client
whose request is slow or never comes does not delay other clients.

The printed address holds a token, which the server exchanges for a cookie; the page itself has an address without it. The
address that otjdd passes to the browser is valid once, since all users of a machine can read that command line.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import unquote

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HOSTS = ("127.0.0.1", "localhost")  # any other name that resolves to this machine is an attack (DNS rebinding)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
MOST_BYTES = 64 * 1024  # of a message
# types of ASGI
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
Headers = dict[bytes, str]  # of a request, by their names in lower case
PATIENCE = 10.0  # s in which a client has to send a whole request
MOST = 100  # connections at a time; a browser opens six
# Connections that are accepted before any is counted: asyncio accepts so many in a row, each with a handle of the system.
# It writes as many errors where there are no more, and macOS gives a process 256.
AT_ONCE = 16

COOKIE = "otjdd"  # the port is added to the name, since all servers of a machine share cookies


class Guard:
    """ASGI application that passes on to another one only requests to a name of this machine, with the cookie.

    token : in the address that is printed   once : tokens that are valid once
    """

    def __init__(self, app: Application, port: int) -> None:
        self.app, self.cookie, self.secret = app, f"{COOKIE}-{port}", secrets.token_urlsafe(24)
        self.token = secrets.token_urlsafe(24)
        self.once: set[str] = set()

    def one_time(self) -> str:
        """A new token that is valid once."""
        token = secrets.token_urlsafe(24)
        self.once.add(token)
        return token

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        path = unquote(scope["path"])
        if name_of_host(headers.get(b"host", "")) not in HOSTS or foreign(headers):
            await refuse(send, 403)
        elif scope["method"] == "GET" and self.admits(path.strip("/")):
            cookie = f"{self.cookie}={self.secret}; Path=/; HttpOnly; SameSite=Strict"
            await refuse(send, 303, (b"location", b"/"), (b"set-cookie", cookie.encode()))
        elif not secrets.compare_digest(cookie_value(headers, self.cookie).encode(), self.secret.encode()):
            await refuse(send, 403)
        elif not path.startswith("/"):  # such as `OPTIONS *`
            await refuse(send, 400)
        elif "chunked" in headers.get(b"transfer-encoding", "") or length(headers) > MOST_BYTES:
            await refuse(send, 413)
        else:
            await self.app(scope, receive, headed(send))

    def admits(self, token: str) -> bool:
        """True for a valid token. A token that is valid once is then used up."""
        used = [valid for valid in self.once if secrets.compare_digest(valid.encode(), token.encode())]
        self.once.difference_update(used)
        return bool(used) or secrets.compare_digest(token.encode(), self.token.encode())


def name_of_host(host: str) -> str:
    """Name of a host without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


def foreign(headers: Headers) -> bool:
    """True for a request by a page of another server, even one of this machine, for which browsers send the cookie too."""
    origin = headers.get(b"origin", own := f"http://{headers.get(b'host', '')}")
    return origin != own or headers.get(b"sec-fetch-site", "none") not in ("none", "same-origin")


def cookie_value(headers: Headers, name: str) -> str:
    """Value of a cookie, "" where there is none."""
    try:
        cookie = SimpleCookie(headers.get(b"cookie", "")).get(name)
    except CookieError:
        return ""
    return cookie.value if cookie else ""


def length(headers: Headers) -> int:
    """Length of the body of a request [bytes]; more than MOST_BYTES if the header is no number."""
    text = headers.get(b"content-length", "0")
    return int(text) if text.isdecimal() and len(text) < 10 else MOST_BYTES + 1


async def refuse(send: Send, status: int, *headers: tuple[bytes, bytes]) -> None:
    """Answer with a status and no content."""
    head = {"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0"), *headers]}
    await headed(send)(head)
    await send({"type": "http.response.body", "body": b""})


def headed(send: Send) -> Send:
    """A `send` that adds HEADERS to each answer."""
    more = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return with_headers


class ImpatientProtocol(H11Protocol):
    """HTTP that ends a connection whose request is incomplete after PATIENCE; above MOST, the oldest incomplete one."""

    deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.set_deadline()
        if len(self.connections) > MOST:
            others = (other for other in self.connections if isinstance(other, ImpatientProtocol))
            waiting = {other.deadline.when(): other for other in others if other.deadline is not None}
            oldest = waiting[min(waiting)]
            oldest.clear_deadline()  # `connection_lost` is called later, when other connections may have come
            oldest.transport.abort()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self.clear_deadline()
        elif self.deadline is None:
            self.set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.clear_deadline()

    def set_deadline(self) -> None:
        """End the connection after PATIENCE, unless the request is whole by then."""
        self.deadline = self.loop.call_later(PATIENCE, self.transport.abort)

    def clear_deadline(self) -> None:
        """Let the connection last."""
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None
