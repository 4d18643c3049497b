"""Synaptic scaling: on the weights between training steps (`synscaw`), and as a loss (`synscal`)."""
