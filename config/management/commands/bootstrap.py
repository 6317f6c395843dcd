"""`manage.py bootstrap`: operator, organization and tenant admin, without questions."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from environ import FileAwareEnv

from core import scope
from core.services import rows
from orgs.models import Membership, Organization, User
from orgs.services.accounts import create_account
from orgs.services.installation import public_url
from orgs.services.passwords import first_or_reset_link
from orgs.services.tenants import add_operator, create_tenant, ensure_member

ALL_FLAGS = dict.fromkeys(("read_perm", "download_perm", "upload_file_perm", "edit_file_perm", "edit_own_file_perm", "admin_perm", "super_admin_perm", "log_perm", "mail_perm", "all_communities", "process_create_perm", "process_update_perm", "process_delete_perm", "support_perm"), True)  # fmt: skip


class Command(BaseCommand):
    """Repeatable: what exists is kept, links are printed for accounts that have no password yet."""

    help = "Create operator, organization and tenant administrator; print first-password links."

    def add_arguments(self, parser: ArgumentParser) -> None:
        env = FileAwareEnv()
        parser.add_argument(
            "--operator-email", default=env.str("BOOTSTRAP_OPERATOR_EMAIL", default="operator@localhost.localdomain")
        )
        parser.add_argument("--organization", default=env.str("BOOTSTRAP_ORGANIZATION", default="Hausverwaltung"))
        parser.add_argument(
            "--admin-email", default=env.str("BOOTSTRAP_ADMIN_EMAIL", default="admin@localhost.localdomain")
        )
        parser.add_argument("--admin-first-name", default=env.str("BOOTSTRAP_ADMIN_FIRST_NAME", default=""))
        parser.add_argument("--admin-last-name", default=env.str("BOOTSTRAP_ADMIN_LAST_NAME", default=""))
        parser.add_argument(
            "--language", default=env.str("BOOTSTRAP_LANGUAGE", default="de"), choices=["de", "en", "fr", "pl"]
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for name in ("operator_email", "admin_email"):
            try:
                validate_email(options[name])
            except ValidationError as error:
                raise CommandError(
                    f"--{name.replace('_', '-')}: {options[name]!r} is not an e-mail address."
                ) from error
        if not options["organization"].strip():
            raise CommandError("--organization: must not be empty.")
        with scope.unit_of_work(door="command"), scope.all_tenants():
            operator = self.account(options["operator_email"], language=options["language"])
            if not operator.is_superuser:
                rows.change(operator, {"is_superuser": True}, verb="made_operator")
            tenant = Organization.objects.tenants().filter(name=options["organization"]).first() or create_tenant(
                name=options["organization"], language=options["language"], created_by=operator
            )
            add_operator(operator=operator, tenant=tenant)
            admin = self.account(
                options["admin_email"],
                language=options["language"],
                first_name=options["admin_first_name"],
                last_name=options["admin_last_name"],
            )
            ensure_member(user=admin, organization=tenant, role=Membership.Role.OWNER, **ALL_FLAGS)
            self.stdout.write(f"Organization: {tenant.name} (id {tenant.pk})")
            for label, user in (("Operator", operator), ("Administrator", admin)):
                self.stdout.write(f"{label}: {user.email}")
                if user.has_usable_password():
                    self.stdout.write("  has a password already")
                else:
                    token = first_or_reset_link(user, tenant=tenant)
                    self.stdout.write(f"  first password: {public_url(f'/app/password/{token}')}")

    @staticmethod
    def account(email: str, **values: Any) -> User:
        """The account of an address, made when it is missing."""
        return User.objects.filter(email__iexact=email).first() or create_account(email=email, **values)
