"""Programs that ask people for access by OAuth, kept by a company's administrators in the back office."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.hashers import check_password
from django.core.management import CommandError, call_command
from django.urls import reverse

from core.errors import Conflict, Denied, Invalid, NotFound
from core.models import AuditEntry
from orgs.models import OAuthClient, Organization
from orgs.services import oauth_clients
from tests.portal.pages import signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cast import Cast

BACK = "https://desk.example/back"
VALUES = {
    "name": "Helpdesk",
    "is_public": "server",
    "addresses": f"{BACK}\ncom.example.app:/back",
    "may_write": "write",
}


def address(cast: Cast, page: str, client: OAuthClient | None = None, tenant: Organization | None = None) -> str:
    query = f"?program={client.pk}" if client else ""
    return f"/admin/orgs/organization/{(tenant or cast.tenant).pk}/{page}/{query}"


def register(cast: Cast, who: str = "admin", **values: Any) -> oauth_clients.Registered:
    given: dict[str, Any] = {
        "tenant": cast.tenant, "name": "Helpdesk", "is_public": False, "addresses": [BACK], "may_write": True,
    }  # fmt: skip
    return oauth_clients.register(actor=cast.actor(who), **{**given, **values})


def page_of(cast: Cast, who: str = "admin") -> str:
    """The company's page in the back office."""
    page = signed_in(getattr(cast, who)).get(reverse("admin:orgs_organization_change", args=[cast.tenant.pk]))
    return str(page.content.decode())


def test_an_administrator_registers_a_program_whose_secret_is_shown_once(cast: Cast) -> None:
    answer = signed_in(cast.admin).post(address(cast, "programs"), VALUES)
    client_id, secret = re.findall(r"<code[^>]*>([^<]+)</code>", answer.content.decode())[:2]
    row = OAuthClient.objects.get()
    assert (row.client_id, row.organization, row.client_type) == (client_id, cast.tenant, "confidential")
    assert row.addresses == [BACK, "com.example.app:/back"]
    assert row.scopes == ["support.readonly", "support"]
    assert check_password(secret, row.client_secret)
    assert "no-store" in answer["Cache-Control"]
    page = page_of(cast)
    assert client_id in page
    assert secret not in page
    assert secret not in str(list(AuditEntry.objects.values_list("changes", flat=True)))


def test_a_program_on_peoples_devices_has_no_secret(cast: Cast) -> None:
    answer = signed_in(cast.admin).post(address(cast, "programs"), {**VALUES, "is_public": "device"})
    assert 'id="key"' not in answer.content.decode()
    row = OAuthClient.objects.get()
    assert row.client_type == "public"
    assert "program-secret/" not in page_of(cast)
    assert signed_in(cast.admin).post(address(cast, "program-secret", row)).status_code == 200
    with pytest.raises(Conflict):
        oauth_clients.renew_secret(actor=cast.actor("admin"), tenant=cast.tenant, client_id=row.pk)


def test_what_it_is_called_and_may_is_changed(cast: Cast) -> None:
    made = register(cast)
    client = signed_in(cast.admin)
    shown = client.get(address(cast, "change-program", made.client)).content.decode()
    assert BACK in shown
    values = {"name": "Anderes", "addresses": "https://neu.example/back", "may_write": "read"}
    assert client.post(address(cast, "change-program", made.client), values).status_code == 302
    row = OAuthClient.objects.get()
    assert (row.name, row.addresses, row.scopes) == ("Anderes", ["https://neu.example/back"], ["support.readonly"])
    assert check_password(made.secret, row.client_secret)
    assert row.client_id == made.client.client_id


def test_a_new_secret_ends_the_old_one(cast: Cast) -> None:
    made = register(cast)
    client = signed_in(cast.admin)
    assert client.get(address(cast, "program-secret", made.client)).status_code == 200
    assert check_password(made.secret, OAuthClient.objects.get().client_secret)
    shown = client.post(address(cast, "program-secret", made.client)).content.decode()
    secret = re.findall(r'<code id="key">([^<]+)</code>', shown)[0]
    assert check_password(secret, OAuthClient.objects.get().client_secret)
    assert not check_password(made.secret, OAuthClient.objects.get().client_secret)


def test_it_is_removed_after_a_question(cast: Cast) -> None:
    made = register(cast)
    client = signed_in(cast.admin)
    assert "Helpdesk" in client.get(address(cast, "remove-program", made.client)).content.decode()
    assert OAuthClient.objects.exists()
    client.post(address(cast, "remove-program", made.client))
    assert not OAuthClient.objects.exists()


