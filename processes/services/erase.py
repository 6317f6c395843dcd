"""What this floor drops of somebody who is erased. Cases stay with the company until their period is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from processes.models import Process, ProcessClerk

if TYPE_CHECKING:
    from orgs.models import Contact, User


def person(user: User) -> None:
    """Take an account out of the cases that it works on. Joins the running transaction."""
    ProcessClerk.objects.filter(membership__user=user).delete()


def open_of(contact: Contact) -> list[str]:
    """The numbers of cases about a person, and of those with a work order for it, that are not finished."""
    running = Process.objects.filter(is_finished=False, deleted_at=None)
    about = running.filter(contact=contact).values_list("number", flat=True)
    ordered = running.filter(work_orders__contact=contact).values_list("number", flat=True)
    return [str(number) for number in sorted({*about, *ordered})]


def work_of(user: User) -> list[str]:
    """The unfinished cases that an account works on."""
    running = ProcessClerk.objects.filter(membership__user=user, process__is_finished=False, process__deleted_at=None)
    return [f"case {number}" for number in running.order_by("process").values_list("process__number", flat=True)]
