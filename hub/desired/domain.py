"""The desired state of the sites: what the domain brings to the whole."""

from __future__ import annotations

from hub.desired.models import DesiredItem, DesiredRevision
from hub.domain import Domain

DOMAIN = Domain(
    tables=(DesiredRevision, DesiredItem),
)
