"""Basic credentials of the support API, issued and revoked in the back office."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from core.errors import Conflict, Denied, Invalid, NotFound
from core.models import AuditEntry
from orgs.models import AccessToken, Membership, Organization
from orgs.services import api_tokens, applications, members, tokens
from tests.portal.pages import signed_in

if TYPE_CHECKING:
    from tests.cast import Cast

VALUES = {"name": "Helpdesk", "may_write": "write", "days": "90"}


def address(cast: Cast, page: str = "credentials", tenant: Organization | None = None) -> str:
    return f"/admin/orgs/organization/{(tenant or cast.tenant).pk}/{page}/"


def issue(cast: Cast, who: str = "admin", **values: object) -> api_tokens.Credentials:
    wanted: dict[str, object] = {"name": "Helpdesk", "may_write": True, "days": 90} | values
    return api_tokens.issue_credentials(actor=cast.actor(who), tenant=cast.tenant, **wanted)  # type: ignore[arg-type]


def test_an_administrator_has_a_pair_made_that_is_shown_once(cast: Cast) -> None:
    client = signed_in(cast.admin)
    answer = client.post(address(cast), VALUES)
    shown = re.findall(r"<code[^>]*>([^<]+)</code>", answer.content.decode())
    row = AccessToken.objects.get(kind="basic")
    assert shown[0] == row.public_id
    assert shown[2] == str(cast.tenant.uuid)
    assert tokens.find(shown[1], kinds=("basic",)) == row
    assert (row.user, row.organization, row.scopes, row.name) == (cast.admin, cast.tenant, ["support"], "Helpdesk")
    assert "no-store" in answer["Cache-Control"]
    page = client.get(reverse("admin:orgs_organization_change", args=[cast.tenant.pk])).content.decode()
    assert "Helpdesk" in page
    assert shown[0] in page
    assert shown[1] not in page


def test_a_pair_may_only_read(cast: Cast) -> None:
    signed_in(cast.admin).post(address(cast), {**VALUES, "may_write": "read"})
    assert AccessToken.objects.get(kind="basic").scopes == ["support.readonly"]


def test_it_is_revoked_at_once_after_a_question(cast: Cast) -> None:
    pair = issue(cast)
    row = AccessToken.objects.get(kind="basic")
    client = signed_in(cast.admin)
    asked = f"{address(cast, 'revoke-credentials')}?token={row.pk}"
    assert "Helpdesk" in client.get(asked).content.decode()
    assert tokens.find(pair.secret, kinds=("basic",)) is not None
    client.post(asked)
    assert tokens.find(pair.secret, kinds=("basic",)) is None
    assert client.get(asked).status_code == 404


@pytest.mark.parametrize("who", ["staff", "renter", "stranger"])
def test_nobody_else_sees_makes_or_revokes_any(cast: Cast, who: str) -> None:
    issue(cast)
    row = AccessToken.objects.get(kind="basic")
    actor = cast.actor(who)
    for attempt in (
        lambda: issue(cast, who),
        lambda: api_tokens.credentials_of(actor=actor, tenant=cast.tenant),
        lambda: api_tokens.revoke_credentials(actor=actor, tenant=cast.tenant, token_id=row.pk),
    ):
        with pytest.raises(Denied):
            attempt()
    row.refresh_from_db()
    assert row.revoked_at is None


def test_the_operator_revokes_them_and_has_none_made(cast: Cast) -> None:
    issue(cast)
    client = signed_in(cast.operator)
    change = client.get(reverse("admin:orgs_organization_change", args=[cast.tenant.pk])).content.decode()
    assert "revoke-credentials/" in change
    assert "/credentials/" not in change
    assert client.get(address(cast)).status_code == 403
    assert client.post(address(cast), {"name": "Meins", "may_write": "on", "days": "0"}).status_code == 403
    row = AccessToken.objects.get(kind="basic")
    api_tokens.revoke_credentials(actor=cast.actor("operator"), tenant=cast.tenant, token_id=row.pk)
    row.refresh_from_db()
    assert row.revoked_at is not None


def test_tokens_of_another_company_are_not_revoked_here(cast: Cast) -> None:
    other = api_tokens.issue_credentials(
        actor=cast.actor("stranger"), tenant=cast.other_tenant, name="Dort", may_write=True, days=0
    )
    row = AccessToken.objects.get(public_id=other.client_id)
    with pytest.raises(NotFound):
        api_tokens.revoke_credentials(actor=cast.actor("admin"), tenant=cast.tenant, token_id=row.pk)


def test_a_branch_has_none(cast: Cast) -> None:
    branch = Organization.objects.create(
        name="Zweig", parent=cast.tenant, ancestors=[cast.tenant.pk], tenant=cast.tenant, created_by=cast.admin
    )
    client = signed_in(cast.admin)
    assert client.get(address(cast, tenant=branch)).status_code == 404
    page = client.get(reverse("admin:orgs_organization_change", args=[branch.pk])).content.decode()
    assert "credentials/" not in page


def test_there_are_only_so_many(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_tokens, "MOST", 2)
    for _number in range(2):
        issue(cast)
    with pytest.raises(Conflict):
        issue(cast)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_a_name_is_needed(cast: Cast, name: str) -> None:
    with pytest.raises(Invalid):
        issue(cast, name=name)
    assert not AccessToken.objects.filter(kind="basic").exists()


def test_it_is_audited_without_the_secret(cast: Cast) -> None:
    pair = issue(cast)
    row = AccessToken.objects.get(kind="basic")
    entry = AuditEntry.objects.get(verb="key_issued", object_id=str(row.pk))
    assert entry.changes is not None
    assert pair.secret not in str(entry.changes)


def test_an_end_that_was_set_before_ends_a_pair_when_it_comes(cast: Cast) -> None:
    Membership.objects.filter(user=cast.staff).update(admin_perm=True)
    pair, kept = issue(cast, "staff"), issue(cast)
    Membership.objects.filter(pk=cast.membership("staff").pk).update(deactivated_at=timezone.now())
    applications.apply_deactivations()
    members.reactivate(membership=cast.membership("staff"))
    assert tokens.find(pair.secret, kinds=("basic",)) is None
    assert tokens.find(kept.secret, kinds=("basic",)) is not None
