"""What one member may do in one folder, and who is told of what one member uploads there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from core.errors import NotFound
from core.services import audit, rows
from docms import rules
from docms.models import Folder, FolderPermission, MailRule, MailRuleRecipient
from docms.reach import MEMBER_FLAGS
from docms.services.names import refuse_unknown
from orgs.models import Membership

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orgs.actor import Actor

FLAGS = frozenset(MEMBER_FLAGS)


def _member(folder: Folder, user_id: int) -> Membership:
    """The row of an account on the folder's tenant. Raises `NotFound` for erased accounts and those of other tenants."""
    membership = Membership.objects.living().filter(organization=folder.tenant_id, user=user_id).first()
    if membership is None:
        raise NotFound
    return membership


@transaction.atomic
def set_permission(
    *, actor: Actor, folder: Folder, user_id: int, flags: Mapping[str, bool], active: bool = True
) -> FolderPermission:
    """Make or replace the permission of an account in a folder; flags left out are false (DOCMS-086).

    It opens no folder that no group of the person reaches (DOCMS-088), and no subfolder (DOCMS-089).

    Raises `Denied` without administrator rights, or super administrator rights while they are locked (DOCMS-091),
    `NotFound` for an account that is not of the tenant.
    """
    rules.require(rules.may_change_permissions(actor, folder.tenant_id))
    unknown = flags.keys() - FLAGS
    if unknown:
        raise TypeError(f"unknown flags: {', '.join(sorted(unknown))}")
    membership = _member(folder, user_id)
    values = {flag: bool(flags.get(flag, False)) for flag in sorted(FLAGS)} | {"active": active}
    FolderPermission.objects.bulk_create(
        [FolderPermission(tenant_id=folder.tenant_id, folder=folder, membership=membership, active=False)],
        ignore_conflicts=True,
    )
    permission = FolderPermission.objects.select_for_update().get(folder=folder, membership=membership)
    rows.change(permission, values, verb="permission_set", check=False)
    return permission


@transaction.atomic
def delete_permission(*, actor: Actor, folder: Folder, user_id: int) -> None:
    """Let the global permissions decide again (DOCMS-087, 091). Raises `Denied`, and `NotFound` when there is none."""
    rules.require(rules.may_change_permissions(actor, folder.tenant_id))
    permission = (
        FolderPermission.objects.select_for_update().filter(folder=folder, membership=_member(folder, user_id)).first()
    )
    if permission is None:
        raise NotFound
    rows.delete(permission)


@transaction.atomic
def set_mail_rule(
    *, actor: Actor, folder: Folder, user_id: int, custom: bool, recipient_ids: Iterable[int]
) -> MailRule:
    """Make or replace the rule for what an account uploads into a folder (DOCMS-143).

    Raises `Denied` without administrator rights, `NotFound` for an account that is not of the tenant, `Invalid`
    for such recipients.
    """
    rules.require(rules.may_administer(actor, folder.tenant_id))
    membership = _member(folder, user_id)
    wanted = set(recipient_ids)
    members = dict(
        Membership.objects.living().filter(organization=folder.tenant_id, user__in=wanted).values_list("user_id", "pk")
    )
    refuse_unknown("recipients", wanted - members.keys())
    MailRule.objects.bulk_create(
        [MailRule(tenant_id=folder.tenant_id, folder=folder, membership=membership)], ignore_conflicts=True
    )
    rule = MailRule.objects.select_for_update().get(folder=folder, membership=membership)
    rows.change(rule, {"custom": custom}, check=False)
    current = set(MailRuleRecipient.objects.filter(rule=rule).values_list("membership__user_id", flat=True))
    if wanted != current:
        MailRuleRecipient.objects.filter(rule=rule, membership__user__in=current - wanted).delete()
        MailRuleRecipient.objects.bulk_create(
            [
                MailRuleRecipient(tenant_id=folder.tenant_id, rule=rule, membership_id=members[user])
                for user in sorted(wanted - current)
            ]
        )
        audit.record("recipients_set", rule, {"recipients": [sorted(current), sorted(wanted)]})
    return rule


@transaction.atomic
def delete_mail_rule(*, actor: Actor, folder: Folder, user_id: int) -> None:
    """Let the folder's general rule apply again. Raises `Denied`, and `NotFound` when there is no rule."""
    rules.require(rules.may_administer(actor, folder.tenant_id))
    rule = MailRule.objects.select_for_update().filter(folder=folder, membership=_member(folder, user_id)).first()
    if rule is None:
        raise NotFound
    rows.delete(rule)
