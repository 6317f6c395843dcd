"""A page that meets the deletion of what it is about, or a deadlock, is answered by what there is then; nothing of the attempt
that was undone shows."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection

from core import scope
from core.models import SystemLog
from core.once import FIELD, mark
from core.outages import ATTEMPTS
from docms.models import Document, Folder, FolderMark, Group, ReadMark
from docms.services import documents, folders, groups
from orgs import middleware
from orgs.models import AccessToken, Membership
from tests.cast import PASSWORD
from tests.factories import manual_group
from tests.orgs.test_admin_people import form_of
from tests.portal.pages import house_folder, paper, signed_in
from tests.portal.test_web_api_tokens import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object], times: int = 1) -> list[str]:
    """So many times, when a view is through and its transaction still open, something happens. Returns the requests."""
    plain, seen = middleware._in_unit, []

    def unit(request: Any, view: Any, args: Any, kwargs: Any) -> Any:
        def through(*args: Any, **kwargs: Any) -> Any:
            seen.append(f"{request.method} {request.path}")
            response = view(*args, **kwargs)
            if len(seen) <= times:
                happens()
            return response

        return plain(request, through, args, kwargs)

    monkeypatch.setattr(middleware, "_in_unit", unit)
    return seen


def elsewhere(does: Callable[[], object]) -> Callable[[], None]:
    """The same, done on another connection to its end."""

    def run() -> None:
        try:
            with scope.unit_of_work(door="test"):
                does()
        finally:
            connection.close()

    def happens() -> None:
        other = threading.Thread(target=run)
        other.start()
        other.join(20)
        assert not other.is_alive(), "it waits for this transaction"

    return happens


def deadlock() -> None:
    """This transaction is the victim."""
    raise OperationalError("deadlock detected") from psycopg.errors.DeadlockDetected("deadlock detected")


def folder_goes(cast: Cast, where: Folder) -> Callable[[], None]:
    """An administrator deletes the folder."""
    return elsewhere(lambda: folders.delete_folder(actor=cast.actor("admin"), folder=Folder.objects.get(pk=where.pk)))


def texts(response: Any) -> list[str]:
    """What the page says above its content."""
    return [str(message) for message in get_messages(response.wsgi_request)]


# --- What goes meanwhile ----------------------------------------------------------------------------------


def test_a_star_on_a_folder_that_goes_is_not_found(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    where = house_folder(cast)
    client = signed_in(cast.renter)
    seen = meanwhile(monkeypatch, folder_goes(cast, where))
    assert client.post(f"/app/folders/{where.pk}/favourite", {"on": "1"}).status_code == 404
    assert len(seen) == 2
    assert not FolderMark.objects.exists()
    assert not SystemLog.objects.exists()


def test_a_mark_on_a_paper_that_goes_is_not_found(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    one = paper(cast, house_folder(cast))
    client = signed_in(cast.renter)
    meanwhile(
        monkeypatch,
        elsewhere(
            lambda: documents.delete_document(document=Document.objects.get(pk=one.pk), actor=cast.actor("admin"))
        ),
    )
    assert client.post(f"/app/documents/{one.pk}/mark-read").status_code == 404
    assert not ReadMark.objects.exists()


def test_a_form_that_was_open_while_a_choice_went_names_its_field(cast: Cast) -> None:
    where, client = house_folder(cast, "Oben"), signed_in(cast.admin)
    url = "/admin/docms/folder/add/"
    form = form_of(client, url) | {"name": "Unten", "parent": where.pk}
    folder_goes(cast, where)()
    answer = client.post(url, form)
    assert answer.context["adminform"].form.errors.keys() == {"parent"}
    assert not Folder.objects.filter(name="Unten").exists()


def test_a_group_that_goes_is_no_choice_of_a_folder(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with scope.unit_of_work(door="test"):
        group = manual_group(cast, "Beirat", "owner")
    where, client = house_folder(cast), signed_in(cast.admin)
    url = f"/admin/docms/folder/{where.pk}/change/"
    form = form_of(client, url) | {"groups": [group.pk]}
    gone = elsewhere(lambda: groups.delete_group(actor=cast.actor("admin"), group=Group.objects.get(pk=group.pk)))
    meanwhile(monkeypatch, gone)
    answer = client.post(url, form)
    assert answer.context["adminform"].form.errors.keys() == {"groups"}


# --- Deadlocks --------------------------------------------------------------------------------------------


def test_a_deadlock_is_tried_again_and_told_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    where, client = house_folder(cast), signed_in(cast.admin)
    url = f"/admin/docms/folder/{where.pk}/change/"
    form = form_of(client, url) | {"name": "Neu"}
    seen = meanwhile(monkeypatch, deadlock)
    answer = client.post(url, form)
    assert answer.status_code == 302
    assert len(seen) == 2
    assert len(texts(client.get(answer["Location"]))) == 1
    assert Folder.objects.get(pk=where.pk).name == "Neu"


def test_it_is_not_tried_for_ever(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    where, client = house_folder(cast), signed_in(cast.renter)
    client.raise_request_exception = False
    seen = meanwhile(monkeypatch, deadlock, times=99)
    answer = client.post(f"/app/folders/{where.pk}/favourite", {"on": "1"})
    assert (answer.status_code, len(seen)) == (503, ATTEMPTS)
    assert answer["Retry-After"]
    assert not FolderMark.objects.exists()


def test_a_mistake_is_not_made_twice(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def mistake() -> None:
        raise ZeroDivisionError

    where, client = house_folder(cast), signed_in(cast.renter)
    client.raise_request_exception = False
    seen = meanwhile(monkeypatch, mistake, times=99)
    assert client.post(f"/app/folders/{where.pk}/favourite", {"on": "1"}).status_code == 500
    assert len(seen) == 1


def test_a_secret_is_still_shown_the_second_time(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its form is good once; that it was sent is remembered outside of the transaction."""
    client = signed_in(cast.staff)
    form = {"name": "Skript", "may_write": "write", "days": "90", "password": PASSWORD, FIELD: mark()}
    meanwhile(monkeypatch, deadlock)
    answer = client.post("/app/profile/tokens", form)
    assert shown(answer)
    client.post("/app/profile/tokens", form)
    assert AccessToken.objects.filter(kind="personal").count() == 1


def test_a_new_password_leaves_the_browser_signed_in(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session gets a new key with it, which was undone with the first attempt."""
    client = signed_in(cast.renter)
    seen = meanwhile(monkeypatch, deadlock)
    form = {"current": PASSWORD, "new": "Ein-neuer-Satz-2"}
    assert client.post("/app/profile/password", form).status_code == 302
    assert len(seen) == 2
    assert client.get("/app/profile").status_code == 200
    cast.renter.refresh_from_db()
    assert cast.renter.check_password("Ein-neuer-Satz-2")


def test_files_are_asked_for_again(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have been read with the attempt that was undone: whoever sends them is told to try again."""
    Membership.objects.filter(user=cast.renter, organization=cast.tenant).update(upload_file_perm=True)
    where, client = house_folder(cast), signed_in(cast.renter)
    client.raise_request_exception = False
    seen = meanwhile(monkeypatch, deadlock)
    url = f"/app/c/{cast.house_a.pk}/info/documents/upload?folder={where.pk}"
    answer = client.post(url, {"files": [SimpleUploadedFile("brief.txt", b"Inhalt")]})
    assert (answer.status_code, len(seen)) == (503, 1)
    assert not Document.objects.exists()
