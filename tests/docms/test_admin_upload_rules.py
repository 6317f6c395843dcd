"""Whom the uploads of one person into one folder notify, on a page of the back office."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core import scope
from docms.models import Folder, Group, MailRule, MailRuleRecipient
from docms.services import folders, permissions
from orgs.models import Membership
from tests.factories import manual_group
from tests.portal.pages import house_folder, queries_of, signed_in

if TYPE_CHECKING:
    from django.test import Client

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


def rule(cast: Cast, where: Folder, *recipients: str, of: str = "staff") -> None:
    with scope.unit_of_work(door="test"):
        permissions.set_mail_rule(
            actor=cast.actor("admin"), folder=where, user_id=getattr(cast, of).pk, custom=True,
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


def test_a_rule_that_says_nothing_is_gone(cast: Cast, where: Folder) -> None:
    client = signed_in(cast.admin)
    assert client.post(page(where, cast.staff), {}).status_code == 302
    assert not MailRule.objects.filter(folder=where).exists()
    rule(cast, where, "owner")
    assert client.post(page(where, cast.staff), {}).status_code == 302
    assert not MailRule.objects.filter(folder=where).exists()


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


def listed(client: Client, where: Folder) -> list[list[Any]]:
    """The lines about rules below the form of a folder: person, state, recipients."""
    found = client.get(f"/admin/docms/folder/{where.pk}/change/").context["sections"]
    (section,) = [s for s in found if s.title == "Wen das Hochladen einzelner Personen benachrichtigt"]
    return [[cell.link or str(cell.text) for cell in row] for row in section.rows]


def test_the_form_of_the_folder_lists_who_has_a_rule(cast: Cast, where: Folder) -> None:
    client = signed_in(cast.admin)
    assert listed(client, where) == []
    rule(cast, where, "owner", "renter")
    assert listed(client, where) == [[page(where, cast.staff), "in Kraft", f"{cast.owner}, {cast.renter}"]]
    MailRule.objects.filter(folder=where).update(custom=False)
    MailRuleRecipient.objects.filter(rule__folder=where).delete()
    assert listed(client, where)[0][1:] == ["nicht in Kraft", "niemand"]
    assert client.get(listed(client, where)[0][0]).status_code == 200


def test_of_many_recipients_the_form_of_the_folder_names_the_first(
    cast: Cast, where: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docms.admin.permissions.NAMES", 1)
    rule(cast, where, "owner", "renter", "neighbour")
    assert listed(signed_in(cast.admin), where)[0][2] == f"{cast.neighbour} und 2 weitere"


def test_staff_do_not_learn_whose_uploads_have_a_rule(cast: Cast, where: Folder) -> None:
    rule(cast, where, "owner")
    group = Group.objects.get(access__folder=where)
    with scope.unit_of_work(door="test"):
        circle = manual_group(cast, "Team", "staff")
        folders.set_groups(folder=where, group_ids=[group.pk, circle.pk])
    answer = signed_in(cast.staff).get(f"/admin/docms/folder/{where.pk}/change/")
    assert page(where, cast.staff) not in answer.content.decode()
    assert answer.status_code == 200


def test_the_form_of_the_folder_costs_the_same_for_one_rule_and_three(cast: Cast, where: Folder) -> None:
    client, form = signed_in(cast.admin), f"/admin/docms/folder/{where.pk}/change/"
    rule(cast, where, "owner")
    before = queries_of(client, form)
    for name in ("renter", "neighbour"):
        rule(cast, where, "owner", "renter", "neighbour", of=name)
    assert queries_of(client, form) == before
    assert len(listed(client, where)) == 3


def test_whose_account_is_of_another_company_is_not_known_here(cast: Cast, where: Folder) -> None:
    assert signed_in(cast.admin).get(page(where, cast.stranger)).status_code == 404


def test_the_form_costs_the_same_for_one_recipient_and_three(cast: Cast, where: Folder) -> None:
    client = signed_in(cast.admin)
    rule(cast, where, "owner")
    client.get(page(where, cast.staff))
    before = queries_of(client, page(where, cast.staff))
    rule(cast, where, "owner", "renter", "neighbour")
    assert queries_of(client, page(where, cast.staff)) == before
