"""Members of the tenant, and the own record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response

from core.api import flag
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.user_rows import User, UserCreate, UserUpdate, columns_of, differing, everybody, one
from docms.services import members
from orgs.models import Membership

if TYPE_CHECKING:
    from rest_framework.request import Request

WELCOME = OpenApiParameter(
    "welcome", OpenApiTypes.BOOL, default=True, description="Send the welcome mail to the new user."
)


class Users(DocmsView):
    """`/users`."""

    @operation(
        "listUsers", tag="Users", summary="List users of the current tenant",
        description="All members including deactivated ones.", gives=User(many=True), refusals=(401, 403),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Administrators only (DOCMS-183)."""
        self.require_admin()
        return Response(everybody(self))

    @operation(
        "createUser", tag="Users", summary="Create a user",
        description="Adds a member to the current tenant and mails a link for setting the password; the welcome mail "
        "is sent in addition unless switched off.",
        takes=UserCreate, gives=User, refusals=(400, 401, 403, 409, 413), parameters=(WELCOME,),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Administrators only (DOCMS-183)."""
        self.require_admin()
        membership = members.create_member(
            actor=self.actor,
            tenant=self.tenant,
            values=columns_of(self.body(UserCreate)),
            welcome=flag(request, "welcome", default=True),
        )
        return Response(one(self, membership))


class OneUser(DocmsView):
    """`/users/{userId}`."""

    @operation(
        "getUser", tag="Users", summary="Read a user", description="One member of the current tenant.",
        gives=User, refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, user_id: int) -> Response:
        """One's own record, or for administrators anybody's (DOCMS-054, 183)."""
        return Response(one(self, self.self_or_admin(user_id)))

    @operation(
        "updateUser", tag="Users", summary="Change a user",
        description="Stores the given fields. Users may change locale, darkmode, mobile_number and last_folder_id of "
        "their own record; further fields need administration rights.",
        takes=UserUpdate, gives=User, refusals=(400, 401, 403, 404, 409, 413),
    )  # fmt: skip
    def put(self, request: Request, user_id: int) -> Response:
        """A value that equals the stored one is no change, so a whole record may be sent back."""
        membership = self.self_or_admin(user_id)
        values = self.body(UserUpdate)
        stored = one(self, membership)
        different = differing(self, values, stored)
        if different:
            members.change_member(
                actor=self.actor,
                membership=membership,
                values=columns_of(different),
                is_admin=self.is_admin,
                is_super=self.is_super_admin,
            )
        return Response(one(self, Membership.objects.select_related("user", "organization").get(pk=membership.pk)))
