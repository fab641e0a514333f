"""Shared code of the series *From PCA to StyleGAN*; the lessons import from its modules."""
