"""Logs over HTTP: sign-ins and mails."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from core.services import rows
from messaging.models import Message
from orgs.models import Membership, SignInLog
from tests.cast import PASSWORD, Cast
from tests.docms.door import Caller, cost_of, signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.rule("DOCMS-164")
def test_login_logs(cast: Cast, admin: Caller, plain_admin: Caller, renter: Caller) -> None:
    caller = Caller()
    caller.token = caller.ok("GET", "/login", basic=f"renter@quartier.test:{PASSWORD}")["token"]
    caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    SignInLog.objects.create(user=cast.renter, tenant=cast.other_tenant, type="tenant_selected", door="docms")
    path = f"/users/{cast.renter.pk}/loginlogs"
    own = [(log["type"], log["tenant_id"]) for log in renter.ok("GET", path)]
    assert own[-2:] == [("tenant_selected", cast.tenant.pk), ("login", None)]
    assert own[0] == ("tenant_selected", cast.other_tenant.pk)
    assert {log["tenant_id"] for log in admin.ok("GET", path)} == {cast.tenant.pk}
    plain_admin.refused("GET", path, 403)
    renter.refused("GET", f"/users/{cast.owner.pk}/loginlogs", 403)
    rows.create(Membership, user=cast.operator, organization=cast.tenant, tenant=cast.tenant, role="staff")
    operator = signed_in(cast.operator, cast.tenant)
    assert len(operator.ok("GET", path)) == len(own)
    SignInLog.objects.create(user=cast.foreigner, tenant=cast.other_tenant, type="tenant_selected", door="docms")
    theirs = f"/users/{cast.foreigner.pk}/loginlogs"  # of a company the operator is no member of
    assert [log["tenant_id"] for log in operator.ok("GET", theirs)] == [cast.other_tenant.pk]
    admin.refused("GET", theirs, 404)
    before = cost_of(renter, path)
    for _three in range(3):
        SignInLog.objects.create(user=cast.renter, type="login", door="docms")
    assert cost_of(renter, path) == before


@pytest.mark.rule("DOCMS-165")
def test_mail_logs(cast: Cast, admin: Caller, renter: Caller) -> None:
    def message(number: int, tenant: Any, **values: Any) -> None:
        Message.objects.create(
            tenant=tenant, kind="x", subject=f"Brief {number}", to_emails=["a@x.test", "b@x.test"],
            message_id=f"<{number}@x>", dedupe_key=str(number), **values,
        )  # fmt: skip

    now = timezone.now()
    message(1, cast.tenant, sent_at=now, state="sent", caused_by=cast.admin)
    message(2, cast.other_tenant, sent_at=now, state="sent")
    message(3, cast.tenant, state="failed", error_msg="550 no such user")
    message(4, cast.other_tenant, state="failed", error_msg="550")
    message(5, None, sent_at=now, state="sent")
    mails = admin.ok("GET", "/maillogs")
    assert [m["subject"] for m in mails] == ["Brief 1"]
    assert (mails[0]["to_emails"], mails[0]["bcc_emails"]) == ("a@x.test,b@x.test", "")
    assert [m["error_msg"] for m in admin.ok("GET", "/maillogs/errors")] == ["550 no such user"]
    for path in ("/maillogs", "/maillogs/errors"):
        renter.refused("GET", path, 403)
        admin.refused("GET", f"{path}?all=true", 403)
    member = rows.create(Membership, user=cast.operator, organization=cast.tenant, tenant=cast.tenant, role="staff")
    rows.change(member, {"admin_perm": True})
    operator = signed_in(cast.operator, cast.tenant)
    assert [m["subject"] for m in operator.ok("GET", "/maillogs")] == ["Brief 1"]
    assert {m["subject"] for m in operator.ok("GET", "/maillogs?all=true")} == {"Brief 1", "Brief 2", "Brief 5"}
    assert len(operator.ok("GET", "/maillogs/errors?all=true")) == 2
    one = {path: cost_of(admin, path) for path in ("/maillogs", "/maillogs/errors")}
    for number in range(10, 12):
        message(number, cast.tenant, sent_at=now, state="sent")
        message(number + 10, cast.tenant, error_msg="x")
    assert {path: cost_of(admin, path) for path in one} == one
