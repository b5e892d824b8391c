"""Report, card and pictures of a plan; everything is returned as text or bytes, no file is opened."""

from foramen.report.figures import figures
from foramen.report.render import render_card, render_pdf, render_report

__all__ = ["figures", "render_card", "render_pdf", "render_report"]
