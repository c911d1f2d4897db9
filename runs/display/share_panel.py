"""The sharing panel: who can see a run, and how to change that."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.display.guest_links import LinkView, link_view, refusal_of, with_pictures
from runs.display.link_versions import VersionOffer, version_offers
from runs.display.result_boxes import result_labels
from runs.history import selection
from runs.models import GuestLink, Member, Output, Run, Selection, SharingRules, StoredFile
from runs.models.link_access import links_revocable_by
from runs.sharing import links as sharing
from runs.sharing.guest_names import some_names
from runs.words.moments import brief_day_words
from runs.words.numbers import number_words

UNDO_SHOWN = timedelta(hours=1)  # a revoked link stays in the panel for this long, so that it can be restored


@dataclass(frozen=True)
class PanelLink:
    """One guest link in a run's sharing panel; `words` says which of the run's results the link shows."""

    view: LinkView
    words: str
    # The link shows the result that the panel was opened from or, in a whole run's panel, one of its results
    shows_this: bool
    is_later: bool = False  # it shows none of the run's results any more, only later versions that replaced them


@dataclass(frozen=True)
class ResultToShare:
    """A finished result that people can include in a new link. It is ticked if it is selected on the run's page."""

    public_id: str
    label: str
    picture: StoredFile | None
    is_ticked: bool


@dataclass(frozen=True)
class ResultPicker:
    """The results to choose from for a new link; empty if there are fewer than two."""

    dom_id: str
    results: list[ResultToShare]

    @property
    def has_ticks(self) -> bool:
        return any(result.is_ticked for result in self.results)


@dataclass(frozen=True)
class SharePanel:
    """The sharing panel: who can see a run, and the three ways to share it."""

    run: Run
    dom_id: str
    is_team: bool
    links: list[PanelLink]
    offers: list[VersionOffer]
    may_share: bool
    may_link: bool
    no_link_words: str
    usual_last_day: date
    sentence: str
    maker: str  # name of the run's owner; empty if the member owns the run
    # Id of the result that the panel was opened from, for links to just that result. Empty for the whole run.
    only: str
    only_label: str
    choice: ResultPicker | None  # only for the whole run, and only if the member may create links

    @property
    def has_guests(self) -> bool:
        """Whether guests can see the run, or the result that the panel was opened from."""
        return any(link.view.is_open and link.shows_this for link in self.links)

    @property
    def is_only_me(self) -> bool:
        return not self.is_team and not self.has_guests

    @property
    def only_me_words(self) -> str:
        if any(link.view.is_open and not link.shows_this and not link.is_later for link in self.links):
            return _("Admins can see it too. This also revokes links that show other results.")
        return _("Admins can see it too.")

    @property
    def team_words(self) -> str:
        if self.only:
            return _("Everyone with an account here can see the whole run.")
        return _("Everyone with an account here.")

    @property
    def guest_words(self) -> str:
        """A sentence about who will see what through a new link, or why none can be created."""
        if self.no_link_words:
            return self.no_link_words
        day = {"day": brief_day_words(self.usual_last_day)}
        if self.only:
            return _("Anyone with the link sees only this result, until %(day)s.") % day
        return _("Anyone with the link, no account needed, until %(day)s.") % day

    @property
    def another_link_words(self) -> str:
        return _("Create another link to this result") if self.only else _("Create another link")


def share_panel(
    member: Member,
    run: Run,
    *,
    new_link: str = "",
    sentence: str = "",
    only: str = "",
    ticked: Collection[str] | None = None,
) -> SharePanel:
    """Return the panel for `run`, which `member` may change.

    `new_link` is the id of a link that was just created, `sentence` says what was just done, and `only` is the id of
    the result that the panel was opened from. Pass the ids of the run's selected results as `ticked` if you know them.
    """
    rules = SharingRules.current()
    now = timezone.now()
    links = list(with_pictures(sharing.links_about(run)))
    revocable = {link.pk for link in links}
    if not all(link.is_manageable_by(member) for link in links):
        revocable = set(links_revocable_by(member).filter(pk__in=revocable).values_list("pk", flat=True))
    views = [link_view(link, member, rules, new_link=new_link, is_revocable=link.pk in revocable) for link in links]
    outputs = list(run.outputs.all())
    labels = dict(zip(outputs, result_labels(outputs), strict=True))
    this = next((one for one in outputs if one.public_id == only), None) if len(outputs) > 1 else None
    current = [view for view in views if view.is_open or _was_revoked_lately(view.link, now)]
    may_share = run.is_shareable_by(member)
    no_link = refusal_of(member, rules)
    return SharePanel(
        run=run,
        dom_id=f"share-{run.public_id}",
        is_team=run.shared_at is not None,
        links=[_panel_link(view, labels, this) for view in current],
        offers=version_offers(member, outputs if this is None else [this]) if not no_link else [],
        may_share=may_share,
        may_link=may_share and not no_link,
        no_link_words=no_link,
        usual_last_day=sharing.usual_last_day(rules),
        sentence=sentence,
        maker="" if run.belongs_to(member) else run.member.display_name,
        only=this.public_id if this else "",
        only_label=labels[this] if this else "",
        choice=_choice(member, run, labels, ticked) if may_share and not no_link and this is None else None,
    )


