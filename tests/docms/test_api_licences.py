"""Licences over HTTP: keys, what they grant, and the first set-up."""

from __future__ import annotations

import datetime
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.utils import timezone

from core.models import AuditEntry, JobRun, SystemLog
from core.services import rows
from docms import tasks
from orgs.models import License, Membership
from tests.docms.door import PDF, Answer, Caller, make_folder, make_group, multipart, permit, settings_of, signed_in
from tests.docms.licence import CODE, PUBLIC, STRANGER, for_code, signed

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db

SECRET = "set-up-of-a-test-0123456789"


@pytest.fixture(autouse=True)
def vendor(settings: Any) -> Any:
    """The installation knows the vendor's public key."""
    settings.LICENSE_PUBLIC_KEY = PUBLIC
    return settings


@pytest.fixture
def operator(cast: Cast) -> Caller:
    """Who runs the installation, as a member of Brandt & Keller."""
    rows.create(
        Membership, user=cast.operator, organization=cast.tenant, tenant=cast.tenant, role="staff", admin_perm=True
    )
    return signed_in(cast.operator, cast.tenant)


def day(offset: int) -> str:
    """A day from today, as ISO date in UTC."""
    return (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=offset)).isoformat()


def put(caller: Caller, tenant_id: int, key: str, status: int = 200) -> Any:
    """Send a key as text."""
    answer = caller.call("PUT", f"/tenants/{tenant_id}/license", data=key, content_type="text/plain")
    assert answer.status == status, answer.raw
    return answer.body


def in_use(cast: Cast) -> int:
    """The points in use."""
    return Membership.objects.active().filter(organization=cast.tenant).count()


# --- Setting a key --------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-172")
def test_only_the_operator_sets_a_key(cast: Cast, admin: Caller, renter: Caller, operator: Caller) -> None:
    for caller in (admin, renter):
        put(caller, cast.tenant.pk, signed(), 403)
    assert not License.objects.exists()
    put(operator, cast.tenant.pk, signed())
    assert License.objects.get().organization == cast.tenant


def test_the_operator_sets_the_key_of_any_tenant(cast: Cast, operator: Caller) -> None:
    put(operator, cast.other_tenant.pk, signed())
    assert License.objects.get().organization == cast.other_tenant
    put(operator, 987654321, signed(), 404)


@pytest.mark.rule("DOCMS-172")
def test_an_invalid_key_is_refused_and_the_stored_one_stays(cast: Cast, operator: Caller) -> None:
    good = signed(max_points=1000, features=[1], tenant=str(cast.tenant.uuid))
    put(operator, cast.tenant.pk, good)
    payload, _dot, signature = good.partition(".")
    wrong = {
        "forged": signed(STRANGER, max_points=9000),
        "changed": signed(max_points=9000).partition(".")[0] + "." + signature,
        "unsigned": payload + ".",
        "no signature": payload,
        "another tenant's": signed(tenant=str(uuid.uuid4())),
        "expired": signed(app_duration=day(-1)),
        "another product's": signed(product="anderes"),
        "unknown feature": signed(features=[1, 5]),
        "points": signed(max_points=-1),
        "points as text": signed(max_points="9"),
        "no day": signed(app_duration="bald"),
        "last day of time": signed(app_duration="9999-12-31"),
        "tenant": signed(tenant=3),
        "features": signed(features=[[1]]),
        "NUL in the type": signed(type="a\x00b"),
        "NUL in the variant": signed(variant="\x00"),
        "NUL in the tenant": signed(tenant=f"{cast.tenant.uuid}\x00"),
        "NUL in a day": signed(app_duration=f"{day(5)}\x00"),
        "short": "abc",
        "long": "a" * 10_001,
        "words": "This is no key at all. Really.",
        "letters": "schlüssel." * 3,
    }
    for what, key in wrong.items():
        assert put(operator, cast.tenant.pk, key, 400), what
        stored = License.objects.get()
        assert (stored.key, stored.max_points, stored.features) == (good, 1000, [1]), what


def test_without_a_public_key_no_key_is_valid(cast: Cast, operator: Caller, settings: Any) -> None:
    settings.LICENSE_PUBLIC_KEY = b""
    put(operator, cast.tenant.pk, signed(), 400)


