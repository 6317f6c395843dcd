"""What this floor holds about a person in one tenant: account, memberships, sign-ins. No secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core import scope
from core.services.exports import Column, Section, columns_of
from orgs.models import Membership, SignInLog, User

if TYPE_CHECKING:
    from orgs.models import Organization

ACCOUNT = (
    "username", "email", "first_name", "last_name", "language", "darkmode", "telephone", "mobile", "profile_visible",
)  # fmt: skip
MEMBERSHIP = (
    "role", "read_perm", "download_perm", "upload_file_perm", "edit_file_perm", "edit_own_file_perm", "admin_perm",
    "super_admin_perm", "log_perm", "mail_perm", "support_perm", "all_communities", "process_create_perm",
    "process_update_perm", "process_delete_perm", "tfa_force", "token_sec", "description", "deactivated_at",
    "login_popup_enabled", "login_text",
)  # fmt: skip


def person(user: User, tenant: Organization) -> list[Section]:
    """Sign-ins are those to this tenant: who signs in elsewhere, or before a choice, is none of its business. Whoever takes
    their own data gets those that name no company as well, as of the portal.
    """
    account = User.objects.filter(pk=user.pk).annotate(user_id=F("id"), since=F("created_at"))
    places = Membership.objects.filter(user=user, tenant=tenant).order_by("id")
    is_own = scope.current().user_id == user.pk
    to_here = Q(tenant=tenant) | Q(tenant=None) if is_own else Q(tenant=tenant)
    sign_ins = SignInLog.objects.filter(to_here, user=user).order_by("-id")
    return [
        Section(
            "account",
            _("Account"),
            {"user_id": Column(_("number"))} | columns_of(User, *ACCOUNT, since=Column(_("since"))),
            list(account.values("user_id", *ACCOUNT, "since")),
            is_one=True,
        ),
        Section(
            "memberships",
            _("Memberships"),
            {"company": Column(_("organization"))} | columns_of(Membership, *MEMBERSHIP, since=Column(_("since"))),
            list(
                places.annotate(company=F("organization__name"), since=F("created_at")).values(
                    "company", *MEMBERSHIP, "since"
                )
            ),
        ),
        Section(
            "sign_ins",
            _("Sign-ins"),
            {"at": Column(_("at"))} | columns_of(SignInLog, "type", "ip", "app_id"),
            list(sign_ins.annotate(at=F("created_at")).values("at", "type", "ip", "app_id")),
        ),
    ]
