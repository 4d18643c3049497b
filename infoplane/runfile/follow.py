"""Following a run while it is written: its rows one by one, as they are committed."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from infoplane.runfile.view import StreamView

if TYPE_CHECKING:
    from infoplane.runfile.stream_file import StreamFile

_BLOCK_BYTES = 2**22


def follow(run: "StreamFile", view: StreamView, poll: float) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield the rows of one stream of `run` until nobody writes it under its path any more; see `StreamFile.follow`."""
    given = 0
    while True:
        run.refresh()
        # The status is older than the rows: once it says that the writer is gone, no row comes after these.
        is_over = run.status in ("finished", "interrupted", "killed", "replaced")
        for row in _rows(view, given, len(view)):
            given += 1
            yield row
        if is_over:
            return
        time.sleep(poll)


def _rows(view: StreamView, start: int, stop: int) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield rows that were read together, as many as are small in memory."""
    together = 1
    while start < stop:
        block = {name: view.read(name, slice(start, min(start + together, stop))) for name in view.variables}
        count = len(block[view.row])
        yield from ({name: values[k] for name, values in block.items()} for k in range(count))
        start += count
        together = max(1, _BLOCK_BYTES * count // max(1, sum(values.nbytes for values in block.values())))
