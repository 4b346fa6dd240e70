"""Who may sign in: what the domain brings to the whole."""

from __future__ import annotations

from hub.accounts import endpoints, self_endpoints
from hub.accounts.locks import PROJECTIONS
from hub.accounts.models import AccountLockRow, AccountRow, SecondFactorRow, SessionRow
from hub.accounts.renewal import RENEWAL
from hub.domain import Domain

DOMAIN = Domain(
    routers=(endpoints.router, self_endpoints.router),
    tables=(AccountRow, SessionRow, SecondFactorRow, AccountLockRow),
    projections=PROJECTIONS,
    jobs=(RENEWAL,),
)
