"""Match Lamina's outputs to the boxes of a run.

An output gets the box that already has its Lamina id; failing that, a free box with its label; failing that, any free
box. Labels may repeat, so the rules are stricter for a box meant for a result's next version: it only takes the output
in that result's position. Outputs left without a box become extra results.
"""

from collections.abc import Sequence

from runs.lamina.types import RemoteOutput
from runs.models import Output, Run
from runs.schema_forms.questions import shortened


def match(
    run: Run, boxes: list[Output], remotes: Sequence[RemoteOutput], *, is_final: bool, is_given_up: bool = False
) -> list[tuple[Output, RemoteOutput]]:
    """Pair outputs with boxes. Outputs without a box get a new one, which is added to `boxes`.

    While the run isn't final, outputs that might be the next version of a result are left out until more outputs have
    arrived. If we stop waiting (`is_given_up`), they become extra results, except for those that are still empty. By
    then, they may have come from several responses, so their order means nothing, and none of them counts as a next
    version.
    """
    ids = _ids_of(remotes)
    named = {box.remote_id: box for box in boxes if box.remote_id}
    matching = _Matching(run, boxes, remotes, is_final=is_final, is_given_up=is_given_up)
    found = {at: named[remote_id] for at, remote_id in enumerate(ids) if remote_id in named}
    wanted = [at for at, remote in enumerate(remotes) if not is_given_up or remote.has_value or remote.is_over]
    found |= matching.by_label([at for at in wanted if at not in found])
    found |= matching.anywhere([at for at in wanted if at not in found and at not in matching.later])
    if is_given_up:
        found |= {at: matching.extra_box() for at in sorted(matching.later)}
    for at, box in found.items():
        box.remote_id = ids[at]
    return [(found[at], remotes[at]) for at in sorted(found)]


def _ids_of(remotes: Sequence[RemoteOutput]) -> list[str]:
    """Return a unique id for each output. Two outputs are separate results even if Lamina gave them the same id."""
    ids: list[str] = []
    seen = set[str]()
    for at, remote in enumerate(remotes):
        remote_id = remote.id[:200] or f"#{at}"
        ids.append(f"{remote_id[:180]}#{at}" if remote_id in seen else remote_id)
        seen.add(ids[-1])
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
        found: dict[int, Output] = {}
        for at in positions:
            label = _label(self.remotes[at].label)
            if label in has_version and len(places := self._places(label)) > 1:
                found |= self._in_place(at, label, places)
            elif box := next((box for box in self.free if _label(box.label) == label), None):
                found[at] = self._take(box)
        return found

    def _places(self, label: str) -> list[int]:
        """Return the indexes of the app's results that have this label."""
        return [output["index"] for output in self.run.schema.outputs if _label(output["label"]) == label]

    def _in_place(self, at: int, label: str, places: Sequence[int]) -> dict[int, Output]:
        """If several outputs share this label, match the one at `at` by its position among them."""
        alike = [n for n, remote in enumerate(self.remotes) if _label(remote.label) == label]
        wanted = [box for box in self.boxes if _label(box.label) == label and box.schema_index in places]
        asked: list[int | None] = [*places]
        if len(alike) < len(places):
            if not self.is_final:
                self.later.add(at)
                return {}
            # If some of the outputs are missing, we can't tell which ones, so none of them counts as a next version.
            is_all = len(alike) == len(wanted)
            asked = [box.schema_index for box in wanted if is_all or not box.line_id]
        nth = alike.index(at)
        place = asked[nth] if nth < len(asked) else None
        box = next((box for box in self.free if box.schema_index == place and place is not None), None)
        if box and box.line_id and self.is_given_up:
            box = None
        return {at: self._take(box) if box else self.extra_box(place)}

    def anywhere(self, positions: Sequence[int]) -> dict[int, Output]:
        """Give free boxes to outputs whose labels don't match any box. The box for a result's next version is used only
        once the run is final, and only if no other output could belong in it."""
        found: dict[int, Output] = {}
        plain = [box for box in self.free if not box.line_id]
        for at, box in zip(positions, plain, strict=False):
            found[at] = self._take(box)
        left = positions[len(found) :]
        if self.free and not self.is_final:
            self.later.update(left)
            return found
        is_plain = len(self.free) == len(left)
        return found | {at: self._take(self.free[0]) if is_plain else self.extra_box() for at in left}

    def _take(self, box: Output) -> Output:
        self.free.remove(box)
        return box

    def extra_box(self, schema_index: int | None = None) -> Output:
        """Return a new box for an output that doesn't belong in any existing box."""
        box = Output(run=self.run, position=max((box.position for box in self.boxes), default=-1) + 1, kind="image")
        box.schema_index = schema_index
        if self.boxes:
            box.box_width, box.box_height = self.boxes[0].box_width, self.boxes[0].box_height
        else:
            box.box_width, box.box_height = 1, 1
        self.boxes.append(box)
        return box
