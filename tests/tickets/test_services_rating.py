"""Rating a ticket that is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Conflict, Denied, Invalid, NotFound
from core.models import AuditEntry
from tickets.models import Ticket
from tickets.services import changes, comments, rating

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File


@pytest.fixture
def closed(cast: Cast, file: File) -> Ticket:
    """Filed by the renter, closed by the staff."""
    return changes.set_status(actor=cast.actor("staff"), ticket=file(), status="closed", source="back_office").ticket


def test_the_last_word_counts(cast: Cast, closed: Ticket) -> None:
    rating.rate(actor=cast.actor("renter"), ticket=closed, rating=2, comment=" Langsam. ")
    rating.rate(actor=cast.actor("renter"), ticket=closed, rating=4)
    closed.refresh_from_db()
    assert (closed.rating, closed.rating_comment) == (4, "")
    assert closed.rated_at is not None
    assert AuditEntry.objects.filter(object_id=str(closed.pk), verb="rated").count() == 2


@pytest.mark.rule("PORTAL-071")
@pytest.mark.parametrize("status", ["new", "reopened", "in_progress", "waiting", "solved", "closed"])
def test_only_what_is_done_is_rated_and_opening_it_again_clears_it(cast: Cast, file: File, status: str) -> None:
    ticket = file()
    staff, renter = cast.actor("staff"), cast.actor("renter")
    changes.set_status(actor=staff, ticket=ticket, status=status, source="back_office")
    if status not in ("solved", "closed"):
        with pytest.raises(Conflict) as refused:
            rating.rate(actor=renter, ticket=ticket, rating=5)
        assert (refused.value.code, refused.value.status) == ("not_closed", 409)
        return
    assert rating.rate(actor=renter, ticket=ticket, rating=5, comment="Danke").rating == 5
    comments.add_comment(actor=renter, ticket=ticket, source="web", text="Es tropft wieder.")
    ticket.refresh_from_db()
    assert (ticket.status, ticket.rating, ticket.rating_comment, ticket.rated_at) == ("reopened", None, "", None)


@pytest.mark.rule("PORTAL-071")
@pytest.mark.parametrize("who", ["staff", "admin", "owner", "additional", "neighbour", "stranger", "operator"])
def test_only_who_filed_it_rates(cast: Cast, closed: Ticket, who: str) -> None:
    Ticket.objects.filter(pk=closed.pk).update(shared_with=[f"c:{cast.house_a.pk}"])
    with pytest.raises(Denied) as refused:
        rating.rate(actor=cast.actor(who), ticket=closed, rating=1)
    assert refused.value.status == 403
    closed.refresh_from_db()
    assert closed.rating is None


@pytest.mark.rule("PORTAL-071")
def test_where_staff_filed_it_for_somebody_that_person_rates(cast: Cast, file: File) -> None:
    ticket = file("staff", requester=cast.contact("renter"))
    changes.set_status(actor=cast.actor("staff"), ticket=ticket, status="solved", source="back_office")
    with pytest.raises(Denied):
        rating.rate(actor=cast.actor("staff"), ticket=ticket, rating=5)
    assert rating.rate(actor=cast.actor("renter"), ticket=ticket, rating=3).rating == 3


@pytest.mark.parametrize("wrong", [0, 6, -1, True, 3.5, "5", None])
@pytest.mark.rule("PORTAL-071")
def test_other_numbers_are_refused(cast: Cast, closed: Ticket, wrong: Any) -> None:
    with pytest.raises(Invalid) as refused:
        rating.rate(actor=cast.actor("renter"), ticket=closed, rating=wrong)
    assert list(refused.value.fields) == ["rating"]


@pytest.mark.parametrize("wrong", ["x" * 2001, "a\x00b"])
def test_a_comment_that_cannot_be_stored_is_refused(cast: Cast, closed: Ticket, wrong: str) -> None:
    with pytest.raises(Invalid) as refused:
        rating.rate(actor=cast.actor("renter"), ticket=closed, rating=5, comment=wrong)
    assert list(refused.value.fields) == ["comment"]


def test_a_rating_is_no_activity(cast: Cast, closed: Ticket) -> None:
    closed.refresh_from_db()
    before = closed.updated_at, closed.activities.count()
    rating.rate(actor=cast.actor("renter"), ticket=closed, rating=5)
    closed.refresh_from_db()
    assert (closed.updated_at, closed.activities.count()) == before


def test_a_deleted_ticket_is_not_found(cast: Cast, closed: Ticket) -> None:
    changes.delete(actor=cast.actor("staff"), ticket=closed)
    with pytest.raises(NotFound):
        rating.rate(actor=cast.actor("renter"), ticket=closed, rating=5)
