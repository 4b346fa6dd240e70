"""The one shape of errors, in the language of the person who asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import pytest
from fastapi import APIRouter
from pydantic import BaseModel, Field, field_validator

from contract.texts import Text
from tests.web.servers import House, house
from web.errors import Conflict
from web.language import accepted
from web.validation import FieldFault

router = APIRouter()


class Body(BaseModel):
    name: Annotated[str, Field(min_length=2)]
    age: Annotated[int, Field(ge=0)] = 0

    @field_validator("name")
    @classmethod
    def not_bob(cls, name: str) -> str:
        if name == "bob":
            raise FieldFault(Text("不能是 bob", "must not be bob"))
        return name


@router.post("/api/body")
async def take(body: Body, times: int = 1) -> Body:
    return body


@router.get("/api/broken")
async def broken() -> None:
    raise RuntimeError("password=hunter2 in /srv/secret")


@router.get("/api/taken")
async def taken() -> None:
    raise Conflict(Text("已存在", "It exists"), fields={"name": Text("已被使用", "is taken")})


@pytest.fixture
def place() -> House:
    return house(routers=[router])


async def test_each_field_says_what_is_wrong(place: House) -> None:
    async with place.client() as client:
        chinese = await client.post("/api/body?times=x", json={"name": "a", "age": -1})
        english = await client.post(
            "/api/body?times=x", json={"name": "a", "age": -1}, headers={"Accept-Language": "en-GB,zh;q=0.5"}
        )
    assert chinese.status_code == english.status_code == 422
    assert chinese.json()["error"] == {
        "code": "invalid",
        "message": "请检查输入",
        "fields": {"times": "应为整数", "name": "至少 2 个字符", "age": "不能小于 0"},
    }
    assert english.json()["error"]["fields"] == {
        "times": "must be a whole number",
        "name": "must have at least 2 characters",
        "age": "must be at least 0",
    }


@pytest.mark.parametrize(
    ("content", "field", "message"),
    [
        (b"{", "body", "不是有效的 JSON"),
        (b"[]", "body", "JSON 对象"),
        (b"\xff\xfe", "body", "不是有效的 JSON"),
        (b'{"name": "bob"}', "name", "不能是 bob"),
        (b'{"name": 5}', "name", "应为文本"),
        (b"{}", "name", "必填"),
    ],
)
async def test_bodies_that_are_not_what_was_expected(place: House, content: bytes, field: str, message: str) -> None:
    async with place.client() as client:
        answer = await client.post("/api/body", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert message in answer.json()["error"]["fields"][field]


async def test_what_breaks_is_answered_without_its_insides(place: House) -> None:
    async with place.client() as client:
        answer = await client.get("/api/broken")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "hunter2" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "not_found"),
        ("GET", "/api/taken", 409, "conflict"),
        ("POST", "/api/nothing", 404, "not_found"),
        ("DELETE", "/push/nothing", 404, "not_found"),
        ("GET", "/api/session/", 404, "not_found"),
        ("GET", "/api/%00", 404, "not_found"),
        ("GET", "/api/session?site=%00", 422, "invalid"),
        ("PATCH", "/api/session", 405, "method_not_allowed"),
        ("PUT", "/tickets", 405, "method_not_allowed"),
        ("GET", "/api/session", 401, "unauthorized"),
    ],
)
async def test_every_refusal_has_the_one_shape(place: House, method: str, path: str, status: int, code: str) -> None:
    async with place.client() as client:
        answer = await client.request(method, path)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["code"] == code
    assert set(error) == {"code", "message", "fields"}


@pytest.mark.parametrize(
    ("name", "status"), [(r"wang\u0000", 422), (r"wang\\\u0000", 422), (r"wang\\u0000", 401), ("u0000", 401)]
)
@pytest.mark.parametrize("at_once", [True, False])
async def test_no_text_has_a_zero_in_it(place: House, name: str, status: int, at_once: bool) -> None:
    body = f'{{"username": "{name}", "password": "x"}}'.encode()

    async def byte_by_byte() -> AsyncIterator[bytes]:
        for place_of in range(len(body)):
            yield body[place_of : place_of + 1]

    async with place.client() as client:
        content = body if at_once else byte_by_byte()
        answer = await client.post("/api/session", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status


HOSTILE_BODIES: dict[str, tuple[str, str]] = {
    "half a character": (r'{"username": "wang\ud800", "password": "x"}', "username"),
    "the other half": (r'{"username": "wang", "password": "\udc00\ud800"}', "password"),
    "half a character as a name": (r'{"username": "wang", "password": "x", "\ud83d": 1}', "body"),
    "one further inside": (r'{"username": {"x": [{"\udfff": 1}]}, "password": "x"}', "username"),
    "a name without end": ('{"username": "wang", "password": "x", "' + "k" * 9_000 + '": 1}', "body"),
    "no number": ('{"username": NaN, "password": "x"}', "username"),
    "a number beyond all": ('{"username": "wang", "password": [1e999]}', "password"),
}


@pytest.mark.parametrize("case", HOSTILE_BODIES)
async def test_what_nobody_can_keep_is_refused_in_every_body(place: House, case: str) -> None:
    body, field = HOSTILE_BODIES[case]
    async with place.client() as client:
        answer = await client.post("/api/session", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert list(answer.json()["error"]["fields"]) == [field]


async def test_whole_characters_beyond_the_first_plane_are_fine(place: House) -> None:
    body = r'{"username": "wang\ud83d\ude00", "password": "x"}'
    async with place.client() as client:
        answer = await client.post("/api/session", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 401


@pytest.mark.parametrize("announced", [True, False])
async def test_a_huge_body_is_not_read(place: House, announced: bool) -> None:
    async def chunks() -> object:
        for _ in range(20):
            yield b"x" * 100_000

    async with place.client() as client:
        answer = await client.post("/api/body", content=b"x" * 2_000_000 if announced else chunks())  # type: ignore[arg-type]
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", None),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9", "en"),
        ("de,en;q=0.3,zh;q=0.2", "en"),
        ("fr", None),
        ("en;q=zero, zh;q=0.1", "zh"),
        ("*", None),
    ],
)
def test_the_language_that_a_browser_likes_best(header: str, language: str | None) -> None:
    assert accepted(header) == language


async def test_the_account_speaks_where_the_browser_does_not() -> None:
    place = house(routers=[router])
    user = await place.add("wang", "correct horse")
    stored = place.store.accounts["wang"]
    place.store.accounts["wang"] = stored._replace(user=user.model_copy(update={"language": "en", "role": "guard"}))
    async with place.client() as client:
        await client.post("/api/session", json={"username": "wang", "password": "correct horse"})
        answer = await client.get("/api/live?site=elsewhere")
    assert answer.json()["error"]["message"] == "This site is not one of yours"


@pytest.mark.parametrize(
    ("address", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.168.10.7", 404), ("10.0.0.1", 404)]
)
async def test_figures_are_for_this_machine_unless_the_settings_name_others(address: str, status: int) -> None:
    async with house().client(address) as client:
        answer = await client.get("/metrics")
    assert answer.status_code == status
    assert ("gatehouse_live_screens" in answer.text) is (status == 200)


async def test_health_speaks_for_the_process() -> None:
    async with house(reasons=["PostgreSQL does not answer"]).client() as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        waiting = await client.get("/readyz")
        assert (waiting.status_code, waiting.json()["reasons"]) == (503, ["PostgreSQL does not answer"])
        assert (await client.get("/api/openapi.json")).json()["paths"]["/api/session"]
