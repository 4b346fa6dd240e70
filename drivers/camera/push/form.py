"""Files of cameras that push. Pure."""

from __future__ import annotations

from drivers.camera.form import FORM

__all__ = ["FORM"]
