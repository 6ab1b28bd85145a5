"""The server of the page: the addresses, their answers, and who gets one. It computes nothing itself.

Requests without the cookie of the server get no answer, pages load nothing from elsewhere, and a client whose request is
slow or never comes does not delay other clients. The printed address holds a token, which the server exchanges for a
cookie; the page itself has an address without it. The address that otjdd passes to the browser is valid once, since all
users of a machine can read that command line.
"""

import asyncio
import contextlib
import functools
import json
import re
import secrets
import signal
import socket
import threading
import webbrowser
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, MutableMapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import unquote

import h11
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from otjdd import plot
from otjdd.errors import LimitError, Stopped
from otjdd.explore.experiments import DOWNLOADED
from otjdd.explore.tab import (
    Opened,
    Tab,
    first_frame_of,
    layer_change_of,
    presence_of,
    pulse_by_hand,
    settings_in,
    values_of,
)
from otjdd.explore.workers import Workers
from otjdd.system import limits

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
        if name_of_host(headers.get(b"host", "")) not in HOSTS or from_another_site(headers):
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


def from_another_site(headers: Headers) -> bool:
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


HOST = "127.0.0.1"
FOLDER, PLOT = Path(__file__).parent, Path(plot.__file__).parent
TABS = 32  # most tabs that keep their state; the least recently used one is forgotten
TAB = re.compile(r"[0-9a-f-]{16,40}")  # name of a tab, which the page makes up
PICTURES = {"png": "image/png", "pdf": "application/pdf", "svg": "image/svg+xml"}
MOVIES = {"gif": "image/gif", "mp4": "video/mp4"}


class Explorer:
    """The page and its tabs."""

    def __init__(self, opened: Opened) -> None:
        self.opened, self.workers = opened, Workers()
        self.tabs: dict[str, Tab] = {}
        self.failure: BaseException | None = None  # why no worker can start
        self.end: Callable[[], None] = lambda: None  # ends the server

    def app(self) -> Starlette:
        """The application, without its access control."""
        routes = [
            Route("/", content("text/html", FOLDER / "page.html")),
            Route("/page.js", content("text/javascript", FOLDER / "page.js")),
            Route("/page.css", content("text/css", PLOT / "pages.css", FOLDER / "page.css")),
        ]
        routes += [
            Route(f"/{name}", getattr(self, name), methods=["POST"])
            for name in ("move", "pulse", "forget", "frames", "layers", "traps", "undo", "stop")
        ]
        routes += [Route(f"/{name}", getattr(self, name)) for name in ("start", "progress")]
        routes.append(Route("/download/{name}", self.download))
        return Starlette(
            routes=routes,
            lifespan=self.life,
            exception_handlers={ValueError: unclear, LimitError: lost_worker, ClientDisconnect: hung_up},
        )

    @contextlib.asynccontextmanager
    async def life(self, _: Starlette) -> AsyncIterator[None]:
        """Start the workers while the page is already served, and end them with the server."""
        getting_ready = asyncio.create_task(self.workers.start())
        getting_ready.add_done_callback(self.started)
        yield
        getting_ready.cancel()
        await asyncio.to_thread(self.workers.stop)

    def started(self, getting_ready: "asyncio.Task[None]") -> None:
        """End the server if its workers cannot start, for which the page would wait for ever."""
        self.failure = None if getting_ready.cancelled() else getting_ready.exception()
        if self.failure is not None:
            self.end()

    def tab(self, request: Request) -> Tab:
        """The tab that sent a request, a new one for an unknown name. Raises ValueError without a name."""
        name = request.query_params.get("tab", "")
        if not TAB.fullmatch(name):
            raise ValueError("expected the name of a tab")
        tab = self.tabs.pop(name, None) or Tab(self.opened, self.workers)
        self.tabs[name] = tab
        while len(self.tabs) > TABS:
            self.tabs.pop(next(iter(self.tabs))).turns.stop()
        return tab

    async def start(self, request: Request) -> Response:
        return JSONResponse(self.tab(request).start())

    async def progress(self, request: Request) -> Response:
        """Answer with the progress: of the kernels until they are ready, then of the job of this tab.

        doing : what the job does   compiling : what it compiles further kernels for, "" while it compiles none
        """
        ready, turns = self.workers.ready.is_set(), self.tab(request).turns
        compiled = await self.workers.compiled()
        job = {"fraction": turns.fraction, "doing": turns.doing, "compiling": turns.compiling}
        return JSONResponse({"ready": ready, "compiled": compiled} | job)

    async def move(self, request: Request) -> Response:
        return JSONResponse(await self.tab(request).move(settings_in(await message(request))))

    async def pulse(self, request: Request) -> Response:
        return JSONResponse(await self.tab(request).pulse(*pulse_by_hand(await message(request))))

    async def forget(self, request: Request) -> Response:
        return JSONResponse(self.tab(request).forget(*pulse_by_hand(await message(request))))

    async def frames(self, request: Request) -> Response:
        return JSONResponse(await self.tab(request).frames(*first_frame_of(await message(request))))

    async def layers(self, request: Request) -> Response:
        data = await message(request)
        values = values_of(data)
        return JSONResponse(self.tab(request).change_layers(layer_change_of(data), values))

    async def traps(self, request: Request) -> Response:
        data = await message(request)
        values = values_of(data)
        return JSONResponse(self.tab(request).change_traps(presence_of(data), values))

    async def undo(self, request: Request) -> Response:
        return JSONResponse(self.tab(request).undo())

    async def stop(self, request: Request) -> Response:
        self.tab(request).turns.stop()
        return Response(status_code=204)

    async def download(self, request: Request) -> Response:
        """Answer with a file of the tab: case.toml, result, picture.png (.pdf, .svg), movie.gif (.mp4)."""
        tab, name = self.tab(request), request.path_params["name"]
        stem, _, suffix = name.partition(".")
        if name == "case.toml":
            return attached(tab.case().resolved().encode(), "application/toml", DOWNLOADED)
        if name == "result":
            data = await tab.result()
            kind = "zip" if isinstance(data, bytes) and data.startswith(b"PK") else "nc"
            return attached(data, "application/octet-stream", f"explored.{kind}")
        if stem == "picture" and suffix in PICTURES:
            return attached(await tab.picture(suffix), PICTURES[suffix], f"explored.{suffix}")
        if stem == "movie" and suffix in MOVIES:
            return attached(await tab.movie(f".{suffix}"), MOVIES[suffix], f"explored.{suffix}")
        return Response(status_code=404)


