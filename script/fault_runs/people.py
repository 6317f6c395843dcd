"""Who takes part: a company, its administrator who uploads, and people who get mail."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orgs.actor import Actor

PASSWORD = "Ein-guter-Satz-1"  # noqa: S105 - of a database that lives for minutes
ADMIN = "admin@faults.test"
READERS = ("anna@faults.test", "bert@faults.test", "cora@faults.test")


@dataclass(frozen=True)
class Facts:
    """What the clients and the checks know."""

    tenant: int
    folders: tuple[int, ...]
    readers: tuple[str, ...] = READERS


def use(env: Mapping[str, str]) -> None:
    """This process looks into the house's database, too."""
    os.environ.update({name: value for name, value in env.items() if os.environ.get(name) != value})
    import django

    django.setup()
    logging.disable(logging.ERROR)  # what the checks and the mail server would say; the house has logs of its own


def fill() -> Facts:
    """Make them through the services that make real people."""
    from core import scope
    from docms.services import folders, groups
    from orgs.actor import actor_for
    from orgs.services.accounts import create_account
    from orgs.services.tenants import add_member, create_tenant

    flags = dict.fromkeys(
        ("read_perm", "download_perm", "upload_file_perm", "edit_file_perm", "edit_own_file_perm", "log_perm"), True
    )
    with scope.unit_of_work(door="faults"):
        operator = create_account(
            email="operator@faults.test", first_name="O", last_name="Operator", password=PASSWORD, is_superuser=True
        )
        tenant = create_tenant(name="Störfall GmbH", created_by=operator)
        scope.enter_tenants([tenant.pk])
        admin = create_account(email=ADMIN, first_name="A", last_name="Admin", password=PASSWORD)
        add_member(
            user=admin,
            organization=tenant,
            role="owner",
            admin_perm=True,
            super_admin_perm=True,
            mail_perm=True,
            **flags,
        )
        people = []
        for address in READERS:
            name = address.partition("@")[0]
            user = create_account(email=address, first_name=name.title(), last_name="Muster", password=PASSWORD)
            add_member(user=user, organization=tenant, role="guest", read_perm=True, download_perm=True)
            people.append(user.pk)
        actor = actor_for(admin, door="faults", tenant_id=tenant.pk)
        circle = groups.create_group(actor=actor, tenant=tenant, name="Leser", user_ids=people)
        made = [
            folders.create_folder(
                actor=actor, tenant=tenant, name=name, group_ids=[circle.pk], mail_after_upload_enable=True
            ).pk
            for name in ("Abrechnungen", "Protokolle")
        ]
    return Facts(tenant=tenant.pk, folders=tuple(made))


@contextmanager
def everywhere() -> Iterator[None]:
    """A unit of work in all tenants."""
    from core import scope

    with scope.unit_of_work(door="faults"), scope.all_tenants():
        yield


def administrator(facts: Facts) -> Actor:
    """The company's administrator."""
    from orgs.actor import actor_for
    from orgs.models import User

    return actor_for(User.objects.get(email=ADMIN), door="faults", tenant_id=facts.tenant)
