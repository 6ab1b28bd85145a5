"""Access control of the server: nothing without the cookie, nothing for other hosts and pages, nothing too large."""

import asyncio

import pytest

from otjdd.explore.server import HEADERS, Guard


async def echo(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


@pytest.fixture
def guard():
    return Guard(echo, 8000)


def ask(guard, path, headers=(), method="GET"):
    """Status, headers and body of an answer."""
    sent = []

    async def send(message):
        sent.append(message)

    host = [] if any(name == b"host" for name, _ in headers) else [(b"host", b"127.0.0.1:8000")]
    scope = {"type": "http", "method": method, "path": path, "headers": [*host, *headers]}
    asyncio.run(guard(scope, None, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


def admitted(guard, token):
    """Header of the cookie that a token is exchanged for."""
    status, headers, _ = ask(guard, f"/{token}/")
    assert (status, headers[b"location"]) == (303, b"/")
    cookie, *rest = headers[b"set-cookie"].split(b"; ")
    assert rest == [b"Path=/", b"HttpOnly", b"SameSite=Strict"]
    return b"cookie", cookie


def test_without_the_cookie_there_is_nothing(guard):
    for path in ("/", "/move", "//", "*", "foo", "", f"/{guard.token[:-1]}/", f"/x/{guard.token}/"):
        assert ask(guard, path)[::2] == (403, b"")
    assert ask(guard, f"/{guard.token}/", method="POST")[0] == 403
    assert ask(guard, "/", [(b"cookie", b"otjdd-8000=guessed")])[0] == 403


def test_the_address_that_is_printed_is_exchanged_for_a_cookie_and_that_of_the_browser_once(guard):
    once = guard.one_time()
    for token in (guard.token, guard.token, once):
        status, headers, body = ask(guard, "/move", [admitted(guard, token)])
        assert (status, body) == (200, b"/move")
        assert {name.lower().encode() for name in HEADERS} <= set(headers)
        assert b"default-src 'none'" in headers[b"content-security-policy"]
    assert ask(guard, f"/{once}/")[0] == 403


def test_names_that_only_resolve_to_this_machine_and_pages_of_other_servers_get_nothing(guard):
    cookie = admitted(guard, guard.token)
    for host in (b"example.org:8000", b"127.0.0.1.example.org:8000", b"", b"[::1]:8000", b"0.0.0.0:8000"):
        assert ask(guard, "/", [(b"host", host), cookie])[0] == 403
    assert ask(guard, "/", [(b"host", b"127.0.0.1"), cookie])[0] == 200  # port 80
    assert ask(guard, "/move", [(b"origin", b"http://127.0.0.1:8001"), cookie])[0] == 403
    assert ask(guard, "/move", [(b"origin", b"http://127.0.0.1:8000"), cookie])[0] == 200
    for site, status in ((b"cross-site", 403), (b"same-site", 403), (b"same-origin", 200), (b"none", 200)):
        assert ask(guard, "/progress", [(b"sec-fetch-site", site), cookie])[0] == status


def test_messages_are_short_and_have_a_path(guard):
    cookie = admitted(guard, guard.token)
    for header in ((b"content-length", b"65537"), (b"content-length", b"-1"), (b"transfer-encoding", b"chunked")):
        assert ask(guard, "/move", [header, cookie])[0] == 413
    for path in ("*", "foo"):
        assert ask(guard, path, [cookie], "OPTIONS")[0] == 400