@pytest.mark.parametrize("who", ["staff", "renter", "stranger"])
def test_nobody_else_sees_or_keeps_any(cast: Cast, who: str) -> None:
    made = register(cast)
    of = {"actor": cast.actor(who), "tenant": cast.tenant}
    one: dict[str, Any] = {**of, "client_id": made.client.pk}
    attempts: list[Callable[[], object]] = [
        lambda: register(cast, who),
        lambda: oauth_clients.of_company(**of),
        lambda: oauth_clients.change(**one, name="x", addresses=[BACK], may_write=True),
        lambda: oauth_clients.renew_secret(**one),
        lambda: oauth_clients.remove(**one),
    ]
    for attempt in attempts:
        with pytest.raises(Denied):
            attempt()
    assert OAuthClient.objects.get() == made.client
    if who == "staff":
        assert made.client.client_id in page_of(cast)
        assert made.client.client_id not in page_of(cast, "staff")


def test_a_program_of_another_company_or_of_all_is_none_here(cast: Cast) -> None:
    theirs = register(cast, "stranger", tenant=cast.other_tenant)
    everywhere = oauth_clients.create(tenant=None, name="Alle", is_public=True, addresses=[BACK], may_write=False)
    for made in (theirs, everywhere):
        with pytest.raises(NotFound):
            oauth_clients.remove(actor=cast.actor("admin"), tenant=cast.tenant, client_id=made.client.pk)
    assert OAuthClient.objects.count() == 2


def test_a_branch_has_none(cast: Cast) -> None:
    branch = Organization.objects.create(
        name="Zweig", parent=cast.tenant, ancestors=[cast.tenant.pk], tenant=cast.tenant, created_by=cast.admin
    )
    client = signed_in(cast.admin)
    assert client.get(address(cast, "programs", tenant=branch)).status_code == 404
    page = client.get(reverse("admin:orgs_organization_change", args=[branch.pk])).content.decode()
    assert "programs/" not in page


def test_there_are_only_so_many(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oauth_clients, "MOST", 2)
    for _number in range(2):
        register(cast)
    with pytest.raises(Conflict):
        register(cast)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "Hallo\x00", "Hilfe\u202e"])
def test_a_name_is_needed(cast: Cast, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        register(cast, name=name)
    assert set(refused.value.fields) == {"name"}
    assert not OAuthClient.objects.exists()


WRONG = [
    "http://desk.example/back", "javascript:alert(1)", "data:text/html,x", "https://", "https:/x", "//desk.example/back",
    "https://user:pw@desk.example/back", "https://desk.example/back#x", "https://*.example/back", "https://desk.example:99999/",
    "app:/back", "com.example.app://back", "https://desk.example/\x00", "https://desk.example/" + "x" * 500, "https://dësk.example/",
    "file:///etc/passwd", "https://desk.example/<script>", "ht\ntp://127.0.0.1/",
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_answers_go_only_where_nobody_listens_in(cast: Cast, wrong: str) -> None:
    with pytest.raises(Invalid) as refused:
        register(cast, addresses=[BACK, wrong])
    assert set(refused.value.fields) == {"addresses"}
    assert not OAuthClient.objects.exists()


@pytest.mark.parametrize(
    "right",
    ["https://desk.example", "https://desk.example:8443/back?x=1", "http://127.0.0.1/back", "http://[::1]:90/back",
     "http://localhost:8080/", "com.example.app:/back"],
)  # fmt: skip
def test_answers_may_go_to_servers_devices_and_apps(cast: Cast, right: str) -> None:
    assert register(cast, addresses=[right]).client.addresses == [right]


@pytest.mark.parametrize("addresses", [[], ["", " "], [f"{BACK}/{n}" for n in range(11)]])
def test_one_to_ten_addresses_are_needed(cast: Cast, addresses: list[str]) -> None:
    with pytest.raises(Invalid):
        register(cast, addresses=addresses)


def test_what_is_wrong_stands_on_its_field(cast: Cast) -> None:
    page = signed_in(cast.admin).post(
        address(cast, "programs"), {**VALUES, "addresses": "http://desk.example/"}, headers={"accept-language": "de"}
    )
    assert "muss mit https:// beginnen" in page.content.decode()
    assert not OAuthClient.objects.exists()


# --- Programs of the installation ------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_operator_registers_one_for_all_companies() -> None:
    shown = StringIO()
    call_command("register_program", "Wohn-App", "com.example.app:/back", "--public", stdout=shown)
    row = OAuthClient.objects.get()
    assert (row.organization, row.client_type, row.scopes) == (None, "public", ["support.readonly"])
    assert row.client_id in shown.getvalue()
    assert "secret" not in shown.getvalue()


@pytest.mark.django_db
def test_the_command_shows_the_secret_of_a_server() -> None:
    shown = StringIO()
    call_command("register_program", "Helpdesk", BACK, "--write", stdout=shown)
    secret = shown.getvalue().split("client secret")[1].strip()
    assert check_password(secret, OAuthClient.objects.get().client_secret)


@pytest.mark.django_db
def test_the_command_says_what_is_wrong() -> None:
    with pytest.raises(CommandError, match="https://"):
        call_command("register_program", "Helpdesk", "http://desk.example/back")
    assert not OAuthClient.objects.exists()
