"""Who asks for the tickets of `_help_desk`, and what for: one JSON object. Run inside the environment of `b8`'s world."""

from __future__ import annotations

import json
import sys
from typing import Any

from script.benches._help_desk import first_house


def visitor() -> dict[str, Any]:
    """Credentials of the clerk and of whoever files, and what they ask for. What is filed goes to another house than the
    one that is read, so that this one stays as it was filled.
    """
    from django.utils import timezone

    from orgs.models import Community, User
    from orgs.services import tokens
    from tickets.models import Ticket, TicketActivity

    house, other = first_house(), Community.objects.latest("id")
    filer = User.objects.filter(contacts__occupancies__unit__community=other).earliest("id")
    found: dict[str, Any] = {
        "community": str(house.uuid), "community_id": house.pk, "filing": str(other.uuid), "filing_id": other.pk,
        "filer_email": filer.email,
    }  # fmt: skip
    for name, user in (("staff", User.objects.get(email="staff@demo.test")), ("filer", filer)):
        public = f"bench-{name}-{timezone.now().timestamp()}"
        secret, _row = tokens.issue(
            kind="basic", user=user, organization=house.tenant, public_id=public, scopes=["support"], expires_in=None
        )
        found[name] = [public, secret]
    longest = TicketActivity.objects.filter(ticket__community=house).latest("id").ticket
    count = Ticket.objects.filter(community=house).count()
    return found | {"thread": str(longest.uuid), "thread_id": longest.pk, "count": count}


def main() -> None:
    """New credentials each time."""
    import django

    django.setup()
    from core import scope

    with scope.unit_of_work(door="command"), scope.all_tenants():
        json.dump(visitor(), sys.stdout)


if __name__ == "__main__":
    main()
