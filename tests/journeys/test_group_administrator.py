"""Group administrators, from the switch in the settings to what they can and cannot do.

One works in the office and uses the back office, as far as folders and switches let him; one is a resident, to whom the back
office is closed: she keeps her circle through the documents API, with whose programs she works.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from core import scope
from docms.models import Document, Folder, GroupMember
from docms.services import groups
from messaging.models import Message
from orgs.models import Membership, OrganizationSettings, User
from tests.cast import Cast, load
from tests.docms.door import login
from tests.docms.door import signed_in as calling
from tests.factories import folder, manual_group
from tests.journeys.test_admin_look import sign_in
from tests.journeys.test_portal_look import sign_in as portal_sign_in
from tests.journeys.test_sharing import tab_to
from tests.portal.pages import paper

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "Noch-ein-guter-Satz-2"


@pytest.fixture
def circle(live_server: Any, settings: Any) -> tuple[Cast, int, Document, Document]:
    """A circle that a clerk and an owner administer, a paper in its folder, and one in a folder of other people."""
    settings.PUBLIC_URL = live_server.url
    cast = load()
    with scope.unit_of_work(door="test"):
        board = groups.create_group(
            actor=cast.actor("admin"), tenant=cast.tenant, name="Beirat",
            user_ids=[cast.owner.pk, cast.staff.pk, cast.renter.pk], groupadmin_ids=[cast.owner.pk, cast.staff.pk],
        )  # fmt: skip
        mine = folder(cast, "Beiratspost", board)
        others = folder(cast, "Büro", manual_group(cast, "Büro", "staff"))
        folder(cast, "Geheim", manual_group(cast, "Chefs", "admin"))
    return cast, board.pk, paper(cast, mine, "Protokoll"), paper(cast, others, "Dienstplan")


def switch(page: Page, *names: str) -> None:
    """What the tenant administrator ticks, in the settings."""
    sign_in(page, "admin")
    page.get_by_role("link", name="Einstellungen des Mandanten").first.click()
    page.get_by_role("button", name="Gruppenbetreuung").click()
    expect(page.locator(f"#id_{names[0]}")).to_be_visible()  # the tab is open
    for name in names:
        page.locator(f"#id_{name}").check(force=True)
    page.get_by_role("button", name="Sichern", exact=True).click()
    expect(page.get_by_text("erfolgreich geändert")).to_be_visible()
    page.context.clear_cookies()


def is_there(document: Document) -> bool:
    with scope.unit_of_work(door="test"), scope.all_tenants():
        return Document.objects.filter(pk=document.pk).exists()


@pytest.mark.rule("DOCMS-083")
def test_a_clerk_reaches_his_circle_in_the_back_office_and_nothing_else(
    page: Page, console: list[str], circle: tuple[Cast, int, Document, Document]
) -> None:
    cast, board, mine, other = circle
    sign_in(page, "staff")
    page.goto("/admin/docms/folder/")
    expect(page.locator("[data-tree] [data-name]")).to_have_text(["Beiratspost", "Büro"])
    for name in ("Gruppen", "Mitglieder", "Texte", "Einstellungen des Mandanten", "Lizenz", "Anwendungen"):
        expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0)
    pages = (
        "docms/group/", f"docms/group/{board}/change/", "orgs/membership/", "texts/", "licence/", "orgs/application/",
        f"orgs/organizationsettings/{cast.tenant.settings.pk}/change/", "docms/folder/seen/", "docms/folder/add/",
    )  # fmt: skip
    for address in pages:
        answer = page.goto(f"/admin/{address}")
        assert answer is not None
        assert answer.status in (403, 404), address
    assert all("403" in line or "404" in line for line in console)
    console.clear()
    for document in (mine, other):
        page.goto(f"/admin/docms/document/{document.pk}/change/")
        expect(page.get_by_role("link", name="Löschen", exact=True)).to_have_count(0)
    page.context.clear_cookies()

    # With the switch, papers of the circle's folder can go; those of other folders cannot.
    switch(page, "groupadmin_active", "groupadmin_delete_files")
    sign_in(page, "staff")
    page.goto(f"/admin/docms/document/{other.pk}/change/")
    expect(page.get_by_role("link", name="Löschen", exact=True)).to_have_count(0)
    page.goto(f"/admin/docms/document/{mine.pk}/change/")
    page.get_by_role("link", name="Löschen", exact=True).click()
    page.locator("#content form [type=submit]").click()
    page.wait_for_url("**/admin/docms/document/")
    assert not is_there(mine)
    assert is_there(other)


@pytest.mark.rule("DOCMS-068", "DOCMS-069", "DOCMS-081")
def test_a_resident_keeps_her_circle_through_the_api(
    page: Page, console: list[str], circle: tuple[Cast, int, Document, Document]
) -> None:
    cast, board, mine, other = circle
    sign_in(page, "owner")
    assert page.goto("/admin/").status == 403  # type: ignore[union-attr]
    console.clear()
    page.context.clear_cookies()
    with scope.unit_of_work(door="test"), scope.all_tenants():
        chief = calling(cast.owner, cast.tenant)
    new = {"username": "neu", "email": "neu@quartier.test", "name": "Neu, Nina", "group_ids": [board],
           "read_perm": True, "download_perm": True}  # fmt: skip
    chief.refused("POST", "/groupadmin/users", 403, new)

    # The administrator lets group administrators make accounts that may read.
    switch(page, "groupadmin_active", "groupadmin_user_create", "groupadmin_perm_read")
    chief.ok("POST", "/groupadmin/users", new)
    chief.refused("PUT", f"/groupadmin/users/{cast.renter.pk}", 403, {"description": "x"})  # another switch
    chief.refused("POST", f"/groupadmin/users/{cast.renter.pk}/reset-password", 403)
    switch(page, "groupadmin_user_edit")
    chief.ok("PUT", f"/groupadmin/users/{cast.renter.pk}", {"description": "Beirat"})
    chief.refused("PUT", f"/groupadmin/users/{cast.neighbour.pk}", 404, {"description": "x"})  # in no circle of hers
    chief.refused("PUT", f"/groupadmin/groups/{_group_of(cast, 'Geheim')}", 404, {"user_ids": []})

    # The new person chooses a password and finds the paper of the circle: to read, not to take away.
    with scope.unit_of_work(door="test"), scope.all_tenants():
        mail = Message.objects.get(kind="password_init", to_emails__contains=["neu@quartier.test"])
        member = Membership.objects.get(user__email="neu@quartier.test", organization=cast.tenant)
    assert (member.read_perm, member.download_perm, member.admin_perm) == (True, False, False)
    link = re.search(r"/app/password/\S+", mail.body_text)
    assert link is not None
    page.goto(link[0])
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.wait_for_url(lambda url: "/app/password" not in url)
    caller = login("neu", PASSWORD)
    caller.ok("GET", f"/select-tenant/{cast.tenant.pk}")
    assert [row["name"] for row in caller.ok("GET", "/folders")] == ["Beiratspost"]
    caller.ok("GET", f"/files/{mine.pk}/read")
    caller.refused("GET", f"/files/{mine.pk}/download", 403)
    caller.refused("GET", f"/files/{other.pk}/read", 404)


def by_keyboard(page: Page, role: Any, name: str) -> None:
    """Go to something that is pressed, and press it."""
    found = page.locator("main").get_by_role(role, name=name, exact=True)
    found.focus()
    expect(found).to_be_focused()
    page.keyboard.press("Enter")


def typed(page: Page, **values: str) -> None:
    for name, value in values.items():
        page.locator(f"#id_{name}").focus()
        page.keyboard.press("Control+A")
        page.keyboard.type(value)


@pytest.mark.rule("DOCMS-067", "DOCMS-069", "DOCMS-070")
def test_a_resident_keeps_her_circle_in_the_portal_by_keyboard(
    page: Page, console: list[str], circle: tuple[Cast, int, Document, Document]
) -> None:
    cast, board, _mine, _other = circle
    portal_sign_in(page, "owner@quartier.test")
    page.goto("/app/profile")
    expect(page.get_by_text("Meine Gruppen")).to_have_count(0)
    assert page.goto(f"/app/groups/{board}").status == 403  # type: ignore[union-attr]
    console.clear()
    page.context.clear_cookies()

    # The administrator lets group administrators see their circles and make accounts that may read.
    switch(page, "groupadmin_active", "groupadmin_user_create", "groupadmin_perm_read")
    portal_sign_in(page, "owner@quartier.test")
    page.goto("/app/profile")
    by_keyboard(page, "link", "Verwalten : Meine Gruppen")
    page.wait_for_url("**/app/groups")
    by_keyboard(page, "link", "Beirat")
    expect(page.get_by_role("heading", name="3 Personen")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Herausnehmen"))).to_have_count(0)  # another switch
    by_keyboard(page, "link", "Neue Person aufnehmen")
    expect(page.locator("#id_download_perm")).to_have_count(0)
    typed(page, name="Neu, Nina", email="neu@", username="neu")
    page.locator("#id_read_perm").focus()
    page.keyboard.press("Space")
    page.locator("#id_username").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#id_email_error")).to_be_visible()
    expect(page.locator("#id_name")).to_have_value("Neu, Nina")
    console.clear()  # the 422
    typed(page, email="neu@quartier.test")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="4 Personen")).to_be_visible()
    with scope.unit_of_work(door="test"), scope.all_tenants():
        member = Membership.objects.get(user__email="neu@quartier.test", organization=cast.tenant)
    assert (member.read_perm, member.download_perm) == (True, False)
    page.context.clear_cookies()

    # With one more switch she takes somebody out, after she was asked, and writes a remark.
    switch(page, "groupadmin_user_edit")
    portal_sign_in(page, "owner@quartier.test")
    page.goto(f"/app/groups/{board}")
    by_keyboard(page, "link", str(cast.renter))
    typed(page, description="Kassenprüfung")
    by_keyboard(page, "button", "Änderungen sichern")
    page.wait_for_url(f"**/app/groups/{board}")
    by_keyboard(page, "link", f"Herausnehmen : {cast.renter}")
    by_keyboard(page, "link", "Abbrechen")
    expect(page.get_by_role("heading", name="4 Personen")).to_be_visible()
    by_keyboard(page, "link", f"Herausnehmen : {cast.renter}")
    by_keyboard(page, "button", "Herausnehmen")
    expect(page.get_by_role("heading", name="3 Personen")).to_be_visible()
    with scope.unit_of_work(door="test"), scope.all_tenants():
        assert cast.membership("renter").description == "Kassenprüfung"
        people = set(GroupMember.objects.filter(group=board).values_list("membership__user__email", flat=True))
    assert people == {"owner@quartier.test", "staff@quartier.test", "neu@quartier.test"}


def test_somebody_is_looked_for_and_put_in_by_keyboard_without_scripts(
    chromium: Browser, live_server: Any, circle: tuple[Cast, int, Document, Document]
) -> None:
    cast, board, _mine, _other = circle
    with scope.unit_of_work(door="test"):
        OrganizationSettings.objects.filter(organization=cast.tenant).update(
            groupadmin_active=True, groupadmin_user_edit=True
        )
        many = [User(username=f"p{n}", email=f"p{n}@elsewhere.test", last_name=f"Żak {n:02}") for n in range(60)]
        User.objects.bulk_create(many)
        places = [Membership(user=user, organization=cast.tenant, tenant=cast.tenant, role="guest") for user in many]
        Membership.objects.bulk_create(places)
        groups.create_group(
            actor=cast.actor("admin"), tenant=cast.tenant, name="Garten",
            user_ids=[cast.owner.pk, *(user.pk for user in many)], groupadmin_ids=[cast.owner.pk],
        )  # fmt: skip
    context = chromium.new_context(base_url=live_server.url, locale="de-DE", java_script_enabled=False)
    page = context.new_page()
    portal_sign_in(page, "owner@quartier.test")
    page.goto(f"/app/groups/{board}")
    expect(page.get_by_text("Nur die ersten 50 Personen")).to_be_visible()
    tab_to(page, "#people-search")
    page.keyboard.type("zak 59")
    page.keyboard.press("Enter")
    page.wait_for_url("**?q=zak*59#add")
    expect(page.get_by_role("button", name="Hinzufügen")).to_have_count(1)
    tab_to(page, "button[name=user_id]")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Żak 59 gehört jetzt zur Gruppe.")).to_be_visible()
    expect(page.get_by_role("heading", name="4 Personen")).to_be_visible()
    context.close()


def _group_of(cast: Cast, name: str) -> int:
    """The one group that reaches a folder."""
    with scope.unit_of_work(door="test"), scope.all_tenants():
        return int(Folder.objects.get(tenant=cast.tenant, name=name).access.get().group_id)
