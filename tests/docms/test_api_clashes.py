"""A request that meets the deletion of what it is about is answered by what there is then: never by 500, never half."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.db import OperationalError, connection

from core.api import DoorView
from core.models import SystemLog
from core.outages import ATTEMPTS
from docms.api.files import OneFile
from docms.models import Document
from tests.docms.door import NO_FLAGS, Caller, b64, make_folder, make_group, signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(cast: Cast) -> Caller:
    """The administrator with all document flags."""
    return signed_in(cast.admin, cast.tenant)


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> list[str]:
    """Once, when a view is through and its transaction still open, something is done elsewhere. Returns the requests."""
    plain, seen, left = DoorView._handler, [], [happens]

    def elsewhere() -> None:
        try:
            left.pop()()
        finally:
            connection.close()

    def through(self: DoorView, request: Any) -> Any:
        handler = plain(self, request)

        def run(*args: Any, **kwargs: Any) -> Any:
            seen.append(f"{request.method} {request.path}")
            answer = handler(*args, **kwargs)
            if left:
                other = threading.Thread(target=elsewhere)
                other.start()
                other.join(20)
                assert not other.is_alive(), "it waits for this transaction"
            return answer

        return run

    monkeypatch.setattr(DoorView, "_handler", through)
    return seen


PERMISSION = {"active": True, **NO_FLAGS}
TEXT = {"subject": "Ordner"}


@pytest.mark.rule("DOCMS-180")
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/folders/{folder}", None, 404),
        ("POST", "/favorites/{folder}", None, 404),
        ("POST", "/groups", {"name": "Neu", "folder_ids": ["{folder}"]}, 400),
        ("PUT", "/folders/{other}", {"group_ids": ["{group}"]}, 400),
        ("POST", "/folders", {"name": "Neu", "group_ids": ["{group}"]}, 400),
        (
            "POST", "/users",
            {"username": "neu", "email": "neu@quartier.test", "name": "Neu", "group_ids": ["{group}"]}, 400,
        ),
        ("PUT", "/users/{renter}", {"group_ids": ["{group}"]}, 400),
        ("PUT", "/folders/{folder}/permissions/{renter}", PERMISSION, 404),
        ("PUT", "/folders/{folder}/mail-template/share", TEXT, 404),
    ],
)  # fmt: skip
def test_what_goes_meanwhile_is_answered_as_gone(
    cast: Cast, admin: Caller, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: Any, status: int
) -> None:
    group = make_group(admin, "Alle", cast.admin.pk)
    folder, other = make_folder(admin, "Papiere", group), make_folder(admin, "Andere")
    ids = {"folder": folder, "other": other, "group": group, "renter": cast.renter.pk}

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [int(inner.format(**ids)) for inner in value]
        return value

    def goes() -> None:
        what = f"/groups/{group}" if "{group}" in str(body) else f"/folders/{folder}"
        signed_in(cast.admin, cast.tenant).ok("DELETE", what)

    meanwhile(monkeypatch, goes)
    answer = admin.call(method, path.format(**ids), filled(body))
    assert answer.status == status, answer.raw
    assert answer.body["status"] == status
    assert not SystemLog.objects.exists()


def test_a_deadlock_is_tried_again(cast: Cast, admin: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_folder(admin, "Papiere")
    file = admin.upload(folder)["file_id"]
    calls = _deadlocks(monkeypatch, 1)
    assert admin.ok("PUT", f"/files/{file}", {"title": "Neu"})["title"] == "Neu"
    assert len(calls) == 2


def test_it_is_not_tried_for_ever(cast: Cast, admin: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_folder(admin, "Papiere")
    file = admin.upload(folder)["file_id"]
    calls = _deadlocks(monkeypatch, 99)
    admin.refused("PUT", f"/files/{file}", 503, {"title": "Neu"})
    assert len(calls) == ATTEMPTS
    assert Document.objects.get(pk=file).title != "Neu"


def test_content_in_json_is_still_there_the_second_time(
    cast: Cast, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder(admin, "Papiere")
    file = admin.upload(folder)["file_id"]
    calls = _deadlocks(monkeypatch, 1)
    admin.ok("PUT", f"/files/{file}", {"file_data": b64(b"zweiter Inhalt")})
    assert len(calls) == 2
    assert admin.ok("GET", f"/files/{file}/download")["data"] == b64(b"zweiter Inhalt")


def _deadlocks(monkeypatch: pytest.MonkeyPatch, times: int) -> list[int]:
    """So many changes of a document end as the victim of a deadlock, when everything is written."""
    plain, calls = OneFile.put, []

    def put(self: OneFile, *args: Any, **kwargs: Any) -> Any:
        answer = plain(self, *args, **kwargs)
        calls.append(1)
        if len(calls) <= times:
            raise OperationalError("deadlock detected") from psycopg.errors.DeadlockDetected("deadlock detected")
        return answer

    monkeypatch.setattr(OneFile, "put", put)
    return calls
