"""Forms about people: inviting, joining, passwords, one's own settings. `web/_form_field.html` shows a field."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from runs.models import Member
from runs.team import members
from runs.team.password_rules import HELP
from runs.web.posted import CutField, PostedForm

ROLES = (
    (Member.Role.VIEWER, "Viewer", "Sees what is shared with the team, and downloads it."),
    (Member.Role.MAKER, "Maker", "Also runs apps and shares results."),
    (Member.Role.APPROVER, "Approver", "Also makes guest links where admins keep those for approvers."),
    (Member.Role.ADMIN, "Admin", "Also sees private runs and manages people and the portal."),
)


def name_field(*, is_required: bool) -> forms.CharField:
    return forms.CharField(
        label="Name",
        max_length=150,
        required=is_required,
        widget=forms.TextInput(attrs={"autocomplete": "name", "dir": "auto"}),
    )


def mail_field(*, is_required: bool, autocomplete: str = "off") -> forms.EmailField:
    attrs = {"autocomplete": autocomplete, "autocapitalize": "none", "spellcheck": "false"}
    return forms.EmailField(
        label="Mail address", max_length=254, required=is_required, widget=forms.EmailInput(attrs=attrs)
    )


def password_field(label: str, autocomplete: str, help_text: str = "") -> forms.CharField:
    """Exactly what is typed, spaces too; a manager of passwords may fill it in."""
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, strip=False, max_length=1000, widget=widget, help_text=help_text)


class RoleForm(forms.Form):
    """Which role somebody has."""

    role = forms.ChoiceField(
        label="Role",
        choices=[(value, label) for value, label, _ in ROLES],
        widget=forms.RadioSelect,
        initial=Member.Role.MAKER,
    )

    def role_cards(self) -> list[tuple[str, str, str, bool]]:
        """Value, name, what it may do, and whether it is chosen."""
        chosen = self["role"].value()
        return [(str(value), label, words, value == chosen) for value, label, words in ROLES]


class InviteForm(RoleForm):
    """Somebody new. Without a mail address it is a link for whoever the admin hands it to."""

    email = mail_field(is_required=False)
    name = name_field(is_required=False)
    field_order = ("email", "name", "role")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].help_text = "Leave it empty to get only a link."
        self.fields["name"].widget.attrs["autocomplete"] = "off"


class MemberField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic for mypy only
    """A choice of people."""

    def label_from_instance(self, obj: Member) -> str:
        return f"{obj.display_name} ({obj.email})"


class HandOverForm(forms.Form):
    """Who takes over."""

    to = MemberField(
        label="Who takes over",
        queryset=Member.objects.none(),
        to_field_name="public_id",
        empty_label="Choose somebody",
    )

    def __init__(self, leaver: Member, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to"]
        assert isinstance(field, MemberField)  # noqa: S101 - narrows
        field.queryset = members.successors(leaver)


class NewPasswordForm(forms.Form):
    """A new password for MEMBER, who need not be saved yet."""

    password = password_field("New password", "new-password", HELP)

    def __init__(self, member: Member, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.member = member

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        validate_password(password, self.member)
        return password


class JoinForm(NewPasswordForm):
    """The person who accepts an invite."""

    name = name_field(is_required=True)
    email = mail_field(is_required=True, autocomplete="username")
    field_order = ("name", "email", "password")

    def __init__(self, member: Member, *args: Any, **kwargs: Any) -> None:
        super().__init__(member, *args, **kwargs)
        self.fields["password"].label = "Password"
        if member.email:
            del self.fields["email"]

    def clean_password(self) -> str:
        self.member.name = self.cleaned_data.get("name", "")
        self.member.email = self.member.email or self.cleaned_data.get("email", "")
        return super().clean_password()


class ChangePasswordForm(NewPasswordForm):
    """Somebody who is signed in proves that it is them before the password changes."""

    old_password = password_field("Your password now", "current-password")
    field_order = ("old_password", "password")

    def clean_old_password(self) -> str:
        old = str(self.cleaned_data["old_password"])
        if not self.member.check_password(old):
            raise ValidationError("That is not your password.")
        return old


class AskForm(forms.Form):
    """Who wants a new password."""

    email = mail_field(is_required=True, autocomplete="username")


class PasswordAgainForm(forms.Form):
    """The password of somebody who is signed in, once more; with the prefix "your" the field is "your-password"."""

    prefix = "your"
    password = forms.CharField(strip=False, error_messages={"required": "Enter your password."})

    @property
    def is_sent(self) -> bool:
        """Whether the page that asks was answered, however."""
        return self["password"].html_name in self.data


class ReplayForm(PostedForm):
    """What was being sent when the sign-in had expired, signed (`views_sign_in.make_replay`)."""

    replay = CutField()


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # django-stubs' ModelForm takes one only for mypy
    """One's own settings."""

    name = name_field(is_required=True)
    theme = forms.ChoiceField(label="Look", choices=Member.Theme.choices, required=False, widget=forms.RadioSelect)
    has_shortcuts = forms.BooleanField(
        label="Keyboard shortcuts",
        required=False,
        help_text="Single keys, such as / for search. They do nothing while you type.",
    )

    class Meta:
        model = Member
        fields = ("name", "theme", "has_shortcuts")
