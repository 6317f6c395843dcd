"""May-questions of the portal: what a company has switched on where. What may be done with a paper, docms says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from core.answers import YES, Answer, no

if TYPE_CHECKING:
    from docms.models import Folder
    from orgs.models import Community


def may_use_documents(community: Community) -> Answer:
    """Look at papers in a community (PORTAL-021)."""
    if community.has_documents:
        return YES
    return no(_("Your property manager has not switched on documents for this community."), code="feature_disabled")


def may_use_tickets(community: Community) -> Answer:
    """Look at tickets in a community (PORTAL-021)."""
    if community.has_tickets:
        return YES
    return no(_("Your property manager has not switched on tickets for this community."), code="feature_disabled")


def community_of(folder: Folder) -> Community | None:
    """Where the portal shows a folder, as `FolderQuerySet.shown_in`; none for one of the whole company.

    Join ``community`` and ``unit__community``.
    """
    return folder.community or (folder.unit.community if folder.unit else None)


def may_use_folder(folder: Folder) -> Answer:
    """Look at the papers of a folder; those of the whole company stay in use, whatever is switched off where."""
    community = community_of(folder)
    return may_use_documents(community) if community else YES
