"""Where the paper's numbers come from, and the files that hold them."""

from importlib.resources import files

DOI = "10.1109/TNNLS.2021.3050422"
LICENSE = "CC BY 4.0"
CITATION = (
    "M. Hofmann and P. Mäder, Synaptic Scaling: An Artificial Neural Network Regularization Inspired by Nature, IEEE "
    f"TNNLS 33(7), 2022, doi {DOI}, {LICENSE}"
)


def text(name: str) -> str:
    """Return the text of the data file called `name`; its first lines, which begin with #, say what it holds."""
    return files("infoplane.experiments.paper").joinpath(name).read_text(encoding="utf-8")
