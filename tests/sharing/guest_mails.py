"""A link with comments from its guests, and the replies and emails that they get."""

from django.core.mail import EmailMultiAlternatives as Sent
from django.utils import timezone

from runs.models import Comment, GuestLink, Member, Output
from runs.review.comments import post
from runs.review.deciders import Reviewer
from runs.sharing import links
from tests.sharing.guest_visit import GuestVisit, visit
from tests.support.factories import make_kept, make_run

KIM = "kim@client.example"


def make_front(maker: Member) -> Output:
    """Make a shared run, and return its first result."""
    run = make_run(maker, status="completed", shared_at=timezone.now())
    make_kept(run)
    return run.outputs.get(position=0)


def make_answered(member: Member, result: Output) -> GuestLink:
    """Make a guest link to `result` that lets guests decide and comment."""
    link = links.make_link(member, [result])
    GuestLink.objects.filter(pk=link.pk).update(lets_decide=True, lets_comment=True)
    return GuestLink.objects.get(pk=link.pk)


def comment_of(link: GuestLink, name: str = "Kim", email: str = KIM, words: str = "Warmer, please") -> GuestVisit:
    """Comment on the link's first result as a guest, entering a name and an email address when asked."""
    kim = visit(link)
    return kim.type("r1", words).press("comment", "r1").press("", name=name, email=email)


def to_guests(box: list[Sent]) -> list[Sent]:
    return [mail for mail in box if mail.to[0].endswith("@client.example")]


def answer(link: GuestLink, by: Member, words: str = "Done.", *, guests_see: bool = True) -> Comment:
    asked = Comment.objects.filter(link=link).latest("pk")
    return post(Reviewer(member=by), asked.run, asked.output, words, parent=asked, guests_see=guests_see)
