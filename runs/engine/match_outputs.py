"""Match Lamina's outputs to the boxes of a run.

An output gets the box that already has its Lamina id; failing that, a free box with its label; failing that, any free
box. Labels may repeat, so the rules are stricter for a box meant for a result's next version: it only takes the output
in that result's position. Outputs left without a box become extra results.

If an output is a list of files, each file gets a box of its own, because a verdict belongs to one file. The next
version of one of them is the file with the same number in the new list; the others become extra results.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass

from runs.lamina.types import RemoteOutput
from runs.models import Output, Run
from runs.schema_forms.questions import shortened

OUTPUTS_PER_RUN = 500  # no app produces this many; a longer list would permanently slow down every page


@dataclass(frozen=True)
class Matches:
    """The boxes of outputs and of files in lists, and whether anything has to wait for more outputs."""

    pairs: list[tuple[Output, RemoteOutput]]
    is_waiting: bool


def match(
    run: Run, boxes: list[Output], remotes: Sequence[RemoteOutput], *, is_final: bool, is_given_up: bool = False
) -> Matches:
    """Pair outputs with boxes. Outputs without a box get a new one, which is added to `boxes`; boxes after it may move.

    While the run isn't final, outputs that might be the next version of a result are left out until more outputs have
    arrived. If we stop waiting (`is_given_up`), they become extra results, except for those that are still empty. By
    then, they may have come from several responses, so their order means nothing, and none of them counts as a next
    version.
    """
    ids = _ids_of(remotes)
    places = _places_of(boxes)
    firsts = [place[0] for place in places]
    named = {box.remote_id: box for box in firsts if box.remote_id}
    matching = _Matching(run, firsts, remotes, is_final=is_final, is_given_up=is_given_up)
    boxes_at = {at: named[remote_id] for at, remote_id in enumerate(ids) if remote_id in named}
    positions = [at for at, remote in enumerate(remotes) if not is_given_up or remote.has_value or remote.is_over]
    boxes_at |= matching.by_label([at for at in positions if at not in boxes_at])
    boxes_at |= matching.anywhere([at for at in positions if at not in boxes_at and at not in matching.later])
    if is_given_up:
        boxes_at |= {at: matching.extra_box() for at in sorted(matching.later)}
    places += [[box] for box in firsts[len(places) :]]
    pairs, is_waiting = list[tuple[Output, RemoteOutput]](), bool(matching.later) and not is_given_up
    for at in sorted(boxes_at):
        place = next(place for place in places if place[0] is boxes_at[at])
        for box in place:
            box.remote_id = ids[at]
        room = OUTPUTS_PER_RUN - sum(map(len, places))
        files = _Files(place, remotes[at], room, is_over=is_final or is_given_up)
        pairs += files.match(is_final=is_final, is_given_up=is_given_up)
        is_waiting |= files.is_waiting
    boxes[:] = [box for place in places for box in place]
    _number(boxes)
    return Matches(pairs, is_waiting)


def _places_of(boxes: Sequence[Output]) -> list[list[Output]]:
    """Group `boxes` by the output that they are for: several are for the files of one list."""
    places: dict[str | int, list[Output]] = {}
    for number, box in enumerate(boxes):
        unnamed = f"#{number}" if box.schema_index is None else box.schema_index
        places.setdefault(f"id {box.remote_id}" if box.remote_id else unnamed, []).append(box)
    return list(places.values())


def _number(boxes: Sequence[Output]) -> None:
    """Put `boxes` in the order of the list, moving as few as possible."""
    last = -1
    for box in boxes:
        last = box.position = max(box.position, last + 1)


def _ids_of(remotes: Sequence[RemoteOutput]) -> list[str]:
    """Return a unique id for each output. Two outputs are separate results even if Lamina gave them the same id."""
    ids: list[str] = []
    unique = set[str]()
    for at, remote in enumerate(remotes):
        remote_id = remote.id[:200] or f"#{at}"
        ids.append(f"{remote_id[:180]}#{at}" if remote_id in unique else remote_id)
        unique.add(ids[-1])
    return ids


def _label(label: str) -> str:
    return shortened(label).casefold()


class _Matching:
    """Assigns boxes to outputs that have none yet. `later` has the positions of outputs that must wait."""

    def __init__(
        self, run: Run, boxes: list[Output], remotes: Sequence[RemoteOutput], *, is_final: bool, is_given_up: bool
    ) -> None:
        self.run, self.boxes, self.remotes = run, boxes, remotes
        self.is_final, self.is_given_up = is_final, is_given_up
        self.free = [box for box in boxes if not box.remote_id]
        self.later = set[int]()

    def by_label(self, positions: Sequence[int]) -> dict[int, Output]:
        """Give each output a free box with its label."""
        has_version = {_label(box.label) for box in self.boxes if box.line_id}
        boxes_at: dict[int, Output] = {}
        for at in positions:
            label = _label(self.remotes[at].label)
            if label in has_version and len(places := self._places(label)) > 1:
                boxes_at |= self._in_place(at, label, places)
            elif box := next((box for box in self.free if _label(box.label) == label), None):
                boxes_at[at] = self._take(box)
        return boxes_at

    def _places(self, label: str) -> list[int]:
        """Return the indexes of the app's results that have this label."""
        return [output["index"] for output in self.run.schema.outputs if _label(output["label"]) == label]

    def _in_place(self, at: int, label: str, places: Sequence[int]) -> dict[int, Output]:
        """If several outputs share this label, match the one at `at` by its position among them."""
        alike = [n for n, remote in enumerate(self.remotes) if _label(remote.label) == label]
        alike_boxes = [box for box in self.boxes if _label(box.label) == label and box.schema_index in places]
        indexes: list[int | None] = [*places]
        if len(alike) < len(places):
            if not self.is_final:
                self.later.add(at)
                return {}
            # If some of the outputs are missing, we can't tell which ones, so none of them counts as a next version.
            is_all = len(alike) == len(alike_boxes)
            indexes = [box.schema_index for box in alike_boxes if is_all or not box.line_id]
        nth = alike.index(at)
        place = indexes[nth] if nth < len(indexes) else None
        box = next((box for box in self.free if box.schema_index == place and place is not None), None)
        if box and box.line_id and self.is_given_up:
            box = None
        return {at: self._take(box) if box else self.extra_box(place)}

    def anywhere(self, positions: Sequence[int]) -> dict[int, Output]:
        """Give free boxes to outputs whose labels don't match any box. The box for a result's next version is used only
        once the run is final, and only if no other output could belong in it."""
        boxes_at: dict[int, Output] = {}
        plain = [box for box in self.free if not box.line_id]
        for at, box in zip(positions, plain, strict=False):
            boxes_at[at] = self._take(box)
        left = positions[len(boxes_at) :]
        if self.free and not self.is_final:
            self.later.update(left)
            return boxes_at
        is_plain = len(self.free) == len(left)
        return boxes_at | {at: self._take(self.free[0]) if is_plain else self.extra_box() for at in left}

    def _take(self, box: Output) -> Output:
        self.free.remove(box)
        return box

    def extra_box(self, schema_index: int | None = None) -> Output:
        """Return a new box for an output that doesn't belong in any existing box."""
        box = Output(run=self.run, position=0, kind="image", schema_index=schema_index)
        if self.boxes:
            box.box_width, box.box_height = self.boxes[0].box_width, self.boxes[0].box_height
        self.boxes.append(box)
        return box


