"""Tokens of the organizations API: made with the password, named, limited, revoked at once."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core.errors import Conflict, Denied, Invalid, NotFound
from orgs.models import AccessToken, Organization, SecondFactor
from orgs.services import api_tokens
from tests.cast import PASSWORD
from tests.orgs.door import OF_ORGANIZATION, PERSONAL, Caller
from tests.orgs.test_services_tree import node
from tests.otp import otp

if TYPE_CHECKING:
    from orgs.models import User
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def personal(user: User, **values: Any) -> str:
    given = {"password": PASSWORD, "code": "", "name": "Skript", "may_write": True, "days": 30, **values}
    return api_tokens.issue_personal(user=user, **given)


def test_a_personal_token_acts_as_the_person(cast: Cast) -> None:
    caller = Caller({PERSONAL: personal(cast.owner)})
    assert caller.make("Neu")["ownerIDs"] == [cast.owner.pk]
    row = api_tokens.of_person(cast.owner).get()
    assert (row.name, row.scopes) == ("Skript", ["read", "write"])
    assert row.expires_at is not None
    assert abs(row.expires_at - timezone.now() - datetime.timedelta(days=30)) < datetime.timedelta(minutes=1)


def test_a_token_that_reads_does_not_write(cast: Cast) -> None:
    caller = Caller({PERSONAL: personal(cast.owner, may_write=False, days=0)})
    assert caller.ok("GET", "/organizations") == []
    caller.refused("POST", "/organization", 403, {"name": "Neu"})
    assert api_tokens.of_person(cast.owner).get().expires_at is None


def test_only_who_knows_the_password_takes_a_token_along(cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        personal(cast.owner, password="falsch")
    assert set(refused.value.fields) == {"password"}
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    SecondFactor.objects.create(user=cast.owner, secret=secret, name="totp", confirmed_at=timezone.now())
    for wrong in ("", "000000"):
        with pytest.raises(Invalid) as refused:
            personal(cast.owner, code=wrong)
        assert set(refused.value.fields) == {"code"}
    assert not AccessToken.objects.filter(kind="personal").exists()
    assert personal(cast.owner, code=otp(secret))


@pytest.mark.parametrize("name", ["", "  ", "\u3164", "x" * 101])
def test_a_token_has_a_name(cast: Cast, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        personal(cast.owner, name=name)
    assert set(refused.value.fields) == {"name"}


def test_a_revoked_token_is_dead_at_once_and_others_live_on(cast: Cast) -> None:
    first, second = personal(cast.owner), personal(cast.owner)
    old = api_tokens.of_person(cast.owner).last()
    assert old is not None
    api_tokens.revoke_personal(user=cast.owner, token_id=old.pk)
    Caller({PERSONAL: first}).refused("GET", "/organizations", 401)
    Caller({PERSONAL: second}).ok("GET", "/organizations")
    with pytest.raises(NotFound):
        api_tokens.revoke_personal(user=cast.owner, token_id=old.pk)


def test_nobody_revokes_the_token_of_another(cast: Cast) -> None:
    token = personal(cast.owner)
    with pytest.raises(NotFound):
        api_tokens.revoke_personal(user=cast.renter, token_id=api_tokens.of_person(cast.owner).get().pk)
    Caller({PERSONAL: token}).ok("GET", "/organizations")


def test_there_is_an_end_to_the_number_of_tokens(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_tokens, "MOST", 2)
    personal(cast.owner), personal(cast.owner)
    with pytest.raises(Conflict):
        personal(cast.owner)
    top = node(cast, "Oben")
    for _time in range(2):
        for_organization(cast, top)
    with pytest.raises(Conflict):
        for_organization(cast, top)


def for_organization(cast: Cast, organization: Organization, who: str = "owner") -> str:
    return api_tokens.issue_for(
        actor=cast.actor(who), organization=organization, name="Anbindung", may_write=True, days=0
    )


def test_the_token_of_an_organization_is_its_owners(cast: Cast) -> None:
    top = node(cast, "Oben")
    token = for_organization(cast, top)
    assert Caller({OF_ORGANIZATION: token}).get(top.pk)["name"] == "Oben"
    row = AccessToken.objects.get(kind="organization")
    for attempt in (
        lambda: for_organization(cast, top, "renter"),
        lambda: api_tokens.of_organization(actor=cast.actor("renter"), organization=top),
        lambda: api_tokens.revoke_of(actor=cast.actor("renter"), organization=top, token_id=row.pk),
    ):
        with pytest.raises(Denied):
            attempt()
    other = node(cast, "Anderswo")
    with pytest.raises(NotFound):
        api_tokens.revoke_of(actor=cast.actor("owner"), organization=other, token_id=row.pk)
    api_tokens.revoke_of(actor=cast.actor("owner"), organization=top, token_id=row.pk)
    Caller({OF_ORGANIZATION: token}).refused("GET", "/organizations", 401)
