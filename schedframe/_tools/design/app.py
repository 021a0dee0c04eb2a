"""What the server answers: the page, checks of its text, and saving it. No request names a file."""

import secrets
from functools import partial
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from schedframe._errors import ConfigError
from schedframe._files.config.document import LARGEST_FILE
from schedframe._tools.design.engine import Engine, StuckError
from schedframe._tools.design.file import ChangedMeanwhileError, DesignedFile
from schedframe._tools.design.presence import Presence
from schedframe._tools.schema import schema
from schedframe._tools.views.page.html import design_page_of

_LARGEST_BODY = 2 * LARGEST_FILE + 1024
"""In bytes: JSON writes line feeds and quotes as two characters."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    text: str


class _ToCheck(_Body):
    with_saved: bool


class _ToSave(_Body):
    fingerprint: str


_AnyBody = TypeVar("_AnyBody", bound=_Body)


def application(file: DesignedFile, engine: Engine, presence: Presence) -> Starlette:
    """Return the application that designs `file`.

    Args:
        file: the one file.
        engine: runs the checks.
        presence: of the pages.
    """
    known, faults = schema()

    async def show(request: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        try:
            begin = file.beginning()
        except ConfigError as error:
            return PlainTextResponse(f"{error}\n", 422)
        begin["notes"] += [f"Not completed: {fault}" for fault in faults]
        page, policy = design_page_of({**begin, "schema": known, "nonce": nonce}, nonce)
        return HTMLResponse(page, headers={"content-security-policy": f"{policy}; frame-ancestors 'none'"})

    async def check(request: Request) -> Response:
        asked = await _body(request, _ToCheck)
        try:
            return JSONResponse(await engine.run(partial(file.check, asked.text, with_saved=asked.with_saved)))
        except StuckError as error:
            return JSONResponse({"message": str(error)}, 503)

    async def save(request: Request) -> Response:
        asked = await _body(request, _ToSave)
        try:
            return JSONResponse({"fingerprint": file.save(asked.text, asked.fingerprint)})
        except ChangedMeanwhileError as error:
            return JSONResponse(error.kept._asdict(), 409)
        except ConfigError as error:
            return JSONResponse({"message": str(error)}, 422)

    async def stay(socket: WebSocket) -> None:
        await socket.accept()
        with presence.page():
            async for _ in socket.iter_text():
                pass

    app = Starlette(
        routes=[
            Route("/", show),
            Route("/check", check, methods=["POST"]),
            Route("/save", save, methods=["POST"]),
            WebSocketRoute("/open", stay),
        ]
    )
    app.router.redirect_slashes = False
    return app


async def _body(request: Request, form: type[_AnyBody]) -> _AnyBody:
    """Return the body of a request.

    Raises:
        HTTPException: with 413 it is too large, with 400 it is none of `form`.
    """
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > _LARGEST_BODY:
            raise HTTPException(413, f"the text is larger than {LARGEST_FILE >> 20} MiB")
    try:
        body = form.model_validate_json(content)
    except ValidationError:
        raise HTTPException(400, "the request does not have the form that the page sends") from None
    if len(body.text.encode()) > LARGEST_FILE:
        raise HTTPException(413, f"the text is larger than {LARGEST_FILE >> 20} MiB")
    return body
