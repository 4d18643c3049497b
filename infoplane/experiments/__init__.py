"""Experiments whose output stands in the documentation, one a file: ``python -m infoplane.experiments.controls``."""
