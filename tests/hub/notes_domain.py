"""A made-up domain with a page, as docs/house.md says to build one: each file that it brings, each line that it adds.

Notes of a site: somebody writes one, and everybody of the site reads it.
"""

from __future__ import annotations

MODELS = '''"""Table of notes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from hub.database.transactions import Moment, Table


class NoteRow(Table, table=True):
    """What somebody noted at a site. `by`: the person as they were then."""

    __tablename__ = "notes"

    id: str = Field(primary_key=True, max_length=64)
    site: str = Field(index=True, max_length=64)
    text: str = Field(sa_type=Text)
    by: dict[str, Any] = Field(sa_type=JSONB)
    at: datetime = Field(sa_type=Moment)
'''

SERVICE = '''"""Notes: written, and listed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contract.commands import Person
from hub.notes.models import NoteRow


async def write(session: AsyncSession, site: str, text: str, by: Person) -> NoteRow:
    """Note something at a site."""
    row = NoteRow(id=str(uuid.uuid4()), site=site, text=text, by=msgspec.to_builtins(by), at=datetime.now(UTC))
    session.add(row)
    await session.flush()
    return row


async def listed(session: AsyncSession, sites: list[str] | None) -> Sequence[NoteRow]:
    """The notes of these sites (None: of all), newest first."""
    query = select(NoteRow).order_by(col(NoteRow.at).desc()).limit(100)
    if sites is not None:
        query = query.where(col(NoteRow.site).in_(sites))
    return (await session.exec(query)).all()
'''

SCHEMAS = '''"""What requests about notes may say, and what answers do."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from web import shapes
from web.asked import Body
from web.moments import At


class NoteBody(Body):
    """A note to write."""

    site: Annotated[str, Field(max_length=64)]
    text: Annotated[str, Field(min_length=1, max_length=1000)]


class NoteShape(BaseModel):
    """A note."""

    id: str
    site: str
    text: str
    by: shapes.Person
    at: At
'''

ENDPOINTS = '''"""`/api/notes`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from hub.database.transactions import Reading, Writing
from hub.notes import service
from hub.notes.models import NoteRow
from hub.notes.schemas import NoteBody, NoteShape
from web.errors import Forbidden
from web.once import OnceRoute
from web.paging import Page, sites_asked
from web.session.sessions import Able, SignedInUser
from web.users import User

router = APIRouter(prefix="/api/notes", tags=["notes"], route_class=OnceRoute)

Writer = Annotated[User, Depends(Able("posts.write"))]


@router.get("")
async def notes(user: SignedInUser, session: Reading, site: str | None = None) -> Page[NoteShape]:
    """The newest notes of the user's sites."""
    return Page(items=[_shape(row) for row in await service.listed(session, sites_asked(user, site))])


@router.post("", status_code=201)
async def write(body: NoteBody, user: Writer, session: Writing) -> NoteShape:
    """Write a note."""
    if not user.may_see(body.site):
        raise Forbidden
    return _shape(await service.write(session, body.site, body.text, user.person()))


def _shape(row: NoteRow) -> NoteShape:
    return NoteShape.model_validate(row, from_attributes=True)
'''

DOMAIN = '''"""Notes: what the domain brings to the whole."""

from __future__ import annotations

from hub.domain import Domain
from hub.notes.endpoints import router
from hub.notes.models import NoteRow

DOMAIN = Domain(
    routers=(router,),
    tables=(NoteRow,),
)
'''

MIGRATION = '''"""Notes of sites."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "notes"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table of notes."""
    op.create_table(
        "notes",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", postgresql.JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    op.create_index(op.f("ix_notes_site"), "notes", ["site"], unique=False)


def downgrade() -> None:
    """Forgets the notes."""
    op.drop_table("notes")
'''

AREA = """/** What people note of their sites. */

import type { Area } from "@/shell/area";

export const area: Area = {
  pages: [
    {
      path: "/notes",
      component: () => import("@/areas/notes/Notes.vue"),
      nav: { icon: "list", label: "nav.notes" },
    },
  ],
};
"""

API = """/** /api/notes. */

import { api } from "@/api/client";
import type { Instant, Page } from "@/api/types";

export interface Note {
  id: string;
  site: string;
  text: string;
  by: { id: string; name: string; role: string };
  at: Instant;
}

export const notes = async (site: string | null): Promise<Note[]> =>
  (await api.get<Page<Note>>("/api/notes", { site })).items;
export const writeNote = (site: string, text: string): Promise<Note> => api.post("/api/notes", { site, text });
"""

