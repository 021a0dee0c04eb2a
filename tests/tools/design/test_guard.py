"""Who may talk to the designer's server, and about what: the page that it served, and the one file."""

import socket
import sys
from collections.abc import Iterator

import pytest

from ...designer import Designer, designing
from ...runs import FILE

ROUTES = [("GET", "/"), ("POST", "/check"), ("POST", "/save"), ("GET", "/nothing")]
CHECK = {"text": FILE, "with_saved": False}


@pytest.fixture(scope="module")
def designer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Designer]:
    file = tmp_path_factory.mktemp("designed") / "run.yaml"
    file.write_text(FILE)
    with designing(file) as designer:
        yield designer


def test_the_page_is_served_to_who_has_the_address(designer: Designer) -> None:
    answer = designer.ask("GET", f"/?token={designer.token}", X_Token=designer.token)
    assert (answer.status, "train_samples: 5000" in answer.text) == (200, True)
    assert "set-cookie" not in answer.headers


def test_the_token_is_long_and_in_the_address(designer: Designer) -> None:
    assert len(designer.token) == 32
    assert designer.address == f"http://127.0.0.1:{designer.port}/?token={designer.token}"


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("token", ["", "wrong", "\xe9"])
def test_a_request_with_another_token_is_refused(designer: Designer, method: str, path: str, token: str) -> None:
    answer = designer.ask(method, path, CHECK, X_Token=token)
    assert (answer.status, "the token is missing or wrong" in answer.text) == (403, True)


def test_every_token_of_a_request_must_be_right(designer: Designer) -> None:
    assert designer.ask("GET", "/?token=wrong").status == 403
    assert designer.ask("GET", f"/?token={designer.token}&token=wrong").status == 403


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost", "127.0.0.1.evil.example"])
def test_a_request_to_another_host_is_refused(designer: Designer, method: str, path: str, host: str) -> None:
    answer = designer.ask(method, path, CHECK, Host=host)
    assert (answer.status, answer.text) == (403, "refused: the Host is not this server\n")


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1"])
def test_a_request_from_another_origin_is_refused(designer: Designer, method: str, path: str, origin: str) -> None:
    answer = designer.ask(method, path, CHECK, Origin=origin.format(port=designer.port))
    assert (answer.status, answer.text) == (403, "refused: the Origin is not this server\n")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_both_names_of_the_loopback_interface_are_this_server(designer: Designer, name: str) -> None:
    host = f"{name}:{designer.port}"
    assert designer.ask("POST", "/check", CHECK, Host=host, Origin=f"http://{host}").status == 200


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"X-Token": "wrong"}], ids=str
)
def test_a_page_of_somebody_else_cannot_keep_the_server_open(designer: Designer, headers: dict[str, str]) -> None:
    with designer.page(**headers) as answer:
        assert answer.startswith("HTTP/1.1 403")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.2 does not lead to this machine")
def test_nothing_listens_on_another_interface(designer: Designer) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", designer.port), timeout=10)


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "//etc/passwd",
        "/etc/passwd",
        "/run.yaml",
        "/check/",
        "/page.js",
    ],
)
def test_no_path_names_a_file(designer: Designer, path: str) -> None:
    answer = designer.ask("GET", path)
    assert (answer.status, answer.text) == (404, "Not Found")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        {"text": FILE},
        {"text": 1, "with_saved": False},
        {"text": FILE, "with_saved": "no"},
        {**CHECK, "file": "/etc/passwd"},
        b'{"text": "\\ud800", "with_saved": false}',
    ],
    ids=str,
)
def test_a_request_that_the_page_does_not_send_is_refused(designer: Designer, body: object) -> None:
    assert designer.ask("POST", "/check", body).status == 400


@pytest.mark.parametrize("size", [1 << 20, 3 << 20])
def test_a_text_that_is_too_large_is_refused(designer: Designer, size: int) -> None:
    answer = designer.check("#" * (size + 1))
    assert (answer.status, answer.text) == (413, "the text is larger than 1 MiB")


def test_a_check_is_no_address_to_visit(designer: Designer) -> None:
    assert designer.ask("GET", "/check").status == 405


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [("GET", "/", None, 200), ("POST", "/check", CHECK, 200), ("POST", "/save", b"", 400), ("GET", "/no", None, 404)],
)
def test_every_answer_is_for_this_page_alone(
    designer: Designer, method: str, path: str, body: object, status: int
) -> None:
    answer = designer.ask(method, path, body)
    assert answer.status == status
    assert {
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }.items() <= answer.headers.items()
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "access-control-allow-origin" not in answer.headers


def test_the_policy_of_the_page_allows_its_script_and_its_server_alone(designer: Designer) -> None:
    first, second = (designer.ask("GET", "/").headers["content-security-policy"] for _ in range(2))
    assert "connect-src 'self'" in first
    assert "unsafe" not in first
    assert first != second  # each page has a nonce of its own
