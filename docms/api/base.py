"""What the views of the docms door share: dialect, sign-in, and finding what an id in the path names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.utils.translation import gettext as _

from core.api import CountedView
from core.errors import Denied, NotFound
from core.problems import Problem
from docms.api import errors
from docms.api.auth import BearerToken
from docms.models import Document, Folder
from orgs.models import Membership, Organization

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http.response import HttpResponseBase
    from rest_framework.request import Request
    from rest_framework.response import Response

    from orgs.actor import Actor


class DocmsView(CountedView):
    """One resource; the caller is in ``self.actor``, the tenant in ``self.tenant``."""

    door = "docms"
    rate_setting = "DOCMS_RATE_LIMIT"
    authentication_classes: Sequence[Any] = (BearerToken,)
    challenge = "Bearer"

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Nothing of this door is kept in a cache, papers neither."""
        final: HttpResponseBase = super().finalize_response(request, response, *args, **kwargs)
        final["Cache-Control"] = "no-store"
        return final

    def refuse(self, problem: Problem) -> Response:
        """The dialect's error body."""
        return errors.answer(problem, self.request, challenge=self.challenge)

    @property
    def actor(self) -> Actor:
        """The caller."""
        return cast("Actor", self.request.actor)  # type: ignore[attr-defined]

    @property
    def tenant(self) -> Organization:
        """The tenant the token is bound to."""
        return cast("Organization", self.request.tenant)  # type: ignore[attr-defined]

    @property
    def membership(self) -> Membership:
        """The caller's place in the tenant."""
        return cast("Membership", self.request.membership)  # type: ignore[attr-defined]

    @property
    def marks_shown(self) -> bool:
        """Whether the tenant shows people what they have opened (`mark_read`)."""
        return bool(self.request.marks_shown)  # type: ignore[attr-defined]

    @property
    def is_admin(self) -> bool:
        """`admin_perm` or `super_admin_perm` (DOCMS-056)."""
        return self.tenant.pk in self.actor.admin_tenants

    @property
    def is_super_admin(self) -> bool:
        """`super_admin_perm`, or the operator where a member."""
        return self.tenant.pk in self.actor.super_admin_tenants

    def require_admin(self) -> None:
        """Raise `Denied` for everybody else."""
        if not self.is_admin:
            raise Denied(_("Only administrators may do this."))

    def require_super_admin(self) -> None:
        """Raise `Denied` for everybody else."""
        if not self.is_super_admin:
            raise Denied(_("Only super administrators may do this."))

    def require_operator(self) -> None:
        """Raise `Denied` for whoever does not run the installation."""
        if not self.actor.is_operator:
            raise Denied(_("Only the operator may do this."))

    # --- What an id in the path names; not visible is 404, like unknown (DOCMS-047) ---

    def folder(self, folder_id: int) -> Folder:
        """A folder the caller reaches; administrators reach each by id."""
        folder = Folder.objects.visible_to(self.actor, all=True).select_related("tenant").filter(pk=folder_id).first()
        if folder is None:
            raise NotFound
        return folder

    def document(self, file_id: int) -> Document:
        """A document the caller sees, with what its rules ask."""
        document = (
            Document.objects.visible_to(self.actor, all=True)
            .select_related("folder__tenant", "current__blob")
            .filter(pk=file_id)
            .first()
        )
        if document is None:
            raise NotFound
        return document

    def member(self, user_id: int) -> Membership:
        """A member of the tenant, deactivated or not, but not one who was erased. Raises `NotFound`."""
        membership = (
            Membership.objects.living()
            .select_related("user", "organization", "login_logo")
            .filter(user=user_id, organization=self.tenant.pk)
            .first()
        )
        if membership is None:
            raise NotFound
        return membership

    def self_or_admin(self, user_id: int) -> Membership:
        """The caller's own place, or for administrators anybody's. Raises `Denied`, `NotFound`."""
        if user_id != self.actor.user_id:
            self.require_admin()
        return self.member(user_id)


class UnknownPath(DocmsView):
    """Any other path of this door."""

    authentication_classes = ()

    def _handler(self, request: Request) -> Any:
        raise NotFound
