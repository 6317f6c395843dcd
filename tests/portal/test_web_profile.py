"""The own account in the browser."""

from __future__ import annotations

import re

import pytest
import segno

from core.models import AuditEntry
from orgs.models import Organization, RecoveryCode, SecondFactor, Session
from orgs.services import second_factor
from tests.cast import PASSWORD, Cast
from tests.otp import otp
from tests.portal.pages import queries_of, signed_in

PROFILE = "/app/profile"
DATA = {"first_name": "Rena", "last_name": "Muster", "telephone": "0171 39200-41", "language": "fr", "theme": "dark"}


def test_what_people_change_is_kept_and_recorded(cast: Cast) -> None:
    client = signed_in(cast.renter)
    assert client.post(PROFILE, DATA).status_code == 302
    cast.renter.refresh_from_db()
    assert (cast.renter.first_name, cast.renter.language, cast.renter.darkmode) == ("Rena", "fr", True)
    assert AuditEntry.objects.filter(object_type="orgs.user", object_id=str(cast.renter.pk), verb="changed").exists()
    assert client.get(PROFILE)["Content-Language"] == "fr"


@pytest.mark.parametrize(
    ("field", "value"), [("last_name", ""), ("telephone", "ruf an"), ("language", "xx"), ("theme", "pink")]
)
def test_what_is_wrong_is_said_at_its_field(cast: Cast, field: str, value: str) -> None:
    response = signed_in(cast.renter).post(PROFILE, {**DATA, field: value})
    text = response.content.decode()
    assert response.status_code == 422 and 'role="alert"' in text
    if field != "theme":
        assert f'id="id_{field}_error"' in text and f'href="#id_{field}"' in text
        assert f'aria-describedby="id_{field}_error"' in text
    cast.renter.refresh_from_db()
    assert cast.renter.first_name == "Renter"


def test_a_new_password_keeps_this_browser_and_ends_the_others(cast: Cast) -> None:
    client, other = signed_in(cast.renter), signed_in(cast.renter)
    url = f"{PROFILE}/password"
    wrong = client.post(url, {"current": "falsch", "new": "Ein-neuer-Satz-2"})
    assert wrong.status_code == 422 and 'id="id_current_error"' in wrong.content.decode()
    weak = client.post(url, {"current": PASSWORD, "new": "kurz"})
    assert weak.status_code == 422 and 'id="id_new_error"' in weak.content.decode()
    assert other.get(PROFILE).status_code == 200
    assert client.post(url, {"current": PASSWORD, "new": "Ein-neuer-Satz-2"}).status_code == 302
    assert client.get(PROFILE).status_code == 200 and other.get(PROFILE).status_code == 302
    cast.renter.refresh_from_db()
    assert cast.renter.check_password("Ein-neuer-Satz-2")


def test_devices_are_listed_and_signed_out(cast: Cast) -> None:
    client, second, third = (signed_in(cast.renter) for _ in range(3))
    stranger = signed_in(cast.neighbour)
    for browser in (client, second, third):
        browser.get(PROFILE)
    devices = client.get(PROFILE).context["devices"]
    assert len(devices) == 3 and [d["here"] for d in devices] == [True, False, False]
    foreign = Session.objects.get(user=cast.neighbour)
    assert client.post(f"{PROFILE}/devices/{foreign.pk}/end").status_code == 404
    client.post(f"{PROFILE}/devices/{devices[1]['id']}/end")
    assert sorted(b.get(PROFILE).status_code for b in (second, third)) == [200, 302]
    client.post(f"{PROFILE}/devices/others/end")
    assert Session.objects.filter(user=cast.renter).count() == 1
    assert client.get(PROFILE).status_code == 200 and stranger.get(PROFILE).status_code == 200


def test_more_devices_cost_no_more_queries(cast: Cast) -> None:
    client = signed_in(cast.renter)
    one = queries_of(client, PROFILE)
    signed_in(cast.renter), signed_in(cast.renter)
    assert queries_of(client, PROFILE) == one


