"""One simulated device: what its points are worth now, what its outputs do, what somebody asked of it. Pure.

A value is, in this order: what the control API set, what is frozen, what somebody holds by hand, what the physics say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from config.site import Device
from contract.readings import Value
from drivers.osdp.product import reader_of
from drivers.profiles.profile import Profile
from drivers.protocols import PROTOCOLS
from simulators.actions import Action, CommandGiven, OutputPulsed, OutputSet, OutputToggled

Role = Literal[
    "reader", "camera", "pump", "lift", "level", "fan", "barrier", "power", "water", "plug", "air", "relay", "plain"
]

COMMANDS_LIMIT = 32
"""Commands that wait for the physics; a master that sends more within one step loses the oldest."""


def role_of(profile: Profile) -> Role:
    """What a product is, by how it speaks and what its points are."""
    if PROTOCOLS[profile.protocol].wires.cards is not None:
        return "reader"
    if profile.dialect is not None:
        return "camera"
    names = set(profile.points)
    tests: list[tuple[Role, bool]] = [
        ("barrier", {"open", "close"} <= set(profile.commands)),
        ("pump", "pump" in profile.kind or {"rotating", "flow"} <= names),
        ("lift", profile.kind in ("elevator", "lift") or "floor" in names),
        ("level", "level" in names),
        ("fan", "set_frequency" in names or profile.kind in ("drive", "vfd")),
        ("water", "volume_forward" in names),
        ("power", "energy_import" in names or "energy_total" in names),
        ("plug", bool(profile.outputs) and {"power", "energy"} <= names),
        ("air", bool(names & {"co", "temperature", "humidity", "leak", "smoke", "link"})),
        ("relay", bool(profile.outputs)),
    ]
    return next((role for role, is_so in tests if is_so), "plain")


class SimDevice:
    """The state of one device of the site file. `now` is the caller's monotonic time, moved on before every access."""

    def __init__(self, id_: str, config: Device, profile: Profile, bus_kind: str) -> None:
        self.id = id_
        self.config = config
        self.profile = profile
        self.bus_kind = bus_kind
        self.role: Role = role_of(profile)
        self.now = 0.0
        self.values: dict[str, Value] = {}
        self.overrides: dict[str, Value] = {}
        self.held: dict[str, bool] = {}
        self.raws: dict[str, int] = {}
        self.commands: list[CommandGiven] = []
        self.stuck = False
        self.shows: dict[str, Value] = {}
        """What people see and hear of it beside its points: a reader's lamp and beeps."""
        self.rises: dict[str, int] = dict.fromkeys(profile.outputs, 0)
        self._frozen: dict[str, Value] = {}
        self._on: dict[str, bool] = dict.fromkeys(profile.outputs, False)
        self._until: dict[str, float] = {}

    def value(self, name: str) -> Value:
        """What a point or output is worth now."""
        if name in self.overrides:
            return self.overrides[name]
        if name in self._frozen:
            return self._frozen[name]
        if name in self.held:
            return self.held[name]
        if name in self._on:
            return self.output_on(name)
        if name in self.values:
            return self.values[name]
        return self._resting(name)

    def put(self, values: Mapping[str, Value]) -> None:
        """What the physics say; names that this product does not have are left out."""
        points = self.profile.points
        self.values.update({name: value for name, value in values.items() if name in points})

    def freeze(self, stuck: bool) -> None:
        """Freezes every value as it is now, or lets all of them go."""
        if stuck and not self.stuck:
            self._frozen = {name: self.value(name) for name in self.names()}
        elif not stuck:
            self._frozen = {}
        self.stuck = stuck

    def act(self, action: Action) -> None:
        """Somebody wrote to the device. A stuck one confirms and does nothing."""
        if self.stuck:
            return
        if isinstance(action, CommandGiven):
            self.commands = [*self.commands[1 - COMMANDS_LIMIT :], action]
        elif isinstance(action, OutputPulsed):
            self._switch(action.output, until=self.now + action.seconds)
        elif isinstance(action, OutputToggled):
            self._set(OutputSet(action.output, not self.output_on(action.output)))
        else:
            self._set(action)

    def output_on(self, output: str) -> bool:
        """Whether an output is closed now; a pulse ends by the board's own timer."""
        return self._on.get(output, False) or self._until.get(output, 0.0) > self.now

    def taken_commands(self) -> list[CommandGiven]:
        """The commands since the last call."""
        taken, self.commands = self.commands, []
        return taken

    def names(self) -> list[str]:
        """Every point and output."""
        return [*self.profile.points, *(o for o in self.profile.outputs if o not in self.profile.points)]

    def inputs(self) -> dict[str, bool]:
        """The contacts of a board, a camera or a reader: flags that are no outputs."""
        reader = reader_of(self.profile)
        if reader is not None:
            return {word: bool(self.value(word)) for word in reader.inputs}
        if self.role not in ("relay", "camera"):
            return {}
        points = self.profile.points.values()
        return {p.id: bool(self.value(p.id)) for p in points if p.type == "flag" and p.id not in self.profile.outputs}

    def outputs(self) -> dict[str, bool]:
        """What the board switches."""
        return {name: bool(self.value(name)) for name in self.profile.outputs}

    def points(self) -> dict[str, Value]:
        """Every point as it reads now."""
        return {name: self.value(name) for name in self.profile.points} | self.shows

    def _set(self, action: OutputSet) -> None:
        if action.on:
            self._switch(action.output, until=None)
        elif not self._holds(action.output):
            self._on[action.output] = False
            self._until.pop(action.output, None)

    def _holds(self, output: str) -> bool:
        """Whether a pulse runs that the board does not let anybody end."""
        pulse = getattr(self.profile.outputs[output], "pulse", None)
        return getattr(pulse, "holds", False) and self._until.get(output, 0.0) > self.now

    def _switch(self, output: str, until: float | None) -> None:
        if not self.output_on(output):
            self.rises[output] = self.rises.get(output, 0) + 1
        if until is None:
            self._on[output] = True
        else:
            self._until[output] = until

    def _resting(self, name: str) -> Value:
        """What a point says about which the physics know nothing."""
        point = self.profile.points.get(name)
        if point is None or point.type == "flag":
            return False
        if point.type == "label":
            return next(iter(point.labels), None)
        if point.type == "text":
            return ""
        low = point.low if point.low is not None else 0.0
        return max(0.0, low)
