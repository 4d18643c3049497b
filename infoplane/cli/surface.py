"""``infoplane surface``: the change of information by scaling one weight of a sigmoid neuron (Eq. 25, Fig. 4)."""

import json as json_format
import sys
from pathlib import Path
from typing import Annotated

import typer


def surface(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Picture: .png, .pdf or .svg.")] = None,
    as_printed: Annotated[
        bool,
        typer.Option("--as-printed", help="Transpose it, as the paper's Fig. 4 is; the caption says so."),
    ] = False,
    style: Annotated[str, typer.Option(help="map, to read numbers from, or 3d.")] = "map",
    variant: Annotated[str, typer.Option(help="eq22, eq25, eq24, appendix_delta, or exact.")] = "eq22",
    x: Annotated[float, typer.Option(help="Input of the neuron; the paper's figure has 1.")] = 1.0,
    gamma: Annotated[float, typer.Option(help="Scaling rate.")] = 1.0,
    b: Annotated[float, typer.Option(help="Bias.")] = 0.0,
    points: Annotated[int, typer.Option(min=2, help="Grid points per axis.")] = 100,
    json: Annotated[bool, typer.Option("--json", help="Print minimum, maximum and mean as JSON.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing picture.")] = False,
) -> None:
    """Compute and draw the ΔI surface of a neuron.

    The grid of the paper's Fig. 4: its range is printed beside the ends of the paper's colour bar.

    Example: infoplane surface -o fig4.png

    In perspective: infoplane surface --style 3d -o fig4-3d.png
    """
    import infoplane as ip
    from infoplane.analysis.delta_information import FIG4_COLOUR_BAR
    from infoplane.cli.output import new_picture
    from infoplane.errors import InputError

    if style not in _STYLES:
        raise InputError(f"--style is {style!r}, but it must be one of {', '.join(_STYLES)}")
    if style == "3d" and as_printed:
        raise InputError("--as-printed is for --style map alone: the paper's Fig. 4 is a map")
    target = None if out is None else new_picture(out, force=force)
    grid = ip.delta_information_surface(points, x=x, gamma=gamma, b=b, variant=variant)
    numbers = {
        "variant": variant,
        "unit": grid.unit,
        "points": points,
        "min": grid.minimum,
        "max": grid.maximum,
        "mean": grid.mean,
        "paper_fig4_colour_bar": list(FIG4_COLOUR_BAR),
    }
    if json:
        print(json_format.dumps(numbers))
    else:
        text = f"min {grid.minimum:.6f}  max {grid.maximum:.6f}  mean {grid.mean:.5f} {grid.unit}"
        if (variant, x, gamma, b) == ("eq22", 1.0, 1.0, 0.0):
            text += f"  (colour-bar ends of the paper's Fig. 4: {FIG4_COLOUR_BAR[0]:.4f} {FIG4_COLOUR_BAR[1]:.4f})"
        print(text)
    if target is not None:
        ax = ip.plots.surface3d(grid) if style == "3d" else ip.plots.surface(grid, as_printed=as_printed)
        ip.plots.save(ax, target)
        print(target, file=sys.stderr)


_STYLES = ("map", "3d")
