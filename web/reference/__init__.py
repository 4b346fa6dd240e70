"""`/docs`: the interface as the server itself describes it, drawn by a page of our own: no other host is asked."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

FOLDER = Path(__file__).parent


def reference_router(openapi: str) -> APIRouter:
    """Serves the page of the document at `openapi`."""
    router = APIRouter(include_in_schema=False)
    script = "/docs/page.js"
    page = (FOLDER / "page.html").read_text().replace("{openapi}", openapi).replace("{script}", script)
    code = (FOLDER / "page.js").read_text()

    @router.get("/docs")
    def docs() -> HTMLResponse:
        return HTMLResponse(page, headers={"Cache-Control": "no-cache"})

    @router.get(script)
    def docs_script() -> Response:
        return Response(code, media_type="text/javascript; charset=utf-8", headers={"Cache-Control": "no-cache"})

    return router