def test_a_new_key_replaces_the_former_terms(cast: Cast, operator: Caller) -> None:
    put(operator, cast.tenant.pk, signed(max_points=100, features=[1, 2], app_duration=day(5)))
    put(operator, cast.tenant.pk, signed(features=[3], variant="small"))
    stored = License.objects.get()
    assert (stored.max_points, stored.features, stored.valid_until, stored.license_variant) == (0, [3], None, "small")


def test_a_body_of_another_type_is_no_key(cast: Cast, operator: Caller) -> None:
    assert operator.call("PUT", f"/tenants/{cast.tenant.pk}/license", {"key": signed()}).status in (400, 415)
    for body in (b"\xff" * 20, b""):
        answer = operator.call("PUT", f"/tenants/{cast.tenant.pk}/license", data=body, content_type="text/plain")
        assert answer.status == 400
    large = operator.call("PUT", f"/tenants/{cast.tenant.pk}/license", data="a" * 50_000, content_type="text/plain")
    assert large.status == 413


def test_the_key_stands_in_no_table_and_no_audit(cast: Cast, operator: Caller) -> None:
    key = signed()
    put(operator, cast.tenant.pk, key)
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM orgs_license")
        assert key not in str(cursor.fetchall())
    assert key not in json.dumps(list(AuditEntry.objects.values_list("changes", flat=True)), default=str)


# --- Reading ---------------------------------------------------------------------------------------------------


@pytest.mark.rule("DOCMS-173")
def test_without_a_licence_it_is_the_community_variant_without_limits(cast: Cast, admin: Caller) -> None:
    info = admin.ok("GET", "/license")
    assert info["license"] | {"app_name": ""} == {
        "app_name": "", "license_type": "community", "license_variant": "community", "license_valid": True,
    }  # fmt: skip
    assert set(info["dates"].values()) == {"unlimited"}
    assert info["points"] == {"max_points": 0, "used_points": in_use(cast)}
    assert admin.ok("GET", "/tenants/current/public")["license_features"] == [1, 2, 3, 4]


def test_a_licence_is_read_as_it_was_signed(cast: Cast, admin: Caller, operator: Caller, renter: Caller) -> None:
    terms = {"app_duration": day(10), "maintenance_duration": day(20), "support_duration": day(-3)}
    put(operator, cast.tenant.pk, signed(features=[3, 1], max_points=77, **terms))
    info = admin.ok("GET", "/license")
    assert info["dates"] == terms
    assert info["points"] == {"max_points": 77, "used_points": in_use(cast)}
    assert info["license"]["license_type"] == "commercial"
    assert info["license"]["license_variant"] == "professional"
    assert info["license"]["license_valid"] is True
    assert renter.ok("GET", "/tenants/current/public")["license_features"] == [1, 3]
    renter.refused("GET", "/license", 403)


def test_the_last_day_counts_to_its_end(cast: Cast, admin: Caller, operator: Caller) -> None:
    put(operator, cast.tenant.pk, signed(features=[1], app_duration=day(0)))
    info = admin.ok("GET", "/license")
    assert (info["dates"]["app_duration"], info["license"]["license_valid"]) == (day(0), True)


@pytest.mark.rule("DOCMS-174")
def test_a_point_is_used_by_each_user_who_is_not_deactivated(cast: Cast, admin: Caller) -> None:
    before = admin.ok("GET", "/license")["points"]["used_points"]
    made = admin.ok("POST", "/users", {"username": "neu", "email": "neu@example.org", "name": "Neu"})
    assert admin.ok("GET", "/license")["points"]["used_points"] == before + 1
    admin.ok("PUT", f"/users/{made['user_id']}", {"deactivated": "2020-01-01"})
    assert admin.ok("GET", "/license")["points"]["used_points"] == before


