"""``schedframe design`` as a process, and requests to its server."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest


class Answer(NamedTuple):
    """What the server sent."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def data(self) -> Any:
        return json.loads(self.text)


class Designer:
    """A running ``schedframe design``, which has printed its two lines."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        first, _ = process.stdout.readline(), process.stdout.readline()
        self.address = first.split()[-1]
        self.port = urlsplit(self.address).port
        self.token = parse_qs(urlsplit(self.address).query)["token"][0]

    def ask(self, method: str, target: str, body: Any = None, **headers: str) -> Answer:
        """Send a request, whose headers are those of the page unless others are given."""
        sent = {"Host": f"127.0.0.1:{self.port}", "X-Token": self.token, **headers}
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, target, skip_host=True)
            for name, value in sent.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.putheader("Content-Length", str(len(content or b"")))
            connection.endheaders(content)
            response = connection.getresponse()
            given = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, given, response.read().decode())
        finally:
            connection.close()

    def check(self, text: str, with_saved: bool = False) -> Answer:
        return self.ask("POST", "/check", {"text": text, "with_saved": with_saved})

    def save(self, text: str, fingerprint: str) -> Answer:
        return self.ask("POST", "/save", {"text": text, "fingerprint": fingerprint})

    @contextmanager
    def page(self, **headers: str) -> Iterator[str]:
        """Tell the server that a page is open, and give the first line of its answer."""
        lines = {
            "Host": f"127.0.0.1:{self.port}",
            "X-Token": self.token,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13",
            **headers,
        }
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
            connection.sendall(f"GET /open HTTP/1.1\r\n{head}\r\n".encode())
            yield connection.recv(4096).decode().splitlines()[0]

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def ended(self) -> tuple[int, str, str]:
        """Wait for the end, and return the exit code and what was printed then."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@contextmanager
def designing(file: Path, *arguments: object) -> Iterator[Designer]:
    """Run the command until the block ends; it is skipped where it cannot run."""
    for library in ("typer", "starlette", "uvicorn", "wsproto"):
        pytest.importorskip(library)
    from schedframe._tools.views.page.html import is_built

    if not is_built():
        pytest.skip("the pages are not built: they need Node.js, and then `make frontend`")
    words = [sys.executable, "-m", "schedframe", "design", str(file), "--no-open", *map(str, arguments)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield Designer(process)
        finally:
            process.kill()