class _Files:
    """Assigns the boxes in `place`, which are for one output, to the output's files. Boxes for further files are added
    to `place`; the run has `room` for so many.

    A file gets the box with its number. If that is missing, it gets a box that nobody counts on. The box for a result's
    next version takes a file with another number only once the run is final, and only if no other could belong in it.
    """

    def __init__(self, place: list[Output], remote: RemoteOutput, room: int, *, is_over: bool) -> None:
        self.place, self.remote, self.room = place, remote, room
        has_failed = any(box.status in (Output.Status.ERROR, Output.Status.CANCELLED) for box in place)
        is_done = remote.has_value and remote.state_once(is_over=is_over) == "completed"
        self.has_files = is_done and not has_failed  # a finished result never changes
        self.is_waiting = False

    def match(self, *, is_final: bool, is_given_up: bool) -> list[tuple[Output, RemoteOutput]]:
        """Return each box with its file or, if there are no files yet, with the output itself."""
        if not self.has_files:
            return [(box, self.remote) for box in self.place]
        files = self._files()
        box_of = {box.list_number: box for box in self.place if box.list_number in files}
        left = [number for number in files if number not in box_of]
        versions = [box for box in self._spare(files) if box.line_id]
        for box, number in zip([box for box in self._spare(files) if not box.line_id], left[:], strict=False):
            box_of[number] = box
            left.remove(number)
        if left and versions and is_final and len(left) == len(versions):
            box_of |= zip(left, versions, strict=True)
            left = []
        elif left and versions and not is_final and not is_given_up:
            self.is_waiting, left = True, []
        box_of |= {number: self._new_box(number) for number in left[: max(0, self.room)]}
        for number, box in box_of.items():
            box.list_number = number
        return [(box, files[number]) for number, box in box_of.items()]

    def _files(self) -> dict[int, RemoteOutput]:
        """Return the files by number: a single one if the output isn't a list, or if its files would be too many
        results. A list that was stored as one result stays one."""
        files, first = self.remote.files, self.place[0]
        new = len(files.keys() - {box.list_number for box in self.place}) - len(self._spare(files))
        is_empty = all(box.status == Output.Status.PENDING for box in self.place)
        is_too_long = is_empty and new > self.room
        is_whole = not is_empty and len(self.remote.model_copy(update={"value": first.raw_value}).files) > 1
        return {1: self.remote} if is_too_long or is_whole or not files else files

    def _spare(self, files: Container[int]) -> list[Output]:
        """Return the boxes that are still empty and whose number isn't one of `files`."""
        return [box for box in self.place if box.status == Output.Status.PENDING and box.list_number not in files]

    def _new_box(self, number: int) -> Output:
        """Return a new box for the file with this `number`, which is an extra result."""
        like = self.place[0]
        box = Output(
            run=like.run,
            position=0,
            schema_index=like.schema_index,
            remote_id=like.remote_id,
            list_number=number,
            label=like.label,
            kind=like.kind,
            box_width=like.box_width,
            box_height=like.box_height,
        )
        self.place.insert(sum(other.list_number < number for other in self.place), box)
        return box
