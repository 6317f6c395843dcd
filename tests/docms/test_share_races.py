"""A document that is deleted while somebody outside fetches it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from core import scope
from core.errors import NotFound
from docms.models import Document
from docms.services import documents, shares
from tests.docms.door import make_folder, make_group, signed_in
from tests.docms.test_api_shares import set_up, shared

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cast import Cast
    from tests.gateway import Gateway

pytestmark = pytest.mark.django_db(transaction=True)


def test_whoever_was_first_is_served_and_the_other_waits(cast: Cast, gateway: Gateway) -> None:
    """Both lock the document before its share: neither is the victim of a deadlock."""
    admin = signed_in(cast.admin, cast.tenant)
    set_up(cast, gateway.url)
    folder = make_folder(admin, "Verträge", make_group(admin, "Alle", cast.renter.pk))
    file = admin.upload(folder, title="Kaufvertrag", filename="kauf.pdf")["file_id"]
    _id, token, code = shared(admin, file)
    admitted, outcomes = threading.Event(), []

    def fetching() -> None:
        row = shares.admit(token=token, code=code)
        admitted.set()
        time.sleep(0.5)  # the deletion is waiting by now
        shares.fetch(row)

    def deleting() -> None:
        assert admitted.wait(10)
        actor = cast.actor("admin")
        documents.delete_document(document=Document.objects.get(pk=file), actor=actor)

    def run(what: Callable[[], None]) -> None:
        try:
            with scope.unit_of_work(door="test"), scope.all_tenants():
                what()
            outcomes.append("done")
        except Exception as error:
            outcomes.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(what,)) for what in (fetching, deleting)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert outcomes == ["done", "done"]
    assert not Document.objects.filter(pk=file).exists()
    with scope.unit_of_work(door="test"), pytest.raises(NotFound):
        shares.admit(token=token, code=code)
