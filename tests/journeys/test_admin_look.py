"""The back office as people see it: accessible in both themes, wide and narrow; papers dropped into a folder."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from core import scope
from core.models import Upload
from core.services import rows
from docms.models import Document
from docms.services import shares
from messaging.models import Message
from orgs.models import AccessToken, AvailabilitySample, Community, InstallationSettings, Organization
from orgs.services import (
    api_tokens,
    applications,
    contacts,
    holds,
    invites,
    oauth_clients,
    occupancies,
    owners,
    quick_actions,
    tree,
)
from tests.cast import PASSWORD, Cast, load
from tests.docms.test_admin_shares import gateway
from tests.docms.test_api_updates import RELEASE
from tests.factories import pdf
from tests.journeys.test_portal_look import twice
from tests.portal.pages import house_folder, paper
from tickets.models import InboundMail, Mailbox

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.django_db(transaction=True)
SCREENS = [("light", 1280), ("dark", 1280), ("light", 390)]  # theme and width


def sign_in(page: Page, name: str) -> None:
    page.goto("/app/login?next=/admin/")
    page.locator("input[type=email], input[name=username]").first.fill(f"{name}@quartier.test")
    page.locator("input[type=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/app/login" not in url)


def branches_of(cast: Cast) -> list[Organization]:
    """Two branches, one with a team, buttons, an invitation and two days of samples."""
    actor, top = cast.actor("admin"), Organization.objects.get(pk=cast.tenant.pk)
    north, south = (
        tree.create(actor=actor, parent=top, values={"name": f"Filiale {name}"}) for name in ("Nord", "Süd")
    )
    tree.create(actor=actor, parent=north, values={"name": "Team Wärmepumpen und Steigleitungen", "language": "fr"})
    quick_actions.replace(
        actor=actor, organization=north,
        actions=[{"name": name, "resource": "page", "color": "#1f5c4a"} for name in ("Notdienst", "Schlüssel")],
    )  # fmt: skip
    owners.invite(actor=actor, organization=north, email=cast.renter.email)
    AvailabilitySample.objects.bulk_create(
        AvailabilitySample(
            organization=north, sampled_at=timezone.now() - datetime.timedelta(hours=n), root_available=n % 5,
            root_in_event=n % 2, root_not_available=1, total_available=n % 7, total_in_event=n % 3, total_not_available=2,
        )
        for n in range(48)
    )  # fmt: skip
    return [north, south]


@pytest.fixture
def office(live_server: Any) -> tuple[Cast, list[str]]:
    """A house with a paper and an invitation, and the pages to look at."""
    cast: Cast = load()
    where = house_folder(cast, mail_after_upload_enable=True)
    document = paper(cast, where)
    with scope.unit_of_work(door="test"):
        nele = contacts.create_contact(
            tenant=cast.tenant, first_name="Nele", last_name="Neu", email="nele@quartier.test"
        )
        occupancy = occupancies.move_in(contact=nele, unit=cast.unit_a3, role="renter")
        invite = invites.invite_contact(contact=nele, invited_by=cast.admin, community=cast.house_a, unit=cast.unit_a3)
        mail = Message.objects.latest("id")
        hold = holds.place(
            actor=cast.actor("admin"), tenant_id=cast.tenant.pk, title="Rechtsstreit 7", reason="Klage der Mieterin",
            contact=cast.contact("renter"),
        )  # fmt: skip
        gateway(cast)
        given = shares.share(
            actor=cast.actor("admin"), document=document, name="Nina Notar", mobile_number="+491701234567"
        )
        actions = [
            {
                "name": "Rundschreiben",
                "color": "gold",
                "icon": "campaign",
                "resource": "folder",
                "resource_id": where.pk,
            },
            {"name": "Einladung", "color": "#1f5c4a", "resource": "document", "resource_id": document.pk},
            {"name": "Weg", "color": "#777", "resource": "document", "resource_id": 10**9},
        ]
        quick_actions.replace(actor=cast.actor("admin"), organization=cast.tenant, actions=actions)
        app = applications.create(tenant=cast.tenant, values={"name": "Archiv"}, user_ids=[cast.renter.pk])
        branches = branches_of(cast)
        api_tokens.issue_credentials(
            actor=cast.actor("admin"), tenant=cast.tenant, name="Hilfe", may_write=True, days=0
        )
        pair = AccessToken.objects.get(kind="basic")
        program = oauth_clients.create(
            tenant=cast.tenant,
            name="Helpdesk",
            is_public=False,
            addresses=["https://desk.example/back"],
            may_write=True,
        ).client
        mailbox = Mailbox.objects.create(
            tenant=cast.tenant, address="hilfe@haus.test", host="imap.haus.test", error="login"
        )
        arrived = InboundMail.objects.create(
            tenant=cast.tenant, message_id="<a@b>", sender="anna.sommer@irgendwo.test", subject="Re: Der Hahn tropft",
            outcome="refused", reason="other_sender",
        )  # fmt: skip
    house, paper_url = f"orgs/community/{cast.house_a.pk}", f"docms/document/{document.pk}"
    pages = [
        "", "orgs/community/", f"{house}/change/", f"{house}/invite/", f"{house}/history/", "orgs/contact/",
        f"orgs/contact/{nele.pk}/change/", f"orgs/occupancy/{occupancy.pk}/change/", f"orgs/occupancy/{occupancy.pk}/end/",
        f"orgs/occupancy/{occupancy.pk}/revoke/", "orgs/occupancy/add/", f"orgs/invite/{invite.pk}/change/",
        "orgs/membership/add/", f"orgs/membership/{cast.membership('staff').pk}/change/", "orgs/importrun/add/",
        f"orgs/organizationsettings/{cast.tenant.settings.pk}/change/", "docms/folder/", f"docms/folder/{where.pk}/change/",
        f"docms/folder/{where.pk}/texts/notification/", f"docms/folder/{where.pk}/move/", f"docms/folder/seen/?q=muster&user={cast.renter.pk}",
        "docms/document/", f"{paper_url}/change/", f"{paper_url}/people/", f"{paper_url}/person/?user={cast.renter.pk}",
        f"{paper_url}/share/", f"{paper_url}/notify/", f"{paper_url}/withdraw-share/?share={given.pk}",
        f"docms/document/upload/?folder={where.pk}", "docms/group/address/",
        f"docms/folderlabel/add/?folder={where.pk}&name=Vertrag&color=%23123456", "docms/labelsuggestion/", "messaging/message/",
        f"messaging/message/{mail.pk}/change/", f"test-mail/?tenant={cast.tenant.pk}", "core/auditentry/",
        "core/destructionrecord/due/", "orgs/hold/", "orgs/hold/add/", f"orgs/hold/{hold.pk}/change/",
        f"orgs/hold/{hold.pk}/release/", f"docms/document/hold/?ids={document.pk}",
        f"orgs/contact/{cast.contact('renter').pk}/change/",
        f"orgs/organization/{cast.tenant.pk}/change/", f"orgs/organization/{cast.tenant.pk}/token/",
        f"orgs/organization/{cast.tenant.pk}/credentials/", f"orgs/organization/{cast.tenant.pk}/revoke-credentials/?token={pair.pk}",
        f"orgs/organization/{cast.tenant.pk}/programs/", f"orgs/organization/{cast.tenant.pk}/change-program/?program={program.pk}",
        f"orgs/organization/{cast.tenant.pk}/program-secret/?program={program.pk}",
        "licence/", "orgs/application/", f"orgs/application/{app.pk}/change/", f"orgs/application/{app.pk}/key/",
        f"orgs/organization/?open={cast.tenant.pk}&open={branches[0].pk}", f"orgs/organization/?at={branches[0].pk}",
        "orgs/organization/?q=Filiale", f"orgs/organization/add/?parent={cast.tenant.pk}",
        f"orgs/organization/{branches[0].pk}/change/", f"orgs/organization/{branches[0].pk}/delete/",
        f"orgs/organization/{branches[0].pk}/move/", f"orgs/organization/{branches[0].pk}/move/?parent={branches[1].pk}",
        f"orgs/organization/{branches[0].pk}/move/?parent={branches[0].pk}",
        f"orgs/organization/{branches[0].pk}/invite-owner/",
        f"orgs/organization/{branches[0].pk}/remove-owner/?user={cast.admin.pk}",
        f"orgs/organization/{branches[0].pk}/quick-actions/",
        f"orgs/organization/{branches[0].pk}/availability/?part=total",
        f"test-message/?tenant={cast.tenant.pk}", "texts/", "texts/notification/?start=standard", "texts/share_sms/",
        "tickets/mailbox/", f"tickets/mailbox/{mailbox.pk}/change/", f"test-mailbox/?mailbox={mailbox.pk}",
        "tickets/inboundmail/", f"tickets/inboundmail/{arrived.pk}/change/",
    ]  # fmt: skip
    return cast, [f"/admin/{path}" for path in pages]


def look_at(
    urls: Iterable[str | Callable[[Page], None]],
    who: str,
    chromium: Browser,
    base_url: str,
    axe: Callable[..., None],
    theme: str,
    width: int,
) -> None:
    """Every page answers, is accessible, as wide as the screen at most, and complains of nothing.

    ``urls`` – addresses; a function for a page that one gets to by what one does.
    """
    context = chromium.new_context(
        base_url=base_url, locale="de-DE", color_scheme=theme, viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    sign_in(page, who)
    for url in urls:
        if callable(url):
            url(page)
        else:
            response = page.goto(url)
            assert response is not None
            assert response.status == 200, url
        if width >= 1280:  # narrow pages hold the same elements; there only the width is in question
            axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, url
    context.close()
    assert not complaints


@pytest.mark.parametrize(("theme", "width"), SCREENS)
def test_every_page_is_accessible(
    chromium: Browser,
    live_server: Any,
    office: tuple[Cast, list[str]],
    axe: Callable[..., None],
    theme: str,
    width: int,
) -> None:
    look_at(office[1], "admin", chromium, live_server.url, axe, theme, width)


@pytest.mark.parametrize(("theme", "width"), SCREENS)
def test_pages_of_the_operator_are_accessible(
    chromium: Browser, live_server: Any, axe: Callable[..., None], theme: str, width: int
) -> None:
    load()
    with scope.unit_of_work(door="test"):
        rows.create(InstallationSettings, pk=1, update_available=RELEASE, update_state="scheduled")
    paths = (
        "licence/", "updates/", "texts/", "texts/pw_reset/?language=fr", "orgs/installationsettings/1/change/",
        "core/systemlog/", "core/jobrun/", "orgs/signinlog/?person=renter",
    )  # fmt: skip
    look_at([f"/admin/{path}" for path in paths], "operator", chromium, live_server.url, axe, theme, width)


def test_one_says_whether_one_is_there_with_one_button(page: Page, office: tuple[Cast, list[str]]) -> None:
    sign_in(page, "admin")
    buttons = page.get_by_role("group", name="Ihre Verfügbarkeit")
    expect(buttons.get_by_role("button", name="Verfügbar", exact=True)).to_have_attribute("aria-pressed", "true")
    buttons.get_by_role("button", name="Im Einsatz").click()
    page.wait_for_url("**/admin/")
    expect(page.get_by_text("Sie sind im Einsatz.")).to_be_visible()
    expect(buttons.get_by_role("button", name="Im Einsatz")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Rundschreiben").click()
    page.wait_for_url("**/admin/docms/document/?folder__id__exact=*")


def test_papers_are_dropped_named_and_published(page: Page, office: tuple[Cast, list[str]], tmp_path: Path) -> None:
    cast, pages = office
    files = [tmp_path / "Hausordnung_2026.pdf", tmp_path / "Wirtschaftsplan.pdf"]
    for file in files:
        file.write_bytes(pdf(file.stem))
    sign_in(page, "admin")
    page.goto(next(url for url in pages if "upload" in url))
    expect(page.locator("#recipients")).to_contain_text("Renter Muster")
    page.locator("#files").set_input_files(files)
    expect(page.locator("input[name=upload]")).to_have_count(2)
    titles = page.locator("[data-title]")
    assert titles.evaluate_all("fields => fields.map(field => field.value)") == ["Hausordnung 2026", "Wirtschaftsplan"]
    titles.first.fill("Hausordnung, neu")
    page.locator("#publish").click()
    page.wait_for_url("**/admin/docms/document/?folder__id__exact=*")
    expect(page.locator("#result_list")).to_contain_text("Hausordnung, neu")
    with scope.unit_of_work(door="test"):
        seen = Document.objects.visible_to(cast.actor("renter")).values_list("title", flat=True)
        assert {"Hausordnung, neu", "Wirtschaftsplan"} <= set(seen)


def leave_unfinished(page: Page, field: str, chosen: Path) -> None:
    """Choose a file, and load the page again while its bytes are still on their way."""
    chosen.write_bytes(os.urandom(2_000_000))
    page.route("**/uploads/*", lambda route: None if route.request.method == "PATCH" else route.continue_())
    with page.expect_request(lambda request: request.method == "PATCH"):
        page.locator(field).set_input_files(chosen)
    page.unroute("**/uploads/*")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()


def test_after_a_reload_it_says_which_papers_are_not_finished(
    page: Page, office: tuple[Cast, list[str]], tmp_path: Path
) -> None:
    chosen = tmp_path / "Grundriss.bin"
    sign_in(page, "admin")
    page.goto(next(url for url in office[1] if "upload" in url))
    leave_unfinished(page, "#files", chosen)
    expect(page.locator("[data-upload-status]")).to_contain_text("Nicht fertig: Grundriss.bin. Wählen Sie dieselben")
    page.locator("#files").set_input_files(chosen)
    expect(page.locator("input[name=upload]")).to_have_count(1)
    assert Upload.objects.count() == 1
    page.locator("#publish").click()
    page.wait_for_url("**/admin/docms/document/?folder__id__exact=*")
    expect(page.locator("#result_list")).to_contain_text("2,0\u00a0MB")


def test_a_long_choice_does_not_widen_the_page_of_a_phone(page: Page, live_server: Any) -> None:
    cast = load()
    document = paper(cast, house_folder(cast, "Wohnpark Niehl, Einheiten, Wohnung 12, 1. Obergeschoss rechts"))
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, "admin")
    page.goto(f"/admin/docms/document/{document.pk}/change/")
    expect(page.locator(".field-folder .select2-container")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_names_without_a_space_do_not_widen_the_page_of_a_phone(page: Page, live_server: Any) -> None:
    cast = load()
    scan = "Scan_2026-11-26_Rechnungseingang_Hausverwaltung_Wohnpark_Niehl_Mercatorstrasse_12_Seite_001_von_004"
    where = house_folder(cast, scan[:100])
    document = paper(cast, house_folder(cast, f"Darunter_{scan}"[:100], parent=where), scan, filename=f"{scan}.pdf")
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, "admin")
    for url in (
        "folder/", f"folder/?open={where.pk}", f"folder/{where.pk}/change/", f"folder/{where.pk}/move/", "document/",
        f"document/{document.pk}/change/", f"document/{document.pk}/people/", f"document/upload/?folder={where.pk}",
    ):  # fmt: skip
        page.goto(f"/admin/docms/{url}")
        assert page.get_by_text("_Rechnungseingang_").first.count(), url
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, url
        assert (
            page.locator("#result_list :is(th, td)").evaluate_all(
                "cells => cells.filter(c => c.scrollHeight > c.clientHeight + 1 || c.scrollWidth > c.clientWidth + 1).length"
            )
            == 0
        ), url


def test_another_time_zone_is_a_note_and_no_warning_sign(
    chromium: Browser, live_server: Any, office: tuple[Cast, list[str]]
) -> None:
    context = chromium.new_context(base_url=live_server.url, locale="de-DE", timezone_id="America/New_York")
    page = context.new_page()
    sign_in(page, "admin")
    for url in (url for url in office[1] if "/docms/document/" in url and ("upload" in url or "change" in url)):
        page.goto(url)
        expect(page.locator(".vTimeField ~ .timezonewarning").first).to_be_visible()
        expect(page.locator(".vDateField ~ .timezonewarning").first).to_be_hidden()
        look = page.locator(".vTimeField ~ .timezonewarning").first.evaluate(
            "e => [getComputedStyle(e, '::before').content, parseFloat(getComputedStyle(e).fontSize) > 12]"
        )
        assert look == ["none", True], url
    context.close()


def test_a_double_click_adds_one_community(page: Page, office: tuple[Cast, list[str]]) -> None:
    sign_in(page, "admin")
    page.goto("/admin/orgs/community/add/")
    posts = twice(page, "button[name=_save]", {"#id_name": "Lindenhof"})
    page.wait_for_url("**/admin/orgs/community/")
    assert len(posts) == 1
    assert Community.objects.filter(name="Lindenhof").count() == 1
