"""Signs a resident in for a bench, at each door, and prints what the bench needs to ask: one JSON object.

Run inside the environment of `_world.World`.
"""

from __future__ import annotations

import datetime
import json
import sys
from typing import Any


def main() -> None:
    """For the first renter, whom the demo made like every other one."""
    import django

    django.setup()
    from core import scope

    with scope.unit_of_work(door="command"), scope.all_tenants():
        json.dump(found(), sys.stdout)


def found() -> dict[str, Any]:
    """Token, session and what they open."""
    from docms.models import Document, Folder
    from orgs.actor import actor_for
    from orgs.models import Contact, Occupancy, User
    from orgs.services import tokens

    user = User.objects.get(email="renter@demo.test")
    contact = Contact.objects.select_related("tenant").get(user=user)
    tenant = contact.tenant
    community = Occupancy.objects.get(contact=contact).unit.community
    token, row = tokens.issue(
        kind="docms_session", user=user, organization=tenant, expires_in=datetime.timedelta(days=1)
    )
    actor = actor_for(user, door="docms", tenant_id=tenant.pk, token_id=row.pk)
    folder = Folder.objects.visible_to(actor).get(name="Hausordnung")
    newest = Document.objects.newest(actor, 100)
    return {
        "token": token,
        "session": _session(user),
        "user": user.pk,
        "tenant": tenant.pk,
        "community": community.pk,
        "folder": folder.pk,
        "office": _office(tenant),
        "more_files": list(Document.objects.newest(actor, 200).values_list("id", flat=True)),
        "files": list(newest.values_list("id", flat=True)),
        "reached": Folder.objects.visible_to(actor).count(),
        "visible": Document.objects.visible_to(actor).count(),
    }


def _office(tenant: Any) -> str:
    """The token of an administrator."""
    from orgs.models import Membership
    from orgs.services import tokens

    boss = (
        Membership.objects.active().filter(organization=tenant, admin_perm=True).select_related("user").earliest("id")
    )
    token, _row = tokens.issue(
        kind="docms_session", user=boss.user, organization=tenant, expires_in=datetime.timedelta(days=1)
    )
    return token


def _session(user: Any) -> str:
    """The cookie of a browser in which this person has signed in."""
    from django.contrib.auth import login
    from django.http import HttpRequest

    from orgs.session import SessionStore

    request = HttpRequest()
    request.session = SessionStore()
    login(request, user, backend="orgs.auth.SessionBackend")
    request.session.save()
    return str(request.session.session_key)


if __name__ == "__main__":
    main()
