"""Counters of failures that must not be forgotten, and mails that must not be too many."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from core import scope
from core.models import Throttle
from core.services import throttle
from orgs.models import OneTimeLink
from orgs.services import passwords
from orgs.services.sign_in import sign_in_locking
from tests.cast import PASSWORD, Cast
from tests.factories import at_once
from tests.portal.pages import signed_in

HOUR = datetime.timedelta(minutes=61)


def fail_at_docms(identifier: str, times: int) -> None:
    """Wrong passwords at the docms door."""
    for _time in range(times):
        assert sign_in_locking(identifier=identifier, password="falsch", ip="198.51.100.1").outcome == "refused"


def an_hour_later() -> None:
    """Time passes, and the job that tidies up runs."""
    Throttle.objects.update(last_failure_at=timezone.now() - HOUR)
    throttle.forget_idle()


@pytest.mark.rule("DOCMS-038")
def test_four_failures_an_hour_lock_an_account_in_the_end(cast: Cast) -> None:
    fail_at_docms(cast.renter.email, 4)
    an_hour_later()
    fail_at_docms(cast.renter.email, 1)
    assert sign_in_locking(identifier=cast.renter.email, password=PASSWORD, ip=None).outcome == "refused"
    assert Throttle.objects.get().locks == 1


def test_names_that_nobody_has_are_forgotten(cast: Cast) -> None:
    fail_at_docms("niemand@quartier.test", 6)
    an_hour_later()
    assert not Throttle.objects.exists()


def test_waits_are_forgotten_and_locks_stay(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        for counter in passwords.account_counters(cast.renter):
            throttle.fail(counter)
    an_hour_later()
    assert [row.policy for row in Throttle.objects.all()] == ["lock"]


@pytest.mark.rule("DOCMS-036")
def test_administrators_send_three_links_an_hour_too(cast: Cast) -> None:
    client = signed_in(cast.admin)
    url = f"/admin/orgs/membership/{cast.membership('renter').pk}/password-link/"
    said = [str(*client.post(url, follow=True).context["messages"]) for _time in range(4)]
    assert OneTimeLink.objects.filter(user=cast.renter).count() == 3
    assert said[0] == said[2] != said[3]
    passwords.request_reset(cast.renter.email)
    assert OneTimeLink.objects.filter(user=cast.renter).count() == 3


@pytest.mark.rule("DOCMS-036")
@pytest.mark.django_db(transaction=True)
def test_requests_at_once_send_no_more_than_three(cast: Cast) -> None:
    def ask() -> None:
        with scope.unit_of_work(door="test"), scope.all_tenants():
            passwords.request_reset(cast.renter.email)

    at_once(*[ask] * 6)
    assert OneTimeLink.objects.filter(user=cast.renter).count() == 3
