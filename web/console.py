"""The console's files (`web/console/dist`, one build for both servers), and a clear page while they are not built."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from web.errors import NotFound

DIST = Path(__file__).parent / "console" / "dist"

_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_PACKED = (("br", ".br"), ("gzip", ".gz"))
_NOT_BUILT = """<!doctype html>
<html lang="zh"><head><meta charset="utf-8"><title>Gatehouse</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body style="font-family: system-ui, sans-serif; max-width: 40rem; margin: 15vh auto; padding: 0 1rem">
<h1>Gatehouse</h1>
<p>控制台页面尚未构建。请在项目目录运行 <code>make run</code>，或在 <code>web/console</code> 中运行
<code>npm ci</code> 与 <code>npm run build</code>。接口可正常使用。</p>
<p lang="en">The console has not been built. Run <code>make run</code> in the project's folder, or <code>npm ci</code>
and <code>npm run build</code> in <code>web/console</code>. The interface under <code>/api</code> works.</p>
</body></html>
"""


class _NotOfTheServers(Convertor[str]):
    """A path that is not the interface's: an unknown one of those is nothing at all, whatever the method."""

    regex = "(?!(?:api|push|sim)(?:/|$)).*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("console", _NotOfTheServers())


def console_router(dist: Path = DIST) -> APIRouter:
    """Serves `dist` at `/`; paths without a file are the app's own and get its index. Include it last."""
    router = APIRouter(include_in_schema=False)
    root = dist.resolve()

    @router.api_route("/{path:console}", methods=["GET", "HEAD"])
    def console(path: str, request: Request) -> Response:
        file = _inside(root, path)
        if file is not None:
            return _file(file, request, _FOREVER if path.startswith("assets/") else _ASK_AGAIN)
        if path.startswith("assets/"):
            # A page of the last release asks for what is gone: its index would only confuse it.
            raise NotFound
        index = root / "index.html"
        if index.is_file():
            return _file(index, request, _ASK_AGAIN)
        return HTMLResponse(_NOT_BUILT, status_code=503, headers={"Cache-Control": "no-store"})

    return router


def _inside(root: Path, path: str) -> Path | None:
    if not path or "\x00" in path:
        return None
    try:
        file = (root / path).resolve()
        return file if file.is_relative_to(root) and file.is_file() else None
    except OSError:
        # A name that is too long for any file.
        return None


def _file(file: Path, request: Request, cache: str) -> Response:
    headers = {"Cache-Control": cache}
    accepts = request.headers.get("accept-encoding", "")
    for encoding, ending in _PACKED:
        packed = file.with_name(file.name + ending)
        if encoding in accepts and packed.is_file():
            headers |= {"Content-Encoding": encoding, "Vary": "Accept-Encoding"}
            return FileResponse(packed, media_type=_media_type(file), headers=headers)
    return FileResponse(file, media_type=_media_type(file), headers=headers)


def _media_type(file: Path) -> str:
    # The machine's own table of types is not to be trusted with scripts.
    return _TYPES.get(file.suffix, "application/octet-stream")


_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".txt": "text/plain; charset=utf-8",
}
