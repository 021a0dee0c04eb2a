"""The server of the page, on the loopback interface alone."""

import asyncio
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from schedframe._tools.design.app import application
from schedframe._tools.design.engine import Engine
from schedframe._tools.design.file import DesignedFile
from schedframe._tools.design.guard import Guard
from schedframe._tools.design.presence import Presence

_LOOPBACK = "127.0.0.1"


def serve(file: DesignedFile, port: int, announce: Callable[[str], None]) -> bool:
    """Serve the page of `file` until its last page closes, or until Ctrl-C.

    Args:
        file: the one file that is designed.
        port: of the loopback interface; 0 for a free one.
        announce: is called with the address of the page, when it can be opened.

    Returns:
        Whether a check still runs: in a thread, which an interpreter that exits may not end in peace.

    Raises:
        OSError: the port cannot be listened on.
    """
    with socket.create_server((_LOOPBACK, port)) as listener:
        engine = Engine()
        with suppress(KeyboardInterrupt):  # which the server raises again when Ctrl-C has ended it
            asyncio.run(_serve(file, listener, engine, announce))
        return engine.running > 0


async def _serve(file: DesignedFile, listener: socket.socket, engine: Engine, announce: Callable[[str], None]) -> None:
    def stop() -> None:
        server.should_exit = True

    port, token = listener.getsockname()[1], secrets.token_urlsafe(24)
    app = Guard(application(file, engine, Presence(stop)), port, token)
    server = _Server(
        uvicorn.Config(
            app,
            http="h11",
            ws=WSProtocol,
            lifespan="off",
            access_log=False,
            log_level="error",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        ),
        engine,
    )
    announce(f"http://{_LOOPBACK}:{port}/?token={token}")
    await server.serve(sockets=[listener])


class _Server(uvicorn.Server):
    """A server that gives its checks up when it ends."""

    def __init__(self, config: uvicorn.Config, engine: Engine) -> None:
        super().__init__(config)
        self._engine = engine

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._engine.end()
        await super().shutdown(sockets)
