"""Tickets in the browser: whose list shows what, what a page of a ticket shows to whom, what it costs."""
from __future__ import annotations
from tests.cast import Cast
from tests.portal.pages import signed_in
import pytest

pytestmark = pytest.mark.django_db
def test_smoke(cast: Cast) -> None:
    from tickets.services import filing
    from tests.tickets.test_services_answers import a_type
    client = signed_in(cast.renter)
    base = f"/app/c/{cast.house_a.pk}/tickets"
    assert client.get(base).status_code == 200
    assert client.get(base + "/new").status_code == 200
    assert client.get(base + "/new/other").status_code == 200
    r = client.post(base + "/new/other", {"text": ""})
    assert r.status_code == 422
    r = client.post(base + "/new/other", {"text": "Hallo", "title": "", "unit": cast.unit_a2.pk})
    assert r.status_code == 302, r.content.decode()
    assert client.get(r.url).status_code == 200
    kind = a_type(cast.tenant, "Wasser", {"field_type": "TEXTFIELD"}, {"field_type":"FILE"}, {"field_type":"NUMBER", "required": True})
    assert client.get(base + f"/new/{kind.pk}").status_code == 200
    r2 = client.post(base + f"/new/{kind.pk}", {})
    assert r2.status_code == 422
    print(r2.content.decode())
    assert client.get(base).status_code == 200
    assert client.get(f"/app/c/{cast.house_a.pk}/").status_code == 200
    assert client.get(r.url, headers={"HX-Request": "true"}).status_code == 200
    r3 = client.post(r.url + "/comment", {"text": "Nachtrag"})
    assert r3.status_code == 302, r3.content
    assert client.post(r.url + "/comment", {"text": ""}).status_code == 422
