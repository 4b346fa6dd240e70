"""The console's files: which headers, and which paths are the app's own."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.web.servers import house


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><div id=app></div>")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "sw.js").write_text("self")
    (folder / "manifest.webmanifest").write_text("{}")
    (folder / "assets" / "index-4f2a.js").write_text("console.log(1)")
    (folder / "assets" / "index-4f2a.js.gz").write_bytes(gzip.compress(b"console.log(1)"))
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


@pytest.mark.parametrize(
    ("path", "status", "cache", "kind"),
    [
        ("/", 200, "no-cache", "text/html"),
        ("/tickets/42", 200, "no-cache", "text/html"),
        ("/favicon.svg", 200, "no-cache", "image/svg+xml"),
        # A worker that browsers kept would keep a release for ever.
        ("/sw.js", 200, "no-cache", "text/javascript"),
        ("/manifest.webmanifest", 200, "no-cache", "application/manifest+json"),
        ("/assets/index-4f2a.js", 200, "public, max-age=31536000, immutable", "text/javascript"),
        ("/assets/index-gone.js", 404, None, "application/json"),
        ("/" + "long" * 2000, 200, "no-cache", "text/html"),
        ("/apiary", 200, "no-cache", "text/html"),
        ("/api/unknown", 404, "no-store", "application/json"),
        ("/..%2fsecret.txt", 200, "no-cache", "text/html"),
        ("/link.txt", 200, "no-cache", "text/html"),
    ],
)
async def test_each_path_gets_its_file_or_the_app(
    dist: Path, path: str, status: int, cache: str | None, kind: str
) -> None:
    async with house(dist=dist).client() as client:
        answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers.get("cache-control") == cache
    assert answer.headers["content-type"].startswith(kind)
    assert "secret" not in answer.text
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_a_packed_file_is_sent_packed(dist: Path) -> None:
    async with house(dist=dist).client() as client:
        request = client.build_request("GET", "/assets/index-4f2a.js", headers={"Accept-Encoding": "gzip"})
        answer = await client.send(request, stream=True)
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["content-type"].startswith("text/javascript")
        assert b"".join([part async for part in answer.aiter_raw()])[:2] == b"\x1f\x8b"


async def test_an_unbuilt_console_says_how_to_build_it() -> None:
    async with house(dist=Path("/nonexistent")).client() as client:
        answer = await client.get("/")
    assert answer.status_code == 503
    assert "npm run build" in answer.text
    assert "尚未构建" in answer.text