@pytest.mark.rule("DOCMS-174")
def test_a_licence_of_the_installation_counts_everybody_in_it(cast: Cast, admin: Caller) -> None:
    total = Membership.objects.active().filter(organization__is_tenant=True).count()
    assert total > in_use(cast)  # there are people in the other company
    licence = rows.create(License, organization=None, max_points=total)
    new = {"username": "neu", "email": "neu@example.org", "name": "Neu"}
    assert admin.ok("GET", "/license")["points"] == {"max_points": total, "used_points": total}
    assert admin.refused("POST", "/users", 403, new)["message"] == "LICENSE_REQUIRED"
    rows.change(licence, {"max_points": total + 1})
    admin.ok("POST", "/users", new)


@pytest.mark.rule("DOCMS-175")
@pytest.mark.parametrize("add_on", [1, 2, 3, 4])
def test_an_expired_licence_blocks_each_add_on(cast: Cast, admin: Caller, settings: Any, add_on: int) -> None:
    settings.BASE64_LIMIT = len(PDF)
    settings_of(cast, groupadmin_active=True)
    group = make_group(admin, "Kreis", cast.owner.pk, groupadmin_ids=[cast.owner.pk])
    folder, owner = make_folder(admin, "Akte"), signed_in(cast.owner, cast.tenant)
    file = admin.upload(folder)["file_id"]
    person = {"name": "Nina", "email": "nina@kanzlei.test", "mobile_number": "+49 170 1234567"}

    def use() -> Answer:
        if add_on == 1:
            return multipart(admin, "POST", "/files", {"folder_id": folder}, PDF + b"%")
        if add_on == 2:
            return admin.call("POST", f"/files/{file}/shares", person)
        if add_on == 3:
            return owner.call("GET", f"/groupadmin/groups/{group}")
        return admin.call("POST", "/apps", {"name": "Archiv"})

    licence = rows.create(
        License, organization=cast.tenant, features=[1, 2, 3, 4],
        valid_until=timezone.now() + datetime.timedelta(days=1),
    )  # fmt: skip
    assert use().status == (409 if add_on == 2 else 200)  # there is no gateway
    rows.change(licence, {"valid_until": timezone.now() - datetime.timedelta(seconds=1)})
    answer = use()
    assert (answer.status, answer.body["message"]) == (403, "LICENSE_REQUIRED")


@pytest.mark.rule("DOCMS-175")
def test_an_expired_licence_blocks_add_ons_and_new_users_but_no_document(
    cast: Cast, admin: Caller, renter: Caller
) -> None:
    folder = make_folder(admin, "Akte", make_group(admin, "Kreis", cast.renter.pk))
    permit(admin, folder, cast.renter.pk, read=True, download=True)
    permit(admin, folder, cast.admin.pk, upload=True)
    file = admin.upload(folder)["file_id"]
    ended = timezone.now() - datetime.timedelta(seconds=1)
    licence = rows.create(License, organization=cast.tenant, features=[1, 2, 3, 4], valid_until=ended)
    new = {"username": "neu", "email": "neu@example.org", "name": "Neu"}
    assert admin.refused("POST", "/users", 403, new)["message"] == "LICENSE_REQUIRED"
    assert admin.refused("POST", "/apps", 403, {"name": "Archiv"})["message"] == "LICENSE_REQUIRED"
    assert admin.ok("GET", "/tenants/current/public")["license_features"] == []
    assert admin.ok("GET", "/license")["license"]["license_valid"] is False
    renter.ok("GET", f"/files/{file}/read")
    renter.ok("GET", f"/files/{file}/download")
    admin.upload(folder)
    rows.change(licence, {"valid_until": timezone.now() + datetime.timedelta(days=1)})
    admin.ok("POST", "/users", new)
    admin.ok("POST", "/apps", {"name": "Archiv"})


# --- The first set-up ------------------------------------------------------------------------------------------


def bootstrap(status: int, code: str = CODE, secret: str = SECRET) -> Any:
    """Send the code as somebody without a token."""
    answer = Caller().call("POST", "/bootstrap", data=code, content_type="text/plain", HTTP_X_SETUP_SECRET=secret)
    assert answer.status == status, answer.raw
    return answer.body


@pytest.fixture
def prepared(settings: Any) -> Any:
    """The environment marks the installation as bootstrapped."""
    settings.BOOTSTRAP, settings.SETUP_SECRET = "license", SECRET
    settings.BOOTSTRAP_LICENSE = for_code(features=[1, 4], max_points=500)
    return settings


