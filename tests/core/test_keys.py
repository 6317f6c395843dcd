"""`rotate_keys`: an old key can go once every stored secret is encrypted with the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.core.management import CommandError, call_command
from django.db import connection

from core.models import AuditEntry
from core.services import keys
from orgs.models import OrganizationSettings, SecondFactor
from orgs.services import second_factor

if TYPE_CHECKING:
    from tests.cast import Cast

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _number in range(3))


@pytest.fixture
def kept(cast: Cast, settings: Any) -> Cast:
    """Secrets of two companies and of a person, encrypted with the old key."""
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    for tenant in (cast.tenant, cast.other_tenant):
        row = OrganizationSettings.objects.get(organization=tenant)
        row.mail_password, row.sms_api_key = f"Geheim {tenant.pk}", ""
        row.save()
    second_factor.start(cast.renter)
    return cast


def stored() -> list[str]:
    """As the database holds them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT mail_password FROM orgs_organizationsettings ORDER BY id")
        return [value for (value,) in cursor.fetchall()]


def test_every_encrypted_column_is_known() -> None:
    """A new one is found by its type; this list only says what there was to see."""
    assert {
        ("orgs_organizationsettings", "mail_password"),
        ("orgs_organizationsettings", "sms_api_key"),
        ("orgs_installationsettings", "mail_password"),
        ("orgs_identityprovider", "client_secret"),
        ("orgs_invite", "code"),
        ("orgs_secondfactor", "secret"),
    } <= set(keys.columns())


def test_afterwards_the_new_key_alone_opens_everything(kept: Cast, settings: Any) -> None:
    secret = SecondFactor.objects.get(user=kept.renter).secret
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    call_command("rotate_keys")
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    for tenant in (kept.tenant, kept.other_tenant):
        assert OrganizationSettings.objects.get(organization=tenant).mail_password == f"Geheim {tenant.pk}"
    assert SecondFactor.objects.get(user=kept.renter).secret == secret


def test_without_it_the_new_key_alone_opens_nothing(kept: Cast, settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    with pytest.raises(InvalidToken):
        OrganizationSettings.objects.get(organization=kept.tenant)


def test_a_second_run_changes_nothing(kept: Cast, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    call_command("rotate_keys")
    before = stored()
    assert "orgs_organizationsettings.mail_password: 2 of 2 renewed" in capsys.readouterr().out
    call_command("rotate_keys")
    assert stored() == before
    assert "orgs_organizationsettings.mail_password: 0 of 2 renewed" in capsys.readouterr().out


def test_batches_cover_every_row(kept: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "BATCH", 1)
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    assert sum(found.renewed for found in keys.rotate()) >= 3


def test_neither_audit_nor_revision_tell_of_it(kept: Cast, settings: Any) -> None:
    row = OrganizationSettings.objects.get(organization=kept.tenant)
    entries = AuditEntry.objects.count()
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    call_command("rotate_keys")
    assert OrganizationSettings.objects.get(pk=row.pk).row_version == row.row_version
    assert AuditEntry.objects.count() == entries


def test_what_no_key_opens_is_named_and_the_rest_renewed(
    kept: Cast, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = Fernet(OTHER).encrypt(b"x").decode()
    row = OrganizationSettings.objects.filter(organization=kept.tenant).values_list("pk", flat=True).get()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orgs_organizationsettings SET mail_password = %s WHERE id = %s", [foreign, row])
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    with pytest.raises(CommandError, match="No key opens 1 values"):
        call_command("rotate_keys")
    out = capsys.readouterr().out
    assert f"row {row}: no key opens it" in out
    assert "orgs_organizationsettings.mail_password: 1 of 2 renewed" in out
    assert foreign in stored()
    assert OTHER not in out and foreign not in out
