"""Beginning a site: everything from its files, once, and never over what people have changed since."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from config import load_site
from config.people import PeopleItem, load_people
from contract.desired import Credential, Holder
from hub.__main__ import app
from hub.accounts.copies import COPY_LIVES
from hub.database.transactions import Database
from hub.events.verifying import verify
from hub.seed import NAMES, SLICE, SeedAccount, SeedError, read_accounts, seed
from tests.hub.office import Office
from tests.hub.senders import rows

ROOT = Path(__file__).parents[2]
SITE_FILE = ROOT / "config" / "sites" / "demo.yaml"
PEOPLE_FILE = ROOT / "config" / "examples" / "demo-people.yaml"
ACCOUNTS = [SeedAccount(role, f"three pears of {role}", role) for role in NAMES]


async def test_the_demo_site_begins(database: Database) -> None:
    site = load_site(SITE_FILE).site
    people = load_people(PEOPLE_FILE, places=site)
    done = await seed(database, site, ACCOUNTS, people)
    assert (done.accounts, done.people) == (5, len(people))
    assert await rows(database, "SELECT id, site FROM gateways") == [("demo-gw", "demo")]
    hub = Office(database)
    card = next(
        found for found in (await hub.desired("demo", "credential")).values() if found["value"] == "04A1B2C3D4E5F6"
    )
    grants = (await hub.desired("demo", "grant")).values()
    assert any(
        grant["holder"] == card["holder"] and "lobby-a" in grant["places"] and grant["schedule"] == "always"
        for grant in grants
    )
    held = {found["value"]: found["state"] for found in (await hub.desired("demo", "credential")).values()}
    assert (held["04DEADBEEF0001"], held["沪A12345"]) == ("revoked", "active")
    assert {found["value"] for found in (await hub.desired("demo", "block")).values()} >= {"粤B88888"}
    assert {found["role"] for found in (await hub.desired("demo", "account")).values()} == set(COPY_LIVES)
    async with hub.client() as client:
        signed_in = await client.post("/api/session", json={"username": "guard", "password": "three pears of guard"})
        assert signed_in.json()["user"]["sites"] == ["demo"]


async def test_again_changes_nothing_and_undoes_nothing(database: Database) -> None:
    site = load_site(SITE_FILE).site
    people = load_people(PEOPLE_FILE, places=site)
    await seed(database, site, ACCOUNTS, people)
    hub = Office(database)
    async with hub.client() as client:
        root = await client.post("/api/session", json={"username": "admin", "password": "three pears of admin"})
        client.headers["Authorization"] = f"Bearer {root.json()['token']}"
        (first, *_) = (await client.get("/api/holders", params={"site": "demo"})).json()["items"]
        body = {"name": "改名", "kind": first["kind"], "unit": first["unit"]}
        assert (await client.put(f"/api/holders/{first['id']}", json=body)).status_code == 200
        before = await rows(database, "SELECT revision FROM desired_revisions")
        again = await seed(database, site, [SeedAccount("guard", "too short", "guard")], people)
        assert (again.accounts, again.people) == (0, 0)
        assert await rows(database, "SELECT revision FROM desired_revisions") == before
        assert (await client.get(f"/api/holders/{first['id']}")).json()["name"] == "改名"
        old = await client.post("/api/session", json={"username": "guard", "password": "three pears of guard"})
        assert old.status_code == 200


def crowd(count: int) -> list[PeopleItem]:
    """Residents with a card each."""
    numbers = range(count)
    holders: list[PeopleItem] = [Holder(id=f"h{n}", name=f"住户 {n}", kind="resident") for n in numbers]
    return holders + [Credential(id=f"c{n}", kind="card", value=f"04{n:012X}", holder=f"h{n}") for n in numbers]


async def test_while_thousands_of_people_are_begun_others_have_their_turn(database: Database) -> None:
    people, slices = crowd(1000), 2 * 1000 // SLICE
    commits: list[int] = []
    database.subscribe(lambda done: commits.append(sum(event.kind != "account.changed" for event in done.events)))
    seeding = asyncio.create_task(seed(database, load_site(SITE_FILE).site, [], people))
    turns = 0
    while not seeding.done():
        # The lock is given in the order in which it was asked for: at most one slice lies between two turns.
        async with database.transaction(writes=True):
            turns += 1
    assert (await seeding).people == 2000
    assert max(commits) <= SLICE
    assert turns >= slices
    revisions = await rows(database, "SELECT revision FROM desired_revisions")
    assert revisions == [(slices,)]
    assert (await verify(database)).disagreements == []


async def test_a_seed_that_was_cut_short_goes_on_where_it_was(database: Database) -> None:
    site, people = load_site(SITE_FILE).site, crowd(300)
    cut = asyncio.Event()
    database.subscribe(lambda done: cut.set() if len(done.events) == SLICE else None)
    seeding = asyncio.create_task(seed(database, site, [], people))
    await cut.wait()
    seeding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await seeding
    ((there,),) = await rows(database, "SELECT count(*) FROM holders")
    assert there == SLICE
    assert (await seed(database, site, [], people)).people == len(people) - SLICE
    changed = await rows(
        database, "SELECT count(*), count(DISTINCT (kind, source)) FROM events WHERE kind LIKE '%.changed'"
    )
    # And the site itself, which was new.
    assert changed == [(len(people) + 1, len(people) + 1)]


async def test_what_stands_against_a_record_is_told_with_its_name(database: Database) -> None:
    site = load_site(SITE_FILE).site
    await seed(database, site, [], [Holder(id="x", name="x", kind="resident"), card("other", "04AA00AA00AA00", "x")])
    wanted = [*crowd(3), card("c-last", "04AA00AA00AA00", "h0")]
    with pytest.raises(
        SeedError,
        match=r"credential c-last: value This is already a valid card or plate of x; 3 records before it are in",
    ):
        await seed(database, site, [], wanted)


def card(card_id: str, value: str, holder: str) -> Credential:
    return Credential(id=card_id, kind="card", value=value, holder=holder)


async def test_a_second_site_is_given_to_the_accounts_that_are_named_for_it(database: Database) -> None:
    first = load_site(SITE_FILE).site
    second = load_site(ROOT / "config" / "sites" / "annex.yaml").site
    several = [account for account in ACCOUNTS if account.role in {"manager", "admin"}]
    await seed(database, first, ACCOUNTS, [])
    await seed(database, second, several, [])
    seen = await sites_of_accounts(database)
    assert seen["manager"] == ["annex", "demo"]
    assert (seen["admin"], seen["guard"]) == (["*"], ["demo"])
    held = {found["username"] for found in (await Office(database).desired("annex", "account")).values()}
    assert held == {"manager"}
    # Taken away by a person, it stays away.
    hub = Office(database)
    async with hub.client() as client:
        root = await client.post("/api/session", json={"username": "admin", "password": "three pears of admin"})
        client.headers["Authorization"] = f"Bearer {root.json()['token']}"
        (manager,) = [of for of in (await client.get("/api/accounts")).json()["items"] if of["username"] == "manager"]
        body = {"name": manager["name"], "role": "manager", "language": "zh", "sites": ["demo"], "active": True}
        assert (await client.put(f"/api/accounts/{manager['id']}", json=body)).status_code == 200
    await seed(database, second, several, [])
    assert (await sites_of_accounts(database))["manager"] == ["demo"]


async def test_an_account_whose_sites_are_named_has_those_and_no_more(database: Database) -> None:
    first = load_site(SITE_FILE).site
    second = load_site(ROOT / "config" / "sites" / "annex.yaml").site
    named = [SeedAccount("bai", "three pears of bai", "guard", sites=["demo"])]
    await seed(database, first, [], [])
    await seed(database, second, [*named, SeedAccount("song", "three pears of song", "maintenance")], [])
    assert await sites_of_accounts(database) == {"bai": ["demo"], "song": ["annex"]}


async def test_an_account_from_before_whose_sites_are_named_keeps_its_own(database: Database) -> None:
    named = [SeedAccount("bai", "three pears of bai", "guard", sites=["demo"])]
    for site_file in (SITE_FILE, ROOT / "config" / "sites" / "annex.yaml"):
        await seed(database, load_site(site_file).site, named, [])
    assert await sites_of_accounts(database) == {"bai": ["demo"]}


async def sites_of_accounts(database: Database) -> dict[object, object]:
    """What each account sees."""
    return {row[0]: row[1] for row in await rows(database, "SELECT username, sites FROM accounts")}


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        (SeedAccount("guard", "short", "guard"), "password must have at least 12"),
        (SeedAccount("g", "long enough for it", "guard"), "username"),
        (SeedAccount("guard", "long enough for it", "guard", language="fr"), "language"),
    ],
)
async def test_an_account_that_cannot_be_leaves_nothing_behind(
    database: Database, account: SeedAccount, expected: str
) -> None:
    with pytest.raises(SeedError, match=expected) as raised:
        await seed(database, load_site(SITE_FILE).site, [ACCOUNTS[0], account], [])
    assert "long enough" not in str(raised.value)
    assert await rows(database, "SELECT id FROM sites") == []


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"accounts": [{"username": "x", "password": "hunter2-secret"}]}', '{"accounts": [{"role": "king"}]}'],
)
def test_an_accounts_file_says_where_it_is_wrong_and_no_password(tmp_path: Path, content: str) -> None:
    file = tmp_path / "accounts.json"
    file.write_text(content)
    with pytest.raises(SeedError, match=r"accounts\.json") as raised:
        read_accounts(file)
    assert "hunter2-secret" not in str(raised.value)


@pytest.fixture
def command(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DATABASE_URL", make_url(database_url).render_as_string(hide_password=False))
    return lambda *argv: CliRunner().invoke(app, list(argv))


def test_the_command_line(command: Any, tmp_path: Path) -> None:
    accounts, password = tmp_path / "accounts.json", tmp_path / "password"
    accounts.write_text(
        json.dumps({"accounts": [{"username": "root", "password": "a password of mine", "role": "admin"}]})
    )
    password.write_text("another password\n")
    begin = ["seed", "--site-file", str(SITE_FILE), "--accounts", str(accounts), "--people", str(PEOPLE_FILE)]
    first, second = command(*begin), command(*begin)
    assert first.exit_code == 0, first.output
    assert first.stdout.startswith("demo: 1 accounts and ")
    assert second.stdout == "demo: 0 accounts and 0 people's records are new\n"

    add = ["account", "add", "Wang", "--role", "guard", "--site", "demo", "--password-file", str(password)]
    assert command(*add).stdout == "wang: opened\n"
    again = command(*add)
    assert (again.exit_code, again.stderr) == (1, "This user name is taken\nusername: This user name is taken\n")
    king = command("account", "add", "li", "--role", "king", "--password-file", str(password))
    assert (king.exit_code, king.stderr.split(" ")[0]) == (1, "role")
    listed = command("account", "list").stdout.splitlines()
    assert [line.split()[:3] for line in listed] == [["root", "admin", "*"], ["wang", "guard", "demo"]]
    assert command("account", "password", "wang", "--password-file", str(password)).exit_code == 0
    assert command("account", "remove", "wang").exit_code == 0
    gone = command("account", "remove", "wang")
    assert (gone.exit_code, gone.stderr) == (1, "wang: there is no such account\n")
    last = command("account", "remove", "root")
    assert (last.exit_code, last.stderr) == (1, "At least one administrator must remain\n")


def test_a_broken_site_file_is_told_whole(command: Any, tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("site: demo\ngateway: [1]\n")
    result = command("seed", "--site-file", str(file))
    assert result.exit_code == 1
    assert "site.yaml:2" in result.stderr
    assert "Traceback" not in result.stderr
