"""`manage.py demo`: a filled try-out. Small through the real services, large by COPY."""

from __future__ import annotations

import random
import time
from argparse import ArgumentParser
from contextlib import closing
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

import docms.demo
import docms.demo_large
import orgs.demo
import orgs.demo_large
import portal.demo
import processes.demo
import tickets.demo
from config.settings.reading import Env
from core import scope
from core.services import audit
from core.services.bulk import Loader
from core.services.numbers import next_number
from orgs.models import User
from orgs.services.contacts import contact_for

LARGE = {"communities": 200, "residents": 20_000, "folders": 20_000, "groups": 4_400, "documents": 1_000_000}


class Command(BaseCommand):
    """Each floor brings its part; the same seed makes the same company."""

    help = (
        "Fill the installation with a demo company. Refuses to run with production settings. --scale large is the world "
        "of the benches: 200 communities, 20,000 residents, 1,000,000 documents, written by COPY as the owner of the "
        "tables (MIGRATION_DATABASE_URL); the sizes may be changed one by one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--scale", choices=["small", "large"], default="small")
        parser.add_argument("--seed", type=int, default=1)
        for name, size in LARGE.items():
            parser.add_argument(f"--{name}", type=int, help=f"of the large company, {size:,} unless given")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.TRYOUT:
            raise CommandError("The demo has well-known passwords. It runs with the try-out's settings only.")
        if User.objects.filter(email="operator@demo.test").exists():
            self.stdout.write("The demo is there already.")
            return
        if options["scale"] == "large":
            self._large(options["seed"], {n: size if options[n] is None else options[n] for n, size in LARGE.items()})
        else:
            self._small(options["seed"])
        for name in ("operator", "admin", "staff", "owner", "renter", "stranger"):
            self.stdout.write(f"  {name}@demo.test  {orgs.demo.PASSWORD}")

    def _small(self, seed: int) -> None:
        rng = random.Random(seed)  # noqa: S311 - a demo, not a secret
        with scope.unit_of_work(door="command"):
            house = orgs.demo.build(rng)
            papers = docms.demo.build(house, rng)
            filed = tickets.demo.build(house)
            opened = processes.demo.build(house)
            answered = portal.demo.build(house.tenant)
        told = f"{len(house.communities)} communities, {papers} papers, {filed} tickets, {opened} cases, {answered} answers"
        self.stdout.write(f"{house.tenant.name}: {told}.")

    def _large(self, seed: int, sizes: dict[str, int]) -> None:
        """Who works there and the shared papers by services, the rest by COPY; then statistics.

        The audit gets one entry for each table, where services write one for each row. When the COPY fails, none of
        its rows are there, but the company is: empty the database before another attempt.
        """
        _check(sizes)
        begin, owner = time.monotonic(), owner_connection()
        loader = Loader(owner)
        with scope.unit_of_work(door="command"):
            company = orgs.demo.company()
            clerk = contact_for(company.staff, company.tenant)
            shared = docms.demo_large.papers(company)
            first_number = next_number(tenant_id=company.tenant.pk, kind="contact", count=sizes["residents"])
        lines = list(orgs.demo_large.register(seed, communities=sizes["communities"], residents=sizes["residents"]))
        tree = {name: sizes[name] for name in ("folders", "groups", "documents")}
        with closing(owner):
            with loader.load():
                house = orgs.demo_large.build(company, lines, loader, first_number=first_number)
                orgs.demo_large.appoint(house, clerk, loader)
                docms.demo_large.build(house, shared, loader, seed=seed, **tree)
            loader.tidy()
        with scope.unit_of_work(door="command", tenants=[company.tenant.pk]):
            for model, count in loader.rows.items():
                audit.entry_for(
                    "imported",
                    object_type=model._meta.label_lower,
                    object_id="",
                    tenant_id=company.tenant.pk,
                    changes={"rows": [None, count]},
                ).save(force_insert=True)
        told = ", ".join(f"{count:,} {name}" for name, count in sizes.items())
        seconds = time.monotonic() - begin
        rows = sum(loader.rows.values())
        self.stdout.write(f"{company.tenant.name}: {told}; {rows:,} rows in {seconds:.0f} s.")


def _check(sizes: dict[str, int]) -> None:
    """Raises `CommandError` for a shape that cannot be built."""
    least = {
        "communities": 1,
        "residents": 10 * sizes["communities"],
        "folders": docms.demo_large.FIXED_FOLDERS * sizes["communities"],
        "groups": docms.demo_large.FIXED_GROUPS * sizes["communities"],
        "documents": 0,
    }
    for name, size in sizes.items():
        if size < least[name]:
            raise CommandError(f"--{name}: {least[name]} or more with {sizes['communities']} communities.")


def owner_connection() -> Any:
    """A connection as the owner of the tables. Raises `CommandError` where nobody says who that is."""
    found = Env().database("MIGRATION_DATABASE_URL")
    if not found:
        raise CommandError("MIGRATION_DATABASE_URL: COPY goes as the owner of the tables.")
    owner = connection.copy()
    owner.settings_dict.update(found)
    return owner