PAGE = """<script setup lang="ts">
import { ElButton } from "element-plus";
import { onMounted, ref, shallowRef } from "vue";
import { useI18n } from "@/kit/i18n";

import { notes, type Note } from "@/areas/notes/api";
import NoteDialog from "@/areas/notes/NoteDialog.vue";
import { faultText } from "@/kit/faults";
import { currentSite } from "@/shell/stores/site";

const { t } = useI18n();
const items = shallowRef<Note[]>([]);
const fault = ref("");
const writing = ref(false);

async function load(): Promise<void> {
  try {
    items.value = await notes(currentSite.value);
  } catch (error) {
    fault.value = t("error.load", { message: faultText(error) });
  }
}

onMounted(load);
</script>

<template>
  <div class="page">
    <header class="page-head">
      <h1>{{ t("notes.title") }}</h1>
      <ElButton v-if="currentSite" type="primary" @click="writing = true">{{ t("action.create") }}</ElButton>
    </header>
    <p v-if="fault" class="mark no" role="alert">{{ fault }}</p>
    <ul class="card">
      <li v-for="note in items" :key="note.id">{{ note.text }} <span class="muted">{{ note.by.name }}</span></li>
    </ul>
    <NoteDialog v-if="writing && currentSite" :site="currentSite" @saved="load" @done="writing = false" />
  </div>
</template>
"""

DIALOG = """<script setup lang="ts">
import { ElInput } from "element-plus";
import { reactive, ref } from "vue";
import { useI18n } from "@/kit/i18n";

import { writeNote } from "@/areas/notes/api";
import FormDialog from "@/kit/form/FormDialog.vue";
import FormField from "@/kit/form/FormField.vue";

const props = defineProps<{ site: string }>();
const emit = defineEmits<{ saved: []; done: [] }>();
const { t } = useI18n();
const open = ref(true);
const form = reactive({ text: "" });

async function send(): Promise<void> {
  await writeNote(props.site, form.text.trim());
  emit("saved");
}
</script>

<template>
  <FormDialog v-model="open" :title="t('notes.title')" :fields="form" :send="send" @closed="emit('done')">
    <FormField name="text" :label="t('notes.text')" required>
      <ElInput v-model="form.text" type="textarea" :rows="3" maxlength="1000" />
    </FormField>
  </FormDialog>
</template>
"""

HUB, AREAS = "hub/notes", "web/console/src/areas/notes"

BROUGHT: dict[str, str] = {
    f"{HUB}/__init__.py": '"""Notes of sites."""\n',
    f"{HUB}/models.py": MODELS,
    f"{HUB}/service.py": SERVICE,
    f"{HUB}/schemas.py": SCHEMAS,
    f"{HUB}/endpoints.py": ENDPOINTS,
    f"{HUB}/domain.py": DOMAIN,
    "hub/migrations/versions/notes.py": MIGRATION,
    f"{AREAS}/area.ts": AREA,
    f"{AREAS}/api.ts": API,
    f"{AREAS}/Notes.vue": PAGE,
    f"{AREAS}/NoteDialog.vue": DIALOG,
}
"""Path → text: two folders and a migration (`{before}`: the newest there was)."""

ADDED: dict[str, tuple[tuple[str, str], ...]] = {
    "hub/domains.py": (
        ("\nfrom hub.domain import", "\nfrom hub.notes.domain import DOMAIN as NOTES\nfrom hub.domain import"),
        ("\n    TICKETS,\n", "\n    TICKETS,\n    NOTES,\n"),
    ),
    "web/console/src/areas.ts": (
        ("\nimport type { Area }", '\nimport { area as notes } from "@/areas/notes/area";\nimport type { Area }'),
        ("];", ", notes];"),
    ),
    "web/console/src/locales/zh.json": (
        (
            '  "nav": {\n',
            '  "notes": {\n    "title": "便签",\n    "text": "内容"\n  },\n  "nav": {\n    "notes": "便签",\n',
        ),
    ),
    "web/console/src/locales/en.json": (
        (
            '  "nav": {\n',
            '  "notes": {\n    "title": "Notes",\n    "text": "Text"\n  },\n  "nav": {\n    "notes": "Notes",\n',
        ),
    ),
}
"""Path → what in it becomes what: a line of each list with its import, and the texts."""
