"""`python -m gateway seal`: makes the sealed account (`gateway.break_glass.account`) where nobody can sign in yet."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from gateway.break_glass.account import FILE, Seal, new_password, write
from web.session.passwords import Passwords
from web.users import SEALED


def run(folder: Path) -> int:
    """Writes the file and prints the password; the exit status."""
    password = new_password()
    seal = Seal(password_hash=asyncio.run(_hash(password)), made_at=time.time_ns() // 1_000_000)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / FILE, seal)
    except OSError as error:
        print(f"{folder / FILE}: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 1
    print(  # noqa: T201 - this once
        f"{SEALED}  {password}\n"
        "写在纸上，装入信封封存；只在总控台无法连接时有效，一经使用即报警，之后须更换。\n"
        "Write it down and seal it in an envelope: it opens only while the hub is out of reach, its use is an alarm,"
        " and it has to be renewed afterwards."
    )
    return 0


async def _hash(password: str) -> str:
    passwords = Passwords(at_once=1)
    try:
        return await passwords.hash(password)
    finally:
        passwords.close()
