"""What requests about holders, credentials, grants, schedules and blocks may say, and what answers do."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import BaseModel, Field, computed_field, model_validator

from contract import cards
from contract.cards import PrintedForm
from contract.desired import CredentialKind, CredentialState, HolderKind
from contract.rights import HIDDEN
from contract.texts import Text
from hub.shapes import TextShape
from rules.access.schedules import ALWAYS
from rules.access.values import PLATE_EXPECTED, is_plate, normal_value
from web.asked import Body
from web.moments import At
from web.validation import FieldFault

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
HourMinute = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
Day = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]

_FORMS: dict[str, tuple[re.Pattern[str], Text]] = {
    "card": (
        re.compile(r"^([0-9A-F]{2}){3,10}$"),
        Text("应为十六进制卡号，6 到 20 位且为偶数位", "must be 6 to 20 hexadecimal digits, in pairs"),
    ),
    "pin": (re.compile(r"^\d{4,12}$"), Text("应为 4 到 12 位数字", "must be 4 to 12 digits")),
    "qr": (re.compile(r"^\S.{0,198}\S$|^\S$"), Text("应为二维码的文本", "must be the text of a QR code")),
    "face": (re.compile(r"^\S{1,200}$"), Text("应为人脸编号", "must be the id of a face")),
}
"""What a normalised value of each kind but plates looks like, and what to say if it does not."""

_NOT_SO = Text("不是 {form} 写法的卡号", "is no card number in the form {form}")
_CARDS_ONLY = Text("只有卡号才有写法", "only cards have a form")

MEANT = frozenset({"form"})
"""Fields that say how another one is meant; they are not kept."""

_ORDER = Text("结束时间必须晚于开始时间", "The end must be after the beginning")


class Term(Body):
    """From when to when; without an end, for ever."""

    valid_from: At | None = None
    valid_to: At | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_from is not None and self.valid_to is not None and self.valid_from >= self.valid_to:
            raise FieldFault(_ORDER, "valid_to")
        return self


class Presentable(Body):
    """A credential's kind and value; the value is brought into the form in which it is compared."""

    kind: CredentialKind
    value: Annotated[str, Field(min_length=1, max_length=200)]
    form: PrintedForm | None = Field(
        default=None,
        description="How a card's number is written, where it is not hex: `10d` ten decimal digits (0013961168), `8h`, "
        "`3+5` facility and number (213,02000), `5+5`, `h10302`, `h10304`; `10d-26` and `8h-26`: the part of it that a "
        "26-bit reader sends. Ten digits without a form are refused: they could be hex as well.",
    )

    @model_validator(mode="after")
    def _normal(self) -> Self:
        if self.kind == "pin" and self.value == HIDDEN:
            # As answers show it: whoever sends that back leaves it as it is.
            return self
        if self.form is not None:
            self._read()
        self.value = normal_value(self.kind, self.value)
        if self.kind == "plate":
            if not is_plate(self.value):
                raise FieldFault(PLATE_EXPECTED, "value")
            return self
        form, expected = _FORMS[self.kind]
        if not form.match(self.value):
            raise FieldFault(expected, "value")
        return self

    def _read(self) -> None:
        """The value as it is meant; what it was read from is hex from now on."""
        if self.kind != "card":
            raise FieldFault(_CARDS_ONLY, "form")
        if self.form is not None and self.form != "hex":
            value = cards.typed(self.value, self.form)
            if value is None:
                raise FieldFault(Text(_NOT_SO.zh.format(form=self.form), _NOT_SO.en.format(form=self.form)), "value")
            self.value, self.form = value, "hex"


class HolderBody(Term):
    """A person or firm."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    kind: HolderKind = "resident"
    unit: Annotated[str, Field(max_length=100)] = ""


class CredentialBody(Presentable, Term):
    """What a holder presents."""

    holder: Id
    state: CredentialState = "active"


class WindowBody(Body):
    """Hours of a day. `days`: 1 = Monday. `until` before `since` runs past midnight."""

    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)]
    since: HourMinute
    until: HourMinute


class DayBody(Body):
    """One date that follows other hours; none: closed."""

    day: Day
    hours: Annotated[list[tuple[HourMinute, HourMinute]], Field(max_length=10)] = Field(default_factory=list)


class ScheduleBody(Body):
    """When something holds, in the site's time."""

    name: TextShape
    windows: Annotated[list[WindowBody], Field(max_length=50)]
    days: Annotated[list[DayBody], Field(max_length=400)] = Field(default_factory=list)


class GrantBody(Term):
    """A holder may pass `places` (doors, lanes, zones) while `schedule` holds."""

    holder: Id
    places: Annotated[list[Id], Field(min_length=1, max_length=200)]
    schedule: Id = ALWAYS


class BlockBody(Presentable):
    """A value that is refused everywhere, and why."""

    reason: TextShape


class Kept(BaseModel):
    """What every answer adds. Ids are unique within the site."""

    id: str
    site: str
    changed_at: At
    version: int


class HolderShape(Kept, HolderBody):
    """A holder."""


class CredentialShape(Kept, Term):
    """A credential. The value of a PIN is hidden; who looks after it may have it shown, which is recorded."""

    kind: CredentialKind
    value: str
    holder: str
    state: CredentialState

    @computed_field(description="A card's number in every form in which it may be printed: 10d, 8h, 3+5 …")  # type: ignore[prop-decorator]
    @property
    def printed(self) -> dict[str, str]:
        """What may stand on the card."""
        try:
            return cards.describe(self.value) if self.kind == "card" else {}
        except ValueError:
            return {}


class PinShape(BaseModel):
    """A PIN as it is typed."""

    value: str


class ScheduleShape(Kept, ScheduleBody):
    """A schedule."""


class GrantShape(Kept, GrantBody):
    """A grant."""


class BlockShape(Kept):
    """A block. The value of a PIN is hidden."""

    kind: CredentialKind
    value: str
    reason: TextShape


class HolderWhole(HolderShape):
    """A holder with everything that is theirs."""

    credentials: list[CredentialShape]
    grants: list[GrantShape]
