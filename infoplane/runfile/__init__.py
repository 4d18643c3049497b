"""The run file: one training of one network in one HDF5 file, readable while it grows and after a crash."""
