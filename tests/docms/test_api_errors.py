"""The dialect of errors: one shape for whatever goes wrong."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError
from django.utils.translation import gettext, override

from core.framework_texts import TEXTS
from core.models import SystemLog
from docms.api import errors, folders
from docms.models import Group
from tests.docms.door import ERROR_FIELDS, Caller, contract, login, signed_in

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(cast: Cast) -> Caller:
    """An administrator."""
    return signed_in(cast.admin, cast.tenant)


@pytest.mark.rule("DOCMS-180")
def test_every_error_has_five_fields(cast: Cast, admin: Caller) -> None:
    renter = signed_in(cast.renter, cast.tenant)
    bodies = [
        admin.refused("POST", "/groups", 400, {"name": ""}),
        admin.refused("POST", "/groups", 400, data="{", content_type="application/json"),
        admin.refused("POST", "/groups", 400, data="[]", content_type="application/json"),
        admin.refused("POST", "/groups", 400, data='"\\u0000"', content_type="application/json"),
        admin.refused("POST", "/groups", 400, data="[" * 200 + "]" * 200, content_type="application/json"),
        Caller().refused("GET", "/folders", 401),
        renter.refused("POST", "/groups", 403, {"name": "x"}),
        admin.refused("GET", "/groups/99999999999999999999", 404),
        admin.refused("GET", "/no/such/path", 404),
        admin.refused("GET", "/folders/", 404),
        admin.refused("PATCH", "/groups", 405, {}),
        admin.refused("DELETE", "/files/unread", 405),
        admin.refused("POST", "/groups", 413, {"name": "x" * 2_000_000}),
        admin.refused("POST", "/groups", 415, data="name=x", content_type="text/csv"),
        admin.refused("GET", "/deleted-files?limit=0", 400),
        admin.refused("GET", "/deleted-files?offset=-1", 400),
        admin.refused("GET", "/folders?all=%00", 400),
    ]
    for body in bodies:
        assert body.keys() == ERROR_FIELDS
        assert body["path"].startswith("/docms/api/v1/")
        assert body["message"]
        moment = datetime.datetime.fromisoformat(body["timestamp"])
        assert abs((datetime.datetime.now(datetime.UTC) - moment).total_seconds()) < 60
    assert bodies[0]["error"] == "Bad Request"


def test_our_own_errors_speak_the_dialect_and_reach_the_system_log(
    cast: Cast, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: Any) -> None:
        Group.objects.create(tenant=cast.tenant, name="halb fertig")
        raise IntegrityError("password=geheim went wrong")

    monkeypatch.setattr(folders.folders, "create_folder", broken)
    body = admin.refused("POST", "/folders", 500, {"name": "x"})
    assert "geheim" not in str(body)
    assert "IntegrityError" not in str(body)
    entry = SystemLog.objects.get()
    assert (entry.user_id, entry.tenant_id, entry.category) == (cast.admin.pk, cast.tenant.pk, "backend")
    assert entry.action == "POST /docms/api/v1/folders"
    assert "IntegrityError" in entry.stacktrace
    assert "geheim" not in entry.stacktrace
    assert not Group.objects.exists()  # nothing half-done


def test_refusals_undo_what_was_written(cast: Cast, admin: Caller) -> None:
    body = {"name": "Neu", "user_ids": [cast.renter.pk], "folder_ids": [999999]}
    admin.refused("POST", "/groups", 400, body)
    assert not Group.objects.exists()


@pytest.mark.rule("DOCMS-181")
def test_401_is_about_tokens_and_403_about_rights(cast: Cast) -> None:
    renter = signed_in(cast.renter, cast.tenant)
    for method, path in (("GET", "/users"), ("GET", "/maillogs"), ("GET", "/deleted-files"), ("POST", "/folders")):
        Caller().refused(method, path, 401, {} if method == "POST" else None)
        Caller("falsch").refused(method, path, 401, {} if method == "POST" else None)
        login("renter").refused(method, path, 401, {} if method == "POST" else None)
        renter.refused(method, path, 403, {} if method == "POST" else None)


def test_unknown_fields_are_ignored(cast: Cast, admin: Caller) -> None:
    made = admin.ok("POST", "/groups", {"name": "G", "colour": "red", "group_id": 5})
    assert made["name"] == "G"


@pytest.mark.parametrize("body", ["null", "[1]", '"x"'])
@pytest.mark.parametrize(("method", "path"), [("POST", "/groups"), ("POST", "/files"), ("PUT", "/tenants/current")])
def test_a_body_that_is_no_object_gets_one_sentence(admin: Caller, method: str, path: str, body: str) -> None:
    refusal = admin.refused(method, path, 400, data=body, content_type="application/json", HTTP_ACCEPT_LANGUAGE="de")
    assert refusal["message"] == "Der Inhalt der Anfrage muss ein JSON-Objekt sein."


def test_a_list_of_errors_that_is_no_list_gets_one_sentence(admin: Caller) -> None:
    assert "JSON" in admin.refused("POST", "/systemlogs", 400, {})["message"]


def test_a_form_without_boundary_gets_our_own_sentence(admin: Caller) -> None:
    refusal = admin.refused("POST", "/files", 400, data="x", content_type="multipart/form-data")
    assert "boundary" in refusal["message"]
    assert "Multipart" not in refusal["message"]


def test_the_frameworks_texts_speak_as_the_house_does(admin: Caller) -> None:
    with override("de"):
        texts = [gettext(text) for text in TEXTS]
    assert not [text for text in texts if text.split()[0] in ("Stelle", "Gib", "Lade") or "Nutze" in text]


def test_every_stable_code_of_the_contract_is_spoken() -> None:
    error = contract()["components"]["schemas"]["Error"]
    assert set(error["x-message-codes"]) <= set(errors._MESSAGES.values())
