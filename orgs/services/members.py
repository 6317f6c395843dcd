"""Members of an organization: taken in, changed, assigned, let go; what administrators reset for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import scope
from core.answers import require
from core.errors import Conflict, Invalid
from core.services import audit, rows, throttle
from orgs import rules
from orgs.models import CommunityAssignment, Membership, Organization, SignInLog, User
from orgs.services import licences, oauth, passwords, second_factor, tokens
from orgs.services.accounts import create_account, lock_living
from orgs.services.tenants import ensure_member

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orgs.actor import Actor
    from orgs.models import OrganizationSettings

# What somebody may do who comes back, until it is granted anew.
NO_RIGHTS = dict.fromkeys(
    (
        "read_perm", "download_perm", "upload_file_perm", "edit_file_perm", "edit_own_file_perm", "admin_perm",
        "super_admin_perm", "log_perm", "mail_perm", "support_perm", "all_communities", "process_create_perm",
        "process_update_perm", "process_delete_perm",
    ),
    False,
)  # fmt: skip


@transaction.atomic
def take_in(
    *,
    actor: Actor,
    tenant: Organization,
    email: str,
    first_name: str,
    last_name: str,
    language: str,
    role: str,
    communities: Iterable[int] = (),
    **flags: Any,
) -> Membership:
    """Give a person a place in a company: an account that has this address, else a new one.

    A former member comes back with the rights that are given now and none of the old ones. Side effects: the mail with
    the link for a first password (new accounts only), assignments to communities, audit.

    Raises `Conflict` (``already_member``) for an active member in this role, `Denied` for a former one while
    permissions are locked (DOCMS-055) or without points of the licence (DOCMS-174), and `ValidationError` for flags
    that the role forbids.
    """
    email = email.strip()
    user = User.objects.named(email).first()
    if user is not None and Membership.objects.active().filter(user=user, organization=tenant, role=role).exists():
        raise Conflict(_("This person belongs to the organization already."), code="already_member")
    is_new = user is None
    if user is None:
        user = create_account(
            email=email, first_name=first_name, last_name=last_name, language=language, home_tenant=tenant
        )
    membership = ensure_member(user=user, organization=tenant, role=role)
    if membership.is_deactivated:
        require(rules.may_change_rights(actor, membership))
        change(membership=membership, changes={**NO_RIGHTS, "deactivated_at": None, "role": role}, verb="reactivated")
    change(membership=membership, changes={"role": role, **flags}, communities=communities)
    if is_new:
        passwords.welcome_link(user, tenant=tenant)
    return membership


@transaction.atomic
def change(
    *,
    membership: Membership,
    changes: Mapping[str, Any],
    communities: Iterable[int] | None = None,
    expected: int | None = None,
    verb: str = "changed",
) -> dict[str, tuple[Any, Any]]:
    """Write columns of a membership and, if given, exactly these assignments; every door's way to do so.

    Returns ``{field: (old, new)}``. What would take the last owner or the last super administrator is decided
    under a lock of the organization, so of two who remove each other at the same time one fails. Raises `Conflict`
    (``last_owner``, ``last_super_admin``), `Changed` when the row moved on, `ValidationError` for wrong values,
    `NotFound` when the account is erased, and `Denied` when somebody comes back for whom the licence has no point
    (DOCMS-174). Side effects: audit; an end that has
    come revokes the member's tokens (one that is to come leaves that to `applications.apply_deactivations`).
    """
    until = changes.get("deactivated_at", membership.deactivated_at)
    if membership.is_deactivated and not licences.is_over(until):
        licences.require_point(membership.organization)
    if rules.takes_power(membership, changes):
        Organization.objects.select_for_update(of=("self",)).get(pk=membership.organization_id)
        answer = rules.may_leave(membership, changes)
        if not answer:
            raise Conflict(answer.reason, code=answer.code)
    lock_living(membership.user_id)
    changed = rows.change(membership, changes, expected=expected, verb=verb)
    if "deactivated_at" in changed and membership.is_deactivated:
        tokens.revoke_of_member(user_id=membership.user_id, organization_id=membership.organization_id)
        oauth.end_of_member(user_id=membership.user_id, organization_id=membership.organization_id)
    if communities is not None:
        assign(membership=membership, communities=communities)
    return changed


def require_session_length(chosen: OrganizationSettings, values: Mapping[str, Any]) -> None:
    """Raises `Invalid` for a ``token_sec`` outside of what the company allows; both bounds are allowed (DOCMS-009)."""
    if "token_sec" in values and not chosen.token_min_sec <= values["token_sec"] <= chosen.token_max_sec:
        problem = _("Must lie between %(least)d and %(most)d seconds.") % {
            "least": chosen.token_min_sec,
            "most": chosen.token_max_sec,
        }
        raise Invalid(f"token_sec: {problem}", fields={"token_sec": [problem]})


@transaction.atomic
def assign(*, membership: Membership, communities: Iterable[int]) -> None:
    """Let a member of staff look after exactly these communities. Side effect: audit, one entry for each change."""
    wanted = set(communities)
    stored = {a.community_id: a for a in CommunityAssignment.objects.filter(membership=membership)}
    for community_id, assignment in stored.items():
        if community_id not in wanted:
            rows.delete(assignment)
    for community_id in sorted(wanted - stored.keys()):
        rows.create(
            CommunityAssignment, tenant_id=membership.tenant_id, membership=membership, community_id=community_id
        )


def deactivate(*, actor: Actor, membership: Membership) -> None:
    """Close every door of the organization to a member from now on. Side effect: audit.

    Raises `Conflict`: ``self`` for one's own place, ``last_owner``, ``last_super_admin``.
    """
    if membership.user_id == actor.user_id:
        raise Conflict(_("You cannot deactivate yourself."), code="self")
    change(membership=membership, changes={"deactivated_at": timezone.now()}, verb="deactivated")


def reactivate(*, membership: Membership) -> None:
    """Let a member in again, with the rights as they were. Side effect: audit. Raises as `change`."""
    change(membership=membership, changes={"deactivated_at": None}, verb="reactivated")


def send_link(*, actor: Actor, membership: Membership) -> None:
    """Mail a member a link for a password, to the account's own address.

    Raises `Denied` for accounts that are not this company's alone, `Conflict` (``too_many_links``), `NotFound` for erased
    ones.
    """
    require(rules.may_act_on_account(actor, membership))
    passwords.send_link(membership.user, tenant=membership.organization)


@transaction.atomic
def reset_attempts(*, actor: Actor, membership: Membership) -> None:
    """Forget the wrong passwords of a member's account, at every door (DOCMS-040).

    Side effects: an entry of the login log, audit. Raises `Denied` for accounts that are not this company's alone: else it could guess a stranger's password for ever; `NotFound` for erased ones.
    """
    require(rules.may_act_on_account(actor, membership))
    lock_living(membership.user_id)
    throttle.clear(*passwords.account_counters(membership.user))
    now = scope.current()
    SignInLog.objects.create(
        user=membership.user,
        tenant=membership.organization,
        type=SignInLog.Type.UNLOCKED,
        door=now.door,
        ip=now.ip,
    )
    audit.record("attempts_reset", membership)


@transaction.atomic
def reset_tenant_key(*, membership: Membership) -> None:
    """Remove a member's key of this organization; those of others and the personal one stay (DOCMS-026, 027).

    Side effects: the account's docms tokens for the organization are revoked; audit. Raises `NotFound` for erased ones.
    """
    lock_living(membership.user_id)
    second_factor.remove(membership.user, membership.organization)
    tokens.revoke_sessions(membership.user, membership.organization)


@transaction.atomic
def reset_second_factor(*, membership: Membership) -> None:
    """Remove the keys of a member: the organization's own, and the personal one where `may_reset_personal_key`.

    Side effects: those of `reset_tenant_key`; recovery codes go with the personal key; audit.
    """
    reset_tenant_key(membership=membership)
    if rules.may_reset_personal_key(membership):
        second_factor.remove(membership.user)


@transaction.atomic
def reset_keys_everywhere(*, user: User) -> None:
    """Remove every key of an account, in all organizations and its personal one (DOCMS-028). Only for the operator.

    Without the personal key, too: docms takes it in every tenant, so it would go on asking for a code.
    Side effects: recovery codes go, all docms tokens of the account are revoked; audit. Raises `NotFound` when it is erased.
    """
    lock_living(user.pk)
    second_factor.remove_all(user)
    tokens.revoke_sessions(user)
