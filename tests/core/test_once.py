"""A form whose answer shows a secret makes one, however often it is sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache

from orgs.models import AccessToken, OAuthClient
from tests.cast import PASSWORD
from tests.portal.pages import signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from tests.cast import Cast

pytestmark = pytest.mark.django_db

ORGANIZATION = "/admin/orgs/organization/{pk}/"
TOKEN = {"name": "Archiv", "may_write": "read", "days": "90"}
PROGRAM = {"name": "Archiv", "may_write": "read", "is_public": "server", "addresses": "https://desk.example/back"}
FORMS: dict[str, tuple[str, dict[str, str], Callable[[], Any]]] = {
    "token": (ORGANIZATION + "token/", TOKEN, AccessToken.objects.count),
    "credentials": (ORGANIZATION + "credentials/", TOKEN, AccessToken.objects.count),
    "program": (ORGANIZATION + "programs/", PROGRAM, OAuthClient.objects.count),
    "personal": ("/app/profile/tokens", TOKEN | {"password": PASSWORD}, AccessToken.objects.count),
}


def marked(client: Client, url: str) -> str:
    found = re.search(r'name="once" value="([0-9a-f]{32})"', client.get(url).content.decode())
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", FORMS)
def test_a_form_sent_twice_makes_one_secret(cast: Cast, name: str) -> None:
    cache.clear()
    path, values, count = FORMS[name]
    url, client = path.format(pk=cast.tenant.pk), signed_in(cast.admin)
    before, sent = count(), values | {"once": marked(client, url)}
    first = client.post(url, sent)
    assert (first.status_code, count()) == (200, before + 1), first.content.decode()[-3000:]
    again = client.post(url, sent, follow=True)
    assert count() == before + 1
    assert "schon gesendet" in again.content.decode()
    client.post(url, values | {"once": marked(client, url)})  # drawn anew
    assert count() == before + 2


def test_a_mark_is_no_bodys_but_the_persons_who_was_shown_it(cast: Cast) -> None:
    cache.clear()
    path, values, count = FORMS["token"]
    url = path.format(pk=cast.tenant.pk)
    sent = values | {"once": marked(signed_in(cast.admin), url)}
    before = count()
    for who in (cast.operator, cast.admin):
        signed_in(who).post(url, sent)
    assert count() == before + 2


def test_without_the_cache_forms_are_taken(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    path, values, count = FORMS["token"]
    url, client = path.format(pk=cast.tenant.pk), signed_in(cast.admin)
    sent, before = values | {"once": marked(client, url)}, count()

    def down(*_args: Any, **_more: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(cache, "add", down)
    client.post(url, sent)
    assert count() == before + 1
