"""Group administration: people and members of the groups that the caller administers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers
from rest_framework.response import Response

from core.api import flag
from docms.api import groups, user_rows
from docms.api.base import DocmsView
from docms.api.errors import operation
from docms.api.fields import IdsField
from docms.api.users import WELCOME
from docms.services import group_admins
from docms.services.members import ADMIN_FLAGS

if TYPE_CHECKING:
    from rest_framework.request import Request

TAG = "Group administration"


class GroupMembers(serializers.Serializer):
    """The people of a group."""

    user_ids = IdsField(help_text="Complete list of members; users not listed leave the group.")


class GroupadminUsers(DocmsView):
    """`/groupadmin/users`."""

    @operation(
        "groupadminCreateUser", tag=TAG, summary="Create a user in administered groups",
        description="Creates a member whose groups are all administered by the caller and mails a password link.",
        takes=user_rows.GroupadminUserCreate, gives=user_rows.User, refusals=(400, 401, 403, 409, 413),
        parameters=(WELCOME,),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Needs `groupadmin_user_create` (DOCMS-069)."""
        group_admins.require_switch(self.actor, self.tenant, "create_user")
        values: dict[str, Any] = user_rows.columns_of(self.body(user_rows.GroupadminUserCreate))
        # No fields of this request, but whoever sends one must hear no (DOCMS-082).
        sent: Any = request.data
        values |= {name: True for name in ADMIN_FLAGS if sent.get(name)}
        made = group_admins.create_user(
            actor=self.actor, tenant=self.tenant, values=values, welcome=flag(request, "welcome", default=True)
        )
        return Response(user_rows.one(self, made))


class OneGroupadminUser(DocmsView):
    """`/groupadmin/users/{userId}`."""

    @operation(
        "groupadminUpdateUser", tag=TAG, summary="Change a user of an administered group",
        description="Same fields as the administrator's call. Permission flags are taken over only where the matching "
        "switch is on; administrator flags and foreign groups are never changed.",
        takes=user_rows.UserUpdate, gives=user_rows.User, refusals=(400, 401, 403, 404, 409, 413),
    )  # fmt: skip
    def put(self, request: Request, user_id: int) -> Response:
        """Needs `groupadmin_user_edit` (DOCMS-070). A value that equals the stored one is no change."""
        membership = group_admins.person_to_change(actor=self.actor, tenant=self.tenant, user_id=user_id)
        values = user_rows.differing(self, self.body(user_rows.UserUpdate), user_rows.one(self, membership))
        group_admins.change_user(
            actor=self.actor, tenant=self.tenant, user_id=user_id, values=user_rows.columns_of(values)
        )
        return Response(user_rows.one(self, self.member(user_id)))


class GroupadminGroup(DocmsView):
    """`/groupadmin/groups/{groupId}`."""

    @operation(
        "groupadminGetGroup", tag=TAG, summary="Read an administered group",
        description="Group with members as a group administrator sees it.",
        gives=groups.Group, refusals=(401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, group_id: int) -> Response:
        """Needs `groupadmin_active` (DOCMS-067)."""
        return Response(
            groups.one(self, group_admins.group_to_read(actor=self.actor, tenant=self.tenant, group_id=group_id).pk)
        )

    @operation(
        "groupadminSetMembers", tag=TAG, summary="Replace members of an administered group",
        description="The list given becomes the complete membership; group administrators cannot remove themselves or "
        "each other.",
        takes=GroupMembers, gives=groups.Group, refusals=(400, 401, 403, 404, 413),
    )  # fmt: skip
    def put(self, request: Request, group_id: int) -> Response:
        """Needs `groupadmin_user_edit` (DOCMS-070, 084)."""
        group_admins.require_switch(self.actor, self.tenant, "set_members")
        user_ids = self.body(GroupMembers)["user_ids"]
        return Response(
            groups.one(
                self,
                group_admins.set_members(actor=self.actor, tenant=self.tenant, group_id=group_id, user_ids=user_ids).pk,
            )
        )


class GroupadminResetPassword(DocmsView):
    """`/groupadmin/users/{userId}/reset-password`."""

    @operation(
        "groupadminResetPassword", tag=TAG, summary="Send a password link to a user of an administered group",
        description="Queues the reset mail.", refusals=(401, 403, 404),
    )  # fmt: skip
    def post(self, request: Request, user_id: int) -> Response:
        """Needs `groupadmin_user_reset_password` (DOCMS-071)."""
        group_admins.send_link(actor=self.actor, tenant=self.tenant, user_id=user_id)
        return Response()


class GroupadminResetTfa(DocmsView):
    """`/groupadmin/users/{userId}/reset-tfa`."""

    @operation(
        "groupadminResetTfa", tag=TAG, summary="Reset the TFA key of a user of an administered group",
        description="Removes the key for the current tenant.", refusals=(401, 403, 404),
    )  # fmt: skip
    def post(self, request: Request, user_id: int) -> Response:
        """Needs `groupadmin_user_reset_tfa` (DOCMS-072)."""
        group_admins.reset_second_factor(actor=self.actor, tenant=self.tenant, user_id=user_id)
        return Response()


class GroupadminResetAttempts(DocmsView):
    """`/groupadmin/users/{userId}/reset-attempts`."""

    @operation(
        "groupadminResetAttempts", tag=TAG, summary="Clear failed sign-ins of a user of an administered group",
        description="Sets the counter to zero and lifts a lock.", refusals=(401, 403, 404),
    )  # fmt: skip
    def post(self, request: Request, user_id: int) -> Response:
        """Needs `groupadmin_user_reset_attempts` (DOCMS-073)."""
        group_admins.reset_attempts(actor=self.actor, tenant=self.tenant, user_id=user_id)
        return Response()
