"""Lists in forms of the back office that two people change at the same time: both get what they did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from core import scope
from core.services import rows
from docms.models import FolderMailUser, Group, MailRuleRecipient
from docms.services import folders, groups, permissions
from orgs.models import Application, ApplicationUser, Community, CommunityAssignment, Membership
from orgs.services import applications, members
from tests.factories import folder, manual_group
from tests.fuzz.forms import as_it_stands
from tests.portal.pages import signed_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.cast import Cast


@dataclass
class Case:
    """A field of a form, the rows one can choose there, how others store them, and what is stored."""

    url: str
    field: str
    rows: list[Any]
    store: Callable[[Iterable[Any]], Any]
    stored: Callable[[], set[int]]


def people(cast: Cast) -> list[Membership]:
    return [cast.membership(name) for name in ("owner", "renter", "neighbour", "guest")]


def users(chosen: Iterable[Membership]) -> list[int]:
    return [member.user_id for member in chosen]


def of_group(cast: Cast, field: str) -> Case:
    group = manual_group(cast, "Beirat", "owner", "renter", "neighbour", "guest")
    listed = group.members if field == "people" else group.members.filter(is_admin=True)
    word = {"people": "user_ids"}.get(field, field)
    return Case(
        f"/admin/docms/group/{group.pk}/change/", field, people(cast),
        lambda chosen: groups.change_group(actor=cast.actor("admin"), group=group, **{word: users(chosen)}),
        lambda: set(listed.all().values_list("membership_id", flat=True)),
    )  # fmt: skip


def folders_of_group(cast: Cast) -> Case:
    group = manual_group(cast, "Beirat")
    return Case(
        f"/admin/docms/group/{group.pk}/change/", "folders", [folder(cast, name) for name in "ABCD"],
        lambda chosen: groups.set_folders(group=group, folder_ids=[f.pk for f in chosen]),
        lambda: set(group.access.values_list("folder_id", flat=True)),
    )  # fmt: skip


def groups_of_folder(cast: Cast) -> Case:
    where = folder(cast, "Ordner")
    return Case(
        f"/admin/docms/folder/{where.pk}/change/", "groups", [manual_group(cast, name) for name in "ABCD"],
        lambda chosen: folders.set_groups(folder=where, group_ids=[g.pk for g in chosen]),
        lambda: set(Group.objects.filter(access__folder=where).values_list("pk", flat=True)),
    )  # fmt: skip


def people_of_folder(cast: Cast) -> Case:
    where = folder(cast, "Ordner")
    return Case(
        f"/admin/docms/folder/{where.pk}/change/", "mail_users", people(cast),
        lambda chosen: folders.change_folder(
            actor=cast.actor("admin"), folder=where, changes={folders.MAIL_USERS: users(chosen)}
        ),
        lambda: set(FolderMailUser.objects.filter(folder=where).values_list("membership_id", flat=True)),
    )  # fmt: skip


def recipients(cast: Cast) -> Case:
    where = folder(cast, "Ordner")
    told = MailRuleRecipient.objects.filter(rule__folder=where)
    return Case(
        f"/admin/docms/folder/{where.pk}/uploads/{cast.staff.pk}/", "recipients", people(cast),
        lambda chosen: permissions.set_mail_rule(
            actor=cast.actor("admin"), folder=where, user_id=cast.staff.pk, custom=True, recipient_ids=users(chosen)
        ),
        lambda: set(told.all().values_list("membership_id", flat=True)),
    )  # fmt: skip


def house(cast: Cast, name: str) -> Community:
    values = {"identifier": name, "name": f"Haus {name}", "sort_key": f"haus {name.lower()}"}
    return rows.create(Community, tenant=cast.tenant, organization=cast.tenant, **values)


def communities(cast: Cast) -> Case:
    member = cast.membership("staff")
    return Case(
        f"/admin/orgs/membership/{member.pk}/change/", "communities",
        [house(cast, name) for name in "WXYZ"],
        lambda chosen: members.assign(membership=member, communities=[c.pk for c in chosen]),
        lambda: set(CommunityAssignment.objects.filter(membership=member).values_list("community_id", flat=True)),
    )  # fmt: skip


def application(cast: Cast) -> Case:
    app = applications.create(tenant=cast.tenant, values={"name": "Abgleich"}, user_ids=[])
    listed = ApplicationUser.objects.filter(application=app)
    return Case(
        f"/admin/orgs/application/{app.pk}/change/", "people", people(cast),
        lambda chosen: applications.change(
            application=Application.objects.get(pk=app.pk), values={}, user_ids=users(chosen)
        ),
        lambda: set(
            Membership.objects.filter(organization=cast.tenant, user__in=listed.values("user_id")).values_list("pk", flat=True)
        ),
    )  # fmt: skip


MADE: dict[str, Callable[[Cast], Case]] = {
    "people of a group": lambda cast: of_group(cast, "people"),
    "administrators of a group": lambda cast: of_group(cast, "groupadmin_ids"),
    "folders of a group": folders_of_group,
    "groups of a folder": groups_of_folder,
    "chosen people of a folder": people_of_folder,
    "recipients of a rule": recipients,
    "communities of a member": communities,
    "people of an application": application,
}


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_what_somebody_else_did_to_a_list_meanwhile_stays(cast: Cast, made: Callable[[Cast], Case]) -> None:
    client = signed_in(cast.admin)
    with scope.unit_of_work(door="test"):
        case = made(cast)
        stays, goes, mine, others = case.rows
        case.store([stays, goes])
    sent: dict[str, Any] = as_it_stands(client.get(case.url).content.decode())
    with scope.unit_of_work(door="test"):
        case.store([stays, others])
    answer = client.post(case.url, {**sent, case.field: [stays.pk, goes.pk, mine.pk]})
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    assert case.stored() == {stays.pk, mine.pk, others.pk}


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_what_was_taken_out_of_a_list_is_out(cast: Cast, made: Callable[[Cast], Case]) -> None:
    client = signed_in(cast.admin)
    with scope.unit_of_work(door="test"):
        case = made(cast)
        case.store(case.rows)
    stays = case.rows[0]
    sent = as_it_stands(client.get(case.url).content.decode())
    assert client.post(case.url, {**sent, case.field: [stays.pk]}).status_code == 302
    assert case.stored() == {stays.pk}
    sent = as_it_stands(client.get(case.url).content.decode())
    del sent[case.field]
    assert client.post(case.url, sent).status_code == 302
    assert case.stored() == set()
