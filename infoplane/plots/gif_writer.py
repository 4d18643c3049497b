"""A writer of GIF movies for `matplotlib.animation` that keeps two frames in memory, however many there are.

matplotlib's own keeps all of them until the end. Here a frame goes to the file as soon as the next one differs from
it: the rectangle of pixels that changed, with a colour table of its own.
"""

from io import BytesIO
from typing import Any, BinaryIO

from matplotlib.animation import AbstractMovieWriter
from matplotlib.figure import Figure
from PIL import Image, ImageChops
from PIL.GifImagePlugin import getdata, getheader

_LONGEST = 65_535  # hundredths of a second


class GifWriter(AbstractMovieWriter):
    """Write a GIF that plays again and again; equal frames become one that stays longer.

    A GIF counts time in hundredths of a second: at 40 frames a second some last 0.02 s and others 0.03 s.
    """

    def setup(self, fig: Figure, outfile: Any, dpi: float | None = None) -> None:
        """Open the file."""
        super().setup(fig, outfile, dpi=dpi)
        self._file: BinaryIO = open(outfile, "wb")  # noqa: SIM115 - `finish` closes it
        self._shown: Image.Image | None = None
        self._waiting: tuple[Image.Image, tuple[int, int]] | None = None
        self._frames, self._written = 0, 0

    def grab_frame(self, **savefig_kwargs: Any) -> None:
        """Draw the figure, and write the frame before where this is another one."""
        buffer = BytesIO()
        self.fig.savefig(buffer, **{**savefig_kwargs, "format": "rgba", "dpi": self.dpi})
        frame = Image.frombuffer("RGBA", self.frame_size, buffer.getvalue(), "raw", "RGBA", 0, 1).convert("RGB")
        if self._shown is None:
            first = frame.quantize()
            self._file.writelines(getheader(first, info={"loop": 0})[0])
            self._waiting = first, (0, 0)
        elif (box := ImageChops.difference(frame, self._shown).getbbox()) is not None:
            self._write()
            self._waiting = frame.crop(box).quantize(), box[:2]
        self._shown = frame
        self._frames += 1

    def finish(self) -> None:
        """Write the last frame and close the file."""
        with self._file:
            self._write()
            self._file.write(b";")

    def _write(self) -> None:
        """Write the frame that waits, for as long as it was seen."""
        if self._waiting is not None:
            rectangle, corner = self._waiting
            begun, ended = (round(100 * frame / self.fps) for frame in (self._written, self._frames))
            for left in range(ended - begun, 0, -_LONGEST):
                duration = 10 * min(left, _LONGEST)
                self._file.writelines(getdata(rectangle, corner, duration=duration, include_color_table=True))
        self._waiting, self._written = None, self._frames
