"""What is put into a network: VIB probes, recorders, the choice of sites; knows no file."""

if __name__ != "infoplane.probes":
    raise ImportError(
        f"this folder is the package infoplane.probes, but it was imported as {__name__!r}: "
        "write 'import infoplane.probes', with the project's root (not one of its folders) on the path"
    )
