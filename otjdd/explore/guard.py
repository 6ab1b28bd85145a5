"""The door of the server: who has not come by its address gets nothing, and pages load nothing from elsewhere.

The address holds a token. It is exchanged for a cookie, and the page has an address without it. That of the browser which
otjdd starts is good for one time: all users of a machine can read the command line of the browser.
"""

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
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
# of ASGI
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
Headers = dict[bytes, str]  # of a request, by their names in lower case
COOKIE = "otjdd"  # and the port: cookies are those of all servers of a machine


class Guard:
    """ASGI application around another one, which it shows to this machine alone, and to those that have the cookie.

    token : in the address that is printed   once : tokens for one time
    """

    def __init__(self, app: Application, port: int) -> None:
        self.app, self.cookie, self.secret = app, f"{COOKIE}-{port}", secrets.token_urlsafe(24)
        self.token = secrets.token_urlsafe(24)
        self.once: set[str] = set()

    def one_time(self) -> str:
        """A new token for one time."""
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
        elif not path.startswith("/"):  # as of `OPTIONS *`
            await refuse(send, 400)
        elif "chunked" in headers.get(b"transfer-encoding", "") or length(headers) > MOST_BYTES:
            await refuse(send, 413)
        else:
            await self.app(scope, receive, headed(send))

    def admits(self, token: str) -> bool:
        """True for a token, which is then used up if it was one for one time."""
        known = [one for one in self.once if secrets.compare_digest(one.encode(), token.encode())]
        self.once.difference_update(known)
        return bool(known) or secrets.compare_digest(token.encode(), self.token.encode())


def name_of_host(host: str) -> str:
    """Name of a host without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


def foreign(headers: Headers) -> bool:
    """True for a request that a page of another server makes, also one of this machine, whose cookies are sent as well."""
    origin = headers.get(b"origin")
    return origin is not None and origin != f"http://{headers.get(b'host', '')}"


def cookie_value(headers: Headers, name: str) -> str:
    """Value of a cookie, "" where there is none."""
    try:
        cookie = SimpleCookie(headers.get(b"cookie", "")).get(name)
    except CookieError:
        return ""
    return cookie.value if cookie else ""


def length(headers: Headers) -> int:
    """Length of the body that a request has, bytes."""
    text = headers.get(b"content-length", "0")
    return int(text) if text.isdecimal() and len(text) < 10 else MOST_BYTES + 1


async def refuse(send: Send, status: int, *headers: tuple[bytes, bytes]) -> None:
    """Answer with a status and no content."""
    head = {"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0"), *headers]}
    await headed(send)(head)
    await send({"type": "http.response.body", "body": b""})


def headed(send: Send) -> Send:
    """The `send` of an application, with HEADERS in each answer."""
    more = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return with_headers
