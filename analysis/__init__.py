"""Mathematics on arrays and tensors; knows no network and no file."""

if __name__ != "infoplane.analysis":
    raise ImportError(
        f"this folder is the package infoplane.analysis, but it was imported as {__name__!r}: "
        "write 'import infoplane.analysis', with the project's root (not one of its folders) on the path"
    )
