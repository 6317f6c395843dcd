"""In which language pages and mails come (PORTAL-095)."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils.translation import gettext, override

from core import scope
from messaging.models import Message
from orgs.models import Invite, Organization, OrganizationSettings, User
from orgs.services import invites, passwords
from orgs.services.contacts import create_contact
from tests.cast import Cast
from tests.portal.pages import queries_of, signed_in

LOGIN = "/app/login"


@pytest.fixture(autouse=True)
def _company_speaks_polish(cast: Cast) -> None:
    """Brandt & Keller speak Polish, the installation German."""
    Organization.objects.filter(pk=cast.tenant.pk).update(language="pl-PL")
    cast.tenant.refresh_from_db()
    OrganizationSettings.objects.filter(organization=cast.tenant).update(imprint="Köln", privacy_text="Wenig.")


@pytest.fixture
def invite(cast: Cast) -> Invite:
    """Somebody is invited whose language is not known."""
    with scope.unit_of_work(door="test"):
        nele = create_contact(tenant=cast.tenant, first_name="Nele", last_name="Neu", email="nele@quartier.test")
        return invites.invite_contact(contact=nele, invited_by=cast.admin, community=cast.house_a, unit=cast.unit_a3)


@pytest.fixture
def pages(cast: Cast, invite: Invite) -> dict[str, str]:
    """Pages of the company that visitors open."""
    about = f"/app/about/{cast.tenant.pk}"
    return {
        "invitation": f"/app/invite/{invite.code}",
        "imprint": f"{about}/imprint",
        "privacy": f"{about}/privacy",
    }


def spoken(response: Any) -> str:
    """The language of a page: its header, its mark-up and its words agree."""
    language, text = str(response["Content-Language"]), response.content.decode()
    assert f'<html lang="{language}"' in text
    with override(language):
        assert f'aria-label="{gettext("Language")}"' in text
    return language


@pytest.mark.rule("PORTAL-095")
def test_a_persons_language_beats_the_browsers(cast: Cast) -> None:
    User.objects.filter(pk=cast.renter.pk).update(language="fr")
    client = signed_in(cast.renter)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    response = client.get(f"/app/about/{cast.tenant.pk}/imprint", headers={"accept-language": "en"})
    assert spoken(response) == "fr"


@pytest.mark.rule("PORTAL-095")
@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("fr", "fr"),
        ("fr-CH, en;q=0.9", "fr"),
        ("es, en;q=0.5", "en"),
        ("es", "pl"),
        ("en;q=0", "pl"),
        ("*", "pl"),
        ("", "pl"),
    ],
)
@pytest.mark.parametrize("page", ["invitation", "imprint", "privacy"])
def test_a_visitors_page_speaks_as_the_browser_asks_else_as_the_company(
    pages: dict[str, str], page: str, accepted: str, language: str
) -> None:
    assert spoken(Client().get(pages[page], headers={"accept-language": accepted})) == language


@pytest.mark.rule("PORTAL-095")
@pytest.mark.parametrize("change", ["accepted_at", "withdrawn_at", "expires_on"])
def test_the_refusal_of_a_dead_code_speaks_as_the_company(invite: Invite, change: str) -> None:
    long_ago = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    Invite.objects.filter(pk=invite.pk).update(**{change: long_ago})
    response = Client().get(f"/app/invite/{invite.code}")
    assert response.status_code == 410 and spoken(response) == "pl"


@pytest.mark.rule("PORTAL-095")
def test_errors_of_a_form_and_the_new_account_speak_as_the_company(pages: dict[str, str]) -> None:
    client, data = Client(), {"email": "nele@quartier.test"}
    response = client.post(pages["invitation"], {**data, "password": "kurz"})
    assert response.status_code == 422 and spoken(response) == "pl"
    with override("pl"):
        assert list(response.context["form"].errors["password"]) == passwords.problems("kurz")
    assert client.post(pages["invitation"], {**data, "password": "Noch-ein-Satz-3"}).status_code == 302
    assert User.objects.get(email="nele@quartier.test").language == "pl"


@pytest.mark.rule("PORTAL-095")
def test_a_mail_to_somebody_without_language_speaks_as_the_company(invite: Invite) -> None:
    message = Message.objects.get()
    assert (message.language, message.subject) == ("pl", "Zaproszenie do portalu Brandt & Keller")


def test_a_page_of_no_company_speaks_as_the_installation(db: None) -> None:
    assert spoken(Client().get(LOGIN, headers={"accept-language": "es"})) == "de"


def test_visitors_choose_a_language(db: None, client: Client) -> None:
    client.post("/app/language", {"language": "en", "next": LOGIN})
    assert spoken(client.get(LOGIN, headers={"accept-language": "fr"})) == "en"
    client.post("/app/language", {"language": "xx"})
    assert spoken(client.get(LOGIN)) == "en"


@pytest.mark.parametrize("page", ["invitation", "imprint", "privacy"])
def test_a_copy_of_a_page_is_kept_for_those_who_read_its_language(pages: dict[str, str], page: str) -> None:
    assert {"Accept-Language", "Cookie"} <= set(Client().get(pages[page])["Vary"].split(", "))


def test_a_stylesheet_is_the_same_in_every_language(cast: Cast) -> None:
    OrganizationSettings.objects.filter(organization=cast.tenant).update(accent_color="#aa3300")
    response = Client().get(f"/app/brand/{cast.tenant.pk}.css")
    assert response.status_code == 200 and "Accept-Language" not in response.get("Vary", "")


@pytest.mark.parametrize("page", ["invitation", "imprint"])
def test_the_companys_language_costs_no_query(pages: dict[str, str], page: str) -> None:
    assert queries_of(Client(), pages[page]) == queries_of(Client(HTTP_ACCEPT_LANGUAGE="fr"), pages[page])
