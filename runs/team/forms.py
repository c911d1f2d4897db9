"""Forms for members and their accounts: invites, joining, passwords, settings. Fields are rendered by the template
`web/_form_field.html`."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from runs.models import Member
from runs.team import mail, members
from runs.team.password_rules import HELP
from runs.web.posted import CutField, NameField, PostedForm
from runs.words.moments import zoned_words
from runs.words.time_zones import zone_choices

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

WRONG_CODE = "wrong"  # code of the error about a wrong current password

WHAT_ROLES_DO = {
    Member.Role.VIEWER: _lazy("Sees and downloads what the team shares."),
    Member.Role.MAKER: _lazy("Also runs apps and shares results."),
    Member.Role.APPROVER: _lazy(
        "Also approves or rejects results, and creates guest links if that's limited to approvers."
    ),
    Member.Role.ADMIN: _lazy("Also sees private runs and manages people and the portal."),
}


def name_field(*, is_required: bool) -> NameField:
    return NameField(
        label=_lazy("Name"),
        max_length=150,
        required=is_required,
        widget=forms.TextInput(attrs={"autocomplete": "name", "dir": "auto"}),
    )


def mail_field(*, is_required: bool, autocomplete: str = "off") -> forms.EmailField:
    attrs = {"autocomplete": autocomplete, "autocapitalize": "none", "spellcheck": "false"}
    widget = forms.EmailInput(attrs=attrs)
    return forms.EmailField(label=_lazy("Email address"), max_length=254, required=is_required, widget=widget)


def password_field(label: "StrOrPromise", autocomplete: str, help_text: "StrOrPromise" = "") -> forms.CharField:
    """Return a field that keeps the password exactly as typed, including spaces. Password managers may fill it in."""
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, strip=False, max_length=1000, widget=widget, help_text=help_text)


class RoleForm(forms.Form):
    """A form for choosing a person's role."""

    role = forms.ChoiceField(
        label=_lazy("Role"),
        choices=Member.Role.choices,
        widget=forms.RadioSelect,
        initial=Member.Role.MAKER,
    )

    def role_cards(self) -> list[tuple[str, str, str, bool]]:
        """Return the value, name and description of each role, and whether it is selected."""
        current = self["role"].value()
        return [(str(role), str(role.label), str(words), role == current) for role, words in WHAT_ROLES_DO.items()]


class InviteForm(RoleForm):
    """An invite. If there is no email address, the admin just gets a link to pass on."""

    email = mail_field(is_required=False)
    name = name_field(is_required=False)
    field_order = ("email", "name", "role")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].help_text = (
            _("Leave empty to get just a link.")
            if mail.is_set_up()
            else _("No email server is set up, so you'll get a link to pass on yourself, by chat or on paper.")
        )
        self.fields["name"].widget.attrs["autocomplete"] = "off"


class MemberField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic for mypy only
    """A field for choosing a member by name and email address."""

    def label_from_instance(self, obj: Member) -> str:
        return f"{obj.display_name} ({obj.email})"


class TransferForm(forms.Form):
    """A form for choosing who takes over everything that someone owned."""

    to = MemberField(
        label=_lazy("New owner"),
        queryset=Member.objects.none(),
        to_field_name="public_id",
        empty_label=_lazy("Choose a person"),
    )

    def __init__(self, leaver: Member, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to"]
        assert isinstance(field, MemberField)  # noqa: S101 - narrows
        field.queryset = members.successors(leaver)


class NewPasswordForm(forms.Form):
    """A new password for `member`, whose account may not be saved yet."""

    password = password_field(_lazy("New password"), "new-password", _lazy(HELP))

    def __init__(self, member: Member, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.member = member

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        validate_password(password, self.member)
        return password


class JoinForm(NewPasswordForm):
    """What a person enters to accept an invite."""

    name = name_field(is_required=True)
    email = mail_field(is_required=True, autocomplete="username")
    field_order = ("name", "email", "password")

    def __init__(self, member: Member, *args: Any, **kwargs: Any) -> None:
        super().__init__(member, *args, **kwargs)
        self.fields["password"].label = _("Password")
        if member.email:
            del self.fields["email"]

    def clean_password(self) -> str:
        self.member.name = self.cleaned_data.get("name", "")
        self.member.email = self.member.email or self.cleaned_data.get("email", "")
        return super().clean_password()


class ChangePasswordForm(NewPasswordForm):
    """A new password for someone who is signed in, and who must also enter the current one."""

    old_password = password_field(_lazy("Current password"), "current-password")
    field_order = ("old_password", "password")

    def clean_old_password(self) -> str:
        old = str(self.cleaned_data["old_password"])
        if not self.member.check_password(old):
            raise ValidationError(_("Wrong password."), code=WRONG_CODE)
        return old


class PasswordMailForm(forms.Form):
    """The email address of someone who wants a new password."""

    email = mail_field(is_required=True, autocomplete="username")


class ReplayForm(PostedForm):
    """A signed copy of the form that was being sent when the session expired (`views_sign_in.make_replay`)."""

    replay = CutField()


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # django-stubs' ModelForm takes one only for mypy
    """The member's own settings."""

    name = name_field(is_required=True)
    theme = forms.ChoiceField(
        label=_lazy("Appearance"), choices=Member.Theme.choices, required=False, widget=forms.RadioSelect
    )
    language = forms.ChoiceField(label=_lazy("Language"), required=False)
    time_zone = forms.ChoiceField(label=_lazy("Time zone"), required=False)
    has_shortcuts = forms.BooleanField(
        label=_lazy("Keyboard shortcuts"),
        required=False,
        help_text=_lazy("Single-key shortcuts, such as / for search. They don't work while you're typing."),
    )

    class Meta:
        model = Member
        fields = ("name", "language", "time_zone", "theme", "has_shortcuts")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language, zone = self.fields["language"], self.fields["time_zone"]
        assert isinstance(language, forms.ChoiceField)  # noqa: S101 - declared above
        assert isinstance(zone, forms.ChoiceField)  # noqa: S101 - declared above
        language.choices = [("", _("Browser language")), *settings.LANGUAGES]
        zone.choices = [("", _("Browser time zone")), *zone_choices()]
        zone.widget.attrs["translate"] = "no"  # place names are in English
        zone.help_text = _("It's now %(when)s.") % {"when": zoned_words(timezone.now())}
