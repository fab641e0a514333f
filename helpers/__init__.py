"""Shared code of the series *From PCA to StyleGAN*; the lessons import from its modules."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # whatever keras.json says
