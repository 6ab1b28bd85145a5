"""The door of the server: nothing without the token, nothing for other hosts, nothing too large."""

import asyncio

import pytest

from otjdd.explore.guard import HEADERS, Guard

TOKEN = "secret"


async def echo(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


def ask(path, headers=()):
    """Status, headers and body of an answer."""
    sent = []

    async def send(message):
        sent.append(message)

    host = [] if any(name == b"host" for name, _ in headers) else [(b"host", b"127.0.0.1:8000")]
    scope = {"type": "http", "path": path, "headers": [*host, *headers]}
    asyncio.run(Guard(echo, TOKEN)(scope, None, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


@pytest.mark.parametrize(
    "path", ["/", "/move", "/Secret/", "/secre/", "/secret", "/secrets/", "//secret/", "/x/secret/"]
)
def test_without_the_token_there_is_nothing(path):
    assert ask(path)[::2] == (403, b"")


@pytest.mark.parametrize(
    "host", [b"example.org:8000", b"127.0.0.1.example.org:8000", b"", b"[::1]:8000", b"0.0.0.0:8000"]
)
def test_names_that_only_resolve_to_this_machine_get_nothing(host):
    assert ask("/secret/", [(b"host", host)])[0] == 403


def test_with_the_token_the_rest_of_the_path_is_answered_with_headers_of_safety():
    status, headers, body = ask("/secret/move")
    assert (status, body) == (200, b"/move")
    assert {name.lower().encode() for name in HEADERS} <= set(headers)
    assert b"default-src 'none'" in headers[b"content-security-policy"]


@pytest.mark.parametrize(
    "header", [(b"content-length", b"65537"), (b"content-length", b"-1"), (b"transfer-encoding", b"chunked")]
)
def test_messages_are_short(header):
    assert ask("/secret/move", [header])[0] == 413
