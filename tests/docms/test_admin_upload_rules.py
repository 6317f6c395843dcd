"""Whom the uploads of one person into one folder notify, on a page of the back office."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import scope
from docms.models import Folder, MailRule, MailRuleRecipient
from docms.services import permissions
from orgs.models import Membership
from tests.portal.pages import house_folder, queries_of, signed_in

if TYPE_CHECKING:
    from orgs.models import User
    from tests.cast import Cast


@pytest.fixture
def where(cast: Cast) -> Folder:
    """A folder that everybody of house A reaches."""
    return house_folder(cast)


def page(where: Folder, person: User) -> str:
    return f"/admin/docms/folder/{where.pk}/uploads/{person.pk}/"


def told(where: Folder) -> set[int]:
    rows = MailRuleRecipient.objects.filter(rule__folder=where, rule__custom=True)
    return set(rows.values_list("membership__user_id", flat=True))


def rule(cast: Cast, where: Folder, *recipients: str) -> None:
    with scope.unit_of_work(door="test"):
        permissions.set_mail_rule(
            actor=cast.actor("admin"), folder=where, user_id=cast.staff.pk, custom=True,
            recipient_ids=[getattr(cast, name).pk for name in recipients],
        )  # fmt: skip


def test_an_administrator_says_whom_uploads_of_one_person_notify(cast: Cast, where: Folder) -> None:
    client, owner = signed_in(cast.admin), cast.membership("owner").pk
    answer: Any = client.post(page(where, cast.staff), {"custom": "on", "recipients": [owner]})
    assert answer["Location"] == f"/admin/docms/folder/{where.pk}/person/?user={cast.staff.pk}"
    assert told(where) == {cast.owner.pk}
    assert page(where, cast.staff) in client.get(answer["Location"]).content.decode()
    assert client.get(page(where, cast.staff)).context["form"].initial == {"custom": True, "recipients": [owner]}


def test_a_rule_is_switched_off_and_keeps_its_people(cast: Cast, where: Folder) -> None:
    rule(cast, where, "owner")
    signed_in(cast.admin).post(page(where, cast.staff), {"recipients": [cast.membership("owner").pk]})
    found = MailRule.objects.get(folder=where)
    assert (found.custom, found.recipients.count()) == (False, 1)


def test_people_of_other_companies_are_an_error_at_the_field(cast: Cast, where: Folder) -> None:
    foreign = cast.membership("stranger", cast.other_tenant).pk
    refused = signed_in(cast.admin).post(page(where, cast.staff), {"custom": "on", "recipients": [foreign]})
    assert refused.context["form"].errors.keys() == {"recipients"}
    assert not MailRule.objects.filter(folder=where).exists()


def test_a_former_member_stays_among_the_recipients_when_somebody_saves(cast: Cast, where: Folder) -> None:
    rule(cast, where, "owner", "neighbour")
    left = timezone.now() - datetime.timedelta(days=1)
    Membership.objects.filter(pk=cast.membership("neighbour").pk).update(deactivated_at=left)
    values = {"custom": "on", "recipients": [cast.membership("renter").pk]}
    assert signed_in(cast.admin).post(page(where, cast.staff), values).status_code == 302
    assert told(where) == {cast.renter.pk, cast.neighbour.pk}


@pytest.mark.parametrize(
    ("who", "status"), [("staff", 404), ("owner", 403), ("renter", 403), ("stranger", 404), ("operator", 200)]
)
def test_it_is_for_administrators(cast: Cast, where: Folder, who: str, status: int) -> None:
    client = signed_in(getattr(cast, who))
    assert client.get(page(where, cast.renter)).status_code == status
    answer = client.post(page(where, cast.renter), {"custom": "on"})
    assert answer.status_code == (302 if status == 200 else status)
    assert MailRule.objects.filter(folder=where).exists() == (status == 200)


def test_whose_account_is_of_another_company_is_not_known_here(cast: Cast, where: Folder) -> None:
    assert signed_in(cast.admin).get(page(where, cast.stranger)).status_code == 404


def test_the_form_costs_the_same_for_one_recipient_and_three(cast: Cast, where: Folder) -> None:
    client = signed_in(cast.admin)
    rule(cast, where, "owner")
    client.get(page(where, cast.staff))
    before = queries_of(client, page(where, cast.staff))
    rule(cast, where, "owner", "renter", "neighbour")
    assert queries_of(client, page(where, cast.staff)) == before
