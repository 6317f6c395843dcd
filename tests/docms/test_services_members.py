"""Members of a tenant: what two requests at the same time may not do, and what a mail may not undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from core import scope
from core.models import SystemLog
from core.problems import problem_of
from core.services import rows
from docms.services import members
from orgs.models import License, Membership, User
from tests.factories import at_once

if TYPE_CHECKING:
    from tests.cast import Cast


def create(cast: Cast, *, welcome: bool = False, **values: Any) -> int:
    """A new member, made by the administrator."""
    made = members.create_member(actor=cast.actor("admin"), tenant=cast.tenant, values=values, welcome=welcome)
    return made.pk


@pytest.mark.rule("DOCMS-174")
@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_not_take_the_same_last_point(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        active = Membership.objects.active().filter(organization=cast.tenant).count()
        rows.create(License, organization=cast.tenant, max_points=active + 1)
    outcomes = at_once(
        *[lambda n=n: create(cast, username=f"n{n}", email=f"n{n}@example.org", name="Neu") for n in range(2)]
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Denied", "int"]


@pytest.mark.rule("DOCMS-052")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("shared", ["username", "email"])
def test_two_at_once_do_not_take_the_same_name(cast: Cast, shared: str) -> None:
    values = [{"username": f"n{n}", "email": f"n{n}@example.org", "name": "Neu"} for n in range(2)]
    values[0][shared], values[1][shared] = "gleich@example.org", "GLEICH@example.org"
    if shared == "username":  # a name with @ must be the own address
        values[0][shared], values[1][shared] = "gleich", "GLEICH"

    def make(n: int) -> object:
        try:
            with scope.unit_of_work(door="test"):
                return create(cast, **values[n])
        except Exception as error:
            return problem_of(error).status

    outcomes = at_once(lambda: make(0), lambda: make(1))
    assert 409 in outcomes
    assert User.objects.filter(**{f"{shared}__iexact": values[0][shared]}).count() == 1


@pytest.mark.rule("DOCMS-156")
def test_a_mail_that_cannot_be_written_undoes_no_account(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_values: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")  # the worst kind: the transaction is spoilt

    monkeypatch.setattr("messaging.receivers.queue", broken)
    with scope.unit_of_work(door="test", user_id=cast.admin.pk):
        create(cast, welcome=True, username="neu", email="neu@example.org", name="Neu")
    assert Membership.objects.active().filter(user__email="neu@example.org", organization=cast.tenant).exists()
    assert set(SystemLog.objects.values_list("action", flat=True)) == {"mail_password_link", "mail_welcome"}
