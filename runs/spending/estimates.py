"""Expected cost of a run, and whether there are enough credits for it. Guesses are never shown as facts."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from runs.catalog.pauses import closed_words
from runs.connection import balance, status
from runs.models import App, AppSchema, Charge, LaminaStatus, Member
from runs.models.spending import HUNDREDTHS
from runs.spending.limits import Allowance, allowance_of, beyond_limit, is_own_limit, own_words
from runs.storage import disk
from runs.team.admins import admin_names
from runs.words.credits import about_credits, credits_words, left_words, plural_number, short_balance_words
from runs.words.numbers import number_words

NOT_OPEN = gettext_noop("This workspace can't use this app. The app's author can give it access on Lamina.")
CENT = Decimal("0.01")

# Messages for when there aren't enough credits, each as (for admins, for everyone else). The key says whether fewer
# results would be affordable.
TOO_FEW_CREDITS = {
    False: (
        gettext_noop("This needs %(cost)s; the balance is %(balance)s. Add credits on Lamina."),
        gettext_noop(
            "This needs %(cost)s; the balance is %(balance)s. To have credits added, ask an admin: %(names)s."
        ),
    ),
    True: (
        gettext_noop(
            "This needs %(cost)s; the balance is %(balance)s. Choose fewer results, or add credits on Lamina."
        ),
        gettext_noop(
            "This needs %(cost)s; the balance is %(balance)s. Choose fewer results, or ask an admin to add credits: "
            "%(names)s."
        ),
    ),
}


@dataclass(frozen=True)
class CostEstimate:
    """The expected cost, in credits, of `made` of an app's `total` results; None if unknown.

    We only know the cost of all results together (`whole`): from Lamina or, if Lamina gives no estimate, from an admin.
    To estimate the cost of just some of them, we assume that each result costs the same.
    """

    whole: Decimal | None
    least_of_whole: Decimal | None
    made: int
    total: int
    source: Charge.Source = Charge.Source.LAMINA  # where `whole` comes from

    @property
    def is_part(self) -> bool:
        return 0 < self.made < self.total

    @property
    def expected(self) -> Decimal | None:
        return self.share(self.whole, self.made)

    @property
    def hundredths(self) -> int | None:
        """The expected cost in hundredths of a credit, which is what we charge."""
        expected = self.expected
        return None if expected is None else int((expected * HUNDREDTHS).to_integral_value(ROUND_HALF_UP))

    @property
    def least(self) -> Decimal | None:
        return self.share(self.least_of_whole, self.made)

    def share(self, credits: Decimal | None, count: int) -> Decimal | None:
        """Return the cost of `count` results if all results together cost `credits`; never below zero."""
        if credits is None or not 0 < count < self.total:
            return None if credits is None else max(credits, Decimal(0))
        return (max(credits, Decimal(0)) * count / self.total).quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True)
class CostLine:
    """The line next to the Run button: what a run of `app` by `member` costs, and whether anything blocks it."""

    app: App
    member: Member
    estimated: CostEstimate
    account: LaminaStatus

    @property
    def is_unknown(self) -> bool:
        return self.estimated.whole is None

    @property
    def words(self) -> str:
        """Words such as "about 12 credits (8 to 20)" or "about 4 of 12 credits for 1 of 3 results"."""
        whole = self.estimated.whole
        if whole is None:
            return _("cost unknown")
        if not self.estimated.is_part:
            return about_credits(whole, self.app.credits_min, self.app.credits_max)
        words = ngettext(
            "about %(part)s of %(whole)s credit for %(made)s of %(total)s results",
            "about %(part)s of %(whole)s credits for %(made)s of %(total)s results",
            plural_number(whole),
        )
        return words % {
            "part": credits_words(self.estimated.expected),
            "whole": credits_words(whole),
            "made": number_words(self.estimated.made),
            "total": number_words(self.estimated.total),
        }

    @property
    def note(self) -> str:
        """How the cost was estimated; empty if it is Lamina's estimate for exactly these results."""
        is_share = not self.is_unknown and self.estimated.is_part
        if self.estimated.source == Charge.Source.ADMIN:
            share = _("An equal share of a price set by an admin, as Lamina doesn't give an estimate for this app.")
            return share if is_share else _("A price set by an admin, as Lamina doesn't give an estimate for this app.")
        return _("An equal share: Lamina only gives the total cost.") if is_share else ""

    @property
    def balance_words(self) -> str:
        return left_words(self.account)

    @cached_property
    def left(self) -> Allowance | None:
        """What is left this month; None for people who can't run apps."""
        return allowance_of(self.member) if self.member.can_run else None

    @property
    def own_words(self) -> str:
        """What is left, in words; empty if there is no limit."""
        return own_words(self.left) if self.left is not None else ""

    @property
    def not_open(self) -> str:
        """Why nobody in this workspace can run the app; empty if people can."""
        return _(NOT_OPEN) if self.app.is_forbidden else ""

    @property
    def is_blocked(self) -> bool:
        return bool(self.reason)

    @cached_property
    def reason(self) -> str:
        """Why the run is blocked and what to do; empty if it isn't."""
        return self._closed or (_shortage(self.member, self.estimated, self.account) if self.is_short else self._limit)

    @property
    def is_short(self) -> bool:
        """Whether the balance blocks the run."""
        return not self._closed and _is_short(self.estimated, self.account)

    @property
    def fits(self) -> int:
        """How many of the wanted results the balance is enough for, if it blocks the run; otherwise 0."""
        return _fitting(self.estimated, self.account) if self.is_short else 0

    @property
    def can_ask(self) -> bool:
        """Whether the member's own limit blocks the run, and they can ask admins to raise it."""
        is_own = self.left is not None and is_own_limit(self.left, self.estimated.hundredths)
        return is_own and bool(self._limit) and not self.member.is_admin

    @cached_property
    def _closed(self) -> str:
        """Why the member can't run the app, leaving cost aside; empty if they can."""
        if not self.member.can_run:
            return _("Your role is view-only, so you can't run apps. Ask an admin to change it.")
        if self.app.is_gone:
            return _("Lamina no longer offers this app.")
        if disk.is_full() and self.member.is_admin:
            return _(
                "The portal's disk is full, so results can't be saved. Empty the bin, or give the portal a larger disk."
            )
        if disk.is_full():
            return _("The portal's disk is full, so results can't be saved. Ask an admin to free up some space.")
        return self.not_open or closed_words(self.app, self.member)

    @cached_property
    def _limit(self) -> str:
        """Why the monthly limits don't allow the run; empty if they do, or if something else blocks it."""
        if self._closed or self.is_short or self.left is None:
            return ""
        return beyond_limit(self.member, self.left, self.estimated.hundredths)