def result_choice(member: Member, run: Run, ticked: Collection[str]) -> ResultPicker | None:
    """Return the results of `run` that `member` can choose from for a new link, given the ids of those that are
    `ticked`; None if they may not create any."""
    if not run.is_shareable_by(member) or refusal_of(member):
        return None
    outputs = list(run.outputs.all())
    return _choice(member, run, dict(zip(outputs, result_labels(outputs), strict=True)), ticked)


def _choice(member: Member, run: Run, labels: dict[Output, str], ticked: Collection[str] | None) -> ResultPicker:
    return ResultPicker(f"share-{run.public_id}-results", _results_to_share(member, labels, ticked))


def _results_to_share(member: Member, labels: dict[Output, str], ticked: Collection[str] | None) -> list[ResultToShare]:
    """Return the ready results in `labels`; an empty list if there are fewer than two."""
    ready = [output for output in labels if output.status == Output.Status.COMPLETED]
    if len(ready) < 2:
        return []
    prefetch_related_objects(ready, "files__file")
    if ticked is None:
        ticked = selection.ticked(member, Selection.Place.RESULTS, [output.public_id for output in ready])
    return [ResultToShare(one.public_id, labels[one], _picture_of(one), one.public_id in ticked) for one in ready]


def _picture_of(output: Output) -> StoredFile | None:
    stored = (output_file.file for output_file in output.files.all())
    return next((file for file in stored if file is not None and file.thumb_200), None)


def _panel_link(view: LinkView, labels: dict[Output, str], this: Output | None) -> PanelLink:
    """Return `view` together with words saying which results the link shows. `labels` has the labels of all the run's
    results."""
    output_ids = {link_output.output_id for link_output in view.link.chosen.all()}
    here = [label for output, label in labels.items() if output.pk in output_ids]
    if not here:
        return PanelLink(view, _later_words(view, labels), shows_this=False, is_later=True)
    shows_this = this is None or this.pk in output_ids
    is_all = all(output.pk in output_ids for output in labels if output.status == Output.Status.COMPLETED)
    if len(labels) == 1 and not view.is_of_several:
        return PanelLink(view, "", shows_this)
    if this is None and is_all and not view.is_of_several:
        return PanelLink(view, _("Shows all results from this run"), shows_this)
    return PanelLink(view, _shown_words(view, here, is_about_one=this is not None, shows_this=shows_this), shows_this)


def _later_words(view: LinkView, labels: dict[Output, str]) -> str:
    """Say which results of the run the link showed before later versions replaced them."""
    lines = {output.first_id: label for output, label in labels.items()}
    later = [link_output.output for link_output in view.link.chosen.all() if link_output.output.first_id in lines]
    if len(later) == 1:
        values = {"number": later[0].number, "result": lines[later[0].first_id]}
        return _("Now shows version %(number)s of %(result)s") % values
    names = [lines[output.first_id] for output in later]
    return _("Now shows newer versions of %(names)s") % {"names": some_names(names, len(names))}


def _shown_words(view: LinkView, here: list[str], *, is_about_one: bool, shows_this: bool) -> str:
    if is_about_one and shows_this:
        if (others := view.count - 1) < 1:
            return _("Shows only this result")
        words = ngettext("Shows this result and %(count)s other", "Shows this result and %(count)s others", others)
        return words % {"count": number_words(others)}
    names = {"names": some_names(here, view.count)}
    return _("Shows %(names)s, but not this result") % names if is_about_one else _("Shows %(names)s") % names


def _was_revoked_lately(link: GuestLink, now: datetime) -> bool:
    return link.revoked_at is not None and now - link.revoked_at < UNDO_SHOWN and not link.has_expired(now)
