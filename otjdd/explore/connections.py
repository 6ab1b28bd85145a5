"""Connections to the server: a client whose request is slow or never comes does not delay other clients."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 10.0  # s in which a client has to send a whole request
MOST = 100  # connections at a time; a browser opens six
# Connections that are accepted before any is counted: asyncio accepts so many in a row, each with a handle of the system.
# It writes as many errors where there are no more, and macOS gives a process 256.
AT_ONCE = 16


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
