"""Foramen: treatment planning for image-guided pain procedures of the spine. Research use, not a medical device."""

__version__ = "0.1.0"
