"""What the bar on each page needs to know about the person reading it."""

from django import template
from django.urls import reverse

from runs.models import Member

register = template.Library()


@register.filter
def spending_url(member: Member) -> str:
    """Return the URL of the page that shows `member` what runs cost: everyone's runs for admins, just their own for
    makers and approvers; "" for viewers."""
    if member.is_admin:
        return reverse("runs:manage-spending")
    return f"{reverse('runs:me')}#spending" if member.can_run else ""
