"""The form for a chat channel."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from runs.models import App, ChatChannel
from runs.notices import channels
from runs.review.rules import reviewable_apps
from runs.storage import guard
from runs.web.posted import CutField, PostedForm, RepeatedField

APPS_SHOWN = 200


class ChannelForm(PostedForm):
    """A channel's address, kinds, apps (public ids) and language. The address may be left empty if the channel already
    has one.

    The first field's name contains "secret", so that the sign-in page doesn't carry the address over if the session has
    ended (see `views_sign_in`).
    """

    secret_address = CutField(length=guard.MAX_URL_LENGTH + 1)
    kind = RepeatedField()
    app = RepeatedField()
    on = RepeatedField()
    language = CutField()

    def __init__(self, channel: ChatChannel | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.channel = channel

    def clean_secret_address(self) -> str:
        address = guard.complete_url(str(self.cleaned_data["secret_address"]))
        if not address and self.channel is None:
            raise ValidationError(_("Paste the webhook address."))
        if address:
            try:
                channels.check_address(address)
            except guard.FetchRefused as error:
                raise ValidationError(error.sentence) from None
        return address

    def clean_language(self) -> str:
        """Return the posted language if the portal supports it; otherwise, the default language."""
        language = str(self.cleaned_data["language"])
        return language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE

    def chosen_apps(self) -> QuerySet[App]:
        """Return the apps that were ticked, plus those chosen earlier that the page didn't list."""
        condition = Q(public_id__in=self.cleaned_data["app"])
        if self.channel is not None:
            listed_ids = " ".join(self.cleaned_data["on"]).split()
            condition |= Q(pk__in=self.channel.apps.exclude(public_id__in=listed_ids).values("pk"))
        return App.objects.filter(condition)


def apps_to_choose(channel: ChatChannel | None) -> list[tuple[App, bool]]:
    """Return the apps to choose from, and whether each one is currently chosen."""
    current = set(channel.apps.values_list("pk", flat=True)) if channel else set()
    return [(app, app.pk in current) for app in reviewable_apps()[:APPS_SHOWN]]
