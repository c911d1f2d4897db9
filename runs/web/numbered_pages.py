"""Numbered pages of long lists, without counting all their rows."""

from collections.abc import Iterator

from django.db.models import Model, QuerySet

from runs.words.numbers import number_in

MOST_PAGES = 9_999


class NumberedPage[Row: Model]:
    """One page of `rows`, which must be in a fixed order. Reads one extra row to see if there is a next page."""

    def __init__(self, rows: "QuerySet[Row]", number: str | None, size: int) -> None:
        """Read page `number`, as given in the URL, or page 1 if `number` isn't a number from 1 to 9,999 or that page is
        empty."""
        self.number = number_in(number or "", 1, MOST_PAGES, 1)
        page_rows = self._read(rows, size)
        if not page_rows and self.number > 1:
            self.number = 1
            page_rows = self._read(rows, size)
        self._rows, self._has_next = page_rows[:size], len(page_rows) > size

    def _read(self, rows: "QuerySet[Row]", size: int) -> list[Row]:
        start = (self.number - 1) * size
        return list(rows[start : start + size + 1])

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def has_next(self) -> bool:
        return self._has_next

    def has_previous(self) -> bool:
        return self.number > 1

    def has_other_pages(self) -> bool:
        return self.has_previous() or self.has_next()

    def next_page_number(self) -> int:
        return self.number + 1

    def previous_page_number(self) -> int:
        return self.number - 1
