"""What guards people beyond the obvious rows: operators, erased accounts, keys of applications, floors asked alone."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from core import scope
from core.services import rows
from docms.models import DocumentLog
from docms.services import exports as docms_exports
from messaging.models import Message
from messaging.services import exports as messaging_exports
from messaging.services.outbox import queue
from messaging.services.split import Recipient
from orgs.models import AccessToken, Application, ApplicationUser, Membership, SecondFactor, SignInLog, User
from orgs.services import exports as orgs_exports
from orgs.services import tokens
from tests.docms.door import Caller, make_group, settings_of, signed_in

if TYPE_CHECKING:
    from core.services.exports import Section
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)
SWITCHES = (
    "groupadmin_active", "groupadmin_user_edit", "groupadmin_user_reset_password", "groupadmin_user_reset_tfa",
    "groupadmin_user_reset_attempts",
)  # fmt: skip


def key_of(cast: Cast, user: User) -> SecondFactor:
    """A confirmed key of the company."""
    return SecondFactor.objects.create(
        user=user, organization=cast.tenant, secret="A" * 32, confirmed=True, confirmed_at=timezone.now(), name="k"
    )


# --- Group administrators -------------------------------------------------------------------------------


@pytest.fixture
def chief(cast: Cast, admin: Caller) -> Caller:
    """The owner, who administers a group with the renter and the operator in it, and may do everything."""
    rows.create(Membership, user=cast.operator, organization=cast.tenant, tenant=cast.tenant, role="staff")
    people = (cast.owner.pk, cast.renter.pk, cast.operator.pk)
    make_group(admin, "Beirat", *people, groupadmin_ids=[cast.owner.pk])
    settings_of(cast, **dict.fromkeys(SWITCHES, True))
    return signed_in(cast.owner, cast.tenant)


def calls(user: User) -> list[tuple[str, str, dict[str, str] | None]]:
    """What is done with one person."""
    person = f"/groupadmin/users/{user.pk}"
    resets = [("POST", f"{person}/reset-{what}", None) for what in ("password", "tfa", "attempts")]
    return [("PUT", person, {"description": "x"}), *resets]


@pytest.mark.rule("DOCMS-082")
def test_the_operator_is_an_administrator_wherever_a_member(cast: Cast, chief: Caller) -> None:
    key = key_of(cast, cast.operator)
    for method, path, body in calls(cast.operator):
        chief.refused(method, path, 403, body)
    assert SecondFactor.objects.filter(pk=key.pk).exists()
    assert Membership.objects.get(user=cast.operator).description == ""
    for method, path, body in calls(cast.renter):
        chief.ok(method, path, body)


@pytest.mark.rule("DOCMS-068")
def test_an_erased_account_is_in_no_group(cast: Cast, chief: Caller) -> None:
    for method, path, body in calls(cast.renter):
        chief.ok(method, path, body)
    mails = Message.objects.count()
    User.objects.filter(pk=cast.renter.pk).update(erased_at=timezone.now(), first_name="", last_name="")
    for method, path, body in calls(cast.renter):
        chief.refused(method, path, 404, body)
    assert Message.objects.count() == mails


# --- Second factor and applications ---------------------------------------------------------------------


def test_a_session_of_an_application_takes_no_second_factor_off(cast: Cast) -> None:
    key = key_of(cast, cast.renter)
    caller = signed_in(cast.renter, cast.tenant)
    mine = AccessToken.objects.filter(user=cast.renter)
    app = rows.create(Application, tenant=cast.tenant, name="App")
    rows.create(ApplicationUser, tenant=cast.tenant, application=app, user=cast.renter)
    mine.update(activated_at=timezone.now(), application=app)
    path = f"/users/{cast.renter.pk}/tfa"
    assert caller.refused("DELETE", path, 403)["message"] == "TFA_REQUIRED"
    assert SecondFactor.objects.filter(pk=key.pk).exists()
    mine.update(application=None)
    caller.ok("DELETE", path)


@pytest.mark.rule("DOCMS-027")
def test_a_reset_ends_sessions_and_no_keys_of_applications(cast: Cast, admin: Caller) -> None:
    key_of(cast, cast.renter)
    session = signed_in(cast.renter, cast.tenant)
    app = rows.create(Application, tenant=cast.tenant, name="App")
    values = {"user": cast.renter, "expires_in": HOUR, "organization": cast.tenant}
    kept = [
        tokens.issue(kind="app_key", application=app, **values)[1],
        tokens.issue(kind="personal", **values)[1],
    ]
    admin.ok("DELETE", f"/users/{cast.renter.pk}/tfa")
    session.refused("GET", "/folders", 401)
    assert AccessToken.objects.filter(pk__in=[row.pk for row in kept], revoked_at=None).count() == 2


# --- Labels ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a\x1bb", "a\x7fb"])
def test_suggested_labels_stand_on_one_line(admin: Caller, name: str) -> None:
    """A path that breaks a line leads nowhere, so such a label could not be taken back."""
    admin.ok("POST", "/label-suggestions", {"name": "Vertrag", "color": "#123456"})
    for method, path in (("POST", "/label-suggestions"), ("PUT", "/label-suggestions/Vertrag")):
        assert "name" in admin.refused(method, path, 400, {"name": name, "color": "#123456"})["message"]
    assert admin.ok("GET", "/label-suggestions") == [{"name": "Vertrag", "color": "#123456"}]


# --- Export ---------------------------------------------------------------------------------------------


def counts(sections: list[Section]) -> dict[str, int]:
    """The number of rows of each section."""
    return {section.name: len(section.rows) for section in sections}


@pytest.mark.rule("DOCMS-169")
def test_each_floor_keeps_to_the_tenant_without_row_policies(cast: Cast) -> None:
    """A door that puts several tenants together asks where the database hides none of them."""
    rows.create(Membership, user=cast.renter, organization=cast.other_tenant, tenant=cast.other_tenant, role="guest")
    for tenant, times in ((cast.tenant, 1), (cast.other_tenant, 2)):
        for number in range(times):
            DocumentLog.objects.create(tenant=tenant, document_id=number + 1, user=cast.renter, action="read")
            SignInLog.objects.create(user=cast.renter, tenant=tenant, type="login", door="docms")
            queue(
                kind="welcome", tenant=tenant, to=Recipient.of_user(cast.renter), dedupe_key=f"{tenant.pk}-{number}",
                context={"link": "https://example.org"},
            )  # fmt: skip
    with scope.unit_of_work(door="test"), scope.all_tenants():
        for tenant, times in ((cast.tenant, 1), (cast.other_tenant, 2)):
            assert counts(docms_exports.person(cast.renter, tenant))["document_actions"] == times
            assert counts(messaging_exports.person(cast.renter, tenant)) == {"mails": times}
            told = counts(orgs_exports.person(cast.renter, tenant))
            assert (told["sign_ins"], told["memberships"]) == (times, 1)


@pytest.mark.rule("DOCMS-167", "DOCMS-169")
def test_a_secret_in_a_subject_is_not_told(cast: Cast) -> None:
    queue(
        kind="welcome", tenant=cast.tenant, to=Recipient.of_user(cast.renter), dedupe_key="x",
        context={"link": "https://example.org"},
    )  # fmt: skip
    Message.objects.update(subject="Ihr Zugang: code=geheim-0815")
    (section,) = messaging_exports.person(cast.renter, cast.tenant)
    assert [row["subject"] for row in section.rows] == ["Ihr Zugang: code=***"]
