"""`manage.py demo`: a filled try-out, made through the real services."""

from __future__ import annotations

import random
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

import docms.demo
import orgs.demo
from core import scope
from orgs.models import User


class Command(BaseCommand):
    """Each floor brings its part; the same seed makes the same company."""

    help = "Fill the installation with a demo company. Refuses to run with production settings."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--scale", choices=["small"], default="small")
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.TRYOUT:
            raise CommandError("The demo has well-known passwords. It runs with the try-out's settings only.")
        if User.objects.filter(email="operator@demo.test").exists():
            self.stdout.write("The demo is there already.")
            return
        rng = random.Random(options["seed"])  # noqa: S311 - a demo, not a secret
        with scope.unit_of_work(door="command"):
            house = orgs.demo.build(rng)
            papers = docms.demo.build(house, rng)
        self.stdout.write(f"{house.tenant.name}: {len(house.communities)} communities, {papers} papers.")
        for name in ("operator", "admin", "staff", "owner", "renter", "stranger"):
            self.stdout.write(f"  {name}@demo.test  {orgs.demo.PASSWORD}")