@pytest.mark.rule("DOCMS-170")
def test_the_set_up_is_refused_unless_the_environment_is_prepared(prepared: Any, db: None) -> None:
    prepared.BOOTSTRAP = ""
    bootstrap(403)
    assert not License.objects.exists()
    prepared.BOOTSTRAP = "license"
    bootstrap(200)
    stored = License.objects.get()
    assert (stored.organization, stored.features, stored.max_points) == (None, [1, 4], 500)


@pytest.mark.rule("DOCMS-170")
def test_the_set_up_switches_to_demo_mode_when_the_environment_says_so(
    cast: Cast, prepared: Any, admin: Caller
) -> None:
    prepared.BOOTSTRAP = "demo"
    bootstrap(200)
    info = admin.ok("GET", "/license")
    assert (info["license"]["license_type"], info["license"]["license_valid"]) == ("demo", True)
    assert admin.ok("GET", "/tenants/current/public")["license_features"] == [1, 2, 3, 4]


@pytest.mark.rule("DOCMS-171")
def test_the_set_up_needs_the_secret(prepared: Any, db: None) -> None:
    for wrong in ("", "short", SECRET + "x", SECRET.upper(), "\xfc" * 20, "x" * 201):
        bootstrap(403, secret=wrong)
    prepared.SETUP_SECRET = ""
    bootstrap(403, secret="")
    bootstrap(403)
    assert not License.objects.exists()


@pytest.mark.rule("DOCMS-171")
@pytest.mark.parametrize("mode", ["license", "demo"])
@pytest.mark.parametrize("whose", ["installation", "tenant"])
def test_the_set_up_is_over_once_a_licence_is_installed(cast: Cast, prepared: Any, mode: str, whose: str) -> None:
    prepared.BOOTSTRAP = mode
    if whose == "installation":
        bootstrap(200)
    else:
        rows.create(License, organization=cast.tenant)
    bootstrap(409)
    assert License.objects.count() == 1


@pytest.mark.parametrize(
    "code", ["ABCDE-12345-KLMNO-67890-XXXXX", "abcde-12345-klmno-67890-pqrst", "ABCDE", "", CODE + "-AAAAA"]
)
@pytest.mark.parametrize("mode", ["license", "demo"])
def test_a_wrong_code_is_refused(prepared: Any, db: None, code: str, mode: str) -> None:
    prepared.BOOTSTRAP = mode
    if mode == "demo" and code == "ABCDE-12345-KLMNO-67890-XXXXX":
        bootstrap(200, code=code)  # there is nothing that it would unlock
        return
    bootstrap(400, code=code)
    assert not License.objects.exists()


@pytest.mark.parametrize(
    "key", [signed(), "nonsense", for_code(app_duration="2020-01-01"), for_code(tenant=str(uuid.uuid4()))]
)
def test_a_licence_in_the_environment_that_is_none_unlocks_nothing(prepared: Any, db: None, key: str) -> None:
    prepared.BOOTSTRAP_LICENSE = key
    bootstrap(400)
    assert not License.objects.exists()


# --- The daily look ---------------------------------------------------------------------------------------------


def test_the_daily_look_reports_what_is_wrong_and_keeps_the_terms(cast: Cast, operator: Caller) -> None:
    put(operator, cast.tenant.pk, signed(max_points=1000, features=[1]))
    tasks.check_license()
    assert not SystemLog.objects.filter(category="license").exists()
    License.objects.update(max_points=1)  # by hand, in the database
    License.objects.create(organization=None, valid_until=timezone.now())
    tasks.check_license()
    told = set(SystemLog.objects.filter(category="license").values_list("action", flat=True))
    own, house = License.objects.get(organization=cast.tenant), License.objects.get(organization=None)
    assert told == {f"license {own.pk}: forged", f"license {own.pk}: exceeded", f"license {house.pk}: expired"}
    assert (own.features, own.max_points) == ([1], 1)
    run = JobRun.objects.filter(name="docms.check_license").latest("started_at")
    assert (run.error, run.counts["licenses"], run.counts["forged"]) == ("", 2, 1)
