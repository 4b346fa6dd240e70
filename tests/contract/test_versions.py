"""Between two versions: what is spoken to whom, and forms of before that must stay readable."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from contract import VERSION, versions, wire
from contract.acks import Ack
from contract.commands import Command
from contract.presence import Presence

BEFORE = Path(__file__).parent / "golden" / "before"
ACK = Ack(stream="a" * 32, state="committed", seq=7, at="2026-01-02T03:04:05.678Z", why="said by version 3")


@pytest.fixture
def third(monkeypatch: pytest.MonkeyPatch) -> None:
    """This software writes version 3 and reads 2 and 3; version 3 said `why` of an acknowledgement in more words."""

    def plainer(message: msgspec.Struct) -> msgspec.Struct:
        assert isinstance(message, Ack)
        return msgspec.structs.replace(message, why=message.why.replace("3", "2"))

    monkeypatch.setattr(versions, "VERSION", 3)
    monkeypatch.setattr(versions, "LOWEST", 2)
    monkeypatch.setattr(versions, "STEPS_DOWN", {(Ack, 3): plainer})


@pytest.mark.usefixtures("third")
@pytest.mark.parametrize(("reads", "spoken"), [(1, 2), (2, 2), (3, 3), (4, 3), (30_000, 3)])
def test_nobody_is_spoken_to_in_a_version_that_they_do_not_read(reads: int, spoken: int) -> None:
    assert versions.readable(reads) == spoken


@pytest.mark.usefixtures("third")
def test_what_changed_between_two_versions_is_said_in_the_older_form() -> None:
    document = json.loads(wire.encode(ACK, version=2))
    assert (document["v"], document["why"]) == (2, "said by version 2")
    command = wire.decode(Command, (BEFORE.parent / "command.json").read_bytes())
    assert json.loads(wire.encode(command, version=2)) == json.loads(wire.encode(command)) | {"v": 2}


def test_in_its_own_version_a_message_is_as_it_is() -> None:
    assert wire.decode(Ack, wire.encode(ACK, version=VERSION)) == ACK


def test_a_gateway_that_does_not_say_what_it_reads_reads_the_first_version() -> None:
    presence = wire.decode(Presence, (BEFORE / "presence.json").read_bytes())
    assert (presence.reads, presence.answered) == (1, [])
    assert presence.versions.desired == 7
