"""One OSDP reader: its keys, whether it is there, what it says and what it is asked. The wire gives it its turns.

    unkeyed ──key set──▶ joining ──online, and secure where that is wanted──▶ there
                          ▲  │ no answer, or the wrong key: probed less often     │
                          └──┴───────────── silent, or it gave up ────────────────┘

A reader is lost after `LOST_AFTER` questions without an answer and asked again within `PROBES_S`. One that answers but
not with its key is not used: it was reset or exchanged, or somebody sits on its wire. Its key is never set again but by
`install`, which a person asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from contract.texts import Text
from drivers.bus import Outcome
from drivers.changes import Worth
from drivers.osdp import codec
from drivers.osdp.hearing import Hearing
from drivers.osdp.keys import Keys, KeyStore, KeysUnreadable
from drivers.osdp.meaning import (
    CAP_INPUTS,
    CAP_OUTPUTS,
    COMMAND_STATUS,
    SHOWN,
    STATUSES,
    CardSeen,
    Commanded,
    KeysPressed,
    Message,
    Online,
    Secured,
    Status,
    StatusTold,
    Told,
    ask,
    keyset,
)
from drivers.osdp.panel import Mode, Panel
from drivers.osdp.panel_commands import PanelCommand, PanelCommands
from drivers.osdp.product import reader_of
from drivers.profiles.profile import Profile
from drivers.profiles.words import CardFormat
from drivers.reports import UNKEYED, DeviceFound, DeviceLost, Sink

log = structlog.get_logger(__name__)

NEVER: Final = float("inf")

PERIOD_S: Final = 0.0515
"""The library asks a quiet reader for news when 50 ms (counted in whole ones) have passed."""

RETRY_S: Final = 0.81
"""The library waits 800 ms before it repeats what was not answered."""

LOST_AFTER: Final = 3
PROBES_S: Final = (1.0, 2.0, 5.0, 8.0)
"""How often a lost reader is asked: one that gets its power back is there within 12 s. Each costs the wire 0.2 s."""

AGAIN_S: Final = (0.02, 0.5, 2.0, 5.0, 8.0)
"""When a reader that answered, but not as it must, is tried again."""

REFUSED_AFTER: Final = 2
"""A key is refused when this many attempts with the keys failed: one may have met a late or a foreign answer."""

STEADY_S: Final = 5.0
"""A reader that was there this long was well: its next failure is the first again."""

STALLED_S: Final = 2.0
"""The library should have spoken by then: its clock, the wall clock, was set back."""

STATES_S: Final = 30.0
"""How often the states are asked for, though they are told when they change: a lost report is made good."""

BEGUN_ANEW = Text("读头正在重新连接", "the reader is being joined again")
NO_KEY = Text("还没有密钥，请先安装（设置密钥）", UNKEYED)
KEY_REFUSED = Text(
    "有应答，但不接受本网关的密钥：可能被复位、调换，或线路被动过手脚；查明前不要重新设置密钥",
    "it answers, but not with its key: it was reset or exchanged, or somebody is on its wire;"
    " do not set a key again before that is known",
)


class Reader:
    """One reader on a line. `now`: monotonic seconds; every method is called on the wire's own thread."""

    def __init__(
        self,
        id: str,
        address: int,
        profile: Profile,
        card: CardFormat | None,
        *,
        secure: bool,
        store: KeyStore,
        sink: Sink,
        clock: Callable[[], int],
    ) -> None:
        assert reader_of(profile) is not None
        self.id = id
        self.address = address
        self.secure = secure
        self.profile = profile
        self.due = NEVER
        self.present: bool | None = None
        self.key_sent = False
        """Whether a key was sent since it was last asked to take one."""
        self._hearing = Hearing(id, profile, card, sink=sink, clock=clock)
        self._store = store
        self._sink = sink
        self._send: Callable[[bytes], None] = lambda data: None
        self._panel: Panel | None = None
        self._keys = Keys()
        self._key_at = 0
        self._watch: Callable[[bool], None] | None = None
        self._commands = PanelCommands()
        self._without: set[Status] = set()
        self._now = 0.0
        self._spoke_at = 0.0
        self._answered_at = 0.0
        self._joined_at = 0.0
        self._states_at = 0.0
        self._silences = 0
        self._failures = 0

    # --- The wire comes and goes

    def open(self, send: Callable[[bytes], None], now: float) -> None:
        """The wire is open: the reader is spoken to, if it has a key or needs none."""
        self._send = send
        self._now = now
        self._silences = self._failures = 0
        self.begin(now)

    def begin(self, now: float) -> None:
        """Reads its keys and joins with the first that it may have. What it was asked before is over."""
        self.rest()
        self._now = now
        try:
            self._keys = self._store.of(self.id)
        except KeysUnreadable as wrong:
            self._panel, self.due = None, NEVER
            self._lose(str(wrong))
            return
        self._key_at = 0
        if self.secure and not self._keys.to_try:
            self._panel, self.due = None, NEVER
            self._lose(NO_KEY.en)
        else:
            self._join()

    def rest(self, why: Text = BEGUN_ANEW) -> None:
        """Nobody speaks to it until `begin`, and nothing of what it was asked will be done."""
        self._panel, self.due = None, NEVER
        self._commands.drop(why)
        self._watched(False)

    def close(self, why: str | None) -> None:
        """The wire is gone. `why`: the reader is lost with it."""
        self.rest(Text("线路已断开", "the line is closed"))
        if why is not None:
            self._lose(why)

    @property
    def there(self) -> bool:
        """Whether it can be used now."""
        panel = self._panel
        return panel is not None and panel.online and panel.mode != "install" and (panel.secure or not self.secure)

    # --- Its turns

    def step(self, now: float) -> bool:
        """Says what is due; whether it said something."""
        self._now = now
        panel = self._panel
        if panel is None:
            self.due = NEVER
            return False
        if panel.gave_up:
            if panel.mode == "install":
                # Only a person's command sets a key; one command is one attempt.
                self.due = NEVER
                return False
            panel.begin_again()
        self._offer(panel)
        if self._speak(panel):
            return True
        if now - self._spoke_at > STALLED_S:
            return self._speak(self._join())
        self._plan()
        return False

    def heard(self, frame: codec.Frame, now: float) -> None:
        """Its answer."""
        assert self._panel is not None
        self._now = now
        self._silences = 0
        self._answered_at = now
        self._panel.take(frame)
        self._plan()

    def unheard(self, now: float) -> bool:
        """It did not answer; whether something was said all the same."""
        assert self._panel is not None
        self._now = now
        self._silences += 1
        if self._silences == 1 and (self.keyed or self._commands.under_way):
            # Each frame's MAC is chained to the one before: if the answer was lost, repeating the question would be
            # refused 0.8 s later. Beginning anew takes half of that. In the clear the library would repeat a command
            # for seconds, when nobody wants it any more.
            self._commands.drop(Text("读头没有应答", "the reader did not answer"))
            self._join()
            return False
        if self._speak(self._panel):
            return True
        if self._silences == LOST_AFTER:
            self._commands.drop(Text("读头没有应答", "the reader does not answer"))
            self._watched(False)
            if self._panel.mode != "install":
                self._lose("it does not answer")
                self._join()
        over = self._silences - LOST_AFTER
        self.due = now + (RETRY_S if over < 0 else PROBES_S[min(over, len(PROBES_S) - 1)])
        self._spoke_at = self.due
        return False

    def _speak(self, panel: Panel) -> bool:
        if not panel.step():
            return False
        self._spoke_at = self._now
        self.key_sent = self.key_sent or panel.asked == codec.KEYSET
        return True

    def _plan(self) -> None:
        """When its next turn is, after it was quiet or answered."""
        panel = self._panel
        if panel is None:
            self.due = NEVER
        elif panel.gave_up:
            self._given_up(panel)
        elif panel.online and not self._commands:
            self.due = max(self._answered_at + PERIOD_S, self._now + 0.002)
        elif self._answered_at == self._now:
            self.due = self._now
        else:
            self.due = self._now + 0.02

    # --- Joining

    def _join(self, mode: Mode | None = None, key: bytes | None = None) -> Panel:
        """Begins anew, as if it had never been spoken to."""
        if mode is None:
            mode = "secure" if self.secure else "plain"
            key = self._keys.to_try[self._key_at] if self.secure else None
        self._panel = Panel(self.address, mode, key, send=self._send, report=self._told)
        self.due = self._now
        self._spoke_at = self._now
        return self._panel

    def _given_up(self, panel: Panel) -> None:
        """It answered, but the library cannot go on with it."""
        if self._joined_at and self._now - self._joined_at > STEADY_S:
            self._failures = 0
        self._joined_at = 0.0
        self.due = self._now + AGAIN_S[min(self._failures, len(AGAIN_S) - 1)]
        self._spoke_at = self.due
        self._failures += 1
        self._commands.drop(Text("读头拒绝了", "the reader refused"))
        self._watched(False)
        if panel.mode == "install":
            return
        if panel.asked in {codec.CHLNG, codec.SCRYPT} and self.secure:
            self._key_refused()
        elif self._failures > 1:
            self._lose(f"it refuses {codec.COMMANDS.get(panel.asked, 'what it is asked')}")

    def _key_refused(self) -> None:
        self._key_at += 1
        if self._key_at < len(self._keys.to_try):
            self._join()
            return
        self._key_at = 0
        if self._failures < REFUSED_AFTER:
            return
        self._lose(KEY_REFUSED.en)
        self._hearing.tell([Worth("key_refused", True, "good")], self._now)
        if len(self._keys.to_try) > 1:
            due = self.due
            self._join()
            self.due = due

    def _joined(self, panel: Panel) -> None:
        if panel.mode == "install":
            return
        self._joined_at = self._now
        self._states_at = 0.0
        if panel.mode == "secure" and panel.key is not None:
            self._keys, self._key_at = self._settled(panel.key), 0
        if self.present is not True:
            self.present = True
            self._hearing.forget()
            self._sink(DeviceFound(self.id))
        self._hearing.tell([Worth("key_refused", False, "good")], self._now)

    def _settled(self, key: bytes) -> Keys:
        if self._keys == Keys(key):
            return self._keys  # a key that is being prepared meanwhile stays on the disk
        try:
            return self._store.settle(self.id, key)
        except (OSError, KeysUnreadable):
            # The reader works with the key that it has; which one that is will be found out again at the next start.
            log.exception("the key of a reader could not be written", reader=self.id)
            return self._keys

    def _lose(self, why: str) -> None:
        if self.present is not False:
            self.present = False
            self._hearing.forget()
            self._sink(DeviceLost(self.id, why))

    # --- Setting its key

    @property
    def keyed(self) -> bool:
        """Whether it is there with a key, under which another one can be set."""
        return self.secure and self.there

    def install(self, keys: Keys, watch: Callable[[bool], None], now: float) -> None:
        """Speaks to it by the default key, to set `keys.pending`. `watch` is told once whether it holds it."""
        self._now = now
        self._commands.drop(Text("正在设置密钥", "its key is being set"))
        self._keys = keys
        self._watch = watch
        self._failures = self._silences = 0
        self._join("install", keys.pending)

    def change(self, keys: Keys, watch: Callable[[bool], None], now: float) -> None:
        """Gives it `keys.pending` inside the secure channel that it has. `watch` is told whether it holds it then."""
        self._now = now
        panel, pending = self._panel_now(), keys.pending
        assert pending is not None

        def answered(why: Text | None) -> None:
            if why is None:
                # The library begins the secure channel again by the new key; joining settles which one it is.
                panel.key = pending
                self._watch = watch
            else:
                watch(False)

        self._keys = keys
        self._commands.drop(Text("正在更换密钥", "its key is being changed"))
        self.give(PanelCommand(keyset(pending), now + 5.0, answered))

    def verify(self, held: bytes, watch: Callable[[bool], None], now: float) -> None:
        """Joins by this key alone. `watch` is told once whether that went well."""
        self._now = now
        self._keys, self._key_at = Keys(pending=held), 0
        self._watch = watch
        self._join()

    # --- What it is asked

    def give(self, command: PanelCommand) -> bool:
        """Gives it a command; False if too many wait already."""
        taken = self._commands.add(command)
        if taken and self.there:
            self.due = min(self.due, self._now)
        return taken

    def can(self, command: Message) -> bool:
        """Whether the reader said that it understands such a command."""
        return self._panel is not None and self._panel.can(command)

    def show(self, outcome: Outcome, now: float) -> None:
        """Lamp and buzzer say what was decided; with too many commands waiting, this one is left out."""
        self._now = now
        if not self.there:
            return
        traits = reader_of(self.profile)
        assert traits is not None
        lamp, buzzer = SHOWN[outcome]
        for wanted, command in ((traits.lamp, lamp), (traits.buzzer, buzzer)):
            if wanted and self.can(command):
                self.give(PanelCommand(command, now + 2.0))

    def _offer(self, panel: Panel) -> None:
        """Gives the library the next command; one at a time, so that an answer belongs to it."""
        if not panel.online or panel.mode == "install":
            return
        if self._now >= self._states_at:
            self._ask_states(panel)
        self._commands.offer(self._now, panel.submit)

    def _ask_states(self, panel: Panel) -> None:
        self._states_at = self._now + STATES_S
        wanted: list[Status] = ["local"]
        traits = reader_of(self.profile)
        if traits is not None and traits.inputs and panel.items(CAP_INPUTS):
            wanted.append("inputs")
        if self.profile.outputs and panel.items(CAP_OUTPUTS):
            wanted.append("outputs")
        for status in wanted:
            if status not in self._without:
                self.give(PanelCommand(ask(status), self._now + 10.0))

    # --- What it says

    def _told(self, said: Told) -> None:
        match said:
            case Online(True):
                if self.there:
                    self._joined(self._panel_now())
                self._watched(self._panel_now().secure)
            case Secured() | Online():
                pass
            case Commanded(command, done):
                self._commanded(command, done=done)
            case CardSeen(bits, length) if self.there:
                self._hearing.card(bits, length)
            case KeysPressed(keys) if self.there:
                self._hearing.keys(keys, self._now)
            case StatusTold(of, states) if self.there:
                self._hearing.states(of, states, self._now)

    def _panel_now(self) -> Panel:
        assert self._panel is not None
        return self._panel

    def _watched(self, well: bool) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch(well)

    def _commanded(self, command: int, *, done: bool) -> None:
        asked = self._commands.answered(command, done=done)
        if command == COMMAND_STATUS and asked is not None and not done:
            self._without.update(each for each in STATUSES if ask(each) == asked)