def attached(data: bytes | str, kind: str, name: str) -> Response:
    """Answer with a file to be saved; with a text, the reason why there is no file."""
    if isinstance(data, str):
        return PlainTextResponse(data, 409)
    return Response(data, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def content(kind: str, *paths: Path) -> Callable[[Request], Awaitable[Response]]:
    """Handler that answers with files of this package, one after the other."""
    data = b"".join(path.read_bytes() for path in paths)

    async def answer(_: Request) -> Response:
        return Response(data, media_type=kind)

    return answer


async def message(request: Request) -> Any:
    """The body of a request, from JSON. Raises ValueError."""
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError):
        raise ValueError("expected a message of the page") from None


async def hung_up(_: Request, error: Exception) -> Response:
    """No answer: the page has hung up."""
    return Response(status_code=400)


async def unclear(_: Request, error: Exception) -> Response:
    """Answer to a request that the page would not make."""
    return PlainTextResponse(str(error), 400)


async def lost_worker(request: Request, error: Exception) -> Response:
    """Answer, in words for the page, when a worker has died."""
    if request.url.path.startswith("/download/"):
        return PlainTextResponse(str(error), 409)
    return JSONResponse({"problem": str(error)})


@contextlib.contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """A socket that listens to a port of this machine, any free one for 0. Raises OSError when the port is taken."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port))
        except OSError as error:
            raise OSError(error.errno, f"{error.strerror}; choose another --port, or none", f"port {port}") from None
        sock.listen()  # from now on browsers wait for an answer
        yield sock


def serve(opened: Opened, port: int, browser: bool, say: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C, or until its terminal closes.

    port : 0 for any free one   browser : open it in a browser   say : called with the address
    Raises OSError, and the exception that keeps the workers from starting; Stopped after SIGTERM.
    """
    with listening(port) as sock:
        host = f"http://{HOST}:{sock.getsockname()[1]}"
        explorer = Explorer(opened)
        guard = Guard(explorer.app(), sock.getsockname()[1])
        say(f"{host}/{guard.token}/")
        if browser:
            once = (f"{host}/{guard.one_time()}/",)
            threading.Thread(target=webbrowser.open, args=once, daemon=True).start()
        config = uvicorn.Config(
            guard, http=ImpatientProtocol, log_level="warning", access_log=False, server_header=False,
            timeout_graceful_shutdown=1, backlog=AT_ONCE,
        )  # fmt: skip
        server = EndedBySignals(config)
        explorer.end = functools.partial(setattr, server, "should_exit", True)
        server.run(sockets=[sock])
        if explorer.failure is not None:
            raise explorer.failure
        if signal.SIGTERM in server.signals:
            raise Stopped("interrupted by SIGTERM", limit=False)


class EndedBySignals(uvicorn.Server):
    """A server that signals end at any time, also while it starts. Ctrl-C and the end of its terminal are a regular end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.signals: list[int] = []
        for number in limits.ENDING:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self.end)

    def end(self, number: int, frame: FrameType | None) -> None:
        """End the server; at once for a second Ctrl-C."""
        self.signals.append(number)
        self.handle_exit(number, frame)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals to `end`; uvicorn would raise them once more at its end."""
        yield