def estimate(app: App, schema: AppSchema | None, requested: Collection[int]) -> CostEstimate:
    """Return the estimate for the results of `app` that are `requested` (indexes in `schema`; none means all)."""
    indexes = [output["index"] for output in schema.outputs] if schema else []
    count = sum(index in requested for index in indexes) if requested else len(indexes)
    least = app.credits_min if app.credits_min is not None else app.cost
    return CostEstimate(app.cost, least, count or len(indexes), len(indexes), _source(app))


def _source(app: App) -> Charge.Source:
    if app.credits_expected is not None:
        return Charge.Source.LAMINA
    return Charge.Source.NONE if app.price is None else Charge.Source.ADMIN


def cost_line(
    app: App,
    member: Member,
    requested: Collection[int] = (),
    schema: AppSchema | None = None,
    *,
    can_look_up: bool = True,
) -> CostLine:
    """Return what a run of `app` costs with the `requested` results (none means all), and the balance.

    `schema` lists the results; without one, the app's current schema is used. A balance that would block the run is
    looked up first, unless a transaction is open (`can_look_up`).
    """
    estimated = estimate(app, schema or app.schema, requested)
    if can_look_up and _is_short(estimated, status.lamina_status()):
        balance.look_up()
    return CostLine(app, member, estimated, status.lamina_status())


def _is_short(estimated: CostEstimate, account: LaminaStatus) -> bool:
    """Return whether there are too few credits; False if we can't tell.

    Only the balance that Lamina reported can block a run; what we have deducted from it since then is a guess.
    """
    if account.balance is None or estimated.expected is None or estimated.least is None:
        return False
    return account.balance < estimated.expected and account.balance < estimated.least


def _shortage(member: Member, estimated: CostEstimate, account: LaminaStatus) -> str:
    """Return what to do about too few credits, and whom to ask."""
    for_admins, for_others = TOO_FEW_CREDITS[_fitting(estimated, account) > 0]
    values = {"cost": about_credits(estimated.expected), "balance": short_balance_words(account)}
    if member.is_admin:
        return _(for_admins) % values
    return _(for_others) % {**values, "names": admin_names() or _("nobody at the moment")}


def _fitting(estimated: CostEstimate, account: LaminaStatus) -> int:
    """Return how many of the results that are wanted are affordable; 0 if none are, or if we can't tell."""
    if estimated.least_of_whole is None or not account.balance_left:
        return 0
    shares = ((count, estimated.share(estimated.least_of_whole, count)) for count in range(estimated.made - 1, 0, -1))
    return next((count for count, share in shares if share is not None and share <= account.balance_left), 0)
