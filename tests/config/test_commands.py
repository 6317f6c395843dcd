"""Ops commands that span floors."""

from __future__ import annotations

import io
import random
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

import orgs.demo
from docms.models import Document, DocumentVersion, Folder
from orgs.models import Community, ImportRun, Membership, Occupancy, Organization, Unit, User
from orgs.services import passwords
from tests.cast import Cast


def run(*args: Any, **kwargs: Any) -> str:
    out = io.StringIO()
    call_command(*args, stdout=out, **kwargs)
    return out.getvalue()


def bootstrap(**options: str) -> str:
    return run(
        "bootstrap",
        operator_email="op@boot.test",
        organization="Boot GmbH",
        admin_email="chef@boot.test",
        **options,
    )


@pytest.mark.django_db
def test_bootstrap_makes_operator_tenant_and_administrator_with_links_that_work() -> None:
    links = re.findall(r"/app/password/(\S+)", bootstrap())
    assert len(links) == 2
    users = [passwords.set_by_link(link, "Ein-guter-Satz-1") for link in links]
    assert [u.email for u in users] == ["op@boot.test", "chef@boot.test"]
    assert users[0].is_superuser is True
    member = Membership.objects.get(user=users[1])
    assert (member.organization.name, member.role, member.super_admin_perm) == ("Boot GmbH", "owner", True)
    assert member.organization.is_tenant is True


@pytest.mark.django_db
@pytest.mark.parametrize("command", ["bootstrap", "demo"])
def test_the_operator_can_go_through_the_docms_door(settings: Any, command: str) -> None:
    """It opens to members only (DOCMS-005), and what is the operator's lies behind it (DOCMS-041)."""
    settings.TRYOUT = True
    bootstrap() if command == "bootstrap" else run("demo", seed=7)
    place = Membership.objects.get(user__is_superuser=True)
    assert (place.organization.is_tenant, place.super_admin_perm) == (True, True)


@pytest.mark.django_db
def test_bootstrap_can_be_repeated_and_makes_nothing_twice() -> None:
    link = re.findall(r"/app/password/(\S+)", bootstrap())[0]
    passwords.set_by_link(link, "Ein-guter-Satz-1")
    counts = (User.objects.count(), Organization.objects.count(), Membership.objects.count())
    again = bootstrap()
    assert (User.objects.count(), Organization.objects.count(), Membership.objects.count()) == counts
    assert "has a password already" in again
    assert len(re.findall(r"/app/password/", again)) == 1


@pytest.mark.django_db
def test_bootstrap_refuses_a_bad_address_and_makes_nothing() -> None:
    with pytest.raises(CommandError, match="--admin-email"):
        run("bootstrap", operator_email="op@boot.test", admin_email="chef")
    assert not User.objects.filter(email="op@boot.test").exists()


@pytest.mark.django_db
def test_the_demo_refuses_other_settings_than_the_try_out() -> None:
    with pytest.raises(CommandError):
        run("demo")
    assert not User.objects.filter(email="operator@demo.test").exists()


@pytest.mark.django_db
def test_the_demo_is_a_believable_company_with_each_login_in_one_tenant(settings: Any) -> None:
    settings.TRYOUT = True
    run("demo", seed=7)
    tenant = Organization.objects.get(name="Brandt & Keller Hausverwaltung")
    assert Community.objects.filter(tenant=tenant).count() == 3
    assert Unit.objects.filter(tenant=tenant).count() == 60
    assert Document.objects.filter(tenant=tenant).count() >= 36
    assert Folder.objects.filter(tenant=tenant).count() >= 40
    owner, renter = (
        Occupancy.objects.get(contact__user__email=f"{name}@demo.test", contact__user__isnull=False)
        for name in ("owner", "renter")
    )
    assert owner.unit != renter.unit
    for name in ("admin", "staff", "owner", "renter", "stranger"):
        tenants = Membership.objects.filter(user__email=f"{name}@demo.test").values_list("tenant", flat=True)
        assert len(tenants) == 1, name
    hashes = set(DocumentVersion.objects.values_list("blob__sha256", flat=True))
    assert run("demo", seed=7) == "The demo is there already.\n"
    assert len(hashes) > 12


def test_the_same_seed_makes_the_same_people() -> None:
    one, two, three = (orgs.demo._register(random.Random(seed)) for seed in (7, 7, 8))
    assert one == two
    assert one != three


REGISTER = "community_ref;unit_ref;contact_ref;last_name;role\n1;1;P1;Sommer;owner\n"


@pytest.fixture
def register(tmp_path: Path) -> Path:
    file = tmp_path / "register.csv"
    file.write_text(REGISTER, encoding="utf-8")
    return file


def test_import_register_imports_into_the_tenant_named(cast: Cast, register: Path) -> None:
    out = run("import_register", register, tenant=cast.tenant.pk)
    assert "community: 1 created, 0 changed" in out
    assert Community.objects.get(identifier="1").tenant == cast.tenant
    assert ImportRun.objects.get().state == "done"


def test_import_register_needs_the_tenant_when_there_are_several(cast: Cast, register: Path) -> None:
    with pytest.raises(CommandError, match="--tenant"):
        run("import_register", register)


def test_import_register_names_row_and_column_and_keeps_the_report(cast: Cast, register: Path) -> None:
    register.write_text(REGISTER + "1;2;P2;;owner\n", encoding="utf-8")
    err = io.StringIO()
    with pytest.raises(CommandError):
        call_command("import_register", register, tenant=cast.tenant.pk, stderr=err, stdout=io.StringIO())
    assert "3" in err.getvalue()
    assert "last_name" in err.getvalue()
    assert not Community.objects.filter(identifier="1").exists()
    kept = ImportRun.objects.get()
    assert (kept.state, kept.report[0][:2]) == ("refused", [3, "last_name"])


@pytest.mark.parametrize(
    ("tenant_language", "row", "end"),
    [("de", "Zeile 1, Spalte unit_ref: ", "1 Fehler; nichts wurde importiert."),
     ("en", "Row 1, column unit_ref: ", "1 error; nothing was imported.")],
)  # fmt: skip
def test_import_register_speaks_the_tenants_language_to_the_end(
    cast: Cast, register: Path, tenant_language: str, row: str, end: str
) -> None:
    Organization.objects.filter(pk=cast.tenant.pk).update(language=tenant_language)
    register.write_text("community_ref;unit\n1;2\n", encoding="utf-8")
    err = io.StringIO()
    with pytest.raises(CommandError, match=end):
        call_command("import_register", register, tenant=cast.tenant.pk, stderr=err, stdout=io.StringIO())
    assert row in err.getvalue()
    register.write_text(REGISTER + "1;2;P2;Sommer;owner;zu viel\n", encoding="utf-8")
    err = io.StringIO()
    with pytest.raises(CommandError, match=end):
        call_command("import_register", register, tenant=cast.tenant.pk, stderr=err, stdout=io.StringIO())
    assert "–" not in err.getvalue()


def test_import_register_says_when_the_file_is_not_there(cast: Cast) -> None:
    with pytest.raises(CommandError, match=r"missing\.csv"):
        run("import_register", Path("missing.csv"), tenant=cast.tenant.pk)


def test_explain_access_needs_a_known_person_and_object(cast: Cast) -> None:
    with pytest.raises(CommandError, match="nobody"):
        run("explain_access", "nobody", "folder:1")
    with pytest.raises(CommandError, match="folder:ID"):
        run("explain_access", cast.renter.email, "cupboard:1")
    with pytest.raises(CommandError, match="no folder"):
        run("explain_access", cast.renter.email, "folder:999999999")
