"""The form of a member: place and rights in the tenant, the mobile number of the account, the notice after the sign-in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from core.admin.forms import HouseForm
from core.admin.pages import of_object
from core.services.delivery import deliver
from core.services.pictures import LOGO_MAX, LOGO_TYPES
from orgs.languages import USER_LANGUAGES
from orgs.models import Community, CommunityAssignment, Membership

if TYPE_CHECKING:
    from orgs.admin.members import MembershipAdmin

# A mobile number as the documents API answers it.
MOBILE = r"\+?[0-9 ()/-]{5,30}"
# Of the picture, as far as it comes from this form.
PICTURE = ("new_login_logo", "drop_login_logo")


class MemberForm(HouseForm):
    """An account is found by its address or made; afterwards only the place in the tenant is changed."""

    email = forms.EmailField(label=_("e-mail address"), widget=UnfoldAdminEmailInputWidget)
    first_name = forms.CharField(label=_("first name"), max_length=100, widget=UnfoldAdminTextInputWidget)
    last_name = forms.CharField(label=_("last name"), max_length=100, widget=UnfoldAdminTextInputWidget)
    language = forms.ChoiceField(label=_("language"), choices=USER_LANGUAGES, widget=UnfoldAdminSelectWidget)
    communities = forms.ModelMultipleChoiceField(
        label=_("looks after"),
        queryset=Community.objects.none(),
        required=False,
        help_text=_("For staff who do not look after all communities."),
    )
    mobile = forms.CharField(
        label=_("mobile"), max_length=40, required=False, widget=UnfoldAdminTextInputWidget, show_hidden_initial=True,
        help_text=_("Of the account, in every company."),
    )  # fmt: skip
    new_login_logo = forms.FileField(
        label=_("picture of the notice"), required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ",".join(LOGO_TYPES)}),
        help_text=_("PNG or JPEG of at most 512 kB."),
    )  # fmt: skip
    drop_login_logo = forms.BooleanField(
        label=_("take the picture away"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_new and "communities" in self.fields:
            self.initial["communities"] = list(
                CommunityAssignment.objects.filter(membership=self.instance).values_list("community_id", flat=True)
            )
        if not self.is_new and "mobile" in self.fields:
            self.initial["mobile"] = self.instance.user.mobile

    def clean_mobile(self) -> str:
        """The account is the person's, who may write to it at any time: a number that nobody touched here is left alone,
        however it looks, and one that somebody else has changed meanwhile is not overwritten."""
        given: str = self.cleaned_data["mobile"]
        now: str = self.instance.user.mobile
        shown = self.data.get(self["mobile"].html_initial_name, now).strip()
        if given in (shown, now.strip()):
            return now
        if shown != now.strip():
            raise forms.ValidationError(
                _("Changed meanwhile; it is now: %(now)s. Please load the page again."), params={"now": now or "–"}
            )
        if given and not re.fullmatch(MOBILE, given):
            raise forms.ValidationError(_("Digits with +, spaces, brackets, / and -, at least five characters."))
        return given

    def clean_new_login_logo(self) -> Any:
        """The size, before anything is stored; what it is shows when it is."""
        file = self.cleaned_data["new_login_logo"]
        if file is not None and file.size > LOGO_MAX:
            raise forms.ValidationError(_("The picture is too large; at most 512 kB."))
        return file

    class Meta:
        model = Membership
        fields = "__all__"
        help_texts = {
            "deactivated_at": _("From then on the person reaches nothing here. Empty = stays."),
            "login_popup_enabled": _("Shown after each sign-in of this person, with the picture and the text below."),
            "login_text": _("HTML; what could do harm in it is removed."),
        }


def picture_page(admin: MembershipAdmin, request: HttpRequest, object_id: str) -> HttpResponseBase:
    """The picture of a member's notice, for the form. Raises `Http404` where there is none."""
    member: Membership = of_object(admin, request, object_id)
    if member.login_logo is None:
        raise Http404
    return deliver(member.login_logo, filename="notice", inline=True, request=request)


def picture_url(member: Membership) -> str:
    """Where the form finds it; another address for another picture."""
    return f"{reverse('admin:orgs_membership_picture', args=[member.pk])}?v={member.login_logo_id}"
