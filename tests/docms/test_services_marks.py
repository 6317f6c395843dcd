"""Done marks, favourites, the folder opened last."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from core.errors import Denied, NotFound
from core.services import rows
from docms.models import DocumentLog, FolderMark
from docms.services import folders, marks
from tests.factories import at_once, folder, manual_group, publish

if TYPE_CHECKING:
    from tests.cast import Cast


@pytest.mark.rule("DOCMS-129")
def test_checking_off_needs_the_right_and_stores_who_and_when(cast: Cast) -> None:
    switched = manual_group(cast, "Mit Haken", "renter", show_check_mark=True)
    plain = manual_group(cast, "Ohne Haken", "owner")
    paper = publish(cast, folder(cast, group=[switched, plain], show_check_mark=True))
    with pytest.raises(Denied):
        marks.set_done(document_id=paper.pk, actor=cast.actor("owner"), done=True)
    before = timezone.now()
    done = marks.set_done(document_id=paper.pk, actor=cast.actor("renter"), done=True)
    assert done.done
    assert done.done_by == cast.renter
    assert done.done_at is not None
    assert done.done_at >= before
    undone = marks.set_done(document_id=paper.pk, actor=cast.actor("renter"), done=False)
    assert not undone.done
    assert undone.done_at is not None
    assert undone.done_at > done.done_at
    actions = DocumentLog.objects.filter(document_id=paper.pk, user=cast.renter).values_list("action", flat=True)
    assert list(actions) == ["check", "uncheck"]


@pytest.mark.rule("DOCMS-130")
def test_the_mark_is_shared_and_setting_it_again_changes_nothing(cast: Cast) -> None:
    switched = manual_group(cast, "Mit Haken", "renter", "owner", show_check_mark=True)
    paper = publish(cast, folder(cast, group=switched, show_check_mark=True))
    first = marks.set_done(document_id=paper.pk, actor=cast.actor("renter"), done=True)
    again = marks.set_done(document_id=paper.pk, actor=cast.actor("owner"), done=True)
    assert (again.done_at, again.done_by, again.row_version) == (first.done_at, cast.renter, first.row_version)
    assert DocumentLog.objects.filter(action="check").count() == 1
    assert marks.set_done(document_id=paper.pk, actor=cast.actor("owner"), done=False).done_by == cast.owner


@pytest.mark.django_db(transaction=True)
def test_two_who_check_off_at_once_leave_one_entry(cast: Cast) -> None:
    switched = manual_group(cast, "Mit Haken", "renter", "owner", show_check_mark=True)
    paper = publish(cast, folder(cast, group=switched, show_check_mark=True))
    at_once(
        *[
            lambda who=who: marks.set_done(document_id=paper.pk, actor=cast.actor(who), done=True)
            for who in ("renter", "owner")
        ]
    )
    assert DocumentLog.objects.filter(action="check").count() == 1


@pytest.mark.rule("DOCMS-141")
def test_favourites_belong_to_one_person_and_hide_with_their_folder(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter", "owner"))

    def favourites(who: str) -> int:
        return FolderMark.objects.visible_to(cast.actor(who)).filter(is_favourite=True).count()

    for _twice in range(2):
        marks.set_favourite(folder_id=where.pk, actor=cast.actor("renter"), on=True)
    assert (favourites("renter"), favourites("owner"), FolderMark.objects.count()) == (1, 0, 1)
    rows.change(where, {"inactive_at": timezone.now()})
    folders.change_folder(
        actor=cast.actor("admin"), folder=where, changes={"inactive_at": timezone.now() - datetime.timedelta(hours=1)}
    )
    assert favourites("renter") == 0
    with pytest.raises(NotFound):
        marks.set_favourite(folder_id=where.pk, actor=cast.actor("renter"), on=False)
    folders.change_folder(actor=cast.actor("admin"), folder=where, changes={"inactive_at": None})
    assert favourites("renter") == 1
    marks.set_favourite(folder_id=where.pk, actor=cast.actor("renter"), on=False)
    assert favourites("renter") == 0
    with pytest.raises(NotFound):
        marks.set_favourite(folder_id=where.pk, actor=cast.actor("guest"), on=True)


def test_the_folder_opened_last_is_remembered_beside_the_favourite(cast: Cast) -> None:
    one, two = folder(cast, "Eins"), folder(cast, "Zwei")
    membership = cast.membership("admin")
    marks.set_favourite(folder_id=one.pk, actor=cast.actor("admin"), on=True)
    for opened in (one, two, one):
        marks.opened(opened, membership)
    assert FolderMark.objects.filter(membership=membership).latest("opened_at").folder == one
    assert FolderMark.objects.get(folder=one).is_favourite
    assert not FolderMark.objects.get(folder=two).is_favourite