def test_the_key_of_the_second_step_can_be_photographed(cast: Cast) -> None:
    page = signed_in(cast.renter).get(f"{PROFILE}/second-factor")
    key = second_factor.pending(cast.renter)
    assert key is not None
    address = page.context["address"]
    assert f"secret={key.secret}" in address
    drawn = re.findall(r'<path stroke="#000" d="([^"]+)"', page.content.decode())
    assert drawn == re.findall(
        r'<path stroke="#000" d="([^"]+)"', segno.make_qr(address, error="m").svg_inline(lineclass=None)
    )


def test_the_second_step_is_switched_on_and_off(cast: Cast) -> None:
    client = signed_in(cast.renter)
    url = f"{PROFILE}/second-factor"
    assert client.get(url).status_code == 200
    key = second_factor.pending(cast.renter)
    assert key is not None
    assert client.post(url, {"code": "000000"}).status_code == 422
    assert SecondFactor.objects.get(user=cast.renter).secret == key.secret  # the shown key stays the same
    code = otp(key.secret)
    assert len(client.post(url, {"code": code}).context["codes"]) == 10
    assert (
        client.post(f"{url}/codes").status_code == 200 and RecoveryCode.objects.filter(user=cast.renter).count() == 10
    )
    client.post(f"{url}/remove", {"password": "falsch"})
    assert second_factor.confirmed(cast.renter)
    Organization.objects.filter(pk=cast.tenant.pk).update(enforces_second_factor=True)
    client.post(f"{url}/remove", {"password": PASSWORD})
    assert second_factor.confirmed(cast.renter)
    Organization.objects.filter(pk=cast.tenant.pk).update(enforces_second_factor=False)
    client.post(f"{url}/remove", {"password": PASSWORD})
    assert not second_factor.confirmed(cast.renter)


def test_staff_with_many_communities_find_them_by_name(cast: Cast) -> None:
    client = signed_in(cast.admin)
    assert [c.pk for c in client.get("/app/places", {"q": "haus b"}).context["found"]] == [cast.house_b.pk]
    assert {c.pk for c in client.get("/app/places").context["found"]} == {cast.house_a.pk, cast.house_b.pk}


def test_texts_of_the_company_are_public_and_its_colour_is_a_stylesheet(cast: Cast) -> None:
    settings = cast.tenant.settings
    settings.imprint, settings.accent_color = "Brandt & Keller, Köln", "#aa3300"
    settings.save()
    client = signed_in(cast.renter)
    text = client.get(f"/app/c/{cast.house_a.pk}/").content.decode()
    assert f"/app/brand/{cast.tenant.pk}.css?v=" in text and f"/app/about/{cast.tenant.pk}/imprint" in text
    assert "--accent:#aa3300" in client.get(f"/app/brand/{cast.tenant.pk}.css").content.decode()
    assert "Köln" in client.get(f"/app/about/{cast.tenant.pk}/imprint").content.decode()
    assert client.get(f"/app/about/{cast.tenant.pk}/privacy").status_code == 404
    assert client.get(f"/app/brand/{cast.tenant.pk}/logo").status_code == 404
    assert client.get("/app/brand/999999.css").status_code == 404


def test_a_privacy_notice_may_be_html_and_is_cleaned(cast: Cast) -> None:
    settings = cast.tenant.settings
    settings.privacy_text = "<p>Daten <b>bleiben</b> hier.</p><script>alert(1)</script>"
    settings.save()
    text = signed_in(cast.renter).get(f"/app/about/{cast.tenant.pk}/privacy").content.decode()
    assert "<p>Daten <b>bleiben</b> hier.</p>" in text and "alert(1)" not in text


def test_a_privacy_notice_may_be_plain_text_with_lines(cast: Cast) -> None:
    settings = cast.tenant.settings
    settings.privacy_text = "Eins & zwei\nDrei < vier https://quartier.test/x"
    settings.save()
    text = signed_in(cast.renter).get(f"/app/about/{cast.tenant.pk}/privacy").content.decode()
    assert "Eins &amp; zwei<br>Drei &lt; vier" in text and 'href="https://quartier.test/x"' in text
