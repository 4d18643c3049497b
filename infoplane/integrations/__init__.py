"""Recordings where people already train: one module per library, each behind the extra of its name.

``lightning``     `InfoplaneCallback`, a callback for Lightning's ``Trainer``
``transformers``  `InfoplaneTrainerCallback`, a callback for Hugging Face's ``Trainer``
``ignite``        `InfoplaneHandler`, a handler for an ignite ``Engine``
``tensorboard``   `TensorBoardSink`, writes every measurement where TensorBoard reads it

They serve mode ``observe``. In mode ``joint`` the probes' loss must be added to the host's: open the recording with
``infoplane.record`` around the training, and add ``rec.loss(labels)`` where the loss is computed.
"""
