"""Files of cameras whose stream is fetched. Pure."""

from __future__ import annotations

from drivers.camera.form import FORM

__all__ = ["FORM"]
